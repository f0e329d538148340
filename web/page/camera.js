/** The visible part of the map. It converts map coordinates, from 0 to 1, to pixels, and pans and zooms. */

/** The largest zoom. Single movies are apart at it. */
const MOST_ZOOM = 60;

export class Camera {
  /** The point of the map in the middle of the view. */
  x = 0.5;
  y = 0.5;
  zoom = 1;
  width = 1;
  height = 1;

  /** The size of the whole map in pixels. */
  get scale() {
    return Math.min(this.width, this.height) * 0.94 * this.zoom;
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  toView(x, y) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 + (y - this.y) * this.scale];
  }

  /** @param {number} left @param {number} top @returns {[number, number]} */
  toMap(left, top) {
    return [this.x + (left - this.width / 2) / this.scale, this.y + (top - this.height / 2) / this.scale];
  }

  /** Moves the map by pixels. @param {number} right @param {number} down */
  pan(right, down) {
    this.#place(this.x - right / this.scale, this.y - down / this.scale);
  }

  /**
   * Zooms. The point of the map under this pixel stays where it is.
   * @param {number} factor
   * @param {number} [left]
   * @param {number} [top]
   */
  zoomBy(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toMap(left, top);
    this.zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    const [nowX, nowY] = this.toMap(left, top);
    this.#place(this.x + x - nowX, this.y + y - nowY);
  }

  whole() {
    this.zoom = 1;
    this.#place(0.5, 0.5);
  }

  /** Shows all of these points, with a limit to the zoom. @param {readonly [number, number][]} points */
  fit(points) {
    if (points.length === 0) return;
    const range = (/** @type {number[]} */ values) => [Math.min(...values), Math.max(...values)];
    const [left, right] = range(points.map(([x]) => x));
    const [top, bottom] = range(points.map(([, y]) => y));
    this.zoom = Math.min(12, Math.max(1, 0.8 / Math.max(right - left, bottom - top, 0.01)));
    this.#place((left + right) / 2, (top + bottom) / 2);
  }

  /** Moves the middle of the view. It stays on the map, so nobody gets lost. @param {number} x @param {number} y */
  #place(x, y) {
    this.x = Math.min(1, Math.max(0, x));
    this.y = Math.min(1, Math.max(0, y));
  }
}
