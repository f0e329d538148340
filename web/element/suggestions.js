/** The suggestions. They follow every change of the list, reuse their cards, and never show a stale answer. */

import { closest, element, spoken } from './dom.js';
import { showChance, spokenChance } from './chance.js';
import { failurePanel } from './errors.js';
import { addressOf } from './poster.js';
import { openSimilar } from './similar.js';
import { reactionOf } from './store.js';

/** @typedef {import('../runtime.js').Engine} Engine */
/** @typedef {import('../runtime.js').Suggestion} Suggestion */
/** @typedef {import('./store.js').Change} Change */
/** @typedef {import('./app.js').Options} Options */

/** How many cards are kept. A card that has left the list often comes back with the next click. */
const KEPT_CARDS = 120;

/** How long to wait for the end of a burst of clicks. Reasons cost one run of the model for each watched movie. */
const REASONS_AFTER_MS = 160;

const MEASURE = 'watchnext:click-to-list';

/** How many measures are kept. A page that is used for hours must not collect them all. */
const KEPT_MEASURES = 500;

/** Measures the time from a click to its list. @param {number} start */
function measure(start) {
  if (performance.getEntriesByName(MEASURE).length >= KEPT_MEASURES) performance.clearMeasures(MEASURE);
  performance.measure(MEASURE, { start, end: performance.now() });
}

export class Suggestions {
  /** @type {Engine | undefined} */
  #engine;
  #view;
  #announcer;
  #billboard;
  #filters;
  #store;
  #options;
  #report;
  #section;
  #list;
  #switcher;
  #status;
  #jump;
  #observer;
  /** @type {import('../runtime.js').Retrieval} */
  #retrieval = 'movies';
  /** @type {Map<number, HTMLElement>} */
  #cards = new Map();
  /** @type {readonly Suggestion[]} */
  #suggestions = [];
  #inView = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reasonsTimer;

