// The part of the live translator in which edges are cut: a list of cuts to try, what becomes
// of the pronoun in a sentence and in its mirror, and the map on which one cuts by hand.

import { decimals, make, softmax, table } from "./base.js";
import { CutMap } from "./cut-map.js";
import { EdgeCuts, edgesIn, headsOf, range } from "./edge-cuts.js";
import { matrixOf } from "./transformer-model.js";
import { PronounBars } from "./pronoun-bars.js";
import { asText, labels } from "./translator-words.js";

const WHERE = { encoder: "encoder self-attention", cross: "cross-attention" };
const SCOPES = { head: "this head only", layer: "this layer", all: "all layers" };
const LISTED = 4; // how many groups of cuts stand below the map

/** *it* becomes emphasis. */
const emphasized = (text) => text.split("*").map((part, i) =>
  i % 2 ? make("em", {}, part) : part);

const enumerated = (words) => words.map((word) => `“${word}”`).join(", ");

export class CutView {
  static style = `${CutMap.style}${PronounBars.style}
.cut-view { display: grid; gap: 0.8rem 1.2rem; align-items: start;
  grid-template-columns: minmax(0, 1fr); }
/* The column of the book is wide enough for the list beside the map. */
@container (min-width: 42rem) {
  .cut-view { grid-template-columns: 13.3rem minmax(0, 1fr); }
}
.steps-title { margin: 0 0 0.3rem; font-weight: 600; }
.steps { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.3rem;
  counter-reset: step; }
.steps li { display: grid; grid-template-columns: 1.2rem minmax(0, 1fr); align-items: baseline;
  counter-increment: step; }
.steps li::before { content: counter(step) "."; color: var(--muted); font-size: 0.9rem; }
.steps button { width: 100%; text-align: start; font-size: 0.9rem; line-height: 1.25;
  padding: 0.3rem 0.6rem; min-height: 2.25rem; }
.steps p { grid-column: 2; margin: 0.25rem 0 0.35rem; padding-inline-start: 0.6rem; font-size: 0.9rem;
  border-inline-start: 3px solid var(--accent); }
.writes { margin: 0 0 0.7rem; }
.writes strong { color: var(--mark); }
.board .rows { max-height: none; }
.board .controls { gap: 0.4rem 0.7rem; margin-bottom: 0.4rem; font-size: 0.9rem; }
.board .controls label { gap: 0.35rem; }
.board select { padding-inline: 0.3rem; }
.cuts { margin: 0.4rem 0; padding-inline-start: 1.2rem; }
@media print {
  .cut-view { display: block; }
  .steps-box { display: none; }
}
`;

  /**
   * `experiment` has the pronouns, the sentence and its mirror, the uncut run of the first
   * and the cuts to try. `size` has the numbers of layers and heads. `host` is asked for
   * the model, for another sentence, and to write the status line.
   */
  constructor(experiment, size, host) {
    Object.assign(this, { experiment, size, host });
    this.tries = experiment.steps.map((step) => {
      const { where, layers, heads, query, keys } = step;
      const places = headsOf(layers, heads);
      return { ...step, places, cuts: new EdgeCuts(edgesIn(where, places, query, keys)) };
    });
    this.where = "encoder";
    this.layer = 0;
    this.head = null;
    this.scope = "all";
    this.pair = experiment.pair;
    this.known = experiment.runs; // of the pair, uncut, as far as they are known
    this.map = new CutMap({
      press: (row, column) => this.toggle(row, column),
      point: () => this.host.say(),
    });
    this.element = this.build();
  }

