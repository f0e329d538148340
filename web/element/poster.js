/** Typographic posters, drawn from title, year and genres alone: no image is fetched unless the site names its own. */

import { element, svg } from './dom.js';
import * as patterns from './poster-patterns.js';
import * as scenes from './poster-scenes.js';

/** @typedef {{movieId: number, title: string, year: number | null, genres: string[], imdb?: string | null, tmdb?: number | null}} Billed */

/** Ground, ink, accent, second. Every ink has at least 4.5 to 1 on its ground, which a test measures. */
const PALETTES = {
  noir: ['#1b1a1f', '#f3e9d2', '#d64933', '#6d6875'],
  cream: ['#f1e4c8', '#1f2430', '#c8402f', '#2f6f73'],
  mustard: ['#e8b23a', '#231a12', '#b3341f', '#f6ead0'],
  teal: ['#12505b', '#f6ead0', '#f0a33c', '#0b2f38'],
  tomato: ['#b8321c', '#fff1d8', '#f4b942', '#5e140b'],
  midnight: ['#16213f', '#f2ead6', '#e2553d', '#6fa3c8'],
  blush: ['#f0c9b8', '#3a1420', '#b92c41', '#f9f0e4'],
  forest: ['#1f3d2c', '#f0e6c8', '#d9a441', '#7fa66a'],
  sky: ['#a9cfd6', '#14262e', '#df4f27', '#f5efdc'],
  violet: ['#33214f', '#f3e6f5', '#e07a9b', '#f0b65a'],
  bone: ['#ece7de', '#16130f', '#b3341f', '#b9b0a2'],
  rust: ['#7a2e1a', '#f8e5c4', '#e9a23b', '#3a160d'],
  mint: ['#bfe0c8', '#17301f', '#e4603b', '#fdf5e0'],
  plum: ['#5a1238', '#fbe5dc', '#f08a5d', '#2b0a1c'],
  steel: ['#38434f', '#f4efe6', '#e8c14d', '#8fa3b3'],
  lemon: ['#f3df6b', '#20222a', '#2d5fa8', '#e0492f'],
  blood: ['#120d0e', '#f4e7dc', '#b3131b', '#4a1216'],
  rose: ['#d94f70', '#1f0912', '#ffe3d3', '#7c1838'],
};

/** How a kind of movie speaks: its palettes and its type. Sorted by how much the genre says about a movie, the most first. */
const KINDS = {
  'Film-Noir': { palettes: ['noir', 'bone', 'steel'], voices: ['didone', 'narrow'] },
  Western: { palettes: ['rust', 'mustard', 'cream', 'tomato'], voices: ['slab'] },
  Musical: { palettes: ['rose', 'violet', 'lemon', 'plum'], voices: ['didone', 'italic'] },
  Horror: { palettes: ['blood', 'noir', 'tomato', 'bone'], voices: ['didone', 'narrow'] },
  War: { palettes: ['forest', 'steel', 'rust', 'cream'], voices: ['slab', 'narrow'] },
  Documentary: { palettes: ['bone', 'lemon', 'sky'], voices: ['mono', 'grotesk'] },
  'Sci-Fi': { palettes: ['midnight', 'violet', 'noir', 'teal', 'steel'], voices: ['wide', 'mono'] },
  Animation: { palettes: ['sky', 'lemon', 'mint', 'violet', 'rose'], voices: ['grotesk', 'round'] },
  Fantasy: { palettes: ['violet', 'forest', 'teal', 'plum'], voices: ['serif', 'didone'] },
  Mystery: { palettes: ['teal', 'noir', 'plum', 'mustard'], voices: ['serif', 'narrow'] },
  Crime: { palettes: ['mustard', 'noir', 'tomato', 'cream', 'bone'], voices: ['narrow', 'grotesk', 'slab'] },
  Romance: { palettes: ['blush', 'rose', 'plum', 'cream'], voices: ['italic', 'serif'] },
  Children: { palettes: ['mint', 'sky', 'lemon'], voices: ['round', 'grotesk'] },
  Adventure: { palettes: ['teal', 'mustard', 'forest', 'rust'], voices: ['slab', 'wide'] },
  Thriller: { palettes: ['noir', 'steel', 'midnight', 'lemon'], voices: ['narrow', 'grotesk'] },
  Action: { palettes: ['tomato', 'midnight', 'mustard', 'steel'], voices: ['narrow', 'wide'] },
  Comedy: { palettes: ['lemon', 'sky', 'blush', 'mint', 'rose'], voices: ['grotesk', 'round', 'italic'] },
  Drama: { palettes: ['cream', 'teal', 'bone', 'plum', 'forest', 'midnight'], voices: ['serif', 'italic', 'grotesk'] },
};
/** The pictures of each kind of movie. */
const DRAWINGS = {
  'Film-Noir': [scenes.blinds, scenes.keyhole, scenes.skyline],
  Western: [scenes.mesa, scenes.road, scenes.horizon],
  Musical: [patterns.bars, scenes.spotlights, scenes.flower],
  Horror: [patterns.teeth, scenes.eye, scenes.moonlight],
  War: [patterns.chevrons, patterns.strips, patterns.slant, scenes.horizon],
  Documentary: [patterns.grid, patterns.orbits, scenes.eye],
  'Sci-Fi': [scenes.planet, scenes.vanishing, patterns.vertigo, patterns.orbits],
  Animation: [scenes.bounce, scenes.rainbow, scenes.balloons, patterns.fan],
  Fantasy: [scenes.moonlight, scenes.peaks, scenes.arches],
  Mystery: [scenes.keyhole, patterns.vertigo, scenes.eye, patterns.checker],
  Crime: [patterns.shards, scenes.skyline, scenes.table, patterns.strips],
  Romance: [patterns.pair, scenes.flower, scenes.table, scenes.moonlight],
  Children: [scenes.rainbow, scenes.balloons, scenes.bounce],
  Adventure: [scenes.waves, scenes.peaks, scenes.horizon, scenes.road],
  Thriller: [patterns.target, patterns.shards, patterns.slant, patterns.checker],
  Action: [patterns.burst, patterns.slant, scenes.vanishing, patterns.strips],
  Comedy: [patterns.tiles, patterns.fan, patterns.pair, scenes.balloons],
  Drama: [scenes.stairs, scenes.windows, scenes.arches, scenes.horizon, scenes.road, patterns.strips],
};
const OTHER_DRAWINGS = [patterns.grid, patterns.tiles];

