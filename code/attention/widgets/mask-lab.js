// The mask lab: allow and forbid pairs of a query and a key, and see each row of
// weights share out what is left. What happens to a row with nothing left depends
// on the rule. Nothing here decides that outcome: the weights are computed by each
// rule's own arithmetic, and the words below the figure describe what came out.

import { decimals, define, Explorable, make, softmax, table } from "./base.js";

/** What a forbidden score is replaced by, and the softmax that follows. */
export const RULES = {
  zeros: { name: "zero weight (this book)", fill: -Infinity, softmax: softmaxOrZeros },
  "minus-inf": { name: "the score −inf", fill: -Infinity, softmax },
  "minus-1e9": { name: "the score −1e9", fill: -1e9, softmax },
};
const WIDTHS = ["1", "2", "3", "4"];
// [along the queries, along the keys] for each key of the keyboard that moves.
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const isEmpty = (row) => !row.includes(true);

/** As by_hand.softmax: in a row of −inf subtract 0, and divide by 1 rather than by 0. */
export function softmaxOrZeros(scores) {
  const largest = Math.max(...scores);
  const shift = largest === -Infinity ? 0 : largest;
  const exponentials = scores.map((score) => Math.exp(score - shift));
  const total = sum(exponentials);
  return exponentials.map((x) => x / (total === 0 ? 1 : total));
}

/** The weights (queries, keys) under a mask, by the rule of that name. */
export function weightsUnder(rule, scores, mask) {
  const { fill, softmax } = RULES[rule];
  return scores.map((row, i) => softmax(row.map((score, j) => (mask[i][j] ? score : fill))));
}

/** The masks that have a name. `padding` holds true for each real token, or is null. */
export function namedMasks(length, padding, width) {
  const conditions = {
    everything: () => true,
    causal: (query, key) => key <= query,
    padding: (query, key) => padding[key],
    window: (query, key) => key <= query && query - key < width,
    "causal and padding": (query, key) => key <= query && padding[key],
    "window and padding": (query, key) => key <= query && query - key < width && padding[key],
  };
  const positions = [...Array(length).keys()];
  return Object.fromEntries(
    Object.entries(conditions)
      .filter(([name]) => padding || !name.includes("padding"))
      .map(([name, sees]) => [name, positions.map((i) => positions.map((j) => sees(i, j)))]),
  );
}

/** Tokens that occur more than once get a number, so that a sentence can tell them apart. */
export function distinct(tokens) {
  const repeated = (token) => tokens.indexOf(token) !== tokens.lastIndexOf(token);
  const occurrence = (token, i) => tokens.slice(0, i + 1).filter((other) => other === token).length;
  return tokens.map((token, i) => (repeated(token) ? `${token} ${occurrence(token, i)}` : token));
}

/** Say in words what became of the rows with nothing to see. */
export function outcome(names, mask, weights) {
  const empty = names.map((_, i) => i).filter((i) => isEmpty(mask[i]));
  if (!empty.length) return "Every query may see something, so the three rules agree.";
  const who = listed(empty.map((i) => `“${names[i]}”`));
  const row = weights[empty[0]];
  if (row.some(Number.isNaN)) {
    return `${who} may see nothing: −inf minus −inf is NaN, and so is every weight in such a row.`;
  }
  if (sum(row) > 0) {
    return (
      `${who} may see nothing, and yet each of the ${row.length} keys has the weight ` +
      `${decimals(row[0])}. What is forbidden leaks in, and nothing warns you.`
    );
  }
  return `${who} may see nothing: the weights are 0, so nothing is gathered.`;
}

