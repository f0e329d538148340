/** The attributes of `<watch-next>` on other sites. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FIXTURE,
  SCRIPT,
  catalogIds,
  clickPosters,
  failureCode,
  ready,
  site,
  suggested,
  visitHost,
  watchedCount,
  watchedIds,
} from './harness.mjs';
import { ARGUMENTS, embed, onElement, record } from './embedded.mjs';

const here = site({ arguments: ARGUMENTS });
const IDS = await catalogIds(FIXTURE);

test('bundle: another folder', async () => {
  const page = await here.blank();
  await visitHost(page, here.server.origin, `${SCRIPT}<watch-next bundle="/models/elsewhere"></watch-next>`);
  assert.equal(await failureCode(page), 'http-status');
  assert.ok(here.server.requests.includes('/models/elsewhere/manifest.json'));
  await onElement(page, "(element) => element.setAttribute('bundle', '/models/')");
  await ready(page);
  await clickPosters(page, 0);
  assert.ok((await suggested(page)).length > 0);
});

test('limit: how many suggestions, and a change of it', async () => {
  const page = await embed(here, '<watch-next limit="5"></watch-next>');
  await clickPosters(page, 0);
  assert.equal((await suggested(page)).length, 5);
  await onElement(page, "(element) => element.setAttribute('limit', '7')");
  await page.waitForFunction(() => inside().querySelectorAll('.seen').length === 7);
});

test('genres, decades and fame: only what fits is suggested, and a change of them', async () => {
  const page = await embed(here, `<watch-next genres="Comedy, Horror" watched="${IDS[0]}"></watch-next>`);
  const suggestions = () => onElement(page, '(element) => element.suggest()');
  let found = await suggestions();
  assert.ok(found.length > 0);
  assert.ok(found.every((/** @type {any} */ { genres }) => genres.includes('Comedy') || genres.includes('Horror')));
  await onElement(
    page,
    "(element) => { element.removeAttribute('genres'); element.setAttribute('decades', '1990 1954'); }",
  );
  found = await suggestions();
  assert.ok(found.length > 0);
  assert.ok(
    found.every((/** @type {any} */ { year }) => [1990, 1950].includes(Math.floor(year / 10) * 10)),
    JSON.stringify(found),
  );
  await onElement(page, "(element) => { element.removeAttribute('decades'); element.setAttribute('fame', 'gems'); }");
  const gems = await suggestions();
  await onElement(page, "(element) => element.setAttribute('fame', 'famous')");
  const famous = await suggestions();
  const ratings = (/** @type {any[]} */ list) => list.map(({ ratings }) => ratings);
  assert.ok(
    Math.max(...ratings(gems)) <= Math.min(...ratings(famous)),
    'hidden gems have fewer ratings than any famous movie',
  );
});

test('novelty: another order; diversity is its older name; without both, the default', async () => {
  const page = await embed(here, `<watch-next novelty="0" watched="${IDS.slice(0, 3).join(' ')}"></watch-next>`);
  const found = async () => {
    const list = await onElement(page, '(element) => element.suggest()');
    return list.map((/** @type {any} */ { movieId }) => movieId).join();
  };
  const knob = () => page.locator('#novelty').inputValue();
  const plain = await found();
  await onElement(page, "(element) => element.setAttribute('novelty', '1')");
  const hidden = await found();
  assert.notEqual(plain, hidden);
  await onElement(page, "(element) => element.setAttribute('diversity', '0')");
  assert.equal(await found(), hidden, 'novelty counts if both are there');
  await onElement(page, "(element) => element.removeAttribute('novelty')");
  assert.equal(await found(), plain);
  assert.equal(await knob(), '0');
  await onElement(page, "(element) => element.removeAttribute('diversity')");
  const usual = await onElement(page, '(element) => element.engine.info.defaultNovelty');
  assert.equal(await knob(), usual.toFixed(1));
});

test('theme: light and dark, whatever the visitor prefers', async () => {
  const page = await embed(here, '<watch-next theme="dark"></watch-next>');
  const ground = () => page.locator('#root').evaluate((root) => getComputedStyle(root).backgroundColor);
  assert.equal(await ground(), 'rgb(18, 14, 16)');
  await onElement(page, "(element) => element.setAttribute('theme', 'light')");
  assert.equal(await ground(), 'rgb(245, 239, 228)');
});

test('lang: its own, that of what it stands in, and English for a language that nobody has', async () => {
  const page = await embed(here, '<div lang="de"><watch-next></watch-next></div>');
  const title = () => page.locator('#wall-title').innerText();
  const german = await title();
  await onElement(page, "(element) => element.setAttribute('lang', 'fr-CA')");
  await page.waitForFunction((text) => inside().querySelector('#wall-title')?.textContent !== text, german);
  assert.equal(await page.locator('#root').getAttribute('lang'), 'fr');
  // The engine stays, and the wall is drawn again.
  await page.locator('.tile').first().waitFor();
  await onElement(page, "(element) => element.setAttribute('lang', 'xx')");
  await page.waitForFunction(() => inside().querySelector('#wall-title')?.textContent === 'Seen any of these?');
  assert.equal(here.server.requests.filter((path) => path === '/models/manifest.json').length > 0, true);
});

