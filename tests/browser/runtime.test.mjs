/** The headless module, as a site uses it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { site } from './harness.mjs';

const here = site();

/**
 * Runs `work` in a page with the runtime's module, and returns its result.
 * @param {(runtime: any) => Promise<any>} work must not refer to anything outside itself.
 */
async function inPage(work) {
  const page = await here.blank();
  // Not our own page, so that only the runtime is at work.
  await page.goto(`${here.server.origin}/models/manifest.json`);
  const result = await page.evaluate(`import('/web/runtime.js').then(${work})`);
  await page.context().close();
  return result;
}

test('the module exports what its declarations say, and nothing else', async () => {
  assert.deepEqual(await inPage(async (runtime) => Object.keys(runtime).sort()), ['WatchNextError', 'load']);
});

test('importing it outside a browser has no effects', async () => {
  const runtime = await import('../../web/runtime.js');
  assert.equal(typeof runtime.load, 'function');
});

test('an engine has the methods that its declarations name, and finds movies', async () => {
  const found = await inPage(async ({ load }) => {
    const engine = await load({ bundle: '/models/' });
    const wall = await engine.wall(5);
    const [{ movieId, title }] = wall;
    const result = {
      methods: Object.getOwnPropertyNames(Object.getPrototypeOf(engine)).sort().join(' '),
      info: engine.info,
      wall,
      search: await engine.search(title, 3),
      movies: await engine.movies([movieId, 4_000_000_000]),
    };
    engine.close();
    return result;
  });
  assert.equal(
    found.methods,
    'close constructor loadLinks loadRanker loadStates map movies readList reasons search ' +
      'similar suggest userVector wall',
  );
  assert.equal(found.wall.length, 5);
  for (const movie of found.wall) {
    assert.equal(typeof movie.movieId, 'number');
    assert.equal(typeof movie.title, 'string');
    assert.ok(movie.year === null || Number.isInteger(movie.year));
    assert.ok(movie.genres.every((/** @type {unknown} */ genre) => typeof genre === 'string'));
    assert.ok(Number.isInteger(movie.ratings));
  }
  assert.equal(found.search[0].movieId, found.wall[0].movieId);
  assert.equal(found.movies[0].movieId, found.wall[0].movieId);
  assert.equal(found.movies[1], null);
  assert.ok(found.info.defaultNovelty >= 0 && found.info.defaultNovelty <= 1);
  assert.ok(Number.isInteger(found.info.statesBytes));
  assert.ok(Number.isInteger(found.info.rankerBytes));
  assert.equal(found.info.ranker, false);
});

test('an engine suggests as many movies as asked for, in the order of their scores', async () => {
  const found = await inPage(async ({ load }) => {
    const engine = await load({ bundle: '/models/' });
    const [{ movieId }] = await engine.wall(1);
    const request = { history: [{ movieId, rating: 5 }, { movieId: 4_000_000_000 }], limit: 7 };
    const spread = await engine.suggest({ ...request, novelty: 0.9 });
    const vector = await engine.userVector(request);
    const result = {
      movies: engine.info.movies,
      answer: await engine.suggest({ ...request, novelty: 0, inOrder: false }),
      spread: spread.suggestions,
      byOlderName: (await engine.suggest({ ...request, diversity: 0.9 })).suggestions,
      byBoth: (await engine.suggest({ ...request, diversity: 0, novelty: 0.9 })).suggestions,
      vector: [vector.constructor.name, vector.length, vector.every(Number.isFinite)],
      all: (await engine.suggest({ history: [], limit: 1e9 })).suggestions.length,
      byDefault: (await engine.suggest({ history: [] })).suggestions.length,
    };
    engine.close();
    return result;
  });
  const { suggestions, unknown } = found.answer;
  assert.equal(suggestions.length, 7);
  assert.ok(suggestions.every((/** @type {any} */ { title }) => typeof title === 'string'));
  assert.ok(suggestions.every((/** @type {any} */ { like, lift }) => like === null && lift === null));
  assert.deepEqual(unknown, [4_000_000_000]);
  const scores = suggestions.map((/** @type {any} */ { score }) => score);
  assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
  assert.equal(found.spread.length, suggestions.length);
  assert.notDeepEqual(found.spread, suggestions, 'novelty changes the rest');
  assert.deepEqual(found.byOlderName, found.spread, 'diversity is its older name');
  assert.deepEqual(found.byBoth, found.spread, 'novelty counts if a request has both');
  assert.equal(found.vector[0], 'Float32Array');
  assert.ok(found.vector[1] > 0 && found.vector[2]);
  assert.equal(found.all, found.movies);
  assert.equal(found.byDefault, 12);
});

