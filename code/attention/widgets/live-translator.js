// Live translator: the reader types an English sentence, and the trained model of the
// translation chapter translates it in the page. Below stands its cross-attention: a
// French word in each row, and what that word looked at when it was written. The model's
// weights are fetched when a reader first asks for a translation; what is shown before
// that comes from the notebook.

import { Explorable, decimals, define, make, table } from "./base.js";
import { Transformer } from "./transformer-model.js";

const SPECIALS = ["<padding>", "<start>", "<end>"]; // they have the first numbers
const END = "<end>";
const LONGEST = 40; // tokens of a sentence; in training it saw no such long ones
const LONGEST_WORD = 30; // characters of an unknown word that are looked at
const NAMED = 4; // how many tokens the status line names
const MENTIONED = 5; // how many unknown words a message deals with
const SHORT_FORMS = { "didn't": "did not", "wasn't": "was not", "weren't": "were not" };

// ---------------------------------------------------------------- words and tokens

/** Cut English text into tokens, as `attention.corpus.tokenize` does. */
export function tokenize(text) {
  text = text.toLowerCase().replaceAll("’", "'");
  for (const [short, long] of Object.entries(SHORT_FORMS)) text = text.replaceAll(short, long);
  text = text.replaceAll("'s", " 's").replace(/[.,;:!?]/g, " ").trim();
  return text ? text.split(/\s+/) : [];
}

/** Write tokens as text: no space after "l'" and before "'s". */
export function asText(tokens) {
  return tokens.join(" ").replaceAll("' ", "'").replaceAll(" 's", "'s");
}

/** Count the letters to add, leave out, change or swap with the next to make b of a. */
export function editDistance(a, b) {
  const table = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 1; j <= b.length; j++) table[0][j] = j;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      const ways = [table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + change];
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        ways.push(table[i - 2][j - 2] + 1);
      table[i][j] = Math.min(...ways);
    }
  return table[a.length][b.length];
}

/** The known words that are written most like this one, if any are; the nearest first. */
export function nearest(word, words, count = 3) {
  if (word.length > LONGEST_WORD) return [];
  const enough = 1 + Math.floor(word.length / 4);
  return words
    .map((known) => [editDistance(word, known), known])
    .filter(([distance]) => distance <= enough)
    .sort(([a], [b]) => a - b) // sort keeps the order of equal ones: the alphabet's
    .slice(0, count)
    .map(([, known]) => known);
}

// ------------------------------------------------------------------------ attention

/** Call each token by its text, and by its position too (from 1) if there are several such. */
export function labels(tokens) {
  const several = (token) => tokens.indexOf(token) !== tokens.lastIndexOf(token);
  return tokens.map((token, i) => (several(token) ? `${token} (${i + 1})` : token));
}

/** The weights of a head, or the mean of all heads of the layer if `head` is null. */
export function matrixOf(weights, layer, head) {
  const heads = weights[layer];
  if (head !== null) return heads[head];
  const mean = (row, column) => heads.reduce((sum, h) => sum + h[row][column], 0) / heads.length;
  return heads[0].map((weights, row) => weights.map((_, column) => mean(row, column)));
}

// ---------------------------------------------------------------------- the weights

/** Where the weights are: beside the site's scripts, or in the notebook's repository. */
export function addressOf({ name, version }, script, page) {
  const query = `?v=${version}`; // so that no browser takes another model from its store
  if (!script.startsWith("blob:")) return new URL(`weights/${name}${query}`, script).href;
  // JupyterLab shows /lab/tree/chapters/NOTEBOOK, and gives out files at /files/.
  const notebook = page.replace(/\/(lab(\/workspaces\/[^/]+)?\/tree|notebooks)\//, "/files/");
  return new URL(`../weights/${name}${query}`, notebook).href;
}

/** Fetch a file of a known size, and say how much of it has come. */
async function fetchFile(address, bytes, tell) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  const file = new Uint8Array(bytes);
  let length = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (length + part.value.length > bytes) throw new Error("the file is too long");
    file.set(part.value, length);
    length += part.value.length;
    tell(length);
  }
  if (length < bytes) throw new Error("the file is not complete");
  return file.buffer;
}

// -------------------------------------------------------------------------- element

