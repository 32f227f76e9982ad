"""Repair each finished page where the theme and the libraries below it fall short.

Every repair is one small function on the parsed page, with the reason beside
it, so that it can go when the reason goes. The tests in tests/site look at the
result in a browser.
"""

import re
from collections.abc import Callable
from pathlib import Path

from bs4 import BeautifulSoup
from sphinx.application import Sphinx

from .figures import (
    label_tables_of_sentences,
    let_printed_sentences_wrap,
    size_figures,
)

SOURCE = re.compile(r'(<pre class="source"[^>]*>)(.*?)</pre>', re.DOTALL)
MARK = "THE CODE STANDS HERE"
SET_UP = re.compile(r"-setup(?:-(\w+))?$")
# Files of the theme that no page asks for once it is repaired.
UNUSED = ("scripts/fontawesome.js", "sphinx-thebe.*", "scripts/*.map", "styles/*.map")


def remove_live_code(page: BeautifulSoup, path: Path) -> None:
    """Take out sphinx-thebe, which the book does not use.

    Jupyter Book loads it always, and twice, which the browser reports as an error.
    """
    for element in page.find_all(["script", "link"]):
        address = element.get("src") or element.get("href") or ""
        if (
            "sphinx-thebe" in address
            or "THEBE_JS_URL" in element.text
            or element.get("type") == "text/x-thebe-config"
        ):
            element.decompose()


def remove_icon_script(page: BeautifulSoup, path: Path) -> None:
    """Take out Font Awesome's script (1.5 MB): its style sheet and fonts draw the icons."""
    for script in page.select("script[src*='fontawesome.js']"):
        script.decompose()


def remove_advertisement(page: BeautifulSoup, path: Path) -> None:
    """Take out the empty place that the theme keeps for advertisements."""
    for place in page.select("#ethical-ad-placement"):
        place.find_parent(class_="sidebar-primary-items__end").decompose()


def let_text_name_its_control(page: BeautifulSoup, path: Path) -> None:
    """Drop labels that hide the text a reader sees (WCAG 2.5.3).

    A voice command is what one reads: "Search", "Show code cell content".
    """
    for control in page.select("summary[aria-label], .search-button-field[aria-label]"):
        del control["aria-label"]


def name_folded_cells(page: BeautifulSoup, path: Path) -> None:
    """Say what is folded: the solution of an exercise, the set-up, or the code of a cell.

    A set-up cell is known by its id, which `live.py` has given it, such as
    `scaling-setup` or `scaling-setup-torch`.
    """
    for tag, content in (("hide-cell", "a solution"), ("hide-input", "the code")):
        for cell in page.select(f".cell[class*=tag_{tag}]"):
            set_up = SET_UP.search(cell.get("id", ""))
            purpose = f" for {set_up[1]}" if set_up and set_up[1] else ""
            for state, verb in (("collapsed", "Show"), ("expanded", "Hide")):
                label = f"Set-up{purpose}" if set_up else f"{verb} {content}"
                cell.select_one(f"summary .{state}").string = label


def silence_untouched_exercises(page: BeautifulSoup, path: Path) -> None:
    """Do not show what a checker says of an answer that nobody has written yet.

    The notebook keeps it, since `make test` compares it, and the live code reads it.
    """
    for output in page.select(".cell:not([class*=tag_hide-cell]) .cell_output > .output"):
        if output.get_text().lstrip().startswith("✗") and "Not started yet" in output.get_text():
            output["class"] = [*output["class"], "untouched"]


def put_sidebar_in_landmark(page: BeautifulSoup, path: Path) -> None:
    """Give the book's title and search button, beside the text, a landmark to be in."""
    for sidebar in page.select("#pst-primary-sidebar"):
        sidebar["role"] = "complementary"
        sidebar["aria-label"] = "Book"


def repair_bibliography(page: BeautifulSoup, path: Path) -> None:
    """Make list items of the bibliography's entries.

    docutils puts entries of the deprecated role `doc-biblioentry` into a list.
    """
    for entry in page.select("[role=doc-biblioentry]"):
        entry["role"] = "listitem"


def name_table_headers(page: BeautifulSoup, path: Path) -> None:
    """Give a name to headers that are a formula; make plain cells of empty ones.

    axe-core reads a typeset formula as empty. A table in Markdown must have a
    header above its first column, even if there is nothing to say in it.
    """
    for header in page.select("th"):
        formula = header.select_one(".math")
        if not header.get_text(strip=True):
            header.name = "td"
        elif formula and formula.get_text() == header.get_text(strip=True):
            formula["role"] = "math"
            formula["aria-label"] = formula.get_text().removeprefix(r"\(").removesuffix(r"\)")


def complete_redirect(page: BeautifulSoup, path: Path) -> None:
    """Make a whole page, with a link, of the bare redirect to the first chapter."""
    refresh = page.select_one("meta[http-equiv=Refresh]")
    if refresh is None or page.html is not None:
        return
    target = refresh["content"].partition("url=")[2]
    whole = f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Attention, Measured</title>{refresh}</head>
<body><main><h1>Attention, Measured</h1><a href="{target}">Open the book</a></main></body>
</html>"""
    page.clear()
    page.append(BeautifulSoup(whole, "html.parser"))


REPAIRS: list[Callable[[BeautifulSoup, Path], None]] = [
    remove_live_code,
    remove_icon_script,
    remove_advertisement,
    let_text_name_its_control,
    name_folded_cells,
    silence_untouched_exercises,
    put_sidebar_in_landmark,
    repair_bibliography,
    name_table_headers,
    size_figures,
    label_tables_of_sentences,
    let_printed_sentences_wrap,
    complete_redirect,
]


def cut_out_code(page: str) -> tuple[str, str, str]:
    """Split a page that shows a file (source_pages.py) into what is before, in and after it."""
    found = SOURCE.search(page)
    if found is None:
        return page, "", ""
    return page[: found.end(1)], found[2], page[found.end(2) :]


def repair_pages(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for path in site.rglob("*.html"):
        if path.is_relative_to(site / "_static"):
            continue
        # There is nothing to repair in a file's code, and most of a page of code is that.
        start, code, end = cut_out_code(path.read_text(encoding="utf-8"))
        page = BeautifulSoup(start + MARK + end if code else start, "html.parser")
        for repair in REPAIRS:
            repair(page, path)
        path.write_text(str(page).replace(MARK, code, 1), encoding="utf-8")
    for pattern in UNUSED:
        for path in (site / "_static").glob(pattern):
            path.unlink()


def setup(app: Sphinx) -> None:
    # Last: other extensions still write pages when the build has finished.
    app.connect("build-finished", repair_pages, priority=900)
