"""The Python files that the site shows: what each defines, and where a name is defined.

Everything is read off the files' text (`ast`), nothing is imported: a name that a package
only hands on (`attention.training.Recipe`) is followed to the file that defines it.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Folders of the book, with what stands before a module's name in each.
FOLDERS = {"code/attention": "attention", "experiments": "experiments"}
# The bracket that ends a first line: where the module is explained, or what it is for.
BRACKET = re.compile(r"\s*\(([^()]+)\)\.?$")
PLACE = re.compile(r"([a-z]+(?:-[a-z]+)*)(?:: (.+))?")
EVERYWHERE = "all chapters"
NOWHERE = re.compile(r"the package's own|used by .+")
STOPS = (".", "?", "!")


@dataclass(frozen=True)
class Place:
    """A chapter, by its word, and the beginning of one of its headings, or ``""``."""

    word: str
    heading: str = ""


@dataclass(frozen=True)
class Lines:
    """Where a definition stands in its file: first and last line, counted from 1."""

    first: int
    last: int
    can_be_called: bool = True  # a function or a class


@dataclass(eq=False)
class Module:
    """One file: what it defines and what it takes from others."""

    name: str  # "attention.by_hand", "experiments.cost"
    path: str  # from the book's folder
    text: str
    definitions: dict[str, Lines] = field(default_factory=dict)  # "Class.method", too
    imports: dict[str, str] = field(default_factory=dict)  # name here -> dotted name there
    stars: list[str] = field(default_factory=list)  # modules of which all names are taken
    # The brackets of functions and classes that a section of their own explains.
    told: dict[str, str] = field(default_factory=dict)

    @property
    def is_package(self) -> bool:
        """Whether this is the file of a folder, and not of a module in it."""
        return self.path.endswith("/__init__.py")

    @property
    def page(self) -> str:
        """The page's name in the site, without ``.html``."""
        return self.path.removesuffix(".py").replace("__init__", "index")

    @property
    def title(self) -> str:
        """What a reader would write to name it: scripts go by their path."""
        return self.name if self.name.startswith("attention") else self.path

    @cached_property
    def first_line(self) -> str:
        """The first line of the docstring."""
        return (ast.get_docstring(ast.parse(self.text)) or "").partition("\n")[0]

    @property
    def summary(self) -> str:
        """The first line without its bracket."""
        if not self.bracket:
            return self.first_line
        said = BRACKET.sub("", self.first_line)
        return said if said.endswith(STOPS) else f"{said}."

    @property
    def bracket(self) -> str:
        """What the bracket at the end of the first line says, if it says a place."""
        said = in_bracket(self.first_line)
        return said if NOWHERE.fullmatch(said) or said == EVERYWHERE or places(said) else ""

    @property
    def places(self) -> list[Place]:
        """Where the book explains the module, as its first line says."""
        return places(self.bracket)

    @property
    def brackets(self) -> list[str]:
        """All that name a place: the module's own, then those of its functions and classes."""
        return [said for said in dict.fromkeys([self.bracket, *self.told.values()]) if places(said)]

    @property
    def all_places(self) -> list[Place]:
        """Where the book explains the module, or a part of it."""
        return list(dict.fromkeys(place for said in self.brackets for place in places(said)))

    def line_with(self, text: str) -> int:
        """Find the only line that has a text; lines are counted from 1.

        Raises
        ------
        ValueError
            If no line has it, or more than one.
        """
        lines = enumerate(self.text.split("\n"), start=1)
        found = [number for number, line in lines if text in line]
        if len(found) != 1:
            raise ValueError(f"{self.path}: expected one line with {text!r}, got {len(found)}")
        return found[0]


def in_bracket(first_line: str) -> str:
    """Return what the bracket at the end of a docstring's first line says, or ``""``."""
    found = BRACKET.search(first_line)
    return found[1] if found else ""


def places(bracket: str) -> list[Place]:
    """Read ``word: heading``, several of them with ``;`` between, or ``word, word``.

    >>> places("scaling: Two controls")
    [Place(word='scaling', heading='Two controls')]
    """
    if bracket == EVERYWHERE or NOWHERE.fullmatch(bracket):
        return []
    parts = bracket.split("; ") if ":" in bracket else bracket.split(", ")
    found = [PLACE.fullmatch(part) for part in parts]
    return [Place(match[1], match[2] or "") for match in found if match] if all(found) else []


@dataclass(frozen=True)
class Target:
    """A module, or a definition in it."""

    module: Module
    name: str = ""  # within the module
    line: int = 0  # where it is looked at, if not from its beginning

    @property
    def title(self) -> str:
        """What a reader would write to name it."""
        return f"{self.module.title}.{self.name}" if self.name else self.module.title

    @property
    def anchor(self) -> str:
        """The end of its address."""
        place = f"L{self.line}" if self.line else self.name
        return f"#{place}" if place else ""


