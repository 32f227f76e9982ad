"""Write the notebooks that Colab opens: the book's, each with one cell in front.

Colab opens a single notebook, without the package and the files beside it. The
cell in front fetches them. The notebooks in chapters/ stay as they are; the
copies go to a branch of their own (.github/workflows/publish.yml pushes it).

python tools/launch.py --repository owner/name --branch main --output FOLDER
"""

import argparse
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
CELL = """\
# This cell is for Colab, which opens a notebook without the book around it.
import os
import sys

if not os.path.exists("../code/attention"):
    !git clone --quiet --depth 1 --branch {branch} {server}/{repository}.git book
    os.chdir("book/chapters")
    %pip install --quiet --editable ..
    # An editable package is found only after a restart; this finds it now.
    sys.path.insert(0, os.path.abspath("../code"))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repository", required=True, help="owner/name")
    parser.add_argument("--branch", default="main", help="the branch to fetch (main)")
    parser.add_argument("--server", default="https://github.com")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args()
    cell = CELL.format(
        repository=arguments.repository, branch=arguments.branch, server=arguments.server
    )
    written = write_launch_notebooks(ROOT / "chapters", arguments.output / "chapters", cell)
    print(f"Wrote {len(written)} notebooks to {arguments.output}")


def write_launch_notebooks(chapters: Path, output: Path, cell: str) -> list[Path]:
    """Copy every notebook of a folder into another, with a code cell in front."""
    output.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted(chapters.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.insert(0, nbformat.v4.new_code_cell(cell, id="fetch-the-book"))
        nbformat.write(notebook, output / path.name)
        written.append(output / path.name)
    return written


if __name__ == "__main__":
    main()
