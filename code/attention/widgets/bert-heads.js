// All heads of a BERT: each is a small map, one of them stands large in the attention explorer.
// The notebook gives some sentences with the weights of all heads. A reader can type another;
// then the model's weights are fetched, and the page computes it (bert-python.js).

import { Explorable, decimals, define, make, table } from "./base.js";
import "./attention-explorer.js";
import { BertInPython, weightsOfThePage } from "./bert-python.js";
import { HeadMaps, PLACES, asText, labels } from "./bert-maps.js";

const STORED = 1000; // a weight of the notebook is in thousandths
const HALF = 0.5;
const LONGEST_TEXT = 2000; // characters

class BertHeads extends Explorable {
  static style = `
:host { container-type: inline-size; }
form, .examples, .muted, .problem { max-width: 40rem; }
form { display: flex; flex-wrap: wrap; gap: 0.3rem 0.5rem; align-items: center; }
form label { flex-basis: 100%; color: var(--muted); }
input {
  flex: 1 1 14rem; min-width: 0; min-height: 2.5rem; padding: 0.2rem 0.6rem;
  border: 1px solid var(--muted); border-radius: 4px; background: var(--paper);
}
form button { min-height: 2.5rem; background: var(--accent); color: var(--paper);
  border-color: var(--accent); font-weight: 600; }
.examples { display: flex; flex-wrap: wrap; gap: 0.4rem; margin: 0.6rem 0 0; align-items: center; }
.examples button { font-size: 0.85rem; text-align: start; min-height: 2rem; }
.muted { color: var(--muted); font-size: 0.85rem; margin: 0.3rem 0; }
.message { margin: 0.4rem 0; }
.message:empty { display: none; }
.message p { margin: 0 0 0.3rem; }
.problem { border-inline-start: 3px solid var(--mark); padding-inline-start: 0.6rem; }
progress { width: 100%; max-width: 20rem; accent-color: var(--accent); }
.shown { margin: 0.9rem 0 0.6rem; padding: 0.5rem 0.8rem; border-radius: 4px; max-width: 40rem;
  background: var(--surface); }
.shown p { margin: 0; }
.sentence { font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere; }
.controls label { display: flex; flex-wrap: wrap; gap: 0.2rem 0.5rem; align-items: center; }
.all { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 2px 4px;
  max-width: 34rem; font-size: 0.75rem; color: var(--muted); }
.numbers, [role="listbox"] { display: grid; gap: 3px;
  grid-template-columns: repeat(var(--heads), minmax(0, 1fr)); }
.numbers span { text-align: center; }
.layers { display: grid; grid-template-rows: repeat(var(--layers), 1fr); align-items: center;
  justify-items: end; font-variant-numeric: tabular-nums; }
[role="option"] { display: block; aspect-ratio: 1; min-width: 0; padding: 0; cursor: pointer;
  border-radius: 2px; outline-offset: 0; }
[role="option"] canvas { display: block; width: 100%; height: 100%; border-radius: 2px;
  color: var(--accent);
  image-rendering: pixelated; }
.marking [role="option"] canvas { opacity: 0.3; }
.marking [role="option"].marked canvas { opacity: 1; }
[role="option"].marked { box-shadow: 0 0 0 2px var(--mark); }
[role="option"][aria-selected="true"] { box-shadow: 0 0 0 3px var(--accent); }
[role="option"]:focus-visible { outline-offset: 3px; }
.large { margin-top: 0.9rem; }
a { color: var(--accent); }
.title { margin: 0; font-weight: 600; }
@media print {
  form, .examples, .message { display: none; }
  .marking [role="option"] canvas { opacity: 1; }
}
`;

