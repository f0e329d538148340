/** A poster to press, which stays pressed while the movie is in the list. */

import { element, icon, spoken } from './dom.js';
import { CHECK } from './icons.js';
import { poster } from './poster.js';

/** @param {import('../runtime.js').Movie} movie @param {boolean} pressed */
export function tile(movie, pressed) {
  return element(
    'button',
    { type: 'button', class: 'tile', 'data-movie': movie.movieId, 'aria-pressed': String(pressed), title: spoken(movie) },
    poster(movie),
    element('span', { class: 'tick', 'aria-hidden': 'true' }, icon(CHECK)),
  );
}
