"""WordPiece by hand: equal to the library `tokenizers`, but for the exceptions listed here."""

import re
import sys
import unicodedata
from collections import Counter

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import load_without_shape_checks
from tests.pretrained.texts import (
    CASES,
    MANY,
    any_text,
    assigned_characters,
    many_texts,
    needs,
)
from tokenizers import decoders, models, normalizers, pre_tokenizers

from attention.pretrained import files
from attention.pretrained.wordpiece import WordPiece, plain, words

SMALL = """
[PAD] [UNK] [CLS] [SEP] [MASK] a b c e n s t the n't ##a ##b ##bc ##c ##t ##s ##ion ##tent at
attention market mark ##et don ' . , ! # ##! 1 2 ##2 ½ 日 ##日 [ ] < | i ##st ##anbul σ ##σ ##ς ß fi
한 ##ᆫ
""".split()
# Numbers of the characters around which the library cuts in another way: see `WordPiece`.
EXCEPTIONS = """
61d 7fd 890-891 898-89f 8ca-8e2 9fd-9fe a76 afa-aff b55 c04 c3c c77 c84 d00 d3b-d3c d81 eba 166d
1734 180f 1885-1886 1abf-1ace 1b7d-1b7e 1df6-1dfb 2e43-2e4f 2e52-2e5d a82c a8c5 a8ff a9bd
10d24-10d27 10eab-10ead 10f46-10f50 10f55-10f59 10f82-10f89 11070 11073-11074 110c2 110cd 111c9
111cf 1123e 1133b 11438-1143f 11442-11444 11446 1144b-1144f 1145a-1145b 1145d-1145e 11660-1166c
116b9 1182f-11837 11839-1183b 11938 1193b-1193c 1193e 11943-11946 119d4-119d7 119da-119db 119e0
119e2 11a01-11a0a 11a33-11a38 11a3b-11a47 11a51-11a56 11a59-11a5b 11a8a-11a96 11a98-11a9c
11a9e-11aa2 11c30-11c36 11c38-11c3d 11c3f 11c41-11c45 11c70-11c71 11c92-11ca7 11caa-11cb0
11cb2-11cb3 11cb5-11cb6 11d31-11d36 11d3a 11d3c-11d3d 11d3f-11d45 11d47 11d90-11d91 11d95 11d97
11ef3-11ef4 11ef7-11ef8 11fff 12ff1-12ff2 13430-13438 16e97-16e9a 16f4f 16fe2 16fe4 1cf00-1cf2d
1cf30-1cf46 1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024 1e026-1e02a 1e130-1e136 1e2ae
1e2ec-1e2ef 1e944-1e94a 1e95e-1e95f 2b820-2b91f
"""


def numbers(ranges: str) -> set[int]:
    bounds = (part.partition("-") for part in ranges.split())
    return {n for low, _, high in bounds for n in range(int(low, 16), int(high or low, 16) + 1)}


exceptions = numbers(EXCEPTIONS)
# Of newer tables than those of Python 3.11 we do not know the exceptions among signs.
OLD_TABLES = unicodedata.unidata_version == "14.0.0"
SIGNS = ("Cf", "Mn", "Mc", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "So")


def is_exception(char: str) -> bool:
    unknown = not OLD_TABLES and ord(char) > 0x24F and unicodedata.category(char) in SIGNS
    return ord(char) in exceptions or unknown


def library(pieces: list[str]) -> tokenizers.Tokenizer:
    """Put together the library's tokenizer of a BERT without upper case."""
    model = models.WordPiece(dict(zip(pieces, range(len(pieces)), strict=True)), unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    return tokenizer


def theirs(tokenizer: tokenizers.Tokenizer, texts: list[str]) -> list[list[int]]:
    return [one.ids for one in tokenizer.encode_batch(texts, add_special_tokens=False)]


@pytest.fixture(scope="module")
def small() -> tuple[WordPiece, tokenizers.Tokenizer]:
    return WordPiece(SMALL), library(SMALL)


@pytest.fixture(scope="module")
def minilm() -> tuple[WordPiece, tokenizers.Tokenizer]:
    ours = WordPiece.from_file(files.path_of("minilm", "vocab.txt"))
    return ours, library(ours.pieces)


# -------------------------------------------------------------------------- by hand


def test_a_word_is_cut_into_the_longest_pieces():
    ours = WordPiece(SMALL)
    assert ours.cut("Attentions, the MARKET") == ["attention", "##s", ",", "the", "market"]
    assert ours.cut("attenti") == ["[UNK]"]
    assert ours.cut("attention" + "s" * 91) == ["attention", *["##s"] * 91]
    assert ours.cut("attention" + "s" * 92) == ["[UNK]"]  # longer than any word
    assert ours.cut("") == ours.cut(" \n\u200b") == []
    assert ours.cut("don't") == ["don", "'", "t"]
    assert ours.cut("a日b") == ["a", "日", "b"]
    assert ours.cut("ée") == ["[UNK]"]  # `e` continues no word
    assert ours.cut("éa") == ["e", "##a"]


def test_a_sentence_has_its_marks_and_is_put_together_again():
    ours = WordPiece(SMALL)
    read = ours.encode_sentence("Attentions!")
    assert [ours.pieces[number] for number in read] == ["[CLS]", "attention", "##s", "!", "[SEP]"]
    assert read[1:-1] == ours.encode("attentions!")
    assert ours.decode(read) == "[CLS] attentions ! [SEP]"
    assert ours.decode([]) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Crème\u00a0BRÛLÉE", "creme brulee"),
        ("a\x00\u200b\ufffdb\x1fc", "abc"),
        ("a\tb\u3000c\u2028d", "a b c d"),
        ("東京tower", " 東  京 tower"),
        ("ΟΔΟΣ", "οδοσ"),  # no last sigma
        ("İ", "i"),
    ],
)
def test_what_plain_text_is(text, expected):
    assert plain(text) == expected
    assert normalizers.BertNormalizer().normalize_str(text) == expected


