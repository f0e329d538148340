/** Changes of the suggestions: filters, "not interested"; and the reasons for a suggestion. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clickPosters, ready, settled, site, suggested, suggestedOthers, watchedIds } from './harness.mjs';

const here = site();

/** The years and genres on the cards. @param {import('playwright-core').Page} page */
const cards = (page) =>
  page.locator('.card').evaluateAll((all) =>
    all.map((card) => ({
      year: Number(card.querySelector('.card-year')?.textContent),
      genres: (card.querySelector('.card-about')?.lastChild?.textContent ?? '').split(', '),
    })),
  );

/**
 * A genre that some suggestions don't have: a filter by it changes the list.
 * @param {import('playwright-core').Page} page
 */
async function narrowing(page) {
  const all = await cards(page);
  const genres = await page.locator('#filter-genres .chip').allTextContents();
  const found = genres.find((genre) => all.some(({ genres }) => !genres.includes(genre)));
  assert.ok(found, `one of ${genres.join(', ')} isn't every suggestion's`);
  return found;
}

/** Presses a chip and waits for another list. @param {import('playwright-core').Page} page @param {string} name */
async function press(page, name) {
  const before = await suggested(page);
  await page.locator('.chip', { hasText: new RegExp(`^${name}$`) }).click();
  await suggestedOthers(page, before);
}

test('filters by genre, decade and fame narrow the list, together and each alone, and clear again', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 3);
  const all = await suggested(page);
  await page.locator('#filters-title').click();
  await press(page, 'Horror');
  assert.ok((await cards(page)).every(({ genres }) => genres.includes('Horror')));
  await press(page, '1990s');
  assert.ok((await cards(page)).every(({ genres, year }) => genres.includes('Horror') && year >= 1990 && year < 2000));
  assert.equal(await page.locator('#filters-count').innerText(), '2');
  await press(page, 'Horror');
  assert.ok((await cards(page)).every(({ year }) => year >= 1990 && year < 2000));
  await press(page, '1990s');
  assert.deepEqual(await suggested(page), all);
  await press(page, 'Hidden gems');
  assert.equal(await page.locator('.chip', { hasText: 'Hidden gems' }).getAttribute('aria-pressed'), 'true');
  await press(page, 'Famous');
  assert.equal(
    await page.locator('.chip', { hasText: 'Hidden gems' }).getAttribute('aria-pressed'),
    'false',
    'one at a time',
  );
  assert.deepEqual(page.errors, []);
});

test('filters that nothing fits say so, and a button clears them', async () => {
  const page = await here.open();
  await clickPosters(page, 0);
  const all = await suggested(page);
  // The small catalogue has no movie of this decade.
  await page.locator('watch-next').evaluate((element) => (/** @type {any} */ (element).filter = { decades: [1850] }));
  await page.locator('#suggestions-empty').waitFor();
  assert.match(await page.locator('#suggestions-empty').innerText(), /Nothing fits/);
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.locator('.card').first().waitFor();
  assert.deepEqual(await suggested(page), all);
  assert.equal(await page.evaluate(() => focused()?.tagName), 'SUMMARY', 'the pressed button is gone');
});

test('a filter that the site sets again counts, whatever the visitor pressed since', async () => {
  const page = await here.open();
  await clickPosters(page, 0);
  const wanted = await narrowing(page);
  const set = () =>
    page
      .locator('watch-next')
      .evaluate((element, genre) => (/** @type {any} */ (element).filter = { genres: [genre] }), wanted);
  const onlyWanted = () =>
    page.waitForFunction(
      (genre) => [...inside().querySelectorAll('.card-genres')].every(({ textContent }) => textContent.includes(genre)),
      wanted,
    );
  await set();
  await onlyWanted();
  await page.locator('#filters-title').click();
  await press(page, wanted);
  assert.ok((await cards(page)).some(({ genres }) => !genres.includes(wanted)));
  await set();
  await onlyWanted();
  assert.equal(await page.locator('.chip', { hasText: wanted }).getAttribute('aria-pressed'), 'true');
});

