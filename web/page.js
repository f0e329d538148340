/** Our own page around the widget: its words, and its tools on the widget's public interface. */

import './watch-next.js';
import { Words } from './element/words.js';
import { closest } from './element/dom.js';
import { refetch } from './element/own-file.js';
import { fill } from './element/view.js';
import { setUpImport } from './page/import.js';
import { setUpLink } from './page/link.js';
import { setUpShare } from './page/share.js';

const app = /** @type {import('./watch-next.js').WatchNext} */ (document.getElementById('app'));
const folder = new URL('./words/page/', import.meta.url);
/** The widget's own words, beside which the page's lie. */
const own = app.getAttribute('words');

/** How long to wait before asking again for words that couldn't be had. */
const AGAIN_MS = 3000;

/** The page's words, once they can be had: the tools have nothing to say without, and the widget goes on meanwhile. @returns {Promise<Words>} */
async function loadWords() {
  try {
    return await Words.load(document.documentElement.lang, folder, own?.replace(/\/*$/, '/page/'));
  } catch (error) {
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    await refetch(error);
    return loadWords();
  }
}

/** Changes with the language. */
const page = { words: await loadWords() };
if (own || page.words.language !== 'en') fill(document, page.words);
document.addEventListener('watchnext:language', async () => {
  page.words = await loadWords();
  fill(document, page.words);
});

for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('click', (event) => {
    // A click on the backdrop is one on the dialogue itself.
    if (event.target === dialog || closest(event, '[data-close]')) dialog.close();
  });
}

setUpImport(app, page);
setUpShare(app, page);
setUpLink(app, page);
// Until now a click would have led nowhere.
for (const tool of document.querySelectorAll('button.tool')) tool.removeAttribute('disabled');

const mapButton = /** @type {HTMLButtonElement} */ (document.getElementById('open-map'));
mapButton.addEventListener('click', async () => {
  try {
    const { openMap } = await import('./page/map.js');
    openMap(app, page);
  } catch {
    const notice = /** @type {HTMLElement} */ (document.getElementById('offer'));
    notice.textContent = page.words.text('map.failed');
    notice.hidden = false;
  }
});

/** Has the page kept for visits without a network, once all has come that this visit needs. */
async function keepForLater() {
  await app.engine?.loadRanker().catch(() => {});
  const policy = /** @type {any} */ (window).trustedTypes?.createPolicy('watchnext-offline', { createScriptURL: (/** @type {string} */ text) => text });
  await navigator.serviceWorker?.register(policy?.createScriptURL('offline.js') ?? 'offline.js');
}

/** What is known once the widget has its movies. */
function greet() {
  const { info } = app.engine ?? {};
  if (!info) return;
  mapButton.hidden = info.mapBytes === null;
  /** @type {HTMLElement} */ (document.getElementById('dataset')).textContent = info.dataset ? ` (${info.dataset})` : '';
  // A site that lacks the file does without.
  keepForLater().catch(() => {});
}
app.addEventListener('watchnext:ready', greet);
greet();
