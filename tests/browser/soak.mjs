/**
 * Whether the page's memory grows: `node tests/browser/soak.mjs [CLICKS]`. It clicks posters of the built site (WATCHNEXT_DIST, else
 * dist/) at random, seeded, and compares the memory after 100 clicks with that at the end (10,000 unless told). It takes some minutes,
 * so it is no test.
 */

import assert from 'node:assert/strict';
import { launch, ready, rendererMemory } from './harness.mjs';
import { startServer } from './server.mjs';

const EARLY = 100;
const CLICKS = Number(process.argv[2] ?? 10_000);
const MOST_GROWTH = 0.05;
const SEED = 1;

const server = await startServer({ isolated: true });
const browser = await launch(['--enable-blink-features=ForceEagerMeasureMemory', '--js-flags=--expose-gc']);
const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
/** @type {string[]} */
const errors = [];
page.on('pageerror', (error) => errors.push(String(error)));
await page.goto(`${server.origin}/`);
await ready(page);

/** Clicks posters of the wall until there have been `count` answers. @param {number} count @param {number} seed */
async function click(count, seed) {
  await page.evaluate(
    async ({ count, seed }) => {
      /** @type {NodeListOf<HTMLElement>} */
      const tiles = inside().querySelectorAll('.tile');
      let state = seed;
      /** @type {() => void} */
      let heard = () => {};
      const observer = new PerformanceObserver((list) => {
        if (list.getEntries().some(({ name }) => name === 'watchnext:click-to-list')) heard();
      });
      observer.observe({ type: 'measure' });
      for (let click = 0; click < count; click++) {
        // Numerical Recipes' generator; the first poster stays in the list, as an empty one has no answer.
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        const first = tiles[0].getAttribute('aria-pressed') !== 'true';
        const answer = new Promise((resolve) => (heard = () => resolve(undefined)));
        tiles[first ? 0 : 1 + (state % (tiles.length - 1))].click();
        await answer;
        if (click % 8 === 0) await new Promise((resolve) => requestAnimationFrame(resolve));
      }
      observer.disconnect();
    },
    { count, seed },
  );
}

/** Megabytes of the page's scripts and their worker, and of the process that renders it, after a collection. */
async function memory() {
  await page.evaluate(() => /** @type {any} */ (globalThis).gc?.());
  await page.waitForTimeout(1000);
  const { bytes } = await page.evaluate(() => /** @type {any} */ (performance).measureUserAgentSpecificMemory());
  return { scripts: bytes / 1e6, process: await rendererMemory(browser) };
}

await click(EARLY, SEED);
const early = await memory();
await click(CLICKS - EARLY, SEED + 1);
const late = await memory();
const show = (/** @type {{scripts: number, process: number}} */ { scripts, process }) =>
  `scripts ${scripts.toFixed(1)} MB, process ${process.toFixed(1)} MB`;
console.log(`after ${EARLY} clicks: ${show(early)}`);
console.log(`after ${CLICKS} clicks: ${show(late)}`);
const growth = late.process / early.process - 1;
console.log(`growth of the process: ${(100 * growth).toFixed(1)} % (bar ${100 * MOST_GROWTH} %)`);
await browser.close();
await server.close();
assert.deepEqual(errors, []);
assert.ok(growth <= MOST_GROWTH, `the page's memory grew by ${(100 * growth).toFixed(1)} %`);
