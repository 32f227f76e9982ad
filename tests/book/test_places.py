"""From the code to the sentence and back.

Each module's first line names what explains it, and so can that of a function:

    \"\"\"Softmax and attention of one head, in NumPy (scaling: Two controls).\"\"\"

The chapter is named by its word, the section by its heading or the beginning of it.
A link from a sentence to a line of code has a text of that line as its title.
"""

import re
from itertools import permutations
from pathlib import Path

import nbformat
import pytest
from book_site.modules import Module, Modules, read
from book_site.places import begins

ROOT = Path(__file__).resolve().parents[2]
MODULES = Modules(ROOT)
PACKAGE = [one for one in MODULES.by_path.values() if one.name.startswith("attention")]
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
    for place in module.all_places:
        if place.word not in chapters:
            found.append(f"no chapter {place.word!r}")
        elif not place.heading:
            found.append(f"names no section of {place.word!r}")
        elif not any(begins(heading, place.heading) for heading in chapters[place.word]):
            found.append(f"no heading of {place.word!r} begins with {place.heading!r}")
    for one, other in permutations(module.all_places, 2):
        if one.word == other.word and begins(one.heading, other.heading or "-"):
            found.append(f"names {one.heading!r} as {other.heading!r}, too")
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
        ("Softmax (scaling).", "names no section of 'scaling'"),
        (f"Softmax{' and more' * 10} (scaling: Two).", "longer than 100 characters"),
    ],
)
def test_a_wrong_line_is_noticed(line: str, fault: str) -> None:
    module = Module("attention.a", "code/attention/a.py", f'"""{line}"""')
    assert faults(module, {"scaling": ["Two controls"]}) == [fault]


def test_a_wrong_line_of_a_function_is_noticed() -> None:
    text = '"""Softmax (scaling: Two)."""\n\n\ndef softmax():\n    """Do (scaling: Three)."""\n'
    module = read("attention.a", "code/attention/a.py", text)
    fault = "no heading of 'scaling' begins with 'Three'"
    assert faults(module, {"scaling": ["Two controls"]}) == [fault]
    module = read("attention.a", "code/attention/a.py", text.replace("Three", "Two controls"))
    fault = "names 'Two controls' as 'Two', too"
    assert faults(module, {"scaling": ["Two controls"]}) == [fault]


# ------------------------------------------------------------- from a sentence to a line

TO_LINE = re.compile(r"\]\(<?\.\./((?:code|experiments)/[\w/]+\.py)>?(?:\s+\"([^\"]*)\")?\)")


def lost(prose: str, modules: Modules) -> list[str]:
    """Say which links to code in a page's text lead to no line, or to more than one."""
    found = []
    for path, text in TO_LINE.findall(prose):
        if path not in modules.by_path:
            found.append(f"{path}: no such file")
        elif text:
            try:
                modules.by_path[path].line_with(text)
            except ValueError as error:
                found.append(str(error))
    return found


def prose_of(page: Path) -> str:
    if page.suffix == ".md":
        return page.read_text(encoding="utf-8")
    cells = nbformat.read(page, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


PAGES = [path for path in sorted((ROOT / "chapters").iterdir()) if path.suffix in (".ipynb", ".md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_to_lines_lead_to_one_each(page: Path) -> None:
    prose = prose_of(page)
    assert lost(prose, MODULES) == []
    # What the rule above reads is every link out of the chapters' folder.
    assert len(TO_LINE.findall(prose)) == prose.count("](../") + prose.count("](<../")


def test_some_pages_link_to_lines() -> None:
    assert sum(len(TO_LINE.findall(prose_of(page))) for page in PAGES) >= 4


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ('[it divides](../code/attention/layers.py "scores / math.sqrt")', None),
        ("[the file](../code/attention/layers.py)", None),
        ('[gone](../code/attention/layer.py "scores")', "code/attention/layer.py: no such file"),
        (
            '[gone](../code/attention/layers.py "scores / sqrt")',
            "code/attention/layers.py: expected one line with 'scores / sqrt', got 0",
        ),
    ],
)
def test_a_link_to_no_line_is_noticed(link: str, fault: str | None) -> None:
    assert lost(f"Here {link}.", MODULES) == ([fault] if fault else [])
