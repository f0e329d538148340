/**
 * Starts to load the recommender while the page's other modules are still on their way, since it takes longer than they do. It
 * imports the runtime alone, so that it runs before them.
 */

import { load } from './runtime.js';

const main = /** @type {HTMLElement} */ (document.getElementById('app'));

/**
 * The bundle to load: the page's default, or a named model beside it, as in `?model=seed-network`. A name is a plain word, so
 * that no link can make the page load from elsewhere.
 */
function bundle() {
  const named = new URLSearchParams(location.search).get('model') ?? '';
  return /^[a-z0-9-]+$/.test(named) ? `${main.dataset.bundle}${named}/` : `${main.dataset.bundle}`;
}

/** @typedef {import('./runtime.js').Progress} Progress */

/** @type {Progress | undefined} */
let latest;
/** @type {(progress: Progress) => void} */
let tell = () => {};

/** @param {boolean} fresh whether to go past the cache. */
function begin(fresh) {
  const stallMs = main.dataset.stallMs ? Number(main.dataset.stallMs) : undefined;
  const onProgress = (/** @type {Progress} */ progress) => {
    latest = progress;
    tell(progress);
  };
  return load({ bundle: bundle(), onProgress, stallMs, fresh });
}

/** The load that began with the page, until somebody asks for it. @type {ReturnType<typeof load> | undefined} */
let early = begin(false);
// Whoever asks for it hears of a failure; until then it isn't an uncaught one.
early.catch(() => {});

/**
 * The recommender: the one that is loading already, and after that a new one each time, past the cache, which is suspect then.
 * @param {(progress: Progress) => void} onProgress
 */
export function recommender(onProgress) {
  tell = onProgress;
  if (early && latest) onProgress(latest);
  const loading = early ?? begin(true);
  early = undefined;
  return loading;
}
