/** The map of all movies, in a dialogue: to wander in, to see where one's own taste lies, and to click what was watched. */

import { button, element, spoken } from './element/dom.js';
import { Camera } from './page/camera.js';
import { Constellation, FAMILIES } from './page/constellation.js';

/** @typedef {import('./watch-next.js').WatchNext} WatchNext */
/** @typedef {import('./page/link.js').Page} Page */

/** Movies named in the list beside the map, which is the map for whoever can't see it. */
const NEAR = 10;

/** Movies whose titles stand on the map where there is room. */
const NAMED = 300;

/** Pixels around a point within which it is meant. */
const REACH = 14;

/** A press that moved further than this was a drag. */
const DRAG = 5;

const KEY_STEP = 60;
const ZOOM_STEP = 1.5;

/**
 * Opens the map.
 * @param {WatchNext} app
 * @param {Page} page
 */
export async function openMap(app, page) {
  const { engine } = app;
  if (!engine) return;
  const dialog = new MapDialog(app, page);
  dialog.show();
  await dialog.load();
}

class MapDialog {
  #app;
  #page;
  #engine;
  #dialog;
  #canvas;
  #context;
  #list;
  #status;
  #camera = new Camera();
  /** @type {Constellation | undefined} */
  #stars;
  /** @type {Uint32Array} */
  #ids = new Uint32Array();
  /** @type {Map<number, number>} Rows by id. */
  #rows = new Map();
  /** @type {Map<number, string>} Titles by id, as far as they were asked for. */
  #titles = new Map();
  /** @type {Map<number, string>} */
  #known = new Map();
  #hovered = -1;
  #isDrawing = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #nearTimer;
  #ended = new AbortController();

