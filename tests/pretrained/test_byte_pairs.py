"""Byte pairs by hand: equal to the library `tokenizers`."""

import re
from collections.abc import Sequence

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
from tokenizers import decoders, models, pre_tokenizers

from attention.pretrained import files, gguf
from attention.pretrained.byte_pairs import BYTE, BytePairs, words

MERGES = """
t h|Ġ th|Ġth e|i n|a n|e r|Ġ a|a t|en t|t t|e n|Ġa t|Ġa tt|Ġatt ent|' t|1 2|Ã ©|Ġ Ġ|ĠĠ ĠĠ|
in g|o n|i on
""".replace("\n", "").split("|")
PIECES = ["<|end|>", "<|end|>s", *BYTE, *("".join(merge.split()) for merge in MERGES)]
MARKS = ["<|end|>", "<|end|>s"]


def library(pieces: list[str], merges: Sequence[str]) -> tokenizers.Tokenizer:
    """Put together the library's tokenizer of SmolLM2."""
    pairs = [tuple(merge.split(" ")) for merge in merges]
    model = models.BPE({piece: number for number, piece in enumerate(pieces)}, pairs)
    tokenizer = tokenizers.Tokenizer(model)
    digits = pre_tokenizers.Digits(individual_digits=True)
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, bytes_])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def theirs(tokenizer: tokenizers.Tokenizer, texts: list[str]) -> list[list[int]]:
    return [one.ids for one in tokenizer.encode_batch(texts, add_special_tokens=False)]


@pytest.fixture(scope="module")
def small() -> tuple[BytePairs, tokenizers.Tokenizer]:
    return BytePairs(PIECES, MERGES, MARKS), library(PIECES, MERGES)


@pytest.fixture(scope="module")
def smollm2() -> tuple[BytePairs, tokenizers.Tokenizer]:
    metadata = gguf.read_metadata(files.path_of("smollm2", "model.gguf"))
    ours = BytePairs.from_metadata(metadata)
    return ours, library(ours.pieces, metadata["tokenizer.ggml.merges"])


# -------------------------------------------------------------------------- by hand


def test_what_was_learned_first_is_joined_first():
    ours = BytePairs(PIECES, MERGES)
    assert ours.cut("the then") == ["th", "e", "Ġthe", "n"]
    assert ours.cut(" attention") == ["Ġattent", "ion"]
    assert ours.cut("é") == ["Ã©"]
    assert ours.cut("12") == ["1", "2"]  # digits stand alone, whatever was learned
    assert ours.cut("") == []


def test_words():
    assert list(words("It's 12 cats,  and\n\n we'll")) == [
        *("It", "'s", " ", "1", "2", " cats", ",", " ", " and", "\n\n", " we", "'ll"),
    ]
    assert list(words("a  ")) == ["a", "  "]
    assert list(words("½²x")) == ["½", "²", "x"]
    assert "".join(words("".join(map(chr, range(3000))))) == "".join(map(chr, range(3000)))


def test_a_mark_is_text_unless_it_is_asked_for(small):
    ours, _ = small
    assert 0 not in ours.encode("<|end|>a")
    assert ours.decode(ours.encode("<|end|>a")) == "<|end|>a"
    a = ours.number_of["a"]
    assert ours.encode("<|end|>a", with_control=True) == [0, a]
    assert ours.encode("a<|end|>s<|end|>", with_control=True) == [a, 1, 0]  # the longer one
    assert ours.decode([1, a, 0]) == "<|end|>sa<|end|>"
    assert BytePairs(PIECES, MERGES).encode("<|end|>", with_control=True) == ours.encode("<|end|>")


def test_bytes_that_are_no_character_are_shown_as_such(small):
    ours, library = small
    half = ours.encode("日")[:2]
    assert ours.decode(half) == library.decode(half) == "\ufffd"


def test_a_byte_that_the_vocabulary_lacks_is_left_out():
    pieces = [piece for piece in PIECES if piece != "h"]
    merges = [merge for merge in MERGES if "h" not in merge]
    pieces = [piece for piece in pieces if "h" not in piece]
    ours = BytePairs(pieces, merges)
    assert ours.cut("the") == ["t", "e"]
    assert [ours.encode("hat the")] == theirs(library(pieces, merges), ["hat the"])


# ------------------------------------------------------------------- like the library


@settings(max_examples=CASES)
@given(text=any_text)
def test_small_vocabulary_like_the_library(small, text):
    ours, library = small
    assert [ours.encode(text)] == theirs(library, [text])
    assert ours.decode(ours.encode(text)) == text


