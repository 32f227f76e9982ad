"""Dates in ten languages, to be put in ISO form (alignment: A real task in miniature).

    Sonntag, 22. November 2026  ->  2026-11-22

How a language writes a date is no idea of ours: it comes from the Unicode Common Locale
Data Repository, CLDR (Unicode License v3), in the form in which the package Babel
(BSD licence) carries it. CLDR changes from release to release, and with it some
abbreviations; the numbers of the characters below do not.

Examples
--------
>>> from datetime import date
>>> from attention.tasks import dates
>>> one = dates.write(date(2026, 11, 22), "French", "full")
>>> one.text, one.iso
('dimanche 22 novembre 2026', '2026-11-22')
>>> one.parts["month"]
range(12, 20)
>>> train = dates.draw("train", 1000, seed=0)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from string import ascii_letters
from types import ModuleType

from attention._arguments import as_integer
from attention.corpus.held_out import fraction
from attention.report import require
from attention.training import END, Pair

# One country for each language, since countries differ: English is American here, and
# has the month first. Hungarian has the year first, all others the day.
LANGUAGES = {
    "Dutch": "nl_NL",
    "English": "en_US",
    "French": "fr_FR",
    "German": "de_DE",
    "Hungarian": "hu_HU",
    "Italian": "it_IT",
    "Polish": "pl_PL",
    "Spanish": "es_ES",
    "Swedish": "sv_SE",
    "Turkish": "tr_TR",
}
# CLDR's names. Its "short" is left out: 3/4/26 is a day in April or one in March.
FORMATS = ("medium", "long", "full")
YEARS = range(1900, 2100)

# ---------------------------------------------------------------------- one date

PARTS = {"y": "year", "M": "month", "d": "day", "E": "weekday"}  # by CLDR's letters


@dataclass(frozen=True)
class WrittenDate:
    """A day, written out.

    Attributes
    ----------
    day : datetime.date
    language, format : str
        From ``LANGUAGES`` and ``FORMATS``.
    text : str
        The source.
    parts : dict
        Where in the text "day", "month", "year" and, if it is named, "weekday"
        stand: ranges of places, counted from 0.
    """

    day: date
    language: str
    format: str
    text: str
    parts: dict[str, range]

    @property
    def iso(self) -> str:
        """The target: year, month and day with hyphens between, ten characters."""
        return f"{self.day:%Y-%m-%d}"

    @property
    def pair(self) -> Pair:
        """Source and target as numbers, for training."""
        return encode(self.text), encode(self.iso)


def write(day: date, language: str, format: str) -> WrittenDate:
    """Write a day as people do.

    Parameters
    ----------
    day : datetime.date
        In one of ``YEARS``.
    language : str
        One of ``LANGUAGES``.
    format : "medium", "long" or "full"
        In most languages: the month abbreviated, the month in full, and that with the
        day of the week.

    Raises
    ------
    ValueError
        If the year, the language or the format is none of these.
    ImportError
        If Babel is not installed.
    """
    years = f"a day from {YEARS.start} to {YEARS.stop - 1}"
    require(isinstance(day, date) and day.year in YEARS, "day", years, day)
    require(language in LANGUAGES, "language", f"one of {', '.join(LANGUAGES)}", language)
    require(format in FORMATS, "format", f"one of {', '.join(FORMATS)}", format)
    text, parts = "", {}
    for kind, piece in _pattern(language, format):
        start = len(text)
        text += _field(day, language, piece) if kind == "field" else piece
        if kind == "field":
            parts[PARTS[piece[0]]] = range(start, len(text))
    return WrittenDate(day, language, format, text, parts)


@cache
def _pattern(language: str, format: str) -> list[tuple[str, str]]:
    """Cut a language's format into fields, such as ("field", "MMMM"), and what is between."""
    babel_dates = _babel_dates()
    pattern = babel_dates.get_date_format(format, LANGUAGES[language]).pattern
    return [
        (kind, value[0] * value[1] if kind == "field" else value)
        for kind, value in babel_dates.tokenize_pattern(pattern)
    ]


def _field(day: date, language: str, letters: str) -> str:
    return _babel_dates().format_date(day, letters, LANGUAGES[language])


