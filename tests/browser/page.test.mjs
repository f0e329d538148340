/** Our own page around the widget: its languages and its map. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clickPosters, openMap, ready, site, watchedCount, watchedIds } from './harness.mjs';

const here = site();
const LANGUAGES = ['de', 'es', 'fr', 'ja'];

test('the page speaks the browser\'s language, and another one on demand, which it keeps', async () => {
  const page = await here.open({ locale: 'de-AT' });
  assert.equal(await page.locator('html').getAttribute('lang'), 'de');
  const english = 'Seen any of these?';
  assert.notEqual(await page.locator('#wall-title').innerText(), english);
  for (const language of LANGUAGES) {
    const before = await page.locator('#wall-title').innerText();
    await page.locator('#language').selectOption(language);
    if (language !== 'de') {
      await page.waitForFunction((text) => inside().querySelector('#wall-title')?.textContent !== text, before);
    }
    assert.equal(await page.locator('html').getAttribute('lang'), language);
    assert.doesNotMatch(await page.locator('.promise').innerText(), /nothing leaves it/);
  }
  await page.reload();
  await ready(page);
  assert.equal(await page.locator('html').getAttribute('lang'), 'ja');
  assert.deepEqual(page.errors, []);
});

test('a page about anything but movies says nothing of them, in any language', async () => {
  here.server.faults.set('/', { replace: ['<watch-next id="app"', '<watch-next id="app" words="web/words/items/"'] });
  const page = await here.open({ locale: 'en-GB' });
  await clickPosters(page, 0, 1);
  for (const language of ['en', ...LANGUAGES]) {
    await page.locator('#language').selectOption(language);
    await page.waitForFunction((wanted) => inside().querySelector('#root')?.getAttribute('lang') === wanted, language);
    const said = await page.evaluate(
      () =>
        [
          document.title,
          ...['.promise', '.credits'].map((part) => document.querySelector(part)?.textContent),
          inside().querySelector('#root')?.textContent,
        ].join(' '),
    );
    // The model's data set keeps its name.
    assert.doesNotMatch(
      said.replaceAll('MovieLens', ''),
      /movie|watched|seen any|\bfilms?\b|gesehen|películas?|映画|観/i,
      language,
    );
  }
});

test('from right to left nothing sticks out or overlaps', async () => {
  for (const viewport of [{ width: 1280, height: 900 }, { width: 320, height: 640 }]) {
    const page = await here.open({ viewport });
    await page.evaluate(() => (document.documentElement.dir = 'rtl'));
    await clickPosters(page, 0, 3);
    const { width, glass, input } = await page.evaluate(() => {
      const box = (/** @type {string} */ selector) =>
        /** @type {Element} */ (inside().querySelector(selector)).getBoundingClientRect();
      return {
        width: document.documentElement.scrollWidth,
        glass: box('.search-glass').left,
        input: box('#search-input').right,
      };
    });
    assert.equal(width, viewport.width);
    assert.ok(glass > input - 70, 'the glass stands at the right, where the text begins');
    await page.context().close();
  }
});

/** The page with the map open. */
async function pageWithMap() {
  const page = await here.open();
  await clickPosters(page, 0, 3);
  await openMap(page);
  return page;
}

test('the map names what is near the middle, and a click there marks it as watched', async () => {
  const page = await pageWithMap();
  assert.equal(await page.locator('.map-near li').count(), 10);
  const first = page.locator('.map-near button[aria-pressed=false]').first();
  const row = await first.getAttribute('data-row');
  const before = (await watchedIds(page)).length;
  await first.click();
  await page.locator(`.map-near button[data-row="${row}"][aria-pressed=true]`).waitFor();
  assert.equal((await watchedIds(page)).length, before + 1);
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-row')), row, 'the focus stays');
  await page.locator(`.map-near button[data-row="${row}"]`).click();
  await page.locator(`.map-near button[data-row="${row}"][aria-pressed=false]`).waitFor();
  assert.deepEqual(page.errors, []);
  assert.deepEqual(page.foreign, []);
});

test('the map by keyboard: it moves, zooms and marks, and escape leads back', async () => {
  const page = await pageWithMap();
  assert.ok(await page.evaluate(() => document.activeElement?.matches('.map-canvas')));
  const near = () => page.locator('.map-near').innerText();
  const start = await near();
  for (let press = 0; press < 6; press++) await page.keyboard.press('ArrowRight');
  await page.waitForFunction(
    (text) => /** @type {HTMLElement} */ (document.querySelector('.map-near')).innerText !== text,
    start,
  );
  await page.keyboard.press('+');
  const count = (await watchedIds(page)).length;
  const middle = page.locator('.map-near button').first();
  await page.waitForTimeout(300);
  const wasWatched = (await middle.getAttribute('aria-pressed')) === 'true';
  await page.keyboard.press('Enter');
  await watchedCount(page, count + (wasWatched ? -1 : 1));
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#map').isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'open-map');
});

test('the map by mouse: hovering names, dragging moves, the wheel zooms, a click marks', async () => {
  const page = await pageWithMap();
  const box = /** @type {{x: number, y: number, width: number, height: number}} */ (
    await page.locator('.map-canvas').boundingBox()
  );
  const middle = [box.x + box.width / 2, box.y + box.height / 2];
  const near = () => page.locator('.map-near').innerText();
  const start = await near();
  await page.mouse.move(middle[0], middle[1]);
  await page.mouse.down();
  await page.mouse.move(middle[0] - 250, middle[1] - 120, { steps: 5 });
  await page.mouse.up();
  await page.waitForFunction(
    (text) => /** @type {HTMLElement} */ (document.querySelector('.map-near')).innerText !== text,
    start,
  );
  await page.mouse.wheel(0, -1500);
  // On the whole map, the pixel of each movie is known.
  await page.getByRole('button', { name: 'Show all' }).click();
  const list = await watchedIds(page);
  const [id, x, y] = await page.locator('watch-next').evaluate(async (element, watched) => {
    const { movieIds, positions } = await /** @type {any} */ (element).engine.map();
    const row = movieIds.findIndex((/** @type {number} */ movieId) => !watched.includes(String(movieId)));
    return [movieIds[row], positions[2 * row], positions[2 * row + 1]];
  }, list);
  const scale = 0.94 * Math.min(box.width, box.height);
  await page.mouse.move(middle[0] + (x - 0.5) * scale, middle[1] + (y - 0.5) * scale);
  await page.locator('.map-canvas.map-over').waitFor();
  await page.mouse.down();
  await page.mouse.up();
  await page.waitForFunction(
    (earlier) => inside().querySelectorAll('#watched-list > li').length !== earlier,
    list.length,
  );
  assert.equal((await watchedIds(page))[0], String(id));
  assert.deepEqual(page.errors, []);
});

test('a map that can\'t be fetched says so, and the page goes on', async () => {
  here.server.faults.set('/models/map.safetensors', { status: 404 });
  const page = await here.open();
  await page.locator('#open-map').click();
  await page.getByText('The map couldn’t be fetched.').waitFor();
  here.server.heal();
  await page.locator('#map [data-close]').click();
  await clickPosters(page, 0);
  assert.deepEqual(page.errors, []);
});
