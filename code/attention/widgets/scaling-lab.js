// The scaling lab: choose d_k and the scale, and see what becomes of
// the scores of a query, its weights, their entropy and the softmax's Jacobian.
//
// The notebook hands over the dot products of a few queries at each width; from
// them everything else about one query is computed here. The curves are means
// over many queries, computed by NumPy.

import { Explorable, decimals, define, draw, make, softmax, symbols, table } from "./base.js";

// The scale is this power of d_k; the names are those of the Python class.
export const SCALES = { none: 0, "1/√d_k": -0.5, "1/d_k": -1 };

/** How spread out a row of weights is, in nats; 0 log 0 counts as 0. */
export function entropy(weights) {
  return weights.reduce((sum, w) => sum - (w > 0 ? w * Math.log(w) : 0), 0);
}

/** The Frobenius norm of the softmax's Jacobian, w_i (δ_ij − w_j). */
export function jacobianNorm(weights) {
  let squares = 0;
  weights.forEach((w, i) => weights.forEach((v, j) => (squares += (w * ((i === j) - v)) ** 2)));
  return Math.sqrt(squares);
}

/** The standard deviation of a list of numbers. */
export function standardDeviation(numbers) {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  return Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length);
}

/** All that follows from the dot products of one query and the scale. */
export function attend(products, scale) {
  const scores = products.map((product) => scale * product);
  const weights = softmax(scores);
  return {
    scores,
    weights,
    spread: standardDeviation(scores),
    entropy: entropy(weights),
    jacobian: jacobianNorm(weights),
  };
}

// ------------------------------------------------------------------- plots

const PANELS = [
  { name: "spread", title: "std of the scores", log: true },
  { name: "entropy", title: "entropy (nats)" },
  { name: "jacobian", title: "norm of J" },
  { name: "derivative", title: "norm of c J K", log: true },
];
const DASHES = { none: "none", "1/√d_k": "7 3", "1/d_k": "2 3" };
const BOX = { right: 158, top: 6, bottom: 84, width: 170, height: 106 };

/** Two to five round numbers for an axis from `low` to `high`. */
export function ticks(low, high, log) {
  if (log) {
    const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
    return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  }
  let step = 10 ** Math.floor(Math.log10(high));
  if (high / step < 2) step /= 2;
  if (high / step > 4) step *= 2;
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);
}

const tickText = (number) => String(Number(number.toPrecision(2)));

// The marks of this query and of all queries.
const diamond = () => draw("path", { class: "one moves", d: "M0 -5L5 0L0 5L-5 0Z" });
const dot = () => draw("circle", { class: "all moves", r: 4.5 });

/** A quantity against d_k: a curve for each scale, and two marks that can be moved. */
class Plot {
  constructor({ name, title, log }, widths, means, others, limit) {
    const curves = Object.entries(means).map(([scale, mean]) => [scale, mean[name]]);
    const numbers = curves.flatMap(([, curve]) => curve);
    const high = 1.1 * Math.max(...numbers, ...others, limit) || 1;
    const low = log ? Math.max(Math.min(...numbers) / 1.5, high / 1e4) : 0;
    const level = log ? Math.log : (x) => x;
    const levels = ticks(low, high, log).map((number) => [number, tickText(number)]);
    // Wide enough for the longest label; a digit of the widest usual font takes 7.7.
    this.left = Math.max(33, ...levels.map(([, text]) => 9 + 7.7 * (text.length - 0.5)));
    this.x = (i) => this.left + ((BOX.right - this.left) * i) / (widths.length - 1);
    this.y = (number) => {
      // A norm of nearly 0 has no place on a log axis: its mark stays at the lower edge.
      const part = (level(Math.max(number, low)) - level(low)) / (level(high) - level(low));
      return BOX.bottom - part * (BOX.bottom - BOX.top);
    };
    this.curves = curves.map(([scale, curve]) =>
      draw("polyline", {
        points: curve.map((number, i) => `${this.x(i)},${this.y(number)}`).join(" "),
        "stroke-dasharray": DASHES[scale],
        "data-scale": scale,
      }),
    );
    this.cursor = draw("path", { class: "cursor", d: `M0 ${BOX.top}V${BOX.bottom}` });
    this.one = diamond();
    this.all = dot();
    this.svg = draw(
      "svg",
      {
        class: "plot",
        viewBox: `0 0 ${BOX.width} ${BOX.height}`,
        role: "img",
        "aria-label": `${title} against d_k, one curve for each scale`,
      },
      ...this.axes(widths, levels),
      ...(limit ? [draw("path", { class: "limit", d: this.line(this.y(limit)) })] : []),
      this.cursor,
      ...this.curves,
      this.all,
      this.one,
    );
  }

