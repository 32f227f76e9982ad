"""Texts to cut into tokens: thousands of real ones, and whatever Unicode has."""

import ast
import itertools
import os
import sysconfig
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import strategies as st

from attention import corpus
from attention.pretrained import files

CASES = int(os.environ.get("ATTENTION_TEST_CASES", "500"))
LICENCE = Path("/usr/share/common-licenses/GPL-3")  # on Debian and Ubuntu
MANY = 5000
# What tokenizers stumble over.
HARD = [
    *("", " ", "  ", "\n", " a  b ", "\ta\r\nb\x0bc", "a" * 101),
    *("don't", "We'LL", "we'll've", "''s", "½²٣ 12,345.6", "e\u0301 é É ñ", "İstanbul ΣΊΣΥΦΟΣ ß"),
    *("日本語 한국어 カナ", "👩\u200d👧 🇵🇹 ❤\ufe0f", "\u200b\ufeff\xad", "\xa0a\u2003b\u3000"),
    *("\x1c\x1f\x85", "ﬁ ㌖ ① \u1100\u1161", "\ufffd", "<|im_start|>user", "[CLS] [MASK] [SEP]"),
    *("▁ ▁▁", "##ing", "a+b=c$ ~`^|<>", "\U000e0001\U0010ffff"),
]

# Whatever a reader may type, and mostly what they will.
any_text = st.one_of(
    st.text(max_size=30),
    st.text(st.sampled_from("abc éÉñ'sS.,!12٣\n\t½▁ﬁ️日\u0301\u200b🇵<|>[]#"), max_size=40),
    st.lists(st.sampled_from([*HARD, "the", "attention", "market", " ", "'ll"]), max_size=8).map(
        "".join
    ),
)


def needs(model: str) -> pytest.MarkDecorator:
    """Skip a test, with the reason, where the files of a model have not been fetched."""
    reason = f"the files of {model} are not in {files.folder()}: `make models` fetches them"
    return pytest.mark.skipif(not files.is_here(model), reason=reason)


@cache
def sentences() -> list[str]:
    """Return a thousand sentences of the book, English and French."""
    pairs = corpus.generate(500, seed=3)
    return [corpus.as_text(side) for pair in pairs for side in (pair.english, pair.french)]


@cache
def many_texts() -> list[str]:
    """Return more than 5,000 different texts: sentences, a licence, docstrings and hard cases."""
    licence = LICENCE.read_text(encoding="utf-8").split("\n\n") if LICENCE.is_file() else []
    docstrings = itertools.islice(docstrings_of_python(), 5500)
    return list(dict.fromkeys([*HARD, *sentences(), *licence, *docstrings]))


def docstrings_of_python() -> Iterator[str]:
    """Yield what the docstrings of the standard library say, line by line."""
    folder = Path(sysconfig.get_path("stdlib"))
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            documented = ast.Module | ast.ClassDef | ast.FunctionDef
            said = ast.get_docstring(node, clean=False) if isinstance(node, documented) else None
            if said:
                yield from filter(str.strip, said.splitlines(keepends=True))


def assigned_characters() -> Iterator[str]:
    """Yield every character that Python knows."""
    for number in range(0x110000):
        if unicodedata.category(chr(number)) not in ("Cn", "Cs"):
            yield chr(number)
