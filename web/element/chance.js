/** The chance that the visitor likes a suggestion: in words, as a percentage, and as a bar. */

/** @typedef {import('./words.js').Words} Words */

/** Names of chances, each with its least percentage, the highest first. @type {[number, string][]} */
const NAMES = [
  [85, 'chance.sure'],
  [70, 'chance.very'],
  [55, 'chance.likely'],
  [45, 'chance.even'],
  [0, 'chance.gamble'],
];

/**
 * The chance as it is shown, from 1 to 99 %. The name follows the rounded number, so the two always agree.
 * @param {number} like
 */
function rounded(like) {
  const percent = Math.min(99, Math.max(1, Math.round(100 * like)));
  const [, name] = /** @type {[number, string]} */ (NAMES.find(([least]) => percent >= least));
  return { percent, name };
}

/** A chance as a sentence; empty if none is known. @param {Words} words @param {number | null} like */
export function spokenChance(words, like) {
  if (like === null) return '';
  const { percent, name } = rounded(like);
  return words.text('chance.spoken', { name: words.text(name), percent });
}

/**
 * Shows a chance on a card.
 * @param {Words} words
 * @param {HTMLElement} place
 * @param {number | null} like null without a ranker.
 */
export function showChance(words, place, like) {
  const label = /** @type {HTMLElement} */ (place.querySelector('.chance-words'));
  place.classList.toggle('chance-unknown', like === null);
  if (like === null) {
    label.textContent = '';
    return;
  }
  const { percent, name } = rounded(like);
  const text = `${words.text(name)} · ${percent}\u00a0%`;
  if (label.textContent === text) return;
  label.textContent = text;
  // Set by script, because a strict policy forbids style attributes.
  place.style.setProperty('--chance', String(percent / 100));
}