  line(y) {
    return `M${this.left} ${y}H${BOX.right}`;
  }

  axes(widths, levels) {
    const horizontal = levels.flatMap(([number, text]) => [
      draw("path", { class: "grid", d: this.line(this.y(number)) }),
      draw("text", { x: this.left - 5, y: this.y(number) + 4, "text-anchor": "end" }, text),
    ]);
    const every = Math.ceil(widths.length / 4);
    const label = (i, text) =>
      draw("text", { x: this.x(i), y: BOX.height - 6, "text-anchor": "middle" }, ...text);
    const lower = (dy, text, size) => draw("tspan", { dy, "font-size": size }, text);
    const vertical = widths.flatMap((d_k, i) =>
      i % every ? [] : [label(i, i ? [String(d_k)] : ["d", lower(3, "k", 9), lower(-3, " = 1")])],
    );
    return [...horizontal, ...vertical];
  }

  move(i, scale, one, all) {
    for (const curve of this.curves) {
      curve.classList.toggle("chosen", curve.dataset.scale === scale);
    }
    this.cursor.setAttribute("transform", `translate(${this.x(i)} 0)`);
    this.one.style.transform = `translate(${this.x(i)}px, ${this.y(one)}px)`;
    this.all.style.transform = `translate(${this.x(i)}px, ${this.y(all)}px)`;
  }
}

// -------------------------------------------------------------- the element

export class ScalingLab extends Explorable {
  static style = `
:host { container-type: inline-size; }
.lab { max-width: 46rem; }
.controls { gap: 0.4rem 1.6rem; }
.controls label, legend { font-weight: 600; padding: 0; }
.width { display: flex; align-items: center; gap: 0.6rem; flex: 1 1 17rem; max-width: 24rem; }
.width input { flex: 1; min-width: 0; height: 2.25rem; margin: 0; cursor: pointer; }
.width span { min-width: 2rem; text-align: end; font-variant-numeric: tabular-nums; }
fieldset { display: flex; flex-wrap: wrap; align-items: center; gap: 0 0.6rem; min-width: 0; }
legend { float: left; }
.controls fieldset label { display: inline-flex; align-items: center; gap: 0.4rem;
  min-height: 2.25rem; font-weight: normal; cursor: pointer; }
fieldset input { width: 1.1rem; height: 1.1rem; margin: 0; }
.swatch { width: 1.25rem; height: 8px; fill: none; stroke: currentColor; stroke-width: 2; }
.rows { display: grid; grid-template-columns: auto 3fr 3.6em 2fr 3.2em; gap: 0.2rem 0.45rem;
  align-items: center; font-variant-numeric: tabular-nums; }
.rows span { text-align: end; line-height: 1.3; }
.rows .head { color: var(--muted); }
.rows .over { grid-column: span 2; text-align: start; }
.track { position: relative; height: 0.95rem; background: var(--surface); overflow: hidden; }
.signed { border-inline: 1px solid var(--border); }
.signed::after { content: ""; position: absolute; inset: 0 auto 0 50%; width: 1px;
  background: var(--muted); }
.bar { position: absolute; inset-block: 2px; background: var(--accent); }
.beyond { clip-path: polygon(0 0, calc(100% - 8px) 0, 100% 50%, calc(100% - 8px) 100%, 0 100%); }
.beyond.minus { clip-path: polygon(8px 0, 100% 0, 100% 100%, 8px 100%, 0 50%); }
.ticks { display: flex; justify-content: space-between; color: var(--muted); font-size: 0.8rem; }
.top { font-weight: 700; }
.legend { margin: 1rem 0 0.4rem; color: var(--muted); }
.panels { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 1rem; }
/* The plots of a row stand level, however many lines there are above one. */
.panel { display: grid; grid-row: span 4; grid-template-rows: subgrid; margin-bottom: 0.9rem; }
@container (min-width: 38rem) { .panels { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
.panels p { margin: 0; line-height: 1.35; }
.panels .note { color: var(--muted); font-size: 0.85rem; }
.panels .title { font-weight: 600; font-size: 0.9rem; }
.numbers { display: flex; gap: 0.8rem; font-variant-numeric: tabular-nums; }
.panels .plot { width: 100%; font-size: 12px; fill: none; }
.plot text { fill: var(--muted); }
polyline { stroke: var(--muted); stroke-width: 1.2; }
polyline.chosen { stroke: var(--accent); stroke-width: 2.5; }
.grid { stroke: var(--border); }
.limit { stroke: var(--muted); stroke-dasharray: 1 3; }
.cursor { stroke: var(--muted); stroke-width: 0.75; }
.all { fill: var(--accent); }
.one { fill: var(--paper); stroke: var(--mark); stroke-width: 2; }
.sign { display: inline; width: 0.8em; height: 0.8em; margin-right: 0.3em;
  overflow: visible; stroke-width: 2; }
.tables > * + * { margin-top: 1rem; }
thead th:first-child { text-align: start; }
/* The scales stay: they say what the dashes of the curves are. */
@media print {
  .controls, slot { display: block; }
  .controls > :not(fieldset) { display: none; }
}
`;

