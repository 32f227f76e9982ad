"""BERT in NumPy alone: the plain formula's numbers and torch's; MiniLM, and MiniLM made small."""

import csv
import json
import re
import subprocess
import sys
from hashlib import sha256

import numpy as np
import pytest
import torch
from tests.conftest import load_without_shape_checks
from tests.pretrained import plain_models
from tests.pretrained.small_models import BERT, bert_tensors
from tests.pretrained.texts import needs

from attention.interventions import record_weights
from attention.pretrained import bert, numpy_bert, small_minilm, small_weights
from attention.pretrained.numpy_bert import NumpyBert
from attention.report import book_path

TOKENS = [3, 17, 5, 9, 4]
PIECES = ["[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnop", "##a"]
SENTENCES = ["She went to the market.", "The cat sat on the mat because it was tired.", ""]


def apart(ours, theirs):
    return np.abs(np.asarray(ours) - np.asarray(theirs)).max()


@pytest.mark.parametrize(("dtype", "most"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_a_small_bert_is_the_plain_formula(dtype, most):
    tensors = bert_tensors()
    model = NumpyBert({name: one.astype(dtype) for name, one in tensors.items()}, PIECES, 3)
    vectors, weights = model.encode(TOKENS)
    states, maps = plain_models.bert(tensors, TOKENS, 2, 3, BERT.norm_eps)
    assert (vectors.dtype, weights.dtype) == (dtype, dtype)
    assert weights.shape == (2, 3, 5, 5)
    assert apart(vectors, states[-1]) <= most
    assert apart(weights, maps) <= most


def by_torch(model, tokens):
    with torch.no_grad(), record_weights(model) as weights:
        vectors = model(torch.tensor([tokens]))[0].numpy()
    layers = range(model.config.encoder_layers)
    return vectors, np.stack([weights["encoder", number][0].numpy() for number in layers])


@pytest.mark.arithmetic
def test_a_small_bert_is_torchs():
    tensors = bert_tensors()
    ours = NumpyBert(tensors, PIECES, 3).encode(TOKENS)
    theirs = by_torch(bert.bert_of(tensors, BERT), TOKENS)
    assert max(map(apart, ours, theirs)) <= 1e-5


def test_in_eight_bits_it_is_the_model_of_the_rounded_weights(tmp_path):
    small = small_weights.made_small(bert_tensors())
    path = tmp_path / "small.safetensors"
    small_weights.write(path, small, {"vocabulary": "\n".join(PIECES), "heads": "3"})
    rounded = {
        name: one.rows() if isinstance(one, small_weights.EightBits) else one
        for name, one in small.items()
    }
    ours = NumpyBert.from_file(path).encode(TOKENS)
    theirs = NumpyBert(rounded, PIECES, 3).encode(TOKENS)
    assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))
    assert 0 < apart(ours[1], NumpyBert(bert_tensors(), PIECES, 3).encode(TOKENS)[1]) < 0.1


def test_it_looks_at_a_sentence():
    pieces, weights = NumpyBert(bert_tensors(), PIECES, 3).look("B aa, z")
    assert pieces == ["[CLS]", "b", "a", "##a", "[UNK]", "[UNK]", "[SEP]"]
    assert weights.shape == (2, 3, 7, 7)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)


def test_what_the_page_asks_for(tmp_path):
    model, path = NumpyBert(bert_tensors(), PIECES, 3), tmp_path / "maps"
    assert json.loads(numpy_bert.answer(model, "b aa", path, 5)) == ["[CLS]", *"ba", "##a", "[SEP]"]
    weights = np.fromfile(path, "<f4").reshape(2, 3, 5, 5)
    np.testing.assert_array_equal(weights, model.look("b aa")[1])
    path.unlink()
    assert len(json.loads(numpy_bert.answer(model, "b " * 50, path, 5))) == 52
    assert not path.exists()  # it was not computed at all


def test_errors_are_named():
    plain = load_without_shape_checks("pretrained/numpy_bert")
    tensors = bert_tensors()
    lacking = {
        name: one for name, one in tensors.items() if not name.endswith("1.output.dense.bias")
    }
    for given, pieces, message in (
        ({}, PIECES, 'tensors: expected all tensors of a BERT, got "none called'),
        (lacking, PIECES, "none called ['encoder.layer.1.output.dense.bias']"),
        (tensors, PIECES[:-1], "pieces: expected 20, as in the embedding, got 19"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            plain.NumpyBert(given, pieces, 3)
    model = plain.NumpyBert(tensors, PIECES, 3)
    for tokens in ([], [1] * 9):
        with pytest.raises(ValueError, match=f"tokens: expected 1 to 8, got {len(tokens)}"):
            model.encode(tokens)


def test_it_needs_no_torch():
    script = (
        "import sys; from attention.pretrained import numpy_bert; "
        "print({'torch', 'safetensors'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8")
    assert done.stdout.strip() == "set()", done.stderr


def test_gelu():
    x = np.array([-3.0, -1, 0, 0.5, 2])
    np.testing.assert_allclose(
        numpy_bert.gelu(x), torch.nn.functional.gelu(torch.tensor(x)), rtol=0, atol=1e-15
    )


# --------------------------------------------------------------------------- real weights


@pytest.fixture(scope="module")
def logged():
    with open(book_path("experiments/bert_heads.csv"), encoding="utf-8") as file:
        return {(row["measure"], row["place"]): row["value"] for row in csv.DictReader(file)}


@needs("minilm")
@pytest.mark.arithmetic
def test_minilm_is_torchs():
    tensors, pieces = small_minilm.tensors_and_pieces()
    ours, theirs = NumpyBert(tensors, pieces, small_minilm.HEADS), bert.minilm()
    for sentence in SENTENCES:
        tokens = ours.tokenizer.encode_sentence(sentence)
        assert max(map(apart, ours.encode(tokens), by_torch(theirs, tokens))) <= 1e-5


@needs("minilm")
@pytest.mark.arithmetic
def test_the_file_of_the_page_is_the_logged_one_and_as_exact_as_is_said(tmp_path, logged):
    path = tmp_path / "small.safetensors"
    small_minilm.write_small_minilm(path)
    content = path.read_bytes()
    assert len(content) == int(logged["file", "bytes"]) <= 25_000_000
    assert sha256(content).hexdigest() == logged["file", "sha256"]
    _, about = small_weights.read(path)
    assert about["licence"] == "Apache-2.0"
    assert about["source"].startswith("https://")
    small, full = NumpyBert.from_file(path), bert.minilm()
    differences = []
    for sentence in (*SENTENCES[:2], "The girl bought the cake because she was hungry."):
        _, weights = small.look(sentence)
        _, exact = by_torch(full, small.tokenizer.encode_sentence(sentence))
        differences.append(np.abs(weights - exact).ravel())
    together = np.concatenate(differences)
    assert together.max() == pytest.approx(float(logged["largest", "8 bits, shown"]), abs=1e-5)
    assert together.mean() == pytest.approx(float(logged["mean", "8 bits, shown"]), abs=1e-6)
