"""Unigram by hand, and the file of its vocabulary: equal to the library `sentencepiece`."""

import io
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import sentencepiece
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
    sentences,
)

from attention.pretrained import files, sentence_pieces
from attention.pretrained.sentence_pieces import Replacements, SentencePieces
from attention.pretrained.unigram import Unigram

SETTINGS = {
    "as usual": {},
    "nothing replaced": {"normalization_rule_name": "identity"},
    "small letters": {"normalization_rule_name": "nfkc_cf"},
    "no blank before the first word": {"add_dummy_prefix": False},
    "all blanks": {"remove_extra_whitespaces": False},
    "all blanks and no other": {"remove_extra_whitespaces": False, "add_dummy_prefix": False},
}
each_setting = pytest.mark.parametrize("setting", SETTINGS)


@cache
def vocabulary_file(setting: str = "as usual", size: int = 90, **more: object) -> bytes:
    """Let the library make a small vocabulary."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*sentences(), "THE VALUES: 1, 2, 3!"]),
        model_writer=written,
        vocab_size=size,
        model_type=more.pop("model_type", "unigram"),
        minloglevel=2,
        hard_vocab_limit=False,
        num_threads=1,
        **SETTINGS[setting],
        **more,
    )
    return written.getvalue()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Both tokenizers of a small vocabulary, by setting."""
    folder = tmp_path_factory.mktemp("vocabularies")

    @cache
    def both(setting: str) -> tuple[Unigram, sentencepiece.SentencePieceProcessor]:
        path = folder / f"{setting}.spm"
        path.write_bytes(vocabulary_file(setting))
        library = sentencepiece.SentencePieceProcessor(model_file=str(path))
        return Unigram.from_file(path), library

    return both


@pytest.fixture(scope="module")
def marian() -> tuple[Unigram, sentencepiece.SentencePieceProcessor]:
    path = files.path_of("marian", "vocab.spm")
    return Unigram.from_file(path), sentencepiece.SentencePieceProcessor(model_file=str(path))


# -------------------------------------------------------------------------- by hand


def made(listed: dict[str, float]) -> Unigram:
    pieces, scores = ["</s>", "<unk>", *listed], [0.0, 0.0, *map(float, listed.values())]
    types = [sentence_pieces.CONTROL, sentence_pieces.UNKNOWN, *[1] * len(listed)]
    return Unigram(SentencePieces(pieces, scores, types, Replacements(b"")))


def test_the_highest_sum_of_scores_is_taken():
    ours = made({"▁a": -1, "b": -2, "▁ab": -4, "▁": -3, "a": -3, "bb": -3.5})
    assert [ours.pieces[n] for n in ours.encode("ab")] == ["▁a", "b"]  # -3, not -4
    assert [ours.pieces[n] for n in ours.encode("abb")] == ["▁a", "bb"]
    assert [ours.pieces[n] for n in ours.encode("bab")] == ["▁", "b", "a", "b"]


def test_unknown_characters_in_a_row_are_one_piece():
    ours = made({"▁a": -1, "b": -2, "▁": -3})
    assert [ours.pieces[n] for n in ours.encode("axyb zb")] == [
        *("▁a", "<unk>", "b", "▁", "<unk>", "b"),
    ]
    assert ours.decode(ours.encode("axyb b")) == "a \u2047 b b"


def test_a_translation_is_put_together_without_its_end(small):
    ours, library = small("as usual")
    read = [*ours.encode(" the cat sat "), library.eos_id()]
    assert ours.decode(read) == library.decode(read) == "the cat sat"
    assert ours.decode([]) == ""
    assert ours.end == library.eos_id()


# ------------------------------------------------------------------- like the library


@each_setting
def test_a_vocabulary_file_is_read_like_the_librarys(small, setting):
    ours, library = small(setting)
    numbers = range(len(library))
    assert ours.pieces == [library.id_to_piece(number) for number in numbers]
    assert ours.vocabulary.scores == [library.get_score(number) for number in numbers]
    assert [type_ == 3 for type_ in ours.vocabulary.types] == [
        library.is_control(number) for number in numbers
    ]


@each_setting
def test_small_vocabulary_like_the_library_on_any_text(small, setting):
    ours, library = small(setting)

    @settings(max_examples=CASES)
    @given(text=any_text)
    def compare(text):
        assert ours.plain(text) == library.normalize(text)
        assert ours.encode(text) == library.encode(text)

    compare()


@each_setting
def test_small_vocabulary_put_together_like_the_library(small, setting):
    ours, library = small(setting)

    @settings(max_examples=CASES)
    @given(read=st.lists(st.integers(0, len(ours.pieces) - 1), max_size=12))
    def compare(read):
        assert ours.decode(read) == library.decode(read)

    compare()


