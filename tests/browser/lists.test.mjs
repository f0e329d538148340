/** Lists from and to other places: imports, the export, and links that carry a list. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FIXTURE, catalogIds, clickPosters, importFile, ready, site, watchedCount, watchedIds } from './harness.mjs';

const here = site();
const IDS = await catalogIds(FIXTURE);
const catalog = JSON.parse(await readFile(join(FIXTURE, 'catalog.json'), 'utf8'));
const links = JSON.parse(await readFile(join(FIXTURE, 'links.json'), 'utf8'));
/** A movie by its place among the best known. @param {number} place */
const movie = (place) => {
  const row = catalog.movie_id.indexOf(IDS[place]);
  return {
    id: IDS[place],
    title: catalog.title[row],
    year: catalog.year[row],
    imdb: `tt${String(links.imdb[row]).padStart(7, '0')}`,
    tmdb: links.tmdb[row],
  };
};

/**
 * A file with some movies, each in a row.
 * @param {string} header
 * @param {number[]} places
 * @param {(row: ReturnType<typeof movie>, at: number) => string} rowOf
 * @param {string} [end] of lines.
 */
const fileOf = (header, places, rowOf, end = '\n') =>
  [header, ...places.map((at) => rowOf(movie(at), at))].map((line) => line + end).join('');

/**
 * Files with the movies 0, 1 and 2, oldest first, and their stars.
 * @type {[string, string, (number | undefined)[]][]}
 */
const FILES = [
  [
    'Letterboxd, watched.csv',
    fileOf(
      'Date,Name,Year,Letterboxd URI',
      [0, 1, 2],
      ({ title, year }, at) => `2024-01-0${at + 1},${title},${year},https://boxd.it/${at}`,
    ),
    [undefined, undefined, undefined],
  ],
  [
    'Letterboxd, ratings.csv',
    fileOf(
      'Date,Name,Year,Letterboxd URI,Rating',
      [2, 1, 0],
      ({ title, year }, at) => `2024-01-0${at + 1},"${title}",${year},https://boxd.it/${at},${at + 2.5}`,
      '\r\n',
    ),
    [2.5, 3.5, 4.5],
  ],
  [
    'IMDb, ratings.csv',
    fileOf(
      'Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,' +
        'Num Votes,Release Date,Directors',
      [2, 1, 0],
      ({ imdb, year }, at) =>
        `${imdb},${2 * at + 5},2023-05-0${at + 1},Another name,,https://www.imdb.com/title/${imdb}/,Movie,7.0,100,` +
        `${year},Drama,1000,2000-01-01,Somebody`,
    ),
    [2.5, 3.5, 4.5],
  ],
  [
    'MovieLens, its export',
    fileOf(
      'movie_id,imdb_id,tmdb_id,rating,average_rating,title',
      [0, 1, 2],
      ({ id, imdb, tmdb, title, year }, at) => `${id},${imdb.slice(2)},${tmdb},${at + 2.5},3.9,"${title} (${year})"`,
    ),
    [2.5, 3.5, 4.5],
  ],
  [
    'MovieLens, a data set',
    fileOf('userId,movieId,rating,timestamp', [1, 0, 2], ({ id }, at) => `7,${id},${at + 2.5},${1000 + at}`),
    [2.5, 3.5, 4.5],
  ],
];

for (const [name, text, stars] of FILES) {
  test(`${name}: every movie is found, in order, with its stars`, async () => {
    const page = await here.open();
    await importFile(page, text);
    assert.match(await page.locator('#import-report').innerText(), /3 of 3 movies found/);
    await page.getByRole('button', { name: 'Add 3 movies to my list' }).click();
    await page.getByText('Your list now has 3 movies.').waitFor();
    assert.deepEqual(
      await watchedIds(page),
      [2, 1, 0].map((at) => String(movie(at).id)),
    );
    assert.deepEqual(
      await page
        .locator('watch-next')
        .evaluate((element) => /** @type {any} */ (element).watched.map((/** @type {any} */ { rating }) => rating)),
      stars,
    );
    assert.deepEqual(page.errors, []);
  });
}

