"""Dates in ten languages: what is written, what is held out, and what a wrong call says."""

import csv
import re
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import jaxtyping
import pytest
from tests.conftest import load_without_shape_checks
from tests.test_experiments import load as load_experiment

from attention import recurrent
from attention.tasks import dates
from attention.training import END, PADDING, START

SMALL = {"train": 3000, "validation": 500, "test": 500}


@pytest.fixture(scope="module")
def plain_dates():
    """`attention.tasks.dates` as a reader meets it, without enforced types."""
    return load_without_shape_checks("tasks/dates")


@contextmanager
def types_not_checked():
    """Write dates in bulk ten times as fast."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def fast():
    with types_not_checked():
        yield


@pytest.fixture(scope="module")
def drawn():
    with types_not_checked():
        return {split: dates.draw(split, count) for split, count in SMALL.items()}


@pytest.fixture(scope="module")
def leap_year():
    """Every day of a leap year, in every language and format."""
    days = [date(2000, 1, 1) + timedelta(number) for number in range(366)]
    with types_not_checked():
        return [
            dates.write(day, language, format)
            for day in days
            for language in dates.LANGUAGES
            for format in dates.FORMATS
        ]


# ------------------------------------------------------------------ one date

# As people write it, looked up by hand. Babel's next release may change an abbreviation.
GOLDEN = [
    ("Dutch", "full", "zondag 22 november 2026"),
    ("English", "full", "Sunday, November 22, 2026"),
    ("English", "medium", "Nov 22, 2026"),
    ("French", "full", "dimanche 22 novembre 2026"),
    ("German", "full", "Sonntag, 22. November 2026"),
    ("German", "medium", "22.11.2026"),
    ("Hungarian", "full", "2026. november 22., vasárnap"),
    ("Italian", "full", "domenica 22 novembre 2026"),
    ("Polish", "full", "niedziela, 22 listopada 2026"),
    ("Spanish", "full", "domingo, 22 de noviembre de 2026"),
    ("Swedish", "full", "söndag 22 november 2026"),
    ("Turkish", "full", "22 Kasım 2026 Pazar"),
]


@pytest.mark.parametrize(("language", "format", "text"), GOLDEN)
def test_a_date_written_by_hand(language, format, text):
    one = dates.write(date(2026, 11, 22), language, format)
    assert one.text == text
    assert one.iso == "2026-11-22"


def test_dates_are_those_of_babel(drawn):
    from babel.dates import format_date

    for one in drawn["test"]:
        locale = dates.LANGUAGES[one.language]
        assert one.text == format_date(one.day, one.format, locale)


def test_there_are_ten_languages_with_three_orders():
    assert len(dates.LANGUAGES) == len(set(dates.LANGUAGES.values())) == 10
    orders = Counter()
    for language in dates.LANGUAGES:
        parts = dates.write(date(2026, 11, 22), language, "long").parts
        orders["".join(sorted("ymd", key=lambda part: parts[NAMES[part]].start))] += 1
    assert orders == {"dmy": 8, "mdy": 1, "ymd": 1}


NAMES = {"y": "year", "m": "month", "d": "day"}


def test_the_parts_are_where_they_are_said_to_be(leap_year):
    for one in leap_year:
        said = {part: one.text[place.start : place.stop] for part, place in one.parts.items()}
        assert said["year"] == str(one.day.year)
        assert int(said["day"]) == one.day.day
        assert said["month"].isdigit() == (one.language == "German" and one.format == "medium")
        assert set(said) - {"weekday"} == {"year", "month", "day"}
        assert ("weekday" in said) == (one.format == "full")


def test_each_month_and_weekday_has_a_name_of_its_own(leap_year):
    names = {}
    for one in leap_year:
        for part, value in (("month", one.day.month), ("weekday", one.day.weekday())):
            if part in one.parts:
                place = one.parts[part]
                key = one.language, one.format, part, value
                names.setdefault(key, set()).add(one.text[place.start : place.stop])
    assert all(len(texts) == 1 for texts in names.values())
    months = {key[:3] + tuple(texts) for key, texts in names.items() if key[2] == "month"}
    assert len(months) == 12 * 10 * 3


def test_no_text_means_two_days(leap_year):
    meanings = {}
    for one in leap_year:
        meanings.setdefault(one.text, set()).add(one.iso)
    assert max(map(len, meanings.values())) == 1


@pytest.mark.usefixtures("fast")
def test_the_year_is_written_with_four_digits_from_the_first_to_the_last():
    for year in dates.YEARS:
        for language in dates.LANGUAGES:
            one = dates.write(date(year, 2, 1), language, "medium")
            assert re.findall(r"\d{4}", one.text) == [str(year)]


# ---------------------------------------------------------- training and testing


def test_no_day_stands_in_two_splits(drawn):
    """Not even in another language: a test date's answer has never been seen."""
    days = {split: {one.day for one in written} for split, written in drawn.items()}
    isos = {split: {one.iso for one in written} for split, written in drawn.items()}
    texts = {split: {one.text for one in written} for split, written in drawn.items()}
    for one, other in [("train", "validation"), ("train", "test"), ("validation", "test")]:
        assert not days[one] & days[other]
        assert not isos[one] & isos[other]
        assert not texts[one] & texts[other]


