"""Small examples as plain text: rounded numbers, lines of 79 characters (used by checks)."""

import re
import textwrap

import numpy as np

Array = np.ndarray

WIDTH = 79
INDENT = "  "
MOST_ENTRIES = 40
LONGEST_TEXT = 200
FEWEST_DIGITS, MOST_DIGITS = 4, 9


def paragraph(text: str) -> str:
    """Break a text into lines."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)


def on_one_line(text: str) -> str:
    """Put a text on one line, short, with no memory address and no folder."""
    text = re.sub(r" at 0x[0-9A-Fa-f]+", "", " ".join(text.split()))
    text = re.sub(r"""(?<![^\s'"(<])(?:[A-Za-z]:)?[/\\](?:[^\s/\\'"]+[/\\])+""", "", text)
    text = "".join(letter for letter in text if letter.isprintable())
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 3] + "..."


def table(rows: list[tuple[str, object]]) -> str:
    """Write labelled values below each other, their columns aligned."""
    digits = _digits_that_tell_apart([thing for _, thing in rows])
    width = max(len(label) for label, _ in rows)
    return "\n".join(
        line
        for label, thing in rows
        for line in _lines(f"{INDENT}{label:{width}}  ", thing, digits)
    )


def _digits_that_tell_apart(things: list[object]) -> int:
    """Choose as few digits as show that the last two values differ."""
    arrays = [thing for thing in things[-2:] if isinstance(thing, Array)]
    if len(arrays) == 2 and all(array.size <= MOST_ENTRIES for array in arrays):
        for digits in range(FEWEST_DIGITS, MOST_DIGITS):
            if _nested(arrays[0], digits) != _nested(arrays[1], digits):
                return digits
    return FEWEST_DIGITS


def _lines(start: str, thing: object, digits: int) -> list[str]:
    """Write one value on one line, or one line for each of its rows."""
    if isinstance(thing, Array) and thing.size > MOST_ENTRIES:
        return _cut([f"{start}an array of shape {thing.shape}"])
    return _cut(_broken(start, thing, digits))


def _broken(start: str, thing: object, digits: int, end: str = "") -> list[str]:
    """Break what is too long for a line at its first axis, and what is still too long again."""
    line = start + _nested(thing, digits) + end
    if len(line) <= WIDTH or not isinstance(thing, Array) or thing.ndim < 2:
        return [line]
    starts = [start + "["] + [" " * (len(start) + 1)] * (len(thing) - 1)
    ends = [","] * (len(thing) - 1) + ["]" + end]
    return [
        line
        for before, row, after in zip(starts, thing, ends, strict=True)
        for line in _broken(before, row, digits, after)
    ]


def _cut(lines: list[str]) -> list[str]:
    return [line if len(line) <= WIDTH else line[: WIDTH - 3] + "..." for line in lines]


def _nested(thing: object, digits: int) -> str:
    if isinstance(thing, Array) and thing.ndim:
        return "[" + ", ".join(_nested(row, digits) for row in thing) + "]"
    if isinstance(thing, Array):
        thing = thing.item()
    if isinstance(thing, float | np.floating):
        return f"{thing + 0.0:.{digits}g}"  # + 0.0: no "-0"
    return repr(thing) if isinstance(thing, str) else str(thing)
