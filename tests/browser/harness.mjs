/** The common parts of the browser tests: Chromium, a server with a bundle, watched pages, and what a visitor does. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { chromium } from 'playwright-core';
import { SHIPPED_MODELS, startServer } from './server.mjs';

/** A small bundle that the trainer makes, so that the tests need no outside data. The shipped one, if there is none. */
export const FIXTURE = process.env.WATCHNEXT_FIXTURE ?? SHIPPED_MODELS;

/** The time in every page, in UTC. Suggestions depend on the hour, and tests must not pass by day and fail by night. */
export const NOW = Date.UTC(2026, 2, 14, 15);

const ARGUMENTS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Chromium. @param {string[]} [more] arguments. */
export function launch(more = []) {
  return chromium.launch({
    executablePath: process.env.WATCHNEXT_CHROMIUM ?? '/usr/bin/chromium',
    args: [...ARGUMENTS, ...more],
  });
}

/**
 * A browser and a server for all tests of a file, with functions that open watched pages.
 * @param {Parameters<typeof startServer>[0] & {arguments?: string[]}} [options]
 */
export function site({ arguments: more, ...options } = {}) {
  /** @type {Awaited<ReturnType<typeof launch>>} */
  let browser;
  const self = {
    /** @type {Awaited<ReturnType<typeof startServer>>} */
    server: /** @type {any} */ (undefined),
    /**
     * An empty page in a context of its own.
     * @param {import('playwright-core').BrowserContextOptions} [options]
     */
    async blank(options) {
      // A service worker would hide the faults of the server.
      const context = await browser.newContext({
        viewport: { width: 1280, height: 900 },
        serviceWorkers: 'block',
        timezoneId: 'UTC',
        ...options,
      });
      await context.addInitScript(lookInside);
      await context.addInitScript((now) => { Date.now = () => now; }, NOW);
      return watch(await context.newPage(), self.server.origin);
    },
    /**
     * The site's page, once it is ready.
     * @param {import('playwright-core').BrowserContextOptions} [options]
     */
    async open(options) {
      const page = await self.blank(options);
      await page.goto(`${self.server.origin}/`);
      await ready(page);
      return page;
    },
  };
  before(async () => {
    [browser, self.server] = await Promise.all([launch(more), startServer({ models: FIXTURE, ...options })]);
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
  });
  after(async () => {
    await Promise.all([browser?.close(), self.server?.close()]);
  });
  return self;
}

/**
 * Defines functions for code in pages: `inside()` is the widget's tree, `focused()` the element with the focus in any
 * tree.
 */
export function lookInside() {
  const scope = /** @type {any} */ (globalThis);
  scope.inside = () => document.querySelector('watch-next')?.shadowRoot ?? document;
  scope.focused = () => {
    let node = document.activeElement;
    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    return node;
  };
}

/** @typedef {import('playwright-core').Page & {foreign: string[], errors: string[]}} WatchedPage */

/**
 * Records requests to other origins and uncaught errors.
 * @param {import('playwright-core').Page} page
 * @param {string} origin
 * @returns {WatchedPage}
 */
function watch(page, origin) {
  const watched = /** @type {WatchedPage} */ (page);
  watched.foreign = [];
  watched.errors = [];
  page.context().on('request', (request) => {
    if (new URL(request.url()).origin !== origin) watched.foreign.push(request.url());
  });
  page.on('pageerror', (error) => watched.errors.push(String(error)));
  return watched;
}

/**
 * Waits for the movies and the first suggestions; the ranker may still be on its way.
 * @param {import('playwright-core').Page} page
 */
export async function shown(page) {
  await page.waitForFunction(() => performance.getEntriesByName('watchnext:ready').length > 0, null, {
    timeout: 30_000,
  });
}

/** Waits until the page has loaded everything, or has shown an error. @param {import('playwright-core').Page} page */
export async function ready(page) {
  await shown(page);
  await page.waitForFunction(() => performance.getEntriesByName('watchnext:complete').length > 0, null, {
    timeout: 30_000,
  });
}