const quoted = (word) =>
  `“${word.length > LONGEST_WORD ? `${word.slice(0, LONGEST_WORD)}…` : word}”`;

class LiveTranslator extends Explorable {
  static style = `
form { display: flex; flex-wrap: wrap; gap: 0.3rem 0.5rem; align-items: center; max-width: 40rem; }
form label { flex-basis: 100%; color: var(--muted); }
input {
  flex: 1 1 14rem; min-width: 0; min-height: 2.5rem; padding: 0.2rem 0.6rem;
  border: 1px solid var(--muted); border-radius: 4px; background: var(--paper);
}
input[aria-invalid="true"] { border: 2px solid var(--mark); }
form button { min-height: 2.5rem; background: var(--accent); color: var(--paper);
  border-color: var(--accent); font-weight: 600; }
.examples { display: flex; flex-wrap: wrap; gap: 0.4rem; margin: 0.6rem 0 0; align-items: center;
  max-width: 40rem; }
.examples button, .message button { font-size: 0.85rem; text-align: start; min-height: 2rem; }
.muted { color: var(--muted); font-size: 0.85rem; }
.message { margin: 0.4rem 0; }
.message:empty { display: none; }
.message p { margin: 0 0 0.3rem; }
.message .problem { border-inline-start: 3px solid var(--mark); padding-inline-start: 0.6rem; }
progress { width: 100%; max-width: 20rem; accent-color: var(--accent); }
.words { margin: 0.2rem 0; font-size: 0.85rem; }
.words p { margin: 0; max-width: 40rem; }
.pair { margin: 0.9rem 0 0.6rem; padding: 0.5rem 0.8rem; border-radius: 4px; max-width: 40rem;
  background: var(--surface); }
.pair p { margin: 0; }
.french { font-size: 1.15rem; font-weight: 600; }
.controls label { display: flex; gap: 0.5rem; align-items: center; }
.map { max-width: calc(var(--label) + var(--count) * (2rem + 1px) + 6px); padding: 3px; }
.columns, [role="option"] {
  display: grid;
  grid-template-columns: var(--label) repeat(var(--count), minmax(1.15rem, 2rem));
  gap: 1px;
  min-width: calc(var(--label) + var(--count) * (1.15rem + 1px));
}
/* A translation that goes in circles has a hundred rows. */
.rows { max-height: 44rem; overflow: auto; scroll-padding-top: 6rem; }
.columns { position: sticky; top: 0; z-index: 1; background: var(--paper); }
.columns span { writing-mode: vertical-rl; transform: rotate(180deg); justify-self: center;
  padding-top: 0.3rem; line-height: 1.15; white-space: nowrap; font-size: 0.85rem; }
.columns .strong { font-weight: 700; }
[role="option"] { height: var(--row); padding-top: 1px; border-radius: 3px; cursor: pointer;
  contain: layout; }
[role="option"]:focus-visible { outline-offset: -1px; }
.word { position: sticky; left: 0; align-self: stretch; display: flex; align-items: center;
  justify-content: end; padding-inline: 0.4rem; white-space: nowrap; background: var(--paper); }
[role="option"].shown .word { font-weight: 700; box-shadow: inset 4px 0 var(--accent);
  background: var(--surface); }
.cell { background: color-mix(in srgb, var(--accent) var(--weight), var(--surface)); }
[role="option"].shown .cell { box-shadow: inset 0 2px var(--accent), inset 0 -2px var(--accent); }
.seen { display: flex; flex-wrap: wrap; gap: 0.3rem 0.2rem; margin-top: 0.7rem; }
.seen span { display: block; padding: 0 0.35rem; text-align: center; contain: layout paint; }
.seen .number { min-width: 2.4rem; color: var(--muted); font-size: 0.85rem; height: 1.5rem;
  font-variant-numeric: tabular-nums;
  background: bottom left / var(--weight) 4px no-repeat linear-gradient(var(--accent) 0 0),
    bottom left / 100% 4px no-repeat linear-gradient(var(--border) 0 0); }
.seen .strong { color: var(--text); font-weight: 700; }
th { white-space: nowrap; }
.special { color: var(--muted); font-style: italic; }
@media print {
  .examples, form, .message { display: none; }
  .rows { max-height: none; }
}
`;