  build(figure) {
    const { sentences, layers, heads, head } = figure;
    this.count = layers * heads;
    this.head = head[0] * heads + head[1];
    this.place = null; // whose heads are marked
    this.asked = 0;
    this.given = sentences.map(({ pieces, weights }) =>
      new HeadMaps(pieces, Float32Array.from(weights.split(" "), (x) => x / STORED)));
    this.details.firstChild.textContent = "All heads as a table";
    this.shownBox = make("div", { class: "shown", "aria-live": "polite" });
    this.nameLine = make("p", { class: "title" });
    this.large = make("div", { class: "large" }, this.nameLine);
    const parts = [this.top(figure), this.examples(), this.shownBox, this.marks(),
      this.all(layers, heads), this.caption(figure), this.large];
    this.show(this.given[0], "computed in the notebook, with the full weights");
    const word = figure.word === null ? -1 : this.maps.pieces.indexOf(figure.word);
    if (word >= 0) this.explorer.dataset.figure = this.forExplorer(word);
    return parts;
  }

  // ------------------------------------------------------------------ what stands there

  /** The field for a sentence, or why there is none. */
  top({ file }) {
    this.message = make("div", { id: "message", class: "message", "aria-live": "polite" });
    const address = weightsOfThePage();
    if (address === null)
      return make("div", {}, make("p", { class: "muted hint" },
        "These sentences are here. For one of your own, the page needs the model's weights " +
        `(${megabytes(file.bytes)}), and Python: open the book's site, built after `,
        make("code", {}, "make models"), "."), this.message);
    this.address = new URL(address, document.baseURI).href;
    this.input = make("input", { id: "sentence", type: "text", lang: "en", autocomplete: "off",
      maxlength: LONGEST_TEXT, spellcheck: "false", "aria-describedby": "message cost" });
    const read = (event) => {
      event.preventDefault();
      this.read(this.input.value.trim());
    };
    const form = make("form", { onsubmit: read },
      make("label", { for: "sentence" }, "A sentence in English"),
      this.input, make("button", { type: "submit" }, "Read it"));
    // The page has uses of its own for some keys, such as "/" and the arrows.
    form.addEventListener("keydown", (event) => event.stopPropagation());
    this.cost = make("p", { id: "cost", class: "muted hint" },
      `Your first sentence fetches the model, ${megabytes(file.bytes)}, and Python from this ` +
      "site, once. What you type stays in the page.");
    return make("div", {}, form, this.cost, this.message);
  }

  /** What is seen, how exact it is, and whose model it is. */
  caption({ difference, model: [title, licence, source] }) {
    return make("p", { class: "muted" },
      `All ${this.count} heads, a row for each layer. In a map a row is a query, a column is a ` +
      "key, and strong colour is much. In the page the model's weights have eight bits: in the " +
      `sentences above, no weight of a map moves by more than ${upTo(difference)}. The model: `,
      make("a", { href: `https://${source}` }, title), ` (${licence}).`);
  }

  examples() {
    const button = (maps) => {
      const text = asText(maps.pieces);
      const take = () => {
        this.asked++; // an answer that is still to come is no longer wanted
        this.tell();
        if (this.input) this.input.value = text;
        this.show(maps, "computed in the notebook, with the full weights");
      };
      return make("button", { type: "button", lang: "en", onclick: take }, text);
    };
    return make("div", { class: "examples", role: "group", "aria-label": "Sentences" },
      make("span", { class: "muted hint" }, "From the notebook:"), ...this.given.map(button));
  }

  marks() {
    const places = Object.entries(PLACES);
    const choose = ({ target }) => this.mark([null, ...Object.keys(PLACES)][target.selectedIndex]);
    this.found = make("span", { class: "muted" });
    return make("div", { class: "controls" },
      make("label", {}, "Mark heads that look mostly at",
        make("select", { onchange: choose },
          ...["(none marked)", ...places.map(([, { name }]) => name)].map((name) =>
            make("option", {}, name)))),
      this.found);
  }

