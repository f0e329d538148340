/** The filters, by genres, decades and fame, in a panel that is closed at first; and the knob for novelty. */

import { button, closest } from './dom.js';

/**
 * @typedef {import('../runtime.js').Fame} Fame
 *
 * @typedef {object} Filter
 * @property {string[]} genres any of these; all if empty.
 * @property {number[]} decades any of these, as 1990; all if empty.
 * @property {Fame | null} fame
 */

/** @type {readonly Fame[]} */
const FAMES = ['famous', 'known', 'gems'];

/** @param {unknown} value @returns {value is Fame} */
export const isFame = (value) => FAMES.includes(/** @type {Fame} */ (value));

/** MovieLens's name for no genre at all. It gets no chip. */
const NO_GENRE = '(no genres listed)';

export class Filters {
  #view;
  #store;
  #place;
  #onChange;
  /** @type {Filter} */
  #filter = { genres: [], decades: [], fame: null };
  /** Undefined for the engine's default. @type {number | undefined} */
  #novelty;
  /** Undefined until there is an engine. @type {number | undefined} */
  #default;
  #panel;
  /** @type {HTMLInputElement} */
  #knob;
  #isDrawn = false;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./store.js').Store} store
   * @param {(settled: boolean) => void} onChange `settled` is false while the visitor drags the knob.
   */
  constructor(view, store, onChange) {
    this.#view = view;
    this.#store = store;
    this.#place = view.get('filters');
    this.#onChange = onChange;
    this.#panel = view.get('filter-panel');
    const knob = (this.#knob = view.get('novelty'));
    this.#panel.addEventListener('click', (/** @type {Event} */ event) => this.#press(closest(event, '.chip')));
    knob.addEventListener('input', () => this.setNovelty(knob.valueAsNumber, false));
    knob.addEventListener('change', () => this.#onChange(true));
    view.get('filters-clear').addEventListener('click', () => this.clear());
    view.get('ignored-restore').addEventListener('click', (/** @type {Event} */ { timeStamp }) => {
      store.restore(timeStamp);
      this.#focus();
    });
  }

  get filter() {
    return this.#filter;
  }

  /** Sets parts of the filter. @param {Partial<Filter>} filter */
  set(filter) {
    this.#filter = { ...this.#filter, ...filter };
    this.#mark();
    this.#onChange(true);
  }

  /**
   * @param {number | undefined} novelty undefined for the engine's default.
   * @param {boolean} [settled]
   */
  setNovelty(novelty, settled = true) {
    this.#novelty = novelty;
    this.#showNovelty();
    this.#onChange(settled);
  }

  get isOn() {
    const { genres, decades, fame } = this.#filter;
    return genres.length + decades.length > 0 || fame !== null;
  }

  /** The filter and the novelty in the form of the engine's request. */
  get request() {
    const { genres, decades, fame } = this.#filter;
    return { genres, decades, ...(fame && { fame }), novelty: this.#novelty };
  }

  /** Clears the filter. */
  clear() {
    this.#filter = { genres: [], decades: [], fame: null };
    this.#mark();
    this.#onChange(true);
    this.#focus();
  }

  /** Moves the focus from a pressed button that is gone now. */
  #focus() {
    this.#view.get('filters-title').focus();
  }

  /**
   * Shows the genres and decades of an engine, or nothing without one.
   * @param {import('../runtime.js').Engine | undefined} engine
   */
  use(engine) {
    this.#place.hidden = !engine;
    if (!engine) return;
    // With a genre that this catalogue doesn't have, nothing could be suggested.
    const { genres } = this.#filter;
    this.#filter = { ...this.#filter, genres: genres.filter((name) => engine.info.genres.includes(name)) };
    // A knob that the visitor has moved keeps its place when the movies are loaded again.
    this.#default = engine.info.defaultNovelty;
    this.#showNovelty();
    if (!this.#isDrawn) this.#draw(engine.info);
  }

  /** @param {import('../runtime.js').Info} info */
  #draw({ genres, decades }) {
    const { words } = this.#view;
    const chips = (/** @type {string} */ kind, /** @type {readonly (readonly [string | number, string])[]} */ items) =>
      this.#view
        .get(`filter-${kind}`)
        .append(
          ...items.map(([value, text]) =>
            button({ class: 'chip', 'data-kind': kind, 'data-value': value, 'aria-pressed': 'false' }, text),
          ),
        );
    const named = genres
      .filter((name) => name !== NO_GENRE)
      .map((name) => /** @type {const} */ ([name, words.genre(name)]));
    named.sort(([, one], [, other]) => one.localeCompare(other, words.language));
    chips('genres', named);
    chips(
      'decades',
      [...decades].reverse().map((decade) => [decade, words.text('filters.decade', { decade: String(decade) })]),
    );
    chips(
      'fame',
      FAMES.map((fame) => [fame, words.text(`fame.${fame}`)]),
    );
    this.#isDrawn = true;
    this.#mark();
    this.showIgnored();
  }

  /** Shows how many movies the visitor has ignored, with a button that brings them back. */
  showIgnored() {
    const count = this.#store.ignored.length;
    this.#view.get('ignored').hidden = count === 0;
    this.#view.get('ignored-count').textContent = this.#view.words.text('ignored', { count });
  }

  /** @param {HTMLElement | null} chip */
  #press(chip) {
    if (!chip) return;
    const { kind, value = '' } = chip.dataset;
    const { genres, decades, fame } = this.#filter;
    const toggled = (/** @type {any[]} */ list, /** @type {any} */ item) =>
      list.includes(item) ? list.filter((other) => other !== item) : [...list, item];
    if (kind === 'genres') this.set({ genres: toggled(genres, value) });
    else if (kind === 'decades') this.set({ decades: toggled(decades, Number(value)) });
    else if (isFame(value)) this.set({ fame: fame === value ? null : value });
  }

  /** Marks the chips that are in the filter. */
  #mark() {
    const { genres, decades, fame } = this.#filter;
    const on = new Set([...genres, ...decades.map(String), fame]);
    for (const chip of /** @type {NodeListOf<HTMLElement>} */ (this.#panel.querySelectorAll('.chip'))) {
      chip.setAttribute('aria-pressed', String(on.has(chip.dataset.value ?? null)));
    }
    const count = genres.length + decades.length + (fame ? 1 : 0);
    this.#view.get('filters-count').textContent = count > 0 ? ` ${count}` : '';
  }

  /** Turns the knob to its value, which screen readers get in words. */
  #showNovelty() {
    const knob = this.#knob;
    knob.value = String(this.#novelty ?? this.#default);
    const percent = Math.round(100 * knob.valueAsNumber);
    knob.setAttribute('aria-valuetext', this.#view.words.text('novelty.value', { percent }));
  }
}
