"""Links from the names that a piece of code imports from the package to where each is defined."""

import ast
from collections.abc import Callable

from bs4 import BeautifulSoup, NavigableString, Tag


def link_names(code: Tag, address_of: Callable[[str], str | None]) -> None:
    """Make links of the names that coloured code imports, of those that have an address."""
    for (start, end), name in imported(code.get_text()):
        if address := address_of(name):
            wrap(code, start, end, address)


def imported(source: str) -> list[tuple[tuple[int, int], str]]:
    """Find the names that code imports from the package: where each stands, and what it is.

    >>> imported("from attention import plot")
    [((22, 26), 'attention.plot')]
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # what a cell prints
        return []
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    found = []
    for statement in statements:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            top, after = statement.module.partition(".")[::2]
            if top != "attention":
                continue
            if after:
                start = starts[statement.lineno - 1] + len("from ")
                found.append(((start, start + len(statement.module)), statement.module))
            for alias in statement.names:
                start = starts[alias.lineno - 1] + alias.col_offset
                name = f"{statement.module}.{alias.name}"
                found.append(((start, start + len(alias.name)), name))
    return found


def wrap(code: Tag, start: int, end: int, address: str) -> None:
    """Put a link around the characters from start to end of a piece of code."""
    position = 0
    for text in list(code.find_all(string=True)):
        if position == start and len(text) >= end - start:
            link = BeautifulSoup("", "html.parser").new_tag(
                "a", href=address, attrs={"class": "to-source"}
            )
            link.string = text[: end - start]
            rest = text[end - start :]
            text.replace_with(link)
            if rest:
                link.insert_after(NavigableString(rest))
            return
        position += len(text)
