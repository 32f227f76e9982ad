"""The chapters by number and word, and every text of the book, to be read or edited."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"(\d\d)-([a-z][a-z-]*)\.ipynb")
FOLDERS = (".binder", ".ci", ".github", "_ext", "_live", "_static", "chapters", "code")
FOLDERS += ("experiments", "tests", "tools")
# Data, pictures, what programs keep beside their sources, and what is about numbers itself.
LEFT_OUT = re.compile(
    r"\.(lock|csv|tsv|json|bib|safetensors|png|svg)$|__pycache__|\.ipynb_checkpoints|\.egg-info"
    r"|(^|/)(test_)?(chapters|chapter_mentions|chapter_numbers|book_texts)\.py$"
)


class Chapter(NamedTuple):
    """A chapter's number, and the word that names it elsewhere."""

    number: int
    word: str

    @property
    def stem(self) -> str:
        """The name of its file and of its page, without the ending."""
        return f"{self.number:02d}-{self.word}"

    @property
    def file(self) -> str:
        """The path of its notebook in the book."""
        return f"chapters/{self.stem}.ipynb"


class Text(NamedTuple):
    """A whole file, or one text of a notebook's cell."""

    file: str
    place: str  # "" for a file, else the cell and what of it
    text: str

    def at(self, start: int) -> str:
        """Name a place in the text, and show its line."""
        line = self.text[self.text.rfind("\n", 0, start) + 1 :].split("\n", 1)[0]
        place = self.place or self.text.count("\n", 0, start) + 1
        return f"{self.file} {place}: {line.strip()[:150]}"


def chapters(root: Path = ROOT) -> list[Chapter]:
    """List the chapters in order."""
    names = [NAME.fullmatch(path.name) for path in sorted((root / "chapters").glob("*.ipynb"))]
    return [Chapter(int(name[1]), name[2]) for name in names if name]


def stem(word: str, root: Path = ROOT) -> str:
    """Return the name of a chapter's file, without its ending, from its word."""
    found = [chapter.stem for chapter in chapters(root) if chapter.word == word]
    if len(found) != 1:
        raise ValueError(f"word: expected one of the chapters, got {word!r}")
    return found[0]


def files(root: Path) -> Iterator[tuple[str, str]]:
    """Give every file of the book that holds text, with its content."""
    found = [path for folder in FOLDERS for path in (root / folder).rglob("*")]
    for path in sorted([*root.glob("*"), *found]):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not LEFT_OUT.search(name):
            try:
                yield name, path.read_bytes().decode()
            except UnicodeDecodeError:
                continue


def texts(root: Path) -> Iterator[Text]:
    """Give every text of the book."""
    for name, raw in files(root):
        found: list[Text] = []
        edited(name, raw, lambda text, found=found: found.append(text) or text.text)
        yield from found


def edited(name: str, raw: str, edit: Callable[[Text], str]) -> str:
    """Return a file's content, with each of its texts as `edit` gives it back."""
    if not name.endswith(".ipynb"):
        return edit(Text(name, "", raw))
    notebook = json.loads(raw)
    for number, cell in enumerate(notebook["cells"]):
        for part in ("source", "metadata", "outputs"):
            if part in cell:
                kind = cell["cell_type"] if part == "source" else part
                place = f"{cell.get('id', number)} {kind}"
                cell[part] = _each(cell[part], lambda text, at=place: edit(Text(name, at, text)))
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _each(value: Any, edit: Callable[[str], str]) -> Any:
    """Edit all strings of a value; a list of lines is one text, and a picture is none."""
    if isinstance(value, str):
        return edit(value)
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        new = edit("".join(value))
        return value if new == "".join(value) else new.splitlines(keepends=True)
    if isinstance(value, list):
        return [_each(one, edit) for one in value]
    if isinstance(value, dict):
        return {k: v if k.startswith("image/") else _each(v, edit) for k, v in value.items()}
    return value
