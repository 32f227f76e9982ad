"""Each claim of a chapter names its control: what would have come out otherwise if it were false.

The claims table is the last cell of a chapter's "What we measured". Its last column is
`control`, and holds for each claim one of

    the run, the arm or the base rate that it is compared with
    exact ...             an identity, which an `assert` of the same section checks
    cited: who            others measured it
    none: why             nothing was compared, and the claim says no more than that
"""

import re
from collections.abc import Iterator

from nbformat import NotebookNode

# Chapters, by their word, whose tables have no such column yet.
STILL_WITHOUT: set[str] = set()
COLUMN = "control"
LINK = re.compile(r"\[[^\]]*\]\(#([\w-]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def word_of(notebook: NotebookNode) -> str:
    """Return the chapter's word, with which the ids of its cells begin."""
    return notebook.cells[0].id.removesuffix("-title")


def claims(notebook: NotebookNode) -> tuple[list[str], list[list[str]]] | None:
    """Return the header and the rows of the claims table, or None if there is no table."""
    for cell in notebook.cells:
        if cell.id == f"{word_of(notebook)}-claims-table":
            for output in cell.get("outputs", []):
                if text := output.get("data", {}).get("text/markdown"):
                    header, _, *rows = "".join(text).split("\n")
                    return entries(header), [entries(row) for row in rows]
    return None


def entries(line: str) -> list[str]:
    return [entry.strip() for entry in line.strip().strip("|").split(" | ")]


def sections_with_an_assert(notebook: NotebookNode) -> set[str]:
    """Return the anchors of the sections that have an `assert` in a cell of their own."""
    found, anchor = set(), ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for heading in HEADING.findall(cell.source):
                anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        elif re.search(r"^\s*assert\b", cell.source, re.MULTILINE):
            found.add(anchor)
    return found


def claims_name_their_control(notebook: NotebookNode) -> Iterator[str]:
    """A last column `control` in the claims table, and something in it for each claim."""
    word, found = word_of(notebook), claims(notebook)
    if found is None:
        yield f"no table of claims in a cell {word}-claims-table"
        return
    header, rows = found
    if word in STILL_WITHOUT:
        if header[-1] == COLUMN:
            yield f"{word} names its controls: take it out of STILL_WITHOUT"
        return
    if header[-1] != COLUMN:
        yield f"the last column is {header[-1]!r}, expected {COLUMN!r}"
        return
    asserted = sections_with_an_assert(notebook)
    for row in rows:
        fault = fault_of(row, asserted) if len(row) == len(header) else "it has no last column"
        if fault:
            yield f"{row[0]}: {fault}"


def fault_of(row: list[str], asserted: set[str]) -> str:
    """Say what is wrong with the control of a claim, if anything."""
    control = row[-1]
    if len(re.findall(r"\w", control)) < 4:
        return f"its control is {control!r}"
    kind = control.split(":")[0].split()[0].lower()
    if kind in ("cited", "none") and not re.match(r"\w+: \S+ ?\S{2,}", control):
        return f"{kind!r} is followed by a colon and by who, or why"
    anchors = {anchor for entry in row for anchor in LINK.findall(entry)}
    if kind == "exact" and not anchors & asserted:
        return "no assert in its section makes it exact"
    return ""
