// The picture of the transformer. Each stack has its residual stream as a line from top to
// bottom; sublayers read it and add to it. A reader selects a box and gets, in words, what it
// does, and links to its section and its code.

import { Explorable, define, draw, make, table } from "./base.js";

// ------------------------------------------------------------------- the places

// In units of the drawing. The encoder's column; the decoder's is its mirror image.
const WIDTH = 360;
const STREAM_X = 32;
const SUBLAYER = { x: 110, width: 102, height: 34 };
const ON_STREAM = { x: 84, width: 154, height: 28 };
const SUBLAYER_EDGE = SUBLAYER.x - SUBLAYER.width / 2;
const TITLE = { x: 107, width: 114, height: 26 };
const SMALL_NORM = { width: 46, height: 26, kind: "norm", text: "Norm" };
const RADIUS = 12;
// From the place where the first sublayer reads to the next one's, and to its own sum.
const PERIOD = 88;
const TO_SUM = 42;
const TO_NORM = 27;

/** Where a column's parts are, from its top: the tokens, the layer, what ends the stack. */
function levels(top, sublayers) {
  const layer = top + 148;
  const reads = Array.from({ length: sublayers }, (_, i) => layer + 48 + i * PERIOD);
  const end = reads.at(-1) + TO_SUM + 68;
  return { top, embedding: top + 56, positions: top + 95, stack: top + 116, layer, reads, end };
}

const ENCODER = levels(0, 2);
// So far down that the cross-attention is level with the memory.
const DECODER = levels(ENCODER.end - (ENCODER.reads[1] + TO_SUM), 3);
const HEIGHT = DECODER.end + 98;

/** The boxes of a stack by name: middle, size, kind and the text that is drawn. */
function column(stack, side, y, sublayers) {
  const places = {
    [`${side}_embedding`]: { ...ON_STREAM, y: y.embedding, text: "Embedding" },
    [`${side}_positions`]: { ...SUBLAYER, y: y.positions, height: 26, text: "Positions" },
    [stack]: { ...TITLE, y: y.stack + 17, kind: "title", text: title(stack) },
    [`${stack}_layer`]: { ...TITLE, y: y.layer + 17, kind: "title count",
      text: `N × ${stack} layer` },
    [`${stack}_stream`]: { x: 18, y: y.layer + 39, width: 28, height: 66, kind: "stream",
      text: "stream", turn: -90 },
    [`${stack}_final_norm`]: { ...SMALL_NORM, x: STREAM_X, y: y.end },
  };
  sublayers.forEach(([name, kind, ...lines], i) => {
    const sum = y.reads[i] + TO_SUM;
    places[name] = { ...SUBLAYER, y: sum, kind, text: lines };
    places[`${stack}_sum_${i + 1}`] = { x: STREAM_X, y: sum, kind: "sum" };
    places[`${stack}_norm_${i + 1}`] = {
      ...SMALL_NORM,
      // Pre: where the sublayer reads, beside the stream. Post: on the stream, after the sum.
      pre: { x: SUBLAYER.x, y: y.reads[i] },
      post: { x: STREAM_X, y: sum + TO_NORM },
    };
  });
  return places;
}

const places = {
  source_tokens: { ...ON_STREAM, y: 16, kind: "tokens", text: "Source tokens" },
  ...column("encoder", "source", ENCODER, [
    ["encoder_self_attention", "attention", "Self-attention"],
    ["encoder_feed_forward", "feed", "Feed-forward"],
  ]),
  memory: { x: 123, y: ENCODER.end, width: 76, height: 28, kind: "memory", text: "Memory" },
  ...mirrored({
    target_tokens: { ...ON_STREAM, y: DECODER.top + 16, kind: "tokens",
      text: "Target tokens, shifted" },
    ...column("decoder", "target", DECODER, [
      ["decoder_self_attention", "attention", "Masked", "self-attention"],
      ["cross_attention", "attention", "Cross-attention"],
      ["decoder_feed_forward", "feed", "Feed-forward"],
    ]),
    to_logits: { ...ON_STREAM, y: DECODER.end + 42, text: "to_logits" },
    logits: { ...ON_STREAM, y: DECODER.end + 82, kind: "tokens", text: "Logits" },
  }),
};

function mirrored(column) {
  const mirror = (place) => ({ ...place, x: WIDTH - place.x, turn: -place.turn || 0 });
  return Object.fromEntries(Object.entries(column).map(([name, place]) => [name, place.pre
    ? { ...place, pre: mirror(place.pre), post: mirror(place.post) }
    : mirror(place)]));
}

function title(word) {
  return word[0].toUpperCase() + word.slice(1);
}