  build({ widths, products, means, queries }) {
    this.widths = widths;
    this.choice = { width: Math.min(6, widths.length - 1), scale: "none", query: 0 };
    this.names = products[0][0].map((_, i) => `key ${i + 1}`);
    this.most = Math.log(this.names.length);
    this.everyone = `all ${queries} queries`;
    // Bars share one axis at all widths, so that they can be seen to grow. A few
    // at the very end are longer than the axis, and end in an arrow.
    this.limit = 5 * Math.ceil(Math.max(...means.none.spread) / 4) || 1;
    return [make("div", { class: "lab" }, this.controls(), this.rows(),
      ...this.plots())];
  }

  controls() {
    this.slider = make("input", {
      type: "range", id: "width", min: 0, max: this.widths.length - 1, step: 1,
      value: this.choice.width,
      oninput: () => this.choose({ width: Number(this.slider.value) }),
    });
    this.widthText = make("span", { "aria-hidden": "true" });
    const radios = Object.keys(SCALES).map((scale) =>
      make("label", {},
        make("input", {
          type: "radio", name: "scale", value: scale, checked: scale === this.choice.scale,
          onchange: () => this.choose({ scale }),
        }),
        make("span", {}, ...symbols(scale)),
        draw("svg", { class: "swatch", "aria-hidden": "true" },
          draw("path", { d: "M0 4H20", "stroke-dasharray": DASHES[scale] })),
      ),
    );
    const shown = this.figure.products.length;
    const next = () => this.choose({ query: (this.choice.query + 1) % shown });
    this.queryText = make("span", {});
    return make("div", { class: "controls" },
      make("div", { class: "width" },
        make("label", { for: "width" }, ...symbols("d_k")), this.slider, this.widthText),
      make("fieldset", {}, make("legend", {}, "Scale"), ...radios),
      make("div", {}, make("button", { type: "button", onclick: next }, "Next query"), " ",
        this.queryText),
    );
  }

  rows() {
    this.keys = this.names.map((name) => {
      const row = {
        name: make("span", {}, name),
        score: make("span", {}),
        weight: make("span", {}),
        scoreBar: make("div", { class: "bar moves" }),
        weightBar: make("div", { class: "bar moves" }),
      };
      row.cells = [row.name, make("div", { class: "track signed" }, row.scoreBar), row.score,
        make("div", { class: "track" }, row.weightBar), row.weight];
      return row;
    });
    const axis = (...numbers) =>
      make("div", { class: "ticks" }, ...numbers.map((number) => make("span", {}, number)));
    return make("div", { class: "rows", role: "img",
        "aria-label": "Score and weight of each key, as bars" },
      make("span", {}),
      make("span", { class: "head over" }, "score"),
      make("span", { class: "head over" }, "weight"),
      ...this.keys.flatMap((row) => row.cells),
      make("span", {}), axis(`−${this.limit}`, "0", String(this.limit)), make("span", {}),
      axis("0", "1"), make("span", {}),
    );
  }

  plots() {
    // An axis has room for every query that can be chosen.
    const states = Object.keys(SCALES).flatMap((scale) =>
      this.widths.flatMap((_, width) =>
        this.figure.products.map((_, query) => this.at({ width, scale, query }))));
    this.panels = PANELS.map((panel) => ({
      ...panel,
      plot: new Plot(panel, this.widths, this.figure.means,
        states.map((state) => state[panel.name]), panel.name === "entropy" ? this.most : 0),
      one: make("span", {}),
      all: make("span", {}),
    }));
    this.predicted = make("span", {});
    const notes = {
      spread: [this.predicted],
      entropy: [`at most log ${this.names.length} = ${decimals(this.most)}`],
      jacobian: ["Jacobian J = ∂w/∂s"],
      derivative: ["c J K = ∂w/∂q"],
    };
    const sign = (mark) =>
      draw("svg", { class: "sign", viewBox: "-6 -6 12 12", "aria-hidden": "true" }, mark);
    return [
      make("p", { class: "legend" },
        sign(diamond()), "this query\u2003", sign(dot()), this.everyone),
      make("div", { class: "panels" }, ...this.panels.map(({ name, title, plot, one, all }) =>
        make("div", { class: "panel" },
          make("p", { class: "title" }, title),
          make("p", { class: "note" }, ...notes[name]),
          make("p", { class: "numbers" }, make("span", {}, sign(diamond()), one),
            make("span", {}, sign(dot()), all)),
          plot.svg))),
    ];
  }

