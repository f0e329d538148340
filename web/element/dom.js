/**
 * Building elements. Text always goes in as text, never as markup: titles come from files and from storage. The document is asked by its
 * class, since its own properties are whatever a site's markup calls so (`<img name="createElement">`).
 */

const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {Record<string, string | number | boolean | null | undefined>} Attributes `true` writes the bare attribute; `false`, `null` and `undefined` leave it out. */

/**
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const node = Document.prototype.createElement.call(document, tag);
  set(node, attributes);
  node.append(...children);
  return node;
}

/**
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...Node} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const node = Document.prototype.createElementNS.call(document, SVG, tag);
  set(node, attributes);
  node.append(...children);
  return node;
}

/**
 * @param {Element} node
 * @param {Attributes} attributes
 */
function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    node.setAttribute(name, value === true ? '' : String(value));
  }
}

/** A button that sends no form. @param {Attributes} attributes @param {...(Node | string)} children */
export function button(attributes, ...children) {
  return element('button', { type: 'button', ...attributes }, ...children);
}

/**
 * A movie in words, as a screen reader says it.
 * @param {{title: string, year: number | null}} movie
 */
export function spoken({ title, year }) {
  return year === null ? title : `${title}, ${year}`;
}

/** The nearest element of this kind around an event's target. @param {Event} event @param {string} selector @returns {HTMLElement | null} */
export function closest(event, selector) {
  return /** @type {Element} */ (event.target).closest(selector);
}
