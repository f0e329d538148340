/**
 * The headless recommender: loads a bundle in a worker and answers by promises. The page is built on it, and so can yours be:
 *
 *     import { load } from './runtime.js';
 *     const engine = await load({ bundle: '/models/' });
 *     const { suggestions } = await engine.suggest({ history: [{ movieId: 1 }] });
 *
 * Nothing here touches the document, and importing it has no effects.
 */

import { WatchNextError, fromPlain } from './engine/failure.js';

export { WatchNextError };

const DEFAULT_STALL_MS = 20_000;

/** The longest time that browsers' timers know; they take a longer one for none. */
const LONGEST_MS = 2 ** 31 - 1;

/** The smallest module that uses simd128 (a function that splats a zero): browsers without it can't run the recommender. */
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

function checkBrowser() {
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(SIMD_MODULE)) {
    throw new WatchNextError(
      'wasm-unsupported',
      'This browser lacks WebAssembly with SIMD. Update it: Chrome and Edge 105, Firefox 114, Safari 16.4 and later have it.',
      'browser',
    );
  }
}

/**
 * What a worker may be started with, for whoever demands trusted types: the one address below and no other passes through. It is
 * made at the first load, since importing this module has no effects.
 * @type {{createScriptURL: (address: string) => any} | undefined}
 */
let trusted;

/**
 * The address to start the worker at `url` with. Workers have to be of the page's own origin, so where the program comes from
 * another one, a worker of one line imports it. One of the page's own origin is told which service worker answers the page, so that
 * ours answers the workers of its own pages alone (`offline.js`).
 * @param {URL} url
 */
function workerAddress(url) {
  const { location, navigator, trustedTypes } = /** @type {any} */ (globalThis);
  const address =
    url.origin === location.origin
      ? `${url}#${navigator.serviceWorker?.controller?.scriptURL}`
      : URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], { type: 'text/javascript' }));
  trusted ??= trustedTypes?.createPolicy('watchnext', { createScriptURL: (/** @type {string} */ text) => text });
  return trusted?.createScriptURL(address) ?? address;
}

/**
 * Starts the worker, which reads from its name what to load: a message would only reach it once the page's own thread has nothing
 * else to do, and as the page comes up that takes a while.
 * @param {URL} url
 * @param {string} name
 */
function startWorker(url, name) {
  let readType = false;
  const options = {
    name,
    get type() {
      readType = true;
      return /** @type {const} */ ('module');
    },
  };
  let worker;
  try {
    worker = new Worker(workerAddress(url), options);
  } catch (error) {
    throw workerBlocked(url, error instanceof Error ? error.message : String(error));
  }
  // A browser that never asks for the type doesn't know module workers and would fail without a reason.
  if (!readType) {
    worker.terminate();
    throw new WatchNextError(
      'worker-unsupported',
      'This browser lacks module workers. Update it: Chrome and Edge 105, Firefox 114, Safari 16.4 and later have them.',
      'browser',
    );
  }
  return worker;
}

/**
 * @param {URL} url
 * @param {string} reason
 */
function workerBlocked(url, reason) {
  return new WatchNextError(
    'worker-blocked',
    `The worker ${url} may not start (${reason}). Allow it in the page's policy (worker-src 'self'), and open the page from a web server, not as a file.`,
    url.href,
  );
}

/** What a module's text imports by a name of its own folder. */
const IMPORTS = /\bfrom\s*['"](\.[^'"]+)['"]/g;

/**
 * Why a worker failed before its first word: browsers don't say, so look whether its files can be had.
 * @param {URL} url
 * @param {string} message
 */
async function explainStart(url, message) {
  const files = [url];
  for (const part of files) {
    let response;
    try {
      response = await fetch(part);
    } catch {
      return new WatchNextError('fetch-failed', `${part} could not be fetched. Check the connection and try again.`, part.href);
    }
    if (!response.ok) {
      return new WatchNextError(
        'http-status',
        `The server answered ${response.status} for ${part}. Put the whole folder on the server, or try again.`,
        part.href,
      );
    }
    // What the worker itself imports, if it is made of several files; what those import comes from the same folder.
    if (part === url) for (const [, file] of (await response.text()).matchAll(IMPORTS)) files.push(new URL(file, url));
  }
  return workerBlocked(url, message || 'the browser gives no reason');
}

