"""After a full run, every cell can be run again and prints what it printed before.

For the cells that run in the page tests/live does this in `make test`; here are the others.
"""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from tests.notebook_outputs import committed

from .conftest import NOTEBOOKS
from .rules import IGNORE_TAGS, code_cells, tags


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_prints_the_same_after_all_cells_below_it(path: Path):
    """All in order, then all again from the last to the first, in one kernel."""
    notebook = nbformat.read(path, as_version=4)
    expected = {cell.id: committed(cell) for cell in code_cells(notebook)}
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    differ = {}
    with client.setup_kernel():
        places = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
        for place in [*places, *reversed(places)]:
            cell = client.execute_cell(notebook.cells[place], place)
            printed = committed(without_scripts(cell))
            if printed != expected[cell.id] and not tags(cell) & IGNORE_TAGS:
                differ[cell.id] = (printed, expected[cell.id])
    assert differ == {}


def without_scripts(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Leave out what is for JupyterLab alone, as tools/notebooks.py does."""
    shown = [o for o in cell.outputs if "application/javascript" not in o.get("data", {})]
    return nbformat.from_dict({**cell, "outputs": shown})
