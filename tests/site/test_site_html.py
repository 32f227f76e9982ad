"""The files of the built site: links, pictures, and nothing from elsewhere."""

import os
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from built_site import CODE, LOG, ROOT, SITE, pages, parsed
from PIL import Image

pytestmark = pytest.mark.usefixtures("site")

# What a browser loads by itself, as against a link that a reader may follow.
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


@cache
def in_code(path: Path, attribute: str) -> set[str]:
    """Return the values of an attribute in the code that a page shows."""
    code = CODE.search(path.read_text(encoding="utf-8"))
    # Of a tag; the code itself may speak of attributes.
    return set(re.findall(rf'<\w+ (?:[^>]* )?{attribute}="([^"]+)"', code[2])) if code else set()


@cache
def anchors(path: Path) -> set[str]:
    return {element["id"] for element in parsed(path).select("[id]")} | in_code(path, "id")


@pytest.fixture(params=["index.html", *pages()])
def path(request: pytest.FixtureRequest) -> Path:
    return SITE / request.param


is_file = cache(os.path.isfile)  # asked for 60,000 links, most of them the same


def is_outside(address: str) -> bool:
    return address.startswith("//") or urlsplit(address).scheme in ("http", "https")


def test_build_log_has_no_warning() -> None:
    log = LOG.read_text(encoding="utf-8")
    assert "build succeeded" in log
    assert re.findall(r".*(?:WARNING|ERROR|CRITICAL):.*", log) == []


def test_every_chapter_is_on_the_site() -> None:
    sources = (ROOT / "chapters").iterdir()
    names = {path.stem for path in sources if path.suffix in (".md", ".ipynb")}
    assert names == {path.stem for path in (SITE / "chapters").glob("*.html")}


def test_folded_set_up_is_named_so(path: Path) -> None:
    folded = parsed(path).select("[id$='-setup'] summary, [id*='-setup-'] summary")
    for state in (".collapsed", ".expanded"):
        labels = [summary.select_one(state).get_text() for summary in folded]
        assert [label for label in labels if not label.startswith("Set-up")] == []


def test_internal_links_and_anchors_resolve(path: Path) -> None:
    elements, broken = parsed(path).select("[href], [src]"), []
    addresses = {element.get("href") or element.get("src") for element in elements}
    for address in sorted(addresses | in_code(path, "href")):
        parts = urlsplit(address)
        if parts.scheme or address.startswith("//"):
            continue
        assert not parts.path.startswith("/"), f"{address} does not work below a sub-path"
        target = os.path.normpath(f"{path.parent}/{unquote(parts.path)}") if parts.path else path
        if not is_file(str(target)):
            broken.append(address)
        elif str(target).endswith(".html") and parts.fragment:
            # "#" alone is the page's own top.
            if unquote(parts.fragment) not in anchors(Path(target)):
                broken.append(address)
    assert broken == []


def test_browser_is_told_to_load_nothing_from_elsewhere(path: Path) -> None:
    loaded = [
        element[attribute]
        for tag, attribute in LOADED.items()
        for element in parsed(path).find_all(tag)
        if element.get(attribute)
    ]
    assert loaded or path.name == "index.html"
    assert [address for address in loaded if is_outside(address)] == []


def test_style_sheets_load_nothing_from_elsewhere() -> None:
    sheets = list((SITE / "_static").rglob("*.css"))
    assert sheets
    for sheet in sheets:
        assert not re.search(
            r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")
        )


def test_pictures_are_described_and_sharp(path: Path) -> None:
    for image in parsed(path).select("article img"):
        alt = image["alt"]
        assert len(alt) > 20, f"{alt!r} does not say what the picture shows"
        assert not re.search(r"\.(png|svg|jpg)$", alt), f"{alt!r} is the name of a file"
        with Image.open(path.parent / image["src"]) as picture:
            width, height = picture.size
        assert (int(image["width"]), int(image["height"])) == (round(width / 2), round(height / 2))


def test_figures_and_formulas_are_numbered_by_chapter(path: Path) -> None:
    """In order, each once, and a formula is referred to by the number that it has."""
    page = parsed(path).select_one("article") or parsed(path)
    chapter = re.match(r"\d\d(?=-)", path.name)
    figures = [
        place.get_text(strip=True) for place in page.select(".caption-number, p.figure-number")
    ]
    formulas = [place.contents[0] for place in page.select(".eqno")]
    if chapter is None:
        assert figures == formulas == []
        return
    number = int(chapter.group())
    assert figures == [f"Figure {number}.{n}" for n in range(1, len(figures) + 1)]
    assert formulas == [f"({number}.{n})" for n in range(1, len(formulas) + 1)]
    # None is left out: neither a picture, nor a figure to explore, nor a displayed formula.
    assert len(figures) == len(page.select("figure img, [data-figure]")) > 0
    assert len(formulas) == len(page.select("div.math"))
    for link in page.select("a[href^='#equation-']:not(.headerlink)"):
        formula = page.select_one(link["href"])
        assert link.get_text() == formula.select_one(".eqno").contents[0]


def test_figure_that_can_be_explored_has_its_number_below_it() -> None:
    for path in (SITE / page for page in pages()):
        for line in parsed(path).select("p.figure-number"):
            cell = line.parent
            assert cell["class"][0] == "cell"
            assert cell.select_one(".cell_output [data-figure]")
            assert line.find_previous_sibling().select_one("[data-figure]")


def test_notebooks_can_be_downloaded() -> None:
    chapters = [SITE / page for page in pages() if (ROOT / page).with_suffix(".ipynb").exists()]
    assert chapters
    for path in chapters:
        link = parsed(path).select_one(".btn-download-source-button")
        downloaded = (path.parent / link["href"]).resolve()
        nbformat.validate(nbformat.read(downloaded, as_version=4))
        assert downloaded.name == path.with_suffix(".ipynb").name


def test_site_is_small() -> None:
    """No source maps, no second icon library, no live-code script."""
    assert not list(SITE.rglob("*.map"))
    scripts = {path.name for path in SITE.rglob("*.js")}
    assert "tex-mml-chtml.js" in scripts
    assert scripts.isdisjoint({"fontawesome.js", "sphinx-thebe.js"})
