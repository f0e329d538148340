/** The visitor's list as a strip of film: the newest frame first, each with like, dislike, movies like it and removal. */

import { byId, element, icon, spoken } from './dom.js';
import { CROSS, DOWN, UP } from './icons.js';
import { poster } from './poster.js';
import { similarOpener } from './similar.js';

/** @typedef {import('./store.js').Entry} Entry */
/** @typedef {import('./store.js').Store} Store */

const list = byId('watched-list');
const empty = byId('watched-empty');
const count = byId('watched-count');
const undo = byId('undo');
const clear = byId('clear');

export class WatchedList {
  #store;
  /** @type {Map<number, HTMLElement>} */
  #frames = new Map();
  /** What each frame shows, so that a click into a long list touches the few frames that change. @type {Map<number, string | undefined>} */
  #reactions = new Map();
  #unknown = new Set();
  #isScrolled = false;

  /** @param {Store} store @param {() => void} onEmptied called when the focus has no frame left to go to. */
  constructor(store, onEmptied) {
    this.#store = store;
    list.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const button = /** @type {Element} */ (event.target).closest('button');
      const frame = /** @type {HTMLElement | null | undefined} */ (button?.closest('li'));
      if (!button || !frame) return;
      const id = Number(frame.dataset.movie);
      const act = button.dataset.act;
      if (act === 'remove') {
        const next = this.#beside(frame, 'nextElementSibling') ?? this.#beside(frame, 'previousElementSibling');
        this.#store.remove(id, event.timeStamp);
        const target = /** @type {HTMLElement | null | undefined} */ (next?.querySelector('[data-act=remove]'));
        if (target) target.focus();
        else onEmptied();
      } else if (act === 'like' || act === 'dislike') {
        this.#store.react(id, act, event.timeStamp);
      }
    });
    list.parentElement.addEventListener('scroll', () => (this.#isScrolled = true), { passive: true });
    clear.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      this.#store.clear(event.timeStamp);
      // The button that was pressed is now disabled, and undo is what may be wanted next.
      undo.focus();
    });
    undo.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      this.#store.undo(event.timeStamp);
      if (!store.canUndo) onEmptied();
    });
    this.render();
  }

  /**
   * The nearest frame on one side whose movie is still in the list: one that was removed a moment ago may still be drawn.
   * @param {HTMLElement} frame
   * @param {'nextElementSibling' | 'previousElementSibling'} side
   */
  #beside(frame, side) {
    let sibling = /** @type {HTMLElement | null} */ (frame[side]);
    while (sibling && !this.#store.find(Number(sibling.dataset.movie))) sibling = /** @type {HTMLElement | null} */ (sibling[side]);
    return sibling;
  }

  /** Movies that the catalogue doesn't know, so that their frames can say so. @param {Iterable<number>} ids */
  markUnknown(ids) {
    this.#unknown = new Set(ids);
    for (const [id, frame] of this.#frames) frame.classList.toggle('frame-unknown', this.#unknown.has(id));
  }

  /** Brings the frames in line with the list, touching only those that changed. */
  render() {
    const entries = this.#store.entries;
    const kept = new Set(entries.map(({ movieId }) => movieId));
    for (const [id, frame] of this.#frames) {
      if (kept.has(id)) continue;
      frame.remove();
      this.#frames.delete(id);
      this.#reactions.delete(id);
    }
    let before = null;
    for (const entry of entries) {
      let frame = this.#frames.get(entry.movieId);
      if (!frame) {
        frame = this.#frame(entry);
        this.#frames.set(entry.movieId, frame);
      }
      if (this.#reactions.get(entry.movieId) !== entry.reaction) {
        for (const reaction of /** @type {const} */ (['like', 'dislike'])) {
          frame.querySelector(`[data-act=${reaction}]`)?.setAttribute('aria-pressed', String(entry.reaction === reaction));
        }
        this.#reactions.set(entry.movieId, entry.reaction);
      }
      // The oldest stands last, so each frame goes in front of the one before it in time.
      if (frame.nextElementSibling !== before || !frame.parentNode) list.insertBefore(frame, before);
      before = frame;
    }
    list.hidden = entries.length === 0;
    empty.hidden = entries.length > 0;
    count.textContent = entries.length > 0 ? String(entries.length) : '';
    clear.disabled = entries.length === 0;
    undo.disabled = !this.#store.canUndo;
  }

  /** Brings the newest frame into view. */
  showNewest() {
    // Setting a scroll position forces a layout, so nothing is set where nobody has scrolled.
    if (!this.#isScrolled) return;
    this.#isScrolled = false;
    requestAnimationFrame(() => list.parentElement.scrollTo({ left: 0 }));
  }

  /** @param {Entry} entry */
  #frame(entry) {
    const name = spoken(entry);
    const action = (/** @type {string} */ act, /** @type {string} */ label, /** @type {string} */ path) =>
      element(
        'button',
        { type: 'button', class: `act act-${act}`, 'data-act': act, 'aria-label': `${label} ${name}`, 'aria-pressed': act === 'remove' ? null : 'false', title: label },
        icon(path),
      );
    return element(
      'li',
      { class: `frame${this.#unknown.has(entry.movieId) ? ' frame-unknown' : ''}`, 'data-movie': entry.movieId },
      poster(entry, { silent: true }),
      element(
        'div',
        { class: 'frame-side' },
        element('p', { class: 'frame-title' }, entry.title),
        element('p', { class: 'frame-year' }, entry.year === null ? '' : String(entry.year)),
        element(
          'div',
          { class: 'acts' },
          action('like', 'Like', UP),
          action('dislike', 'Dislike', DOWN),
          similarOpener(entry, 'act'),
          action('remove', 'Remove', CROSS),
        ),
      ),
    );
  }
}
