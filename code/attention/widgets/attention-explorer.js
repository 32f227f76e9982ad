// Attention explorer: queries on the left, keys on the right, and between them
// lines as wide as the attention weights. A chosen query shows its row of the
// matrix, a chosen key its column.

import { Explorable, decimals, define, draw, make, table } from "./base.js";

const OTHER = { query: "key", key: "query" };
const NOTHING = { query: "looks at nothing", key: "is looked at by no query" };
const NAMED = 4; // how many tokens the status line names

/** The weights of a token: the row of a query, the column of a key. */
export function weightsOf(matrix, side, index) {
  return side === "query" ? matrix[index] : matrix.map((row) => row[index]);
}

/** The positions of the largest numbers that are not zero; of equal ones the first comes first. */
export function largest(numbers, count) {
  return [...numbers.keys()]
    .filter((i) => numbers[i] > 0)
    .sort((i, j) => numbers[j] - numbers[i])
    .slice(0, count);
}

export function sum(numbers) {
  return numbers.reduce((total, x) => total + x, 0);
}

const same = (a, b) => a?.side === b?.side && a?.index === b?.index;

// A bare 0 is exactly zero, as for a hidden key; 0.00 is small.
const written = (weight, digits = 2) => (weight === 0 ? "0" : decimals(weight, digits));

/** A line from row a on the left to row b on the right, level at both ends. */
const curve = (a, b) => `M0 ${a + 0.5}C40 ${a + 0.5} 60 ${b + 0.5} 100 ${b + 0.5}`;

class AttentionExplorer extends Explorable {
  static style = `
.grid {
  --bar: color-mix(in srgb, var(--accent) 20%, var(--paper));
  display: grid;
  grid-template-columns: minmax(0, var(--list)) minmax(7rem, 1fr) minmax(0, var(--list));
  max-width: 34rem;
}
.heading { align-self: end; padding: 0.2rem 0.5rem; color: var(--muted); font-size: 0.85rem; }
.heading.query { text-align: end; }
.reset { justify-self: center; min-height: 2rem; margin-bottom: 0.3rem; font-size: 0.85rem; }
.list { min-width: 0; }
[role="option"] {
  display: flex;
  gap: 0.5rem;
  align-items: center;
  justify-content: space-between;
  contain: layout paint; /* so that a new number moves nothing else */
  height: var(--row);
  padding: 0 0.5rem;
  border-radius: 3px;
  background: linear-gradient(var(--bar), var(--bar)) left no-repeat transparent;
  background-size: var(--weight) calc(100% - 3px);
  cursor: pointer;
}
.query [role="option"] { flex-direction: row-reverse; background-position: right; }
[role="option"]:hover, [role="option"].shown { background-color: var(--surface); }
[role="option"].shown { box-shadow: inset 4px 0 var(--accent); font-weight: 700; }
.query [role="option"].shown { box-shadow: inset -4px 0 var(--accent); }
:focus-visible { outline-offset: -2px; }
.token { overflow: hidden; white-space: pre; text-overflow: ellipsis; }
.number { color: var(--muted); font-size: 0.85rem; font-variant-numeric: tabular-nums; }
.strong .number { color: var(--text); }
.status::first-letter { text-transform: uppercase; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.lines { display: grid; height: calc(var(--rows) * var(--row)); cursor: default; }
.lines svg { grid-area: 1 / 1; width: 100%; height: 100%; min-height: 0; }
.lines path { fill: none; stroke: var(--accent); vector-effect: non-scaling-stroke; }
.few path { stroke-opacity: 1; }
.all { will-change: opacity; }
.all.faded { opacity: 0.13; }
.controls label { display: flex; gap: 0.5rem; align-items: center; }
.controls .step { min-width: 2.25rem; padding: 0; }
@media print {
  .all.faded { opacity: 0.3; }
  .reset { display: block; visibility: hidden; } /* its place in the grid is kept */
  slot { display: block; }
}
`;

