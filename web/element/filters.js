/** What may be suggested: genres, decades, how well known, and how varied the list is. Folded away until somebody looks for it. */

import { button, closest, element } from './dom.js';

/**
 * @typedef {'famous' | 'known' | 'gems'} Fame
 * @typedef {object} Filter
 * @property {string[]} genres any of these; all if empty.
 * @property {number[]} decades any of these, as 1990; all if empty.
 * @property {Fame | null} fame
 */

/** @type {readonly Fame[]} */
const FAMES = ['famous', 'known', 'gems'];

/** @param {unknown} value @returns {value is Fame} */
export const isFame = (value) => FAMES.includes(/** @type {Fame} */ (value));

/** MovieLens's name for no genre at all, which nobody looks for. */
const NO_GENRE = '(no genres listed)';

/** The widest step of the knob: beyond it lists are varied and no longer good. */
const MOST_DIVERSITY = 0.8;

export class Filters {
  #view;
  #store;
  #place;
  #onChange;
  /** @type {Filter} */
  #filter = { genres: [], decades: [], fame: null };
  /** @type {number | undefined} */
  #diversity;
  /** @type {HTMLElement | undefined} */
  #panel;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./store.js').Store} store
   * @param {(settled: boolean) => void} onChange `settled` once the visitor lets go.
   */
  constructor(view, store, onChange) {
    this.#view = view;
    this.#store = store;
    this.#place = view.get('filters');
    this.#onChange = onChange;
    view.get('filters-clear').addEventListener('click', () => this.clear());
  }

  get filter() {
    return this.#filter;
  }

  /** Sets some of it, from the site. @param {Partial<Filter>} filter */
  set(filter) {
    this.#filter = { ...this.#filter, ...filter };
    this.#mark();
    this.#onChange(true);
  }

