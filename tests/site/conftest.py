"""The built site, served as a reader would get it, and a browser to look at it."""

import os
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from built_site import ROOT, SITE, staleness
from figure_harness import figure_page  # noqa: F401 (a fixture)
from playwright.sync_api import Browser, expect, sync_playwright

NO_BROWSER = (
    "No Chromium found, so nobody looked at the site. Install it (Debian, Ubuntu: "
    "`sudo apt-get install chromium`) or set CHROMIUM to its path."
)
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    # A request to any other host fails; the tests also report it.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# Playwright's own patience, 5 seconds for what is expected and 30 for the rest, is soon at
# its end on a machine that does other work too, and where Python has to start in the page.
PATIENCE = 120_000  # milliseconds
expect.set_options(timeout=PATIENCE)
# The Sphinx extension is under test too.
sys.path.append(str(ROOT / "_ext"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Look at each page on one of two screens, by turns; `make test-all` looks on all four."""
    for item in items:
        if item.path.name == "test_site_browser.py" and "[chapters/" in item.name:
            if sum(item.callspec.indices.values()) % 2:
                item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def site() -> Path:
    """Return the folder of the built site, if it was built from the sources as they are."""
    if reason := staleness():
        # One test fails then: test_site_is_built_from_these_sources.
        pytest.skip(reason)
    return SITE


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve the site below /book/, as GitHub Pages serves a project's site."""

    def translate_path(self, path: str) -> str:
        inside = path.removeprefix("/book/")
        return super().translate_path("/no-such-file" if inside == path else "/" + inside)

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Serve the site on a free port of this machine and give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(site)))
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/book/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start one headless Chromium for all tests."""
    # The first is Chromium without the windows around its pages: half the work.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        if os.environ.get("CI") or os.environ.get("BOOK_NEEDS_BROWSER") == "1":
            pytest.fail(NO_BROWSER, pytrace=False)
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_OPTIONS)
        browser.on("context", lambda context: context.set_default_timeout(PATIENCE))
        yield browser
        browser.close()
