"""Every box of the picture of the transformer leads to a place that the chapter has."""

import json
import re
from html import unescape

import nbformat
import pytest
from book_texts import stem
from nbformat import NotebookNode

from attention.widgets import ArchitectureMap
from attention.widgets.architecture_map import BOXES

from .conftest import ROOT

SECTIONS = sorted({box.section for box in BOXES})
CODE = sorted({box.code for box in BOXES})


@pytest.fixture(scope="module")
def chapter() -> NotebookNode:
    return nbformat.read(ROOT / "chapters" / f"{stem('transformer')}.ipynb", as_version=4)


def printed(cell: NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def figures(cell: NotebookNode) -> list[str]:
    outputs = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [
        data["text/html"] for data in outputs if "<architecture-map" in data.get("text/html", "")
    ]


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_chapter_has_the_section_once(chapter: NotebookNode, heading: str) -> None:
    # Twice, and the second would get another anchor.
    text = "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
    assert len(re.findall(rf"^##+ {re.escape(heading)}$", text, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", CODE)
def test_the_chapter_prints_the_code(chapter: NotebookNode, name: str) -> None:
    cells = [cell for cell in chapter.cells if cell.id == f"transformer-source-{name.lower()}"]
    assert [cell.cell_type for cell in cells] == ["code"]
    assert re.search(rf"^(class|def) {name}\b", printed(cells[0]), re.MULTILINE)


def test_the_chapter_shows_the_picture_as_it_is_now(chapter: NotebookNode) -> None:
    (figure,) = [figure for cell in chapter.cells for figure in figures(cell)]
    data = json.loads(unescape(re.search('data-figure="(.*?)"', figure).group(1)))
    assert figure == ArchitectureMap(data["norm"])._repr_html_()
