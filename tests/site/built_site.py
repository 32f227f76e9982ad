"""Where the built site is, and which pages it has."""

import re
from functools import cache
from pathlib import Path

from bs4 import BeautifulSoup
from site_inputs import fingerprint

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
LOG = ROOT / "_build" / "site.log"
# What shows a file of code, whole, on its page.
CODE = re.compile(r'(<pre [^>]*class="source"[^>]*>)(.*?)(</pre>)', re.DOTALL)


def staleness() -> str | None:
    """Say why the built site cannot be judged, or return None if it can."""
    if not (SITE / "index.html").exists() or not LOG.exists():
        return "The site is not built. Run `make book` first."
    stamp = SITE.parent / "site-made-from"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != fingerprint(ROOT):
        return "The sources are not those of the built site. Run `make book` first."
    return None


def pages() -> list[str]:
    """List every built page, relative to the site's root, but the redirect to the first."""
    found = (path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    return sorted(page for page in found if page != "index.html" and page[:8] != "_static/")


def source_pages() -> list[str]:
    """List the pages that show a file of code (`book_site.source_pages`)."""
    return [page for page in pages() if page.startswith(("code/", "experiments/"))]


@cache
def parsed(path: Path) -> BeautifulSoup:
    """Parse a page, without the lines of code if it shows a file; once for all tests."""
    # The code of a file has anchors and links, which are searched for without parsing.
    return BeautifulSoup(CODE.sub(r"\1\3", path.read_text(encoding="utf-8")), "html.parser")