test("a visitor's own wall holds nothing that they have watched or that is left out", async () => {
  const found = await inPage(async ({ load }) => {
    const engine = await load({ bundle: '/models/' });
    const idsOf = (/** @type {any[]} */ movies) => movies.map(({ movieId }) => movieId);
    const shared = idsOf(await engine.wall(20));
    const [history, exclude] = [shared.slice(0, 3).map((movieId) => ({ movieId })), shared.slice(3, 6)];
    const own = idsOf(await engine.wall(20, { history, exclude }));
    const rest = idsOf(await engine.wall(1e9, { history, exclude }));
    const early = idsOf(await engine.wall(10, { history: [], exclude: shared.slice(0, 2) }));
    const bad = await engine.wall(5, { history: 'all' }).catch((/** @type {any} */ error) => error.code);
    engine.close();
    return { shared, own, rest: rest.length, movies: engine.info.movies, early, bad };
  });
  const gone = found.shared.slice(0, 6);
  assert.equal(found.own.length, 20);
  assert.deepEqual(found.own.filter((/** @type {number} */ id) => gone.includes(id)), []);
  assert.equal(found.rest, found.movies - 6);
  assert.deepEqual(found.early, found.shared.slice(2, 12), 'without a history, the wall of everybody');
  assert.equal(found.bad, 'request-invalid');
});

test('a later question overtakes an earlier one, which is answered with null', async () => {
  const answers = await inPage(async ({ load }) => {
    const engine = await load({ bundle: '/models/' });
    const wall = await engine.wall(6);
    const asked = wall.map((/** @type {any} */ { movieId }) => engine.suggest({ history: [{ movieId }] }));
    const results = await Promise.all(asked);
    engine.close();
    return results.map((result) => result === null);
  });
  assert.deepEqual(answers, [true, true, true, true, true, false]);
});

test('two engines on one page do not disturb each other', async () => {
  const [left, right] = await inPage(async ({ load }) => {
    const engines = await Promise.all([
      load({ bundle: '/models/' }),
      load({ bundle: new URL('/models', location.href) }),
    ]);
    const [movie] = await engines[0].wall(1);
    engines[0].close();
    const closed = await engines[0].wall(1).catch((/** @type {any} */ error) => error.code);
    const answer = await engines[1].suggest({ history: [{ movieId: movie.movieId }] });
    return [closed, answer.suggestions.length];
  });
  assert.equal(left, 'closed');
  assert.ok(right > 0);
});

test('what Rust refuses comes back with its code, and the engine lives on', async () => {
  const codes = await inPage(async ({ load, WatchNextError }) => {
    const engine = await load({ bundle: '/models/' });
    const [movie] = await engine.wall(1);
    /** @param {any} request */
    const code = (request) =>
      engine.suggest(request).then(
        () => 'answered',
        (/** @type {any} */ error) => (error instanceof WatchNextError ? error.code : `foreign ${error}`),
      );
    const history = [{ movieId: movie.movieId }];
    return [
      await code({ history: [{ movieId: movie.movieId, rating: 9 }] }),
      await code({ history, limit: 0 }),
      await code({ history, timeMs: 1e300 }),
      await code({ history, novelty: 1.5 }),
      await code({ history, diversity: 1.5 }),
      await code({ history, retrieval: 'states' }),
      await code({ history: 'everything' }),
      await engine.similar(movie.movieId).catch((/** @type {any} */ error) => error.code),
      await code({ history }),
    ];
  });
  assert.deepEqual(codes, [
    'rating-invalid',
    'limit-invalid',
    'time-invalid',
    'novelty-invalid',
    'novelty-invalid',
    'states-not-loaded',
    'request-invalid',
    'ranker-not-loaded',
    'answered',
  ]);
});

