/** The headless recommender. Everything runs in a worker of the visitor's browser; nothing is sent anywhere. */

export interface Movie {
  /** MovieLens's id, or whatever the catalogue's owner uses. */
  movieId: number;
  /** The owner's own id, such as an ISBN, in catalogues whose ids are no numbers; null in others. */
  key: string | null;
  /** As shown: "The Matrix", without the year. */
  title: string;
  year: number | null;
  genres: string[];
  /** How many ratings the training data hold: how well known the movie is. */
  ratings: number;
  /** "tt0133093", once `loadLinks()` is done and where it is known. */
  imdb: string | null;
  /** The Movie Database's number, likewise. */
  tmdb: number | null;
}

export interface Suggestion extends Movie {
  /** Higher is better. Comparable within one answer only. */
  score: number;
  /** How likely the visitor is to like it once watched, from 0 to 1; null until `loadRanker()` is done. */
  like: number | null;
}

export interface Watched {
  movieId: number;
  /** Stars from 0.5 to 5; leave it out where only the watching is known. */
  rating?: number;
}

/** `movies`: scored by the taste model. `states`: what viewers in a similar state watched next. */
export type Retrieval = 'movies' | 'states';

export interface Request {
  /** Oldest first. */
  history: Watched[];
  /** The moment of asking, in milliseconds since 1970. Now, if left out. */
  timeMs?: number;
  /** Minutes east of UTC. The browser's, if left out. */
  utcOffsetMinutes?: number;
  /** How many suggestions; 12 if left out. More than there are movies means all of them. */
  limit?: number;
  /** `movies` if left out; `states` needs `loadStates()` first. */
  retrieval?: Retrieval;
  /**
   * From 0, the plain order of the scores, to 1, as unlike each other as can be (maximal marginal relevance).
   * `info.defaultDiversity` if left out.
   */
  diversity?: number;
  /** Only movies of any of these genres, by the names of `info.genres`. */
  genres?: string[];
  /** Only movies of any of these decades: 1990 is 1990 to 1999. */
  decades?: number[];
  /** Only movies so well known. */
  fame?: Fame;
  /** Movies that aren't wanted, besides those watched. */
  exclude?: number[];
}

/** `famous`: the movies that have half of all ratings. `known`: the next 35 %. `gems`: all others. */
export type Fame = 'famous' | 'known' | 'gems';

/** A watched movie that brought a suggestion. */
export interface Reason {
  movieId: number;
  /** Its part of what speaks for the suggestion, 0 to 1. */
  share: number;
}

/** What a file with somebody's list holds. */
export interface ListReport {
  format: 'letterboxd-watched' | 'letterboxd-ratings' | 'letterboxd-diary' | 'imdb' | 'movielens' | 'movielens-dataset' | 'watchnext';
  /** Rows of the file, its header aside. */
  rows: number;
  /** Oldest first, each movie once. */
  matched: (Movie & { rating: number | null; by: 'id' | 'imdb' | 'title' })[];
  unmatched: {
    /** The line in the file. */
    row: number;
    title: string | null;
    year: number | null;
    reason: 'not-in-catalog' | 'ambiguous' | 'not-a-movie' | 'invalid';
    /** What is wrong with the row, for `invalid`. */
    detail: string | null;
  }[];
}

/** All movies as points: those that are liked by the same people lie side by side. */
export interface MovieMap {
  movieIds: Uint32Array;
  /** x and y of each movie in turn, from 0 to 1. */
  positions: Float32Array;
  /** Each movie's genres, bit i being `info.genres[i]`. */
  genres: Uint32Array;
}

export interface Answer {
  /**
   * Best first; never a movie of the history. Once the ranker is loaded, best is what is most likely to be watched and liked.
   */
  suggestions: Suggestion[];
  /** Ids of the history that the catalogue doesn't know. */
  unknown: number[];
}

