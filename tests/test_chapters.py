"""A small made-up book is numbered anew: files, titles, exercises, links and mentions."""

import json
import shutil
import subprocess
from pathlib import Path

import book_texts
import chapters
import pytest
from book_texts import Chapter
from chapter_mentions import read, renumber

WORDS = {"start", "middle", "two-words", "end"}


def renumbered(text: str, at: int = 3) -> str:
    mentions, _ = read(text, WORDS)
    return renumber(text, mentions, lambda number: number + (number >= at))


def doubts(text: str) -> list[str]:
    return [doubt.why for doubt in read(text, WORDS)[1]]


# ------------------------------------------------------------------------ mentions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # files and links
        ("run chapters/03-two-words.ipynb", "run chapters/04-two-words.ipynb"),
        ("chapters/02-middle.ipynb, 03-two-words", "chapters/02-middle.ipynb, 04-two-words"),
        ("  - file: chapters/09-end\n", "  - file: chapters/10-end\n"),
        ("03-two-wordsmith, 103-two-words, 03-two", "03-two-wordsmith, 103-two-words, 03-two"),
        ("see [chapter 3](03-two-words.ipynb#why)", "see [chapter 4](04-two-words.ipynb#why)"),
        ("| [3](03-two-words.ipynb), exercise |", "| [4](04-two-words.ipynb), exercise |"),
        ("| [3. Two of 3](03-two-words.ipynb) |", "| [4. Two of 3](04-two-words.ipynb) |"),
        ("[same chapter](03-two-words.ipynb)", "[same chapter](04-two-words.ipynb)"),
        ("[the 3 steps](03-two-words.ipynb)", "[the 3 steps](04-two-words.ipynb)"),
        (
            "Chapters [2](02-middle.ipynb) to\n[4](04-end.ipynb).",
            "Chapters [2](02-middle.ipynb) to\n[5](05-end.ipynb).",
        ),
        (
            "([here](#exercise-3-1-sums), [there](02-middle.ipynb#on-to-chapter-3))",
            "([here](#exercise-4-1-sums), [there](02-middle.ipynb#on-to-chapter-4))",
        ),
        # prose
        ("Chapter 3 shows; chapter 2 did.", "Chapter 4 shows; chapter 2 did."),
        ("chapter 3's model (chapter 4)", "chapter 4's model (chapter 5)"),
        ("chapters 2 and 3", "chapters 2 and 4"),
        ("chapters 3–5, or 6", "chapters 4–6, or 7"),
        ("chapters 1, 2, and 3, with 20 words", "chapters 1, 2, and 4, with 20 words"),
        ("chapter 9 and chapter 10", "chapter 10 and chapter 11"),
        (
            "chapters 2 (why so?), 3\n(what now?) and 4 (how)",
            "chapters 2 (why so?), 4\n(what now?) and 5 (how)",
        ),
        ("of [chapter\n3](03-two-words.ipynb) and", "of [chapter\n4](04-two-words.ipynb) and"),
        ("# as in chapter\n# 3, where", "# as in chapter\n# 4, where"),
        ("// of chapter\n    // 3", "// of chapter\n    // 4"),
        ("In chapter 3, 4 of 5 models", "In chapter 4, 4 of 5 models"),
        # titles and exercises
        ("# 3. Three steps", "# 4. Three steps"),
        ("text\n\n# 3. Three steps", "text\n\n# 3. Three steps"),
        ("### Exercise 3.1: sums", "### Exercise 4.1: sums"),
        ("exercises 3.1 and 3.2, exercise 2.4", "exercises 4.1 and 4.2, exercise 2.4"),
        ("(exercises 3.1–3.3)", "(exercises 4.1–4.3)"),
    ],
)
def test_mention_is_numbered_anew(text: str, expected: str) -> None:
    assert renumbered(text) == expected
    assert doubts(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "{cite:t}`vaswani2017`, section 3.2.2 and figure 4",
        "- {cite:t}`vaswani2017`, sections 3.5 and 6.2",
        "Vaswani et al. (2017), section 3.2.2, equation 3",
        "Press et al. (2022, section 3)",
        "The paper's schedule (its equation 3) is",
        "(Their equations 5 and 6, and their appendix.)",
        "3 chapters' worth of 4 words, 3.1 and 4.2, step 3",
        "<Figure size 640x320 with 3 Axes>",
    ],
)
def test_number_of_a_paper_or_of_nothing_stays(text: str) -> None:
    assert renumbered(text) == text
    assert [why for why in doubts(text) if why != "counts chapters"] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{cite:t}`goodfellow2016`, chapter 9, and", "a chapter of another work?"),
        ("Bishop et al. (2006), chapter 9, and", "a chapter of another work?"),
        ("as chapter 9 of {cite:t}`goodfellow2016` says", "a chapter of another work?"),
        ("as chapter 9 of Goodfellow et al. says", "a chapter of another work?"),
        ("see section 4.2", "no paper is named beside this number"),
        ("see figure 3.1", "no paper is named beside this number"),
        ("import chapter03", "an identifier holds a number"),
        ('"id": "ch3-load"', "an identifier holds a number"),
        ("the text of ch. 3", "not understood"),
        ("the 3rd chapter", "not understood"),
        ("chapter (3)", "not understood"),
        ("chapter three", "a number in a word"),
        ("the first three chapters", "counts chapters"),
        ("exercise 3 asks", "not understood"),
    ],
)
def test_what_cannot_be_told_stays_and_is_reported(text: str, why: str) -> None:
    assert renumbered(text) == text
    assert why in doubts(text)