/** Promises for the answers of one worker. */
class Line {
  #worker;
  #url;
  #next = 0;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #waiting = new Map();
  /** @type {Error | undefined} */
  #dead;
  #started = false;
  /** @type {Record<string, (received: number, total: number) => void>} */
  listeners = {};

  /**
   * @param {URL} url
   * @param {{bundle: string, stallMs: number, fresh: boolean}} what is to be loaded.
   */
  constructor(url, what) {
    this.#url = url;
    this.#worker = startWorker(url, JSON.stringify(what));
    /** What is loaded, which the worker answers unasked, as question 0. @type {Promise<import('./runtime.js').Info>} */
    this.loaded = this.#answer().answer;
    this.#worker.addEventListener('message', ({ data }) => this.#hear(data));
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault();
      void this.#fail(event.message);
    });
    this.#worker.addEventListener('messageerror', () => void this.#fail('a message could not be read'));
  }

  /** @param {any} data */
  #hear(data) {
    if (data.started) {
      this.#started = true;
    } else if (data.progress) {
      const { what, received, total } = data.progress;
      this.listeners[what]?.(received, total);
    } else {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error?.code === 'worker-crashed') this.end(fromPlain(data.error));
      if (data.error) waiting?.reject(fromPlain(data.error));
      else waiting?.resolve(data.result);
    }
  }

  /** Gives up a worker that hasn't said its first word by then: of a file that stalls nobody is told. @param {number} stallMs */
  expectStart(stallMs) {
    setTimeout(() => {
      if (!this.#started) this.end(new WatchNextError('timeout', `${this.#url} stalled: it didn't start in ${stallMs / 1000} s. Check the connection and try again.`, this.#url.href));
    }, stallMs);
  }

  /** @param {string} message */
  async #fail(message) {
    this.end(
      this.#started
        ? new WatchNextError('worker-crashed', `The recommender's worker stopped: ${message}. Load it again.`, this.#url.href)
        : await explainStart(this.#url, message),
    );
  }

  /**
   * @param {string} call
   * @param {unknown[]} parameters
   * @returns {Promise<any>}
   */
  ask(call, ...parameters) {
    if (this.#dead) return Promise.reject(this.#dead);
    const { id, answer } = this.#answer();
    this.#worker.postMessage({ id, call, parameters });
    return answer;
  }

  /** The next question's number, and the promise of its answer. */
  #answer() {
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    return { id, answer };
  }

  /** @param {Error} error what every open and every later question is answered with. */
  end(error) {
    if (this.#dead) return;
    this.#dead = error;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Minutes east of UTC; zero for a time that no calendar has, which Rust then refuses by its right name. @param {number} timeMs */
function offsetAt(timeMs) {
  return -new Date(timeMs).getTimezoneOffset() || 0;
}

class Engine {
  #line;
  #newest = 0;
  /** @type {Promise<unknown>} */
  #turn = Promise.resolve();
  /** What was fetched beyond the bundle's required files, or is on its way. @type {Map<string, Promise<void>>} */
  #extras = new Map();

  /**
   * @param {Line} line
   * @param {import('./runtime.js').Info} info
   */
  constructor(line, info) {
    this.#line = line;
    this.info = info;
  }

  search(/** @type {string} */ query, limit = 8) {
    return this.#line.ask('search', query, this.#clamp(limit));
  }

  wall(limit = 60) {
    return this.#line.ask('wall', this.#clamp(limit));
  }

  movies(/** @type {Iterable<number>} */ ids) {
    return this.#line.ask('movies', [...ids]);
  }

  similar(/** @type {number} */ movieId, limit = 8) {
    return this.#line.ask('similar', movieId, this.#clamp(limit));
  }

  suggest(/** @type {import('./runtime.js').Request} */ request) {
    const number = ++this.#newest;
    const isNewest = () => number === this.#newest;
    // One question at a time goes to the worker, so a burst of clicks costs two inferences, not one for each click.
    const turn = this.#turn.then(() => (isNewest() ? this.#line.ask('suggest', this.#complete(request)) : null));
    this.#turn = turn.catch(() => {});
    return turn.then((answer) => (isNewest() ? answer : null));
  }

  reasons(/** @type {import('./runtime.js').Request} */ request, /** @type {Iterable<number>} */ ids, most = 2) {
    return this.#line.ask('reasons', this.#complete(request), [...ids], most);
  }

  readList(/** @type {Uint8Array} */ bytes) {
    return this.#line.ask('readList', bytes);
  }

  userVector(/** @type {import('./runtime.js').Request} */ request) {
    return this.#line.ask('userVector', this.#complete(request));
  }

  loadStates(/** @type {{onProgress?: import('./runtime.js').OnProgress}} */ { onProgress } = {}) {
    return this.#loadExtra('states', onProgress);
  }

  loadRanker(/** @type {{onProgress?: import('./runtime.js').OnProgress}} */ { onProgress } = {}) {
    return this.#loadExtra('ranker', onProgress);
  }

  loadLinks(/** @type {{onProgress?: import('./runtime.js').OnProgress}} */ { onProgress } = {}) {
    return this.#loadExtra('links', onProgress);
  }

  async map(/** @type {{onProgress?: import('./runtime.js').OnProgress}} */ { onProgress } = {}) {
    await this.#loadExtra('map', onProgress);
    return this.#line.ask('map');
  }

  close() {
    this.#line.end(new WatchNextError('closed', 'This recommender was closed. Load another.'));
  }

  /**
   * Fetches an extra once; what failed may be tried again.
   * @param {string} name
   * @param {import('./runtime.js').OnProgress} [onProgress]
   */
  #loadExtra(name, onProgress) {
    this.#line.listeners[name] = (received, total) => onProgress?.({ received, total });
    const loading = this.#extras.get(name) ?? this.#fetchExtra(name);
    this.#extras.set(name, loading);
    return loading;
  }

  /** @param {string} name */
  async #fetchExtra(name) {
    try {
      this.info = await this.#line.ask('loadExtra', name);
    } catch (error) {
      this.#extras.delete(name);
      throw error;
    }
  }

  /** A small catalogue has fewer movies than a page may ask for, and Rust takes such a limit for a mistake. */
  #clamp(/** @type {number} */ limit) {
    return Math.min(limit, this.info.movies);
  }

  /** @param {import('./runtime.js').Request} request */
  #complete(request) {
    const { limit = 12, timeMs = Date.now(), utcOffsetMinutes = offsetAt(timeMs) } = request;
    return { ...request, timeMs, utcOffsetMinutes, limit: this.#clamp(limit) };
  }
}

/** @param {import('./runtime.js').LoadOptions} [options] */
export async function load({ bundle, onProgress, signal, stallMs = DEFAULT_STALL_MS, fresh = false } = {}) {
  signal?.throwIfAborted();
  checkBrowser();
  // The document's own property of this name is whatever a site calls so (`<img name="baseURI">`).
  const base = globalThis.document ? new Image().baseURI : import.meta.url;
  const folder = bundle ? new URL(bundle, base) : new URL('../models/', import.meta.url);
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  stallMs = Math.min(stallMs, LONGEST_MS);
  const line = new Line(new URL('./worker.js', import.meta.url), { bundle: folder.href, stallMs, fresh });
  line.expectStart(stallMs);
  line.listeners.files = (received, total) => onProgress?.({ received, total });
  const stop = () => line.end(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return new Engine(line, await line.loaded);
  } catch (error) {
    line.end(/** @type {Error} */ (error));
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
