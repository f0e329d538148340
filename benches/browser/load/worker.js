/**
 * Replaces the page's own worker (`web/worker.js`) and answers the calls that the page makes until its first
 * suggestions and its wall are there. The rest of the page is the same.
 */

import { loadEngine } from '/load/engine.mjs';

/** @type {Awaited<ReturnType<typeof loadEngine>>} */
let engine;

/** A movie as the page takes it. @param {number} place */
function movieAt(place) {
  const { catalog } = engine;
  return {
    movieId: catalog.movie_id[place],
    key: null,
    title: catalog.title[place],
    year: catalog.year[place],
    genres: catalog.movie_genres[place].map((/** @type {number} */ genre) => catalog.genres[genre]),
    ratings: catalog.ratings[place],
    imdb: null,
    tmdb: null,
  };
}

/** @param {{bundle: string}} options */
async function load({ bundle }) {
  engine = await loadEngine(bundle);
  const { genres, movie_id: ids, year: years } = engine.catalog;
  const decade = (/** @type {number | null} */ year) => (year === null ? [] : Math.floor(year / 10) * 10);
  const decades = [...new Set(years.flatMap(decade))].sort();
  const none = { statesBytes: null, rankerBytes: null, linksBytes: null, mapBytes: null };
  return {
    name: 'onnxruntime-web',
    movies: ids.length,
    genres,
    decades,
    retrievals: ['movies'],
    defaultNovelty: 0,
    dataset: '',
    ranker: false,
    links: false,
    map: false,
    ...none,
  };
}

/** @type {Record<string, (...parameters: any[]) => unknown>} */
const calls = {
  /** @param {import('../../../web/runtime.js').Request} request */
  async suggest({ history, limit = 12 }) {
    const found = await engine.best(history.map(({ movieId }) => movieId), limit);
    const suggestions = found.map(({ place, score }) => ({ ...movieAt(place), score, like: null, lift: null }));
    return { suggestions, unknown: [] };
  },

  /** @param {number} limit */
  wall(limit) {
    const { ratings } = engine.catalog;
    const order = Array.from(ratings.keys()).sort((one, other) => ratings[other] - ratings[one]);
    return order.slice(0, limit).map(movieAt);
  },

  reasons: (/** @type {unknown} */ request, /** @type {number[]} */ ids) => ids.map(() => []),
};

/** @param {number} id @param {() => unknown} work */
const answer = async (id, work) => self.postMessage({ id, result: await work() });

self.addEventListener('message', ({ data: { id, call, parameters } }) => {
  void answer(id, () => calls[call](...parameters));
});

self.postMessage({ started: true });
void answer(0, () => load(JSON.parse(self.name)));
