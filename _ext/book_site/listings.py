"""Recognise what a notebook prints of the package's own code, whichever way it is printed."""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from docutils import nodes

from .modules import Modules, Target

# The first line of a definition.
BEGINS = re.compile(r"@|(?:async )?def |class ")


class Listings:
    """The lines of all definitions."""

    def __init__(self, modules: Modules):
        # For each line of code, the definitions that have it, and all their lines.
        self.having: dict[str, list[tuple[Target, dict[int, str]]]] = {}
        for module in modules.by_name.values():
            lines = module.text.split("\n")
            for name, where in module.definitions.items():
                numbered = enumerate(lines[where.first - 1 : where.last], where.first)
                source = dict(without_arguments(numbered))
                for line in set(source.values()):
                    self.having.setdefault(line, []).append((Target(module, name), source))

    def printed(self, text: str) -> list[Target]:
        """Tell of which definitions of the package a text is the source, or a part of it.

        All its lines must be theirs, in their order; lines may be left out (a docstring), and
        arguments may be written in another way (without types). Of a function whose first
        line is left out the target is the first line shown.
        """
        found = [self._smallest_with(piece) for piece in pieces(text)]
        return list(dict.fromkeys(found)) if all(found) else []

    def _smallest_with(self, lines: list[str]) -> Target | None:
        around = [
            (len(source), target.title, target, source)
            for target, source in self.having.get(lines[0], [])
            if is_part(lines, source.values())
        ]
        if not around:
            return None
        *_, target, source = min(around, key=lambda entry: entry[:2])
        first = next(number for number, line in source.items() if line == lines[0])
        begun = BEGINS.match(lines[0]) is not None
        return target if begun else Target(target.module, target.name, first)


@cache
def listings(modules: Modules) -> Listings:
    return Listings(modules)


def names_printed(chapters: Iterable[nodes.document], modules: Modules) -> set[tuple[str, str]]:
    """Find what cells print of the package: the files' paths, and the names within them."""
    return {
        (target.module.path, target.name)
        for chapter in chapters
        for cell in chapter.findall(nodes.container)
        if cell.get("nb_element") == "cell_code_output"
        for printed in cell.findall(nodes.literal_block)
        for target in listings(modules).printed(printed.astext())
    }


def pieces(text: str) -> list[list[str]]:
    """Cut a listing before each definition that is not indented; no blank lines."""
    found: list[list[str]] = [[]]
    before = ""
    for line in filter(str.strip, text.split("\n")):
        if BEGINS.match(line) and not before.startswith("@"):
            found.append([])
        found[-1].append(line)
        before = line
    plain = [[line for _, line in without_arguments(enumerate(piece))] for piece in found if piece]
    return plain if sum(map(len, plain)) > 1 else [[text]]


def without_arguments(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Leave blank lines out, and of the head of a function all but its name."""
    depth = 0
    for number, line in lines:
        line = line.strip()
        start = re.match(r"(?:async )?def \w+", line)
        if line and not depth:
            yield number, start[0] if start else line
        if start or depth:
            depth += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))


def is_part(lines: Iterable[str], source: Iterable[str]) -> bool:
    """Tell whether the lines stand in the source, in this order."""
    rest = iter(source)
    return all(line in rest for line in lines)