  all(layers, heads) {
    this.options = Array.from({ length: this.count }, () =>
      make("div", { role: "option" }, make("canvas", { "aria-hidden": "true" })));
    this.list = make("div", {
      role: "listbox",
      "aria-label": `All ${this.count} heads: a row for each layer`,
      onclick: ({ target }) => this.choose(this.options.indexOf(target.closest("[role=option]"))),
      onkeydown: (event) => this.press(event, heads),
    }, ...this.options);
    const numbers = (count) => Array.from({ length: count }, (_, i) => make("span", {}, `${i}`));
    return make("div", { class: "all", style: `--heads: ${heads}; --layers: ${layers}` },
      make("span", { "aria-hidden": "true" }, "layer"),
      make("div", { class: "numbers", "aria-hidden": "true" }, ...numbers(heads)),
      make("div", { class: "layers", "aria-hidden": "true" }, ...numbers(layers)), this.list);
  }

  // ------------------------------------------------------------------ what a reader does

  /** Read a sentence, or tell why not. Of several asked for at once, the last counts. */
  async read(text) {
    const asked = ++this.asked;
    if (!text) return this.problem("Type a sentence, or take one of those below.");
    const began = performance.now();
    try {
      this.model ??= this.newModel();
      const model = await this.model;
      if (asked !== this.asked) return;
      this.tell(make("p", {}, "Reading …"));
      const { longest } = this.figure;
      const { pieces, weights, milliseconds } = await model.look(text, longest);
      if (asked !== this.asked) return;
      this.tell();
      if (weights === null) this.problem(`This sentence has ${pieces.length} tokens with [CLS] ` +
        `and [SEP]; here it may have ${longest}.`);
      else this.showOwn(new HeadMaps(pieces, weights), milliseconds, began, model);
    } catch (error) {
      this.model = null; // to try again at the next press
      if (asked === this.asked) this.problem(`The model could not be run: ${error.message}. ` +
        "Look whether you are connected, and press Read it again.");
    }
  }

  async newModel() {
    const { bytes } = this.figure.file;
    const bar = make("progress", { max: bytes, value: 0, "aria-label": "Weights fetched" });
    const said = make("p", {}, "");
    const tell = (come, doing) => {
      bar.setAttribute("value", come);
      const text = come < bytes ? `Fetching the model: ${megabytes(come)} of ${megabytes(bytes)}.`
        : "The weights are here.";
      said.textContent = `${text} ${doing}`;
    };
    tell(0, "");
    this.tell(said, bar);
    const model = new BertInPython(this.address, bytes, tell);
    try {
      await model.start();
    } catch (error) {
      model.end();
      throw error;
    }
    this.cost.textContent = "The model is here. What you type stays in the page.";
    return model;
  }

  showOwn(maps, milliseconds, began, model) {
    const text = asText(maps.pieces);
    const known = this.given.find(({ pieces }) => asText(pieces) === text);
    const seconds = decimals((performance.now() - Math.max(began, model.arrived)) / 1000, 1);
    const apart = known ? ` No weight is further than ${upTo(maps.apartFrom(known))} ` +
      "from the notebook's." : "";
    const start = began < model.arrived ? ", and Python's start in it" : "";
    this.show(maps, `computed in this page, in ${seconds} s${start}, with weights in eight ` +
      `bits.${apart}`);
    this.times = { python: milliseconds, sinceWeights: performance.now() - model.arrived,
      sincePress: performance.now() - began };
  }

  choose(head) {
    if (head < 0) return;
    this.head = head;
    this.explorer.display([{ name: this.name, weights: this.maps.matrix(head) }]);
    this.update();
  }

  mark(place) {
    this.place = place;
    this.update();
  }

  press(event, heads) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const column = this.head % heads;
    const last = this.count - 1;
    const to = { ArrowLeft: Math.max(this.head - 1, 0), ArrowRight: Math.min(this.head + 1, last),
      ArrowUp: this.head < heads ? this.head : this.head - heads,
      ArrowDown: this.head + heads > last ? this.head : this.head + heads,
      Home: this.head - column, End: this.head - column + heads - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.choose(to);
    this.options[to].focus();
  }

