/** The search box: a combobox by the ARIA pattern, whose list follows the typing and never takes the focus. */

import { closest, element, spoken } from './dom.js';

/** @typedef {import('../runtime.js').Movie} Movie */

const RESULTS = 8;

export class Search {
  #view;
  #announcer;
  #input;
  #list;
  #none;
  #find;
  #onPick;
  #isWatched;
  /** @type {readonly Movie[]} */
  #movies = [];
  #active = -1;
  #asked = 0;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./announce.js').Announcer} announcer
   * @param {(query: string, limit: number) => Promise<Movie[]>} find
   * @param {(movie: Movie, at: number) => void} onPick
   * @param {(movieId: number) => boolean} isWatched
   */
  constructor(view, announcer, find, onPick, isWatched) {
    this.#view = view;
    this.#announcer = announcer;
    const input = (this.#input = view.get('search-input'));
    const list = (this.#list = view.get('search-list'));
    this.#none = view.get('search-none');
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
      const option = closest(event, '[role=option]');
      if (option) this.#pick(Number(option.dataset.index), event.timeStamp);
    });
  }

  focus() {
    this.#input.focus();
  }

  /** Tells how much there is to find. @param {number} movies */
  invite(movies) {
    this.#input.placeholder = this.#view.words.text('search.invite', { count: movies });
  }

  /** Finds again what stands in the box; also once the movies are there, for whoever typed before. */
  async refresh() {
    const query = this.#input.value.trim();
    const asked = ++this.#asked;
    if (!query) return this.#close();
    let movies;
    try {
      movies = await this.#find(query, RESULTS);
    } catch {
      // Why there is no recommender is told where the movies would be.
      return this.#close();
    }
    if (asked !== this.#asked || this.#view.focused !== this.#input) return;
    this.#show(movies, query);
  }

  /** @param {readonly Movie[]} movies @param {string} query */
  #show(movies, query) {
    this.#movies = movies;
    this.#list.replaceChildren(...movies.map((movie, index) => this.#option(movie, index)));
    const found = movies.length > 0;
    this.#list.hidden = !found;
    this.#none.hidden = found;
    this.#none.textContent = found ? '' : this.#view.words.text('search.none', { query });
    this.#input.setAttribute('aria-expanded', String(found));
    this.#activate(found ? 0 : -1);
    this.#announcer.say(found ? this.#view.words.text('search.count', { count: movies.length }) : this.#none.textContent);
  }

  /** @param {Movie} movie @param {number} index */
  #option(movie, index) {
    const watched = this.#isWatched(movie.movieId);
    const about = [movie.year, this.#view.words.genres(movie.genres)].filter(Boolean).join(' · ');
    const option = element(
      'li',
      { id: `search-option-${index}`, role: 'option', 'data-index': index, 'aria-selected': 'false' },
      element('span', { class: 'option-title' }, movie.title),
      element('span', { class: 'option-about' }, about),
    );
    if (watched) option.append(element('span', { class: 'option-watched' }, this.#view.words.text('search.watched')));
    return option;
  }

  /** @param {number} index */
  #activate(index) {
    this.#list.children[this.#active]?.setAttribute('aria-selected', 'false');
    this.#active = index;
    const option = this.#list.children[index];
    option?.setAttribute('aria-selected', 'true');
    option?.scrollIntoView({ block: 'nearest' });
    if (option) this.#input.setAttribute('aria-activedescendant', option.id);
    else this.#input.removeAttribute('aria-activedescendant');
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const open = !this.#list.hidden;
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
      if (open || !this.#none.hidden) this.#close();
      else this.#input.value = '';
    } else {
      return;
    }
    event.preventDefault();
  }

  /** @param {number} index @param {number} at */
  #pick(index, at) {
    const movie = this.#movies[index];
    if (!movie) return;
    this.#input.value = '';
    this.#asked += 1;
    this.#close();
    if (this.#isWatched(movie.movieId)) this.#announcer.say(this.#view.words.text('search.already', { movie: spoken(movie) }));
    else this.#onPick(movie, at);
  }

  #close() {
    this.#activate(-1);
    this.#list.hidden = true;
    this.#none.hidden = true;
    this.#input.setAttribute('aria-expanded', 'false');
  }
}