/**
 * Opens another site's page that embeds the widget.
 * @param {import('playwright-core').Page} page
 * @param {string} origin
 * @param {string} body markup
 * @param {{head?: string, policy?: string}} [options] without a policy, the one of our own pages.
 */
export async function visitHost(page, origin, body, { head = '', policy } = {}) {
  const url = `${origin}/somebody/else.html`;
  const html = `<!doctype html><html lang="en">
    <head><meta charset="utf-8"><title>Somebody else</title>${head}</head>
    <body>${body}</body></html>`;
  await page.route(url, (route) =>
    route.fulfill({
      contentType: 'text/html; charset=utf-8',
      body: html,
      headers: policy ? { 'content-security-policy': policy } : {},
    }),
  );
  await page.goto(url);
}

/** The script tag that defines the widget. */
export const SCRIPT = '<script type="module" src="/web/watch-next.js"></script>';

/** Ids of the movies in a bundle's catalogue, best known first. @param {string} folder @returns {Promise<number[]>} */
export async function catalogIds(folder) {
  const { movie_id: ids, ratings } = JSON.parse(await readFile(join(folder, 'catalog.json'), 'utf8'));
  const rows = ids.map((/** @type {number} */ _, /** @type {number} */ row) => row);
  rows.sort((/** @type {number} */ one, /** @type {number} */ other) => ratings[other] - ratings[one] || one - other);
  return rows.map((/** @type {number} */ row) => ids[row]);
}

/**
 * Clicks posters by their places on the wall, and waits for the suggestions after each.
 * @param {import('playwright-core').Page} page
 * @param {number[]} places
 */
export async function clickPosters(page, ...places) {
  for (const place of places) {
    await settled(page, () => page.locator('.tile').nth(place).click());
  }
}

/**
 * Clicks one poster after the other along the wall, each after the answer to the one before. The first round adds
 * movies, the next removes them.
 * @param {import('playwright-core').Page} page
 * @param {number} first how many clicks there were before.
 * @param {number} count
 * @returns {Promise<number[]>} the milliseconds from each click to its list, as the page measures them.
 */
export const clickAlong = (page, first, count) =>
  page.evaluate(
    async ([first, count]) => {
      const tiles = /** @type {NodeListOf<HTMLElement>} */ (
        document.querySelector('watch-next')?.shadowRoot?.querySelectorAll('.tile')
      );
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
        // The first poster stays in the list, because an empty list gets no answer.
        tiles[click === 0 ? 0 : 1 + (click % (tiles.length - 1))].click();
        found.push(/** @type {number} */ (await answer));
        // Pause for a frame, since no visitor clicks faster than the screen. Then click in a task of its own at some
        // point of the next frame, as in a real visit. In the frame's callback, drawing would always follow at once.
        await new Promise((resolve) => requestAnimationFrame(resolve));
        await new Promise((resolve) => setTimeout(resolve, click % 17));
      }
      observer.disconnect();
      return found;
    },
    [first, count],
  );

/**
 * Does something that changes the list, and waits for the new suggestions.
 * @param {import('playwright-core').Page} page
 * @param {() => Promise<unknown>} act
 */
export async function settled(page, act) {
  const measured = () => page.evaluate(() => performance.getEntriesByName('watchnext:click-to-list').length);
  const earlier = await measured();
  await act();
  await page.waitForFunction(
    (count) => performance.getEntriesByName('watchnext:click-to-list').length > count,
    earlier,
    { timeout: 10_000 },
  );
}

/** Ids of the suggested movies, in order. @param {import('playwright-core').Page} page @returns {Promise<string[]>} */
export const suggested = (page) =>
  page
    .locator('#suggestions-list .seen')
    .evaluateAll((buttons) => buttons.map((button) => /** @type {HTMLElement} */ (button).dataset.movie ?? ''));

/**
 * The visible chances of the suggestions, by movie id.
 * @param {import('playwright-core').Page} page
 * @returns {Promise<Record<string, string>>}
 */
