/** Hostile titles, lists, links, messages and pages: text from outside stays text, and the widget still works. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { bundleWith, temporaryFolder } from './copies.mjs';
import {
  FIXTURE,
  SCRIPT,
  catalogIds,
  clickPosters,
  failureCode,
  importFile,
  openMap,
  ready,
  settled,
  site,
  suggested,
  visitHost,
  watchedIds,
} from './harness.mjs';
import { DIST } from './server.mjs';

const TITLES = [
  '<img src=x onerror="pwned=1">',
  '<script>pwned=1</script>',
  '"><svg onload=pwned=1>',
  '{{constructor.constructor("pwned=1")()}} ${pwned=1}',
  'javascript:pwned=1',
  'Evil \u202Egnp.exe\u202C \u2067right\u2069',
  '👩‍👩‍👧‍👦 🏳️‍🌈 family 🎬',
  'Z̸̨͖̈́a̵l̷g̶o̷',
  '__proto__',
  '&lt;b&gt; &amp; \u0000 \u0007'.replace(/[\u0000\u0007]/g, ''),
  'שלום العربية 中文',
  '</title></style></textarea>',
];
const GENRE = '<b onmouseover=pwned=1>Action</b>';

/** The title of the movie in a row of the catalogue. @param {number} row */
const titleOf = (row) => `${TITLES[row % TITLES.length]} ${row}`;
/** @type {(id: string | null) => number} */
let rowOf;

const folder = join(await temporaryFolder(), 'bundle');
const here = site({ models: folder });
const IDS = await catalogIds(FIXTURE);

/** The strictest policy: only our two trusted-types policies may make the address of a script. */
const STRICTEST =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src " +
    "'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
    "require-trusted-types-for 'script'; trusted-types watchnext watchnext-offline";

before(() =>
  bundleWith(folder, (catalog) => {
    catalog.title.forEach((/** @type {string} */ _, /** @type {number} */ row) => (catalog.title[row] = titleOf(row)));
    rowOf = (id) => catalog.movie_id.indexOf(Number(id));
    catalog.genres[0] = GENRE;
  }),
);

/**
 * Checks that no text became markup or ran, and that no prototype has changed.
 * @param {import('./harness.mjs').WatchedPage} page
 */
async function unharmed(page) {
  const found = await page.evaluate(() => ({
    pwned: 'pwned' in window || 'polluted' in {},
    inherited: Object.keys(Object.prototype),
    markup: [document, inside()].map(
      (root) => root.querySelectorAll('img, iframe, object, embed, b, [onerror], [onload], [onmouseover]').length,
    ),
    scripts: inside().querySelectorAll('script').length,
  }));
  assert.deepEqual(found, { pwned: false, inherited: [], markup: [0, 0], scripts: 0 });
  assert.deepEqual(page.foreign, []);
  assert.deepEqual(page.errors, []);
}

test('titles and genres with markup, scripts, marks and emoji are text everywhere on the page', async () => {
  const page = await here.open();
  const shown = new Set();
  for (let at = 0; at < 20; at++) {
    const row = rowOf(await page.locator('.tile').nth(at).getAttribute('data-movie'));
    const title = titleOf(row);
    shown.add(row % TITLES.length);
    await settled(page, () => page.locator('.tile').nth(at).click());
    assert.equal(await page.locator('.frame-title').first().textContent(), title);
    assert.ok((await page.locator('.tile').nth(at).getAttribute('title'))?.startsWith(title), title);
  }
  assert.ok(shown.size > TITLES.length / 2);
  await page.locator('#search-input').fill('family');
  await page.locator('#search-list [role=option]').first().waitFor();
  assert.ok((await page.locator('#search-list').innerText()).includes('👩‍👩‍👧‍👦'));
  await page.locator('#search-input').fill('<img');
  await page.locator('#search-list [role=option], #search-none:not([hidden])').first().waitFor();
  await page.keyboard.press('Escape');
  assert.ok((await page.locator('#filter-genres').textContent())?.includes(GENRE));
  await page.locator('#undo').click();
  await openMap(page);
  await page.keyboard.press('Escape');
  await unharmed(page);
});

