/**
 * The inside of a widget. It connects the list, the wall, the search and the suggestions, and reports progress and
 * errors.
 */

import { Announcer } from './announce.js';
import { failurePanel } from './errors.js';
import { Filters } from './filters.js';
import { Billboard } from './poster.js';
import { Ranker } from './ranker.js';
import { Search } from './search.js';
import { Similar } from './similar.js';
import { Store } from './store.js';
import { Suggestions } from './suggestions.js';
import { ASKED, Wall } from './wall.js';
import { WatchedList } from './watched.js';

/** @typedef {import('../runtime.js').Engine} Engine */
/** @typedef {import('../runtime.js').Watched} Watched */
/** @typedef {import('./store.js').Change} Change */

/** How long a change of the list may wait for its suggestions, so that one frame draws both. */
const TOGETHER_MS = 24;

/**
 * @typedef {object} Options
 * @property {string | null} storeKey where the list is stored; null keeps it in memory.
 * @property {number} [limit] how many suggestions; the library's default if left out.
 * @property {string} posterUrl a template for the addresses of the site's own images; drawn posters if empty.
 * @property {string} movieUrl a template for the addresses of the site's own movie pages; IMDb and TMDB if empty.
 *
 * @typedef {object} Host the services of the element to its app.
 * @property {(onProgress: import('../runtime.js').OnProgress, fresh: boolean) => Promise<Engine>} load
 * @property {(type: string, detail: unknown, cancelable?: boolean) => boolean} tell dispatches an event; false if a
 *   listener prevented its default.
 */

