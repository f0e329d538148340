/**
 * The visitor's list as a strip of film, the newest frame first. Each has buttons: like, dislike, similar movies,
 * remove.
 */

import { button, element, spoken } from './dom.js';
import { openSimilar } from './similar.js';
import { STARS, reactionOf } from './store.js';

/** @typedef {import('./store.js').Entry} Entry */
/** @typedef {import('./store.js').Store} Store */

/** Frames of a long list until the visitor asks for all: an imported one may have thousands. */
const FRAMES = 60;

export class WatchedList {
  #store;
  #view;
  #billboard;
  #list;
  #rest;
  #showsAll = false;
  /** @type {Map<number, HTMLElement>} */
  #frames = new Map();
  /**
   * The rating that each frame shows. A change of a long list then touches only the frames that differ.
   * @type {Map<number, number | undefined>}
   */
  #ratings = new Map();
  #unknown = new Set();
  #isScrolled = false;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./poster.js').Billboard} billboard
   * @param {Store} store
   * @param {() => void} onEmptied called when no frame is left to take the focus.
   */
  constructor(view, billboard, store, onEmptied) {
    this.#view = view;
    this.#billboard = billboard;
    this.#store = store;
    const list = (this.#list = view.get('watched-list'));
    const undo = view.get('undo');
    const more = button({ class: 'frames-more' });
    this.#rest = element('li', {}, more);
    more.addEventListener('click', () => {
      this.#showsAll = true;
      const first = this.#rest.previousElementSibling;
      this.render();
      /** @type {HTMLElement | null | undefined} */ (first?.nextElementSibling?.querySelector('button'))?.focus();
    });
    list.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const button = /** @type {Element} */ (event.target).closest('button');
      const frame = /** @type {HTMLElement | null | undefined} */ (button?.closest('li'));
      if (!button || !frame) return;
      const id = Number(frame.dataset.movie);
      const act = button.dataset.act;
      if (act === 'remove') {
        const next = this.#neighbour(frame, 'nextElementSibling') ?? this.#neighbour(frame, 'previousElementSibling');
        this.#store.remove(id, event.timeStamp);
        const target = /** @type {HTMLElement | null | undefined} */ (next?.querySelector('[data-act=remove]'));
        if (target) target.focus();
        else onEmptied();
      } else if (act === 'like' || act === 'dislike') {
        this.#store.react(id, act, event.timeStamp);
      }
    });
    list.parentElement.addEventListener('scroll', () => (this.#isScrolled = true), { passive: true });
    view.get('clear').addEventListener('click', (/** @type {MouseEvent} */ event) => {
      this.#store.clear(event.timeStamp);
      // The pressed button is disabled now, and undo is what the visitor may want next.
      undo.focus();
    });
    undo.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      this.#store.undo(event.timeStamp);
      if (!store.canUndo) onEmptied();
    });
    this.render();
  }

  /**
   * The nearest frame on one side whose movie is still in the list. A removed movie's frame may still be drawn.
   * @param {HTMLElement} frame
   * @param {'nextElementSibling' | 'previousElementSibling'} side
   */
  #neighbour(frame, side) {
    let sibling = /** @type {HTMLElement | null} */ (frame[side]);
    while (sibling && !this.#store.find(Number(sibling.dataset.movie))) {
      sibling = /** @type {HTMLElement | null} */ (sibling[side]);
    }
    return sibling;
  }

  /** Marks the movies that the catalogue doesn't have. @param {Iterable<number>} ids */
  markUnknown(ids) {
    this.#unknown = new Set(ids);
    for (const [id, frame] of this.#frames) frame.classList.toggle('frame-unknown', this.#unknown.has(id));
  }

  /** Draws the list. Only frames that have changed are touched. */
  render() {
    const entries = this.#store.entries;
    const shown = this.#showsAll ? entries : entries.slice(-FRAMES);
    const kept = new Set(shown.map(({ movieId }) => movieId));
    for (const [id, frame] of this.#frames) {
      if (kept.has(id)) continue;
      frame.remove();
      this.#frames.delete(id);
      this.#ratings.delete(id);
    }
    const hidden = entries.length - shown.length;
    this.#rest.remove();
    /** @type {HTMLElement | null} */
    let before = null;
    for (const entry of shown) {
      let frame = this.#frames.get(entry.movieId);
      if (!frame) {
        frame = this.#frame(entry);
        this.#frames.set(entry.movieId, frame);
        this.#showRating(frame, entry);
      } else if (this.#ratings.get(entry.movieId) !== entry.rating) {
        this.#showRating(frame, entry);
      }
      // The oldest comes last, so each frame goes in front of the older one.
      if (frame.nextElementSibling !== before || !frame.parentNode) this.#list.insertBefore(frame, before);
      before = frame;
    }
    if (hidden > 0) {
      /** @type {Element} */ (this.#rest.firstElementChild).textContent = this.#view.words.text('watched.rest', {
        count: hidden,
      });
      this.#list.append(this.#rest);
    }
    this.#list.hidden = entries.length === 0;
    this.#view.get('watched-empty').hidden = entries.length > 0;
    this.#view.get('watched-count').textContent =
      entries.length > 0 ? this.#view.words.text('{count}', { count: entries.length }) : '';
    this.#view.get('clear').disabled = entries.length === 0;
    this.#view.get('undo').disabled = !this.#store.canUndo;
  }

  /** Shows a movie's rating on its frame. @param {HTMLElement} frame @param {Entry} entry */
  #showRating(frame, { movieId, rating }) {
    const reaction = reactionOf(rating);
    for (const act of /** @type {const} */ (['like', 'dislike'])) {
      frame.querySelector(`[data-act=${act}]`)?.setAttribute('aria-pressed', String(reaction === act));
    }
    // The thumbs show ratings by click. Other ratings are shown in stars.
    const stars = rating !== undefined && rating !== STARS.like && rating !== STARS.dislike;
    /** @type {Element} */ (frame.querySelector('.frame-stars')).textContent = stars
      ? this.#view.words.text('watched.stars', { stars: rating })
      : '';
    this.#ratings.set(movieId, rating);
  }

  /** Scrolls to the newest frame. */
  showNewest() {
    // Setting a scroll position forces a layout, so nothing is set if nobody has scrolled.
    if (!this.#isScrolled) return;
    this.#isScrolled = false;
    requestAnimationFrame(() => this.#list.parentElement.scrollTo({ left: 0 }));
  }

  /** A new frame. @param {Entry} entry */
  #frame(entry) {
    const { words } = this.#view;
    const [frame, part] = this.#view.copy('frame');
    const movie = spoken(entry);
    frame.classList.toggle('frame-unknown', this.#unknown.has(entry.movieId));
    frame.dataset.movie = String(entry.movieId);
    frame.prepend(this.#billboard.poster(entry, { silent: true }));
    part('frame-title').textContent = entry.title;
    part('frame-year').firstElementChild.textContent = entry.year;
    for (const act of ['like', 'dislike', 'remove']) {
      part(`act-${act}`).setAttribute('aria-label', words.text(`act.${act}.of`, { movie }));
    }
    openSimilar(words, part('similar-open'), entry);
    return frame;
  }
}
