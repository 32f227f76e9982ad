// --------------------------------------------------------- formulas that fit

// Where a displayed formula is wider than the page, its number goes below it; then it becomes
// a little smaller; then it is broken before a relation or a sum of its outermost level, or
// after a comma; then it becomes smaller still. What is too wide even then scrolls.
const A_LITTLE_SMALLER = 0.85;
const SMALLEST = 0.7;
const INDENT = 20; // pixels before the second line of what is broken (book.css)
const BREAK_BEFORE = new Set("=≈≠≤≥<>∈→⇒∝∼+−");
const OPENS = new Set("([{⟨");
const CLOSES = new Set(")]}⟩");
const WRAPPERS = "mjx-mrow, mjx-mstyle, mjx-texatom";
const SCRIPTED = "mjx-msub, mjx-msup, mjx-msubsup";

/** The sign that an operator is; MathJax says it in the name of a class. */
function sign(element) {
  // A closing bracket may carry an index.
  const operator = element.matches(SCRIPTED) ? element.firstElementChild : element;
  if (operator.localName !== "mjx-mo") return "";
  const code = operator.querySelector("mjx-c")?.className.match(/mjx-c([0-9A-F]+)/)?.[1];
  return code ? String.fromCodePoint(parseInt(code, 16)) : "";
}

/** Is it, or does it hold, as much room as between two formulas (quad)? */
function isGap(element) {
  const space = element.matches("mjx-mspace") ? element : element.querySelector(":scope > mjx-mspace");
  return parseFloat(space?.style.width) >= 0.9;
}

const parts = (element) => [...element.children].filter((child) => child.localName !== "mjx-tstrut");

/** The rows of a formula: of the lines of a table, if it is one, with the table marked. */
function rows(element) {
  let row = element;
  while (parts(row).length === 1 && parts(row)[0].matches(WRAPPERS)) [row] = parts(row);
  const [only, ...others] = parts(row);
  if (others.length > 0 || only?.localName !== "mjx-mtable") {
    row.classList.add("formula-row");
    return [row];
  }
  const lines = [...only.querySelectorAll("mjx-mtr")].filter((line) => line.closest("mjx-mtable") === only);
  for (let box = lines[0]; box !== row; box = box.parentElement) box.classList.add("formula-lines");
  return lines.flatMap((line) => {
    const cells = parts(line);
    if (cells.length === 1) {
      line.classList.add("formula-lines");
      cells[0].classList.add("formula-lines");
      return rows(cells[0]);
    }
    line.classList.add("formula-lines", "formula-row");
    for (const cell of cells) cell.classList.add("formula-cell");
    return cells;
  });
}

/** Put that between which a row may be broken into boxes. */
function divide(row) {
  const boxes = [[]];
  let depth = 0;
  for (const element of parts(row)) {
    const written = sign(element);
    if (depth === 0 && BREAK_BEFORE.has(written) && boxes.at(-1).length > 0) boxes.push([]);
    boxes.at(-1).push(element);
    if (OPENS.has(written)) depth += 1;
    if (CLOSES.has(written)) depth -= 1;
    if (depth === 0 && (written === "," || isGap(element))) boxes.push([]);
    if (depth === 0 && isGap(element)) boxes.at(-1).beginsLine = true;
  }
  for (const elements of boxes.filter(({ length }) => length > 0)) {
    const box = document.createElement("span");
    box.className = "formula-part";
    elements[0].before(box);
    box.append(...elements);
    if (!elements.beginsLine) continue;
    const end = document.createElement("span");
    end.className = "formula-break";
    box.before(end);
  }
}

const width = (element) => element.getBoundingClientRect().width;

function fit(block) {
  const box = block.querySelector('mjx-container[display="true"]');
  const formula = box?.querySelector("mjx-math");
  if (!formula) return;
  block.classList.remove("number-below", "broken");
  block.style.removeProperty("--shrink");
  const natural = width(formula);
  if (box.clientWidth === 0 || natural <= box.clientWidth) return;
  block.classList.add("number-below");
  const room = box.clientWidth - 1;
  let shrink = room / natural;
  if (shrink < A_LITTLE_SMALLER) {
    if (!formula.querySelector(".formula-part")) rows(formula).forEach(divide);
    block.classList.add("broken");
    const longest = Math.max(...[...formula.querySelectorAll(".formula-part")].map(width));
    shrink = room / (longest + INDENT);
  }
  if (shrink < 1) block.style.setProperty("--shrink", Math.max(SMALLEST, shrink).toFixed(3));
}

