"""The notebooks for Colab, without Colab: a valid copy that begins by fetching the book."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from built_site import ROOT
from IPython.core.inputtransformer2 import TransformerManager


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("launch")
    command = [sys.executable, ROOT / "tools" / "launch.py", "--repository", "someone/a-fork"]
    subprocess.run([*command, "--branch", "draft", "--output", output], check=True)
    return output / "chapters"


def test_every_notebook_has_a_copy(copies: Path) -> None:
    names = {path.name for path in (ROOT / "chapters").glob("*.ipynb")}
    assert names
    assert {path.name for path in copies.iterdir()} == names


def test_copy_is_the_notebook_with_one_cell_in_front(copies: Path) -> None:
    for path in copies.iterdir():
        copy = nbformat.read(path, as_version=4)
        nbformat.validate(copy)
        original = nbformat.read(ROOT / "chapters" / path.name, as_version=4)
        assert copy.cells[1:] == original.cells


def test_first_cell_fetches_the_named_repository_and_branch(copies: Path) -> None:
    for path in copies.iterdir():
        first = nbformat.read(path, as_version=4).cells[0]
        assert "--branch draft https://github.com/someone/a-fork.git" in first.source
        compile(TransformerManager().transform_cell(first.source), path.name, "exec")


def test_first_cell_does_nothing_beside_the_book(
    copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Binder and a clone have the package at its place: nothing is fetched there."""
    first = nbformat.read(next(copies.iterdir()), as_version=4).cells[0]
    code = TransformerManager().transform_cell(first.source)
    monkeypatch.chdir(ROOT / "chapters")
    # Without an IPython shell, fetching would raise a NameError.
    exec(code, {})


def test_first_cell_fetches_where_the_book_is_missing(
    copies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = nbformat.read(next(copies.iterdir()), as_version=4).cells[0]
    code = TransformerManager().transform_cell(first.source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    calls = []

    class Shell:
        def system(self, command: str) -> None:
            calls.append(command)
            (tmp_path / "book" / "chapters").mkdir(parents=True)

        def run_line_magic(self, name: str, line: str) -> None:
            calls.append(f"{name} {line}")

    exec(code, {"get_ipython": Shell})
    assert [call.split()[0] for call in calls] == ["git", "pip"]
    assert Path.cwd() == tmp_path / "book" / "chapters"
    assert sys.path[0] == str(tmp_path / "book" / "code")