  /**
   * @param {object} parts
   * @param {import('./view.js').View} parts.view
   * @param {import('./announce.js').Announcer} parts.announcer
   * @param {import('./poster.js').Billboard} parts.billboard
   * @param {import('./filters.js').Filters} parts.filters
   * @param {import('./store.js').Store} parts.store
   * @param {Options} parts.options
   * @param {object} report
   * @param {(error: any) => void} report.failed
   * @param {(suggestions: readonly Suggestion[]) => void} report.shown
   * @param {(movie: Suggestion, event: Event) => void} report.selected a link was followed.
   */
  constructor({ view, announcer, billboard, filters, store, options }, report) {
    this.#view = view;
    this.#announcer = announcer;
    this.#billboard = billboard;
    this.#filters = filters;
    this.#store = store;
    this.#options = options;
    this.#report = report;
    this.#section = view.get('suggestions');
    this.#list = view.get('suggestions-list');
    this.#switcher = view.get('retrieval');
    this.#status = view.get('retrieval-status');
    this.#jump = view.get('jump');
    this.#list.addEventListener('click', (/** @type {MouseEvent} */ event) => this.#click(event));
    this.#switcher.addEventListener('change', (/** @type {Event} */ event) => {
      const { value } = /** @type {HTMLInputElement} */ (event.target);
      void this.#switchTo(/** @type {import('../runtime.js').Retrieval} */ (value));
    });
    this.#jump.addEventListener('click', () => {
      this.#section.scrollIntoView({
        behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth',
      });
      this.#section.focus({ preventScroll: true });
    });
    view.get('skip').addEventListener('click', () => this.#section.focus());
    this.#observer = new IntersectionObserver(([entry]) => {
      this.#inView = entry.isIntersecting;
      this.#updateJump();
    });
    this.#observer.observe(this.#section);
  }

  get suggestions() {
    return this.#suggestions;
  }

  stop() {
    this.#observer.disconnect();
    clearTimeout(this.#reasonsTimer);
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const card = closest(event, '.card');
    const movie = this.#suggestions.find(({ movieId }) => String(movieId) === card?.dataset.movie);
    if (!movie) return;
    if (closest(event, '.seen')) this.#store.add(movie, event.timeStamp);
    else if (closest(event, '.card-ignore')) this.#store.ignore(movie, event.timeStamp);
    else if (closest(event, 'a')) this.#report.selected(movie, event);
  }

  /** @param {Engine | undefined} engine */
  use(engine) {
    this.#engine = engine;
    this.#retrieval = 'movies';
    this.#switcher.hidden = !engine?.info.retrievals.includes('states') && engine?.info.statesBytes == null;
    this.#switcher.querySelector('[value=movies]').checked = true;
    this.#status.hidden = true;
    this.#filters.use(engine);
    // The style sheet decides whether a card keeps room for links.
    this.#view.root.dataset.links = engine?.info.linksBytes == null ? 'none' : 'coming';
  }

  /**
   * Shows why there are no suggestions, while there is no engine.
   * @param {string} kind of the texts `KIND.title` and `KIND.words`.
   */
  pause(kind) {
    this.use(undefined);
    this.#showEmpty(kind);
  }

  /** The request to the engine. */
  get #request() {
    return {
      history: this.#store.history,
      limit: this.#options.limit,
      retrieval: this.#retrieval,
      exclude: this.#store.ignored.map(({ movieId }) => movieId),
      ...this.#filters.request,
    };
  }

  /** Gets the suggestions for the present list. @param {Change} [change] the cause, which is measured and announced. */
  async refresh(change) {
    const engine = this.#engine;
    if (!engine) return;
    if (this.#store.entries.length === 0) {
      this.#showEmpty('screen');
      return;
    }
    let answer;
    try {
      answer = await engine.suggest(this.#request);
    } catch (error) {
      if (engine === this.#engine) this.#report.failed(error);
      return;
    }
    // The list may be empty by now. An empty list has no request of its own that would overtake this one.
    if (!answer || engine !== this.#engine || this.#store.entries.length === 0) return;
    if (answer.suggestions.length > 0) this.#show(answer.suggestions);
    else this.#showEmpty('filtered');
    if (change) {
      measure(change.at);
      this.#tell(change);
    }
    this.#report.shown(this.#suggestions);
    return answer;
  }

  /** Gets the suggestions again, now with their chances. */
  async rank() {
    if (await this.refresh()) this.sayFirst(this.#view.words.text('ranker.ready'));
  }

  /** Announces a change of the list. @param {Change} change */
  #tell({ kind, entry }) {
    const what = kind === 'react' ? (reactionOf(entry?.rating) ?? 'none') : kind;
    const key = `said.${what}`;
    const { words } = this.#view;
    if (!words.has(key)) return;
    const chances = kind === 'react' && this.#suggestions[0]?.like != null ? words.text('said.chances') : '';
    this.sayFirst(words.text(key, { movie: entry ? spoken(entry) : '' }) + chances);
  }

  /** Announces what has happened, and the first suggestion. @param {string} what */
  sayFirst(what) {
    const first = this.#suggestions[0];
    const { words } = this.#view;
    if (!first) return this.#announcer.say(this.#view.get('suggestions-empty-words').textContent);
    const next = words.text('said.first', { movie: spoken(first) });
    this.#announcer.say(`${what}. ${next} ${spokenChance(words, first.like)}`.trim());
  }

  /** Shows a text in place of the cards. @param {string} kind of the texts `KIND.title` and `KIND.words`. */
  #showEmpty(kind) {
    const { words } = this.#view;
    this.#view.get('suggestions-empty-title').textContent = words.text(`${kind}.title`);
    this.#view.get('suggestions-empty-words').textContent = words.text(`${kind}.words`);
    this.#view.get('filters-clear').hidden = kind !== 'filtered' || !this.#filters.isOn;
    this.#suggestions = [];
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#view.get('suggestions-empty').hidden = false;
    this.#updateJump();
  }

  /** @param {readonly Suggestion[]} suggestions */
  #show(suggestions) {
    this.#suggestions = suggestions;
    const list = this.#list;
    const active = this.#view.focused;
    const focused = list.contains(active) ? /** @type {HTMLElement} */ (active) : null;
    const place = focused ? [...list.children].indexOf(/** @type {Element} */ (focused.closest('li'))) : -1;
    const cards = suggestions.map((movie) => this.#card(movie));
    const wanted = new Set(cards);
    for (const card of [...list.children]) if (!wanted.has(card)) card.remove();
    cards.forEach((card, index) => {
      if (list.children[index] !== card) list.insertBefore(card, list.children[index] ?? null);
    });
    list.hidden = false;
    this.#view.get('suggestions-empty').hidden = true;
    // The card that had the focus may be gone or moved. Then the card in its place gets it.
    if (focused && this.#view.focused !== focused) {
      const heir = wanted.has(/** @type {HTMLElement} */ (focused.closest('li')))
        ? focused
        : cards[Math.min(place, cards.length - 1)]?.querySelector('button');
      heir?.focus({ preventScroll: true });
    }
    this.#updateJump();
    clearTimeout(this.#reasonsTimer);
    this.#reasonsTimer = setTimeout(() => void this.#explain(suggestions), REASONS_AFTER_MS);
  }

  /** Writes under each suggestion which watched movies led to it. @param {readonly Suggestion[]} suggestions */
  async #explain(suggestions) {
    const engine = this.#engine;
    if (!engine || suggestions !== this.#suggestions) return;
    const titles = new Map(this.#store.entries.map(({ movieId, title }) => [movieId, title]));
    const ids = suggestions.map(({ movieId }) => movieId);
    // A list works without reasons. The next click shows what is wrong with the worker.
    const reasons = await engine.reasons({ history: this.#store.history }, ids).catch(() => undefined);
    if (!reasons || suggestions !== this.#suggestions) return;
    const { words } = this.#view;
    ids.forEach((id, at) => {
      const movies = words.list(reasons[at].flatMap(({ movieId }) => titles.get(movieId) ?? []));
      const place = this.#cards.get(id)?.querySelector('.because');
      if (place) place.textContent = movies ? words.text('because', { movies }) : words.text('because.none');
    });
  }

  /** @param {Suggestion} movie */
  #card(movie) {
    const kept = this.#cards.get(movie.movieId);
    // Each card that is shown goes to the end of the map, so the first is the one that was unused for longest.
    this.#cards.delete(movie.movieId);
    const card = kept ?? this.#drawCard(movie);
    showChance(this.#view.words, /** @type {HTMLElement} */ (card.querySelector('.chance')), movie.like);
    this.#link(card, movie);
    this.#cards.set(movie.movieId, card);
    if (this.#cards.size > KEPT_CARDS) this.#cards.delete(/** @type {number} */ (this.#cards.keys().next().value));
    return card;
  }

  /** @param {Suggestion} movie */
  #drawCard(movie) {
    const { words } = this.#view;
    const [card, part] = this.#view.copy('card');
    const name = { movie: spoken(movie) };
    card.dataset.movie = String(movie.movieId);
    card.prepend(this.#billboard.poster(movie, { silent: true }));
    part('card-title').textContent = movie.title;
    part('card-year').textContent = movie.year;
    part('card-genres').textContent = words.genres(movie.genres);
    part('seen').dataset.movie = movie.movieId;
    part('seen').setAttribute('aria-label', words.text('seen.of', name));
    part('card-ignore').setAttribute('aria-label', words.text('ignore.of', name));
    openSimilar(words, part('similar-open'), movie);
    return card;
  }

  /**
   * Adds links to the site's own page of the movie, or to IMDb and TMDB, once they are known.
   * @param {HTMLElement} card
   * @param {Suggestion} movie
   */
  #link(card, movie) {
    const place = /** @type {HTMLElement} */ (card.querySelector('.card-links'));
    if (place.firstChild) return;
    const own = this.#options.movieUrl && addressOf(this.#options.movieUrl, movie);
    /** @type {[string, string][]} */
    const links = [];
    if (own) links.push([this.#view.words.text('link.more'), own]);
    else if (!this.#options.movieUrl) {
      if (movie.imdb) links.push(['IMDb', `https://www.imdb.com/title/${movie.imdb}/`]);
      if (movie.tmdb) links.push(['TMDB', `https://www.themoviedb.org/movie/${movie.tmdb}`]);
    }
    place.append(
      ...links.map(([text, href]) =>
        element(
          'a',
          {
            href,
            target: own ? null : '_blank',
            rel: 'noopener noreferrer',
            'aria-label': `${text}: ${spoken(movie)}`,
          },
          text,
        ),
      ),
    );
  }

  /** On a phone the suggestions are below the wall. A bar shows the first one and leads there. */
  #updateJump() {
    const first = this.#suggestions[0];
    this.#jump.hidden = !first || this.#inView;
    this.#view.get('jump-title').textContent = first ? first.title : '';
  }

  /** Uses another retrieval, and fetches its file first. @param {import('../runtime.js').Retrieval} retrieval */
  async #switchTo(retrieval) {
    const engine = /** @type {Engine} */ (this.#engine);
    const { words } = this.#view;
    if (retrieval === 'states') {
      const bar = /** @type {HTMLProgressElement} */ (
        element('progress', { 'aria-label': words.text('states.progress'), max: 1 })
      );
      const total = words.megabytes(engine.info.statesBytes ?? 0);
      const label = element('span', {}, words.text('states.fetching', { total }));
      this.#status.replaceChildren(label, bar);
      this.#status.hidden = false;
      const onProgress = (/** @type {import('../runtime.js').Progress} */ { received, total: all }) => {
        bar.value = all > 0 ? received / all : 1;
        label.textContent = words.text('states.received', { received: words.megabytes(received), total });
      };
      try {
        await engine.loadStates({ onProgress });
      } catch (error) {
        if (engine === this.#engine) this.#statesFailed(error);
        return;
      }
      if (engine !== this.#engine || this.#switcher.querySelector(':checked').value !== 'states') return;
    }
    this.#status.hidden = true;
    this.#retrieval = retrieval;
    await this.refresh();
    this.sayFirst(words.text('said.changed'));
  }

  /** @param {any} error */
  #statesFailed(error) {
    this.#switcher.querySelector('[value=movies]').checked = true;
    this.#retrieval = 'movies';
    const retry = () => {
      const states = this.#switcher.querySelector('[value=states]');
      states.checked = true;
      states.focus();
      void this.#switchTo('states');
    };
    // A worker that has died takes the suggestions with it. The widget shows that error itself.
    if (error.code === 'worker-crashed') {
      this.#status.hidden = true;
      this.#report.failed(error);
      return;
    }
    this.#status.replaceChildren(failurePanel(this.#view.words, error, retry));
    this.#status.hidden = false;
  }
}
