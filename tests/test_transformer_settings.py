"""What later models have changed, setting by setting, in the transformer of the book."""

import math
import os
from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from attention.generate import beam, greedy
from attention.heads import split_heads
from attention.interventions import (
    attentions,
    knock_out,
    patch_activations,
    record_streams,
    record_weights,
    stages,
)
from attention.kv_cache import CachedTransformerStepper, continue_text, read
from attention.layers import LayerNorm, MultiHeadAttention, RMSNorm, SwiGLU
from attention.positions import position_angles, rotate, sinusoidal_positions
from attention.transformer import (
    EncoderLayer,
    TransformerConfig,
    load,
    new_transformer,
    parameters_of,
    save,
)

CASES = int(os.environ.get("ATTENTION_TEST_CASES", "200"))
some_cases = settings(max_examples=max(CASES // 4, 10))
generators = st.integers(0, 2**32 - 1).map(lambda seed: torch.Generator().manual_seed(seed))

SYMBOLS = 12
TRANSLATOR = TransformerConfig(SYMBOLS, SYMBOLS, d_model=16, heads=4, d_ff=12, max_length=24)
WRITER = replace(TRANSLATOR, source_vocab_size=None)
READER = replace(TRANSLATOR, target_vocab_size=None)
LLAMA = replace(
    WRITER,
    position="rotary",
    position_base=1e5,
    activation="swiglu",
    key_value_heads=2,
    norm_kind="rms",
    bias=False,
    scale_embeddings=False,
)
BERT = replace(
    READER,
    norm="post",
    position="learned",
    activation="gelu",
    norm_eps=1e-12,
    scale_embeddings=False,
    embedding_norm=True,
    token_types=2,
)
MARIAN = replace(TRANSLATOR, norm="post", position_pairs="halves", logits_bias=True)
EACH = {
    "rms": {"norm_kind": "rms"},
    "large eps": {"norm_eps": 0.5},
    "no bias": {"bias": False},
    "qk norm": {"qk_norm": True},
    "swiglu": {"activation": "swiglu"},
    "base": {"position": "rotary", "position_base": 50.0},
    "halves": {"position": "rotary", "position_pairs": "halves"},
    "sines first": {"position_pairs": "halves"},
    "unscaled": {"scale_embeddings": False},
    "embedding norm": {"embedding_norm": True},
    "logits bias": {"logits_bias": True},
}
each_setting = pytest.mark.parametrize("changed", EACH.values(), ids=EACH)
writes = pytest.mark.parametrize("changed", [*EACH.values(), {}], ids=[*EACH, "as it was"])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(config, seed=0):
    """Make a model whose parameters, biases and gains included, are drawn."""
    model = new_transformer(config, 0).double().eval()
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -0.6, 0.6, generator=generator(seed))
    return model


def texts(*shape, seed=0):
    return torch.randint(3, SYMBOLS, shape, generator=generator(seed))


def largest_error(ours, theirs):
    assert ours.shape == theirs.shape
    return (ours - theirs).abs().max().item()


# ------------------------------------------------------------ every setting, every model


@pytest.mark.arithmetic
@each_setting
@pytest.mark.parametrize("config", [TRANSLATOR, WRITER, READER], ids=["both", "writer", "reader"])
def test_a_setting_changes_the_model_and_every_parameter_learns(config, changed, tmp_path):
    plain = new_transformer(config, 0).double()
    reads = config.target_vocab_size is None
    model = new_transformer(replace(config, **changed), 0).double()
    batch = (texts(2, 5), texts(2, 4)) if config is TRANSLATOR else (texts(2, 5),)
    output = model(*batch)
    if reads and "logits_bias" in changed:
        assert torch.equal(output, plain(*batch))  # there are no logits
    elif changed.keys() & {"bias", "logits_bias"}:  # which are 0 at first
        plain.load_state_dict(model.state_dict(), strict=False)
        torch.testing.assert_close(output, plain(*batch))
    else:
        assert largest_error(output, plain(*batch)) > 1e-3
    (output.sin() * torch.arange(output.shape[-1])).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        # A bias of the keys moves all scores of a query alike, unless they are normalised.
        assert parameter.grad.abs().max() > 1e-12 or name.endswith("W_K.bias"), name
    save(tmp_path / "model.safetensors", model.float())
    again = load(tmp_path / "model.safetensors")
    assert again.config == model.config
    assert torch.equal(again(*batch), model(*batch))


@writes
def test_with_a_cache_a_text_is_the_same(changed):
    model, prompt = drawn(replace(WRITER, **changed)), texts(2, 4)
    tokens = continue_text(model, prompt, 8)
    assert torch.equal(tokens, continue_text(model, prompt, 8, cached=False))
    first, cache = read(model, tokens[:, :5])
    second, _ = read(model, tokens[:, 5:], cache)
    assert largest_error(torch.cat([first, second], 1), model(tokens)) <= 1e-12


@writes
def test_with_a_cache_a_translation_is_the_same(changed):
    model, source = drawn(replace(TRANSLATOR, **changed)), texts(3, 5)
    cached = CachedTransformerStepper(model)
    for write in (greedy, partial(beam, width=2)):
        plain, kept = (write(way, source, max_length=8) for way in (model, cached))
        assert torch.equal(plain, kept)


@writes
def test_what_is_recorded_is_the_same_with_a_cache(changed):
    model, prompt = drawn(replace(WRITER, **changed)), texts(2, 4)
    with record_weights(model) as whole:
        tokens = continue_text(model, prompt, 5, cached=False)
    with record_weights(model) as parts:
        continue_text(model, prompt, 5)
    assert whole.keys() == parts.keys() == {("decoder", 0), ("decoder", 1)}
    for place, weights in whole.items():
        length = tokens.shape[1] - 1
        assert weights.shape == (2, 4, length, length)
        assert largest_error(weights.sum(-1), torch.ones(2, 4, length)) <= 1e-12
        assert largest_error(weights, parts[place]) <= 1e-12


# ------------------------------------------------------------------ one after the other


def test_what_the_settings_make():
    assert isinstance(new_transformer(LLAMA, 0).decoder.norm, RMSNorm)
    assert isinstance(new_transformer(WRITER, 0).decoder.norm, LayerNorm)
    layer = EncoderLayer(replace(LLAMA, norm_eps=0.25))
    assert isinstance(layer.feed_forward, SwiGLU)
    assert isinstance(layer.around_feed_forward.norm, RMSNorm)
    assert layer.around_feed_forward.norm.eps == 0.25
    assert not any("bias" in name for name, _ in layer.named_parameters())


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        # two norms in each of 2 layers, and the last one, have no bias of 16
        ({"norm_kind": "rms"}, -5 * 16),
        # of all these norms; of 4 projections of 16; of the feed-forward layer, 12 and 16
        ({"bias": False}, -5 * 16 - 2 * (4 * 16 + 12 + 16)),
        ({"bias": False, "norm_kind": "rms"}, -5 * 16 - 2 * (4 * 16 + 12 + 16)),
        # a gain for each of 4 columns, of queries and of keys
        ({"qk_norm": True}, 2 * 2 * 4),
        # a third matrix with its bias
        ({"activation": "swiglu"}, 2 * (16 * 12 + 12)),
        ({"embedding_norm": True}, 2 * 16),
        ({"embedding_norm": True, "norm_kind": "rms"}, 16 - 5 * 16),
        ({"logits_bias": True}, SYMBOLS),
        ({"position": "rotary", "position_base": 5.0, "position_pairs": "halves"}, 0),
        ({"scale_embeddings": False, "norm_eps": 0.1}, 0),
    ],
)
def test_parameters_are_as_counted_by_hand(changed, difference):
    assert parameters_of(replace(WRITER, **changed)) == parameters_of(WRITER) + difference
    model = new_transformer(replace(WRITER, **changed), 0)
    counted = sum(parameter.numel() for parameter in model.parameters())
    assert counted == parameters_of(model.config)


