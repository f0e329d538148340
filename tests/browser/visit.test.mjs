/** A visit: look, click, search, like, remove, come back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FIXTURE,
  bundleFiles,
  catalogIds,
  chances,
  clickPosters,
  ready,
  settled,
  site,
  suggested,
  suggestedOthers,
  watchedCount,
  watchedIds,
} from './harness.mjs';

const here = site();

test('the first visit shows movies to click, an empty screen, and the promise', async () => {
  const page = await here.open();
  assert.ok((await page.locator('.tile').count()) >= 12);
  assert.ok(await page.locator('#suggestions-empty').isVisible());
  assert.equal(await page.locator('#suggestions-list').isVisible(), false);
  assert.match(await page.locator('.promise').innerText(), /nothing leaves/);
  assert.match(await page.locator('.credits').innerText(), /MovieLens/);
  assert.deepEqual(page.errors, []);
});

test('clicks bring suggestions, each with title, year and genres, never one that was watched', async () => {
  const page = await here.open();
  let earlier = '';
  for (const place of [0, 3, 5, 7]) {
    await clickPosters(page, place);
    const now = await suggested(page);
    assert.ok(now.length > 0);
    assert.notEqual(now.join(), earlier, 'the suggestions follow each click');
    earlier = now.join();
    const watched = new Set(await watchedIds(page));
    assert.deepEqual(now.filter((id) => watched.has(id)), []);
  }
  assert.equal((await watchedIds(page)).length, 4);
  const card = page.locator('.card').first();
  assert.ok((await card.locator('.card-title').innerText()).length > 0);
  assert.match(await card.locator('.card-about').innerText(), /^(\d{4})? ?·? ?\S+/);
  assert.ok(await card.locator('.poster').isVisible());
});

test('a second click on a poster takes the movie back', async () => {
  const page = await here.open();
  const tile = page.locator('.tile').first();
  await clickPosters(page, 0, 1);
  assert.equal(await tile.getAttribute('aria-pressed'), 'true');
  await clickPosters(page, 0);
  assert.equal(await tile.getAttribute('aria-pressed'), 'false');
  assert.equal((await watchedIds(page)).length, 1);
});

test('the knob leads from well known to hidden, and is told to screen readers', async () => {
  const page = await here.open();
  assert.equal(await page.locator('.spread').isVisible(), true);
  await clickPosters(page, 0, 3);
  const knob = page.getByLabel('Well known ↔ hidden');
  /** Turns the knob to a value, which must change the list. @param {string} value */
  const turnTo = async (value) => {
    const before = await suggested(page);
    await knob.fill(value);
    await suggestedOthers(page, before);
    return suggested(page);
  };
  const hidden = await turnTo('1');
  assert.equal(await knob.getAttribute('aria-valuetext'), '100 %, from well known to hidden');
  const plain = await turnTo('0');
  assert.equal(hidden.length, plain.length);
  assert.deepEqual(page.errors, []);
});

