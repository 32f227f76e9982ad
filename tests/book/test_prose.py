"""No measured number is typed into prose by hand."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
ALLOWED = tomllib.loads(
    (Path(__file__).with_name("allowed_numbers.toml")).read_text(encoding="utf-8")
)["allowed"]
NUMBER = re.compile(r"\d\.\d|\d\s?\\?%|\bper ?cent\b")


def prose(path: Path) -> str:
    """Return the Markdown of a page, without fenced code and link targets."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    else:
        text = path.read_text(encoding="utf-8")
    return without_code(text)


def without_code(text: str) -> str:
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"\]\([^)]*\)", "]", text)


def sentences(text: str) -> Iterator[str]:
    """Cut text into sentences; a heading, a table row or a list item is one too."""
    for paragraph in re.split(r"\n\s*\n|\n(?=[#|-])", text):
        yield from re.split(r"(?<=[.!?])\s+(?=[A-Z*`\[$])", " ".join(paragraph.split()))


def typed_numbers(text: str) -> list[str]:
    """Return the sentences with a number that no cell measured and no paper is cited for."""
    allowed = [entry["pattern"] for entry in ALLOWED]
    found = []
    for sentence in sentences(text):
        rest = sentence
        for pattern in allowed:
            rest = re.sub(pattern, "", rest)
        if NUMBER.search(rest) and "{cite" not in sentence:
            found.append(sentence)
    return found


PAGES = sorted([*CHAPTERS.glob("*.ipynb"), *CHAPTERS.glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_no_number_is_typed_by_hand(page: Path):
    assert typed_numbers(prose(page)) == []


@pytest.mark.parametrize(
    "text",
    [
        "The largest weight is 0.62.",
        "It leaks 38% of the weight.",
        "It leaks 38 % of the weight.",
        "Attention came in 2014 {cite:p}`bahdanau2015`. The loss is 1.25 nats.",
        "| scaled | 0.9 |",
        "so that $c = 0.125$ here",
        "ninety per cent",
    ],
)
def test_typed_number_is_seen(text: str):
    assert len(typed_numbers(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "In 2017 a model of 6 layers reached 28.4 BLEU {cite:p}`vaswani2017`.",
        "Divide by $\\sqrt{d_k}$, here 8.",
        "### Exercise 3.1: softmax",
        "```python\nx = 0.5\n```",
    ],
)
def test_other_text_passes(text: str):
    assert typed_numbers(without_code(text)) == []


def test_every_exception_is_used_and_has_a_reason():
    everything = "\n\n".join(map(prose, PAGES))
    for entry in ALLOWED:
        assert re.search(entry["pattern"], everything), f"no page has {entry['pattern']}"
        assert len(entry["reason"]) > 10


def test_words_the_book_does_without():
    """Filler and hype, and words that tell the reader how easy it was."""
    banned = (
        r"\b(simply|just|obviously|trivial(ly)?|of course|amazing|powerful|basically|clearly)\b"
    )
    for page in PAGES:
        found = [s for s in sentences(prose(page)) if re.search(banned, s, re.IGNORECASE)]
        assert found == [], page.name
