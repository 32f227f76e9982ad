// What the attention lab and the gradient lab share: a plane with points that a reader
// drags with a mouse or a finger, or moves by the arrow keys; and a few ways to write
// numbers and pairs of them.

import { decimals, draw, weightColour } from "./base.js";

// The drawing has its own units; on a phone one of them is a little more than a pixel.
const WIDTH = 320;
const HEIGHT = 260;
// A finger's touch: 24 pixels and more across wherever the drawing is at least 240 wide.
const REACH = 16;
// How near to the edge a point may come.
const EDGE = 8;
// By the arrow keys, and what a drag is rounded to.
const STEP = 0.1;
const LONG_STEP = 0.5;
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const NEXT = { Enter: 1, " ": 1, PageDown: 1, PageUp: -1 };

export const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** The weighted sum of vectors, given as rows. */
export function mix(weights, vectors) {
  return vectors[0].map((_, i) => weights.reduce((sum, w, j) => sum + w * vectors[j][i], 0));
}

/** Write a vector: (1.00, −2.50). */
export const pair = (vector) => `(${vector.map((x) => decimals(x)).join(", ")})`;

/** Write a number that may be tiny or huge: 0.25, 31.2, 4.9 × 10⁸, 1.3 × 10⁻¹³. */
export function magnitude(number, digits = 2) {
  const size = Math.abs(number);
  if (size === 0 || (size >= 10 ** -digits && size < 1e5)) return decimals(number, digits);
  const [factor, power] = number.toExponential(1).replace("-", "−").split("e");
  const raised = [...power.replace("+", "")].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("");
  return `${factor} × 10${raised}`;
}

/** The convex hull of points: its corners counterclockwise, none on an edge between two. */
export function hull(points) {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const turns = ([ax, ay], [bx, by], [cx, cy]) => (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  const chain = (list) => {
    const corners = [];
    for (const point of list) {
      while (corners.length > 1 && turns(corners.at(-2), corners.at(-1), point) <= 0) corners.pop();
      corners.push(point);
    }
    return corners.slice(0, -1);
  };
  const corners = [...chain(sorted), ...chain(sorted.reverse())];
  return corners.length ? corners : sorted.slice(0, 1);
}

/** The lines of a coordinate system: at most eleven across. */
function gridStep(span) {
  return [0.5, 1, 2, 5, 10, 20, 50, 100].find((step) => span / step <= 11) ?? span / 8;
}

/** A path from one point of the drawing to another, with a head at its end. */
export function arrow([x0, y0], [x1, y1], head = 7) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 1) return "";
  const [dx, dy] = [(x1 - x0) / length, (y1 - y0) / length];
  const size = Math.min(head, length);
  const side = (sign) =>
    `${x1 - size * (dx + sign * 0.5 * dy)} ${y1 - size * (dy - sign * 0.5 * dx)}`;
  return `M${x0} ${y0}L${x1} ${y1}M${side(1)}L${x1} ${y1}L${side(-1)}`;
}

export const PLANE_STYLE = `
.plane { width: 100%; }
.plane text { font-size: 13px; paint-order: stroke; stroke: var(--paper); stroke-width: 3px;
  stroke-linejoin: round; }
.plane .tick { font-size: 11px; fill: var(--muted); }
.plane .grid { stroke: var(--border); fill: none; }
.plane .axis { stroke: var(--muted); fill: none; }
.handle { cursor: grab; outline: none; }
.handle:active { cursor: grabbing; }
.handle .reach { fill: transparent; stroke: none; }
.handle:focus-visible .reach { stroke: var(--accent); stroke-width: 3; }
.handle .chosen { fill: none; stroke: none; }
.handle:focus:not(:focus-visible) .chosen { stroke: var(--text); stroke-dasharray: 2 2; }
.handle text { pointer-events: none; user-select: none; }
.disc { stroke: var(--muted); }
`;

/**
 * A plane with points to move.
 *
 * `points` is a list of { id, name, text, at, mark }: what a screen reader calls the point,
 * the label beside it, where it stands, and an SVG element drawn about (0, 0). `corners` are
 * points that have to fit. `onmove(id, [x, y])` is called after each move, `onchoose(id)`
 * when a point is taken or reached. The owner then calls `place(id, [x, y])`, and draws
 * what it likes into `below`, at `to([x, y])`.
 */
