// The position lab: a query moves along the positions, and its score
// with the same key at each of them follows. Drawn against the distance between the
// two, the curve stays where it is, or it does not: that is up to the scheme. Nothing
// here takes that for granted: each score is computed from the vectors at its two places.

import { Explorable, decimals, define, draw, make, softmax, symbols, table } from "./base.js";

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const add = (a, b) => a.map((x, i) => x + b[i]);

/** How far the hand of each two columns has turned at a position; the width is even. */
export function positionAngles(position, width) {
  return Array.from({ length: width / 2 }, (_, i) => position * 10000 ** ((-2 * i) / width));
}

/** The sines and cosines of a position, in turn. */
export function sinusoids(position, width) {
  return positionAngles(position, width).flatMap((angle) => [Math.sin(angle), Math.cos(angle)]);
}

/** Turn each two neighbouring columns of a row by an angle. */
export function rotate(row, angles) {
  return angles.flatMap((angle, i) => {
    const [first, second] = [row[2 * i], row[2 * i + 1]];
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return [first * cos - second * sin, first * sin + second * cos];
  });
}

/** How much each ALiBi head minds distance; `heads` is a power of two. */
export function alibiSlopes(heads) {
  return Array.from({ length: heads }, (_, h) => 2 ** ((-8 * (h + 1)) / heads));
}

const stay = (row) => row;

// What a query or a key becomes at a position (`learned` is the learned row of that
// position), and the formula of the score.
export const SCHEMES = {
  none: { place: stay, formula: "q · k / √d_k" },
  sinusoidal: {
    place: (row, position) => add(row, sinusoids(position, row.length)),
    formula: "(q + PE(p)) · (k + PE(j)) / √d_k",
  },
  learned: {
    place: (row, _, learned) => add(row, learned),
    formula: "(q + row p) · (k + row j) / √d_k",
  },
  rotary: {
    place: (row, position) => rotate(row, positionAngles(position, row.length)),
    formula: "(q rotated for p) · (k rotated for j) / √d_k",
  },
  ALiBi: { place: stay, formula: "q · k / √d_k − slope × |p − j|" },
};

/** The scaled scores (queries, keys) of one query and one key at every two positions. */
export function scoresOf(scheme, query, key, learned, slope = 0) {
  const { place } = SCHEMES[scheme];
  const queries = learned.map((row, p) => place(query, p, row));
  const keys = learned.map((row, j) => place(key, j, row));
  const root = Math.sqrt(query.length);
  return queries.map((q, p) => keys.map((k, j) => dot(q, k) / root - slope * Math.abs(p - j)));
}

/** The scores at `start` with the keys at the distances that those at `position` have. */
export function atSameDistance(scores, position, start) {
  return scores[start].map((_, j) => scores[start][j - position + start]);
}

/** By how much the curve against distance differs between two positions. */
export function largestChange(scores, position, start) {
  const before = atSameDistance(scores, position, start);
  const changes = scores[position].map((score, j) => Math.abs(score - before[j]));
  return Math.max(...changes.filter((_, j) => before[j] !== undefined));
}

