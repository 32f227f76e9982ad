"""Heads of queries that share keys and values: against repeated heads, torch, and without."""

from dataclasses import asdict, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import load_without_shape_checks
from torch.nn import functional as F

from attention.heads import merge_heads, repeat_heads, split_heads
from attention.interventions import knock_out, record_weights
from attention.kv_cache import (
    CachedTransformerStepper,
    cache_bytes,
    continue_text,
    new_cache,
    read,
)
from attention.layers import MultiHeadAttention
from attention.positions import position_angles, rotate
from attention.transformer import POSITIONS, TransformerConfig, load, new_transformer, save

cases = settings(max_examples=25)
both_paths = pytest.mark.parametrize("return_weights", [False, True])
generators = st.integers(0, 2**32 - 1).map(lambda seed: torch.Generator().manual_seed(seed))
WRITER = TransformerConfig(None, 12, d_model=16, heads=4, d_ff=8, max_length=16)


def drawn(rng: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=rng, dtype=torch.float64) * 2 - 1


def new_layer(rng: torch.Generator, heads: int, shared: int, d_k: int = 4) -> MultiHeadAttention:
    layer = MultiHeadAttention(heads * d_k, heads, key_value_heads=shared).double()
    for parameter in layer.parameters():
        torch.nn.init.uniform_(parameter, -0.6, 0.6, generator=rng)
    return layer


def with_repeated_heads(grouped: MultiHeadAttention) -> MultiHeadAttention:
    """Make a layer with a head of keys and values for each of queries, equal to a grouped one."""
    heads, shared = grouped.heads, grouped.key_value_heads
    weights = grouped.state_dict()
    for name in ("W_K.weight", "W_K.bias", "W_V.weight", "W_V.bias"):
        by_head = weights[name].unflatten(0, (shared, -1))
        weights[name] = by_head.repeat_interleave(heads // shared, 0).flatten(0, 1)
    usual = MultiHeadAttention(grouped.W_Q.in_features, heads).double()
    usual.load_state_dict(weights)
    return usual


@both_paths
@pytest.mark.parametrize(("heads", "shared"), [(4, 1), (4, 2), (4, 4), (6, 3), (1, 1)])
@pytest.mark.parametrize("kind", ["self", "causal", "cross", "rotary"])
def test_the_value_is_that_of_repeated_heads(kind, heads, shared, return_weights):
    rng = torch.Generator().manual_seed(heads + shared)
    grouped = new_layer(rng, heads, shared)
    usual = with_repeated_heads(grouped)
    x, memory = drawn(rng, 2, 5, heads * 4), drawn(rng, 2, 7, heads * 4)
    named = {
        "self": {},
        "causal": {"mask": torch.ones(5, 5, dtype=torch.bool).tril()},
        "cross": {"memory": memory},
        "rotary": {"angles": position_angles(5, 4).double()},
    }[kind]
    ours, theirs = (layer(x, **named, return_weights=return_weights) for layer in (grouped, usual))
    for one, other in zip(*((r if return_weights else (r,)) for r in (ours, theirs)), strict=True):
        assert one.shape == other.shape
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@both_paths
@cases
@given(rng=generators, group=st.integers(1, 3), shared=st.integers(1, 3), masked=st.booleans())
def test_value_and_gradient_by_torchs_own_attention(return_weights, rng, group, shared, masked):
    heads = group * shared
    layer, x = new_layer(rng, heads, shared), drawn(rng, 2, 6, heads * 4).requires_grad_()
    mask = torch.ones(6, 6, dtype=torch.bool).tril() if masked else None
    result = layer(x, mask=mask, return_weights=return_weights)
    output = result[0] if return_weights else result

    query = split_heads(layer.W_Q(x), heads)
    key, value = (split_heads(W(x), shared) for W in (layer.W_K, layer.W_V))
    key, value = (part.repeat_interleave(group, 1) for part in (key, value))
    expected = layer.W_O(merge_heads(F.scaled_dot_product_attention(query, key, value, mask)))
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)
    upstream = drawn(rng, *output.shape)
    wanted = [x, *layer.parameters()]
    ours, theirs = (torch.autograd.grad(y, wanted, upstream) for y in (output, expected))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


def test_unless_asked_for_no_head_is_shared():
    torch.manual_seed(0)
    plain = MultiHeadAttention(8, 4)
    torch.manual_seed(0)
    said = MultiHeadAttention(8, 4, key_value_heads=4)
    x = drawn(torch.Generator().manual_seed(0), 2, 3, 8).float()
    assert plain.key_value_heads == 4
    assert torch.equal(plain(x), said(x))
    assert {name: part.shape for name, part in plain.state_dict().items()} == {
        f"{W}.{part}": shape
        for W in ("W_Q", "W_K", "W_V", "W_O")
        for part, shape in (("weight", (8, 8)), ("bias", (8,)))
    }


def test_which_head_serves_which():
    x = torch.arange(3.0).reshape(1, 3, 1, 1).expand(1, 3, 2, 5)
    repeated = repeat_heads(x, 6)
    assert repeated.shape == (1, 6, 2, 5)
    assert repeated[0, :, 0, 0].tolist() == [0, 0, 1, 1, 2, 2]
    assert repeat_heads(x, 3) is x