  // ------------------------------------------------------------------ what is shown

  get name() {
    const { heads } = this.figure;
    return `Layer ${Math.floor(this.head / heads)}, head ${this.head % heads}`;
  }

  get state() {
    const { heads } = this.figure;
    return { pieces: this.maps.pieces, layer: Math.floor(this.head / heads),
      head: this.head % heads, weights: this.maps.matrix(this.head), marked: this.marked,
      times: this.times ?? null };
  }

  /** Paint the small maps, once the figure is on the page and has its colours. */
  paint() {
    if (!this.list?.isConnected) return;
    const ink = getComputedStyle(this.options[0].firstChild).color.match(/[\d.]+/g).slice(0, 3);
    this.options.forEach((option, head) => this.maps.paint(head, option.firstChild, ink));
  }

  /** A canvas does not follow the page when that becomes dark or light. */
  connectedCallback() {
    super.connectedCallback();
    this.paint();
    this.theme = new MutationObserver(() => this.paint());
    this.theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  disconnectedCallback() {
    this.theme.disconnect();
  }

  /** Show a sentence in the place of the one before. */
  show(maps, where) {
    this.maps = maps;
    this.shownBox.replaceChildren(
      make("p", { class: "sentence", lang: "en" }, asText(maps.pieces)),
      make("p", { class: "muted" }, where));
    this.paint();
    this.explorer?.remove();
    this.explorer = make("attention-explorer", { "data-figure": this.forExplorer(null) });
    this.large.append(this.explorer);
    if (this.statusLine?.isConnected) this.update();
  }

  forExplorer(start) {
    const { pieces } = this.maps;
    const maps = [{ name: this.name, weights: this.maps.matrix(this.head) }];
    const caption = "Weights of one head: rows are queries, columns are keys";
    return JSON.stringify({ caption, maps, queries: { shown: pieces, called: labels(pieces) },
      start, map: 0 });
  }

  update() {
    const { heads } = this.figure;
    this.marked = this.place === null ? [] : [...this.options.keys()].filter((head) =>
      this.maps.share(head, this.place) > HALF);
    this.list.classList.toggle("marking", this.place !== null);
    this.options.forEach((option, head) => {
      const marked = this.marked.includes(head);
      option.classList.toggle("marked", marked);
      option.setAttribute("aria-selected", head === this.head);
      option.setAttribute("aria-label",
        `Layer ${Math.floor(head / heads)}, head ${head % heads}${marked ? ", marked" : ""}`);
      option.tabIndex = head === this.head ? 0 : -1;
    });
    this.found.textContent = this.place === null ? ""
      : `${this.marked.length} of ${this.count} heads give it more than half.`;
    this.nameLine.textContent = this.name;
    const shares = Object.entries(PLACES).map(([place, { short }]) =>
      `${short} ${decimals(this.maps.share(this.head, place))}`);
    this.say(`${this.name}. Mean weight of a word on: ${shares.join(", ")}.`);
  }

  tell(...content) {
    this.message.replaceChildren(...content);
  }

  problem(text) {
    this.tell(make("p", { class: "problem" }, text));
  }

  asTable() {
    const places = Object.keys(PLACES);
    const { heads } = this.figure;
    return table(
      `Mean weight of a word on some places, by head, in “${asText(this.maps.pieces)}”`,
      ["layer, head", ...places.map((place) => PLACES[place].short)],
      this.options.map((_, head) => [`${Math.floor(head / heads)}, ${head % heads}`,
        ...places.map((place) => decimals(this.maps.share(head, place)))]));
  }
}

// Rounded up, as it is said that nothing is larger.
const upTo = (difference) => decimals(Math.ceil(1000 * difference) / 1000, 3);
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

define("bert-heads", BertHeads);
