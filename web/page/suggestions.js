/** The suggestions: they follow every change of the list, reuse the cards that stay, and never show a stale answer. */

import { byId, element, icon, megabytes, spoken } from './dom.js';
import { say } from './announce.js';
import { chance, showChance, spokenChance } from './chance.js';
import { failurePanel } from './errors.js';
import { CHECK } from './icons.js';
import { poster } from './poster.js';
import { similarOpener } from './similar.js';

/** @typedef {import('../runtime.js').Engine} Engine */
/** @typedef {import('../runtime.js').Suggestion} Suggestion */

const SHOWN = 12;
const INVITATION = 'Click a movie that you have watched. Your suggestions appear here at once, and change with every click.';

/** Cards that left the list are kept, as a visitor's next click often brings them back. */
const KEPT_CARDS = 120;

const section = byId('suggestions');
const list = byId('suggestions-list');
const empty = byId('suggestions-empty');
const emptyTitle = byId('suggestions-empty-title');
const emptyWords = byId('suggestions-empty-words');
const switcher = byId('retrieval');
const status = byId('retrieval-status');
const spread = byId('spread');
const diversity = /** @type {HTMLInputElement} */ (byId('diversity'));
const jump = byId('jump');
const jumpTitle = byId('jump-title');

const MEASURE = 'watchnext:click-to-list';

/** Measures that are kept for whoever looks; a page that is used for hours must not collect them. */
const KEPT_MEASURES = 500;

/** Writes down how long a click took to its list. @param {number} start */
function measure(start) {
  if (performance.getEntriesByName(MEASURE).length >= KEPT_MEASURES) performance.clearMeasures(MEASURE);
  performance.measure(MEASURE, { start, end: performance.now() });
}

export class Suggestions {
  /** @type {Engine | undefined} */
  #engine;
  #store;
  #onFailure;
  /** @type {import('../runtime.js').Retrieval} */
  #retrieval = 'movies';
  /** @type {Map<number, HTMLElement>} */
  #cards = new Map();
  /** @type {readonly Suggestion[]} */
  #suggestions = [];
  #inView = false;

