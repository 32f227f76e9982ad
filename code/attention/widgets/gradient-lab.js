// The gradient lab: one query's scores, and which of them a step of gradient descent
// raises. The reader drags the wanted output, takes steps, and gives one key a lead.
// The loss is half the squared distance of the output from the wanted point.

import { Explorable, decimals, define, draw, make, softmax, table } from "./base.js";
import { PLANE_STYLE, Plane, arrow, dot, hull, magnitude, mix, paintDisc, pair } from "./plane.js";

const MANY = 20;
const FULL_RADIUS = 24;
const MOST_LEAD = 30;
// A longer trail would not be seen.
const LONGEST_TRAIL = 400;

const minus = (a, b) => a.map((x, i) => x - b[i]);

/** The gradient with respect to the scores, given that with respect to the weights. */
export function softmaxGradient(weights, upstream) {
  const average = dot(weights, upstream);
  return weights.map((w, j) => w * (upstream[j] - average));
}

/** All that follows from the scores: the output, its gradient, and that of each score. */
export function backward(scores, values, wanted) {
  const weights = softmax(scores);
  const output = mix(weights, values);
  const upstream = minus(output, wanted);
  return {
    weights,
    output,
    upstream,
    loss: dot(upstream, upstream) / 2,
    // How much more each value helps than the average does.
    helps: values.map((value) => -dot(minus(value, output), upstream)),
    gradient: softmaxGradient(weights, values.map((value) => dot(value, upstream))),
  };
}

/** The scores after a step of gradient descent. */
export function step(scores, gradient, rate) {
  return scores.map((score, j) => score - rate * gradient[j]);
}

const largest = (numbers) => numbers.indexOf(Math.max(...numbers));

export class GradientLab extends Explorable {
  static style = `${PLANE_STYLE}
:host { container-type: inline-size; }
.lab { max-width: 46rem; }
p { margin: 0; }
.title { font-weight: 700; }
.hint { margin: 0.2rem 0 0.5rem; color: var(--muted); font-size: 0.9rem; }
.hint ol { margin: 0; padding-inline-start: 1.4rem; }
.split { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.15fr); gap: 0.6rem 1.4rem; }
.note { color: var(--muted); font-variant-numeric: tabular-nums; }
.legend span { white-space: nowrap; }
.legend .there { color: var(--mark); }
.hull { fill: color-mix(in srgb, var(--accent) 9%, transparent); stroke: var(--muted);
  stroke-dasharray: 4 3; }
.trail { fill: none; stroke: var(--mark); stroke-opacity: 0.6; }
.seen { fill: var(--mark); fill-opacity: 0.6; }
.pull { fill: none; stroke: var(--text); stroke-width: 1.5; }
.output { fill: var(--mark); stroke: var(--paper); }
.star { fill: var(--text); stroke: var(--paper); }
.rows { display: grid; grid-template-columns: minmax(1.2rem, auto) repeat(3, minmax(0, 1fr));
  gap: 0.1rem 0.9rem; align-content: start; white-space: nowrap; font-variant-numeric: tabular-nums; }
.row { display: contents; }
.row > * { padding: 0.25rem 0 0.4rem; border-bottom: 1px solid var(--border); }
.rows .top { color: var(--muted); line-height: 1.25; align-self: end; white-space: normal; }
.name { font-weight: 600; }
.after { display: block; color: var(--muted); }
.track { position: relative; height: 0.8rem; background: var(--surface); overflow: hidden; }
.signed::after { content: ""; position: absolute; inset: 0 auto 0 50%; width: 1px;
  background: var(--muted); }
.bar { position: absolute; inset-block: 2px; background: var(--accent); }
.bar.down { background: var(--mark); }
.rise { inset-block: 0; clip-path: polygon(0 30%, calc(100% - 7px) 30%, calc(100% - 7px) 0,
  100% 50%, calc(100% - 7px) 100%, calc(100% - 7px) 70%, 0 70%); }
.rise.down { transform: scaleX(-1); }
.next { position: absolute; inset-block: 0; width: 2px; background: var(--text); }
.controls { margin: 0.6rem 0 0; gap: 0.4rem 1rem; }
.lead { display: flex; flex: 1 1 14rem; align-items: center; gap: 0.6rem; max-width: 22rem; }
.lead input { flex: 1; min-width: 0; height: 2.25rem; margin: 0; cursor: pointer; }
.lead span { min-width: 1.4rem; text-align: end; font-variant-numeric: tabular-nums; }
.status { max-width: 46rem; min-height: 4.3em; }
@container (max-width: 34rem) {
  .split { grid-template-columns: minmax(0, 1fr); }
  .plane { max-width: 20rem; margin: 0 auto; }
  .rows { column-gap: 0.5rem; font-size: 0.9rem; }
  .status { min-height: 8.5em; }
}
@media print { slot { display: block; } }
`;