export class Plane {
  constructor({ name, points, corners, centred, onmove, onchoose }) {
    Object.assign(this, { onmove, onchoose });
    this.fit(corners, centred);
    this.below = draw("g");
    this.above = draw("g");
    this.handles = new Map(points.map((point) => [point.id, this.handle(point)]));
    this.order = points.map(({ id }) => id);
    this.svg = draw(
      "svg",
      {
        class: "plane",
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        role: "group",
        "aria-label": name,
        onpointerdown: (event) => this.take(event),
        onkeydown: (event) => this.press(event),
      },
      ...this.axes(),
      this.below,
      ...[...this.handles.values()].map(({ group }) => group),
      this.above,
    );
    // A finger on a point moves it; anywhere else it scrolls the page. (`touch-action` would
    // say so for the whole drawing only.)
    const keep = (event) => event.target.closest(".handle") && event.preventDefault();
    this.svg.addEventListener("touchstart", keep, { passive: false });
    for (const { id, at } of points) this.place(id, at);
    this.mark(this.order[0]);
  }

  /** Choose the limits, the same unit along both axes, with room for labels at the edge. */
  fit(corners, centred) {
    const [left, right, bottom, top] = limits(corners, centred);
    this.unit = Math.min(WIDTH / (right - left), HEIGHT / (top - bottom));
    const [x, y] = [(left + right) / 2, (bottom + top) / 2];
    const [halfWidth, halfHeight] = [WIDTH / 2 / this.unit, HEIGHT / 2 / this.unit];
    [this.left, this.right] = [x - halfWidth, x + halfWidth];
    [this.bottom, this.top] = [y - halfHeight, y + halfHeight];
  }

  /** From the plane's coordinates to those of the drawing. */
  to([x, y]) {
    return [(x - this.left) * this.unit, (this.top - y) * this.unit];
  }

  get diagonal() {
    return Math.hypot(this.right - this.left, this.top - this.bottom);
  }

  axes() {
    const step = gridStep(this.right - this.left);
    const multiples = (low, high) => {
      const first = Math.ceil(low / step);
      return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
    };
    const [xs, ys] = [multiples(this.left, this.right), multiples(this.bottom, this.top)];
    const upright = xs.map((x) => `M${this.to([x, 0])[0]} 0V${HEIGHT}`);
    const level = ys.map((y) => `M0 ${this.to([0, y])[1]}H${WIDTH}`);
    const [x0, y0] = this.to([0, 0]);
    const inside = (place, size) => Math.min(Math.max(place, 0), size);
    // Labels stand at the edges, so that no point covers them for long; the axis needs none.
    const label = (number) => decimals(number, step < 1 ? 1 : 0);
    const room = (number, place, size) => number !== 0 && place > 14 && place < size - 14;
    return [
      draw("path", { class: "grid", d: [...upright, ...level].join("") }),
      draw("path", { class: "axis",
        d: `M${inside(x0, WIDTH)} 0V${HEIGHT}M0 ${inside(y0, HEIGHT)}H${WIDTH}` }),
      ...xs.filter((x) => room(x, this.to([x, 0])[0], WIDTH)).map((x) =>
        draw("text", { class: "tick", x: this.to([x, 0])[0], y: HEIGHT - 4,
          "text-anchor": "middle", "aria-hidden": "true" }, label(x))),
      ...ys.filter((y) => room(y, this.to([0, y])[1], HEIGHT - 12)).map((y) =>
        draw("text", { class: "tick", x: 4, y: this.to([0, y])[1] + 4, "aria-hidden": "true" },
          label(y))),
    ];
  }

  handle({ id, name, text, mark }) {
    const label = draw("text", { "text-anchor": "middle", "aria-hidden": "true" }, text);
    const chosen = draw("circle", { class: "chosen", r: REACH - 3 });
    const group = draw("g",
      {
        class: "handle",
        "data-point": id,
        tabindex: -1,
        role: "slider",
        "aria-label": name,
        "aria-roledescription": "point in the plane",
        "aria-valuemin": decimalsPlain(this.left),
        "aria-valuemax": decimalsPlain(this.right),
        onfocus: () => this.choose(id),
      },
      draw("circle", { class: "reach", r: REACH }), mark, chosen, label);
    return { group, label, at: [0, 0] };
  }

