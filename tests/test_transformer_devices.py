"""The transformer follows its input's device: on a pretended second one it does the same.

Each public function and class that touches tensors has a case, which gets a device and
returns tensors. A new one without a case makes the first test fail. Where there is a GPU the
cases run on it too.
"""

import inspect
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from tests.pretended_device import DEVICE, pretended_device
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from attention import (
    feed_forward,
    heads,
    interventions,
    keys_and_values,
    kv_cache,
    layers,
    norms,
    transformer,
)
from attention import positions as schemes
from attention.generate import beam, greedy, sample
from attention.transformer import POSITIONS, TransformerConfig, new_transformer

TRANSLATOR = TransformerConfig(9, 10, 8, heads=2, d_ff=6, encoder_layers=2, max_length=16)
SOURCE = torch.tensor([[3, 8, 5, 2], [4, 7, 2, 0], [5, 2, 0, 0]])
TARGET = torch.tensor([[9, 4, 2], [3, 8, 4], [5, 6, 7]])


def numbers(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def model(device: torch.device, config: TransformerConfig = TRANSLATOR, **changed) -> nn.Module:
    return new_transformer(replace(config, **changed), 0).double().eval().to(device)


def writer(device: torch.device, **changed) -> nn.Module:
    return model(device, source_vocab_size=None, **changed)


def attended(device: torch.device) -> list:
    attention = layers.MultiHeadAttention(8, 2).to(device)
    for parameter in attention.parameters():
        nn.init.constant_(parameter, 0.1)
    x = numbers(3, 5, 8).to(device)
    options = {
        "mask": transformer.causal_mask(5, device=device)[None],
        "angles": schemes.position_angles(5, 4, device=device),
        "score_bias": schemes.alibi_bias(2, 5, 5, device),
    }
    kept = attention.keys_and_values(x)
    both = [attention(x, return_weights=weights, **options) for weights in (False, True)]
    return [both, attention(x, kept), attention(x, kept=kept), list(kept)]


def kept_and_picked(device: torch.device) -> list:
    with torch.no_grad():
        kept = keys_and_values.KeysAndValues(*(numbers(2, 2, 3, 4).to(device) for _ in range(2)))
        fork = kept.fork()
        fork.append(*(numbers(2, 2, 1, 4).to(device) for _ in range(2)))
        return [list(one) for one in (kept, fork, fork.first(2), fork[torch.tensor([1])])]


def each_position(call):
    """Try all schemes of positions."""
    return lambda device: [call(device, position) for position in POSITIONS]


def translated(device: torch.device, position: str, **changed) -> list:
    one, source = model(device, position=position, **changed), SOURCE.to(device)
    target = TARGET.to(device)
    x, mask = one.encode(source)
    before = one.target_embedding(target, 2)
    where = transformer.positions_in_scores(one.config, 3, device=device)
    layer = one.decoder.layers[0]
    cached = kv_cache.CachedTransformerStepper(one)
    return [
        one(source, target),
        interventions.cross_weights(one, source, target),
        layer(before, x, transformer.causal_mask(3, device=device)[None], mask, **where),
        one.decoder(before, x, mask),
        [greedy(way, source, 5) for way in (one, cached)],
    ]


def decoded(device: torch.device) -> list:
    """What else writes takes the same steps as `greedy`, which is tried with all positions."""
    one, source, generator = model(device), SOURCE.to(device), torch.Generator()
    ways = one, kv_cache.CachedTransformerStepper(one)
    return [
        [beam(way, source, 2, max_length=5) for way in ways],
        [sample(way, source, generator.manual_seed(1), max_length=5) for way in ways],
    ]


def gone_on(device: torch.device, position: str, **changed) -> list:
    one, tokens = writer(device, position=position, **changed), TARGET.to(device)
    logits, cache = kv_cache.read(one, tokens)
    lengths = torch.tensor([3, 1, 2])  # it may be on the CPU
    return [
        one(tokens),
        logits,
        [list(kept) for kept in cache],
        [
            kv_cache.continue_text(one, tokens, 3, cached=cached, lengths=lengths)
            for cached in (False, True)
        ],
    ]


def rows_of_the_source(device: torch.device) -> list:
    stepper = kv_cache.CachedTransformerStepper(model(device))
    source, *_ = stepper.start(SOURCE.to(device))
    picked = source[torch.tensor([1, 1, 0], device=device)]
    return [picked.mask, picked.sentence, [list(kept) for kept in picked.each_layer]]


def interfered(device: torch.device) -> list:
    """Edges, places and streams that are on the CPU go where the model is."""
    one, found = model(device), []
    edges = torch.zeros(7, 4, dtype=torch.bool)
    edges[1:, 0] = True
    places, stream = torch.zeros(3, 7, dtype=torch.bool), numbers(3, 7, 8).double()
    places[:, 1] = True
    for way in (one, kv_cache.CachedTransformerStepper(one)):
        with (
            interventions.knock_out(one, "cross", edges, heads=[1]),
            interventions.patch_activations(one, "decoder", 1, places, stream),
            interventions.record_weights(one) as weights,
            interventions.record_streams(one) as streams,
        ):
            found += [greedy(way, SOURCE.to(device), 6), dict(weights), dict(streams)]
    return found


def saved_and_loaded(device: torch.device) -> list:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        transformer.save(path, new_transformer(TRANSLATOR, 0).to(device))
        return [transformer.load(path).to(device)(SOURCE.to(device), TARGET.to(device))]


def cut_and_merged(device: torch.device) -> list:
    split = layers.split_heads(numbers(3, 8).to(device), 2)
    return [split, layers.merge_heads(split), layers.repeat_heads(split, 4)]


def normed(device: torch.device) -> list:
    x, gain, bias = (numbers(*shape).to(device) for shape in ((3, 8), (8,), (8,)))
    made = [layer.to(device)(x) for layer in (layers.LayerNorm(8), layers.RMSNorm(8))]
    return [layers.layer_norm(x, gain, bias, 1e-5), *made]


def placed(device: torch.device) -> list:
    angles = schemes.position_angles(3, 8, 5, device=device)
    made = [schemes.sinusoidal_positions(3, 7, 2, device), schemes.alibi_slopes(3, device)]
    turned = schemes.rotate(numbers(3, 8).to(device), angles)
    return [angles, *made, turned, schemes.alibi_bias(3, 2, 5, device)]


def learned(device: torch.device) -> list:
    positions = schemes.LearnedPositions(5, 4).to(device)
    nn.init.ones_(positions.weight)
    return [positions(2, 3)]


def masked(device: torch.device) -> list:
    return [transformer.causal_mask(3, 2, device)]


def fed_forward(device: torch.device) -> list:
    made = [layers.FeedForward(8, 6, "gelu").to(device), layers.SwiGLU(8, 6).to(device)]
    for layer in made:
        for parameter in layer.parameters():
            nn.init.constant_(parameter, 0.1)
    return [layer(numbers(3, 8).to(device)) for layer in made]


MODERN = {"norm_kind": "rms", "qk_norm": True, "activation": "swiglu", "position_pairs": "halves"}


def read_on_both_sides(device: torch.device) -> list:
    changed = {"target_vocab_size": None, "token_types": 2, "embedding_norm": True} | MODERN
    one, source = model(device, **changed), SOURCE.to(device)
    return [one(source), one(source, torch.ones_like(source))]


def in_later_settings(device: torch.device) -> list:
    return [gone_on(device, "rotary", **MODERN), translated(device, "sinusoidal", **MODERN)]


def begun(device: torch.device) -> list:
    return [list(kept) for kept in kv_cache.new_cache(model(device), 2)]


CASES = {
    attended: {"MultiHeadAttention"},
    kept_and_picked: {"KeysAndValues"},
    cut_and_merged: {"split_heads", "merge_heads", "repeat_heads"},
    normed: {"layer_norm", "LayerNorm", "RMSNorm"},
    fed_forward: {"FeedForward", "SwiGLU"},
    read_on_both_sides: {"TextEncoder"},
    in_later_settings: {"new_attention", "new_feed_forward", "new_norm"},
    placed: {
        *("position_angles", "sinusoidal_positions", "alibi_slopes", "alibi_bias", "rotate"),
    },
    learned: {"LearnedPositions"},
    masked: {"causal_mask"},
    each_position(translated): {
        *("Transformer", "Encoder", "Decoder", "EncoderLayer", "DecoderLayer", "Embedding"),
        *("Residual", "positions_in_scores"),
        *("Stack", "new_transformer", "initialise", "cross_weights"),
    },
    decoded: {"CachedTransformerStepper"},
    each_position(gone_on): {"LanguageModel", "read", "continue_text", "likeliest"},
    rows_of_the_source: {"SourceRows"},
    begun: {"new_cache"},
    interfered: {
        *("knock_out", "patch_activations", "record_weights", "record_streams"),
        *("attentions", "stages"),
    },
    saved_and_loaded: {"save", "load"},
}
NO_TENSORS = {
    "TransformerConfig",
    "length_of",
    "parameters_of",
    "cache_bytes",
    "source_cache_bytes",
}


MODULES = (heads, keys_and_values, norms, feed_forward, layers, schemes, transformer)
MODULES += (kv_cache, interventions)


def test_every_public_function_has_a_case():
    there = {
        key
        for module in MODULES
        for key, thing in vars(module).items()
        if not key.startswith("_")
        and (inspect.isfunction(thing) or inspect.isclass(thing))
        and thing.__module__.startswith(module.__name__)
    }
    assert set().union(*CASES.values()) | NO_TENSORS == there


def assert_same(here: object, there: object, device: torch.device) -> None:
    ours, theirs = tree_leaves(here), tree_leaves(there)
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        assert other.device.type == device.type
        assert other.dtype == one.dtype
        torch.testing.assert_close(other.detach().cpu(), one.detach(), atol=1e-5, rtol=1e-4)


CPU = torch.device("cpu")
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: min(CASES[case]))


@each_case
def test_it_works_on_another_device(case):
    here = case(CPU)
    with pretended_device() as device:
        assert_same(here, case(device), DEVICE)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@each_case
def test_it_works_on_a_gpu(case):
    device = torch.device("cuda", 0)
    assert_same(case(CPU), case(device), device)


def test_an_apple_gpu_gets_its_tables_from_the_cpu(monkeypatch):
    """It has no float64. What a table is used for moves the rounded numbers."""
    seen, arange = [], torch.arange

    def watched(*arguments, device=None, **named):
        seen.append(device)
        return arange(*arguments, **named)

    monkeypatch.setattr(torch, "arange", watched)
    for make in (
        lambda device: schemes.position_angles(3, 4, device=device),
        lambda device: schemes.sinusoidal_positions(3, 4, device=device),
        lambda device: schemes.alibi_bias(2, 3, 3, device),
    ):
        seen.clear()
        make(torch.device("mps"))
        assert set(seen) == {"cpu"}
        seen.clear()
        make("cuda")
        assert set(seen) == {"cuda"}
