// The training lab: a run to scrub through. Loss and accuracy against the step, with the best
// possible accuracy, and the attention maps of one frame; two runs stand side by side.
//
// A run is recorded (it comes with the figure), or it grows while a cell trains: then the page
// tells this element of each frame (`receive`), and the element asks the page to pause, to make
// one more step, or to stop, by an event that the page's cell hears (_live/cell.js).

import { cover, decimals, define, draw, Explorable, make, table } from "./base.js";

// How a weight is written: in hundredths, each a character. As in training_run.py.
const ASCII = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
const PLAIN = ASCII.filter((character) => !"\"&'<>\\".includes(character));
const FURTHER = Array.from({ length: 101 - PLAIN.length }, (_, i) => String.fromCharCode(192 + i));
const HUNDREDTHS = new Map([...PLAIN, ...FURTHER].map((character, i) => [character, i]));
const NOT_A_NUMBER = 255;

const COVERS = Array.from({ length: 101 }, (_, i) => Math.round(255 * cover(i / 100)));
const BLANK = [128, 128, 128, 255]; // of a weight that is not a number
const WHOLE = 8000; // milliseconds that a recorded run takes to play
const SHORTEST = 40; // milliseconds from one frame to the next
const LONGEST = 400;
const MOST_ROWS = 12; // of the table
const MOST_LABELS = 40; // beyond that a map has no room for its tokens

/** Read the weights of one or more frames: hundredths, 255 where a weight is not a number. */
export function read(text) {
  return Uint8Array.from(text, (character) => HUNDREDTHS.get(character) ?? NOT_A_NUMBER);
}

/** Where in increasing numbers is the last that is not above `number`? The first, if none is. */
export function lastUpTo(numbers, number) {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (numbers[middle] <= number) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A run: lists by frame, and for each map the weights of each frame. */
export class Run {
  constructor({ label, queries, keys, start, step, loss, accuracy, best, maps }) {
    Object.assign(this, { label, queries, keys, start, best });
    this.step = [...step];
    this.loss = [...loss];
    this.accuracy = [...accuracy];
    const size = queries.length * keys.length;
    this.maps = new Map(
      Object.entries(maps).map(([name, text]) => {
        const all = read(text);
        return [name, this.step.map((_, i) => all.subarray(i * size, (i + 1) * size))];
      }),
    );
  }

  get length() {
    return this.step.length;
  }

  get last() {
    return this.step.at(-1) ?? 0;
  }

  add({ step, loss, accuracy, best, maps }) {
    this.step.push(step);
    this.loss.push(loss);
    this.accuracy.push(accuracy);
    this.best = best;
    for (const [name, text] of Object.entries(maps)) {
      if (!this.maps.has(name)) this.maps.set(name, []);
      this.maps.get(name).push(read(text));
    }
  }

  /** The number of the frame to show at a step. */
  at(step) {
    return lastUpTo(this.step, step);
  }

  /** The keys that a query looks at most, with their weights, in words. */
  looks(name, frame, query, most = 3) {
    const width = this.keys.length;
    const row = this.maps.get(name)[frame].subarray(query * width, (query + 1) * width);
    if (row.includes(NOT_A_NUMBER)) return "its weights are not numbers";
    const order = [...row.keys()].filter((key) => row[key] > 0).sort((i, j) => row[j] - row[i]);
    const named = (key) => `${this.name("keys", key)} ${decimals(row[key] / 100)}`;
    return order.slice(0, most).map(named).join(", ") || "nothing";
  }

  /** A token, with its position if there are several of it. */
  name(side, i) {
    const token = this[side][i];
    const alone = this[side].indexOf(token) === this[side].lastIndexOf(token);
    return alone ? token : `${token} (${i + 1})`;
  }
}

const number = (x) => (x === null ? "not a number" : decimals(x, x !== 0 && Math.abs(x) < 0.01 ? 4 : 3));

// ------------------------------------------------------------------------- plots

const BOX = { left: 44, right: 312, top: 14, bottom: 112, width: 320, height: 132 };

/** A round number of at least `number`: 1, 2 or 5 times a power of ten, or half of the first. */
export function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return [1, 1.5, 2, 3, 4, 5, 7, 10].find((factor) => factor * power >= number * 0.999) * power;
}

