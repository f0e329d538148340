/** Visits without a network, and deploys at any moment: every visit has one whole version of the page. */

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, before, test } from 'node:test';
import { pageOfVersion, temporaryFolder } from './copies.mjs';
import { clickPosters, failureCode, lookInside, openMap, ready, site, suggested, watchedIds } from './harness.mjs';

const folder = await temporaryFolder();
const here = site({ site: join(folder, 'one') });

/** The page's folder on its host. */
const PLACE = '/some/folder/';
const address = () => here.server.origin + PLACE;

before(async () => {
  for (const version of ['one', 'two']) await pageOfVersion(join(folder, version, PLACE), version);
});
afterEach(() => {
  here.server.heal();
  here.server.setSite(join(folder, 'one'));
});

/** @param {import('playwright-core').Page} page @param {string} [query] */
async function visit(page, query = '') {
  await page.goto(address() + query);
  await ready(page);
}

/**
 * Waits until an asynchronous condition holds in the page.
 * @template T
 * @param {import('playwright-core').Page} page
 * @param {(argument: T) => Promise<unknown>} holds
 * @param {T} [argument]
 */
async function until(page, holds, argument) {
  for (let tries = 0; !(await page.evaluate(/** @type {any} */ (holds), argument)); tries++) {
    assert.ok(tries < 400, `never: ${holds}`);
    await page.waitForTimeout(50);
  }
}

/**
 * Waits until the newest version is kept: active after a first visit, waiting after a later one.
 * @param {import('playwright-core').Page} page
 * @param {'active' | 'waiting'} state
 */
async function kept(page, state) {
  await until(
    page,
    async (wanted) =>
      (await navigator.serviceWorker.getRegistration())?.[wanted]?.state ===
      { active: 'activated', waiting: 'installed' }[wanted],
    state,
  );
}

/**
 * Leaves the page, and waits until the browser has activated the waiting version.
 * @param {import('playwright-core').Page} page
 */