  /**
   * @param {import('./store.js').Store} store
   * @param {(error: any) => void} onFailure
   */
  constructor(store, onFailure) {
    this.#store = store;
    this.#onFailure = onFailure;
    list.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('.seen'));
      const id = Number(button?.dataset.movie);
      const movie = button && this.#suggestions.find(({ movieId }) => movieId === id);
      if (movie) this.#store.add(movie, event.timeStamp);
    });
    switcher.addEventListener('change', (/** @type {Event} */ event) => {
      const { value } = /** @type {HTMLInputElement} */ (event.target);
      void this.#switchTo(/** @type {import('../runtime.js').Retrieval} */ (value));
    });
    diversity.addEventListener('input', () => {
      this.#nameDiversity();
      void this.refresh();
    });
    diversity.addEventListener('change', () => this.#sayFirst('Suggestions changed'));
    jump.addEventListener('click', () => {
      section.scrollIntoView({ behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
      section.focus({ preventScroll: true });
    });
    new IntersectionObserver(([entry]) => {
      this.#inView = entry.isIntersecting;
      this.#updateJump();
    }).observe(section);
  }

  /** @param {Engine | undefined} engine */
  use(engine) {
    this.#engine = engine;
    this.#retrieval = 'movies';
    switcher.hidden = !engine?.info.retrievals.includes('states') && engine?.info.statesBytes == null;
    switcher.querySelector('[value=movies]').checked = true;
    status.hidden = true;
    // Whoever has moved the knob keeps its place when the movies are loaded anew.
    if (engine && spread.hidden) diversity.value = String(engine.info.defaultDiversity);
    spread.hidden = !engine;
    this.#nameDiversity();
  }

  /** What a screen reader says of the knob's place. */
  #nameDiversity() {
    const share = Math.round((100 * diversity.valueAsNumber) / Number(diversity.max));
    diversity.setAttribute('aria-valuetext', `${share} %, from sure bets to surprises`);
  }

  /** Empties the screen and says why, while there is no recommender. @param {string} title @param {string} words */
  pause(title, words) {
    this.use(undefined);
    this.#showEmpty(title, words);
  }

  /** Asks for the suggestions of the present list. @param {import('./store.js').Change} [change] what caused it, to be measured and announced. */
  async refresh(change) {
    const engine = this.#engine;
    if (!engine) return;
    if (this.#store.entries.length === 0) {
      this.#showEmpty();
      return;
    }
    let answer;
    try {
      answer = await engine.suggest({ history: this.#store.history, limit: SHOWN, retrieval: this.#retrieval, diversity: diversity.valueAsNumber });
    } catch (error) {
      if (engine === this.#engine) this.#onFailure(error);
      return;
    }
    // The list may have been emptied meanwhile, for which nothing is asked.
    if (!answer || engine !== this.#engine || this.#store.entries.length === 0) return;
    this.#show(answer.suggestions);
    if (change) {
      measure(change.at);
      this.#tell(change);
    }
    return answer;
  }

  /** Asks again, now that each suggestion has its chance. */
  async rank() {
    if (await this.refresh()) this.#sayFirst('Each suggestion now says how likely you are to like it');
  }

  /** @param {import('./store.js').Change} change */
  #tell({ kind, entry }) {
    const reaction = { like: 'Liked', dislike: 'Disliked', none: 'No opinion any more on' }[entry?.reaction ?? 'none'];
    const what = { add: 'Added', remove: 'Removed', react: reaction, undo: 'Undone', clear: '', outside: '' }[kind];
    if (!what) return;
    const chances = kind === 'react' && this.#suggestions[0]?.like != null ? ', and the chances follow' : '';
    this.#sayFirst(`${what}${entry ? ` ${spoken(entry)}` : ''}${chances}`);
  }

  /** Says what has happened and what comes first now. @param {string} what */
  #sayFirst(what) {
    const first = this.#suggestions[0];
    if (first) say(`${what}. Watch next: ${spoken(first)}. ${spokenChance(first.like ?? null)}`.trim());
  }

  #showEmpty(title = 'The screen is yours', words = INVITATION) {
    emptyTitle.textContent = title;
    emptyWords.textContent = words;
    this.#suggestions = [];
    list.hidden = true;
    list.replaceChildren();
    empty.hidden = false;
    this.#updateJump();
  }

  /** @param {readonly Suggestion[]} suggestions */
  #show(suggestions) {
    this.#suggestions = suggestions;
    const focused = list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    const place = focused ? [...list.children].indexOf(/** @type {Element} */ (focused.closest('li'))) : -1;
    const cards = suggestions.map((movie) => this.#card(movie));
    const wanted = new Set(cards);
    for (const card of [...list.children]) if (!wanted.has(card)) card.remove();
    cards.forEach((card, index) => {
      if (list.children[index] !== card) list.insertBefore(card, list.children[index] ?? null);
    });
    list.hidden = false;
    empty.hidden = true;
    // The card that held the focus may be gone or moved: the one in its place takes over.
    if (focused && document.activeElement !== focused) {
      const heir = wanted.has(/** @type {HTMLElement} */ (focused.closest('li'))) ? focused : cards[Math.min(place, cards.length - 1)]?.querySelector('button');
      heir?.focus({ preventScroll: true });
    }
    this.#updateJump();
  }

  /** @param {Suggestion} movie */
  #card(movie) {
    const kept = this.#cards.get(movie.movieId);
    // Putting it last again makes the map forget the cards that were not seen for longest.
    this.#cards.delete(movie.movieId);
    const card = kept ?? this.#drawCard(movie);
    showChance(/** @type {HTMLElement} */ (card.querySelector('.chance')), movie.like ?? null);
    this.#cards.set(movie.movieId, card);
    if (this.#cards.size > KEPT_CARDS) this.#cards.delete(/** @type {number} */ (this.#cards.keys().next().value));
    return card;
  }

  /** @param {Suggestion} movie */
  #drawCard(movie) {
    const { movieId, title, year, genres } = movie;
    return element(
      'li',
      { class: 'card' },
      poster(movie, { silent: true }),
      element(
        'div',
        { class: 'card-words' },
        element('h3', { class: 'card-title' }, title),
        element('p', { class: 'card-about' }, element('span', { class: 'card-year' }, year === null ? '' : String(year)), genres.join(', ')),
      ),
      chance(),
      element(
        'div',
        { class: 'card-acts' },
        element('button', { type: 'button', class: 'seen', 'data-movie': movieId, 'aria-label': `Watched it: ${spoken(movie)}` }, icon(CHECK), 'Watched it'),
        similarOpener(movie, 'card-similar'),
      ),
    );
  }

  /** On a phone the suggestions lie below the wall, so a bar says what comes first and leads there. */
  #updateJump() {
    const first = this.#suggestions[0];
    jump.hidden = !first || this.#inView;
    jumpTitle.textContent = first ? first.title : '';
  }

  /** @param {import('../runtime.js').Retrieval} retrieval */
  async #switchTo(retrieval) {
    const engine = /** @type {Engine} */ (this.#engine);
    if (retrieval === 'states') {
      const bar = /** @type {HTMLProgressElement} */ (element('progress', { 'aria-label': 'Loading the viewers', max: 1 }));
      const words = element('span', {}, `Fetching what viewers watched (${megabytes(engine.info.statesBytes ?? 0)}) …`);
      status.replaceChildren(words, bar);
      status.hidden = false;
      const onProgress = (/** @type {import('../runtime.js').Progress} */ { received, total }) => {
        bar.value = total > 0 ? received / total : 1;
        words.textContent = `Fetching what viewers watched: ${megabytes(received)} of ${megabytes(total)}`;
      };
      try {
        await engine.loadStates({ onProgress });
      } catch (error) {
        if (engine === this.#engine) this.#statesFailed(error);
        return;
      }
      if (engine !== this.#engine || switcher.querySelector(':checked').value !== 'states') return;
    }
    status.hidden = true;
    this.#retrieval = retrieval;
    await this.refresh();
    this.#sayFirst('Suggestions changed');
  }

  /** @param {any} error */
  #statesFailed(error) {
    switcher.querySelector('[value=movies]').checked = true;
    this.#retrieval = 'movies';
    const retry = () => {
      const states = switcher.querySelector('[value=states]');
      states.checked = true;
      states.focus();
      void this.#switchTo('states');
    };
    // A worker that died takes the suggestions with it, which the page tells in its own place.
    if (error.code === 'worker-crashed') {
      status.hidden = true;
      this.#onFailure(error);
      return;
    }
    status.replaceChildren(failurePanel(error, retry));
    status.hidden = false;
  }
}
