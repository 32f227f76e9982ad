"""Run every linter of the book, and say which of them found something.

    .venv/bin/python tools/lint.py          style, imports, spelling and scripts
    .venv/bin/python tools/lint.py --book   and the rules of notebooks and prose

All run, two at a time, even if one fails; what a failing one says is printed.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import environment

ROOT = environment.ROOT
PYTHON = (sys.executable, "-m")
# Each looks at all files below the folder that it runs in.
LINTERS = {
    "ruff check": (*PYTHON, "ruff", "check", "."),
    "ruff format": (*PYTHON, "ruff", "format", "--check", "."),
    "lint-imports": (str(Path(sys.executable).with_name("lint-imports")), "--no-cache"),
    "codespell": (*PYTHON, "codespell_lib", "."),
    "eslint": ("node", "node_modules/eslint/bin/eslint.js", "."),
}
BOOK = {"tests/book": (*PYTHON, "pytest", "--quiet", "tests/book")}


class Outcome(NamedTuple):
    """What came of one linter."""

    passed: bool
    seconds: float
    said: str


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--book", action="store_true", help="the rules of the notebooks too")
    linters = LINTERS | (BOOK if parser.parse_args(arguments).book else {})
    all_passed = True
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(lambda command: run(command, ROOT), linters.values())
        for name, outcome in zip(linters, outcomes, strict=True):
            verdict = "passed" if outcome.passed else "FAILED"
            print(f"{name:<14} {verdict} {outcome.seconds:7.1f} s", flush=True)
            if not outcome.passed:
                print(outcome.said, flush=True)
            all_passed &= outcome.passed
    return 0 if all_passed else 1


def run(command: Sequence[str], folder: Path) -> Outcome:
    """Run a linter in a folder that is laid out like the book's."""
    if command[0] == "node":
        command = (str(environment.node_program()), *command[1:])
    started = time.perf_counter()
    outcome = subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(folder / "code"), "PYTHONUTF8": "1"},
    )
    return Outcome(outcome.returncode == 0, time.perf_counter() - started, outcome.stdout)


if __name__ == "__main__":
    sys.exit(main())