function listed(words) {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

export class MaskLab extends Explorable {
  static style = `
:host { container-type: inline-size; }
.lab { display: flex; flex-wrap: wrap; gap: 0.75rem 1.5rem; align-items: flex-start; }
.pairs { table-layout: fixed; cursor: pointer; }
.pairs caption { padding-bottom: 0.5rem; }
.pairs :is(th, td) { width: 3rem; border: 0; padding: 0; overflow-wrap: anywhere; }
.pairs th { font-size: 0.8rem; line-height: 1.15; color: var(--muted); cursor: default; }
.pairs th[scope="col"] { text-align: center; vertical-align: bottom; padding-bottom: 0.25rem; }
.pairs th:first-child { width: 4.2rem; padding-inline-end: 0.5rem; text-align: end; }
.pairs th:not(.current) { font-weight: normal; }
.pairs th.current { color: var(--text); font-weight: 600; }
.pairs td {
  --share: 0%;
  position: relative;
  height: 2.5rem;
  border: 1px solid var(--border);
  font-size: 0.85rem;
  text-align: center;
  background: color-mix(in srgb, var(--accent) var(--share), var(--paper));
}
.pairs td:hover { outline: 1px solid var(--muted); outline-offset: -1px; }
.pairs td:focus-visible { outline: 3px solid var(--accent); outline-offset: -2px; }
.pairs td[aria-selected="false"] {
  color: var(--muted);
  --line: color-mix(in srgb, var(--border) 75%, transparent);
  background-image: repeating-linear-gradient(135deg, var(--line) 0 1px, transparent 1px 6px);
}
.pairs td.wrong { padding-top: 0.7rem; color: var(--mark); font-weight: 700; }
.pairs td.wrong::before {
  content: "×";
  position: absolute;
  inset: 0.2rem 0 auto;
  font-weight: normal;
  line-height: 1;
}
.choices { flex: 1 1 14rem; }
.choices legend { padding: 0; margin-bottom: 0.3rem; color: var(--muted); }
.choices fieldset + fieldset { margin-top: 0.9rem; }
.choices label { display: flex; align-items: center; gap: 0.5rem; min-height: 2rem; }
.choices input { width: 1.1rem; height: 1.1rem; margin: 0 0 0 2px; }
.presets { display: flex; flex-wrap: wrap; gap: 0.5rem; font-size: 0.9rem; }
.status { max-width: 44rem; }
details :is(th, td) { white-space: nowrap; }
.tall span { writing-mode: vertical-rl; transform: rotate(180deg); }
@container (max-width: 34rem) {
  .pairs { width: 100%; min-width: var(--narrow); }
  .pairs :is(th, td) { width: auto; }
  .pairs th:first-child { width: 3.9rem; }
  .pairs th span { writing-mode: vertical-rl; transform: rotate(180deg); }
}
@media print { .choices { display: none; } }
`;

  build({ tokens, scores, padding, mask, caption }) {
    this.names = distinct(tokens);
    this.scores = scores;
    this.padding = padding;
    this.mask = mask.map((row) => [...row]);
    this.rule = "zeros";
    this.width = 2;
    // The row that can be emptied by a button, until the reader picks another.
    this.current = [Math.floor(tokens.length / 2), 0];
    const choices = make("div", { class: "choices" }, this.buildPresets(), this.buildRules());
    const grid = make("div", { class: "scroll" }, this.buildGrid(tokens, caption));
    return [make("div", { class: "lab" }, grid, choices)];
  }

  buildGrid(tokens, caption) {
    const heads = tokens.map((token) => make("th", { scope: "col" }, make("span", {}, token)));
    this.rowHeads = tokens.map((token) => make("th", { scope: "row" }, token));
    this.cells = tokens.map((_, i) =>
      tokens.map((_, j) =>
        make("td", {
          role: "gridcell",
          class: "moves",
          tabindex: -1,
          "data-query": i,
          "data-key": j,
        }),
      ),
    );
    const corner = make("th", {}, "query ↓ key →");
    const hint = "Click a cell, or use the arrow keys and Space, to allow or forbid (×) it.";
    return make(
      "table",
      {
        // Long words stand upright above their columns.
        class: tokens.some((token) => token.length > 6) ? "pairs tall" : "pairs",
        role: "grid",
        "aria-multiselectable": "true",
        // Narrower than this the numbers would touch; then the box scrolls.
        style: `--narrow: ${3.9 + 2.1 * tokens.length}rem`,
        onclick: (event) => this.click(event),
        onkeydown: (event) => this.press(event),
      },
      make("caption", {}, `${caption}. `, make("span", { class: "hint" }, hint)),
      make("thead", {}, make("tr", {}, corner, ...heads)),
      make("tbody", {}, ...this.cells.map((row, i) => make("tr", {}, this.rowHeads[i], ...row))),
    );
  }

  buildPresets() {
    this.presets = Object.keys(this.named()).map((name) =>
      make("button", { type: "button", onclick: () => this.choose(name) }, name),
    );
    this.emptier = make("button", { type: "button", onclick: () => this.emptyRow() });
    const width = make(
      "select",
      { onchange: () => this.widen(Number(width.value)) },
      ...WIDTHS.map((text) => make("option", { selected: text === String(this.width) }, text)),
    );
    return make(
      "fieldset",
      {},
      make("legend", {}, "Mask"),
      make(
        "div",
        { class: "presets" },
        ...this.presets,
        make("label", {}, "width", width),
        this.emptier,
      ),
    );
  }

  buildRules() {
    const radios = Object.entries(RULES).map(([rule, { name }]) =>
      make(
        "label",
        {},
        make("input", {
          type: "radio",
          name: "rule",
          value: rule,
          checked: rule === this.rule,
          onchange: () => this.follow(rule),
        }),
        name,
      ),
    );
    return make("fieldset", {}, make("legend", {}, "A forbidden key gets"), ...radios);
  }

  // ------------------------------------------------------ what a reader can do

  choose(name) {
    this.mask = this.named()[name];
    this.update();
  }

  widen(width) {
    // A width is chosen to be looked at: show the window, with the padding hidden if it was.
    const name = this.matches().find((match) => match.startsWith("window")) ?? "window";
    this.width = width;
    this.choose(name);
  }

  emptyRow() {
    const query = this.current[0];
    this.mask[query] = this.mask[query].map(() => false);
    this.update("");
  }

  follow(rule) {
    this.rule = rule;
    this.update(`A forbidden key gets ${RULES[rule].name}. `);
  }

  toggle(query, key) {
    this.mask[query][key] = !this.mask[query][key];
    this.moveTo(query, key);
    this.paint();
    this.say(this.describeToggle(query, key));
  }

  click(event) {
    const { query, key } = event.target.dataset;
    if (key !== undefined) this.toggle(Number(query), Number(key));
  }

  press(event) {
    if (event.altKey || event.metaKey) return;
    const last = this.names.length - 1;
    let [query, key] = this.current;
    if (event.key in STEPS) {
      query += STEPS[event.key][0];
      key += STEPS[event.key][1];
    } else if (event.key === "Home" || event.key === "End") {
      key = event.key === "Home" ? 0 : last;
      if (event.ctrlKey) query = key;
    } else if (event.key === " " || event.key === "Enter") {
      this.toggle(query, key);
    } else return;
    event.preventDefault();
    this.moveTo(Math.min(Math.max(query, 0), last), Math.min(Math.max(key, 0), last));
    this.currentCell.focus();
  }

  // ----------------------------------------------------------- what is shown

  named() {
    return namedMasks(this.names.length, this.padding, this.width);
  }

  /** The names that fit the mask as it is now; a small grid may have several. */
  matches() {
    const now = String(this.mask);
    return Object.entries(this.named())
      .filter(([, mask]) => String(mask) === now)
      .map(([name]) => name);
  }

  get currentCell() {
    return this.cells[this.current[0]][this.current[1]];
  }

  get state() {
    const [query, key] = this.current;
    const { rule, mask, weights } = this;
    return { query, key, rule, width: this.width, masks: this.matches(), mask, weights };
  }

  moveTo(query, key) {
    this.currentCell.tabIndex = -1;
    this.rowHeads[this.current[0]].classList.remove("current");
    this.current = [query, key];
    this.currentCell.tabIndex = 0;
    this.rowHeads[query].classList.add("current");
    this.emptier.textContent = `nothing for “${this.names[query]}”`;
  }

  paint() {
    this.weights = weightsUnder(this.rule, this.scores, this.mask);
    this.cells.forEach((row, i) => row.forEach((cell, j) => this.paintCell(cell, i, j)));
    const matches = this.matches();
    for (const button of this.presets) {
      button.setAttribute("aria-pressed", matches.includes(button.textContent));
    }
  }

  paintCell(cell, query, key) {
    const allowed = this.mask[query][key];
    const weight = this.weights[query][key];
    const seen = allowed ? "may attend" : "may not attend";
    const pair = `query ${this.names[query]}, key ${this.names[key]}`;
    cell.setAttribute("aria-label", `${pair}: ${seen}, weight ${decimals(weight)}`);
    cell.setAttribute("aria-selected", allowed);
    // A forbidden key should have no weight. If it has one, the number is shown.
    cell.textContent = allowed || weight !== 0 ? decimals(weight) : "×";
    cell.classList.toggle("wrong", !allowed && weight !== 0);
    // No darker than this, or the number would not stand out from its cell.
    cell.style.setProperty("--share", `${40 * (weight || 0)}%`);
  }

  update(what = `Mask: ${this.maskName()}. `) {
    this.moveTo(...this.current);
    this.paint();
    this.say(what + outcome(this.names, this.mask, this.weights));
  }

  maskName() {
    const [name = "made by hand"] = this.matches();
    return name.startsWith("window") ? `${name}, ${this.width} wide` : name;
  }

  describeToggle(query, key) {
    const may = this.mask[query][key] ? "may" : "may not";
    const change = `“${this.names[query]}” ${may} attend to “${this.names[key]}” now. `;
    const seen = this.mask[query].filter(Boolean).length;
    if (seen === 0) return change + outcome(this.names, this.mask, this.weights);
    if (seen === 1) return `${change}The one key left has all the weight.`;
    const here = `: this one has ${decimals(this.weights[query][key])}`;
    return `${change}${seen} keys share the weight${this.mask[query][key] ? here : ""}.`;
  }

  asTable() {
    const rows = this.names.map((name, i) => [
      name,
      ...this.weights[i].map((weight, j) => {
        if (this.mask[i][j]) return decimals(weight);
        return weight === 0 ? "×" : `× ${decimals(weight)}`;
      }),
      decimals(sum(this.weights[i])),
      this.names.filter((_, j) => this.mask[i][j]).join(", ") || "nothing",
    ]);
    const rule = `A forbidden key (×) gets ${RULES[this.rule].name}.`;
    const header = ["query", ...this.names, "sum", "may attend to"];
    return table(`Mask: ${this.maskName()}. ${rule}`, header, rows);
  }
}

define("mask-lab", MaskLab);