def _babel_dates() -> ModuleType:
    try:
        import babel.dates
    except ImportError as error:
        raise ImportError("writing dates needs the package Babel: pip install babel") from error
    return babel.dates


# ----------------------------------------------------------- training and testing

SPLITS = ("train", "validation", "test")
_ENDS = (0.8, 0.9, 1.0)  # where each split's share of all days ends


def home(day: date) -> str:
    """Return the one split that a day may stand in, whatever the language and the format.

    So a model that is tested on a day has never met it, in no language: it cannot have
    learnt the answer by heart.
    """
    share = fraction("day", f"{day:%Y-%m-%d}")
    return next(name for name, end in zip(SPLITS, _ENDS, strict=True) if share < end)


def days(split: str) -> tuple[date, ...]:
    """List the days of a split, in the order of the calendar.

    Raises
    ------
    ValueError
        If there is no such split.
    """
    require(split in SPLITS, "split", f"one of {', '.join(SPLITS)}", split)
    return _calendar()[split]


@cache
def _calendar() -> dict[str, tuple[date, ...]]:
    first, after = date(YEARS.start, 1, 1), date(YEARS.stop, 1, 1)
    split_of = {}
    for number in range((after - first).days):
        day = first + timedelta(number)
        split_of[day] = home(day)
    return {split: tuple(day for day in split_of if split_of[day] == split) for split in SPLITS}


def draw(split: str, count: int, seed: int = 0) -> list[WrittenDate]:
    """Draw different dates of a split, in random languages, formats and order.

    A day can come more than once, but not in the same language and format.

    Parameters
    ----------
    split : "train", "validation" or "test"
    count : int
    seed : int
        The same seed gives the same days, languages and formats on every machine.

    Raises
    ------
    ValueError
        If there is no such split, it has fewer dates, or ``seed`` is no integer.
    ImportError
        If Babel is not installed.
    """
    choices = [(language, format) for language in LANGUAGES for format in FORMATS]
    days_there = days(split)
    there = len(days_there) * len(choices)
    expected = f"a number from 0 to {there:,}"
    count = as_integer("count", count, expected, lambda count: 0 <= count <= there)
    seed = as_integer("seed", seed)
    drawn = Random(f"{split} {seed}").sample(range(there), count)
    return [
        write(days_there[number // len(choices)], *choices[number % len(choices)])
        for number in drawn
    ]


# -------------------------------------------------------------------- characters

# The characters of an ISO date come first, so that a decoder for these alone counts
# them with the same numbers. The list is written down, and not collected from the dates,
# so that weights fit whatever CLDR's release.
ISO = "-0123456789"
CHARACTERS = ISO + " ,." + ascii_letters + "ÇáäåéìóöúûüąğıłőśŞşź"
_NUMBERS = {character: number for number, character in enumerate(CHARACTERS, END + 1)}
SOURCE_SYMBOLS = END + 1 + len(CHARACTERS)  # PADDING, START and END are among them
TARGET_SYMBOLS = END + 1 + len(ISO)


def encode(text: str) -> list[int]:
    """Turn characters into numbers; ``START`` and ``END`` are not added.

    Raises
    ------
    ValueError
        If one of them comes in no date of ours, or ``text`` is no string.
    """
    require(isinstance(text, str), "text", "a string", text)
    for character in text:
        require(character in _NUMBERS, "text", f"characters among {CHARACTERS!r}", character)
    return [_NUMBERS[character] for character in text]


def decode(numbers: Sequence[int]) -> str:
    """Turn numbers into characters, up to ``END`` if there is one.

    Raises
    ------
    ValueError
        If a number before it is no character's.
    """
    expected = f"numbers from {END + 1} to {SOURCE_SYMBOLS - 1}"
    text = ""
    for number in numbers:
        number = as_integer("numbers", number, expected)
        if number == END:
            break
        require(END < number < SOURCE_SYMBOLS, "numbers", expected, number)
        text += CHARACTERS[number - END - 1]
    return text


def pairs(written: Iterable[WrittenDate]) -> list[Pair]:
    """Encode sources and targets.

    Raises
    ------
    ValueError
        If something is no ``WrittenDate``.
    """
    written = list(written)
    for one in written:
        require(isinstance(one, WrittenDate), "written", "a WrittenDate in each place", one)
    return [one.pair for one in written]
