/**
 * Faults of everything but the bundle: the widget's own files, the page's, the worker's memory, the clock, the network.
 */

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { bundleWith, temporaryFolder } from './copies.mjs';
import {
  FIXTURE,
  bundleFiles,
  clickPosters,
  failureCode,
  openMap,
  ready,
  settled,
  shown,
  site,
  suggested,
  watchedCount,
  watchedIds,
} from './harness.mjs';
import { SHORT_STALL, WASM, recovers, tryAgain, visitorWithList, works } from './recovery.mjs';
import { DIST } from './server.mjs';

const here = site();
const files = await bundleFiles(FIXTURE);
const fileOf = (/** @type {string} */ role) => `/models/${files.find(({ name }) => name === role)?.path}`;
/** The map's script, which folding gives a hash in its name. */
const MAP = `/web/${(await readdir(join(DIST, 'web'))).find((name) => /^map-\w+\.js$/.test(name))}`;

/** The answer of a host that sends its own page for every missing file. */
const OTHER_PAGE = { body: Buffer.from('<!doctype html><title>My site</title><p>Hello'), type: 'text/html' };

afterEach(() => here.server.heal());

/** A visitor with a list, whose page gives up stalled transfers soon after the next load. */
async function visitor() {
  const visit = await visitorWithList(here);
  await visit.page.addInitScript(() => {
    const real = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = (ms) => real(Math.min(ms, 1500));
    const { set, get } = /** @type {{set: any, get: any}} */ (
      Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, 'timeout')
    );
    Object.defineProperty(XMLHttpRequest.prototype, 'timeout', {
      get,
      set(ms) {
        set.call(this, Math.min(ms, 1500));
      },
    });
    const later = setTimeout;
    window.setTimeout = /** @type {any} */ (
      (/** @type {any} */ work, /** @type {number} */ ms, /** @type {any[]} */ ...rest) =>
        later(work, ms === 20_000 ? 1500 : ms, ...rest)
    );
  });
  return visit;
}

/** @type {[string, import('./server.mjs').Fault][]} */
const FAULTS = [
  ['404', { status: 404 }],
  ['500', { status: 500 }],
  ['stalled', { stallAfter: 20 }],
  ['truncated', { truncateTo: 100 }],
  ['the host’s own page in its place', OTHER_PAGE],
];

for (const path of ['/web/watch-next.html', '/web/posters.json', '/web/words/en.json']) {
  for (const [what, fault] of FAULTS) {
    test(`${path}, ${what}: the widget says which file it lacks, and trying again is enough`, async () => {
      const visit = await visitor();
      const { page } = visit;
      here.server.faults.set(path, fault);
      await page.reload();
      assert.equal(await failureCode(page), 'fetch-failed');
      assert.ok((await page.locator('.failure-panel').innerText()).includes(path));
      const again = page.getByRole('button', { name: 'Try again' });
      await page.locator('.failure-panel').evaluate((panel) => panel.classList.add('first'));
      await again.click();
      await page.locator('.failure-panel:not(.first)').waitFor();
      here.server.heal();
      const retried = page.waitForRequest((request) => new URL(request.url()).pathname === path);
      await again.click();
      // After a failure the cache may hold a damaged file.
      assert.equal((await (await retried).allHeaders())['cache-control'], 'no-cache');
      await ready(page);
      await works(visit);
      assert.deepEqual(page.errors, []);
    });
  }
  test(`${path} with a wrong type still works`, async () => {
    here.server.faults.set(path, { type: path.endsWith('.html') ? 'text/html; charset=us-ascii' : 'text/plain' });
    await clickPosters(await here.open(), 0);
  });
}

for (const [what, fault] of FAULTS) {
  test(`the style sheet, ${what}: the widget does without its looks`, async () => {
    const visit = await visitor();
    here.server.faults.set('/web/watch-next.css', fault);
    await visit.page.reload({ waitUntil: 'commit' });
    await ready(visit.page);
    await works(visit);
    assert.deepEqual(visit.page.errors, []);
  });
}

