/** The wall: well-known and varied movies, each a poster that is pressed once it is watched. */

import { byId, element } from './dom.js';
import { tile } from './tile.js';

/** @typedef {import('../runtime.js').Movie} Movie */

const FIRST = 30;
const MORE = 30;

/** Posters drawn before the page takes breath; a larger batch could hold up a click. */
const BATCH = 6;

const list = byId('wall-list');
const more = byId('wall-more');

export class Wall {
  /** @type {readonly Movie[]} */
  #movies = [];
  #shown = 0;
  /** @type {Map<number, HTMLElement>} */
  #tiles = new Map();
  #isWatched;
  #drawing = 0;

  /**
   * @param {(movie: Movie, at: number) => void} onToggle
   * @param {(movieId: number) => boolean} isWatched
   */
  constructor(onToggle, isWatched) {
    this.#isWatched = isWatched;
    list.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const pressed = /** @type {Element} */ (event.target).closest('button');
      const movie = this.#movies.find(({ movieId }) => String(movieId) === pressed?.dataset.movie);
      if (movie) onToggle(movie, event.timeStamp);
    });
    more.addEventListener('click', async () => {
      const first = this.#shown;
      await this.#show(MORE);
      list.children[first]?.querySelector('button')?.focus();
    });
  }

  /** Grey posters that hold the places until the movies are there. */
  showSkeleton() {
    this.#drawing += 1;
    this.#tiles.clear();
    more.hidden = true;
    list.hidden = false;
    list.setAttribute('aria-busy', 'true');
    list.replaceChildren(
      ...Array.from({ length: FIRST }, () => element('li', { 'aria-hidden': 'true' }, element('span', { class: 'skeleton' }))),
    );
  }

  /** Makes room for what has to be told instead. */
  clear() {
    this.#drawing += 1;
    this.#tiles.clear();
    list.removeAttribute('aria-busy');
    list.replaceChildren();
    list.hidden = true;
    more.hidden = true;
  }

  /** @param {readonly Movie[]} movies best first */
  async showMovies(movies) {
    this.#movies = movies;
    this.#shown = 0;
    this.#tiles.clear();
    await this.#show(FIRST);
  }

  /** Marks one movie, or all of them, as the list says. @param {number} [movieId] */
  mark(movieId) {
    for (const id of movieId === undefined ? this.#tiles.keys() : [movieId]) {
      this.#tiles.get(id)?.setAttribute('aria-pressed', String(this.#isWatched(id)));
    }
  }

  /** @param {number} count */
  async #show(count) {
    const drawing = ++this.#drawing;
    const until = Math.min(this.#shown + count, this.#movies.length);
    while (this.#shown < until) {
      const batch = this.#movies.slice(this.#shown, Math.min(this.#shown + BATCH, until));
      for (const movie of batch) this.#place(this.#shown++, this.#tile(movie));
      await new Promise((resolve) => setTimeout(resolve));
      // A retry may have begun to draw another wall meanwhile.
      if (drawing !== this.#drawing) return;
    }
    while (list.children.length > this.#shown) list.lastElementChild.remove();
    list.removeAttribute('aria-busy');
    more.hidden = this.#shown >= this.#movies.length;
  }

  /** Takes a skeleton's place, so that nothing moves. @param {number} index @param {HTMLElement} item */
  #place(index, item) {
    const skeleton = list.children[index];
    if (skeleton) skeleton.replaceWith(item);
    else list.append(item);
  }

  /** @param {Movie} movie */
  #tile(movie) {
    const button = tile(movie, this.#isWatched(movie.movieId));
    this.#tiles.set(movie.movieId, button);
    return element('li', {}, button);
  }
}