  /** What a query gives at a width and a scale. */
  at({ width, scale, query }) {
    const d_k = this.widths[width];
    const factor = d_k ** SCALES[scale];
    return {
      d_k,
      scale,
      factor,
      query: query + 1,
      ...attend(this.figure.products[query][width], factor),
      derivative: this.figure.derivatives[scale][width][query],
    };
  }

  /** The numbers shown, in full precision. */
  get state() {
    const { width, scale } = this.choice;
    const curves = Object.entries(this.figure.means[scale]);
    const mean = Object.fromEntries(curves.map(([name, curve]) => [name, curve[width]]));
    const state = this.at(this.choice);
    const predicted = state.factor * Math.sqrt(state.d_k) * this.figure.sigma;
    return { ...state, predicted, mean };
  }

  get setting() {
    return this.choice.scale === "none" ? "no scale" : `scale ${this.choice.scale}`;
  }

  choose(choice) {
    Object.assign(this.choice, choice);
    this.update();
  }

  update() {
    const state = this.state;
    this.slider.setAttribute("aria-valuetext", `d_k = ${state.d_k}`);
    this.widthText.textContent = state.d_k;
    this.queryText.textContent = `${state.query} of ${this.figure.products.length}`;
    this.paintRows(state);
    this.paintPanels(state);
    const { scores, weights } = state;
    const top = weights.indexOf(Math.max(...weights));
    this.say(...symbols(
      `Query ${state.query}, d_k = ${state.d_k}, ${this.setting}: ` +
        `${this.names[top]}, with a score of ${decimals(scores[top])}, has the weight ` +
        `${decimals(weights[top], 3)}. The entropy is ${decimals(state.entropy)} of at most ` +
        `${decimals(this.most)} nats, the norm of the Jacobian ${decimals(state.jacobian, 3)}.`,
    ));
  }

  paintRows({ scores, weights }) {
    const largest = Math.max(...weights);
    this.keys.forEach((row, i) => {
      const [score, weight] = [scores[i], weights[i]];
      const length = 50 * Math.min(1, Math.abs(score) / this.limit);
      row.score.textContent = decimals(score);
      row.weight.textContent = decimals(weight, 3);
      row.scoreBar.style.left = `${score < 0 ? 50 - length : 50}%`;
      row.scoreBar.style.width = `${length}%`;
      row.scoreBar.classList.toggle("beyond", length === 50);
      row.scoreBar.classList.toggle("minus", score < 0);
      row.weightBar.style.width = `${100 * weight}%`;
      for (const cell of [row.name, row.score, row.weight]) {
        cell.classList.toggle("top", weight === largest);
      }
    });
  }

  paintPanels(state) {
    this.predicted.textContent = `predicted ${decimals(state.predicted)}`;
    for (const { name, plot, one, all } of this.panels) {
      one.textContent = decimals(state[name], 3);
      all.textContent = decimals(state.mean[name], 3);
      plot.move(this.choice.width, state.scale, state[name], state.mean[name]);
    }
  }

  asTable() {
    const { d_k, scale, query, scores, weights, mean, ...state } = this.state;
    const means = this.figure.means[scale];
    const titles = { spread: "std of the scores", entropy: "entropy (nats)",
      jacobian: "norm of the Jacobian J", derivative: "norm of c J K" };
    return make("div", { class: "tables" },
      table(`Query ${query}, d_k = ${d_k}, ${this.setting}`, ["key", "score", "weight"],
        this.names.map((name, i) => [name, decimals(scores[i], 4), decimals(weights[i], 6)])),
      table("One and all: means, and the std of all scores",
        ["quantity", "this query", this.everyone],
        Object.entries(titles).map(([name, title]) =>
          [title, decimals(state[name], 4), decimals(mean[name], 4)])),
      table(`${this.everyone}, ${this.setting}`, ["d_k", ...Object.values(titles)],
        this.widths.map((width, i) =>
          [String(width), ...Object.keys(titles).map((name) => decimals(means[name][i], 4))])),
    );
  }
}

define("scaling-lab", ScalingLab);
