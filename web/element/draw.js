/** The shapes that posters are drawn with, and the types of their drawings. */

import { svg } from './dom.js';

/**
 * @typedef {object} Palette
 * @property {string} ground
 * @property {string} ink the colour of words; its contrast on the ground is at least 4.5 to 1.
 * @property {string} accent
 * @property {string} second
 *
 * @typedef {() => number} Random numbers from 0 up to 1, the same sequence for the same movie.
 * @typedef {(colours: Palette, random: Random) => SVGElement[]} Drawing fills a square of 200 by 200; a poster shows
 *   its middle.
 */

export const circle = (
  /** @type {number} */ cx,
  /** @type {number} */ cy,
  /** @type {number} */ r,
  /** @type {string} */ fill,
) => svg('circle', { cx, cy, r, fill });
export const ring = (
  /** @type {number} */ cx,
  /** @type {number} */ cy,
  /** @type {number} */ r,
  /** @type {string} */ stroke,
  /** @type {number} */ width,
) => svg('circle', { cx, cy, r, fill: 'none', stroke, 'stroke-width': width });
export const box = (
  /** @type {number} */ x,
  /** @type {number} */ y,
  /** @type {number} */ width,
  /** @type {number} */ height,
  /** @type {string} */ fill,
) => svg('rect', { x, y, width, height, fill });
export const shape = (/** @type {string} */ d, /** @type {string} */ fill) => svg('path', { d, fill });
export const line = (/** @type {string} */ d, /** @type {string} */ stroke, /** @type {number} */ width) =>
  svg('path', { d, fill: 'none', stroke, 'stroke-width': width });

/** A random number between `low` and `high`. */
export const between = (/** @type {Random} */ random, /** @type {number} */ low, /** @type {number} */ high) =>
  low + random() * (high - low);
export const times = (/** @type {number} */ count, /** @type {(index: number) => SVGElement} */ draw) =>
  Array.from({ length: count }, (_, index) => draw(index));
