/** The headless recommender. Everything runs in a worker in the visitor's browser; nothing is sent anywhere. */

export interface Movie {
  /** The id in MovieLens or in your own catalogue. */
  movieId: number;
  /** Your own id, such as an ISBN, in catalogues whose ids aren't numbers; null in others. */
  key: string | null;
  /** The title without the year: "The Matrix". */
  title: string;
  year: number | null;
  genres: string[];
  /** The number of ratings in the training data, a measure of how well known the movie is. */
  ratings: number;
  /** IMDb's id: "tt0133093". Null until `loadLinks()` is done, and where it is unknown. */
  imdb: string | null;
  /** The Movie Database's number; null in the same cases. */
  tmdb: number | null;
}

export interface Suggestion extends Movie {
  /** Higher is better. Compare scores within one answer only. */
  score: number;
  /** The chance, from 0 to 1, that the visitor likes it after watching it; null until `loadRanker()` is done. */
  like: number | null;
  /** How much higher that chance is than the visitor's own average, from −1 to 1; null in the same cases. */
  lift: number | null;
}

export interface Watched {
  movieId: number;
  /** Stars from 0.5 to 5; leave it out if you only know that it was watched. */
  rating?: number;
}

/** `movies`: scored by the taste model. `states`: movies that viewers in a similar state watched next. */
export type Retrieval = 'movies' | 'states';

export interface Request {
  /** Oldest first. */
  history: Watched[];
  /** The time of the request, in milliseconds since 1970. The present, if left out. */
  timeMs?: number;
  /** Minutes east of UTC. The browser's, if left out. */
  utcOffsetMinutes?: number;
  /** How many suggestions; 12 if left out. If there are fewer movies, you get all of them. */
  limit?: number;
  /** `movies` if left out; `states` needs `loadStates()` first. */
  retrieval?: Retrieval;
  /**
   * From 0, the plain order of the scores, to 1: movies that the visitor has probably seen, and movies that resemble
   * each other, move back. `info.defaultNovelty` if left out.
   */
  novelty?: number;
  /** The older name of `novelty`, which counts if a request has both. @deprecated */
  diversity?: number;
  /**
   * Whether to ask what comes next in the order of the history, and not what is liked with it; false if left out. Only
   * some models know the difference.
   */
  inOrder?: boolean;
  /** Only movies of any of these genres, by the names of `info.genres`. */
  genres?: string[];
  /** Only movies of any of these decades: 1990 is 1990 to 1999. */
  decades?: number[];
  /** Only movies that are this well known. */
  fame?: Fame;
  /** Ids of movies to leave out, besides the watched ones. */
  exclude?: number[];
}

/** `famous`: the movies with half of all ratings. `known`: those with the next 35 %. `gems`: all others. */
export type Fame = 'famous' | 'known' | 'gems';

/** A watched movie that led to a suggestion. */
export interface Reason {
  movieId: number;
  /** Its share of all reasons for the suggestion, from 0 to 1. */
  share: number;
}

/** The contents of an exported list. */
export interface ListReport {
  format:
    | 'letterboxd-watched'
    | 'letterboxd-ratings'
    | 'letterboxd-diary'
    | 'imdb'
    | 'movielens'
    | 'movielens-dataset'
    | 'watchnext';
  /** The number of rows in the file, without its header. */
  rows: number;
  /** The movies that were found, oldest first, each once. */
  matched: (Movie & { rating: number | null; by: 'id' | 'imdb' | 'title' })[];
  unmatched: {
    /** The line number in the file. */
    row: number;
    title: string | null;
    year: number | null;
    reason: 'not-in-catalog' | 'ambiguous' | 'not-a-movie' | 'invalid';
    /** The defect of the row, for `invalid`. */
    detail: string | null;
  }[];
}

/** All movies as points. Movies that the same people like lie close together. */
export interface MovieMap {
  movieIds: Uint32Array;
  /** x and y of each movie in turn, from 0 to 1. */
  positions: Float32Array;
  /** The genres of each movie as a bit mask: bit i is `info.genres[i]`. */
  genres: Uint32Array;
}

export interface Answer {
  /**
   * Best first, without the movies of the history. Once the ranker is loaded, the best movie is the one that is most
   * likely to be watched and liked.
   */
  suggestions: Suggestion[];
  /** Ids in the history that the catalogue doesn't have. */
  unknown: number[];
}