/** Where a box's middle is. */
function middle(name, norm) {
  const { x, y } = places[name][norm] ?? places[name];
  return [x, y];
}

// ------------------------------------------------------------------ the drawing

function line(path, attributes) {
  return draw("path", { d: path, ...attributes });
}

function frame(x, y, width, bottom, attributes) {
  return draw("rect", { x, y, width, height: bottom - y, rx: 6, ...attributes });
}

/** What stands behind the boxes of a stack. */
function background(stack, y) {
  const bottom = y.end - 24;
  const layer = `${stack}_layer`;
  return [
    frame(1, y.stack, 176, y.end + 20, { class: "stack", "data-box": stack }),
    // N layers, one behind the other.
    ...[6, 3, 0].map((back) =>
      frame(7 + back, y.layer + back, 158, bottom + back, { class: "layer", "data-box": layer })),
    line(`M${STREAM_X} ${y.top + 29}V${y.embedding - 15}`, { class: "arrow" }),
    line(`M${SUBLAYER_EDGE} ${y.positions}H${STREAM_X + RADIUS + 2}`, { class: "arrow" }),
    line(
      stack === "encoder" ? `M${STREAM_X} ${y.embedding}V${y.end}H84`
        : `M${STREAM_X} ${y.embedding}V${y.end + 28}`,
      { class: "line", "data-box": `${stack}_stream` },
    ),
    plus(STREAM_X, y.positions, `${stack === "encoder" ? "source" : "target"}_positions`),
    ...y.reads.flatMap((read) => branch(read)),
  ];
}

/** A sublayer's way: it reads the stream, and what it says is added. */
function branch(read) {
  const sum = read + TO_SUM;
  return [
    line(`M${STREAM_X} ${read}H${SUBLAYER.x}V${sum - 19}`, { class: "arrow" }),
    draw("circle", { class: "dot", cx: STREAM_X, cy: read, r: 4.5 }),
    line(`M${SUBLAYER_EDGE} ${sum}H${STREAM_X + RADIUS + 2}`, { class: "arrow" }),
  ];
}

function plus(x, y, name) {
  return draw("g", { class: "plus", transform: `translate(${x} ${y})`, "data-box": name },
    ...cross());
}

function cross() {
  return [draw("circle", { r: RADIUS }), line("M-5.5 0H5.5M0 -5.5V5.5", { class: "cross" })];
}

/** What the signs mean, in the corner that the stacks leave free. */
function key() {
  const top = ENCODER.end + 62;
  const signs = [
    [line("M0 0H24", { class: "line" }), "residual stream"],
    [[line("M2 0H22", { class: "arrow" }), draw("circle", { class: "dot", cx: 3, r: 4.5 })],
      "reads it"],
    [[draw("g", { class: "plus small", transform: "translate(12 0)" }, ...cross())], "adds to it"],
    [[0, 3, 6].reverse().map((back) =>
      draw("rect", { class: "layer", x: 1 + back, y: back - 8, width: 16, height: 11, rx: 2 }))
      .flat(), "N layers alike"],
  ];
  return signs.map(([sign, words], i) =>
    draw("g", { class: "key", transform: `translate(16 ${top + 30 * i})` },
      ...[sign].flat(), draw("text", { x: 36, dy: "0.35em" }, words)));
}

function shapeOf({ kind, width, height, text, turn }) {
  if (kind === "sum") {
    // The square is for fingers: a circle is missed more easily.
    return [draw("rect", { class: "room", x: -14, y: -14, width: 28, height: 28 }), ...cross()];
  }
  const lines = [text].flat();
  return [
    draw("rect", { x: -width / 2, y: -height / 2, width, height, rx: 4 }),
    draw("text", { transform: `rotate(${turn ?? 0})` }, ...lines.flatMap((words, i) => [
      i ? " " : "",
      draw("tspan", { x: 0, dy: `${i ? 1.12 : 0.91 - 0.56 * lines.length}em` }, words),
    ])),
  ];
}

