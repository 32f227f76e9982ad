"""Number the chapters: make room for one more, or look whether all numbers agree.

python tools/chapters.py insert 4 learning "How attention learns"
python tools/chapters.py check

`insert` renames the chapters from this number on, and writes every mention of their numbers
anew; with `--new` it also begins a notebook for the new one, with `--dry-run` it prints what
it would change. Both print what a person has to read.

A chapter's number stands in the name of its file, in its title and in the numbers of its
exercises. Elsewhere a link or a mention holds it, which this tool keeps right; in code and
tests a chapter is named by its word: `scaling` for `04-scaling.ipynb`.
"""

import argparse
import difflib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from book_texts import ROOT, Chapter, Text, chapters, edited, files, texts
from chapter_mentions import neighbours, read, renumber

NUMBERLESS = ("code/", "tests/", "tools/", "_ext/", "_live/")
NUMBERED = re.compile(r"(?i)chapters?[ _-]?\d|(?<![a-z0-9])ch\d+[-_]")
EXERCISE = re.compile(r"^### Exercise (\d+)\.(\d+): ", re.MULTILINE)
# The rest of a link, from the number in it on, to the number of its page.
LINKED = re.compile(r"\d+(?:\. [^\[\]]*)?\]\([^)\s]*?(\d\d)-")
Findings = dict[str, list[str]]


# -------------------------------------------------------------------------- insert


def insert(root: Path, at: int, *, leave: Sequence[str] = (), dry: bool = False) -> Findings:
    """Make room for a chapter; print what changes, and return what a person has to read."""
    book = chapters(root)
    last = max(chapter.number for chapter in book)
    if not 1 <= at <= last + 1:
        raise ValueError(f"at: expected a number from 1 to {last + 1}, got {at}")
    if at not in {chapter.number for chapter in book}:
        print(f"The number {at} is free.")
        return {}
    to_read: Findings = {}

    def edit(text: Text) -> str:
        mentions, _ = read(text.text, {chapter.word for chapter in book})
        for why, start in remarks(text, book, at):
            add(to_read, why, text.at(start))
        new = renumber(text.text, mentions, lambda number: number + (number >= at))
        show(text, new)
        return new

    for name, raw in files(root):
        if not name.startswith(tuple(leave)):
            new = edited(name, raw, edit)
            if new != raw and not dry:
                (root / name).write_bytes(new.encode())
    for chapter in reversed(book):
        if chapter.number >= at:
            moved = Chapter(chapter.number + 1, chapter.word)
            print(f"{chapter.file} is renamed {moved.file}")
            if not dry:
                move(root, chapter.file, moved.file)
    return to_read


def move(root: Path, old: str, new: str) -> None:
    if (root / ".git").exists():
        subprocess.run(["git", "mv", old, new], cwd=root, check=True)
    else:
        (root / old).rename(root / new)


def remarks(text: Text, book: list[Chapter], at: int) -> list[tuple[str, int]]:
    """Say what a person has to read when a chapter is put in, and where it stands."""
    mentions, doubts = read(text.text, {chapter.word for chapter in book})
    found = [(f"{doubt.why} (left as it is)", doubt.start) for doubt in doubts]
    for mention in mentions:
        if mention.upto and mention.number < at <= mention.upto:
            found.append(("the range now holds the new chapter", mention.start))
        if mention.number > book[-1].number and mention.kind != "exercise":
            found.append(("a chapter that is not there yet, moved on by one", mention.start))
        if text.place.endswith("outputs") and mention.number >= at:
            found.append(("printed by a cell: execute it again", mention.start))
    if text.file in [chapter.file for chapter in book if chapter.number in (at - 1, at)]:
        found += [("is it still the next, or the last?", start) for start in neighbours(text.text)]
    return found


def add(findings: Findings, why: str, place: str) -> None:
    if place not in findings.setdefault(why, []):
        findings[why].append(place)


def show(text: Text, new: str) -> None:
    """Print the lines of a text that change."""
    if new != text.text:
        print(f"{text.file} {text.place}".rstrip())
        lines = difflib.ndiff(text.text.splitlines(), new.splitlines())
        print("\n".join(f"  {line[:200]}" for line in lines if line[0] in "-+"))


def begin(root: Path, chapter: Chapter, title: str) -> None:
    """Write a notebook with nothing but a title, and its line in the table of contents."""
    cell = {"cell_type": "markdown", "id": f"{chapter.word}-title", "metadata": {}}
    cell["source"] = [f"# {chapter.number}. {title}"]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": [cell],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    content = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    (root / chapter.file).write_text(content, encoding="utf-8", newline="\n")
    # Behind the chapter before it, or in front of the first.
    others = [other for other in chapters(root) if other != chapter]
    before = [other for other in others if other.number < chapter.number]
    beside = before[-1] if before else others[0]
    contents = (root / "_toc.yml").read_text(encoding="utf-8")
    line = re.search(rf"^( *- file: chapters/){beside.stem}\n", contents, re.MULTILINE)
    place = line.end() if before else line.start()
    contents = f"{contents[:place]}{line[1]}{chapter.stem}\n{contents[place:]}"
    (root / "_toc.yml").write_text(contents, encoding="utf-8", newline="\n")


