/**
 * "More like this": a tray at the foot of the window with movies of similar titles and themes, to click as on the wall.
 */

import { spoken } from './dom.js';
import { markTiles, tile, toggleByTiles } from './tile.js';

/** @typedef {import('../runtime.js').Movie} Movie */

/**
 * Makes a button open the tray for a movie.
 * @param {import('./words.js').Words} words
 * @param {HTMLElement} button
 * @param {{movieId: number, title: string, year: number | null}} movie
 */
export function openSimilar(words, button, movie) {
  button.dataset.similar = String(movie.movieId);
  button.dataset.name = spoken(movie);
  button.setAttribute('aria-label', words.text('similar.open', { movie: spoken(movie) }));
}

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
const openerOf = (target) => /** @type {Element} */ (target).closest('.similar-open');

export class Similar {
  #view;
  #billboard;
  #tray;
  #list;
  #shut;
  #find;
  #store;
  /** @type {readonly Movie[]} */
  #movies = [];
  /** The button that opened the tray. @type {HTMLElement | undefined} */
  #opener;
  #asked = 0;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./poster.js').Billboard} billboard
   * @param {import('./store.js').Store} store
   * @param {(movieId: number) => Promise<Movie[]>} find
   * @param {AbortSignal} signal ends listening to the window.
   */
  constructor(view, billboard, store, find, signal) {
    this.#view = view;
    this.#billboard = billboard;
    this.#tray = view.get('similar');
    this.#list = view.get('similar-list');
    this.#shut = view.get('similar-close');
    this.#find = find;
    this.#store = store;
    view.root.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const opener = openerOf(event.target);
      if (!opener) return;
      if (opener === this.#opener) this.close({ returnFocus: true });
      else void this.#open(opener);
    });
    toggleByTiles(this.#list, store, () => this.#movies);
    this.#shut.addEventListener('click', () => this.close({ returnFocus: true }));
    const listening = { signal };
    globalThis.addEventListener(
      'keydown',
      (event) => {
        // The search box uses this key too, and comes first.
        if (event.key === 'Escape' && this.#opener && !event.defaultPrevented) this.close({ returnFocus: true });
      },
      listening,
    );
    // A click elsewhere closes the tray, but not one on the toast, whose undo may be for a click in the tray.
    // It listens for clicks and not for presses, since a press may also begin to scroll the suggestions.
    globalThis.addEventListener(
      'click',
      (event) => {
        // Outside of the shadow tree, the target is the widget. The path has the true target.
        const [target] = event.composedPath();
        const within = target instanceof Element && (target.closest('#similar, #toast') ?? openerOf(target));
        if (!within) this.close();
      },
      listening,
    );
  }

  /** Marks one movie, or all, as watched or not. @param {number} [movieId] */
  mark(movieId) {
    markTiles(this.#list, this.#store, movieId);
  }

  close({ returnFocus = false } = {}) {
    this.#asked += 1;
    const opener = this.#opener;
    if (!opener) return;
    this.#opener = undefined;
    opener.setAttribute('aria-expanded', 'false');
    // After a click elsewhere the focus goes there. A focus inside the tray must move, since the tray goes.
    const leaves = returnFocus || this.#tray.contains(this.#view.focused);
    this.#tray.hidden = true;
    if (leaves) this.#focusBack(opener);
  }

  /**
   * Moves the focus back. The opener's card may be gone; its movie may be in the list now.
   * @param {HTMLElement} opener
   */
  #focusBack(opener) {
    const heir = opener.isConnected
      ? opener
      : this.#view.root.querySelector(`.similar-open[data-similar="${opener.dataset.similar}"]`);
    (heir ?? this.#view.get('suggestions')).focus({ preventScroll: true });
  }

  /** @param {HTMLElement} opener */
  async #open(opener) {
    const asked = ++this.#asked;
    const movieId = Number(opener.dataset.similar);
    /** @type {Movie[]} */
    let movies = [];
    let none = 'similar.none';
    try {
      movies = await this.#find(movieId);
    } catch {
      // The suggestions work, or show their own error.
      none = 'similar.failed';
    }
    if (asked !== this.#asked) return;
    this.#opener?.setAttribute('aria-expanded', 'false');
    this.#opener = opener;
    opener.setAttribute('aria-expanded', 'true');
    this.#movies = movies;
    const { words } = this.#view;
    this.#view.get('similar-to').textContent = words.text('similar.to', { movie: opener.dataset.name ?? '' });
    const told = this.#view.get('similar-none');
    told.textContent = words.text(none);
    told.hidden = movies.length > 0;
    this.#list.hidden = movies.length === 0;
    this.#list.replaceChildren(...movies.map((movie) => tile(this.#view, this.#billboard, this.#store, movie)));
    this.#tray.hidden = false;
    this.#list.scrollLeft = 0;
    (this.#list.querySelector('button') ?? this.#shut).focus({ preventScroll: true });
  }
}
