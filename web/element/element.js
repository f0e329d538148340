/**
 * `<watch-next>`: a recommender that runs wholly in the visitor's browser, in a shadow tree of its own. The attributes, properties,
 * methods and events are described in `watch-next.d.ts`.
 */

import { WatchNextError, load } from '../runtime.js';
import { element } from './dom.js';
import { App } from './app.js';
import { isFame } from './filters.js';
import { DEFAULT_KEY, isMovieId, isRating } from './store.js';
import { PATIENCE_MS, readJson, refetch } from './own-file.js';
import { View, readTree } from './view.js';
import { Words } from './words.js';

/** @typedef {import('../runtime.js').Engine} Engine */
/** @typedef {import('../runtime.js').Watched} Watched */

const DEFAULT_LIMIT = 12;

/** Attributes that take effect by building the tree anew, on the engine that is there. */
const REBUILDING = ['lang', 'words', 'store', 'poster-url', 'movie-url', 'limit'];

/** What stands between the parts of an attribute that holds several. */
const SEPARATORS = /[\s,]+/;

/** Registered once for the document, so that every length follows the visitor's own text size and not the site's. */
function registerUnit() {
  try {
    CSS.registerProperty({ name: '--rem', syntax: '<length>', inherits: true, initialValue: '16px' });
  } catch {
    // It was registered by another copy, or the browser doesn't know how: then the initial size of text is what counts.
  }
}

/** @param {Iterable<number | Watched>} list @returns {Watched[]} */
function asWatched(list) {
  return [...list].map((item, at) => {
    const { movieId, rating } = typeof item === 'object' && item !== null ? item : { movieId: item, rating: undefined };
    if (!isMovieId(movieId)) throw new TypeError(`watched[${at}] is no movie: give its id, or { movieId, rating? }`);
    if (rating !== undefined && rating !== null && !isRating(rating)) throw new TypeError(`watched[${at}].rating is ${rating}: give stars from 0.5 to 5, or leave it out`);
    return rating == null ? { movieId } : { movieId, rating };
  });
}

/** Shows what stands in the element in the document, until the element can show itself. */
const waiting = (/** @type {Node[]} */ ...more) => element('div', { part: 'waiting' }, element('slot', { name: 'head' }), element('slot'), ...more);

/** Importing this where there is no window, as on a server, must not fail. */
const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

export class WatchNext extends Base {
  /** The folder with the program, its styles and its words; set by the entry, whose own address it is. @type {URL} */
  static base;

  static observedAttributes = ['bundle', 'genres', 'decades', 'fame', 'diversity', 'watched', ...REBUILDING];

