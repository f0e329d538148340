/** Errors in a visitor's words: what happened, what to do, and the technical line for whoever runs the site. */

import { element } from './dom.js';

/**
 * @typedef {object} Words
 * @property {string} title
 * @property {string} advice
 */

const DAMAGED = {
  title: 'A file arrived damaged',
  advice: 'It may have been cut short on the way. Trying again fetches it afresh.',
};
const MISMATCH = {
  title: "This site's model doesn't fit this page",
  advice: 'Somebody is probably updating the site. Try again in a few minutes.',
};
const MODEL = {
  title: "This site's model can't be used",
  advice: 'Trying again may help if the site is being updated. Otherwise its owner has to replace the model.',
};

/** @type {Record<string, Words>} */
const WORDS = {
  'fetch-failed': { title: "The movies couldn't be fetched", advice: 'You may be offline. Check your connection and try again.' },
  'http-status': { title: 'A file is missing on this site', advice: 'Try again in a moment; the site may be in the middle of an update.' },
  timeout: { title: 'The download stalled', advice: 'Nothing arrived for a while. Check your connection and try again.' },
  'wasm-blocked': { title: "This site's security policy stops the recommender", advice: "The site's owner has to allow WebAssembly: 'wasm-unsafe-eval' in script-src." },
  'worker-blocked': { title: "This site's security policy stops the recommender", advice: "The site's owner has to allow workers: worker-src 'self'. A page opened as a file can't work; it needs a web server." },
  'wasm-unsupported': { title: 'This browser is too old for the recommender', advice: 'Update it, or open the page in another browser. Your list stays as it is.' },
  'worker-unsupported': { title: 'This browser is too old for the recommender', advice: 'Update it, or open the page in another browser. Your list stays as it is.' },
  'worker-crashed': { title: 'The recommender stopped', advice: 'Your list is safe. Start it again.' },
  'wasm-invalid': DAMAGED,
  'file-size-mismatch': DAMAGED,
  'file-hash-mismatch': DAMAGED,
  'format-version-unsupported': MISMATCH,
  'features-version-mismatch': MISMATCH,
  'file-missing': MISMATCH,
};

/**
 * A panel that explains an error and offers to try again.
 * @param {import('../runtime.js').WatchNextError} error
 * @param {() => void} retry
 */
export function failurePanel(error, retry) {
  const { title, advice } = WORDS[error.code] ?? MODEL;
  const button = element('button', { type: 'button', class: 'primary' }, 'Try again');
  button.addEventListener('click', retry);
  return element(
    'div',
    { class: 'failure-panel', 'data-code': error.code },
    element('p', { class: 'failure-title' }, title),
    element('p', {}, advice),
    button,
    element(
      'details',
      {},
      element('summary', {}, 'What happened exactly'),
      element('p', { class: 'failure-detail' }, element('code', {}, error.code ?? 'unexpected'), ` ${error.message}`),
    ),
  );
}