def test_parameters_of_known_models():
    """As their papers and files say: 22.6 and 134.5 million."""
    minilm = replace(BERT, source_vocab_size=30522, d_model=384, heads=12, d_ff=1536)
    minilm = replace(minilm, encoder_layers=6, max_length=512)
    pooler = 384 * 384 + 384  # of the file, which no text encoder uses
    assert parameters_of(minilm) == 22_713_216 - pooler
    smollm = replace(LLAMA, target_vocab_size=49152, d_model=576, heads=9, key_value_heads=3)
    assert parameters_of(replace(smollm, d_ff=1536, decoder_layers=30)) == 134_515_008


def test_torch_without_biases_is_ours():
    config = replace(WRITER, bias=False)
    ours = EncoderLayer(config).double()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.uniform_(-0.6, 0.6, generator=generator())
    twin = nn.TransformerEncoderLayer(
        16, 4, 12, 0, batch_first=True, norm_first=True, bias=False, dtype=torch.float64
    )
    attention = ours.self_attention
    projections = (attention.W_Q, attention.W_K, attention.W_V)
    parameters = {
        "self_attn.in_proj_weight": torch.cat([one.weight for one in projections]),
        "self_attn.out_proj.weight": attention.W_O.weight,
        "linear1.weight": ours.feed_forward.W_1.weight,
        "linear2.weight": ours.feed_forward.W_2.weight,
        "norm1.weight": ours.around_self_attention.norm.gain,
        "norm2.weight": ours.around_feed_forward.norm.gain,
    }
    assert parameters.keys() == dict(twin.named_parameters()).keys()
    x = torch.rand(2, 5, 16, generator=generator(1), dtype=torch.float64)
    assert largest_error(ours(x), functional_call(twin, parameters, (x,))) <= 1e-12


