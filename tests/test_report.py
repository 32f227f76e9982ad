"""Sentences and tables that cells print."""

import pytest

from attention.report import listing, require, section, sentence, table


def test_sentence_is_one_line_and_renders():
    said = sentence("""
        The weight is
        0.62.
    """)
    assert repr(said) == said._repr_markdown_() == "The weight is 0.62."


def test_table():
    said = table(["d_k", "variance"], [[4, "4.0"], [16, "16.1"]])
    assert repr(said).splitlines() == [
        "| d_k | variance |",
        "| --- | --- |",
        "| 4 | 4.0 |",
        "| 16 | 16.1 |",
    ]


def test_table_refuses_a_ragged_row():
    with pytest.raises(ValueError, match=r"row 1: expected 2 entries, got 1"):
        table(["a", "b"], [[1, 2], [3]])


def test_require():
    require(condition=True, argument="heads", expected="a divisor", got=3)
    with pytest.raises(ValueError, match=r"heads: expected a divisor of 8, got 3"):
        require(condition=False, argument="heads", expected="a divisor of 8", got=3)


def test_section_links_to_a_heading():
    heading = "The formula, and the smallest code"
    assert section(heading) == f"[{heading}](#the-formula-and-the-smallest-code)"
    assert section("Why three matrices?") == "[Why three matrices?](#why-three-matrices)"


def half(number):
    """Say half of it.

    A long story.
    """

    # A comment stays.
    return number / 2


class Pair:
    """Hold two."""

    size = 2

    def both(self):
        """Return both."""
        return "one", "two"


def test_a_listing_is_the_source_without_docstrings():
    assert listing(half).splitlines() == [
        "def half(number):",
        "    # A comment stays.",
        "    return number / 2",
    ]
    assert listing(Pair).splitlines() == [
        "class Pair:",
        "    size = 2",
        "",
        "    def both(self):",
        '        return "one", "two"',
    ]
    assert listing(Pair.both, half) == (
        'def both(self):\n    return "one", "two"\n\n\n' + listing(half)
    )
