/**
 * The visitor's list: what was watched and how it was liked, oldest first. It lives in this browser's storage alone and is
 * never changed in place, so that undo is going back to an earlier list.
 */

/**
 * @typedef {'like' | 'dislike'} Reaction
 * @typedef {object} Entry
 * @property {number} movieId
 * @property {string} title kept with the id, so that the list can be shown before (or without) the catalogue.
 * @property {number | null} year
 * @property {string[]} genres
 * @property {Reaction} [reaction]
 *
 * @typedef {object} Change
 * @property {'add' | 'remove' | 'clear' | 'react' | 'undo' | 'outside'} kind
 * @property {Entry} [entry]
 * @property {number} at when the visitor acted, on the clock of performance.now().
 */

const KEY = 'watchnext.list.v1';
const UNDO_STEPS = 100;

/** Stars that a reaction stands for; a plain click has none. @type {Record<Reaction, number>} */
const STARS = { like: 5, dislike: 1 };

/** @param {unknown} value @returns {value is string} */
const isText = (value) => typeof value === 'string' && value.length <= 500;

/** @param {any} entry @returns {entry is Entry} */
function isEntry(entry) {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    Number.isInteger(entry.movieId) &&
    entry.movieId >= 0 &&
    entry.movieId < 2 ** 32 &&
    isText(entry.title) &&
    (entry.year === null || Number.isInteger(entry.year)) &&
    Array.isArray(entry.genres) &&
    entry.genres.length <= 50 &&
    entry.genres.every(isText) &&
    (entry.reaction === undefined || Object.hasOwn(STARS, entry.reaction))
  );
}

/**
 * A stored list, null if it isn't one.
 * @param {string} text
 * @returns {Entry[] | null}
 */
export function parseList(text) {
  let stored;
  try {
    stored = JSON.parse(text);
  } catch {
    return null;
  }
  if (stored?.version !== 1 || !Array.isArray(stored.movies) || !stored.movies.every(isEntry)) return null;
  const ids = new Set(stored.movies.map((/** @type {Entry} */ entry) => entry.movieId));
  if (ids.size !== stored.movies.length) return null;
  return stored.movies.map(copyOf);
}

/** The parts of a movie or entry that the list keeps. @param {Entry} movie @returns {Entry} */
function copyOf({ movieId, title, year, genres, reaction }) {
  const entry = { movieId, title, year, genres: [...genres] };
  return reaction ? { ...entry, reaction } : entry;
}

export class Store {
  /** @type {readonly Entry[]} */
  #entries = [];
  /** @type {(readonly Entry[])[]} */
  #earlier = [];
  /** @type {((change: Change) => void)[]} */
  #listeners = [];
  #onTrouble;

  /** @param {(message: string) => void} onTrouble told in plain words when the list can't be read or kept. */
  constructor(onTrouble) {
    this.#onTrouble = onTrouble;
    this.#read();
    globalThis.addEventListener('storage', (event) => {
      // Another tab changed the list, or cleared all storage, which comes without a key.
      if (event.key !== KEY && event.key !== null) return;
      this.#read();
      this.#tell({ kind: 'outside', at: performance.now() });
    });
  }

  get entries() {
    return this.#entries;
  }

  get canUndo() {
    return this.#earlier.length > 0;
  }

  /** The list as the recommender takes it. */
  get history() {
    return this.#entries.map(({ movieId, reaction }) => (reaction ? { movieId, rating: STARS[reaction] } : { movieId }));
  }

  /** @param {number} movieId */
  find(movieId) {
    return this.#entries.find((entry) => entry.movieId === movieId);
  }

  /** @param {(change: Change) => void} listener */
  subscribe(listener) {
    this.#listeners.push(listener);
  }

  /** @param {Entry} movie @param {number} [at] */
  add(movie, at = performance.now()) {
    if (this.find(movie.movieId)) return;
    const entry = copyOf({ ...movie, reaction: undefined });
    this.#change([...this.#entries, entry], { kind: 'add', entry, at });
  }

  /** @param {number} movieId @param {number} [at] */
  remove(movieId, at = performance.now()) {
    const entry = this.find(movieId);
    if (!entry) return;
    this.#change(this.#entries.filter((other) => other !== entry), { kind: 'remove', entry, at });
  }

  /** @param {Entry} movie @param {number} [at] */
  toggle(movie, at) {
    if (this.find(movie.movieId)) this.remove(movie.movieId, at);
    else this.add(movie, at);
  }

  /** Sets a reaction, or takes it back if it is the one that is set. @param {number} movieId @param {Reaction} reaction @param {number} [at] */
  react(movieId, reaction, at = performance.now()) {
    const entry = this.find(movieId);
    if (!entry) return;
    const next = copyOf({ ...entry, reaction: entry.reaction === reaction ? undefined : reaction });
    this.#change(this.#entries.map((other) => (other === entry ? next : other)), { kind: 'react', entry: next, at });
  }

  /** @param {number} [at] */
  clear(at = performance.now()) {
    if (this.#entries.length > 0) this.#change([], { kind: 'clear', at });
  }

  /** @param {number} [at] */
  undo(at = performance.now()) {
    const earlier = this.#earlier.pop();
    if (!earlier) return;
    this.#entries = earlier;
    this.#write();
    this.#tell({ kind: 'undo', at });
  }

  /** @param {readonly Entry[]} entries @param {Change} change */
  #change(entries, change) {
    this.#earlier.push(this.#entries);
    if (this.#earlier.length > UNDO_STEPS) this.#earlier.shift();
    this.#entries = entries;
    // Listeners first: the suggestions are asked for before the disk is.
    this.#tell(change);
    this.#write();
  }

  /** @param {Change} change */
  #tell(change) {
    for (const listener of this.#listeners) listener(change);
  }

  #read() {
    this.#entries = [];
    this.#earlier = [];
    let text;
    try {
      text = localStorage.getItem(KEY);
    } catch {
      this.#onTrouble('This browser keeps no data for this page, so your list will be gone when you close it.');
      return;
    }
    if (text === null) return;
    const entries = parseList(text);
    if (entries) this.#entries = entries;
    else this.#onTrouble('The list kept in this browser was damaged and could not be read, so it starts empty.');
  }

  #write() {
    try {
      if (this.#entries.length > 0) localStorage.setItem(KEY, JSON.stringify({ version: 1, movies: this.#entries }));
      else localStorage.removeItem(KEY);
    } catch {
      this.#onTrouble('Your list could not be kept in this browser (its storage is full or blocked). It works until you close the page.');
    }
  }
}
