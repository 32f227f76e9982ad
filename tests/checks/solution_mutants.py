"""Change the chapters' solutions in one place at a time: each change is a wrong answer.

A checker is as good as its examples. So the solution of every exercise is taken
from its chapter and changed: a number by one, an operator, a comparison, an axis,
a function into a near one, a slice by one place, two arguments swapped, a
statement left out ... Each such mutant has to be rejected by its checker, or to
be listed in ``equivalent_mutants.toml`` with the reason why it is right as well.
"""

import ast
import copy
import tomllib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import einops
import nbformat
import numpy as np
from tests.conftest import load_without_shape_checks

from attention import checks

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("equivalent_mutants.toml")
SECONDS = 0.1  # a mutant that runs longer is taken for one with a loop that never ends

# What a solution may use besides its arguments: the names its chapter has imported.
NAMES = {"np": np, "by_hand": load_without_shape_checks("by_hand"), "rearrange": einops.rearrange}

# Each name and what stands near it in the reader's memory.
NEAR = {
    "abs": ["square"],
    "all": ["any"],
    "any": ["all"],
    "arange": ["ones"],
    "argmax": ["argmin"],
    "argmin": ["argmax"],
    "concatenate": ["stack"],
    "cos": ["sin"],
    "cumsum": ["cumprod"],
    "divmod": ["divide"],
    "exp": ["expm1", "exp2"],
    "eye": ["tri", "ones"],
    "isfinite": ["isnan"],
    "len": ["np.ndim", "np.size"],
    "log": ["log2", "log1p"],
    "logaddexp": ["add", "maximum", "logaddexp2"],
    "max": ["mean", "min", "sum"],
    "maximum": ["minimum", "add"],
    "mean": ["sum", "max", "min"],
    "min": ["max", "mean"],
    "minimum": ["maximum"],
    "outer": ["multiply", "dot"],
    "sin": ["cos"],
    "softmax": ["entropy"],
    "sqrt": ["square", "cbrt"],
    "sum": ["mean", "max", "prod"],
    "tanh": ["arctan", "sin"],
    "tril": ["triu"],
    "triu": ["tril"],
    "vstack": ["hstack"],
    "zeros": ["ones"],
    "zeros_like": ["ones_like"],
}

ARITHMETIC = {
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add, ast.Mult],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult, ast.Sub, ast.FloorDiv],
    ast.FloorDiv: [ast.Div, ast.Mod],
    ast.MatMult: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
}
IN_ANY_ORDER = (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr)
COMPARISONS = [ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq]


@dataclass(frozen=True)
class Mutant:
    """A solution with one change.

    ``change`` is what tells it from the solution: its changed lines, written by
    ``ast.unparse``, or ``without`` and the line that is missing.
    """

    exercise: str
    change: str
    source: str

    def function(self) -> Callable:
        """Return the changed solution as a function."""
        return _function(self.source, f"<{self.exercise}: {self.change}>")

    def is_rejected(self) -> bool:
        """Tell whether the checker rejects it."""
        exercise, function = checks.EXERCISES[self.exercise], self.function()
        for i, inputs in enumerate(exercise.examples):  # quicker than a whole verdict
            response = exercise.ask(function, inputs)
            with np.errstate(all="ignore"):
                if not exercise.is_right(i, response):
                    return True
        return not exercise.check(function).passed


def solutions() -> dict[str, str]:
    """Return the source of each exercise's solution, from the folded cells of the chapters."""
    found = {}
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type != "code" or "hide-cell" not in cell.metadata.get("tags", []):
                continue
            tree = ast.parse(cell.source)
            exercise = _exercise_of(tree)
            if exercise:
                found[exercise] = ast.unparse(tree.body[0])
    return found


def _exercise_of(tree: ast.Module) -> str | None:
    """Name the exercise of a cell that defines a function and hands it to its checker."""
    match tree.body:
        case [
            ast.FunctionDef(name=name),
            ast.Expr(
                ast.Call(ast.Attribute(ast.Name("checks"), exercise), [ast.Name(handed_over)])
            ),
        ] if name == handed_over:
            return exercise
    return None


def _function(source: str, file: str) -> Callable:
    namespace = dict(NAMES)
    with warnings.catch_warnings(action="ignore"):
        exec(compile(source, file, "exec"), namespace)
    return namespace[ast.parse(source).body[0].name]


def mutants(exercise: str, source: str) -> list[Mutant]:
    """Return all mutants of a solution, each once."""
    tree = ast.parse(source)
    made = {}
    for put, node in _places(tree):
        for replacement in _replacements(node, tree):
            put(replacement)
            text = ast.unparse(ast.fix_missing_locations(tree))
            if text not in made and text != source and _compiles(text):
                made[text] = Mutant(exercise, _change(source, text), text)
        put(node)
    return list(made.values())


def equivalents() -> list[dict]:
    """Read the list of mutants that are right answers too: exercise, reason, mutants."""
    return tomllib.loads(LIST.read_text(encoding="utf-8"))["equivalent"]


# --------------------------------------------------------- where and what to change


