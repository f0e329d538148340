/**
 * The static server of the browser tests: it serves a built site, maps /models/ to any bundle, sends a policy of one's choice,
 * compresses on demand, and spoils answers on demand. It writes down every request, so that a test can show what was fetched and what was not.
 */

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** The built site that is under test. */
export const DIST = resolve(process.env.WATCHNEXT_DIST ?? join(HERE, '../../dist'));

/** The bundle that the site ships. */
export const SHIPPED_MODELS = join(DIST, 'models');

/** The strictest policy that the page works under. */
export const STRICT_POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:";

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

/** Close to the best quality, and not minutes for it. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 } };

/**
 * A file as a host sends it that has compressed files: the one that lies beside it, or one made now where the page was built and
 * not yet compressed.
 * @param {string} file
 * @returns {Promise<Buffer>}
 */
async function compressed(file) {
  return readFile(`${file}.br`).catch(async () => promisify(brotliCompress)(await readFile(file), BROTLI));
}

/**
 * @typedef {object} Fault what happens to one path instead of a plain answer.
 * @property {number} [status] answers with this status and nothing else.
 * @property {number} [truncateTo] sends this many bytes and ends, as if they were all.
 * @property {number} [flipByteAt] sends the file with this byte inverted; negative counts from the end.
 * @property {number} [stallAfter] sends this many bytes and then nothing, without ending.
 * @property {Uint8Array} [body] sends these bytes, whether there is a file or not.
 * @property {string} [type] sends this MIME type.
 * @property {number} [delayMs] waits before answering.
 * @property {number} [bytesPerSecond] sends slowly, in small pieces.
 * @property {[string, string]} [replace] replaces text in the file.
 */

/**
 * @param {{policy?: string | null, site?: string, models?: string, isolated?: boolean, compress?: boolean, cors?: boolean}} [options] `site` is the folder that
 *   is served, the built site if left out; `models` is what is served as /models/, the built site's if left out. `policy` is the Content-Security-Policy header, null for none. `isolated` sends
 *   COOP and COEP, without which the browser doesn't measure memory. `compress` sends files in Brotli to whoever takes it; a
 *   fault still finds the file as it is.
 */
export async function startServer({ policy = STRICT_POLICY, site = DIST, models = SHIPPED_MODELS, isolated = false, compress = false, cors = false } = {}) {
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
    const packs = compress && !faults.has(pathname) && /\bbr\b/.test(String(request.headers['accept-encoding']));
    let body;
    try {
      if (fault.status) throw new Error('asked for');
      body = fault.body ? Buffer.from(fault.body) : packs ? await compressed(file) : await readFile(file);
    } catch {
      response.writeHead(fault.status ?? 404, { 'content-type': 'text/plain' });
      response.end();
      return;
    }
    if (fault.replace) body = Buffer.from(body.toString().replaceAll(...fault.replace));
    if (fault.truncateTo !== undefined) body = body.subarray(0, fault.truncateTo);
    if (fault.flipByteAt !== undefined) {
      body = Buffer.from(body);
      body[fault.flipByteAt < 0 ? body.length + fault.flipByteAt : fault.flipByteAt] ^= 0xff;
    }
    /** @type {Record<string, string | number>} */
    const headers = {
      'content-type': fault.type ?? TYPES[extname(file)] ?? 'application/octet-stream',
      'cache-control': 'no-cache',
    };
    if (cors) headers['access-control-allow-origin'] = '*';
    if (state.policy !== null) headers['content-security-policy'] = state.policy;
    if (packs) headers['content-encoding'] = 'br';
    if (isolated) {
      headers['cross-origin-opener-policy'] = 'same-origin';
      headers['cross-origin-embedder-policy'] = 'require-corp';
    }
    if (fault.stallAfter !== undefined) {
      response.writeHead(200, headers);
      response.write(body.subarray(0, fault.stallAfter));
      return;
    }
    response.writeHead(200, { ...headers, 'content-length': body.length });
    if (fault.bytesPerSecond) {
      const piece = Math.max(1, Math.round(fault.bytesPerSecond / 20));
      for (let at = 0; at < body.length && !response.destroyed; at += piece) {
        response.write(body.subarray(at, at + piece));
        await new Promise((done) => setTimeout(done, 50));
      }
      response.end();
    } else {
      response.end(body);
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    faults,
    /** Sets the policy of the answers to come. @param {string | null} policy */
    setPolicy(policy) {
      state.policy = policy;
    },
    /** Serves another folder from now on, as after a deploy. @param {string} folder */
    setSite(folder) {
      state.site = folder;
    },
    /** Ends every connection without an answer, as if there were no network, or answers again. @param {boolean} isDown */
    setDown(isDown) {
      state.isDown = isDown;
      if (isDown) server.closeAllConnections();
    },
    /** Back to a server that does as it should. */
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

/** @param {string} pathname @param {string} site @param {string} models */
function locate(pathname, site, models) {
  const path = normalize(decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
  const [root, rest] = path.startsWith('/models/') ? [models, path.slice('/models'.length)] : [site, path];
  const file = join(root, rest);
  // Nothing outside the folder is served, whatever the address says.
  return file.startsWith(resolve(root) + sep) ? file : join(root, 'nothing');
}