  /** @param {number | undefined} diversity undefined for the engine's own. */
  setDiversity(diversity) {
    this.#diversity = diversity;
    if (this.#knob && diversity !== undefined) this.#knob.value = String(diversity);
    this.#nameDiversity();
    this.#onChange(true);
  }

  get isOn() {
    const { genres, decades, fame } = this.#filter;
    return genres.length + decades.length > 0 || fame !== null;
  }

  /** As the engine takes it. */
  get request() {
    const { genres, decades, fame } = this.#filter;
    return { genres, decades, ...(fame && { fame }), diversity: this.#diversity };
  }

  /** Lets everything be suggested again. */
  clear() {
    this.#filter = { genres: [], decades: [], fame: null };
    this.#mark();
    this.#onChange(true);
    /** @type {HTMLElement | null | undefined} */ (this.#panel?.querySelector('summary'))?.focus();
  }

  /** Shows what this engine can filter by, or nothing without one. @param {import('../runtime.js').Engine | undefined} engine */
  use(engine) {
    this.#place.hidden = !engine;
    if (!engine) return;
    // A genre that this catalogue doesn't have would let nothing be suggested.
    const { genres } = this.#filter;
    this.#filter = { ...this.#filter, genres: genres.filter((name) => engine.info.genres.includes(name)) };
    if (this.#panel) return;
    // Whoever has moved the knob keeps its place when the movies are loaded anew.
    this.#diversity ??= engine.info.defaultDiversity;
    this.#draw(engine.info);
  }

  /** @param {import('../runtime.js').Info} info */
  #draw({ genres, decades }) {
    const { words } = this.#view;
    const chip = (/** @type {string} */ kind, /** @type {string | number} */ value, /** @type {string} */ text) =>
      button({ class: 'chip', 'data-kind': kind, 'data-value': value, 'aria-pressed': 'false' }, text);
    const group = (/** @type {string} */ key, /** @type {HTMLElement[]} */ chips) =>
      element('div', { class: 'chips', role: 'group', 'aria-label': words.text(key) }, element('span', { class: 'chips-title', 'aria-hidden': 'true' }, words.text(key)), ...chips);
    const named = genres.filter((name) => name !== NO_GENRE).map((name) => /** @type {const} */ ([name, words.genre(name)]));
    named.sort(([, one], [, other]) => one.localeCompare(other, words.language));
    const knob = element('input', { type: 'range', id: 'diversity', min: 0, max: MOST_DIVERSITY, step: 0.05, value: this.#diversity });
    const panel = element(
      'details',
      { class: 'filter-panel' },
      element('summary', { class: 'quiet' }, words.text('filters.title'), element('span', { class: 'count', id: 'filters-count' })),
      element(
        'div',
        { class: 'filter-groups' },
        group('filters.genres', named.map(([name, text]) => chip('genres', name, text))),
        group('filters.decades', [...decades].reverse().map((decade) => chip('decades', decade, words.text('filters.decade', { decade: String(decade), short: String(decade % 100).padStart(2, '0') })))),
        group('filters.fame', FAMES.map((fame) => chip('fame', fame, words.text(`fame.${fame}`)))),
        element('p', { class: 'ignored', id: 'ignored', hidden: true }, element('span', { id: 'ignored-count' }), ' ', button({ class: 'quiet', id: 'ignored-restore' }, words.text('ignored.restore'))),
      ),
    );
    panel.addEventListener('click', (event) => this.#press(closest(event, '.chip')));
    panel.querySelector('#ignored-restore')?.addEventListener('click', ({ timeStamp }) => {
      this.#store.restore(timeStamp);
      panel.querySelector('summary')?.focus();
    });
    knob.addEventListener('input', () => {
      this.#diversity = this.#knob?.valueAsNumber;
      this.#nameDiversity();
      this.#onChange(false);
    });
    knob.addEventListener('change', () => this.#onChange(true));
    const end = (/** @type {string} */ key) => element('span', { class: 'spread-end', 'aria-hidden': 'true' }, words.text(key));
    const spread = element('div', { class: 'spread' }, element('label', { for: 'diversity' }, words.text('variety')), end('variety.low'), knob, end('variety.high'));
    this.#panel = panel;
    this.#place.replaceChildren(spread, panel);
    this.#nameDiversity();
    this.#mark();
    this.showIgnored();
  }

  /** Says how many suggestions aren't wanted, and lets them come back. */
  showIgnored() {
    if (!this.#panel) return;
    const count = this.#store.ignored.length;
    this.#view.get('ignored').hidden = count === 0;
    this.#view.get('ignored-count').textContent = this.#view.words.text('ignored', { count });
  }

  /** @returns {HTMLInputElement | null} */
  get #knob() {
    return this.#place.querySelector('#diversity');
  }

  /** @param {HTMLElement | null} chip */
  #press(chip) {
    if (!chip) return;
    const { kind, value = '' } = chip.dataset;
    const { genres, decades, fame } = this.#filter;
    const toggled = (/** @type {any[]} */ list, /** @type {any} */ item) => (list.includes(item) ? list.filter((other) => other !== item) : [...list, item]);
    if (kind === 'genres') this.set({ genres: toggled(genres, value) });
    else if (kind === 'decades') this.set({ decades: toggled(decades, Number(value)) });
    else if (isFame(value)) this.set({ fame: fame === value ? null : value });
  }

  /** Brings the chips in line with the filter. */
  #mark() {
    if (!this.#panel) return;
    const { genres, decades, fame } = this.#filter;
    const on = new Set([...genres, ...decades.map(String), fame]);
    for (const chip of /** @type {NodeListOf<HTMLElement>} */ (this.#panel.querySelectorAll('.chip'))) {
      chip.setAttribute('aria-pressed', String(on.has(chip.dataset.value ?? null)));
    }
    const count = genres.length + decades.length + (fame ? 1 : 0);
    this.#view.get('filters-count').textContent = count > 0 ? ` ${count}` : '';
  }

  /** What a screen reader says of the knob's place. */
  #nameDiversity() {
    const knob = this.#knob;
    if (!knob) return;
    const percent = Math.round((100 * knob.valueAsNumber) / MOST_DIVERSITY);
    knob.setAttribute('aria-valuetext', this.#view.words.text('variety.value', { percent }));
  }
}
