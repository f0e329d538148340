/**
 * The whole click, from the event to the list that follows it: in the shipped page with its second stage, in the same page with ONNX
 * Runtime Web and a scan in JavaScript, and in the page with answers that are there at once, which is what is no engine's to save.
 */

import { summary } from './page/timing.mjs';

const ROUNDS = 5;
const CLICKS = 100;

/** @param {import('playwright-core').Browser} browser @param {string} url */
async function open(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => performance.getEntriesByName('watchnext:complete').length > 0, null, { timeout: 60_000 });
  return page;
}

/**
 * Clicks posters, each after the answer to the one before, as the page itself measures it.
 * @param {import('playwright-core').Page} page
 * @param {number} first how many clicks were before.
 * @returns {Promise<number[]>} milliseconds.
 */
const click = (page, first) =>
  page.evaluate(
    async ([first, count]) => {
      const tiles = /** @type {NodeListOf<HTMLElement>} */ (document.querySelector('watch-next')?.shadowRoot?.querySelectorAll('.tile'));
      /** @type {number[]} */
      const found = [];
      /** @type {(duration: number) => void} */
      let heard = () => {};
      const observer = new PerformanceObserver((list) => {
        for (const { name, duration } of list.getEntries()) if (name === 'watchnext:click-to-list') heard(duration);
      });
      observer.observe({ type: 'measure' });
      for (let click = first; click < first + count; click++) {
        const answer = new Promise((resolve) => (heard = resolve));
        // Along the wall and, on the next round, back. The first poster stays, as an empty list has no answer.
        tiles[click === 0 ? 0 : 1 + (click % (tiles.length - 1))].click();
        found.push(/** @type {number} */ (await answer));
        // At any point of the frame after, as a visitor's is.
        await new Promise((resolve) => requestAnimationFrame(resolve));
        await new Promise((resolve) => setTimeout(resolve, click % 17));
      }
      observer.disconnect();
      return found;
    },
    [first, CLICKS],
  );

/**
 * Alternates the pages, so that what else the machine does meets all alike.
 * @param {import('playwright-core').Browser} browser
 * @param {{name: string, url: string}[]} pages
 */
export async function measureClicks(browser, pages) {
  const opened = [];
  for (const { name, url } of pages) opened.push({ name, page: await open(browser, url), times: /** @type {number[]} */ ([]) });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { page, times } of opened) times.push(...(await click(page, round * CLICKS)));
  }
  for (const { page } of opened) await page.context().close();
  return opened.map(({ name, times }) => ({ name, ...summary(times) }));
}
