/**
 * The page's service worker. It keeps the page for visits without a network. The build (`xtask/offline.mjs`) moves it
 * next to index.html, because it may answer only for its own folder, and writes the list of the files that it keeps.
 *
 * A version is that list: each file with its hash. A version is kept whole or not at all. Open pages stay with their
 * version until the last one is closed, so no page mixes two versions. Browsers check the hashes as they fetch.
 */

/**
 * The list: addresses in this folder, each with its hash and whether it is kept only after a page has asked for it.
 * @typedef {Record<string, [integrity: string, onDemand: boolean]>} List
 */
const LIST = 'offline.json';
/** The hash of the list, which the build fills in. With another hash this script differs, which is a new version. */
const HASH = '{hash}';

/** @type {string} */
const scope = registration.scope;
/** The caches of this page in this folder. The origin may have others. */
const PREFIX = `watchnext ${scope} `;
const NAME = PREFIX + HASH;

/**
 * Fetches the file with this hash and keeps it. The browser's own cache saves a transfer, unless its copy is damaged.
 * @param {Cache} cache
 * @param {string} path
 * @param {string} integrity
 */
async function keep(cache, path, integrity) {
  const load = (/** @type {RequestCache} */ mode) => fetch(path, { integrity, cache: mode });
  const response = await load('no-cache').catch(() => load('reload'));
  await cache.put(path, response.clone());
  return response;
}

/** @param {Cache} cache @returns {Promise<List>} */
const listIn = async (cache) => ((await cache.match(LIST)) ?? (await keep(cache, LIST, HASH))).json();

/**
 * Keeps the files of this version for which `isMissing` is true.
 * @param {(path: string, integrity: string, onDemand: boolean, cache: Cache) => Promise<boolean>} isMissing
 */
async function keepAll(isMissing) {
  const cache = await caches.open(NAME);
  const files = Object.entries(await listIn(cache));
  await Promise.all(
    files.map(
      async ([path, [integrity, onDemand]]) =>
        (await isMissing(path, integrity, onDemand, cache)) && keep(cache, path, integrity),
    ),
  );
}

/** Keeps a new version while the old one is in use. If a file can't be fetched, nothing of the new version stays. */
async function install() {
  try {
    await keepAll(
      async (path, _, onDemand) => !onDemand || (await caches.match(path, { ignoreSearch: true })) !== undefined,
    );
  } catch (error) {
    await caches.delete(NAME);
    throw error;
  }
}

/** Removes the old versions. */
async function activate() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== NAME) await caches.delete(name);
}

/**
 * Whether a kept file differs from the list.
 * @param {string} path
 * @param {string} integrity
 * @param {boolean} onDemand
 * @param {Cache} cache
 */
async function isDamaged(path, integrity, onDemand, cache) {
  try {
    const response = await cache.match(path);
    const hash = await crypto.subtle.digest('SHA-256', await /** @type {Response} */ (response).arrayBuffer());
    return integrity !== `sha256-${btoa(String.fromCharCode(...new Uint8Array(hash)))}`;
  } catch {
    // A file that is missing or can't be read is damaged, unless no page has asked for it yet.
    return !onDemand;
  }
}

/** The answer to a request, from the cache if possible. @param {FetchEvent} event */
async function answer({ request, clientId }) {
  const isPage = request.mode === 'navigate';
  const path = isPage ? './' : request.url.slice(scope.length).split('#')[0];
  // A visitor may reload the page because something in it is broken.
  if (isPage && request.cache !== 'default') await keepAll(isDamaged).catch(() => {});
  // Other pages that embed the widget start its worker in this folder too. Only the workers of our own pages name this
  // service worker in their address (`workerAddress` in runtime.js).
  const worker = request.destination === 'worker' ? request : await clients.get(clientId);
  if (worker?.type !== 'window' && !isPage && !worker?.url.endsWith(`#${location}`)) return fetch(request);
  const cache = await caches.open(NAME);
  const kept = await cache.match(path, { ignoreVary: true });
  // After a failure the page bypasses the cache.
  if (kept && request.cache !== 'reload') return kept;
  // Without its list, nothing of a version can be checked.
  const file = (await listIn(cache).catch(() => /** @type {List} */ ({})))[path];
  if (!file) return fetch(request);
  return keep(cache, path, file[0]).catch(() => kept ?? Response.error());
}

addEventListener('install', (event) => event.waitUntil(install()));
addEventListener('activate', (event) => event.waitUntil(activate()));
addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  const isOwn = url.startsWith(scope) && method === 'GET';
  if (isOwn && (mode !== 'navigate' || /^(index\.html)?([?#]|$)/.test(url.slice(scope.length)))) {
    event.respondWith(answer(event));
  }
});
