"""Every box leads to a section and to a class (transformer: The whole in one picture)."""

from collections.abc import Sequence
from textwrap import wrap

from attention.report import require
from attention.widgets._base import WIDTH, Explorable, Link
from attention.widgets.architecture_boxes import BOXES, Box

# What the figure says when its switch is moved.
PLACEMENTS = {
    "pre": "Pre-norm: each sublayer reads a normalised copy, and one norm ends each stack.",
    "post": "Post-norm: the norms stand on the stream, after each sum. None is added at the end.",
}


class ArchitectureMap(Explorable):
    """The whole transformer as a picture; a reader selects a box and goes to its code.

    Its links lead to headings and cells of the chapter about the transformer.

    Parameters
    ----------
    norm : "pre" or "post"
        Where the norms stand at first; the figure has a switch.

    Raises
    ------
    ValueError
        If ``norm`` is neither of the two.

    Examples
    --------
    >>> ArchitectureMap("post").boxes[-1].code
    'Transformer'
    """

    element = "architecture-map"

    def __init__(self, norm: str = "pre"):
        require(isinstance(norm, str) and norm in PLACEMENTS, "norm", '"pre" or "post"', norm)
        self.norm = norm

    @property
    def boxes(self) -> list[Box]:
        """Return the boxes that are there, in the order of the data's way."""
        return [box for box in BOXES if box.norm in (None, self.norm)]

    def data(self) -> dict[str, object]:
        """Return the boxes for both placements of the norms, and which is shown first."""
        boxes = [
            {**vars(box), "sectionLink": box.section_link, "codeLink": box.code_link}
            for box in BOXES
        ]
        return {"norm": self.norm, "placements": PLACEMENTS, "boxes": boxes}

    def table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        """Return what each box does, the shape that leaves it, its section and its class."""
        return (
            f"The transformer with {self.norm}-norm, in the order of the data's way",
            ("box", "what it does", "shape that leaves it", "section", "code"),
            [
                (
                    box.label,
                    box.does,
                    box.shape,
                    Link(box.section, box.section_link),
                    Link(box.code, box.code_link),
                )
                for box in self.boxes
            ],
        )

    def __repr__(self) -> str:
        # Five columns, one with sentences, are too wide for a terminal.
        caption, _, rows = self.table()
        lines = [caption]
        for label, does, *where in rows:
            lines += wrap(f"{label}: {does}", WIDTH, subsequent_indent="  ")
            lines.append("  " + "; ".join(where))
        return "\n".join(lines)
