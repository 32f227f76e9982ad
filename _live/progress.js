// How far the reader has come: seen sections and solved exercises, in the contents beside each
// chapter.
//
// A section has been seen when it stood in the middle of the window and the window was at
// rest. `BOOK` is put in when the site is built: the chapters with their exercises and sections.

import { keep, recall } from "./memory.js";

/* global BOOK */

const AT_REST = 800; // milliseconds
const MIDDLE = [0.15, 0.85]; // of the window's height
const RIGHT = /^✓/; // how the verdict of a right answer begins

// ---------------------------------------------------------------------------- reading

/** Note which sections of this chapter the reader sees. */
export function startReading(page) {
  const chapter = BOOK.find((one) => one.page === page);
  if (!chapter) return;
  const sections = chapter.sections.map((id) => document.getElementById(id)).filter(Boolean);
  let timer;
  const look = () => {
    const [top, bottom] = MIDDLE.map((part) => part * innerHeight);
    const inView = sections.filter((section) => {
      const box = section.getBoundingClientRect();
      return box.top < bottom && box.bottom > top;
    });
    if (inView.length === 0 || document.visibilityState === "hidden") return;
    const { seen = [] } = recall("read", page) ?? {};
    const all = new Set([...seen, ...inView.map(({ id }) => id)]);
    const at = inView[0];
    const heading = at.querySelector("h2").firstChild.textContent.trim();
    const known = chapter.sections.filter((id) => all.has(id));
    keep("read", page, { seen: known, at: at.id, heading, when: Date.now() });
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(look, AT_REST);
  };
  addEventListener("scroll", wait, { passive: true });
  addEventListener("load", wait);
}

/** Of a chapter: how many sections were seen, and exercises solved. */
export function progressOf({ page, notebook, sections, exercises }) {
  const { seen = [] } = recall("read", page) ?? {};
  const solved = exercises.filter((cell) =>
    RIGHT.test(recall("live", `${notebook} ${cell}`)?.verdict ?? ""),
  );
  const read = sections.filter((id) => seen.includes(id));
  return { read: read.length, solved: solved.length };
}

// --------------------------------------------------------------------------- contents

/** Write beside each chapter in the contents how far the reader has come. */
export function showProgress() {
  const links = [...document.querySelectorAll("#pst-primary-sidebar nav a")];
  for (const chapter of BOOK) {
    const { read, solved } = progressOf(chapter);
    const of = [chapter.sections.length, chapter.exercises.length];
    const parts = [
      read === 0 ? "" : read === of[0] ? "read" : `${read} of ${of[0]} sections`,
      solved === 0 ? "" : `${solved} of ${of[1]} solved`,
    ].filter(Boolean);
    for (const link of links.filter(({ pathname }) => pathname.endsWith(`/${chapter.page}.html`))) {
      let line = link.querySelector(".progress-made");
      if (!line && parts.length === 0) continue;
      if (!line) {
        line = document.createElement("span");
        line.className = "progress-made";
        link.append(" ", line);
      }
      const text = parts.join(" · ");
      if (line.textContent !== text) line.textContent = text;
    }
  }
}
