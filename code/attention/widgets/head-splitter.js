// The head splitter: one number of the values is followed through multi-head
// attention. A reader chooses it; its place is lit in every matrix on the way.

import {
  Explorable, decimals, define, draw, make, matmul, softmax, symbols, table, transpose,
} from "./base.js";

// How the heads are cut and put together: as it should be, and with the chapter's bug in two forms.
export const RIGHT = "right";
export const RESHAPE_IN = "reshape in";
export const RESHAPE_BOTH = "reshape in and out";

// -------------------------------------------------------------- the arithmetic

/** Where [position, component] is after the split: [head, row, component of the head]. */
export function placeAfterSplit([position, component], { length, d_k, heads }, way = RIGHT) {
  if (way === RIGHT) return [Math.floor(component / d_k), position, component % d_k];
  // A reshape leaves the numbers in their order in memory and cuts that order.
  const n = position * heads * d_k + component;
  return [Math.floor(n / (length * d_k)), Math.floor(n / d_k) % length, n % d_k];
}

/** Where [head, row, component of the head] is after the merge: [position, component]. */
export function placeAfterMerge([head, row, j], { length, d_k, heads }, way = RIGHT) {
  if (way !== RESHAPE_BOTH) return [row, head * d_k + j];
  const n = (head * length + row) * d_k + j;
  return [Math.floor(n / (heads * d_k)), n % (heads * d_k)];
}

export function split(x, heads, way = RIGHT) {
  const sizes = { length: x.length, d_k: x[0].length / heads, heads };
  const parts = grid(heads, () => grid(sizes.length, () => []));
  each(x, (number, position, component) => {
    const [head, row, j] = placeAfterSplit([position, component], sizes, way);
    parts[head][row][j] = number;
  });
  return parts;
}

export function merge(parts, way = RIGHT) {
  const sizes = { length: parts[0].length, d_k: parts[0][0].length, heads: parts.length };
  const merged = grid(sizes.length, () => []);
  parts.forEach((part, head) =>
    each(part, (number, row, j) => {
      const [position, component] = placeAfterMerge([head, row, j], sizes, way);
      merged[position][component] = number;
    }),
  );
  return merged;
}

/** Every stage of multi-head attention, from projected queries, keys and values. */
export function multiHead({ query, key, value, W_O, mask }, heads, way = RIGHT) {
  const [q, k, v] = [query, key, value].map((x) => split(x, heads, way));
  const weights = q.map((_, head) => attentionWeights(q[head], k[head], mask));
  const outputs = weights.map((rows, head) => matmul(rows, v[head]));
  const merged = merge(outputs, way);
  return { split: v, weights, outputs, merged, output: matmul(merged, W_O) };
}

function attentionWeights(query, key, mask) {
  return matmul(query, transpose(key)).map((row, i) => {
    const scores = row.map((score, j) =>
      !mask || mask[i][j] ? score / Math.sqrt(query[0].length) : -Infinity,
    );
    // A query that may see nothing gets zeros, as in by_hand.
    return scores.every((score) => score === -Infinity) ? row.map(() => 0) : softmax(scores);
  });
}

/**
 * Follow the number at [position, component] of the values.
 *
 * `entries` says where it comes in after the merge, and with which weight;
 * `share` is what it adds to the output, a matrix of the output's shape.
 */
export function follow(figure, stages, [position, component], heads, way = RIGHT) {
  const { value, W_O } = figure;
  const sizes = { length: value.length, d_k: W_O.length / heads, heads };
  const number = value[position][component];
  const place = placeAfterSplit([position, component], sizes, way);
  const [head, row, j] = place;
  const entries = stages.weights[head].map((weights, query) => {
    const [position, column] = placeAfterMerge([head, query, j], sizes, way);
    return { position, column, weight: weights[row] };
  });
  const share = value.map(() => W_O[0].map(() => 0));
  for (const { position, column, weight } of entries) {
    W_O[column].forEach((factor, i) => (share[position][i] += weight * number * factor));
  }
  return { number, place, entries, share };
}

function grid(size, entry) {
  return Array.from({ length: size }, (_, i) => entry(i));
}

function each(matrix, visit) {
  matrix.forEach((row, i) => row.forEach((entry, j) => visit(entry, i, j)));
}

// -------------------------------------------------------------------- words

function list(numbers) {
  return numbers.map((number) => decimals(number)).join(", ");
}

function plural(word, indices) {
  const sorted = [...new Set(indices)].sort((a, b) => a - b);
  const run = sorted.length > 2 && sorted.at(-1) - sorted[0] === sorted.length - 1;
  const text = run ? `${sorted[0]}–${sorted.at(-1)}` : sorted.join(" and ");
  return `${word}${sorted.length > 1 ? "s" : ""} ${text}`;
}

