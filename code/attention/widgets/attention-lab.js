// The attention lab: one query, a few keys and their values, all points in a plane. The
// reader drags them, or sets the scores by hand, and watches the four steps: score, scale,
// softmax, mix. Every number is computed here from where the points are.

import { Explorable, decimals, define, draw, make, softmax, table } from "./base.js";
import { PLANE_STYLE, Plane, arrow, dot, hull, magnitude, mix, paintDisc, pair } from "./plane.js";

// Scores by hand go from −LIMIT to LIMIT.
const LIMIT = 6;
const SLIDER_STEP = 0.1;

/** The four steps for one query: scores, scaled scores, weights, and the mix of the values. */
export function attend(query, keys, values) {
  const scores = keys.map((key) => dot(query, key));
  return { scores, ...weigh(scores.map((score) => score / Math.sqrt(query.length)), values) };
}

/** The last two steps, from scaled scores. */
export function weigh(scaled, values) {
  const weights = softmax(scaled);
  return { scaled, weights, output: mix(weights, values) };
}

/** The other one with the largest weight, to compare one with. */
export function rival(weights, chosen) {
  const others = weights.map((_, i) => i).filter((i) => i !== chosen);
  return others.reduce((best, i) => (weights[i] > weights[best] ? i : best), others[0]);
}

const FULL_RADIUS = 20;
const copy = (points) => points.map((point) => [...point]);

export class AttentionLab extends Explorable {
  static style = `${PLANE_STYLE}
:host { container-type: inline-size; }
.lab { max-width: 46rem; }
.title { font-weight: 700; margin: 0 0 0.2rem; }
.hint { margin: 0 0 0.5rem; color: var(--muted); font-size: 0.9rem; }
.hint p { margin: 0; }
.hint ol { margin: 0; padding-inline-start: 1.4rem; }
.planes { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0.4rem 1rem; }
.planes p { margin: 0; font-weight: 600; }
.planes .note { font-weight: normal; color: var(--muted); }
.idle .plane { opacity: 0.55; }
.query { fill: none; stroke: var(--text); stroke-width: 2.5; }
.grip { fill: var(--text); stroke: none; }
.along { fill: none; stroke: var(--muted); stroke-opacity: 0.6; }
.foot { fill: none; stroke: var(--muted); stroke-dasharray: 3 3; }
.hull { fill: color-mix(in srgb, var(--accent) 9%, transparent); stroke: var(--muted);
  stroke-dasharray: 4 3; }
.mix { fill: var(--mark); stroke: var(--paper); }
.plane .mixed { fill: var(--mark); font-weight: 600; }
.controls { margin: 0.4rem 0; min-height: 2.25rem; }
.rows { display: grid; gap: 0.05rem 0.5rem; align-items: center;
  grid-template-columns: auto 3.4em minmax(5rem, 3fr) 3em minmax(3rem, 2fr) 3em 7.7em;
  font-variant-numeric: tabular-nums; }
.row, .line { display: contents; }
.row span { text-align: end; }
.row .name { text-align: start; cursor: pointer; }
.head { color: var(--muted); line-height: 1.2; }
.head .name { cursor: default; }
.row .wide { grid-column: span 2; text-align: start; }
.row.chosen .name { font-weight: 700; }
.row input { min-width: 0; height: 2rem; margin: 0; cursor: pointer; }
.track { height: 1rem; background: var(--surface); }
.bar { height: 100%; background: var(--accent); }
.sum { align-self: stretch; border-top: 1px solid var(--muted); padding-top: 0.2rem; }
.sum.result { color: var(--mark); font-weight: 700; }
.status { max-width: 46rem; min-height: 4.3em; }
@container (max-width: 34rem) {
  .planes { grid-template-columns: minmax(0, 1fr); }
  .plane { max-width: 20rem; margin: 0 auto; }
  .rows { display: block; }
  .row { display: grid; grid-template-columns: 4rem minmax(0, 1fr); align-items: center;
    padding: 0.15rem 0; border-bottom: 1px solid var(--border); }
  .line { display: flex; align-items: center; gap: 0.5rem; grid-column: 2; }
  .name { grid-row: span 2; }
  .line > span { flex: none; width: 3.2em; }
  .line > :is(input, .track, .wide) { flex: 1; }
  .line > .product { width: 7.7em; }
  .sum { border: 0; }
  .line > .gap { flex: 1; }
  .line.gap { display: none; }
  .status { min-height: 7.1em; }
}
@media print { slot { display: block; } }
`;

