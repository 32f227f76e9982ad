"""Which cells run in the page, and what they need: read off their source."""

from pathlib import Path

import nbformat
import pytest
from book_site.cells import cells, free_names, names_of, runs_in_page
from book_site.live import left_out
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "code" / "attention"
NOTEBOOKS = sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))


def described(*sources: str) -> dict:
    """Describe a notebook with the cells a, b, c ..."""
    code = [new_code_cell(text, id="abcdefgh"[i]) for i, text in enumerate(sources)]
    found = cells(new_notebook(cells=[new_markdown_cell("text"), *code]), PACKAGE)
    return {cell.id: cell for cell in found}


def needs(*sources: str) -> str:
    """Return the ids that the last of some cells needs, run together."""
    return "".join(list(described(*sources).values())[-1].needs)


# --------------------------------------------------------------- what a cell needs


@pytest.mark.parametrize(
    ("expected", "sources"),
    [
        ("", ["x = 1", "y = 2"]),
        ("a", ["x = 1", "y = x"]),
        ("a", ["x = 1", "y = 2", "print(x)"]),
        ("ab", ["x = 1", "y = x", "z = y"]),  # what it needs needs something, too
        ("b", ["x = 1", "x = 2", "x"]),  # the last one counts
        ("", ["x = 1", "x = 2; x"]),  # made here before it is read
        ("ab", ["x = 1", "x += 1", "x"]),
        ("ab", ["x = []", "x.append(1)", "x"]),
        ("ab", ["x = {}", "x['a'] = 1", "x"]),
        ("ab", ["x = {}", "x['a'][0].b = 1", "x"]),
        ("ab", ["x = [1]", "del x[0]", "x"]),
        ("a", ["x = [1]", "x.copy().sort", "x"]),  # looked at, not changed
        ("a", ["import json", "json.dumps(1)", "json"]),  # a call on a module leaves no trace
        ("ab", ["rng = np.random.default_rng(0)", "rng.normal()", "rng.normal()"]),
        ("a", ["f = 1", "def g():\n    return f"]),
        ("ab", ["f = 1", "def g():\n    return f", "g()"]),
        ("", ["f = 1", "def g(f):\n    return f"]),
        ("", ["f = 1", "def g():\n    f = 2\n    return f"]),
        ("a", ["f = 1", "def g(x=f):\n    return x"]),
        ("", ["def g():\n    return later\n\nlater = 1"]),
        ("", ["x = 1", "[x for x in range(3)]"]),
        ("a", ["x = 1", "[y for y in range(3) if y == x]"]),
        ("a", ["x = 1", "print(f'{x:.2f}')"]),
        ("a", ["x = 1", "class A:\n    y = x"]),
        ("a", ["x = 1", "for i in range(x):\n    pass"]),
        ("", ["i = 1", "for i in range(3):\n    i"]),
        ("a", ["f = open", "with f('n') as file:\n    file"]),
        ("a", ["x, (y, *z) = 1, (2, 3)", "z"]),
        ("a", ["def d(f): return f", "@d\ndef g(): pass"]),
        ("a", ["x = 1", "if (n := x):\n    pass"]),
        ("a", ["import numpy as np", "np.eye(2)"]),
        ("a", ["from numpy import eye", "eye(2)"]),
        ("a", ["import numpy.linalg", "numpy.linalg.norm"]),
    ],
)
def test_a_cell_needs(expected, sources):
    assert needs(*sources) == expected


def test_names_in_nested_functions_are_found():
    import ast

    function = ast.parse("def f(a):\n    def g(b):\n        return a + b + c\n    return g").body[0]
    assert free_names(function) == {"c"}
    assert names_of("lambda a: a + b").read == {"b"}


# ------------------------------------------------------------------ what is live


def test_torch_and_what_comes_of_it_is_not_live():
    found = described(
        "import torch\nx = torch.ones(2)", "y = 1", "z = x + y", "z = 2", "print(y, z)", "x"
    )
    assert [cell.live for cell in found.values()] == [False, True, False, True, True, False]


def test_a_list_that_torch_filled_is_not_live():
    found = described("rows = []", "import torch\nrows.append(torch.ones(1))", "rows")
    assert [cell.live for cell in found.values()] == [True, False, False]


@pytest.mark.parametrize(
    "module",
    [
        *("attention.by_hand", "attention.checks", "attention.plot", "attention.gradients"),
        *("attention.tasks.look_up", "attention.tasks.look_up.LookUp", "attention.widgets.watch"),
    ],
)
def test_these_modules_run_in_the_page(module):
    assert runs_in_page(module, PACKAGE)


@pytest.mark.parametrize("module", ["torch", "scipy", "attention.layers", "attention.tasks.recall"])
def test_these_modules_do_not(module):
    assert not runs_in_page(module, PACKAGE)


def test_the_page_loads_a_module_or_a_package_as_a_whole_or_not_at_all():
    left = left_out(str(PACKAGE), [path.name for path in PACKAGE.iterdir()])
    assert {"layers.py", "recurrent", "transformer"} <= set(left)
    assert not {"__init__.py", "by_hand", "checks", "plot.py", "book.mplstyle"} & set(left)
    inside = ["positions.py", "layers.py", "__pycache__"]
    assert left_out(str(PACKAGE / "by_hand"), inside) == ["__pycache__"]
    assert left_out(str(PACKAGE / "widgets"), ["_base.py", "base.js"]) == ["base.js"]


def test_of_the_tasks_the_page_loads_those_that_it_can_run():
    tasks = PACKAGE / "tasks"
    left = left_out(str(tasks), [path.name for path in tasks.iterdir()])
    assert {"recall.py", "character_model"} <= set(left)
    assert not {"__init__.py", "look_up.py", "induction.py"} & set(left)


def test_a_cell_that_trains_with_our_gradients_is_live():
    found = described(
        "from attention.tasks import look_up\nfrom attention.tasks.induction import Induction",
        "look_up.train(look_up.LookUp())",
        "from attention.tasks import look_up, recall",
        "from attention.tasks.recall import Recall",
    )
    assert [cell.live for cell in found.values()] == [True, True, False, False]


def test_an_exercise_is_a_check_that_was_not_started():
    verdict = new_output("execute_result", {"text/plain": "✗ f: Not started yet"})
    stub = new_code_cell("checks.f(f)", id="a", outputs=[verdict])
    right = new_code_cell("checks.f(f)", id="b")
    found = cells(new_notebook(cells=[stub, right]), PACKAGE)
    assert [cell.exercise for cell in found] == [True, False]


# -------------------------------------------------------------- the book's chapters


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_exercise_is_live(path):
    notebook = nbformat.read(path, as_version=4)
    exercises = [cell for cell in cells(notebook, PACKAGE) if cell.exercise]
    headings = sum(cell.source.startswith("### Exercise") for cell in notebook.cells)
    assert len(exercises) == headings > 0
    assert all(cell.live for cell in exercises)


def test_most_cells_are_live():
    found = [
        cell
        for path in NOTEBOOKS
        if path.stem[3:] in {"queries-keys-values", "scaling", "masking", "multi-head"}
        for cell in cells(nbformat.read(path, as_version=4), PACKAGE)
    ]
    live = sum(cell.live for cell in found)
    print(f"{live} of {len(found)} code cells about attention itself are live")
    assert live >= 0.7 * len(found)