function shape(...sizes) {
  return `(${sizes.join(", ")})`;
}

/** Say where the number goes, in two sentences. */
function inWords({ number, place, entries }, [position, component], { d_k }, width) {
  const [head, row, j] = place;
  const own = Math.floor(component / d_k);
  let found = `V[${position}, ${component}] = ${decimals(number)} is component ${j} of head ${own}`;
  // A reshape cuts at multiples of d_k, too: j is right, the head and the row may not be.
  if (head !== own || row !== position) {
    found += `, position ${position}. The reshape puts it into head ${head}, row ${row}`;
  }
  const weights = list(entries.map((entry) => entry.weight));
  const reached = entries.filter((entry) => entry.weight > 0);
  if (!reached.length) return `${found}. Head ${head} gives it no weight: it goes nowhere.`;
  const columns = reached.map((entry) => entry.column);
  const rows = plural("row", columns);
  return (
    `${found}. Head ${head} gives it the weights ${weights}. After the merge it is in ` +
    `${plural("column", columns)} of ${plural("position", reached.map((e) => e.position))}; ` +
    `${rows} of W_O spread${rows.startsWith("rows") ? "" : "s"} it over all ${width} components.`
  );
}

// ------------------------------------------------------------------- the figure

const STYLE = `
:host { container-type: inline-size; }
.status { min-height: 7em; margin-top: 0; }
/* A column of numbers is as wide as the stage allows when the heads stand side by side. */
.stages {
  --stage: 100cqi; --label: 0.9rem; --gap: 2px;
  --gaps: calc((var(--heads) - 1) * var(--gap));
  --cell: min(2.75rem, (var(--stage) - var(--label) - var(--gaps)) / var(--width));
  display: grid; gap: 1.1rem 1rem; align-items: start;
}
@container (min-width: 40rem) {
  .stages { --stage: calc(50cqi - 0.5rem); grid-template-columns: 1fr 1fr; }
  .status { min-height: 4.2em; }
}
fieldset { display: flex; align-items: center; gap: 0.2rem; }
legend { float: left; padding: 0 0.4rem 0 0; }
label {
  display: inline-flex; align-items: center; gap: 0.4rem; min-width: 2.5rem; min-height: 2.25rem;
}
input { width: 1.1rem; height: 1.1rem; margin: 0; }
.title { margin: 0 0 0.25rem; }
.title span, .key { color: var(--muted); font-size: 0.85em; }
.key { margin: 1rem 0 0; }
.heads { display: flex; gap: var(--gap); align-items: flex-start; }
/* "−1.17" is 3.1 em wide in the widest usual font: numbers side by side do not touch. */
.matrix {
  table-layout: fixed; width: calc(var(--label) + var(--columns) * var(--cell));
  flex: none; font-size: min(0.72rem, var(--cell) * 0.275); line-height: 1.3;
}
.named { --label: 3rem; --cell: calc((var(--stage) - var(--label)) / var(--width)); }
.bare { --label: 0rem; }
.matrix th, .matrix td { border: 0; padding: 0; text-align: center; color: var(--muted); }
.matrix th { font-weight: normal; white-space: nowrap; }
.matrix .corner { width: var(--label); }
.matrix th[scope="row"] {
  overflow: hidden; padding-right: 0.3rem; text-align: end; text-overflow: ellipsis;
}
.matrix tbody td { height: 1.35rem; border: 1px solid var(--paper); }
.matrix .even { background-color: var(--surface); }
.matrix .odd { background-color: color-mix(in srgb, var(--border) 70%, var(--paper)); }
.matrix .lit, .matrix .weight {
  --part: color-mix(in srgb, var(--tint, var(--mark)) calc(var(--share) * 45%), transparent);
  background-image: linear-gradient(var(--part), var(--part));
  color: var(--text);
}
.matrix .weight { --tint: var(--accent); }
.matrix .lit { box-shadow: inset 0 0 0 1.5px var(--mark); }
/* All of it is lit: the tint says where most. */
.matrix.all td { box-shadow: none; }
.matrix[role="grid"] { user-select: none; }
.matrix[role="grid"] tbody td { height: 1.75rem; color: var(--text); cursor: pointer; }
.matrix[role="grid"] td:hover { box-shadow: inset 0 0 0 1.5px var(--text); }
.small {
  display: grid; grid-template-columns: repeat(auto-fit, var(--size)); gap: 0.2rem 0.3rem;
  flex: 1; margin-left: 0.5rem; color: var(--muted); font-size: 0.68rem; line-height: 1.3;
  text-align: center;
}
.small svg { width: 100%; border: 2px solid transparent; outline: 1px solid var(--border); }
.small rect { fill: var(--accent); }
.small .chosen { color: var(--text); font-weight: 700; }
.small .chosen svg { border-color: var(--mark); outline-color: var(--mark); }
details th, details td { white-space: nowrap; }
details td:last-child { white-space: normal; text-align: start; }
details th:last-child { text-align: start; }
@media print { .stage { break-inside: avoid; } }
`;