  build({ tokens, query, key, value }) {
    this.names = tokens;
    this.start(query, key, value);
    this.picture = make("div", { class: "planes" }, this.buildKeys(), this.buildValues());
    return [
      make("div", { class: "lab", role: "group", "aria-labelledby": "title" },
        make("p", { class: "title", id: "title" }, "Attention lab: what one query gathers"),
        this.buildSteps(), this.picture, this.buildControls(), this.buildRows()),
    ];
  }

  start(query, key, value) {
    this.query = [...query];
    this.keys = copy(key);
    this.values = copy(value);
    this.byHand = null;
    // The token that the sentence is about.
    this.chosen = 0;
  }

  buildSteps() {
    return make("div", { class: "hint" }, make("p", {}, "Try this:"),
      make("ol", {},
        make("li", {}, "Drag the query round in a circle. Does the mix ever leave the shaded " +
          "region?"),
        make("li", {}, "Make the query shorter, then longer. What happens to the largest weight?"),
        make("li", {}, "Set two scaled scores to 3 and 1, then to 5 and 3. How many times " +
          "larger is one weight?")));
  }

  buildKeys() {
    this.asking = new Plane({
      name: "Query and keys. Arrow keys move the chosen point, Enter goes to the next one",
      centred: true,
      corners: [this.query, ...this.keys],
      points: [
        { id: "query", name: "query", text: "query", at: this.query,
          mark: draw("rect", { class: "grip", x: -5, y: -5, width: 10, height: 10 }) },
        ...this.points("key", this.keys),
      ],
      onmove: (id, at) => this.move(id, at),
      onchoose: (id) => this.pick(id),
    });
    this.line = draw("path", { class: "along" });
    this.feet = draw("path", { class: "foot" });
    this.arrow = draw("path", { class: "query" });
    this.asking.below.append(this.line, this.feet, this.arrow);
    this.askingNote = make("span", { class: "note" });
    this.askingBox = make("div", {}, make("p", {}, "Query and keys ", this.askingNote),
      this.asking.svg);
    return this.askingBox;
  }

  buildValues() {
    this.answering = new Plane({
      name: "Values. Arrow keys move the chosen point, Enter goes to the next one",
      corners: this.values,
      points: this.points("value", this.values),
      onmove: (id, at) => this.move(id, at),
      onchoose: (id) => this.pick(id),
    });
    this.hull = draw("path", { class: "hull" });
    this.mark = draw("path", { class: "mix", d: "M0 -8L8 0L0 8L-8 0Z" });
    this.mixText = draw("text", { class: "mixed", "text-anchor": "middle" }, "mix");
    this.answering.below.append(this.hull);
    this.answering.above.append(this.mark, this.mixText);
    this.answering.above.setAttribute("pointer-events", "none");
    return make("div", {},
      make("p", {}, "Values ", make("span", { class: "note" }, "area = weight")),
      this.answering.svg);
  }

  points(kind, places) {
    this[`${kind}Discs`] = this.names.map(() => draw("circle", { class: "disc" }));
    return this.names.map((name, i) => ({
      id: `${kind} ${i}`, name: `${kind} of ${name}`, text: name, at: places[i],
      mark: this[`${kind}Discs`][i],
    }));
  }

  buildControls() {
    const reset = () => {
      const { query, key, value } = this.figure;
      this.start(query, key, value);
      this.asking.mark("query");
      this.answering.mark("value 0");
      this.update();
    };
    this.back = make("button", { type: "button", onclick: () => this.backToDots() },
      "Dot products again");
    return make("div", { class: "controls" },
      make("button", { type: "button", onclick: reset }, "Reset"), this.back);
  }

