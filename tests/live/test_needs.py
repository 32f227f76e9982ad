"""A cell's needs are enough: alone with them, it prints what the page shows."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

HERE = Path(__file__).resolve().parent
NOTEBOOKS = sorted((HERE.parents[1] / "chapters").glob("0*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_live_cell_runs_after_what_it_needs(path):
    done = subprocess.run(
        [sys.executable, HERE / "alone.py", path], capture_output=True, text=True, check=True
    )
    outputs = json.loads(done.stdout.splitlines()[-1])
    assert len(outputs) > 10
    sources = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
    for name, sent in outputs.items():
        assert texts(sent) == committed(sources[name]), name


def texts(sent: list[dict]) -> list[str]:
    """Reduce outputs to their text: what is printed, then what is shown."""
    printed = "".join(one["text"] for one in sent if one["kind"] == "stream")
    shown = [
        one["data"].get("text/markdown") or one["data"]["text/plain"]
        for one in sent
        if one["kind"] in ("display", "result")
    ]
    return [printed, *shown, *(one["traceback"] for one in sent if one["kind"] == "error")]


def committed(cell: nbformat.NotebookNode) -> list[str]:
    """Return the same of a cell in the notebook."""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    data = [output.data for output in cell.outputs if "data" in output]
    return [printed, *(each.get("text/markdown") or each["text/plain"] for each in data)]