for (const [what, fault] of FAULTS) {
  test(`the words of another language, ${what}: it speaks English`, async () => {
    const { page, list } = await visitor();
    here.server.faults.set('/web/words/de.json', fault);
    await page.goto(`${here.server.origin}/?lang=de`);
    await ready(page);
    assert.equal(await page.locator('#wall-title').textContent(), 'Seen any of these?');
    assert.deepEqual(await watchedIds(page), list);
    assert.deepEqual(page.errors, []);
  });
}

for (const [what, fault] of FAULTS) {
  test(`the page's own words, ${what}: the widget works, and the tools wait for the words`, async () => {
    const visit = await visitor();
    const { page } = visit;
    here.server.faults.set('/web/words/page/en.json', fault);
    await page.reload({ waitUntil: 'commit' });
    await ready(page);
    await works(visit);
    assert.ok(await page.locator('#open-import').isDisabled());
    here.server.heal();
    await page.locator('#open-import').click({ timeout: 15_000 });
    await page.locator('dialog#import').waitFor();
    assert.deepEqual(page.errors, []);
  });
}

for (const path of ['/web/runtime.js', '/web/watch-next.js']) {
  for (const [what, fault] of /** @type {typeof FAULTS} */ ([
    ...FAULTS.slice(0, 4),
    ['with a wrong type', { type: 'text/plain' }],
  ])) {
    test(`${path}, ${what}: the page itself says that something is wrong, and loading it again is enough`, async () => {
      const visit = await visitor();
      const { page } = visit;
      here.server.faults.set(path, fault);
      await page.reload({ waitUntil: 'commit' });
      await page.locator('#stuck').waitFor({ state: 'visible', timeout: 15_000 });
      here.server.heal();
      await page.reload();
      await ready(page);
      await works(visit);
    });
  }
}

for (const [what, fault] of FAULTS.slice(0, 4)) {
  test(`/web/page.js, ${what}: the widget works, and the tools can't be pressed`, async () => {
    const visit = await visitor();
    here.server.faults.set('/web/page.js', fault);
    await visit.page.reload({ waitUntil: 'commit' });
    await ready(visit.page);
    await works(visit);
    assert.ok(await visit.page.locator('#open-import').isDisabled());
    assert.ok(await visit.page.locator('#open-share').isDisabled());
  });
}

test('/web/address.js, 404: the page works in English', async () => {
  const visit = await visitor();
  here.server.faults.set('/web/address.js', { status: 404 });
  await visit.page.reload();
  await ready(visit.page);
  await works(visit);
});

for (const [what, fault] of FAULTS.filter(([name]) => name !== 'stalled')) {
  test(`the map's script, ${what}: a line says so, and the next click tries again`, async () => {
    const { page } = await visitor();
    await page.reload();
    await ready(page);
    here.server.faults.set(MAP, fault);
    await page.locator('#open-map').click();
    await page.locator('#offer').getByText('The map couldn’t be fetched.').waitFor();
    here.server.heal();
    await clickPosters(page, 7);
    if (fault.status) await openMap(page);
    assert.deepEqual(page.errors, []);
  });
}

for (const [what, fault] of FAULTS) {
  test(`the map's file, ${what}: the dialogue says so, and opening it again tries again`, async () => {
    const { page } = await visitor();
    here.server.faults.set('/', SHORT_STALL);
    await page.reload();
    await ready(page);
    here.server.faults.set(fileOf('map'), fault);
    await page.locator('#open-map').click();
    await page.getByText('The map couldn’t be fetched.').waitFor();
    await page.locator('.map .round').click();
    here.server.heal();
    await openMap(page);
    assert.deepEqual(page.errors, []);
  });
  test(`the links' file, ${what}: nobody misses them`, async () => {
    const visit = await visitor();
    here.server.faults.set('/', SHORT_STALL);
    here.server.faults.set(fileOf('links'), fault);
    await visit.page.reload();
    await ready(visit.page);
    await works(visit);
    assert.equal(await visit.page.locator('.failure-panel').count(), 0);
    assert.deepEqual(visit.page.errors, []);
  });
}

/** @param {string} code @param {() => void} spoil */
const failsAndRecovers = async (code, spoil) => recovers(here, await visitor(), code, spoil);

