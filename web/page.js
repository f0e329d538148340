/** Our own page around the widget: its words and its tools, which use the widget's public interface. */

import './watch-next.js';
import { Words } from './element/words.js';
import { byId, closest } from './element/dom.js';
import { refetch } from './element/own-file.js';
import { fill } from './element/view.js';
import { setUpImport } from './page/import.js';
import { setUpLink } from './page/link.js';
import { setUpShare } from './page/share.js';

/** @type {import('./watch-next.js').WatchNext} */
const app = byId('app');
const folder = new URL('./words/page/', import.meta.url);
/** The folder of the widget's own words, if it has one. The page's words are in its subfolder `page/`. */
const own = app.getAttribute('words');

/** How long to wait before fetching words again that couldn't be fetched. */
const AGAIN_MS = 3000;

/**
 * The page's words. Tries until they can be fetched: the tools need them, and the widget works without.
 * @returns {Promise<Words>}
 */
async function loadWords() {
  try {
    return await Words.load(document.documentElement.lang, folder, own?.replace(/\/*$/, '/page/'));
  } catch (error) {
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    await refetch(error);
    return loadWords();
  }
}

/** The tools read the words from here, because they change with the language. */
const page = { words: await loadWords() };
if (own || page.words.language !== 'en') fill(document, page.words);
document.addEventListener('watchnext:language', async () => {
  page.words = await loadWords();
  fill(document, page.words);
});

for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('click', (event) => {
    // A click on the backdrop has the dialogue itself as its target.
    if (event.target === dialog || closest(event, '[data-close]')) dialog.close();
  });
}

setUpImport(app, page);
setUpShare(app, page);
setUpLink(app, page);
// Until now a click would have done nothing.
for (const tool of document.querySelectorAll('button.tool')) tool.removeAttribute('disabled');

const mapButton = byId('open-map');
mapButton.addEventListener('click', async () => {
  try {
    const { openMap } = await import('./page/map.js');
    openMap(app, page);
  } catch {
    const notice = byId('offer');
    notice.textContent = page.words.text('map.failed');
    notice.hidden = false;
  }
});

/**
 * Starts the service worker, which keeps the page for visits without a network. It waits for the files of this visit.
 */
async function startOffline() {
  await app.engine?.loadRanker().catch(() => {});
  const { trustedTypes } = /** @type {any} */ (window);
  const createScriptURL = (/** @type {string} */ text) => text;
  const policy = trustedTypes?.createPolicy('watchnext-offline', { createScriptURL });
  await navigator.serviceWorker?.register(policy?.createScriptURL('offline.js') ?? 'offline.js');
}

/** Shows what is known once the widget has its movies. */
function greet() {
  const { info } = app.engine ?? {};
  if (!info) return;
  mapButton.hidden = info.mapBytes === null;
  byId('dataset').textContent = info.dataset ? ` (${info.dataset})` : '';
  // A site without the file works without it.
  startOffline().catch(() => {});
}
app.addEventListener('watchnext:ready', greet);
greet();
