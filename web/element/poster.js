/** Typographic posters, drawn from title, year and genres alone. No image is fetched unless the site has its own. */

import { element, svg } from './dom.js';
import { PATTERNS } from './poster-patterns.js';
import { SCENES } from './poster-scenes.js';

/**
 * A movie with a poster.
 * @typedef {object} Billed
 * @property {number} movieId
 * @property {string | null} [key]
 * @property {string} title
 * @property {number | null} year
 * @property {string[]} genres
 * @property {string | null} [imdb]
 * @property {number | null} [tmdb]
 */

/**
 * How the posters look. It is a file, `posters.json`, so that a site can give genres of its own a look.
 * @typedef {object} Style
 * @property {Record<string, [ground: string, ink: string, accent: string, second: string]>} palettes the contrast of
 *   every ink on its ground is at least 4.5 to 1; a test measures it.
 * @property {Record<string, Voice>}  voices system fonts only. No two systems have the same, so each voice
 *   must look right in its fallbacks.
 * @property {Record<string, Kind>} kinds by genre, the most telling genre first.
 * @property {Kind} other for all other movies.
 *
 * @typedef {object} Kind the possible looks of a genre.
 * @property {string[]} palettes
 * @property {string[]} voices
 * @property {string[]} drawings names of functions in `poster-patterns.js` and `poster-scenes.js`.
 *
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

/** @type {Record<string, import('./draw.js').Drawing>} */
const DRAWINGS = { ...PATTERNS, ...SCENES };

/** Arrangements of words and picture. */
const LAYOUTS = ['below', 'above', 'plate', 'below', 'framed'];

/** The title's widest line and its greatest height, in hundredths of the poster's width. */
const TITLE_WIDTH = 84;
const TITLE_HEIGHT = 60;
const SMALLEST = 7.5;

/** A movie's own random numbers, the same every time (mulberry32). @param {number} seed */
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
    ruler ??= /** @type {HTMLCanvasElement} */ (element('canvas')).getContext('2d');
    if (ruler) ruler.font = font;
    // Some browsers forbid a canvas, against fingerprinting. Then a generous guess keeps words inside the poster.
    width = (ruler ? ruler.measureText(word).width : word.length * 66) + word.length * voice.spacing * 100;
    widths.set(key, width);
  }
  return width / 100;
}

/**
 * The largest size of type in which the title fits, found by setting it line by line.
 * @param {string} text
 * @param {Voice} voice
 */
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
 * @param {Style} style
 * @param {Billed} movie
 * @param {{silent?: boolean}} [options] `silent` hides the poster from screen readers, for
 *   places where the title is next to it.
 */
function poster({ palettes, voices, kinds, other }, { movieId, title, year, genres }, { silent = false } = {}) {
  const random = randomBy(movieId);
  const telling = Object.keys(kinds).filter((genre) => genres.includes(genre)).map((genre) => kinds[genre]);
  if (telling.length === 0) telling.push(other);
  // The most telling genre decides the type, and mostly the colours. The picture may come from any of the movie's
  // genres: a list of war movies should not be one picture twelve times.
  const [main] = telling;
  const voice = voices[pick(main.voices, random)];
  const [ground, ink, accent, second] =
    palettes[pick((random() < 0.65 ? main : pick(telling, random)).palettes, random)];
  const layout = pick(LAYOUTS, random);
  const draw = DRAWINGS[pick(pick(telling, random).drawings, random)];

  // "(a.k.a. …)" doesn't belong on a poster.
  const short = title.replace(/\s*\([^)]*\)/g, '').trim() || title;
  const text = voice.upper ? short.toLocaleUpperCase('en') : voice.lower ? short.toLocaleLowerCase('en') : short;
  const art = svg(
    'svg',
    { viewBox: '0 0 200 200', preserveAspectRatio: 'xMidYMid slice', class: 'poster-art', 'aria-hidden': 'true' },
    ...draw({ ground, ink, accent, second }, random),
  );
  const name = element('span', { class: 'poster-title' }, short);
  const words = element('span', { class: 'poster-words' }, name);
  // The space is for screen readers.
  if (year !== null) words.append(' ', element('span', { class: 'poster-year' }, String(year)));
  const sheet = element('span', { class: `poster poster-${layout}`, 'aria-hidden': silent && 'true' }, art, words);

  // Set by script, because a strict policy forbids style attributes.
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
 * An address from a site's template; null if the movie lacks a part of it or the result isn't a web address.
 * @param {string} template for instance `/posters/{imdb}.jpg`
 * @param {Billed} movie
 * @returns {string | null}
 */
export function addressOf(template, movie) {
  let whole = true;
  const address = template.replace(/\{(movieId|key|imdb|tmdb|title|year)\}/g, (_, part) => {
    const value = movie[/** @type {keyof Billed} */ (part)];
    whole &&= value !== null && value !== undefined;
    return encodeURIComponent(String(value));
  });
  if (!whole) return null;
  try {
    const url = new URL(address, new Image().baseURI);
    return /^https?:$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Draws the posters of one widget, with the site's images over them. */
export class Billboard {
  #style;
  #template;

  /**
   * @param {Style} style
   * @param {string} template for the addresses of the site's own images; drawn posters if empty.
   */
  constructor(style, template) {
    this.#style = style;
    this.#template = template;
  }

  /** @param {Billed} movie @param {{silent?: boolean}} [options] */
  poster(movie, options) {
    const sheet = poster(this.#style, movie, options);
    const source = this.#template && addressOf(this.#template, movie);
    if (source) {
      const image = /** @type {HTMLImageElement} */ (
        element('img', {
          class: 'poster-image',
          loading: 'lazy',
          decoding: 'async',
          alt: '',
          referrerpolicy: 'no-referrer',
        })
      );
      // The drawn poster shows until the image has loaded, and if there is none.
      image.addEventListener('error', () => image.remove());
      image.src = source;
      sheet.append(image);
    }
    return sheet;
  }
}
