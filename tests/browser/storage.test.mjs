/** The list in the browser's storage: damaged, full, blocked, or shared with another tab. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clickPosters, ready, site, suggested, watchedCount, watchedIds } from './harness.mjs';

const here = site();
const KEY = 'watchnext.list.v1';

/** Texts that an extension, another version or a full disk could leave in the storage. */
const DAMAGED = {
  'no JSON': '{"version":1,"movies":[',
  'another kind of JSON': '[1,2,3]',
  null: 'null',
  'a future version': '{"version":2,"movies":[]}',
  'an entry without an id': '{"version":1,"movies":[{"title":"Heat","year":1995,"genres":[]}]}',
  'an id that is no integer': '{"version":1,"movies":[{"movieId":1.5,"title":"Heat","year":1995,"genres":[]}]}',
  'an unknown reaction':
    '{"version":1,"movies":[{"movieId":1,"title":"Heat","year":1995,"genres":[],"reaction":"__proto__"}]}',
  'the same movie twice':
    '{"version":1,"movies":[{"movieId":1,"title":"Heat","year":1995,"genres":[]},' +
    '{"movieId":1,"title":"Heat","year":1995,"genres":[]}]}',
};

for (const [what, text] of Object.entries(DAMAGED)) {
  test(`a damaged list (${what}) starts empty, says so, and can be filled again`, async () => {
    const page = await here.blank();
    await page.addInitScript(([key, value]) => {
      if (!sessionStorage.getItem('planted')) localStorage.setItem(key, value);
      sessionStorage.setItem('planted', 'yes');
    }, [KEY, text]);
    await page.goto(`${here.server.origin}/`);
    await ready(page);
    assert.match(await page.locator('#notice').innerText(), /damaged/);
    assert.deepEqual(await watchedIds(page), []);
    await clickPosters(page, 0);
    await page.reload();
    await ready(page);
    assert.equal((await watchedIds(page)).length, 1);
    assert.deepEqual(page.errors, []);
  });
}

test('storage that is full: the page works and says that the list will not last', async () => {
  const page = await here.blank();
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
  });
  await page.goto(`${here.server.origin}/`);
  await ready(page);
  await clickPosters(page, 0, 1);
  assert.match(await page.locator('#notice').innerText(), /could not be kept/);
  assert.ok((await suggested(page)).length > 0);
});

test('storage that is blocked: the page works and says that the list will not last', async () => {
  const page = await here.blank();
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('blocked', 'SecurityError');
      },
    });
  });
  await page.goto(`${here.server.origin}/`);
  await ready(page);
  await clickPosters(page, 0, 1);
  assert.match(await page.locator('#notice').innerText(), /keeps no data|could not be kept/);
  assert.ok((await suggested(page)).length > 0);
});

test('two tabs show one list', async () => {
  const first = await here.open();
  const second = await first.context().newPage();
  await second.goto(`${here.server.origin}/`);
  await ready(second);
  await clickPosters(first, 0, 4);
  await watchedCount(second, 2);
  assert.deepEqual(await watchedIds(second), await watchedIds(first));
  assert.equal(await second.locator('.tile[aria-pressed=true]').count(), 2);
});

test('a movie that the catalogue does not know stays in the list, marked, and can be removed', async () => {
  const page = await here.blank();
  await page.addInitScript(
    ([key]) => {
      localStorage.setItem(
        key,
        '{"version":1,"movies":[{"movieId":4000000000,"title":"<b>Lost</b> & Found","year":null,"genres":[]}]}',
      );
    },
    [KEY],
  );
  await page.goto(`${here.server.origin}/`);
  await ready(page);
  const frame = page.locator('.frame-unknown');
  assert.equal(await frame.locator('.frame-title').innerText(), '<b>Lost</b> & Found');
  await frame.locator('[data-act=remove]').click();
  assert.deepEqual(await watchedIds(page), []);
});
