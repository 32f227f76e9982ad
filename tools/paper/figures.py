"""Take pictures of the figures that can be explored, as they look on paper."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, sync_playwright

from .pages import FIRST, Page

# The first is Chromium without the windows around its pages: half the work.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
WIDTH = 760  # pixels: about as wide as the text of a page
DENSITY = 2
PATIENCE = 120_000  # milliseconds
# A notebook's own table under a figure: it has a place of its own where there is no picture.
WITHOUT_TABLE = "figure => figure.shadowRoot.append(Object.assign(document.createElement('style'), \
{ textContent: 'slot, .hint { display: none !important }' }))"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser without windows."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise SystemExit(
            "No Chromium found. Install it (apt-get install chromium), or set CHROMIUM."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=OPTIONS)
        yield browser
        browser.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder to this machine, and say where: scripts of a site do not run from files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def picture_figures(browser: Browser, site: Path, pages: list[Page], folder: Path) -> None:
    """Put a picture in the place of each figure that can be explored."""
    folder.mkdir(parents=True, exist_ok=True)
    with served(site) as address:
        context = browser.new_context(
            viewport={"width": 1400, "height": 900}, device_scale_factor=DENSITY
        )
        context.set_default_timeout(PATIENCE)
        tab = context.new_page()
        tab.emulate_media(media="print", color_scheme="light")
        for page in pages:
            figures = page.content.select("[data-figure]")
            if not figures or page.name == FIRST:
                continue
            tab.goto(f"{address}/chapters/{page.name}.html")
            shown = tab.locator("article [data-figure]")
            for number, figure in enumerate(figures):
                place = shown.nth(number)
                place.evaluate("figure => customElements.whenDefined(figure.localName)")
                place.evaluate(WITHOUT_TABLE)
                place.evaluate(f"figure => {{ figure.style.width = '{WIDTH}px'; }}")
                path = folder / f"{page.name}-{number + 1}.png"
                place.screenshot(path=path, animations="disabled")
                replace(figure, path)
        context.close()


def picture_cover(browser: Browser, book: Path, path: Path) -> None:
    """Take a picture of the title, for the shelf of a reading device."""
    tab = browser.new_page(viewport={"width": 640, "height": 900}, device_scale_factor=2)
    tab.goto(book.as_uri())
    tab.locator(".title-page").screenshot(path=path, animations="disabled")
    tab.close()


def replace(figure: Tag, path: Path) -> None:
    """Put a picture in the place of a figure; its table says what is seen."""
    caption = figure.caption.get_text(" ", strip=True) if figure.caption else figure.name
    name = figure.name.replace("-", " ")
    image = BeautifulSoup("", "lxml").new_tag(
        "img", src=str(path), alt=f"The {name} as it stands at first. {caption}."
    )
    image["class"] = "explorable"
    figure.replace_with(image)
