/**
 * The map of all movies, in a dialogue. The visitor explores it, sees their own movies on it, and clicks watched ones.
 */

import { button, byId, closest, element, spoken } from '../element/dom.js';
import { Camera } from './camera.js';
import { Constellation, FAMILIES } from './constellation.js';

/** @typedef {import('../watch-next.js').WatchNext} WatchNext */
/** @typedef {import('./link.js').Page} Page */

/** Movies in the list next to the map. The list is the map for visitors who can't see it. */
const NEAR = 10;

/** Well-known movies whose titles are on the map, if there is room. */
const NAMED = 300;

/** How far from a point a click may be, in pixels. */
const REACH = 14;

/** A press that moves further than this is a drag, in pixels. */
const DRAG = 5;

const KEY_STEP = 60;
const ZOOM_STEP = 1.5;

/** The page's one map. It stays as it is when it is closed. @type {MovieMap | undefined} */
let map;

/**
 * Opens the map.
 * @param {WatchNext} app
 * @param {Page} page
 */
export async function openMap(app, page) {
  map ??= new MovieMap(app, page);
  await map.open();
}

class MovieMap {
  #app;
  #page;
  /** The engine whose movies the map shows. @type {import('../runtime.js').Engine | undefined} */
  #engine;
  #dialog = byId('map');
  /** @type {HTMLCanvasElement} */
  #canvas = byId('map-canvas');
  #context = this.#canvas.getContext('2d');
  #list = byId('map-near');
  #status = byId('map-status');
  #camera = new Camera();
  /** @type {Constellation | undefined} */
  #stars;
  /** @type {Uint32Array} */
  #ids = new Uint32Array();
  /** @type {Map<number, number>} Rows by id. */
  #rows = new Map();
  /** @type {Map<number, string>} Titles by id, of the movies that needed one so far. */
  #titles = new Map();
  /** @type {Map<number, string>} Titles of the well-known movies, by row. */
  #known = new Map();
  #hovered = -1;
  #isDrawing = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #nearTimer;

  /** @param {WatchNext} app @param {Page} page */
  constructor(app, page) {
    this.#app = app;
    this.#page = page;
    this.#listen();
  }

  async open() {
    const { engine } = this.#app;
    if (!engine) return;
    const { words } = this.#page;
    this.#canvas.setAttribute('aria-label', words.text('map.canvas', { count: engine.info.movies }));
    const kinds = FAMILIES.map(({ name, colour }) => {
      const dot = element('span', { class: 'map-dot', 'aria-hidden': 'true' });
      dot.style.background = colour;
      return element('li', {}, dot, words.text(`family.${name}`));
    });
    byId('map-legend').replaceChildren(...kinds);
    this.#dialog.showModal();
    this.#resize();
    if (engine !== this.#engine) await this.#load(engine);
    else this.#moved();
  }

  /** Fetches the map and the titles of well-known movies. @param {import('../runtime.js').Engine} engine */
  async #load(engine) {
    const { words } = this.#page;
    this.#status.textContent = words.text('map.loading');
    this.#status.hidden = false;
    try {
      const [map, wall] = await Promise.all([engine.map(), engine.wall(NAMED)]);
      this.#ids = map.movieIds;
      this.#rows = new Map(Array.from(map.movieIds, (id, row) => [id, row]));
      this.#stars = new Constellation(map, engine.info.genres);
      this.#titles = new Map(wall.map(({ movieId, title }) => [movieId, title]));
      this.#known = this.#marked(wall);
    } catch (error) {
      this.#status.textContent = `${words.text('map.failed')} ${/** @type {Error} */ (error).message}`;
      return;
    }
    this.#engine = engine;
    this.#status.hidden = true;
    this.#showMine();
    this.#moved();
    this.#canvas.focus();
  }

