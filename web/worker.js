/**
 * The recommender's worker. It fetches the wasm module and the bundle, has Rust check them, and answers the runtime's
 * calls. Everything slow happens here, so the page's own thread stays free.
 */

import { Recommender, initSync, useRelaxedSimd } from './engine/watchnext.js';
import { EXTRA_FILES } from './engine/constants.js';
import { fetchBytes, fetchModule } from './engine/download.js';
import { WatchNextError, toPlain } from './engine/failure.js';

/** The most bytes of a manifest. One has some kilobytes; a server that sends much more sends something else. */
const MANIFEST_LIMIT = 1 << 20;

/** The least time between two messages of progress. Nobody sees more than twenty a second. */
const PROGRESS_EVERY_MS = 50;

/** The smallest wasm module: the magic number and the version. */
const EMPTY_MODULE = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

/** Set by `load`. The runtime asks nothing before `load` has answered. @type {Recommender} */
let recommender;
/** The bundle's optional files. @type {FilePlan[]} */
let optional = [];
/** How files are fetched. @type {{stallMs: number, cache: RequestCache}} */
let transfers;

/** Throws if this worker's content security policy forbids wasm. Compiling any module shows it. */
function checkPolicy() {
  try {
    new WebAssembly.Module(EMPTY_MODULE);
  } catch (error) {
    throw new WatchNextError(
      'wasm-blocked',
      `The content security policy of ${self.location} forbids WebAssembly. Add 'wasm-unsafe-eval' to its script-src.`,
      'Content-Security-Policy',
    );
  }
}

/**
 * @typedef {keyof typeof EXTRA_FILES} Extra a part of the bundle that is fetched when it is needed.
 *
 * @typedef {object} FilePlan
 * @property {string} name the file's key in the manifest.
 * @property {URL} url
 * @property {number} bytes the size that the manifest promises.
 * @property {boolean} optional
 */

/**
 * The files to fetch, by the manifest. None for a manifest that can't be read: Rust reads it next and says what
 * is wrong with it.
 * @param {Uint8Array} manifest
 * @param {URL} bundle
 * @returns {FilePlan[]}
 */
function planFiles(manifest, bundle) {
  let files;
  try {
    files = JSON.parse(new TextDecoder().decode(manifest)).files;
  } catch {
    return [];
  }
  if (typeof files !== 'object' || files === null) return [];
  const plans = [];
  for (const [name, file] of Object.entries(files)) {
    if (typeof file?.path !== 'string' || !Number.isSafeInteger(file.bytes) || file.bytes < 0) return [];
    const url = new URL(file.path, bundle);
    // A manifest may name files of its own folder only. Otherwise it could make the page call another server.
    if (!url.href.startsWith(bundle.href)) {
      throw new WatchNextError(
        'manifest-invalid',
        `manifest.json names ${file.path}, which is outside its folder ${bundle}. Put the whole bundle in one folder.`,
        bundle.href,
      );
    }
    // With the hash in the address, a cache can't serve an old file for a new manifest.
    if (/^[0-9a-f]{64}$/.test(file.sha256)) url.searchParams.set('v', file.sha256.slice(0, 16));
    plans.push({ name, url, bytes: file.bytes, optional: file.optional === true });
  }
  return plans;
}

/**
 * Fetches files at the same time. The first failure stops the others.
 * @param {FilePlan[]} plans
 * @param {import('./engine/download.js').Transfer} transfer
 * @param {(received: number, total: number) => void} onProgress
 * @param {(name: string, bytes: Uint8Array) => void | Promise<void>} [onFile] called with each file as soon as it has
 *   arrived.
 * @returns {Promise<Record<string, Uint8Array>>}
 */
