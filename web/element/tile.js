/** A poster to press, which stays pressed while the movie is in the list. */

import { closest, spoken } from './dom.js';

/**
 * An item of a list with such a poster.
 * @param {import('./view.js').View} view
 * @param {import('./poster.js').Billboard} billboard draws the poster.
 * @param {import('../runtime.js').Movie} movie
 * @param {boolean} pressed
 */
export function tile(view, billboard, movie, pressed) {
  const [item, part] = view.copy('tile');
  const button = part('tile');
  button.dataset.movie = movie.movieId;
  button.title = spoken(movie);
  button.setAttribute('aria-pressed', pressed);
  button.prepend(billboard.poster(movie));
  return item;
}

/** Marks one tile of a list, or all of them. @param {HTMLElement} list @param {(movieId: number) => boolean} isWatched @param {number} [movieId] */
export function markTiles(list, isWatched, movieId) {
  const which = movieId === undefined ? '.tile' : `.tile[data-movie="${movieId}"]`;
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll(which))) {
    button.setAttribute('aria-pressed', String(isWatched(Number(button.dataset.movie))));
  }
}

/** The movie of the tile that an event is from. @template {{movieId: number}} M @param {Event} event @param {readonly M[]} movies */
export function movieOf(event, movies) {
  const pressed = closest(event, '.tile');
  return movies.find(({ movieId }) => String(movieId) === pressed?.dataset.movie);
}
