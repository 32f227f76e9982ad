"""What the site says of a chapter, read from its notebook.

Its title, question and words; the chapters that it needs; its exercises and the figures that
can be explored. The first page, the contents and the previews of shared links show them.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import unescape
from itertools import pairwise
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .cells import is_exercise

WORDS_PER_MINUTE = 200
NAME = re.compile(r"\d\d-[a-z-]+")
LINK = re.compile(r"\]\((\d\d-[a-z-]+)\.ipynb[^)]*\)")
FIGURE = re.compile(r'<([a-z]+-[a-z-]+) data-figure="([^"]*)"')


@dataclass(frozen=True)
class Figure:
    """A figure that can be explored, as the notebook has it."""

    element: str  # the name of its custom element
    cell: str
    html: str

    def cut(self, without: list[str], examples: int | None) -> str:
        """Return its HTML with parts of its data left out, and only the first examples."""
        data = json.loads(unescape(FIGURE.search(self.html)[2]))
        for key in without:
            del data[key]
        if examples is not None:
            data["examples"] = data["examples"][:examples]
        written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        quoted = written.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
        return FIGURE.sub(lambda old: f'<{old[1]} data-figure="{quoted}"', self.html, count=1)


@dataclass(frozen=True)
class Exercise:
    """An exercise: the cell for the answer, its heading, and the minutes that it says."""

    cell: str
    title: str
    minutes: int


@dataclass(frozen=True)
class Chapter:
    """One chapter, by what stands in its notebook."""

    page: str  # the name of its file, without the ending
    title: str
    question: str
    needs: tuple[str, ...]  # the pages of the chapters that it names under "What you need"
    words: int  # outside the exercises
    exercises: tuple[Exercise, ...]
    figures: tuple[Figure, ...]

    @property
    def number(self) -> int:
        """The number in the name of its file."""
        return int(self.page[:2])

    @property
    def word(self) -> str:
        """The name of its file without the number."""
        return self.page[3:]

    @property
    def minutes(self) -> int:
        """How long its words take to read; code and exercises come on top of it."""
        return max(1, round(self.words / WORDS_PER_MINUTE))


@cache
def chapters(folder: Path) -> tuple[Chapter, ...]:
    """Read all chapters of a folder, in order; notebooks of other names are none."""
    found = sorted(path for path in folder.glob("*.ipynb") if NAME.fullmatch(path.stem))
    return tuple(read(path) for path in found)


def read(path: Path) -> Chapter:
    """Read one chapter."""
    cells = nbformat.read(path, as_version=4).cells
    start = cells[0].source
    return Chapter(
        page=path.stem,
        title=plain(start.partition("\n")[0]).removeprefix("# "),
        question=plain(paragraph(start, "The question.")),
        needs=needed(paragraph(start, "What you need."), path),
        words=words(cells),
        exercises=tuple(exercises(cells)),
        figures=tuple(figures(cells)),
    )


def paragraph(text: str, name: str) -> str:
    """Return what follows a bold name, to the end of the paragraph."""
    found = re.search(rf"\*\*{re.escape(name)}\*\*(.*?)(?:\n\s*\n|\Z)", text, re.DOTALL)
    return found[1] if found else ""


def needed(text: str, path: Path) -> tuple[str, ...]:
    """Find the earlier chapters that a text links to; "[5](...) to [8](...)" names four."""
    named = {page for page in LINK.findall(text) if page < path.stem}
    for first, last in re.findall(rf"{LINK.pattern} to\s+\[\d+{LINK.pattern}", text):
        between = (other.stem for other in path.parent.glob("*.ipynb"))
        named |= {page for page in between if first < page < last}
    return tuple(sorted(named))


def exercises(cells: list[NotebookNode]) -> Iterator[Exercise]:
    """Find the cells for answers, each with the task above it."""
    for task, cell in pairwise(cells):
        if cell.cell_type == "code" and is_exercise(cell):
            title = plain(task.source.partition("\n")[0]).removeprefix("### ")
            minutes = re.search(r"about (\d+) minutes", task.source)
            yield Exercise(cell.id, title, int(minutes[1]) if minutes else 0)


def figures(cells: list[NotebookNode]) -> list[Figure]:
    found = []
    for cell in cells:
        for output in cell.get("outputs", []):
            html = output.get("data", {}).get("text/html", "")
            if element := FIGURE.search(html):
                found.append(Figure(element[1], cell.id, html))
    return found


# -------------------------------------------------------------------------------- words


def words(cells: list[NotebookNode]) -> int:
    """Count the words that a reader reads outside the exercises, the printed sentences too."""
    count, in_exercises = 0, False
    for cell in cells:
        if cell.cell_type == "markdown":
            for heading in re.findall(r"^## (.*)$", cell.source, re.MULTILINE):
                in_exercises = heading.startswith("Exercises")
        if not in_exercises:
            count += sum(len(plain(text).split()) for text in read_texts(cell))
    return count


def read_texts(cell: NotebookNode) -> list[str]:
    """Return what is read of a cell: its Markdown, or the Markdown that it prints."""
    if cell.cell_type == "markdown":
        return [cell.source]
    return [output.get("data", {}).get("text/markdown", "") for output in cell.get("outputs", [])]


def plain(text: str) -> str:
    """Take the marks of MyST out of a text; a formula counts as one word, a table as none."""
    text = re.sub(r"^(```|:::).*$|^\|.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\$\$.*?\$\$(\s*\(eq-[\w-]+\))?", " ", text, flags=re.DOTALL)
    text = re.sub(r"\{cite:t\}`([a-z]+)(\d+)[^`]*`", lambda m: f"{m[1].title()} ({m[2]})", text)
    text = re.sub(r"\{cite:p\}`[^`]*`|<[^>]+>", "", text)
    text = re.sub(r"\{\w+\}`([^`<]*?)(?:\s*<[^`]*>)?`", r"\1", text)
    text = re.sub(r"\$[^$]*\$", lambda formula: readable(formula[0]), text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"\s+", " ", text.replace("*", "").replace("`", "")).strip()


def readable(formula: str) -> str:
    r"""Write a short formula as text: `$\sqrt{d_k}$` is √d_k."""
    text = formula.strip("$").replace("\\sqrt", "√").replace("\\infty", "∞").replace("-", "−")
    return re.sub(r"\\[a-zA-Z]+|[{}\\]", "", text).replace(" ", "") or "x"
