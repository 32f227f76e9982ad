"""What the explorable figures share on the side of Python (used by widgets)."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from textwrap import wrap

from attention._arguments import as_integer
from attention.report import require

SCRIPTS = Path(__file__).parent
# What the scripts of the figures import.
SHARED = (
    "base.js",
    "plane.js",
    "transformer-model.js",
    "translator-words.js",
    "weights-file.js",
    "edge-cuts.js",
    "cut-map.js",
    "pronoun-bars.js",
    "cut-view.js",
    "bert-maps.js",
    "bert-python.js",
)
# In the order in which they are loaded: each imports only such as come before it.
ELEMENTS = (
    *SHARED,
    "attention-lab.js",
    "gradient-lab.js",
    "attention-explorer.js",
    "scaling-lab.js",
    "mask-lab.js",
    "head-splitter.js",
    "position-lab.js",
    "architecture-map.js",
    "live-translator.js",
    "training-lab.js",
    "bert-heads.js",
)
# More digits than any figure shows; fewer would not agree with NumPy to 1e-6.
DIGITS = 9
# What a terminal, and the column of the book, shows of a line.
WIDTH = 79


class Link(str):
    """Text of a table that leads to ``href``; a terminal prints the text alone."""

    def __new__(cls, text: str, href: str):
        link = super().__new__(cls, text)
        link.href = href
        return link


class Explorable:
    """A figure to explore: data for a custom element, and the same as a table.

    A subclass sets ``element`` and answers ``data()`` and ``table()``.
    """

    element: str  # the custom element's name

    def data(self) -> dict[str, object]:
        """Return what the element needs, as JSON can hold it."""
        raise NotImplementedError

    def table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        """Return a caption, a header and rows: the figure for readers without a script."""
        raise NotImplementedError

    def __repr__(self) -> str:
        caption, header, rows = self.table()
        cells = [list(header), *(list(row) for row in rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
        return "\n".join([*wrap(caption, WIDTH), *lines])

    def _repr_html_(self) -> str:
        # No NaN: a page could not read it.
        figure = json.dumps(
            rounded(self.data()), ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
        caption, header, rows = self.table()
        head = "".join(f'<th scope="col">{escape(text)}</th>' for text in header)
        body = "".join(
            f'<tr><th scope="row">{escape(first)}</th>'
            + "".join(f"<td>{cell(text)}</td>" for text in rest)
            + "</tr>"
            for first, *rest in rows
        )
        return (
            f'<{self.element} data-figure="{escape(figure)}">\n'
            f"<table><caption>{escape(caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>\n"
            f"</{self.element}>"
        )


def cell(text: str) -> str:
    """Write a table's text as HTML."""
    if isinstance(text, Link):
        return f'<a href="{escape(text.href)}">{escape(text)}</a>'
    return escape(text)


def rounded(data: object) -> object:
    """Round every float in nested lists and dicts, so that the stored figure is compact."""
    if isinstance(data, float):
        return round(data, DIGITS)
    if isinstance(data, dict):
        return {key: rounded(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [rounded(value) for value in data]
    return data


def enable() -> None:
    """Bring the explorable figures of a notebook in JupyterLab to life.

    The scripts go into the output of the cell that calls this, so it works
    without a network. On the book's site they are part of the page, and the package
    that cells run with there comes without them: then this does nothing.
    """
    if not (SCRIPTS / ELEMENTS[0]).exists():
        return
    from IPython.display import Javascript, display

    sources = {name: (SCRIPTS / name).read_text(encoding="utf-8") for name in ELEMENTS}
    # The files import one another by name; a blob has an address of its own.
    display(
        Javascript(
            f"""
const sources = {json.dumps(sources)};
const address = (source) => URL.createObjectURL(new Blob([source], {{type: "text/javascript"}}));
const known = [];
for (const [name, source] of Object.entries(sources)) {{
  const imported = (text, [other, url]) => text.replaceAll(`"./${{other}}"`, `"${{url}}"`);
  const url = address(known.reduce(imported, source));
  known.push([name, url]);
  import(url);
}}
"""
        )
    )


def position_of(argument: str, wanted: object, labels: Sequence[str]) -> int:
    """Find what a reader is to see first, by position (from 0) or by a label that occurs once."""
    if isinstance(wanted, str):
        count = labels.count(wanted)
        require(count == 1, argument, f"a label that occurs once among {labels}", wanted)
        return labels.index(wanted)
    allowed = f"a position from 0 to {len(labels) - 1}"
    return as_integer(argument, wanted, allowed, lambda place: 0 <= place < len(labels))