@each_setting
def test_many_texts_like_the_library(small, types_not_checked, setting):
    ours, library = small(setting)
    texts = many_texts()[:: 3 if setting == "as usual" else 10]
    read = library.encode(texts)
    assert [ours.encode(text) for text in texts] == read
    assert [ours.decode(one) for one in read] == library.decode(read)


@needs("marian")
def test_marian_like_the_library_on_many_texts(marian, types_not_checked):
    ours, library = marian
    texts = many_texts()
    read = [ours.encode(text) for text in texts]
    assert read == library.encode(texts)
    assert len(texts) >= MANY
    assert sum(map(len, read)) > 40_000
    assert [ours.decode(one) for one in read] == library.decode(read)


@needs("marian")
@settings(max_examples=CASES)
@given(text=any_text)
def test_marian_like_the_library_on_any_text(marian, text):
    ours, library = marian
    assert ours.encode(text) == library.encode(text)


@needs("marian")
@pytest.mark.slow  # 290,000 characters; `make test` draws some of them
def test_marian_like_the_library_around_every_character(marian, types_not_checked):
    ours, library = marian
    texts = [f"a{char}b {char}" for char in assigned_characters()]
    for text, read in zip(texts, library.encode(texts), strict=True):
        assert ours.encode(text) == read, ascii(text)


@needs("marian")
def test_marians_vocabulary(marian):
    ours, library = marian
    assert len(ours.pieces) == 32000
    assert ours.pieces == [library.id_to_piece(number) for number in range(32000)]
    assert ours.vocabulary.scores == [library.get_score(number) for number in range(32000)]
    assert (ours.end, ours.unknown) == (library.eos_id(), library.unk_id()) == (0, 1)


# ------------------------------------------------------------------------- wrong calls


@pytest.fixture(scope="module")
def plain():
    """The module as a reader meets it, and what it imports."""
    return load_without_shape_checks("pretrained.unigram", "pretrained")


def refused(plain, path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(str(path))) as error:
        plain.sentence_pieces.read(path)
    return str(error.value).replace(str(path), "FILE")


def test_a_file_that_is_cut_short_is_refused(plain, tmp_path):
    content = vocabulary_file()
    path = tmp_path / "cut.spm"
    for length in {0, 1, 2, 5, 20, 100, len(content) // 2, len(content) - 1}:
        said = refused(plain, path, content[:length])
        incomplete = "FILE: the file is incomplete: expected at least "
        assert said.startswith((incomplete, "FILE: no vocabulary file of SentencePiece")), length


@pytest.mark.parametrize(
    "content", [b"[PAD]\n[UNK]\n[CLS]\n", b"GGUF\x03\0\0\0", b"\x0a\x02\x0a\x00"]
)
def test_another_file_is_refused(plain, tmp_path, content):
    said = refused(plain, tmp_path / "other.spm", content)
    assert re.match("FILE: (no vocabulary file of SentencePiece|the file is incomplete)", said)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_type": "bpe"}, "FILE: expected a Unigram model, got 'another'"),
        (
            {"byte_fallback": True, "size": 360},
            "FILE: expected a model without bytes as pieces, got 'another'",
        ),
        (
            {"treat_whitespace_as_suffix": True},
            "FILE: expected a model with blanks at the beginning of pieces, got 'another'",
        ),
    ],
)
def test_another_kind_of_model_is_refused(plain, tmp_path, settings, message):
    assert refused(plain, tmp_path / "other.spm", vocabulary_file(**settings)) == message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p, u: u.encode(5), "text: expected a text, got 5"),
        (
            lambda p, u: u.encode("a\ud800"),
            r"text: expected a text without half characters, got '\ud800'",
        ),
        (lambda p, u: u.decode([3]), "numbers: expected token numbers from 0 to 2, got 3"),
        (lambda p, u: u.decode("a"), "numbers: expected a sequence of token numbers, got 'a'"),
        (
            lambda p, u: p.Unigram(replace(u.vocabulary, types=[3, 1, 1])),
            "vocabulary: expected a piece for what is unknown, got 'none'",
        ),
        (
            lambda p, u: p.Unigram(replace(u.vocabulary, types=[3, 2, 4])),
            "vocabulary: expected no pieces that users defined, got 'some'",
        ),
        (
            lambda p, u: p.Unigram(replace(u.vocabulary, pieces=["<s>", "<unk>", "a"])).end,
            "vocabulary: expected a piece </s>, got 'none'",
        ),
        (
            lambda p, u: p.Unigram.from_file("nowhere.spm"),
            "path: expected an existing file, got 'nowhere.spm'",
        ),
    ],
)
def test_wrong_calls_are_answered(plain, call, message):
    vocabulary = SentencePieces(
        ["</s>", "<unk>", "▁a"], [0.0, 0.0, -1.0], [3, 2, 1], Replacements(b"")
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(plain, plain.Unigram(vocabulary))