  build({ tokens, scores, value, wanted, rate }) {
    this.names = tokens;
    this.values = value;
    this.rate = rate;
    this.leader = largest(scores);
    this.lead = 0;
    this.wanted = wanted;
    this.restart();
    // Fixed, so that arrows and bars can be seen to shrink.
    const [xs, ys] = [0, 1].map((i) => value.map((point) => point[i]));
    const span = Math.hypot(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
    this.limits = { helps: 0.7 * span ** 2 || 1, rise: span ** 2 / 7 || 1 };
    return [
      make("div", { class: "lab", role: "group", "aria-labelledby": "title" },
        make("p", { class: "title", id: "title" }, "Gradient lab: which score rises?"),
        this.buildSteps(),
        make("div", { class: "split" }, this.buildPlane(), this.buildRows()),
        this.buildControls()),
    ];
  }

  restart() {
    this.scores = this.figure.scores.map((score, j) =>
      score + (j === this.leader ? this.lead : 0));
    this.trail = [];
    this.steps = 0;
  }

  buildSteps() {
    return make("div", { class: "hint" }, make("p", {}, "Try this:"),
      make("ol", {},
        make("li", {}, "Take steps. Which score rises most now, and which one later?"),
        make("li", {}, "Drag ★ out of the shaded region. Where does the output end?"),
        make("li", {}, `Give “${this.names[this.leader]}” a lead of 30, drag ★ where you like, ` +
          `and take ${MANY} steps. Why does nothing move?`)));
  }

  buildPlane() {
    const { values, wanted } = this;
    this.plane = new Plane({
      name: "Values, output and wanted output. Arrow keys move the wanted output",
      corners: [...values, wanted],
      points: [{ id: "wanted", name: "wanted output", text: "", at: wanted,
        mark: draw("path", { class: "star",
          d: "M0-10L2.6-3.6 9.5-3.1 4.2 1.4 5.9 8.1 0 4.4-5.9 8.1-4.2 1.4-9.5-3.1-2.6-3.6Z" }) }],
      onmove: (_, at) => this.want(at),
    });
    const corners = hull(values).map((corner) => this.plane.to(corner)).join("L");
    this.discs = values.map(() => draw("circle", { class: "disc" }));
    this.trailLine = draw("path", { class: "trail" });
    this.seen = draw("path", { class: "seen" });
    this.pull = draw("path", { class: "pull" });
    this.mark = draw("path", { class: "output", d: "M0 -8L8 0L0 8L-8 0Z" });
    this.pullText = draw("text", { "text-anchor": "middle" }, "−G");
    this.plane.below.append(draw("path", { class: "hull", d: `M${corners}Z` }),
      ...values.map((value, j) => this.disc(value, j)), this.trailLine, this.seen, this.pull,
      this.mark, this.pullText);
    this.upstreamText = make("p", { class: "note" });
    return make("div", {},
      make("p", { class: "legend" }, make("span", {}, "● value (area = weight) "),
        make("span", { class: "there" }, "◆ output "), make("span", {}, "★ wanted")),
      this.plane.svg, this.upstreamText);
  }

  /** A value's disc; its name stands outside the hull, where the output never comes. */
  disc(value, j) {
    const [x, y] = this.plane.to(value);
    const [dx, dy] = minus([x, y], this.plane.to(mix(this.names.map(() => 1 / this.names.length),
      this.values)));
    const away = 31 / (Math.hypot(dx, dy) || 1);
    return draw("g", { transform: `translate(${x} ${y})` }, this.discs[j],
      draw("text", { x: away * dx, y: 5 + away * dy, "text-anchor": "middle", "aria-hidden": "true" },
        this.names[j]));
  }

  buildRows() {
    this.rows = this.names.map((token) => {
      const row = {
        helps: make("span", {}), weight: make("span", {}), after: make("span", { class: "after" }),
        rise: make("span", {}),
        helpsBar: make("div", { class: "bar" }), weightBar: make("div", { class: "bar" }),
        next: make("div", { class: "next" }), riseBar: make("div", { class: "bar rise" }),
      };
      row.box = make("div", { class: "row" }, make("span", { class: "name" }, token),
        make("div", {}, row.helps, make("div", { class: "track signed" }, row.helpsBar)),
        make("div", {}, row.weight, row.after, make("div", { class: "track" }, row.weightBar, row.next)),
        make("div", {}, row.rise, make("div", { class: "track signed" }, row.riseBar)));
      return row;
    });
    const top = (text) => make("span", { class: "top" }, text);
    return make("div", { class: "rows" },
      make("div", { class: "row" }, top(""), top("helps more than the average"),
        top("× weight (→ after a step)"), top(`= rise of the score (× rate ${this.rate})`)),
      ...this.rows.map(({ box }) => box));
  }

  buildControls() {
    const button = (text, onclick) => make("button", { type: "button", onclick }, text);
    this.slider = make("input", {
      type: "range", id: "lead", min: 0, max: MOST_LEAD, step: 1, value: 0,
      oninput: () => this.giveLead(Number(this.slider.value)),
    });
    this.leadText = make("span", { "aria-hidden": "true" });
    return make("div", { class: "controls" },
      button("Take a step", () => this.advance(1)),
      button(`${MANY} steps`, () => this.advance(MANY)),
      button("Reset", () => this.reset()),
      make("div", { class: "lead" },
        make("label", { for: "lead" }, `Lead of “${this.names[this.leader]}”`), this.slider,
        this.leadText));
  }

  // ------------------------------------------------------ what a reader can do

  want(at) {
    this.wanted = at;
    this.update();
  }

  giveLead(lead) {
    this.lead = lead;
    this.restart();
    this.update();
  }

  advance(steps) {
    for (let i = 0; i < steps; i++) {
      const { output, gradient } = backward(this.scores, this.values, this.wanted);
      this.trail.push(output);
      this.scores = step(this.scores, gradient, this.rate);
    }
    this.trail = this.trail.slice(-LONGEST_TRAIL);
    this.steps += steps;
    this.update();
  }

  reset() {
    this.lead = 0;
    this.slider.value = 0;
    this.wanted = this.figure.wanted;
    this.restart();
    this.update();
  }

  // ----------------------------------------------------------- what is shown

  /** The numbers shown, in full precision. */
  get state() {
    const { lead, steps, scores, wanted, trail, rate } = this;
    const now = backward(scores, this.values, wanted);
    const rise = now.gradient.map((g) => -g);
    const after = softmax(step(scores, now.gradient, rate));
    return { lead, steps, scores, wanted, trail, ...now, rise, after };
  }

  update() {
    const state = this.state;
    this.slider.setAttribute("aria-valuetext", `${this.lead}`);
    this.leadText.textContent = this.lead;
    this.upstreamText.textContent =
      `upstream: G = ◆ − ★ = ${pair(state.upstream)}`;
    this.paintPlane(state);
    this.paintRows(state);
    this.say(this.describe(state));
  }

  paintPlane({ wanted, output, weights, trail }) {
    const { plane } = this;
    weights.forEach((weight, j) => paintDisc(this.discs[j], weight, FULL_RADIUS));
    const places = [...trail, output].map((point) => plane.to(point));
    this.trailLine.setAttribute("d", `M${places.join("L")}`);
    this.seen.setAttribute("d", places.slice(0, -1).map(([x, y]) =>
      `M${x - 2} ${y}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`).join(""));
    const [x, y] = plane.to(output);
    this.paintPull([x, y], plane.to(wanted));
    this.mark.setAttribute("transform", `translate(${x} ${y})`);
    plane.place("wanted", wanted, 10);
  }

  /** The arrow from the output to the wanted one: against the upstream gradient. */
  paintPull([x, y], [right, down]) {
    const length = Math.hypot(right - x, down - y);
    const shown = length > 30;
    const part = shown ? 1 - 12 / length : 0; // the star is not covered
    this.pull.setAttribute("d", arrow([x, y], [x + part * (right - x), y + part * (down - y)]));
    // Beside its middle, above the arrow.
    const away = shown ? (right > x ? 14 : -14) / length : 0;
    this.pullText.textContent = shown ? "−G" : "";
    this.pullText.setAttribute("x", (x + right) / 2 + away * (down - y));
    this.pullText.setAttribute("y", (y + down) / 2 + 4 - away * (right - x));
  }

  paintRows({ helps, weights, after, rise }) {
    const signed = (bar, number, limit) => {
      const length = 50 * Math.min(1, Math.abs(number) / limit);
      bar.style.left = `${number < 0 ? 50 - length : 50}%`;
      bar.style.width = `${length}%`;
      bar.classList.toggle("down", number < 0);
    };
    this.rows.forEach((row, j) => {
      row.helps.textContent = decimals(helps[j]);
      row.weight.textContent = magnitude(weights[j], 3);
      row.after.textContent = ` → ${magnitude(after[j], 3)}`;
      row.rise.textContent = magnitude(rise[j]);
      signed(row.helpsBar, helps[j], this.limits.helps);
      signed(row.riseBar, rise[j], this.limits.rise);
      row.weightBar.style.width = `${100 * weights[j]}%`;
      row.next.style.left = `calc(${100 * after[j]}% - 1px)`;
    });
  }

  describe({ steps, loss, helps, weights, rise, upstream }) {
    const taken = ["No step taken yet", "1 step taken"][steps] ?? `${steps} steps taken`;
    const count = `${taken}, loss ${decimals(loss)}. `;
    if (Math.hypot(...upstream) < 1e-9) return `${count}The output is where it is wanted.`;
    const [up, best] = [largest(rise), largest(helps)];
    const name = (j) => `“${this.names[j]}”`;
    const words = `The score of ${name(up)} rises most, by ${magnitude(rise[up])} times the rate: its ` +
      `value helps by ${decimals(helps[up])} more than the average does, and it has the weight ` +
      `${magnitude(weights[up], 3)}. `;
    if (up === best) return `${count}${words}No other value would help more.`;
    return `${count}${words}${name(best)} would help more, by ${decimals(helps[best])}, but its weight ` +
      `is ${magnitude(weights[best], 3)}.`;
  }

  asTable() {
    const { steps, lead, scores, helps, weights, rise, after, wanted, output, upstream } = this.state;
    const rows = this.names.map((name, j) => [name, pair(this.values[j]), decimals(scores[j], 4),
      decimals(helps[j], 4), magnitude(weights[j], 6), magnitude(rise[j], 4),
      magnitude(after[j], 6)]);
    return table(
      `Steps: ${steps}, lead ${lead}; output ${pair(output)}, wanted ${pair(wanted)}, ` +
        `upstream ${pair(upstream)}`,
      ["key", "value", "score", "helps", "weight", "weight × helps", "weight after a step"],
      rows,
    );
  }
}

define("gradient-lab", GradientLab);