/** A quantity against the step: a curve for each run, and where we are. */
class Plot {
  constructor(name, title) {
    this.name = name;
    this.curves = ["other", "own"].map((kind) => draw("polyline", { class: kind }));
    this.bests = ["other", "own"].map((kind) => draw("path", { class: `best ${kind}` }));
    this.cursor = draw("path", { class: "cursor", d: `M0 ${BOX.top}V${BOX.bottom}` });
    this.axes = draw("g");
    this.value = make("span", { class: "value" });
    const ends = { x: BOX.left, y: BOX.top - 3, width: BOX.right - BOX.left + 1 };
    const clip = draw("clipPath", { id: name }, draw("rect", { ...ends, height: BOX.bottom - BOX.top + 4 }));
    this.svg = draw(
      "svg",
      { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", class: "plot" },
      clip,
      this.axes,
      draw("g", { "clip-path": `url(#${name})` }, ...this.bests, ...this.curves),
      this.cursor,
    );
    this.box = make("div", { class: "panel" }, make("p", {}, make("b", {}, title), " ", this.value), this.svg);
  }

  /** Draw the curves of the runs; the first is our own. */
  draw(runs, high, steps) {
    this.x = (step) => BOX.left + ((BOX.right - BOX.left) * step) / (steps || 1);
    this.y = (level) => BOX.bottom - ((BOX.bottom - BOX.top) * level) / high;
    const place = `${high} ${steps}`;
    if (place !== this.place) this.axes.replaceChildren(...this.grid(high, steps));
    this.place = place;
    [runs[1], runs[0]].forEach((run, i) => {
      this.curves[i].setAttribute("points", run ? this.points(run) : "");
      const best = run?.best != null && this.name === "accuracy";
      const line = best ? `M${BOX.left} ${this.y(run.best)}H${BOX.right}` : "M0 0";
      this.bests[i].setAttribute("d", line);
    });
  }

  points(run) {
    const level = (i) => Math.min(run[this.name][i] ?? 1e9, 1e9); // far above: clipped
    return run.step.map((step, i) => `${this.x(step).toFixed(1)},${this.y(level(i)).toFixed(1)}`).join(" ");
  }

  grid(high, steps) {
    const level = (y) => [
      draw("path", { class: "grid", d: `M${BOX.left} ${this.y(y)}H${BOX.right}` }),
      draw("text", { x: BOX.left - 5, y: this.y(y) + 4, "text-anchor": "end" }, String(Number(y.toPrecision(3)))),
    ];
    const text = (step, anchor) =>
      draw("text", { x: this.x(step), y: BOX.height - 5, "text-anchor": anchor }, String(step));
    return [...[0, high / 2, high].flatMap(level), text(0, "start"), text(steps, "end")];
  }

  /** Write the values of the runs, and what is to be said after them. */
  write([own, other], after) {
    const second = other === undefined ? [] : [" / ", make("span", { class: "other" }, other)];
    this.value.replaceChildren(make("span", { class: "own" }, own), ...second, after);
  }

  move(step) {
    this.cursor.setAttribute("transform", `translate(${this.x(step)} 0)`);
  }
}

// -------------------------------------------------------------------------- maps

/** One attention map: a picture with a pixel for each weight, and the chosen query's row. */
class WeightMap {
  constructor(name, run, onpick) {
    const [rows, columns] = [run.queries.length, run.keys.length];
    Object.assign(this, { name, run, shown: null });
    this.canvas = make("canvas", { width: columns, height: rows, role: "img" });
    this.context = this.canvas.getContext("2d");
    this.pixels = this.context.createImageData(columns, rows);
    this.mark = make("span", { class: "mark" });
    this.note = make("figcaption", {});
    const picture = make("div", { class: "picture", style: `aspect-ratio: ${columns} / ${rows}` }, this.canvas, this.mark);
    picture.addEventListener("click", ({ offsetY }) => {
      onpick(Math.min(rows - 1, Math.max(0, Math.floor((offsetY / picture.clientHeight) * rows))));
    });
    const upright = run.keys.some((token) => token.length > 2) && columns > 3;
    const named = Math.max(rows, columns) <= MOST_LABELS;
    const labels = (tokens, kind) =>
      make("div", { class: `labels ${kind}`, "aria-hidden": "true" },
        ...(named ? tokens : []).map((token) => make("span", {}, token)));
    const dense = Math.max(rows, columns) > 16;
    this.box = make(
      "figure",
      { class: dense ? "map dense" : "map", style: `--rows: ${rows}; --columns: ${columns}` },
      make("p", {}, name),
      labels(run.keys, upright ? "keys upright" : "keys"),
      labels(run.queries, "queries"),
      picture,
      this.note,
    );
    this.names = [...this.box.querySelectorAll(".queries span")];
  }

