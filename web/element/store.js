/**
 * The visitor's list: the watched movies with their ratings, oldest first, and the ignored suggestions. It is stored in
 * this browser only, or in memory if the site keeps the list. It is never changed in place, so undo goes back to an
 * earlier one.
 */

import { DISLIKED_STARS, LIKED_STARS } from '../engine/constants.js';
import { isMovieId, isRating, watchedOf } from './entry.js';


/**
 * @typedef {'like' | 'dislike'} Reaction
 * @typedef {object} Entry
 * @property {number} movieId
 * @property {string} title stored with the id, so that the list can be shown without the catalogue.
 * @property {number | null} year
 * @property {string[]} genres
 * @property {number} [rating] stars from 0.5 to 5; a plain click has none.
 *
 * @typedef {object} Lists
 * @property {readonly Entry[]} watched
 * @property {readonly Entry[]} ignored movies that the visitor doesn't want suggested.
 *
 * @typedef {object} Change
 * @property {'add' | 'remove' | 'clear' | 'react' | 'undo' | 'outside' | 'replace' | 'ignore' | 'restore'} kind
 * @property {Entry} [entry]
 * @property {number} at when the visitor acted, by performance.now().
 */

export const DEFAULT_KEY = 'watchnext.list.v1';
const UNDO_STEPS = 100;

/** The stars of each reaction. @type {Record<Reaction, number>} */
export const STARS = { like: 5, dislike: 1 };

/**
 * The reaction that a rating stands for; undefined for one between a like and a dislike.
 * @param {number | undefined} rating
 * @returns {Reaction | undefined}
 */
export function reactionOf(rating) {
  if (rating === undefined) return undefined;
  if (rating >= LIKED_STARS) return 'like';
  return rating <= DISLIKED_STARS ? 'dislike' : undefined;
}

/** @param {unknown} value @returns {value is string} */
const isText = (value) => typeof value === 'string' && value.length <= 500;

/** @param {any} entry @returns {entry is Entry & {reaction?: Reaction}} */
function isEntry(entry) {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    isMovieId(entry.movieId) &&
    isText(entry.title) &&
    (entry.year === null || Number.isInteger(entry.year)) &&
    Array.isArray(entry.genres) &&
    entry.genres.length <= 50 &&
    entry.genres.every(isText) &&
    (entry.rating === undefined || isRating(entry.rating)) &&
    (entry.reaction === undefined || Object.hasOwn(STARS, entry.reaction))
  );
}

/** Whether this is a list of entries, each movie once. @param {unknown} entries */
function areEntries(entries) {
  return (
    Array.isArray(entries) &&
    entries.every(isEntry) &&
    new Set(entries.map(({ movieId }) => movieId)).size === entries.length
  );
}

/**
 * The lists in a stored text; null if it holds none.
 * @param {string} text
 * @returns {Lists | null}
 */
export function parseLists(text) {
  let stored;
  try {
    stored = JSON.parse(text);
  } catch {
    return null;
  }
  const { version, movies, ignored = [] } = stored ?? {};
  if (version !== 1 || !areEntries(movies) || !areEntries(ignored)) return null;
  return { watched: movies.map(copyOf), ignored: ignored.map(copyOf) };
}

/**
 * A copy with only the parts that a list keeps. Earlier versions stored a reaction; it becomes its stars.
 * @param {Entry & {reaction?: Reaction}} movie
 * @returns {Entry}
 */
function copyOf({ movieId, title, year, genres, rating, reaction }) {
  const entry = { movieId, title, year, genres: [...genres] };
  const stars = rating ?? (reaction && STARS[reaction]);
  return stars === undefined ? entry : { ...entry, rating: stars };
}

/** @type {Lists} */
const EMPTY = { watched: [], ignored: [] };

/** The stores of this page: browsers report a change of storage to other pages only. @type {Set<Store>} */
const stores = new Set();

export class Store {
  #lists = EMPTY;
  /** @type {Lists[]} */
  #earlier = [];
  /** @type {((change: Change) => void)[]} */
  #listeners = [];
  #key;
  #onTrouble;

  /**
   * @param {string | null} key where the lists are stored; null keeps them in memory.
   * @param {(trouble: 'blocked' | 'damaged' | 'full') => void} onTrouble called when the lists can't be read or stored.
   * @param {AbortSignal} signal ends listening to other tabs.
   */
  constructor(key, onTrouble, signal) {
    this.#key = key;
    this.#onTrouble = onTrouble;
    if (key === null) return;
    this.#read();
    stores.add(this);
    signal.addEventListener('abort', () => stores.delete(this));
    globalThis.addEventListener(
      'storage',
      (event) => {
        // Another tab changed the list, or cleared the storage: then the event has no key.
        if (event.key !== key && event.key !== null) return;
        this.#read();
        this.#tell({ kind: 'outside', at: performance.now() });
      },
      { signal },
    );
  }

  get entries() {
    return this.#lists.watched;
  }

  get ignored() {
    return this.#lists.ignored;
  }

  get canUndo() {
    return this.#earlier.length > 0;
  }

