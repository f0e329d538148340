/** The widget's tree: what stands in it from the start, by name. Everything else is put in by whoever owns the place. */

import { button, element, icon, svg } from './dom.js';
import { CROSS } from './icons.js';

/** Empty frames of the film before the first click. */
const BLANK_FRAMES = 10;

/** The screen before the first suggestions: cloth, beam, curtains and two rows of seats. */
function screen() {
  const path = (/** @type {string} */ name, /** @type {string} */ d) => svg('path', { class: name, d });
  const seats = (/** @type {number} */ x, /** @type {number} */ y) => `M${x} ${y}v-14q0-10 10-10h14q10 0 10 10v14z`;
  const row = (/** @type {number} */ from, /** @type {number} */ y, /** @type {number} */ count) =>
    Array.from({ length: count }, (_, seat) => seats(from + 44 * seat, y)).join('');
  return svg(
    'svg',
    { viewBox: '0 0 320 190', 'aria-hidden': 'true' },
    svg('rect', { class: 'screen-cloth', x: 44, y: 14, width: 232, height: 112 }),
    path('screen-beam', 'M44 126h232l28 64H16z'),
    path('screen-curtain', 'M10 4h38q4 62-14 130H10z'),
    path('screen-curtain', 'M310 4h-38q-4 62 14 130h24z'),
    path('screen-curtain', `M10 4h300v16${'q-25 14-50 0'.repeat(6)}z`),
    path('screen-fold', 'M22 22v112M34 22q0 60-6 112M298 22v112M286 22q0 60 6 112'),
    path('screen-row', row(30, 168, 6)),
    path('screen-row screen-row-front', row(8, 192, 7)),
  );
}

