// A map of attention whose cells one can press: a row for each query, a column for each key.
// It shows weights and marks what is forbidden; what a press does is decided elsewhere.

import { decimals, make } from "./base.js";

// What a cell's mark says to those who hear it.
const HEARD = { cut: ", forbidden", some: ", forbidden in some of these heads",
  elsewhere: ", forbidden in another head or layer" };

export class CutMap {
  static style = `
.cut-map { padding: 3px; max-width: calc(var(--label) + var(--count) * (var(--cell) + 1px) + 6px);
  min-width: calc(var(--label) + var(--count) * (1.5rem + 1px) + 6px); }
.cut-map [role="row"] { display: grid; gap: 1px; padding-top: 1px;
  grid-template-columns: var(--label) repeat(var(--count), minmax(1.5rem, var(--cell))); }
.cut-map .heads { position: sticky; top: 0; z-index: 2; background: var(--paper); }
.cut-map [role="columnheader"] { writing-mode: vertical-rl; transform: rotate(180deg);
  justify-self: center; padding-top: 0.3rem; line-height: 1.15; white-space: nowrap;
  font-size: 0.85rem; }
.cut-map [role="rowheader"] { position: sticky; left: 0; z-index: 1; display: flex;
  align-items: center; justify-content: end; padding-inline: 0.4rem; white-space: nowrap;
  background: var(--paper); }
.cut-map .here { font-weight: 700; }
.cut-map [role="rowheader"].here { box-shadow: inset 4px 0 var(--accent);
  background: var(--surface); }
.cut-map [role="gridcell"] { height: 1.75rem; display: grid; place-items: center; cursor: pointer;
  background: color-mix(in srgb, var(--accent) var(--weight), var(--surface));
  touch-action: manipulation; }
.cut-map [role="gridcell"]:hover { outline: 2px solid var(--text); outline-offset: -2px; }
.cut-map [role="gridcell"]:focus-visible { outline: 3px solid var(--mark); outline-offset: -2px;
  z-index: 1; }
.cut-map .cut { box-shadow: inset 0 0 0 2px var(--mark); }
/* A sign, not only a colour; on a little paper of its own where the cell is dark. */
.cut-map .cut::after, .cut-map .some::after, .cut-map .elsewhere::after, .legend b {
  display: grid; place-items: center; width: 1.15rem; height: 1.15rem; border-radius: 50%;
  background: var(--paper); color: var(--mark); font: 700 1.1rem/1 system-ui, sans-serif; }
.cut-map .cut::after { content: "×" / ""; background: none; width: 1.5rem; height: 1.5rem;
  font-size: 1.5rem; }
.cut-map .some::after { content: "/" / ""; }
.cut-map .elsewhere::after { content: "·" / ""; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 0.7rem; margin: 0.3rem 0; }
.legend span { display: inline-flex; align-items: center; gap: 0.2rem; }
`;

  /** `press(row, column)` is told of clicks and keys, `point(place or null)` of the pointer. */
  constructor({ press, point }) {
    this.press = press;
    this.point = point;
    this.element = make("div", { class: "cut-map", role: "grid",
      onclick: (event) => this.under(event, (row, column) => this.clicked(row, column)),
      onkeydown: (event) => this.key(event),
      onpointerover: (event) => event.pointerType !== "touch" &&
        this.under(event, (row, column) => this.pointAt([row, column]), () => this.pointAt(null)),
      onpointerleave: () => this.pointAt(null),
      onfocusin: (event) => this.under(event, (row, column) => this.goTo(row, column)),
    });
  }

  /** Draw empty rows and columns; `stop`, the cell that Tab leads to, moves into them. */
  draw(label, rows, columns, stop) {
    this.names = { rows: rows.called, columns: columns.called };
    this.pointed = null;
    const header = (role, word, lang) => make("span", { role, lang,
      class: word.startsWith("<") ? "special" : "" }, word);
    this.columnHeads = columns.words.map((word) => header("columnheader", word, columns.lang));
    this.rowHeads = rows.words.map((word) => header("rowheader", word, rows.lang));
    this.cells = rows.words.map(() => columns.words.map(() =>
      make("span", { role: "gridcell", tabindex: -1 })));
    const widest = Math.max(...rows.words.map((word) => word.length));
    this.element.setAttribute("aria-label", label);
    this.element.setAttribute("style", `--count: ${columns.words.length}; ` +
      `--cell: ${columns.words.length > 20 ? 1.5 : 2}rem; --label: ${0.9 + 0.5 * widest}rem`);
    this.element.replaceChildren(
      make("div", { role: "row", class: "heads" },
        make("i", {}), ...this.columnHeads),
      ...this.cells.map((row, i) => make("div", { role: "row" }, this.rowHeads[i], ...row)));
    this.stop = [0, 0];
    this.goTo(Math.min(stop[0], rows.words.length - 1), Math.min(stop[1], columns.words.length - 1));
  }

  /** Show weights and marks ("", "cut", "some" or "elsewhere"), each [row][column]. */
  paint(weights, marks) {
    const { rows, columns } = this.names;
    this.cells.forEach((cells, i) => cells.forEach((cell, j) => {
      const [weight, mark] = [weights[i][j].toFixed(3), marks[i][j]];
      if (cell.shown === weight + mark) return;
      cell.shown = weight + mark;
      cell.style.setProperty("--weight", `${(100 * weight).toFixed(1)}%`);
      cell.className = mark;
      cell.setAttribute("aria-label",
        `${rows[i]} to ${columns[j]}, ${decimals(weights[i][j])}${HEARD[mark] ?? ""}`);
    }));
  }

  /** The place that is pointed at, or else that with the focus. */
  get here() {
    return this.pointed ?? this.stop;
  }

  goTo(row, column) {
    const [before, after] = [this.cells[this.stop[0]][this.stop[1]], this.cells[row][column]];
    before.tabIndex = -1;
    after.tabIndex = 0;
    this.stop = [row, column];
    this.light();
    return after;
  }

  pointAt(place) {
    if (`${place}` === `${this.pointed}`) return;
    this.pointed = place;
    this.light();
    this.point();
  }

  /** Let the row and the column of this place stand out. */
  light() {
    const [row, column] = this.here;
    this.rowHeads.forEach((head, i) => head.classList.toggle("here", i === row));
    this.columnHeads.forEach((head, j) => head.classList.toggle("here", j === column));
  }

  under(event, act, otherwise = () => {}) {
    const cell = event.target.closest("[role=gridcell]");
    const row = cell ? this.cells.findIndex((cells) => cells.includes(cell)) : -1;
    return row < 0 ? otherwise() : act(row, this.cells[row].indexOf(cell));
  }

  clicked(row, column) {
    this.goTo(row, column).focus({ preventScroll: true });
    this.press(row, column);
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const [row, column] = this.stop;
    const [lastRow, lastColumn] = [this.cells.length - 1, this.cells[0].length - 1];
    const to = {
      ArrowUp: [Math.max(row - 1, 0), column], ArrowDown: [Math.min(row + 1, lastRow), column],
      ArrowLeft: [row, Math.max(column - 1, 0)],
      ArrowRight: [row, Math.min(column + 1, lastColumn)],
      Home: [row, 0], End: [row, lastColumn],
    }[event.key];
    if (!to && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    this.pointed = null;
    if (!to) return this.press(row, column);
    this.goTo(...to).focus();
    this.point();
  }
}
