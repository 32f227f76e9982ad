"""The numbers of chapters agree, and code and tests name a chapter by its word."""

import json

import chapters

from .conftest import ROOT

# Files that are still to be named by the chapter's word.
STILL_NUMBERED = ()


def test_numbers_of_chapters_agree():
    """`tools/chapters.py check` says the same; `insert` keeps it so."""
    faults, _ = chapters.check(ROOT)
    left = {
        why: [place for place in places if not place.startswith(STILL_NUMBERED)]
        for why, places in faults.items()
    }
    assert {why: places for why, places in left.items() if places} == {}


def test_every_mention_in_the_chapters_is_understood():
    _, notes = chapters.check(ROOT)
    for why in ("not understood", "one chapter, two numbers", "an identifier holds a number"):
        places = [place for place in notes.get(why, []) if place.startswith("chapters/")]
        assert places == [], why


def test_ids_of_cells_begin_with_the_chapters_word():
    for chapter in chapters.chapters(ROOT):
        notebook = json.loads((ROOT / chapter.file).read_text(encoding="utf-8"))
        ids = [cell["id"] for cell in notebook["cells"]]
        assert [name for name in ids if not name.startswith(f"{chapter.word}-")] == []