  show(frame, query) {
    const weights = this.run.maps.get(this.name)[frame];
    if (weights !== this.shown) this.paint(weights);
    this.shown = weights;
    const rows = this.run.queries.length;
    this.mark.style.top = `${(100 * query) / rows}%`;
    this.mark.style.height = `${100 / rows}%`;
    this.names.forEach((name, i) => name.classList.toggle("chosen", i === query));
    const looks = `${this.run.name("queries", query)} → ${this.run.looks(this.name, frame, query)}`;
    if (this.note.textContent !== looks) this.note.textContent = looks;
  }

  paint(weights) {
    const ink = getComputedStyle(this.canvas).color.match(/[\d.]+/g).slice(0, 3);
    const colours = COVERS.map((share) => [...ink, share]);
    weights.forEach((weight, i) => {
      this.pixels.data.set(weight === NOT_A_NUMBER ? BLANK : colours[weight], 4 * i);
    });
    this.context.putImageData(this.pixels, 0, 0);
  }

  describe(step) {
    const size = `${this.run.queries.length} queries (rows), ${this.run.keys.length} keys (columns)`;
    this.canvas.setAttribute("aria-label", `Attention weights, ${this.name}, step ${step}: ${size}`);
  }
}

// ------------------------------------------------------------------- the element

// The last run of each cell that is whole, to stand beside the next one.
const kept = new WeakMap(); // the cell -> {run, number}
const REGION = ".cell, .jp-Cell";

class TrainingLab extends Explorable {
  static observedAttributes = ["data-trains"];

