/** How likely the visitor is to like a suggestion: in words, as a number, and as a bar that the eye compares at once. */

/** @typedef {import('./words.js').Words} Words */

/** What a chance of at least so many percent is called, the highest first. @type {[number, string][]} */
const NAMES = [
  [85, 'chance.sure'],
  [70, 'chance.very'],
  [55, 'chance.likely'],
  [45, 'chance.even'],
  [0, 'chance.gamble'],
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

/** A chance in a sentence of its own, empty where none is known. @param {Words} words @param {number | null} like */
export function spokenChance(words, like) {
  if (like === null) return '';
  const { percent, name } = rounded(like);
  return words.text('chance.spoken', { name: words.text(name), percent });
}

/** Shows a chance in its place on a card. @param {Words} words @param {HTMLElement} place @param {number | null} like null where no ranker has spoken. */
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
  // Through the object model, because a strict policy forbids style attributes.
  place.style.setProperty('--chance', String(percent / 100));
}