  /** Put a point where it is now; its label keeps off what is drawn of it. */
  place(id, at, radius = 6) {
    const handle = this.handles.get(id);
    handle.at = at;
    const [x, y] = this.to(at);
    const [across, up] = at.map((number) => decimals(number));
    handle.group.setAttribute("transform", `translate(${x} ${y})`);
    handle.group.setAttribute("aria-valuenow", decimalsPlain(at[0]));
    handle.group.setAttribute("aria-valuetext", `${across} across, ${up} up`);
    // Above the point, or below it at the upper edge; never beyond the sides.
    handle.label.setAttribute("y", y > radius + 20 ? -radius - 5 : radius + 15);
    const half = 3.6 * handle.label.textContent.length;
    handle.label.setAttribute("x", Math.min(Math.max(0, half + 2 - x), WIDTH - half - 2 - x));
  }

  choose(id) {
    this.mark(id);
    this.onchoose?.(id);
  }

  /** Let one point be the one that the keyboard reaches. */
  mark(id) {
    this.chosen = id;
    for (const [other, { group }] of this.handles) {
      group.setAttribute("tabindex", other === id ? 0 : -1);
    }
  }

  /** Move a point: to a multiple of the step, inside the plane. */
  move(id, [x, y]) {
    const margin = EDGE / this.unit;
    const snap = (number, low, high) => {
      const [least, most] = [Math.ceil((low + margin) / STEP), Math.floor((high - margin) / STEP)];
      return Math.min(Math.max(Math.round(number / STEP), least), most) / (1 / STEP);
    };
    this.onmove(id, [snap(x, this.left, this.right), snap(y, this.bottom, this.top)]);
  }

  // ------------------------------------------------------ what a reader can do

  /** Take the nearest point that the pointer touches, and move it until it is let go. */
  take(event) {
    if (!event.target.closest(".handle") || event.button > 0) return;
    const pointer = this.under(event);
    const distance = (id) => {
      const [x, y] = this.handles.get(id).at;
      return Math.hypot(x - pointer[0], y - pointer[1]);
    };
    const id = this.order.reduce((best, other) => (distance(other) < distance(best) ? other : best));
    const { group, at } = this.handles.get(id);
    const [dx, dy] = [at[0] - pointer[0], at[1] - pointer[1]];
    event.preventDefault();
    group.focus({ preventScroll: true, focusVisible: false });
    this.choose(id);
    this.svg.setPointerCapture(event.pointerId);
    const follow = (moved) => {
      const [x, y] = this.under(moved);
      this.move(id, [x + dx, y + dy]);
    };
    this.svg.addEventListener("pointermove", follow);
    const end = () => this.svg.removeEventListener("pointermove", follow);
    this.svg.addEventListener("lostpointercapture", end, { once: true });
  }

  /** Where in the plane a pointer is. */
  under({ clientX, clientY }) {
    const box = this.svg.getBoundingClientRect();
    const scale = WIDTH / box.width / this.unit;
    return [this.left + (clientX - box.left) * scale, this.top - (clientY - box.top) * scale];
  }

  press(event) {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    if (event.key in DIRECTIONS) {
      const step = event.shiftKey ? LONG_STEP : STEP;
      const { at } = this.handles.get(this.chosen);
      this.move(this.chosen, at.map((x, i) => x + step * DIRECTIONS[event.key][i]));
    } else if (event.key in NEXT && this.order.length > 1) {
      const place = this.order.indexOf(this.chosen) + NEXT[event.key];
      this.handles.get(this.order.at(place % this.order.length)).group.focus();
    } else return;
    event.preventDefault();
  }
}

/** Draw a weight: its area, `full` being the radius of all of it, and the colour of the book. */
export function paintDisc(disc, weight, full) {
  // So small a disc would not be seen.
  const radius = Math.max(3, full * Math.sqrt(weight));
  disc.setAttribute("r", radius);
  disc.style.fill = weightColour(weight);
  return radius;
}

const decimalsPlain = (number) => Number(number.toFixed(2));

/** Left, right, bottom and top so that all corners fit; centred puts 0 in the middle. */
function limits(corners, centred) {
  const [xs, ys] = [0, 1].map((i) => corners.map((corner) => corner[i]));
  if (centred) {
    const up = 1.4 * Math.max(1, ...ys.map(Math.abs));
    const across = 1.4 * Math.max(1, ...xs.map(Math.abs));
    return [-across, across, -up, up];
  }
  const [left, right, bottom, top] =
    [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const room = 0.2 * Math.max(right - left, top - bottom, 1);
  return [left - room, right + room, bottom - room, top + room];
}