class HeadSplitter extends Explorable {
  static style = STYLE;

  /** What is shown, as numbers: the tests compare it with NumPy. */
  get state() {
    const [position, component] = this.chosen;
    return { heads: this.heads, way: this.way, position, component, ...this.result, ...this.path };
  }

  connectedCallback() {
    super.connectedCallback();
    // Near the numbers one chooses from: the figure is tall on a phone.
    this.stages.before(this.statusLine);
  }

  build({ value, heads, start }) {
    this.width = value[0].length;
    this.chosen = start;
    this.heads = heads;
    this.way = RIGHT;
    this.stages = make("div", { class: "stages", style: `--width: ${this.width}` });
    const key = "Framed or tinted: the chosen number; the stronger the tint, the larger its " +
      "part. Weights: the stronger the tint, the larger. Bands, lighter and darker: heads.";
    return [
      make("div", { class: "controls" }, this.headChoice(), this.wayChoice()),
      this.stages,
      make("p", { class: "key" }, key),
    ];
  }

  headChoice() {
    const divisors = grid(this.width, (i) => i + 1).filter((n) => this.width % n === 0);
    const choose = (event) => {
      this.heads = Number(event.target.value);
      this.update();
    };
    return make("fieldset", { onchange: choose }, make("legend", {}, "Heads"),
      ...divisors.map((n) => make("label", {},
        make("input", { type: "radio", name: "heads", value: n, checked: n === this.heads }), n)),
    );
  }

  wayChoice() {
    const choose = (event) => {
      this.way = event.target.value;
      this.update();
    };
    return make("label", {}, "Split and merge",
      make("select", { onchange: choose },
        make("option", { value: RIGHT }, "right"),
        make("option", { value: RESHAPE_IN }, "bug: reshape in"),
        make("option", { value: RESHAPE_BOTH }, "bug: reshape in and out")),
    );
  }

  /** Another number of heads, or another way to split: new matrices. */
  update() {
    const { value } = this.figure;
    this.sizes = { length: value.length, d_k: this.width / this.heads, heads: this.heads };
    this.result = multiHead(this.figure, this.heads, this.way);
    this.matrices = this.makeMatrices();
    this.titles = { weights: make("b"), share: make("b") };
    this.makeChoosable(this.matrices.value);
    this.stages.style.setProperty("--heads", this.heads);
    this.stages.replaceChildren(...this.layOut());
    this.paint();
  }

  makeMatrices() {
    const { sizes, way, figure } = this;
    const { split, weights, outputs, merged, output } = this.result;
    // The head of each merged number: merge matrices that hold the number of their head.
    const origin = merge(outputs.map((rows, head) => rows.map((row) => row.map(() => head))), way);
    return {
      value: matrix("Values V: choose a number with the arrow keys", figure.value, {
        rows: figure.tokens?.map((token, i) => `${i} ${token}`),
        head: (i, j) => placeAfterSplit([i, j], sizes, way)[0],
        bands: this.bands(way === RIGHT),
      }),
      split: split.map((part, head) => this.part("Split", part, head)),
      weights: matrix("Weights of the head", weights[0], {}),
      outputs: outputs.map((part, head) => this.part("Weights times values", part, head)),
      merged: matrix("Merged", merged, {
        head: (i, j) => origin[i][j],
        bands: this.bands(way !== RESHAPE_BOTH),
      }),
      W_O: matrix("W_O", figure.W_O, { head: (i) => Math.floor(i / sizes.d_k) }),
      output: matrix("Merged times W_O", output, { look: "all" }),
      share: matrix("What the chosen number adds", output, { look: "all" }),
    };
  }

