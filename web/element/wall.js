/** The wall: posters of well-known and varied movies to click, and then of movies that this visitor may have seen. */

import { element } from './dom.js';
import { markTiles, tile, toggleByTiles } from './tile.js';

/** @typedef {import('../runtime.js').Movie} Movie */

/** How many movies the wall shows at first, and how many more with each press of "Show more movies". */
const SHOWN = 30;

/** How many movies to ask for. The one that isn't shown tells that there are more. */
export const ASKED = SHOWN + 1;

/** Posters that are drawn in one task; a larger batch could delay a click. */
const BATCH = 6;

export class Wall {
  /** @type {Movie[]} */
  #movies = [];
  #shown = 0;
  #view;
  #list;
  #more;
  #billboard;
  #store;
  #drawing = 0;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./poster.js').Billboard} billboard
   * @param {import('./store.js').Store} store
   * @param {(shown: readonly Movie[]) => Promise<Movie[] | undefined>} find finds {@link ASKED} movies besides those
   *   on the wall.
   */
  constructor(view, billboard, store, find) {
    this.#view = view;
    this.#list = view.get('wall-list');
    this.#more = view.get('wall-more');
    this.#billboard = billboard;
    this.#store = store;
    toggleByTiles(this.#list, store, () => this.#movies);
    this.#more.addEventListener('click', async () => {
      const first = this.#shown;
      const drawing = ++this.#drawing;
      // The next click on a movie shows what is wrong with the worker.
      const found = await find(this.#movies).catch(() => undefined);
      if (!found || drawing !== this.#drawing) return;
      await this.#add(found);
      this.#list.children[first]?.querySelector('button')?.focus();
    });
  }

  /** Shows grey placeholders until the movies are loaded. */
  showSkeleton() {
    this.#drawing += 1;
    this.#more.hidden = true;
    this.#list.hidden = false;
    this.#list.classList.add('awaited');
    this.#list.setAttribute('aria-busy', 'true');
    this.#list.replaceChildren(
      ...Array.from({ length: SHOWN }, () =>
        element('li', { 'aria-hidden': 'true' }, element('span', { class: 'skeleton' })),
      ),
    );
  }

  /** Hides the wall, to make room for an error. */
  clear() {
    this.#drawing += 1;
    this.#list.classList.remove('awaited');
    this.#list.removeAttribute('aria-busy');
    this.#list.replaceChildren();
    this.#list.hidden = true;
    this.#more.hidden = true;
  }

  /** @param {readonly Movie[]} movies best first, {@link ASKED} of them if there are so many */
  async showMovies(movies) {
    this.#movies = [];
    this.#shown = 0;
    await this.#add(movies);
  }

  /** Marks one movie, or all, as watched or not. @param {number} [movieId] */
  mark(movieId) {
    markTiles(this.#list, this.#store, movieId);
  }

  /** Draws movies after those on the wall. @param {readonly Movie[]} movies as for `showMovies` */
  async #add(movies) {
    const drawing = ++this.#drawing;
    this.#list.classList.remove('awaited');
    this.#movies.push(...movies.slice(0, SHOWN));
    while (this.#shown < this.#movies.length) {
      const batch = this.#movies.slice(this.#shown, this.#shown + BATCH);
      for (const movie of batch) this.#place(this.#shown++, tile(this.#view, this.#billboard, this.#store, movie));
      await new Promise((resolve) => setTimeout(resolve));
      // A retry may be drawing another wall by now.
      if (drawing !== this.#drawing) return;
    }
    while (this.#list.children.length > this.#shown) this.#list.lastElementChild.remove();
    this.#list.removeAttribute('aria-busy');
    this.#more.hidden = movies.length < ASKED;
  }

  /** Replaces a placeholder, so that nothing moves. @param {number} index @param {HTMLElement} item */
  #place(index, item) {
    const skeleton = this.#list.children[index];
    if (skeleton) skeleton.replaceWith(item);
    else this.#list.append(item);
  }
}