test('a link may name another model, and nothing else', async () => {
  const page = await here.blank();
  /** @type {string[]} */
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${here.server.origin}/?model=seed-network`);
  await page.waitForFunction(() => !inside().querySelector('#failure')?.hasAttribute('hidden'));
  assert.ok(asked.includes('/models/seed-network/manifest.json'), 'the fixture has no such model, which the page says');
  await page.goto(`${here.server.origin}/?model=${encodeURIComponent('../elsewhere')}`);
  await ready(page);
  assert.ok(asked.includes('/models/manifest.json'));
});

test('"watched it" moves a suggestion to the list, and the focus stays among the suggestions', async () => {
  const page = await here.open();
  await clickPosters(page, 0);
  const [first] = await suggested(page);
  await settled(page, () => page.locator('.seen').first().click());
  assert.equal((await watchedIds(page))[0], first);
  assert.ok(!(await suggested(page)).includes(first));
  assert.ok(await page.evaluate(() => focused()?.matches('.seen')));
});

test('the list survives a reload, with its reactions and its suggestions', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 2, 4);
  await settled(page, () => page.locator('[data-act=like]').first().click());
  await settled(page, () => page.locator('[data-act=dislike]').nth(1).click());
  const list = await watchedIds(page);
  const before = await suggested(page);
  await page.reload();
  await ready(page);
  assert.deepEqual(await watchedIds(page), list);
  assert.deepEqual(new Set(await suggested(page)), new Set(before));
  assert.equal(await page.locator('[data-act=like]').first().getAttribute('aria-pressed'), 'true');
  assert.equal(await page.locator('[data-act=dislike]').nth(1).getAttribute('aria-pressed'), 'true');
  assert.equal(await page.locator('.tile[aria-pressed=true]').count(), 3);
});

test('like and dislike exclude each other and can be taken back', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 1);
  const like = page.locator('[data-act=like]').first();
  const dislike = page.locator('[data-act=dislike]').first();
  const pressed = async () => [await like.getAttribute('aria-pressed'), await dislike.getAttribute('aria-pressed')];
  const stored = () =>
    page.evaluate(() => JSON.parse(localStorage.getItem('watchnext.list.v1') ?? '').movies.at(-1).rating);
  await settled(page, () => like.click());
  assert.deepEqual(await pressed(), ['true', 'false']);
  assert.equal(await stored(), 5);
  await settled(page, () => dislike.click());
  assert.deepEqual(await pressed(), ['false', 'true']);
  assert.equal(await stored(), 1);
  await settled(page, () => dislike.click());
  assert.deepEqual(await pressed(), ['false', 'false']);
  assert.equal(await stored(), undefined);
});

test('three stars are a dislike, four a like, and a rating between them is neither', async () => {
  const page = await here.open();
  const [first, second, third, fourth] = await catalogIds(FIXTURE);
  await page.locator('watch-next').evaluate(
    (element, ratings) => {
      /** @type {any} */ (element).watched = ratings.map(([movieId, rating]) => ({ movieId, rating }));
    },
    [[first, 3], [second, 3.5], [third, 4], [fourth, 2.5]],
  );
  await watchedCount(page, 4);
  /** @param {number} id */
  const pressed = (id) =>
    page
      .locator(`.frame[data-movie="${id}"] [aria-pressed=true]`)
      .evaluateAll((all) => all.map((act) => /** @type {HTMLElement} */ (act).dataset.act));
  assert.deepEqual(await pressed(first), ['dislike']);
  assert.deepEqual(await pressed(second), []);
  assert.deepEqual(await pressed(third), ['like']);
  assert.deepEqual(await pressed(fourth), ['dislike']);
});

test('each suggestion says in words and as a number how likely it is to be liked', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 3);
  const said = await chances(page);
  assert.deepEqual(new Set(Object.keys(said)), new Set(await suggested(page)));
  for (const text of Object.values(said)) {
    const [, name, number] = text.match(/^You’d like it: ([a-z -]+) · (\d+)\u00a0%$/) ?? assert.fail(text);
    const percent = Number(number);
    assert.ok(percent >= 1 && percent <= 99, 'nothing is certain');
    const expected =
      percent >= 85
        ? 'almost surely'
        : percent >= 70
          ? 'very likely'
          : percent >= 55
            ? 'likely'
            : percent >= 45
              ? 'a toss-up'
              : 'a gamble';
    assert.equal(name, expected, text);
  }
});

test('dislikes change the chances, say so, and can be taken back', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 3);
  const before = await chances(page);
  // Both movies, so that rounding can't hide the change.
  for (const place of [0, 1]) await settled(page, () => page.locator('[data-act=dislike]').nth(place).click());
  const after = await chances(page);
  assert.equal(Object.keys(after).length, Object.keys(before).length);
  assert.notDeepEqual(after, before);
  await page.waitForFunction(() => inside().querySelector('#announcer')?.textContent?.startsWith('Disliked'));
  assert.match(
    (await page.locator('#announcer').textContent()) ?? '',
    /^Disliked .+, and the chances follow\. Watch next: .+ You’d like it: .+ %\.$/,
  );
  // The same cards come back, and must not show their earlier chances.
  for (const place of [0, 1]) await settled(page, () => page.locator('[data-act=dislike]').nth(place).click());
  assert.deepEqual(await chances(page), before);
});

test('similar movies open from a suggestion, are clicked as on the wall, and close by a click elsewhere', async () => {
  const page = await here.open();
  await clickPosters(page, 0);
  const opener = page.locator('.card .similar-open').first();
  const movie = await opener.getAttribute('data-similar');
  const tray = page.getByRole('dialog', { name: /^Similar in title and theme/ });
  await opener.click();
  await tray.waitFor();
  assert.equal(await opener.getAttribute('aria-expanded'), 'true');
  const tiles = tray.locator('.tile');
  const ids = await tiles.evaluateAll((all) => all.map((tile) => tile.getAttribute('data-movie')));
  assert.ok(ids.length > 0 && ids.length <= 8 && !ids.includes(movie), String(ids));
  const free = tray.locator('.tile[aria-pressed=false]').first();
  const picked = await free.getAttribute('data-movie');
  const tile = tray.locator(`[data-movie="${picked}"]`);
  await settled(page, () => tile.click());
  assert.equal((await watchedIds(page))[0], picked);
  assert.equal(await tile.getAttribute('aria-pressed'), 'true');
  await settled(page, () => tile.click());
  assert.ok(!(await watchedIds(page)).includes(picked ?? ''));
  assert.ok(await tray.isVisible(), 'it stays for the next movie');
  await page.locator('#wall-title').click();
  assert.equal(await tray.isVisible(), false);
  assert.equal(await page.locator('[aria-expanded=true]').count(), 0);
});

test('a watched movie opens similar ones too, another one takes the tray over, a second press closes it', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 3);
  const [newer, older] = [page.locator('.frame .similar-open').first(), page.locator('.frame .similar-open').nth(1)];
  await newer.click();
  await page.locator('#similar').waitFor();
  const earlier = await page.locator('#similar-to').textContent();
  await older.click();
  await page.waitForFunction((title) => inside().querySelector('#similar-to')?.textContent !== title, earlier);
  assert.equal(await page.locator('.similar-open[aria-expanded=true]').count(), 1);
  assert.equal(await older.getAttribute('aria-expanded'), 'true');
  await older.click();
  assert.equal(await page.locator('#similar').isVisible(), false);
});

test('removal and clearing can be undone', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 1, 2);
  const full = await watchedIds(page);
  await settled(page, () => page.locator('[data-act=remove]').nth(1).click());
  assert.deepEqual(await watchedIds(page), [full[0], full[2]]);
  await settled(page, () => page.locator('#toast-undo').click());
  assert.deepEqual(await watchedIds(page), full);
  await page.locator('#clear').click();
  assert.deepEqual(await watchedIds(page), []);
  assert.ok(await page.locator('#suggestions-empty').isVisible());
  assert.equal(await page.locator('.tile[aria-pressed=true]').count(), 0);
  await settled(page, () => page.locator('#undo').click());
  assert.deepEqual(await watchedIds(page), full);
  assert.equal(await page.locator('.tile[aria-pressed=true]').count(), 3);
});

test('typing finds a movie, and picking it adds it', async () => {
  const page = await here.open();
  const title = (await page.locator('.tile').nth(6).getAttribute('title'))?.replace(/, \d{4}$/, '') ?? '';
  await page.fill('#search-input', title.toLowerCase());
  const option = page.locator('#search-list [role=option]').first();
  await option.waitFor();
  assert.equal(await option.locator('.option-title').innerText(), title);
  await settled(page, () => option.click());
  assert.equal(await page.locator('#watched-list .frame-title').first().innerText(), title);
  assert.equal(await page.inputValue('#search-input'), '');
});

test('a search without a result says so, and shows what was typed as text', async () => {
  const page = await here.open();
  await page.fill('#search-input', '<img src=x onerror=alert(1)> qqqqzzzz');
  const none = page.locator('#search-none');
  await none.waitFor();
  assert.match(await none.innerText(), /<img src=x onerror=alert\(1\)> qqqqzzzz/);
  assert.equal(await none.locator('img').count(), 0);
});

test('show more brings more posters and moves the focus to the first of them', async () => {
  const page = await here.open();
  const first = await page.locator('.tile').count();
  await page.locator('#wall-more').click();
  await page.waitForFunction((count) => inside().querySelectorAll('.tile').length > count, first);
  await page.waitForFunction((count) => focused() === inside().querySelectorAll('.tile')[count], first);
});

test('after a click, show more brings movies that are not on the wall, not in the list and not suggested', async () => {
  const page = await here.open();
  const ids = () =>
    page.locator('.tile').evaluateAll((all) => all.map((tile) => tile.getAttribute('data-movie') ?? ''));
  const drawn = await ids();
  await clickPosters(page, 0, 3);
  assert.deepEqual(await ids(), drawn, 'a click leaves the wall as it is');
  // A movie that isn't on the wall.
  await settled(page, () => page.locator('.seen').first().click());
  await page.locator('.card').first().hover();
  await settled(page, () => page.locator('.card-ignore').first().click());
  const [watched, beside] = [await watchedIds(page), await suggested(page)];
  const dismissed = await page.evaluate(() =>
    JSON.parse(localStorage.getItem('watchnext.list.v1') ?? '').ignored.map((/** @type {any} */ { movieId }) =>
      String(movieId),
    ),
  );
  assert.equal(dismissed.length, 1);
  await page.locator('#wall-more').click();
  await page.waitForFunction((count) => focused() === inside().querySelectorAll('.tile')[count], drawn.length);
  const all = await ids();
  assert.deepEqual(all.slice(0, drawn.length), drawn);
  assert.ok(all.length > drawn.length);
  assert.equal(new Set(all).size, all.length, 'each movie once');
  const unwanted = [...watched, ...beside, ...dismissed];
  assert.deepEqual(all.slice(drawn.length).filter((id) => unwanted.includes(id)), []);
  assert.deepEqual(page.errors, []);
});

test('viewers like you: their file is fetched when asked for, not before, and once', async () => {
  const states = (await bundleFiles(FIXTURE)).find(({ name }) => name === 'states');
  const path = `/models/${states?.path}`;
  const page = await here.open();
  here.server.requests.length = 0;
  await clickPosters(page, 0, 3, 5);
  const byTaste = await suggested(page);
  assert.ok(!here.server.requests.includes(path));
  await page.getByLabel('Viewers like you').click();
  await suggestedOthers(page, byTaste);
  assert.equal(here.server.requests.filter((request) => request === path).length, 1);
  const watched = new Set(await watchedIds(page));
  assert.deepEqual((await suggested(page)).filter((id) => watched.has(id)), []);
  await page.getByLabel('Taste model').click();
  await page.waitForFunction(
    (ids) => [...inside().querySelectorAll('.seen')].map((b) => b.getAttribute('data-movie')).join() === ids,
    byTaste.join(),
  );
  await page.getByLabel('Viewers like you').click();
  await clickPosters(page, 6);
  assert.equal(here.server.requests.filter((request) => request === path).length, 1);
});

test('a burst of clicks ends with the suggestions of the last one', async () => {
  const page = await here.open();
  await page.evaluate(() => {
    for (const place of [0, 1, 2, 3, 4, 5, 6, 7]) {
      /** @type {NodeListOf<HTMLElement>} */ (inside().querySelectorAll('.tile'))[place].click();
    }
  });
  await page.waitForFunction(() => inside().querySelectorAll('.seen').length > 0);
  await page.waitForTimeout(300);
  const burst = await suggested(page);
  await page.reload();
  await ready(page);
  assert.deepEqual(new Set(await suggested(page)), new Set(burst));
});

test('every request goes to the page\'s own origin, and no content is ever sent', async () => {
  const page = await here.blank();
  /** @type {string[]} */
  const sent = [];
  page.context().on('request', (request) => {
    if (request.method() !== 'GET' || request.postData()) sent.push(request.url());
  });
  await page.goto(`${here.server.origin}/`);
  await ready(page);
  await clickPosters(page, 0, 3, 5);
  const requests = here.server.requests.length;
  await settled(page, () => page.locator('[data-act=like]').first().click());
  await page.fill('#search-input', 'the');
  await page.locator('#search-list [role=option]').first().waitFor();
  assert.deepEqual(page.foreign, []);
  assert.deepEqual(sent, []);
  assert.equal(here.server.requests.length, requests, 'using the page asks the server for nothing');
  assert.equal((await page.context().cookies()).length, 0);
});

test('progress counts real bytes up to the sizes of the manifest', async () => {
  const page = await here.blank();
  const files = (await bundleFiles(FIXTURE)).filter(({ optional }) => !optional);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  await page.goto(`${here.server.origin}/`);
  await ready(page);
  const seen = await page.evaluate(async () => {
    const { load } = await import(`${location.origin}/web/runtime.js`);
    /** @type {{received: number, total: number}[]} */
    const steps = [];
    const engine = await load({ bundle: '/models/', onProgress: (/** @type {any} */ step) => steps.push(step) });
    engine.close();
    return steps;
  });
  assert.equal(seen[0].received, 0);
  assert.equal(seen.at(-1)?.received, total);
  assert.ok(seen.every((step, index) => step.total === total && step.received >= (seen[index - 1]?.received ?? 0)));
});