  buildRows() {
    const span = (name = "") => make("span", { class: name });
    this.rows = this.names.map((token, i) => {
      const row = {
        name: make("span", { class: "name", onclick: () => this.pick(`key ${i}`) }, token),
        score: span(),
        slider: make("input", {
          type: "range", min: -LIMIT, max: LIMIT, step: SLIDER_STEP, "data-score": i,
          "aria-label": `scaled score of ${token}`,
          oninput: () => this.setScore(i, Number(row.slider.value)),
          onfocus: () => this.pick(`key ${i}`),
        }),
        scaled: span(),
        bar: make("div", { class: "bar" }),
        weight: span(),
        product: span("product"),
      };
      row.box = make("div", { class: "row" }, row.name,
        make("div", { class: "line" }, row.score, row.slider, row.scaled),
        make("div", { class: "line" }, make("div", { class: "track" }, row.bar), row.weight,
          row.product));
      return row;
    });
    this.total = make("span", { class: "sum result product" });
    this.source = make("span", { class: "wide" });
    const gap = () => make("span", { class: "sum gap" }, "\u00a0");
    return make("div", { class: "rows" },
      make("div", { class: "row head" }, make("span", { class: "name" }, "key"),
        make("div", { class: "line" }, make("span", {}, "score"), this.source),
        make("div", { class: "line" }, make("span", { class: "wide" }, "softmax: weight"),
          make("span", { class: "product" }, "weight × value"))),
      ...this.rows.map(({ box }) => box),
      make("div", { class: "row" }, make("span", { class: "name sum" }, "sum"),
        make("div", { class: "line gap" }, gap(), gap(), gap()),
        make("div", { class: "line" }, gap(), make("span", { class: "sum" }, "1.000"),
          this.total)));
  }

  // ------------------------------------------------------ what a reader can do

  move(id, at) {
    const [kind, i] = id.split(" ");
    if (kind === "value") this.values[i] = at;
    else {
      // A reader who moves a query or a key wants to see what comes of it.
      this.byHand = null;
      if (kind === "query") this.query = at;
      else this.keys[i] = at;
    }
    this.update();
  }

  pick(id) {
    const [kind, i] = id.split(" ");
    if (kind === "query" || Number(i) === this.chosen) return;
    this.chosen = Number(i);
    this.update();
  }

  setScore(i, score) {
    this.byHand ??= [...this.state.scaled];
    this.byHand[i] = score;
    this.chosen = i;
    this.update();
  }

  backToDots() {
    this.byHand = null;
    this.update();
    // The button is gone now; whoever pressed it by key stands beside it.
    this.shadowRoot.querySelector(".controls button").focus();
  }

  // ----------------------------------------------------------- what is shown

  /** The numbers shown, in full precision; scores are null where the reader set them. */
  get state() {
    const { query, keys, values, byHand, chosen } = this;
    const steps = byHand ? { scores: null, ...weigh(byHand, values) } : attend(query, keys, values);
    return { query, keys, values, byHand: byHand !== null, chosen, ...steps, hull: hull(values) };
  }

  update() {
    const state = this.state;
    this.askingBox.classList.toggle("idle", state.byHand);
    this.askingNote.textContent = state.byHand ? "not in use: scores by hand"
      : "score = query · key";
    this.source.textContent = state.byHand ? "scaled score, by hand" : "÷ √2: scaled score";
    this.back.hidden = !state.byHand;
    this.paintKeys(state);
    this.paintValues(state);
    this.paintRows(state);
    this.say(this.describe(state));
  }

