/**
 * The recommender's worker: it fetches the wasm module and the bundle, has Rust check them, and answers the runtime's calls.
 * Everything slow happens here, so that the page's own thread stays free.
 */

import { Recommender, initSync, useRelaxedSimd } from './engine/watchnext.js';
import { fetchBytes, fetchModule } from './engine/download.js';
import { WatchNextError, toPlain } from './engine/failure.js';

/** A manifest is some kilobytes; a server that sends much more isn't sending one. */
const MANIFEST_LIMIT = 1 << 20;

/** Progress is for eyes, so more than some twenty messages a second would be waste. */
const PROGRESS_EVERY_MS = 50;

/** The smallest wasm module: a magic number and a version. */
const EMPTY_MODULE = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

/** Set by `load`, whose answer the runtime waits for before it asks anything. @type {Recommender} */
let recommender;
/** The optional files that the bundle brings. @type {FilePlan[]} */
let optional = [];
/** How this load's files are transferred. @type {{stallMs: number, cache: RequestCache}} */
let transfers;

/** Throws if the policy that this worker was served with forbids wasm, which compiling anything at all shows. */
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
 * @typedef {object} FilePlan
 * @property {string} name the file's key in the manifest.
 * @property {URL} url
 * @property {number} bytes the size that the manifest promises.
 * @property {boolean} optional
 */

/**
 * What to fetch, by the manifest. A manifest that can't be read as far as needed here yields nothing: Rust reads it next and
 * says what is wrong with it.
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
    // A manifest may name files of its own folder only, lest it make the page call another server.
    if (!url.href.startsWith(bundle.href)) {
      throw new WatchNextError(
        'manifest-invalid',
        `manifest.json names ${file.path}, which lies outside its folder ${bundle}. Put the whole bundle in one folder.`,
        bundle.href,
      );
    }
    // The hash in the address keeps a cache from pairing a new manifest with an old file.
    if (/^[0-9a-f]{64}$/.test(file.sha256)) url.searchParams.set('v', file.sha256.slice(0, 16));
    plans.push({ name, url, bytes: file.bytes, optional: file.optional === true });
  }
  return plans;
}

/**
 * Fetches files side by side; the first failure stops the others.
 * @param {FilePlan[]} plans
 * @param {import('./engine/download.js').Transfer} transfer
 * @param {(received: number, total: number) => void} onProgress
 * @param {(name: string, bytes: Uint8Array) => void | Promise<void>} [onFile] hears of each file as soon as it is here.
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

/** @param {string} what `files`, or the name of an extra. */
function progressOf(what) {
  return (/** @type {number} */ received, /** @type {number} */ total) =>
    self.postMessage({ progress: { what, received, total } });
}

/**
 * @typedef {object} Extra what a bundle may bring beside what it must, fetched only when it is asked for.
 * @property {string[]} roles its files' keys in the manifest.
 * @property {(files: Record<string, Uint8Array>) => void} add hands them to Rust.
 * @property {string} missing what to say to whoever asks for it in vain.
 */

/** @type {Record<string, Extra>} */
const EXTRAS = {
  states: {
    roles: ['states'],
    add: ({ states }) => recommender.loadStates(states),
    missing: 'This bundle has no states. Train it with states, or use the retrieval "movies".',
  },
  ranker: {
    roles: ['ranker', 'traits'],
    add: ({ ranker, traits }) => recommender.loadRanker(ranker, traits),
    missing: 'This bundle has no ranker. Train it with one, or do without chances and similar movies.',
  },
  links: {
    roles: ['links'],
    add: ({ links }) => recommender.loadLinks(links),
    missing: 'This bundle has no links. Train it on data with links.csv, or do without IMDb and TMDB.',
  },
  map: {
    roles: ['map'],
    add: ({ map }) => recommender.loadMap(map),
    missing: 'This bundle has no map. Make one by `trainer map`.',
  },
};

/** Extras whose last load failed, so that what the cache holds of them is suspect. @type {Set<string>} */
const failed = new Set();

/** What to fetch for an extra; nothing if the bundle lacks a part of it. @param {string} name */
function plansOf(name) {
  const { roles } = EXTRAS[name];
  const plans = optional.filter((plan) => roles.includes(plan.name));
  return plans.length === roles.length ? plans : [];
}

/** @param {string} name */
function bytesOf(name) {
  const plans = plansOf(name);
  return plans.length > 0 ? plans.reduce((sum, { bytes }) => sum + bytes, 0) : null;
}

/** What is loaded and what more could be. */
const about = () => ({ ...recommender.info(), statesBytes: bytesOf('states'), rankerBytes: bytesOf('ranker'), linksBytes: bytesOf('links'), mapBytes: bytesOf('map') });

