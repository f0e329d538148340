/** What every browser test needs: Chromium, a server with the wanted bundle, and a page that is watched for trouble. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { chromium } from 'playwright-core';
import { SHIPPED_MODELS, startServer } from './server.mjs';

/** A small bundle of the trainer's own making, so that tests need no outside data; the shipped one where none is given. */
export const FIXTURE = process.env.WATCHNEXT_FIXTURE ?? SHIPPED_MODELS;

/** What every page takes for now, in UTC: the suggestions depend on the hour, and a test must not pass by day and fail by night. */
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

/** @param {string[]} [more] */
export function launch(more = []) {
  return chromium.launch({
    executablePath: process.env.WATCHNEXT_CHROMIUM ?? '/usr/bin/chromium',
    args: [...ARGUMENTS, ...more],
  });
}

/**
 * A browser and a server for all tests of one file, and `open` to get watched pages from them.
 * @param {Parameters<typeof startServer>[0] & {arguments?: string[]}} [options]
 */
export function site({ arguments: more, ...options } = {}) {
  /** @type {Awaited<ReturnType<typeof launch>>} */
  let browser;
  const self = {
    /** @type {Awaited<ReturnType<typeof startServer>>} */
    server: /** @type {any} */ (undefined),
    /**
     * A page in a context of its own, not yet led anywhere.
     * @param {import('playwright-core').BrowserContextOptions} [options]
     */
    async blank(options) {
      // What a page does about a server's faults must not be hidden by what its service worker keeps.
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: 'block', timezoneId: 'UTC', ...options });
      await context.addInitScript(lookInside);
      await context.addInitScript((now) => { Date.now = () => now; }, NOW);
      return watch(await context.newPage(), self.server.origin);
    },
    /**
     * The site's page, with the movies on the wall.
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

/** Gives the functions that run in pages `inside()`, the widget's tree, and `focused()`, what has the focus in whatever tree. */
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
 * Writes down requests to other origins and uncaught errors.
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

/** Waits for the movies and the first suggestions; the ranker may still be on its way. @param {import('playwright-core').Page} page */
export async function shown(page) {
  await page.waitForFunction(() => performance.getEntriesByName('watchnext:ready').length > 0, null, { timeout: 30_000 });
}

/** Waits until the page has all that it loads by itself, or has told what it lacks. @param {import('playwright-core').Page} page */
export async function ready(page) {
  await shown(page);
  await page.waitForFunction(() => performance.getEntriesByName('watchnext:complete').length > 0, null, { timeout: 30_000 });
}

/**
 * Leads a page to a site of somebody else's making, which embeds the widget.
 * @param {import('playwright-core').Page} page
 * @param {string} origin
 * @param {string} body markup
 * @param {{head?: string, policy?: string}} [options] the policy is that of our own pages, if left out.
 */
