"""What the first page shows of the book: chapters, ways through it, a map, figures to touch.

Directives and a role for the pages beside the chapters. The page says what the notebooks
cannot know (one line for a chapter, one for a kind of figure); titles, links, reading times and
what needs what are read from the notebooks (`facts.py`) when the site is built.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import ClassVar

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from . import book_map, glyphs
from .facts import Chapter, chapters


def setup(app: Sphinx) -> None:
    for name, kind in DIRECTIVES.items():
        app.add_directive(name, kind)
    app.add_role("minutes", Minutes())
    app.add_role("exercise", ExerciseLink())


class OfTheBook:
    """What directives and roles share: the chapters, by their word."""

    def chapters(self) -> dict[str, Chapter]:
        """Read the notebooks; the page is made anew when one of them changes."""
        folder = Path(self.env.srcdir) / "chapters"
        found = {chapter.word: chapter for chapter in chapters(folder)}
        for chapter in found.values():
            self.env.note_dependency(str(folder / f"{chapter.page}.ipynb"))
        return found

    def chapter(self, word: str) -> Chapter:
        """Find a chapter by its word."""
        found = self.chapters()
        if word not in found:
            raise ValueError(f"expected the word of a chapter ({', '.join(found)}), got {word!r}")
        return found[word]

    def parts(self) -> dict[str, list[str]]:
        """Return the parts of the contents, each with its pages."""
        contents = yaml.safe_load((Path(self.env.srcdir) / "_toc.yml").read_text(encoding="utf-8"))
        return {
            part["caption"]: [entry["file"].rpartition("/")[2] for entry in part["chapters"]]
            for part in contents["parts"]
        }


class BookDirective(OfTheBook, SphinxDirective):
    """A directive with lines of `word: text`."""

    has_content = True

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield word and text of each line."""
        for line in self.content:
            if line.strip():
                word, _, text = line.partition(": ")
                yield word.strip(), text.strip()

    def markdown(self, lines: list[str], name: str) -> list[nodes.Node]:
        """Parse Markdown into a container of this class."""
        container = nodes.container(classes=[name])
        self.state.nested_parse(StringList(lines, self.get_source_info()[0]), 0, container)
        return [container]

    def html(self, text: str) -> list[nodes.Node]:
        """Put HTML into the page."""
        return [nodes.raw("", text, format="html")]


class Chapters(BookDirective):
    """All chapters by part: title, question, reading time. A line is `word: question`."""

    def run(self) -> list[nodes.Node]:
        """Make a list of definitions for each part."""
        questions = dict(self.lines())
        for word in questions:
            self.chapter(word)  # no line for a chapter that is not there
        by_page = {chapter.page: chapter for chapter in self.chapters().values()}
        lines = []
        for part, pages in self.parts().items():
            here = [by_page[page] for page in pages if page in by_page]
            lines += [f"**{part}**", ""] if here else []
            for one in here:
                question = questions.get(one.word) or one.question
                lines += [f"{link(one)} *{one.minutes} minutes*", f": {question}", ""]
        return self.markdown(lines, "book-chapters")


class Way(BookDirective):
    """A way through the book. A line is `word: what for`; the reading times are added up."""

    def run(self) -> list[nodes.Node]:
        """Make a numbered list, and its sum."""
        stops = [(self.chapter(word), text) for word, text in self.lines()]
        lines = [f"1. {link(one)}, {one.minutes} minutes: {text}" for one, text in stops]
        total = sum(one.minutes for one, _ in stops)
        return self.markdown([*lines, "", f"{total} minutes of reading in all."], "book-way")