  #shadow = this.attachShadow({ mode: 'open' });
  /** @type {App | undefined} */
  #app;
  /** @type {Promise<Engine> | undefined} */
  #loading;
  /** Ends what goes on since the element was put into the document. @type {AbortController | undefined} */
  #life;
  /** @type {import('../runtime.js').OnProgress} */
  #onProgress = () => {};
  /** @type {import('../runtime.js').Progress | undefined} */
  #progress;
  /** A list that was set before there was anything to show it. @type {readonly Watched[] | undefined} */
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
      // A property that was set before the element was defined hides the one that is defined now.
      if (!Object.hasOwn(this, name)) continue;
      const value = /** @type {any} */ (this)[name];
      delete (/** @type {any} */ (this)[name]);
      /** @type {any} */ (this)[name] = value;
    }
    // The engine takes longest, so it is asked for first.
    this.#begin(false);
    void this.#build();
  }

  disconnectedCallback() {
    // An element that is moved is taken out and put back at once, and should go on as it is.
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
    } else if (name === 'diversity') {
      this.#app?.filters.setDiversity(this.#number('diversity', 0, 1));
    } else {
      this.#app?.filters.set(this.#filterOfAttributes());
    }
  }

  /** The list, oldest first. */
  get watched() {
    return this.#app ? this.#app.store.entries.map((entry) => ({ ...entry, genres: [...entry.genres] })) : (this.#given ?? []);
  }

  set watched(/** @type {Iterable<number | Watched>} */ list) {
    const watched = asWatched(list);
    if (this.#app) void this.#app.setWatched(watched);
    else this.#given = watched;
  }

  /** What may be suggested. */
  get filter() {
    return { ...(this.#app?.filters.filter ?? this.#filterOfAttributes()) };
  }

  set filter(/** @type {Partial<import('./filters.js').Filter>} */ { genres, decades, fame } = {}) {
    // Through the attributes, which are the one place where a site's wishes stand.
    this.#reflect('genres', genres?.join(', '));
    this.#reflect('decades', decades?.join(' '));
    this.#reflect('fame', fame ?? undefined);
    // The visitor may have pressed other chips since an attribute was set to the very same.
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

  /** Suggestions for the present list, once there is a recommender. */
  async suggest() {
    const app = this.#app?.engine ? this.#app : await new Promise((/** @type {(app: App) => void} */ resolve) => this.#waiting.push(resolve));
    return [...(await app.suggest())];
  }

  /** Adds movies to the list, or ratings to what it has. @param {Iterable<number | Watched>} list */
  async watch(list) {
    const coming = asWatched(list);
    await this.suggest();
    const movies = (await this.#app?.engine?.movies(coming.map(({ movieId }) => movieId))) ?? [];
    this.#app?.store.merge(movies.flatMap((movie, at) => (movie ? [{ ...movie, rating: coming[at].rating }] : [])));
  }

  /** Takes a movie from the list. @param {number} movieId */
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

  /** The language of the element, or of what it stands in. */
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
    // Whoever asks for it hears of a failure; until then it isn't an uncaught one.
    loading.catch(() => {});
    this.#loading = loading;
    return loading;
  }

  /** Builds the tree, in place of the one before, and starts what goes on in it. */
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
    // A later build, or the element's end, may have overtaken this one.
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
    const diversity = this.#number('diversity', 0, 1);
    if (diversity !== undefined) app.filters.setDiversity(diversity);
    const given = this.#given ?? (ownList === null ? undefined : this.#parseWatched(ownList));
    this.#given = undefined;
    if (given) void app.setWatched(given);
    app.view.show(styles);
    void app.start(false);
  }

  /** @returns {[HTMLElement[], Promise<void>]} the links to the styles, and when they are there. */
  #styles() {
    const link = element('link', { rel: 'stylesheet', href: new URL('watch-next.css', WatchNext.base).href });
    // Fetched before the tree is shown, so that it is never seen without; a sheet that can't be had isn't waited for.
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
    return {
      storeKey: store === 'none' ? null : store ? `watchnext.${store}` : DEFAULT_KEY,
      limit: Math.floor(this.#number('limit', 1, 200) ?? DEFAULT_LIMIT),
      posterUrl: this.getAttribute('poster-url') ?? '',
      movieUrl: this.getAttribute('movie-url') ?? '',
    };
  }

  #filterOfAttributes() {
    const parts = (/** @type {string} */ name, /** @type {RegExp} */ by) => (this.getAttribute(name) ?? '').split(by).filter(Boolean);
    const fame = this.getAttribute('fame');
    if (fame !== null && !isFame(fame)) this.#complain(`fame="${fame}" isn't "famous", "known" or "gems"`);
    return {
      // A genre's name may hold a space, so only commas part them.
      genres: parts('genres', /\s*,\s*/).map((name) => name.trim()),
      decades: parts('decades', SEPARATORS).map((decade) => Math.floor(Number.parseInt(decade, 10) / 10) * 10).filter((decade) => decade >= 0 && decade < 10_000),
      fame: isFame(fame) ? fame : null,
    };
  }

  /** @param {string} text `1, 50:4.5`: ids, each with or without stars. */
  #parseWatched(text) {
    return text.split(SEPARATORS).filter(Boolean).flatMap((part) => {
      const [, id, stars] = /^(\d+)(?::(\d(?:\.\d+)?))?$/.exec(part) ?? [];
      const movieId = Number(id);
      const rating = stars === undefined ? undefined : Number(stars);
      if (id !== undefined && isMovieId(movieId) && (rating === undefined || isRating(rating))) return [rating === undefined ? { movieId } : { movieId, rating }];
      this.#complain(`watched="…${part}…" is neither an id nor an id with stars from 0.5 to 5, as in 50:4.5`);
      return [];
    });
  }

  /** @param {string} name @param {number} least @param {number} most */
  #number(name, least, most) {
    const text = this.getAttribute(name);
    if (text === null) return undefined;
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value <= most) return value;
    this.#complain(`${name}="${text}" isn't a number from ${least} to ${most}`);
    return undefined;
  }

  /** Tells the site about a mistake in its own page, which the visitor can do nothing about. @param {string} message */
  #complain(message) {
    console.warn(`<watch-next>: ${message}; it is left out.`);
    this.#dispatch('error', { code: 'attribute-invalid', message, place: 'attribute' });
  }

  /** @param {App} app @param {string} type @param {any} detail @param {boolean} cancelable */
  #tell(app, type, detail, cancelable) {
    if (app !== this.#app) return true;
    if (type === 'ready') {
      for (const resolve of this.#waiting) resolve(app);
      this.#waiting = [];
      const unknown = this.#filterOfAttributes().genres.filter((name) => !detail.info.genres.includes(name));
      if (unknown.length > 0) this.#complain(`genres="${unknown.join(', ')}": this catalogue has ${detail.info.genres.join(', ')}`);
    }
    return this.#dispatch(type, detail, cancelable);
  }

  /** @param {string} type @param {unknown} detail @param {boolean} [cancelable] */
  #dispatch(type, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(`watchnext:${type}`, { detail, bubbles: true, composed: true, cancelable }));
  }

  /** Without its words the element can say nothing in a visitor's language, so the error's own text has to do. @param {WatchNextError} error */
  #giveUp(error) {
    const again = element('button', { type: 'button' }, 'Try again');
    again.addEventListener('click', async () => {
      await refetch(error);
      void this.#build();
    });
    this.#shadow.replaceChildren(waiting(element('p', { class: 'failure-panel failure-detail', role: 'alert', part: 'error', 'data-code': error.code }, 'The movies couldn’t be loaded. Your list is safe. ', again, ` ${error.message}`)));
    this.#dispatch('error', { code: error.code, message: error.message, place: error.place ?? null });
  }

  #end() {
    this.#life?.abort(new WatchNextError('closed', 'The element was taken out of the document.'));
    this.#life = undefined;
    this.#builds += 1;
    this.#app?.stop();
    // What the visitor did in memory alone comes back with the element.
    if (this.#app && this.#options().storeKey === null) this.#given = this.#app.store.history;
    this.#app = undefined;
    void this.#loading?.then((engine) => engine.close(), () => {});
    this.#loading = undefined;
    this.#shadow.replaceChildren(waiting());
  }
}