  layOut() {
    const { value, split, weights, outputs, merged, W_O, output, share } = this.matrices;
    const { length, d_k, heads } = this.sizes;
    const flat = shape(length, this.width);
    const parts = shape(heads, length, d_k);
    const sideBySide = (...children) => make("div", { class: "heads" }, ...children);
    this.small = this.result.weights.map((rows, head) => smallWeights(rows, headName(head, d_k)));
    const small = make("div", { class: "small", "aria-hidden": "true",
      style: `--size: ${heads > 4 ? 1.75 : 3.2}rem` }, ...this.small);
    return [
      stage("1 Values V", flat, value.table, ": choose a number"),
      stage("2 Split", parts, sideBySide(...split.map(({ table }) => table))),
      stage(this.titles.weights, shape(heads, length, length), sideBySide(weights.table, small)),
      stage("3 Attention: weights × values", parts,
        sideBySide(...outputs.map(({ table }) => table))),
      stage("4 Merge", flat, merged.table),
      stage("W_O", shape(this.width, this.width), W_O.table),
      stage("5 Merged × W_O", flat, output.table),
      stage(this.titles.share, flat, share.table),
    ];
  }

  /** The heads above the columns they own; a reshape does not cut between columns. */
  bands(byColumn) {
    if (!byColumn) return [["cut in the order of memory", this.width]];
    return grid(this.heads, (head) => [headName(head, this.sizes.d_k), this.sizes.d_k]);
  }

  part(name, numbers, head) {
    return matrix(`${name}, head ${head}`, numbers, {
      head: () => head,
      bands: [[headName(head, this.sizes.d_k), this.sizes.d_k]],
      // The heads stand side by side: the first has the numbers of the rows for all.
      bare: head > 0,
    });
  }

  /** Turn the table of the values into a grid: one tab stop, arrow keys inside. */
  makeChoosable({ table, cells }) {
    const places = new Map();
    each(cells, (cell, i, j) => {
      cell.setAttribute("role", "gridcell");
      places.set(cell, [i, j]);
    });
    const choose = ({ target }) => places.has(target) && this.choose(places.get(target));
    table.setAttribute("role", "grid");
    table.addEventListener("click", choose);
    // With the button held down, the path follows the pointer.
    table.addEventListener("pointerover", (event) => event.buttons === 1 && choose(event));
    table.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    const [position, component] = this.chosen;
    const step = {
      ArrowUp: [position - 1, component],
      ArrowDown: [position + 1, component],
      ArrowLeft: [position, component - 1],
      ArrowRight: [position, component + 1],
      Home: [event.ctrlKey ? 0 : position, 0],
      End: [event.ctrlKey ? this.matrices.value.cells.length - 1 : position, this.width - 1],
    }[event.key];
    if (!step) return;
    event.preventDefault();
    if (this.matrices.value.cells[step[0]]?.[step[1]]) this.choose(step);
  }

  choose([position, component]) {
    if (String(this.chosen) !== String([position, component])) {
      this.chosen = [position, component];
      this.paint();
    }
    this.matrices.value.cells[position][component].focus();
  }

  /** Light the path of the chosen number. Only attributes and texts of cells change. */
  paint() {
    this.path = follow(this.figure, this.result, this.chosen, this.heads, this.way);
    this.paintValues();
    this.paintAttention();
    this.paintOutput();
    this.say(...symbols(inWords(this.path, this.chosen, this.sizes, this.width)));
  }

  paintValues() {
    const { value, split } = this.matrices;
    const at = (...place) => (...other) => Number(String(place) === String(other));
    const chosen = at(...this.chosen);
    light(value.cells, chosen);
    each(value.cells, (cell, i, j) => {
      cell.setAttribute("aria-selected", Boolean(chosen(i, j)));
      cell.tabIndex = chosen(i, j) - 1;
    });
    const inHead = at(...this.path.place);
    split.forEach(({ cells }, head) => light(cells, (i, j) => inHead(head, i, j)));
  }

  paintAttention() {
    const { place: [head, row, component], entries } = this.path;
    this.titles.weights.textContent = `3 Attention: weights of head ${head}`;
    this.small.forEach((one, n) => one.classList.toggle("chosen", n === head));
    each(this.matrices.weights.cells, (cell, i, j) => {
      const weight = this.result.weights[head][i][j];
      cell.textContent = decimals(weight);
      cell.className = j === row ? "weight lit" : "weight";
      cell.style.setProperty("--share", weight);
    });
    this.matrices.outputs.forEach(({ cells }, n) =>
      light(cells, (i, j) => (n === head && j === component ? entries[i].weight : 0)));
  }

  paintOutput() {
    const { merged, W_O, output, share } = this.matrices;
    const { entries, share: shares } = this.path;
    const entering = merged.cells.map((cells) => cells.map(() => 0));
    for (const { position, column, weight } of entries) entering[position][column] = weight;
    light(merged.cells, (i, j) => entering[i][j]);
    light(W_O.cells, (i) => Number(entering.some((row) => row[i] > 0)));

    const largest = Math.max(...shares.flat().map(Math.abs)) || 1;
    for (const { cells } of [output, share]) {
      light(cells, (i, j) => Math.abs(shares[i][j]) / largest);
    }
    each(share.cells, (cell, i, j) => (cell.textContent = decimals(shares[i][j])));
    this.titles.share.textContent = `Of this, from V[${this.chosen.join(", ")}]`;
  }

