"""Each claim names its control, and the rule can fail."""

import copy
from collections.abc import Callable

import nbformat
import pytest
from nbformat import NotebookNode

from .claims import STILL_WITHOUT, claims, claims_name_their_control, word_of
from .conftest import NOTEBOOKS


def test_claims(notebook: NotebookNode):
    assert list(claims_name_their_control(notebook)) == []


def test_an_exception_is_a_chapter():
    words = {word_of(nbformat.read(path, as_version=4)) for path in NOTEBOOKS}
    assert words >= STILL_WITHOUT


# ---------------------------------------------------------- the rule itself


def chapter(*rows: str, checked: str = "assert 1 == 1") -> NotebookNode:
    """Make a chapter of two sections, the first with an `assert`, and a claims table."""
    table = "\n".join(
        ["| claim | measured | where | control |", "| --- | --- | --- | --- |", *rows]
    )
    output = nbformat.v4.new_output("execute_result", {"text/markdown": table})
    cells = [
        nbformat.v4.new_markdown_cell("# 1. A chapter", id="word-title"),
        nbformat.v4.new_markdown_cell("## Four steps", id="word-1"),
        nbformat.v4.new_code_cell(checked, id="word-2"),
        nbformat.v4.new_markdown_cell("## The rest", id="word-3"),
        nbformat.v4.new_code_cell("table(...)", id="word-claims-table", outputs=[output]),
    ]
    return nbformat.v4.new_notebook(cells=cells)


HERE, THERE = "[Four steps](#four-steps)", "[The rest](#the-rest)"
GOOD = [
    f"| It falls | 0.9 | {THERE} | attention, the same sentences: 1.0 |",
    f"| It is the same | to 12 decimals | {HERE} | exact: an assert |",
    f"| It is so on real text | 0.9 | {THERE} | cited: Koehn and Knowles (2017) |",
    f"| It took an hour | 60 minutes | {THERE} | none: one machine |",
]


def test_a_table_with_controls_passes():
    assert list(claims_name_their_control(chapter(*GOOD))) == []


@pytest.mark.parametrize(
    "row",
    [
        f"| It falls | 0.9 | {THERE} | |",
        f"| It falls | 0.9 | {THERE} | – |",
        f"| It falls | 0.9 | {THERE} |",
        f"| It is the same | to 12 decimals | {THERE} | exact |",
        f"| It is so | 0.9 | {THERE} | cited |",
        f"| It is so | 0.9 | {THERE} | none |",
        f"| It is so | 0.9 | {THERE} | none: |",
    ],
)
def test_a_row_without_a_control_is_seen(row: str):
    assert len(list(claims_name_their_control(chapter(*GOOD, row)))) == 1


def test_an_exact_claim_needs_its_assert():
    faults = list(claims_name_their_control(chapter(*GOOD, checked="gap < 1e-12")))
    assert len(faults) == 1


def with_controls() -> NotebookNode:
    """Read a chapter whose table has the column."""
    notebooks = (nbformat.read(path, as_version=4) for path in NOTEBOOKS)
    return next(one for one in notebooks if word_of(one) not in STILL_WITHOUT)


def claims_cell(notebook: NotebookNode) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.id.endswith("-claims-table"))


def change(notebook: NotebookNode, of: Callable[[str], str]) -> None:
    data = claims_cell(notebook).outputs[0]["data"]
    data["text/markdown"] = "\n".join(map(of, data["text/markdown"].split("\n")))


def drop_the_column(notebook: NotebookNode) -> None:
    change(notebook, lambda line: line.rsplit(" | ", 1)[0] + " |")


def empty_a_control(notebook: NotebookNode) -> None:
    _, rows = claims(notebook)
    change(notebook, lambda line: line.replace(f"| {rows[-1][-1]} |", "|  |"))


def drop_the_table(notebook: NotebookNode) -> None:
    claims_cell(notebook).outputs = []


@pytest.mark.parametrize("damage", [drop_the_column, empty_a_control, drop_the_table])
def test_the_rule_sees_the_damage(damage: Callable):
    sound = with_controls()
    broken = copy.deepcopy(sound)
    damage(broken)
    assert list(claims_name_their_control(sound)) == []
    assert list(claims_name_their_control(broken)) != []