/** @param {import('./words.js').Words} words */
function tree(words) {
  const say = (/** @type {string} */ key) => words.text(key);
  const quiet = (/** @type {string} */ id, /** @type {string} */ key) => button({ class: 'quiet', id, disabled: true }, say(key));
  const option = (/** @type {string} */ value, /** @type {string} */ key, /** @type {boolean} */ checked) =>
    element('label', {}, element('input', { type: 'radio', name: 'retrieval', value, checked }), element('span', {}, say(key)));
  const blank = (/** @type {number} */ at) =>
    element('div', { class: 'frame frame-blank' }, ...(at < 3 ? [element('span', {}, say(`watched.blank.${at + 1}`))] : []));

  const head = element(
    'div',
    { class: 'head' },
    element('slot', { name: 'head' }),
    element(
      'div',
      { class: 'search', id: 'search', part: 'search' },
      element('label', { class: 'visually-hidden', for: 'search-input' }, say('search.label')),
      svg('svg', { class: 'search-glass', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, svg('path', { d: 'M4 10.5a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0-13 0M15.5 15.5 21 21' })),
      element('input', {
        id: 'search-input',
        part: 'search-input',
        type: 'text',
        inputmode: 'search',
        enterkeyhint: 'done',
        placeholder: say('search.placeholder'),
        autocomplete: 'off',
        autocapitalize: 'off',
        autocorrect: 'off',
        spellcheck: 'false',
        role: 'combobox',
        'aria-autocomplete': 'list',
        'aria-expanded': 'false',
        'aria-controls': 'search-list',
      }),
      element('ul', { id: 'search-list', class: 'search-list', role: 'listbox', 'aria-label': say('search.found'), hidden: true }),
      element('p', { id: 'search-none', class: 'search-list search-none', hidden: true }),
    ),
  );

  const watched = element(
    'section',
    { class: 'watched', part: 'watched', 'aria-labelledby': 'watched-title' },
    element(
      'div',
      { class: 'section-head' },
      element('h2', { id: 'watched-title' }, `${say('watched.title')} `, element('span', { id: 'watched-count', class: 'count' })),
      element('div', { class: 'watched-tools' }, element('slot', { name: 'tools' }), quiet('undo', 'undo'), quiet('clear', 'clear')),
    ),
    element(
      'div',
      { class: 'film', id: 'film', part: 'film' },
      element('ol', { id: 'watched-list', class: 'frames', 'aria-labelledby': 'watched-title', hidden: true }),
      element('div', { id: 'watched-empty', class: 'frames frames-empty', 'aria-hidden': 'true' }, ...Array.from({ length: BLANK_FRAMES }, (_, at) => blank(at))),
    ),
  );

  const wall = element(
    'section',
    { class: 'wall', part: 'wall', 'aria-labelledby': 'wall-title' },
    element(
      'div',
      { class: 'section-head' },
      element('h2', { id: 'wall-title' }, element('slot', { name: 'wall-title' }, say('wall.title'))),
      element('p', { id: 'wall-status', class: 'hint' }, say('wall.waiting')),
    ),
    element('div', { class: 'progress' }, element('progress', { id: 'progress-bar', 'aria-label': say('wall.progress'), max: 1 })),
    element('div', { id: 'failure', class: 'failure', role: 'alert', hidden: true }),
    element('ul', { id: 'wall-list', class: 'posters', 'aria-labelledby': 'wall-title' }),
    button({ class: 'more', id: 'wall-more', hidden: true }, say('wall.more')),
  );

  const suggestions = element(
    'section',
    { class: 'suggestions', part: 'suggestions', id: 'suggestions', 'aria-labelledby': 'suggestions-title', tabindex: -1 },
    element(
      'div',
      { class: 'section-head' },
      element('h2', { id: 'suggestions-title' }, element('slot', { name: 'suggestions-title' }, say('suggestions.title'))),
      element(
        'fieldset',
        { class: 'retrieval', id: 'retrieval', hidden: true },
        element('legend', { class: 'visually-hidden' }, say('retrieval.title')),
        option('movies', 'retrieval.movies', true),
        option('states', 'retrieval.states', false),
      ),
    ),
    element('div', { id: 'filters', class: 'filters', part: 'filters', hidden: true }),
    element('div', { id: 'retrieval-status', class: 'retrieval-status', hidden: true }),
    element('p', { id: 'ranker-status', class: 'ranker-status', hidden: true }, element('span', { id: 'ranker-words' }), ' ', button({ class: 'quiet', id: 'ranker-retry' }, say('retry'))),
    element('ol', { id: 'suggestions-list', class: 'cards', 'aria-labelledby': 'suggestions-title', hidden: true }),
    element(
      'div',
      { id: 'suggestions-empty', class: 'screen' },
      element(
        'slot',
        { name: 'empty' },
        screen(),
      ),
      element('p', { class: 'screen-title', id: 'suggestions-empty-title' }, say('screen.title')),
      element('p', { id: 'suggestions-empty-words' }, say('screen.words')),
      button({ class: 'more', id: 'filters-clear', hidden: true }, say('filters.clear')),
    ),
  );

  const dock = element(
    'div',
    { class: 'dock' },
    button({ class: 'jump', id: 'jump', part: 'jump', hidden: true }, element('span', { class: 'jump-label' }, say('suggestions.title')), ' ', element('span', { id: 'jump-title', class: 'jump-title' })),
    element(
      'div',
      { class: 'similar', id: 'similar', part: 'similar', role: 'dialog', 'aria-labelledby': 'similar-title', hidden: true },
      element(
        'div',
        { class: 'similar-head' },
        element('h2', { class: 'similar-title', id: 'similar-title' }, `${say('similar.title')} `, element('span', { class: 'similar-to', id: 'similar-to' })),
        button({ class: 'similar-close', id: 'similar-close', 'aria-label': say('close'), title: say('close') }, icon(CROSS)),
      ),
      element('ul', { class: 'similar-list', id: 'similar-list', 'aria-labelledby': 'similar-title' }),
      element('p', { class: 'similar-none', id: 'similar-none', hidden: true }),
    ),
    element('div', { class: 'toast', id: 'toast', part: 'toast', hidden: true }, element('span', { id: 'toast-text' }), button({ id: 'toast-undo' }, say('undo'))),
  );

  return element(
    'div',
    { class: 'root', id: 'root', part: 'root' },
    button({ class: 'skip', id: 'skip' }, say('skip')),
    head,
    element('div', { id: 'notice', class: 'notice', role: 'status', hidden: true }),
    watched,
    element('div', { class: 'house' }, wall, suggestions),
    element('slot', { name: 'foot' }),
    dock,
    element('div', { id: 'announcer', class: 'visually-hidden', role: 'status', 'aria-live': 'polite' }),
  );
}

export class View {
  #shadow;

  /**
   * @param {ShadowRoot} shadow gets the tree, in place of what it showed until now.
   * @param {import('./words.js').Words} words
   */
  constructor(shadow, words) {
    this.#shadow = shadow;
    this.words = words;
    this.root = tree(words);
    this.root.lang = words.language;
  }

  /** Shows the tree, at once with its styles. @param {readonly Node[]} styles */
  show(styles) {
    this.#shadow.replaceChildren(...styles, this.root);
  }

  /**
   * The element with this name.
   * @param {string} id
   * @returns {any}
   */
  get(id) {
    const node = this.root.id === id ? this.root : this.root.querySelector(`#${id}`);
    if (!node) throw new Error(`the view has no element #${id}`);
    return node;
  }

  /** What has the focus within the widget. */
  get focused() {
    return this.#shadow.activeElement;
  }
}