export class App {
  /** @type {Engine | undefined} */
  engine;
  #host;
  #view;
  #failure;
  #progress;
  #status;
  #announcer;
  #store;
  #filters;
  #suggestions;
  #ranker;
  #wall;
  #search;
  #similar;
  #watched;
  #ended = new AbortController();
  /** A list from the site that waits for the catalogue's titles. @type {readonly Watched[] | undefined} */
  #coming;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./poster.js').Style} style the look of the posters.
   * @param {Options} options
   * @param {Host} host
   */
  constructor(view, style, options, host) {
    this.#host = host;
    this.#view = view;
    const { words } = view;
    const { signal } = this.#ended;
    this.#failure = view.get('failure');
    this.#progress = view.get('progress-bar');
    this.#status = view.get('wall-status');
    const announcer = (this.#announcer = new Announcer(view, (at) => {
      this.#store.undo(at);
      this.#search.focus();
    }));
    const store = (this.#store = new Store(
      options.storeKey,
      (trouble) => announcer.notify(words.text(`store.${trouble}`)),
      signal,
    ));
    const billboard = new Billboard(style, options.posterUrl);
    const filters = (this.#filters = new Filters(view, store, (settled) => void this.#filtered(settled)));
    this.#suggestions = new Suggestions(
      { view, announcer, billboard, filters, store, options },
      {
        failed: (error) => this.#stopWith(error),
        shown: (suggestions) => this.#host.tell('suggestions', { suggestions: [...suggestions] }),
        selected: (movie, event) => {
          if (!this.#host.tell('select', { movie }, true)) event.preventDefault();
        },
      },
    );
    this.#ranker = new Ranker(
      view,
      announcer,
      () => this.#suggestions.rank(),
      (error) => this.#stopWith(error),
    );
    this.#wall = new Wall(view, billboard, store, async (shown) => {
      const exclude = [...shown, ...store.ignored, ...this.suggestions].map(({ movieId }) => movieId);
      return this.engine?.wall(ASKED, { history: store.history, exclude });
    });
    this.#search = new Search(view, announcer, store, async (query) => this.#loaded().search(query));
    this.#similar = new Similar(view, billboard, store, async (movieId) => this.#loaded().similar(movieId), signal);
    this.#watched = new WatchedList(view, billboard, store, () => this.#search.focus());
    store.subscribe((change) => this.#changed(change));
  }

  get view() {
    return this.#view;
  }

  get store() {
    return this.#store;
  }

  get filters() {
    return this.#filters;
  }

  get suggestions() {
    return this.#suggestions.suggestions;
  }

  focus() {
    this.#search.focus();
  }

  #loaded() {
    if (!this.engine) throw new Error('not loaded');
    return this.engine;
  }

  /** Stops timers, listeners and observers. The engine stays: its owner may use it for another tree. */
  stop() {
    this.#ended.abort();
    this.#announcer.stop();
    this.#suggestions.stop();
    this.engine = undefined;
  }

  /** Shows a list from the site, once its titles are known. @param {readonly Watched[]} watched */
  async setWatched(watched) {
    if (!this.engine) {
      this.#coming = watched;
      return;
    }
    try {
      const movies = await this.engine.movies(watched.map(({ movieId }) => movieId));
      this.#store.replace(movies.flatMap((movie, at) => (movie ? [{ ...movie, rating: watched[at].rating }] : [])));
    } catch (error) {
      this.#coming = watched;
      this.#stopWith(error);
    }
  }

  /** Suggestions for the present list; empty if there are none. */
  async suggest() {
    await this.#suggestions.refresh();
    return this.suggestions;
  }

  /** The filters have changed. @param {boolean} settled whether the visitor has let go of the knob. */
  async #filtered(settled) {
    const answer = await this.#suggestions?.refresh();
    if (answer && settled) this.#suggestions.sayFirst(this.#view.words.text('said.changed'));
  }

  /** The list has changed. @param {Change} change */
  #changed(change) {
    let drawn = false;
    const draw = () => {
      if (drawn || this.#ended.signal.aborted) return;
      drawn = true;
      this.#watched.render();
      this.#wall.mark(change.entry?.movieId);
      this.#similar.mark(change.entry?.movieId);
      if (change.kind === 'add') this.#watched.showNewest();
      this.#filters.showIgnored();
    };
    const answered = this.#suggestions.refresh(change);
    if (change.kind === 'add' || change.kind === 'remove') {
      // The suggestions arrive within a few milliseconds. If the list were drawn first, they would wait for the end of
      // that frame and need another one. So the list waits for them, but not for a slow worker.
      void answered.finally(draw);
      setTimeout(draw, TOGETHER_MS);
    } else {
      draw();
    }
    const { words } = this.#view;
    const undoable = `undo.${change.kind}`;
    if (words.has(undoable)) {
      const values = { movie: change.entry?.title ?? '', count: this.#store.entries.length };
      this.#announcer.offerUndo(words.text(undoable, values));
    } else {
      this.#announcer.hideToast();
    }
    if (this.#store.entries.length === 0) this.#announcer.say(words.text('said.empty'));
    this.#host.tell('watched', { watched: this.#store.entries, kind: change.kind, movie: change.entry ?? null });
  }

  /** Shows how much is loaded. @param {import('../runtime.js').Progress} bytes */
  #showProgress({ received, total }) {
    const { words } = this.#view;
    this.#progress.value = total > 0 ? received / total : 1;
    this.#status.textContent =
      received < total
        ? words.text('wall.loading', { received: words.megabytes(received), total: words.megabytes(total) })
        : words.text('wall.starting');
  }

  /** Shows an error in place of the wall. The list stays in view and in storage. @param {any} error */
  #stopWith(error) {
    if (this.#ended.signal.aborted) return;
    this.engine?.close();
    this.engine = undefined;
    this.#suggestions.pause('interrupted');
    this.#ranker.use(undefined);
    this.#similar.close();
    this.#wall.clear();
    this.#progress.hidden = true;
    this.#status.textContent = '';
    this.#failure.replaceChildren(failurePanel(this.#view.words, error, () => void this.start(true)));
    this.#failure.hidden = false;
    this.#host.tell('error', { code: error.code ?? 'unexpected', message: error.message, place: error.place ?? null });
  }

  /** Loads the engine and shows its movies. @param {boolean} fresh whether to bypass the cache, for a retry. */
  async start(fresh) {
    const { words } = this.#view;
    const retried = this.#failure.contains(this.#view.focused);
    this.#failure.hidden = true;
    this.#failure.replaceChildren();
    this.#progress.hidden = false;
    this.#progress.removeAttribute('value');
    this.#status.textContent = words.text('wall.waiting');
    this.#wall.showSkeleton();
    if (this.#store.entries.length > 0) this.#suggestions.pause('loading');
    // The pressed button is gone, so the search box takes the focus.
    if (retried) this.#search.focus();
    const { signal } = this.#ended;
    try {
      const engine = await this.#host.load((progress) => this.#showProgress(progress), fresh);
      if (signal.aborted) return;
      this.engine = engine;
      this.#suggestions.use(engine);
      this.#ranker.use(engine);
      const coming = this.#coming;
      this.#coming = undefined;
      if (coming) await this.setWatched(coming);
      // The worker may have died meanwhile. Then the error is shown already.
      if (engine !== this.engine) return;
      // A visitor who comes back sees their suggestions first, and then the wall.
      const answer = await this.#suggestions.refresh();
      const movies = await engine.wall(ASKED);
      if (signal.aborted) return;
      this.#progress.hidden = true;
      this.#status.textContent = words.text('wall.hint');
      this.#search.invite(engine.info.movies);
      await this.#wall.showMovies(movies);
      this.#watched.markUnknown(answer?.unknown ?? []);
      if (answer?.unknown.length) this.#announcer.notify(words.text('store.unknown'));
      void this.#search.refresh();
      performance.mark('watchnext:ready');
      this.#host.tell('ready', { info: engine.info });
      await this.#ranker.load();
      await this.#loadLinks(engine);
      performance.mark('watchnext:complete');
    } catch (error) {
      this.#stopWith(error);
    }
  }

  /** Loads the movies' ids at IMDb and TMDB. Without them the cards have no links. @param {Engine} engine */
  async #loadLinks(engine) {
    if (engine.info.linksBytes == null || this.#ended.signal.aborted) return;
    try {
      await engine.loadLinks();
      if (engine === this.engine) await this.#suggestions.refresh();
    } catch {
      // The suggestions work without links.
    }
  }
}
