"""Recognise what a notebook prints of the package's own code, whichever way it is printed."""

import re
from collections.abc import Iterable

from .modules import Modules, Target

# The first line of a definition.
BEGINS = re.compile(r"@|(?:async )?def |class ")


class Listings:
    """The lines of all definitions."""

    def __init__(self, modules: Modules):
        # For each line of code, the definitions that have it, and all their lines.
        self.having: dict[str, list[tuple[Target, dict[int, str]]]] = {}
        for module in modules.by_name.values():
            lines = [line.strip() for line in module.text.split("\n")]
            for name, where in module.definitions.items():
                numbers = range(where.first, where.last + 1)
                source = {number: lines[number - 1] for number in numbers if lines[number - 1]}
                for line in set(source.values()):
                    self.having.setdefault(line, []).append((Target(module, name), source))

    def printed(self, text: str) -> list[Target]:
        """Tell of which definitions of the package a text is the source, or a part of it.

        All its lines must be theirs, in their order; lines may be left out (a docstring). Of a
        function whose first line is left out the target is the first line shown.
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


def pieces(text: str) -> list[list[str]]:
    """Cut a listing before each definition that is not indented; no blank lines."""
    found: list[list[str]] = [[]]
    before = ""
    for line in filter(str.strip, text.split("\n")):
        if BEGINS.match(line) and not before.startswith("@"):
            found.append([])
        found[-1].append(line.strip())
        before = line
    whole = [piece for piece in found if piece]
    return whole if sum(map(len, whole)) > 1 else [[text]]


def is_part(lines: Iterable[str], source: Iterable[str]) -> bool:
    """Tell whether the lines stand in the source, in this order."""
    rest = iter(source)
    return all(line in rest for line in lines)
