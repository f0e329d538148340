/** The widget's tree: what stands in it from the start, by name. Everything else is put in by whoever owns the place. */

import { WatchNextError } from '../runtime.js';
import { PATIENCE_MS } from './own-file.js';

/**
 * The document with the tree. Asked for by XMLHttpRequest, since it has a file parsed as HTML without a string of markup in between,
 * which sites with Trusted Types forbid.
 * @param {URL} url
 * @returns {Promise<Document>}
 */
export function readTree(url) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('GET', url);
    request.responseType = 'document';
    request.timeout = PATIENCE_MS;
    request.addEventListener('loadend', () => {
      if (request.status === 200 && request.response?.getElementById('root')) return resolve(request.response);
      const reason = request.status ? `the server answered ${request.status}` : 'the connection or the policy (connect-src) prevents it';
      reject(new WatchNextError('fetch-failed', `${url} could not be read (${reason}). Put the whole folder on the server, or try again.`, url.href));
    });
    request.send();
  });
}

/** Attributes that hold words, by the name that says which. */
const SPOKEN = { wordsLabel: 'aria-label', wordsTitle: 'title', wordsPlaceholder: 'placeholder' };

/** Puts texts where they are asked for. @param {ParentNode} root @param {import('./words.js').Words} words */
export function fill(root, words) {
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-words], [data-words-label], [data-words-title], [data-words-placeholder]'))) {
    const { dataset } = node;
    if (dataset.words) node.textContent = words.text(dataset.words);
    for (const [name, attribute] of Object.entries(SPOKEN)) {
      const key = dataset[name];
      if (key) node.setAttribute(attribute, words.text(key));
    }
  }
}

export class View {
  #shadow;
  #copies;

  /**
   * @param {ShadowRoot} shadow gets the tree, in place of what it showed until now.
   * @param {Document} tree
   * @param {import('./words.js').Words} words
   */
  constructor(shadow, tree, words) {
    this.#shadow = shadow;
    this.words = words;
    const { body } = tree;
    fill(body, words);
    this.root = /** @type {HTMLElement} */ (body.querySelector('#root'));
    this.root.lang = words.language;
    this.#copies = /** @type {HTMLElement} */ (body.querySelector('#copies'));
  }

  /** Shows the tree in place of what is there, but for its styles: a sheet that was taken out and put back would load again. @param {readonly Element[]} styles */
  show(styles) {
    for (const node of [...this.#shadow.children]) if (!styles.includes(node)) node.remove();
    this.#shadow.append(this.root);
  }

  /**
   * The element with this name.
   * @param {string} id
   * @returns {any}
   */
  get(id) {
    return this.root.querySelector(`#${id}`);
  }

  /**
   * A new copy of what is shown many times, and its parts by their classes.
   * @param {'frame' | 'card' | 'tile'} name
   * @returns {[HTMLElement, (part: string) => any]}
   */
  copy(name) {
    const copy = /** @type {HTMLElement} */ (/** @type {Element} */ (this.#copies.querySelector(`#copy-${name}`)).cloneNode(true));
    copy.removeAttribute('id');
    return [copy, (part) => copy.querySelector(`.${part}`)];
  }

  /** What has the focus within the widget. */
  get focused() {
    return this.#shadow.activeElement;
  }
}
