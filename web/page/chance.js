/** How likely the visitor is to like a suggestion: in words, as a number, and as a bar that the eye compares at once. */

import { element, icon } from './dom.js';
import { UP } from './icons.js';

/** What a chance of at least so many percent is called, the highest first. @type {[number, string][]} */
const NAMES = [
  [85, 'almost surely'],
  [70, 'very likely'],
  [55, 'likely'],
  [45, 'a toss-up'],
  [0, 'a gamble'],
];

/**
 * The chance as it is shown. The name follows the rounded number, so that the two never disagree, and no taste is ever certain.
 * @param {number} like
 */
function rounded(like) {
  const percent = Math.min(99, Math.max(1, Math.round(100 * like)));
  const [, name] = /** @type {[number, string]} */ (NAMES.find(([least]) => percent >= least));
  return { percent, name };
}

/** A chance in a sentence of its own, empty where none is known. @param {number | null} like */
export function spokenChance(like) {
  if (like === null) return '';
  const { percent, name } = rounded(like);
  return `You'd like it: ${name}, ${percent} %.`;
}

/** The place of a chance, for `showChance` to fill. */
export function chance() {
  return element(
    'p',
    { class: 'chance chance-unknown', title: 'How likely you are to like it' },
    icon(UP),
    element('span', { class: 'visually-hidden' }, "You'd like it: "),
    element('span', { class: 'chance-words' }),
    element('span', { class: 'chance-bar', 'aria-hidden': 'true' }),
  );
}

/** @param {HTMLElement} place @param {number | null} like null where no ranker has spoken. */
export function showChance(place, like) {
  const words = /** @type {HTMLElement} */ (place.querySelector('.chance-words'));
  place.classList.toggle('chance-unknown', like === null);
  if (like === null) {
    words.textContent = '';
    return;
  }
  const { percent, name } = rounded(like);
  const text = `${name} · ${percent}\u00a0%`;
  if (words.textContent === text) return;
  words.textContent = text;
  // Through the object model, because a strict policy forbids style attributes.
  place.style.setProperty('--chance', String(percent / 100));
}