/**
 * Fetches the module and the bundle, side by side, and has Rust load it.
 * @param {{bundle: string, stallMs: number, fresh: boolean}} options
 */
async function load({ bundle, stallMs, fresh }) {
  checkPolicy();
  // After a failure the cache is suspect, so a retry goes past it.
  transfers = { stallMs, cache: fresh ? 'reload' : 'default' };
  const folder = new URL(bundle);
  const started = await withTransfer((transfer) => {
    const program = fetchModule(new URL('./engine/watchnext_bg.wasm', import.meta.url), transfer);
    const contents = (async () => {
      // The manifest has no hash in its address, so the cache must ask whether it is still the one.
      const revalidated = { ...transfer, cache: fresh ? transfer.cache : /** @type {const} */ ('no-cache') };
      const manifest = await fetchBytes(new URL('manifest.json', folder), revalidated, MANIFEST_LIMIT);
      const plans = planFiles(manifest, folder);
      const required = plans.filter((plan) => !plan.optional);
      /** @type {Record<string, Uint8Array>} */
      const digests = {};
      // By the browser's own code and beside the transfers, where the module's would be run cold and after them. A page without TLS
      // hasn't got it, and Rust does it then.
      const hash = async (/** @type {string} */ name, /** @type {Uint8Array} */ bytes) => {
        if (crypto.subtle) digests[name] = new Uint8Array(await crypto.subtle.digest('SHA-256', /** @type {BufferSource} */ (bytes)));
      };
      const files = await fetchFiles(required, transfer, progressOf('files'), hash);
      return { manifest, files, digests, extras: plans.filter((plan) => plan.optional) };
    })();
    return Promise.all([program, contents]);
  });
  const [module, { manifest, files, digests, extras }] = started;
  // It was compiled beside the transfers. What is left takes no time, and wasm-bindgen's way to wait for it takes bytes.
  initSync({ module });
  recommender = new Recommender(manifest, files, digests);
  optional = extras;
  // Where no ranker will come, a click needs nothing more.
  if (!bytesOf('ranker')) setTimeout(warmUp);
  return about();
}

/** Runs once what a click will run, since browsers compile a function when it is first called: the first click would wait for them. */
const warmUp = () =>
  // Nobody waits for the answer of question -1.
  answer(-1, () => {
    useRelaxedSimd(true);
    const [movie] = recommender.wall(1);
    recommender.suggest({ history: [movie], timeMs: 0, utcOffsetMinutes: 0 });
  });

/** The calls that the runtime may make, by name. @type {Record<string, (...parameters: any[]) => unknown>} */
const calls = {
  /** Fetches an extra, has Rust check and add it, and returns what is loaded now. @param {string} name */
  async loadExtra(name) {
    const plans = plansOf(name);
    if (plans.length === 0) throw new WatchNextError('file-missing', EXTRAS[name].missing, 'manifest.json');
    const cache = failed.has(name) ? 'reload' : undefined;
    try {
      EXTRAS[name].add(await withTransfer((transfer) => fetchFiles(plans, transfer, progressOf(name)), cache));
    } catch (error) {
      failed.add(name);
      throw error;
    }
    // The ranker is the last that a click needs.
    if (name === 'ranker') setTimeout(warmUp);
    return about();
  },

  search: (/** @type {string} */ query, /** @type {number} */ limit) => recommender.search(query, limit),
  wall: (/** @type {number} */ limit) => recommender.wall(limit),
  movies: (/** @type {number[]} */ ids) => recommender.movies(Uint32Array.from(ids)),
  similar: (/** @type {number} */ movieId, /** @type {number} */ limit) => recommender.similar(movieId, limit),
  suggest: (/** @type {import('./runtime.js').Request} */ request) => recommender.suggest(request),
  reasons: (/** @type {import('./runtime.js').Request} */ request, /** @type {number[]} */ ids, /** @type {number} */ most) =>
    recommender.reasons(request, Uint32Array.from(ids), most),
  readList: (/** @type {Uint8Array} */ bytes) => recommender.readList(bytes),
  map: () => recommender.map(),
  userVector: (/** @type {import('./runtime.js').Request} */ request) => recommender.userVector(request),
};

/** @param {number} id the question's number. @param {() => unknown} work */
async function answer(id, work) {
  try {
    self.postMessage({ id, result: await work() });
  } catch (error) {
    self.postMessage({ id, error: toPlain(error) });
  }
}

self.addEventListener('message', ({ data: { id, call, parameters } }) => void answer(id, () => calls[call](...parameters)));

// The runtime waits for this before it trusts that the worker was allowed to start.
self.postMessage({ started: true });

// What to load is this worker's name, and the answer to the question that the runtime never had to send.
void answer(0, () => load(JSON.parse(self.name)));