  static style = `
:host { container: lab / inline-size; }
.lab { max-width: 46rem; padding-inline: 3px; }
.title { margin: 0 0 0.5rem; font-weight: 600; }
.controls { gap: 0.4rem 0.6rem; }
.controls button { min-width: 4.6rem; }
.controls .train { border-color: var(--accent); color: var(--accent); font-weight: 600; }
.controls .train.stops { border-color: var(--mark); color: var(--mark); }
.time { display: flex; align-items: center; gap: 0.6rem; flex: 1 1 14rem; }
.time input { flex: 1; min-width: 0; height: 2.25rem; margin: 0; cursor: pointer; }
.time span { min-width: 6.2rem; font-variant-numeric: tabular-nums; }
.panels { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 1.2rem; }
.panel p { margin: 0 0 0.2rem; font-size: 0.9rem; font-variant-numeric: tabular-nums; line-height: 1.3; }
.value .own { color: var(--accent); }
.value .other { color: var(--mark); }
.plot { width: 100%; font-size: 12px; fill: none; }
.plot text { fill: var(--muted); }
.grid { stroke: var(--border); }
.cursor { stroke: var(--muted); stroke-width: 1; }
polyline { stroke-width: 2.2; stroke-linejoin: round; }
.own { stroke: var(--accent); }
.other { stroke: var(--mark); stroke-dasharray: 5 3; }
.best { stroke-width: 1.2; stroke-dasharray: 2 3; }
.run { margin: 0.6rem 0 0; }
.run > p { margin: 0 0 0.2rem; font-weight: 600; font-size: 0.9rem; }
.key { display: inline-block; width: 1.6rem; margin-inline-end: 0.4rem; vertical-align: middle; border-top: 3px solid var(--accent); }
.other .key { border-top: 3px dashed var(--mark); }
.runs { display: grid; grid-template-columns: repeat(var(--runs), minmax(0, 1fr)); gap: 0 1.2rem; }
.maps { display: grid; grid-template-columns: repeat(var(--maps), minmax(0, 1fr)); gap: 0.4rem 0.8rem; }
.map { container-type: inline-size; margin: 0; display: grid; align-content: start;
  grid-template: auto auto auto auto / max-content minmax(0, 1fr); max-width: 21rem; }
.map p { grid-column: 2; margin: 0; color: var(--muted); font-size: 0.85rem; }
.labels { --size: min(0.85rem, calc(82cqi / var(--columns))); font-size: var(--size);
  line-height: 1; color: var(--muted); display: grid; overflow: hidden; }
.keys { grid-area: 2 / 2; grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); justify-items: center;
  align-items: end; padding-bottom: 2px; }
.upright span { writing-mode: vertical-rl; transform: rotate(180deg); }
.queries { grid-area: 3 / 1; grid-template-rows: repeat(var(--rows), minmax(0, 1fr)); align-items: center;
  justify-items: end; padding-inline-end: 4px; }
.labels span { overflow: hidden; max-height: 6em; white-space: nowrap; }
.labels .chosen { color: var(--text); font-weight: 700; }
.picture { grid-area: 3 / 2; position: relative; cursor: pointer; }
canvas { display: block; color: var(--accent); width: 100%; height: 100%; image-rendering: pixelated; pointer-events: none; }
/* Around the row, so that a thin one is not hidden; seen on dark and on light weights. */
.mark { position: absolute; inset-inline: -2px; margin-top: -2px; border: 2px solid #fff;
  outline: 1px solid #000; box-sizing: content-box; pointer-events: none; }
figcaption { grid-area: 4 / 1 / 5 / 3; contain: layout; font-size: 0.85rem; line-height: 1.3; min-height: 2.7em; padding-top: 0.2rem;
  overflow-wrap: anywhere; }
.query { margin-top: 0.5rem; display: flex; align-items: center; gap: 0.5rem; }
.waits { color: var(--muted); }
.tables > * + * { margin-top: 1rem; }
[hidden] { display: none !important; }
@container (max-width: 15rem) { .dense .labels { display: none; } }
@container lab (max-width: 34rem) {
  .runs { grid-template-columns: minmax(0, 1fr); }
  .maps { grid-template-columns: repeat(min(var(--maps), 2), minmax(0, 1fr)); }
  .time { flex-basis: 100%; }
  .plot { font-size: 19px; }
  .panel p { min-height: 2.6em; }
}
@media print { .query { display: none; } slot { display: block; } }
`;

  // ---------------------------------------------------------------- what it holds

  build({ title, runs, goes_on: goesOn }) {
    this.region = this.closest(REGION);
    const before = kept.get(this.region);
    [this.run, this.other = null] = runs.map((run) => new Run(run));
    this.number = (before?.number ?? 0) + 1;
    this.other ??= before?.run ?? null;
    this.title = title;
    // "running": frames come; "waiting": they would, but the reader paused; "whole".
    this.phase = goesOn ? "running" : "whole";
    this.isLive = false; // does the page that runs the cell hear what is pressed here?
    this.isFollowing = goesOn === true; // is the newest frame shown as it comes?
    this.query = null;
    this.index = 0;
    this.plots = [new Plot("loss", "loss"), new Plot("accuracy", "accuracy")];
    this.runsBox = make("div", { class: "runs" });
    this.wait = make("p", { class: "waits" }, "The first frame is on its way …");
    const panels = make("div", { class: "panels" }, ...this.plots.map(({ box }) => box));
    const lab = make("div", { class: "lab" }, this.buildControls(title), panels, this.wait,
      this.runsBox, this.buildQuery());
    this.layOut();
    this.index = this.run.length && !goesOn ? this.steps.length - 1 : 0;
    this.keep();
    return [lab];
  }