def test_one_chapter_with_two_numbers_is_reported() -> None:
    assert doubts("chapter 3 and 4") == ["one chapter, two numbers"]
    assert doubts("In chapter 3, 4 models") == []


def test_citation_of_the_sentence_before_does_not_count() -> None:
    text = "From {cite:t}`jain2019` to {cite:t}`wiegreffe2019`. Chapter 12 comes back to it."
    assert renumbered(text) == text.replace("12", "13")
    assert doubts(text) == []


def test_range_knows_its_end() -> None:
    mentions, _ = read("chapters 1 and 2 to 4", WORDS)
    assert [(mention.number, mention.upto) for mention in mentions] == [
        (1, None),
        (2, 4),
        (4, None),
    ]


# ------------------------------------------------------------------------ the book


def cell(name: str, text: str, kind: str = "markdown", **more: object) -> dict:
    lines = text.splitlines(keepends=True)
    return {"cell_type": kind, "id": name, "metadata": {}, "source": lines, **more}


def write_notebook(path: Path, *cells: dict) -> None:
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Write three chapters, and pages and files that name them."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "tests").mkdir()
    says = {"text/markdown": ["Exercise 3.1 says √2."], "image/png": "chapter 3"}
    output = {"output_type": "execute_result", "data": says, "metadata": {}}
    write_notebook(
        tmp_path / "chapters/01-start.ipynb",
        cell("start-title", "# 1. Start\n\nThe next chapter, and [chapter 3](03-end.ipynb)."),
        cell("start-ex1", "### Exercise 1.1: begin"),
    )
    write_notebook(
        tmp_path / "chapters/02-middle.ipynb",
        cell("middle-title", "# 2. Middle\n\nAfter the last chapter. {cite:t}`a`, section 2.1."),
        cell("middle-ex1", "### Exercise 2.1: go on"),
        cell("middle-ex2", "### Exercise 2.2: go further"),
    )
    write_notebook(
        tmp_path / "chapters/03-end.ipynb",
        cell("end-title", "# 3. End\n\n**What you need.** Chapters 1 to 2, and chapter 7 later."),
        cell("end-code", 'print("Exercise 3.1 says √2.")', "code", outputs=[output]),
        cell("end-ex1", "### Exercise 3.1: end"),
    )
    files = {
        "_toc.yml": "parts:\n  - chapters:\n      - file: chapters/01-start\n"
        "      - file: chapters/02-middle\n      - file: chapters/03-end\n",
        "chapters/index.md": "| [2. Middle](02-middle.ipynb) |\n| [3. End](03-end.ipynb) |\n",
        "README.md": "See chapters 1 (start), 2\n(middle) and 3 (end).\n",
        "tests/test_end.py": '"""Of the end."""\n',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def content(book: Path) -> dict[str, str]:
    return dict(book_texts.files(book))


def test_made_up_book_has_no_fault(book: Path) -> None:
    faults, notes = chapters.check(book)
    assert faults == {}
    assert set(notes) == {"names a chapter that is not there"}


def test_chapter_is_put_in(book: Path, capsys: pytest.CaptureFixture) -> None:
    before = content(book)
    to_read = chapters.insert(book, 2)
    after = content(book)
    assert chapters.chapters(book) == [(1, "start"), (3, "middle"), (4, "end")]
    assert after["_toc.yml"].splitlines()[2:] == [
        "      - file: chapters/01-start",
        "      - file: chapters/03-middle",
        "      - file: chapters/04-end",
    ]
    assert after["README.md"] == "See chapters 1 (start), 3\n(middle) and 4 (end).\n"
    assert after["chapters/index.md"] == (
        "| [3. Middle](03-middle.ipynb) |\n| [4. End](04-end.ipynb) |\n"
    )
    assert after["chapters/01-start.ipynb"] == before["chapters/01-start.ipynb"].replace(
        "[chapter 3](03-end", "[chapter 4](04-end"
    )
    middle = before["chapters/02-middle.ipynb"].replace("# 2. ", "# 3. ")
    assert after["chapters/03-middle.ipynb"] == middle.replace("Exercise 2.", "Exercise 3.")
    end = before["chapters/03-end.ipynb"].replace("# 3. ", "# 4. ").replace("1 to 2", "1 to 3")
    end = end.replace("chapter 7", "chapter 8").replace("Exercise 3.", "Exercise 4.")
    assert after["chapters/04-end.ipynb"] == end  # the picture, too
    assert 'image/png": "chapter 3' in end
    assert {why: len(places) for why, places in to_read.items()} == {
        "a chapter that is not there yet, moved on by one": 1,
        "is it still the next, or the last?": 2,
        "printed by a cell: execute it again": 1,
        "the range now holds the new chapter": 1,
    }
    faults, notes = chapters.check(book)
    assert faults == {}
    assert notes["no chapter has this number"] == ["2"]
    # Each change is printed.
    printed = capsys.readouterr().out
    assert "  - # 2. Middle" in printed
    assert "  + # 3. Middle" in printed
    assert "chapters/02-middle.ipynb is renamed chapters/03-middle.ipynb" in printed


def test_dry_run_prints_the_same_and_changes_nothing(
    book: Path, capsys: pytest.CaptureFixture
) -> None:
    before = content(book)
    assert chapters.main(["insert", "2", "new", "New", "--dry-run", "--new"], book) == 0
    assert content(book) == before
    dry = capsys.readouterr().out
    assert chapters.main(["insert", "2", "new", "New"], book) == 0
    assert capsys.readouterr().out == dry


def test_new_chapter_is_begun_in_its_place(book: Path) -> None:
    assert chapters.main(["insert", "2", "new", "Something √new", "--new"], book) == 0
    assert [chapter.number for chapter in chapters.chapters(book)] == [1, 2, 3, 4]
    assert (
        "01-start\n      - file: chapters/02-new\n      - file: chapters/03-mid"
        in (content(book)["_toc.yml"])
    )
    assert '"# 2. Something √new"' in content(book)["chapters/02-new.ipynb"]
    assert chapters.check(book)[0] == {}


def test_gap_is_filled_without_moving_anything(book: Path) -> None:
    chapters.insert(book, 2)
    before = content(book)
    assert chapters.main(["insert", "2", "new", "New", "--new"], book) == 0
    after = content(book)
    assert {name for name in after if after[name] != before.get(name)} == {
        "_toc.yml",
        "chapters/02-new.ipynb",
    }


def test_chapter_can_be_put_first_and_last(book: Path) -> None:
    assert chapters.main(["insert", "1", "first", "First", "--new"], book) == 0
    assert chapters.main(["insert", "5", "last", "Last", "--new"], book) == 0
    words = [chapter.word for chapter in chapters.chapters(book)]
    assert words == ["first", "start", "middle", "end", "last"]
    assert chapters.check(book)[0] == {}


def test_paths_can_be_left_alone(book: Path) -> None:
    chapters.insert(book, 2, leave=["README"])
    assert "2\n(middle)" in content(book)["README.md"]


def test_git_follows_the_files(book: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=book, check=True)
    chapters.insert(book, 3)
    done = subprocess.run(
        ["git", "ls-files", "chapters"], cwd=book, capture_output=True, encoding="utf-8"
    )
    assert "chapters/04-end.ipynb" in done.stdout.split()
    assert "chapters/03-end.ipynb" not in done.stdout.split()


@pytest.mark.parametrize("at", [0, 5])
def test_number_out_of_range_is_refused(book: Path, at: int) -> None:
    with pytest.raises(ValueError, match=f"^at: expected a number from 1 to 4, got {at}$"):
        chapters.insert(book, at)


@pytest.mark.parametrize("word", ["middle", "New", "2nd", "new_one"])
def test_word_that_cannot_name_a_chapter_is_refused(book: Path, word: str) -> None:
    with pytest.raises(SystemExit):
        chapters.main(["insert", "2", word, "Title"], book)


FAULTS = {
    "a title has another number than its file": ("chapters/03-end.ipynb", "# 3. ", "# 4. "),
    "exercises are not numbered in order": ("chapters/03-end.ipynb", "e 3.1: end", "e 3.2: end"),
    "a link says another number than its page has": ("chapters/index.md", "[2. M", "[3. M"),
    "no chapter has this name": ("chapters/index.md", "(02-middle", "(03-middle"),
    "_toc.yml does not list the chapters in order": ("_toc.yml", "01-start", "02-start"),
    "code and tests name a chapter by its word": ("tests/test_end.py", "the end", "chapter 3"),
}


@pytest.mark.parametrize("why", FAULTS)
def test_fault_is_found(book: Path, why: str, capsys: pytest.CaptureFixture) -> None:
    name, old, new = FAULTS[why]
    text = (book / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (book / name).write_text(text.replace(old, new), encoding="utf-8")
    assert why in chapters.check(book)[0]
    assert chapters.main(["check"], book) == 1
    assert f"FAULT: {why}" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["chapter03", "Chapter 3", "chapter_3", "ch3-load", "chapters 3"])
def test_number_in_code_is_found(book: Path, text: str) -> None:
    (book / "tests" / "test_new.py").write_text(f"# {text}\n", encoding="utf-8")
    assert list(chapters.check(book)[0]) == ["code and tests name a chapter by its word"]


def test_file_of_code_with_a_number_is_found(book: Path) -> None:
    (book / "tests" / "answers_chapter03.py").write_text("", encoding="utf-8")
    assert list(chapters.check(book)[0]) == ["code and tests name a chapter by its word"]


def test_two_chapters_of_one_number_are_found(book: Path) -> None:
    shutil.copy(book / "chapters" / "03-end.ipynb", book / "chapters" / "03-other.ipynb")
    assert "two chapters have one number" in chapters.check(book)[0]


def test_chapter_is_found_by_its_word(book: Path) -> None:
    assert book_texts.stem("middle", book) == "02-middle"
    assert Chapter(3, "end").file == "chapters/03-end.ipynb"
    with pytest.raises(ValueError, match=r"^word: expected one of the chapters, got 'beginning'$"):
        book_texts.stem("beginning", book)