test('such titles as suggestions, and as the movies that speak for them', async () => {
  const page = await here.open();
  await settled(page, () => page.locator('.tile').nth(20).click());
  await page.locator('watch-next').evaluate((element) => element.setAttribute('limit', '100'));
  await page.waitForFunction(() => inside().querySelectorAll('#suggestions-list .card').length > 80);
  const titles = await page.locator('#suggestions-list .card-title').allTextContents();
  for (const title of TITLES) assert.ok(titles.some((text) => text.includes(title)), title);
  await unharmed(page);
});

test('such titles in a file that is imported', async () => {
  const page = await here.open();
  const rows = TITLES.map((title) => `2024-01-01,"${title.replaceAll('"', '""')} unknown",1999,https://boxd.it/1`);
  const text = `Date,Name,Year,Letterboxd URI\n${rows.join('\n')}\n`;
  await importFile(page, text, '<img src=x onerror=pwned=1>.csv');
  const cells = await page.locator('#import-report tbody td:nth-child(2)').allTextContents();
  assert.equal(cells.length, TITLES.length);
  TITLES.forEach((title, at) => assert.ok(cells[at].includes(title), title));
  await unharmed(page);
});

test('an import whose columns and names are those of every object pollutes none', async () => {
  const page = await here.open();
  const texts = [
    '__proto__,constructor,prototype\npolluted,polluted,polluted\n',
    'movieId,title,__proto__\n1,__proto__,polluted\n',
    'Date,Name,Year,Letterboxd URI\n__proto__,constructor,toString,hasOwnProperty\n',
  ];
  for (const text of texts) await importFile(page, text, '__proto__');
  await unharmed(page);
});

for (const fragment of [
  '__proto__',
  '1-__proto__',
  'constructor_9',
  '1_9-<img src=x onerror=pwned=1>',
  '%3Cscript%3Epwned=1%3C/script%3E',
  `${IDS[0]}_10.polluted`,
]) {
  test(`a link with #list=${fragment} is damaged and harms nothing`, async () => {
    const page = await here.blank();
    await page.goto(`${here.server.origin}/#list=${fragment}`);
    await ready(page);
    await page.locator('#offer').getByText(/damaged|can’t be read/i).waitFor();
    assert.deepEqual(await watchedIds(page), []);
    await unharmed(page);
  });
}

test('parameters of the address choose no file elsewhere and are shown nowhere', async () => {
  for (const query of [
    '?model=../../elsewhere',
    '?model=//elsewhere.example/',
    '?model=__proto__',
    '?lang=<script>pwned=1</script>',
    '?lang=../../x',
    '?lang=__proto__',
  ]) {
    const page = await here.blank();
    here.server.requests.length = 0;
    await page.goto(`${here.server.origin}/${query}`);
    await ready(page);
    assert.ok(
      here.server.requests.every(
        (path) => !path.includes('elsewhere') && !path.includes('..') && !path.includes('__proto__'),
      ),
    );
    await unharmed(page);
    await page.context().close();
  }
});

test('a stored list with markup and with the names of every object', async () => {
  const page = await here.blank();
  await page.addInitScript((titles) => {
    const movies = titles.map(
      (title, at) =>
        `{"movieId":${4e9 + at},"title":${JSON.stringify(title)},"year":null,"genres":["<b>x</b>","__proto__"],` +
        '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    );
    localStorage.setItem(
      'watchnext.list.v1',
      `{"version":1,"__proto__":{"polluted":1},"movies":[${movies}],"ignored":[]}`,
    );
  }, TITLES);
  await page.goto(`${here.server.origin}/`);
  await ready(page);
  assert.deepEqual(await page.locator('.frame-title').allTextContents(), [...TITLES].reverse());
  await clickPosters(page, 20);
  const kept = await page.evaluate(() => localStorage.getItem('watchnext.list.v1') ?? '');
  assert.ok(!kept.includes('polluted'));
  await unharmed(page);
});

test('words with markup and with the names of every object', async () => {
  const words = await readFile(join(DIST, 'web/words/en.json'), 'utf8');
  const hostile = words
    .replace(/^\{/, '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},')
    .replace('Seen any of these?', '<img src=x onerror=pwned=1>');
  here.server.faults.set('/web/words/en.json', { body: Buffer.from(hostile) });
  const page = await here.open();
  here.server.heal();
  assert.equal(await page.locator('#wall-title').textContent(), '<img src=x onerror=pwned=1>');
  await unharmed(page);
});

test('messages from strangers are ignored', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 3);
  const [list, suggestions] = [await watchedIds(page), await suggested(page)];
  await page.evaluate(() => {
    const messages = [
      { started: true },
      { progress: { what: 'files', received: 1, total: 2 } },
      { progress: { what: '__proto__', received: 1, total: 2 } },
      ...[0, 1, 2, 3, 10, 20].flatMap((id) => [
        { id, result: { suggestions: [], unknown: [] } },
        { id, error: { code: 'worker-crashed', message: 'pwned' } },
      ]),
      { id: 1, call: 'suggest', parameters: [] },
      'watchnext:clear',
      null,
    ];
    for (const message of messages) {
      window.postMessage(message, '*');
      window.dispatchEvent(new MessageEvent('message', { data: message, origin: 'https://elsewhere.example' }));
    }
  });
  await clickPosters(page, 5);
  assert.deepEqual((await watchedIds(page)).slice(1), list);
  assert.ok(suggestions.length > 0 && (await suggested(page)).length > 0);
  await unharmed(page);
});

