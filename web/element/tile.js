/** A poster that works as a button. It stays pressed while the movie is in the list. */

import { closest, spoken } from './dom.js';

/** @typedef {import('../runtime.js').Movie} Movie */
/** @typedef {import('./store.js').Store} Store */

/**
 * A list item with such a poster.
 * @param {import('./view.js').View} view
 * @param {import('./poster.js').Billboard} billboard draws the poster.
 * @param {Store} store
 * @param {Movie} movie
 */
export function tile(view, billboard, store, movie) {
  const [item, part] = view.copy('tile');
  const button = part('tile');
  button.dataset.movie = movie.movieId;
  button.title = spoken(movie);
  button.setAttribute('aria-pressed', store.has(movie.movieId));
  button.prepend(billboard.poster(movie));
  return item;
}

/**
 * Marks one tile of a list, or all of them.
 * @param {HTMLElement} list
 * @param {Store} store
 * @param {number} [movieId]
 */
export function markTiles(list, store, movieId) {
  const which = movieId === undefined ? '.tile' : `.tile[data-movie="${movieId}"]`;
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll(which))) {
    button.setAttribute('aria-pressed', String(store.has(Number(button.dataset.movie))));
  }
}

/**
 * Makes a click on a tile add its movie to the list, or remove it.
 * @param {HTMLElement} list
 * @param {Store} store
 * @param {() => readonly Movie[]} movies the movies of the tiles.
 */
export function toggleByTiles(list, store, movies) {
  list.addEventListener('click', (event) => {
    const pressed = closest(event, '.tile');
    const movie = movies().find(({ movieId }) => String(movieId) === pressed?.dataset.movie);
    if (movie) store.toggle(movie, event.timeStamp);
  });
}
