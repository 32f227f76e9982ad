"""Which cells of a notebook can run in the page, and which earlier cells each one needs.

A cell can run in the page unless it needs a library that is not there (torch,
above all), or a name that such a cell made. This is read off the source: nobody
has to keep a list. The tests run each cell after what it needs and nothing
else, and expect the committed output.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from nbformat import NotebookNode

# What the Python in the page has beside the standard library and our package.
LIBRARIES = {"numpy", "matplotlib", "PIL", "einops", "jaxtyping", "IPython"}
# A look at a random generator changes what it gives next.
GENERATORS = {"default_rng", "Generator", "Random"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Cell:
    """One code cell, as the page has to know it."""

    id: str
    live: bool
    needs: list[str]  # ids of earlier live cells, in the page's order
    exercise: bool
    # Names that cells share, without what is imported: the ones this cell reads, with the
    # ids of the cells that made each what it is here; makes; and changes in place.
    reads: dict[str, list[str]] = field(default_factory=dict)
    makes: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


@dataclass
class Names:
    """What a cell does with the names that all cells share."""

    read: set[str] = field(default_factory=set)  # and not made in the cell before
    made: set[str] = field(default_factory=set)  # bound afresh
    changed: set[str] = field(default_factory=set)  # still the same object
    # What its functions and classes read when they are called, by their names. Those of
    # a function without a name stand under "".
    inner: dict[str, set[str]] = field(default_factory=dict)
    generators: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)  # imported, with dots
    imported: set[str] = field(default_factory=set)  # under these names


def cells(notebook: NotebookNode, package: Path) -> list[Cell]:
    """Describe the code cells of a notebook that imports the package in the folder `package`."""
    makers: dict[str, list[int]] = {}  # name -> the cells that made it what it is
    inner: dict[str, set[str]] = {}  # name of a function -> what it reads when it is called
    generators: set[str] = set()
    imported: set[str] = set()
    described: list[Cell] = []
    sources = [cell for cell in notebook.cells if cell.cell_type == "code"]
    closure: list[set[int]] = []
    for number, cell in enumerate(sources):
        names = names_of(cell.source)
        generators |= names.generators
        imported |= names.imported
        read = through_functions(names.read, inner)
        direct = {maker for name in read for maker in makers.get(name, [])} - {number}
        needed = direct.union(*(closure[maker] for maker in direct))
        live = all(runs_in_page(module, package) for module in names.modules) and all(
            described[maker].live for maker in direct
        )
        # `plt.show()` is a call on a name, too, but leaves no trace in the module.
        changes = (names.changed - imported) | (names.read & generators)
        reads = {
            name: [sources[maker].id for maker in makers[name]]
            for name in sorted(read & {*makers} - imported)
        }
        for name in names.made:
            makers[name], inner[name] = [number], names.inner.get(name, set())
        for name in changes:
            makers[name] = [*makers.get(name, []), number]
        closure.append(needed)
        described.append(
            Cell(
                id=cell.id,
                live=live,
                needs=[sources[index].id for index in sorted(needed)] if live else [],
                exercise=is_exercise(cell),
                reads=reads if live else {},
                makes=sorted(names.made - names.imported),
                changes=sorted(changes),
            )
        )
    taken = {name for cell in described for name in cell.reads}
    for cell in described:  # what no other cell reads is of no interest
        cell.makes = [name for name in cell.makes if name in taken]
    return described


def through_functions(read: set[str], inner: dict[str, set[str]]) -> set[str]:
    """Add to the names that a cell reads those that its functions read when they are called."""
    found, waiting = set(), read
    while waiting:
        found = found | waiting
        waiting = set().union(*(inner.get(name, ()) for name in waiting)) - found
    return found


def is_exercise(cell: NotebookNode) -> bool:
    """Tell whether a reader is to write an answer here: its checker says "Not started"."""
    printed = "".join(
        output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", [])
    )
    return "checks." in cell.source and "Not started" in printed


# ------------------------------------------------------------------------ modules


# In these rooms of the package each module stands for itself; every other room is in the
# page as a whole or not at all.
APART = {"pretrained", "tasks"}


@cache
def runs_in_page(module: str, package: Path) -> bool:
    """Tell whether `module` (dotted) can be imported by the Python in the page."""
    top, *rest = module.split(".")
    if top != package.name:
        return top in sys.stdlib_module_names or top in LIBRARIES
    rest = rest[: 2 if rest[:1] and rest[0] in APART else 1]
    return all(
        runs_in_page(imported, package)
        for file in _files(package, rest or ["__init__"])
        for imported in names_of(file.read_text(encoding="utf-8")).modules
        # A part of the package that imports itself is being looked at already.
        if imported.split(".")[: 1 + len(rest)] != [top, *rest]
    )


def _files(package: Path, inside: list[str]) -> list[Path]:
    single = package.joinpath(*inside).with_suffix(".py")
    return [single] if single.exists() else sorted(package.joinpath(*inside).rglob("*.py"))


# -------------------------------------------------------------------------- names


def names_of(source: str) -> Names:
    """Read off a cell's source which shared names it reads, makes and changes."""
    names = Names()
    for statement in ast.parse(source).body:
        _visit(statement, names)
    names.read |= set().union(*names.inner.values()) - names.made
    return names


