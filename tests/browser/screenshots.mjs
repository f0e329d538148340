/**
 * Takes the pictures of the documents: `node tests/browser/screenshots.mjs [FOLDER]`, docs/screens/ if left out. They
 * show the built site (WATCHNEXT_DIST, or dist/) with the models that it ships, in every state that a visitor may see.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import gifenc from 'gifenc';
import { PNG } from 'pngjs';
import {
  clickPosters,
  explained,
  failureCode,
  importFile,
  launch,
  lookInside,
  openMap,
  ready,
  settled,
} from './harness.mjs';
import { SHORT_STALL } from './recovery.mjs';
import { STRICT_POLICY, startServer } from './server.mjs';

const folder = process.argv[2] ?? 'docs/screens';

const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const FIVE_CLICKS = [0, 4, 9, 11, 13];

const LETTERBOXD = `Date,Name,Year,Letterboxd URI,Rating
2024-01-01,Heat,1995,https://boxd.it/1,4.5
2024-01-02,Alien,1979,https://boxd.it/2,5
2024-01-03,Amelie,2001,https://boxd.it/3,4
2024-01-04,Dune: Part Two,2024,https://boxd.it/4,4.5
2024-01-05,The Big Lebowski,1998,https://boxd.it/5,9
2024-01-06,Spirited Away,2001,https://boxd.it/6,5
`;

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */

/**
 * @type {{name: string, context: import('playwright-core').BrowserContextOptions, reach: (page: Page) =>
 *   Promise<unknown>}[]}
 */
const STATES = [
  { name: 'first-visit', context: DESKTOP, reach: async () => {} },
  {
    name: 'after-five-clicks',
    context: DESKTOP,
    reach: (page) => clickPosters(page, ...FIVE_CLICKS).then(() => explained(page)),
  },
  {
    name: 'dark',
    context: { ...DESKTOP, colorScheme: 'dark' },
    reach: (page) => clickPosters(page, ...FIVE_CLICKS).then(() => explained(page)),
  },
  {
    name: 'filters',
    context: DESKTOP,
    async reach(page) {
      await clickPosters(page, ...FIVE_CLICKS);
      await page.locator('#filters-title').click();
      for (const chip of ['Comedy', '1980s', 'Known']) {
        await page.locator('.chip', { hasText: new RegExp(`^${chip}$`) }).click();
      }
      await explained(page);
    },
  },
  {
    name: 'similar',
    context: DESKTOP,
    async reach(page) {
      await clickPosters(page, ...FIVE_CLICKS);
      await page.locator('.card .similar-open').first().click();
      await page.locator('#similar').waitFor();
    },
  },
  { name: 'import-report', context: DESKTOP, reach: (page) => importFile(page, LETTERBOXD, 'ratings.csv') },
  {
    name: 'import-refused',
    context: DESKTOP,
    reach: (page) => importFile(page, 'colour,size\nred,3\n', 'ratings.csv'),
  },
  {
    name: 'share',
    context: DESKTOP,
    async reach(page) {
      await clickPosters(page, ...FIVE_CLICKS);
      await page.locator('#open-share').click();
    },
  },
  {
    name: 'map',
    context: DESKTOP,
    async reach(page) {
      await clickPosters(page, ...FIVE_CLICKS);
      await openMap(page);
    },
  },
  {
    name: 'japanese',
    context: { ...DESKTOP, locale: 'ja-JP' },
    reach: (page) => clickPosters(page, ...FIVE_CLICKS).then(() => explained(page)),
  },
  { name: 'phone', context: PHONE, reach: async () => {} },
  {
    name: 'phone-suggestions',
    context: PHONE,
    async reach(page) {
      await clickPosters(page, ...FIVE_CLICKS);
      await page.locator('#jump').click();
      await explained(page);
    },
  },
  {
    name: 'phone-map',
    context: PHONE,
    async reach(page) {
      await clickPosters(page, ...FIVE_CLICKS);
      await openMap(page);
    },
  },
];

