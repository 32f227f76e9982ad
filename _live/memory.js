// What this browser keeps for a reader, beside the answers (store.js): predictions, and how
// far each chapter has been read. It stays in this browser; nothing is sent anywhere.
//
// A key begins with what it holds and with the address of this site, since one origin can
// hold several books: "guess /book/03-queries-keys-values 1". Storage can be switched off.

const KINDS = ["live", "guess", "read"]; // "live" is store.js's

// This script is served as _static/reader.js.
const site = new URL("../", document.currentScript.src).pathname;

export function recall(kind, name) {
  try {
    return JSON.parse(localStorage.getItem(`${kind} ${site}${name}`));
  } catch {
    return null;
  }
}

/** Keep a value, or forget it if it is null. False if it cannot be kept. */
export function keep(kind, name, value) {
  try {
    if (value === null) localStorage.removeItem(`${kind} ${site}${name}`);
    else localStorage.setItem(`${kind} ${site}${name}`, JSON.stringify(value));
    dispatchEvent(new Event("kept")); // store.js does so, too
    return true;
  } catch {
    return false;
  }
}

/** Call back with kind and name when another tab of this site keeps something. */
export function watch(onchange) {
  addEventListener("storage", ({ key }) => {
    const found = key === null ? [] : ours([key]);
    if (key === null) onchange("all", "");
    for (const [kind, name] of found) onchange(kind, name);
  });
}

/** All that is kept of this site, as pairs of kind and name. */
export function everything() {
  try {
    return ours(Object.keys(localStorage));
  } catch {
    return [];
  }
}

export function forgetEverything() {
  for (const [kind, name] of everything()) keep(kind, name, null);
}

function ours(keys) {
  return keys.flatMap((key) => {
    const kind = KINDS.find((one) => key.startsWith(`${one} ${site}`));
    const name = key.slice(`${kind} ${site}`.length);
    // With a slash in it, it is of another book below this address.
    return kind && !name.includes("/") ? [[kind, name]] : [];
  });
}