  build(figure) {
    const { english, french, examples, attention, layer, head, word } = figure;
    this.words = english.split(" ");
    this.numbers = new Map(this.words.map((word, i) => [word, SPECIALS.length + i]));
    this.french = [...SPECIALS, ...french.split(" ")];
    this.map = { layer, head };
    this.asked = 0;
    this.loading = []; // what is told while the weights come
    this.pair = make("div", { class: "pair", "aria-live": "polite" });
    this.result = make("div", {});
    const [source, target] = examples[0].map((text) => text.split(" "));
    this.show({ english: source, french: [...target, END], weights: attention,
      milliseconds: null, row: Math.max(target.indexOf(word), 0) });
    return [this.form(asText(source)), this.examples(examples), this.knownWords(), this.pair,
      this.result];
  }

  form(text) {
    this.input = make("input", { id: "sentence", type: "text", lang: "en", value: text,
      autocomplete: "off", autocapitalize: "none", spellcheck: "false",
      "aria-describedby": "message" });
    this.message = make("div", { id: "message", class: "message", "aria-live": "polite" });
    const translate = (event) => {
      event.preventDefault();
      this.translate(this.input.value);
    };
    const form = make("form", { onsubmit: translate },
      make("label", { for: "sentence" }, "An English sentence"),
      this.input, make("button", { type: "submit" }, "Translate"));
    // The page has uses of its own for some keys, such as "/" and the arrows.
    form.addEventListener("keydown", (event) => event.stopPropagation());
    return make("div", {}, form, this.message);
  }

  examples(examples) {
    const button = ([english]) => {
      const text = asText(english.split(" "));
      const take = () => {
        this.input.value = text;
        this.translate(text);
      };
      return make("button", { type: "button", lang: "en", onclick: take }, text);
    };
    return make("div", { class: "examples", role: "group", "aria-label": "Examples" },
      make("span", { class: "muted hint" }, "Or one of these:"), ...examples.map(button));
  }

  knownWords() {
    const words = this.words.filter((word) => !word.startsWith("'"));
    return make("details", { class: "words" },
      make("summary", {}, `The ${words.length} words it knows`),
      make("p", { lang: "en" }, words.join(", ")));
  }

  // ------------------------------------------------------------ what a reader does

  /** Translate a sentence, or tell why not. Of several asked for at once, the last counts. */
  async translate(text) {
    const asked = ++this.asked;
    const tokens = tokenize(text);
    const problem = this.problemWith(tokens);
    this.input.setAttribute("aria-invalid", problem !== null);
    if (problem) return this.tell(...problem);
    this.model ??= this.loadModel();
    this.tell(...this.loading);
    try {
      const model = await this.model;
      if (asked === this.asked) this.answer(model, tokens);
    } catch (error) {
      this.model = null; // to try again at the next press
      if (asked === this.asked) this.tell(this.failed(error));
    }
  }

  /** What to tell about a sentence that cannot be translated, or null. */
  problemWith(tokens) {
    const problem = (...content) => [make("p", { class: "problem" }, ...content)];
    if (!tokens.length) return problem("Type an English sentence, or take one of the examples.");
    if (tokens.length > LONGEST)
      return problem(`This sentence has ${tokens.length} tokens. The longest that the model is ` +
        `given here has ${LONGEST}: it was trained on shorter ones.`);
    const unknown = [...new Set(tokens.filter((token) => !this.numbers.has(token)))];
    if (!unknown.length) return null;
    const left = unknown.length - MENTIONED;
    const rest = left > 0 ? problem(`And ${left} more.`) : [];
    return [...unknown.slice(0, MENTIONED).flatMap((word) =>
      problem(`The model does not know the word ${quoted(word)}. `, ...this.instead(word, tokens))),
      ...rest];
  }

  /** Buttons that put a known word in the place of an unknown one. */
  instead(word, tokens) {
    const known = nearest(word, this.words);
    if (!known.length) return ["None of its words is spelled nearly so."];
    const button = (other) => {
      const take = () => {
        this.input.value = asText(tokens.map((token) => (token === word ? other : token)));
        this.input.focus(); // this button will be gone
        this.translate(this.input.value);
      };
      return make("button", { type: "button", lang: "en", onclick: take }, other);
    };
    return ["Spelled most like it: ", ...known.flatMap((other) => [button(other), " "])];
  }