# ------------------------------------------------------------------- like the library


@settings(max_examples=CASES)
@given(text=any_text)
def test_small_vocabulary_like_the_library(small, text):
    text = "".join(char for char in text if not is_exception(char))
    ours, library = small
    assert [ours.encode(text)] == theirs(library, [text])


@settings(max_examples=CASES)
@given(read=st.lists(st.integers(0, len(SMALL) - 1), max_size=12))
def test_small_vocabulary_put_together_like_the_library(small, read):
    ours, library = small
    assert ours.decode(read) == library.decode(read, skip_special_tokens=False)


def test_many_texts_like_the_library(small, types_not_checked):
    ours, library = small
    texts = many_texts()[::3]
    assert [ours.encode(text) for text in texts] == theirs(library, texts)


@needs("minilm")
def test_minilm_like_the_library_on_many_texts(minilm, types_not_checked):
    ours, library = minilm
    texts = many_texts()
    read = [ours.encode(text) for text in texts]
    assert read == theirs(library, texts)
    assert len(texts) >= MANY
    assert sum(map(len, read)) > 40_000
    assert [ours.decode(one) for one in read] == library.decode_batch(read)


@needs("minilm")
@settings(max_examples=CASES)
@given(text=any_text)
def test_minilm_like_the_library_on_any_text(minilm, text):
    text = "".join(char for char in text if not is_exception(char))
    ours, library = minilm
    assert [ours.encode(text)] == theirs(library, [text])


@needs("minilm")
def test_minilms_vocabulary(minilm):
    ours, _ = minilm
    assert len(ours.pieces) == 30522
    assert ours.encode_sentence("The market") == [101, 1996, 3006, 102]


@pytest.mark.slow  # 290,000 characters; `make test` draws some of them
@pytest.mark.skipif(not OLD_TABLES, reason=f"Python {sys.version_info[:2]} knows other characters")
def test_the_exceptions_are_all_exceptions(types_not_checked):
    normalizer, cutter = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    found = set()
    for char in assigned_characters():
        text = f"a{char}b"
        parts = cutter.pre_tokenize_str(normalizer.normalize_str(text))
        if [part for part, _ in parts] != list(words(text)):
            found.add(ord(char))
    assert found == exceptions
    kinds = Counter(unicodedata.category(chr(number)) for number in found)
    others = {"Po": 94, "Cf": 13, "Ps": 4, "Pe": 4, "Mc": 2, "Pd": 2, "So": 1}
    assert kinds == {"Mn": 384, "Lo": 256} | others
    assert kinds["Lo"] == 0x2B91F - 0x2B820 + 1


# ------------------------------------------------------------------------- wrong calls


@pytest.fixture(scope="module")
def wordpiece():
    """The module as a reader meets it."""
    return load_without_shape_checks("pretrained.wordpiece", "pretrained")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w: w.WordPiece(SMALL).encode(5), "text: expected a text, got 5"),
        (lambda w: w.WordPiece(SMALL).encode(None), "text: expected a text, got None"),
        (lambda w: w.WordPiece(SMALL).cut(["a"]), "text: expected a text, got ['a']"),
        (lambda w: w.WordPiece(SMALL).encode(b"a"), "text: expected a text, got b'a'"),
        (
            lambda w: w.WordPiece(SMALL).encode("a\ud800"),
            r"text: expected a text without half characters, got '\ud800'",
        ),
        (
            lambda w: w.WordPiece(SMALL).decode([0, len(SMALL)]),
            f"numbers: expected token numbers from 0 to {len(SMALL) - 1}, got {len(SMALL)}",
        ),
        (
            lambda w: w.WordPiece(SMALL).decode([-1]),
            f"numbers: expected token numbers from 0 to {len(SMALL) - 1}, got -1",
        ),
        (
            lambda w: w.WordPiece(SMALL).decode("a"),
            "numbers: expected a sequence of token numbers, got 'a'",
        ),
        (
            lambda w: w.WordPiece(SMALL).decode([1.5]),
            f"numbers: expected token numbers from 0 to {len(SMALL) - 1}, got 1.5",
        ),
        (lambda w: w.WordPiece("abc"), "pieces: expected a sequence of texts, got 'abc'"),
        (lambda w: w.WordPiece([1]), "pieces: expected a sequence of texts, got 1"),
        (lambda w: w.WordPiece([]), "pieces: expected at least one, got 0"),
        (
            lambda w: w.WordPiece([*SMALL, "a"]),
            "pieces: expected each piece once, "
            f"got '{len(SMALL) + 1} pieces, {len(SMALL)} of them different'",
        ),
        (
            lambda w: w.WordPiece(["a", "[CLS]"]),
            "pieces: expected [UNK], [CLS] and [SEP] among them, got ['[UNK]', '[SEP]']",
        ),
        (
            lambda w: w.WordPiece.from_file("nowhere.txt"),
            "path: expected an existing file, got 'nowhere.txt'",
        ),
    ],
)
def test_wrong_calls_are_answered(wordpiece, call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(wordpiece)