  build() {
    this.steps = this.tries.map((step) => make("button",
      { type: "button", onclick: () => this.follow(step) }, ...emphasized(step.text)));
    this.notes = this.tries.map((step) =>
      make("p", { hidden: true }, ...emphasized(step.note)));
    this.bars = new PronounBars(this.experiment.pronouns, (sentence) => this.host.show(sentence));
    this.writes = make("p", { class: "writes" });
    this.selects = this.buildSelects();
    this.list = make("div", {});
    this.board = make("div", { class: "board" }, this.bars.element, this.writes,
      make("div", { class: "controls" }, ...Object.values(this.selects).map(({ label }) => label),
        make("button", { type: "button", onclick: () => this.change(new EdgeCuts()) }, "Reset")),
      make("div", { class: "rows" }, this.map.element),
      make("p", { class: "muted legend" }, ...[["×", "forbidden"],
        ["/", "in some of these heads"], ["·", "in other heads or layers"]].map(([sign, text]) =>
        make("span", {}, make("b", { "aria-hidden": "true" }, sign), text))),
      this.list);
    // The page turns its leaves at the arrows.
    const keep = (event) => event.key.startsWith("Arrow") && event.stopPropagation();
    return make("div", { class: "cut-view", onkeydown: keep },
      make("div", { class: "steps-box" },
        make("p", { class: "steps-title", id: "steps-title" }, "Try this"),
        make("ol", { class: "steps", "aria-labelledby": "steps-title" },
          ...this.steps.map((button, i) => make("li", {}, button, this.notes[i])))),
      this.board);
  }

  buildSelects() {
    const select = (name, text, options, take) => {
      const element = make("select", { name, onchange: () => {
        take(element.value);
        this.remap();
      } }, ...options.map(([value, said]) => make("option", { value }, said)));
      return { element, label: make("label", {}, text, element) };
    };
    const heads = range(this.size.heads).map((head) => [head, head]);
    return {
      where: select("where", "map", Object.entries(WHERE), (value) => {
        this.where = value;
        this.layer = Math.min(this.layer, this.size.layers[value] - 1);
      }),
      layer: select("layer", "layer", [], (value) => { this.layer = Number(value); }),
      head: select("head", "head", [["", "mean of all"], ...heads], (value) => {
        this.head = value === "" ? null : Number(value);
      }),
      scope: select("scope", "forbid in", Object.entries(SCOPES), (value) => {
        this.scope = value;
      }),
    };
  }

  // ------------------------------------------------------------ what a reader does

  /** Take a sentence and the model's translation; a mirror keeps the cuts, another has none. */
  take(sentence, model) {
    const same = (other) => `${other.english}` === `${sentence.english}`;
    const inPair = this.pair.findIndex(same);
    if (inPair >= 0 && this.sentences !== this.pair) this.begin(this.pair, this.known);
    else if (inPair < 0 && !this.sentences?.some(same)) this.begin([sentence], [null]);
    this.chosen = Math.max(inPair, 0);
    if (model) this.compute(model);
    this.redraw();
    this.paint();
  }

  begin(sentences, uncut) {
    this.sentences = sentences;
    this.runs = uncut.map((run) => ({ uncut: run, now: run }));
    this.cuts = this.computed = new EdgeCuts();
  }

  /** Set the cuts of the list "Try this", and show the head in which they carry most. */
  async follow(step) {
    if (this.sentences !== this.pair) await this.host.show(this.pair[0]);
    if (this.sentences !== this.pair) return; // the model could not be had
    const { where, query, keys, places, cuts } = step;
    const { uncut } = this.runs[this.chosen];
    const weight = ([layer, head]) => uncut?.[where]
      ? new EdgeCuts(edgesIn(where, [[layer, head]], query, keys)).attentionIn(uncut) : 0;
    const [layer, head] = places.reduce((best, place) =>
      (weight(place) > weight(best) ? place : best));
    Object.assign(this, { where, layer, head });
    this.redraw([query, keys[0]]);
    await this.change(cuts);
  }

  toggle(query, key) {
    const { layers, heads } = this.size;
    const all = range(heads);
    const places = {
      head: this.head === null ? headsOf([this.layer], all) : [[this.layer, this.head]],
      layer: headsOf([this.layer], all),
      all: headsOf(range(layers[this.where]), all),
    }[this.scope];
    this.change(this.cuts.toggled(edgesIn(this.where, places, query, [key])));
  }

  /** Show the cuts at once, and the numbers as soon as the model has computed them. */
  async change(cuts) {
    this.cuts = cuts;
    if (!this.host.isReady()) {
      this.board.setAttribute("aria-busy", true);
      this.paintMap();
    }
    await this.host.withModel((model) => this.compute(model));
    // It may have failed, or something else may have been asked for meanwhile.
    this.cuts = this.computed;
    this.board.removeAttribute("aria-busy");
    this.paint();
  }