# --------------------------------------------------------------------------- check


def check(root: Path) -> tuple[Findings, Findings]:
    """Return the faults, and what a person may want to read."""
    book = chapters(root)
    faults: Findings = {}
    notes: Findings = {}
    numbers = [chapter.number for chapter in book]
    if len(set(numbers)) < len(numbers):
        faults["two chapters have one number"] = [chapter.file for chapter in book]
    if gaps := sorted({*range(1, numbers[-1])} - {*numbers}):
        notes["no chapter has this number"] = [str(number) for number in gaps]
    contents = (root / "_toc.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ *- file: chapters/(\d\d-[a-z-]+)$", contents, re.MULTILINE)
    if listed != [chapter.stem for chapter in book]:
        faults["_toc.yml does not list the chapters in order"] = listed
    for chapter in book:
        notebook = json.loads((root / chapter.file).read_text(encoding="utf-8"))
        sources = ["".join(cell["source"]) for cell in notebook["cells"]]
        if not sources[0].startswith(f"# {chapter.number}. "):
            faults.setdefault("a title has another number than its file", []).append(chapter.file)
        found = [(int(a), int(b)) for a, b in EXERCISE.findall("\n".join(sources))]
        if found != [(chapter.number, n) for n in range(1, len(found) + 1)]:
            faults.setdefault("exercises are not numbered in order", []).append(chapter.file)
    for text in texts(root):
        for kind, findings in (("fault", faults), ("note", notes)):
            for why, start in findings_in(text, book)[kind]:
                add(findings, why, text.at(start))
    return faults, notes


def findings_in(text: Text, book: list[Chapter]) -> dict[str, list[tuple[str, int]]]:
    """Return what is wrong, and what is doubtful, in one text."""
    mentions, doubts = read(text.text, {chapter.word for chapter in book})
    faults: list[tuple[str, int]] = []
    notes = [(doubt.why, doubt.start) for doubt in doubts]
    stems = {chapter.stem for chapter in book}
    for mention in mentions:
        of_one = any(text.text.startswith(stem, mention.start) for stem in stems)
        if mention.kind == "file" and not of_one:
            faults.append(("no chapter has this name", mention.start))
        linked = LINKED.match(text.text, mention.start)
        if mention.kind != "file" and linked and int(linked[1]) != mention.number:
            faults.append(("a link says another number than its page has", mention.start))
        if mention.number not in {chapter.number for chapter in book}:
            notes.append(("names a chapter that is not there", mention.start))
    if text.file.startswith(NUMBERLESS):
        faults += [
            ("code and tests name a chapter by its word", match.start())
            for match in NUMBERED.finditer(text.text)
        ]
        if NUMBERED.search(text.file):
            faults.append(("code and tests name a chapter by its word", 0))
    return {"fault": faults, "note": notes}


# ---------------------------------------------------------------------------- main


def report(findings: Findings, heading: str) -> None:
    for why, places in sorted(findings.items()):
        print(f"\n{heading}: {why}")
        print("\n".join(f"  {place}" for place in places))


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("insert", help="make room for a chapter")
    verb.add_argument("number", type=int)
    verb.add_argument("word", help="names it in file names and code")
    verb.add_argument("title")
    verb.add_argument("--new", action="store_true", help="begin its notebook, too")
    verb.add_argument("--dry-run", action="store_true", help="print the changes, make none")
    verb.add_argument("--leave", nargs="*", default=[], help="beginnings of paths to leave alone")
    verbs.add_parser("check", help="look whether all numbers agree")
    given = parser.parse_args(arguments)
    if given.verb == "check":
        faults, notes = check(root)
        report(notes, "To be read")
        report(faults, "FAULT")
        return 1 if faults else 0
    chapter = Chapter(given.number, given.word)
    if not re.fullmatch("[a-z][a-z-]*", given.word) or given.word in {
        other.word for other in chapters(root)
    }:
        parser.error(f"word: expected a new one of small letters and hyphens, got {given.word!r}")
    report(insert(root, given.number, leave=given.leave, dry=given.dry_run), "To be read")
    if given.new and not given.dry_run:
        begin(root, chapter, given.title)
        print(f"\n{chapter.file} is begun; index.md, bugs.md and README.md do not know it yet.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
