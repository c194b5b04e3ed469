// Making elements. Text is always set as text: what peers have sent never becomes HTML.

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Makes an element. Properties are attributes; those with "on" are listeners.
 * @param {string} name
 * @param {Record<string, unknown>} [properties]
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") {
      element.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
    } else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(
    ...children.filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/**
 * Makes an element of SVG.
 * @param {string} name
 * @param {Record<string, unknown>} [attributes]
 * @param {...Node} children
 * @returns {SVGElement}
 */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/**
 * The element with this id.
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  return /** @type {T} */ (document.getElementById(id));
}

/**
 * Sets a text if it is another one: what is the same is not laid out again.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Sets an attribute if it is another one: also what is set to the same is drawn again.
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Sets or removes an attribute without a value if that changes it.
 * @param {Element} element
 * @param {"hidden" | "disabled"} name
 * @param {boolean} isSet
 */
export function toggle(element, name, isSet) {
  if (element.hasAttribute(name) !== isSet) element.toggleAttribute(name, isSet);
}
