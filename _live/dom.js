// Small helpers: making elements, and the way to the files beside this script.

/** Make an element: make("button", { type: "button", onclick }, "Run"). */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Show or hide an element; when the focused one goes away, the focus goes to `next`. */
export function show(element, visible, next) {
  if (!visible && element.contains(document.activeElement)) next.focus();
  element.hidden = !visible;
}

/** Change a text only if it is another, so that nothing is read out twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * The address of a file that is served beside this script.
 *
 * The build puts a version behind this script's own address. The others get the
 * same, so that a browser never mixes files of two builds (worker.js does so too).
 */
export function beside(name) {
  const { search } = new URL(import.meta.url);
  return new URL(name + search, import.meta.url).href;
}

/** Load a script that is served beside this one, when it is first needed. */
export function load(name) {
  return import(beside(name));
}
