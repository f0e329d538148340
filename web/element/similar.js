/** "More like this": a tray at the foot of the window with movies of similar titles and themes, to click as on the wall. */

import { spoken } from './dom.js';
import { markTiles, movieOf, tile } from './tile.js';

/** @typedef {import('../runtime.js').Movie} Movie */

const SHOWN = 8;

/** Makes a button open the tray for a movie. @param {import('./words.js').Words} words @param {HTMLElement} button @param {{movieId: number, title: string, year: number | null}} movie */
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
  #onToggle;
  #isWatched;
  /** @type {readonly Movie[]} */
  #movies = [];
  /** The button that the tray was opened by. @type {HTMLElement | undefined} */
  #opener;
  #asked = 0;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./poster.js').Billboard} billboard
   * @param {(movieId: number, limit: number) => Promise<Movie[]>} find
   * @param {(movie: Movie, at: number) => void} onToggle
   * @param {(movieId: number) => boolean} isWatched
   * @param {AbortSignal} signal ends the listening to the document.
   */
  constructor(view, billboard, find, onToggle, isWatched, signal) {
    this.#view = view;
    this.#billboard = billboard;
    this.#tray = view.get('similar');
    this.#list = view.get('similar-list');
    this.#shut = view.get('similar-close');
    this.#find = find;
    this.#onToggle = onToggle;
    this.#isWatched = isWatched;
    view.root.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const opener = openerOf(event.target);
      if (!opener) return;
      if (opener === this.#opener) this.close({ returnFocus: true });
      else void this.#open(opener);
    });
    this.#list.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const movie = movieOf(event, this.#movies);
      if (movie) this.#onToggle(movie, event.timeStamp);
    });
    this.#shut.addEventListener('click', () => this.close({ returnFocus: true }));
    const listening = { signal };
    globalThis.addEventListener(
      'keydown',
      (event) => {
        // What has a use of its own for the key, as the search box has, comes first.
        if (event.key === 'Escape' && this.#opener && !event.defaultPrevented) this.close({ returnFocus: true });
      },
      listening,
    );
    // A click elsewhere means that the visitor has turned to something else; the toast's undo belongs to the tray's own clicks.
    // Not the press that begins a click, since it also begins the scrolling of the suggestions under a finger.
    globalThis.addEventListener(
      'click',
      (event) => {
        // From outside a click in the widget is from the widget itself, so its true target is asked for.
        const [target] = event.composedPath();
        const within = target instanceof Element && (target.closest('#similar, #toast') ?? openerOf(target));
        if (!within) this.close();
      },
      listening,
    );
  }

  /** Marks one movie, or all of them, as the list says. @param {number} [movieId] */
  mark(movieId) {
    markTiles(this.#list, this.#isWatched, movieId);
  }

  close({ returnFocus = false } = {}) {
    this.#asked += 1;
    const opener = this.#opener;
    if (!opener) return;
    this.#opener = undefined;
    opener.setAttribute('aria-expanded', 'false');
    // Whoever pressed elsewhere with the mouse goes there; a focus within the tray has nowhere to stay.
    const leaves = returnFocus || this.#tray.contains(this.#view.focused);
    this.#tray.hidden = true;
    if (leaves) this.#focusBack(opener);
  }

  /** The card that the button was on may be gone, and its movie a frame of the film by now. @param {HTMLElement} opener */
  #focusBack(opener) {
    const heir = opener.isConnected ? opener : this.#view.root.querySelector(`.similar-open[data-similar="${opener.dataset.similar}"]`);
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
      movies = await this.#find(movieId, SHOWN);
    } catch {
      // The suggestions are unharmed, or tell themselves what has happened to the recommender.
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
    this.#list.replaceChildren(...movies.map((movie) => tile(this.#view, this.#billboard, movie, this.#isWatched(movie.movieId))));
    this.#tray.hidden = false;
    this.#list.scrollLeft = 0;
    (this.#list.querySelector('button') ?? this.#shut).focus({ preventScroll: true });
  }
}
