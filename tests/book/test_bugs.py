"""The page of bugs names every chapter, and says symptom and test for each bug."""

from .conftest import NOTEBOOKS, ROOT

PAGE = (ROOT / "chapters" / "bugs.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| bug")
]


def test_every_chapter_has_a_bug_on_the_page():
    assert [path.name for path in NOTEBOOKS if f"]({path.name})" not in PAGE] == []


def test_every_bug_has_symptom_chapter_and_test():
    assert len(ROWS) >= 2 * len(NOTEBOOKS)
    for row in ROWS:
        assert len(row) == 4, row
        assert all(len(cell) > 3 for cell in row), row


def test_no_bug_is_listed_twice():
    assert len({row[0] for row in ROWS}) == len(ROWS)