const STYLE = `
:host { container-type: inline-size; }
.controls { margin-bottom: 0.4rem; }
.controls fieldset { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: center; }
legend { float: left; padding: 0; }
label { display: inline-flex; align-items: center; gap: 0.4rem; min-height: 2.25rem; }
input { width: 1.1rem; height: 1.1rem; margin: 0; }
.hint { margin: 0 0 0.5rem; color: var(--muted); }
svg {
  --line: color-mix(in srgb, var(--accent) 50%, var(--paper));
  width: 100%; max-width: 30rem; overflow: visible; font-size: 12.5px; user-select: none;
}
text { text-anchor: middle; pointer-events: none; }
.stack { fill: var(--surface); stroke: var(--border); }
.layer { fill: var(--paper); stroke: var(--muted); stroke-width: 0.8; }
.line { fill: none; stroke: var(--line); stroke-width: 6; stroke-linejoin: round; }
.arrow { fill: none; stroke: var(--muted); stroke-width: 1.5; marker-end: url(#tip); }
.arrow.far { stroke-width: 2.5; }
#tip path { fill: var(--muted); }
.dot { fill: var(--accent); }
.plus circle, .sum circle { fill: var(--paper); stroke: var(--accent); stroke-width: 1.8; }
.plus.small { scale: 0.75; }
.cross { stroke: var(--text); stroke-width: 1.8; }
.key text { text-anchor: start; fill: var(--muted); font-size: 12px; }
[data-box] { cursor: pointer; }
.box rect { fill: var(--paper); stroke: var(--muted); }
.tokens rect { rx: 13px; }
.title text { font-weight: 600; }
.count text { font-size: 12px; font-weight: normal; }
.norm rect { fill: color-mix(in srgb, var(--border) 75%, var(--paper)); }
.attention rect { fill: color-mix(in srgb, var(--accent) 17%, var(--paper)); }
.feed rect { fill: color-mix(in srgb, var(--mark) 17%, var(--paper)); }
.memory rect { fill: var(--paper); stroke: var(--line); stroke-width: 3; }
:is(.title, .stream) rect, .box .room { fill: transparent; stroke: none; }
.stream text { font-size: 11px; fill: var(--muted); }
.box:hover :is(rect:not(.room), circle) { stroke: var(--accent); stroke-width: 2; }
.box[aria-selected="true"] :is(rect:not(.room), circle) {
  fill: var(--accent); stroke: var(--accent);
}
.box[aria-selected="true"] text { fill: var(--paper); }
.box[aria-selected="true"] .cross { stroke: var(--paper); }
.box:focus:not(:focus-visible) { outline: none; }
.box:focus-visible { outline-offset: 1px; }
.panel {
  margin-top: 0.7rem; border-top: 2px solid var(--accent); padding: 0.5rem 0;
  background: var(--paper);
}
.panel p { margin: 0; }
.panel b { display: block; }
.panel .shape, .panel .placement { display: block; margin-top: 0.3rem; color: var(--muted); }
.panel code { color: var(--text); font-size: 0.9em; }
.status { min-height: 7.4em; }
.links a { display: block; width: fit-content; padding: 0.3rem 0; }
a { color: var(--accent); }
/* Once a box has been selected, its words stay in view. */
.touched .panel { position: sticky; bottom: 0; }
details :is(th, td) { text-align: start; vertical-align: top; }
details td:nth-child(2) { min-width: 16rem; }
@container (min-width: 36rem) {
  .map { display: grid; grid-template-columns: minmax(0, 25rem) minmax(0, 1fr); gap: 1.5rem; }
  .panel { position: sticky; top: 5rem; align-self: start; margin: 0; padding: 0.7rem 0; }
  .touched .panel { bottom: auto; }
}
@media print { .map .panel { position: static; } }
`;

// ------------------------------------------------------------------- the figure

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

class ArchitectureMap extends Explorable {
  static style = STYLE;

  get state() {
    return { norm: this.norm, selected: this.selected, boxes: this.order.map(({ name }) => name) };
  }

  connectedCallback() {
    super.connectedCallback();
    this.panel.prepend(this.statusLine);
  }

  build({ norm, boxes }) {
    this.norm = norm;
    // Where the two stacks meet.
    this.selected = "cross_attention";
    this.nodes = new Map(boxes.map(({ name }) => [name, this.makeBox(name)]));
    this.list = draw("g", { role: "listbox", "aria-label": "Boxes of the transformer" });
    this.links = make("p", { class: "links" });
    this.panel = make("div", { class: "panel" }, this.links);
    this.map = make("div", { class: "map" }, this.drawing(), this.panel);
    const hint = "Select a box to read what it does and to go to its code.";
    return [
      make("div", { class: "controls" }, this.choice()),
      make("p", { class: "hint" }, hint),
      this.map,
    ];
  }

  choice() {
    const choose = ({ target }) => this.place(target.value);
    return make("fieldset", { onchange: choose }, make("legend", {}, "Norms"),
      ...Object.entries({ pre: "before (pre)", post: "after (post)" }).map(
        ([norm, words]) => make("label", {},
          make("input", { type: "radio", name: "norm", value: norm, checked: norm === this.norm }),
          words)));
  }

