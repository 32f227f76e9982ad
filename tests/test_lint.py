"""Each linter finds a fault that was planted for it, and none is left out."""

import shutil
from pathlib import Path

import lint
import pytest

CONFIGURATION = ("pyproject.toml", "eslint.config.mjs")

FAULTS = {
    "ruff check": ("tools/planted.py", '"""Plant a fault."""\n\nimport os\n'),
    "ruff format": ("tools/planted.py", "planted  =  'a fault'\n"),
    "codespell": ("README.md", f"The fault is {'defin' + 'ately'} here.\n"),
    "eslint": ("_live/planted.js", "export const same = planted == 1;\n"),
}


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Lay out a book of which only the settings of the linters are there."""
    for name in CONFIGURATION:
        shutil.copy(lint.ROOT / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(lint.ROOT / "node_modules")
    return tmp_path


def write(book: Path, name: str, text: str) -> None:
    path = book / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(book, name):
    file, text = FAULTS[name]
    write(book, file, text)
    outcome = lint.run(lint.LINTERS[name], book)
    assert not outcome.passed
    assert Path(file).name in outcome.said


@pytest.mark.parametrize("name", FAULTS)
def test_the_linter_passes_where_there_is_no_fault(book, name):
    for file, text in {"README.md": "No fault is here.\n", "_live/good.js": "export {};\n"}.items():
        write(book, file, text)
    write(book, "tools/good.py", '"""No fault is here."""\n')
    assert lint.run(lint.LINTERS[name], book).passed


def test_each_import_contract_finds_its_fault(book):
    shutil.copytree(lint.ROOT / "code", book / "code")
    contracts = {
        # contract: module, what it must not import
        "Each module imports only from the rows below it": ("by_hand", "attention.corpus"),
        "No circle of imports": ("generate", "attention.kv_cache"),
        "What runs in the page needs NumPy alone, and matplotlib to draw": ("plot", "torch"),
        "Only plot, and what makes pictures of its figures, draws": ("training", "matplotlib"),
        "The package imports no test, experiment or tool": ("layers", "tests"),
    }
    assert lint.run(lint.LINTERS["lint-imports"], book).passed
    for module, forbidden in contracts.values():
        write(book, f"code/attention/{module}.py", f"\nimport {forbidden}\n")
    said = lint.run(lint.LINTERS["lint-imports"], book).said
    assert [name for name in contracts if f"{name} BROKEN" in said] == list(contracts)


def test_a_new_module_is_given_its_row(book):
    shutil.copytree(lint.ROOT / "code", book / "code")
    write(book, "code/attention/newcomer.py", '"""A module that no contract knows."""\n')
    outcome = lint.run(lint.LINTERS["lint-imports"], book)
    assert not outcome.passed
    assert "newcomer" in outcome.said


def test_every_linter_runs_and_one_failure_is_enough(monkeypatch, capsys):
    ran = []

    def run(command: tuple[str, ...], folder: Path) -> lint.Outcome:
        ran.append(command)
        return lint.Outcome("codespell_lib" not in command, 0.1, "what it said")

    monkeypatch.setattr(lint, "run", run)
    assert lint.main([]) == 1
    printed = capsys.readouterr().out
    assert sorted(ran) == sorted(lint.LINTERS.values())
    for name in lint.LINTERS:
        verdict = "FAILED" if name == "codespell" else "passed"
        assert f"{name:<14} {verdict}" in printed
    assert printed.count("what it said") == 1
    monkeypatch.setattr(lint, "run", lambda command, folder: lint.Outcome(True, 0.1, ""))
    assert lint.main(["--book"]) == 0
    assert "tests/book" in capsys.readouterr().out
