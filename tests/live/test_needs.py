"""A cell's needs are enough: alone with them, it prints what the page shows."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from tests.notebook_outputs import committed, texts

HERE = Path(__file__).resolve().parent
NOTEBOOKS = sorted((HERE.parents[1] / "chapters").glob("[0-9]*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_live_cell_runs_after_what_it_needs(path):
    done = subprocess.run(
        [sys.executable, HERE / "alone.py", path], capture_output=True, encoding="utf-8", check=True
    )
    outputs = json.loads(done.stdout.splitlines()[-1])
    assert len(outputs) > 10
    sources = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
    for name, sent in outputs.items():
        assert texts(sent) == committed(sources[name]), name
