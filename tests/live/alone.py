"""Run live cells of a notebook as the page does, without torch.

Each in a session of its own, after the cells it needs and no others; prints, as JSON,
the outputs of each cell, by its id:

    python tests/live/alone.py chapters/NOTEBOOK.ipynb

Some in one session, in the order given; prints the outputs of each run:

    python tests/live/alone.py chapters/NOTEBOOK.ipynb FIRST-CELL SECOND-CELL

A program of its own, since the runner puts a stand-in where IPython is, as in the page.
"""

import json
import os
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "_ext"), str(ROOT / "_live")]

from book_site.cells import Cell, cells  # noqa: E402


class NotInThePage:
    """Let importing torch fail, as it does in the page."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in {"torch", "safetensors"}:
            raise ModuleNotFoundError(f"No module named {name!r}")


def main() -> None:
    import runner

    notebook = nbformat.read(sys.argv[1], as_version=4)
    os.chdir(Path(sys.argv[1]).parent)
    sources = {cell.id: cell.source for cell in notebook.cells}
    described = cells(notebook, ROOT / "code" / "attention")
    sys.meta_path.insert(0, NotInThePage())
    # Texts are compared. To draw takes longer than all the rest; nbval does, for every figure.
    runner.picture = lambda figure: None
    sent: list[dict] = []
    first = runner.start(lambda text: sent.append(json.loads(text)))

    def outputs(session: runner.Session, name: str) -> list[dict]:
        sent.clear()
        session.run(name, sources[name])
        return list(sent)

    def alone(cell: Cell) -> list[dict]:
        session = runner.Session(lambda text: sent.append(json.loads(text)))
        session.show_figures = first.show_figures
        return [outputs(session, name) for name in [*cell.needs, cell.id]][-1]

    if in_order := sys.argv[2:]:
        print(json.dumps([outputs(first, name) for name in in_order]))
    else:
        print(json.dumps({cell.id: alone(cell) for cell in described if cell.live}))


if __name__ == "__main__":
    main()
