"""Which cells run when a button is pressed, also after others have remade their names."""

from random import Random

import nbformat
import pytest
from book_site.cells import cells
from tests.live.runs_in_node import runs_of
from tests.live.test_cells import NOTEBOOKS, PACKAGE, described
from tests.live.test_needs import run_live
from tests.notebook_outputs import committed, texts


def pressed(sources: list[str], *presses: str | tuple) -> list[str]:
    """Press Run at cells a, b, c ...; return the ids of the cells that ran, for each press."""
    given = [one if isinstance(one, tuple) else (one, [], False) for one in presses]
    return ["".join(ids) for ids in runs_of(list(described(*sources).values()), given)]


@pytest.mark.parametrize(
    ("expected", "sources", "presses"),
    [
        # As long as nobody remakes a name, a cell runs once.
        ("a b c c b", ["x = 1", "y = 2", "x"], "abccb"),
        ("abc c", ["x = 1", "y = x", "x + y"], "cc"),
        # A later cell makes the name again: the first one has to, too.
        ("ab c ab", ["x = 1", "x", "x = 2"], "bcb"),
        ("ab c ab", ["x = 1", "y = x", "x = 2"], "bcb"),
        ("a c b", ["x = 1", "x = 2", "y = 3"], "acb"),
        # Also when a function reads it.
        ("abc d ac", ["x = 1", "def f():\n    return x", "f()", "x = 2"], "cdc"),
        ("abc d bc", ["x = 1", "def f():\n    return x", "f()", "def f(): pass"], "cdc"),
        # What a cell changes in place, or draws from, is made afresh.
        ("ab ab c", ["x = [1]", "x.append(2)", "x"], "bbc"),
        ("ab c a abc", ["x = [1]", "x.append(2)", "x"], "bcac"),
        ("ab ab", ["r = np.random.default_rng(0)", "r.normal()"], "bb"),
        ("abc abc abc", ["r = np.random.default_rng(0)", "r.normal()", "r"], "ccc"),
        # The same import does no harm.
        ("ab c b", ["import json", "json.dumps(1)", "import json"], "bcb"),
    ],
)
def test_a_name_that_was_remade_is_made_again(expected, sources, presses):
    assert " ".join(pressed(sources, *presses)) == expected


def test_names_that_the_readers_own_text_binds_count_too():
    sources = ["x = 1", "x", "print('any text')"]
    assert pressed(sources, "b", ("c", ["x"], False), "b", "b") == ["ab", "c", "ab", "b"]


def test_a_cell_that_broke_off_after_binding_a_name_did_not_make_it():
    sources = ["x = 1", "x", "y = 2"]
    assert pressed(sources, "b", ("c", ["x"], True), "b") == ["ab", "c", "ab"]
    assert pressed(sources, "b", ("a", ["x"], True), "b") == ["ab", "a", "ab"]


LONG = ("bottleneck", "learning", "scaling")  # their live cells train


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.slow) if path.stem.endswith(LONG) else path
        for path in NOTEBOOKS
    ],
    ids=lambda path: path.stem,
)
def test_cells_pressed_in_any_order_print_what_the_page_shows(path):
    notebook = nbformat.read(path, as_version=4)
    live = [cell for cell in cells(notebook, PACKAGE) if cell.live]
    # Each cell, later ones first, and some at random: every cell meets what those below left.
    random = Random(0)
    order = [cell.id for cell in reversed(live)] + random.sample([cell.id for cell in live], 10)
    runs = runs_of(live, [(name, [], False) for name in order])
    sent = run_live(path, *(name for names in runs for name in names))
    sources = {cell.id: cell for cell in notebook.cells}
    for name, outputs in zip([name for names in runs for name in names], sent, strict=True):
        assert texts(outputs) == committed(sources[name]), name
