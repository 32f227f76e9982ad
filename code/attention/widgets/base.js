// What the explorable figures share: a base class, small helpers to make
// elements, the colours of the page, and the arithmetic that more than one needs.
//
// A figure is a custom element. Its data come from the notebook, as JSON in the
// attribute `data-figure`. Inside the element stands a plain table: that is what
// a reader sees where no script runs. On paper the figure is drawn without what
// one could press; those that draw only a part of the numbers have the table below.

/** Make an HTML element: make("button", { type: "button" }, "Reset"). */
export function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** Make an SVG element. */
export function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Write a number with as many decimals, with a real minus sign. */
export function decimals(number, digits = 2) {
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
  let text = number.toFixed(digits);
  // Halfway between two (0.125), Python takes the even digit, and JavaScript the larger.
  const halfway = Math.abs(number) * 2 ** (digits + 1) % 2 === 1;
  if (halfway && text.at(-1) % 2) text = text.slice(0, -1) + (text.at(-1) - 1);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** The softmax of a list of scores; the largest is subtracted first, as in by_hand. */
export function softmax(scores) {
  const largest = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const total = exponentials.reduce((sum, x) => sum + x, 0);
  return exponentials.map((x) => x / total);
}

/** The product of two matrices, given as lists of rows. */
export function matmul(a, b) {
  return a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
}

export function transpose(matrix) {
  return matrix[0].map((_, j) => matrix.map((row) => row[j]));
}

const FAINTEST = 0.06; // of what a weight of 0 covers: a cell that one still sees

/** How much of the page the colour of a weight from 0 to 1 covers: as in the printed maps. */
export function cover(weight) {
  return FAINTEST + (1 - FAINTEST) * Math.min(Math.max(weight, 0), 1);
}

/** The colour of a weight: that of the page's links, which stands out in light and in dark. */
export function weightColour(weight) {
  return `color-mix(in srgb, var(--accent) ${(100 * cover(weight)).toFixed(1)}%, var(--paper))`;
}

/** Set the letter after an underscore lower, as in formulas: d_k, W_O. */
export function symbols(text) {
  // What the pattern captures comes at the odd places.
  return text.split(/\b([A-Za-z]_[A-Za-z])\b/).map((part, i) =>
    i % 2 ? make("i", {}, part[0], make("sub", {}, part[2])) : part);
}

/** A table of strings with a caption; header cells are marked for screen readers. */
export function table(caption, header, rows) {
  return make(
    "table",
    {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...header.map((text) => make("th", { scope: "col" }, text)))),
    make(
      "tbody",
      {},
      ...rows.map(([first, ...rest]) =>
        make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((text) => make("td", {}, text))),
      ),
    ),
  );
}

// The site's colours where there are such, JupyterLab's otherwise.
const STYLE = `
:host {
  --text: var(--pst-color-text-base, var(--jp-content-font-color1, #22252a));
  --muted: var(--pst-color-text-muted, var(--jp-content-font-color2, #565b62));
  --paper: var(--pst-color-background, var(--jp-layout-color0, #fffefb));
  --surface: var(--pst-color-surface, var(--jp-layout-color2, #f6f4ee));
  --border: var(--pst-color-border, var(--jp-border-color1, #dedad0));
  --accent: var(--pst-color-link, var(--jp-content-link-color, #00449e));
  --mark: var(--book-bug, #b03a00);
  display: block;
  max-width: 100%;
  margin: 0.5rem 0;
  color: var(--text);
  font: 0.95rem/1.4 var(--book-font-ui, system-ui, sans-serif);
}
* { box-sizing: border-box; }
svg { display: block; max-width: 100%; height: auto; font: inherit; }
svg text { fill: var(--text); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
fieldset { border: 0; margin: 0; padding: 0; }
button, select, input { font: inherit; color: inherit; accent-color: var(--accent); }
button, select {
  min-height: 2.25rem;
  padding: 0.2rem 0.7rem;
  border: 1px solid var(--muted);
  border-radius: 4px;
  background: var(--paper);
  color: var(--text);
  cursor: pointer;
}
button[aria-pressed="true"] { background: var(--accent); color: var(--paper); border-color: var(--accent); }
.controls { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; margin-bottom: 0.6rem; }
/* Room for two lines and a little more: a height that changes by a hair lays out the whole page. */
.status { margin: 0.5rem 0; min-height: 2.9em; }
.scroll { overflow-x: auto; }
sub { font-size: 0.75em; line-height: 0; }
slot { display: none; }
details { margin-top: 0.5rem; }
summary { cursor: pointer; padding: 0.3rem 0; color: var(--muted); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: start; color: var(--muted); padding-bottom: 0.2rem; }
th, td { padding: 0.15rem 0.5rem; text-align: end; border-bottom: 1px solid var(--border); font-weight: normal; }
th[scope="row"] { text-align: start; font-weight: 600; }
@media (prefers-reduced-motion: no-preference) { .moves { transition: all 120ms; } }
@media print {
  /* Paper is light, whatever the screen was; bars and tints are backgrounds, which
     are left out unless one asks for them. */
  :host {
    --text: #22252a; --muted: #565b62; --paper: #fff; --surface: #f6f4ee; --border: #dedad0;
    --accent: #00449e; --mark: #b03a00;
    background: var(--paper);
    break-inside: avoid;
    color-scheme: light;
    -webkit-print-color-adjust: exact;
    print-color-adjust: exact;
  }
  .controls, button, select, input, details, .hint { display: none; }
  .status { min-height: 0; }
}
`;

// Node has no elements; it imports the arithmetic, to test it.
const Base = globalThis.HTMLElement ?? Object;

/**
 * An explorable figure.
 *
 * A subclass gives `style` (a string of CSS), `build(figure)`, which returns the
 * elements to show, and `asTable()`, which returns the same information as a
 * table made by `table()`. It calls `this.say(text)` after each change: the text
 * stands below the figure and is read out by a screen reader; the table follows.
 * To have the notebook's own table on paper, its `style` shows the `slot` there.
 */
export class Explorable extends Base {
  static style = "";

  connectedCallback() {
    if (this.shadowRoot) return;
    // JupyterLab would take the arrow keys for its own, to walk from cell to cell.
    this.setAttribute("data-lm-suppress-shortcuts", "");
    this.figure = JSON.parse(this.dataset.figure);
    const root = this.attachShadow({ mode: "open" });
    this.statusLine = make("p", { class: "status", role: "status" });
    // Built when it is opened and kept up from then on.
    this.tableBox = make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Table" });
    this.details = make("details", { ontoggle: () => this.refreshTable() },
      make("summary", {}, "The same as a table"), this.tableBox);
    root.append(make("style", {}, STYLE + this.constructor.style), ...this.build(this.figure),
      this.statusLine, this.details, make("slot"));
    this.update?.();
  }

  say(...content) {
    this.statusLine.replaceChildren(...content);
    this.refreshTable();
  }

  refreshTable() {
    if (this.details.open) this.tableBox.replaceChildren(this.asTable());
  }
}

/** Make a custom element known, once: a notebook may load this file twice. */
export function define(name, constructor) {
  const known = globalThis.customElements;
  if (known && !known.get(name)) known.define(name, constructor);
}
