"""Sentences and tables that cells print."""

import ast

import pytest

from attention import report
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


class Checked:
    """A class whose functions check."""

    def __init__(self, number: int, what: str = "a number", *others: float, loud: bool = False):
        require(number > 0, "number", what, number)
        number = checked_number(number)

        self.number = number

    def only(self):
        """Check, and do nothing else."""
        check_number(self.number)


def test_a_listing_has_neither_checks_nor_types():
    assert listing(Checked).splitlines() == [
        "class Checked:",
        '    def __init__(self, number, what="a number", *others, loud=False):',
        "        self.number = number",
    ]


def test_a_long_signature_is_wrapped():
    source = (
        "def name(" + ", ".join(f"argument_{n}: int = {n}" for n in range(9)) + "):\n    return 0"
    )
    lines = report._idea(source).splitlines()
    assert max(map(len, lines)) <= report.WIDTH
    assert lines[1].startswith(" " * len("def name(") + "argument_")
    parsed, expected = ast.parse("\n".join(lines)), ast.parse(source)
    names = [[a.arg for a in tree.body[0].args.args] for tree in (parsed, expected)]
    assert names[0] == names[1]


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