for (const role of ['catalog', 'movies', 'user_tower']) {
  test(`500 on ${role}`, () =>
    failsAndRecovers('http-status', () => here.server.faults.set(fileOf(role), { status: 500 })));
  test(`the host's own page in the place of ${role}`, () =>
    failsAndRecovers('file-size-mismatch', () => here.server.faults.set(fileOf(role), OTHER_PAGE)));
}
test('500 on the wasm module', () =>
  failsAndRecovers('http-status', () => here.server.faults.set(WASM, { status: 500 })));
test("the host's own page in the place of the wasm module", () =>
  failsAndRecovers('wasm-invalid', () => here.server.faults.set(WASM, OTHER_PAGE)));
test("the host's own page in the place of the manifest", () =>
  failsAndRecovers('manifest-invalid', () => here.server.faults.set('/models/manifest.json', OTHER_PAGE)));
test('the manifest truncated', () =>
  failsAndRecovers('manifest-invalid', () => here.server.faults.set('/models/manifest.json', { truncateTo: 300 })));
test('500 on the worker', () =>
  failsAndRecovers('http-status', () => here.server.faults.set('/web/worker.js', { status: 500 })));
test('the worker stalled', () =>
  failsAndRecovers('timeout', () => here.server.faults.set('/web/worker.js', { stallAfter: 100 })));
test('the worker truncated', () =>
  failsAndRecovers('worker-blocked', () => here.server.faults.set('/web/worker.js', { truncateTo: 300 })));
test('the worker with a wrong type', () =>
  failsAndRecovers('worker-blocked', () => here.server.faults.set('/web/worker.js', { type: 'text/plain' })));
test('the manifest stalled', () =>
  failsAndRecovers('timeout', () => {
    here.server.faults.set('/models/manifest.json', { stallAfter: 50 });
    here.server.faults.set('/', SHORT_STALL);
  }));

test('a deploy in the middle of a load: two versions are never mixed, and trying again has the new one', async () => {
  const folder = join(await temporaryFolder(), 'bundle');
  await bundleWith(folder, (catalog) => {
    catalog.title = catalog.title.map((/** @type {string} */ title) => `${title.slice(0, -1)}!`);
  });
  const page = await here.blank();
  here.server.faults.set(fileOf('catalog'), { body: await readFile(join(folder, 'catalog.json')) });
  await page.goto(`${here.server.origin}/`);
  assert.match((await failureCode(page)) ?? '', /^file-(size|hash)-mismatch$/);
  here.server.faults.set('/models/manifest.json', { body: await readFile(join(folder, 'manifest.json')) });
  await page.getByRole('button', { name: 'Try again' }).click();
  await ready(page);
  assert.match(await page.locator('.tile').first().innerText(), /!/);
});

test('the network goes in the middle of a load: the visitor is told, and goes on when it is back', async () => {
  const visit = await visitor();
  const { page, list } = visit;
  here.server.faults.set(fileOf('movies'), { delayMs: 1000 });
  await page.reload({ waitUntil: 'load' });
  here.server.setDown(true);
  assert.equal(await failureCode(page), 'fetch-failed');
  assert.deepEqual(await watchedIds(page), list);
  here.server.heal();
  await tryAgain(page);
  await works(visit);
});

test('the network goes after the load: everything on the page goes on', async () => {
  const visit = await visitor();
  here.server.setDown(true);
  await works(visit);
  await visit.page.locator('#search-input').fill('the');
  await visit.page.locator('#search-list [role=option]').first().waitFor();
});

/** A wasm module whose memory can't grow, as on a machine without free memory. @param {Buffer} module */
function withoutMoreMemory(module) {
  const number = (/** @type {number} */ at) => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return { value, at };
    }
  };
  for (let at = 8; at < module.length; ) {
    const id = module[at];
    const length = number(at + 1);
    const end = length.at + length.value;
    if (id === 5) {
      // One memory with a least size gets the same size as its most.
      const [count, flags] = module.subarray(length.at, length.at + 2);
      assert.deepEqual([count, flags], [1, 0]);
      const size = module.subarray(length.at + 2, end);
      return Buffer.concat([
        module.subarray(0, at),
        Buffer.from([5, 2 + 2 * size.length, 1, 1]),
        size,
        size,
        module.subarray(end),
      ]);
    }
    at = end;
  }
  throw new Error('no memory');
}

