/**
 * How long from navigation to the first suggestions: the shipped page, the same page with ONNX Runtime Web and JavaScript in its worker,
 * what of that is left without a worker and a page around it, and what of the page is left without an engine.
 */

import { once } from 'node:events';
import { summary } from './page/timing.mjs';

const ROUNDS = 7;

/** How long a page may take before the bench gives up. */
const PATIENCE_MS = 60_000;

/** Forrest Gump, The Fellowship of the Ring, Batman. */
export const WATCHED = [356, 4993, 592];

const STORED = JSON.stringify({
  version: 1,
  movies: WATCHED.map((movieId) => ({ movieId, title: String(movieId), year: null, genres: [] })),
});

/**
 * Opens a page in a fresh context, with nothing cached, and waits for its suggestions.
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {string} item what matches a suggestion.
 * @param {import('node:events').EventEmitter} reports
 * @returns {Promise<number>} milliseconds.
 */
async function visit(browser, url, item, reports) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(
    ([item, stored]) => {
      localStorage.setItem('watchnext.list.v1', stored);
      // The time is that of the frame that shows them.
      const look = () => {
        const tree = document.querySelector('watch-next')?.shadowRoot ?? document;
        if (tree.querySelector(item)) void fetch(`/first-suggestions?time=${performance.now()}`);
        else requestAnimationFrame(look);
      };
      look();
    },
    [item, STORED],
  );
  // The page reports by itself, since whoever asks it meanwhile has its thread run a program of his own, for 20 to 40 ms.
  const report = once(reports, 'first suggestions', { signal: AbortSignal.timeout(PATIENCE_MS) });
  await page.goto(url, { waitUntil: 'commit' });
  const [first] = await report;
  await context.close();
  return first;
}

/**
 * Alternates the pages, so that what else the machine does meets all alike.
 * @param {import('playwright-core').Browser} browser
 * @param {{name: string, url: string, item: string}[]} pages with what matches a suggestion.
 * @param {import('node:events').EventEmitter} reports emits `first suggestions` with the time that a page reports to `/first-suggestions`.
 */
export async function measureLoad(browser, pages, reports) {
  const times = pages.map(() => /** @type {number[]} */ ([]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [at, { url, item }] of pages.entries()) {
      const time = await visit(browser, url, item, reports);
      // The first visit of each warms the server's and the system's caches.
      if (round >= 0) times[at].push(time);
    }
  }
  return pages.map(({ name }, at) => ({ name, ...summary(times[at]) }));
}
