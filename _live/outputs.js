// What a cell gives back, in place of what is printed: text, pictures, tables, errors.
//
// The printed output stays in the page, hidden on the screen (live.css): Reset
// shows it again, and paper always gets it.

import { load, make, setText } from "./dom.js";

// The richest form first, as the built site chooses it.
const FITS_A_PHONE = 360; // pixels, as in _ext/book_site/figures.py
const MIMES = ["text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown"];

export class Outputs {
  #area; // div.cell_output
  #made; // is the area ours, because the cell prints nothing?
  #live = null; // what came from Python, shown
  #note = null; // the line below it
  #said = ""; // what it says of a run just made
  #isOld = false; // did a later run end without any output?
  #isOther = false; // does the cell have another text now?
  #fresh = false; // is a run under way of which nothing is shown yet?
  #pending = []; // what came and is not shown yet
  #timer;
  #rendering = []; // promises
  #pictures = []; // addresses of pictures in memory
  #changed; // does what comes depend on the reader's own text?
  #growing = null; // the figure that grows while the cell runs (training-lab.js)

  raw = []; // what came in the last run, as the worker sent it

  constructor(cell) {
    this.#area = cell.querySelector(".cell_output");
    this.#made = this.#area === null;
    this.#area ??= make("div", { class: "cell_output docutils container", hidden: "" });
    if (this.#made) cell.append(this.#area);
  }

  /** What the checker of an exercise said, if it said something. */
  get verdict() {
    const texts = this.raw.map((output) => output.data?.["text/plain"] ?? "");
    return texts.find(verdictOf)?.trim() ?? "";
  }

  /** A run begins: what is there stays, paler, until the first output comes. */
  begin(changed) {
    this.raw = [];
    this.#changed = changed;
    this.#pending = [];
    this.#rendering = [];
    this.#isOld = false;
    this.#area.classList.add("live-waiting");
    this.#fresh = true;
  }

  add(output) {
    if (output.kind !== "frames") this.raw.push(output);
    this.#pending.push(output);
    // Not each on its own: a cell may print a hundred lines in a moment.
    this.#timer ??= setTimeout(() => this.#flush(), 20);
  }

  /**
   * The run has ended, `how` being "done", "stopped" or "error": all is shown when the
   * promise is kept.
   */
  async finish(note, how) {
    this.#flush();
    this.#tell({ ended: how });
    this.#growing = null;
    if (this.#fresh) this.#clear();
    this.#area.classList.remove("live-waiting");
    const live = this.#live;
    await Promise.all(this.#rendering);
    if (live !== this.#live) return; // reset in the meantime
    const empty = live.childElementCount === 0;
    this.#area.hidden = this.#made && empty;
    if (empty) return;
    this.#said = note;
    this.#note = make("p", { class: "live-note" });
    this.#area.append(this.#note);
    this.#mark();
    makeScrollable(live);
  }

  /** The run was cut off: what came stays, and so does the old output if nothing came. */
  stop() {
    this.#flush();
    if (this.#fresh) this.#area.classList.remove("live-waiting");
    else this.finish("stopped before its end", "stopped");
    this.#isOld = this.#fresh;
    this.#fresh = false;
    this.#mark();
  }

  /** Does what is shown come from another text than the cell's? */
  set isOther(isOther) {
    this.#isOther = isOther;
    this.#mark();
  }

  /** Output that does not belong to the last run, or to the text above it, says so. */
  #mark() {
    const why = this.#isOther ? "from another version of this code" : "from an earlier run";
    const isOld = this.#live !== null && (this.#isOther || this.#isOld);
    this.#area.classList.toggle("live-old", isOld);
    if (this.#note) setText(this.#note, isOld ? why : this.#said);
  }

  /** Back to what is printed. */
  reset() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.raw = [];
    this.#pending = [];
    this.#growing = null;
    this.#takeAway();
    this.#isOld = this.#isOther = false;
    this.#area.classList.remove("live-waiting", "live-replaced", "live-old");
    this.#area.hidden = this.#made;
  }

  #takeAway() {
    for (const figure of this.#area.querySelectorAll("[data-live-id]")) {
      figure.id = figure.dataset.liveId;
      delete figure.dataset.liveId;
    }
    this.#pictures.forEach((url) => URL.revokeObjectURL(url));
    this.#pictures = [];
    this.#live?.remove();
    this.#note?.remove();
    this.#live = this.#note = null;
  }

  #clear() {
    this.#fresh = false;
    this.#takeAway();
    this.#live = make("div", { class: "live-output" });
    this.#area.append(this.#live);
    this.#area.hidden = false;
    this.#area.classList.add("live-replaced");
    this.#area.classList.remove("live-waiting");
  }

  #flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const output of this.#pending.splice(0)) {
      if (this.#fresh) this.#clear();
      this.#show(output);
    }
  }

  #show(output) {
    if (output.kind === "frames") return this.#tell({ frames: output.frames });
    if (output.watched) return; // it has been told of everything
    const last = this.#live.lastElementChild;
    if (output.kind === "stream" && last?.dataset.stream === output.name) {
      last.querySelector("pre").append(plain(output.text));
      return;
    }
    if (output.kind === "stream") this.#live.append(stream(output));
    else if (output.kind === "error") this.#live.append(error(output));
    else this.#live.append(this.#display(output.data));
    if (output.kind === "live") this.#grow(this.#live.lastElementChild.firstElementChild);
  }