export interface Info {
  name: string;
  movies: number;
  retrievals: Retrieval[];
  formatVersion: number;
  featuresVersion: number;
  /** The novelty of a request that names none. */
  defaultNovelty: number;
  dataset: string;
  /** The size of the file that `loadStates()` fetches; null if the bundle has none. */
  statesBytes: number | null;
  /** Whether the ranker is loaded. Chances and similar movies need it. */
  ranker: boolean;
  /** The size of the two files that `loadRanker()` fetches; null if the bundle has none. */
  rankerBytes: number | null;
  /** The size of the file that `loadLinks()` fetches; null if the bundle has none. */
  linksBytes: number | null;
  /** The size of the file that `map()` fetches; null if the bundle has none. */
  mapBytes: number | null;
  genres: string[];
  /** The decades that the catalogue has movies of, oldest first. */
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
  /** The bundle's folder, relative to the document. By default `models/`, next to the folder of this module. */
  bundle?: string | URL;
  /** Called with the bytes received of the bundle's required files, and their total by the manifest. */
  onProgress?: OnProgress;
  /** Stops the loading and rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds that a transfer may go without a byte before it is given up; 20,000 if left out. */
  stallMs?: number;
  /** Bypasses the browser's cache. Use it to retry after damaged files. */
  fresh?: boolean;
}

/** Rejects with a {@link WatchNextError}. */
export function load(options?: LoadOptions): Promise<Engine>;

export interface Engine {
  /** Facts about the bundle. A new object after each of `loadStates()`, `loadRanker()`, `loadLinks()` and `map()`. */
  readonly info: Info;
  /** Movies by title, best first; 8 if no limit is given. Case, accents and articles don't matter; a year narrows. */
  search(query: string, limit?: number): Promise<Movie[]>;
  /**
   * Well-known and varied movies to start from, best first; 60 if no limit is given. With a request, movies that its
   * visitor has most likely seen, without those in its `history` and `exclude`, and not filtered otherwise.
   */
  wall(limit?: number, request?: Request): Promise<Movie[]>;
  /** Movies by id; null for an id that the catalogue doesn't have. */
  movies(ids: Iterable<number>): Promise<(Movie | null)[]>;
  /** Movies with a similar title and themes, most similar first; 8 if no limit is given. Call `loadRanker()` first. */
  similar(movieId: number, limit?: number): Promise<Movie[]>;
  /** Suggestions, or null if a later call has overtaken this one. So a page never shows a stale list. */
  suggest(request: Request): Promise<Answer | null>;
  /**
   * Why each of these movies is suggested: the watched movies without which its score would be lower, compared with
   * other movies' scores. A movie that was rated and not liked is none of them. One array for each movie, the largest
   * share first, with at most `most` movies (2 if left out). It is empty if no watched movie stands out.
   */
  reasons(request: Request, ids: Iterable<number>, most?: number): Promise<Reason[][]>;
  /**
   * Reads an exported list: Letterboxd's, IMDb's, MovieLens's or this project's own. It finds movies by IMDb's ids if
   * `loadLinks()` is done, and by title and year if not. The file stays in the browser.
   */
  readList(bytes: Uint8Array): Promise<ListReport>;
  /** The user vector of a request: the output of the user tower. */
  userVector(request: Request): Promise<Float32Array>;
  /** Fetches the file that the retrieval `states` needs, once. */
  loadStates(options?: { onProgress?: OnProgress }): Promise<void>;
  /**
   * Fetches the ranker, once. Each suggestion then has the chance that it is liked, and counts by it in the order.
   * Everything else works before and without it. You may call it again after a failure; it then bypasses the browser's
   * cache.
   */
  loadRanker(options?: { onProgress?: OnProgress }): Promise<void>;
  /** Fetches the movies' ids at IMDb and TMDB, once. */
  loadLinks(options?: { onProgress?: OnProgress }): Promise<void>;
  /** Fetches the map, once. */
  map(options?: { onProgress?: OnProgress }): Promise<MovieMap>;
  /** Ends the worker and frees its memory. */
  close(): void;
}

/**
 * An error with a stable `code`. From the runtime: `fetch-failed`, `http-status`, `timeout`, `wasm-blocked`,
 * `wasm-invalid`, `wasm-unsupported`, `worker-blocked`, `worker-unsupported`, `worker-crashed`, `closed`, `unexpected`.
 * From Rust: those of `src/error.rs`, such as `manifest-invalid`, `file-size-mismatch`, `file-hash-mismatch`,
 * `states-not-loaded`, `ranker-not-loaded`.
 */
export class WatchNextError extends Error {
  constructor(code: string, message: string, place?: string);
  readonly code: string;
  /** The address or the part of the program at fault. */
  readonly place?: string;
}