export interface Info {
  name: string;
  movies: number;
  retrievals: Retrieval[];
  formatVersion: number;
  featuresVersion: number;
  /** The diversity of a request that names none. */
  defaultDiversity: number;
  dataset: string;
  /** The size of the file that `loadStates()` fetches, null if the bundle has none. */
  statesBytes: number | null;
  /** Whether the ranker is loaded, which chances and similar movies need. */
  ranker: boolean;
  /** The size of the two files that `loadRanker()` fetches, null if the bundle has none. */
  rankerBytes: number | null;
  /** The size of the file that `loadLinks()` fetches, null if the bundle has none. */
  linksBytes: number | null;
  /** The size of the file that `map()` fetches, null if the bundle has none. */
  mapBytes: number | null;
  genres: string[];
  /** The decades of the catalogue's movies, the oldest first. */
  decades: number[];
  links: boolean;
  map: boolean;
}

export interface Progress {
  received: number;
  total: number;
}

export type OnProgress = (progress: Progress) => void;

export interface LoadOptions {
  /** The bundle's folder, relative to the document. By default `models/` beside the folder of this module. */
  bundle?: string | URL;
  /** Bytes received of the bundle's required files, by the manifest's sizes. */
  onProgress?: OnProgress;
  /** Stops the loading and rejects with the signal's reason. */
  signal?: AbortSignal;
  /** How many milliseconds may pass without a byte before a transfer is given up; 20,000 if left out. */
  stallMs?: number;
  /** Goes past the browser's cache; for a retry after damaged files. */
  fresh?: boolean;
}

/** Rejects with a {@link WatchNextError}. */
export function load(options?: LoadOptions): Promise<Engine>;

export interface Engine {
  /** What is loaded; a new object after `loadStates()` and `loadRanker()`. */
  readonly info: Info;
  /** Movies by title, best first. Case, accents and articles don't matter, and a year narrows. */
  search(query: string, limit?: number): Promise<Movie[]>;
  /** Well-known and varied movies to start from, best first. */
  wall(limit?: number): Promise<Movie[]>;
  /** Movies by id, null where the catalogue has none. */
  movies(ids: Iterable<number>): Promise<(Movie | null)[]>;
  /** Movies with a similar title and themes, most similar first; 8 if no limit is given. Needs `loadRanker()` first. */
  similar(movieId: number, limit?: number): Promise<Movie[]>;
  /** Suggestions, or null if a later call has overtaken this one, so that a page can't show a stale list. */
  suggest(request: Request): Promise<Answer | null>;
  /**
   * Why each of these movies is suggested: the watched movies without which its score would be lower, compared to other movies'
   * scores. One array for each movie, the largest share first; empty where no watched movie stands out.
   */
  reasons(request: Request, ids: Iterable<number>, most?: number): Promise<Reason[][]>;
  /**
   * Reads an exported list: Letterboxd, IMDb, MovieLens, or this project's own. By IMDb's ids if `loadLinks()` is done, else by title
   * and year. The file stays in the browser.
   */
  readList(bytes: Uint8Array): Promise<ListReport>;
  /** The user tower's output for the same request. */
  userVector(request: Request): Promise<Float32Array>;
  /** Fetches what the retrieval `states` needs, once. */
  loadStates(options?: { onProgress?: OnProgress }): Promise<void>;
  /**
   * Fetches the second stage, once: suggestions then say how likely they are to be liked, and are ordered by it. Everything else
   * works before and without it. After a failure it may be called again, which goes past the browser's cache.
   */
  loadRanker(options?: { onProgress?: OnProgress }): Promise<void>;
  /** Fetches where the movies are found at IMDb and TMDB, once. */
  loadLinks(options?: { onProgress?: OnProgress }): Promise<void>;
  /** Fetches the map, once. */
  map(options?: { onProgress?: OnProgress }): Promise<MovieMap>;
  /** Ends the worker and frees its memory. */
  close(): void;
}

/**
 * What can go wrong has a stable `code`. From here: `fetch-failed`, `http-status`, `timeout`, `wasm-blocked`, `wasm-invalid`,
 * `wasm-unsupported`, `worker-blocked`, `worker-unsupported`, `worker-crashed`, `closed`, `unexpected`. From Rust: those of
 * `src/error.rs`, for instance `manifest-invalid`, `file-size-mismatch`, `file-hash-mismatch`, `states-not-loaded`,
 * `ranker-not-loaded`.
 */
export class WatchNextError extends Error {
  constructor(code: string, message: string, place?: string);
  readonly code: string;
  /** The address or the part that is at fault. */
  readonly place?: string;
}
