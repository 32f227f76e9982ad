"""Measure what a phone shows of the pages: what is cut off, and whether the reader can see that.

    python tools/measure_phone.py                       every chapter and page of text
    python tools/measure_phone.py --pages chapters/03-queries-keys-values.html
    python tools/measure_phone.py --code                pages of code, too

Prints a table: of each kind of thing how many there are, how many are wider than their place,
and how many of these have no visible sign that they go on; then the smallest text of a figure.
The site must have been built.
"""

import argparse
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
PHONE = {"width": 390, "height": 844}
# The name under which a figure's file says how large its smallest text is, in pixels.
SMALLEST_TEXT = "Smallest text"

# Opens all folds, so that what they hold has a width.
OPEN = "() => document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
WIDTHS = """() => {
    const kinds = {
        "display formula": 'article mjx-container[display="true"] > mjx-math',
        "inline formula": "article mjx-container:not([display]) > mjx-math",
        "figure": "article img",
        "table": "article table",
        "code": "article .cell_input pre, article pre.source, article .highlight pre",
        "output": "article .cell_output pre",
    };
    // A formula that is broken is as wide as its place, and its parts may not be.
    const right = (element) => Math.max(...[element, ...element.querySelectorAll(".formula-part")]
        .map((part) => part.getBoundingClientRect().right));
    // The box in which an element scrolls or is cut, if it is wider than that.
    const cutBy = (element) => {
        for (let box = element; box.localName !== "article"; box = box.parentElement) {
            const style = getComputedStyle(box);
            if (style.display === "inline" || style.overflowX === "visible") continue;
            const goesOn = box === element && box.scrollWidth > box.clientWidth + 1;
            if (goesOn || right(element) > right(box) + 1) return box;
        }
        return right(element) > window.innerWidth + 1 ? document.body : null;
    };
    // A fading edge, or words that say so.
    const hasSign = (box) => getComputedStyle(box).maskImage.includes("gradient")
        || ["::before", "::after"].some((part) => {
            const { content, display } = getComputedStyle(box, part);
            return content.includes("→") && display !== "none";
        });
    const found = [];
    for (const [kind, selector] of Object.entries(kinds))
        for (const element of document.querySelectorAll(selector)) {
            if (!element.getClientRects().length) continue;
            if (kind === "code" && element.closest(".cell_output")) continue;
            const box = cutBy(element);
            found.push({ kind, wide: box !== null, silent: box !== null && !hasSign(box),
                what: element.outerHTML.slice(0, 100) + "…" + element.textContent.slice(0, 60),
                image: element.currentSrc ?? null,
                scale: element.naturalWidth ? element.width / element.naturalWidth : null });
        }
    return found;
}"""


@dataclass(frozen=True)
class Thing:
    """A formula, figure, table or block of code, as the page shows it."""

    kind: str
    wide: bool  # wider than its place?
    silent: bool  # wide, and nothing shows it?
    what: str
    image: str | None  # the address of a figure's file
    scale: float | None  # of a figure: pixels of the page for one of the file


def things(page: Page) -> list[Thing]:
    """Measure an open page, with all that is folded opened."""
    page.evaluate("() => window.MathJax?.startup?.promise")
    page.evaluate(OPEN)
    # The page's own script measures when the next picture is made.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))")
    return [Thing(**found) for found in page.evaluate(WIDTHS)]


def smallest_text(thing: Thing, address: str) -> float:
    """Return the size of a figure's smallest text in pixels of the page; NaN if unknown."""
    with Image.open(SITE / thing.image.removeprefix(address)) as picture:
        said = getattr(picture, "text", {}).get(SMALLEST_TEXT, "nan")
    # The file says it for the size at which it is drawn, two of its pixels for one.
    return float(said) * 2 * thing.scale


def pages(with_code: bool) -> list[str]:
    found = [path.relative_to(SITE).as_posix() for path in sorted(SITE.rglob("*.html"))]
    left_out = ("_static/",) if with_code else ("_static/", "code/", "experiments/")
    return [page for page in found if page != "index.html" and not page.startswith(left_out)]


def measure(browser: Browser, address: str, names: list[str], listing: bool) -> None:
    """Print the table."""
    context = browser.new_context(viewport=PHONE, reduced_motion="reduce")
    totals: Counter[tuple[str, str]] = Counter()
    sizes: list[tuple[float, str]] = []
    for name in names:
        page = context.new_page()
        page.goto(address + name, wait_until="load")
        for thing in things(page):
            totals[thing.kind, "all"] += 1
            totals[thing.kind, "wide"] += thing.wide
            totals[thing.kind, "silent"] += thing.silent
            if listing and thing.wide:
                print(f"{name} {thing.kind}{' SILENT' if thing.silent else ''}: {thing.what}")
            if thing.image and thing.image.endswith(".png"):
                sizes.append((smallest_text(thing, address), f"{name} {thing.image[-24:]}"))
        page.close()
    print(f"{'on a page of ' + str(PHONE['width']) + ' pixels':24}    all   wide  no sign")
    for kind in dict.fromkeys(kind for kind, _ in totals):
        counts = (totals[kind, count] for count in ("all", "wide", "silent"))
        print(f"{kind:24}" + "".join(f"{count:7}" for count in counts))
    known = sorted(size for size in sizes if size[0] == size[0])
    print(f"figures that say how large their smallest text is: {len(known)} of {len(sizes)}")
    for size, where in known[:3]:
        print(f"    {size:5.2f} pixels: {where}")


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve the site as a plain file server does."""

    def log_message(self, *arguments: object) -> None:
        """Print nothing for each request."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pages", nargs="*", help="default: all")
    parser.add_argument("--code", action="store_true", help="pages of code, too")
    parser.add_argument("--list", action="store_true", help="name each thing that is wide")
    arguments = parser.parse_args()
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(SITE)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        measure(browser, address, arguments.pages or pages(arguments.code), arguments.list)
        browser.close()


if __name__ == "__main__":
    main()