def test_embeddings_are_scaled_or_not_and_normalised_or_not():
    tokens = texts(2, 5)
    plain = drawn(replace(WRITER, position="none")).embedding
    rows = plain.tokens.weight[tokens]
    assert largest_error(plain(tokens), 4 * rows) <= 1e-12
    config = replace(WRITER, position="none", scale_embeddings=False)
    assert torch.equal(drawn(config).embedding(tokens), rows)
    normed = drawn(replace(config, embedding_norm=True, norm_eps=0.5)).embedding
    rows = normed.tokens.weight[tokens]
    expected = F.layer_norm(rows, (16,), normed.norm.gain, normed.norm.bias, 0.5)
    assert largest_error(normed(tokens), expected) <= 1e-12


def test_logits_have_a_bias_of_their_own():
    model, tokens = drawn(replace(WRITER, logits_bias=True)), texts(2, 5)
    logits = model(tokens)
    with torch.no_grad():
        model.to_logits.bias[7] += 3
    assert largest_error(model(tokens)[..., 7], logits[..., 7] + 3) <= 1e-12
    assert torch.equal(model(tokens)[..., :7], logits[..., :7])
    assert not new_transformer(model.config, 0).to_logits.bias.any()


# ----------------------------------------------------------------------- which two columns


def of_halves(width):
    """Say where each column of adjacent pairs stands when pairs are halves."""
    return torch.cat([torch.arange(0, width, 2), torch.arange(1, width, 2)])


@some_cases
@given(
    length=st.integers(1, 9),
    width=st.integers(1, 9),
    offset=st.integers(0, 50),
    base=st.sampled_from([10_000, 7.5]),
)
def test_all_sines_and_then_all_cosines(length, width, offset, base):
    beside = sinusoidal_positions(length, width, offset, base=base)
    halves = sinusoidal_positions(length, width, offset, base=base, pairs="halves")
    assert torch.equal(halves, beside[:, of_halves(width)])
    position, pair = offset + length - 1, (width - 1) // 2
    angle = position / base ** (2 * pair / width)
    assert halves[-1, pair].item() == pytest.approx(math.sin(angle))


@some_cases
@given(rng=generators, length=st.integers(1, 6), pairs=st.integers(1, 4))
def test_to_rotate_halves_is_to_rotate_pairs_in_another_order(rng, length, pairs):
    x = torch.rand(2, length, 2 * pairs, generator=rng, dtype=torch.float64)
    angles = position_angles(length, 2 * pairs, 3)
    order = of_halves(2 * pairs)
    turned = rotate(x, angles)[..., order]
    assert torch.equal(rotate(x[..., order], angles, "halves"), turned)
    first, second = x[..., order].chunk(2, -1)
    by_formula = [first * angles.cos() - second * angles.sin()]
    by_formula += [first * angles.sin() + second * angles.cos()]
    assert largest_error(turned, torch.cat(by_formula, -1)) <= 1e-12


