/** `<watch-next>` on other sites: its properties, methods, events, slots and parts, and where it may stand. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  FIXTURE,
  SCRIPT,
  catalogIds,
  clickPosters,
  explained,
  failureCode,
  ranked,
  ready,
  site,
  suggested,
  visitHost,
  watchedCount,
  watchedIds,
} from './harness.mjs';
import { ARGUMENTS, embed, onElement, record } from './embedded.mjs';
import { startServer } from './server.mjs';

const here = site({ arguments: ARGUMENTS });

/**
 * The server of the program, for sites that take it from another origin.
 * @type {Awaited<ReturnType<typeof startServer>>}
 */
let elsewhere;
before(async () => (elsewhere = await startServer({ models: FIXTURE, cors: true })));
after(() => elsewhere.close());
const IDS = await catalogIds(FIXTURE);

test('one script and one tag make a recommender, and what stood in the tag gives way', async () => {
  const page = await embed(here, '<watch-next><p id="fallback">One moment</p></watch-next>');
  assert.equal(await page.locator('#fallback').isVisible(), false);
  await clickPosters(page, 0, 3);
  assert.equal((await suggested(page)).length, 12);
  await ranked(page);
  assert.deepEqual(page.foreign, []);
  assert.deepEqual(page.errors, []);
});

test('until the program comes, what stands in the tag is shown', async () => {
  const page = await here.blank();
  await visitHost(page, here.server.origin, '<watch-next><p id="fallback">One moment</p></watch-next>');
  assert.ok(await page.locator('#fallback').isVisible());
});

test('properties and methods', async () => {
  const page = await embed(here, '<watch-next></watch-next>');
  const found = await page.locator('watch-next').evaluate(async (node, ids) => {
    const element = /** @type {any} */ (node);
    const lengths = [];
    element.watched = [ids[0], { movieId: ids[1], rating: 4 }, 4_000_000_000];
    lengths.push((await element.suggest()).length);
    await new Promise((resolve) => setTimeout(resolve, 100));
    lengths.push(element.watched.length);
    await element.watch([{ movieId: ids[1], rating: 2 }, ids[2]]);
    lengths.push(element.watched.length);
    const rated = element.watched[1].rating;
    element.unwatch(ids[0]);
    lengths.push(element.watched.length);
    element.undo();
    lengths.push(element.watched.length);
    element.clear();
    lengths.push(element.watched.length);
    element.filter = { genres: ['Comedy'], decades: [1990], fame: 'known' };
    const errors = [];
    for (const wrong of [7, [{}], [{ movieId: 1, rating: 9 }], ['1']]) {
      try {
        element.watched = wrong;
        errors.push('taken');
      } catch (error) {
        errors.push(/** @type {Error} */ (error).name);
      }
    }
    element.focus();
    return {
      lengths,
      rated,
      filter: element.filter,
      attributes: element.getAttributeNames().sort(),
      errors,
      engine: typeof element.engine.suggest,
      focused: element.shadowRoot.activeElement.id,
      suggestions: Array.isArray(element.suggestions),
    };
  }, IDS);
  assert.deepEqual(found, {
    lengths: [0, 2, 3, 2, 3, 0],
    rated: 2,
    filter: { genres: ['Comedy'], decades: [1990], fame: 'known' },
    attributes: ['decades', 'fame', 'genres'],
    errors: ['TypeError', 'TypeError', 'TypeError', 'TypeError'],
    engine: 'function',
    focused: 'search-input',
    suggestions: true,
  });
});

test('a list that is set as the worker dies waits for the next one', async () => {
  const page = await embed(here, '<watch-next store="none"></watch-next>');
  await page.locator('watch-next').evaluate((element, ids) => {
    const { engine } = /** @type {any} */ (element);
    engine.movies = () => Promise.reject(Object.assign(new Error('made to fail'), { code: 'worker-crashed' }));
    /** @type {any} */ (element).watched = ids;
  }, IDS.slice(0, 2));
  assert.equal(await failureCode(page), 'worker-crashed');
  await page.getByRole('button', { name: 'Try again' }).click();
  await watchedCount(page, 2);
  assert.deepEqual(page.errors, []);
});

test('a property that was set before the program came counts', async () => {
  const page = await here.blank();
  await visitHost(
    page,
    here.server.origin,
    `<watch-next></watch-next>
      <script>document.querySelector('watch-next').watched = [${IDS[0]}, ${IDS[4]}]</script>${SCRIPT}`,
  );
  await ready(page);
  assert.deepEqual(await watchedIds(page), [String(IDS[4]), String(IDS[0])]);
});

