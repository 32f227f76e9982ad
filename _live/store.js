// What a reader typed, kept in this browser: one entry for each cell, with the
// text and, for an exercise, the last verdict.
//
// Local storage belongs to an origin, and one origin can hold several books (a
// user's Pages do): so a key begins with the address of this site. Reading and
// writing may throw: storage can be switched off, or full.

const site = new URL("../../", import.meta.url).pathname;

export class Store {
  constructor(page) {
    this.prefix = `live ${site}${page} `;
  }

  /** Call back with a cell's id when its entry changes in another tab. */
  watch(onchange) {
    addEventListener("storage", ({ key }) => {
      if (key?.startsWith(this.prefix)) onchange(key.slice(this.prefix.length));
    });
  }

  /** The entry of a cell, `{typed, verdict}`; empty if nothing was kept. */
  get(cell) {
    try {
      return JSON.parse(localStorage.getItem(this.prefix + cell)) ?? {};
    } catch {
      return {};
    }
  }

  /** Keep an entry, or forget it when it says nothing. False if it cannot be kept. */
  set(cell, { typed, verdict }) {
    try {
      if (typed === undefined && verdict === undefined) {
        localStorage.removeItem(this.prefix + cell);
      } else {
        localStorage.setItem(this.prefix + cell, JSON.stringify({ typed, verdict }));
      }
      dispatchEvent(new Event("kept")); // the contents show what is solved (kept.js)
      return true;
    } catch {
      return false;
    }
  }
}