@pytest.mark.usefixtures("fast")
def test_every_day_stands_in_one_split():
    every = [day for split in dates.SPLITS for day in dates.days(split)]
    assert len(every) == len(set(every)) == (date(2100, 1, 1) - date(1900, 1, 1)).days
    assert min(every) == date(1900, 1, 1)
    assert max(every) == date(2099, 12, 31)
    shares = {split: len(dates.days(split)) / len(every) for split in dates.SPLITS}
    assert shares == pytest.approx({"train": 0.8, "validation": 0.1, "test": 0.1}, abs=0.005)


@pytest.mark.usefixtures("fast")
def test_training_has_every_year_and_every_day_of_the_year():
    """What is held out is the combination: a model could know each half of it."""
    train = dates.days("train")
    assert {day.year for day in train} == set(dates.YEARS)
    assert len({(day.month, day.day) for day in train}) == 366


@pytest.mark.usefixtures("fast")
def test_days_stay_where_they_are():
    """Whatever is trained on today's splits must not meet a test day tomorrow."""
    assert [dates.home(date(2026, 11, day)) for day in range(16, 28)] == HOMES


HOMES = [
    *("validation", "train", "validation", "train", "train", "validation"),
    *("train", "test", "train", "train", "validation", "validation"),
]


def test_a_draw_depends_on_its_seed_alone():
    one = dates.draw("train", 20, seed=3)
    assert one == dates.draw("train", 20, seed=3)
    assert one != dates.draw("train", 20, seed=4)
    assert [(w.iso, w.language, w.format) for w in dates.draw("test", 2)] == FIRST


FIRST = [("1939-01-14", "German", "long"), ("2002-01-08", "Polish", "long")]


def test_a_draw_has_no_date_twice_and_all_languages_and_formats(drawn):
    for written in drawn.values():
        different = {(one.day, one.language, one.format) for one in written}
        assert len(different) == len(written)
    shares = Counter((one.language, one.format) for one in drawn["train"])
    assert len(shares) == 30
    assert min(shares.values()) > 0.6 * SMALL["train"] / 30
    assert max(shares.values()) < 1.4 * SMALL["train"] / 30


def test_drawing_nothing_is_drawing_nothing():
    assert dates.draw("test", 0) == []


# ----------------------------------------------------------------- characters


def test_the_characters_are_enough_for_every_date_and_in_no_need_of_more(leap_year):
    written = set("".join(one.text for one in leap_year))
    assert written <= set(dates.CHARACTERS)
    beyond_ascii = {character for character in dates.CHARACTERS if not character.isascii()}
    assert beyond_ascii <= written
    assert len(set(dates.CHARACTERS)) == len(dates.CHARACTERS)


@pytest.mark.usefixtures("fast")
def test_encoding_and_decoding_are_each_others_reverse(drawn):
    for one in drawn["test"]:
        source, target = one.pair
        assert dates.decode(source) == one.text
        assert dates.decode([*target, END, PADDING]) == one.iso
        assert len(target) == 10
        assert END < min(source) <= max(source) < dates.SOURCE_SYMBOLS
        assert END < min(target) <= max(target) < dates.TARGET_SYMBOLS
    assert dates.pairs(drawn["test"][:2]) == [one.pair for one in drawn["test"][:2]]


def test_numbers_stay_what_they_are():
    """Committed weights depend on them."""
    assert dates.encode("2026-11-22") == [6, 4, 6, 10, 3, 5, 5, 3, 6, 6]
    assert dates.encode(" aZź") == [14, 17, 68, 88]
    assert (dates.SOURCE_SYMBOLS, dates.TARGET_SYMBOLS) == (89, 14)
    assert dates.decode([]) == dates.decode([END, 6]) == ""


# --------------------------------------------------------------------- errors