test("what isn't of interest goes, stays away, can be undone and brought back", async () => {
  const page = await here.open();
  await clickPosters(page, 0, 3);
  const before = await suggested(page);
  const ignore = async () => {
    await page.locator('.card').first().hover();
    await settled(page, () => page.locator('.card-ignore').first().click());
  };
  await ignore();
  assert.ok(!(await suggested(page)).includes(before[0]));
  assert.match(await page.locator('#toast-text').innerText(), /^Not suggesting .+ again$/);
  await settled(page, () => page.locator('#toast-undo').click());
  assert.deepEqual(await suggested(page), before);
  await ignore();
  const [second] = await suggested(page);
  await ignore();
  await page.reload();
  await ready(page);
  const later = await suggested(page);
  assert.ok(!later.includes(before[0]) && !later.includes(second));
  await page.locator('#filters-title').click();
  assert.match(await page.locator('#ignored').innerText(), /^2 movies/);
  await settled(page, () => page.getByRole('button', { name: 'Bring back' }).click());
  assert.deepEqual(await suggested(page), before);
  assert.equal(await page.locator('#ignored').isVisible(), false);
});

test('each suggestion says which watched movie brought it, and means it', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 1, 2);
  const isExplained = await page.locator('watch-next').evaluate(async (element) => {
    const { engine, suggestions, watched } = /** @type {any} */ (element);
    const reasons = await engine.reasons(
      { history: watched },
      suggestions.map((/** @type {any} */ { movieId }) => movieId),
    );
    return reasons.map((/** @type {any[]} */ of) => of.length > 0);
  });
  assert.ok(isExplained.includes(true), 'the engine has a reason for some of them');
  // Cards that stayed after the last click show their earlier reasons for a moment.
  await page.waitForFunction((expected) => {
    const lines = [...inside().querySelectorAll('.card .because')];
    return lines.map(({ textContent }) => textContent.startsWith('Because')).join() === expected;
  }, isExplained.join());
  const titles = await page.locator('.frame-title').allInnerTexts();
  const reasons = await page.locator('.card .because').allTextContents();
  for (const reason of reasons) {
    if (reason === 'Loved by people with lists like yours') continue;
    assert.match(reason, /^Because you watched /);
    assert.ok(
      titles.some((title) => reason.includes(title)),
      reason,
    );
  }
  // By the engine alone: with one movie in the list, that movie is the reason for all suggestions.
  const [left] = await watchedIds(page);
  const told = await page.locator('watch-next').evaluate(async (element, id) => {
    const { engine } = /** @type {any} */ (element);
    const history = [{ movieId: Number(id) }];
    const { suggestions } = await engine.suggest({ history });
    return engine.reasons(
      { history },
      suggestions.map((/** @type {any} */ { movieId }) => movieId),
    );
  }, left);
  assert.ok(told.flat().length > 0);
  assert.ok(
    told.flat().every((/** @type {any} */ { movieId, share }) => String(movieId) === left && share > 0 && share <= 1),
  );
});

test('a disliked movie is no reason, and a suggestion without one says who loves it', async () => {
  const page = await here.open();
  await clickPosters(page, 0);
  await settled(page, () => page.locator('[data-act=dislike]').first().click());
  await page.waitForFunction(() => {
    const lines = [...inside().querySelectorAll('.card .because')];
    return lines.length > 0 && lines.every((line) => line.textContent === 'Loved by people with lists like yours');
  });
});

test('the filters by keyboard alone', async () => {
  const page = await here.open();
  await clickPosters(page, 0);
  const before = await suggested(page);
  const wanted = await narrowing(page);
  await page.locator('.filter-panel summary').focus();
  await page.keyboard.press('Enter');
  for (let presses = 0; presses < 10 && (await page.evaluate(() => focused()?.textContent)) !== wanted; presses++) {
    await page.keyboard.press('Tab');
  }
  assert.ok(await page.evaluate(() => focused()?.matches('.chip')));
  await page.keyboard.press('Space');
  await suggestedOthers(page, before);
  assert.ok(await page.evaluate(() => focused()?.matches('.chip[aria-pressed=true]')));
  await page.waitForFunction(() =>
    inside().querySelector('#announcer')?.textContent?.startsWith('Suggestions changed'),
  );
});
