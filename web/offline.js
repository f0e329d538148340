/**
 * The page's service worker, which keeps the page for visits without a network. The build moves it beside index.html, whose folder is
 * all that it may answer for, and writes beside it the list of what it keeps (`xtask/offline.mjs`).
 *
 * A version is that list: each file with its hash. All of a version is kept or nothing, and what is open stays with its version until
 * the last of it is closed, so nobody ever runs half of one and half of another. Browsers check the hashes as they fetch.
 */

/**
 * The list: addresses in this folder with their hashes, and whether one is kept only once it was asked for.
 * @typedef {Record<string, [integrity: string, onDemand: boolean]>} List
 */
const LIST = 'offline.json';
/** The list's hash, put in by the build: a browser takes every other for a new version. */
const HASH = '{hash}';

/** @type {string} */
const scope = registration.scope;
/** Other pages of the origin have caches too, and other folders with this page. */
const PREFIX = `watchnext ${scope} `;
const NAME = PREFIX + HASH;

/**
 * Fetches and keeps the file with this hash and no other. What the browser has in its own cache saves a transfer, unless it is damaged.
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
 * Keeps of a version what `isMissing` says.
 * @param {(path: string, integrity: string, onDemand: boolean, cache: Cache) => Promise<boolean>} isMissing
 */
async function keepAll(isMissing) {
  const cache = await caches.open(NAME);
  const files = Object.entries(await listIn(cache));
  await Promise.all(files.map(async ([path, [integrity, onDemand]]) => (await isMissing(path, integrity, onDemand, cache)) && keep(cache, path, integrity)));
}

/** A new version comes while the old one goes on; one that can't be had as a whole leaves it in peace. */
async function install() {
  try {
    await keepAll(async (path, _, onDemand) => !onDemand || (await caches.match(path, { ignoreSearch: true })) !== undefined);
  } catch (error) {
    await caches.delete(NAME);
    throw error;
  }
}

async function activate() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== NAME) await caches.delete(name);
}

/** Whether what is kept is no longer what the list says. @param {string} path @param {string} integrity @param {boolean} onDemand @param {Cache} cache */
async function isDamaged(path, integrity, onDemand, cache) {
  try {
    const response = await cache.match(path);
    const hash = await crypto.subtle.digest('SHA-256', await /** @type {Response} */ (response).arrayBuffer());
    return integrity !== `sha256-${btoa(String.fromCharCode(...new Uint8Array(hash)))}`;
  } catch {
    // What is missing or can't be read, unless nobody asked for it yet.
    return !onDemand;
  }
}

/** @param {FetchEvent} event */
async function answer({ request, clientId }) {
  const isPage = request.mode === 'navigate';
  const path = isPage ? './' : request.url.slice(scope.length).split('#')[0];
  // Whoever loads the page again may do so because something in it is broken.
  if (isPage && request.cache !== 'default') await keepAll(isDamaged).catch(() => {});
  // A page that embeds the widget starts its worker in this folder too. The address of ours says that its page is answered from here.
  const worker = request.destination === 'worker' ? request : await clients.get(clientId);
  if (worker?.type !== 'window' && !isPage && !worker?.url.endsWith(`#${location}`)) return fetch(request);
  const cache = await caches.open(NAME);
  const kept = await cache.match(path, { ignoreVary: true });
  // After a failure the page asks past the cache.
  if (kept && request.cache !== 'reload') return kept;
  // Without its list, a version is as good as none.
  const file = (await listIn(cache).catch(() => /** @type {List} */ ({})))[path];
  if (!file) return fetch(request);
  return keep(cache, path, file[0]).catch(() => kept ?? Response.error());
}

addEventListener('install', (event) => event.waitUntil(install()));
addEventListener('activate', (event) => event.waitUntil(activate()));
addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  const isOwn = url.startsWith(scope) && method === 'GET';
  if (isOwn && (mode !== 'navigate' || /^(index\.html)?([?#]|$)/.test(url.slice(scope.length)))) event.respondWith(answer(event));
});
