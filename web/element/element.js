/**
 * `<watch-next>`: a recommender that runs wholly in the visitor's browser, in a shadow tree of its own.
 * `watch-next.d.ts` describes its attributes, properties, methods and events.
 */

import { WatchNextError, load } from '../runtime.js';
import { HIGHEST_STARS, LOWEST_STARS } from '../engine/constants.js';
import { button, element } from './dom.js';
import { App } from './app.js';
import { isFame } from './filters.js';
import { isMovieId, isRating, watchedOf } from './entry.js';
import { DEFAULT_KEY } from './store.js';
import { PATIENCE_MS, readJson, refetch } from './own-file.js';
import { View, readTree } from './view.js';
import { Words } from './words.js';

/** @typedef {import('../runtime.js').Engine} Engine */
/** @typedef {import('../runtime.js').Watched} Watched */

/** The most suggestions that the attribute `limit` takes. */
const MOST_SUGGESTIONS = 200;

/** Attributes whose change rebuilds the tree. The engine stays. */
const REBUILDING = ['lang', 'words', 'store', 'poster-url', 'movie-url', 'limit'];

/** The scale of ratings, for errors. */
const STARS_RANGE = `stars from ${LOWEST_STARS} to ${HIGHEST_STARS}`;

/** Separates the parts of an attribute. */
const SEPARATORS = /[\s,]+/;

/** Registers a length for the whole document that follows the visitor's own text size, not the site's. */
function registerUnit() {
  try {
    CSS.registerProperty({ name: '--rem', syntax: '<length>', inherits: true, initialValue: '16px' });
  } catch {
    // Another copy has registered it, or the browser can't. Without it, lengths follow the initial size of text.
  }
}

/**
 * A site's list as entries; throws a `TypeError` for one that isn't a list.
 * @param {Iterable<number | Watched>} list
 * @returns {Watched[]}
 */
function asWatched(list) {
  return [...list].map((item, at) => {
    const { movieId, rating } = typeof item === 'object' && item !== null ? item : { movieId: item, rating: undefined };
    if (!isMovieId(movieId)) throw new TypeError(`watched[${at}] is no movie: give its id, or { movieId, rating? }`);
    if (rating != null && !isRating(rating)) {
      throw new TypeError(`watched[${at}].rating is ${rating}: give ${STARS_RANGE}, or leave it out`);
    }
    return watchedOf(movieId, rating);
  });
}

/** Shows the element's own content until the widget is ready. */
const waiting = (/** @type {Node[]} */ ...more) =>
  element('div', { part: 'waiting' }, element('slot', { name: 'head' }), element('slot'), ...more);

/** On a server there is no HTMLElement, and importing this must not fail there. */
const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

export class WatchNext extends Base {
  /** The folder with the program, its styles and its words. `watch-next.js` sets it to its own folder. @type {URL} */
  static base;

  static observedAttributes = ['bundle', 'genres', 'decades', 'fame', 'novelty', 'diversity', 'watched', ...REBUILDING];

  #shadow = this.attachShadow({ mode: 'open' });
  /** @type {App | undefined} */
  #app;
  /** @type {Promise<Engine> | undefined} */
  #loading;
  /** Aborted when the element leaves the document. @type {AbortController | undefined} */
  #life;
  /** @type {import('../runtime.js').OnProgress} */
  #onProgress = () => {};
  /** @type {import('../runtime.js').Progress | undefined} */
  #progress;
  /** A list that was set before the tree was built. @type {readonly Watched[] | undefined} */
  #given;
  /** @type {((app: App) => void)[]} */
  #waiting = [];
  #builds = 0;

  constructor() {
    super();
    this.#shadow.append(waiting());
  }