/** The errors, each by its code, and how to cause it. @type {[string, (server: Server, page: Page) => unknown][]} */
const ERRORS = [
  ['fetch-failed', (server) => server.setPolicy(STRICT_POLICY.replace("connect-src 'self'", "connect-src 'none'"))],
  ['http-status', (server) => server.faults.set('/models/movies.safetensors', { status: 404 })],
  [
    'timeout',
    (server) => {
      server.faults.set('/models/movies.safetensors', { stallAfter: 50 });
      server.faults.set('/', SHORT_STALL);
    },
  ],
  ['file-size-mismatch', (server) => server.faults.set('/models/movies.safetensors', { truncateTo: 1000 })],
  [
    'format-version-unsupported',
    (server) => server.faults.set('/models/manifest.json', { replace: ['"format_version": 1', '"format_version": 9'] }),
  ],
  ['manifest-invalid', (server) => server.faults.set('/models/manifest.json', { flipByteAt: 0 })],
  ['wasm-blocked', (server) => server.setPolicy(STRICT_POLICY.replace(" 'wasm-unsafe-eval'", ''))],
  ['worker-blocked', (server) => server.setPolicy(STRICT_POLICY.replace("worker-src 'self'", "worker-src 'none'"))],
  ['wasm-unsupported', (_, page) => page.addInitScript(() => (WebAssembly.validate = () => false))],
];

await mkdir(folder, { recursive: true });
const server = await startServer();
const browser = await launch();

/** @param {import('playwright-core').BrowserContextOptions} options */
async function open(options) {
  // A service worker would hide the faults of the server.
  const context = await browser.newContext({ serviceWorkers: 'block', ...options });
  await context.addInitScript(lookInside);
  return context.newPage();
}

/** @param {Page} page @param {string} name @param {boolean} fromTop whether to scroll to the top first. */
async function shoot(page, name, fromTop = true) {
  await page.mouse.move(1, 1);
  if (fromTop) await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }));
  // Wait for the end of animations.
  await page.waitForTimeout(700);
  const path = join(folder, `${name}.jpg`);
  await page.screenshot({ path, type: 'jpeg', quality: 82 });
  console.log(resolve(path));
  await page.context().close();
}

for (const { name, context, reach } of STATES) {
  const page = await open(context);
  await page.goto(`${server.origin}/`);
  await ready(page);
  await reach(page);
  await shoot(page, name, name !== 'phone-suggestions');
}

for (const [code, spoil] of ERRORS) {
  const page = await open({ viewport: { width: 1280, height: 620 } });
  await page.goto(`${server.origin}/`);
  await ready(page);
  await clickPosters(page, 0, 4, 9);
  await spoil(server, page);
  await page.reload();
  const found = await failureCode(page);
  if (found !== code) throw new Error(`expected the error ${code}, not ${found}`);
  server.heal();
  await shoot(page, `error-${code}`);
}

await writeFile(join(folder, 'clicks.gif'), await movingPicture());
console.log(resolve(join(folder, 'clicks.gif')));
await browser.close();
await server.close();

/** A visit in a few seconds: a first look, five clicks, a like, and the map. */
async function movingPicture() {
  const page = await open({ viewport: { width: 1000, height: 640 } });
  const movie = gifenc.GIFEncoder();
  /** @param {number} delay in milliseconds. */
  const frame = async (delay) => {
    await page.waitForTimeout(350);
    const { data, width, height } = PNG.sync.read(await page.screenshot());
    // Each frame has its own palette. One for all would turn posters grey.
    const palette = gifenc.quantize(data, 128);
    movie.writeFrame(gifenc.applyPalette(data, palette), width, height, { palette, delay });
  };
  await page.goto(`${server.origin}/`);
  await ready(page);
  await frame(1200);
  for (const place of FIVE_CLICKS.slice(0, 4)) {
    await clickPosters(page, place);
    await page.mouse.move(1, 1);
    await frame(700);
  }
  await explained(page);
  await frame(1600);
  await settled(page, () => page.locator('[data-act=like]').first().click());
  await frame(1100);
  await openMap(page);
  await frame(2600);
  movie.finish();
  return movie.bytes();
}
