"""Find where a text names a chapter by its number, and write the number anew.

A mention is one number: of a file (`04-scaling`), in a link (`[4](04-scaling.ipynb)`), in
prose (`chapters 4–6`), or the first half of an exercise's (`Exercise 4.2`). The sections,
figures and equations of the book have no numbers in its sources, so such a number belongs to
a paper, which is named beside it. What cannot be told is reported as a doubt, and stays.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

# Between two words: also the end of a line, with what begins a comment's next line.
GAP = r"(?:[ \t\u00a0]+|[ \t]*\n[ \t]*(?:(?:#|//|\*|>)[ \t]*)?)"
# Each of these is tried where a word begins that it begins with.
CHAPTER = re.compile(rf"(?i)chapter(s?){GAP}(?=\[?\d)")
EXERCISE = re.compile(rf"(?i)exercise(s?){GAP}(?=\[?\d)")
# After a number: the rest of its link, and words in parentheses.
AFTER = re.compile(rf"(?:\]\([^)]*\))?(?:{GAP}?\([^()\[\]]*\))?")
AND = re.compile(rf",?{GAP}?(?:and|or|to|[–—-]){GAP}?(?=\[?\d)|,{GAP}(?=\[?\d)")
RANGE = re.compile(r"\bto\b|[–—-]")
# Sphinx makes it of a heading: "Exercise 4.2: Scores" is #exercise-4-2-scores.
ANCHOR = re.compile(r"#(?:[\w-]*-)?(?:exercise|chapter)-(\d+)(?!\d)")
TITLE = re.compile(r"\A# (\d+)(?=\. )")
CITED = r"\{cite:\w+\}`[^`]*`"
CITED_BEFORE = re.compile(rf"(?:{CITED}|et al\.(?: \(\d{{4}}\)|,? \d{{4}})?),?{GAP}?\Z")
CITED_AFTER = re.compile(rf"{GAP}?(?:of|in){GAP}(?:{CITED}|[A-Z][\w-]+ (?:et al|and|&|\())")
# A number that papers have, and our sources do not, and what says that a paper is meant.
OF_PAPERS = re.compile(rf"(?i)(?:sections?|figures?|equations?|tables?|appendix|§){GAP}?\d+")
NAMES_OF_PARTS = ("section", "figure", "equation", "table", "appendix", "§")
PAPER = re.compile(rf"{CITED}|et al|\(\d{{4}}|\b(?:19|20)\d\d\b|[Pp]aper|\b[Tt]heir\b")
BESIDE = 160  # characters
COUNTS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen"
# What may be a chapter's number, by what stands at the word and by what stands before it.
DOUBTS = {
    "an identifier holds a number": re.compile(r"(?i)chapters?_?\d+|ch\d+[-_]"),
    "a number in a word": re.compile(rf"(?i)chapter{GAP}(?:{COUNTS})\b"),
    "an exercise without its chapter": re.compile(rf"(?i)exercise{GAP}\d+(?![\d.]|\.\d)"),
    "not understood": re.compile(
        rf"(?i)chapters?(?:[^\w\n/\"',.]{{0,3}}|{GAP}\[?)\d+|ch(?:ap)?\. ?\d+"
    ),
}
BEFORE = {
    "counts chapters": re.compile(rf"(?i)\b(?:{COUNTS}|\d+)(?:{GAP}(?!of\b)[a-z]+)?{GAP}\Z"),
    "not understood": re.compile(rf"\d(?:st|nd|rd|th){GAP}\Z"),
}
NEIGHBOUR = re.compile(rf"(?i)\b(?:next|previous|last|preceding|following){GAP}\Z")


class Mention(NamedTuple):
    """One number of a chapter, at `text[start:end]`."""

    start: int
    end: int
    number: int
    kind: str  # file, link, title, prose, exercise or anchor
    upto: int | None = None  # the end of a range that begins here


class Doubt(NamedTuple):
    """A place that a person has to read: it is left as it is."""

    start: int
    why: str


def read(text: str, words: set[str]) -> tuple[list[Mention], list[Doubt]]:
    """Return the mentions in a text of the book whose chapters have these words, and the doubts."""
    found: dict[int, Mention] = {}
    doubts: list[Doubt] = []
    for mention in _plain(text, words):
        found.setdefault(mention.start, mention)
    for word, pattern, kind in (("chapter", CHAPTER, "prose"), ("exercise", EXERCISE, "exercise")):
        for start in places(text, word):
            if match := pattern.match(text, start):
                mentions, why = _list(text, match, kind)
                doubts += [Doubt(start, why)] if why else []
                found.update({mention.start: mention for mention in mentions})
    ends = {mention.end for mention in found.values()}
    known = {doubt.start for doubt in doubts}
    for start in places(text, "ch", "exercise"):
        for why, pattern in DOUBTS.items():
            match = pattern.match(text, start)
            if match and match.end() not in ends and start not in known:
                doubts.append(Doubt(start, why))
                known.add(start)
        before = text[max(0, start - 40) : start]
        for why, pattern in BEFORE.items():
            plural = why != "counts chapters" or text[start : start + 8].lower() == "chapters"
            if text[start : start + 7].lower() == "chapter" and plural and pattern.search(before):
                doubts.append(Doubt(start, why))
    for start in places(text, *NAMES_OF_PARTS):
        if match := OF_PAPERS.match(text, start):
            if not PAPER.search(text[max(0, start - BESIDE) : match.end() + BESIDE]):
                doubts.append(Doubt(start, "no paper is named beside this number"))
    return sorted(found.values()), sorted(doubts)


def places(text: str, *words: str) -> Iterator[int]:
    """Give the places where one of these words begins, in any case."""
    lowered = text.lower()
    for word in words:
        start = lowered.find(word)
        while start >= 0:
            if not text[start - 1 : start].isalnum():
                yield start
            start = lowered.find(word, start + 1)


def _plain(text: str, words: set[str]) -> Iterator[Mention]:
    stem = rf"(\d\d)-(?:{'|'.join(map(re.escape, sorted(words)))})(?![\w-])" if words else r"(?!)"
    for match in re.finditer(rf"(?<![\w-]){stem}", text):
        yield _mention(match, "file")
    for match in re.finditer(rf"\[(\d+)(?:\. [^\]]*)?\]\([^)]*?{stem}", text):
        yield _mention(match, "link")
    for match in ANCHOR.finditer(text):
        yield _mention(match, "anchor")
    for match in TITLE.finditer(text):
        yield _mention(match, "title")


def _mention(match: re.Match[str], kind: str) -> Mention:
    return Mention(match.start(1), match.end(1), int(match[1]), kind)


def _list(text: str, match: re.Match[str], kind: str) -> tuple[list[Mention], str | None]:
    """Read the numbers behind "chapters" or "exercise", and say what is doubtful about them."""
    rest = r"(?!\d|\.\d|%)" if kind == "prose" else r"\.\d+"
    number = re.compile(rf"\[?(\d{{1,2}}){rest}")
    found: list[Mention] = []
    place, joined = match.end(), ""
    while one := number.match(text, place):
        mention = _mention(one, kind)
        if found and RANGE.search(joined):
            found[-1] = found[-1]._replace(upto=mention.number)
        found.append(mention)
        place = AFTER.match(text, one.end()).end()
        following = AND.match(text, place)
        if following is None:
            break
        place, joined = following.end(), following[0]
        if not match[1]:  # one chapter "4 and 5": of what are there five?
            more = number.match(text, place) and "," not in joined
            return (found, "one chapter, two numbers") if more else (found, None)
    if not found:
        return [], "not understood"
    if CITED_BEFORE.search(text, 0, match.start()) or CITED_AFTER.match(text, found[-1].end):
        return [], "a chapter of another work?"
    return found, None


def neighbours(text: str) -> list[int]:
    """Return where a text says "the next chapter", or the last."""
    found = places(text, "chapter")
    return [start for start in found if NEIGHBOUR.search(text[max(0, start - 40) : start])]


def renumber(text: str, mentions: list[Mention], new: Callable[[int], int]) -> str:
    """Write each number that is mentioned anew; that of a file keeps its two digits."""
    for mention in reversed(mentions):
        digits = f"{new(mention.number):0{2 if mention.kind == 'file' else 1}d}"
        text = text[: mention.start] + digits + text[mention.end :]
    return text
