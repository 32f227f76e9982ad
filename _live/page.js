// The live code of a page: finds its cells, gives them buttons, and runs them with
// a Python that starts when the reader first asks for it. Without this script the
// page is the printed page.

import { Cell } from "./cell.js";
import { beside, make, show } from "./dom.js";
import { Python } from "./python.js";
import { Runs } from "./runs.js";
import { Store } from "./store.js";

const { notebook, megabytes } = document.querySelector("script[data-notebook]").dataset;

// ------------------------------------------------------------------ the cells

const store = new Store(notebook);
const voice = make("p", { class: "live-voice", role: "status" });
const python = new Python(beside("worker.mjs"), (text) => runs.progress(text));
const elements = [...document.querySelectorAll(".cell[data-live='yes']")];
const onsteer = (cell, what) => runs.steer(cell, what);
const handlers = { onpress: press, onsteer, onkept: () => offerResetAll(), announce };
const cells = elements.map((element, i) => new Cell(element, i + 1, store, handlers));
const starting = `Starting Python: ${megabytes} MB, once per visit`;
const runs = new Runs(cells, python, announce, starting);

// A figure that computes more than a script should asks for a Python of its own, which no
// cell waits for and which Stop does not end.
document.addEventListener("book-python", ({ detail }) =>
  detail.take((onprogress) => new Python(beside("worker.mjs"), onprogress)));

function announce(text) {
  // The same words twice are said twice.
  voice.textContent = voice.textContent === text ? `${text}\u00a0` : text;
}

function press(cell) {
  if (runs.holds(cell)) return runs.stop(cell);
  const missing = runs.missing(cell);
  const setUp = missing.filter((other) => other.isSetUp);
  const others = missing.length - setUp.length;
  // Setting up is quick and shows nothing: that needs no question.
  if (others === 0) return runs.add([...setUp, cell]);
  const again = missing.every((other) => other.isSetUp || runs.hasRun(other));
  const since = again ? " They have changed since it ran." : "";
  const [question, first] =
    others === 1
      ? [`This cell uses results of a cell above.${since}`, "Run it first"]
      : [
          `This cell uses results of ${others} cells above.${since.replace("it", "they")}`,
          `Run these ${others} first`,
        ];
  cell.offer(question, [
    [first, () => runs.add([...missing, cell])],
    ["Run all above", () => runs.add([...runs.missingAbove(cell), cell])],
    ["Run only this one", () => runs.add([...setUp, cell])],
  ]);
}

// ------------------------------------------------------------ around the cells

const download = document.querySelector(".btn-download-source-button")?.getAttribute("href");
const resetAll = make("button", { type: "button", class: "live-button", onclick: resetEverything });
resetAll.textContent = "Reset all cells";
const intro = make(
  "p",
  { class: "live-intro", tabindex: "-1" },
  "The code of this page runs in your browser: press Run under a cell. ",
  ...(download ? ["Or ", link("download the notebook", download), ". "] : []),
  resetAll,
);

function offerResetAll() {
  show(resetAll, cells.some((cell) => cell.isChanged), intro);
}

async function resetEverything() {
  const stopped = await runs.stopAll();
  for (const cell of cells) {
    if (cell.isChanged) cell.reset();
  }
  const text = "All cells show the printed code. Undo reset is under each cell that had your text.";
  announce(stopped ? `Python was stopped. ${text}` : text);
}

function link(text, href) {
  return make("a", { href }, text);
}

/** Where a cell that needs PyTorch can run. */
function elsewhere() {
  const places = download ? [link("download the notebook", download)] : [];
  for (const [host, name] of [["colab", "Colab"], ["mybinder", "Binder"]]) {
    const button = document.querySelector(`.article-header-buttons a[href*=${host}]`);
    if (button) places.push(link(`open it in ${name}`, button.href));
  }
  const list = places.flatMap((place) => [", ", place]).slice(1);
  const text = "Needs PyTorch, which does not run in the page";
  return make("p", { class: "live-elsewhere" }, text, places.length ? ": " : ".", ...list);
}

function start() {
  document.querySelector("article.bd-article h1")?.after(intro);
  for (const cell of document.querySelectorAll(".cell[data-live='torch'] .cell_input")) {
    cell.append(elsewhere());
  }
  document.querySelector("article.bd-article")?.append(voice);
  store.watch((id) => cells.find((cell) => cell.id === id)?.follow());
  offerResetAll();
}

start();