// --------------------------------------------------------- boxes that scroll

// A box that is wider than the page scrolls sideways on its own. Its edge shows that there is
// more (book.css). Scrolling must also work from the keyboard: such a box becomes a tab stop,
// with a name.

const NAMES = [
  ["table", "Table"],
  ["mjx-math", "Formula"],
];
const BOXES = ".pst-scrollable-table-container, mjx-container, article pre, a.image-reference";

function isTooWide(box) {
  if (box.matches("pre, a")) return box.scrollWidth > box.clientWidth + 1;
  const column = box.closest("p, li, td, dd, div:not(.pst-scrollable-table-container)");
  const room = box.matches("mjx-container:not([display])")
    ? column.clientWidth
    : box.clientWidth;
  return Math.max(box.scrollWidth, box.firstElementChild.scrollWidth) > room + 1;
}

function mark(box, wide) {
  if (wide === box.classList.contains("scrolls")) return;
  box.classList.toggle("scrolls", wide);
  // The theme looks after the tab stops of code, and a figure is a link.
  const isNamed = !box.matches("pre, a");
  if (wide) {
    box.addEventListener("scroll", showEdges, { passive: true });
    showEdges({ target: box });
    if (!isNamed) return;
    const [, name] = NAMES.find(([inside]) => box.querySelector(inside));
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", `${name}, scrolls sideways`);
  } else {
    box.removeEventListener("scroll", showEdges);
    box.removeAttribute("data-more");
    if (!isNamed) return;
    for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
  }
}

/** Say on which sides of a box there is more than is seen. */
function showEdges({ target: box }) {
  const left = box.scrollLeft > 1;
  const right = box.scrollLeft + box.clientWidth < box.scrollWidth - 1;
  box.dataset.more = [left && "left", right && "right"].filter(Boolean).join(" ");
}

function markAll() {
  document.querySelectorAll("div.math").forEach(fit);
  // First all that asks for a width, then all that may change one.
  const found = [...document.querySelectorAll(BOXES)].map((box) => [box, isTooWide(box)]);
  for (const [box, wide] of found) mark(box, wide);
  // The theme marks code that is in sight when the page loads. This adds code
  // that was folded then.
  document.querySelectorAll("details pre").forEach((pre) => {
    pre.tabIndex = pre.classList.contains("scrolls") ? 0 : -1;
  });
}

window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  new ResizeObserver(markAll).observe(document.querySelector("main"));
  // What is folded away has no width; it is measured when it opens.
  document.addEventListener("toggle", markAll, { capture: true });
});

// ------------------------------------------------------------------- printing

// Paper is light, also for those who read on a dark screen.
const page = document.documentElement;
let themeOnScreen;
window.addEventListener("beforeprint", () => {
  themeOnScreen = page.dataset.theme;
  page.dataset.theme = "light";
});
window.addEventListener("afterprint", () => {
  page.dataset.theme = themeOnScreen;
});

// ------------------------------------------------------------- opened from a file

// From a file a browser loads no modules: nothing can be run or dragged.
const FROM_A_FILE =
  "You opened this page from a file. Text, formulas and figures are all here, and tables stand for " +
  "the figures to explore. To run code and to touch the figures, let your own computer serve the " +
  "book: ";

if (window.location.protocol === "file:") {
  page.classList.add("from-a-file");
  window.addEventListener("DOMContentLoaded", () => {
    const note = document.createElement("p");
    const command = document.createElement("code");
    command.textContent = "make serve";
    note.className = "opened-from-a-file";
    note.setAttribute("role", "note");
    note.append(FROM_A_FILE, command, " in its folder, then open the address that it prints.");
    document.querySelector("article").prepend(note);
  });
}