def _places(tree: ast.AST) -> Iterator[tuple[Callable, ast.AST]]:
    """Yield each node below ``tree``, and a function that puts another in its place."""
    if _is_negative_literal(tree):
        return  # -1 is changed as one number
    for field, value in ast.iter_fields(tree):
        if isinstance(value, ast.AST):
            yield partial(setattr, tree, field), value
            yield from _places(value)
        elif isinstance(value, list):
            for i, node in enumerate(value):
                if isinstance(node, ast.AST):
                    yield partial(value.__setitem__, i), node
                    yield from _places(node)


def _compiles(source: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):  # such as "perhaps you missed a comma?"
            compile(source, "mutant", "exec")
    except (SyntaxError, TypeError):
        return False
    return True


def _change(before: str, after: str) -> str:
    """Describe a mutant by the lines it has in place of the solution's."""
    old, new = before.splitlines(), after.splitlines()
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(new))
    end = len(new)
    if len(new) < len(old):
        return "without " + old[start].strip()
    while end > start + 1 and new[end - 1] == old[end - 1 - len(new) + len(old)]:
        end -= 1
    if new[start].strip() == "pass":
        return "without " + old[start].strip()
    return " ".join(line.strip() for line in new[start:end])


def _replacements(node: ast.AST, tree: ast.Module) -> Iterator[ast.AST]:
    for kind, change in CHANGES.items():
        if isinstance(node, kind):
            yield from change(node)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from _other_names(node, tree)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """Copy a node with other fields."""
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _other_names(node: ast.Name, tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the function's other arguments and variables."""
    names = {argument.arg for argument in ast.walk(tree) if isinstance(argument, ast.arg)}
    names |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and _is_stored(n)}
    if node.id in names:
        yield from (_with(node, id=name) for name in sorted(names - {node.id, "_"}))


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _literals(node: ast.Constant) -> Iterator[ast.AST]:
    number = node.value
    if isinstance(number, bool):
        yield ast.Constant(not number)
    elif isinstance(number, str) and number:
        yield ast.Constant("")
    elif isinstance(number, int | float):
        others = [number + 1, number - 1, 0, 1, -number]
        yield from (ast.Constant(other) for other in dict.fromkeys(others) if other != number)


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield node.operand
    if _is_negative_literal(node):
        yield from map(_written, _literals(ast.Constant(-node.operand.value)))


def _is_negative_literal(node: ast.AST) -> bool:
    match node:
        case ast.UnaryOp(ast.USub(), ast.Constant()):
            return True
    return False


def _written(number: ast.Constant) -> ast.AST:
    """Write a negative number as the parser does: a minus, and the number."""
    if number.value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-number.value))
    return number


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    yield from (_with(node, op=other()) for other in ARITHMETIC.get(type(node.op), []))
    if not isinstance(node.op, IN_ANY_ORDER):
        yield _with(node, left=node.right, right=node.left)
    yield from (node.left, node.right)


def _comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for other in COMPARISONS:
        if not isinstance(node.ops[0], other):
            yield _with(node, ops=[other()])


def _boolean(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    yield from node.values


def _branch(node: ast.If | ast.While | ast.IfExp) -> Iterator[ast.AST]:
    yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    yield from (_with(node, test=ast.Constant(always)) for always in (True, False))


def _call(node: ast.Call) -> Iterator[ast.AST]:
    arguments = node.args
    for i in range(len(arguments) - 1):
        yield _with(node, args=_swapped(arguments, i))
    for keyword in node.keywords:
        yield _with(node, keywords=[other for other in node.keywords if other is not keyword])
    if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
        yield node.func.value  # x for x.sum()
    yield from arguments  # x for np.sqrt(x), either of them for np.maximum(x, y)


def _is_module(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in NAMES


def _attribute(node: ast.Attribute) -> Iterator[ast.AST]:
    yield from (_with(node, attr=other) for other in NEAR.get(node.attr, []))
    if node.attr == "T":
        yield node.value


def _name(node: ast.Name) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load):
        for other in NEAR.get(node.id, []):
            yield ast.parse(other, mode="eval").body


def _tuple(node: ast.Tuple | ast.List) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load):
        for i in range(len(node.elts) - 1):
            yield _with(node, elts=_swapped(node.elts, i))


def _subscript(node: ast.Subscript) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load):
        yield node.value  # x for x[:, None]


def _slice(node: ast.Slice) -> Iterator[ast.AST]:
    """Shift each end by one place, or leave it out."""
    for side, first in (("lower", 1), ("upper", -1)):
        end = getattr(node, side)
        if end is None:
            yield _with(node, **{side: ast.Constant(first)})
            continue
        yield _with(node, **{side: None})
        for op in (ast.Add(), ast.Sub()):
            yield _with(node, **{side: ast.BinOp(end, op, ast.Constant(1))})


def _statement(node: ast.stmt) -> Iterator[ast.AST]:
    yield ast.Pass()


def _swapped(things: list, i: int) -> list:
    return [*things[:i], things[i + 1], things[i], *things[i + 2 :]]


CHANGES: dict[type | tuple[type, ...], Callable] = {
    ast.Constant: _literals,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Compare: _comparison,
    ast.BoolOp: _boolean,
    (ast.If, ast.While, ast.IfExp): _branch,
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.Name: _name,
    (ast.Tuple, ast.List): _tuple,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    (ast.Assign, ast.AugAssign, ast.For, ast.While, ast.If): _statement,
}
