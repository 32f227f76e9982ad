"""What the English of the book has to hold to, as far as a program can tell.

Short sentences, chapters that keep to their reading time, an early figure, results that are
said in a sentence, and code folded that only shows. Each rule takes a notebook (the first two
also take a page's text) and yields its faults, as sentences that name the cell.
"""

import re
from collections.abc import Iterator

from nbformat import NotebookNode

from .rules import code_cells, output_text, tags

LONGEST_SENTENCE = 35  # words, formulas left out
MOST_WORDS = 3000  # of a chapter, exercises left out: 15 minutes at 200 words a minute
FIRST_FIGURE = 500  # words that may stand before it

# A sentence ends at a full stop, and at a colon before a capital, with what closes after it.
END = re.compile(r"([.!?:][)\"”’*_]*)\s+(?=[(\"“*_`\[${]*[A-ZÀ-Þ0-9$`{])")
# Blocks: parted by an empty line, or beginning with a heading, an item, a row, or a word and a
# colon, as the entries of a directive do.
BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:#|\||[-*] |\d+\. |[\w-]+: ))")
ONLY_SHOWS = re.compile(r"\bsentence\(|\bplt\.show\(\)|\bcsv\.DictReader\(|\bwidgets\.[A-Z]")


def words_in(text: str) -> str:
    """Return what is read of a text in Markdown: no code blocks, formulas, link targets or marks.

    A formula in a line counts as one word, and so does a citation that is part of a sentence.
    """
    text = re.sub(r"^ *(```|~~~).*?^ *\1", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^ *:(::|[\w-]+:).*?$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    text = re.sub(r"\{cite:t\}`[^`]*`", "Name", text)
    text = re.sub(r"\{cite:p\}`[^`]*`", "", text)
    text = re.sub(r"\$[^$]*\$", "X", text)
    return re.sub(r"\]\([^)]*\)", "]", text)


def count(text: str) -> int:
    """Count words: what has a letter or a digit in it, so no dashes, bullets or bars."""
    return sum(re.search(r"\w", part) is not None for part in text.split())


def sentences(text: str) -> Iterator[str]:
    """Cut a text in Markdown into sentences; what stands in one field of a table is a text, too."""
    for block in BLOCK.split(words_in(text)):
        for part in block.split("|") if block.strip().startswith("|") else [block]:
            ends = END.split(" ".join(part.split()))
            pieces = [a + b for a, b in zip(ends[::2], [*ends[1::2], ""], strict=True)]
            yield from (piece for piece in pieces if piece)


def too_long(text: str) -> Iterator[str]:
    """No sentence of more than 35 words."""
    for sentence in sentences(text):
        length = count(sentence)
        if length > LONGEST_SENTENCE:
            yield f"a sentence of {length} words: {sentence[:60]}..."


def truth_printed(text: str) -> Iterator[str]:
    """No result that is a bare truth value after a colon: an `assert` says so, or a sentence."""
    for found in re.finditer(r".{0,40}:\s*\**(True|False)\b", text):
        yield f"prints {found.group().strip()!r}"


# ------------------------------------------------------------------- notebooks


def prose_of(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield what is prose in a notebook, each with its cell: text, results, captions."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield cell.id, cell.source
            continue
        for output in cell.get("outputs", []):
            yield cell.id, output.get("data", {}).get("text/markdown", "")
        figure = cell.metadata.get("mystnb", {})
        yield cell.id, figure.get("figure", {}).get("caption", "")
        yield cell.id, figure.get("image", {}).get("alt", "")


def sentences_are_short(notebook: NotebookNode) -> Iterator[str]:
    """No sentence of more than 35 words in the text, in a printed result, below a figure."""
    for cell, text in prose_of(notebook):
        yield from (f"{cell}: {fault}" for fault in too_long(text))


def results_are_sentences(notebook: NotebookNode) -> Iterator[str]:
    """No *True* after a colon in the text or in anything that a cell prints."""
    for cell, text in prose_of(notebook):
        yield from (f"{cell}: {fault}" for fault in truth_printed(words_in(text)))
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if "text/markdown" not in output.get("data", {}):
                yield from (f"{cell.id}: {fault}" for fault in truth_printed(output_text(output)))


def read_in_order(notebook: NotebookNode) -> Iterator[tuple[NotebookNode, int]]:
    """Yield each cell with the words to be read in it, exercises left out."""
    exercises = False
    for cell in notebook.cells:
        words = 0
        if cell.cell_type == "markdown":
            if re.search(r"^## ", cell.source, re.MULTILINE):
                exercises = re.search(r"^## Exercises", cell.source, re.MULTILINE) is not None
            words = 0 if exercises else count(words_in(cell.source))
        yield cell, words


def chapter_keeps_to_its_time(notebook: NotebookNode) -> Iterator[str]:
    """At most 3,000 words of text, exercises left out."""
    words = sum(number for _, number in read_in_order(notebook))
    if words > MOST_WORDS:
        yield f"{words} words outside the exercises, at most {MOST_WORDS}"


def first_figure_is_early(notebook: NotebookNode) -> Iterator[str]:
    """A figure, drawn or to be explored, within the first 500 words."""
    before = 0
    for cell, words in read_in_order(notebook):
        before += words
        if any({"image/png", "text/html"} & {*o.get("data", {})} for o in cell.get("outputs", [])):
            break
    else:
        yield "no figure"
        return
    if before > FIRST_FIGURE:
        yield f"its first figure stands after {before} words, at most {FIRST_FIGURE}"


def what_only_shows_is_folded(notebook: NotebookNode) -> Iterator[str]:
    """Set-up is folded, and so is code that says a sentence, draws a figure or reads a log."""
    for cell in code_cells(notebook):
        if tags(cell) & {"hide-input", "hide-cell"}:
            continue
        if re.search(r"-setup(-|$)", cell.id):
            yield f"{cell.id}: set-up is not folded"
        elif found := ONLY_SHOWS.search(cell.source):
            yield f"{cell.id}: has {found.group()!r} and is not folded"


RULES = [
    sentences_are_short,
    results_are_sentences,
    chapter_keeps_to_its_time,
    first_figure_is_early,
    what_only_shows_is_folded,
]
