/**
 * Draws the map: each movie is a point in the colour of its family, with the visitor's own larger and titles where they
 * fit.
 */

/** @typedef {import('./camera.js').Camera} Camera */

/**
 * The families of movies, each with its genres. The most telling family comes first: a horror comedy is horror.
 * The colours are those of Okabe and Ito (2008), which colour-blind people can tell apart. Some are lighter, for a dark
 * ground.
 * @type {readonly {name: string, colour: string, genres: readonly string[]}[]}
 */
export const FAMILIES = [
  { name: 'fact', colour: '#b9b0a8', genres: ['Documentary'] },
  { name: 'young', colour: '#f0e442', genres: ['Children', 'Animation'] },
  { name: 'horror', colour: '#d55e00', genres: ['Horror'] },
  { name: 'fantastic', colour: '#8fd3ff', genres: ['Sci-Fi', 'Fantasy'] },
  { name: 'thrill', colour: '#3a7bea', genres: ['Crime', 'Film-Noir', 'Mystery', 'Thriller'] },
  { name: 'action', colour: '#e69f00', genres: ['Action', 'Adventure', 'War', 'Western'] },
  { name: 'comedy', colour: '#12b886', genres: ['Comedy', 'Musical'] },
  { name: 'drama', colour: '#cc79a7', genres: ['Drama', 'Romance'] },
];

/** The radius of the larger points, in pixels. */
const MARK_RADIUS = 6;
const LABEL_FONT = '600 13px "Avenir Next", "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const LABEL_HEIGHT = 17;

/** A colour as a pixel, whose bytes are red, green, blue and opacity. @param {string} colour as `#rrggbb` */
function pixelOf(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return new Uint32Array(Uint8Array.of(red, green, blue, 255).buffer)[0];
}

const NIGHT = pixelOf('#120e10');

/**
 * The family of a movie. One without any gets the first, which is grey.
 * @param {number} mask bits of genres
 * @param {readonly string[]} genres
 */
function familyOf(mask, genres) {
  const found = FAMILIES.findIndex((family) => family.genres.some((name) => mask & (1 << genres.indexOf(name))));
  return Math.max(found, 0);
}

export class Constellation {
  #positions;
  /** Each movie's colour. */
  #colours;
  /** The picture of all points, in the canvas's own size. @type {ImageData | undefined} */
  #picture;
  /** The places of the titles that are drawn. @type {{left: number, top: number, right: number, bottom: number}[]} */
  #taken = [];

  /**
   * @param {import('../runtime.js').MovieMap} map
   * @param {readonly string[]} genres
   */
  constructor({ movieIds, positions, genres: masks }, genres) {
    this.#positions = positions;
    this.count = movieIds.length;
    const colours = FAMILIES.map(({ colour }) => pixelOf(colour));
    this.#colours = Uint32Array.from(masks, (mask) => colours[familyOf(mask, genres)]);
  }

