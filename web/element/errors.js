/** Errors in the visitor's words: what happened, what to do, and the technical message for the site's owner. */

import { button, element } from './dom.js';

/** The kind of texts for a code. Any other code is a fault of the site's model. @type {Record<string, string>} */
const KINDS = {
  'fetch-failed': 'offline',
  'http-status': 'missing',
  timeout: 'stalled',
  'wasm-blocked': 'policy-wasm',
  'worker-blocked': 'policy-worker',
  'wasm-unsupported': 'browser',
  'worker-unsupported': 'browser',
  'worker-crashed': 'crashed',
  'wasm-invalid': 'damaged',
  'file-size-mismatch': 'damaged',
  'file-hash-mismatch': 'damaged',
  'format-version-unsupported': 'mismatch',
  'features-version-mismatch': 'mismatch',
  'file-missing': 'mismatch',
};

/**
 * A panel that explains an error and offers to try again.
 * @param {import('./words.js').Words} words
 * @param {import('../runtime.js').WatchNextError} error
 * @param {() => void} retry
 */
export function failurePanel(words, error, retry) {
  const kind = Object.hasOwn(KINDS, error.code) ? KINDS[error.code] : 'model';
  const again = button({ class: 'primary' }, words.text('retry'));
  again.addEventListener('click', retry);
  return element(
    'div',
    { class: 'failure-panel', part: 'error', 'data-code': error.code },
    element('p', { class: 'failure-title' }, words.text(`error.${kind}.title`)),
    element('p', {}, words.text(`error.${kind}.advice`)),
    again,
    element(
      'details',
      {},
      element('summary', {}, words.text('error.details')),
      // The technical message stays in English.
      element(
        'p',
        { class: 'failure-detail', lang: 'en', dir: 'ltr' },
        element('code', {}, error.code ?? 'unexpected'),
        ` ${error.message}`,
      ),
    ),
  );
}