def _visit(node: ast.AST, names: Names) -> None:
    """Follow the order in which Python evaluates, as far as it matters here."""
    if isinstance(node, ast.Name):
        (_read if isinstance(node.ctx, ast.Load) else _make)(node.id, names)
    elif isinstance(node, ast.Import | ast.ImportFrom):
        _import(node, names)
    elif isinstance(node, FUNCTIONS):
        names.inner.setdefault(getattr(node, "name", ""), set()).update(free_names(node))
        for outside in [*getattr(node, "decorator_list", []), *_defaults(node)]:
            _visit(outside, names)
        if not isinstance(node, ast.Lambda):
            names.made.add(node.name)
    elif isinstance(node, ast.ClassDef):
        _class(node, names)
    elif isinstance(node, COMPREHENSIONS):
        for name in free_names(node):
            _read(name, names)
    else:
        _change(node, names)
        for child in _in_order(node):
            _visit(child, names)


def _class(node: ast.ClassDef, names: Names) -> None:
    """Follow a class: its methods run later, and what its body makes stays inside."""
    body = Names()
    for statement in [*node.decorator_list, *node.bases, *node.keywords, *node.body]:
        _visit(statement, body)
    for name in body.read:
        _read(name, names)
    names.modules |= body.modules
    names.inner[node.name] = set().union(*body.inner.values())
    names.made.add(node.name)


def _read(name: str, names: Names) -> None:
    if name not in names.made:
        names.read.add(name)


def _make(name: str, names: Names) -> None:
    names.made.add(name)


def _import(node: ast.Import | ast.ImportFrom, names: Names) -> None:
    for alias in node.names:
        if isinstance(node, ast.Import):
            names.modules.add(alias.name)
        elif (node.module or "").partition(".")[0] == "attention":
            # A module, or a name in one; `runs_in_page` looks no further than it has to.
            names.modules.add(f"{node.module}.{alias.name}")
        else:
            names.modules.add(node.module or "")
        name = (alias.asname or alias.name).partition(".")[0]
        names.made.add(name)
        names.imported.add(name)


def _change(node: ast.AST, names: Names) -> None:
    """Note what is changed in place: `x[0] = 1`, `x.a = 1`, `x += 1`, `x.append(1)`."""
    targets: list[ast.AST] = []
    if isinstance(node, ast.Assign | ast.Delete):
        targets = [t for t in node.targets if isinstance(t, ast.Subscript | ast.Attribute)]
        if isinstance(node, ast.Assign) and _is_generator(node.value):
            names.generators |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    elif isinstance(node, ast.AugAssign):
        targets = [node.target]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        targets = [node.value.func] if isinstance(node.value.func, ast.Attribute) else []
    for target in targets:
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name):
            _read(target.id, names)
            if target.id not in names.made:
                names.changed.add(target.id)


def _is_generator(value: ast.AST) -> bool:
    """Tell whether a value is `default_rng(0)`, or `torch.Generator().manual_seed(0)`."""
    if not isinstance(value, ast.Call):
        return False
    maker = value.func
    if isinstance(maker, ast.Attribute) and maker.attr == "manual_seed":
        return _is_generator(maker.value)
    name = maker.attr if isinstance(maker, ast.Attribute) else getattr(maker, "id", "")
    return name in GENERATORS


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children, a value before the name that it is given to."""
    children = list(ast.iter_child_nodes(node))
    late = [*getattr(node, "targets", []), getattr(node, "target", None)]
    early = [child for child in children if isinstance(child, ast.expr) and child not in late]
    rest = [child for child in children if child not in late and child not in early]
    yield from [*early, *(child for child in late if child is not None), *rest]


def _defaults(node: ast.AST) -> list[ast.expr]:
    return [default for default in [*node.args.defaults, *node.args.kw_defaults] if default]


def free_names(node: ast.AST) -> set[str]:
    """Return the names that a function or a comprehension takes from around it."""
    used, bound = set(), set()
    if isinstance(node, FUNCTIONS):
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += filter(None, [arguments.vararg, arguments.kwarg])
        bound = {argument.arg for argument in every}
    for child in ast.iter_child_nodes(node):
        _collect(child, used, bound)
    return used - bound


def _collect(node: ast.AST, used: set[str], bound: set[str]) -> None:
    if isinstance(node, ast.Name):
        (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
    elif isinstance(node, FUNCTIONS + COMPREHENSIONS):
        used |= free_names(node)
        if not isinstance(node, (ast.Lambda, *COMPREHENSIONS)):
            bound.add(node.name)
    else:
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        for child in ast.iter_child_nodes(node):
            _collect(child, used, bound)