const OTHER_KIND = { palettes: Object.keys(PALETTES), voices: ['grotesk', 'serif'] };

const SERIF = '"Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, "Times New Roman", serif';
const SANS = '"Avenir Next", "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/**
 * @typedef {object} Voice how a title is set.
 * @property {string} font
 * @property {number} weight
 * @property {number} spacing between letters, in ems.
 * @property {number} leading
 * @property {number} largest size, in hundredths of the poster's width.
 * @property {boolean} [italic]
 * @property {boolean} [upper]
 * @property {boolean} [lower]
 */

/** Type by system fonts only; each must be able to fall back without loss, because no two systems have the same. */
const VOICES = {
  narrow: { font: 'Impact, Haettenschweiler, "Roboto Condensed", "Arial Narrow", "Liberation Sans Narrow", sans-serif', weight: 700, upper: true, spacing: 0.01, leading: 0.98, largest: 27 },
  serif: { font: SERIF, weight: 700, spacing: -0.01, leading: 1.02, largest: 19 },
  italic: { font: SERIF, weight: 500, italic: true, spacing: -0.01, leading: 1, largest: 21 },
  didone: { font: 'Didot, "Bodoni 72", "Bodoni MT", "Times New Roman", serif', weight: 400, upper: true, spacing: 0.02, leading: 1.02, largest: 20 },
  grotesk: { font: SANS, weight: 800, spacing: -0.035, leading: 0.98, largest: 20 },
  round: { font: 'ui-rounded, "SF Pro Rounded", "Arial Rounded MT Bold", "Trebuchet MS", "Nunito", Arial, sans-serif', weight: 800, lower: true, spacing: -0.02, leading: 1, largest: 20 },
  wide: { font: 'Futura, "Century Gothic", "Avenir Next", "Segoe UI", Roboto, Arial, sans-serif', weight: 600, upper: true, spacing: 0.1, leading: 1.14, largest: 16 },
  slab: { font: 'Rockwell, "Roboto Slab", "Bookman Old Style", Georgia, "Times New Roman", serif', weight: 700, upper: true, spacing: 0.02, leading: 1.04, largest: 19 },
  mono: { font: 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace', weight: 700, spacing: -0.04, leading: 1.06, largest: 16 },
};

/** Where words and picture stand. */
const LAYOUTS = ['below', 'above', 'plate', 'below', 'framed'];

/** The title's widest line and its greatest height, in hundredths of the poster's width. */
const TITLE_WIDTH = 84;
const TITLE_HEIGHT = 60;
const SMALLEST = 7.5;

/** A short sequence of numbers that a movie always repeats (mulberry32). @param {number} seed */
function randomBy(seed) {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @type {CanvasRenderingContext2D | null | undefined} */
let ruler;
/** @type {Map<string, number>} Widths of words in hundredths of an em, by font. */
const widths = new Map();

/** @param {string} word @param {Voice} voice */
function widthOf(word, voice) {
  const font = `${voice.italic ? 'italic ' : ''}${voice.weight} 100px ${voice.font}`;
  const key = `${font} ${word}`;
  let width = widths.get(key);
  if (width === undefined) {
    ruler ??= document.createElement('canvas').getContext('2d');
    if (ruler) ruler.font = font;
    // Without a canvas (some browsers forbid it against fingerprinting) a broad guess keeps words inside the poster.
    width = (ruler ? ruler.measureText(word).width : word.length * 66) + word.length * voice.spacing * 100;
    widths.set(key, width);
  }
  return width / 100;
}

/** The largest type in which the title's words fit, found by setting them line by line. @param {string} text @param {Voice} voice */
function fit(text, voice) {
  const words = text.split(/\s+/).map((word) => widthOf(word, voice));
  const space = widthOf(' ', voice);
  for (let size = voice.largest; size > SMALLEST; size -= 0.5) {
    let lines = 1;
    let used = 0;
    for (const width of words) {
      const wider = used ? used + space + width : width;
      if (wider * size > TITLE_WIDTH && used) {
        lines += 1;
        used = width;
      } else {
        used = wider;
      }
      if (width * size > TITLE_WIDTH) lines = Infinity;
    }
    if (lines * size * voice.leading <= TITLE_HEIGHT) return size;
  }
  return SMALLEST;
}

/** @template T @param {readonly T[]} list @param {() => number} random */
const pick = (list, random) => list[Math.floor(random() * list.length)];

/**
 * A movie's poster.
 * @param {Billed} movie
 * @param {{silent?: boolean}} [options] `silent` where the title stands beside the poster, so that it isn't read out twice.
 */
function poster({ movieId, title, year, genres }, { silent = false } = {}) {
  const random = randomBy(movieId);
  const telling = Object.keys(KINDS).filter((genre) => genres.includes(genre));
  // The most telling genre has the say about type and mostly about colour; the picture may come from any of the movie's
  // genres, so that a list of war movies isn't one picture twelve times.
  const [main] = telling;
  const kindOf = (/** @type {string} */ genre) => /** @type {Record<string, typeof OTHER_KIND>} */ (KINDS)[genre] ?? OTHER_KIND;
  const voice = /** @type {Record<string, Voice>} */ (VOICES)[pick(kindOf(main).voices, random)];
  const colours = pick(kindOf(random() < 0.65 ? main : pick(telling, random)).palettes, random);
  const [ground, ink, accent, second] = /** @type {Record<string, string[]>} */ (PALETTES)[colours];
  const layout = pick(LAYOUTS, random);
  const drawings = /** @type {Record<string, import('./draw.js').Drawing[]>} */ (DRAWINGS)[pick(telling, random)];
  const draw = pick(drawings ?? OTHER_DRAWINGS, random);

  // "(a.k.a. …)" has no place on a poster.
  const short = title.replace(/\s*\([^)]*\)/g, '').trim() || title;
  const text = voice.upper ? short.toLocaleUpperCase('en') : voice.lower ? short.toLocaleLowerCase('en') : short;
  const art = svg(
    'svg',
    { viewBox: '0 0 200 200', preserveAspectRatio: 'xMidYMid slice', class: 'poster-art', 'aria-hidden': 'true' },
    ...draw({ ground, ink, accent, second }, random),
  );
  const name = element('span', { class: 'poster-title' }, short);
  const words = element('span', { class: 'poster-words' }, name);
  // The space is for those who hear the words.
  if (year !== null) words.append(' ', element('span', { class: 'poster-year' }, String(year)));
  const sheet = element('span', { class: `poster poster-${layout}`, 'aria-hidden': silent && 'true' }, art, words);

  // Written through the object model, because a strict policy forbids style attributes.
  sheet.style.setProperty('--ground', ground);
  sheet.style.setProperty('--ink', ink);
  sheet.style.setProperty('--accent', accent);
  name.style.fontFamily = voice.font;
  name.style.fontWeight = String(voice.weight);
  if (voice.italic) name.style.fontStyle = 'italic';
  if (voice.upper) name.style.textTransform = 'uppercase';
  if (voice.lower) name.style.textTransform = 'lowercase';
  name.style.letterSpacing = `${voice.spacing}em`;
  name.style.lineHeight = String(voice.leading);
  name.style.setProperty('--size', String(fit(text, voice)));
  return sheet;
}

/**
 * An address made from a site's template, null where the movie lacks a part of it or the outcome is no web address.
 * @param {string} template for instance `/posters/{imdb}.jpg`
 * @param {Billed} movie
 * @returns {string | null}
 */
export function addressOf(template, movie) {
  let whole = true;
  const address = template.replace(/\{(movieId|imdb|tmdb|title|year)\}/g, (_, part) => {
    const value = movie[/** @type {keyof Billed} */ (part)];
    whole &&= value !== null && value !== undefined;
    return encodeURIComponent(String(value));
  });
  if (!whole) return null;
  try {
    const url = new URL(address, document.baseURI);
    return /^https?:$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Draws the posters of one widget: its own, or the site's images over them. */
export class Billboard {
  /** The site's template for the addresses of its images; none if empty. */
  template = '';

  /** @param {Billed} movie @param {{silent?: boolean}} [options] */
  poster(movie, options) {
    const sheet = poster(movie, options);
    const source = this.template && addressOf(this.template, movie);
    if (source) {
      const image = /** @type {HTMLImageElement} */ (element('img', { class: 'poster-image', loading: 'lazy', decoding: 'async', alt: '', referrerpolicy: 'no-referrer' }));
      // The drawn poster stands beneath, for as long as the image takes and where there is none.
      image.addEventListener('error', () => image.remove());
      image.src = source;
      sheet.append(image);
    }
    return sheet;
  }
}