test('a page whose elements are named like what the widget uses', async () => {
  // The name of an image hides a property of the document, and an id one of the window.
  const names = [
    'baseURI',
    'createElement',
    'createElementNS',
    'importNode',
    'adoptNode',
    'addEventListener',
    'dispatchEvent',
    'cookie',
    'title',
    'forms',
    'defaultView',
  ];
  const ids = [
    'root',
    'app',
    'failure',
    'wall',
    'search-input',
    'suggestions',
    'copies',
    'copy-tile',
    'watchnext',
    'WatchNext',
    'trustedTypes',
    'engine',
    'stores',
    'inside-out',
  ];
  const images = names.map((name) => `<img alt="" name="${name}">`);
  const forms = ids.map(
    (id) => `<a id="${id}" href="clobbered:"></a><form id="${id}" name="${id}"><input name="attributes"></form>`,
  );
  const watched = IDS.slice(20, 23).join(' ');
  const body = `${images.join('')}${forms.join('')}
    <form lang="en"><input name="lang"><input name="closest"><input name="parentNode">${SCRIPT}
      <watch-next bundle="/models/" watched="${watched}" poster-url="images/{movieId}.png"></watch-next></form>`;
  const page = await here.blank();
  await visitHost(page, here.server.origin, body);
  assert.equal(
    await page.evaluate(() => typeof document.createElement),
    'object',
    'the page is as hostile as it should be',
  );
  await ready(page);
  assert.equal((await watchedIds(page)).length, 3);
  assert.ok((await suggested(page)).length > 0);
  // The driver's own clicks need properties of the document that this page hides.
  const press = (/** @type {string} */ selector) =>
    page.evaluate((wanted) => /** @type {HTMLElement} */ (inside().querySelector(wanted)).click(), selector);
  await settled(page, () => press('.tile[aria-pressed=false]'));
  assert.equal((await watchedIds(page)).length, 4);
  await press('.similar-open');
  await page.waitForFunction(() => inside().querySelectorAll('#similar [data-movie]').length > 0);
  assert.ok(here.server.requests.some((path) => path.startsWith('/somebody/images/')));
  assert.deepEqual(page.errors, []);
  assert.deepEqual(page.foreign, []);
});

test('our page under the strictest policy, and trusted types: a whole visit breaks nothing of it', async () => {
  here.server.setPolicy(STRICTEST);
  const page = await here.blank({ serviceWorkers: 'allow' });
  /** @type {string[]} */
  const broken = [];
  here.server.requests.length = 0;
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) broken.push(message.text());
  });
  await page.goto(`${here.server.origin}/`);
  await ready(page);
  await clickPosters(page, 0, 3);
  await openMap(page);
  await page.keyboard.press('Escape');
  await page.locator('#language').selectOption('ja');
  for (let tries = 0; !here.server.requests.includes('/offline.json'); tries++) {
    assert.ok(tries < 100, 'the service worker is started too');
    await page.waitForTimeout(50);
  }
  assert.deepEqual(broken, []);
  await unharmed(page);
  here.server.heal();
});

