"""Marian's translator in the book's blocks, its recurrent unit, and its shortlist."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import load_without_shape_checks
from tests.pretended_device import DEVICE, pretended_device
from tests.pretrained import plain_models
from tests.pretrained.small_models import MARIAN, marian_tensors
from tests.pretrained.texts import needs

from attention.generate import TransformerStepper, beam, forced_scores, greedy
from attention.interventions import (
    attentions,
    cross_weights,
    knock_out,
    record_streams,
    record_weights,
)
from attention.keys_and_values import KeysAndValues
from attention.kv_cache import CachedTransformerStepper
from attention.pretrained import files, marian, translator
from attention.pretrained.marian import Shortlist
from attention.pretrained.marian_model import SHIFT, MarianTranslator, translator_of
from attention.pretrained.shortlist import ShortlistStepper
from attention.pretrained.ssru import SSRU
from attention.tokens import END, PADDING, START, pad

TENSORS = marian_tensors()
SOURCES = [[7, 3, 9, 12], [5, 19], [8, 8, 3]]


def small():
    return translator_of(TENSORS, MARIAN).double()


def numbers(*shape):
    rng = torch.Generator().manual_seed(0)
    return torch.rand(*shape, generator=rng, dtype=torch.float64) * 2 - 1


# ------------------------------------------------------------------ the recurrent unit


@settings(max_examples=25)
@given(length=st.integers(1, 6), parts=st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_the_unit_is_its_recurrence_and_can_be_read_in_parts(length, parts):
    unit = SSRU(8).double()
    x = numbers(2, length + sum(parts), 8)
    with torch.no_grad():
        cell, expected = torch.zeros(2, 8, dtype=torch.float64), []
        for row in x.unbind(1):
            forget = 1 / (1 + torch.exp(-(row @ unit.W_f.weight.T + unit.W_f.bias)))
            cell = forget * cell + (1 - forget) * (row @ unit.W.weight.T)
            expected.append(cell.clamp(min=0))
        expected = torch.stack(expected, 1)
        assert (unit(x) - expected).abs().max() <= 1e-12
        nothing = torch.zeros(2, 4, 0, 2, dtype=torch.float64)
        kept = KeysAndValues(nothing, nothing)
        read = [unit(part, kept=kept) for part in x.split([length, *parts], 1)]
        assert (torch.cat(read, 1) - expected).abs().max() <= 1e-12
        assert kept.length == x.shape[1]


def test_the_unit_cannot_look_ahead_and_learns():
    torch.manual_seed(0)
    unit, x = SSRU(4).double(), numbers(1, 5, 4).requires_grad_()
    output = unit(x)
    (gradient,) = torch.autograd.grad(output[:, 2].sum(), x, retain_graph=True)
    assert gradient[:, :3].any(-1).all()
    assert not gradient[:, 3:].any()
    output.square().sum().backward()
    assert all(parameter.grad.any() for parameter in unit.parameters())


# ------------------------------------------------------------------------ a small model


@pytest.mark.parametrize(
    ("dtype", "most"),
    [(torch.float64, 1e-12), pytest.param(torch.float32, 2e-5, marks=pytest.mark.arithmetic)],
)
def test_a_small_translator_is_the_plain_formula(dtype, most):
    model, target = small().to(dtype), [4, 11, 2, 19, 0]
    for source in SOURCES:
        ours = torch.tensor([[*source, END]])
        theirs = [*(token - SHIFT for token in source), 0]
        written = torch.tensor([target]) + SHIFT
        with torch.no_grad():
            logits = model(ours, written)[0]
            looked = cross_weights(model, ours, written)[0]
        expected, maps = plain_models.marian(TENSORS, MARIAN, theirs, target)
        assert np.abs(logits[:, SHIFT:].numpy() - expected).max() <= most
        assert np.abs(looked.numpy() - np.stack(maps)).max() <= most


def test_it_is_a_transformer_of_the_book():
    model, source = small(), pad(SOURCES)
    assert isinstance(model, MarianTranslator)
    assert model.source_embedding.tokens.weight is model.to_logits.weight
    assert not model.to_logits.weight[:SHIFT].any()
    plain, cached = (greedy(way, source, 9) for way in (model, CachedTransformerStepper(model)))
    assert torch.equal(plain, cached)
    for width in (1, 3):
        plain, cached = (
            beam(way, source, width, max_length=6)
            for way in (model, CachedTransformerStepper(model))
        )
        assert torch.equal(plain, cached)
    alone = greedy(model, pad(SOURCES[1:2]), 9)[0]
    assert torch.equal(greedy(model, source, 9)[1, : len(alone)], alone)
    assert forced_scores(model, source, cached).isfinite().all()


def test_it_can_be_watched_and_changed():
    model, source = small(), pad(SOURCES)
    assert attentions(model).keys() == {"encoder", "cross"}
    found = []
    for way in (model, CachedTransformerStepper(model)):
        with record_weights(model) as weights, record_streams(model) as streams:
            greedy(way, source, 6)
        found.append(weights | {("stream", *place): streams[place] for place in streams})
    assert found[0].keys() == found[1].keys()
    for place, one in found[0].items():
        assert (one - found[1][place]).abs().max() <= 1e-12
    edges = torch.zeros(6, source.shape[1], dtype=torch.bool)
    edges[:, 0] = True
    with knock_out(model, "cross", edges), record_weights(model) as weights:
        greedy(CachedTransformerStepper(model), source, 6)
    assert not weights["cross", 1][..., 0].any()
    with (
        pytest.raises(ValueError, match=r"where: expected one of \('encoder', 'cross'\)"),
        knock_out(model, "decoder", edges),
    ):
        pass


def check_message(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def test_what_is_no_such_translator_is_refused():
    plain = load_without_shape_checks("pretrained/marian_model")
    check_message(
        lambda: plain.translator_of(TENSORS, MARIAN | {"dec-cell": "gru"}, "a.bin"),
        "a.bin: expected a model of Marian with dec-cell 'ssru', got 'gru'",
    )
    check_message(
        lambda: plain.translator_of(TENSORS, {}),
        "tensors: expected a model of Marian with type 'transformer', got 'nothing'",
    )
    name = "decoder_l2_rnn_Wf"
    check_message(
        lambda: plain.translator_of({n: TENSORS[n] for n in TENSORS.keys() - {name}}, MARIAN),
        f"tensors: expected a tensor {name}, got none of that name",
    )
    check_message(
        lambda: plain.translator_of(TENSORS | {name: np.ones((8, 7), np.float32)}, MARIAN),
        "tensors: expected torch.float32 of shape (8, 8) for the model's "
        "decoder.layers.1.self_attention.W_f.weight, got torch.float32 of shape (7, 8)",
    )


# -------------------------------------------------------------------------- the shortlist


def shortlist():
    """Allow the first three, and for each token of the source the two after it."""
    symbols = 20
    targets = np.array([(token + step) % symbols for token in range(symbols) for step in (1, 2)])
    return Shortlist(3, np.arange(0, 2 * symbols + 1, 2), targets)


def test_only_tokens_of_the_shortlist_are_written():
    model, source = small(), pad(SOURCES)
    for way in (TransformerStepper(model), CachedTransformerStepper(model)):
        stepper = ShortlistStepper(way, shortlist(), SHIFT)
        assert stepper.model is model
        written = greedy(stepper, source, 9)
        for row, tokens in zip(written.tolist(), SOURCES, strict=True):
            numbers = [*(token - SHIFT for token in tokens), 0]
            allowed = {number + SHIFT for number in shortlist().allowed(numbers)}
            assert set(row) - {PADDING} <= allowed
    assert not torch.equal(written, greedy(model, source, 9)[:, : written.shape[1]])
    best = beam(stepper, source, 3, max_length=9)
    assert START not in best


def test_a_list_of_all_tokens_changes_nothing():
    model, source = translator_of(marian_tensors(symbols=24), MARIAN).double(), pad(SOURCES)
    all_tokens = Shortlist(24, np.zeros(25, np.int64), np.zeros(0, np.int64))
    stepper = ShortlistStepper(CachedTransformerStepper(model), all_tokens, SHIFT)
    assert torch.equal(greedy(stepper, source, 9), greedy(model, source, 9))


def test_it_follows_the_device_of_its_input():
    model, source = small(), pad(SOURCES)
    here = greedy(ShortlistStepper(CachedTransformerStepper(model), shortlist(), SHIFT), source, 6)
    with pretended_device():
        there = small().to(DEVICE)
        stepper = ShortlistStepper(CachedTransformerStepper(there), shortlist(), SHIFT)
        written = greedy(stepper, source.to(DEVICE), 6)
        assert written.device.type == DEVICE.type
        assert torch.equal(written.cpu(), here)


# ------------------------------------------------------------------------ real weights


@pytest.fixture(scope="module")
def english_to_portuguese():
    return translator.english_to_portuguese()


@needs("marian")
@pytest.mark.arithmetic
def test_it_translates(english_to_portuguese):
    """The choices are clear ones: each is ahead of the next by far more than rounding."""
    sentences = ["She went to the market.", "The cat sat on the mat because it was tired."]
    expected = ["Ela foi para o mercado.", "O gato sentou-se no tapete porque estava cansado."]
    assert english_to_portuguese.translate(sentences) == expected
    everything = translator.english_to_portuguese(shortlist=False)
    assert everything.translate(sentences) == expected
    assert isinstance(everything.stepper(), CachedTransformerStepper)


@needs("marian")
@pytest.mark.arithmetic
def test_the_real_one_is_the_plain_formula(english_to_portuguese):
    tensors, metadata = marian.read(files.path_of("marian", "model.bin"))
    source = english_to_portuguese.encode("The cat sat on the mat because it was tired.")
    target = english_to_portuguese.encode("O gato sentou-se no tapete porque estava cansado.")
    batch = [torch.tensor([[*side, END]]) for side in (source, target)]
    theirs = [[*(token - SHIFT for token in side), 0] for side in (source, target)]
    expected, maps = plain_models.marian(tensors, metadata["config"], *theirs)
    for dtype, most in ((torch.float32, 1e-5), (torch.float64, 1e-12)):
        model = english_to_portuguese.model.to(dtype)
        with torch.no_grad():
            logits, looked = model(*batch)[0], cross_weights(model, *batch)[0]
        error = np.abs(logits[:, SHIFT:].numpy() - expected).max()
        assert error <= most * np.abs(expected).max()
        assert np.abs(looked.numpy() - np.stack(maps)).max() <= most
    english_to_portuguese.model.float()


@needs("marian")
def test_sentences_are_a_list(english_to_portuguese):
    check_message(
        lambda: english_to_portuguese.translate([]), "sentences: expected at least one, got 0"
    )
    check_message(
        lambda: load_without_shape_checks("pretrained/translator").Marian.translate(
            english_to_portuguese, "One text."
        ),
        "sentences: expected a sequence of sentences, got 'One text.'",
    )
