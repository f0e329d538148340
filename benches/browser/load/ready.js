/**
 * Replaces the page's own worker (`web/worker.js`) and answers at once with made-up movies. It fetches no module, model
 * or file, so this measures the page around an engine. No engine can be faster.
 */

const GENRES = ['Action', 'Comedy', 'Drama', 'Romance', 'Sci-Fi', 'Thriller'];

/** A movie as the page takes it. @param {number} place */
function movieAt(place) {
  const genres = [GENRES[place % GENRES.length], GENRES[(place + 2) % GENRES.length]];
  return {
    movieId: place + 1,
    key: null,
    title: `The ${genres[0]} of Number ${place + 1}`,
    year: 1950 + (place % 70),
    genres,
    ratings: 100,
    imdb: null,
    tmdb: null,
  };
}

const movies = (/** @type {number} */ count) => Array.from({ length: count }, (_, place) => movieAt(place));

/** @type {Record<string, (...parameters: any[]) => unknown>} */
const calls = {
  suggest: (/** @type {import('../../../web/runtime.js').Request} */ { limit = 12 }) => ({
    suggestions: movies(limit).map((movie) => ({ ...movie, score: 1, like: null, lift: null })),
    unknown: [],
  }),
  wall: movies,
  reasons: (/** @type {unknown} */ request, /** @type {number[]} */ ids) => ids.map(() => []),
};

// Later calls of the page, such as the ranker's, get no answer.
self.addEventListener('message', ({ data: { id, call, parameters } }) => {
  if (Object.hasOwn(calls, call)) self.postMessage({ id, result: calls[call](...parameters) });
});

self.postMessage({ started: true });
const none = { statesBytes: null, rankerBytes: null, linksBytes: null, mapBytes: null };
self.postMessage({
  id: 0,
  result: {
    name: 'ready',
    movies: 1000,
    genres: GENRES,
    decades: [1950, 1960, 1970, 1980, 1990, 2000, 2010],
    retrievals: ['movies'],
    defaultNovelty: 0,
    dataset: '',
    ranker: false,
    links: false,
    map: false,
    ...none,
  },
});
