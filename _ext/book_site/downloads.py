"""The notebooks that the site offers for download: they read well where the book is not at hand.

A reader's Jupyter may know neither MyST nor this package. So a downloaded notebook

* says in its first cell how to get the package, and stops there if it is missing;
* has citations, references to formulas and captions in words;
* has quotations instead of boxes.

The notebooks in `chapters/` stay as they are.
"""

import os
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx

from .citations import Citations
from .numbers import chapter_of
from .repository import Repository, repository_from

BOX = re.compile(
    r"^:::\{admonition\} *([^\n]*)\n(?::[a-z]+:[^\n]*\n)*(.*?)^:::$", re.MULTILINE | re.DOTALL
)
FORMULA = re.compile(r"\$\$\n(.*?)\n\$\$(?: *\(([\w-]+)\))?", re.DOTALL)
TERM = re.compile(r"\{term\}`([^`<]+?)(?:\s*<[^`>]*>)?`")

FIRST = """\
This notebook is chapter {chapter} of *Attention, Measured*. Its code needs the book's package
`attention`, NumPy, matplotlib and, in some cells, PyTorch. {get} Then open this chapter there with
`make lab`. The next cell says whether the package is there."""
WITH_REPOSITORY = """To get them, type

```
git clone {url}.git
cd {folder}
make setup
```
"""
WITHOUT_REPOSITORY = (
    "To get them, take a copy of the book's repository, and type `make setup` in its folder."
)
TEST = """\
import importlib.util

if importlib.util.find_spec("attention") is None:
    raise ModuleNotFoundError(
        "This notebook needs the book's package. The cell above says how to get it."
    )"""


def translated(
    notebook: NotebookNode, chapter: int, citations: Citations, repository: Repository | None
) -> NotebookNode:
    """Return a copy of a chapter's notebook for a reader who has only this one file."""
    notebook = nbformat.from_dict(notebook)
    numbers = formula_numbers(notebook, chapter)
    cells, figure = first_cells(chapter, repository), 0
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "markdown":
            cell.source = in_words(cell.source, citations, numbers)
            continue
        for output in cell.outputs:
            data = output.get("data", {})
            if "text/markdown" in data:
                data["text/markdown"] = in_words(data["text/markdown"], citations, numbers)
        caption = cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", "")
        if caption or can_be_explored(cell):
            figure += 1
            said = f"**Figure {chapter}.{figure}.** {in_words(caption, citations, numbers)}".strip()
            cells.append(nbformat.v4.new_markdown_cell(said, id=f"{cell.id}-caption"[:64]))
    notebook.cells = cells
    nbformat.validate(notebook)
    return notebook


def first_cells(chapter: int, repository: Repository | None) -> list[NotebookNode]:
    """Write the cell that says how to get the package, and the one that looks for it."""
    get = WITHOUT_REPOSITORY
    if repository:
        folder = repository.name.partition("/")[2]
        get = WITH_REPOSITORY.format(url=repository.url, folder=folder)
    return [
        nbformat.v4.new_markdown_cell(FIRST.format(chapter=chapter, get=get), id="get-the-book"),
        nbformat.v4.new_code_cell(TEST, id="is-the-book-there"),
    ]


def formula_numbers(notebook: NotebookNode, chapter: int) -> dict[str, str]:
    """Return the numbers of the formulas that have a name, as the site counts them."""
    texts = [text for cell in notebook.cells for text in read_as_markdown(cell)]
    named = (match[2] for match in FORMULA.finditer("\n\n".join(texts)))
    return {name: f"({chapter}.{n})" for n, name in enumerate(named, 1) if name}


def read_as_markdown(cell: NotebookNode) -> list[str]:
    """Return what a cell says in Markdown: its source, or what it has printed."""
    if cell.cell_type == "markdown":
        return [cell.source]
    printed = (output.get("data", {}).get("text/markdown") for output in cell.outputs)
    return [text for text in printed if text]


def in_words(text: str, citations: Citations, numbers: dict[str, str]) -> str:
    """Write in plain Markdown what stands there in MyST."""
    text = citations.in_words(text)
    text = re.sub(r"\{eq\}`([^`]+)`", lambda found: numbers[found[1]], text)
    text = TERM.sub(r"\1", text)
    text = FORMULA.sub(lambda found: numbered(found[1], numbers.get(found[2], "")), text)
    return BOX.sub(lambda found: quotation(found[1], found[2]), text)


def numbered(formula: str, number: str) -> str:
    """Write a formula with its number beside it, as every Jupyter shows it."""
    tag = rf" \tag{{{number[1:-1]}}}" if number else ""
    return f"$$\n{formula}{tag}\n$$"


def quotation(title: str, text: str) -> str:
    """Write a box as a quotation with its title in bold."""
    lines = [f"**{title}**", "", *text.strip().split("\n")]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def can_be_explored(cell: NotebookNode) -> bool:
    """Tell whether a cell shows a figure that can be explored."""
    return any("data-figure=" in out.get("data", {}).get("text/html", "") for out in cell.outputs)


def translate_downloads(app: Sphinx, exception: Exception | None) -> None:
    """Translate the copies of the notebooks in the finished site."""
    if exception or app.builder.format != "html":
        return
    sources = Path(app.outdir) / "_sources"
    citations = Citations(Path(app.srcdir) / "chapters" / "references.bib")
    for path in sorted(sources.rglob("*.ipynb")):
        chapter = chapter_of(path.relative_to(sources).with_suffix("").as_posix())
        if chapter is None:
            continue
        # Sphinx copies a page's source only if the page is written again: begin with the original.
        original = Path(app.srcdir) / path.relative_to(sources)
        notebook = nbformat.read(original, as_version=4)
        ready = translated(notebook, chapter, citations, repository_from(os.environ))
        nbformat.write(ready, path)


def setup(app: Sphinx) -> None:
    app.connect("build-finished", translate_downloads)
