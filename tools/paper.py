"""Make PDF and EPUB of the whole book from the built site, and put them into it.

    python tools/paper.py          both, into _build/html/_static/paper/

The site must have been built (`make book`). Chromium draws the PDF and the pictures of the
figures that can be explored.
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "_ext"))

from book_site.previews import NAME, PROMISE, address_from  # noqa: E402
from paper.epub import write_epub  # noqa: E402
from paper.figures import chromium, picture_cover, picture_figures  # noqa: E402
from paper.pages import read_pages  # noqa: E402
from paper.pdf import write_pdf  # noqa: E402

SITE = ROOT / "_build" / "html"
WORK = ROOT / "_build" / "paper"
FILE = "attention-measured"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.parse_args()
    if not (SITE / "index.html").exists():
        print("The site is not built yet. Run `make book` first.")
        return 1
    started = time.monotonic()
    address = address_from(os.environ)
    facts = {
        "title": NAME,
        "promise": PROMISE,
        "author": "the authors of Attention, Measured",
        "licence": "Text and figures: CC BY 4.0. Code: MIT licence.",
        "note": (
            "Code that only sets up or draws is left out here, and the figures that can be "
            "explored are pictures. The site and the notebooks have all of it."
        ),
        "address": address or "",
    }
    target = SITE / "_static" / "paper"
    target.mkdir(parents=True, exist_ok=True)
    pages = read_pages(ROOT, SITE, address)
    with chromium() as browser:
        picture_figures(browser, SITE, pages, WORK / "figures")
        cover = WORK / "cover.png"
        pdf, epub = target / f"{FILE}.pdf", target / f"{FILE}.epub"
        sheets = write_pdf(browser, ROOT, pages, WORK, pdf, facts)
        picture_cover(browser, WORK / "book.html", cover)
    write_epub(
        pages, (SITE / "_static/pygments.css").read_text(encoding="utf-8"), cover, epub, facts
    )
    link_from_first_page(pdf, epub, sheets[""])
    for path in (pdf, epub):
        print(f"{os.path.relpath(path)}: {path.stat().st_size / 1e6:.1f} MB")
    print(f"{sheets['']} sheets, made in {time.monotonic() - started:.0f} s")
    return 0


def link_from_first_page(pdf: Path, epub: Path, sheets: int) -> None:
    """Write the links into the place that the first page keeps for them."""
    first = SITE / "chapters" / "index.html"
    sizes = {path: f"{path.stat().st_size / 1e6:.0f} MB" for path in (pdf, epub)}
    links = (
        f'The whole book to take away: <a href="../_static/paper/{pdf.name}">PDF</a> '
        f"({sheets} pages, {sizes[pdf]}) or "
        f'<a href="../_static/paper/{epub.name}">EPUB</a> ({sizes[epub]}).'
    )
    html = first.read_text(encoding="utf-8")
    place = re.compile(r'<p class="paper-links"[^>]*>.*?</p>', re.DOTALL)
    first.write_text(place.sub(f'<p class="paper-links">{links}</p>', html), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
