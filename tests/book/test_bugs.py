"""The page of bugs names every chapter, and leads from a symptom to bugs that the book has."""

import re

from .conftest import NOTEBOOKS, ROOT

PAGE = (ROOT / "chapters" / "bugs.md").read_text(encoding="utf-8")
CAUSE = re.compile(r"\[((?:[^\]\\]|\\.)+)\]\(([\w-]+\.ipynb)\)")


def rows(page: str, first: str) -> list[list[str]]:
    """Return the rows of the table whose first title is ``first``, cut into cells."""
    lines = iter(page.splitlines())
    for line in lines:
        if line.startswith(f"| {first} |"):
            next(lines)  # the dashes
            break
    found = []
    for line in lines:
        if not line.startswith("| "):
            break
        found.append([cell.strip() for cell in line.strip("| ").split(" | ")])
    return found


BUGS, SYMPTOMS = rows(PAGE, "bug"), rows(PAGE, "symptom")


def unknown_causes(symptoms: list[list[str]], bugs: list[list[str]]) -> list[tuple[str, str]]:
    """Return the causes that are no bug of the page, or are linked to another chapter."""
    known = {(bug, CAUSE.search(chapter)[2]) for bug, _, chapter, _ in bugs}
    return [cause for row in symptoms for cause in CAUSE.findall(row[1]) if cause not in known]


def test_every_chapter_has_a_bug_on_the_page():
    assert [path.name for path in NOTEBOOKS if f"]({path.name})" not in PAGE] == []


def test_every_bug_has_symptom_chapter_and_test():
    assert len(BUGS) >= 2 * len(NOTEBOOKS)
    for row in BUGS:
        assert len(row) == 4, row
        assert all(len(cell) > 3 for cell in row), row


def test_no_bug_is_listed_twice():
    assert len({row[0] for row in BUGS}) == len(BUGS)


def test_every_symptom_has_causes_and_a_test():
    assert len(SYMPTOMS) >= 10
    for row in SYMPTOMS:
        assert len(row) == 3, row
        causes = row[1].split("; ")
        assert 1 <= len(causes) <= 3, row
        assert len(CAUSE.findall(row[1])) == len(causes), row
        assert len(row[2]) > 10, row


def test_causes_are_bugs_that_the_book_has():
    assert unknown_causes(SYMPTOMS, BUGS) == []


def test_a_cause_that_the_book_lacks_is_noticed():
    bugs = [["No mask", "a leak", "[6](06-masking.ipynb)", "look"]]
    for cause in (("No masks", "06-masking.ipynb"), ("No mask", "07-multi-head.ipynb")):
        symptoms = [["It leaks", f"[{cause[0]}]({cause[1]})", "look"]]
        assert unknown_causes(symptoms, bugs) == [cause]
    assert unknown_causes([["It leaks", "[No mask](06-masking.ipynb)", "look"]], bugs) == []