async function fetchFiles(plans, transfer, onProgress, onFile) {
  const total = plans.reduce((sum, plan) => sum + plan.bytes, 0);
  const received = new Map();
  let lastReport = 0;
  const report = (/** @type {string} */ name, /** @type {number} */ bytes) => {
    received.set(name, bytes);
    let sum = 0;
    for (const part of received.values()) sum += part;
    const now = performance.now();
    if (sum < total && now - lastReport < PROGRESS_EVERY_MS) return;
    lastReport = now;
    onProgress(Math.min(sum, total), total);
  };
  onProgress(0, total);
  const entries = plans.map(async (plan) => {
    const bytes = await fetchBytes(plan.url, transfer, plan.bytes, (sum) => report(plan.name, sum));
    await onFile?.(plan.name, bytes);
    return /** @type {[string, Uint8Array]} */ ([plan.name, bytes]);
  });
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * Runs `work` with a transfer that is aborted if `work` fails.
 * @param {(transfer: import('./engine/download.js').Transfer) => Promise<any>} work
 * @param {RequestCache} [cache]
 */
async function withTransfer(work, cache = transfers.cache) {
  const controller = new AbortController();
  try {
    return await work({ ...transfers, cache, signal: controller.signal });
  } catch (error) {
    controller.abort(error);
    throw error;
  }
}

/** Reports progress to the runtime. @param {string} what `files`, or the name of an extra. */
function progressOf(what) {
  return (/** @type {number} */ received, /** @type {number} */ total) =>
    self.postMessage({ progress: { what, received, total } });
}

/**
 * The parts of a bundle that are fetched when they are needed: how Rust takes an extra's files, and the error for a
 * bundle without it.
 * @type {Record<Extra, [add: (...files: Uint8Array[]) => void, missing: string]>}
 */
const EXTRAS = {
  states: [
    (states) => recommender.loadStates(states),
    'This bundle has no states. Train it with states, or use the retrieval "movies".',
  ],
  ranker: [
    (ranker, traits) => recommender.loadRanker(ranker, traits),
    'This bundle has no ranker. Train it with one, or do without chances and similar movies.',
  ],
  links: [
    (links) => recommender.loadLinks(links),
    'This bundle has no links. Train it on data with links.csv, or do without IMDb and TMDB.',
  ],
  map: [(map) => recommender.loadMap(map), 'This bundle has no map. Make one by `trainer map`.'],
};

/** Extras whose last load failed. The cache may hold damaged files of them. @type {Set<string>} */
const failed = new Set();

/** The files to fetch for an extra; none if the bundle lacks one of them. @param {Extra} name */
function plansOf(name) {
  const roles = EXTRA_FILES[name];
  const plans = optional.filter((plan) => roles.includes(plan.name));
  return plans.length === roles.length ? plans : [];
}

/** The size of an extra's files, null if the bundle lacks it. @param {Extra} name */
function bytesOf(name) {
  const plans = plansOf(name);
  return plans.length > 0 ? plans.reduce((sum, { bytes }) => sum + bytes, 0) : null;
}

/** The facts about the bundle, with the sizes of its extras. */
const about = () => ({
  ...recommender.info(),
  statesBytes: bytesOf('states'),
  rankerBytes: bytesOf('ranker'),
  linksBytes: bytesOf('links'),
  mapBytes: bytesOf('map'),
});

/**
 * Fetches the module and the bundle at the same time, and has Rust load the bundle.
 * @param {{bundle: string, stallMs: number, fresh: boolean}} options
 */
async function load({ bundle, stallMs, fresh }) {
  checkPolicy();
  // After a failure the cache may hold damaged files, so a retry bypasses it.
  transfers = { stallMs, cache: fresh ? 'reload' : 'default' };
  const folder = new URL(bundle);
  const started = await withTransfer((transfer) => {
    const program = fetchModule(new URL('./engine/watchnext_bg.wasm', import.meta.url), transfer);
    const contents = (async () => {
      // The manifest has no hash in its address, so the cache must ask whether it has changed.
      const revalidated = { ...transfer, cache: fresh ? transfer.cache : /** @type {const} */ ('no-cache') };
      const manifest = await fetchBytes(new URL('manifest.json', folder), revalidated, MANIFEST_LIMIT);
      const plans = planFiles(manifest, folder);
      const required = plans.filter((plan) => !plan.optional);
      /** @type {Record<string, Uint8Array>} */
      const digests = {};
      // The browser hashes during the transfers; the module would hash after them, in code that isn't optimised yet.
      // On a page without TLS the browser can't, and Rust does it.
      const hash = async (/** @type {string} */ name, /** @type {Uint8Array} */ bytes) => {
        if (crypto.subtle) {
          digests[name] = new Uint8Array(await crypto.subtle.digest('SHA-256', /** @type {BufferSource} */ (bytes)));
        }
      };
      const files = await fetchFiles(required, transfer, progressOf('files'), hash);
      return { manifest, files, digests, extras: plans.filter((plan) => plan.optional) };
    })();
    return Promise.all([program, contents]);
  });
  const [module, { manifest, files, digests, extras }] = started;
  // The module is compiled by now, so starting it takes no time. wasm-bindgen's asynchronous start takes more code.
  initSync({ module });
  recommender = new Recommender(manifest, files, digests);
  optional = extras;
  // Without a ranker, this is all that a click needs.
  if (!bytesOf('ranker')) setTimeout(warmUp);
  return about();
}

/** Makes one throwaway suggestion to warm up the code: browsers compile a function when it is first called. */
const warmUp = () =>
  // Question −1 has no one waiting for its answer.
  answer(-1, () => {
    useRelaxedSimd(true);
    const [movie] = recommender.wall(1, undefined);
    recommender.suggest({ history: [movie], timeMs: 0, utcOffsetMinutes: 0 });
  });

/**
 * The runtime's calls that aren't made to the library as they are, by name.
 * @type {Record<string, (...parameters: any[]) => unknown>}
 */
const calls = {
  /** Fetches an extra, has Rust check and add it, and returns what is loaded now. @param {Extra} name */
  async loadExtra(name) {
    const [add, missing] = EXTRAS[name];
    const plans = plansOf(name);
    if (plans.length === 0) throw new WatchNextError('file-missing', missing, 'manifest.json');
    const cache = failed.has(name) ? 'reload' : undefined;
    try {
      const files = await withTransfer((transfer) => fetchFiles(plans, transfer, progressOf(name)), cache);
      add(...EXTRA_FILES[name].map((role) => files[role]));
    } catch (error) {
      failed.add(name);
      throw error;
    }
    // The ranker is the last thing that a click needs.
    if (name === 'ranker') setTimeout(warmUp);
    return about();
  },

  movies: (/** @type {number[]} */ ids) => recommender.movies(Uint32Array.from(ids)),
  reasons: (
    /** @type {import('./runtime.js').Request} */ request,
    /** @type {number[]} */ ids,
    /** @type {number} */ most,
  ) => recommender.reasons(request, Uint32Array.from(ids), most),
};

/** Answers a question of the runtime's. @param {number} id the question's number. @param {() => unknown} work */
async function answer(id, work) {
  try {
    self.postMessage({ id, result: await work() });
  } catch (error) {
    self.postMessage({ id, error: toPlain(error) });
  }
}

self.addEventListener(
  'message',
  ({ data: { id, call, parameters } }) =>
    void answer(id, () => (call in calls ? calls : /** @type {any} */ (recommender))[call](...parameters)),
);

// By this message the runtime knows that the worker was allowed to start.
self.postMessage({ started: true });

// The worker's name says what to load. The runtime waits for the answer as question 0, which it never sends.
void answer(0, () => load(JSON.parse(self.name)));
