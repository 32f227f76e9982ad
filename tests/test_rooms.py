"""Every module of the package fits a head: so many lines of everything, so many of code."""

import ast
import io
import tokenize
from pathlib import Path

import pytest
from tests.conftest import ROOT

PACKAGE = ROOT / "code" / "attention"
LINES, LINES_OF_CODE = 300, 170
# Tables, which are looked up and not read from top to bottom, with the reason for each.
TABLES = {
    "corpus/lexicon.py": "the words of both languages, and what goes with what",
    "widgets/architecture_boxes.py": "what each box of the picture says, in the data's order",
}
NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


MODULES = {name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def lines_of_code(source: str) -> int:
    """Count the lines without docstrings, comments and blank ones."""
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(source)):
        documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, documented) and ast.get_docstring(node):
            code -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(code)


def too_large(source: str) -> bool:
    return len(source.splitlines()) > LINES or lines_of_code(source) > LINES_OF_CODE


@pytest.mark.parametrize("module", sorted(MODULES.keys() - TABLES.keys()))
def test_a_module_fits_a_head(module):
    source = MODULES[module].read_text(encoding="utf-8")
    lines, code = len(source.splitlines()), lines_of_code(source)
    assert lines <= LINES, f"{module} has {lines} lines, {code} of them code"
    assert code <= LINES_OF_CODE, f"{module} has {code} lines of code"


@pytest.mark.parametrize("module", sorted(TABLES))
def test_an_exception_is_one(module):
    assert module in MODULES, f"{module} is no longer there"
    assert too_large(MODULES[module].read_text(encoding="utf-8")), f"{module} has become small"


# ------------------------------------------------------------- does it count right?

EXAMPLE = '''"""A module.

With a long docstring.
"""

import math  # a comment beside code is no line of its own

# A comment.


def area(radius: float) -> float:
    """Return an area."""
    # And why.
    return math.pi * (
        radius
        * radius
    )


TEXT = """two lines
of a string, which is no docstring"""
'''


def test_what_is_a_line_of_code():
    assert lines_of_code(EXAMPLE) == 8
    assert len(EXAMPLE.splitlines()) == 21
    assert lines_of_code("") == lines_of_code('"""Nothing but words."""\n') == 0


@pytest.mark.parametrize(
    ("code", "comments", "large"),
    [(170, 0, False), (171, 0, True), (170, 130, False), (170, 131, True), (0, 301, True)],
)
def test_a_module_that_is_too_long_is_found(code, comments, large):
    made_up = "".join(f"x{i} = {i}\n" for i in range(code)) + "# Why.\n" * comments
    assert too_large(made_up) == large
