"""Execute the book's notebooks, the only way their outputs are ever made.

python tools/notebooks.py run                         every notebook
python tools/notebooks.py run chapters/05-scaling.ipynb
python tools/notebooks.py show chapters/05-scaling.ipynb    as text, for git diff
"""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
CELL_METADATA = {"tags", "mystnb", "label", "jupyter"}
# How large JupyterLab shows a figure, and on which ground.
SHOWN_WITH = {"image/png", "needs_background"}
# One thread: the same sums in the same order, and faster for small arrays.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def run(path: Path) -> float:
    """Execute a notebook in a fresh kernel, store it, and return the seconds it took."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    started = time.monotonic()
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    seconds = time.monotonic() - started
    normalise(notebook)
    nbformat.write(notebook, path)
    return seconds


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Keep in the file what the book needs, so that diffs show changes alone."""
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in CELL_METADATA}
        cell.pop("attachments", None)
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if not is_script(output)]
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = {k: v for k, v in output.metadata.items() if k in SHOWN_WITH}
    nbformat.validate(notebook)


def is_script(output: nbformat.NotebookNode) -> bool:
    """Tell whether an output is what `widgets.enable()` hands to JupyterLab, and no result."""
    return "application/javascript" in output.get("data", {})


def show(path: Path) -> None:
    """Print a notebook as text: cells, tags and text outputs, no image data."""
    for cell in nbformat.read(path, as_version=4).cells:
        tags = " ".join(cell.metadata.get("tags", []))
        print(f"--- {cell.cell_type} {cell.id} {tags}".rstrip())
        print(cell.source)
        for output in cell.get("outputs", []):
            for kind, text in output.get("data", {"text": output.get("text", "")}).items():
                print(f"  [{kind}] {'(image)' if kind.startswith('image/') else text}")


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the code cells in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("verb", choices=("run", "show"))
    parser.add_argument("paths", nargs="*", type=Path, help="default: every chapter")
    arguments = parser.parse_args()
    # Not every output can write all signs of a chapter: a pipe on Windows has no "−".
    sys.stdout.reconfigure(errors="replace")
    for path in arguments.paths or sorted(CHAPTERS.glob("*.ipynb")):
        if not path.is_file():
            sys.exit(f"no such notebook: {path}")
        if arguments.verb == "show":
            show(path)
        else:
            print(f"{path.name} ...", end=" ", flush=True)
            print(f"{run(path):.0f} s", flush=True)


if __name__ == "__main__":
    main()