@pytest.mark.parametrize("qk_norm", [False, True])
@pytest.mark.parametrize("return_weights", [False, True])
def test_weights_for_pairs_serve_halves_in_another_order(qk_norm, return_weights):
    adjacent = MultiHeadAttention(16, 2, 1, qk_norm=qk_norm).double()
    halves = MultiHeadAttention(16, 2, 1, pairs="halves", qk_norm=qk_norm).double()
    for parameter in adjacent.parameters():
        nn.init.uniform_(parameter, -0.6, 0.6, generator=generator())
    weights = {name: tensor.clone() for name, tensor in adjacent.state_dict().items()}
    for name, tensor in adjacent.state_dict().items():
        if name.startswith(("W_Q", "W_K")):  # the rows of each head
            weights[name] = tensor.unflatten(0, (-1, 8))[:, of_halves(8)].flatten(0, 1)
        if name.startswith("norm"):
            weights[name] = tensor[of_halves(8)]
    halves.load_state_dict(weights)
    x = torch.rand(2, 5, 16, generator=generator(1), dtype=torch.float64)
    options = {"angles": position_angles(5, 8), "return_weights": return_weights}
    ours, theirs = adjacent(x, **options), halves(x, **options)
    pairs = zip(ours, theirs, strict=True) if return_weights else [(ours, theirs)]
    assert all(largest_error(one, other) <= 1e-12 for one, other in pairs)
    halves.load_state_dict(adjacent.state_dict())  # not reordered: other scores
    other = halves(x, **options)
    assert (
        largest_error(
            other[0] if return_weights else other, theirs[0] if return_weights else theirs
        )
        > 1e-3
    )


def test_a_base_slows_the_hands_down():
    model = drawn(replace(LLAMA, position_base=1e5))
    angles = model.decoder.layers[0].self_attention
    seen = []
    angles.register_forward_pre_hook(
        lambda _, arguments, named: seen.append(named["angles"]), with_kwargs=True
    )
    model(texts(1, 3))
    assert seen[0][2].tolist() == pytest.approx([2, 2 / 1e5**0.5])


# --------------------------------------------------------------------------- QK-norm


@pytest.mark.parametrize("return_weights", [False, True])
@pytest.mark.parametrize("crossing", [False, True])
def test_qk_norm_by_its_formula(return_weights, crossing):
    layer = MultiHeadAttention(16, 4, 2, qk_norm=True).double()
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -0.6, 0.6, generator=generator())
    x, memory = torch.rand(2, 2, 5, 16, generator=generator(1), dtype=torch.float64)
    read_from = memory if crossing else x
    query, key, value = (
        split_heads(layer.get_submodule(name)(rows), heads)
        for name, rows, heads in (("W_Q", x, 4), ("W_K", read_from, 2), ("W_V", read_from, 2))
    )
    query, key = (
        gain * t / (t.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        for gain, t in ((layer.norm_Q.gain, query), (layer.norm_K.gain, key))
    )
    key, value = (t.repeat_interleave(2, 1) for t in (key, value))
    weights = (query @ key.transpose(-1, -2) / 2).softmax(-1)
    expected = layer.W_O((weights @ value).transpose(1, 2).flatten(-2))
    ours = layer(x, memory if crossing else None, return_weights=return_weights)
    if return_weights:
        assert largest_error(ours[1], weights) <= 1e-12
        ours = ours[0]
    assert largest_error(ours, expected) <= 1e-12


def test_with_qk_norm_long_queries_score_no_higher():
    x = torch.rand(1, 6, 16, generator=generator(1), dtype=torch.float64)
    moved = {}
    for qk_norm in (False, True):
        layer = MultiHeadAttention(16, 4, bias=False, qk_norm=qk_norm).double()
        _, before = layer(x, return_weights=True)
        with torch.no_grad():
            layer.W_Q.weight *= 100
        _, after = layer(x, return_weights=True)
        moved[qk_norm] = largest_error(before, after)
    assert moved[True] < 1e-3 < 0.1 < moved[False]  # eps is all that is left


# ---------------------------------------------------------------------- a text encoder


def test_a_text_encoder_is_torchs_encoder():
    config = replace(BERT, embedding_norm=False, token_types=0)
    ours = drawn(config)
    twin = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(
            *(16, 4, 12, 0, F.gelu), layer_norm_eps=1e-12, batch_first=True, dtype=torch.float64
        ),
        num_layers=2,
        enable_nested_tensor=False,
    )
    parameters = {}
    for number, layer in enumerate(ours.encoder.layers):
        attention, feed_forward = layer.self_attention, layer.feed_forward
        projections = (attention.W_Q, attention.W_K, attention.W_V)
        norms = (layer.around_self_attention.norm, layer.around_feed_forward.norm)
        start = f"layers.{number}."
        for kind in ("weight", "bias"):
            joined = torch.cat([getattr(one, kind) for one in projections])
            parameters[f"{start}self_attn.in_proj_{kind}"] = joined
            parameters[f"{start}self_attn.out_proj.{kind}"] = getattr(attention.W_O, kind)
            parameters[f"{start}linear1.{kind}"] = getattr(feed_forward.W_1, kind)
            parameters[f"{start}linear2.{kind}"] = getattr(feed_forward.W_2, kind)
        for place, norm in enumerate(norms, 1):
            parameters[f"{start}norm{place}.weight"] = norm.gain
            parameters[f"{start}norm{place}.bias"] = norm.bias
    tokens = texts(2, 6)
    tokens[1, 4:] = 0
    x = ours.embedding.tokens.weight[tokens] + ours.embedding.positions.weight[:6]
    padded = {"src_key_padding_mask": tokens == 0}
    theirs = functional_call(twin, parameters, (x,), padded)
    assert largest_error(ours(tokens)[tokens > 0], theirs[tokens > 0]) <= 1e-12