  build({ caption, maps, queries, keys = queries, start, map }) {
    this.maps = maps;
    this.tokens = { query: queries, key: keys };
    this.map = map;
    this.chosen = start === null ? null : { side: "query", index: start };
    this.pointed = null; // what the mouse or the focus is on: shown until it leaves
    this.stop = { query: start ?? 0, key: 0 }; // where Tab enters each list

    const rows = Math.max(queries.shown.length, keys.shown.length);
    const [height, thickest] = rows <= 8 ? [2.5, 15] : rows <= 16 ? [2, 12] : [1.5, 9];
    this.thickest = thickest;
    const lengths = [...queries.shown, ...keys.shown].map((token) => token.length);
    const list = 5 + 0.6 * Math.min(Math.max(...lengths), 14);
    const box = { viewBox: `0 0 100 ${rows}`, preserveAspectRatio: "none", "aria-hidden": "true" };
    this.all = draw("svg", { ...box, class: "all moves" });
    this.few = draw("svg", { ...box, class: "few" });
    // One line for each token of the longer list: choosing a token moves them.
    this.few.append(...Array.from({ length: rows }, () => draw("path")));
    this.options = {};
    const everything = () => this.choose(null);
    const grid = make(
      "div",
      {
        class: "grid",
        role: "group",
        "aria-label": caption,
        style: `--row: ${height}rem; --rows: ${rows}; --list: ${list}rem`,
        onkeydown: (event) => this.press(event),
      },
      make("div", { class: "heading query" }, "Queries"),
      make("button", { type: "button", class: "reset", onclick: everything }, "All lines"),
      make("div", { class: "heading" }, "Keys"),
      this.list("query", "Queries: who looks"),
      make("div", { class: "lines", onclick: everything }, this.all, this.few),
      this.list("key", "Keys: who is looked at"),
    );
    this.drawMap();
    return maps.length > 1 ? [this.controls(), grid] : [grid];
  }

  list(side, name) {
    const { shown, called } = this.tokens[side];
    const options = shown.map((text, i) => this.option(text, called[i]));
    this.options[side] = options;
    const under = (event) => {
      const index = options.indexOf(event.target.closest("[role=option]"));
      return index < 0 ? null : { side, index };
    };
    return make(
      "div",
      {
        class: `list ${side}`,
        role: "listbox",
        "aria-label": name,
        onclick: (event) => this.toggle(under(event)),
        onpointerover: (event) => event.pointerType !== "touch" && this.point(under(event)),
        onpointerleave: () => this.point(null),
        onfocusin: (event) => this.enter(event.target, under(event)),
        onfocusout: () => this.point(null),
      },
      ...options,
    );
  }

  option(text, called) {
    const token =
      text === called
        ? [make("span", { class: "token" }, text)]
        : [
            make("span", { class: "token", "aria-hidden": "true" }, text),
            make("span", { class: "spoken" }, called),
          ];
    return make("div", { role: "option" }, ...token, make("span", { class: "number" }));
  }

  controls() {
    const { maps } = this;
    const select = make("select", { onchange: () => this.changeMap(select.selectedIndex) });
    select.append(...maps.map(({ name }) => make("option", {}, name)));
    select.selectedIndex = this.map;
    const step = (by, name, sign) => {
      const onclick = () => {
        select.selectedIndex = (select.selectedIndex + by + maps.length) % maps.length;
        this.changeMap(select.selectedIndex);
      };
      return make("button", { type: "button", class: "step", "aria-label": name, onclick }, sign);
    };
    return make(
      "div",
      { class: "controls" },
      make("label", {}, "Weights of", select),
      make("div", {}, step(-1, "Previous map", "‹"), " ", step(1, "Next map", "›")),
    );
  }

  // ------------------------------------------------------------ what a reader does

  choose(token) {
    this.chosen = token;
    this.pointed = null;
    if (token) this.stop[token.side] = token.index;
    this.update();
  }

  /** Choose a token, or let go of it if it is chosen. */
  toggle(token) {
    if (token) this.choose(same(token, this.chosen) ? null : token);
  }

  point(token) {
    if (same(token, this.pointed)) return;
    this.pointed = token;
    this.update();
  }

  /** Tab only looks at the token it comes to. A click focuses too; it is answered on its own. */
  enter(option, token) {
    if (option.matches(":focus-visible")) this.point(same(token, this.chosen) ? null : token);
  }

  changeMap(index) {
    this.map = index;
    this.drawMap();
    this.update();
  }

  /** Show other maps of the same tokens; what is chosen stays so. */
  display(maps) {
    this.maps = maps;
    this.tableOf = null;
    this.changeMap(0);
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const token = this.reached(event);
    if (token === undefined) return;
    // The page has uses of its own for these keys, such as scrolling.
    event.preventDefault();
    event.stopPropagation();
    this.choose(token);
    if (token) this.options[token.side][token.index].focus();
  }

  /** Where a key leads to: a token, null for all lines, undefined if it is no key of ours. */
  reached({ key, target }) {
    const side = this.options.query.includes(target) ? "query" : "key";
    const here = this.options[side].indexOf(target);
    const token = { side, index: here };
    if (key === "Escape") return null;
    if (here < 0) return undefined; // pressed on the button
    if (key === "Enter" || key === " ") return same(token, this.chosen) ? null : token;
    const [to, wanted] = {
      ArrowUp: [side, here - 1],
      ArrowDown: [side, here + 1],
      Home: [side, 0],
      End: [side, Infinity],
      ArrowLeft: ["query", here],
      ArrowRight: ["key", here],
    }[key] ?? [];
    if (!to) return undefined;
    return { side: to, index: Math.max(0, Math.min(wanted, this.options[to].length - 1)) };
  }

