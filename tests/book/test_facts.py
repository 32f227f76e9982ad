"""What the site says of a chapter is what stands in its notebook: words, needs, exercises."""

import re
from pathlib import Path

import nbformat
import pytest
from book_site import book_map
from book_site.facts import WORDS_PER_MINUTE, chapters, plain, read

from .conftest import NOTEBOOKS, ROOT

CHAPTERS = chapters(ROOT / "chapters")
MARKDOWN, CODE = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell


def printed(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", {"text/markdown": text, "text/plain": "x y z"})


def answer(name: str) -> nbformat.NotebookNode:
    said = nbformat.v4.new_output("display_data", {"text/plain": "✗ f: Not started yet"})
    return CODE(f"checks.{name}(f)", id=name, outputs=[said])


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """Write a chapter of which all is known."""
    cells = [
        MARKDOWN(
            "# 4. A title\n\n**The question.** *Why* four words?\n\n"
            "**What you need.** Chapters [1](01-one.ipynb) to\n[3](03-three.ipynb#part)."
        ),
        CODE("many words of code", outputs=[printed("Two **words**.")]),
        CODE("x", outputs=[printed("| a | table |\n| --- | --- |\n| is | looked at |")]),
        MARKDOWN("## Exercises\n\nDo them."),
        MARKDOWN("### Exercise 4.1: first\n\n*Difficulty 1 of 3, about 7 minutes*"),
        answer("first"),
        MARKDOWN("## What we measured\n\n$x$"),
    ]
    for name in ("01-one", "02-two", "03-three"):
        nbformat.write(nbformat.v4.new_notebook(), tmp_path / f"{name}.ipynb")
    path = tmp_path / "04-four.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_chapter_is_read(notebook: Path) -> None:
    chapter = read(notebook)
    assert chapter.title == "4. A title"
    assert chapter.question == "Why four words?"
    assert chapter.needs == ("01-one", "02-two", "03-three")
    (exercise,) = chapter.exercises
    assert (exercise.cell, exercise.title, exercise.minutes) == ("first", "Exercise 4.1: first", 7)


def test_words_outside_the_exercises_are_counted(notebook: Path) -> None:
    # Title 4, question 5, needs 7, printed 2, the last heading 4, a formula 1.
    assert read(notebook).words == 4 + 5 + 7 + 2 + 4 + 1


def test_minutes_are_words_at_reading_speed() -> None:
    for chapter in CHAPTERS:
        assert abs(chapter.minutes - chapter.words / WORDS_PER_MINUTE) <= 0.5


def test_words_are_near_a_plain_count() -> None:
    """Of the words between blanks in the Markdown outside exercises, and what cells print."""
    for path, chapter in zip(NOTEBOOKS, CHAPTERS, strict=True):
        text = []
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                text.append(cell.source)
            text += [
                out.get("data", {}).get("text/markdown", "") for out in cell.get("outputs", [])
            ]
        whole = re.sub(r"^## Exercises.*?^## ", "", "\n".join(text), flags=re.M | re.S)
        whole = re.sub(r"\$\$.*?\$\$", " ", whole, flags=re.S)
        whole = re.sub(r"^\|.*$|^:::.*$|\$[^$]+\$", " x ", whole, flags=re.M)
        count = len(whole.split())
        assert 0.9 * count <= chapter.words <= 1.05 * count, (chapter.page, count)


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("**bold** and [a link](x.ipynb#y)", "bold and a link"),
        ("{cite:t}`bahdanau2015` found it {cite:p}`other2017`.", "Bahdanau (2015) found it ."),
        (r"divide by $\sqrt{d_k}$", "divide by √d_k"),
        ("{term}`one-hot <one-hot vector>`", "one-hot"),
        ("$$\na + b\n$$ (eq-x)\nafter", "after"),
        ("<details><summary>Hint</summary>", "Hint"),
    ],
)
def test_marks_are_taken_out(marked: str, text: str) -> None:
    assert plain(marked) == text


# ------------------------------------------------------------------------------ the map


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    needs = book_map.needed_by(CHAPTERS)
    for chapter in CHAPTERS:
        reached, waiting = set(), [*needs[chapter.page]]
        while waiting:
            reached.add(waiting[-1])
            waiting += needs[waiting.pop()]
        # Nothing is lost, and nothing is said twice.
        assert set(chapter.needs) <= reached
        for one in needs[chapter.page]:
            assert not any(one in needs[other] for other in needs[chapter.page])


def test_no_box_of_the_map_lies_on_another() -> None:
    needs = book_map.needed_by(CHAPTERS)
    places = book_map.places(needs)
    assert len(set(places.values())) == len(CHAPTERS)
    for page, named in needs.items():
        assert all(places[one][0] < places[page][0] for one in named)