  async loadModel() {
    const { bytes } = this.figure.file;
    const progress = make("progress", { max: bytes, value: 0, "aria-label": "Weights fetched" });
    this.loading =
      [make("p", {}, `Fetching the model's weights, ${megabytes(bytes)} …`), progress];
    const address = addressOf(this.figure.file, import.meta.url, location.href);
    try {
      const tell = (length) => progress.setAttribute("value", length);
      return new Transformer(await fetchFile(address, bytes, tell));
    } finally {
      this.loading = [];
    }
  }

  failed(error) {
    const { name, bytes } = this.figure.file;
    return make("p", { class: "problem" },
      `The model's weights (${name}, ${megabytes(bytes)}) could not be loaded: ` +
        `${error.message}. On the book's site, look whether you are connected, and press ` +
        "Translate again. In a notebook, the file must be in the folder weights/ of the book.");
  }

  /** Say something below the field; without an argument, take back what was said. */
  tell(...content) {
    this.message.replaceChildren(...content);
  }

  answer(model, tokens) {
    const started = performance.now();
    const source = [...tokens.map((token) => this.numbers.get(token)), SPECIALS.indexOf(END)];
    const { tokens: written, weights } = model.greedy(source);
    const milliseconds = performance.now() - started;
    this.tell();
    const french = written.map((number) => this.french[number]);
    this.show({ english: tokens, french, weights, milliseconds, row: 0 });
    this.update();
  }

  choose(row) {
    this.row = row;
    this.pointed = null;
    if (row !== null) this.stop = row;
    this.update();
  }

  toggle(row) {
    if (row !== null) this.choose(row === this.row ? null : row);
  }

