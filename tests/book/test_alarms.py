"""The alarms ring: a copy of the book is damaged, and the checks must fail on it.

Each case runs the real command in a copy of the repository. The first case
changes nothing and must pass, or the failures of the others would prove nothing.
"""

import base64
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import nbformat
import numpy as np
import pytest
from book_texts import stem
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = f"chapters/{stem('queries-keys-values')}.ipynb"
NBVAL = ["--nbval", CHAPTER]
UNIT = ["-x", "tests/test_by_hand.py"]
LINT = ["-x", "tests/book/test_notebooks.py"]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Copy what the checks read."""
    for folder in ("_ext", "chapters", "code", "experiments", "tests", "tools", "weights"):
        skip = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=skip)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def check(book: Path, arguments: list[str]) -> subprocess.CompletedProcess:
    """Run pytest in the copy, the copy's package first on the path."""
    path = os.pathsep.join(filter(None, [str(book / "code"), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, "ATTENTION_TEST_CASES": "20"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=book, env=environment, capture_output=True, encoding="utf-8")


def change_notebook(book: Path, change: Callable) -> None:
    notebook = nbformat.read(book / CHAPTER, as_version=4)
    change([cell for cell in notebook.cells if cell.cell_type == "code"])
    nbformat.write(notebook, book / CHAPTER)


def shorten(book: Path) -> None:
    """Keep the cells as far as the second figure: they are executed for each alarm.

    That is enough: a number, and two figures to exchange.
    """
    notebook = nbformat.read(book / CHAPTER, as_version=4)
    drawn = [i for i, cell in enumerate(notebook.cells) if figures([cell])]
    notebook.cells = notebook.cells[: drawn[1] + 1]
    nbformat.write(notebook, book / CHAPTER)


def nothing(book: Path) -> None:
    pass


def wrong_scale(book: Path) -> None:
    path = book / "code/attention/by_hand/attention.py"
    source = path.read_text(encoding="utf-8")
    assert "1 / np.sqrt(d_k)" in source
    path.write_text(source.replace("1 / np.sqrt(d_k)", "1 / d_k"), encoding="utf-8")


def wrong_number(book: Path) -> None:
    def change(cells):
        output = next(c.outputs[0] for c in cells if c.outputs and "0.624" in str(c.outputs[0]))
        data = output.get("data", output)
        kind = "text/plain" if "text/plain" in data else "text"
        data[kind] = data[kind].replace("0.624", "0.642")

    change_notebook(book, change)


def figures(cells: list) -> list:
    code = [cell for cell in cells if cell.cell_type == "code"]
    return [o for c in code for o in c.outputs if "image/png" in o.get("data", {})]


def another_figure(book: Path) -> None:
    """Give the first figure the pixels of another one, in its own size."""

    def change(cells):
        first, second = figures(cells)[:2]
        size = decode(first).size
        first.data["image/png"] = encode(decode(second).resize(size))

    change_notebook(book, change)


def wrong_number_and_another_figure(book: Path) -> None:
    wrong_number(book)
    another_figure(book)


def flipped_figure(book: Path) -> None:
    def change(cells):
        figure = figures(cells)[0]
        pixels = np.asarray(decode(figure))[:, ::-1]
        figure.data["image/png"] = encode(Image.fromarray(pixels))

    change_notebook(book, change)


def decode(output) -> Image.Image:
    # Not the numbers of a palette's colours, but the colours.
    return Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).convert("RGBA")


def encode(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def no_outputs(book: Path) -> None:
    def change(cells):
        for cell in cells:
            cell.outputs, cell.execution_count = [], None
        cells[3].source += "\n# edited by hand"

    change_notebook(book, change)


slow = partial(pytest.param, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("damage", "arguments", "fails"),
    [
        (nothing, NBVAL, 0),
        slow(nothing, UNIT, 0),
        slow(nothing, LINT, 0),
        slow(wrong_scale, NBVAL, 1),
        slow(wrong_scale, UNIT, 1),
        (wrong_number_and_another_figure, NBVAL, 2),
        slow(flipped_figure, NBVAL, 1),
        (no_outputs, LINT, 1),
    ],
    ids=lambda case: getattr(case, "__name__", str(case)),
)
def test_alarm(book: Path, damage: Callable, arguments: list[str], fails: int):
    """Each damage is in another cell, so as many cells fail, or more that use what is wrong."""
    if arguments == NBVAL:
        shorten(book)
    damage(book)
    result = check(book, arguments)
    # 1: tests ran and some failed. Anything else is a fault of this test.
    said = result.stdout[-3000:] + result.stderr[-2000:]
    assert result.returncode == min(fails, 1), said
    assert len(set(re.findall(r"^FAILED (.*?)(?: - .*)?$", result.stdout, re.M))) >= fails, said
