/** The wall: posters of well-known and varied movies to click. */

import { element } from './dom.js';
import { markTiles, tile, toggleByTiles } from './tile.js';

/** @typedef {import('../runtime.js').Movie} Movie */

const FIRST = 30;
const MORE = 30;

/** Posters that are drawn in one task; a larger batch could delay a click. */
const BATCH = 6;

export class Wall {
  /** @type {readonly Movie[]} */
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
   */
  constructor(view, billboard, store) {
    this.#view = view;
    this.#list = view.get('wall-list');
    this.#more = view.get('wall-more');
    this.#billboard = billboard;
    this.#store = store;
    toggleByTiles(this.#list, store, () => this.#movies);
    this.#more.addEventListener('click', async () => {
      const first = this.#shown;
      await this.#show(MORE);
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
      ...Array.from({ length: FIRST }, () =>
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

  /** @param {readonly Movie[]} movies best first */
  async showMovies(movies) {
    this.#movies = movies;
    this.#shown = 0;
    await this.#show(FIRST);
  }

  /** Marks one movie, or all, as watched or not. @param {number} [movieId] */
  mark(movieId) {
    markTiles(this.#list, this.#store, movieId);
  }

  /** @param {number} count */
  async #show(count) {
    const drawing = ++this.#drawing;
    this.#list.classList.remove('awaited');
    const until = Math.min(this.#shown + count, this.#movies.length);
    while (this.#shown < until) {
      const batch = this.#movies.slice(this.#shown, Math.min(this.#shown + BATCH, until));
      for (const movie of batch) this.#place(this.#shown++, tile(this.#view, this.#billboard, this.#store, movie));
      await new Promise((resolve) => setTimeout(resolve));
      // A retry may be drawing another wall by now.
      if (drawing !== this.#drawing) return;
    }
    while (this.#list.children.length > this.#shown) this.#list.lastElementChild.remove();
    this.#list.removeAttribute('aria-busy');
    this.#more.hidden = this.#shown >= this.#movies.length;
  }

  /** Replaces a placeholder, so that nothing moves. @param {number} index @param {HTMLElement} item */
  #place(index, item) {
    const skeleton = this.#list.children[index];
    if (skeleton) skeleton.replaceWith(item);
    else this.#list.append(item);
  }
}
