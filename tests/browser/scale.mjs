/**
 * Measures a bundle of any size in the page, and the one that ships: its bytes and the progress that the page shows,
 * the time to the first suggestions, after a click and for a search, and the memory. For comparison it measures how
 * long WebAssembly takes to read the vectors once.
 *
 * node tests/browser/scale.mjs --bundle target/scale/bundle --out target/scale/browser.json
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import binaryen from 'binaryen';
import { bundleFiles, catalogIds, launch, lookInside, quantile, rendererMemory } from './harness.mjs';
import { SHIPPED_MODELS, startServer } from './server.mjs';

const { values } = parseArgs({ options: { bundle: { type: 'string' }, out: { type: 'string' } } });
if (!values.bundle || !values.out) {
  throw new Error('--bundle takes the folder of a bundle, and --out the file to write');
}
const bundle = resolve(values.bundle);

const CLICKS = 40;
/**
 * The pause between clicks, as in a real visit: by the next click, other work has used the cache, and the reasons are
 * done.
 */
const PAUSE_MS = 500;
const QUERIES = 20;
const READINGS = 15;
const PATIENCE_MS = 300_000;

/** @param {number[]} values milliseconds */
function summary(values) {
  const sorted = values.toSorted((left, right) => left - right);
  return { median: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), rounds: sorted.length };
}

/** Reads memory from its beginning to its end, one register at a time, like `floor.rs` of the bench. */
const READER = `(module
  (memory (export "memory") 0 65536)
  (func (export "read") (param $bytes i32) (result i32)
    (local $at i32) (local $all v128)
    (loop $next
      (local.set $all (v128.xor (local.get $all) (v128.load (local.get $at))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $bytes))))
    (i32x4.extract_lane 0 (local.get $all))))`;

/**
 * How long it takes to read so many bytes once.
 * @param {import('playwright-core').Browser} browser
 * @param {number} bytes
 */
async function measureFloor(browser, bytes) {
  const module = binaryen.parseText(READER);
  module.setFeatures(binaryen.Features.SIMD128);
  const page = await browser.newPage();
  const times = await page.evaluate(
    async ({ code, bytes, readings }) => {
      const { instance } = await WebAssembly.instantiate(new Uint8Array(code));
      const { memory, read } = /** @type {any} */ (instance.exports);
      memory.grow(Math.ceil(bytes / 65_536));
      // Memory pages that were never written to may all be the same one.
      new Uint8Array(memory.buffer).fill(1);
      // The engine optimises the code after some runs.
      for (let run = 0; run < 5; run++) read(bytes);
      return Array.from({ length: readings }, () => {
        const start = performance.now();
        read(bytes);
        return performance.now() - start;
      });
    },
    { code: [...module.emitBinary()], bytes, readings: READINGS },
  );
  await page.close();
  return summary(times);
}

/**
 * Runs before the page's own scripts. It stores a list, and records the page's progress and the time of the
 * suggestions.
 * @param {number[]} ids
 */
function prepare(ids) {
  const scope = /** @type {any} */ (globalThis);
  const movies = ids.map((movieId) => ({ movieId, title: String(movieId), year: null, genres: [] }));
  localStorage.setItem('watchnext.list.v1', JSON.stringify({ version: 1, movies }));
  scope.said = [];
  const look = () => {
    const words = inside().querySelector('#wall-status')?.textContent;
    if (words && scope.said.at(-1) !== words) scope.said.push(words);
    // The time of the frame that shows them.
    if (inside().querySelector('#suggestions-list .card')) scope.first = performance.now();
    else requestAnimationFrame(look);
  };
  look();
}

/**
 * Clicks posters one after the other, and returns the milliseconds from each click to its list.
 * @param {{clicks: number, pause: number}} options
 */
async function click({ clicks, pause }) {
  const durations = [];
  /** @type {(duration: number) => void} */
  let heard = () => {};
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) if (name === 'watchnext:click-to-list') heard(duration);
  }).observe({ type: 'measure' });
  const tiles = /** @type {NodeListOf<HTMLElement>} */ (inside().querySelectorAll('.tile'));
  // The first three are in the list already. They stay there, because an empty list gets no answer.
  for (let turn = 0; turn < clicks; turn++) {
    const answer = new Promise((resolve) => (heard = resolve));
    tiles[3 + (turn % (tiles.length - 3))].click();
    durations.push(await answer);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return /** @type {number[]} */ (durations);
}

