"""`attention.transformer` against torch, and what must hold whatever the numbers are."""

import math
import os
import random
from dataclasses import FrozenInstanceError, asdict, replace
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from attention.generate import greedy
from attention.interventions import cross_weights
from attention.layers import LayerNorm
from attention.positions import alibi_bias, position_angles
from attention.training import (
    END,
    PADDING,
    START,
    BatchesByLength,
    Recipe,
    TrainingRun,
    decode_all,
    exact_matches,
    pad,
    token_loss,
)
from attention.transformer import (
    NORMS,
    POSITIONS,
    DecoderLayer,
    EncoderLayer,
    LanguageModel,
    Residual,
    Transformer,
    TransformerConfig,
    causal_mask,
    load,
    new_transformer,
    parameters_of,
    positions_in_scores,
    save,
)

# Random cases per comparison with torch; the mutation tester asks for fewer.
CASES = int(os.environ.get("ATTENTION_TEST_CASES", "120"))
many_cases = settings(max_examples=CASES)
some_cases = settings(max_examples=max(CASES // 6, 10))

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")

SYMBOLS = 12
TINY = TransformerConfig(SYMBOLS, SYMBOLS + 2, d_model=8, heads=2, d_ff=6, max_length=16)
CONFIGS = [replace(TINY, position=position, norm=norm) for position in POSITIONS for norm in NORMS]
PAPER = {"dropout": 0.1, "norm": "post", "tie_source": True}
BASE = TransformerConfig(37_000, 37_000, 512, 8, 2048, 6, 6, **PAPER)
BIG = TransformerConfig(37_000, 37_000, 1024, 16, 4096, 6, 6, **PAPER)


def name(config: TransformerConfig) -> str:
    return f"{config.position}-{config.norm}"


each_model = pytest.mark.parametrize("config", CONFIGS, ids=name)
configs = st.sampled_from(CONFIGS)
norms = pytest.mark.parametrize("norm", NORMS)
generators = st.integers(0, 2**32 - 1).map(lambda seed: torch.Generator().manual_seed(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def uniform(rng: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=rng, dtype=torch.float64) * 4 - 2


def drawn(module: nn.Module, rng: torch.Generator) -> nn.Module:
    """Give a module float64 parameters, all of them random, gains and biases too."""
    module = module.double()
    for parameter in module.parameters():
        nn.init.uniform_(parameter, -1, 1, generator=rng)
    return module


def double(config: TransformerConfig, seed: int = 0) -> Transformer | LanguageModel:
    """Make a model in float64 in which no parameter is 0 or 1."""
    return drawn(new_transformer(config, seed), generator(seed)).eval()


def sentences(rng: torch.Generator, count: int, longest: int = 6) -> list[list[int]]:
    """Draw token lists of 0 to `longest` tokens."""
    lengths = torch.randint(longest + 1, (count,), generator=rng).tolist()
    return [torch.randint(END + 1, SYMBOLS, (n,), generator=rng).tolist() for n in lengths]


def looking(layer: DecoderLayer, *arguments, **named) -> tuple[torch.Tensor, torch.Tensor]:
    """Call a decoder's layer; give its output, and the weights of its cross-attention."""
    heard = []
    handle = layer.cross_attention.register_forward_hook(
        lambda attention, given, named, _: heard.append(
            attention.forward(*given, **named, return_weights=True)[1]
        ),
        with_kwargs=True,
    )
    output = layer(*arguments, **named)
    handle.remove()
    return output, heard[0]


def largest_error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    assert ours.shape == theirs.shape
    return (ours - theirs).abs().max().item() if ours.numel() else 0


def check_gradients(ours: torch.Tensor, theirs: torch.Tensor, tensors: list, rng) -> None:
    """Compare gradients of a loss that counts each number with a random factor."""
    factors = uniform(rng, *ours.shape)
    pairs = zip(
        torch.autograd.grad((ours * factors).sum(), tensors),
        torch.autograd.grad((theirs * factors).sum(), tensors),
        strict=True,
    )
    for gradient, expected in pairs:
        # Deep post-norm stacks of random numbers have gradients in the thousands.
        assert largest_error(gradient, expected) <= 1e-10 * max(1, expected.abs().max().item())


# ------------------------------------------------------------- against torch
# Torch's modules are called with our parameters in the place of theirs, so both
# gradients are by the same tensors.


def norm_in_torch(norm: nn.Module, name: str) -> dict[str, torch.Tensor]:
    return {f"{name}.weight": norm.gain, f"{name}.bias": norm.bias}


def layer_in_torch(layer: nn.Module) -> dict[str, torch.Tensor]:
    """Name a layer's parameters as torch does."""
    named = {}
    for their_name, our_name in [
        ("self_attn", "self_attention"),
        ("multihead_attn", "cross_attention"),
    ]:
        if attention := getattr(layer, our_name, None):
            projections = [attention.W_Q, attention.W_K, attention.W_V]
            named |= {
                f"{their_name}.in_proj_weight": torch.cat([p.weight for p in projections]),
                f"{their_name}.in_proj_bias": torch.cat([p.bias for p in projections]),
                f"{their_name}.out_proj.weight": attention.W_O.weight,
                f"{their_name}.out_proj.bias": attention.W_O.bias,
            }
    for their_name, linear in [
        ("linear1", layer.feed_forward.W_1),
        ("linear2", layer.feed_forward.W_2),
    ]:
        named |= {f"{their_name}.weight": linear.weight, f"{their_name}.bias": linear.bias}
    around = [layer.around_self_attention, layer.around_feed_forward]
    if hasattr(layer, "cross_attention"):
        around.insert(1, layer.around_cross_attention)
    for number, residual in enumerate(around, start=1):
        named |= norm_in_torch(residual.norm, f"norm{number}")
    return named


def stack_in_torch(stack: nn.Module) -> dict[str, torch.Tensor]:
    named = {
        f"layers.{number}.{name}": parameter
        for number, layer in enumerate(stack.layers)
        for name, parameter in layer_in_torch(layer).items()
    }
    return named | (norm_in_torch(stack.norm, "norm") if stack.config.norm == "pre" else {})


def forbidden(mask: torch.Tensor | None, heads: int) -> torch.Tensor | None:
    """Turn our mask into torch's: True for *may not*, one for each sequence and head."""
    if mask is None:
        return None
    return ~mask[0] if len(mask) == 1 else ~mask.repeat_interleave(heads, 0)


def options_in_torch(config: TransformerConfig) -> dict[str, object]:
    return {
        "dropout": config.dropout,
        "activation": config.activation,
        "batch_first": True,
        "norm_first": config.norm == "pre",
        "dtype": torch.float64,
    }


def encoder_layer_in_torch(config: TransformerConfig) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        config.d_model, config.heads, config.d_ff, **options_in_torch(config)
    )


def transformer_in_torch(config: TransformerConfig) -> nn.Transformer:
    """Make torch's module; without its final norms where ours, and the paper's, has none."""
    twin = nn.Transformer(
        config.d_model,
        config.heads,
        config.encoder_layers,
        config.decoder_layers,
        config.d_ff,
        **options_in_torch(config),
    )
    if config.norm == "post":
        twin.encoder.norm = twin.decoder.norm = None
    return twin


def masks(rng: torch.Generator, kind: str, batch: int, queries: int, keys: int):
    match kind:
        case "none":
            return None
        case "causal":
            return torch.ones(1, queries, keys, dtype=torch.bool).tril()
        case "padding":  # at least one key
            real = torch.randint(1, keys + 1, (batch, 1, 1), generator=rng)
            return (torch.arange(keys) < real).expand(batch, queries, keys)
        case "random":  # some rows may attend to nothing
            return torch.rand(batch, queries, keys, generator=rng) < 0.4
        case "nothing":
            return torch.zeros(1, queries, keys, dtype=torch.bool)


kinds = st.sampled_from(["none", "causal", "padding", "random", "nothing"])


@st.composite
def layer_cases(draw):
    """Draw (rng, config, batch, queries, keys)."""
    heads, d_k = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    config = TransformerConfig(
        SYMBOLS,
        SYMBOLS,
        d_model=heads * d_k,
        heads=heads,
        d_ff=draw(st.integers(1, 5)),
        encoder_layers=draw(st.integers(1, 3)),
        decoder_layers=draw(st.integers(1, 3)),
        norm=draw(st.sampled_from(NORMS)),
        activation=draw(st.sampled_from(["relu", "gelu"])),
        position="none",
    )
    sizes = (draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    return draw(generators), config, *sizes


@many_cases
@given(layer_cases(), kinds)
def test_encoder_layer_is_torchs_in_value_and_gradient(case, kind):
    rng, config, batch, length, _ = case
    layer, twin = drawn(EncoderLayer(config), rng), encoder_layer_in_torch(config)
    x = uniform(rng, batch, length, config.d_model).requires_grad_()
    mask = masks(rng, kind, batch, length, length)
    ours = layer(x, mask)
    theirs = functional_call(
        twin, layer_in_torch(layer), (x,), {"src_mask": forbidden(mask, config.heads)}
    )
    assert largest_error(ours, theirs) <= 1e-10
    check_gradients(ours, theirs, [x, *layer.parameters()], rng)


@many_cases
@given(layer_cases(), kinds, kinds)
def test_decoder_layer_is_torchs_in_value_and_gradient(case, kind, memory_kind):
    rng, config, batch, queries, keys = case
    layer = drawn(DecoderLayer(config), rng)
    twin = nn.TransformerDecoderLayer(
        config.d_model, config.heads, config.d_ff, **options_in_torch(config)
    )
    x = uniform(rng, batch, queries, config.d_model).requires_grad_()
    memory = uniform(rng, batch, keys, config.d_model).requires_grad_()
    mask = masks(rng, kind, batch, queries, queries)
    memory_mask = masks(rng, memory_kind, batch, queries, keys)
    ours = layer(x, memory, mask, memory_mask)
    with_weights, weights = looking(layer, x, memory, mask, memory_mask)
    theirs = functional_call(
        twin,
        layer_in_torch(layer),
        (x, memory),
        {
            "tgt_mask": forbidden(mask, config.heads),
            "memory_mask": forbidden(memory_mask, config.heads),
        },
    )
    assert largest_error(ours, theirs) <= 1e-10
    assert largest_error(with_weights, theirs) <= 1e-10
    allowed = torch.tensor(True) if memory_mask is None else memory_mask
    allowed = allowed.expand(batch, queries, keys)[:, None].expand_as(weights)
    assert largest_error(weights.sum(-1), allowed.any(-1).double()) <= 1e-12
    assert not weights[~allowed].any()
    check_gradients(ours, theirs, [x, memory, *layer.parameters()], rng)


@many_cases
@given(layer_cases(), st.booleans())
def test_transformer_is_torchs_in_value_and_gradient(case, mask_target_padding):
    rng, config, batch, _, _ = case
    model = drawn(Transformer(config), rng)
    source, target = pad(sentences(rng, batch)), pad(sentences(rng, batch))
    ours = model(source, target)

    before = torch.cat([torch.full((batch, 1), START), target[:, :-1]], 1)
    embedded = [
        embedding.tokens.weight[tokens] * math.sqrt(config.d_model)
        for embedding, tokens in [
            (model.source_embedding, source),
            (model.target_embedding, before),
        ]
    ]
    length = target.shape[1]
    masks = {
        "tgt_mask": torch.ones(length, length, dtype=torch.bool).triu(1),
        "src_key_padding_mask": source == PADDING,
        "memory_key_padding_mask": source == PADDING,
        # Torch's users give this too; the causal mask makes it needless where it counts.
        "tgt_key_padding_mask": (before == PADDING) if mask_target_padding else None,
    }
    parameters = {
        f"{name}.{parameter}": tensor
        for name in ("encoder", "decoder")
        for parameter, tensor in stack_in_torch(getattr(model, name)).items()
    }
    states = functional_call(transformer_in_torch(config), parameters, tuple(embedded), masks)
    theirs = states @ model.target_embedding.tokens.weight.T  # tied
    real = target != PADDING
    assert largest_error(ours[real], theirs[real]) <= 1e-10
    check_gradients(ours[real], theirs[real], list(model.parameters()), rng)


@some_cases
@given(layer_cases())
def test_language_model_is_torchs_encoder_with_a_causal_mask(case):
    rng, config, batch, length, _ = case
    model = drawn(LanguageModel(replace(config, source_vocab_size=None)), rng)
    tokens = torch.randint(SYMBOLS, (batch, length), generator=rng)  # padding's number too
    norm = nn.LayerNorm(config.d_model, dtype=torch.float64) if config.norm == "pre" else None
    twin = nn.TransformerEncoder(
        encoder_layer_in_torch(config), config.decoder_layers, norm, enable_nested_tensor=False
    )
    embedded = model.embedding.tokens.weight[tokens] * math.sqrt(config.d_model)
    mask = {"mask": ~causal_mask(length)}
    states = functional_call(twin, stack_in_torch(model.decoder), (embedded,), mask)
    ours, theirs = model(tokens), states @ model.embedding.tokens.weight.T
    assert largest_error(ours, theirs) <= 1e-10
    check_gradients(ours, theirs, list(model.parameters()), rng)


def test_torch_ends_in_a_norm_that_the_paper_has_not():
    twin = nn.Transformer(8, 2, 1, 1, 6, norm_first=False)
    assert isinstance(twin.encoder.norm, nn.LayerNorm)
    assert isinstance(twin.decoder.norm, nn.LayerNorm)
    for norm, ours in [("post", nn.Identity), ("pre", LayerNorm)]:
        model = new_transformer(replace(TINY, norm=norm), 0)
        assert isinstance(model.encoder.norm, ours)
        assert isinstance(model.decoder.norm, ours)


@norms
def test_dropout_falls_where_torchs_falls(norm):
    config = replace(TINY, dropout=0.4, norm=norm)
    layer, twin = drawn(EncoderLayer(config), generator()), encoder_layer_in_torch(config)
    x = uniform(generator(1), 1, 5, 8)
    for seed in range(5):
        torch.manual_seed(seed)
        ours = layer(x)
        torch.manual_seed(seed)
        theirs = functional_call(twin, layer_in_torch(layer), (x,))
        assert largest_error(ours, theirs) <= 1e-10
        assert largest_error(ours, layer.eval()(x)) > 0.1
        layer.train()


# ------------------------------------------------------------------- its parts


def test_pre_and_post_are_what_they_say():
    x, said = uniform(generator(), 2, 3, 8), uniform(generator(1), 2, 3, 8)
    for norm in NORMS:
        residual = drawn(Residual(replace(TINY, norm=norm)), generator(2))
        normal = F.layer_norm
        options = ((8,), residual.norm.gain, residual.norm.bias, 1e-5)
        read = normal(x, *options) if norm == "pre" else x
        added = x + said if norm == "pre" else normal(x + said, *options)
        heard = []
        assert largest_error(residual(x, lambda x: heard.append(x) or said), added) <= 1e-12  # noqa: B023
        assert largest_error(heard[0], read) <= 1e-12


@norms
def test_what_may_look_at_nothing_hears_only_a_bias(norm):
    """A source that is all masked: cross-attention adds the bias of its W_O, and no NaN."""
    config = replace(TINY, norm=norm)
    layer = drawn(DecoderLayer(config), generator())
    x, memory = uniform(generator(1), 2, 3, 8), uniform(generator(2), 2, 4, 8).requires_grad_()
    nothing = torch.zeros(2, 1, 4, dtype=torch.bool)
    output, weights = looking(layer, x, memory, memory_mask=nothing)
    assert not weights.any()

    residual = layer.around_self_attention
    expected = residual(x, layer.self_attention)
    bias = layer.cross_attention.W_O.bias
    expected = layer.around_cross_attention(expected, lambda _: bias.expand(2, 3, 8))
    expected = layer.around_feed_forward(expected, layer.feed_forward)
    for ours in (output, layer(x, memory, memory_mask=nothing)):
        assert largest_error(ours, expected) <= 1e-12
        (gradient,) = torch.autograd.grad(ours.sum(), memory)
        assert not gradient.any()


def test_an_embedding_is_scaled_before_the_position_is_added():
    tokens = torch.tensor([[5, 3, 5]])
    for position in POSITIONS:
        embedding = double(replace(TINY, position=position)).source_embedding
        rows = embedding.tokens.weight[tokens[0]] * 8**0.5
        if position == "sinusoidal":
            pairs = [(pos / 10000 ** (i / 8)) for pos in range(3) for i in range(0, 8, 2)]
            table = [f(angle) for angle in pairs for f in (math.sin, math.cos)]
            rows = rows + torch.tensor(table, dtype=torch.float64).reshape(3, 8)
        elif position == "learned":
            rows = rows + embedding.positions.weight[:3]
        assert largest_error(embedding(tokens), rows[None]) <= 1e-12
        assert ("positions.weight" in embedding.state_dict()) == (position == "learned")


def options_seen(model: nn.Module, *arguments) -> dict[str, dict]:
    """Record the options with which each attention of a model is called."""
    seen, handles = {}, []
    for attention_name, module in model.named_modules():
        if attention_name.endswith("_attention") and hasattr(module, "W_Q"):

            def note(_, arguments, options, name=attention_name):
                seen[name] = options

            handles.append(module.register_forward_pre_hook(note, with_kwargs=True))
    model(*arguments)
    for handle in handles:
        handle.remove()
    return seen


@each_model
def test_positions_reach_every_self_attention_and_no_other(config):
    source, target = torch.tensor([[5, 3, 4, 7, END]]), torch.tensor([[4, 6, END]])
    seen = options_seen(double(config), source, target)
    assert len(seen) == 6
    for attention_name, options in seen.items():
        length = 5 if attention_name.startswith("encoder") else 3
        expected = {"rotary": {"angles"}, "alibi": {"score_bias"}}.get(config.position, set())
        if "cross" in attention_name:
            expected = set()
        assert options.keys() & {"angles", "score_bias"} == expected
        if "angles" in expected:
            assert torch.equal(options["angles"], position_angles(length, 4))
        if "score_bias" in expected:
            assert torch.equal(options["score_bias"], alibi_bias(2, length, length))
    assert positions_in_scores(config, 4).keys() <= {"angles", "score_bias"}
    alone = replace(config, source_vocab_size=None, decoder_layers=3)
    assert len(options_seen(double(alone), source)) == 3


@each_model
def test_only_positions_tell_an_encoder_the_order(config):
    model, tokens = double(config), torch.tensor([[3, 4, 5, 6, 7]])
    order = torch.tensor([4, 2, 0, 3, 1])
    memory, _ = model.encode(tokens)
    permuted, _ = model.encode(tokens[:, order])
    if config.position == "none":
        assert largest_error(permuted, memory[:, order]) <= 1e-12
    else:
        assert largest_error(permuted, memory[:, order]) > 1e-3


def test_a_causal_model_can_tell_order_without_positions():
    """Not by one layer: its last row is an average over a set. Two will do."""
    for layers, differs in [(1, False), (2, True)]:
        config = replace(TINY, source_vocab_size=None, position="none", decoder_layers=layers)
        model = double(config)
        last = [model(torch.tensor([row]))[0, -1] for row in ([3, 4, 5, 6], [5, 4, 3, 6])]
        assert (largest_error(*last) > 1e-3) == differs


# ------------------------------------------------------------------- what holds


@some_cases
@given(config=configs, rng=generators, data=st.data())
def test_the_decoder_does_not_see_later_targets(config, rng, data):
    model = double(config)
    source = pad(sentences(rng, 3))
    target = torch.randint(END + 1, SYMBOLS, (3, 6), generator=rng)
    changed = target.clone()
    now = data.draw(st.integers(0, 4))
    changed[:, now] = (changed[:, now] - END) % (SYMBOLS - END - 1) + END + 1  # another word
    assert (changed != target).sum() == 3
    before, weights = model(source, target), cross_weights(model, source, target)
    after, changed_weights = model(source, changed), cross_weights(model, source, changed)
    # Row t is of the step that writes token t: it has read the tokens before.
    assert largest_error(before[:, : now + 1], after[:, : now + 1]) <= 1e-12
    assert (before[:, now + 1] - after[:, now + 1]).abs().max() > 1e-6
    rows = weights[:, :, :, : now + 1], changed_weights[:, :, :, : now + 1]
    assert largest_error(*rows) <= 1e-12
    several = (source != PADDING).sum(1) > 1  # a single token gets all the weight
    moved = (weights - changed_weights)[:, :, :, now + 1].abs().amax((1, 2, 3))
    assert (moved[several] > 0).all()


@some_cases
@given(config=configs, rng=generators, data=st.data())
def test_a_language_model_does_not_look_ahead(config, rng, data):
    model = double(replace(config, source_vocab_size=None))
    tokens = torch.randint(SYMBOLS, (2, 7), generator=rng)
    now = data.draw(st.integers(0, 6))
    changed = tokens.clone()
    changed[:, now] = (changed[:, now] + 1) % SYMBOLS
    before, after = model(tokens), model(changed)
    assert largest_error(before[:, :now], after[:, :now]) <= 1e-12
    assert (before[:, now] - after[:, now]).abs().max() > 1e-6
    shorter = model(tokens[:, : now + 1])
    assert largest_error(shorter, before[:, : now + 1]) <= 1e-12


@some_cases
@given(config=configs, rng=generators, more=st.tuples(st.integers(0, 4), st.integers(0, 4)))
def test_padding_changes_nothing(config, rng, more):
    model = double(config)
    source, target = pad(sentences(rng, 3)), pad(sentences(rng, 3))
    longer = F.pad(source, (0, more[0])), F.pad(target, (0, more[1]))
    before, weights = model(source, target), cross_weights(model, source, target)
    after, more_weights = model(*longer), cross_weights(model, *longer)
    real = target != PADDING
    assert largest_error(after[:, : target.shape[1]][real], before[real]) <= 1e-12
    cut = more_weights[:, :, :, : target.shape[1], : source.shape[1]]
    assert largest_error(cut, weights) <= 1e-12
    padding = (longer[0] == PADDING)[:, None, None, None].expand_as(more_weights)
    assert not more_weights[padding].any()
    assert largest_error(more_weights.sum(-1), torch.ones(more_weights.shape[:-1]).double()) < 1e-12

    gradients = torch.autograd.grad(token_loss(before, target), list(model.parameters()))
    padded = torch.autograd.grad(token_loss(after, longer[1]), list(model.parameters()))
    for gradient, expected in zip(padded, gradients, strict=True):
        assert largest_error(gradient, expected) <= 1e-12


class WithoutPaddingMask(Transformer):
    def encode(self, source):
        mask = torch.ones_like(source, dtype=torch.bool)[:, None]
        return self.encoder(self.source_embedding(source), mask), mask


@torch.no_grad()
def moved_by_padding(model: Transformer, rng: torch.Generator) -> float:
    """Give PADDING another vector; return the largest change of an output at a real token.

    The vector is not the old one and a constant: what all components share, a norm takes away.
    """
    source, target = pad([*sentences(rng, 2), [3] * 7]), pad([*sentences(rng, 2), [4] * 7])
    real = target != PADDING
    before = model(source, target)[real]
    for embedding in (model.source_embedding, model.target_embedding):
        vectors = embedding.tokens.weight
        vectors[PADDING] = 100 * uniform(rng, vectors.shape[1])
    return largest_error(model(source, target)[real], before)


@some_cases
@given(config=configs, rng=generators)
def test_what_stands_on_padding_reaches_nothing(config, rng):
    assert moved_by_padding(double(replace(config, tie_logits=False)), rng) <= 1e-12


@each_model
def test_without_the_mask_what_stands_on_padding_is_seen(config):
    """So the test above can fail."""
    model = drawn(WithoutPaddingMask(replace(config, tie_logits=False)), generator()).eval()
    assert moved_by_padding(model, generator()) >= 1e-3


@some_cases
@given(config=configs, rng=generators)
def test_a_sentence_does_not_notice_the_others_of_its_batch(config, rng):
    model = double(config)
    sources, targets = sentences(rng, 4), sentences(rng, 4)
    together = model(pad(sources), pad(targets))
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        alone = model(pad([source]), pad([target]))
        assert largest_error(together[row, : len(target) + 1], alone[0]) <= 1e-12


@each_model
def test_the_source_is_read(config):
    model, target = double(config), pad([[4, 5]])
    outputs = [model(pad([source]), target) for source in ([3, 6, 7], [3, 6, 8], [3, 6])]
    for row in range(3):
        for one, other in [(0, 1), (0, 2)]:
            assert (outputs[one][0, row] - outputs[other][0, row]).abs().max() > 1e-6


@pytest.mark.arithmetic
@each_model
def test_every_parameter_gets_a_gradient(config):
    untied = replace(config, tie_logits=False, max_length=7)
    for model in (double(config), double(untied)):
        source, target = pad([*sentences(generator(1), 8), [3] * 6]), pad([[4, 5, 6, 7, 8, 9]] * 9)
        token_loss(model(source, target), target).backward()
        for parameter_name, parameter in model.named_parameters():
            assert parameter.grad is not None, parameter_name
            # A key's bias shifts all scores of a query alike: no softmax sees it. Unless
            # the bias is turned, by another angle for each key.
            if parameter_name.endswith("W_K.bias") and config.position != "rotary":
                assert parameter.grad.abs().max() < 1e-12, parameter_name
            elif "W_K.bias" not in parameter_name:
                assert parameter.grad.any(), parameter_name


def test_dropout_is_for_training_only():
    config = replace(TINY, dropout=0.5)
    model, source = new_transformer(config, 0), pad([[5, 3, 9, 7]])
    assert not torch.equal(model(source, source), model(source, source))
    model.eval()
    assert torch.equal(model(source, source), model(source, source))
    plain = new_transformer(TINY, 0)
    assert torch.equal(model(source, source), plain(source, source))
    with torch.no_grad():
        model.train()
        dropped = model.source_embedding(torch.full((1, 4000), 5))[0, 0:1] == 0
        many = (model.source_embedding(torch.full((1, 4000), 5)) == 0).double().mean()
    assert dropped.shape == (1, 8)
    assert 0.45 < many < 0.55


# ---------------------------------------------------------- steps and weights


@each_model
def test_step_by_step_is_all_at_once(config):
    model = double(config)
    source, target = pad(sentences(generator(1), 4)), pad(sentences(generator(2), 4))
    logits = model(source, target)
    memory, memory_mask = model.encode(source)
    assert torch.equal(memory_mask[:, 0], source != PADDING)
    before = torch.full((4, 1), START)
    for t in range(target.shape[1]):
        now = model.decode(before, memory, memory_mask)
        assert largest_error(now[:, -1], logits[:, t]) <= 1e-12
        before = torch.cat([before, target[:, t : t + 1]], 1)


# ------------------------------------------------------- sizes, starts and files


def test_a_config_says_what_it_is_and_stays_so():
    config = TransformerConfig(SYMBOLS, SYMBOLS)
    assert asdict(config) == {
        "source_vocab_size": SYMBOLS,
        "target_vocab_size": SYMBOLS,
        "d_model": 64,
        "heads": 4,
        "d_ff": 256,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "dropout": 0.0,
        "norm": "pre",
        "position": "sinusoidal",
        "activation": "relu",
        "tie_logits": True,
        "tie_source": False,
        "max_length": 512,
        "key_value_heads": None,
        "norm_kind": "layer",
        "norm_eps": 1e-5,
        "bias": True,
        "qk_norm": False,
        "position_base": 10_000,
        "position_pairs": "adjacent",
        "scale_embeddings": True,
        "embedding_norm": False,
        "token_types": 0,
        "logits_bias": False,
    }
    with pytest.raises(FrozenInstanceError):
        config.heads = 2


def counted_by_hand(config: TransformerConfig) -> int:
    """Count the parameters by a formula."""
    d, f = config.d_model, config.d_ff
    attention, feed_forward, norm = 4 * (d * d + d), 2 * d * f + f + d, 2 * d
    layers = config.decoder_layers
    if config.source_vocab_size is None:
        total = layers * (attention + feed_forward + 2 * norm)
        vocabularies, texts, final = [config.target_vocab_size], 1, 1
    else:
        total = config.encoder_layers * (attention + feed_forward + 2 * norm)
        total += layers * (2 * attention + feed_forward + 3 * norm)
        vocabularies, texts, final = [config.target_vocab_size], 2, 2
        if not config.tie_source:
            vocabularies.append(config.source_vocab_size)
    if not config.tie_logits:
        vocabularies.append(config.target_vocab_size)
    total += d * sum(vocabularies)
    total += final * norm if config.norm == "pre" else 0
    return total + (texts * config.max_length * d if config.position == "learned" else 0)


@each_model
@pytest.mark.parametrize("source_vocab_size", [SYMBOLS, SYMBOLS + 2, None])
@pytest.mark.parametrize("tie_logits", [True, False])
def test_parameters_are_counted_without_making_them(config, source_vocab_size, tie_logits):
    config = replace(
        config,
        source_vocab_size=source_vocab_size,
        tie_logits=tie_logits,
        tie_source=source_vocab_size == config.target_vocab_size,
        encoder_layers=3,
        decoder_layers=1,
    )
    model = new_transformer(config, 0)
    assert isinstance(model, LanguageModel if source_vocab_size is None else Transformer)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert parameters_of(config) == count == counted_by_hand(config)


@pytest.mark.parametrize(("config", "millions"), [(BASE, 63.1), (BIG, 214.2)], ids=["base", "big"])
def test_parameters_of_the_papers_models(config, millions):
    count = parameters_of(config)
    assert count == counted_by_hand(config)
    assert round(count / 1e6, 1) == millions


def test_shared_matrices_are_shared():
    model = new_transformer(replace(TINY, source_vocab_size=14, tie_source=True), 0)
    matrix = model.target_embedding.tokens.weight
    assert model.to_logits.weight is matrix
    assert model.source_embedding.tokens.weight is matrix
    apart = new_transformer(replace(TINY, source_vocab_size=14, tie_logits=False), 0)
    assert apart.to_logits.weight is not apart.target_embedding.tokens.weight
    assert apart.source_embedding.tokens.weight is not apart.target_embedding.tokens.weight
    assert model.to_logits.bias is apart.to_logits.bias is None
    alone = new_transformer(replace(TINY, source_vocab_size=None), 0)
    assert alone.to_logits.weight is alone.embedding.tokens.weight


def test_the_first_numbers_keep_signals_at_size_1():
    config = TransformerConfig(500, 600, d_model=256, heads=4, d_ff=1024)
    model = new_transformer(config, 0)
    for embedding in (model.source_embedding, model.target_embedding):
        assert embedding.tokens.weight.std().item() == pytest.approx(1 / 16, rel=0.02)
    for parameter_name, parameter in model.named_parameters():
        if parameter_name.endswith((".W_Q.weight", ".W_1.weight", ".W_2.weight")):
            bound = math.sqrt(6 / sum(parameter.shape))
            assert parameter.abs().max().item() == pytest.approx(bound, rel=0.01)
            assert parameter.abs().max().item() <= bound
        elif parameter_name.endswith("bias"):
            assert not parameter.any()
        elif parameter_name.endswith("gain"):
            assert (parameter == 1).all()
    source = torch.randint(3, 500, (4, 20), generator=generator())
    assert 0.7 < model.eval()(source, source).std().item() < 1.4


def test_a_seed_makes_a_model_and_disturbs_nothing():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    model, twin, other = (new_transformer(TINY, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    pairs = zip(model.named_parameters(), twin.parameters(), other.parameters(), strict=True)
    for (parameter_name, ours), same, different in pairs:
        assert torch.equal(ours, same)
        if not parameter_name.endswith(("bias", "gain")):
            assert not torch.equal(ours, different)


@each_model
@pytest.mark.parametrize("source_vocab_size", [SYMBOLS, None])
def test_a_model_comes_back_from_its_file(config, source_vocab_size, tmp_path):
    config = replace(config, source_vocab_size=source_vocab_size)
    model = new_transformer(config, 4)
    save(tmp_path / "model.safetensors", model)
    again = load(tmp_path / "model.safetensors")
    assert again.config == config
    source = pad([[3, 4, 5]])
    texts = (source,) if source_vocab_size is None else (source, source)
    assert torch.equal(again(*texts), model(*texts))
    assert sum(p.numel() for p in again.parameters()) == parameters_of(config)


# ---------------------------------------------------------------------- learning


def copies(count: int, seed: int) -> list[tuple[list[int], list[int]]]:
    """Draw pairs of a sequence of 2 to 6 symbols and the same again."""
    rng = random.Random(seed)
    rows = [[rng.randrange(3, SYMBOLS) for _ in range(rng.randint(2, 6))] for _ in range(count)]
    return [(row, row) for row in rows]


@pytest.mark.arithmetic
@norms
def test_it_learns_to_copy(norm, tmp_path):
    config = TransformerConfig(*(SYMBOLS, SYMBOLS), 32, 4, 64, 1, 1, norm=norm, tie_source=True)
    data = BatchesByLength(copies(2000, seed=0), size=32, seed=0)
    recipe = Recipe(learning_rate=5e-3, schedule="linear", warm_up=20, steps=200)
    run = TrainingRun(new_transformer(config, seed=0), data, recipe)
    run.advance(200)
    losses = [entry.loss for entry in run.log]
    assert sum(losses[-20:]) < 0.15 * sum(losses[:20])
    test = copies(50, seed=1)
    outputs = decode_all(partial(greedy, run.model, max_length=8), [source for source, _ in test])
    assert sum(exact_matches(outputs, [target for _, target in test])) > 20
    run.save(tmp_path / "run.safetensors")
    again = TrainingRun(new_transformer(config, seed=1), data, recipe)
    again.resume(tmp_path / "run.safetensors")
    for ours, theirs in zip(again.model.parameters(), run.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert again.model.to_logits.weight is again.model.target_embedding.tokens.weight
