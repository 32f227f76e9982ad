"""The map of the book: which chapter needs which, as an SVG whose boxes are links.

What a chapter needs stands in its first cell, under "What you need". An arrow that follows
from others is left out. The map is drawn twice, for wide and for narrow pages, and the style
sheet (`reader.css`) shows one of them; its colours are those of the page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from .facts import Chapter


@dataclass(frozen=True)
class Shape:
    """Sizes of a map, in units of the picture."""

    name: str
    width: int
    box: tuple[int, int]  # width and height
    gap: int  # between two rows
    letters: int  # in a line of a box
    line: int  # height of a line


SHAPES = (
    Shape("wide", width=680, box=(204, 58), gap=28, letters=24, line=17),
    Shape("narrow", width=360, box=(116, 84), gap=24, letters=13, line=15),
)
TOP = 24  # room for a note above the first row
COLUMNS = 3


def needed_by(chapters: Sequence[Chapter]) -> dict[str, list[str]]:
    """Return, for each chapter, those it needs and that no other of them needs already."""
    needs = {one.page: [page for page in one.needs] for one in chapters}
    reach: dict[str, set[str]] = {}
    for one in chapters:  # in order: a chapter needs only earlier ones
        reach[one.page] = set().union(*({page} | reach[page] for page in needs[one.page]))
    return {
        page: [one for one in named if not any(one in reach[other] for other in named)]
        for page, named in needs.items()
    }


def rows_of(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Give each chapter a row: below all that it needs."""
    rows: dict[str, int] = {}
    for page, named in needs.items():
        rows[page] = max((rows[one] + 1 for one in named), default=0)
    return rows


def places(needs: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, int]]:
    """Give each chapter a row and a column; one that is alone in its row stands in the middle."""
    rows = rows_of(needs)
    found = {}
    for row in sorted(set(rows.values())):
        pages = [page for page in needs if rows[page] == row]
        first = 1 if len(pages) == 1 else 0
        found.update({page: (row, first + i) for i, page in enumerate(pages)})
    return found


def described(chapters: Sequence[Chapter], needs: Mapping[str, Sequence[str]]) -> str:
    """Say in words what the map shows."""
    numbers = {one.page: one.number for one in chapters}
    said = [
        f"{numbers[page]} needs {' and '.join(str(numbers[one]) for one in named)}"
        for page, named in needs.items()
        if named
    ]
    return f"Map of the book. Of the chapters, {'; '.join(said)}."


def drawn(
    chapters: Sequence[Chapter],
    parts: Mapping[str, int],
    notes: Mapping[str, str],
    hurried: Iterable[str],
) -> str:
    """Draw the map: `parts` numbers each page's part, `notes` are written above some boxes."""
    needs = needed_by(chapters)
    at, hurried = places(needs), set(hurried)
    said = escape(described(chapters, needs))
    pictures = []
    for shape in SHAPES:
        columns = max(COLUMNS, 1 + max(column for _, column in at.values()))
        step = (shape.width - 4) / columns
        left = {p: 2 + step * column + (step - shape.box[0]) / 2 for p, (_, column) in at.items()}
        top = {p: TOP + row * (shape.box[1] + shape.gap) for p, (row, _) in at.items()}
        height = max(top.values()) + shape.box[1] + 4
        arrows = [
            arrow(shape, left[one], top[one], left[page], top[page])
            for page, named in needs.items()
            for one in named
        ]
        boxes = [
            box(shape, one, left[one.page], top[one.page], parts, notes, one.word in hurried)
            for one in chapters
        ]
        head = f"arrow-{shape.name}"
        pictures.append(
            f'<svg class="book-map {shape.name}" role="group" aria-label="{said}" '
            f'viewBox="0 0 {shape.width} {height:.0f}" width="{shape.width}" '
            f'height="{height:.0f}"><defs><marker id="{head}" viewBox="0 0 8 8" refX="7" '
            'refY="4" markerWidth="8" markerHeight="8" orient="auto">'
            '<path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>'
            + "".join(arrows)
            + "".join(boxes)
            + "</svg>"
        )
    return "\n".join(pictures)


def arrow(shape: Shape, x1: float, y1: float, x2: float, y2: float) -> str:
    """Draw an arrow from the foot of one box to the head of another."""
    width, height = shape.box
    x1, x2, y1 = x1 + width / 2, x2 + width / 2, y1 + height
    way = f"M{x1:.0f} {y1:.0f} "
    if x1 == x2:
        way += f"V{y2:.0f}"
    else:
        end = x2 + (-24 if x1 < x2 else 24)  # arrows that meet end side by side
        bend, middle = y2 - shape.gap, y2 - shape.gap / 2
        way += (
            f"V{bend:.0f} C{x1:.0f} {middle + 4:.0f} {end:.0f} {middle - 8:.0f} {end:.0f} {y2:.0f}"
        )
    return f'<path class="needs" marker-end="url(#arrow-{shape.name})" d="{way}"/>'


def box(
    shape: Shape,
    chapter: Chapter,
    x: float,
    y: float,
    parts: Mapping[str, int],
    notes: Mapping[str, str],
    hurried: bool,
) -> str:
    """Draw a chapter's box: a link, with the colour of its part at its left side."""
    width, height = shape.box
    lines = wrap(chapter.title, shape.letters)
    first = y + height / 2 - (len(lines) - 1) * shape.line / 2 + 4.5
    text = "".join(
        f'<tspan x="{x + 12:.0f}" y="{first + i * shape.line:.1f}">{escape(line)}</tspan> '
        for i, line in enumerate(lines)
    )
    note = notes.get(chapter.word, "")
    said = f'<text class="note" x="{x + 2:.0f}" y="{y - 7:.0f}">{escape(note)}</text>'
    names = "chapter hurried" if hurried else "chapter"
    return (
        f'{said if note else ""}<a class="{names}" href="{chapter.page}.html">'
        f'<rect class="paper" x="{x:.0f}" y="{y}" width="{width}" height="{height}" rx="4"/>'
        f'<rect class="part part-{parts.get(chapter.page, 0)}" x="{x:.0f}" y="{y}" width="5" '
        f'height="{height}"/><text>{text}</text></a>'
    )