test('no memory left for the movies: the visitor is told that the recommender stopped, and can try again', async () => {
  const module = withoutMoreMemory(await readFile(join(DIST, WASM)));
  await failsAndRecovers('worker-crashed', () => here.server.faults.set(WASM, { body: module }));
});

test('a worker that is killed while it works: every question is answered, and the list is kept', async () => {
  const { page } = await visitor();
  const [worker] = page.workers();
  // It dies in the middle of the next answer.
  await worker.evaluate(() => {
    const send = self.postMessage.bind(self);
    self.postMessage = (/** @type {any} */ message) =>
      message.result?.suggestions
        ? setTimeout(() => {
            throw new Error('killed');
          })
        : send(message);
  });
  // Both questions are open then.
  await page.evaluate(() => {
    for (const place of [8, 9]) /** @type {HTMLElement} */ (inside().querySelectorAll('.tile')[place]).click();
  });
  assert.equal(await failureCode(page), 'worker-crashed');
  const list = await watchedIds(page);
  assert.equal(list.length, 5);
  await tryAgain(page);
  assert.deepEqual(await watchedIds(page), list);
  assert.ok((await suggested(page)).length > 0);
});

for (const [what, time] of /** @type {[string, number][]} */ ([
  ['at the beginning of 1970', 0],
  ['before 1970', -1e12],
  ['in the year 2100', 4_102_444_800_000],
  ['in the year 9999', 253_402_300_799_000],
])) {
  test(`a clock that stands ${what} gives suggestions`, async () => {
    const page = await here.blank();
    await page.addInitScript((now) => { Date.now = () => now; }, time);
    await page.goto(`${here.server.origin}/`);
    await ready(page);
    await clickPosters(page, 0, 3);
    assert.ok((await suggested(page)).length > 0);
    assert.equal(await page.locator('.failure-panel').count(), 0);
  });
}

test('a clock that is set back and forth during the visit harms nothing', async () => {
  const page = await here.open();
  for (const [place, years] of [[0, -30], [3, 40], [5, 0]]) {
    await page.evaluate((shift) => {
      const day = Date.UTC(2026, 1, 1);
      Date.now = () => day + shift * 365 * 86_400_000;
    }, years);
    await clickPosters(page, place);
    assert.ok((await suggested(page)).length > 0);
  }
  assert.deepEqual(page.errors, []);
});

test('storage that another tab clears: the list is empty here too, and can be filled again', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 3);
  const other = await page.context().newPage();
  await other.goto(`${here.server.origin}/models/manifest.json`);
  await other.evaluate(() => localStorage.clear());
  await watchedCount(page, 0);
  await clickPosters(page, 5);
  await page.reload();
  await ready(page);
  assert.equal((await watchedIds(page)).length, 1);
});

test('two tabs that click at once end with one list', async () => {
  const first = await here.open();
  const second = await first.context().newPage();
  await second.goto(`${here.server.origin}/`);
  await ready(second);
  for (const place of [0, 3, 5, 7]) {
    await Promise.all([first.locator('.tile').nth(place).click(), second.locator('.tile').nth(place + 20).click()]);
  }
  await first.waitForTimeout(500);
  const stored = await first.evaluate(() =>
    JSON.parse(localStorage.getItem('watchnext.list.v1') ?? '{}')
      .movies.map((/** @type {any} */ { movieId }) => String(movieId))
      .reverse(),
  );
  assert.ok(stored.length > 0);
  await settled(first, () => first.locator('.tile').nth(9).click());
  await watchedCount(second, (await watchedIds(first)).length);
  assert.deepEqual(await watchedIds(second), await watchedIds(first));
});

test('a stall that is waited for without an end is no stall at once', async () => {
  const page = await here.blank();
  here.server.faults.set('/', { replace: ['bundle="models/"', 'stall-ms="Infinity" bundle="models/"'] });
  await page.goto(`${here.server.origin}/`);
  await shown(page);
  await ready(page);
});
