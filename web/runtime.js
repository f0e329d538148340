/**
 * The headless recommender: it loads a bundle in a worker and answers by promises. The page is built on it, and yours
 * can be:
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

/** The longest delay of a browser's timer. A longer one fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * The smallest module that uses simd128 (a function that splats a zero). Browsers without it can't run the recommender.
 */
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

/** The remedy for an old browser. */
const UPDATE = 'Update it: you need Chrome or Edge 105, Firefox 114, Safari 16.4 or later.';

function checkBrowser() {
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(SIMD_MODULE)) {
    throw new WatchNextError(
      'wasm-unsupported',
      `This browser lacks WebAssembly with SIMD. ${UPDATE}`,
      'browser',
    );
  }
}

/**
 * The policy for pages that demand trusted types. Only the worker's address passes through it. It is made at the first
 * load, because importing this module has no effects.
 * @type {{createScriptURL: (address: string) => any} | undefined}
 */
let trusted;

/**
 * The address to start the worker at `url` with.
 *
 * A worker must be of the page's own origin. If the program comes from another one, a worker of one line imports it.
 * For a worker of the page's own origin, the address names the page's service worker. By that name our service worker
 * (`offline.js`) recognises the workers of its own pages.
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
 * Starts the worker. Its name says what to load: a message would wait until the page's own thread is idle, which takes
 * a while when the page starts.
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
  // A browser that never reads the type doesn't know module workers. It would fail without a reason.
  if (!readType) {
    worker.terminate();
    throw new WatchNextError(
      'worker-unsupported',
      `This browser lacks module workers. ${UPDATE}`,
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
    `The worker ${url} may not start (${reason}). ` +
      "Allow it in the page's policy (worker-src 'self'), and open the page from a web server, not as a file.",
    url.href,
  );
}

/** Finds the relative imports in a module's text. */
const IMPORTS = /\bfrom\s*['"](\.[^'"]+)['"]/g;

/**
 * Why a worker failed to start. Browsers don't say, so this fetches its files and looks which one fails.
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
      return new WatchNextError(
        'fetch-failed',
        `${part} could not be fetched. Check the connection and try again.`,
        part.href,
      );
    }
    if (!response.ok) {
      return new WatchNextError(
        'http-status',
        `The server answered ${response.status} for ${part}. Put the whole folder on the server, or try again.`,
        part.href,
      );
    }
    // If the worker is made of several files, look at those that it imports itself.
    if (part === url) for (const [, file] of (await response.text()).matchAll(IMPORTS)) files.push(new URL(file, url));
  }
  return workerBlocked(url, message || 'the browser gives no reason');
}

/** The questions to one worker, and promises of its answers. */
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
   * @param {{bundle: string, stallMs: number, fresh: boolean}} options what to load, and how.
   */
  constructor(url, options) {
    this.#url = url;
    this.#worker = startWorker(url, JSON.stringify(options));
    /** The answer to question 0, which the worker gives unasked. @type {Promise<import('./runtime.js').Info>} */
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

  /**
   * Gives up a worker that hasn't started by then: browsers don't report a script that stalls.
   * @param {number} stallMs
   */
  expectStart(stallMs) {
    setTimeout(() => {
      if (this.#started) return;
      const seconds = stallMs / 1000;
      const message = `${this.#url} stalled: it didn't start in ${seconds} s. Check the connection and try again.`;
      this.end(new WatchNextError('timeout', message, this.#url.href));
    }, stallMs);
  }

  /** @param {string} message */
  async #fail(message) {
    this.end(
      this.#started
        ? new WatchNextError(
            'worker-crashed',
            `The recommender's worker stopped: ${message}. Load it again.`,
            this.#url.href,
          )
        : await explainStart(this.#url, message),
    );
  }

  /**
   * Has the worker run one of its calls.
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

  /** Ends the worker. @param {Error} error the answer to all open and all later questions. */
  end(error) {
    if (this.#dead) return;
    this.#dead = error;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Minutes east of UTC. Zero for a time that isn't a number, which Rust then refuses. @param {number} timeMs */
function offsetAt(timeMs) {
  return -new Date(timeMs).getTimezoneOffset() || 0;
}

class Engine {
  #line;
  #newest = 0;
  /** @type {Promise<unknown>} */
  #turn = Promise.resolve();
  /** The extras that are loaded or on their way. @type {Map<string, Promise<void>>} */
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

  /** @param {number} [limit] @param {import('./runtime.js').Request} [request] */
  wall(limit = 60, request) {
    return this.#line.ask('wall', this.#clamp(limit), request && this.#complete(request));
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
    // Only one question at a time goes to the worker. A burst of clicks costs two inferences, not one for each click.
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
   * Fetches an extra once. After a failure it may be tried again.
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

  /** At most the number of movies: a page may ask for more than a small catalogue has, which Rust refuses. */
  #clamp(/** @type {number} */ limit) {
    return Math.min(limit, this.info.movies);
  }

  /** A request with the present moment, if it names none. @param {import('./runtime.js').Request} request */
  #complete(request) {
    const { limit, timeMs = Date.now(), utcOffsetMinutes = offsetAt(timeMs) } = request;
    return { ...request, timeMs, utcOffsetMinutes, limit: limit && this.#clamp(limit) };
  }
}

/** @param {import('./runtime.js').LoadOptions} [options] */
export async function load({ bundle, onProgress, signal, stallMs = DEFAULT_STALL_MS, fresh = false } = {}) {
  signal?.throwIfAborted();
  checkBrowser();
  // Not `document.baseURI`: a page may hide it by an element of that name (`<img name="baseURI">`).
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
