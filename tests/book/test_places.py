"""From the code to the sentence: each module's first line names what explains it.

    \"\"\"Softmax and attention of one head, in NumPy (scaling: Two controls).\"\"\"

The chapter is named by its word, the section by its heading or the beginning of it.
"""

import re
from pathlib import Path

import nbformat
import pytest
from book_site.modules import Module, Modules
from book_site.places import begins

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = [one for one in Modules(ROOT).by_path.values() if one.name.startswith("attention")]
LONGEST = 100


def headings(notebook: Path) -> list[str]:
    found = []
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "markdown":
            found += re.findall(r"^#{2,} (.+)", cell.source, re.MULTILINE)
    return found


CHAPTERS = {
    path.stem.partition("-")[2]: headings(path) for path in (ROOT / "chapters").glob("*.ipynb")
}


def faults(module: Module, chapters: dict[str, list[str]]) -> list[str]:
    """Say what is wrong with the first line of a module."""
    found = []
    if len(module.text.partition("\n")[0]) > LONGEST:
        found.append(f"longer than {LONGEST} characters")
    if not module.bracket:
        found.append("names no chapter")
    for place in module.places:
        if place.word not in chapters:
            found.append(f"no chapter {place.word!r}")
        elif not any(begins(heading, place.heading) for heading in chapters[place.word]):
            found.append(f"no heading of {place.word!r} begins with {place.heading!r}")
    return found


@pytest.mark.parametrize("module", PACKAGE, ids=lambda module: module.name)
def test_first_line_names_chapter_and_section(module: Module) -> None:
    assert faults(module, CHAPTERS) == [], module.first_line


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("Softmax.", "names no chapter"),
        ("Softmax (NumPy).", "names no chapter"),
        ("Softmax (scales: Two controls).", "no chapter 'scales'"),
        ("Softmax (scaling: Three).", "no heading of 'scaling' begins with 'Three'"),
        (f"Softmax{' and more' * 12} (scaling).", "longer than 100 characters"),
    ],
)
def test_a_wrong_line_is_noticed(line: str, fault: str) -> None:
    module = Module("attention.a", "code/attention/a.py", f'"""{line}"""')
    assert faults(module, {"scaling": ["Two controls"]}) == [fault]
