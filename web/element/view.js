/** The widget's tree: its elements by name. Each element's owner fills it. */

import { PATIENCE_MS, unreadable } from './own-file.js';

/**
 * The document with the tree. XMLHttpRequest parses a file as HTML without a string of markup in between, which sites
 * with Trusted Types forbid.
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
      reject(unreadable(url, request.status ? `the server answered ${request.status}` : 'no answer'));
    });
    request.send();
  });
}

/** Attributes that hold words, by the dataset name of their key. */
const SPOKEN = { wordsLabel: 'aria-label', wordsTitle: 'title', wordsPlaceholder: 'placeholder' };

/**
 * Fills in the texts that elements ask for by `data-words`.
 * @param {ParentNode} root
 * @param {import('./words.js').Words} words
 */
export function fill(root, words) {
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (
    root.querySelectorAll('[data-words], [data-words-label], [data-words-title], [data-words-placeholder]')
  )) {
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
   * @param {ShadowRoot} shadow where the tree will be shown.
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

  /**
   * Shows the tree. It replaces everything but the styles: a sheet that is taken out and put back loads again.
   * @param {readonly Element[]} styles
   */
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
   * A new copy of an element that is shown many times, and a function that finds its parts by class.
   * @param {'frame' | 'card' | 'tile'} name
   * @returns {[HTMLElement, (part: string) => any]}
   */
  copy(name) {
    const copy = /** @type {HTMLElement} */ (
      /** @type {Element} */ (this.#copies.querySelector(`#copy-${name}`)).cloneNode(true)
    );
    copy.removeAttribute('id');
    return [copy, (part) => copy.querySelector(`.${part}`)];
  }

  /** The element that has the focus in the widget. */
  get focused() {
    return this.#shadow.activeElement;
  }
}
