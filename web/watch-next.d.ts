/**
 * `<watch-next>`: a movie recommender for any page, running wholly in the visitor's browser.
 *
 * ```html
 * <script type="module" src="https://example.org/watchnext/web/watch-next.js"></script>
 * <watch-next></watch-next>
 * ```
 *
 * Importing the module defines the element. Without a window, as on a server, it does nothing.
 *
 * ## Attributes
 *
 * | attribute | default |
 * |---|---|
 * | `bundle` | `models/`, next to the program's folder |
 * | `limit` | 12 |
 * | `genres`, `decades`, `fame` | all movies |
 * | `novelty`, `diversity` | the library's |
 * | `theme` | as the page around it |
 * | `lang` | that of the page around it |
 * | `words` | words about movies |
 * | `watched`, `store` | the visitor's own list, stored in this browser, one for the site |
 * | `poster-url` | drawn posters |
 * | `movie-url` | links to IMDb and TMDB |
 * | `stall-ms` | 20000 |
 *
 * - `bundle`: the folder of the model and its catalogue, relative to the page.
 * - `limit`: how many suggestions, from 1 to 200.
 * - `genres`: only these genres, by the catalogue's names, separated by commas: `Comedy, Sci-Fi`.
 * - `decades`: only these decades: `1980 1990`.
 * - `fame`: only `famous`, `known` or `gems`.
 * - `novelty`: from 0, well-known movies, to 1, movies that the visitor has probably not seen.
 * - `diversity`: the older name of `novelty`, which counts if both are there.
 * - `theme`: `light` or `dark`.
 * - `lang`: the language of its words: `de`, `en`, `es`, `fr`, `ja`, or another one for which you add
 *   `words/LANGUAGE.json`.
 * - `words`: the address of a folder with your own words, which override the widget's. Its `en.json` may hold any texts
 *   of `words/en.json`, and likewise for each language. The program's own `words/items/` speaks of titles instead of
 *   movies.
 * - `watched`: a list that your site keeps. `1, 50:4.5` is two movies, the second with 4.5 stars. It isn't stored in
 *   the browser unless `store` says so.
 * - `store`: a name for a list that is separate from other lists of your site. `none` keeps the list in memory.
 * - `poster-url`: the addresses of your own images, such as `/posters/{imdb}.jpg`. It may hold `{movieId}`, `{key}`,
 *   `{imdb}`, `{tmdb}`, `{title}` and `{year}`.
 * - `movie-url`: the addresses of your own pages of movies, with the same parts.
 * - `stall-ms`: how many milliseconds a transfer may go without a byte.
 *
 * ## Slots
 *
 * `head` (next to the search), `tools` (next to "Undo"), `wall-title`, `suggestions-title`, `empty` (the picture before
 * the first suggestions), `foot`. Content without a slot is shown until the element is ready.
 */

import type { Engine, Fame, Info, Movie, Suggestion, Watched } from './runtime.js';

/** A movie of the visitor's list. */
export interface WatchedMovie extends Watched {
  title: string;
  year: number | null;
  genres: string[];
}

/** The movies that may be suggested. */
export interface Filter {
  /** Movies of any of these genres; of all if empty. */
  genres: string[];
  /** Movies of any of these decades, with 1990 for 1990 to 1999; of all if empty. */
  decades: number[];
  fame: Fame | null;
}

/** The cause of a change of the list. */
export type ChangeKind = 'add' | 'remove' | 'clear' | 'react' | 'undo' | 'outside' | 'replace' | 'ignore' | 'restore';

/** The events of `<watch-next>`. All of them bubble and cross shadow trees. */
export interface WatchNextEvents {
  /** The movies are loaded and can be suggested. */
  'watchnext:ready': CustomEvent<{ info: Info }>;
  /** The list has changed; `outside` is a change in another tab or another element. */
  'watchnext:watched': CustomEvent<{ watched: readonly WatchedMovie[]; kind: ChangeKind; movie: WatchedMovie | null }>;
  /** The widget shows other suggestions. */
  'watchnext:suggestions': CustomEvent<{ suggestions: Suggestion[] }>;
  /** The visitor followed a suggestion's link. `preventDefault()` keeps the browser on the page. */
  'watchnext:select': CustomEvent<{ movie: Suggestion }>;
  /** An error. The widget shows it to the visitor too, unless it is a mistake of your page (`attribute-invalid`). */
  'watchnext:error': CustomEvent<{ code: string; message: string; place: string | null }>;
}

export class WatchNext extends HTMLElement {
  /**
   * The visitor's list, oldest first. Set it to ids, or to ids with stars from 0.5 to 5, to replace it. Ids that the
   * catalogue doesn't have are left out. Throws a `TypeError` for a value that isn't a list.
   */
  get watched(): WatchedMovie[];
  set watched(list: Iterable<number | Watched>);

  /**
   * The filter. Setting it sets the attributes `genres`, `decades` and `fame`, and removes those that it leaves out.
   */
  get filter(): Filter;
  set filter(filter: Partial<Filter>);

  /** The suggestions on the page, best first. */
  readonly suggestions: Suggestion[];

  /** The headless recommender of the element, once it is loaded. */
  readonly engine: Engine | undefined;

  /** The suggestions for the present list, once the recommender is loaded; empty for an empty list. */
  suggest(): Promise<Suggestion[]>;

  /** Adds movies to the list, or ratings to the movies in it. */
  watch(list: Iterable<number | Watched>): Promise<void>;

  /** Removes a movie from the list. */
  unwatch(movieId: number): void;

  /** Empties the list. */
  clear(): void;

  /** Undoes the last change of the list. */
  undo(): void;

  /** Moves the focus to the search box. */
  focus(): void;

  addEventListener<K extends keyof WatchNextEvents>(
    type: K,
    listener: (this: WatchNext, event: WatchNextEvents[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (this: WatchNext, event: HTMLElementEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

export type { Engine, Fame, Info, Movie, Suggestion, Watched };

declare global {
  interface HTMLElementTagNameMap {
    'watch-next': WatchNext;
  }
}
