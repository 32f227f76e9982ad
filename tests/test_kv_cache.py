"""`attention.kv_cache` against the model that reads everything again, and by hand."""

import json
import os
import re
from dataclasses import FrozenInstanceError, replace
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import load_without_shape_checks
from torch import nn

from attention import by_hand, corpus
from attention.generate import (
    Stepper,
    TransformerStepper,
    beam,
    draw,
    forced_scores,
    greedy,
    n_best,
    pick,
    sample,
    stepper_for,
)
from attention.keys_and_values import ROOM, KeysAndValues
from attention.kv_cache import (
    CachedTransformerStepper,
    cache_bytes,
    continue_text,
    likeliest,
    new_cache,
    read,
    source_cache_bytes,
)
from attention.layers import MultiHeadAttention
from attention.training import END, START, decode_all, evaluating, pad
from attention.transformer import (
    NORMS,
    POSITIONS,
    Embedding,
    EncoderLayer,
    TransformerConfig,
    causal_mask,
    load,
    new_transformer,
    positions_in_scores,
)

# Random cases per property; the mutation tester asks for fewer.
CASES = int(os.environ.get("ATTENTION_TEST_CASES", "120"))
many_cases = settings(max_examples=CASES)
some_cases = settings(max_examples=max(CASES // 4, 10))
few_cases = settings(max_examples=max(CASES // 10, 5))

COMMITTED = Path(__file__).resolve().parent.parent / "weights/translator-transformer.safetensors"
SYMBOLS = 12
MAX_LENGTH = 12
TRANSLATOR = TransformerConfig(
    SYMBOLS,
    SYMBOLS,
    d_model=8,
    heads=2,
    d_ff=6,
    decoder_layers=2,
    encoder_layers=1,
    max_length=MAX_LENGTH,
)
WRITER = replace(TRANSLATOR, source_vocab_size=None)

each_scheme = pytest.mark.parametrize("position", POSITIONS)
each_norm = pytest.mark.parametrize("norm", NORMS)


@st.composite
def configs(draw, translator: bool):
    """Draw what a small transformer is made of."""
    heads = draw(st.integers(1, 3))
    return TransformerConfig(
        SYMBOLS if translator else None,
        SYMBOLS,
        d_model=heads * draw(st.sampled_from([2, 4])),
        heads=heads,
        d_ff=draw(st.integers(1, 6)),
        encoder_layers=draw(st.integers(1, 2)),
        decoder_layers=draw(st.integers(1, 3)),
        dropout=draw(st.sampled_from([0.0, 0.5])),
        norm=draw(st.sampled_from(NORMS)),
        position=draw(st.sampled_from(POSITIONS)),
        activation=draw(st.sampled_from(["relu", "gelu"])),
        tie_logits=draw(st.booleans()),
        tie_source=translator and draw(st.booleans()),
        max_length=MAX_LENGTH,
    )


translators, writers = configs(translator=True), configs(translator=False)
generators = st.integers(0, 2**32 - 1).map(lambda seed: torch.Generator().manual_seed(seed))
batches = st.integers(1, 4)
lengths = st.integers(1, 8)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@cache
def double(config: TransformerConfig, seed: int = 0) -> nn.Module:
    """Make a model in float64 in which no parameter is 0 or 1."""
    model, rng = new_transformer(config, seed).double().eval(), generator(seed)
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -1, 1, generator=rng)
    return model


def any_tokens(rng: torch.Generator, batch: int, length: int) -> torch.Tensor:
    """Draw tokens of all kinds; what a model may not write it can still be told."""
    return torch.randint(SYMBOLS, (batch, length), generator=rng)


def any_source(rng: torch.Generator, batch: int) -> torch.Tensor:
    """Draw sentences of 0 to 6 tokens, END, and padding."""
    counts = torch.randint(7, (batch,), generator=rng).tolist()
    return pad([torch.randint(END + 1, SYMBOLS, (n,), generator=rng).tolist() for n in counts])


def assert_equal_to(ours: torch.Tensor, theirs: torch.Tensor, within: float = 1e-12) -> None:
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert torch.allclose(ours, theirs, rtol=0, atol=within)


def step_by_step(stepper: Stepper, source: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Give a stepper the tokens one after the other; return all logits."""
    state, all_logits = stepper.start(source), []
    for token in tokens.T:
        logits, state = stepper.step(state, token)
        all_logits.append(logits)
    return torch.stack(all_logits, 1)


def in_parts(model: nn.Module, tokens: torch.Tensor, cuts: list[int]) -> torch.Tensor:
    """Read tokens in parts that end at these places."""
    cache, all_logits = None, []
    for part in torch.tensor_split(tokens, cuts, dim=1):
        logits, cache = read(model, part, cache)
        all_logits.append(logits)
    return torch.cat(all_logits, 1)


# ------------------------------------------------------- equal at every step


@many_cases
@given(translators, generators, batches, lengths)
def test_a_translator_says_with_its_cache_what_it_says_without(config, rng, batch, length):
    model, source = double(config), any_source(rng, batch)
    tokens = any_tokens(rng, batch, length)
    with torch.no_grad():
        expected = model.decode(tokens, *model.encode(source))
        found = step_by_step(CachedTransformerStepper(model), source, tokens)
    assert_equal_to(found, expected)


@many_cases
@given(writers, generators, batches, lengths, st.data())
def test_a_text_may_be_read_in_any_parts(config, rng, batch, length, data):
    model, tokens = double(config), any_tokens(rng, batch, length)
    inner = st.integers(1, length - 1) if length > 1 else st.nothing()
    cuts = sorted(data.draw(st.sets(inner)))
    with torch.no_grad():
        expected = model(tokens)
        for places in (cuts, [], list(range(1, length))):
            assert_equal_to(in_parts(model, tokens, places), expected)


@some_cases
@given(writers, generators)
def test_gradients_are_those_of_the_whole(config, rng):
    """Nothing is cut off from what it was computed of: one loss, the same gradients."""
    model, tokens = double(config), any_tokens(rng, 2, 5)
    parameters = list(model.parameters())
    factors = torch.rand(2, 5, SYMBOLS, generator=rng).double()
    theirs = torch.autograd.grad((model(tokens) * factors).sum(), parameters)
    ours = torch.autograd.grad((in_parts(model, tokens, [2, 3]) * factors).sum(), parameters)
    for found, expected in zip(ours, theirs, strict=True):
        assert_equal_to(found, expected, 1e-10)


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("rotary", [False, True])
def test_looking_back_is_attention_by_hand(heads, rotary):
    """In NumPy, for the whole sequence at once; and the keys that are kept are those there."""
    config = replace(WRITER, heads=heads, position="rotary" if rotary else "none", norm="pre")
    layer = EncoderLayer(config).double()
    layer.self_attention = attention = MultiHeadAttention(8, heads, bias=False).double()
    for parameter in layer.feed_forward.W_2.parameters():
        nn.init.zeros_(parameter)  # the other sublayer has nothing to add
    x = torch.rand(1, 5, 8, generator=generator(3)).double()
    W_Q, W_K, W_V, W_O = (
        getattr(attention, name).weight.detach().numpy().T for name in ("W_Q", "W_K", "W_V", "W_O")
    )
    normed = layer.around_self_attention.norm(x)[0].detach().numpy()
    d_k = 8 // heads
    angles = by_hand.position_angles(5, d_k)
    turn = partial(by_hand.rotate, angles=angles) if rotary else lambda rows: rows
    keys = turn(by_hand.split_heads(normed @ W_K, heads))
    values = by_hand.split_heads(normed @ W_V, heads)
    queries = turn(by_hand.split_heads(normed @ W_Q, heads))
    output, _ = by_hand.scaled_dot_product_attention(queries, keys, values, np.tri(5, dtype=bool))
    expected = x[0].numpy() + by_hand.merge_heads(output) @ W_O

    nothing = torch.zeros(1, heads, 0, d_k).double()
    kept, rows = KeysAndValues(nothing, nothing), []
    with torch.no_grad():
        for place in range(5):
            assert kept.length == place
            where = positions_in_scores(config, 1, place)
            mask = causal_mask(1, place)[None]
            rows.append(layer(x[:, place : place + 1], mask, kept, **where))
    assert_equal_to(torch.cat(rows, 1)[0], torch.tensor(expected))
    assert_equal_to(kept.key[0], torch.tensor(keys))
    assert_equal_to(kept.value[0], torch.tensor(values))


@pytest.mark.parametrize("return_weights", [False, True])
def test_keys_and_values_of_a_source_do_for_the_source_itself(return_weights):
    attention, rng = MultiHeadAttention(8, 2).double(), generator(1)
    x, memory = (torch.rand(3, n, 8, generator=rng).double() for n in (4, 6))
    mask = torch.rand(3, 4, 6, generator=rng) < 0.5
    mask[1, 2] = False  # a query with nothing to look at
    bias = torch.rand(2, 4, 6, generator=rng).double()
    kept = attention.keys_and_values(memory)
    assert attention.keys_and_values(kept) is kept
    for options in ({}, {"mask": mask}, {"mask": mask, "score_bias": bias}):
        options["return_weights"] = return_weights
        ours, theirs = (attention(x, source, **options) for source in (kept, memory))
        for found, expected in zip(*map(as_tuple, (ours, theirs)), strict=True):
            assert_equal_to(found, expected)
    assert_equal_to(as_tuple(ours)[0][1, 2], attention.W_O.bias)
    assert kept.length == 6  # and nothing was appended


def as_tuple(result: torch.Tensor | tuple) -> tuple:
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("return_weights", [False, True])
def test_attention_to_what_is_kept_is_the_rest_of_the_whole(return_weights):
    attention, rng = MultiHeadAttention(8, 2).double(), generator(1)
    x = torch.rand(3, 6, 8, generator=rng).double()
    mask = torch.rand(3, 6, 6, generator=rng).tril(5) < 0.7
    bias = torch.rand(2, 6, 6, generator=rng).double()
    kept = attention.keys_and_values(x[:, :4])
    ours = attention(x[:, 4:], None, mask[:, 4:], return_weights, None, bias[:, 4:], kept)
    theirs = attention(x, None, mask, return_weights, None, bias)
    assert_equal_to(as_tuple(ours)[0], as_tuple(theirs)[0][:, 4:])
    if return_weights:
        assert_equal_to(ours[1], theirs[1][:, :, 4:])
    for found, expected in zip(kept, attention.keys_and_values(x), strict=True):
        assert_equal_to(found, expected)


def test_new_positions_see_what_is_kept_and_what_is_new_before_them():
    mask = causal_mask(3, 2)
    assert mask.int().tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
    assert causal_mask(1, 7).tolist() == [[True] * 8]


# ----------------------------------------------------------------- the state


def test_the_state_is_tensors_with_the_rows_in_front():
    model, source = double(replace(TRANSLATOR, decoder_layers=3)), any_source(generator(), 5)
    stepper = CachedTransformerStepper(model)
    assert isinstance(stepper, Stepper)
    assert stepper_for(stepper) is stepper
    with pytest.raises(FrozenInstanceError):
        stepper.model = None
    state = stepper.start(source)
    for length in range(4):
        of_source, *written = state
        assert of_source.mask.shape == (5, 1, source.shape[1])
        assert of_source.sentence.tolist() == [0, 1, 2, 3, 4]
        assert len(of_source.each_layer) == len(written) == 3
        for kept in of_source.each_layer:
            assert kept.key.shape == kept.value.shape == (5, 2, source.shape[1], 4)
        for kept in written:
            assert kept.key.shape == kept.value.shape == (5, 2, length, 4)
        _, state = stepper.step(state, torch.full((5,), START))


def test_a_beam_copies_nothing_of_the_source_once_it_has_begun(monkeypatch):
    model, source = double(TRANSLATOR), any_source(generator(), 3)
    stepper = CachedTransformerStepper(model)
    step, seen = CachedTransformerStepper.step, []

    def watched(self, state, token):
        seen.append([tensor.data_ptr() for kept in state[0].each_layer for tensor in kept])
        return step(self, state, token)

    monkeypatch.setattr(CachedTransformerStepper, "step", watched)
    n_best(stepper, source, 2, 4, max_length=6)
    assert len(seen) == 6
    assert all(pointers == seen[0] for pointers in seen)
    state = pick(stepper.start(source), torch.tensor([2, 0, 0]))  # other sentences are copied
    assert state[0].sentence.tolist() == [2, 0, 0]
    assert torch.equal(state[0].mask, (source[[2, 0, 0]] != 0)[:, None])


@some_cases
@given(translators, generators, st.lists(st.integers(0, 2), min_size=1, max_size=5))
def test_rows_can_be_dropped_repeated_and_reordered(config, rng, rows):
    model, source = double(config), any_source(rng, 3)
    stepper, tokens = CachedTransformerStepper(model), any_tokens(rng, 3, 4)
    rows, then = torch.tensor(rows), any_tokens(rng, len(rows), 2)
    with torch.no_grad():
        state = stepper.start(source)
        for token in tokens.T:
            _, state = stepper.step(state, token)
        state = pick(state, rows)
        for token in then.T:
            logits, state = stepper.step(state, token)
        everything = torch.cat([tokens[rows], then], 1)
        expected = model.decode(everything, *model.encode(source[rows]))[:, -1]
    assert_equal_to(logits, expected)


@some_cases
@given(writers, generators)
def test_a_cache_can_be_gone_on_from_twice(config, rng):
    model, tokens = double(config), any_tokens(rng, 2, 3)
    with torch.no_grad():
        _, kept = read(model, tokens)
        before = [tensor.clone() for pair in kept for tensor in pair]
        for _ in range(2):
            more = any_tokens(rng, 2, 2)
            logits, longer = read(model, more, kept)
            assert_equal_to(logits, model(torch.cat([tokens, more], 1))[:, 3:])
            assert [pair.length for pair in longer] == [5] * config.decoder_layers
    now = [tensor for pair in kept for tensor in pair]
    assert all(torch.equal(a, b) for a, b in zip(before, now, strict=True))
    assert [pair.length for pair in kept] == [3] * config.decoder_layers


@pytest.mark.parametrize("kind", ["no_grad", "inference_mode", "enable_grad"])
def test_appending_never_changes_what_others_keep(kind):
    """Forks and their forks, each with numbers of its own behind what they share."""
    rng = generator(4)

    def some(count: int) -> torch.Tensor:
        return torch.rand(2, 3, count, 4, generator=rng)

    with getattr(torch, kind)():
        kept = [KeysAndValues(some(0), some(0))]
        expected = [tuple(kept[0])]
        for turn in range(200):
            parent = int(torch.randint(len(kept), (), generator=rng))
            fork, new = kept[parent].fork(), [some(1 + turn % 3), some(1 + turn % 3)]
            returned = fork.append(*new)
            whole = [torch.cat(parts, 2) for parts in zip(expected[parent], new, strict=True)]
            kept.append(fork)
            expected.append(tuple(whole))
            assert all(torch.equal(a, b) for a, b in zip(returned, fork, strict=True))
        for one, numbers in zip(kept, expected, strict=True):
            assert one.length == numbers[0].shape[2]
            assert all(torch.equal(a, b) for a, b in zip(one, numbers, strict=True))


def test_a_step_writes_behind_what_is_kept_and_copies_nothing_else():
    model, token = double(WRITER), torch.tensor([[3]])
    with torch.no_grad():
        _, kept = read(model, token)
        moved = 0
        for _ in range(3 * ROOM):
            _, longer = read(model, token, kept)
            moved += longer[1].value.data_ptr() != kept[1].value.data_ptr()
            kept = longer
    # Each time memory was set aside for the new position and ROOM more.
    assert moved == (3 * ROOM + 1) // (ROOM + 1)
    with torch.inference_mode():
        _, inside = read(model, token, kept)
    with torch.no_grad():
        _, outside = read(model, token, inside)  # where its memory may not be written to
        assert outside[0].length == 3 * ROOM + 3
    logits, after = read(model, token, outside)  # with gradients, all is as it was made
    assert logits.requires_grad
    assert after[0].key.requires_grad


# ---------------------------------------------------------------- positions


@each_norm
def test_there_is_no_learned_position_beyond_the_last(norm):
    message = "length: expected at most 12 positions, for which there are rows, got 13"
    model = double(replace(WRITER, position="learned", norm=norm))
    tokens = any_tokens(generator(), 2, 13)
    with torch.no_grad():
        logits, kept = read(model, tokens[:, :MAX_LENGTH])
        assert_equal_to(logits, model(tokens[:, :MAX_LENGTH]))
        with pytest.raises(ValueError, match=message):
            read(model, tokens[:, 12:], kept)
        with pytest.raises(ValueError, match=message):
            read(model, tokens)

        model = double(replace(TRANSLATOR, position="learned", norm=norm))
        stepper, source = CachedTransformerStepper(model), any_source(generator(), 2)
        state = stepper.start(source)
        for token in tokens[:, :12].T:
            _, state = stepper.step(state, token)
        with pytest.raises(ValueError, match=message):
            stepper.step(state, tokens[:, 12])


@pytest.mark.parametrize("position", sorted({*POSITIONS} - {"learned"}))
def test_no_other_scheme_has_a_longest_text(position):
    model = double(replace(WRITER, position=position))
    tokens = any_tokens(generator(), 1, 60)
    with torch.no_grad():
        assert_equal_to(in_parts(model, tokens, [57, 58, 59]), model(tokens))


@each_scheme
def test_embedding_from_a_place_on_is_the_rest_of_the_whole(position):
    embedding = double(replace(WRITER, position=position)).embedding
    tokens = any_tokens(generator(), 2, 9)
    for offset in range(9):
        rest = embedding(tokens[:, offset:], offset)
        assert_equal_to(rest, embedding(tokens)[:, offset:])


# ------------------------------------------------------ everything that writes


@few_cases
@given(translators, generators, st.integers(0, 9))
def test_all_that_write_write_the_same(config, rng, seed):
    model, source = double(config, seed), any_source(rng, 3)
    cached = CachedTransformerStepper(model)
    assert torch.equal(greedy(cached, source, 7), greedy(model, source, 7))
    ours, theirs = (n_best(one, source, 3, 3, 0.6, 6) for one in (cached, model))
    for found, expected in zip(ours, theirs, strict=True):
        assert [one.tokens for one in found] == [one.tokens for one in expected]
        scores = [one.score for one in expected]
        assert [one.score for one in found] == pytest.approx(scores, abs=1e-10)
    drawn = [sample(one, source, generator(5), 1.3, 6, 0.9, 7) for one in (cached, model)]
    assert torch.equal(*drawn)


@pytest.fixture(scope="module")
def sentences():
    """A hundred English sentences that no model has seen, or a part of them."""
    english = corpus.english_vocabulary()
    count = 40 if "ATTENTION_TEST_CASES" in os.environ else 100
    return [english.encode(pair.english) for pair in corpus.draw_split("test", count)]


@pytest.fixture(scope="module")
def committed():
    """The book's translator, in float64: what differs by rounding alone is written alike."""
    return load(COMMITTED).double().eval()


@pytest.mark.arithmetic
@pytest.mark.parametrize(
    "decode",
    [
        pytest.param(partial(greedy, max_length=30), id="greedy"),
        pytest.param(partial(beam, width=4, alpha=0.6, max_length=30), id="beam"),
        pytest.param(
            lambda model, source: sample(model, source, generator(len(source)), max_length=30),
            id="sample",
        ),
    ],
)
def test_many_translations_are_the_same(committed, sentences, decode):
    assert len({len(sentence) for sentence in sentences}) > 5  # so that there is padding
    ours, theirs = (
        decode_all(partial(decode, one), sentences, size=20)
        for one in (CachedTransformerStepper(committed), committed)
    )
    assert ours == theirs
    assert all(output[-1] == END for output in ours)
    assert len({tuple(output) for output in ours}) > 0.8 * len(sentences)


@pytest.mark.arithmetic
def test_in_float32_the_logits_are_the_same_but_for_rounding(sentences):
    model, source = load(COMMITTED), pad(sentences[:20])
    with evaluating(model):
        tokens = greedy(model, source, 15)
        expected = model.decode(tokens, *model.encode(source))
        found = step_by_step(CachedTransformerStepper(model), source, tokens)
    assert found.dtype == torch.float32
    assert_equal_to(found, expected, 1e-3)  # logits are up to 20, and rounded at 1e-6


def test_what_asks_for_the_model_inside_gets_it(committed, sentences):
    source, cached = pad(sentences[:3]), CachedTransformerStepper(committed)
    ours, theirs = (greedy(one, source, 20, return_weights=True) for one in (cached, committed))
    assert torch.equal(ours[0], theirs[0])
    assert torch.equal(ours[1], theirs[1])
    scores = [forced_scores(one, source, ours[0]) for one in (cached, committed)]
    assert torch.equal(*scores)


# ------------------------------------------------------- a language model goes on


@some_cases
@given(writers, generators, batches, st.integers(1, 4), st.integers(1, 8))
def test_with_and_without_the_cache_a_text_goes_on_alike(config, rng, batch, length, count):
    model, prompt = double(config), any_tokens(rng, batch, length)
    text = continue_text(model, prompt, count)
    assert text.shape == (batch, length + count)
    assert torch.equal(text[:, :length], prompt)
    assert torch.equal(continue_text(model, prompt, count, cached=False), text)
    with torch.no_grad():  # each token is the likeliest after all that is before it
        assert torch.equal(model(text)[:, length - 1 : -1].argmax(-1), text[:, length:])


def test_a_text_can_be_drawn():
    model, prompt = double(WRITER), any_tokens(generator(), 3, 2)

    def choose(rng, log_p):
        assert log_p.shape == (3, SYMBOLS)
        assert log_p.dtype == torch.float64
        assert_equal_to(log_p.exp().sum(1), torch.ones(3).double())
        return draw(log_p, torch.rand(3, generator=rng, dtype=torch.float64))

    drawn = [
        continue_text(model, prompt, 20, partial(choose, generator(4)), how)
        for how in (True, False)
    ]
    assert torch.equal(*drawn)
    assert not torch.equal(drawn[0], continue_text(model, prompt, 20))
    asked = []
    continue_text(
        new_transformer(WRITER, 0), prompt, 1, lambda given: asked.append(given) or likeliest(given)
    )
    assert asked[0].dtype == torch.float64  # of a model in float32 too


def test_of_equally_likely_tokens_the_first_is_chosen():
    assert likeliest(torch.tensor([[0.0, 2, 2], [3, 1, 3]])).tolist() == [1, 0]


@pytest.mark.parametrize("cached", [True, pytest.param(False, marks=pytest.mark.slow)])
@each_scheme
def test_prompts_of_different_lengths_go_on_as_each_would_alone(position, cached):
    config = replace(WRITER, position=position, max_length=13)
    model, prompt, rng = double(config), any_tokens(generator(2), 4, 7), generator(3)
    for lengths in ([7, 2, 5, 7], [1, 1, 1, 1], [6, 1, 3, 2]):
        for padding in (0, 5):  # what stands behind a prompt has no say
            padded = prompt.clone()
            for row, length in enumerate(lengths):
                padded[row, length:] = padding
            text = continue_text(model, padded, 7, cached=cached, lengths=torch.tensor(lengths))
            assert text.shape == (4, max(lengths) + 7)
            for row, length in enumerate(lengths):
                alone = continue_text(model, prompt[row : row + 1, :length], 7, cached=cached)
                assert torch.equal(text[row, : length + 7], alone[0])
                assert (text[row, length + 7 :] == 0).all()
    same = torch.full((4,), 7, dtype=torch.int32)
    assert torch.equal(
        continue_text(model, prompt, 3, lengths=same), continue_text(model, prompt, 3)
    )
    drawn = partial(draw_with, rng)
    text = continue_text(model, prompt, 6, drawn, cached, torch.tensor([7, 2, 5, 1]))
    for row, length in enumerate([7, 2, 5, 1]):
        assert torch.equal(text[row, :length], prompt[row, :length])


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("end_of", [0, 1, 2])
def test_a_row_that_has_written_its_end_is_done(cached, end_of):
    """As if all had been written, and what stands behind the end deleted."""
    model, lengths = double(WRITER), torch.tensor([5, 2, 4])
    prompt, drawn = any_tokens(generator(2), 3, 5), partial(draw_with, generator(3))
    whole = continue_text(model, prompt, 8, partial(draw_with, generator(3)), cached, lengths)
    end = int(whole[end_of, lengths[end_of] + 3])  # a token that this row does write
    text = continue_text(model, prompt, 8, drawn, cached, lengths, end=end)
    wanted = []
    for row, length in zip(whole.tolist(), lengths.tolist(), strict=True):
        written = row[length : length + 8]
        kept = written[: written.index(end) + 1] if end in written else written
        wanted.append([*row[:length], *kept])
    for row, expected in zip(text.tolist(), wanted, strict=True):
        assert row == expected + [0] * (text.shape[1] - len(expected))


def test_the_writing_stops_when_all_rows_are_done():
    model, asked = double(WRITER), []

    def choose(log_p: torch.Tensor) -> torch.Tensor:
        asked.append(len(asked))
        tokens = {2: [7, 1], 4: [1, 7]}.get(len(asked), [1, 1])
        return torch.tensor(tokens)

    prompt = torch.full((2, 3), 7)  # in a prompt the end is a token like others
    text = continue_text(model, prompt, 9, choose, end=7)
    assert text.tolist() == [[7, 7, 7, 1, 7, 0, 0], [7, 7, 7, 1, 1, 1, 7]]
    assert len(asked) == 4


@pytest.mark.parametrize("end", [-1, SYMBOLS, 2.0, "2", True])
def test_an_end_is_a_token(plain, end):
    call = partial(plain.continue_text, double(WRITER), TOKENS, 2, end=end)
    check_message(call, f"end: expected a token below {SYMBOLS}, got {end!r}")


def draw_with(rng: torch.Generator, log_p: torch.Tensor) -> torch.Tensor:
    return draw(log_p, torch.rand(len(log_p), generator=rng, dtype=torch.float64))


@pytest.mark.parametrize("cached", [True, False])
def test_as_many_tokens_as_there_are_positions_and_one_more(cached):
    """The last one is written and not read, so it needs none; what is too many is said first."""
    position = json.loads('"learned"')  # a text that was read, as from a file
    model, prompt = double(replace(WRITER, position=position)), any_tokens(generator(), 2, 8)
    assert continue_text(model, prompt, 5, cached=cached).shape == (2, 13)
    asked = []
    message = "count: expected at most 5 after a prompt of 8, as positions are learned, got 6"
    with pytest.raises(ValueError, match=f"^{message}$"):
        continue_text(model, prompt, 6, asked.append, cached)
    assert asked == []  # nothing has been written
    with pytest.raises(ValueError, match=r"^count: expected at most 10 after a prompt of 3, "):
        continue_text(model, prompt, 11, cached=cached, lengths=torch.tensor([1, 3]))
    assert continue_text(model, prompt, 10, cached=cached, lengths=torch.tensor([1, 3])).shape == (
        2,
        13,
    )


@pytest.mark.parametrize("cached", [True, False])
def test_a_sentence_is_cut_off_where_positions_end_and_not_lost(cached):
    model = new_transformer(replace(TRANSLATOR, position="learned"), 0).double()
    model.to_logits = nn.Linear(8, SYMBOLS).double()
    model.to_logits.bias.data[END] = -1e3  # it never ends of itself
    source, writer = any_source(generator(3), 4), model
    if cached:
        writer = CachedTransformerStepper(model)
    for write in (greedy, partial(beam, width=3)):
        expected = write(writer, source, max_length=MAX_LENGTH)
        assert expected.shape[1] == MAX_LENGTH  # so it came to the end
        assert torch.equal(write(writer, source), expected)
    assert sample(writer, source, generator(1)).shape[1] == MAX_LENGTH


# ---------------------------------------------------------------- work per step


def positions_through(modules: list[nn.Module], call) -> list[list[int]]:
    """Say how many positions pass through each module in each of its calls."""
    passed = [[] for _ in modules]
    handles = [
        module.register_forward_hook(
            lambda module, given, output, into=into: into.append(given[0].shape[1])
        )
        for module, into in zip(modules, passed, strict=True)
    ]
    call()
    for handle in handles:
        handle.remove()
    return passed


def test_a_step_sends_one_position_through_the_decoder_and_none_through_the_source():
    model = double(TRANSLATOR)
    source, steps, cached = any_source(generator(1), 3), 6, CachedTransformerStepper(model)
    tokens, source_length = any_tokens(generator(2), 3, steps), source.shape[1]
    layers = model.decoder.layers
    in_the_decoder = [
        *(getattr(layer.self_attention, name) for layer in layers for name in ("W_K", "W_V")),
        *(getattr(layer.self_attention, name) for layer in layers for name in ("W_Q", "W_O")),
        *(layer.cross_attention.W_Q for layer in layers),
        *(layer.feed_forward.W_1 for layer in layers),
        model.to_logits,
    ]
    at_the_source = [
        *(getattr(layer.cross_attention, name) for layer in layers for name in ("W_K", "W_V")),
    ]
    modules = in_the_decoder + at_the_source
    passed = positions_through(modules, lambda: step_by_step(cached, source, tokens))
    assert passed[: len(in_the_decoder)] == [[1] * steps] * len(in_the_decoder)
    assert passed[len(in_the_decoder) :] == [[source_length]] * len(at_the_source)

    plain = TransformerStepper(model)
    passed = positions_through(modules, lambda: step_by_step(plain, source, tokens))
    assert passed[: len(in_the_decoder)] == [[1, 2, 3, 4, 5, 6]] * len(in_the_decoder)
    assert passed[len(in_the_decoder) :] == [[source_length] * steps] * len(at_the_source)


def test_a_prompt_goes_through_once_and_then_each_token():
    model, prompt = double(WRITER), any_tokens(generator(), 2, 5)
    modules = [
        getattr(layer.self_attention, name)
        for layer in model.decoder.layers
        for name in ("W_Q", "W_K", "W_V", "W_O")
    ]
    passed = positions_through(modules, lambda: continue_text(model, prompt, 4))
    assert passed == [[5, 1, 1, 1]] * len(modules)
    passed = positions_through(modules, lambda: continue_text(model, prompt, 4, cached=False))
    assert passed == [[5, 6, 7, 8]] * len(modules)


# ------------------------------------------------------------------------- bytes


def bytes_in(cache: list[KeysAndValues]) -> int:
    """Count the bytes of what is kept."""
    return sum(tensor.nbytes for kept in cache for tensor in kept)


def memory_behind(cache: list[KeysAndValues]) -> int:
    """Count the memory behind it, be the tensors views of something larger or not."""
    return sum(tensor.untyped_storage().nbytes() for kept in cache for tensor in kept)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(("layers", "heads", "batch", "length"), [(1, 1, 1, 1), (3, 4, 2, 7)])
def test_the_formula_counts_the_bytes_that_are_kept(dtype, layers, heads, batch, length):
    config = replace(TRANSLATOR, decoder_layers=layers, heads=heads)
    expected = 2 * layers * batch * length * 8 * {torch.float64: 8, torch.bfloat16: 2}.get(dtype, 4)
    model = new_transformer(replace(config, source_vocab_size=None), 0).to(dtype)
    with torch.no_grad():
        kept = None
        for token in any_tokens(generator(), batch, length).split(1, dim=1):
            _, kept = read(model, token, kept)
    assert bytes_in(kept) == expected
    # What is set aside besides is room for no more than ROOM positions.
    assert expected < memory_behind(kept) <= expected + expected // length * ROOM
    assert cache_bytes(model.config, batch, length, dtype) == expected

    model = new_transformer(config, 0).to(dtype)
    stepper, source = CachedTransformerStepper(model), any_source(generator(1), batch)
    with torch.no_grad():
        state = stepper.start(source)
        for token in any_tokens(generator(), batch, length).T:
            _, state = stepper.step(state, token)
    of_source, *written = state
    assert bytes_in(written) == cache_bytes(config, batch, length, dtype) == expected
    found = source_cache_bytes(config, batch, source.shape[1], dtype)
    assert bytes_in(of_source.each_layer) == found == expected * source.shape[1] // length
    assert memory_behind(of_source.each_layer) == found


def test_bytes_by_hand():
    # 12 layers of width 768, a thousand tokens, two bytes a number.
    config = TransformerConfig(None, 50_000, 768, 12, 3072, decoder_layers=12)
    assert cache_bytes(config, 1, 1000, torch.float16) == 36_864_000
    assert cache_bytes(config, 1, 1000) == 73_728_000


# ----------------------------------------------------------------------- dropout


@each_scheme
@each_norm
def test_in_training_dropout_falls_where_the_model_lets_it_fall(position, norm):
    """The same random numbers in the same order: the same logits."""
    changed = {"position": position, "norm": norm, "dropout": 0.4}
    model, tokens = (
        new_transformer(replace(WRITER, **changed), 0).double(),
        any_tokens(generator(), 3, 6),
    )
    assert model.training
    torch.manual_seed(7)
    expected = model(tokens)
    torch.manual_seed(7)
    found, _ = read(model, tokens)
    assert_equal_to(found, expected)
    torch.manual_seed(8)
    assert not torch.allclose(read(model, tokens)[0], expected)

    model, source = (
        new_transformer(replace(TRANSLATOR, **changed), 0).double(),
        any_source(generator(), 3),
    )
    torch.manual_seed(7)
    expected = model.decode(tokens[:, :1], *model.encode(source))
    torch.manual_seed(7)
    found = step_by_step(CachedTransformerStepper(model), source, tokens[:, :1])
    assert_equal_to(found, expected)


@pytest.mark.parametrize("training", [False, True])
def test_what_writes_has_no_dropout_and_leaves_the_mode(training):
    model = new_transformer(replace(WRITER, dropout=0.5), 0).double()
    prompt = any_tokens(generator(), 3, 2)
    expected = continue_text(model.eval(), prompt, 8)
    model.train(training)
    assert torch.equal(continue_text(model, prompt, 8), expected)
    assert torch.equal(continue_text(model, prompt, 8, cached=False), expected)
    assert all(module.training == training for module in model.modules())

    def refuse(log_p):
        assert not model.training
        assert not log_p.requires_grad
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        continue_text(model, prompt, 8, refuse)
    assert all(module.training == training for module in model.modules())

    model = new_transformer(replace(TRANSLATOR, dropout=0.5), 0).double().train(training)
    source = any_source(generator(), 3)
    expected = greedy(model, source, 9)
    assert torch.equal(greedy(CachedTransformerStepper(model), source, 9), expected)
    assert all(module.training == training for module in model.modules())


# ---------------------------------------------------------------- a bug that runs


right_place = Embedding.forward


def at_place_0(embedding, tokens, offset=0):
    """Embed new tokens as if a text began here."""
    return right_place(embedding, tokens)


@pytest.mark.arithmetic
def test_a_step_that_forgets_its_place_runs_and_starts_right(committed, sentences, monkeypatch):
    source, stepper = pad(sentences), CachedTransformerStepper(committed)
    with evaluating(committed):
        expected = greedy(committed, source, 30)
        before = torch.cat([torch.full((len(sentences), 1), START), expected[:, :-1]], 1)
        right = committed.decode(before, *committed.encode(source))
        monkeypatch.setattr(Embedding, "forward", at_place_0)
        written = greedy(stepper, source, 30)  # it runs
        wrong = step_by_step(stepper, source, before)
    assert (written > END).any(1).all()
    # The first token does stand at position 0, and what is written after it is right.
    assert torch.equal(written[:, 0], expected[:, 0])
    assert torch.allclose(wrong[:, 0], right[:, 0], rtol=0, atol=1e-12)
    # One line catches it: are the logits equal at every step?
    assert not torch.allclose(wrong, right)
    assert not torch.allclose(wrong[:, 1], right[:, 1])
    width = min(written.shape[1], expected.shape[1])
    changed = (written[:, :width] != expected[:, :width]).any(1)
    assert changed.float().mean() > 0.5


@each_scheme
def test_forgetting_the_place_shows_where_embeddings_say_it(position, monkeypatch):
    model, tokens = double(replace(WRITER, position=position)), any_tokens(generator(), 2, 6)
    monkeypatch.setattr(Embedding, "forward", at_place_0)
    with torch.no_grad():
        expected = model(tokens)
        assert_equal_to(in_parts(model, tokens, []), expected)  # a prompt in one: all is well
        wrong = in_parts(model, tokens, [4])
    assert_equal_to(wrong[:, :4], expected[:, :4])
    added = position in ("sinusoidal", "learned")
    assert torch.allclose(wrong, expected) != added


# ------------------------------------------------------------------------ errors


@pytest.fixture(scope="module")
def plain():
    """`attention.kv_cache` as a reader meets it, without enforced shapes."""
    return load_without_shape_checks("kv_cache")


def check_message(call, message):
    """Assert that `call` raises a ValueError with just this message."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


TOKENS = torch.tensor([[3, 8, 2], [4, 2, 0]])


def test_a_model_must_be_of_the_right_kind(plain):
    writer, translator = double(WRITER), double(TRANSLATOR)
    for wrong, came in [(writer, "LanguageModel"), (None, "NoneType"), (nn.Linear(1, 1), "Linear")]:
        check_message(
            lambda wrong=wrong: plain.CachedTransformerStepper(wrong),
            f"model: expected a Transformer, got {came!r}",
        )
    for wrong, came in [(translator, "Transformer"), (None, "NoneType")]:
        for call in (plain.read, partial(plain.continue_text, count=1)):
            check_message(
                lambda wrong=wrong, call=call: call(wrong, TOKENS),
                f"model: expected a LanguageModel, got {came!r}",
            )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([[3]], "a torch.int64 tensor of shape (batch, length), got [[3]]"),
        (
            torch.ones(2, 3),
            "a torch.int64 tensor of shape (batch, length), got 'torch.float32 of shape (2, 3)'",
        ),
        (
            torch.ones(2, dtype=torch.long),
            "a torch.int64 tensor of shape (batch, length), got 'torch.int64 of shape (2,)'",
        ),
        (
            TOKENS[:, :0],
            "at least one sequence and one position, got 'torch.int64 of shape (2, 0)'",
        ),
        (torch.tensor([[3, 12]]), "tokens from 0 to 11, got (3, 12)"),
        (torch.tensor([[3, -1]]), "tokens from 0 to 11, got (-1, 3)"),
    ],
)
def test_a_language_model_reads_rectangles_of_tokens(plain, wrong, message):
    check_message(lambda: plain.read(double(WRITER), wrong), f"tokens: expected {message}")
    check_message(
        lambda: plain.continue_text(double(WRITER), wrong, 2), f"prompt: expected {message}"
    )


@pytest.mark.parametrize(
    ("changed", "rows", "message"),
    [
        ({"decoder_layers": 1}, 2, "keys and values of 2 layers, got 1"),
        ({"decoder_layers": 3}, 2, "keys and values of 2 layers, got 3"),
        (
            {"heads": 4},
            2,
            "torch.float64 of shape (2, 2, 'keys', 4) in each layer, "
            "got 'torch.float64 of shape (2, 4, 3, 2)'",
        ),
        (
            {"d_model": 12},
            2,
            "torch.float64 of shape (2, 2, 'keys', 4) in each layer, "
            "got 'torch.float64 of shape (2, 2, 3, 6)'",
        ),
        (
            {},
            1,
            "torch.float64 of shape (2, 2, 'keys', 4) in each layer, "
            "got 'torch.float64 of shape (1, 2, 3, 4)'",
        ),
    ],
)
def test_a_cache_must_be_of_this_model_and_batch(plain, changed, rows, message):
    _, kept = plain.read(double(replace(WRITER, **changed)), TOKENS[:rows])
    check_message(lambda: plain.read(double(WRITER), TOKENS, kept), f"cache: expected {message}")


def test_a_cache_must_be_whole_and_of_the_models_type(plain):
    expected = "cache: expected torch.float64 of shape (2, 2, 'keys', 4) in each layer, got "
    _, kept = plain.read(double(WRITER), TOKENS)
    single = tuple(KeysAndValues(pair.key.float(), pair.value.float()) for pair in kept)
    check_message(
        lambda: plain.read(double(WRITER), TOKENS, single),
        expected + "'torch.float32 of shape (2, 2, 3, 4)'",
    )
    torn = kept[0], kept[1].fork()
    torn[1].value = kept[1].value[:, :, 1:]
    check_message(
        lambda: plain.read(double(WRITER), TOKENS, torn),
        expected + "'torch.float64 of shape (2, 2, 2, 4)'",
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, "a torch.int64 tensor of shape (2,), got 3"),
        (torch.ones(2), "a torch.int64 tensor of shape (2,), got 'torch.float32 of shape (2,)'"),
        (TOKENS, "a torch.int64 tensor of shape (2,), got 'torch.int64 of shape (2, 3)'"),
        (TOKENS[0], "a torch.int64 tensor of shape (2,), got 'torch.int64 of shape (3,)'"),
        (TOKENS[0, :1], "a torch.int64 tensor of shape (2,), got 'torch.int64 of shape (1,)'"),
        (torch.tensor([3, 12]), "tokens from 0 to 11, got (3, 12)"),
    ],
)
def test_a_step_reads_one_token_for_each_row(plain, wrong, message):
    stepper = plain.CachedTransformerStepper(double(TRANSLATOR))
    many = TOKENS[:1].expand(300, -1)
    assert len(stepper.step(stepper.start(many), many[:, 0])[0]) == 300
    state = stepper.start(TOKENS)
    check_message(lambda: stepper.step(state, wrong), f"token: expected {message}")


def test_the_model_says_what_is_wrong_with_a_source(plain):
    stepper = plain.CachedTransformerStepper(double(TRANSLATOR))
    check_message(
        lambda: stepper.start(torch.tensor([[0, 2]])),
        "source: expected a token at the start of each row, got 'PADDING there'",
    )


@pytest.mark.parametrize("number", [0, -1, 2.0, "2", None, True])
def test_counts_must_be_positive_integers(plain, number):
    for call, name in [
        (lambda: plain.cache_bytes(TRANSLATOR, number, 3), "batch"),
        (lambda: plain.cache_bytes(TRANSLATOR, 3, number), "length"),
        (lambda: plain.source_cache_bytes(TRANSLATOR, number, 3), "batch"),
        (lambda: plain.source_cache_bytes(TRANSLATOR, 3, number), "source_length"),
        (lambda: plain.continue_text(double(WRITER), TOKENS, number), "count"),
        (lambda: plain.new_cache(double(WRITER), number), "batch"),
    ]:
        check_message(call, f"{name}: expected a positive integer, got {number!r}")


def test_bytes_are_of_a_type_and_of_a_source_that_is_there(plain):
    check_message(
        lambda: plain.cache_bytes(TRANSLATOR, 1, 2, "float32"),
        "dtype: expected a torch.dtype, got 'float32'",
    )
    check_message(
        lambda: plain.source_cache_bytes(WRITER, 1, 2),
        'config: expected one with a source, got "a language model\'s"',
    )


def test_a_new_cache_is_empty_and_of_the_models_type():
    for model in (double(WRITER), double(TRANSLATOR), new_transformer(WRITER, 0)):
        kept = new_cache(model, 3)
        assert [pair.length for pair in kept] == [0, 0]
        for one, other in pairwise(tensor for pair in kept for tensor in pair):
            assert one.shape == other.shape == (3, 2, 0, 4)
            assert one.dtype == model.to_logits.weight.dtype
            assert not one.requires_grad


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (torch.tensor([3]), "a tensor of integers of shape (2,), got 'torch.int64 of shape (1,)'"),
        ([3, 2], "a tensor of integers of shape (2,), got [3, 2]"),
        (torch.tensor([[3, 2]]), "a tensor of integers of shape (2,), got tensor([[3, 2]])"),
        (torch.tensor([3.0, 2]), "a tensor of integers of shape (2,), got tensor([3., 2.])"),
        (
            torch.tensor([3, 2, 1]),
            "a tensor of integers of shape (2,), got 'torch.int64 of shape (3,)'",
        ),
        (
            torch.tensor([True, True]),
            "a tensor of integers of shape (2,), got 'torch.bool of shape (2,)'",
        ),
        (torch.tensor([0, 3]), "numbers from 1 to 3, got [0, 3]"),
        (torch.tensor([3, 4]), "numbers from 1 to 3, got [3, 4]"),
    ],
)
def test_lengths_are_those_of_the_prompts(plain, wrong, message):
    call = partial(plain.continue_text, double(WRITER), TOKENS, 2, lengths=wrong)
    check_message(call, f"lengths: expected {message}")


def test_a_model_may_be_in_a_wrapper_and_numbers_may_be_numpys(plain):
    writer, translator = double(WRITER), double(TRANSLATOR)
    for wrap in (nn.DataParallel, partial(torch.compile, backend="eager")):
        assert torch.equal(plain.read(wrap(writer), TOKENS)[0], read(writer, TOKENS)[0])
        text = plain.continue_text(wrap(writer), TOKENS, np.int64(3), end=np.int64(1))
        assert torch.equal(text, continue_text(writer, TOKENS, 3, end=1))
        assert plain.CachedTransformerStepper(wrap(translator)).model is translator
    assert plain.cache_bytes(WRITER, np.int64(2), np.int32(3)) == cache_bytes(WRITER, 2, 3)
    assert plain.new_cache(writer, np.int64(2))[0].key.shape == (2, 2, 0, 4)