/** The multiples of a step within an interval. */
function multiples(step, low, high) {
  const [first, last] = [Math.ceil(low / step), Math.floor(high / step)];
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** Round numbers within an interval, about one for each so many parts of it. */
export function ticks(low, high, parts) {
  const rough = (high - low) / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  return multiples(power * [5, 2, 1].find((n) => n * power <= rough), low, high);
}

/** Positions or distances within an interval, at most nine, a power of two apart. */
const places = (low, high) => multiples(2 ** Math.ceil(Math.log2((high - low) / 8)), low, high);

const short = (number) => String(Number(number.toPrecision(3))).replace("-", "−");

// ------------------------------------------------------------------- the plots

/** A frame with labels at its left; what is drawn in it measures 100 by 100. */
class Frame {
  constructor(kind, parts, ...marks) {
    this.parts = parts;
    this.labels = make("div", { class: "labels" });
    this.grid = draw("g", { class: "grid" });
    this.svg = draw("svg", { class: "plot", viewBox: "0 0 100 100", preserveAspectRatio: "none" },
      this.grid, ...marks);
    this.box = make("div", { class: `frame ${kind}` }, this.labels, this.svg);
  }

  /** Choose what stands at the lower and at the upper edge. */
  limit(low, high) {
    const room = 0.04 * (high - low);
    [this.low, this.high] = [low < 0 ? low - room : low, high > 0 ? high + room : high];
    const levels = ticks(this.low, this.high, this.parts);
    this.labels.replaceChildren(...levels.map((level) =>
      make("span", { style: `top: ${this.y(level)}%` }, short(level))));
    this.grid.replaceChildren(...levels.map((level) =>
      draw("path", { class: level === 0 ? "zero" : "", d: `M0 ${this.y(level)}H100` })));
  }

  y(number) {
    return (100 * (this.high - number)) / (this.high - this.low);
  }
}

const AXES = { distance: "distance j − p", position: "position j" };

// -------------------------------------------------------------- the element

export class PositionLab extends Explorable {
  static style = `
:host { container-type: inline-size; }
.lab { max-width: 46rem; }
.controls { flex-direction: column; align-items: stretch; gap: 0.1rem; }
fieldset, .row { display: flex; flex-wrap: wrap; align-items: center; gap: 0 0.7rem; min-width: 0; }
legend { float: left; padding: 0; }
legend, .row label { font-weight: 600; }
fieldset label { display: inline-flex; align-items: center; gap: 0.4rem; min-height: 2.25rem;
  cursor: pointer; }
fieldset input { width: 1.1rem; height: 1.1rem; margin: 0; }
.row { gap: 0.3rem 1.6rem; }
.row > * { display: flex; align-items: center; gap: 0.6rem; }
.slider { flex: 1 1 17rem; max-width: 26rem; }
.slider input { flex: 1; min-width: 0; height: 2.25rem; margin: 0; cursor: pointer; }
.slider span { min-width: 1.8rem; text-align: end; font-variant-numeric: tabular-nums; }
.head:has(:disabled) { opacity: 0.55; }
select:disabled { cursor: default; }
p { margin: 0; }
.formula { color: var(--muted); min-height: 1.4em; }
.legend { display: flex; flex-wrap: wrap; gap: 0 1.4rem; margin: 0.5rem 0 0.3rem; }
.legend span:has(svg) { white-space: nowrap; }
.swatch { display: inline; width: 1.6rem; height: 10px; margin-right: 0.4rem; }
.change { font-variant-numeric: tabular-nums; }
.title { font-size: 0.85rem; color: var(--muted); padding: 0.4rem 0 0.1rem 3rem; }
.frame { position: relative; margin-left: 3rem; }
.score { height: 13rem; }
.weight { height: 5.5rem; }
.plot { width: 100%; height: 100%; fill: none; overflow: visible; }
.plot path, .plot polyline { vector-effect: non-scaling-stroke; }
.labels span { position: absolute; right: 100%; transform: translateY(-50%); padding-right: 0.4rem;
  line-height: 1; }
.labels, .places { font-size: 0.8rem; color: var(--muted); font-variant-numeric: tabular-nums; }
.places { position: relative; margin-left: 3rem; height: 1.5rem; }
.places span { position: absolute; top: 0.2rem; transform: translateX(-50%); }
.axis { margin-left: 3rem; font-size: 0.85rem; color: var(--muted); text-align: center; }
.grid { stroke: var(--border); }
.grid .zero { stroke: var(--muted); }
.now { stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
.then { stroke: color-mix(in srgb, var(--mark) 45%, var(--paper)); stroke-width: 5.5;
  stroke-linejoin: round; }
.cursor { stroke-width: 1; }
.cursor.then { stroke-dasharray: 4 3; stroke-width: 1.5; }
.plot .bars { vector-effect: none; stroke: var(--accent); }
.status { max-width: 46rem; }
@container (max-width: 34rem) { .status { min-height: 5.7em; } }
@media print { slot { display: block; } }
`;

  build({ learned, heads, head, start, position }) {
    this.length = learned.length;
    this.slopes = alibiSlopes(heads);
    this.choice = { scheme: "rotary", position, head, axis: "distance" };
    this.start = start;
    this.known = {};
    return [make("div", { class: "lab" }, this.controls(), ...this.plots())];
  }

  controls() {
    const { scheme, position, head, axis } = this.choice;
    this.slider = make("input", {
      type: "range", id: "position", min: 0, max: this.length - 1, step: 1, value: position,
      oninput: () => this.choose({ position: Number(this.slider.value) }),
    });
    this.positionText = make("span", { "aria-hidden": "true" });
    this.select = make("select",
      { id: "head", onchange: () => this.choose({ head: Number(this.select.value) }) },
      ...this.slopes.map((slope, h) =>
        make("option", { value: h + 1, selected: h + 1 === head },
          `${h + 1} (slope ${short(slope)})`)));
    return make("div", { class: "controls" },
      this.radios("Positions", "scheme", Object.keys(SCHEMES), scheme),
      make("div", { class: "row" },
        make("div", { class: "slider" }, make("label", { for: "position" }, "Query at p ="),
          this.positionText, this.slider),
        make("div", { class: "head" }, make("label", { for: "head" }, "ALiBi head"), this.select)),
      this.radios("Axis", "axis", Object.keys(AXES), axis, AXES),
    );
  }

  radios(legend, name, values, chosen, names = {}) {
    return make("fieldset", {}, make("legend", {}, legend), ...values.map((value) =>
      make("label", {},
        make("input", { type: "radio", name, value, checked: value === chosen,
          onchange: () => this.choose({ [name]: value }) }),
        names[value] ?? value)));
  }

  plots() {
    const line = (name) => draw("polyline", { class: name });
    const cursor = (name) => draw("path", { class: `cursor ${name}` });
    this.curves = { now: line("now"), then: line("then") };
    this.cursors = { now: cursor("now"), then: cursor("then") };
    this.bars = draw("path", { class: "bars" });
    this.scoreFrame = new Frame("score", 4, this.cursors.then, this.cursors.now, this.curves.then,
      this.curves.now);
    this.weightFrame = new Frame("weight", 2, this.bars);
    this.formula = make("p", { class: "formula" });
    this.nowText = make("span", {});
    this.change = make("b", { class: "change" });
    this.placeLabels = make("div", { class: "places" });
    this.axisText = make("p", { class: "axis" });
    const swatch = (name) => draw("svg", { class: "swatch", viewBox: "0 0 26 10",
      "aria-hidden": "true" }, draw("path", { class: name, d: "M1 5H25" }));
    return [
      this.formula,
      make("p", { class: "legend" },
        make("span", {}, swatch("now"), this.nowText),
        make("span", {}, swatch("then"), `at p = ${this.start}, to compare`),
        make("span", {}, "largest change at equal distance: ", this.change)),
      make("div", { role: "img",
          "aria-label": "Curve of the query's score with each key, and its weights as bars" },
        make("p", { class: "title" }, "scaled score"),
        this.scoreFrame.box,
        make("p", { class: "title" }, "weight, after a softmax over all keys"),
        this.weightFrame.box,
        this.placeLabels,
        this.axisText),
    ];
  }

  // ----------------------------------------------------------- what is shown

  /** Scores at every two positions, and the range of them and of their weights. */
  get rows() {
    const { scheme, head } = this.choice;
    const slope = scheme === "ALiBi" ? this.slopes[head - 1] : 0;
    return (this.known[`${scheme} ${slope}`] ??= this.compute(scheme, slope));
  }

  compute(scheme, slope) {
    const { query, key, learned } = this.figure;
    const scores = scoresOf(scheme, query, key, learned, slope);
    const weights = scores.map(softmax);
    return { scores, weights, low: Math.min(0, ...scores.flat()),
      high: Math.max(0, ...scores.flat()), most: Math.max(...weights.flat()) };
  }

  /** The numbers shown, in full precision. */
  get state() {
    const { position } = this.choice;
    const { scores, weights } = this.rows;
    return {
      ...this.choice,
      start: this.start,
      slope: this.slopes[this.choice.head - 1],
      scores: scores[position],
      weights: weights[position],
      startScores: scores[this.start],
      change: largestChange(scores, position, this.start),
    };
  }

  get setting() {
    const { scheme, head } = this.choice;
    if (scheme === "ALiBi") return `ALiBi, head ${head}`;
    if (scheme === "none") return "No positions";
    return `${scheme[0].toUpperCase()}${scheme.slice(1)} positions`;
  }

  choose(choice) {
    Object.assign(this.choice, choice);
    this.update(!("position" in choice));
  }

  /** The slots along the axis: one for each key, or one for each distance. */
  get slots() {
    return this.choice.axis === "position" ? this.length : 2 * this.length - 1;
  }

  /** How far from the left the key at j stands, for a query at p. */
  x(j, p) {
    const slot = this.choice.axis === "position" ? j : j - p + this.length - 1;
    return (100 * (slot + 0.5)) / this.slots;
  }

  update(axesToo = true) {
    const state = this.state;
    if (axesToo) this.paintAxes(state);
    const { scheme, position, scores, weights, startScores, change } = state;
    this.slider.setAttribute("aria-valuetext", `p = ${position}`);
    this.positionText.textContent = position;
    this.nowText.textContent = `at p = ${position}`;
    this.change.textContent = decimals(change, 3);
    this.paintCurve("now", scores, position);
    this.paintCurve("then", startScores, this.start);
    this.paintBars(weights, position);
    const largest = Math.max(...weights);
    const top = scheme === "none" ? "all keys have the weight"
      : `key ${weights.indexOf(largest)} has the largest weight,`;
    this.say(
      `${this.setting}, query at ${position}: ${top} ${decimals(largest, 3)}. At equal distance ` +
        `its scores differ from those of p = ${this.start} by ${decimals(change, 3)} at most.`,
    );
  }

  paintAxes({ scheme, axis }) {
    const { low, high, most } = this.rows;
    this.select.disabled = scheme !== "ALiBi";
    this.formula.replaceChildren("score = ", ...symbols(SCHEMES[scheme].formula));
    // The same limits for all p: it is the curve that moves, not the axis.
    this.scoreFrame.limit(low, high > low ? high : 1);
    this.weightFrame.limit(0, most);
    const last = this.length - 1;
    const first = axis === "position" ? 0 : -last;
    const left = (place) => `left: ${(100 * (place - first + 0.5)) / this.slots}%`;
    this.placeLabels.replaceChildren(...places(first, last).map((place) =>
      make("span", { style: left(place) }, short(place))));
    this.axisText.textContent = axis === "position" ? "position j of the key"
      : "distance j − p (negative: before the query)";
    // Gaps between the narrowest bars would only make them pale.
    this.bars.setAttribute("stroke-width", (this.slots > 150 ? 100 : 70) / this.slots);
    // Against the distance both stand at 0.
    this.cursors.then.style.visibility = axis === "position" ? "visible" : "hidden";
  }

  paintCurve(name, scores, p) {
    const points = scores.map((score, j) => `${this.x(j, p)},${this.scoreFrame.y(score)}`);
    this.curves[name].setAttribute("points", points.join(" "));
    this.cursors[name].setAttribute("d", `M${this.x(p, p)} 0V100`);
  }

  paintBars(weights, p) {
    const bars = weights.map((weight, j) => `M${this.x(j, p)} 100V${this.weightFrame.y(weight)}`);
    this.bars.setAttribute("d", bars.join(""));
  }

  asTable() {
    const { position, scores, weights, change } = this.state;
    const before = atSameDistance(this.rows.scores, position, this.start);
    return table(
      `${this.setting}, query at p = ${position}; largest change ${decimals(change, 3)}`,
      ["key j", "j − p", "score", `score at p = ${this.start}, same distance`, "weight"],
      scores.map((score, j) => [String(j), short(j - position), decimals(score, 4),
        before[j] === undefined ? "–" : decimals(before[j], 4), decimals(weights[j], 6)]),
    );
  }
}

define("position-lab", PositionLab);
