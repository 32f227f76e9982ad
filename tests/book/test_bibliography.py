"""Each entry of the bibliography says who, what, when and where, and each is cited."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from pybtex.database import Entry, parse_file, parse_string

from .conftest import NOTEBOOKS, ROOT

FILE = ROOT / "chapters" / "references.bib"
PLACES = {"article": "journal", "inproceedings": "booktitle"}  # of what has appeared
CITE = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")


def faults(entry: Entry) -> Iterator[str]:
    """Yield what an entry lacks, and what in it contradicts itself."""
    fields = entry.fields
    if not entry.persons.get("author"):
        yield "no author"
    yield from (f"no {name}" for name in ("title", "year") if not fields.get(name))
    place = PLACES.get(entry.type)
    if entry.type not in (*PLACES, "misc"):
        yield f"an {entry.type}: of which fields?"
    if place and not fields.get(place):
        yield f"no {place}"
    if not place and not ("eprint" in fields or "url" in fields):
        yield "neither eprint nor url"
    if "eprint" in fields:
        posted = re.fullmatch(r"(\d\d)(0[1-9]|1[0-2])\.\d{4,5}", fields["eprint"])
        if fields.get("archiveprefix") != "arXiv" or not posted:
            yield "no number of arXiv"
        elif not -1 <= int(fields.get("year", 0)) - (2000 + int(posted[1])) <= 2:
            yield f"of {fields.get('year')}, but posted in 20{posted[1]}"
    if not fields.get("url", "https://").startswith("https://"):
        yield "an address without https"


def cited(sources: list[str]) -> set[str]:
    """Collect the keys that are cited. In code, an f-string doubles the braces."""
    text = "\n".join(sources).replace("{{", "{").replace("}}", "}")
    return {key.strip() for keys in CITE.findall(text) for key in keys.split(",")}


def pages() -> list[str]:
    books = (nbformat.read(path, as_version=nbformat.NO_CONVERT) for path in NOTEBOOKS)
    markdown = sorted((ROOT / "chapters").glob("*.md"))
    return [cell.source for book in books for cell in book.cells] + [
        path.read_text(encoding="utf-8") for path in markdown
    ]


def entries(path: Path = FILE) -> dict[str, Entry]:
    """Read the bibliography; pybtex raises an error if a key is there twice."""
    return dict(parse_file(str(path)).entries)


def test_each_entry_is_whole():
    found = {key: list(faults(entry)) for key, entry in entries().items()}
    assert {key: what for key, what in found.items() if what} == {}


def test_no_work_is_there_twice():
    for field in ("title", "eprint"):
        values = [
            entry.fields[field].lower() for entry in entries().values() if field in entry.fields
        ]
        assert sorted(values) == sorted(set(values))


def test_what_is_cited_is_what_is_there():
    """Sphinx fails on a missing entry; an entry that no page cites is dead weight."""
    assert cited(pages()) == set(entries())


WHOLE = """@inproceedings{key, author = {One, A.}, title = {Two}, booktitle = {Three},
  year = {2017}, eprint = {1706.03762}, archiveprefix = {arXiv}}"""


def only(text: str) -> Entry:
    return parse_string(text, "bibtex").entries["key"]


def test_a_whole_entry_passes():
    assert list(faults(only(WHOLE))) == []
    assert (
        list(faults(only("@misc{key, author={A}, title={T}, year={2018}, url={https://a.b}}")))
        == []
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("author = {One, A.},", "", "no author"),
        ("title = {Two},", "", "no title"),
        ("booktitle = {Three},", "", "no booktitle"),
        ("inproceedings", "article", "no journal"),
        ("inproceedings", "book", "an book: of which fields?"),
        ("year = {2017}", "year = {2071}", "of 2071, but posted in 2017"),
        ("1706.03762", "1776.03762", "no number of arXiv"),
        ("arXiv", "arxive", "no number of arXiv"),
        ("eprint", "url", "an address without https"),
    ],
)
def test_a_fault_is_seen(old: str, new: str, fault: str):
    assert fault in faults(only(WHOLE.replace(old, new, 1)))


def test_a_work_that_cannot_be_found_is_seen():
    assert list(faults(only("@misc{key, author={A}, title={T}, year={2018}}"))) == [
        "neither eprint nor url"
    ]


def test_cites_are_seen_in_text_and_in_code():
    text = ["{cite:t}`a2017` and {cite:p}`b2018, c2019`", 'f"{{cite:p}}`d2020`"', "`e2021`"]
    assert cited(text) == {"a2017", "b2018", "c2019", "d2020"}