test('events: ready, watched, suggestions, select', async () => {
  const page = await here.blank();
  const listeners = `<script type="module">
    window.heard = [];
    for (const type of ['ready', 'watched', 'suggestions', 'select']) {
      document.addEventListener('watchnext:' + type, (event) => {
        if (type === 'select') event.preventDefault();
        window.heard.push([type, JSON.parse(JSON.stringify(event.detail)), event.target.localName]);
      });
    }
  </script>`;
  await visitHost(page, here.server.origin, `${listeners}${SCRIPT}<watch-next></watch-next>`);
  await ready(page);
  await clickPosters(page, 0);
  await page.locator('.card a').first().click();
  const heard = await page.evaluate(() => /** @type {any} */ (window).heard);
  const of = (/** @type {string} */ wanted) =>
    heard.filter((/** @type {any} */ [type]) => type === wanted).map((/** @type {any} */ [, detail]) => detail);
  assert.ok(heard.every((/** @type {any} */ [, , target]) => target === 'watch-next'));
  assert.equal(of('ready').length, 1);
  assert.equal(of('ready')[0].info.movies, IDS.length);
  assert.deepEqual(
    of('watched').map((/** @type {any} */ { kind, watched, movie }) => [
      kind,
      watched.length,
      movie.movieId === watched[0].movieId,
    ]),
    [['add', 1, true]],
  );
  assert.deepEqual(
    of('suggestions')
      .at(-1)
      .suggestions.map((/** @type {any} */ { movieId }) => String(movieId)),
    await suggested(page),
  );
  assert.equal(of('select').length, 1);
  assert.equal(String(of('select')[0].movie.movieId), (await suggested(page))[0]);
  assert.equal(page.context().pages().length, 1, 'the link was not followed');
});

test('events: error, once for each failure', async () => {
  here.server.faults.set('/models/movies.safetensors', { truncateTo: 100 });
  const page = await here.blank();
  await visitHost(page, here.server.origin, `${record('error')}${SCRIPT}<watch-next></watch-next>`);
  assert.equal(await failureCode(page), 'file-size-mismatch');
  here.server.heal();
  const heard = await page.evaluate(() => /** @type {any} */ (window).heard);
  assert.deepEqual(heard.map((/** @type {any} */ { code }) => code), ['file-size-mismatch']);
  assert.match(heard[0].message, /movies\.safetensors/);
});

test('slots, parts and custom properties change the look', async () => {
  const page = await embed(here, 
    `<watch-next><h1 slot="head">My cinema</h1><button slot="tools">Mine</button>
      <span slot="wall-title">Which of these?</span><span slot="suggestions-title">Tonight</span>
      <p slot="empty">Nothing yet</p><p slot="foot">The end</p></watch-next>`,
    {
      head: `<style>
        watch-next { --watchnext-paper: rgb(1, 2, 3); --watchnext-accent: rgb(9, 8, 7); --watchnext-font: monospace }
        watch-next::part(search-input) { border-width: 7px }
        watch-next::part(card) { padding: 13px }
      </style>`,
    },
  );
  for (const text of ['My cinema', 'Mine', 'Which of these?', 'Tonight', 'Nothing yet', 'The end']) {
    assert.ok(await page.getByText(text, { exact: true }).isVisible(), text);
  }
  await clickPosters(page, 0);
  const style = (/** @type {string} */ selector, /** @type {string} */ name) =>
    page
      .locator(selector)
      .first()
      .evaluate((node, name) => getComputedStyle(node).getPropertyValue(name), name);
  assert.equal(await style('#root', 'background-color'), 'rgb(1, 2, 3)');
  assert.equal(await style('#clear', 'color'), 'rgb(9, 8, 7)');
  assert.match(await style('#clear', 'font-family'), /monospace/);
  assert.equal(await style('#search-input', 'border-top-width'), '7px');
  assert.equal(await style('.card', 'padding-top'), '13px');
});

test('two on one page show one list and load apart', async () => {
  const page = await embed(here, 
    `<watch-next limit="3"></watch-next>
      <watch-next store="other" limit="4"></watch-next>
      <watch-next limit="5"></watch-next>`,
  );
  await page.waitForFunction(() =>
    [...document.querySelectorAll('watch-next')].every((node) => node.shadowRoot?.querySelector('.tile')),
  );
  await clickPosters(page, 0);
  const lengths = () =>
    page.locator('watch-next').evaluateAll((all) => all.map((node) => /** @type {any} */ (node).watched.length));
  assert.deepEqual(await lengths(), [1, 0, 1]);
  await page.locator('watch-next').nth(2).locator('.tile').nth(1).click();
  await page.waitForFunction(
    () => document.querySelector('watch-next')?.shadowRoot?.querySelectorAll('.frame').length === 2 + 10,
  );
  assert.deepEqual(await lengths(), [2, 0, 2]);
  assert.deepEqual(page.errors, []);
});

test('it can be moved, removed and put back', async () => {
  const page = await embed(here, '<watch-next></watch-next><div id="elsewhere"></div>');
  await clickPosters(page, 0, 1);
  const list = await watchedIds(page);
  const loads = () => here.server.requests.filter((path) => path === '/models/manifest.json').length;
  const before = loads();
  await page.evaluate(() =>
    document.querySelector('#elsewhere')?.append(/** @type {Node} */ (document.querySelector('watch-next'))),
  );
  await page.waitForTimeout(200);
  assert.equal(loads(), before, 'a moved element goes on as it is');
  assert.deepEqual(await watchedIds(page), list);
  await page.evaluate(() => {
    /** @type {any} */ (window).kept = document.querySelector('watch-next');
    /** @type {any} */ (window).kept.remove();
  });
  await page.waitForFunction(() => performance.clearMarks() === undefined);
  await page.waitForTimeout(200);
  assert.equal(page.workers().length, 0, 'the worker is gone');
  await page.evaluate(() => document.body.append(/** @type {any} */ (window).kept));
  await ready(page);
  assert.deepEqual(await watchedIds(page), list);
  await clickPosters(page, 3);
  assert.equal((await watchedIds(page)).length, 3);
  assert.deepEqual(page.errors, []);
});