  /** A figure that is going to be told of frames; its own script may still be on its way. */
  #grow(figure) {
    this.#growing = figure;
    figure.dataset.trains = "stop"; // what its button does now
    customElements.whenDefined(figure.localName).then(() => figure.begin());
  }

  #tell(message) {
    const figure = this.#growing;
    if (figure) customElements.whenDefined(figure.localName).then(() => figure.receive(message));
  }

  #display(data) {
    const mime = MIMES.find((one) => data[one] !== undefined) ?? "text/plain";
    const box = make("div", { "data-mime": mime });
    const text = data[mime] ?? "";
    if (mime === "text/html") this.#html(box, text);
    else if (mime === "text/markdown") this.#rendering.push(markdown(box, text));
    else if (mime.startsWith("image/")) this.#picture(box, mime, text);
    else result(box, text);
    return box;
  }

  #html(box, text) {
    box.className = "output text_html";
    // A <script> set like this does not run; an attribute such as onerror does. It may:
    // the text comes from code that the reader ran in their own browser. Nothing of
    // it is kept, and nobody else's code is ever run, so there is nobody to guard against.
    box.innerHTML = text;
    // The explorable figures are custom elements; the page has loaded the scripts of those
    // that are printed on it.
    for (const figure of box.querySelectorAll("[data-figure]:not(:defined)")) {
      load(`${figure.localName}.mjs`).catch(() => {});
    }
  }

  /** A picture takes the place of a printed one: its size, caption and description. */
  #picture(box, mime, text) {
    const number = this.#live.querySelectorAll("img").length;
    const printed = [...this.#area.querySelectorAll("img")].filter(
      (img) => !this.#live.contains(img),
    )[number];
    const url = URL.createObjectURL(blob(mime, text));
    this.#pictures.push(url);
    const measured = size(mime, text);
    const img = make("img", { src: url, alt: this.#describe(printed), ...measured });
    if (measured.width <= FITS_A_PHONE) img.className = "narrow"; // book.css leaves it as it is
    // Leaving the page would end Python: the picture opens beside it.
    const attributes = { class: "reference internal image-reference", target: "_blank" };
    const link = make("a", { ...attributes, href: url }, img);
    box.className = "live-picture";
    box.append(withCaption(link, printed?.closest("figure")));
  }

  #describe(printed) {
    if (printed && !this.#changed) return printed.alt;
    const what = "Figure drawn by your version of the code.";
    return printed ? `${what} The printed one: ${printed.alt}` : what;
  }
}

