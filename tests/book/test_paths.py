"""Notebooks find the book's files wherever they are run."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from book_site.cells import cells

from attention.report import book_path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))
CALL = re.compile(r'book_path\("([^"]+)"\)')


def code_of(path: Path) -> dict[str, str]:
    notebook = nbformat.read(path, as_version=4)
    return {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}


def named_files() -> set[str]:
    return {
        name for path in NOTEBOOKS for text in code_of(path).values() for name in CALL.findall(text)
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_path_is_relative_to_the_working_directory(path):
    for cell, source in code_of(path).items():
        assert "../" not in source, cell
        # Every name of a folder of the book stands in a call of `book_path`.
        rest = CALL.sub("", source)
        assert not re.search(r'"(experiments|weights|code|chapters)/', rest), cell


@pytest.mark.parametrize("place", ["", "chapters", "code/attention/widgets", None])
def test_files_are_found_from_any_working_directory(place, tmp_path, monkeypatch):
    """Also from outside the book: then the package knows where it lies."""
    monkeypatch.chdir(tmp_path if place is None else ROOT / place)
    names = named_files()
    assert len(names) >= 25
    for name in names:
        assert book_path(name).samefile(ROOT / name)


def test_a_file_beside_the_notebook_comes_first(tmp_path, monkeypatch):
    """The live page keeps the logs above its working directory, and the package elsewhere."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "chapters").mkdir()
    log = tmp_path / "experiments" / "reach.csv"
    log.touch()
    monkeypatch.chdir(tmp_path / "chapters")
    assert book_path("experiments/reach.csv").samefile(log)


@pytest.mark.parametrize("name", ["experiments/none.csv", "experiments", ""])
def test_a_file_that_is_not_there_is_refused(name):
    with pytest.raises(ValueError, match=f"^name: expected a file of the book, got '{name}'$"):
        book_path(name)


@pytest.mark.parametrize(
    "path",
    [
        # One chapter in `make test`: what finds the files is the same in all, and tested above.
        path if path.stem == "11-cost" else pytest.param(path, marks=pytest.mark.slow)
        for path in NOTEBOOKS
    ],
    ids=lambda path: path.stem,
)
def test_cells_that_read_a_log_run_from_the_root(path):
    """Each after the cells it needs. (Cells with torch find their weights as the logs are.)"""
    sources = code_of(path)
    notebook = nbformat.read(path, as_version=4)
    reading = [
        [*cell.needs, cell.id]
        for cell in cells(notebook, ROOT / "code" / "attention")
        if cell.live and CALL.search(sources[cell.id])
    ]
    wanted = dict.fromkeys(name for names in reading for name in names)
    if not reading:
        pytest.skip("its logs are read by cells with torch, or not at all")
    program = "\n\n".join(sources[name] for name in sources if name in wanted)
    done = subprocess.run(
        [sys.executable, "-c", "import matplotlib; matplotlib.use('agg')\n" + program],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