  /** The place of a movie on the map. @param {number} row @returns {[number, number]} */
  at(row) {
    return [this.#positions[2 * row], this.#positions[2 * row + 1]];
  }

  /**
   * Rows of the movies nearest to a point of the map, nearest first.
   * @param {number} x
   * @param {number} y
   * @param {number} count
   * @param {number} [within] in map units
   */
  nearest(x, y, count, within = Infinity) {
    /** @type {[number, number][]} */
    const best = [];
    let limit = within * within;
    for (let row = 0; row < this.count; row++) {
      const away = (this.#positions[2 * row] - x) ** 2 + (this.#positions[2 * row + 1] - y) ** 2;
      if (away >= limit) continue;
      best.push([away, row]);
      best.sort(([one], [other]) => one - other);
      if (best.length > count) best.pop();
      if (best.length === count) [limit] = best[count - 1];
    }
    return best.map(([, row]) => row);
  }

  /**
   * Draws the visible part of the map.
   * @param {CanvasRenderingContext2D} context in CSS pixels.
   * @param {Camera} camera
   * @param {object} marks
   * @param {ReadonlyMap<number, string>} marks.watched rows of the visitor's movies, with their titles.
   * @param {ReadonlyMap<number, string>} marks.suggested
   * @param {ReadonlyMap<number, string>} marks.known well-known movies, which get titles if there is room.
   * @param {number} marks.hovered a row, or −1.
   * @param {string} marks.hoveredTitle
   * @param {boolean} marks.cross whether to mark the middle, for visitors who use the keyboard.
   */
  draw(context, camera, { watched, suggested, known, hovered, hoveredTitle, cross }) {
    const { width, height } = camera;
    this.#paint(context, camera);
    this.#taken = [];
    for (const row of suggested.keys()) this.#mark(context, camera, row, false);
    for (const row of watched.keys()) this.#mark(context, camera, row, true);
    if (hovered >= 0) {
      this.#mark(context, camera, hovered, watched.has(hovered));
      this.#label(context, camera, hovered, hoveredTitle, '#ffffff');
    }
    for (const [row, title] of watched) this.#label(context, camera, row, title, '#ffc964');
    for (const [row, title] of suggested) this.#label(context, camera, row, title, '#ffffff');
    for (const [row, title] of known) this.#label(context, camera, row, title, '#b9aa9c');
    if (cross) {
      context.strokeStyle = '#fff4e4';
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(width / 2 - 9, height / 2);
      context.lineTo(width / 2 + 9, height / 2);
      context.moveTo(width / 2, height / 2 - 9);
      context.lineTo(width / 2, height / 2 + 9);
      context.stroke();
    }
  }

  /**
   * Writes the points as pixels. As thousands of canvas shapes they would take longer than a frame.
   * @param {CanvasRenderingContext2D} context
   * @param {Camera} camera
   */
  #paint(context, camera) {
    const { width, height } = context.canvas;
    const ratio = width / camera.width;
    if (this.#picture?.width !== width || this.#picture?.height !== height) {
      this.#picture = context.createImageData(Math.max(1, width), Math.max(1, height));
    }
    const pixels = new Uint32Array(this.#picture.data.buffer);
    pixels.fill(NIGHT);
    const size = Math.max(2, Math.round(ratio * Math.min(8, 1.7 + 0.8 * Math.sqrt(camera.zoom))));
    const [left, top] = camera.toView(0, 0).map((edge) => edge * ratio - size / 2);
    const scale = camera.scale * ratio;
    for (let row = 0; row < this.count; row++) {
      const x = Math.round(left + this.#positions[2 * row] * scale);
      const y = Math.round(top + this.#positions[2 * row + 1] * scale);
      if (x < 0 || y < 0 || x + size > width || y + size > height) continue;
      const colour = this.#colours[row];
      for (let line = 0; line < size; line++) {
        // A small square without its corners is a disc.
        const inset = size > 3 && (line === 0 || line === size - 1) ? 1 : 0;
        const start = (y + line) * width + x;
        pixels.fill(colour, start + inset, start + size - inset);
      }
    }
    context.putImageData(this.#picture, 0, 0);
  }

  /**
   * Marks a watched movie with a disc and a suggested one with a ring: they differ by more than colour.
   * @param {CanvasRenderingContext2D} context
   * @param {Camera} camera
   * @param {number} row
   * @param {boolean} full
   */
  #mark(context, camera, row, full) {
    const [left, top] = camera.toView(...this.at(row));
    context.beginPath();
    context.arc(left, top, MARK_RADIUS, 0, 2 * Math.PI);
    context.fillStyle = full ? '#f2b64a' : '#120e10';
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = full ? '#120e10' : '#ffffff';
    context.stroke();
  }

  /**
   * Writes a title next to its point, unless another title is there.
   * @param {CanvasRenderingContext2D} context
   * @param {Camera} camera
   * @param {number} row
   * @param {string} title
   * @param {string} colour
   */
  #label(context, camera, row, title, colour) {
    const [left, top] = camera.toView(...this.at(row));
    if (left < -20 || top < 0 || left > camera.width || top > camera.height) return;
    context.font = LABEL_FONT;
    const wide = context.measureText(title).width;
    // To the left of the point if there is no room on the right.
    const from = left + MARK_RADIUS + 5 + wide > camera.width ? left - MARK_RADIUS - 5 - wide : left + MARK_RADIUS + 5;
    const box = { left: from - 3, top: top - LABEL_HEIGHT / 2, right: from + wide + 3, bottom: top + LABEL_HEIGHT / 2 };
    if (
      this.#taken.some(
        (other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom,
      )
    )
      return;
    this.#taken.push(box);
    context.lineWidth = 3;
    context.lineJoin = 'round';
    context.strokeStyle = 'rgb(18 14 16 / 85%)';
    context.textBaseline = 'middle';
    context.strokeText(title, from, top);
    context.fillStyle = colour;
    context.fillText(title, from, top);
  }
}
