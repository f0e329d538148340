/**
 * Takes the pictures of the docs: `node tests/browser/screenshots.mjs FOLDER`. It shows the built site (WATCHNEXT_DIST, else
 * dist/) with the models that it ships.
 */

import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { clickPosters, failureCode, launch, ready } from './harness.mjs';
import { startServer } from './server.mjs';

const folder = process.argv[2];
if (!folder) {
  console.error('usage: node tests/browser/screenshots.mjs FOLDER');
  process.exit(2);
}

const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const THREE_CLICKS = [0, 4, 9];

/** @type {{name: string, context: import('playwright-core').BrowserContextOptions, clicks?: number[], failing?: boolean}[]} */
const SHOTS = [
  { name: 'first-visit', context: DESKTOP },
  { name: 'after-three-clicks', context: DESKTOP, clicks: THREE_CLICKS },
  { name: 'dark', context: { ...DESKTOP, colorScheme: 'dark' }, clicks: THREE_CLICKS },
  { name: 'phone', context: PHONE },
  { name: 'phone-suggestions', context: PHONE, clicks: THREE_CLICKS },
  { name: 'error', context: DESKTOP, failing: true },
];

await mkdir(folder, { recursive: true });
const server = await startServer();
const browser = await launch();
for (const { name, context: options, clicks = [], failing } of SHOTS) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(`${server.origin}/`);
  await ready(page);
  await clickPosters(page, ...clicks);
  if (failing) {
    await clickPosters(page, ...THREE_CLICKS);
    server.faults.set('/models/movies.safetensors', { truncateTo: 1000 });
    await page.reload();
    await failureCode(page);
    server.heal();
  }
  if (name === 'phone-suggestions') await page.locator('#jump').click();
  await page.mouse.move(1, 1);
  // Lets what moves come to rest.
  await page.waitForTimeout(700);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path });
  console.log(resolve(path));
  await context.close();
}
await browser.close();
await server.close();
