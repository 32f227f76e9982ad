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

# Each width and each theme once; `make test-all` looks at the two other pairs, too.
PAIRS = [
    "desktop",
    "phone-dark",
    pytest.param("desktop-dark", marks=pytest.mark.slow),
    pytest.param("phone", marks=pytest.mark.slow),
]

OpenFigure = Callable[..., Page]


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
    Thread(target=server.serve_forever, daemon=True).start()

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
    assert errors == []
