// --------------------------------------------------------- boxes that scroll

// A box that is wider than the page scrolls sideways on its own. Scrolling must
// also work from the keyboard: such a box becomes a tab stop, with a name.

const NAMES = [
  ["table", "Table"],
  ["mjx-math", "Formula"],
];
const BOXES = ".pst-scrollable-table-container, mjx-container";

function isTooWide(box) {
  const column = box.closest("p, li, td, dd, div:not(.pst-scrollable-table-container)");
  const room = box.matches("mjx-container:not([display])")
    ? column.clientWidth
    : box.clientWidth;
  return Math.max(box.scrollWidth, box.firstElementChild.scrollWidth) > room + 1;
}

function mark(box) {
  const wide = isTooWide(box);
  if (wide === box.classList.contains("scrolls")) return;
  box.classList.toggle("scrolls", wide);
  if (wide) {
    const [, name] = NAMES.find(([inside]) => box.querySelector(inside));
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", `${name}, scrolls sideways`);
  } else {
    for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
  }
}

function markAll() {
  document.querySelectorAll(BOXES).forEach(mark);
  // The theme marks code that is in sight when the page loads. This adds code
  // that was folded then.
  document.querySelectorAll("details pre").forEach((pre) => {
    pre.tabIndex = pre.scrollWidth > pre.clientWidth ? 0 : -1;
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
