"""Say a measured number in a sentence, and refuse bad input in one.

A number in this book's prose comes from the cell that measured it. The cell
ends in ``sentence(...)`` or ``table(...)``, whose result is rendered as Markdown
in JupyterLab and on the site, and prints as plain text anywhere else.
"""

import re
from collections.abc import Iterable, Sequence


class Markdown:
    """Text that a notebook renders as Markdown and a terminal prints as it is."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


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
        If a row has another length than the header.
    """
    lines = [list(header), ["---"] * len(header)]
    for number, row in enumerate(rows):
        require(len(row) == len(header), f"row {number}", f"{len(header)} entries", len(row))
        lines.append([str(entry) for entry in row])
    return Markdown("\n".join("| " + " | ".join(line) + " |" for line in lines))


def section(heading: str) -> str:
    """Make a link to a heading of the same page, for the last column of a claims table."""
    slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return f"[{heading}](#{slug})"


def require(condition: bool, argument: str, expected: str, got: object) -> None:
    """Raise a ``ValueError`` that names the argument unless the condition holds."""
    if not condition:
        raise ValueError(f"{argument}: expected {expected}, got {got!r}")
