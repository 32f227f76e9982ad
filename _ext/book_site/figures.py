"""Figures, tables and printed lines for a narrow page.

A notebook keeps two pictures of a figure, a wide and a narrow one (`attention.drawings`). The
site gets both, and the page says which the browser is to show. A table of sentences is read as
a list where it would be too wide, and printed sentences are broken.
"""

from base64 import b64decode
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup, Tag
from PIL import Image
from sphinx.application import Sphinx

# Figures are drawn at twice the density of the page, so that they look sharp.
PIXELS_PER_UNIT = 2
# As `attention.drawings.NARROW`: the site is built without importing what it is about.
NARROW = "image/vnd.attention.narrow+png"
ON_A_PHONE = "(max-width: 575.98px)"  # as in book.css
FITS_A_PHONE = 360  # pixels: a figure that a phone can show whole
# A table whose longest entries have, all columns together, more signs than this is read as a
# list on a phone: its columns would be a few signs wide there.
LONGEST_ROW = 125


def setup(app: Sphinx) -> None:
    app.connect("source-read", leave_narrow_figures_out)
    # Before finish.py repairs the pages.
    app.connect("build-finished", write_narrow_figures, priority=850)


def leave_narrow_figures_out(app: Sphinx, page: str, source: list[str]) -> None:
    """Keep the narrow pictures from MyST-NB, which would warn of a form that it does not know."""
    if f'"{NARROW}"' not in source[0]:
        return
    notebook = nbformat.reads(source[0], as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(NARROW, None)
    source[0] = nbformat.writes(notebook)


def write_narrow_figures(app: Sphinx, exception: Exception | None) -> None:
    """Write the narrow picture of each figure beside the wide one."""
    if exception or app.builder.format != "html":
        return
    narrow = {}
    for path in sorted((Path(app.srcdir) / "chapters").glob("*.ipynb")):
        narrow |= narrow_figures(nbformat.read(path, as_version=4))
    for path in (Path(app.outdir) / "_images").glob("*.png"):
        if picture := narrow.get(path.read_bytes()):
            narrow_path(path).write_bytes(picture)


def narrow_figures(notebook: nbformat.NotebookNode) -> dict[bytes, bytes]:
    """Return the narrow picture of each figure of a notebook, by the wide one."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    forms = [output.get("data", {}) for cell in cells for output in cell.outputs]
    return {
        b64decode(form["image/png"]): b64decode(form[NARROW]) for form in forms if NARROW in form
    }


def narrow_path(path: Path) -> Path:
    """Return where the narrow picture stands, by the place of the wide one."""
    return path.with_name(f"{path.stem}-narrow.png")


def size_figures(page: BeautifulSoup, path: Path) -> None:
    """Tell the browser each figure's size, so that nothing moves when it loads.

    As attributes, which the style sheet may shrink in proportion; a fixed height
    in `style` would squeeze the figure on a narrow screen.
    """
    for image in page.select("article img[src$='.png']"):
        wide = path.parent / image["src"]
        image["width"], image["height"] = size_of(wide)
        if image["width"] <= FITS_A_PHONE:
            image["class"] = [*image.get("class", []), "narrow"]
        del image["style"]
        if narrow_path(wide).exists():
            offer(page, image, narrow_path(wide))


def offer(page: BeautifulSoup, image: Tag, narrow: Path) -> None:
    """Let the browser choose between a picture and its narrow one."""
    width, height = size_of(narrow)
    address = f"{image['src'].rpartition('/')[0]}/{narrow.name}"
    source = page.new_tag(
        "source", media=ON_A_PHONE, srcset=address, attrs={"width": width, "height": height}
    )
    image.wrap(page.new_tag("picture")).insert(0, source)


def size_of(path: Path) -> tuple[int, int]:
    """Return the size of a picture in pixels of the page."""
    with Image.open(path) as picture:
        width, height = picture.size
    return round(width / PIXELS_PER_UNIT), round(height / PIXELS_PER_UNIT)


def label_tables_of_sentences(page: BeautifulSoup, path: Path) -> None:
    """Write into each cell of a table of sentences what its column is called.

    On a phone the style sheet makes a list of such a table, in which the row of headers is not
    seen. The roles say that it is a table all the same.
    """
    for table in page.select("article table.table"):
        header, *rows = table.select("tr")
        names = [cell.get_text(" ", strip=True) for cell in header.find_all(["th", "td"])]
        cells = [row.find_all(["th", "td"]) for row in rows]
        columns = zip(*cells, strict=False)
        longest = [max(len(cell.get_text(strip=True)) for cell in column) for column in columns]
        if len(names) < 3 or sum(longest) <= LONGEST_ROW or header.select(".math"):
            continue
        table["class"] = [*table["class"], "reads-as-list"]
        table["role"] = "table"
        for group in table.select("thead, tbody"):
            group["role"] = "rowgroup"
        for row in table.select("tr"):
            row["role"] = "row"
        for cell in header.find_all(["th", "td"]):
            cell["role"] = "columnheader" if cell.name == "th" else "cell"
        for row in cells:
            for name, cell in zip(names, row, strict=False):
                cell["role"] = "cell"
                if name and cell.get_text(strip=True):
                    cell["data-label"] = name


def let_printed_sentences_wrap(page: BeautifulSoup, path: Path) -> None:
    """Mark what a cell prints without columns: on a phone its lines may be broken.

    Columns are told by the blanks between them, several in a row.
    """
    for printed in page.select(".cell_output pre"):
        lines = printed.get_text().splitlines()
        if not any("  " in line.strip() for line in lines):
            printed["class"] = [*printed.get("class", []), "wraps"]