  /** @param {WatchNext} app @param {Page} page */
  constructor(app, page) {
    this.#app = app;
    this.#page = page;
    this.#engine = /** @type {import('./runtime.js').Engine} */ (app.engine);
    const { words } = page;
    const canvas = (this.#canvas = /** @type {HTMLCanvasElement} */ (
      element('canvas', { class: 'map-canvas', tabindex: 0, role: 'application', 'aria-label': words.text('map.canvas', { count: this.#engine.info.movies }), 'aria-describedby': 'map-keys' })
    ));
    this.#context = canvas.getContext('2d');
    this.#list = element('ul', { class: 'map-near', 'aria-label': words.text('map.near') });
    this.#status = element('p', { class: 'map-status', role: 'status' }, words.text('map.loading'));
    const close = button({ class: 'round', 'aria-label': words.text('close') }, '✕');
    const tool = (/** @type {string} */ key, /** @type {string} */ text, /** @type {() => void} */ act) => {
      const made = button({ class: 'map-tool', 'aria-label': words.text(key), title: words.text(key) }, text);
      made.addEventListener('click', () => {
        act();
        this.#moved();
      });
      return made;
    };
    const legend = FAMILIES.map(({ name, colour }) => {
      const dot = element('span', { class: 'map-dot', 'aria-hidden': 'true' });
      dot.style.background = colour;
      return element('li', {}, dot, words.text(`family.${name}`));
    });
    this.#dialog = /** @type {HTMLDialogElement} */ (
      element(
        'dialog',
        { class: 'map', id: 'map', 'aria-labelledby': 'map-title' },
        element('div', { class: 'dialog-head' }, element('h2', { id: 'map-title' }, words.text('map.title')), close),
        element(
          'div',
          { class: 'map-body' },
          element(
            'div',
            { class: 'map-view' },
            canvas,
            this.#status,
            element(
              'div',
              { class: 'map-tools' },
              tool('map.in', '+', () => this.#camera.zoomBy(ZOOM_STEP)),
              tool('map.out', '−', () => this.#camera.zoomBy(1 / ZOOM_STEP)),
              tool('map.whole', '◻', () => this.#camera.whole()),
              tool('map.mine', '★', () => this.#showMine()),
            ),
          ),
          element(
            'div',
            { class: 'map-side' },
            element('p', { class: 'hint' }, words.text('map.words')),
            element('p', { class: 'hint', id: 'map-keys' }, words.text('map.keys')),
            element('h3', {}, words.text('map.near')),
            this.#list,
            element('ul', { class: 'map-legend', 'aria-label': words.text('map.legend') }, ...legend),
          ),
        ),
      )
    );
    close.addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => this.#end());
    this.#listen();
  }

  show() {
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    this.#resize();
  }

  /** Fetches the map and the titles that stand on it. */
  async load() {
    const { words } = this.#page;
    try {
      const [map, wall] = await Promise.all([this.#engine.map(), this.#engine.wall(NAMED)]);
      this.#ids = map.movieIds;
      map.movieIds.forEach((id, row) => this.#rows.set(id, row));
      this.#stars = new Constellation(map, this.#engine.info.genres);
      for (const { movieId, title } of wall) {
        this.#titles.set(movieId, title);
        this.#known.set(/** @type {number} */ (this.#rows.get(movieId)), title);
      }
    } catch (error) {
      this.#status.textContent = `${words.text('map.failed')} ${/** @type {Error} */ (error).message}`;
      return;
    }
    this.#status.hidden = true;
    this.#showMine();
    this.#moved();
    this.#canvas.focus();
  }

  #end() {
    this.#ended.abort();
    clearTimeout(this.#nearTimer);
    this.#dialog.remove();
  }

  /** @param {readonly {movieId: number, title: string}[]} movies @returns {Map<number, string>} */
  #marked(movies) {
    return new Map(movies.flatMap(({ movieId, title }) => (this.#rows.has(movieId) ? [[/** @type {number} */ (this.#rows.get(movieId)), title]] : [])));
  }

  #showMine() {
    const mine = [...this.#marked([...this.#app.watched, ...this.#app.suggestions]).keys()];
    if (this.#stars && mine.length > 1) this.#camera.fit(mine.map((row) => /** @type {Constellation} */ (this.#stars).at(row)));
    else this.#camera.whole();
  }

  #listen() {
    const canvas = this.#canvas;
    const { signal } = this.#ended;
    /** @type {Map<number, PointerEvent>} Fingers and mouse buttons that are down. */
    const down = new Map();
    let travelled = 0;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      down.set(event.pointerId, event);
      travelled = 0;
    });
    canvas.addEventListener('pointermove', (event) => {
      const last = down.get(event.pointerId);
      if (!last) return this.#hover(event);
      const [right, below] = [event.clientX - last.clientX, event.clientY - last.clientY];
      travelled += Math.abs(right) + Math.abs(below);
      const other = [...down.values()].find(({ pointerId }) => pointerId !== event.pointerId);
      if (other) this.#pinch(last, event, other);
      else this.#camera.pan(right, below);
      down.set(event.pointerId, event);
      this.#moved();
    });
    for (const type of /** @type {const} */ (['pointerup', 'pointercancel'])) {
      canvas.addEventListener(type, (event) => {
        const isClick = type === 'pointerup' && travelled < DRAG && down.size === 1;
        down.delete(event.pointerId);
        if (isClick) void this.#toggle(this.#under(event));
      });
    }
    canvas.addEventListener('pointerleave', () => this.#setHovered(-1));
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        this.#camera.zoomBy(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0018)), event.offsetX, event.offsetY);
        this.#moved();
      },
      { passive: false },
    );
    canvas.addEventListener('keydown', (event) => this.#key(event));
    for (const type of ['focus', 'blur']) canvas.addEventListener(type, () => this.#draw());
    this.#list.addEventListener('click', (event) => {
      const pressed = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('button'));
      if (pressed) void this.#toggle(Number(pressed.dataset.row));
    });
    for (const type of ['watchnext:watched', 'watchnext:suggestions']) this.#app.addEventListener(type, () => this.#changed(), { signal });
    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(canvas);
    signal.addEventListener('abort', () => observer.disconnect());
  }

  /** Two fingers move and zoom the map together. @param {PointerEvent} before @param {PointerEvent} now @param {PointerEvent} other */
  #pinch(before, now, other) {
    const apart = (/** @type {PointerEvent} */ one) => Math.hypot(one.offsetX - other.offsetX, one.offsetY - other.offsetY);
    const factor = apart(now) / Math.max(apart(before), 1);
    this.#camera.pan((now.offsetX - before.offsetX) / 2, (now.offsetY - before.offsetY) / 2);
    this.#camera.zoomBy(factor, (now.offsetX + other.offsetX) / 2, (now.offsetY + other.offsetY) / 2);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowLeft: () => this.#camera.pan(KEY_STEP, 0),
      ArrowRight: () => this.#camera.pan(-KEY_STEP, 0),
      ArrowUp: () => this.#camera.pan(0, KEY_STEP),
      ArrowDown: () => this.#camera.pan(0, -KEY_STEP),
      '+': () => this.#camera.zoomBy(ZOOM_STEP),
      '=': () => this.#camera.zoomBy(ZOOM_STEP),
      '-': () => this.#camera.zoomBy(1 / ZOOM_STEP),
      Home: () => this.#camera.whole(),
      Enter: () => void this.#toggle(this.#middle(1)[0] ?? -1),
    };
    if (!Object.hasOwn(acts, event.key) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    acts[event.key]();
    this.#moved();
  }

  /** @param {number} count */
  #middle(count) {
    return this.#stars?.nearest(this.#camera.x, this.#camera.y, count) ?? [];
  }

  /** The row of the movie that the pointer means, −1 for none. @param {PointerEvent} event */
  #under(event) {
    const [x, y] = this.#camera.toMap(event.offsetX, event.offsetY);
    return this.#stars?.nearest(x, y, 1, REACH / this.#camera.scale)[0] ?? -1;
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    this.#setHovered(this.#under(event));
  }

  /** @param {number} row */
  #setHovered(row) {
    if (row === this.#hovered) return;
    this.#hovered = row;
    this.#canvas.classList.toggle('map-over', row >= 0);
    this.#draw();
    if (row >= 0 && !this.#titles.has(this.#ids[row])) void this.#name([row]).then(() => this.#draw());
  }

  /** Asks for the titles of rows that have none yet. @param {readonly number[]} rows */
  async #name(rows) {
    const missing = rows.map((row) => this.#ids[row]).filter((id) => !this.#titles.has(id));
    if (missing.length === 0) return;
    const movies = await this.#engine.movies(missing).catch(() => []);
    for (const movie of movies) if (movie) this.#titles.set(movie.movieId, spoken(movie));
  }

  /** @param {number} row */
  async #toggle(row) {
    if (row < 0) return;
    const movieId = this.#ids[row];
    if (this.#app.watched.some((entry) => entry.movieId === movieId)) this.#app.unwatch(movieId);
    else await this.#app.watch([movieId]);
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#canvas;
    const ratio = Math.min(devicePixelRatio, 2);
    this.#canvas.width = Math.round(clientWidth * ratio);
    this.#canvas.height = Math.round(clientHeight * ratio);
    this.#context?.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#camera.width = clientWidth;
    this.#camera.height = clientHeight;
    this.#draw();
  }

  #moved() {
    this.#draw();
    clearTimeout(this.#nearTimer);
    this.#nearTimer = setTimeout(() => void this.#listNear(), 150);
  }

  #changed() {
    this.#draw();
    void this.#listNear();
  }

  /** Names what is near the middle, as buttons. */
  async #listNear() {
    const rows = this.#middle(NEAR);
    await this.#name(rows);
    const watched = new Set(this.#app.watched.map(({ movieId }) => movieId));
    const suggested = new Set(this.#app.suggestions.map(({ movieId }) => movieId));
    const { words } = this.#page;
    const focused = this.#list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.row : undefined;
    const items = rows.map((row) => {
      const id = this.#ids[row];
      const state = watched.has(id) ? words.text('map.watched') : suggested.has(id) ? words.text('map.suggested') : '';
      const name = this.#titles.get(id) ?? '';
      return element('li', {}, button({ 'data-row': row, 'aria-pressed': String(watched.has(id)) }, name, ...(state ? [element('span', { class: 'map-state' }, ` ${state}`)] : [])));
    });
    this.#list.replaceChildren(...items);
    /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-row="${focused}"]`))?.focus();
  }

  /** Draws in the next frame, once however often it is asked. */
  #draw() {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      if (!this.#stars || !this.#context) return;
      this.#stars.draw(this.#context, this.#camera, {
        watched: this.#marked(this.#app.watched),
        suggested: this.#marked(this.#app.suggestions),
        known: this.#known,
        hovered: this.#hovered,
        hoveredTitle: this.#titles.get(this.#ids[this.#hovered]) ?? '',
        cross: document.activeElement === this.#canvas && this.#canvas.matches(':focus-visible'),
      });
    });
  }
}
