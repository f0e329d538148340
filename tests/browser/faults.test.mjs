/**
 * Faults of the server, the browser and the disk: the page shows the error, keeps the list, and recovers without a
 * reload.
 */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import {
  FIXTURE,
  bundleFiles,
  chances,
  clickPosters,
  failureCode,
  ranked,
  ready,
  shown,
  site,
  suggested,
  suggestedOthers,
  watchedIds,
} from './harness.mjs';
import { SHORT_STALL, WASM, recovers, tryAgain, visitorWithList } from './recovery.mjs';
import { STRICT_POLICY } from './server.mjs';

const here = site();
const files = await bundleFiles(FIXTURE);
const required = files.filter(({ optional }) => !optional).map(({ path }) => `/models/${path}`);

afterEach(() => here.server.heal());

/** @param {string} code @param {string} place a part of the message @param {() => void} spoil */
const failsAndRecovers = async (code, place, spoil) =>
  recovers(here, await visitorWithList(here), code, spoil, place);

for (const path of ['/models/manifest.json', ...required, WASM, '/web/worker.js']) {
  test(`404 on ${path}`, () =>
    failsAndRecovers('http-status', path, () => here.server.faults.set(path, { status: 404 })));
}

test('500 on the manifest', () =>
  failsAndRecovers('http-status', '500', () => here.server.faults.set('/models/manifest.json', { status: 500 })));

for (const path of required) {
  test(`one corrupted byte in ${path}`, () =>
    failsAndRecovers('file-hash-mismatch', path.split('/').at(-1) ?? '', () =>
      here.server.faults.set(path, { flipByteAt: -9 }),
    ));
  test(`${path} truncated`, () =>
    failsAndRecovers('file-size-mismatch', path.split('/').at(-1) ?? '', () =>
      here.server.faults.set(path, { truncateTo: 100 }),
    ));
  test(`${path} stalled`, () =>
    failsAndRecovers('timeout', path, () => {
      here.server.faults.set(path, { stallAfter: 50 });
      here.server.faults.set('/', SHORT_STALL);
    }));
}

test('one corrupted byte in the manifest', () =>
  failsAndRecovers('manifest-invalid', 'manifest.json', () =>
    here.server.faults.set('/models/manifest.json', { flipByteAt: 0 }),
  ));

test('a manifest that names a file elsewhere', () =>
  failsAndRecovers('manifest-invalid', 'elsewhere.example', () =>
    here.server.faults.set('/models/manifest.json', {
      replace: ['"catalog.json"', '"https://elsewhere.example/catalog.json"'],
    }),
  ));

test('the wasm module corrupted', () =>
  failsAndRecovers('wasm-invalid', WASM, () => here.server.faults.set(WASM, { flipByteAt: 0 })));
test('the wasm module truncated', () =>
  failsAndRecovers('wasm-invalid', WASM, () => here.server.faults.set(WASM, { truncateTo: 5 })));
test('the wasm module stalled', () =>
  failsAndRecovers('timeout', WASM, () => {
    here.server.faults.set(WASM, { stallAfter: 50 });
    here.server.faults.set('/', SHORT_STALL);
  }));

test('the wasm module with a wrong MIME type still works', async () => {
  here.server.faults.set(WASM, { type: 'application/octet-stream' });
  const page = await here.open();
  await clickPosters(page, 0);
  assert.ok((await suggested(page)).length > 0);
});

test('wasm blocked by the policy', () =>
  failsAndRecovers('wasm-blocked', "'wasm-unsafe-eval'", () =>
    here.server.setPolicy(STRICT_POLICY.replace(" 'wasm-unsafe-eval'", '')),
  ));

test('workers blocked by the policy', async () => {
  // The document itself has this policy, so the remedy is a reload.
  const { page, list } = await visitorWithList(here);
  here.server.setPolicy(STRICT_POLICY.replace("worker-src 'self'", "worker-src 'none'"));
  await page.reload();
  assert.equal(await failureCode(page), 'worker-blocked');
  assert.match((await page.locator('.failure-detail').textContent()) ?? '', /worker-src/);
  assert.deepEqual(await watchedIds(page), list);
  here.server.heal();
  await page.reload();
  await ready(page);
  assert.deepEqual(await watchedIds(page), list);
});

test('fetching blocked by the policy', async () => {
  here.server.setPolicy(STRICT_POLICY.replace("connect-src 'self'", "connect-src 'none'"));
  const page = await here.blank();
  await page.goto(`${here.server.origin}/`);
  assert.equal(await failureCode(page), 'fetch-failed');
  assert.match((await page.locator('.failure-detail').textContent()) ?? '', /connect-src/);
});

test('a browser without SIMD is told so before anything is fetched', async () => {
  const page = await here.blank();
  await page.addInitScript(() => {
    WebAssembly.validate = () => false;
  });
  here.server.requests.length = 0;
  await page.goto(`${here.server.origin}/`);
  assert.equal(await failureCode(page), 'wasm-unsupported');
  assert.deepEqual(here.server.requests.filter((path) => path.startsWith('/models/') || path === WASM), []);
});

