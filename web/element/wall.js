/** The wall: well-known and varied movies, each a poster that is pressed once it is watched. */

import { element } from './dom.js';
import { markTiles, movieOf, tile } from './tile.js';

/** @typedef {import('../runtime.js').Movie} Movie */

const FIRST = 30;
const MORE = 30;

/** Posters drawn before the page takes breath; a larger batch could hold up a click. */
const BATCH = 6;

export class Wall {
  /** @type {readonly Movie[]} */
  #movies = [];
  #shown = 0;
  #view;
  #list;
  #more;
  #billboard;
  #isWatched;
  #drawing = 0;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./poster.js').Billboard} billboard
   * @param {(movie: Movie, at: number) => void} onToggle
   * @param {(movieId: number) => boolean} isWatched
   */
  constructor(view, billboard, onToggle, isWatched) {
    this.#view = view;
    this.#list = view.get('wall-list');
    this.#more = view.get('wall-more');
    this.#billboard = billboard;
    this.#isWatched = isWatched;
    this.#list.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const movie = movieOf(event, this.#movies);
      if (movie) onToggle(movie, event.timeStamp);
    });
    this.#more.addEventListener('click', async () => {
      const first = this.#shown;
      await this.#show(MORE);
      this.#list.children[first]?.querySelector('button')?.focus();
    });
  }

  /** Grey posters that hold the places until the movies are there. */
  showSkeleton() {
    this.#drawing += 1;
    this.#more.hidden = true;
    this.#list.hidden = false;
    this.#list.classList.add('awaited');
    this.#list.setAttribute('aria-busy', 'true');
    this.#list.replaceChildren(
      ...Array.from({ length: FIRST }, () => element('li', { 'aria-hidden': 'true' }, element('span', { class: 'skeleton' }))),
    );
  }

  /** Makes room for what has to be told instead. */
  clear() {
    this.#drawing += 1;
    this.#list.classList.remove('awaited');
    this.#list.removeAttribute('aria-busy');
    this.#list.replaceChildren();
    this.#list.hidden = true;
    this.#more.hidden = true;
  }

  /** @param {readonly Movie[]} movies best first */
  async showMovies(movies) {
    this.#movies = movies;
    this.#shown = 0;
    await this.#show(FIRST);
  }

  /** Marks one movie, or all of them, as the list says. @param {number} [movieId] */
  mark(movieId) {
    markTiles(this.#list, this.#isWatched, movieId);
  }

  /** @param {number} count */
  async #show(count) {
    const drawing = ++this.#drawing;
    this.#list.classList.remove('awaited');
    const until = Math.min(this.#shown + count, this.#movies.length);
    while (this.#shown < until) {
      const batch = this.#movies.slice(this.#shown, Math.min(this.#shown + BATCH, until));
      for (const movie of batch) this.#place(this.#shown++, tile(this.#view, this.#billboard, movie, this.#isWatched(movie.movieId)));
      await new Promise((resolve) => setTimeout(resolve));
      // A retry may have begun to draw another wall meanwhile.
      if (drawing !== this.#drawing) return;
    }
    while (this.#list.children.length > this.#shown) this.#list.lastElementChild.remove();
    this.#list.removeAttribute('aria-busy');
    this.#more.hidden = this.#shown >= this.#movies.length;
  }

  /** Takes a skeleton's place, so that nothing moves. @param {number} index @param {HTMLElement} item */
  #place(index, item) {
    const skeleton = this.#list.children[index];
    if (skeleton) skeleton.replaceWith(item);
    else this.#list.append(item);
  }
}