  point(row) {
    if (row === this.pointed) return;
    this.pointed = row;
    this.update();
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const here = this.rows.indexOf(event.target);
    const last = this.rows.length - 1;
    const row = { ArrowUp: Math.max(here - 1, 0), ArrowDown: Math.min(here + 1, last), Home: 0,
      End: last, Escape: null, Enter: here === this.row ? null : here,
      " ": here === this.row ? null : here }[event.key];
    if (row === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.choose(row);
    this.rows[row ?? here].focus();
  }

  changeMap(change) {
    Object.assign(this.map, change);
    this.paintCells();
    this.update();
  }

  // ---------------------------------------------------------------- what is shown

  get state() {
    const { english, french, milliseconds } = this.shown;
    const row = this.pointed ?? this.row;
    const { matrix } = this;
    return { english, french, milliseconds, ...this.map, row,
      weights: row === null ? matrix : matrix[row] };
  }

  /** Show a translation and its attention in the place of the one before. */
  show(shown) {
    this.shown = shown;
    this.row = this.stop = shown.row;
    this.pointed = null;
    const { english, french, weights, milliseconds } = shown;
    this.columns = [...english, END];
    this.called = { english: labels(this.columns), french: labels(french) };
    const done = french.at(-1) === END;
    const text = asText(done ? french.slice(0, -1) : [...french, "…"]);
    const length = done ? "" : `; cut off after ${french.length} tokens`;
    const where = milliseconds === null ? "computed in the notebook"
      : `computed in this page, in ${Math.ceil(milliseconds)} ms${length}`;
    this.pair.replaceChildren(
      make("p", { lang: "en" }, asText(english)),
      make("p", { lang: "fr", class: "french" }, text),
      make("p", { class: "muted" }, where));
    this.result.replaceChildren(
      this.mapControls(weights),
      make("div", { class: "rows" }, this.grid(french)),
      this.sentence());
    this.paintCells();
  }

  // Layers and heads are counted from 0, as the arrays and the chapter count them.
  mapControls(weights) {
    const { layer, head } = this.map;
    const select = (change, chosen, ...options) => make("select",
      { onchange: (event) => this.changeMap(change(event.target.selectedIndex)) },
      ...options.map((text, i) => make("option", { selected: i === chosen }, text)));
    const layers = weights.map((_, i) => `${i}`);
    const heads = weights[0].map((_, i) => `${i}`);
    return make("div", { class: "controls" },
      make("label", {}, "Cross-attention of layer",
        select((i) => ({ layer: i }), layer, ...layers)),
      make("label", {}, "head",
        select((i) => ({ head: i ? i - 1 : null }), head === null ? 0 : head + 1,
          "mean of all", ...heads)));
  }

  grid(french) {
    const widest = Math.max(...french.map((word) => word.length));
    const style = `--count: ${this.columns.length}; --label: ${0.9 + 0.5 * widest}rem; ` +
      `--row: ${french.length <= 20 ? 1.75 : 1.5}rem`;
    this.rows = french.map((word) => make("div", { role: "option" },
      make("span", { class: word === END ? "word special" : "word" }, word),
      ...this.columns.map(() => make("span", { class: "cell" }))));
    this.heads = this.columns.map((word) =>
      make("span", { class: word === END ? "special" : "" }, word));
    const under = (event) => {
      const row = this.rows.indexOf(event.target.closest("[role=option]"));
      return row < 0 ? null : row;
    };
    return make("div", { class: "map", style },
      make("div", { class: "columns", lang: "en", "aria-hidden": "true" },
        make("i", {}), ...this.heads),
      make("div", {
        role: "listbox",
        lang: "fr",
        "aria-label": "French words",
        onclick: (event) => this.toggle(under(event)),
        onkeydown: (event) => this.press(event),
        onpointerover: (event) => event.pointerType !== "touch" && this.point(under(event)),
        onpointerleave: () => this.point(null),
      }, ...this.rows));
  }

  /** The English words again, in reading order, with the weights of the chosen French one. */
  sentence() {
    this.weights = this.columns.map(() => make("span", { class: "number" }));
    const name = "Weights on the English words";
    return make("div", { class: "seen", role: "group", "aria-label": name },
      ...this.columns.map((word, i) => make("div", {},
        make("span", { lang: "en", class: word === END ? "special" : "" }, word),
        this.weights[i])));
  }

  paintCells() {
    this.matrix = matrixOf(this.shown.weights, this.map.layer, this.map.head);
    this.rows.forEach((row, i) => {
      const [, ...cells] = row.children;
      cells.forEach((cell, j) =>
        cell.style.setProperty("--weight", `${(100 * this.matrix[i][j]).toFixed(1)}%`));
    });
  }

  update() {
    const { row, weights } = this.state;
    this.rows.forEach((option, i) => {
      option.classList.toggle("shown", i === row);
      option.setAttribute("aria-selected", i === this.row);
      option.tabIndex = i === this.stop ? 0 : -1;
    });
    this.weights.forEach((number, i) => {
      const weight = row === null ? 0 : weights[i];
      number.textContent = row === null ? "" : decimals(weight);
      number.style.setProperty("--weight", `${100 * weight}%`);
      for (const place of [number, this.heads[i]]) place.classList.toggle("strong", weight >= 0.1);
    });
    this.say(`${this.mapName}. `, ...this.said(row, weights));
  }

  get mapName() {
    const { layer, head } = this.map;
    return `Layer ${layer}, ${head === null ? "mean of all heads" : `head ${head}`}`;
  }

  said(row, weights) {
    if (row === null)
      return ["All weights: the darker, the larger. ", make("span", { class: "hint" },
        "Point at a French word, tap it or use the arrow keys.")];
    const top = [...weights.keys()].sort((i, j) => weights[j] - weights[i]).slice(0, NAMED);
    const list = top.map((i) => `${this.called.english[i]} ${decimals(weights[i])}`).join(", ");
    const rest = 1 - top.reduce((sum, i) => sum + weights[i], 0);
    const others = weights.length > NAMED ? `; all others ${decimals(rest)}` : "";
    return [`“${this.called.french[row]}” looks at: ${list}${others}.`];
  }

  /** The table is of the whole map: choosing a word leaves it as it is. */
  refreshTable() {
    if (!this.details.open || this.tableOf === this.matrix) return;
    this.tableOf = this.matrix;
    super.refreshTable();
  }

  asTable() {
    return table(
      `Cross-attention: rows are French words, columns are English words. ${this.mapName}`,
      ["French", ...this.called.english],
      this.matrix.map((row, i) => [this.called.french[i], ...row.map((x) => decimals(x, 3))]),
    );
  }
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

define("live-translator", LiveTranslator);
