"""Which tests and cells compare numbers that another processor may round otherwise.

Read off the source, so that nobody has to remember the mark: `test_arithmetic.py` fails
if one of these has not got it. `make portable` runs all that are marked.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from book_site.cells import cells
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "code" / "attention"
MARK = "arithmetic"
# Calls that train, in the package and as the experiments name them. `model.train()` and
# `model.train(False)` switch a mode: what trains is told more.
TRAINING = {"TrainingRun", "advance", "minimise", "backward"}
TRAINING_FUNCTION = "train"
# Calls on a script of experiments/ that train or measure a model.
EXPERIMENTS = {"run", "measure", "trained", "reach_of", "losses", "measures", "right"}
LIBRARIES = {"subprocess", "page", "session"}  # their `run` is another one
COMPARISONS = {"approx", "assert_allclose", "assert_close", "allclose", "isclose"}
ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


# ------------------------------------------------------------------------- notebooks


def cells_of_this_kind(notebook: NotebookNode) -> set[str]:
    """Return the ids of cells that show what torch computed.

    That is what cannot run in the page: a cell that uses torch or a part of the package
    that does, or a name that such a cell made. Its numbers may come from training or from
    float32. A cell that shows nothing compares nothing.
    """
    shows = {cell.id for cell in notebook.cells if cell.get("outputs")}
    return {cell.id for cell in cells(notebook, PACKAGE) if not cell.live and cell.id in shows}


def wrongly_tagged(notebook: NotebookNode) -> Iterator[str]:
    """Say which cells lack the tag, and which have it for nothing."""
    wanted = cells_of_this_kind(notebook)
    for cell in notebook.cells:
        tagged = MARK in cell.metadata.get("tags", [])
        if cell.id in wanted and not tagged:
            yield f"{cell.id}: shows what torch computed, and has no tag `{MARK}`"
        if tagged and cell.id not in wanted:
            yield f"{cell.id}: shows nothing that torch computed, and has the tag `{MARK}`"


# ----------------------------------------------------------------------------- tests


def unmarked_tests(source: str) -> list[str]:
    """Name the tests of a module that train or load a trained model, compare, and lack the mark.

    To compare is to call `approx` or its like, or to ask which of two is larger. Equality
    is left out: two results of one process, on one machine, may well be equal to the bit.
    What a test uses of its module, fixtures or functions, counts as its own.
    """
    tree = ast.parse(source)
    functions = {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    if any(_is_mark(node.value) for node in tree.body if _assigns(node, "pytestmark")):
        return []
    return [
        name
        for name, node in functions.items()
        if name.startswith("test_")
        and not any(_is_mark(decorator) for decorator in node.decorator_list)
        and any(map(_trains, _used(name, functions)))
        and any(map(_compares, _used(name, functions)))
    ]


def _assigns(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name


def _is_mark(node: ast.expr) -> bool:
    """Tell whether the mark is here: alone, or in a list of marks."""
    return any(
        isinstance(each, ast.Attribute) and each.attr == MARK and "mark" in ast.unparse(each.value)
        for each in ast.walk(node)
    )


def _used(name: str, functions: dict[str, ast.AST]) -> list[ast.AST]:
    """Return a function and what it uses of its module, directly or not."""
    found: dict[str, ast.AST] = {}
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each in found or each not in functions:
            continue
        found[each] = functions[each]
        for node in ast.walk(functions[each]):
            if isinstance(node, ast.Name):
                waiting.append(node.id)
            elif isinstance(node, ast.arg):  # a fixture
                waiting.append(node.arg)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                waiting.append(node.value)  # one in `usefixtures`
    return list(found.values())


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls in a function, except those that are to be refused."""
    if isinstance(node, ast.With) and any("raises" in ast.unparse(i) for i in node.items):
        return
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _calls(child)


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _trains(node: ast.AST) -> bool:
    return any(_is_training(call) or _loads_weights(call) for call in _calls(node))


def _is_training(call: ast.Call) -> bool:
    name = _name(call)
    if name == TRAINING_FUNCTION:
        return len(call.args) + len(call.keywords) > 1
    if name in EXPERIMENTS and isinstance(call.func, ast.Attribute):
        return ast.unparse(call.func.value) not in LIBRARIES and bool(call.args)
    return name in TRAINING


def _loads_weights(call: ast.Call) -> bool:
    given = " ".join(ast.unparse(argument) for argument in call.args)
    names = ("WEIGHTS", "COMMITTED", "weights/", "'weights'")
    return _name(call).startswith("load") and any(name in given for name in names)


def _compares(node: ast.AST) -> bool:
    if any(_name(call) in COMPARISONS for call in _calls(node)):
        return True
    compared = (each for each in ast.walk(node) if isinstance(each, ast.Compare))
    return any(isinstance(op, ORDERS) for each in compared for op in each.ops)
