// Live translator: the reader types an English sentence, and the trained model of the
// translation chapter translates it in the page. Below stands its cross-attention: a
// French word in each row, and what that word looked at when it was written. The model's
// weights are fetched when a reader first asks for a translation; what is shown before
// that comes from the notebook. Where the notebook has given an experiment, edges of the
// attention can be cut as well: see cut-view.js.

import { Explorable, decimals, define, make, table } from "./base.js";
import { CutView } from "./cut-view.js";
import { Transformer, matrixOf } from "./transformer-model.js";
import { asText, labels, nearest, quoted, tokenize } from "./translator-words.js";
import { addressOf, fetchFile } from "./weights-file.js";

const SPECIALS = ["<padding>", "<start>", "<end>"]; // they have the first numbers
const END = "<end>";
const LONGEST = 40; // tokens of a sentence; in training it saw no such long ones
const NAMED = 4; // how many tokens the status line names
const MENTIONED = 5; // how many unknown words a message deals with

// -------------------------------------------------------------------------- element

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
table + table { margin-top: 1rem; }
.special { color: var(--muted); font-style: italic; }
[hidden] { display: none !important; }
:host { container-type: inline-size; }
${CutView.style}
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
    this.cutting = figure.experiment ? this.cutView(figure) : null;
    const [source, target] = examples[0].map((text) => text.split(" "));
    this.show({ english: source, french: [...target, END], weights: attention,
      milliseconds: null, row: Math.max(target.indexOf(word), 0) });
    return [this.form(asText(source)), this.examples(examples), this.knownWords(), this.pair,
      ...(this.cutting ? [this.views(), this.cutting.element] : []), this.result];
  }

  /** Where edges can be cut, there are two views: one begins with cutting. */
  views() {
    const names = { cut: "Cut an edge", look: "Look at the cross-attention" };
    const buttons = Object.entries(names).map(([view, name]) => make("button",
      { type: "button", onclick: () => turnTo(view) }, name));
    const turnTo = (view) => {
      this.view = view;
      this.cutting.element.hidden = view !== "cut";
      this.result.hidden = view !== "look";
      buttons.forEach((button, i) =>
        button.setAttribute("aria-pressed", Object.keys(names)[i] === view));
      if (this.statusLine.isConnected) this.update();
    };
    turnTo("cut");
    return make("div", { class: "controls", role: "group", "aria-label": "View" }, ...buttons);
  }

  cutView({ experiment, examples, attention }) {
    const words = ([english, french]) => [english.split(" "), [...french.split(" "), END]];
    const sentences = [0, experiment.mirror].map((i) =>
      this.sentenceOf(...words(examples[i]), experiment.pronouns));
    const [first, mirror] = experiment.odds;
    const { encoder, pronouns } = experiment;
    return new CutView({
      ...experiment,
      numbers: pronouns.map((word) => this.french.indexOf(word)),
      pair: sentences,
      runs: [{ odds: first, encoder, cross: attention }, { odds: mirror }],
    }, {
      layers: { encoder: encoder.length, cross: attention.length },
      heads: attention[0].length,
    }, {
      withModel: (act) => this.withModel(act),
      isReady: () => this.ready,
      words: (numbers) => numbers.map((number) => this.french[number]),
      say: () => this.statusLine.isConnected && this.update(),
      show: ({ english }) => {
        this.input.value = asText(english.slice(0, -1));
        return this.translate(this.input.value);
      },
    });
  }

  /** A sentence as one can cut in it: both sides with END, and where the pronoun stands. */
  sentenceOf(english, french, pronouns) {
    return {
      english: [...english, END],
      french,
      source: this.numbersOf(english),
      target: french.map((word) => this.french.indexOf(word)),
      at: french.findIndex((word) => pronouns.includes(word)),
    };
  }

  numbersOf(tokens) {
    return [...tokens.map((token) => this.numbers.get(token)), SPECIALS.indexOf(END)];
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
    this.asked++; // what was asked for before is no longer wanted
    const tokens = tokenize(text);
    const problem = this.problemWith(tokens);
    this.input.setAttribute("aria-invalid", problem !== null);
    if (problem) this.tell(...problem);
    else await this.withModel((model) => this.answer(model, tokens));
  }

  /** Do something with the model once it is here. Of several things asked for, the last counts. */
  async withModel(act) {
    const asked = ++this.asked;
    this.model ??= this.loadModel();
    this.tell(...this.loading);
    try {
      const model = await this.model;
      if (asked !== this.asked) return;
      this.tell();
      act(model);
    } catch (error) {
      this.model = null; // to try again at the next press
      this.ready = false;
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
      const model = new Transformer(await fetchFile(address, bytes, tell));
      this.ready = true;
      return model;
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
    const { tokens: written, weights } = model.greedy(this.numbersOf(tokens));
    const milliseconds = performance.now() - started;
    const french = written.map((number) => this.french[number]);
    this.show({ english: tokens, french, weights, milliseconds, row: 0 }, model);
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
    return { english, french, milliseconds, ...this.map, row, cut: this.cutting?.state,
      weights: row === null ? matrix : matrix[row] };
  }

  /** Show a translation and its attention in the place of the one before. */
  show(shown, model = null) {
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
    const { pronouns } = this.figure.experiment ?? {};
    this.cutting?.take(this.sentenceOf(english, french, pronouns), model);
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
    if (this.view === "cut") this.say(...this.cutting.said());
    else this.updateLook();
  }

  updateLook() {
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
    const shown = this.view === "cut" ? this.cutting.painted : this.matrix;
    if (!this.details.open || this.tableOf === shown) return;
    this.tableOf = shown;
    super.refreshTable();
  }

  asTable() {
    if (this.view === "cut") return this.cutting.asTable();
    return table(
      `Cross-attention: rows are French words, columns are English words. ${this.mapName}`,
      ["French", ...this.called.english],
      this.matrix.map((row, i) => [this.called.french[i], ...row.map((x) => decimals(x, 3))]),
    );
  }
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

define("live-translator", LiveTranslator);
