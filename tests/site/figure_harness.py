"""A page that carries one explorable figure and nothing else, for its tests.

Every mode of the site is tried (desktop and phone, light and dark), with the
book's own colours. The scripts are served as they stand under code/, unbundled.
"""

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from built_site import ROOT
from playwright.sync_api import Browser, Locator, Page, expect

from attention.widgets import Explorable
from attention.widgets._base import SCRIPTS

PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>A figure</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/_static/book.css">
<style>body {{ margin: 1rem; background: var(--pst-color-background);
color: var(--pst-color-text-base); }}</style>
<script type="module" src="/widgets/{element}.js"></script></head>
<body><main><h1>A figure</h1>{figure}</main></body></html>"""

MODES = {
    "desktop": ({"width": 1280, "height": 800}, "light", False),
    "desktop-dark": ({"width": 1280, "height": 800}, "dark", False),
    "phone": ({"width": 390, "height": 844}, "light", True),
    "phone-dark": ({"width": 390, "height": 844}, "dark", True),
}

# What a figure does is tried on a light desktop; so the other width and theme are looked at
# here. `make test-all` looks at all four.
PAIRS = [
    "phone-dark",
    *(pytest.param(mode, marks=pytest.mark.slow) for mode in MODES if mode != "phone-dark"),
]

OpenFigure = Callable[..., Page]


# Milliseconds from one picture to the next, and those that `MACHINE` takes where this is asked.
FRAME, USUAL = 16, 18.0
# Lay out a table anew, several times: what other work on the machine delays is not the quickest.
MACHINE = """() => Math.min(...Array.from({length: 20}, () => {
    const start = performance.now();
    const table = document.createElement("table");
    for (let row = 0; row < 40; row++)
        for (let column = 0, tr = table.insertRow(); column < 40; column++)
            tr.insertCell().textContent = row * column;
    document.body.append(table);
    table.getBoundingClientRect();
    table.remove();
    return performance.now() - start;
}))"""


def assert_in_a_frame(page: Page, milliseconds: list[float]) -> None:
    """Assert that the quickest try fits into a frame; on a slow machine a frame is longer."""
    frame = FRAME * max(1, page.evaluate(MACHINE) / USUAL)
    quickest = min(milliseconds)
    print(f"the quickest of {len(milliseconds)}: {quickest:.1f} ms, of at most {frame:.1f}")
    assert quickest <= frame


def print_out(page: Page) -> None:
    """Show the page as on paper, and assert that nothing is left that one could press."""
    page.emulate_media(media="print")
    controls = page.locator("[data-figure]").locator("button, select, input, summary, .hint")
    assert controls.count() > 0
    assert [control.inner_text() for control in controls.all() if control.is_visible()] == []
    expect(page.get_by_role("status")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def tap(target: Locator) -> None:
    """Tap, and wait for the click that the browser makes of it: it comes a moment later.

    Not for sliders: they answer to the touch itself, and no click follows.
    """
    page = target.page
    page.evaluate(
        """() => {
            window.clicked = false;
            addEventListener("click", () => { window.clicked = true; }, { capture: true });
        }"""
    )
    target.tap()
    page.wait_for_function("window.clicked")


def swipe(page: Page, x: float, y: float, right: float, down: float) -> None:
    """Put a finger on a place, move it, and take it away."""
    touch = page.context.new_cdp_session(page)
    moves = [{"x": x + right * i / 8, "y": y + down * i / 8} for i in range(9)]
    touches = [("touchStart", moves[:1]), *(("touchMove", [move]) for move in moves[1:])]
    for kind, points in [*touches, ("touchEnd", [])]:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


class Handler(SimpleHTTPRequestHandler):
    """Serve the style sheet, the scripts of the figures, and the pages under test."""

    pages: dict[str, str]

    def __init__(self, *arguments: object, pages: dict[str, str]):
        self.pages = pages
        super().__init__(*arguments)

    def do_GET(self) -> None:
        if self.path not in self.pages:
            super().do_GET()
            return
        body = self.pages[self.path].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def translate_path(self, path: str) -> str:
        folder, name = Path(path).parent.name, Path(path).name
        return str({"widgets": SCRIPTS}.get(folder, ROOT / "_static") / name)

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def figure_page(browser: Browser) -> Iterator[OpenFigure]:
    """Open a page with one figure: `page = figure_page(figure, mode="phone-dark")`.

    `figure` is an `attention.widgets.Explorable`. Errors of the page fail the test
    when it ends.
    """
    pages, contexts, errors = {}, [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, pages=pages))
    # A server looks whether it should end once in so many seconds; each test waits for that.
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def open_figure(figure: Explorable, mode: str = "desktop") -> Page:
        viewport, theme, touch = MODES[mode]
        pages[f"/{len(pages)}.html"] = PAGE.format(
            theme=theme, element=figure.element, figure=figure._repr_html_()
        )
        context = browser.new_context(viewport=viewport, has_touch=touch, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: line.type == "error" and errors.append(line.text))
        page.goto(f"http://127.0.0.1:{server.server_port}/{len(pages) - 1}.html")
        page.wait_for_function(f"customElements.get('{figure.element}') !== undefined")
        return page

    yield open_figure
    for context in contexts:
        context.close()
    server.shutdown()
    server.server_close()
    assert errors == []