  connectedCallback() {
    registerUnit();
    if (this.#life) return;
    this.#life = new AbortController();
    for (const name of ['watched', 'filter']) {
      // A property that was set before the element was defined hides the accessor.
      if (!Object.hasOwn(this, name)) continue;
      const value = /** @type {any} */ (this)[name];
      delete (/** @type {any} */ (this)[name]);
      /** @type {any} */ (this)[name] = value;
    }
    // The engine takes longest to load, so it starts first.
    this.#begin(false);
    void this.#build();
  }

  disconnectedCallback() {
    // A moved element is taken out and put back at once. It should go on as it is.
    queueMicrotask(() => {
      if (!this.isConnected) this.#end();
    });
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} now
   */
  attributeChangedCallback(name, before, now) {
    if (!this.#life || before === now) return;
    if (name === 'bundle') {
      this.#end();
      this.connectedCallback();
    } else if (REBUILDING.includes(name)) {
      void this.#build();
    } else if (name === 'watched') {
      if (before === null || now === null) void this.#build();
      else this.watched = this.#parseWatched(now);
    } else if (name === 'novelty' || name === 'diversity') {
      this.#app?.filters.setNovelty(this.#novelty);
    } else {
      this.#app?.filters.set(this.#filterOfAttributes());
    }
  }

  /** The list, oldest first. */
  get watched() {
    return this.#app
      ? this.#app.store.entries.map((entry) => ({ ...entry, genres: [...entry.genres] }))
      : (this.#given ?? []);
  }

  set watched(/** @type {Iterable<number | Watched>} */ list) {
    const watched = asWatched(list);
    if (this.#app) void this.#app.setWatched(watched);
    else this.#given = watched;
  }

  /** The filter of the suggestions. */
  get filter() {
    return { ...(this.#app?.filters.filter ?? this.#filterOfAttributes()) };
  }

  set filter(/** @type {Partial<import('./filters.js').Filter>} */ { genres, decades, fame } = {}) {
    // The attributes are the one place that holds a site's wishes.
    this.#reflect('genres', genres?.join(', '));
    this.#reflect('decades', decades?.join(' '));
    this.#reflect('fame', fame ?? undefined);
    // An attribute may have this value already, while the visitor has pressed other chips since.
    this.#app?.filters.set(this.#filterOfAttributes());
  }

  /** The suggestions that are shown. */
  get suggestions() {
    return [...(this.#app?.suggestions ?? [])];
  }

  /** The headless recommender that this element runs on, once it is loaded. */
  get engine() {
    return this.#app?.engine;
  }

  /** Suggestions for the present list, once the recommender is loaded. */
  async suggest() {
    const app = this.#app?.engine
      ? this.#app
      : await new Promise((/** @type {(app: App) => void} */ resolve) => this.#waiting.push(resolve));
    return [...(await app.suggest())];
  }

  /** Adds movies to the list, or ratings to the movies in it. @param {Iterable<number | Watched>} list */
  async watch(list) {
    const coming = asWatched(list);
    await this.suggest();
    const movies = (await this.#app?.engine?.movies(coming.map(({ movieId }) => movieId))) ?? [];
    this.#app?.store.merge(movies.flatMap((movie, at) => (movie ? [{ ...movie, rating: coming[at].rating }] : [])));
  }

  /** Removes a movie from the list. @param {number} movieId */
  unwatch(movieId) {
    this.#app?.store.remove(movieId);
  }

  clear() {
    this.#app?.store.clear();
  }

  undo() {
    this.#app?.store.undo();
  }

  focus() {
    this.#app?.focus();
  }

  /** @param {string} name @param {string | undefined} value */
  #reflect(name, value) {
    if (value) this.setAttribute(name, value);
    else this.removeAttribute(name);
  }

  /** The language of the element, or of the nearest ancestor that has one. */
  get #language() {
    return /** @type {HTMLElement | null} */ (this.closest('[lang]'))?.lang || 'en';
  }

  /** @param {boolean} fresh */
  #begin(fresh) {
    this.#progress = undefined;
    const loading = load({
      bundle: this.getAttribute('bundle') ?? undefined,
      stallMs: this.#number('stall-ms', 1, Infinity),
      fresh,
      signal: this.#life?.signal,
      onProgress: (progress) => {
        this.#progress = progress;
        this.#onProgress(progress);
      },
    });
    // The app handles a failure when it asks for the engine. Until then the browser must not report it as uncaught.
    loading.catch(() => {});
    this.#loading = loading;
    return loading;
  }

  /** Builds the tree, replaces the earlier one, and starts it. */
  async #build() {
    if (!this.#life) return;
    const build = ++this.#builds;
    let found;
    const [styles, sheet] = this.#styles();
    try {
      found = await Promise.all([
        Words.load(this.#language, new URL('words/', WatchNext.base), this.getAttribute('words')),
        readTree(new URL('watch-next.html', WatchNext.base)),
        readJson(new URL('posters.json', WatchNext.base)),
        sheet,
      ]);
    } catch (error) {
      if (build === this.#builds) this.#giveUp(/** @type {WatchNextError} */ (error));
      return;
    }
    // A later build, or the element's removal, may have overtaken this one.
    if (build !== this.#builds) return;
    const [words, tree, style] = found;
    this.#app?.stop();
    const ownList = this.getAttribute('watched');
    const app = new App(new View(this.#shadow, tree, words), style, this.#options(), {
      load: (onProgress, fresh) => {
        this.#onProgress = onProgress;
        if (this.#progress && !fresh) onProgress(this.#progress);
        return fresh || !this.#loading ? this.#begin(fresh) : this.#loading;
      },
      tell: (type, detail, cancelable = false) => this.#tell(app, type, detail, cancelable),
    });
    this.#app = app;
    app.filters.set(this.#filterOfAttributes());
    app.filters.setNovelty(this.#novelty);
    const given = this.#given ?? (ownList === null ? undefined : this.#parseWatched(ownList));
    this.#given = undefined;
    if (given) void app.setWatched(given);
    app.view.show(styles);
    void app.start(false);
  }

  /** Adds the style sheet. @returns {[HTMLElement[], Promise<void>]} its element, and a promise of its arrival. */
  #styles() {
    const link = element('link', { rel: 'stylesheet', href: new URL('watch-next.css', WatchNext.base).href });
    // The tree is shown after its styles have arrived, or can't be fetched.
    const loaded = new Promise((/** @type {(value: void) => void} */ resolve) => {
      link.addEventListener('load', () => resolve());
      link.addEventListener('error', () => resolve());
      setTimeout(resolve, PATIENCE_MS);
    });
    this.#shadow.prepend(link);
    return [[link], loaded];
  }

  /** @returns {import('./app.js').Options} */
  #options() {
    const store = this.getAttribute('store') ?? (this.hasAttribute('watched') ? 'none' : '');
    const limit = this.#number('limit', 1, MOST_SUGGESTIONS);
    return {
      storeKey: store === 'none' ? null : store ? `watchnext.${store}` : DEFAULT_KEY,
      limit: limit && Math.floor(limit),
      posterUrl: this.getAttribute('poster-url') ?? '',
      movieUrl: this.getAttribute('movie-url') ?? '',
    };
  }

  /** The attribute `novelty`, or `diversity`, its older name. */
  get #novelty() {
    return this.#number(this.hasAttribute('novelty') ? 'novelty' : 'diversity', 0, 1);
  }

  #filterOfAttributes() {
    const parts = (/** @type {string} */ name, /** @type {RegExp} */ by) =>
      (this.getAttribute(name) ?? '').split(by).filter(Boolean);
    const fame = this.getAttribute('fame');
    if (fame !== null && !isFame(fame)) this.#complain(`fame="${fame}" isn't "famous", "known" or "gems"`);
    return {
      // A genre's name may hold a space, so only commas separate genres.
      genres: parts('genres', /\s*,\s*/).map((name) => name.trim()),
      decades: parts('decades', SEPARATORS)
        .map((decade) => Math.floor(Number.parseInt(decade, 10) / 10) * 10)
        .filter((decade) => decade >= 0 && decade < 10_000),
      fame: isFame(fame) ? fame : null,
    };
  }

  /** The list in an attribute. @param {string} text `1, 50:4.5`: ids, each with or without stars. */
  #parseWatched(text) {
    return text.split(SEPARATORS).filter(Boolean).flatMap((part) => {
      const [, id, stars] = /^(\d+)(?::(\d(?:\.\d+)?))?$/.exec(part) ?? [];
      const movieId = Number(id);
      const rating = stars === undefined ? undefined : Number(stars);
      if (isMovieId(movieId) && (rating === undefined || isRating(rating))) return [watchedOf(movieId, rating)];
      this.#complain(`watched="…${part}…" is neither an id nor an id with ${STARS_RANGE}, as in 50:4.5`);
      return [];
    });
  }

  /**
   * The number in an attribute; undefined if it has none.
   * @param {string} name
   * @param {number} least
   * @param {number} most
   */
  #number(name, least, most) {
    const text = this.getAttribute(name);
    if (text === null) return undefined;
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value <= most) return value;
    this.#complain(`${name}="${text}" isn't a number from ${least} to ${most}`);
    return undefined;
  }

  /** Reports a mistake in the site's page to the site: the visitor can't fix it. @param {string} message */
  #complain(message) {
    console.warn(`<watch-next>: ${message}; it is left out.`);
    this.#dispatch('error', { code: 'attribute-invalid', message, place: 'attribute' });
  }

  /**
   * Passes an event of the app on to the site.
   * @param {App} app
   * @param {string} type
   * @param {any} detail
   * @param {boolean} cancelable
   */
  #tell(app, type, detail, cancelable) {
    if (app !== this.#app) return true;
    if (type === 'ready') {
      for (const resolve of this.#waiting) resolve(app);
      this.#waiting = [];
      const unknown = this.#filterOfAttributes().genres.filter((name) => !detail.info.genres.includes(name));
      if (unknown.length > 0) {
        this.#complain(`genres="${unknown.join(', ')}": this catalogue has ${detail.info.genres.join(', ')}`);
      }
    }
    return this.#dispatch(type, detail, cancelable);
  }

  /** @param {string} type @param {unknown} detail @param {boolean} [cancelable] */
  #dispatch(type, detail, cancelable = false) {
    return this.dispatchEvent(
      new CustomEvent(`watchnext:${type}`, { detail, bubbles: true, composed: true, cancelable }),
    );
  }

  /** Shows an error of the widget's own files. Without its words it speaks English. @param {WatchNextError} error */
  #giveUp(error) {
    const again = button({}, 'Try again');
    again.addEventListener('click', async () => {
      await refetch(error);
      void this.#build();
    });
    this.#shadow.replaceChildren(
      waiting(
        element(
          'p',
          { class: 'failure-panel failure-detail', role: 'alert', part: 'error', 'data-code': error.code },
          'The movies couldn’t be loaded. Your list is safe. ',
          again,
          ` ${error.message}`,
        ),
      ),
    );
    this.#dispatch('error', { code: error.code, message: error.message, place: error.place ?? null });
  }

  #end() {
    this.#life?.abort(new WatchNextError('closed', 'The element was taken out of the document.'));
    this.#life = undefined;
    this.#builds += 1;
    this.#app?.stop();
    // A list that is only in memory comes back when the element does.
    if (this.#app && this.#options().storeKey === null) this.#given = this.#app.store.history;
    this.#app = undefined;
    void this.#loading?.then((engine) => engine.close(), () => {});
    this.#loading = undefined;
    this.#shadow.replaceChildren(waiting());
  }
}