def check_message(call, message):
    """Assert that `call` raises a ValueError with just this message."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize("day", [date(1899, 12, 31), date(2100, 1, 1), "2026-11-22", None], ids=str)
def test_a_day_must_be_in_the_two_centuries(plain_dates, day):
    check_message(
        lambda: plain_dates.write(day, "French", "long"),
        f"day: expected a day from 1900 to 2099, got {day!r}",
    )


def test_a_language_must_be_one_of_the_ten(plain_dates):
    for language in ("Danish", "fr_FR", None):
        check_message(
            lambda language=language: plain_dates.write(date(2026, 11, 22), language, "long"),
            "language: expected one of Dutch, English, French, German, Hungarian, Italian, "
            f"Polish, Spanish, Swedish, Turkish, got {language!r}",
        )


def test_the_short_format_is_refused(plain_dates):
    check_message(
        lambda: plain_dates.write(date(2026, 11, 22), "French", "short"),
        "format: expected one of medium, long, full, got 'short'",
    )


def test_a_time_of_day_does_no_harm(plain_dates):
    evening = datetime(2026, 11, 22, 23, 59)
    one = plain_dates.write(evening, "French", "long")
    assert (one.text, one.iso) == ("22 novembre 2026", "2026-11-22")
    assert plain_dates.home(evening) == plain_dates.home(evening.date())


@pytest.mark.usefixtures("fast")
def test_a_split_must_exist(plain_dates):
    message = "split: expected one of train, validation, test, got 'dev'"
    check_message(lambda: plain_dates.days("dev"), message)
    check_message(lambda: plain_dates.draw("dev", 1), message)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("count", [-1, 10**7])
def test_a_draw_must_be_possible(plain_dates, count):
    there = 30 * len(dates.days("test"))
    check_message(
        lambda: plain_dates.draw("test", count),
        f"count: expected a number from 0 to {there:,}, got {count}",
    )


@pytest.mark.parametrize("character", ["é".upper(), "/", "\xa0", "二"])
def test_an_unknown_character_is_named(plain_dates, character):
    check_message(
        lambda: plain_dates.encode(f"3{character}4"),
        f"text: expected characters among {dates.CHARACTERS!r}, got {character!r}",
    )


@pytest.mark.parametrize("number", [PADDING, START, 89, -1])
def test_an_unknown_number_is_named(plain_dates, number):
    check_message(
        lambda: plain_dates.decode([6, number, END]),
        f"numbers: expected numbers from 3 to 88, got {number}",
    )


@pytest.mark.usefixtures("fast")
def test_without_babel_the_error_says_what_to_install(monkeypatch):
    plain_dates = load_without_shape_checks("tasks/dates")  # with nothing in its caches
    monkeypatch.setitem(sys.modules, "babel", None)
    monkeypatch.setitem(sys.modules, "babel.dates", None)
    with pytest.raises(ImportError, match=r"needs the package Babel: pip install babel"):
        plain_dates.draw("test", 1)
    assert plain_dates.home(date(2026, 11, 22)) == dates.home(date(2026, 11, 22))
    assert plain_dates.encode("2026") == dates.encode("2026")


# ------------------------------------------------------- what was trained on them


@pytest.fixture(scope="module")
def experiment():
    return load_experiment("dates")


@pytest.fixture(scope="module")
def log(experiment):
    with experiment.OUTPUT.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_log_is_complete(experiment, log):
    expected = {
        (arm, str(seed), str(stop))
        for arm, (_, stops) in experiment.ARMS.items()
        for seed in experiment.SEEDS
        for stop in stops
    }
    found = [(row["arm"], row["seed"], row["updates"]) for row in log]
    assert set(found) == expected
    assert len(found) == len(expected)


def test_both_arms_have_as_many_parameters(log):
    counts = {int(row["parameters"]) for row in log}
    assert len(counts) == 2
    assert max(counts) <= 1.01 * min(counts)


@pytest.mark.arithmetic
@pytest.mark.usefixtures("fast")
def test_the_weights_are_those_of_the_log(experiment, log):
    model = recurrent.load(experiment.WEIGHTS)
    test = dates.draw("test", experiment.TESTED)
    measured = experiment.right(model, test) | experiment.looked_right(model, test)
    (row,) = [
        row
        for row in log
        if (row["arm"], row["seed"], row["updates"])
        == ("additive", "0", str(experiment.UPDATES[-1]))
    ]
    for name, share in measured.items():
        assert share == pytest.approx(float(row[name]), abs=0.002), name
    assert experiment.WEIGHTS.stat().st_size <= 400_000