# ------------------------------------------------------------------------- in a model


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("shared", [1, 2])
def test_with_a_cache_the_model_says_what_it_says_without(position, shared):
    config = replace(WRITER, position=position, key_value_heads=shared)
    model = new_transformer(config, 0).double()
    tokens = torch.randint(12, (3, 9), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = model(tokens)
        first, kept = read(model, tokens[:, :4])
        then, kept = read(model, tokens[:, 4:], kept)
    found = torch.cat([first, then], 1)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    assert {tuple(pair.key.shape) for pair in kept} == {(3, shared, 9, 4)}
    bytes_kept = sum(tensor.nbytes for pair in kept for tensor in pair)
    assert bytes_kept == cache_bytes(config, 3, 9, torch.float64)
    assert bytes_kept * 4 == shared * cache_bytes(WRITER, 3, 9, torch.float64)
    with_cache, without = (continue_text(model, tokens, 4, cached=c) for c in (True, False))
    assert torch.equal(with_cache, without)
    assert new_cache(model, 2)[0].key.shape == (2, shared, 0, 4)


def test_a_translator_shares_heads_in_both_attentions():
    config = replace(WRITER, source_vocab_size=12, key_value_heads=2)
    model = new_transformer(config, 0).double()
    source, target = torch.tensor([[3, 4, 5]]), torch.tensor([[6, 7, 8]])
    with torch.no_grad():
        logits = model(source, target)
        stepper = CachedTransformerStepper(model)
        state, found = stepper.start(source), []
        for token in torch.tensor([1, 6, 7]):  # START, then what has been written
            step, state = stepper.step(state, token[None])
            found.append(step)
    torch.testing.assert_close(torch.stack(found, 1), logits, rtol=0, atol=1e-12)
    layer = model.decoder.layers[0]
    assert layer.cross_attention.key_value_heads == layer.self_attention.key_value_heads == 2


def test_weights_are_recorded_and_cut_for_every_head_of_queries():
    model = new_transformer(replace(WRITER, key_value_heads=2), 0).double()
    tokens = torch.tensor([[3, 4, 5, 6]])
    with torch.no_grad():
        with record_weights(model) as weights:
            before = model(tokens)
        assert weights["decoder", 0].shape == (1, 4, 4, 4)
        edges = torch.zeros(4, 4, dtype=torch.bool)
        edges[3, 0] = True
        with record_weights(model) as weights, knock_out(model, "decoder", edges, heads=[1]):
            after = model(tokens)
    cut = weights["decoder", 0][0, :, 3, 0] == 0
    assert cut.tolist() == [False, True, False, False]  # the other head of its group goes on
    assert not torch.allclose(before[:, 3], after[:, 3])


def test_a_file_keeps_how_many_heads_there_are(tmp_path):
    config = replace(WRITER, key_value_heads=2)
    save(tmp_path / "model.safetensors", new_transformer(config, 3))
    again = load(tmp_path / "model.safetensors")
    assert asdict(again.config) == asdict(config)
    tokens = torch.tensor([[3, 4]])
    assert torch.equal(again(tokens), new_transformer(config, 3)(tokens))


# ----------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, "key_value_heads: expected a divisor of heads = 4, got 3"),
        (8, "key_value_heads: expected a divisor of heads = 4, got 8"),
        (0, "key_value_heads: expected a positive integer, got 0"),
        (2.0, "key_value_heads: expected a positive integer, got 2.0"),
        (True, "key_value_heads: expected a positive integer, got True"),
    ],
)
def test_a_number_of_heads_that_does_not_fit(wrong, message):
    layers, config = (load_without_shape_checks(m) for m in ("layers", "transformer"))
    for call in (
        lambda: layers.MultiHeadAttention(8, 4, key_value_heads=wrong),
        lambda: config.TransformerConfig(None, 12, 8, 4, key_value_heads=wrong),
    ):
        with pytest.raises(ValueError, match="key_value_heads") as found:
            call()
        assert str(found.value) == message


def test_what_cannot_be_repeated():
    heads = load_without_shape_checks("heads")
    for wrong in (torch.ones(3, 2, 5), torch.ones(2, 5)):
        with pytest.raises(ValueError, match=r"^x: expected .* a divisor of heads = 4, got shape"):
            heads.repeat_heads(wrong, 4)


def test_a_cache_of_another_grouping_is_refused():
    layers = load_without_shape_checks("layers")
    grouped = layers.MultiHeadAttention(8, 4, key_value_heads=2)
    usual, x = layers.MultiHeadAttention(8, 4), torch.ones(1, 3, 8)
    expected = r"^memory: expected keys of shape \(1, 4, 3, 2\) for this x, got \(1, 2, 3, 2\)$"
    with pytest.raises(ValueError, match=expected):
        usual(x, grouped.keys_and_values(x))


def test_rotated_keys_are_shared_too():
    """By hand: query head 1 uses key head 0, rotated like the query."""
    rng = torch.Generator().manual_seed(5)
    layer, x = new_layer(rng, 2, 1), drawn(rng, 1, 3, 8)
    angles = position_angles(3, 4).double()
    _, weights = layer(x, angles=angles, return_weights=True)
    query = rotate(split_heads(layer.W_Q(x), 2), angles)[0, 1]
    key = rotate(split_heads(layer.W_K(x), 1), angles)[0, 0]
    expected = (query @ key.T / 2).softmax(-1)
    torch.testing.assert_close(weights[0, 1], expected, rtol=0, atol=1e-12)