// ----------------------------------------------------------------- one output

function stream({ name, text }) {
  const kind = name === "stderr" ? "stderr" : "stream";
  const box = make("div", { class: `output ${kind}`, "data-mime": "text/plain" });
  box.dataset.stream = name;
  box.append(block(plain(text)));
  return box;
}

function result(box, text) {
  box.className = "output text_plain";
  const verdict = verdictOf(text);
  if (verdict) box.classList.add("live-verdict", `live-${verdict}`);
  box.append(block(plain(text)));
}

/** Text in the two boxes that the printed output has, so that one style fits both. */
function block(...text) {
  return make("div", { class: "highlight" }, make("pre", {}, ...text));
}

/** The checkers of the exercises begin what they say with ✓ or ✗. */
export function verdictOf(text) {
  return { "✓": "right", "✗": "wrong" }[text.trim()[0]];
}

function error({ name, message, traceback }) {
  const last = message ? `${name}: ${message}` : name;
  const shown = byNumber(plain(traceback || last)).trimEnd();
  // What went wrong stands last; with a group of errors, above the errors of the group.
  const at = shown.lastIndexOf(last);
  const [before, what] = at < 0 ? [shown, ""] : [shown.slice(0, at), last];
  const after = shown.slice(before.length + what.length);
  const attributes = { class: "output traceback", role: "group", "aria-label": "Error" };
  const text = block(before, make("strong", {}, what), after);
  return make("div", { ...attributes, "data-mime": "error" }, text);
}

/** Cells are called by their numbers, as under the buttons. */
function byNumber(text) {
  return text.replace(/^([\s|]*)Cell "([\w-]+)"/gm, (whole, indent, id) => {
    const number = document.querySelector(`[data-cell="${id}"]`)?.dataset.number;
    return number ? `${indent}Cell ${number}` : whole;
  });
}

/** Without the colours a terminal would show. */
function plain(text) {
  return text.replace(/\x1b\[[\d;]*m/g, "");
}

async function markdown(box, text) {
  box.className = "live-markdown";
  box.dataset.text = text;
  box.textContent = text; // until the renderer is here
  try {
    const { render } = await load("markdown.mjs");
    box.innerHTML = render(text);
    await typeset(box);
  } catch {
    // The text is readable as it is.
  }
}

let typesetting = Promise.resolve();

/** Let MathJax typeset the formulas in an element; it takes one job after the other. */
function typeset(box) {
  typesetting = typesetting.then(() => window.MathJax?.typesetPromise?.([box])).catch(() => {});
  return typesetting;
}

// ------------------------------------------------------------------- pictures

function blob(mime, text) {
  if (mime === "image/svg+xml") return new Blob([text], { type: mime });
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: mime });
}

/** A PNG says its size at its beginning; figures are drawn at twice the density. */
function size(mime, text) {
  if (mime !== "image/png") return {};
  const header = atob(text.slice(0, 32));
  const number = (at) => [0, 1, 2, 3].reduce((sum, i) => sum * 256 + header.charCodeAt(at + i), 0);
  return { width: Math.round(number(16) / 2), height: Math.round(number(20) / 2) };
}

function withCaption(link, printed) {
  if (!printed) return make("p", {}, link);
  const figure = make("figure", { class: printed.className }, link);
  const caption = printed.querySelector("figcaption")?.cloneNode(true);
  if (caption) {
    caption.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
    figure.append(caption);
  }
  if (printed.id) {
    // The text refers to the figure, so the visible one has to have the name.
    printed.dataset.liveId = figure.id = printed.id;
    printed.removeAttribute("id");
  }
  return figure;
}

/** What is too wide scrolls, from the keyboard too. */
function makeScrollable(live) {
  for (const pre of live.querySelectorAll("pre")) {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = pre;
    if (scrollWidth > clientWidth || scrollHeight > clientHeight) pre.tabIndex = 0;
  }
  // book.js looks after tables and formulas; it looks again after this event.
  document.dispatchEvent(new Event("toggle"));
}
