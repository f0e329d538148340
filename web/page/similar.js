/** "More like this": a tray at the foot of the window with movies of similar titles and themes, to click as on the wall. */

import { byId, element, icon, spoken } from './dom.js';
import { SIMILAR } from './icons.js';
import { tile } from './tile.js';

/** @typedef {import('../runtime.js').Movie} Movie */

const SHOWN = 8;

const main = byId('app');
const tray = byId('similar');
const subject = byId('similar-to');
const list = byId('similar-list');
const none = byId('similar-none');
const shut = byId('similar-close');

/**
 * A button that opens the tray for a movie.
 * @param {{movieId: number, title: string, year: number | null}} movie
 * @param {string} className
 */
export function similarOpener(movie, className) {
  return element(
    'button',
    {
      type: 'button',
      class: `similar-open ${className}`,
      'data-similar': movie.movieId,
      'data-name': spoken(movie),
      'aria-label': `More like ${spoken(movie)}`,
      'aria-haspopup': 'dialog',
      'aria-expanded': 'false',
      title: 'More like this',
    },
    icon(SIMILAR),
  );
}

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
const openerOf = (target) => /** @type {Element} */ (target).closest('.similar-open');

export class Similar {
  #find;
  #onToggle;
  #isWatched;
  /** @type {readonly Movie[]} */
  #movies = [];
  /** The button that the tray was opened by. @type {HTMLElement | undefined} */
  #opener;
  #asked = 0;

  /**
   * @param {(movieId: number, limit: number) => Promise<Movie[]>} find
   * @param {(movie: Movie, at: number) => void} onToggle
   * @param {(movieId: number) => boolean} isWatched
   */
  constructor(find, onToggle, isWatched) {
    this.#find = find;
    this.#onToggle = onToggle;
    this.#isWatched = isWatched;
    main.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const opener = openerOf(event.target);
      if (!opener) return;
      if (opener === this.#opener) this.close({ returnFocus: true });
      else void this.#open(opener);
    });
    list.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const pressed = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('button'));
      const movie = this.#movies.find(({ movieId }) => String(movieId) === pressed?.dataset.movie);
      if (movie) this.#onToggle(movie, event.timeStamp);
    });
    shut.addEventListener('click', () => this.close({ returnFocus: true }));
    document.addEventListener('keydown', (event) => {
      // What has a use of its own for the key, as the search box has, comes first.
      if (event.key === 'Escape' && this.#opener && !event.defaultPrevented) this.close({ returnFocus: true });
    });
    // A click elsewhere means that the visitor has turned to something else; the toast's undo belongs to the tray's own clicks.
    // Not the press that begins a click, since it also begins the scrolling of the suggestions under a finger.
    document.addEventListener('click', ({ target }) => {
      const within = /** @type {Element} */ (target).closest('#similar, #toast') ?? openerOf(target);
      if (!within) this.close();
    });
  }

  /** Marks one movie, or all of them, as the list says. @param {number} [movieId] */
  mark(movieId) {
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('.tile'))) {
      const id = Number(button.dataset.movie);
      if (movieId === undefined || id === movieId) button.setAttribute('aria-pressed', String(this.#isWatched(id)));
    }
  }

  close({ returnFocus = false } = {}) {
    this.#asked += 1;
    const opener = this.#opener;
    if (!opener) return;
    this.#opener = undefined;
    opener.setAttribute('aria-expanded', 'false');
    // Whoever pressed elsewhere with the mouse goes there; a focus within the tray has nowhere to stay.
    const leaves = returnFocus || tray.contains(document.activeElement);
    tray.hidden = true;
    if (leaves) this.#focusBack(opener);
  }

  /** The card that the button was on may be gone, and its movie a frame of the film by now. @param {HTMLElement} opener */
  #focusBack(opener) {
    const heir = opener.isConnected ? opener : main.querySelector(`.similar-open[data-similar="${opener.dataset.similar}"]`);
    (heir ?? byId('suggestions')).focus({ preventScroll: true });
  }

  /** @param {HTMLElement} opener */
  async #open(opener) {
    const asked = ++this.#asked;
    const movieId = Number(opener.dataset.similar);
    /** @type {Movie[]} */
    let movies = [];
    let words = 'This catalogue has nothing like it.';
    try {
      movies = await this.#find(movieId, SHOWN);
    } catch {
      // The suggestions are unharmed, or tell themselves what has happened to the recommender.
      words = "These couldn't be found just now.";
    }
    if (asked !== this.#asked) return;
    this.#opener?.setAttribute('aria-expanded', 'false');
    this.#opener = opener;
    opener.setAttribute('aria-expanded', 'true');
    this.#movies = movies;
    subject.textContent = opener.dataset.name ?? '';
    none.textContent = words;
    none.hidden = movies.length > 0;
    list.hidden = movies.length === 0;
    list.replaceChildren(...movies.map((movie) => element('li', {}, tile(movie, this.#isWatched(movie.movieId)))));
    tray.hidden = false;
    list.scrollLeft = 0;
    (list.querySelector('button') ?? shut).focus({ preventScroll: true });
  }
}
