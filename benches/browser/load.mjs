/**
 * Measures the time from navigation to the first suggestions in four pages: the shipped page, the same page with ONNX
 * Runtime Web and JavaScript in its worker, a bare page with ONNX Runtime Web, and the shipped page without an engine.
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
 * @param {string} item the selector of a suggestion.
 * @param {import('node:events').EventEmitter} reports
 * @returns {Promise<number>} milliseconds.
 */
async function visit(browser, url, item, reports) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(
    ([item, stored]) => {
      localStorage.setItem('watchnext.list.v1', stored);
      // Report the time of the frame that shows them.
      const look = () => {
        const tree = document.querySelector('watch-next')?.shadowRoot ?? document;
        if (tree.querySelector(item)) void fetch(`/first-suggestions?time=${performance.now()}`);
        else requestAnimationFrame(look);
      };
      look();
    },
    [item, STORED],
  );
  // The page reports by itself: asking it would run a script on its thread, which takes 20 to 40 ms.
  const report = once(reports, 'first suggestions', { signal: AbortSignal.timeout(PATIENCE_MS) });
  await page.goto(url, { waitUntil: 'commit' });
  const [first] = await report;
  await context.close();
  return first;
}

/**
 * Alternates the pages, so that other work on the machine affects all of them alike.
 * @param {import('playwright-core').Browser} browser
 * @param {{name: string, url: string, item: string}[]} pages each with the selector of a suggestion.
 * @param {import('node:events').EventEmitter} reports emits `first suggestions` with the time that a page sends to
 *   `/first-suggestions`.
 */
export async function measureLoad(browser, pages, reports) {
  const times = pages.map(() => /** @type {number[]} */ ([]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [at, { url, item }] of pages.entries()) {
      const time = await visit(browser, url, item, reports);
      // The first visit of each page warms the caches of the server and the system.
      if (round >= 0) times[at].push(time);
    }
  }
  return pages.map(({ name }, at) => ({ name, ...summary(times[at]) }));
}