test('loading can be stopped by a signal', async () => {
  here.server.faults.set('/models/catalog.json', { stallAfter: 10 });
  const reason = await inPage(async ({ load }) => {
    const controller = new AbortController();
    const loading = load({ bundle: '/models/', signal: controller.signal });
    setTimeout(() => controller.abort(new Error('changed my mind')), 300);
    return loading.then(
      () => 'loaded',
      (/** @type {any} */ error) => error.message,
    );
  });
  here.server.heal();
  assert.equal(reason, 'changed my mind');
});

test('the states may be asked for twice and are fetched once', async () => {
  here.server.requests.length = 0;
  const found = await inPage(async ({ load }) => {
    const engine = await load({ bundle: '/models/' });
    /** @type {any[]} */
    const steps = [];
    await Promise.all([
      engine.loadStates({ onProgress: (/** @type {any} */ step) => steps.push(step) }),
      engine.loadStates({ onProgress: (/** @type {any} */ step) => steps.push(step) }),
    ]);
    await engine.loadStates();
    const [movie] = await engine.wall(1);
    const answer = await engine.suggest({ history: [{ movieId: movie.movieId }], retrieval: 'states' });
    return { last: steps.at(-1), count: answer.suggestions.length, bytes: engine.info.statesBytes };
  });
  assert.ok(found.count > 0);
  assert.deepEqual(found.last, { received: found.bytes, total: found.bytes });
  assert.equal(here.server.requests.filter((path) => path.includes('states')).length, 1);
});

test('the ranker\'s two files are fetched once, and bring chances and similar movies', async () => {
  here.server.requests.length = 0;
  const found = await inPage(async ({ load }) => {
    const engine = await load({ bundle: '/models/' });
    /** @type {any[]} */
    const steps = [];
    const onProgress = (/** @type {any} */ step) => steps.push(step);
    await Promise.all([engine.loadRanker({ onProgress }), engine.loadRanker({ onProgress })]);
    await engine.loadRanker();
    const [movie] = await engine.wall(1);
    const answer = await engine.suggest({ history: [{ movieId: movie.movieId }], novelty: 0 });
    const rated = await engine.suggest({ history: [{ movieId: movie.movieId, rating: 1 }] });
    const similar = await engine.similar(movie.movieId, 3);
    return {
      movie,
      last: steps.at(-1),
      info: engine.info,
      answer,
      signs: rated.suggestions.map((/** @type {any} */ { lift }) => lift < 0),
      similar,
      all: (await engine.similar(movie.movieId, 1e9)).length,
    };
  });
  assert.deepEqual(found.last, { received: found.info.rankerBytes, total: found.info.rankerBytes });
  assert.equal(found.info.ranker, true);
  assert.ok(found.answer.suggestions.every((/** @type {any} */ { like }) => like >= 0 && like <= 1));
  const averages = found.answer.suggestions.map((/** @type {any} */ { like, lift }) => like - lift);
  assert.ok(averages.every((/** @type {number} */ average) => Math.abs(average - averages[0]) < 1e-6), `${averages}`);
  const scores = found.answer.suggestions.map((/** @type {any} */ { score }) => score);
  assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
  assert.deepEqual(found.signs, [...found.signs].sort(), 'after a rating, those below the average come last');
  assert.ok(found.similar.length > 0 && found.similar.length <= 3);
  assert.ok(
    found.similar.every(
      (/** @type {any} */ { movieId, title }) => movieId !== found.movie.movieId && typeof title === 'string',
    ),
  );
  assert.ok(found.all >= found.similar.length && found.all < found.info.movies);
  for (const part of ['ranker', 'traits']) {
    assert.equal(here.server.requests.filter((path) => path.includes(part)).length, 1);
  }
});

