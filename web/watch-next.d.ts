/**
 * `<watch-next>`: a movie recommender for any page, running wholly in the visitor's browser.
 *
 * ```html
 * <script type="module" src="https://example.org/watchnext/web/watch-next.js"></script>
 * <watch-next></watch-next>
 * ```
 *
 * Importing the module defines the element; where there is no window, as on a server, it does nothing.
 *
 * ## Attributes
 *
 * | attribute | holds | default |
 * |---|---|---|
 * | `bundle` | the folder of the model and its catalogue, relative to the page | `models/` beside the program's folder |
 * | `limit` | how many suggestions, 1 to 200 | 12 |
 * | `genres` | only these genres, by the catalogue's names, parted by commas: `Comedy, Sci-Fi` | all |
 * | `decades` | only these decades: `1980 1990` | all |
 * | `fame` | only `famous`, `known` or `gems` | all |
 * | `diversity` | 0, the surest suggestions, to 1, the most varied | the bundle's |
 * | `theme` | `light` or `dark` | as the page around it |
 * | `lang` | the language of its words: `de`, `en`, `es`, `fr`, `ja`, or any for which the site adds `words/LANGUAGE.json` | that of the page around it |
 * | `words` | the address of a folder with words of the site's own, which go before the widget's: any texts of `words/en.json` in its `en.json`, and so for each language. `words/items/` beside the program speaks of titles in place of movies | words about movies |
 * | `watched` | a list that the site keeps: `1, 50:4.5` is two movies, the second with 4.5 stars. It is then not stored in the browser unless `store` says so | the visitor's own, kept in this browser |
 * | `store` | a name, to keep a list apart from other lists of the same site; `none` keeps it in memory | one list for the site |
 * | `poster-url` | the site's own images: `/posters/{imdb}.jpg`, with `{movieId}`, `{key}`, `{imdb}`, `{tmdb}`, `{title}`, `{year}` | drawn posters |
 * | `movie-url` | the site's own page of a movie, likewise | links to IMDb and TMDB |
 * | `stall-ms` | how many milliseconds a transfer may stand still | 20000 |
 *
 * ## Slots
 *
 * `head` (beside the search), `tools` (beside "Undo"), `wall-title`, `suggestions-title`, `empty` (the picture before the first
 * suggestions), `foot`. What stands in the element without a slot is shown until the element can show itself.
 */

import type { Engine, Fame, Info, Movie, Suggestion, Watched } from './runtime.js';

/** A movie of the visitor's list. */
export interface WatchedMovie extends Watched {
  title: string;
  year: number | null;
  genres: string[];
}

/** What may be suggested. */
export interface Filter {
  /** Any of these; all if empty. */
  genres: string[];
  /** Any of these, as 1990 for 1990 to 1999; all if empty. */
  decades: number[];
  fame: Fame | null;
}

/** What changed the list. */
export type ChangeKind = 'add' | 'remove' | 'clear' | 'react' | 'undo' | 'outside' | 'replace' | 'ignore' | 'restore';

/** The events of `<watch-next>`, all of which bubble and cross shadow trees. */
export interface WatchNextEvents {
  /** The movies are there and can be suggested. */
  'watchnext:ready': CustomEvent<{ info: Info }>;
  /** The list has changed; `outside` is a change in another tab or another element. */
  'watchnext:watched': CustomEvent<{ watched: readonly WatchedMovie[]; kind: ChangeKind; movie: WatchedMovie | null }>;
  /** Other suggestions are shown. */
  'watchnext:suggestions': CustomEvent<{ suggestions: Suggestion[] }>;
  /** A suggestion's link was followed; `preventDefault()` keeps the browser where it is. */
  'watchnext:select': CustomEvent<{ movie: Suggestion }>;
  /** Something went wrong, which the element tells the visitor as well, unless it is the page's own mistake (`attribute-invalid`). */
  'watchnext:error': CustomEvent<{ code: string; message: string; place: string | null }>;
}

export class WatchNext extends HTMLElement {
  /**
   * The visitor's list, oldest first. Set it to ids, or to ids with stars from 0.5 to 5, to put another list in its place; ids that the
   * catalogue doesn't have are left out. Throws a `TypeError` for what is no list.
   */
  get watched(): WatchedMovie[];
  set watched(list: Iterable<number | Watched>);

  /** What may be suggested. Setting it sets the attributes `genres`, `decades` and `fame`; what isn't named is open again. */
  get filter(): Filter;
  set filter(filter: Partial<Filter>);

  /** The suggestions that are shown, best first. */
  readonly suggestions: Suggestion[];

  /** The headless recommender that the element runs on, once it is loaded. */
  readonly engine: Engine | undefined;

  /** The suggestions for the present list, once there is a recommender; empty for an empty list. */
  suggest(): Promise<Suggestion[]>;

  /** Adds movies to the list, or ratings to what it has. */
  watch(list: Iterable<number | Watched>): Promise<void>;

  /** Takes a movie from the list. */
  unwatch(movieId: number): void;

  /** Empties the list. */
  clear(): void;

  /** Goes back to the list before the last change. */
  undo(): void;

  /** Puts the focus into the search box. */
  focus(): void;

  addEventListener<K extends keyof WatchNextEvents>(type: K, listener: (this: WatchNext, event: WatchNextEvents[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener<K extends keyof HTMLElementEventMap>(type: K, listener: (this: WatchNext, event: HTMLElementEventMap[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

export type { Engine, Fame, Info, Movie, Suggestion, Watched };

declare global {
  interface HTMLElementTagNameMap {
    'watch-next': WatchNext;
  }
}
