"""Say a measured number in a sentence, and refuse bad input in one (all chapters).

A number in this book's prose comes from the cell that measured it. The cell
ends in ``sentence(...)`` or ``table(...)``, whose result is rendered as Markdown
in JupyterLab and on the site, and prints as plain text anywhere else. ``listing``
shows the package's own code, as it stands, where a chapter is about it.
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path


class Markdown:
    """Text that a notebook renders as Markdown and a terminal prints as it is."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __str__(self) -> str:
        return printable(self.text)

    def _repr_markdown_(self) -> str:
        return self.text


# What signs of the book are called where the output has no sign for them.
IN_ASCII = str.maketrans({"✓": "ok", "✗": "x", "−": "-", "×": "x", "√": "sqrt", "…": "..."})


def printable(text: str) -> str:
    """Write a text in characters that ``sys.stdout`` has, so that printing it cannot fail.

    A file or a pipe on Windows, or an output in plain ASCII, has no ✓ and no √.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(IN_ASCII).encode(encoding, "replace").decode(encoding)
    return text


def sentence(text: str) -> Markdown:
    """Make a measured sentence out of an f-string."""
    return Markdown(" ".join(text.split()))


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Markdown:
    """Make a table; the caller rounds the numbers.

    Parameters
    ----------
    header : sequence of str
    rows : iterable of sequences
        Each as long as ``header``.

    Raises
    ------
    ValueError
        If a row has another length than the header, or is a text, as the header may not be.
    """
    require(not isinstance(header, str), "header", "a sequence of titles", header)
    lines = [list(header), ["---"] * len(header)]
    for number, row in enumerate(rows):
        require(not isinstance(row, str), f"row {number}", "a sequence of entries", row)
        require(len(row) == len(header), f"row {number}", f"{len(header)} entries", len(row))
        lines.append([str(entry) for entry in row])
    return Markdown("\n".join("| " + " | ".join(line) + " |" for line in lines))


def section(heading: str) -> str:
    """Make a link to a heading of the same page, for the last column of a claims table."""
    slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return f"[{heading}](#{slug})"


def book_path(name: str) -> Path:
    """Find a file of the book, such as ``"experiments/reach.csv"``, from wherever Python runs.

    The book's folder is the working directory or one above it (a chapter, the live page),
    or else one above this package (a script or a notebook started from elsewhere).

    Parameters
    ----------
    name : str
        Path from the book's folder.

    Raises
    ------
    ValueError
        If there is no such file.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, *Path(__file__).resolve().parents):
        if (folder / name).is_file():
            return folder / name
    raise ValueError(f"name: expected a file of the book, got {name!r}")


WIDTH = 79  # of a listing: what a phone can scroll through


def listing(*things: object) -> str:
    """Return the source of functions and classes, without docstrings, checks and types.

    All else is as it stands, the comments too. A chapter says in prose what a docstring
    says, and a comment has the shapes. A check is a line that calls a function named
    ``check...``, ``require`` or ``positive_integer``; types are those of its arguments.

    Parameters
    ----------
    *things : functions, methods or classes
        Two blank lines stand between them.
    """
    return "\n\n\n".join(_idea(inspect.getsource(thing)) for thing in things)


def _idea(source: str) -> str:
    """Leave out docstrings, lines that only check, and the types of arguments."""
    source = textwrap.dedent(source).rstrip()
    lines: list[str | None] = source.split("\n")  # None: dropped
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            continue
        if isinstance(node, ast.FunctionDef):
            signature = range(node.lineno - 1, node.body[0].lineno - 1)
            if signature:
                head, *rest = signature
                lines[head] = _signature(node, lines[head])
                for number in rest:
                    lines[number] = None
        left_out = [node.body[0]] if ast.get_docstring(node) else []
        left_out += [part for part in node.body if _is_check(part)]
        if len(left_out) == len(node.body):
            left_out = [node]  # it did nothing else
        for part in left_out:
            end = part.end_lineno
            # A blank line that parted it from what comes after goes with it.
            end += lines[end : end + 1] == [""]
            lines[part.lineno - 1 : end] = [None] * (end - part.lineno + 1)
    return "\n".join(line for line in lines if line is not None).rstrip()


def _signature(node: ast.FunctionDef, line: str) -> str:
    """Write a function's first line without types, in several if it is long."""
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    arguments = ast.unparse(node.args).replace("'", '"')
    start = f"{line[: node.col_offset]}def {node.name}("
    indent = " " * len(start)
    wrapped = textwrap.wrap(f"{arguments}):", WIDTH - len(start))
    return start + f"\n{indent}".join(wrapped)


def _is_check(statement: ast.AST) -> bool:
    """Tell whether a statement does nothing but check arguments, and take them as checked."""
    call = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
    name = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
    return name.lstrip("_").startswith(("check", "require", "positive_integer"))


def require(condition: bool, argument: str, expected: str, got: object) -> None:
    """Raise a ``ValueError`` that names the argument unless the condition holds."""
    if not condition:
        raise ValueError(f"{argument}: expected {expected}, got {got!r}")