  drawing() {
    const select = ({ target }) => {
      const box = target.closest("[data-box]");
      if (box) this.select(box.dataset.box);
    };
    const tip = draw("marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, orient: "auto",
      markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse" }, line("M0 0L8 4L0 8z"));
    return draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, onclick: select,
      onkeydown: (event) => this.press(event) },
      draw("defs", {}, tip),
      draw("g", { "aria-hidden": "true" },
        ...background("encoder", ENCODER),
        draw("g", { transform: `matrix(-1 0 0 1 ${WIDTH} 0)` }, ...background("decoder", DECODER)),
        line(`M161 ${ENCODER.end}H198`, { class: "arrow far" }),
        line(`M${WIDTH - STREAM_X} ${DECODER.end + 56}v12`, { class: "arrow" }),
        ...key()),
      this.list);
  }

  makeBox(name) {
    const place = places[name];
    return draw("g", { class: `box ${place.kind ?? ""}`, role: "option", "data-box": name },
      ...shapeOf(place));
  }

  /** The boxes that are there, in the order of the data's way. */
  get order() {
    return this.figure.boxes.filter(({ norm }) => !norm || norm === this.norm);
  }

  // ------------------------------------------------------ what a reader can do

  press(event) {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const names = this.state.boxes;
    const last = names.length - 1;
    let i = names.indexOf(this.selected) + (STEPS[event.key] ?? 0);
    if (event.key === "Home") i = 0;
    else if (event.key === "End") i = last;
    else if (!(event.key in STEPS || event.key === "Enter" || event.key === " ")) return;
    event.preventDefault();
    this.select(names[Math.min(Math.max(i, 0), last)]);
  }

  select(name) {
    this.selected = name;
    this.paint();
    this.describe();
    this.map.classList.add("touched");
    this.nodes.get(name).focus();
    this.uncover(name);
  }

  /** Move the norms. */
  place(norm) {
    const before = this.norm;
    this.norm = norm;
    if (!this.state.boxes.includes(this.selected)) {
      // The norm at the end is gone: select the one that ends the stack now.
      const stack = this.selected.split("_")[0];
      this.selected = this.state.boxes.findLast((name) => name.startsWith(`${stack}_norm`));
    }
    this.update();
    this.describe(this.figure.placements[norm]);
    this.slide(before);
  }

  // ----------------------------------------------------------- what is shown

  update() {
    for (const { name, label } of this.order) {
      const node = this.nodes.get(name);
      node.setAttribute("aria-label", label);
      node.setAttribute("transform", `translate(${middle(name, this.norm)})`);
    }
    this.list.replaceChildren(...this.order.map(({ name }) => this.nodes.get(name)));
    this.paint();
    this.describe();
  }

  paint() {
    for (const [name, node] of this.nodes) {
      node.setAttribute("aria-selected", name === this.selected);
      node.setAttribute("tabindex", name === this.selected ? 0 : -1);
    }
  }

  describe(placement = "") {
    const box = this.order.find(({ name }) => name === this.selected);
    this.links.replaceChildren(
      make("a", { href: box.sectionLink }, `Section: ${box.section}`),
      make("a", { href: box.codeLink }, "Code: ", make("code", {}, box.code)),
    );
    const shape = make("span", { class: "shape" }, "Shape: ", make("code", {}, box.shape));
    const what = [make("b", {}, box.label), " ", box.does, " ", shape];
    this.say(...what, ...(placement && [" ", make("span", { class: "placement" }, placement)]));
  }

  /** Let the eye follow the norms from one place to the other. */
  slide(before) {
    if (!matchMedia("(prefers-reduced-motion: no-preference)").matches) return;
    const at = (name, norm) => ({
      transform: `translate(${middle(name, norm).map((x) => `${x}px`)})`,
    });
    for (const [name, node] of this.nodes) {
      if (places[name].pre) {
        node.animate([at(name, before), at(name, this.norm)], { duration: 350, easing: "ease" });
      }
    }
  }

  /** On a phone the words stand at the bottom of the screen: not on the selected box. */
  uncover(name) {
    const box = this.nodes.get(name).getBoundingClientRect();
    const panel = this.panel.getBoundingClientRect();
    if (box.right > panel.left && box.bottom > panel.top) scrollBy(0, box.bottom - panel.top + 8);
  }

  asTable() {
    const rows = this.order.map((box) => [
      box.label,
      box.does,
      box.shape,
      make("a", { href: box.sectionLink }, box.section),
      make("a", { href: box.codeLink }, box.code),
    ]);
    return table(`The transformer with ${this.norm}-norm, in the order of the data's way`,
      ["box", "what it does", "shape that leaves it", "section", "code"], rows);
  }
}

define("architecture-map", ArchitectureMap);