  paintKeys({ query, keys, weights }) {
    const { asking } = this;
    const along = dot(query, query);
    const far = (sign) => asking.to(query.map((x) => (sign * asking.diagonal * x) / Math.sqrt(along)));
    this.arrow.setAttribute("d", arrow(asking.to([0, 0]), asking.to(query)));
    this.line.setAttribute("d", along ? `M${far(-1)}L${far(1)}` : "");
    // From each key to the foot of its perpendicular: as far along the query as its score is high.
    this.feet.setAttribute("d", along ? keys.map((key) =>
      `M${asking.to(key)}L${asking.to(query.map((x) => (x * dot(query, key)) / along))}`).join("") : "");
    asking.place("query", query, 7);
    keys.forEach((key, i) =>
      asking.place(`key ${i}`, key, paintDisc(this.keyDiscs[i], weights[i], FULL_RADIUS)));
  }

  paintValues({ values, weights, output, hull: corners }) {
    const { answering } = this;
    values.forEach((value, i) =>
      answering.place(`value ${i}`, value, paintDisc(this.valueDiscs[i], weights[i], FULL_RADIUS)));
    this.hull.setAttribute("d", `M${corners.map((corner) => answering.to(corner)).join("L")}Z`);
    const [x, y] = answering.to(output);
    this.mark.setAttribute("transform", `translate(${x} ${y})`);
    this.mixText.setAttribute("x", x);
    this.mixText.setAttribute("y", y + 22);
  }

  paintRows({ scores, scaled, weights, values, output, chosen }) {
    this.rows.forEach((row, i) => {
      row.box.classList.toggle("chosen", i === chosen);
      row.score.textContent = scores ? decimals(scores[i]) : "–";
      row.slider.value = scaled[i];
      row.slider.setAttribute("aria-valuetext", decimals(scaled[i]));
      row.scaled.textContent = decimals(scaled[i]);
      row.bar.style.width = `${100 * weights[i]}%`;
      row.weight.textContent = decimals(weights[i], 3);
      row.product.textContent = pair(values[i].map((x) => weights[i] * x));
    });
    this.total.textContent = pair(output);
  }

  describe({ scores, scaled, weights, output, chosen }) {
    const names = this.names.map((name) => `“${name}”`);
    // The exponentials themselves, as in the chapter's third step.
    const exponentials = scaled.map(Math.exp);
    const total = exponentials.reduce((sum, x) => sum + x, 0);
    const score = scores
      ? `the score ${decimals(scores[chosen])}, scaled ${decimals(scaled[chosen])}`
      : `the scaled score ${decimals(scaled[chosen])}, set by hand`;
    return (
      `${names[chosen]} has ${score}. Its exponential is ${magnitude(exponentials[chosen])} of ` +
      `${magnitude(total)} in all, so its weight is ${decimals(weights[chosen], 3)}` +
      `${this.compare(scaled, weights, chosen)}. The mix is ${pair(output)}.`
    );
  }

  /** Beside the other one with the largest weight: how many times, and by what lead. */
  compare(scaled, weights, chosen) {
    const other = rival(weights, chosen);
    const name = `“${this.names[other]}”`;
    const lead = scaled[chosen] - scaled[other];
    const times = `${magnitude(Math.exp(Math.abs(lead)), 1)} times`;
    const size = decimals(Math.abs(lead));
    if (Math.abs(lead) < 0.005) return `, and so is that of ${name}`;
    if (lead > 0) return `, ${times} that of ${name}, whose scaled score is ${size} lower`;
    return `; ${name} has ${times} as much, because its scaled score is ${size} higher`;
  }

  asTable() {
    const { byHand, query, keys, scores, scaled, weights, values, output } = this.state;
    const header = ["key", "at", "score", "scaled score", "weight", "value", "weight × value"];
    const rows = this.names.map((name, i) => [name, pair(keys[i]),
      scores ? decimals(scores[i], 4) : "–", decimals(scaled[i], 4), decimals(weights[i], 6),
      pair(values[i]), pair(values[i].map((x) => weights[i] * x))]);
    const source = byHand ? "scores set by hand" : `query ${pair(query)}`;
    return table(`One query and its keys, ${source}`, header,
      [...rows, ["sum", "", "", "", "1", "", pair(output)]]);
  }
}

define("attention-lab", AttentionLab);