  buildControls(title) {
    const button = (text, onclick) => make("button", { type: "button", onclick }, text);
    this.trainButton = button("Train", () => this.ask(this.dataset.trains));
    this.trainButton.classList.add("train");
    this.playButton = button("Play", () => this.toggle());
    this.stepButton = button("Step", () => this.step());
    this.slider = make("input", { type: "range", min: 0, step: 1, "aria-label": "Step of the training",
      oninput: () => this.scrub(Number(this.slider.value)) });
    this.timeText = make("span", {});
    this.showTrains();
    return make("div", {}, make("p", { class: "title" }, title),
      make("div", { class: "controls" }, this.trainButton, this.playButton, this.stepButton,
        make("div", { class: "time" }, this.slider, this.timeText)));
  }

  buildQuery() {
    this.select = make("select", { onchange: () => this.choose(this.select.selectedIndex) });
    this.queryBox = make("label", { class: "query" }, "Query", this.select);
    return this.queryBox;
  }

  /** What the runs are called: by what is special about them, or by their order. */
  get names() {
    const { run, other, number: n } = this;
    if (!other) return [run.label];
    const differ = run.label && other.label && run.label !== other.label;
    if (differ) return [run.label, other.label];
    const named = (which, label) => (label ? `${which}: ${label}` : which);
    return [named(n > 1 ? `run ${n}` : "this run", run.label), named(n > 1 ? `run ${n - 1}` : "other run", other.label)];
  }

  get pair() {
    return this.other ? [this.run, this.other] : [this.run];
  }

  /** Make room for the maps of both runs; done again when the first frame has come. */
  layOut() {
    const most = Math.max(1, ...this.pair.map(({ maps }) => maps.size));
    const blocks = this.pair.map((run, i) => {
      const maps = [...run.maps.keys()].map((name) => new WeightMap(name, run, (query) => this.choose(query)));
      const name = this.names[i];
      const heading = name ? [make("p", {}, make("span", { class: "key" }), name)] : [];
      const grid = make("div", { class: "maps", style: `--maps: ${most}` }, ...maps.map(({ box }) => box));
      return { maps, box: make("section", { class: i ? "run other" : "run" }, ...heading, grid) };
    });
    this.maps = blocks.flatMap(({ maps }) => maps);
    this.runsBox.style.setProperty("--runs", blocks.length);
    this.runsBox.replaceChildren(...blocks.map(({ box }) => box));
    const { queries, start } = this.run;
    this.query = Math.min(this.query ?? start, queries.length - 1);
    this.select.replaceChildren(...queries.map((_, i) => make("option", {}, this.run.name("queries", i))));
    this.select.selectedIndex = this.query;
    this.queryBox.hidden = queries.length < 2 || this.maps.length === 0;
    this.count();
  }

  /** The steps of all frames of both runs, in order. */
  count() {
    this.steps = [...new Set(this.pair.flatMap(({ step }) => step))].sort((a, b) => a - b);
    this.slider.max = Math.max(0, this.steps.length - 1);
  }

  /** Keep this run, if it is whole, for the next one of this cell. */
  keep() {
    if (!this.region || this.phase !== "whole" || this.run.length === 0) return;
    kept.set(this.region, { run: this.run, number: this.number });
  }

