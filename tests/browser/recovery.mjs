/** Visits that meet a fault, and how the page recovers from it. */

import assert from 'node:assert/strict';
import { clickPosters, failureCode, ready, suggested, watchedIds } from './harness.mjs';

/** @typedef {ReturnType<typeof import('./harness.mjs').site>} Site */
/** @typedef {Awaited<ReturnType<typeof visitorWithList>>} Visit */

export const WASM = '/web/engine/watchnext_bg.wasm';

/** A fault of the page itself: it gives up stalled transfers soon, or the tests would take minutes. */
export const SHORT_STALL = {
  replace: /** @type {[string, string]} */ (['bundle="models/"', 'stall-ms="1500" bundle="models/"']),
};

/** A page whose visitor has three movies in the list. @param {Site} here */
export async function visitorWithList(here) {
  const page = await here.open();
  await clickPosters(page, 0, 3, 5);
  return { page, list: await watchedIds(page), suggestions: await suggested(page) };
}

/** Checks that the list and the suggestions are back, and follow a click. @param {Visit} visit */
export async function works({ page, list, suggestions }) {
  assert.deepEqual(await watchedIds(page), list);
  assert.deepEqual(new Set(await suggested(page)), new Set(suggestions));
  await clickPosters(page, 7);
  assert.equal((await watchedIds(page)).length, list.length + 1);
}

/**
 * Presses the button after an error, and waits until the page is ready.
 * @param {import('playwright-core').Page} page
 */
export async function tryAgain(page) {
  await page.evaluate(() => performance.clearMarks());
  await page.getByRole('button', { name: 'Try again' }).click();
  await ready(page);
}

/**
 * Reloads into a fault, expects an error, removes the fault, and tries again without a reload.
 * @param {Site} here
 * @param {Visit} visit
 * @param {string} code of the error
 * @param {() => void} spoil
 * @param {string} [place] a part of the error's message
 */
export async function recovers(here, visit, code, spoil, place = '') {
  const { page, list } = visit;
  spoil();
  await page.reload();
  assert.equal(await failureCode(page), code);
  const message = (await page.locator('.failure-detail').textContent()) ?? '';
  assert.ok(message.includes(place), `the message names ${place}`);
  assert.deepEqual(await watchedIds(page), list, 'the list stays in view');
  here.server.heal();
  await tryAgain(page);
  assert.equal(await page.locator('.failure-panel').count(), 0);
  await works(visit);
  assert.deepEqual(page.errors, []);
}