class BookMap(BookDirective):
    """The map. Lines `new: word note` write above a box, `hurried: words` frames some."""

    def run(self) -> list[nodes.Node]:
        """Draw the map, and a legend of the parts."""
        found, said = list(self.chapters().values()), list(self.lines())
        notes = dict(text.split(" ", 1) for name, text in said if name == "note")
        hurried = [word for name, text in said if name == "hurried" for word in text.split()]
        pages = {chapter.page for chapter in found}
        here = {part: names for part, names in self.parts().items() if pages & set(names)}
        numbers = {page: i for i, names in enumerate(here.values(), 1) for page in names}
        legend = "".join(
            f'<li><span class="part-{i}"></span>{escape(part)}</li>'
            for i, part in enumerate(here, 1)
        )
        frame = '<li><span class="hurried"></span>on the way of an hour</li>' if hurried else ""
        drawing = book_map.drawn(found, numbers, notes, hurried)
        legend = f'<ul class="map-legend">{legend}{frame}</ul>'
        return self.html(f'<div class="book-map-box">{legend}{drawing}</div>')


class Gallery(BookDirective):
    """All figures to explore, with links to their places. A line is `element: Title. Text`."""

    def run(self) -> list[nodes.Node]:
        """Make a list; a figure that no line describes has the name of its element."""
        texts = dict(self.lines())
        seen: dict[str, list[tuple[Chapter, str]]] = {}
        for chapter in self.chapters().values():
            for figure in chapter.figures:
                seen.setdefault(figure.element, []).append((chapter, figure.cell))
        if unknown := texts.keys() - seen.keys():
            raise self.error(f"no chapter has such a figure: {', '.join(sorted(unknown))}")
        items = [self.item(name, found, texts.get(name, "")) for name, found in seen.items()]
        return self.html(f'<ul class="book-gallery">{"".join(items)}</ul>')

    def item(self, element: str, found: list[tuple[Chapter, str]], text: str) -> str:
        """Write one figure: a drawing, its title, what to do with it, and where else it is."""
        title, _, rest = text.partition(". ")
        title = title or element.replace("-", " ").capitalize()
        (chapter, cell), *others = found
        elsewhere = [
            f'<a href="{one.page}.html#{name}">chapter {one.number}</a>'
            for i, (one, name) in enumerate(others)
            if one.page not in {chapter.page, *(other.page for other, _ in others[:i])}
        ]
        also = f" Also in {' and '.join(elsewhere)}." if elsewhere else ""
        return (
            f'<li>{glyphs.drawn(element)}<div><a href="{chapter.page}.html#{cell}">'
            f"{escape(title)}</a> <span>chapter {chapter.number}</span>"
            f"<p>{escape(rest)}{also}</p></div></li>"
        )


class Touch(BookDirective):
    """A figure of a chapter, to touch on another page: the name of its cell."""

    required_arguments = 1
    has_content = False
    option_spec: ClassVar = {
        "without": directives.unchanged,
        "examples": directives.positive_int,
    }

    def run(self) -> list[nodes.Node]:
        """Take the figure as the committed notebook has it."""
        wanted = self.arguments[0]
        for chapter in self.chapters().values():
            for figure in chapter.figures:
                if figure.cell == wanted:
                    without = self.options.get("without", "").split()
                    return self.html(figure.cut(without, self.options.get("examples")))
        raise self.error(f"no chapter has a figure to touch in a cell {wanted!r}")


class Minutes(OfTheBook, SphinxRole):
    """How long a chapter takes to read: {minutes}`masking`; of several, their sum."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Write the sum of the minutes."""
        total = sum(self.chapter(word).minutes for word in self.text.split())
        return [nodes.Text(f"{total} minutes")], []


class ExerciseLink(OfTheBook, SphinxRole):
    """A link to an exercise with its minutes: {exercise}`masking-ex1-try`, by its cell."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Link to the heading of the exercise."""
        for chapter in self.chapters().values():
            for one in chapter.exercises:
                if one.cell == self.text:
                    address = f"{chapter.page}.html#{nodes.make_id(one.title)}"
                    place = nodes.reference("", one.title, refuri=address, internal=True)
                    return [place, nodes.Text(f" ({one.minutes} minutes)")], []
        raise ValueError(f"expected the cell of an exercise, got {self.text!r}")


def link(chapter: Chapter) -> str:
    """Write a link to a chapter, in Markdown."""
    return f"[{chapter.title}]({chapter.page}.ipynb)"


DIRECTIVES = {
    "book-chapters": Chapters,
    "book-way": Way,
    "book-map": BookMap,
    "book-gallery": Gallery,
    "touch": Touch,
}
