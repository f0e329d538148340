/** The search box: a combobox by the ARIA pattern, whose list follows the typing and never takes the focus. */

import { byId, element, spoken } from './dom.js';
import { say } from './announce.js';

/** @typedef {import('../runtime.js').Movie} Movie */

const RESULTS = 8;

const input = byId('search-input');
const list = byId('search-list');
const none = byId('search-none');

export class Search {
  #find;
  #onPick;
  #isWatched;
  /** @type {readonly Movie[]} */
  #movies = [];
  #active = -1;
  #asked = 0;

  /**
   * @param {(query: string, limit: number) => Promise<Movie[]>} find
   * @param {(movie: Movie, at: number) => void} onPick
   * @param {(movieId: number) => boolean} isWatched
   */
  constructor(find, onPick, isWatched) {
    this.#find = find;
    this.#onPick = onPick;
    this.#isWatched = isWatched;
    input.addEventListener('input', () => void this.refresh());
    input.addEventListener('focus', () => void this.refresh());
    input.addEventListener('blur', () => this.#close());
    input.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => this.#key(event));
    // The focus stays in the box while an option is pressed.
    list.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => event.preventDefault());
    list.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const option = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[role=option]'));
      if (option) this.#pick(Number(option.dataset.index), event.timeStamp);
    });
  }

  focus() {
    input.focus();
  }

  /** Tells how much there is to find. @param {number} movies */
  invite(movies) {
    input.placeholder = `Find one of ${movies.toLocaleString('en')} movies`;
  }

  /** Finds again what stands in the box; also once the movies are there, for whoever typed before. */
  async refresh() {
    const query = input.value.trim();
    const asked = ++this.#asked;
    if (!query) return this.#close();
    let movies;
    try {
      movies = await this.#find(query, RESULTS);
    } catch {
      // Why there is no recommender is told where the movies would be.
      return this.#close();
    }
    if (asked !== this.#asked || document.activeElement !== input) return;
    this.#show(movies, query);
  }

  /** @param {readonly Movie[]} movies @param {string} query */
  #show(movies, query) {
    this.#movies = movies;
    list.replaceChildren(...movies.map((movie, index) => this.#option(movie, index)));
    const found = movies.length > 0;
    list.hidden = !found;
    none.hidden = found;
    none.textContent = found ? '' : `No movie called “${query}” here`;
    input.setAttribute('aria-expanded', String(found));
    this.#activate(found ? 0 : -1);
    say(found ? `${movies.length} ${movies.length === 1 ? 'movie' : 'movies'} found` : none.textContent);
  }

  /** @param {Movie} movie @param {number} index */
  #option(movie, index) {
    const watched = this.#isWatched(movie.movieId);
    const about = [movie.year, movie.genres.join(', ')].filter(Boolean).join(' · ');
    const option = element(
      'li',
      { id: `search-option-${index}`, role: 'option', 'data-index': index, 'aria-selected': 'false' },
      element('span', { class: 'option-title' }, movie.title),
      element('span', { class: 'option-about' }, about),
    );
    if (watched) option.append(element('span', { class: 'option-watched' }, 'in your list'));
    return option;
  }

  /** @param {number} index */
  #activate(index) {
    list.children[this.#active]?.setAttribute('aria-selected', 'false');
    this.#active = index;
    const option = list.children[index];
    option?.setAttribute('aria-selected', 'true');
    option?.scrollIntoView({ block: 'nearest' });
    if (option) input.setAttribute('aria-activedescendant', option.id);
    else input.removeAttribute('aria-activedescendant');
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const open = !list.hidden;
    const last = this.#movies.length - 1;
    if (event.key === 'ArrowDown') {
      if (open) this.#activate(this.#active >= last ? 0 : this.#active + 1);
      else void this.refresh();
    } else if (event.key === 'ArrowUp') {
      if (open) this.#activate(this.#active <= 0 ? last : this.#active - 1);
      else void this.refresh();
    } else if (event.key === 'Enter') {
      // While an input method composes, Enter belongs to it.
      if (event.isComposing) return;
      if (open) this.#pick(this.#active, event.timeStamp);
    } else if (event.key === 'Escape') {
      if (open || !none.hidden) this.#close();
      else input.value = '';
    } else {
      return;
    }
    event.preventDefault();
  }

  /** @param {number} index @param {number} at */
  #pick(index, at) {
    const movie = this.#movies[index];
    if (!movie) return;
    input.value = '';
    this.#asked += 1;
    this.#close();
    if (this.#isWatched(movie.movieId)) say(`${spoken(movie)} is already in your list`);
    else this.#onPick(movie, at);
  }

  #close() {
    this.#activate(-1);
    list.hidden = true;
    none.hidden = true;
    input.setAttribute('aria-expanded', 'false');
  }
}