test('a failing states file leaves the taste model at work, and can be tried again', async () => {
  const path = `/models/${files.find(({ name }) => name === 'states')?.path}`;
  for (const [fault, code] of /** @type {const} */ ([
    [{ status: 404 }, 'http-status'],
    [{ flipByteAt: -9 }, 'file-hash-mismatch'],
    [{ truncateTo: 90 }, 'file-size-mismatch'],
  ])) {
    const { page, suggestions } = await visitorWithList(here);
    here.server.faults.set(path, fault);
    await page.getByLabel('Viewers like you').click();
    assert.equal(await failureCode(page), code);
    assert.deepEqual(await suggested(page), suggestions);
    assert.ok(await page.getByLabel('Taste model').isChecked());
    here.server.heal();
    await page.getByRole('button', { name: 'Try again' }).click();
    await suggestedOthers(page, suggestions);
    assert.ok(await page.getByLabel('Viewers like you').isChecked());
    await page.context().close();
  }
});

const [RANKER, TRAITS] = ['ranker', 'traits'].map((role) => `/models/${files.find(({ name }) => name === role)?.path}`);

/** @type {[string, string, import('./server.mjs').Fault, string][]} */
const RANKER_FAULTS = [
  ['404 on the ranker', RANKER, { status: 404 }, 'http-status'],
  ['404 on the traits', TRAITS, { status: 404 }, 'http-status'],
  ['one corrupted byte in the ranker', RANKER, { flipByteAt: -9 }, 'file-hash-mismatch'],
  ['the traits truncated', TRAITS, { truncateTo: 100 }, 'file-size-mismatch'],
];

for (const [name, path, fault, code] of RANKER_FAULTS) {
  test(`${name}: the suggestions stay, a line says so, and trying again goes past the cache`, async () => {
    const { page, list, suggestions } = await visitorWithList(here);
    here.server.faults.set(path, fault);
    await page.reload();
    await ready(page);
    const line = page.locator('#ranker-status');
    assert.equal(await line.getAttribute('data-code'), code);
    assert.match(await line.innerText(), /couldn’t be loaded/);
    await page.waitForFunction(() => inside().querySelector('#announcer')?.textContent?.includes("couldn’t be loaded"));
    assert.equal(await page.locator('.failure-panel').count(), 0);
    assert.equal((await suggested(page)).length, suggestions.length);
    assert.deepEqual(await chances(page), {});
    assert.equal(await page.locator('.similar-open').first().isVisible(), false);
    await clickPosters(page, 7);
    assert.equal((await suggested(page)).length, suggestions.length);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForFunction(() =>
      inside().querySelector('#ranker-words')?.textContent?.includes('couldn’t be loaded'),
    );
    here.server.heal();
    const retried = page.waitForRequest((request) => new URL(request.url()).pathname === path);
    await page.getByRole('button', { name: 'Try again' }).click();
    assert.equal((await (await retried).allHeaders())['cache-control'], 'no-cache');
    await ranked(page);
    assert.equal(await line.isVisible(), false);
    assert.equal(await page.evaluate(() => focused()?.id), 'suggestions', 'the pressed button is gone');
    assert.equal(Object.keys(await chances(page)).length, suggestions.length);
    assert.deepEqual((await watchedIds(page)).slice(1), list);
    assert.deepEqual(page.errors, []);
  });
}

test('a slow ranker keeps nobody waiting, and the page asks again by itself', async () => {
  const { page, suggestions } = await visitorWithList(here);
  here.server.faults.set(TRAITS, { delayMs: 2000 });
  await page.reload();
  await shown(page);
  assert.equal((await suggested(page)).length, suggestions.length);
  assert.deepEqual(await chances(page), {});
  await clickPosters(page, 7);
  assert.equal(await page.locator('#root').getAttribute('data-ranker'), 'coming');
  const height = () => page.locator('.chance').first().evaluate((chance) => chance.getBoundingClientRect().height);
  const before = await height();
  await ranked(page);
  assert.equal(Object.keys(await chances(page)).length, suggestions.length);
  assert.equal(await height(), before, 'its room was kept');
});

test('a stalled ranker is given up with a line, and the suggestions work before and after', async () => {
  const { page, suggestions } = await visitorWithList(here);
  here.server.faults.set(TRAITS, { stallAfter: 50 });
  here.server.faults.set('/', SHORT_STALL);
  await page.reload();
  await shown(page);
  await clickPosters(page, 7);
  assert.equal((await suggested(page)).length, suggestions.length);
  const line = page.locator('#ranker-status');
  await line.waitFor();
  assert.equal(await line.getAttribute('data-code'), 'timeout');
  await clickPosters(page, 8);
  assert.equal((await suggested(page)).length, suggestions.length);
  here.server.heal();
  await page.getByRole('button', { name: 'Try again' }).click();
  await ranked(page);
});

test('a worker that dies is replaced on demand', async () => {
  const { page, list } = await visitorWithList(here);
  // An uncaught error ends the worker, like running out of memory.
  const [worker] = page.workers();
  await worker.evaluate(() => {
    setTimeout(() => {
      throw new Error('made to fail');
    });
  });
  await page.locator('.tile').nth(8).click();
  assert.equal(await failureCode(page), 'worker-crashed');
  await tryAgain(page);
  assert.deepEqual((await watchedIds(page)).slice(1), list);
  assert.ok((await suggested(page)).length > 0);
});

test('without its script, the page itself says that something is wrong', async () => {
  here.server.faults.set('/web/watch-next.js', { status: 404 });
  const page = await here.blank();
  await page.goto(`${here.server.origin}/`);
  assert.equal(await page.locator('#stuck').isVisible(), false);
  await page.locator('#stuck').waitFor({ state: 'visible', timeout: 12_000 });
});
