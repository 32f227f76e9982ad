"""The chapters and pages hold to the rules of their English, and each rule can fail."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from . import english
from .conftest import ROOT

PAGES = [*sorted((ROOT / "chapters").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("rule", english.RULES, ids=lambda rule: rule.__name__)
def test_chapter(notebook: NotebookNode, rule: Callable):
    assert list(rule(notebook)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page: Path):
    text = page.read_text(encoding="utf-8")
    faults = [*english.too_long(text), *english.truth_printed(english.words_in(text))]
    assert faults == []


# ------------------------------------------------------------- the rules themselves


def words(number: int) -> str:
    return " ".join(["word"] * number)


SHORT, LONG = f"A sentence of {words(32)}.", f"A sentence of {words(33)}."


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        f"- {LONG}",
        f"1. {LONG}",
        f"## {LONG}",
        f"| one field | {LONG} |",
        f"It is short. {LONG} And it is short again.",
        f"(It is short.) {LONG}",
        f"A sentence of $x = 1$ and {words(31)}.",
        f"{LONG[:-1]} {{cite:p}}`vaswani2017`.",
        f"A sentence of [two words](../a/b.py) and {words(30)}.",
        LONG.replace(" word word", "\nword word"),
    ],
)
def test_a_long_sentence_is_seen(text: str):
    assert len(list(english.too_long(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        SHORT,
        f"{SHORT} {SHORT}",
        f"{SHORT[:-1]}? {SHORT}",
        f"({SHORT}) {SHORT}",
        f"**{SHORT}** {SHORT}",
        f'"{SHORT}" {SHORT}',
        f"{SHORT} *A* {SHORT[2:]}",
        f"{SHORT[:-1]}: {SHORT}",
        f"{SHORT} $x$ is short.",
        f"{SHORT}\n- {SHORT}\n- {SHORT}",
        f":::{{admonition}} {SHORT}\n:class: {SHORT}\n{SHORT}\n:::",
        f":::{{book-way}}\nscaling: {SHORT[2:]}\nlook-up: {SHORT[2:]}\n:::",
        f"{SHORT}\n\n$$\n{LONG}\n$$ (eq-a)\n\n{SHORT}",
        f"{SHORT}\n\n```python\n{LONG}\n```",
        f"| {SHORT} | {SHORT} |\n|---|---|\n| {SHORT} | {SHORT} |",
        f'A sentence of [{words(5)}](a-link-without-a-blank "{words(20)}") and {words(25)}.',
        f"A sentence of {words(31)} $x = {words(9)}$.",
    ],
)
def test_other_sentences_pass(text: str):
    assert list(english.too_long(text)) == []


@pytest.mark.parametrize("end", ["True", "False", "**True**", "True.", "True (always)"])
def test_a_printed_truth_is_seen(end: str):
    assert len(list(english.truth_printed(f"the two are equal: {end}"))) == 1


@pytest.mark.parametrize("text", ["`True` means *may attend*", "True: it is", "they are: Truest"])
def test_other_truths_pass(text: str):
    assert list(english.truth_printed(text)) == []


def chapter() -> NotebookNode:
    """Make a chapter that holds to every rule, if only by a word."""
    v4 = nbformat.v4
    picture = v4.new_output("display_data", {"image/png": "", "text/plain": "<Figure>"})
    said = v4.new_output("execute_result", {"text/markdown": SHORT, "text/plain": LONG})
    printed = v4.new_output("stream", text="the two are equal")
    fold = {"tags": ["hide-input"]}
    about = {"figure": {"caption": SHORT, "name": "fig-a"}, "image": {"alt": SHORT}}
    cells = [
        v4.new_markdown_cell("# 1. A chapter\n\n" + ". ".join(["A b c d"] * 124), id="word-1"),
        v4.new_code_cell("import csv", id="word-setup", metadata=dict(fold)),
        v4.new_code_cell(
            "plt.show()", id="word-2", metadata=fold | {"mystnb": about}, outputs=[picture]
        ),
        v4.new_code_cell("x = 1", id="word-3", outputs=[printed]),
        v4.new_code_cell('sentence(f"...")', id="word-4", metadata=dict(fold), outputs=[said]),
        v4.new_markdown_cell("## The rest\n\n" + ". ".join(["A b c d"] * 624), id="word-5"),
        v4.new_markdown_cell("## Exercises\n\n" + ". ".join(["A b c d"] * 999), id="word-6"),
        v4.new_markdown_cell("### Exercise 1.1: a\n\n" + ". ".join(["A b"] * 99), id="word-7"),
        v4.new_code_cell('sentence("a")', id="word-8", metadata={"tags": ["hide-cell"]}),
        v4.new_markdown_cell("## What we measured", id="word-9"),
    ]
    return v4.new_notebook(cells=cells)


def of(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.id == f"word-{name}")


def lengthen_the_text(nb):
    of(nb, "5").source += f"\n\n{LONG}"


def lengthen_a_result(nb):
    of(nb, "4").outputs[0]["data"]["text/markdown"] = LONG


def lengthen_a_caption(nb):
    of(nb, "2").metadata["mystnb"]["figure"]["caption"] = LONG


def lengthen_an_alt_text(nb):
    of(nb, "2").metadata["mystnb"]["image"]["alt"] = LONG


def print_a_truth(nb):
    of(nb, "3").outputs[0]["text"] = "the two are equal: True\n"


def say_a_truth(nb):
    of(nb, "4").outputs[0]["data"]["text/markdown"] = "They agree to 14 decimals: **True**"


def write_a_truth(nb):
    of(nb, "5").source += "\n\nThey agree: True."


def add_three_words(nb):
    of(nb, "9").source += "\n\nThree more words."


def put_exercises_last(nb):
    of(nb, "6").source = of(nb, "6").source.replace("## Exercises", "## To do")


def delay_the_figure(nb):
    of(nb, "1").source += " And more."


def take_the_figure_out(nb):
    of(nb, "2").outputs = []


def unfold(name):
    def damage(nb):
        of(nb, name).metadata["tags"] = []

    damage.__name__ = f"unfold_{name}"
    return damage


def read_a_log(nb):
    of(nb, "3").source = "rows = list(csv.DictReader(file))"


def show_an_explorable_figure(nb):
    of(nb, "3").source = "widgets.AttentionLab(words)"


BREAKS = [
    (lengthen_the_text, english.sentences_are_short),
    (lengthen_a_result, english.sentences_are_short),
    (lengthen_a_caption, english.sentences_are_short),
    (lengthen_an_alt_text, english.sentences_are_short),
    (print_a_truth, english.results_are_sentences),
    (say_a_truth, english.results_are_sentences),
    (write_a_truth, english.results_are_sentences),
    (add_three_words, english.chapter_keeps_to_its_time),
    (put_exercises_last, english.chapter_keeps_to_its_time),
    (delay_the_figure, english.first_figure_is_early),
    (take_the_figure_out, english.first_figure_is_early),
    (unfold("setup"), english.what_only_shows_is_folded),
    (unfold("2"), english.what_only_shows_is_folded),
    (unfold("4"), english.what_only_shows_is_folded),
    (read_a_log, english.what_only_shows_is_folded),
    (show_an_explorable_figure, english.what_only_shows_is_folded),
]


@pytest.mark.parametrize("rule", english.RULES, ids=lambda rule: rule.__name__)
def test_a_good_chapter_passes(rule: Callable):
    assert list(rule(chapter())) == []


@pytest.mark.parametrize(("damage", "rule"), BREAKS, ids=lambda f: f.__name__)
def test_rule_sees_the_damage(damage: Callable, rule: Callable):
    broken = chapter()
    damage(broken)
    assert len(list(rule(broken))) == 1