  /**
   * Titles of movies by their rows.
   * @param {readonly {movieId: number, title: string}[]} movies
   * @returns {Map<number, string>}
   */
  #marked(movies) {
    return new Map(
      movies.flatMap(({ movieId, title }) =>
        this.#rows.has(movieId) ? [[/** @type {number} */ (this.#rows.get(movieId)), title]] : [],
      ),
    );
  }

  /** Shows the part of the map with the watched and the suggested movies. */
  #showMine() {
    const mine = [...this.#marked([...this.#app.watched, ...this.#app.suggestions]).keys()];
    const stars = this.#stars;
    if (stars && mine.length > 1) this.#camera.fit(mine.map((row) => stars.at(row)));
    else this.#camera.whole();
  }

  #listen() {
    /** @type {Record<string, () => void>} */
    const tools = {
      in: () => this.#camera.zoomBy(ZOOM_STEP),
      out: () => this.#camera.zoomBy(1 / ZOOM_STEP),
      whole: () => this.#camera.whole(),
      mine: () => this.#showMine(),
    };
    for (const [name, act] of Object.entries(tools)) {
      byId(`map-${name}`).addEventListener('click', () => {
        act();
        this.#moved();
      });
    }
    this.#listenToPointer();
    this.#canvas.addEventListener('keydown', (event) => this.#key(event));
    for (const type of ['focus', 'blur']) this.#canvas.addEventListener(type, () => this.#draw());
    this.#list.addEventListener('click', (/** @type {Event} */ event) => {
      const pressed = closest(event, 'button');
      if (pressed) void this.#toggle(Number(pressed.dataset.row));
    });
    for (const type of ['watchnext:watched', 'watchnext:suggestions']) {
      this.#app.addEventListener(type, () => this.#changed());
    }
    new ResizeObserver(() => this.#resize()).observe(this.#canvas);
  }

  /** Moves, zooms and toggles by mouse and fingers. */
  #listenToPointer() {
    const canvas = this.#canvas;
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
        this.#camera.zoomBy(
          Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0018)),
          event.offsetX,
          event.offsetY,
        );
        this.#moved();
      },
      { passive: false },
    );
  }

  /**
   * Moves and zooms the map by two fingers.
   * @param {PointerEvent} before
   * @param {PointerEvent} now
   * @param {PointerEvent} other
   */
  #pinch(before, now, other) {
    const apart = (/** @type {PointerEvent} */ one) =>
      Math.hypot(one.offsetX - other.offsetX, one.offsetY - other.offsetY);
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

  /** Rows of the movies nearest to the middle of the view. @param {number} count */
  #middle(count) {
    return this.#stars?.nearest(this.#camera.x, this.#camera.y, count) ?? [];
  }

  /** The row of the movie under the pointer; −1 for none. @param {PointerEvent} event */
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

  /** Fetches the titles of rows that have none yet. @param {readonly number[]} rows */
  async #name(rows) {
    const missing = rows.map((row) => this.#ids[row]).filter((id) => !this.#titles.has(id));
    if (missing.length === 0) return;
    const movies = (await this.#engine?.movies(missing).catch(() => [])) ?? [];
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
    if (!this.#dialog.open) return;
    this.#draw();
    void this.#listNear();
  }

  /** Lists the movies near the middle, as buttons. */
  async #listNear() {
    const rows = this.#middle(NEAR);
    await this.#name(rows);
    const watched = new Set(this.#app.watched.map(({ movieId }) => movieId));
    const suggested = new Set(this.#app.suggestions.map(({ movieId }) => movieId));
    const { words } = this.#page;
    const focused = this.#list.contains(document.activeElement)
      ? /** @type {HTMLElement} */ (document.activeElement).dataset.row
      : undefined;
    const items = rows.map((row) => {
      const id = this.#ids[row];
      const state = watched.has(id) ? words.text('map.watched') : suggested.has(id) ? words.text('map.suggested') : '';
      const name = this.#titles.get(id) ?? '';
      return element(
        'li',
        {},
        button(
          { 'data-row': row, 'aria-pressed': String(watched.has(id)) },
          name,
          ...(state ? [element('span', { class: 'map-state' }, ` ${state}`)] : []),
        ),
      );
    });
    this.#list.replaceChildren(...items);
    /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-row="${focused}"]`))?.focus();
  }

  /** Draws in the next frame. Several calls before it draw once. */
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