async function close(page) {
  const outside = `${here.server.origin}/outside.html`;
  await page.route(outside, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.goto(outside);
  await until(page, async (place) => !(await navigator.serviceWorker.getRegistration(place))?.waiting, PLACE);
}

/** Waits until an update has failed. Only the version in use is left. @param {import('playwright-core').Page} page */
async function updateFails(page) {
  assert.equal(
    await page.evaluate(async () => {
      const registration = /** @type {ServiceWorkerRegistration} */ (await navigator.serviceWorker.getRegistration());
      // The browser may be updating already. Then this is the same update.
      const update = await registration.update().catch(() => registration);
      const worker = update.installing;
      await new Promise((done) => {
        if (!worker || worker.state === 'redundant') done(undefined);
        worker?.addEventListener('statechange', () => worker.state === 'redundant' && done(undefined));
      });
      return registration.waiting ?? registration.installing;
    }),
    null,
  );
}

/** A visitor whose browser has kept the page. */
async function visitor() {
  const page = await here.blank({ serviceWorkers: 'allow' });
  await visit(page);
  await clickPosters(page, 0, 3, 5);
  await kept(page, 'active');
  return page;
}

/**
 * The versions that a page shows in its script, its words and its bundle.
 * @param {import('playwright-core').Page} page
 */
async function versions(page) {
  const program = await page.locator('html').getAttribute('data-program');
  const words = await page.locator('#wall-title').textContent();
  const titles = await page.locator('.tile').evaluateAll((tiles) => tiles.map((tile) => tile.textContent ?? ''));
  assert.ok(titles.length > 20);
  const bundles = new Set(titles.map((title) => /\b(one|two|three)\b/.exec(title)?.[0]));
  return [program, words, ...bundles].join();
}
const ONE = 'one,one,one';
const TWO = 'two,two,two';

/** Waits until only one version is kept. @param {import('playwright-core').Page} page */
const oneCache = (page) => until(page, async () => (await globalThis.caches.keys()).length === 1);

/** Damages a kept file. @param {import('playwright-core').Page} page @param {string} part of its address */
async function damage(page, part) {
  const count = await page.evaluate(async (wanted) => {
    const cache = await globalThis.caches.open((await globalThis.caches.keys())[0]);
    const damaged = (await cache.keys()).filter(({ url }) => url.includes(wanted));
    for (const request of damaged) {
      const response = /** @type {Response} */ (await cache.match(request));
      const { length } = new Uint8Array(await response.arrayBuffer());
      await cache.put(request, new Response(new Uint8Array(length), response));
    }
    return damaged.length;
  }, part);
  assert.equal(count, 1);
}

test('after one visit the page works without a network, with all its parts and languages', async () => {
  const page = await visitor();
  const [list, suggestions] = [await watchedIds(page), await suggested(page)];
  here.server.setDown(true);
  await visit(page);
  assert.deepEqual(await watchedIds(page), list);
  assert.deepEqual(new Set(await suggested(page)), new Set(suggestions));
  await clickPosters(page, 7, 8);
  assert.equal((await watchedIds(page)).length, 5);
  await page.locator('.chance:not(.chance-unknown)').first().waitFor();
  await openMap(page);
  await page.keyboard.press('Escape');
  await page.locator('#language').selectOption('de');
  await page.waitForFunction(() => document.querySelector('#open-import')?.textContent === 'Importieren');
  for (const query of ['index.html', '?lang=fr', '#list=1-2']) {
    await page.goto('about:blank');
    await visit(page, query);
  }
  assert.deepEqual(page.errors, []);
  assert.deepEqual(page.foreign, []);
});

test('in a browser that is closed and opened again it works as well, at the first click', async () => {
  const page = await visitor();
  const context = page.context();
  await page.close();
  here.server.setDown(true);
  const later = await context.newPage();
  await visit(later);
  assert.equal((await watchedIds(later)).length, 3);
  assert.equal(await versions(later), ONE);
});

test('all that the list names is kept, states only once they were asked for', async () => {
  const page = await visitor();
  const paths = () =>
    page.evaluate(async () =>
      (await (await globalThis.caches.open((await globalThis.caches.keys())[0])).keys()).map(({ url }) => url),
    );
  const before = await paths();
  assert.ok(
    before.some((path) => path.includes('map.safetensors?v=')) && before.some((path) => path.includes('links.json?v=')),
  );
  assert.ok(!before.some((path) => path.includes('states')) && !before.some((path) => path.includes('examples')));
  const listed = JSON.parse(await readFile(join(folder, 'one', PLACE, 'offline.json'), 'utf8'));
  const always = Object.keys(listed).filter((path) => !listed[path][1]);
  assert.equal(before.length, always.length + 1, 'and the list itself');
  await visit(page);
  await page.getByLabel('Viewers like you').click();
  await until(page, async () =>
    (await (await globalThis.caches.open((await globalThis.caches.keys())[0])).keys()).some(({ url }) =>
      url.includes('states'),
    ),
  );
  here.server.setSite(join(folder, 'two'));
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  await kept(page, 'waiting');
  await close(page);
  here.server.setDown(true);
  await visit(page);
  assert.equal(await versions(page), TWO);
  await page.getByLabel('Viewers like you').click();
  await page.waitForFunction(
    () => inside().querySelector('input[value=states]')?.checked && !inside().querySelector('.failure-panel'),
  );
  assert.ok((await paths()).some((path) => path.includes('states')));
});

test('a deploy in the middle of a visit: open pages stay whole, the next visit has the new version', async () => {
  const page = await visitor();
  await page.goto(address(), { waitUntil: 'commit' });
  here.server.setSite(join(folder, 'two'));
  await ready(page);
  assert.equal(await versions(page), ONE);
  await kept(page, 'waiting');
  await page.reload();
  await ready(page);
  assert.equal(await versions(page), ONE);
  await openMap(page);
  const second = await page.context().newPage();
  await second.addInitScript(lookInside);
  await visit(second);
  assert.equal(await versions(second), ONE, 'two tabs have one version');
  await second.close();
  await close(page);
  await visit(page);
  assert.equal(await versions(page), TWO);
  assert.equal((await watchedIds(page)).length, 3);
  await oneCache(page);
  assert.deepEqual(page.errors, []);
});

test('a deploy while the first version is being kept: nothing is kept, the next visit keeps the new one', async () => {
  const page = await here.blank({ serviceWorkers: 'allow' });
  const list = `${PLACE}offline.json`;
  here.server.faults.set(list, { delayMs: 1000 });
  const earlier = here.server.requests.length;
  await visit(page);
  // The first version's worker has asked for its list, and gets that of the second version.
  while (!here.server.requests.includes(list, earlier)) await page.waitForTimeout(20);
  here.server.setSite(join(folder, 'two'));
  await until(
    page,
    async () =>
      (await navigator.serviceWorker.getRegistration()) === undefined && (await globalThis.caches.keys()).length === 0,
  );
  assert.equal(await versions(page), ONE);
  here.server.heal();
  await visit(page);
  await kept(page, 'active');
  here.server.setDown(true);
  await visit(page);
  assert.equal(await versions(page), TWO);
});

for (const [what, fault] of /** @type {[string, import('./server.mjs').Fault][]} */ ([
  ['missing', { status: 404 }],
  ['damaged', { flipByteAt: 40 }],
  ['cut short', { truncateTo: 40 }],
])) {
  test(`an update with one file ${what} leaves the old version whole, and comes when the file is there`, async () => {
    const page = await visitor();
    here.server.setSite(join(folder, 'two'));
    here.server.faults.set(`${PLACE}web/words/fr.json`, fault);
    await updateFails(page);
    await page.goto('about:blank');
    await visit(page);
    assert.equal(await versions(page), ONE);
    await oneCache(page);
    await page.locator('#language').selectOption('fr');
    await page.waitForFunction(() => document.querySelector('#open-import')?.textContent === 'Importer');
    here.server.heal();
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
    await kept(page, 'waiting');
    await close(page);
    await visit(page, '?lang=en');
    assert.equal(await versions(page), TWO);
  });
}

test('a kept program that is damaged: the page says that something is wrong, and a reload repairs it', async () => {
  const page = await visitor();
  await damage(page, 'web/watch-next.js');
  await page.goto('about:blank');
  await page.goto(address());
  await page.locator('#stuck').waitFor({ state: 'visible', timeout: 12_000 });
  await page.reload();
  await ready(page);
  assert.equal((await watchedIds(page)).length, 3);
  assert.equal(await versions(page), ONE);
  here.server.setDown(true);
  await visit(page);
  assert.equal(await versions(page), ONE);
});

test('a kept file of the bundle that is damaged: trying again repairs it, but not without a network', async () => {
  const page = await visitor();
  await damage(page, 'movies.safetensors');
  here.server.setDown(true);
  await page.goto('about:blank');
  await page.goto(address());
  assert.equal(await failureCode(page), 'file-hash-mismatch');
  assert.equal((await watchedIds(page)).length, 3);
  const again = page.getByRole('button', { name: 'Try again' });
  await again.click();
  await page.waitForTimeout(500);
  assert.equal(await failureCode(page), 'file-hash-mismatch');
  here.server.setDown(false);
  await again.click();
  await ready(page);
  assert.ok((await suggested(page)).length > 0);
  here.server.setDown(true);
  await visit(page);
  assert.equal(await versions(page), ONE);
});

test('a damaged file and a newer version on the server: they are never mixed, and the new one takes over', async () => {
  const page = await visitor();
  await damage(page, 'web/words/en.json');
  here.server.setSite(join(folder, 'two'));
  await page.goto('about:blank');
  await page.goto(address());
  await kept(page, 'waiting');
  await close(page);
  await visit(page);
  assert.equal(await versions(page), TWO);
});

test('a cache that was emptied is filled again', async () => {
  const page = await visitor();
  await page.evaluate(async () =>
    Promise.all((await globalThis.caches.keys()).map((name) => globalThis.caches.delete(name))),
  );
  await page.reload();
  await ready(page);
  here.server.setDown(true);
  await visit(page);
  assert.equal(await versions(page), ONE);
  await clickPosters(page, 8);
});

test('storage that is full: nothing is kept, and the page works as without', async () => {
  const page = await here.blank({ serviceWorkers: 'allow' });
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: here.server.origin, quotaSize: 200_000 });
  await visit(page);
  await clickPosters(page, 0);
  await page.evaluate(async () => {
    const { installing } = (await navigator.serviceWorker.getRegistration()) ?? {};
    await new Promise((done) => {
      if (!installing) done(undefined);
      installing?.addEventListener('statechange', done);
    });
  });
  await until(
    page,
    async () =>
      (await navigator.serviceWorker.getRegistration()) === undefined && (await globalThis.caches.keys()).length === 0,
  );
  await visit(page);
  assert.ok((await suggested(page)).length > 0);
  assert.equal((await watchedIds(page)).length, 1);
  assert.deepEqual(page.errors, []);
  await session.send('Storage.overrideQuotaForOrigin', { origin: here.server.origin });
  await visit(page);
  await kept(page, 'active');
});

