/**
 * Measures a whole click, from the event to the new list, in three pages: the shipped page with its second stage, the
 * same page with ONNX Runtime Web and a scan in JavaScript, and the page with a worker that answers at once. No engine
 * can be faster than the last.
 */

import { clickAlong } from '../../tests/browser/harness.mjs';
import { summary } from './page/timing.mjs';

const ROUNDS = 5;
const CLICKS = 100;

/** @param {import('playwright-core').Browser} browser @param {string} url */
async function open(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(url);
  const isComplete = () => performance.getEntriesByName('watchnext:complete').length > 0;
  await page.waitForFunction(isComplete, null, { timeout: 60_000 });
  return page;
}

/**
 * Alternates the pages, so that other work on the machine affects all of them alike.
 * @param {import('playwright-core').Browser} browser
 * @param {{name: string, url: string}[]} pages
 */
export async function measureClicks(browser, pages) {
  const opened = [];
  for (const { name, url } of pages) {
    opened.push({ name, page: await open(browser, url), times: /** @type {number[]} */ ([]) });
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { page, times } of opened) times.push(...(await clickAlong(page, round * CLICKS, CLICKS)));
  }
  for (const { page } of opened) await page.context().close();
  return opened.map(({ name, times }) => ({ name, ...summary(times) }));
}
