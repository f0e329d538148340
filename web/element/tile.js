/** A poster to press, which stays pressed while the movie is in the list. */

import { button, element, icon, spoken } from './dom.js';
import { CHECK } from './icons.js';

/**
 * @param {import('../runtime.js').Movie} movie
 * @param {boolean} pressed
 * @param {import('./poster.js').Billboard} billboard draws the poster.
 */
export function tile(movie, pressed, billboard) {
  return button(
    { class: 'tile', part: 'tile', 'data-movie': movie.movieId, 'aria-pressed': String(pressed), title: spoken(movie) },
    billboard.poster(movie),
    element('span', { class: 'tick', 'aria-hidden': 'true' }, icon(CHECK)),
  );
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
  const pressed = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('.tile'));
  return movies.find(({ movieId }) => String(movieId) === pressed?.dataset.movie);
}