export const chances = (page) =>
  page.locator('#suggestions-list .card').evaluateAll((cards) =>
    Object.fromEntries(
      /** @type {HTMLElement[]} */ (cards)
        .map((card) => [
          card.querySelector('.seen')?.getAttribute('data-movie') ?? '',
          /** @type {HTMLElement} */ (card.querySelector('.chance')),
        ])
        .filter(([, chance]) => /** @type {HTMLElement} */ (chance).checkVisibility({ visibilityProperty: true }))
        .map(([id, chance]) => [id, /** @type {HTMLElement} */ (chance).textContent]),
    ),
  );

/** Waits until the suggestions show their chances. @param {import('playwright-core').Page} page */
export async function ranked(page) {
  await page.locator('#root[data-ranker=ready] .chance:not(.chance-unknown)').first().waitFor();
}

/**
 * Ids of the movies in the list, newest first.
 * @param {import('playwright-core').Page} page
 * @returns {Promise<string[]>}
 */
export const watchedIds = (page) =>
  page
    .locator('#watched-list > li')
    .evaluateAll((frames) => frames.map((frame) => /** @type {HTMLElement} */ (frame).dataset.movie ?? ''));

/** Waits until the list has this many movies. @param {import('playwright-core').Page} page @param {number} count */
export const watchedCount = (page, count) =>
  page.waitForFunction((wanted) => inside().querySelectorAll('#watched-list > li').length === wanted, count);

/**
 * Waits until other movies are suggested.
 * @param {import('playwright-core').Page} page
 * @param {string[]} before their ids until now.
 */
export const suggestedOthers = (page, before) =>
  page.waitForFunction(
    (ids) =>
      [...inside().querySelectorAll('#suggestions-list .seen')]
        .map((button) => button.getAttribute('data-movie'))
        .join() !== ids,
    before.join(),
  );

/** Waits until suggestions show reasons. @param {import('playwright-core').Page} page */
export const explained = (page) =>
  page.waitForFunction(() => [...inside().querySelectorAll('.because')].some(({ textContent }) => textContent));

/** Opens the map and waits for the movies near its middle. @param {import('playwright-core').Page} page */
export async function openMap(page) {
  await page.locator('#open-map').click();
  await page.locator('.map-near button').first().waitFor();
}

/**
 * Imports a file by the dialogue, and waits for the report.
 * @param {import('playwright-core').Page} page
 * @param {string | Buffer} text
 * @param {string} [name]
 */
export async function importFile(page, text, name = 'list.csv') {
  if (!(await page.locator('#import').isVisible())) await page.locator('#open-import').click();
  await page.locator('#import-file').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
  await page.locator('#import-report .report-sum').waitFor();
}

/** The value at a share of a sorted list, such as 0.5 for the median. @param {number[]} sorted @param {number} share */
export const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/** The code of the error that the page shows. @param {import('playwright-core').Page} page */
export async function failureCode(page) {
  const panel = page.locator('.failure-panel').first();
  await panel.waitFor({ timeout: 20_000 });
  return panel.getAttribute('data-code');
}

/** The files of a bundle, from its manifest. @param {string} folder */
export async function bundleFiles(folder) {
  const { files } = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  return Object.entries(files).map(([name, file]) => ({
    name,
    path: file.path,
    bytes: file.bytes,
    optional: file.optional === true,
  }));
}

/**
 * The private memory of the page's process in megabytes, by the operating system; 0 if that is unknown.
 * @param {import('playwright-core').Browser} browser
 */
export async function rendererMemory(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sizes = await Promise.all(
    processInfo
      .filter(({ type }) => type === 'renderer')
      .map(async ({ id }) => {
        const text = await readFile(`/proc/${id}/smaps_rollup`, 'utf8').catch(() => '');
        return [...text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)].reduce(
          (sum, [, kilobytes]) => sum + Number(kilobytes),
          0,
        );
      }),
  );
  return Math.max(0, ...sizes) / 1e3;
}