  compute(model) {
    const { cuts } = this;
    this.runs.forEach((runs, i) => {
      const shown = i === this.chosen;
      const run = (cuts) => this.run(model, this.sentences[i], cuts, shown);
      if (shown ? !runs.uncut?.written : !runs.uncut) runs.uncut = run(null);
      runs.now = cuts.size ? run(cuts) : runs.uncut;
    });
    if (this.sentences === this.pair) this.known = this.runs.map(({ uncut }) => uncut);
    this.computed = cuts;
  }

  /** Let the model read with these cuts; for the mirror the pronoun's odds are enough. */
  run(model, { source, target, at }, cuts, shown) {
    const steps = shown ? target : target.slice(0, at + 1);
    const { logits, encoder, cross, rewrite } = model.follow(source, steps, cuts);
    const p = at < 0 ? null : softmax(Array.from(logits[at]));
    const odds = p && this.experiment.numbers.map((number) => p[number]);
    if (!shown) return { odds };
    return { odds, encoder, cross, written: rewrite() };
  }

  // ---------------------------------------------------------------- what is shown

  get sentence() {
    return this.sentences[this.chosen];
  }

  /** The weights that are shown: of the run with the cuts, or the one before it. */
  get weights() {
    const { now, uncut } = this.runs[this.chosen];
    return now?.[this.where] ?? uncut?.[this.where];
  }

  /** Draw the map of another sentence or sublayer, with the stop at this place. */
  redraw(stop = this.map.cells ? this.map.stop : [0, 0]) {
    const { english, french } = this.sentence;
    const columns = { words: english, called: labels(english), lang: "en" };
    const rows = this.where === "encoder" ? columns
      : { words: french, called: labels(french), lang: "fr" };
    const name = `${this.where} ${english} ${french}`;
    if (name === this.drawn) this.map.goTo(...stop);
    else this.map.draw(`${WHERE[this.where]}: edges to forbid`, rows, columns, stop);
    this.drawn = name;
    this.called = { rows: rows.called, columns: columns.called };
    this.bars.draw(this.sentences);
  }

  paint() {
    this.painted = {}; // a table that was made before is another picture's
    this.paintMap();
    this.bars.paint(this.runs, this.chosen, this.cuts.size > 0);
    this.paintWritten();
    this.paintList();
    this.steps.forEach((button, i) => {
      const pressed = this.sentences === this.pair && this.cuts.equals(this.tries[i].cuts);
      button.setAttribute("aria-pressed", pressed);
      this.notes[i].hidden = !pressed;
    });
    this.host.say();
  }

  remap() {
    this.redraw();
    this.paint();
  }

  paintMap() {
    const { layer, head, scope, head: one } = this;
    this.fillSelects({ where: this.where, layer, head: head ?? "",
      scope: scope === "head" && one === null ? "layer" : scope });
    const { weights } = this;
    const [rows, columns] = [this.called.rows, this.called.columns];
    this.matrix = weights ? matrixOf(weights, layer, head) : rows.map(() => columns.map(() => 0));
    this.marks = this.marksOf(rows, columns);
    this.map.paint(this.matrix, this.marks);
  }

  fillSelects(chosen) {
    const layers = range(this.size.layers[this.where]);
    const { layer } = this.selects;
    if (layer.element.length !== layers.length)
      layer.element.replaceChildren(...layers.map((i) => make("option", { value: i }, i)));
    this.selects.scope.element.options[0].disabled = this.head === null;
    for (const [name, value] of Object.entries(chosen)) this.selects[name].element.value = value;
  }

  /** For each cell: "cut" in all heads that are shown, in "some", only "elsewhere", or "". */
  marksOf(rows, columns) {
    const all = range(this.size.heads);
    const shown = headsOf([this.layer], this.head === null ? all : [this.head]);
    const here = this.cuts.countsOf(this.where, shown);
    const anywhere = this.cuts.countsOf(this.where,
      headsOf(range(this.size.layers[this.where]), all));
    return rows.map((_, row) => columns.map((_, column) => {
      const name = `${row} ${column}`;
      if (here.has(name)) return here.get(name) === shown.length ? "cut" : "some";
      return anywhere.has(name) ? "elsewhere" : "";
    }));
  }

