/**
 * Builds elements. Text always goes in as text, never as markup: titles come from files and from storage.
 *
 * Methods are taken from `Document.prototype`, because a site's markup may hide those of the document
 * (`<img name="createElement">`).
 */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * `true` writes the bare attribute; `false`, `null` and `undefined` leave it out.
 * @typedef {Record<string, string | number | boolean | null | undefined>} Attributes
 */

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

/** The element of our own page with this id. @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** A button that doesn't submit a form. @param {Attributes} attributes @param {...(Node | string)} children */
export function button(attributes, ...children) {
  return element('button', { type: 'button', ...attributes }, ...children);
}

/**
 * A movie's name, as a screen reader says it.
 * @param {{title: string, year: number | null}} movie
 */
export function spoken({ title, year }) {
  return year === null ? title : `${title}, ${year}`;
}

/**
 * The nearest ancestor of an event's target that matches, or the target itself.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closest(event, selector) {
  return /** @type {Element} */ (event.target).closest(selector);
}
