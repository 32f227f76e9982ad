// What is kept of a reader, in words: the way back to where the reader stopped and a line with
// all that is kept, on the first page; and on every page a button that forgets it.

import { everything, forgetEverything, recall, watch } from "./memory.js";
import { progressOf, showProgress } from "./progress.js";

/* global BOOK */

export function startKept() {
  document.querySelector("#pst-primary-sidebar nav")?.after(forgetButton());
  document.querySelector("article .kept")?.after(forgetButton());
  const show = () => {
    showProgress();
    showWayBack(document.querySelector("article .go-on"));
    showKept();
  };
  show();
  watch(show);
  addEventListener("kept", show);
}

/** Lead to the section that was read last, if the page has a place for it. */
function showWayBack(place) {
  if (!place) return;
  const [last] = BOOK.map((chapter) => ({ chapter, ...recall("read", chapter.page) }))
    .filter(({ when }) => when)
    .sort((a, b) => b.when - a.when);
  place.hidden = !last;
  if (!last) return;
  const link = document.createElement("a");
  link.href = `${last.chapter.page}.html#${last.at}`;
  link.textContent = last.chapter.title;
  place.replaceChildren("Go on where you stopped: ", link, `, at “${last.heading}”.`);
}

function showKept() {
  const all = everything();
  const chapters = BOOK.map(progressOf);
  const counts = [
    [chapters.filter(({ read }) => read > 0).length, "chapter begun", "chapters begun"],
    [chapters.reduce((sum, { solved }) => sum + solved, 0), "exercise solved", "exercises solved"],
    [all.filter(([kind]) => kind === "guess").length, "prediction", "predictions"],
  ];
  const parts = counts
    .filter(([count]) => count > 0)
    .map(([count, one, more]) => `${count} ${count === 1 ? one : more}`);
  const what = all.length === 0 ? "nothing" : parts.join(", ") || "code of yours";
  for (const line of document.querySelectorAll(".kept")) line.textContent = `Kept so far: ${what}.`;
  for (const place of document.querySelectorAll(".forget-all")) place.hidden = all.length === 0;
}

/** A button that asks once more, and then forgets all that this browser keeps of the book. */
function forgetButton() {
  const place = document.createElement("div");
  place.className = "forget-all";
  const question = document.createElement("span");
  question.textContent = "Forget your answers, predictions and progress?";
  const ask = button("Forget all", () => {
    place.replaceChildren(question, forget, keep);
    forget.focus();
  });
  const forget = button("Yes, forget", () => {
    forgetEverything();
    location.reload(); // what is typed into the page goes, too
  });
  const back = () => {
    place.replaceChildren(ask);
    ask.focus();
  };
  const keep = button("No, keep", back);
  place.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && question.isConnected) back();
  });
  place.append(ask);
  return place;
}

function button(text, onclick) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", onclick);
  return made;
}
