"""Run each live cell of a notebook after the cells it needs and no others, without torch.

Prints, as JSON, the outputs of each cell, by its id. A program of its own,
since the runner puts a stand-in where IPython is, as in the page.

    python tests/live/alone.py chapters/03-queries-keys-values.ipynb
"""

import json
import os
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "_ext"), str(ROOT / "_live")]

from book_site.cells import cells  # noqa: E402


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
    results: dict[str, list] = {}
    sent: list[dict] = []
    first = runner.start(lambda text: sent.append(json.loads(text)))
    for cell in described:
        if not cell.live:
            continue
        session = runner.Session(lambda text: sent.append(json.loads(text)))
        session.show_figures = first.show_figures
        for name in [*cell.needs, cell.id]:
            sent.clear()
            session.run(name, sources[name])
        results[cell.id] = list(sent)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
