"""Links between chapters and pages of code: what a link is made of, and where it leads."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from .modules import Modules, Place, Target


def place_node(place: Place) -> nodes.inline:
    """Make what becomes a link to a chapter, once all chapters are read."""
    return nodes.inline(text=place.heading or place.word, book_place=place)


@dataclass(frozen=True)
class Section:
    """A section of a chapter, or the whole chapter: then heading and anchor are ``""``."""

    chapter: str  # its page
    title: str  # of the chapter
    heading: str = ""
    anchor: str = ""


def section_at(env: BuildEnvironment, place: Place) -> Section | None:
    """Find the section that a place names, or return None if there is none."""
    chapter = chapter_of(env, place.word)
    if chapter is None:
        return None
    title = env.titles[chapter].astext()
    if not place.heading:
        return Section(chapter, title)
    for entry in env.tocs[chapter].findall(nodes.reference):
        if begins(entry.astext(), place.heading):
            return Section(chapter, title, entry.astext(), entry["anchorname"])
    return None


def place_link(
    app: Sphinx, page: str, place: Place, before: Place | None = None
) -> nodes.reference | None:
    """Link to a section of a chapter, or return None if there is none.

    Where the place named before is in the same chapter, the chapter's title is left out.
    """
    section = section_at(app.env, place)
    if section is None:
        return None
    said = f"{section.title}: {section.heading}" if section.heading else section.title
    if section.heading and before and before.word == place.word:
        said = section.heading
    return link(app, page, section.chapter, section.anchor, said)


def chapter_of(env: BuildEnvironment, word: str) -> str | None:
    """Find the chapter with this word: its file's name without the number."""
    found = (name for name in env.found_docs if re.fullmatch(rf"chapters/\d+-{word}", name))
    return next(found, None)


def begins(heading: str, start: str) -> bool:
    """Compare a heading with the beginning of one, without case and signs of Markdown."""
    plain = [re.sub(r"[`*$]", "", text).casefold() for text in (heading, start)]
    return plain[0].startswith(plain[1])


def link(app: Sphinx, page: str, to: str, anchor: str, text: str) -> nodes.reference:
    address = app.builder.get_relative_uri(page, to) + anchor
    return nodes.reference("", text, internal=True, refuri=address)


# ------------------------------------------------------------- scripts in the chapters


def chapters_of(env: BuildEnvironment) -> dict[str, nodes.document]:
    """Return the chapters, by their words and in their order."""
    pages = (re.fullmatch(r"chapters/\d+-(.+)", page) for page in sorted(env.found_docs))
    return {page[1]: env.get_doctree(page[0]) for page in pages if page}


def sections_that_name(
    chapters: Mapping[str, nodes.document], modules: Modules
) -> dict[str, dict[str, Place]]:
    """For each script, find the sections that name it, or read a log that it wrote."""
    told: dict[str, dict[str, Place]] = defaultdict(dict)
    scripts = {path for path in modules.by_path if path.startswith("experiments/")}
    for word, chapter in chapters.items():
        for node in chapter.findall(is_code):
            for path in named_in(node.astext(), scripts):
                heading = heading_above(node)
                told[path].setdefault(f"{word} {heading}", Place(word, heading))
    return told


def is_code(node: nodes.Node) -> bool:
    return isinstance(node, nodes.literal | nodes.literal_block)


def named_in(text: str, scripts: set[str]) -> set[str]:
    """Find the scripts that a text names, or whose logs: `cost.csv` or `cost_log.csv`."""
    found = set()
    for name in re.findall(r"experiments/[\w/]+(?=\.(?:py|csv|json))", text):
        wrote = [path for path in scripts if name.startswith(path.removesuffix(".py"))]
        found.add(max(wrote, key=len, default=""))
    return found - {""}


def heading_above(node: nodes.Node) -> str:
    """Return the heading of the section that a node stands in, or "" below the title."""
    while node.parent is not None:
        node = node.parent
        if isinstance(node, nodes.section):
            is_chapter = isinstance(node.parent, nodes.document)
            return "" if is_chapter else node.next_node(nodes.title).astext()
    return ""


def source_address(app: Sphinx, page: str, target: Target) -> str:
    """Return the address of a definition's place, as a link of the page says it."""
    return app.builder.get_relative_uri(page, target.module.page) + target.anchor


def target_link(app: Sphinx, page: str, target: Target, inside: nodes.Node) -> nodes.reference:
    """Make a link to a definition's place around a node."""
    address = source_address(app, page, target)
    return nodes.reference("", "", inside, internal=True, refuri=address, classes=["to-source"])
