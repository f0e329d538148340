/** The search box: a combobox by the ARIA pattern. Its list follows the typing and never takes the focus. */

import { closest, element, spoken } from './dom.js';

/** @typedef {import('../runtime.js').Movie} Movie */

export class Search {
  #view;
  #announcer;
  #input;
  #list;
  #none;
  #find;
  #store;
  /** @type {readonly Movie[]} */
  #movies = [];
  #active = -1;
  #asked = 0;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./announce.js').Announcer} announcer
   * @param {import('./store.js').Store} store
   * @param {(query: string) => Promise<Movie[]>} find
   */
  constructor(view, announcer, store, find) {
    this.#view = view;
    this.#announcer = announcer;
    const input = (this.#input = view.get('search-input'));
    const list = (this.#list = view.get('search-list'));
    this.#none = view.get('search-none');
    this.#find = find;
    this.#store = store;
    input.addEventListener('input', () => void this.refresh());
    input.addEventListener('focus', () => void this.refresh());
    input.addEventListener('blur', () => this.#close());
    input.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => this.#key(event));
    // Keeps the focus in the box while an option is pressed.
    list.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => event.preventDefault());
    list.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const option = closest(event, '[role=option]');
      if (option) this.#pick(Number(option.dataset.index), event.timeStamp);
    });
  }

  focus() {
    this.#input.focus();
  }

  /** Shows how many movies there are to find. @param {number} movies */
  invite(movies) {
    this.#input.placeholder = this.#view.words.text('search.invite', { count: movies });
  }

  /** Searches for the text in the box. Also called once the movies are loaded, for text that was typed before. */
  async refresh() {
    const query = this.#input.value.trim();
    const asked = ++this.#asked;
    if (!query) return this.#close();
    let movies;
    try {
      movies = await this.#find(query);
    } catch {
      // The error is shown in place of the wall.
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
    this.#announcer.say(
      found ? this.#view.words.text('search.count', { count: movies.length }) : this.#none.textContent,
    );
  }

  /** @param {Movie} movie @param {number} index */
  #option(movie, index) {
    const watched = this.#store.has(movie.movieId);
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
      // While an input method composes a character, Enter belongs to it.
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
    if (this.#store.has(movie.movieId)) {
      this.#announcer.say(this.#view.words.text('search.already', { movie: spoken(movie) }));
    } else {
      this.#store.add(movie, at);
    }
  }

  #close() {
    this.#activate(-1);
    this.#list.hidden = true;
    this.#none.hidden = true;
    this.#input.setAttribute('aria-expanded', 'false');
  }
}