def test_a_text_encoder_looks_to_both_sides_and_not_at_padding():
    model, tokens = drawn(BERT), texts(1, 5)
    longer = torch.cat([tokens, torch.zeros(1, 2, dtype=torch.long)], 1)
    assert largest_error(model(longer)[:, :5], model(tokens)) <= 1e-12
    changed = tokens.clone()
    changed[0, 4] = 3 if tokens[0, 4] != 3 else 4
    assert largest_error(model(changed)[:, 0], model(tokens)[:, 0]) > 1e-4


def test_tokens_have_types():
    model, tokens = drawn(BERT), texts(2, 5)
    zeros, ones = torch.zeros_like(tokens), torch.ones_like(tokens)
    assert torch.equal(model(tokens), model(tokens, zeros))
    assert largest_error(model(tokens), model(tokens, ones)) > 1e-3
    added = replace(BERT, embedding_norm=False)
    embedding = drawn(added).embedding
    difference = embedding(tokens, types=ones) - embedding(tokens)
    expected = embedding.types.weight[1] - embedding.types.weight[0]
    assert largest_error(difference, expected.expand(2, 5, 16)) <= 1e-12


def test_a_text_encoder_can_be_watched_and_changed():
    model, tokens = drawn(BERT), texts(2, 5)
    assert attentions(model).keys() == stages(model).keys() == {"encoder"}
    with record_weights(model) as weights, record_streams(model) as streams:
        states = model(tokens)
    assert weights.keys() == {("encoder", 0), ("encoder", 1)}
    assert largest_error(weights["encoder", 1].sum(-1), torch.ones(2, 4, 5)) <= 1e-12
    assert streams.keys() == {("encoder", 0), ("encoder", 1), ("encoder", 2)}
    assert torch.equal(streams["encoder", 2], states)
    assert torch.equal(streams["encoder", 0], model.embedding(tokens))
    edges = torch.zeros(5, 5, dtype=torch.bool)
    edges[0, 1] = True
    with knock_out(model, "encoder", edges), record_weights(model) as weights:
        model(tokens)
    assert not weights["encoder", 0][..., 0, 1].any()
    everywhere = torch.ones(2, 5, dtype=torch.bool)
    with patch_activations(model, "encoder", 1, everywhere, streams["encoder", 1].flip(0)):
        assert largest_error(model(tokens), states.flip(0)) <= 1e-12