  paintWritten() {
    const { now } = this.runs[this.chosen];
    const { french } = this.sentence;
    const words = now?.written && this.cuts.size ? this.host.words(now.written) : french;
    const shown = words.filter((word) => word !== "<end>");
    this.writes.replaceChildren(
      this.cuts.size ? "With these cuts it writes: " : "With nothing cut it writes: ", make("span", { lang: "fr" },
      ...shown.flatMap((word, i) => [
        word === french[i] ? word : make("strong", {}, word),
        word.endsWith("'") || i === shown.length - 1 ? "" : " "])));
  }

  paintList() {
    const groups = this.groups.map(({ text }) => make("li", {}, text));
    const more = groups.length - LISTED;
    const { uncut } = this.runs[this.chosen];
    const known = uncut?.encoder && uncut?.cross;
    this.list.replaceChildren(
      ...(groups.length ? [make("ul", { class: "cuts" }, ...groups.slice(0, LISTED),
        ...(more > 0 ? [make("li", {}, `and ${more} more (see the table)`)] : []))] : []),
      make("p", { class: "muted" }, this.cuts.size && known
        ? `Uncut, these ${this.cuts.size} edges had ${decimals(this.cuts.attentionIn(uncut))} of ` +
          "the attention, summed over layers and heads."
        : "Nothing is forbidden."));
  }

  /** The cuts in words. */
  get groups() {
    const [english, french] = [this.sentence.english, this.sentence.french].map(labels);
    return this.cuts.groups(this.size.layers, this.size.heads)
      .map(({ where, query, keys, place }) => {
        const who = where === "encoder" ? `“${english[query]}”` : `The step of “${french[query]}”`;
        const whom = enumerated(keys.map((key) => english[key]));
        return { text: `${who} may not look at ${whom}: ${place}`, who, whom, place };
      });
  }

  get mapName() {
    const head = this.head === null ? "mean of all heads" : `head ${this.head}`;
    return `${WHERE[this.where]}, layer ${this.layer}, ${head}`.replace(/^./, (first) =>
      first.toUpperCase());
  }

  /** The status line: the cell that is pointed at or has the focus, and what became of it. */
  said() {
    const [row, column] = this.map.here;
    const { rows, columns } = this.called;
    const uncut = this.runs[this.chosen].uncut?.[this.where];
    const weight = decimals(this.matrix[row]?.[column] ?? 0);
    const before = uncut ? decimals(matrixOf(uncut, this.layer, this.head)[row][column]) : weight;
    const who = this.where === "encoder" ? `“${rows[row]}”` : `the step of “${rows[row]}”`;
    const looks = this.marks[row][column] === "cut" ? `may not look at “${columns[column]}”`
      : `looks at “${columns[column]}” with ${weight}`;
    const then = before === weight ? "" : ` (uncut ${before})`;
    return [`${this.mapName}: ${who} ${looks}${then}. `, this.bars.summary ? `Pronoun: ${this.bars.summary}.`
      : make("span", { class: "hint" },
      "Press a cell (or walk with the arrow keys and press Enter) to forbid this edge.")];
  }

  get state() {
    return { where: this.where, layer: this.layer, head: this.head, scope: this.scope,
      chosen: this.chosen, matrix: this.matrix, cuts: this.cuts.edges,
      odds: this.runs.map(({ now }) => now?.odds ?? null), written: this.writes.lastChild.innerText,
      busy: this.board.hasAttribute("aria-busy") };
  }

  asTable() {
    const { pronouns } = this.experiment;
    const odds = this.runs.flatMap(({ now }, i) => now?.odds
      ? [[asText(this.sentences[i].english.slice(0, -1)),
        ...now.odds.map((p) => decimals(p, 4)), this.bars.verdicts[i]]] : []);
    const found = document.createDocumentFragment();
    if (odds.length) found.append(table("Probability of the pronoun, given the French before it",
      ["Sentence", ...pronouns, "likelier"], odds));
    found.append(table("Forbidden edges", ["Query", "may not look at", "in"],
      this.groups.length ? this.groups.map(({ who, whom, place }) => [who, whom, place])
        : [["none", "", ""]]));
    found.append(table(`Rows look at columns. ${this.mapName}`, ["Word", ...this.called.columns],
      this.matrix.map((row, i) => [this.called.rows[i], ...row.map((x) => decimals(x, 3))])));
    return found;
  }
}
