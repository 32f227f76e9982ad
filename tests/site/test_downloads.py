"""The notebooks that the site offers: plain Markdown, and a first cell about the package."""

import importlib.util
import re

import nbformat
import pytest
from book_site.citations import Citations
from book_site.downloads import formula_numbers, in_words, translated
from book_site.repository import Repository
from built_site import ROOT, SITE, parsed

CITATIONS = Citations(ROOT / "chapters" / "references.bib")
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
MYST = re.compile(r"(?<!\{)\{[a-z:]+\}`|^:::|^\$\$ \(", re.MULTILINE)


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request: pytest.FixtureRequest) -> tuple[int, nbformat.NotebookNode]:
    notebook = nbformat.read(request.param, as_version=4)
    number = int(request.param.name[:2])
    return number, translated(notebook, number, CITATIONS, Repository("someone/a-fork"))


def test_nothing_but_markdown_is_left(chapter: tuple[int, nbformat.NotebookNode]) -> None:
    _, notebook = chapter
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            texts.append(output.get("data", {}).get("text/markdown", ""))
    assert [line for text in texts for line in text.split("\n") if MYST.search(line)] == []


def test_code_is_as_it_was(chapter: tuple[int, nbformat.NotebookNode]) -> None:
    number, notebook = chapter
    original = nbformat.read(CHAPTERS[number - 1], as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert code[1:] == [cell.source for cell in original.cells if cell.cell_type == "code"]


def test_first_cell_says_how_to_get_the_package(
    chapter: tuple[int, nbformat.NotebookNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    number, notebook = chapter
    first, second = notebook.cells[:2]
    assert f"chapter {number} of *Attention, Measured*" in first.source
    assert "git clone https://github.com/someone/a-fork.git\ncd a-fork\nmake setup" in first.source
    exec(second.source, {})  # the package is here: it says nothing
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="The cell above says how to get it"):
        exec(second.source, {})


def test_without_a_repository_no_address_is_named() -> None:
    notebook = translated(nbformat.v4.new_notebook(), 3, CITATIONS, None)
    assert "make setup" in notebook.cells[0].source
    assert "git clone" not in notebook.cells[0].source


def test_every_figure_has_its_number_and_caption(
    chapter: tuple[int, nbformat.NotebookNode],
) -> None:
    number, notebook = chapter
    labels = [
        found[1]
        for cell in notebook.cells
        if (found := re.match(r"\*\*(Figure \d+\.\d+)\.\*\*", cell.source))
    ]
    assert labels == [f"Figure {number}.{n}" for n in range(1, len(labels) + 1)] != []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("As {cite:t}`vaswani2017` say", "As Vaswani et al. (2017) say"),
        ("so {cite:p}`vaswani2017,cheng2016`.", "so (Vaswani et al., 2017; Cheng et al., 2016)."),
        ("Look at {eq}`eq-one`.", "Look at (3.1)."),
        ("a {term}`logit` or {term}`one-hot <one-hot vector>`", "a logit or one-hot"),
        ("$$\nx = 1\n$$ (eq-one)", "$$\nx = 1 \\tag{3.1}\n$$"),
        ("$$\nx = 1\n$$", "$$\nx = 1\n$$"),
        (
            "Before.\n\n:::{admonition} Predict\n:class: predict\nOne.\n\nTwo.\n:::\n\nAfter.",
            "Before.\n\n> **Predict**\n>\n> One.\n>\n> Two.\n\nAfter.",
        ),
    ],
)
def test_myst_in_words(text: str, said: str) -> None:
    assert in_words(text, CITATIONS, {"eq-one": "(3.1)"}) == said


@pytest.mark.parametrize(
    ("key", "authors"),
    [
        ("vaswani2017", "Vaswani et al."),
        ("glorot2010", "Glorot and Bengio"),
        ("graves2013", "Graves"),
    ],
)
def test_one_author_or_two_are_named(key: str, authors: str) -> None:
    assert CITATIONS.authors(key) == authors


def test_names_and_titles_are_plain_text() -> None:
    for key, (authors, year, title) in CITATIONS.table().items():
        assert year.isdigit(), key
        assert min(len(authors), len(title)) > 2, key
        assert not re.search(r"[{}\\$]", authors + title), key


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_site_offers_it_and_counts_formulas_alike(path) -> None:
    page = SITE / "chapters" / path.with_suffix(".html").name
    link = parsed(page).select_one(".btn-download-source-button")
    offered = nbformat.read(page.parent / link["href"], as_version=4)
    assert offered.cells[0].id == "get-the-book"
    numbers = formula_numbers(nbformat.read(path, as_version=4), int(path.name[:2]))
    for name, number in numbers.items():
        formula = parsed(page).select_one(f"#equation-{name} .eqno")
        assert formula.contents[0] == number
