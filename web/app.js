/** Our own page around the widget: its words, and its tools on the widget's public interface. */

import './watch-next.js';
import { Words } from './element/words.js';
import { closest } from './element/dom.js';
import { fill } from './element/view.js';
import { trusted } from './engine/trusted.js';
import { setUpImport } from './page/import.js';
import { setUpLink } from './page/link.js';
import { setUpShare } from './page/share.js';

const app = /** @type {import('./watch-next.js').WatchNext} */ (document.getElementById('app'));
const folder = new URL('./words/page/', import.meta.url);

/** The page's words; changes with the language. */
const page = { words: await Words.load(folder, document.documentElement.lang) };
if (page.words.language !== 'en') fill(document, page.words);
document.addEventListener('watchnext:language', async () => {
  page.words = await Words.load(folder, document.documentElement.lang);
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

const mapButton = /** @type {HTMLButtonElement} */ (document.getElementById('open-map'));
mapButton.addEventListener('click', async () => {
  const { openMap } = await import('./map.js');
  openMap(app, page);
});

/** Has the page kept for visits without a network, once all has come that this visit needs. A site that lacks the file does without. */
async function keepForLater() {
  await app.engine?.loadRanker().catch(() => {});
  await navigator.serviceWorker?.register(trusted('offline.js')).catch(() => {});
}

/** What is known once the widget has its movies. */
function greet() {
  const { info } = app.engine ?? {};
  if (!info) return;
  mapButton.hidden = info.mapBytes === null;
  /** @type {HTMLElement} */ (document.getElementById('dataset')).textContent = info.dataset ? ` (${info.dataset})` : '';
  void keepForLater();
}
app.addEventListener('watchnext:ready', greet);
greet();