test('made by script, with everything set before it is put in', async () => {
  const page = await here.blank();
  await visitHost(page, here.server.origin, SCRIPT);
  await page.waitForFunction(() => customElements.get('watch-next'));
  await page.evaluate((ids) => {
    const made = /** @type {any} */ (document.createElement('watch-next'));
    made.setAttribute('limit', '4');
    made.watched = ids;
    document.body.append(made);
  }, IDS.slice(0, 2));
  await ready(page);
  assert.equal((await suggested(page)).length, 4);
});

test('importing it where there is no window does nothing', async () => {
  const module = await import('../../web/watch-next.js');
  assert.equal(typeof module.WatchNext, 'function');
  assert.deepEqual(Object.keys(module), ['WatchNext']);
});

test('what its declarations name is there, and nothing else', async () => {
  const page = await embed(here, '<watch-next></watch-next>');
  const own = await onElement(page, '(element) => Object.getOwnPropertyNames(Object.getPrototypeOf(element)).sort()');
  assert.deepEqual(own, [
    'attributeChangedCallback',
    'clear',
    'connectedCallback',
    'constructor',
    'disconnectedCallback',
    'engine',
    'filter',
    'focus',
    'suggest',
    'suggestions',
    'undo',
    'unwatch',
    'watch',
    'watched',
  ]);
  const events = await page.evaluate(() =>
    /** @type {any} */ (customElements.get('watch-next')).observedAttributes.slice().sort(),
  );
  assert.deepEqual(events, [
    'bundle',
    'decades',
    'diversity',
    'fame',
    'genres',
    'lang',
    'limit',
    'movie-url',
    'novelty',
    'poster-url',
    'store',
    'watched',
    'words',
  ]);
});

test('a hostile style sheet and a strict policy leave it intact', async () => {
  const policy =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src " +
      "'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";
  const hostile =
    `* { all: unset !important; display: inline !important; font: 900 3px/9 fantasy !important;
      color: lime !important; letter-spacing: 1em !important; text-transform: uppercase !important; direction: ltr }
    html { font-size: 4px !important }
    button, input, li, p, h2 { position: fixed !important; top: 0 !important; opacity: 0.1 !important }
    watch-next { float: left; columns: 3 }
    :host { display: none }`;
  const measure = async (/** @type {string} */ css) => {
    const page = await here.blank();
    await page.route('**/hostile.css', (route) => route.fulfill({ contentType: 'text/css', body: css }));
    await visitHost(
      page,
      here.server.origin,
      `<link rel="stylesheet" href="/hostile.css">${SCRIPT}
        <watch-next watched="${IDS.slice(0, 3).join(' ')}"></watch-next>`,
      { policy },
    );
    await ready(page);
    await ranked(page);
    await explained(page);
    const found = await page.evaluate(() => {
      const names = [
        'display',
        'position',
        'color',
        'fontSize',
        'fontFamily',
        'letterSpacing',
        'textTransform',
        'opacity',
        'lineHeight',
        'backgroundColor',
      ];
      return [
        '#root',
        '#search-input',
        '#wall-title',
        '.tile',
        '.frame-title',
        '.card',
        '.card-title',
        '.chance',
        '.seen',
        '#watched-list',
      ].map((selector) => {
        const node = /** @type {Element} */ (inside().querySelector(selector));
        const { width, height } = node.getBoundingClientRect();
        const style = /** @type {any} */ (getComputedStyle(node));
        return [selector, Math.round(width), Math.round(height), ...names.map((name) => style[name])].join(' ');
      });
    });
    assert.deepEqual(page.errors, []);
    assert.deepEqual(page.foreign, []);
    await page.context().close();
    return found;
  };
  assert.deepEqual(await measure(hostile), await measure('body { margin: 0 }'));
});

test('from another origin it works as well, where that one allows it', async () => {
  const page = await here.blank();
  const script = `<script type="module" src="${elsewhere.origin}/web/watch-next.js"></script>`;
  const { origin } = elsewhere;
  const policy =
    `default-src 'none'; script-src ${origin} 'wasm-unsafe-eval'; worker-src blob: ${origin}; ` +
    `connect-src ${origin}; style-src ${origin}`;
  await visitHost(page, here.server.origin, `${script}<watch-next></watch-next>`, { policy });
  await ready(page);
  await clickPosters(page, 0, 3);
  assert.equal((await suggested(page)).length, 12);
  await ranked(page);
  assert.deepEqual(new Set(page.foreign.map((url) => new URL(url).origin)), new Set([elsewhere.origin]));
  assert.deepEqual(page.errors, []);
});