test("words: a site's own texts, and the widget's where it has none or where its folder can't be had", async () => {
  here.server.faults.set('/said/en.json', { body: Buffer.from('{ "wall.title": "Read any of these?" }') });
  here.server.faults.set('/said/pt.json', { body: Buffer.from('{ "wall.title": "Leu algum?" }') });
  const page = await embed(here, '<watch-next words="/said"></watch-next>');
  const titled = (/** @type {string} */ text) =>
    page.waitForFunction((wanted) => inside().querySelector('#wall-title')?.textContent === wanted, text);
  await titled('Read any of these?');
  assert.equal(await page.locator('#suggestions-title').innerText(), 'Watch next');
  await onElement(page, "(element) => element.setAttribute('lang', 'de')");
  await titled('Welche davon kennst du?');
  await onElement(page, "(element) => element.setAttribute('lang', 'pt-BR')");
  await titled('Leu algum?');
  assert.equal(await page.locator('#root').getAttribute('lang'), 'pt', 'a language that the site alone has');
  await onElement(page, "(element) => element.setAttribute('lang', 'en')");
  for (const folder of ['/nowhere/', 'http://[']) {
    await onElement(page, "(element) => element.setAttribute('words', '/said/')");
    await titled('Read any of these?');
    await onElement(page, `(element) => element.setAttribute('words', '${folder}')`);
    await titled('Seen any of these?');
  }
  // The engine stays, and the wall is drawn again.
  await page.locator('.tile').first().waitFor();
});

test('watched: a list that the site keeps, with stars, not stored in the browser', async () => {
  const page = await embed(here, `<watch-next watched="${IDS[0]}, ${IDS[1]}:4.5 ${IDS[2]}:1"></watch-next>`);
  assert.deepEqual(await watchedIds(page), [IDS[2], IDS[1], IDS[0]].map(String));
  const list = await onElement(page, '(element) => element.watched');
  assert.deepEqual(list.map((/** @type {any} */ { rating }) => rating), [undefined, 4.5, 1]);
  assert.ok(list.every((/** @type {any} */ { title }) => title.length > 0));
  assert.match(await page.locator('.frame').nth(1).innerText(), /4\.5/);
  assert.equal(await page.locator('[data-act=dislike]').first().getAttribute('aria-pressed'), 'true');
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await onElement(page, `(element) => element.setAttribute('watched', '${IDS[5]}')`);
  await watchedCount(page, 1);
});

test('store: a name of its own, or none', async () => {
  const page = await embed(here, '<watch-next store="club"></watch-next>');
  await clickPosters(page, 0);
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), ['watchnext.club']);
  await onElement(page, "(element) => element.setAttribute('store', 'none')");
  await watchedCount(page, 0);
  await page.waitForFunction(() => inside().querySelectorAll('.tile').length > 0);
  await clickPosters(page, 1, 2);
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), ['watchnext.club']);
});

test('poster-url: the site\'s images over the drawn posters, and these where there is none', async () => {
  const page = await here.blank();
  const pixel = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  await page.route('**/posters/*', (route) =>
    route.request().url().includes(`/${IDS[0]}.png`)
      ? route.fulfill({ contentType: 'image/png', body: pixel })
      : route.fulfill({ status: 404 }),
  );
  await visitHost(
    page,
    here.server.origin,
    `${SCRIPT}<watch-next poster-url="/posters/{movieId}.png" watched="${IDS[0]} ${IDS[1]}"></watch-next>`,
  );
  await ready(page);
  await page.waitForFunction(
    (id) => inside().querySelector(`.frame[data-movie="${id}"] img`)?.complete,
    String(IDS[0]),
  );
  await page.waitForFunction((id) => !inside().querySelector(`.frame[data-movie="${id}"] img`), String(IDS[1]));
  assert.ok(await page.locator(`.frame[data-movie="${IDS[1]}"] .poster-title`).isVisible());
});

test('movie-url: suggestions lead to the site\'s own pages, else to IMDb and TMDB', async () => {
  const page = await embed(here, `<watch-next watched="${IDS[0]}"></watch-next>`);
  const links = () =>
    page
      .locator('.card')
      .first()
      .locator('a')
      .evaluateAll((all) => all.map((link) => /** @type {HTMLAnchorElement} */ (link).href));
  const [imdb, tmdb] = await links();
  assert.match(imdb, /^https:\/\/www\.imdb\.com\/title\/tt\d{7,}\/$/);
  assert.match(tmdb, /^https:\/\/www\.themoviedb\.org\/movie\/\d+$/);
  await onElement(page, "(element) => element.setAttribute('movie-url', '/film/{movieId}-{year}')");
  await page.waitForFunction(() => inside().querySelector('.card a')?.pathname.startsWith('/film/'));
  const [first] = await suggested(page);
  assert.match((await links())[0], new RegExp(`/film/${first}-\\d{4}$`));
  await onElement(page, "(element) => element.setAttribute('movie-url', 'javascript:alert({movieId})')");
  await page.waitForFunction(() => inside().querySelectorAll('.card').length > 0 && !inside().querySelector('.card a'));
});

test('a mistake in an attribute is told to the site and leaves the rest at work', async () => {
  const page = await here.blank();
  await visitHost(
    page,
    here.server.origin,
    `${record('error')}${SCRIPT}<watch-next limit="many" fame="loud" genres="Comedy, Cookery" novelty="7"
      watched="${IDS[0]}, soon, ${IDS[1]}:9"></watch-next>`,
  );
  await ready(page);
  assert.ok((await suggested(page)).length > 0);
  assert.deepEqual(await watchedIds(page), [String(IDS[0])]);
  const heard = await page.evaluate(() =>
    /** @type {any} */ (window).heard.map((/** @type {any} */ { code, message }) => `${code} ${message}`),
  );
  for (const part of ['limit="many"', 'fame="loud"', 'Cookery', '…soon…', `…${IDS[1]}:9…`, 'novelty="7"']) {
    assert.ok(
      heard.some((/** @type {string} */ line) => line.startsWith('attribute-invalid') && line.includes(part)),
      `${part} in ${heard.join('\n')}`,
    );
  }
  assert.deepEqual(page.errors, []);
});