  asTable() {
    const { W_O } = this.figure;
    const { merged, output, outputs } = this.result;
    const { number, place: [head, row, j], entries, share } = this.path;
    const { length, d_k, heads } = this.sizes;
    const [position, component] = this.chosen;
    const flat = shape(length, this.width);
    const columns = [...new Set(entries.map((entry) => entry.column))];
    const mergedPlace = columns.length === 1 ? `[:, ${columns[0]}]`
      : entries.map((entry) => `[${entry.position}, ${entry.column}]`).join(" ");
    const strongest = entries.reduce((a, b) => (b.weight > a.weight ? b : a)).position;
    const text = (numbers) => numbers.map((x) => decimals(x)).join(" ");
    return table(
      `Where V[${position}, ${component}] = ${decimals(number)} goes: ` +
        `heads = ${heads}, d_k = ${d_k}` + (this.way === RIGHT ? "" : `, ${this.way}`),
      ["stage", "shape", "place", "numbers"],
      [
        ["values", flat, `[${position}, ${component}]`, decimals(number)],
        ["split", shape(heads, length, d_k), `[${head}, ${row}, ${j}]`, decimals(number)],
        ["weights", shape(heads, length, length), `[${head}, :, ${row}]`,
          text(entries.map((entry) => entry.weight))],
        ["outputs", shape(heads, length, d_k), `[${head}, :, ${j}]`,
          text(outputs[head].map((numbers) => numbers[j]))],
        ["merged", flat, mergedPlace,
          text(entries.map((entry) => merged[entry.position][entry.column]))],
        ...columns.map((column) =>
          ["W_O", shape(this.width, this.width), `[${column}, :]`, text(W_O[column])]),
        ["output", flat, `[${strongest}, :]`, text(output[strongest])],
        ["share", flat, `[${strongest}, :]`, text(share[strongest])],
      ],
    );
  }
}

function headName(head, d_k) {
  return d_k > 1 ? `head ${head}` : `h ${head}`;
}

function stage(title, size, content, hint = "") {
  const name = typeof title === "string" ? make("b", {}, ...symbols(title)) : title;
  return make("div", { class: "stage" },
    make("p", { class: "title" }, name, " ", make("span", {}, size),
      make("span", { class: "hint" }, hint)),
    content);
}

/** A matrix of numbers as a table, and its cells. `head(i, j)` gives the bands of the heads. */
function matrix(name, numbers, { rows, head, bands, bare, look = "" }) {
  const cells = numbers.map((row, i) => row.map((number, j) =>
    make("td", { class: head && (head(i, j) % 2 ? "odd" : "even") }, decimals(number))));
  const corner = () => (bare ? [] : [make("td", { class: "corner" })]);
  const heading = bands
    ? [make("tr", {}, ...corner(),
        ...bands.map(([text, span]) => make("th", { colspan: span, scope: "colgroup" }, text)))]
    : [];
  const indices = make("tr", {}, ...corner(),
    ...numbers[0].map((_, j) => make("th", { scope: "col" }, j)));
  const body = cells.map((row, i) => make("tr", {},
    ...(bare ? [] : [make("th", { scope: "row" }, rows?.[i] ?? i)]), ...row));
  const kind = `matrix ${look} ${bare ? "bare" : ""} ${rows ? "named" : ""}`;
  const size = `--columns: ${numbers[0].length}`;
  const table = make("table", { class: kind, style: size, "aria-label": name },
    make("thead", {}, ...heading, indices), make("tbody", {}, ...body));
  return { table, cells };
}

/** Tint cells by how much of the chosen number is in them. */
function light(cells, strength) {
  each(cells, (cell, i, j) => {
    const share = strength(i, j);
    // Most cells stay dark from one number to the next: leave them alone.
    if (cell.share === share) return;
    cell.share = share;
    cell.classList.toggle("lit", share > 0);
    cell.style.setProperty("--share", share);
  });
}

/** The weights of one head without their numbers, to compare the heads. */
function smallWeights(weights, name) {
  const picture = draw("svg", { viewBox: `0 0 ${weights.length} ${weights.length}` });
  each(weights, (weight, i, j) =>
    picture.append(draw("rect", { x: j, y: i, width: 1, height: 1, "fill-opacity": weight })));
  return make("div", {}, name, picture);
}

define("head-splitter", HeadSplitter);