  /** A canvas does not follow the page when that becomes dark or light. */
  connectedCallback() {
    super.connectedCallback();
    this.theme = new MutationObserver(() => this.repaintMaps());
    this.theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  disconnectedCallback() {
    this.stop();
    this.theme.disconnect();
  }

  repaintMaps() {
    for (const map of this.maps) map.shown = null;
    this.paint();
  }

  // ------------------------------------------------------------- what the page says

  /** The page is going to send frames, and hears what is pressed here. */
  begin() {
    this.isLive = true;
    this.showTrains();
    this.update();
    this.say("The training has begun.");
  }

  /** Something from the page: `{frames}`, or `{ended: "done", "stopped" or "error"}`. */
  receive({ frames = [], ended }) {
    const first = this.run.length === 0 && frames.length > 0;
    frames.forEach((frame) => this.run.add(frame));
    if (first) this.layOut();
    else if (frames.length) this.count();
    if (frames.length && this.isFollowing) this.index = this.steps.indexOf(this.run.last);
    if (ended) this.end(ended);
    this.frame ??= requestAnimationFrame(() => this.paint());
  }

  end(how) {
    this.phase = "whole";
    this.isLive = this.isFollowing = false;
    this.stop();
    this.keep();
    if (this.run.length === 0) return this.say("No frame came.");
    const what = { done: "Trained", stopped: "Stopped", error: "Broken off" }[how];
    const best = this.run.best === null ? "" : ` of at most ${number(this.run.best)}`;
    const { last, loss, accuracy } = this.run;
    this.say(`${what} at step ${last}: loss ${number(loss.at(-1))}, accuracy ${number(accuracy.at(-1))}${best}. ` +
      "Drag the slider back through the run.");
  }

  /** Ask the page for something: "train", "stop", "pause", "play" or "step". */
  ask(what) {
    this.dispatchEvent(new CustomEvent("training", { bubbles: true, composed: true, detail: what }));
  }

  attributeChangedCallback() {
    if (this.trainButton) this.showTrains();
  }

  showTrains() {
    const what = this.dataset.trains;
    this.trainButton.hidden = what === undefined;
    this.trainButton.textContent = what === "stop" ? "Stop" : "Train";
    this.trainButton.classList.toggle("stops", what === "stop");
  }

  // ------------------------------------------------------------ what the reader does

  get isAtEnd() {
    return this.index >= this.steps.length - 1;
  }

  get isTraining() {
    return this.phase !== "whole" && this.isLive;
  }

  get isMoving() {
    return this.timer !== undefined || (this.phase === "running" && this.isFollowing);
  }

  toggle() {
    if (this.isMoving) this.pause();
    else this.play();
  }

  /** Go on: train on at the end of a run that is not whole, play what is there otherwise. */
  play() {
    if (this.isTraining) {
      this.phase = "running";
      this.isFollowing = true;
      this.ask("play");
      if (this.run.length) this.index = this.steps.indexOf(this.run.last);
    } else {
      if (this.isAtEnd) this.index = 0;
      const pause = Math.min(LONGEST, Math.max(SHORTEST, WHOLE / this.steps.length));
      this.timer = setInterval(() => this.playOne(), pause);
    }
    this.paint();
  }

  playOne() {
    this.index = Math.min(this.index + 1, this.steps.length - 1);
    if (this.isAtEnd) this.pause();
    else this.paint();
  }

  pause() {
    this.stop();
    if (this.isTraining) {
      this.phase = "waiting";
      this.isFollowing = false;
      this.ask("pause");
    }
    this.update();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** One frame further; at the end of a run that is not whole, one is made. */
  step() {
    this.stop();
    if (this.isTraining && this.index >= this.steps.indexOf(this.run.last)) {
      this.phase = "waiting";
      this.isFollowing = true;
      this.ask("step");
    } else {
      this.index = this.isAtEnd ? 0 : this.index + 1;
    }
    this.update();
  }

  scrub(index) {
    this.stop();
    this.index = index;
    this.isFollowing = this.isTraining && this.steps[index] === this.run.last && this.phase === "running";
    this.update();
  }

  choose(query) {
    this.query = query;
    this.select.selectedIndex = query;
    this.update();
  }

  // ------------------------------------------------------------------ what is shown

  get shown() {
    return this.steps[this.index] ?? 0;
  }

  get state() {
    const { run, other, index, phase, query, shown, isMoving } = this;
    const { names } = this;
    const frame = run.at(shown);
    const at = { step: shown, loss: run.loss[frame], accuracy: run.accuracy[frame] };
    const maps = Object.fromEntries([...run.maps].map(([name, frames]) => [name, [...(frames[frame] ?? [])]]));
    return { ...at, frames: run.length, others: other?.length ?? 0, index, phase, query, isMoving, names, maps };
  }

  paint() {
    this.frame = undefined;
    const { run, pair, shown } = this;
    const empty = run.length === 0;
    this.wait.hidden = !empty;
    this.slider.value = this.index;
    this.slider.disabled = this.steps.length < 2;
    this.playButton.textContent = this.isMoving ? "Pause" : this.phase === "waiting" ? "Go on" : "Play";
    this.timeText.textContent = `step ${shown}`;
    this.slider.setAttribute("aria-valuetext", this.inWords());
    const losses = pair.flatMap(({ loss }) => loss.filter((x) => x !== null));
    const first = Math.max(...pair.map(({ loss }) => loss[0] ?? 0), 1e-9);
    const high = { loss: roundUp(Math.min(Math.max(...losses, 1e-9), 2 * first)), accuracy: 1 };
    // While the run grows, room is made ahead of it: new axes cost most of the work.
    const reached = Math.max(...pair.map(({ last }) => last), 1);
    const steps = this.phase === "whole" ? reached : Math.max(this.other?.last ?? 0, roundUp(reached));
    for (const plot of this.plots) {
      plot.draw(pair, high[plot.name], steps);
      plot.move(shown);
      const values = pair.map((one) => (one.length ? number(one[plot.name][one.at(shown)]) : "–"));
      const most = plot.name === "accuracy" && run.best !== null ? `, at most ${number(run.best)}` : "";
      plot.write(values, most);
      plot.svg.setAttribute("aria-label", `${plot.name} against the step; ${this.inWords()}`);
    }
    for (const map of this.maps) {
      if (map.run.length === 0) continue;
      map.show(map.run.at(shown), Math.min(this.query, map.run.queries.length - 1));
      map.describe(map.run.step[map.run.at(shown)]);
    }
  }

  inWords() {
    const { run, shown } = this;
    if (run.length === 0) return "no frame yet";
    const frame = run.at(shown);
    return `step ${shown}: loss ${number(run.loss[frame])}, accuracy ${number(run.accuracy[frame])}`;
  }

  update() {
    this.paint();
    const training = { running: "Training. ", waiting: "Paused. " }[this.phase] ?? "";
    const words = this.inWords();
    this.say(`${training}${words[0].toUpperCase()}${words.slice(1)}.`);
  }

  refreshTable() {
    if (this.run.length) super.refreshTable();
  }

  asTable() {
    const { pair, names, steps } = this;
    const called = (i) => (pair.length > 1 ? `, ${names[i] || "this run"}` : "");
    const header = ["step", ...pair.flatMap((_, i) => [`loss${called(i)}`, `accuracy${called(i)}`])];
    const most = Math.min(MOST_ROWS, steps.length);
    const rows = Array.from({ length: most }, (_, i) => steps[Math.round((i * (steps.length - 1)) / Math.max(most - 1, 1))]);
    const values = (step) => pair.flatMap((run) => {
      const has = run.length > 0 && step <= run.last;
      return has ? [number(run.loss[run.at(step)]), number(run.accuracy[run.at(step)])] : ["–", "–"];
    });
    const best = pair.map((run) => number(run.best)).join(" and ");
    const course = table(`${this.title}. The best possible accuracy is ${best}.`, header,
      rows.map((step) => [String(step), ...values(step)]));
    return make("div", { class: "tables" }, course, ...pair.map((run, i) => this.mapsAsTable(run, called(i))));
  }

  /** What the chosen query looks at in each map of a run. */
  mapsAsTable(run, called) {
    const maps = run.length ? [...run.maps.keys()] : [];
    if (maps.length === 0) return "";
    const frame = run.at(this.shown);
    const query = Math.min(this.query, run.queries.length - 1);
    const weight = (name, key) => run.maps.get(name)[frame][query * run.keys.length + key];
    const text = (weight) => (weight === NOT_A_NUMBER ? "not a number" : decimals(weight / 100));
    return table(`Weights of the query ${run.name("queries", query)} at step ${run.step[frame]}${called}`,
      ["key", ...maps], run.keys.map((_, key) => [run.name("keys", key), ...maps.map((name) => text(weight(name, key)))]));
  }
}

define("training-lab", TrainingLab);