test('filters, exclusions and reasons', async () => {
  const found = await inPage(async ({ load }) => {
    const engine = await load({ bundle: '/models/' });
    const [movie, other] = await engine.wall(2);
    const history = [{ movieId: movie.movieId, rating: 5 }, { movieId: other.movieId }];
    const [genre] = engine.info.genres;
    const decade = engine.info.decades.at(-1);
    const idsOf = async (/** @type {any} */ more) =>
      (await engine.suggest({ history, limit: 1e9, ...more })).suggestions.map(
        (/** @type {any} */ { movieId }) => movieId,
      );
    const [first, ...rest] = await idsOf({});
    const without = await idsOf({ exclude: [first, 4_000_000_000] });
    const codes = [];
    for (const request of [{ genres: ['Cookery'] }, { decades: ['soon'] }, { fame: 'loud' }, { exclude: [-1] }]) {
      codes.push(await engine.suggest({ history, ...request }).catch((/** @type {any} */ error) => error.code));
    }
    const result = {
      genre,
      decade,
      narrowed: await engine.suggest({ history, genres: [genre], decades: [decade], fame: 'known' }),
      same: without.sort().join() === rest.sort().join(),
      reasons: await engine.reasons({ history }, [first, rest[0], 4_000_000_000], 1),
      codes,
      ids: history.map(({ movieId }) => movieId),
    };
    engine.close();
    return result;
  });
  assert.ok(
    found.narrowed.suggestions.every(
      (/** @type {any} */ { genres, year }) =>
        genres.includes(found.genre) && Math.floor(year / 10) * 10 === found.decade,
    ),
  );
  assert.ok(found.same, 'all others, and no more');
  assert.deepEqual(found.reasons.map((/** @type {any[]} */ list) => list.length <= 1), [true, true, true]);
  assert.deepEqual(found.reasons[2], []);
  for (const { movieId, share } of found.reasons.flat()) {
    assert.ok(found.ids.includes(movieId) && share > 0 && share <= 1);
  }
  assert.deepEqual(found.codes, ['genre-unknown', 'request-invalid', 'request-invalid', 'request-invalid']);
});

test('links, lists and the map', async () => {
  here.server.requests.length = 0;
  const found = await inPage(async ({ load }) => {
    const engine = await load({ bundle: '/models/' });
    const before = engine.info;
    const [movie] = await engine.wall(1);
    const readList = (/** @type {string} */ text) => engine.readList(new TextEncoder().encode(text));
    const code = await readList('colour,size\nred,3\n').catch((/** @type {any} */ error) => error.code);
    await Promise.all([engine.loadLinks(), engine.loadLinks()]);
    const [linked] = await engine.movies([movie.movieId]);
    const columns = 'Const,Your Rating,Date Rated,Title,URL,Title Type,Year';
    const report = await readList(`${columns}\n${linked.imdb},9,2020-01-01,Whatever,,Movie,1900\n`);
    const { movieIds, positions, genres } = await engine.map();
    const isOnMap = positions.every((/** @type {number} */ place) => place >= 0 && place <= 1);
    const map = [movieIds.length, positions.length, genres.length, isOnMap, movieIds.constructor.name];
    const result = { before, after: engine.info, code, linked, unlinked: movie.imdb, report, map };
    engine.close();
    return result;
  });
  const { before, after, code, linked, unlinked, report, map } = found;
  assert.deepEqual([before.links, before.map, after.links, after.map], [false, false, true, true]);
  assert.ok(Number.isInteger(before.linksBytes) && Number.isInteger(before.mapBytes));
  assert.equal(code, 'list-invalid');
  assert.equal(unlinked, null);
  assert.match(linked.imdb, /^tt\d{7,}$/);
  const [{ movieId, rating, by }] = report.matched;
  assert.deepEqual([report.format, report.rows, movieId, rating, by], ['imdb', 1, linked.movieId, 4.5, 'imdb']);
  assert.deepEqual(map, [after.movies, 2 * after.movies, after.movies, true, 'Uint32Array']);
  for (const part of ['links', 'map']) {
    assert.equal(here.server.requests.filter((path) => path.includes(`${part}.`)).length, 1);
  }
});