@settings(max_examples=CASES)
@given(parts=st.lists(st.sampled_from([*MARKS, "s", "a", " ", "\n", "<|", "|>", "1"]), max_size=9))
def test_marks_like_the_library(parts):
    marking = library(PIECES, MERGES)
    marking.add_special_tokens(MARKS)
    text = "".join(parts)
    ours = BytePairs(PIECES, MERGES, MARKS)
    assert [ours.encode(text, with_control=True)] == theirs(marking, [text])


@settings(max_examples=CASES)
@given(read=st.lists(st.integers(2, len(PIECES) - 1), max_size=12))
def test_small_vocabulary_put_together_like_the_library(small, read):
    ours, library = small
    assert ours.decode(read) == library.decode(read, skip_special_tokens=False)


def test_many_texts_like_the_library(small, types_not_checked):
    ours, library = small
    texts = many_texts()[::3]
    assert [ours.encode(text) for text in texts] == theirs(library, texts)


@needs("smollm2")
def test_smollm2_like_the_library_on_many_texts(smollm2, types_not_checked):
    ours, library = smollm2
    texts = many_texts()
    read = [ours.encode(text) for text in texts]
    assert read == theirs(library, texts)
    assert len(texts) >= MANY
    assert sum(map(len, read)) > 40_000
    kept = [re.sub("[\x04\x06\x13\x14\x16\x1d]", "", text) for text in texts]
    assert [ours.decode(one) for one in read] == kept
    assert library.decode_batch(read) == kept


@needs("smollm2")
@settings(max_examples=CASES)
@given(text=any_text)
def test_smollm2_like_the_library_on_any_text(smollm2, text):
    ours, library = smollm2
    assert [ours.encode(text)] == theirs(library, [text])


@needs("smollm2")
def test_smollm2s_vocabulary(smollm2):
    ours, _ = smollm2
    assert (len(ours.pieces), len(ours.rank), len(ours.control)) == (49152, 48900, 17)
    assert ours.encode("<|im_start|>", with_control=True) == [1]
    lacking = {BYTE[char] for char in BYTE.keys() - ours.number_of.keys()}
    never_in_utf8 = {0xC0, 0xC1, *range(0xF5, 0x100)}
    assert lacking == never_in_utf8 | {0x04, 0x06, 0x13, 0x14, 0x16, 0x1D, 0xF1, 0xF2}


@pytest.mark.slow  # 290,000 characters; `make test` draws some of them
def test_words_end_where_the_librarys_do_around_every_character(types_not_checked):
    digits = pre_tokenizers.Digits(individual_digits=True)
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False)
    cutter = pre_tokenizers.Sequence([digits, bytes_])
    for char in assigned_characters():
        text = f"a{char}b {char}"
        ends = [end for _, (_, end) in cutter.pre_tokenize_str(text)]
        place, ours = 0, []
        for word in words(text):
            ours.append(place := place + len(word))
        assert ours == ends, hex(ord(char))


# ------------------------------------------------------------------------- wrong calls


@pytest.fixture(scope="module")
def byte_pairs():
    """The module as a reader meets it."""
    return load_without_shape_checks("pretrained.byte_pairs", "pretrained")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b: b.BytePairs(PIECES, MERGES).encode(5), "text: expected a text, got 5"),
        (
            lambda b: b.BytePairs(PIECES, MERGES, MARKS).encode(None, with_control=True),
            "text: expected a text, got None",
        ),
        (
            lambda b: b.BytePairs(PIECES, MERGES).cut("\udfff"),
            r"text: expected a text without half characters, got '\udfff'",
        ),
        (
            lambda b: b.BytePairs(PIECES, MERGES).decode([len(PIECES)]),
            f"numbers: expected token numbers from 0 to {len(PIECES) - 1}, got {len(PIECES)}",
        ),
        (lambda b: b.BytePairs("abc", []), "pieces: expected a sequence of texts, got 'abc'"),
        (
            lambda b: b.BytePairs(["a", "b"], ["a b"]),
            "pieces: expected what each merge makes and each mark, got ['ab']",
        ),
        (
            lambda b: b.BytePairs(["a"], [], ["<|end|>"]),
            "pieces: expected what each merge makes and each mark, got ['<|end|>']",
        ),
        (
            lambda b: b.BytePairs(["a", "b c", "日"], [], ["b c"]),
            "pieces: expected texts with a character for each byte, got ['日']",
        ),
        (
            lambda b: b.BytePairs(["a", "b"], ["a b c"]),
            "merges: expected two pieces with a space between, got ('a', 'b', 'c')",
        ),
        (
            lambda b: b.BytePairs.from_metadata({"tokenizer.ggml.model": "llama"}),
            "metadata: expected byte pairs cut as in SmolLM, got ('llama', None)",
        ),
    ],
)
def test_wrong_calls_are_answered(byte_pairs, call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(byte_pairs)
