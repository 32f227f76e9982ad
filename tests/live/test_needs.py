"""A cell's needs are enough: alone with them, it prints what the page shows."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from book_site.cells import cells
from tests.notebook_outputs import committed, texts

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1] / "code" / "attention"
NOTEBOOKS = sorted((HERE.parents[1] / "chapters").glob("[0-9]*.ipynb"))


def run_live(path: Path, *in_order: str) -> dict | list:
    """Run cells by alone.py, each alone or those given in one session; return the outputs."""
    done = subprocess.run(
        [sys.executable, HERE / "alone.py", path, *in_order],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


# In test_runs.py they are pressed in another order, each after what it needs.
@pytest.mark.parametrize(
    "path",
    [
        path
        if path.stem.endswith("-queries-keys-values")
        else pytest.param(path, marks=pytest.mark.slow)
        for path in NOTEBOOKS
    ],
    ids=lambda path: path.stem,
)
def test_each_live_cell_runs_after_what_it_needs(path):
    outputs = run_live(path)
    assert len(outputs) > 10
    sources = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
    for name, sent in outputs.items():
        assert texts(sent) == committed(sources[name]), name


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_live_cell_prints_the_same_after_all_cells_below_it(path):
    """All in order, then all again from the last to the first, in one session."""
    notebook = nbformat.read(path, as_version=4)
    live = [cell.id for cell in cells(notebook, PACKAGE) if cell.live]
    in_order = [*live, *reversed(live)]
    sources = {cell.id: cell for cell in notebook.cells}
    for name, sent in zip(in_order, run_live(path, *in_order), strict=True):
        assert texts(sent) == committed(sources[name]), name