  // ---------------------------------------------------------------- what is shown

  get matrix() {
    return this.maps[this.map].weights;
  }

  /** What is shown now, in full precision: the whole matrix, or a row or column of it. */
  get state() {
    const { map, matrix } = this;
    const { side = null, index = null } = this.pointed ?? this.chosen ?? {};
    return { map, side, index, weights: side ? weightsOf(matrix, side, index) : matrix };
  }

  drawMap() {
    const paths = [];
    this.matrix.forEach((row, i) =>
      row.forEach((weight, j) => {
        if (!this.isVisible(weight)) return;
        paths.push(draw("path", { d: curve(i, j), ...this.look(weight) }));
      }),
    );
    this.all.replaceChildren(...paths);
  }

  /** Thinner lines take time and do not show. */
  isVisible(weight) {
    return this.thickest * weight >= 0.07;
  }

  look(weight) {
    return {
      "stroke-width": (this.thickest * weight).toFixed(2),
      "stroke-opacity": (0.2 + 0.5 * weight).toFixed(3),
    };
  }

  update() {
    const { side, index, weights } = this.state;
    this.all.classList.toggle("faded", side !== null);
    this.drawFew(side, index, weights);
    for (const which of ["query", "key"])
      this.options[which].forEach((option, i) => {
        const weight = side === OTHER[which] ? weights[i] : null;
        const chosen = same(this.chosen, { side: which, index: i });
        option.classList.toggle("shown", which === side && i === index);
        option.classList.toggle("strong", weight >= 0.1);
        option.setAttribute("aria-selected", chosen);
        option.tabIndex = i === this.stop[which] ? 0 : -1;
        option.style.setProperty("--weight", `${100 * (weight ?? 0)}%`);
        const text = weight === null ? this.remark(which, i) : written(weight);
        const { lastChild: number } = option;
        // Most stay as they are: writing them again would lay them out again.
        if (number.textContent !== text) number.textContent = text;
      });
    this.say(...this.sentence(side, index, weights));
  }

  drawFew(side, index, weights) {
    [...this.few.children].forEach((path, i) => {
      const weight = side ? (weights[i] ?? 0) : 0;
      const [a, b] = side === "query" ? [index, i] : [i, index];
      const line = this.isVisible(weight) ? { d: curve(a, b), ...this.look(weight) } : { d: "" };
      for (const [name, value] of Object.entries(line)) path.setAttribute(name, value);
    });
  }

  remark(side, index) {
    return side === "query" && sum(this.matrix[index]) === 0 ? "nothing" : "";
  }

  /** What the status line says, in pieces. */
  sentence(side, index, weights) {
    const name = this.maps.length > 1 ? `${this.maps[this.map].name}. ` : "";
    if (side === null) return [name, ...this.overview()];
    const who = `${name}${side === "query" ? "Query" : "Key"} ${this.tokens[side].called[index]}`;
    const others = this.tokens[OTHER[side]].called;
    const seen = largest(weights, weights.length);
    // A single one left is named rather than called "all others".
    const top = seen.length === NAMED + 1 ? seen : seen.slice(0, NAMED);
    const total = sum(weights);
    if (total === 0) return [`${who} ${NOTHING[side]}: all its weights are 0.`];
    const list = top.map((i) => `${others[i]} ${written(weights[i])}`).join(", ");
    const left = seen.length > top.length;
    const rest = left ? `; all others ${decimals(total - sum(top.map((i) => weights[i])))}` : "";
    if (side === "query") return [`${who} looks at: ${list}${rest}.`];
    return [`${who} is looked at by: ${list}${rest}. Together ${decimals(total)}.`];
  }

  overview() {
    const peaks = this.matrix.map((row) => Math.max(...row)).filter((weight) => weight > 0);
    if (!peaks.length) return ["No query looks at anything: all weights are 0."];
    const mean = decimals(sum(peaks) / peaks.length);
    const hint = "Point at a token, tap it or use the arrow keys.";
    return [`All weights at once. On average, the largest weight of a query is ${mean}. `,
      make("span", { class: "hint" }, hint)];
  }

  /** The table is of the whole map: choosing a token leaves it as it is. */
  refreshTable() {
    if (!this.details.open || this.tableOf === this.map) return;
    this.tableOf = this.map;
    super.refreshTable();
  }

  asTable() {
    const { query, key } = this.tokens;
    const { name } = this.maps[this.map];
    return table(
      this.maps.length > 1 ? `${this.figure.caption} (${name})` : this.figure.caption,
      ["query", ...key.called],
      this.matrix.map((row, i) => [query.called[i], ...row.map((weight) => written(weight, 3))]),
    );
  }
}

define("attention-explorer", AttentionExplorer);