export async function visitHost(page, origin, body, { head = '', policy } = {}) {
  const url = `${origin}/somebody/else.html`;
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Somebody else</title>${head}</head><body>${body}</body></html>`;
  await page.route(url, (route) =>
    route.fulfill({ contentType: 'text/html; charset=utf-8', body: html, headers: policy ? { 'content-security-policy': policy } : {} }),
  );
  await page.goto(url);
}

/** The markup that embeds the widget. */
export const SCRIPT = '<script type="module" src="/web/watch-next.js"></script>';

/** Ids of the movies of a bundle's catalogue, the best known first. @param {string} folder @returns {Promise<number[]>} */
export async function catalogIds(folder) {
  const { movie_id: ids, ratings } = JSON.parse(await readFile(join(folder, 'catalog.json'), 'utf8'));
  const rows = ids.map((/** @type {number} */ _, /** @type {number} */ row) => row);
  rows.sort((/** @type {number} */ one, /** @type {number} */ other) => ratings[other] - ratings[one] || one - other);
  return rows.map((/** @type {number} */ row) => ids[row]);
}

/** Clicks the posters with these places on the wall, and waits for the answer to each. @param {import('playwright-core').Page} page @param {number[]} places */
export async function clickPosters(page, ...places) {
  for (const place of places) {
    await settled(page, () => page.locator('.tile').nth(place).click());
  }
}

/**
 * Clicks posters along the wall, each after the answer to the one before, adding movies and, on the next round, taking them back.
 * @param {import('playwright-core').Page} page
 * @param {number} first how many of these clicks were before.
 * @param {number} count
 * @returns {Promise<number[]>} how long each took to its list, in milliseconds, as the page measures it.
 */
export const clickAlong = (page, first, count) =>
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
        // The first poster stays, as an empty list has no answer.
        tiles[click === 0 ? 0 : 1 + (click % (tiles.length - 1))].click();
        found.push(/** @type {number} */ (await answer));
        // A frame's pause, as no visitor clicks faster than the screen; and then a task of its own at any point of the next frame,
        // as a real click is, and not within the frame's callback, where it would always be followed by drawing.
        await new Promise((resolve) => requestAnimationFrame(resolve));
        await new Promise((resolve) => setTimeout(resolve, click % 17));
      }
      observer.disconnect();
      return found;
    },
    [first, count],
  );

/** Does something that changes the list, and waits until the suggestions have followed. @param {import('playwright-core').Page} page @param {() => Promise<unknown>} act */
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

/** Ids of the movies suggested, in order. @param {import('playwright-core').Page} page @returns {Promise<string[]>} */
export const suggested = (page) =>
  page.locator('#suggestions-list .seen').evaluateAll((buttons) => buttons.map((button) => /** @type {HTMLElement} */ (button).dataset.movie ?? ''));

/** What each suggestion says of its chance, by the movie's id, as far as it is in view. @param {import('playwright-core').Page} page @returns {Promise<Record<string, string>>} */
export const chances = (page) =>
  page.locator('#suggestions-list .card').evaluateAll((cards) =>
    Object.fromEntries(
      /** @type {HTMLElement[]} */ (cards)
        .map((card) => [card.querySelector('.seen')?.getAttribute('data-movie') ?? '', /** @type {HTMLElement} */ (card.querySelector('.chance'))])
        .filter(([, chance]) => /** @type {HTMLElement} */ (chance).checkVisibility({ visibilityProperty: true }))
        .map(([id, chance]) => [id, /** @type {HTMLElement} */ (chance).textContent]),
    ),
  );

/** Waits until the suggestions say how likely they are to be liked. @param {import('playwright-core').Page} page */
export async function ranked(page) {
  await page.locator('#root[data-ranker=ready] .chance:not(.chance-unknown)').first().waitFor();
}

/** Ids of the movies in the list, newest first. @param {import('playwright-core').Page} page @returns {Promise<string[]>} */
export const watchedIds = (page) =>
  page.locator('#watched-list > li').evaluateAll((frames) => frames.map((frame) => /** @type {HTMLElement} */ (frame).dataset.movie ?? ''));

/** The code of the error that the page shows. @param {import('playwright-core').Page} page */
export async function failureCode(page) {
  const panel = page.locator('.failure-panel').first();
  await panel.waitFor({ timeout: 20_000 });
  return panel.getAttribute('data-code');
}

/** The files of a bundle, as its manifest names them. @param {string} folder */
export async function bundleFiles(folder) {
  const { files } = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  return Object.entries(files).map(([name, file]) => ({ name, path: file.path, bytes: file.bytes, optional: file.optional === true }));
}

/** Megabytes that the page's process has for itself by what the operating system says; 0 where it can't be asked. @param {import('playwright-core').Browser} browser */
export async function rendererMemory(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sizes = await Promise.all(
    processInfo
      .filter(({ type }) => type === 'renderer')
      .map(async ({ id }) => {
        const text = await readFile(`/proc/${id}/smaps_rollup`, 'utf8').catch(() => '');
        return [...text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)].reduce((sum, [, kilobytes]) => sum + Number(kilobytes), 0);
      }),
  );
  return Math.max(0, ...sizes) / 1e3;
}