class Modules:
    """All modules of the book, by their names."""

    def __init__(self, root: Path):
        self.by_name = {module.name: module for module in read_all(root)}
        self.by_path = {module.path: module for module in self.by_name.values()}

    def find(self, name: str, seen: frozenset[str] = frozenset()) -> Target | None:
        """Find where a dotted name is defined, or return None."""
        if name in seen:
            return None
        # A package may give a function the name of the file that holds it.
        package, _, last = name.rpartition(".")
        around = self.by_name.get(package)
        if around and last in around.imports and name in self.by_name:
            found = self.find(around.imports[last], seen | {name})
            return found or Target(self.by_name[name])
        parts = name.split(".")
        for count in range(len(parts), 0, -1):
            if module := self.by_name.get(".".join(parts[:count])):
                return self._inside(module, parts[count:], seen | {name})
        return None

    def _inside(self, module: Module, rest: list[str], seen: frozenset[str]) -> Target | None:
        if not rest:
            return Target(module)
        if ".".join(rest) in module.definitions:
            return Target(module, ".".join(rest))
        if rest[0] in module.imports:
            return self.find(".".join([module.imports[rest[0]], *rest[1:]]), seen)
        if rest[0] in module.definitions:  # an attribute of a class, say
            return Target(module, rest[0])
        taken = (self.find(".".join([star, *rest]), seen) for star in module.stars)
        return next(filter(None, taken), None)

    def mentioned(self, text: str) -> Target | None:
        """Find what a piece of inline code names: a path, ``attention.x`` or ``x.y``."""
        words = text.split()
        if words and words[0] in self.by_path:
            return Target(self.by_path[words[0]])
        name = re.fullmatch(r"([A-Za-z_][\w.]*\w)(\(.*\))?", text.strip())
        if name is None or "." not in name[1]:
            return None
        inside = name[1].startswith("attention.")
        return self.find(name[1] if inside else f"attention.{name[1]}")


# ------------------------------------------------------------------------- reading


def read_all(root: Path) -> Iterator[Module]:
    for folder, top in FOLDERS.items():
        for file in sorted((root / folder).rglob("*.py")):
            inside = file.relative_to(root / folder).with_suffix("").parts
            if "__pycache__" not in inside:
                name = ".".join([top, *(part for part in inside if part != "__init__")])
                yield read(
                    name, file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
                )


def read(name: str, path: str, text: str) -> Module:
    """Describe one file."""
    module = Module(name, path, text)
    for statement in outermost(ast.parse(text).body):
        if isinstance(statement, ast.ImportFrom):
            origin = origin_of(statement, module)
            for alias in statement.names:
                if alias.name == "*":
                    module.stars.append(origin)
                else:
                    module.imports[alias.asname or alias.name] = f"{origin}.{alias.name}"
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                module.imports[alias.asname or alias.name] = alias.name
        else:
            define(statement, module)
    return module


def outermost(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those under an `if` or a `try` too."""
    for statement in body:
        if isinstance(statement, ast.If | ast.Try):
            handlers = [part for one in getattr(statement, "handlers", []) for part in one.body]
            yield from outermost([*statement.body, *handlers, *statement.orelse])
        else:
            yield statement


def origin_of(statement: ast.ImportFrom, module: Module) -> str:
    """Name the module that something is imported from, with dots from the top."""
    if not statement.level:
        return statement.module or ""
    up = statement.level - module.is_package
    parent = module.name.split(".")[: -up or None]
    return ".".join([*parent, *filter(None, [statement.module])])


def define(statement: ast.stmt, module: Module, within: str = "") -> None:
    """Note functions, classes, their methods, and the names of a module's constants."""
    definitions = module.definitions
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        first = min([statement.lineno, *(one.lineno for one in statement.decorator_list)])
        name = within + statement.name
        definitions.setdefault(name, Lines(first, statement.end_lineno))
        said = in_bracket((ast.get_docstring(statement) or "").partition("\n")[0])
        if any(place.heading for place in places(said)):
            module.told.setdefault(name, said)
        if isinstance(statement, ast.ClassDef):
            for inner in statement.body:
                if isinstance(inner, (*FUNCTIONS, ast.ClassDef)):
                    define(inner, module, f"{name}.")
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = getattr(statement, "targets", None) or [statement.target]
        for target in targets:
            if isinstance(target, ast.Name):
                lines = Lines(statement.lineno, statement.end_lineno, can_be_called=False)
                definitions.setdefault(target.id, lines)