test('the report names every row that was not matched, with its line and the reason', async () => {
  const page = await here.open();
  const rows = [
    `${movie(0).title},${movie(0).year},4`,
    '<img src=x onerror=alert(1)>,1999,3',
    `${movie(1).title},${movie(1).year},99`,
  ];
  await importFile(
    page,
    `Date,Name,Year,Letterboxd URI,Rating\n${rows
      .map((row) => {
        const [title, year, rating] = row.split(',');
        return `2024-01-01,${title},${year},https://boxd.it/1,${rating}`;
      })
      .join('\n')}\n`,
  );
  assert.match(await page.locator('#import-report').innerText(), /1 of 3 movies found/);
  const table = await page
    .locator('#import-report tbody tr')
    .evaluateAll((all) => all.map((row) => [...row.children].map(({ textContent }) => textContent)));
  assert.equal(table.length, 2);
  assert.deepEqual(table[0], ['3', '<img src=x onerror=alert(1)>, 1999', 'not in this catalogue']);
  assert.equal(table[1][0], '4');
  assert.match(table[1][2] ?? '', /rating|99/);
});

for (const [name, text, part] of /** @type {const} */ ([
  ['a picture', '\x89PNG\r\n\x1a\n\0\0\0', /can’t be used/],
  ['columns that nobody knows', 'colour,size\nred,3\n', /colour/],
  ['a header alone', 'Date,Name,Year,Letterboxd URI\n', /can’t be used/],
  ['two people in one file', 'userId,movieId,rating,timestamp\n1,1,3,1\n2,1,4,2\n', /userId/],
])) {
  test(`a file that is ${name} is refused with the reason, and the list stays`, async () => {
    const page = await here.open();
    await clickPosters(page, 0);
    const list = await watchedIds(page);
    await importFile(page, text, 'wrong.csv');
    assert.match(await page.locator('#import-report').innerText(), /wrong\.csv can’t be used/);
    assert.match(await page.locator('#import-report').innerText(), part);
    assert.deepEqual(await watchedIds(page), list);
    assert.deepEqual(page.errors, []);
  });
}

test('an import adds to the list or replaces it, and is undone in one step', async () => {
  const page = await here.open();
  await clickPosters(page, 0);
  const list = await watchedIds(page);
  const file = `movieId,imdbId,title,year,rating\n${[50, 51].map((at) => `${movie(at).id},,,,4`).join('\n')}\n`;
  await importFile(page, file);
  await page.getByRole('button', { name: 'Replace my list' }).click();
  await page.getByText('Your list now has 2 movies.').waitFor();
  await page.locator('#import [data-close]').click();
  await page.locator('#undo').click();
  assert.deepEqual(await watchedIds(page), list);
});

test('what is downloaded can be imported, and gives the same list', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 3, 5);
  await page.locator('[data-act=dislike]').nth(1).click();
  const before = await page.locator('watch-next').evaluate((element) => /** @type {any} */ (element).watched);
  await page.locator('#open-import').click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#export').click()]);
  const text = await readFile(await download.path(), 'utf8');
  assert.match(text, /^movieId,imdbId,title,year,rating\r\n\d+,tt\d{7},/);
  await page.locator('#import [data-close]').click();
  await page.locator('#clear').click();
  await importFile(page, text, 'watchnext.csv');
  await page.getByRole('button', { name: 'Add 3 movies to my list' }).click();
  await page.getByText('Your list now has 3 movies.').waitFor();
  assert.deepEqual(
    await page.locator('watch-next').evaluate((element) => /** @type {any} */ (element).watched),
    before,
  );
});

test('a link carries the list to another browser, and nothing of it to the server', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 3);
  await page.locator('[data-act=like]').first().click();
  await page.locator('#open-share').click();
  const link = await page.locator('#share-link').inputValue();
  const list = await watchedIds(page);
  const other = await here.blank();
  here.server.requests.length = 0;
  await other.goto(link);
  await ready(other);
  await watchedCount(other, 2);
  assert.deepEqual(await watchedIds(other), list);
  assert.equal(await other.locator('[data-act=like]').first().getAttribute('aria-pressed'), 'true');
  assert.match(await other.locator('#offer').innerText(), /came with the link/);
  assert.ok(here.server.requests.every((path) => !path.includes('list')));
  assert.equal(new URL(other.url()).hash, '');
});

test('the link is copied where the browser lets it, and selected where not', async () => {
  const page = await here.open({ permissions: ['clipboard-read', 'clipboard-write'] });
  await clickPosters(page, 0);
  await page.locator('#open-share').click();
  await page.locator('#share-copy').click();
  await page.getByText('Copied.').waitFor();
  assert.equal(
    await page.evaluate(() => navigator.clipboard.readText()),
    await page.locator('#share-link').inputValue(),
  );
  await page.evaluate(() => (navigator.clipboard.writeText = () => Promise.reject(new Error('no'))));
  await page.locator('#share-copy').click();
  await page.getByText('The link is selected').waitFor();
});

test("a link asks a visitor with a list first: keep, add, or replace", async () => {
  for (const [choice, expected] of /** @type {const} */ ([
    ['Keep mine', 1],
    ['Add it to mine', 3],
    ['Use it instead of mine', 2],
  ])) {
    const page = await here.open();
    await clickPosters(page, 0);
    const [own] = await watchedIds(page);
    const others = IDS.filter((id) => String(id) !== own).slice(40, 42);
    await page.evaluate((hash) => (location.hash = hash), `#list=${others[0]}_9-${others[1]}`);
    await page.getByRole('button', { name: choice }).click();
    await watchedCount(page, expected);
    assert.equal(await page.locator('#offer').isVisible(), false);
    await page.context().close();
  }
});

for (const hash of [
  '#list=',
  '#list=1-x',
  '#list=1_11',
  '#list=99999999999',
  '#list=__proto__',
  '#list=1_0',
  `#list=${'1-'.repeat(30000)}1`,
]) {
  test(`a damaged link (${hash.slice(0, 20)}) is told and changes nothing`, async () => {
    const page = await here.open();
    await clickPosters(page, 0);
    const list = await watchedIds(page);
    await page.evaluate((text) => (location.hash = text), hash);
    await page.getByText('The list in this link is damaged').waitFor();
    assert.deepEqual(await watchedIds(page), list);
    assert.deepEqual(page.errors, []);
  });
}

test('a long list shows its newest movies and draws the rest on demand', async () => {
  const page = await here.open();
  await importFile(
    page,
    `movieId,imdbId,title,year,rating\n${IDS.slice(0, 100)
      .map((id) => `${id},,,,`)
      .join('\n')}\n`,
  );
  await page.getByRole('button', { name: 'Add 100 movies to my list' }).click();
  await page.getByText('Your list now has 100 movies.').waitFor();
  await page.locator('#import [data-close]').click();
  assert.equal(await page.locator('#watched-list > li.frame').count(), 60);
  await page.getByRole('button', { name: 'and 40 more' }).click();
  assert.equal(await page.locator('#watched-list > li.frame').count(), 100);
  assert.ok(await page.evaluate(() => focused()?.closest('.frame')), 'the focus is on the first of the new ones');
});