/**
 * Types each query into the search box, and returns the milliseconds until the answer is shown.
 * @param {string[]} queries
 */
async function search(queries) {
  const input = /** @type {HTMLInputElement} */ (inside().querySelector('#search-input'));
  const answers = /** @type {HTMLElement[]} */ (
    ['#search-list', '#search-none'].map((selector) => inside().querySelector(selector))
  );
  const isShown = () => answers.some((answer) => !answer.hidden);
  const type = (/** @type {string} */ text) => {
    input.value = text;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  };
  input.focus();
  const durations = [];
  for (const query of queries) {
    type('');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const shown = new Promise((resolve) => {
      const observer = new MutationObserver(() => isShown() && resolve(observer.disconnect()));
      for (const answer of answers) observer.observe(answer, { attributes: true });
    });
    const start = performance.now();
    type(query);
    await shown;
    durations.push(performance.now() - start);
  }
  return durations;
}

/** Queries for titles from all over a catalogue: their starts, and words with a typing error. @param {string} folder */
async function queries(folder) {
  const { title: titles } = JSON.parse(await readFile(join(folder, 'catalog.json'), 'utf8'));
  const picked = Array.from(
    { length: QUERIES },
    (_, at) => /** @type {string} */ (titles[Math.floor(((at + 0.5) * titles.length) / QUERIES)]),
  );
  const starts = picked.map((title, at) => (at % 2 === 0 ? title.split(' ').slice(0, 2).join(' ') : title.slice(0, 4)));
  // A changed letter that fits no title, so that only the tolerance for typing errors finds a match.
  const typos = picked.map((title) => title.split(' ')[0]).map((word) => `${word.slice(0, 2)}q${word.slice(3)}`);
  return { starts, typos };
}

/** @param {import('playwright-core').Browser} browser @param {string} models */
async function measurePage(browser, models) {
  const server = await startServer({ models });
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: 'block' });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => console.error(`    page: ${error}`));
    await page.addInitScript(lookInside);
    await page.addInitScript(prepare, (await catalogIds(models)).slice(0, 3));
    await page.goto(`${server.origin}/`);
    const isThere = page.waitForFunction(
      () => 'first' in globalThis && performance.getEntriesByName('watchnext:complete').length > 0,
    );
    const failed = page.waitForFunction(() => inside().querySelector('.failure-panel')?.textContent);
    // If the page succeeds, this promise stays open and fails when the page closes.
    failed.catch(() => {});
    const failure = await Promise.race([isThere.then(() => null), failed.then((found) => found.jsonValue())]);
    if (failure) throw new Error(`the page failed: ${failure}`);
    const { first, said } = await page.evaluate(() => ({
      first: /** @type {any} */ (globalThis).first,
      said: /** @type {any} */ (globalThis).said,
    }));
    const { starts, typos } = await queries(models);
    const clicks = summary(await page.evaluate(click, { clicks: CLICKS, pause: PAUSE_MS }));
    const [firstSearch, ...others] = await page.evaluate(search, [starts[0], ...starts]);
    const typing = summary(await page.evaluate(search, typos));
    const files = await bundleFiles(models);
    const result = {
      bytes: files.filter(({ optional }) => !optional).reduce((sum, file) => sum + file.bytes, 0),
      said,
      first,
      clicks,
      firstSearch,
      search: summary(others),
      typos: typing,
      memory: (await rendererMemory(browser)) * 1e6,
    };
    await context.close();
    return result;
  } finally {
    await server.close();
  }
}

const { movies, dim } = JSON.parse(await readFile(join(bundle, 'manifest.json'), 'utf8'));
const browser = await launch();
try {
  const floor = { bytes: movies * dim, ...(await measureFloor(browser, movies * dim)) };
  const shipped = await measurePage(browser, SHIPPED_MODELS);
  const large = await measurePage(browser, bundle);
  await writeFile(
    values.out,
    JSON.stringify({ browser: browser.version(), movies, dim, floor, shipped, large }, null, 1),
  );
} finally {
  await browser.close();
}