for (const status of [404, 500]) {
  test(`a host that answers ${status} for the service worker: the page works as without`, async () => {
    here.server.faults.set(`${PLACE}offline.js`, { status });
    const page = await here.blank({ serviceWorkers: 'allow' });
    await visit(page);
    await clickPosters(page, 0);
    assert.equal(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length), 0);
    assert.deepEqual(page.errors, []);
  });
}

test('other pages that embed the widget are never answered from our cache', async () => {
  const page = await visitor();
  here.server.setSite(join(folder, 'two'));
  const host = `${here.server.origin}/host.html`;
  await page.route(host, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body:
        `<!doctype html><html lang="en"><script type="module" src="${PLACE}web/watch-next.js"></script>` +
        '<watch-next></watch-next>',
    }),
  );
  here.server.requests.length = 0;
  await page.goto(host);
  await ready(page);
  assert.equal(await page.locator('#wall-title').textContent(), 'two');
  for (const path of ['web/worker.js', 'web/engine/watchnext_bg.wasm', 'models/manifest.json', 'models/catalog.json']) {
    assert.ok(here.server.requests.includes(PLACE + path), path);
  }
});

test('a model that is named is fetched as ever, and needs the network', async () => {
  const page = await visitor();
  await page.goto('about:blank');
  await page.goto(`${address()}?model=other`);
  assert.equal(await failureCode(page), 'http-status');
  here.server.setDown(true);
  await page.reload();
  assert.equal(await failureCode(page), 'fetch-failed');
});

test('a host that wants none of it any more takes it back by the line in docs/hosting.md', async () => {
  const page = await visitor();
  await pageOfVersion(join(folder, 'three', PLACE), 'three');
  const line = /`(addEventListener\('install'.*)`/.exec(
    await readFile(new URL('../../docs/hosting.md', import.meta.url), 'utf8'),
  )?.[1];
  await writeFile(join(folder, 'three', PLACE, 'offline.js'), /** @type {string} */ (line));
  here.server.setSite(join(folder, 'three'));
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  await until(page, async () => !(await navigator.serviceWorker.getRegistration()));
  here.server.faults.set(`${PLACE}offline.js`, { status: 404 });
  await close(page);
  await visit(page);
  assert.equal(await versions(page), 'three,three,three');
  assert.equal((await watchedIds(page)).length, 3);
});
