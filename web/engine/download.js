/** Fetches files with progress in bytes, a size limit and a stall timer. Rust checks what has arrived. */

import { WatchNextError } from './failure.js';

/**
 * @typedef {object} Transfer
 * @property {number} stallMs how long a transfer may go without a byte before it is given up.
 * @property {AbortSignal} signal stops the transfer, for instance because another file failed.
 * @property {RequestCache} cache
 */

/**
 * The response for `url`. Throws if its status isn't a success.
 * @param {URL} url
 * @param {Transfer} transfer
 */
async function open(url, { signal, cache }) {
  let response;
  try {
    response = await fetch(url, { signal, cache });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reason = error instanceof Error ? error.message : String(error);
    throw new WatchNextError(
      'fetch-failed',
      `${url} could not be fetched (${reason}). ` +
        "Check the connection, and that the page's policy allows it (connect-src 'self').",
      url.href,
    );
  }
  if (!response.ok) {
    const status = `${response.status} ${response.statusText}`.trim();
    throw new WatchNextError(
      'http-status',
      `The server answered ${status} for ${url}. Put the whole folder on the server, or try again.`,
      url.href,
    );
  }
  return response;
}

/**
 * Runs `work` with a transfer that is also aborted when nothing has arrived for `stallMs`.
 * @template T
 * @param {URL} url
 * @param {Transfer} transfer
 * @param {(watched: Transfer, alive: () => void) => Promise<T>} work calls `alive` whenever something has arrived.
 * @returns {Promise<T>}
 */
async function watchForStall(url, transfer, work) {
  const { stallMs, signal } = transfer;
  const controller = new AbortController();
  const stop = () => controller.abort(signal.reason);
  const stalled = () =>
    controller.abort(
      new WatchNextError(
        'timeout',
        `${url} stalled: nothing arrived for ${stallMs / 1000} s. Check the connection and try again.`,
        url.href,
      ),
    );
  let timer = setTimeout(stalled, stallMs);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(stalled, stallMs);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    return await work({ ...transfer, signal: controller.signal }, alive);
  } catch (error) {
    // Each browser rejects an aborted stream with its own error; the signal's reason says what happened.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Reads a stream to its end, or to just past `limit`: a server can't fill the memory.
 * @param {Response} response
 * @param {URL} url
 * @param {number} limit
 * @param {(received: number) => void} onBytes
 * @param {AbortSignal} signal
 * @param {boolean} [keep] whether to return the bytes. If not, the stream is only read to its end.
 */
async function read(response, url, limit, onBytes, signal, keep = true) {
  if (!response.body) return new Uint8Array(await response.arrayBuffer());
  const reader = response.body.getReader();
  const chunks = [];
  let received = 0;
  try {
    while (received <= limit) {
      const { done, value } = await reader.read();
      if (done) break;
      if (keep) chunks.push(value);
      received += value.byteLength;
      onBytes(received);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new WatchNextError(
      'fetch-failed',
      `The transfer of ${url} broke off after ${received} bytes. Check the connection and try again.`,
      url.href,
    );
  }
  if (received > limit) await reader.cancel();
  const bytes = new Uint8Array(keep ? received : 0);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/**
 * The bytes of `url`, at most one chunk more than `limit`.
 * @param {URL} url
 * @param {Transfer} transfer
 * @param {number} limit
 * @param {(received: number) => void} [onBytes]
 */
export function fetchBytes(url, transfer, limit, onBytes = () => {}) {
  return watchForStall(url, transfer, async (watched, alive) => {
    const response = await open(url, watched);
    alive();
    const note = (/** @type {number} */ received) => {
      alive();
      onBytes(received);
    };
    return read(response, url, limit, note, watched.signal);
  });
}

/**
 * The wasm module at `url`, compiled while it downloads.
 * @param {URL} url
 * @param {Transfer} transfer
 */
export function fetchModule(url, transfer) {
  return watchForStall(url, transfer, async (watched, alive) => {
    const response = await open(url, watched);
    alive();
    // Streaming compilation needs the right MIME type. With another one the module is compiled after the download.
    const streams = response.headers.get('content-type')?.split(';')[0].trim().toLowerCase() === 'application/wasm';
    const bytes = read(streams ? response.clone() : response, url, Infinity, alive, watched.signal, !streams);
    const compiled = streams
      ? WebAssembly.compileStreaming(response)
      : bytes.then((all) => WebAssembly.compile(all));
    try {
      const [module] = await Promise.all([compiled, bytes]);
      return module;
    } catch (error) {
      if (!(error instanceof WebAssembly.CompileError)) throw error;
      throw new WatchNextError(
        'wasm-invalid',
        `This browser can't compile the wasm module ${url} (${error.message}). The file is damaged or cut short. ` +
          'Load it again, or copy it to the server again.',
        url.href,
      );
    }
  });
}
