/**
 * The static server of the browser tests. It serves a built site and any bundle as /models/, with any content security
 * policy. On demand it compresses files and makes answers faulty. It records all requests, so tests can check them.
 */

import { createServer } from 'node:http';
import { createServer as createListener } from 'node:net';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** The built site under test. */
export const DIST = resolve(process.env.WATCHNEXT_DIST ?? join(HERE, '../../dist'));

/** The bundle that the site ships. */
export const SHIPPED_MODELS = join(DIST, 'models');

/** The strictest policy that the page works under. */
export const STRICT_POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src " +
    "'self'; img-src 'self' data:";

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.onnx': 'application/octet-stream',
  '.safetensors': 'application/octet-stream',
};

/** The headers of an isolated page. */
const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Close to the best quality, which would take minutes. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 } };

/**
 * A file in Brotli: the compressed file next to it, or one that is made now if the page isn't compressed yet.
 * @param {string} file
 * @returns {Promise<Buffer>}
 */
async function compressed(file) {
  return readFile(`${file}.br`).catch(async () => promisify(brotliCompress)(await readFile(file), BROTLI));
}

/**
 * @typedef {object} Fault a fault of the answers for one path.
 * @property {number} [status] answers with this status and nothing else.
 * @property {number} [truncateTo] sends only this many bytes, as if they were the whole file.
 * @property {number} [flipByteAt] sends the file with this byte inverted; negative counts from the end.
 * @property {number} [stallAfter] sends this many bytes and then nothing, without an end.
 * @property {Uint8Array} [body] sends these bytes instead of the file.
 * @property {string} [type] sends this MIME type.
 * @property {number} [delayMs] waits before answering.
 * @property {number} [bytesPerSecond] sends slowly, in small pieces.
 * @property {[string, string]} [replace] replaces text in the file.
 */

/**
 * The bytes of an answer with its fault.
 * @param {Buffer} file
 * @param {Fault} fault
 */
function spoiled(file, { replace, truncateTo = Infinity, flipByteAt }) {
  let body = replace ? Buffer.from(file.toString().replaceAll(...replace)) : Buffer.from(file);
  if (truncateTo < body.length) body = body.subarray(0, truncateTo);
  if (flipByteAt !== undefined) body[flipByteAt < 0 ? body.length + flipByteAt : flipByteAt] ^= 0xff;
  return body;
}

/**
 * Sends the body, as fast and as far as the fault lets it.
 * @param {import('node:http').ServerResponse} response
 * @param {Record<string, string | number>} headers
 * @param {Buffer} body
 * @param {Fault} fault
 */
async function send(response, headers, body, { stallAfter, bytesPerSecond }) {
  if (stallAfter !== undefined) {
    response.writeHead(200, headers);
    response.write(body.subarray(0, stallAfter));
    return;
  }
  response.writeHead(200, { ...headers, 'content-length': body.length });
  if (bytesPerSecond) {
    const piece = Math.max(1, Math.round(bytesPerSecond / 20));
    for (let at = 0; at < body.length && !response.destroyed; at += piece) {
      response.write(body.subarray(at, at + piece));
      await new Promise((done) => setTimeout(done, 50));
    }
    response.end();
  } else {
    response.end(body);
  }
}

/**
 * @typedef {object} Options
 * @property {string | null} [policy] the Content-Security-Policy header; null for none.
 * @property {string} [site] the folder to serve; the built site if left out.
 * @property {string} [models] the folder to serve as /models/; the built site's if left out.
 * @property {boolean} [isolated] sends COOP and COEP. Without them the browser doesn't measure memory.
 * @property {boolean} [compress] sends files in Brotli to clients that take it. Faulty answers aren't compressed.
 * @property {boolean} [cors] allows requests from other origins.
 */

/** Starts a server. @param {Options} [options] */
export async function startServer({
  policy = STRICT_POLICY,
  site = DIST,
  models = SHIPPED_MODELS,
  isolated = false,
  compress = false,
  cors = false,
} = {}) {
  /** @type {Map<string, Fault>} */
  const faults = new Map();
  /** @type {string[]} */
  const requests = [];
  const state = { policy, site, isDown: false };

  const server = createServer(async (request, response) => {
    if (state.isDown) {
      request.socket.destroy();
      return;
    }
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    requests.push(pathname);
    const fault = faults.get(pathname) ?? {};
    if (fault.delayMs) await new Promise((done) => setTimeout(done, fault.delayMs));
    const file = locate(pathname, state.site, models);
    const isPacked = compress && !faults.has(pathname) && /\bbr\b/.test(String(request.headers['accept-encoding']));
    let body;
    try {
      if (fault.status) throw new Error('asked for');
      body = fault.body ? Buffer.from(fault.body) : isPacked ? await compressed(file) : await readFile(file);
    } catch {
      response.writeHead(fault.status ?? 404, { 'content-type': 'text/plain' });
      response.end();
      return;
    }
    const headers = {
      'content-type': fault.type ?? TYPES[extname(file)] ?? 'application/octet-stream',
      'cache-control': 'no-cache',
      ...(cors && { 'access-control-allow-origin': '*' }),
      ...(state.policy !== null && { 'content-security-policy': state.policy }),
      ...(isPacked && { 'content-encoding': 'br' }),
      ...(isolated && ISOLATION),
    };
    await send(response, headers, spoiled(body, fault), fault);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    faults,
    /** Sets the policy of later answers. @param {string | null} policy */
    setPolicy(policy) {
      state.policy = policy;
    },
    /** Serves another folder from now on, as after a deploy. @param {string} folder */
    setSite(folder) {
      state.site = folder;
    },
    /**
     * Closes all connections without an answer, as if there were no network, or answers again.
     * @param {boolean} isDown
     */
    setDown(isDown) {
      state.isDown = isDown;
      if (isDown) server.closeAllConnections();
    },
    /** Removes all faults. */
    heal() {
      faults.clear();
      Object.assign(state, { policy, isDown: false });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** The file at a path. @param {string} pathname @param {string} site @param {string} models */
function locate(pathname, site, models) {
  const path = normalize(decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
  const [root, rest] = path.startsWith('/models/') ? [models, path.slice('/models'.length)] : [site, path];
  const file = join(root, rest);
  // Only files in the folder are served, whatever the address says.
  return file.startsWith(resolve(root) + sep) ? file : join(root, 'nothing');
}

/** A port that nothing listens on. @returns {Promise<number>} */
export const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createListener().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