  /** The list in the form of the engine's request. */
  get history() {
    return this.entries.map(({ movieId, rating }) => watchedOf(movieId, rating));
  }

  /** @param {number} movieId */
  find(movieId) {
    return this.entries.find((entry) => entry.movieId === movieId);
  }

  /** Whether a movie is in the list. @param {number} movieId */
  has(movieId) {
    return this.find(movieId) !== undefined;
  }

  /** @param {(change: Change) => void} listener */
  subscribe(listener) {
    this.#listeners.push(listener);
  }

  /** @param {Entry} movie @param {number} [at] */
  add(movie, at = performance.now()) {
    if (this.find(movie.movieId)) return;
    const entry = copyOf(movie);
    this.#change({ watched: [...this.entries, entry] }, { kind: 'add', entry, at });
  }

  /** @param {number} movieId @param {number} [at] */
  remove(movieId, at = performance.now()) {
    const entry = this.find(movieId);
    if (!entry) return;
    this.#change({ watched: this.entries.filter((other) => other !== entry) }, { kind: 'remove', entry, at });
  }

  /** @param {Entry} movie @param {number} [at] */
  toggle(movie, at) {
    if (this.find(movie.movieId)) this.remove(movie.movieId, at);
    else this.add({ ...movie, rating: undefined }, at);
  }

  /**
   * Sets a reaction, or removes it if it is set already.
   * @param {number} movieId
   * @param {Reaction} reaction
   * @param {number} [at]
   */
  react(movieId, reaction, at = performance.now()) {
    const entry = this.find(movieId);
    if (!entry) return;
    const next = copyOf({ ...entry, rating: reactionOf(entry.rating) === reaction ? undefined : STARS[reaction] });
    this.#change(
      { watched: this.entries.map((other) => (other === entry ? next : other)) },
      { kind: 'react', entry: next, at },
    );
  }

  /** Replaces the list. @param {readonly Entry[]} entries @param {number} [at] */
  replace(entries, at = performance.now()) {
    this.#change({ watched: entries.map(copyOf) }, { kind: 'replace', at });
  }

  /**
   * Adds movies that the list doesn't have yet. For the others, new ratings replace old ones.
   * @param {readonly Entry[]} entries
   * @param {number} [at]
   */
  merge(entries, at = performance.now()) {
    const coming = new Map(entries.map((entry) => [entry.movieId, entry]));
    const kept = this.entries.map((entry) => ({ ...entry, rating: coming.get(entry.movieId)?.rating ?? entry.rating }));
    this.replace([...kept, ...entries.filter(({ movieId }) => !this.find(movieId))], at);
  }

  /** @param {number} [at] */
  clear(at = performance.now()) {
    if (this.entries.length > 0) this.#change({ watched: [] }, { kind: 'clear', at });
  }

  /** Never suggests a movie again. @param {Entry} movie @param {number} [at] */
  ignore(movie, at = performance.now()) {
    if (this.ignored.some(({ movieId }) => movieId === movie.movieId)) return;
    const entry = copyOf({ ...movie, rating: undefined });
    this.#change({ ignored: [...this.ignored, entry] }, { kind: 'ignore', entry, at });
  }

  /** Lets all ignored movies be suggested again. @param {number} [at] */
  restore(at = performance.now()) {
    if (this.ignored.length > 0) this.#change({ ignored: [] }, { kind: 'restore', at });
  }

  /** @param {number} [at] */
  undo(at = performance.now()) {
    const earlier = this.#earlier.pop();
    if (!earlier) return;
    this.#lists = earlier;
    this.#write();
    this.#tell({ kind: 'undo', at });
  }

  /** @param {Partial<Lists>} lists @param {Change} change */
  #change(lists, change) {
    this.#earlier.push(this.#lists);
    if (this.#earlier.length > UNDO_STEPS) this.#earlier.shift();
    this.#lists = { ...this.#lists, ...lists };
    // Listeners first: asking for suggestions must not wait for the storage.
    this.#tell(change);
    this.#write();
  }

  /** @param {Change} change */
  #tell(change) {
    for (const listener of this.#listeners) listener(change);
  }

  #read() {
    this.#lists = EMPTY;
    this.#earlier = [];
    let text;
    try {
      text = localStorage.getItem(/** @type {string} */ (this.#key));
    } catch {
      this.#onTrouble('blocked');
      return;
    }
    if (text === null) return;
    const lists = parseLists(text);
    if (lists) this.#lists = lists;
    else this.#onTrouble('damaged');
  }

  #write() {
    if (this.#key === null) return;
    const { watched, ignored } = this.#lists;
    try {
      if (watched.length + ignored.length > 0) {
        localStorage.setItem(this.#key, JSON.stringify({ version: 1, movies: watched, ignored }));
      } else {
        localStorage.removeItem(this.#key);
      }
    } catch {
      this.#onTrouble('full');
    }
    for (const other of stores) {
      if (other === this || other.#key !== this.#key) continue;
      other.#lists = this.#lists;
      other.#earlier = [];
      other.#tell({ kind: 'outside', at: performance.now() });
    }
  }
}