test('the widget in a page under the strictest policy, twice', async () => {
  const page = await here.blank();
  await visitHost(
    page,
    here.server.origin,
    `${SCRIPT}<watch-next store="none"></watch-next><watch-next store="none"></watch-next>`,
    { policy: STRICTEST },
  );
  await page.waitForFunction(() => performance.getEntriesByName('watchnext:complete').length === 2, null, {
    timeout: 20_000,
  });
  await unharmed(page);
});

test('a page that allows no policy for trusted types is told what to allow', async () => {
  const page = await here.blank();
  await visitHost(page, here.server.origin, `${SCRIPT}<watch-next></watch-next>`, {
    policy: STRICTEST.replace('trusted-types watchnext watchnext-offline', "trusted-types 'none'"),
  });
  assert.equal(await failureCode(page), 'worker-blocked');
});

/**
 * The built page's files with their hashes, in the form of `integrity`.
 * @returns {Promise<Record<string, [string, boolean]>>}
 */
const hashes = async () => JSON.parse(await readFile(join(DIST, 'offline.json'), 'utf8'));

/**
 * Another site's page with the hashes of the widget's script and of the modules that it imports.
 * @param {Record<string, [string, boolean]>} list
 */
function pageWithHashes(list) {
  const modules = Object.entries(list).filter(([path]) => /^web\/[^/]+\.js$/.test(path));
  const map = JSON.stringify({ integrity: Object.fromEntries(modules.map(([path, [hash]]) => [`/${path}`, hash])) });
  return [
    `<script type="importmap">${map}</script>`,
    `<script type="module" src="/web/watch-next.js" integrity="${list['web/watch-next.js'][0]}"></script>` +
      '<watch-next></watch-next>',
  ];
}

test('subresource integrity: with the right hashes the widget runs', async () => {
  const [head, body] = pageWithHashes(await hashes());
  const page = await here.blank();
  await visitHost(page, here.server.origin, body, { head });
  await ready(page);
  assert.deepEqual(page.errors, []);
});

for (const path of ['web/watch-next.js', 'web/runtime.js']) {
  test(`subresource integrity: ${path} with another hash doesn't run`, async () => {
    const list = await hashes();
    const [head, body] = pageWithHashes({ ...list, [path]: list['web/address.js'] });
    const page = await here.blank();
    await visitHost(page, here.server.origin, body, { head });
    await page.waitForTimeout(1500);
    assert.equal(await page.evaluate(() => customElements.get('watch-next')), undefined);
  });
}

test('every request of a full visit is for a file of the page, of its own origin', async () => {
  const page = await here.blank({ serviceWorkers: 'allow', acceptDownloads: true });
  /** @type {string[]} */
  const asked = [];
  page.context().on('request', (request) => asked.push(request.url()));
  here.server.requests.length = 0;
  await page.goto(`${here.server.origin}/`);
  await ready(page);
  await clickPosters(page, 0, 3, 5);
  await page.locator('#search-input').fill('family');
  await page.locator('#search-list [role=option]').first().waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.similar-open').first().click();
  await page.keyboard.press('Escape');
  await page.getByLabel('Viewers like you').click();
  await openMap(page);
  await page.keyboard.press('Escape');
  await page.locator('#open-import').click();
  await Promise.all([page.waitForEvent('download'), page.locator('#export').click()]);
  await page.locator('#import [data-close]').click();
  await page.locator('#open-share').click();
  await page.locator('#share [data-close]').click();
  for (const language of ['de', 'es', 'fr', 'ja']) await page.locator('#language').selectOption(language);
  await page.waitForTimeout(1000);
  await page.reload();
  await ready(page);
  const known = new Set(Object.keys(await hashes()).map((path) => `/${path.split('?')[0].replace(/^\.\/$/, '')}`));
  for (const path of ['/offline.json', '/models/states.safetensors', '/favicon.ico']) known.add(path);
  assert.deepEqual([...new Set(here.server.requests)].filter((path) => !known.has(path)), []);
  const others = asked.filter((url) => new URL(url).origin !== here.server.origin && !url.startsWith('blob:'));
  assert.deepEqual(others, []);
  assert.ok(asked.length > 20 && new Set(here.server.requests).size > 20);
  // No address holds anything that the visitor did: a query is only ever a file's hash.
  assert.ok(asked.every((url) => url.startsWith('blob:') || /^(\?v=[0-9a-f]{16})?$/.test(new URL(url).search)));
});
