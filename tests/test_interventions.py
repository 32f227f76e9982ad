"""`attention.interventions`: what is seen is what happens, and nothing stays behind."""

import re
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import jaxtyping
import numpy as np
import pytest
import torch
from tests.conftest import load_without_shape_checks
from torch import nn

from attention.generate import Stepper, beam, greedy, n_best, sample
from attention.interventions import (
    attentions,
    cross_weights,
    knock_out,
    patch_activations,
    record_streams,
    record_weights,
    stages,
)
from attention.kv_cache import CachedTransformerStepper, continue_text, read
from attention.training import END, PADDING
from attention.transformer import (
    NORMS,
    POSITIONS,
    LanguageModel,
    Transformer,
    TransformerConfig,
    causal_mask,
    new_transformer,
)

SOURCE = torch.tensor([[3, 8, 5, END], [4, 7, END, PADDING], [5, END, PADDING, PADDING]])
OTHER = torch.tensor([[3, 6, 5, END], [9, 7, END, PADDING], [8, END, PADDING, PADDING]])
TARGET = torch.tensor([[9, 4, END], [3, 8, 4], [5, 6, 7]])
SIZES = {"encoder": (4, 4), "decoder": (3, 3), "cross": (3, 4)}  # queries, keys

TINY = TransformerConfig(10, 12, d_model=8, heads=2, d_ff=6, encoder_layers=3)
CONFIGS = [replace(TINY, position=position, norm=norm) for position in POSITIONS for norm in NORMS]
# Two of them where a test has many cases; `make test-all` takes all.
some_models = pytest.mark.parametrize(
    "config",
    [
        config
        if (config.position, config.norm) in {("rotary", "pre"), ("sinusoidal", "post")}
        else pytest.param(config, marks=pytest.mark.slow)
        for config in CONFIGS
    ],
    ids=lambda c: f"{c.position}-{c.norm}",
)
each_model = pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.position}-{c.norm}")
each_place = pytest.mark.parametrize("where", SIZES)


def drawn(config: TransformerConfig) -> Transformer | LanguageModel:
    """Make a model in float64 in which no parameter is 0 or 1."""
    model = new_transformer(config, 0).double().eval()
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -1, 1, generator=generator)
    return model.requires_grad_(False)


@pytest.fixture
def model() -> Transformer:
    return drawn(TINY)


def one_edge(where: str, query: int, key: int, rows: int = 3) -> torch.Tensor:
    edges = torch.zeros(rows, *SIZES[where], dtype=torch.bool)
    edges[:, query, key] = True
    return edges


def one_place(place: int) -> torch.Tensor:
    places = torch.zeros(SOURCE.shape, dtype=torch.bool)
    places[:, place] = True
    return places


def hooks_of(model: nn.Module) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()
    )


def as_before(model: nn.Module) -> bool:
    """Say whether nothing is left of an intervention."""
    fresh = drawn(model.config)
    return hooks_of(model) == 0 and torch.equal(model(SOURCE, TARGET), fresh(SOURCE, TARGET))


# ---------------------------------------------------------------------- looking


@each_model
def test_recorded_weights_are_those_of_the_cross_attention(config):
    model = drawn(config)
    with record_weights(model) as weights:
        logits = model(SOURCE, TARGET)
    assert torch.equal(logits, model(SOURCE, TARGET))  # nobody was disturbed
    cross = cross_weights(model, SOURCE, TARGET)
    for layer in range(config.decoder_layers):
        assert torch.allclose(weights["cross", layer], cross[:, layer], rtol=0, atol=1e-12)


@each_model
def test_recorded_weights_are_those_that_the_layer_returns(config):
    """Each attention is called again by hand, with what it was called with."""
    model = drawn(config)
    calls = {}

    def note(place):
        return lambda module, arguments, named, output: calls.update(
            {place: (module, arguments, named)}
        )

    handles = [
        layer.self_attention.register_forward_hook(note((stack, number)), with_kwargs=True)
        for stack, layers in (("encoder", model.encoder.layers), ("decoder", model.decoder.layers))
        for number, layer in enumerate(layers)
    ]
    with record_weights(model) as weights:
        model(SOURCE, TARGET)
    for handle in handles:
        handle.remove()
    assert len(weights) == len(calls) + config.decoder_layers
    for place, (module, arguments, named) in calls.items():
        _, expected = module(*arguments, **named, return_weights=True)
        assert torch.equal(weights[place], expected)
        assert weights[place].shape == (3, 2, *SIZES[place[0]])
        assert torch.allclose(weights[place].sum(-1), torch.ones(()).double())


@pytest.fixture
def types_off():
    """For what dynamo compiles, and for errors that come before a shape is wrong."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_dropout_does_not_reach_the_recorded_weights():
    """Nor does looking draw random numbers: the training that is watched stays the same."""
    model = drawn(replace(TINY, dropout=0.5)).train()
    torch.manual_seed(0)
    unseen = model(SOURCE, TARGET)
    torch.manual_seed(0)
    with record_weights(model) as weights:
        seen = model(SOURCE, TARGET)
    assert torch.equal(seen, unseen)
    assert model.training
    assert torch.allclose(weights["cross", 1].sum(-1), torch.ones(()).double())


def test_recorded_streams_are_what_the_layers_hand_on(model):
    with record_streams(model) as streams:
        memory, mask = model.encode(SOURCE)
    assert set(streams) == {("encoder", stage) for stage in range(4)}
    x = model.source_embedding(SOURCE)
    assert torch.equal(streams["encoder", 0], x)
    for stage, layer in enumerate(model.encoder.layers, 1):
        x = layer(x, mask)
        assert torch.equal(streams["encoder", stage], x)
    assert torch.equal(model.encoder.norm(x), memory)


def test_streams_of_the_decoder_lead_to_the_logits(model):
    with record_streams(model) as streams:
        logits = model(SOURCE, TARGET)
    assert torch.equal(model.to_logits(model.decoder.norm(streams["decoder", 2])), logits)
    assert [place for place in streams if place[0] == "decoder"] == [
        ("decoder", stage) for stage in range(3)
    ]


def test_the_last_call_is_kept(model):
    with record_weights(model) as weights, record_streams(model) as streams:
        model(OTHER, TARGET)
        model(SOURCE[:1], TARGET[:1])
    assert len(weights["encoder", 0]) == len(streams["encoder", 0]) == 1


def test_a_language_model_has_one_stack():
    model = drawn(replace(TINY, source_vocab_size=None))
    edges = torch.zeros(3, 3, dtype=torch.bool)
    edges[2, 0] = True
    with record_weights(model) as weights, record_streams(model) as streams:
        with knock_out(model, "decoder", edges):
            model(TARGET)
    assert set(weights) == {("decoder", 0), ("decoder", 1)}
    assert set(streams) == {("decoder", stage) for stage in range(3)}
    for seen in weights.values():
        assert (seen[:, :, 2, 0] == 0).all()
        assert (seen[:, :, 0, 1:] == 0).all()  # still causal
    assert hooks_of(model) == 0


# ------------------------------------------------------------------- knock_out


@each_place
@some_models
def test_a_forbidden_edge_has_no_weight_and_the_rest_sum_to_1(config, where):
    model = drawn(config)
    with record_weights(model) as before:
        model(SOURCE, TARGET)
    with knock_out(model, where, one_edge(where, 1, 0)), record_weights(model) as weights:
        model(SOURCE, TARGET)
    for layer in range(len(attentions(model)[where])):
        seen = weights[where, layer]
        assert (before[where, layer][:, :, 1, 0] > 0).all()
        assert (seen[:, :, 1, 0] == 0).all()
        assert torch.allclose(seen.sum(-1), torch.ones(()).double())
    # In the first layer nothing else has changed yet: the others share what it had.
    kept = before[where, 0][:, :, 1].clone()
    kept[..., 0] = 0
    if where != "cross":
        expected = kept / kept.sum(-1, keepdim=True)
        assert torch.allclose(weights[where, 0][:, :, 1], expected)
        other = [query for query in range(SIZES[where][0]) if query != 1]
        assert torch.equal(weights[where, 0][:, :, other], before[where, 0][:, :, other])


@each_place
def test_forbidding_is_running_with_that_mask(model, where):
    edges = one_edge(where, 2, 1)
    edges[0] = False  # not in the first sentence
    mask = (SOURCE != PADDING)[:, None]
    masks = {"encoder": mask, "decoder": causal_mask(3)[None], "cross": mask}
    masks[where] = masks[where] & ~edges

    x = model.source_embedding(SOURCE)
    for layer in model.encoder.layers:
        x = layer(x, masks["encoder"])
    memory = model.encoder.norm(x)
    before = torch.cat([torch.ones_like(TARGET[:, :1]), TARGET[:, :-1]], 1)
    x = model.target_embedding(before)
    for layer in model.decoder.layers:
        x = layer(x, memory, masks["decoder"], masks["cross"])
    expected = model.to_logits(model.decoder.norm(x))

    with knock_out(model, where, edges):
        logits = model(SOURCE, TARGET)
    assert torch.allclose(logits, expected, rtol=0, atol=1e-12)
    untouched = model(SOURCE, TARGET)
    assert torch.allclose(logits[0], untouched[0], rtol=0, atol=1e-12)
    assert (logits[1:, 2] - untouched[1:, 2]).abs().max() > 1e-6


@pytest.mark.parametrize(("layers", "heads"), [([1], None), (None, [0]), ([0, 2], [1])])
def test_only_the_layers_and_heads_that_were_named(model, layers, heads):
    edges = one_edge("encoder", 1, 0)
    with knock_out(model, "encoder", edges, layers, heads), record_weights(model) as weights:
        model(SOURCE, TARGET)
    for layer in range(3):
        for head in range(2):
            cut = (layers is None or layer in layers) and (heads is None or head in heads)
            assert bool((weights["encoder", layer][:, head, 1, 0] == 0).all()) == cut


def test_one_table_of_edges_serves_the_whole_batch(model):
    edges = one_edge("cross", 1, 0)
    with knock_out(model, "cross", edges):
        expected = model(SOURCE, TARGET)
    for same in (edges[0], edges[:1]):
        with knock_out(model, "cross", same):
            assert torch.equal(model(SOURCE, TARGET), expected)


def test_forbidden_edges_add_up(model):
    one, other = one_edge("encoder", 1, 0), one_edge("encoder", 0, 1)
    with knock_out(model, "encoder", one), knock_out(model, "encoder", other):
        nested = model(SOURCE, TARGET)
    with knock_out(model, "encoder", one | other):
        assert torch.equal(model(SOURCE, TARGET), nested)


def test_a_query_without_a_key_gets_nothing(model):
    everything = torch.ones(4, 4, dtype=torch.bool)
    with knock_out(model, "encoder", everything), record_weights(model) as weights:
        logits = model(SOURCE, TARGET)
    assert logits.isfinite().all()
    assert (weights["encoder", 0] == 0).all()


def test_forbidding_nothing_changes_nothing(model):
    expected = model(SOURCE, TARGET)
    for where, size in SIZES.items():
        with knock_out(model, where, torch.zeros(size, dtype=torch.bool)):
            assert torch.allclose(model(SOURCE, TARGET), expected, rtol=0, atol=1e-12)
        with knock_out(model, where, torch.ones(size, dtype=torch.bool), heads=[]):
            assert torch.allclose(model(SOURCE, TARGET), expected, rtol=0, atol=1e-12)


# --------------------------------------------------------------------- patching


@each_model
def test_patching_with_itself_changes_nothing(config):
    model = drawn(config)
    with record_streams(model) as streams:
        expected = model(SOURCE, TARGET)
    for (where, stage), stream in streams.items():
        everywhere = torch.ones(stream.shape[:2], dtype=torch.bool)
        with patch_activations(model, where, stage, everywhere, stream):
            assert torch.equal(model(SOURCE, TARGET), expected)


@each_model
def test_patching_everywhere_is_the_other_run(config):
    """Whatever the stage, for the encoder is all that tells one source from another."""
    model = drawn(config)
    with record_streams(model) as streams:
        expected = model(OTHER, TARGET)
    everywhere = torch.ones(SOURCE.shape, dtype=torch.bool)
    assert not torch.allclose(model(SOURCE, TARGET), expected)
    for stage in range(config.encoder_layers + 1):
        with patch_activations(model, "encoder", stage, everywhere, streams["encoder", stage]):
            assert torch.equal(model(SOURCE, TARGET), expected)


def test_a_patch_stays_where_it_was_put(model):
    with record_streams(model) as others:
        model(OTHER, TARGET)
    with record_streams(model) as before:
        model(SOURCE, TARGET)
    places = one_place(1)
    with (
        patch_activations(model, "encoder", 1, places, others["encoder", 1]),
        record_streams(model) as after,
    ):
        model(SOURCE, TARGET)
    assert torch.equal(after["encoder", 0], before["encoder", 0])
    expected = before["encoder", 1].clone()
    expected[:, 1] = others["encoder", 1][:, 1]
    assert torch.equal(after["encoder", 1], expected)
    mask = (SOURCE != PADDING)[:, None]
    assert torch.equal(after["encoder", 2], model.encoder.layers[1](expected, mask))


def test_a_patched_layer_is_still_recorded(model):
    with record_streams(model) as streams:
        model(OTHER, TARGET)
    places = torch.ones(TARGET.shape, dtype=torch.bool)
    with patch_activations(model, "decoder", 2, places, streams["decoder", 2]):
        logits = model(SOURCE, TARGET)
        weights = cross_weights(model, SOURCE, TARGET)
    assert torch.equal(logits, model(OTHER, TARGET))
    assert torch.equal(weights, cross_weights(model, SOURCE, TARGET))


# ------------------------------------------------------- while a model is writing

LONGEST = 7


def talkative(config: TransformerConfig) -> Transformer:
    """Make a model that says different things of different sources, and never ends of itself."""
    model = new_transformer(config, 0).double().eval()
    model.to_logits = nn.Linear(8, 12).double()
    nn.init.normal_(model.to_logits.weight, generator=torch.Generator().manual_seed(0))
    nn.init.zeros_(model.to_logits.bias)
    model.to_logits.bias.data[END] = -1e3
    return model.requires_grad_(False)


@pytest.fixture
def talker() -> Transformer:
    return talkative(TINY)


def every_way(writer: Transformer | Stepper) -> list[torch.Tensor]:
    """Write with everything that writes."""
    rng = torch.Generator().manual_seed(3)
    return [
        greedy(writer, SOURCE, LONGEST),
        beam(writer, SOURCE, 3, 0.6, LONGEST),
        sample(writer, SOURCE, rng, 1.5, max_length=LONGEST),
    ]


def all_edges(where: str) -> torch.Tensor:
    """Give room for as many positions as are written."""
    size = {"encoder": (4, 4), "decoder": (LONGEST, LONGEST), "cross": (LONGEST, 4)}[where]
    return torch.ones(size, dtype=torch.bool)


@pytest.mark.parametrize(
    ("where", "layers", "heads", "queries"),
    [
        ("cross", None, None, slice(None)),
        ("cross", [1], None, slice(None)),
        ("cross", None, [0], slice(None)),
        ("cross", None, None, slice(2, None)),
        ("decoder", None, None, slice(None)),
        ("decoder", [0], [1], slice(None)),
        ("decoder", None, None, slice(3, 5)),
        ("encoder", None, None, slice(None)),
    ],
)
@some_models
def test_what_is_cut_is_cut_with_a_cache_as_without(config, where, layers, heads, queries):
    model = talkative(config)
    edges = torch.zeros_like(all_edges(where))
    edges[queries, :-1] = True  # all keys but one or two
    unhindered = every_way(model)
    with knock_out(model, where, edges, layers, heads):
        without = every_way(model)
        cached = every_way(CachedTransformerStepper(model))
    for found, expected in zip(cached, without, strict=True):
        assert torch.equal(found, expected)
    changed = [not torch.equal(a, b) for a, b in zip(without, unhindered, strict=True)]
    wide = layers is None and heads is None and queries == slice(None)
    assert any(changed) or not wide or where == "encoder"
    assert hooks_of(model) == 0


def test_cutting_all_that_leads_to_the_source_makes_all_sentences_alike(talker):
    """The decoder then knows nothing of what it is to say; greedy, beam and cache agree on it."""
    writer = CachedTransformerStepper(talker)
    assert len({tuple(row) for row in greedy(writer, SOURCE, LONGEST).tolist()}) > 1
    with knock_out(talker, "cross", all_edges("cross")):
        for write in (greedy, partial(beam, width=2)):
            rows = write(writer, SOURCE, max_length=LONGEST).tolist()
            assert len({tuple(row) for row in rows}) == 1
            assert rows == write(talker, SOURCE, max_length=LONGEST).tolist()


def test_edges_of_each_sentence_are_repeated_for_a_beam(talker):
    edges = all_edges("cross").repeat(3, 1, 1)
    edges[0] = False  # the first sentence keeps its source
    expected = beam(talker, SOURCE[:1], 2, max_length=LONGEST)
    for writer in (talker, CachedTransformerStepper(talker)):
        with knock_out(talker, "cross", edges.repeat_interleave(2, 0)):
            found = beam(writer, SOURCE, 2, max_length=LONGEST)
        assert torch.equal(found[:1, : expected.shape[1]], expected)
        with knock_out(talker, "cross", edges):
            with pytest.raises(ValueError, match=r"^edges: expected .* = \(6, 1, 4\)"):
                beam(writer, SOURCE, 2, max_length=LONGEST)


@pytest.mark.parametrize("where", ["decoder", "cross"])
@pytest.mark.parametrize("cached", [False, True])
def test_edges_that_end_before_the_text_does_are_refused(talker, where, cached):
    writer = CachedTransformerStepper(talker) if cached else talker
    with knock_out(talker, where, torch.zeros(2, 4, dtype=torch.bool)):
        with pytest.raises(ValueError, match=r"^edges: expected .* = \(3, 3, "):
            greedy(writer, SOURCE, LONGEST)
    assert greedy(talker, SOURCE, LONGEST).shape[1] > 2


def assert_same(ours: dict, theirs: dict) -> None:
    assert ours.keys() == theirs.keys()
    for place, expected in theirs.items():
        assert ours[place].shape == expected.shape, place
        assert torch.allclose(ours[place], expected, rtol=0, atol=1e-12), place


@some_models
def test_what_is_recorded_with_a_cache_is_what_is_recorded_without(config):
    model = talkative(config)
    rng = torch.Generator().manual_seed(5)
    for write in (
        greedy,
        partial(n_best, n=2, width=3),
        lambda writer, source, **most: sample(writer, source, rng.manual_seed(5), **most),
    ):
        seen = []
        for writer in (model, CachedTransformerStepper(model)):
            with record_weights(model) as weights, record_streams(model) as streams:
                write(writer, SOURCE, max_length=LONGEST)
            seen.append((weights, streams))
        (weights, streams), (weights_cached, streams_cached) = seen
        assert_same(weights_cached, weights)
        assert_same(streams_cached, streams)
        length = weights["decoder", 0].shape[2]
        assert 1 < length <= LONGEST
        assert weights["cross", 1].shape[2:] == (length, 4)
        assert streams["decoder", 0].shape[1] == length


@pytest.mark.parametrize("position", POSITIONS)
def test_a_language_model_is_watched_and_cut_on_either_path(position):
    model = drawn(replace(TINY, source_vocab_size=None, position=position, decoder_layers=3))
    edges = torch.zeros(8, 8, dtype=torch.bool)
    edges[3:, 1] = edges[6, 4:6] = True
    lengths = torch.tensor([3, 1, 2])
    seen = []
    for cached in (False, True):
        with (
            knock_out(model, "decoder", edges, [0, 2], [1]),
            record_weights(model) as weights,
            record_streams(model) as streams,
        ):
            text = continue_text(model, TARGET, 5, cached=cached, lengths=lengths)
        seen.append((text, weights, streams))
    assert torch.equal(seen[0][0], seen[1][0])
    assert_same(seen[1][1], seen[0][1])
    assert_same(seen[1][2], seen[0][2])
    for layer, cut in enumerate([True, False, True]):
        assert weights["decoder", layer].shape == (3, 2, 7, 7)
        assert bool((weights["decoder", layer][:, 1, 3:, 1] == 0).all()) == cut
        assert (weights["decoder", layer][:, 0, 3:, 1] > 0).all()
    with knock_out(model, "decoder", all_edges("decoder")):
        nothing_seen = [continue_text(model, TARGET, 5, cached=cached) for cached in (False, True)]
    assert torch.equal(*nothing_seen)


def test_texts_that_are_read_by_turns_are_recorded_each_by_itself():
    model = drawn(replace(TINY, source_vocab_size=None))
    texts = [TARGET, TARGET.flip(0)]
    with record_weights(model) as weights, torch.no_grad():
        caches = [read(model, text[:, :1])[1] for text in texts]
        caches = [read(model, texts[n][:, 1:2], caches[n])[1] for n in (0, 1)]
        read(model, texts[0][:, 2:], caches[0])
        first = dict(weights)
        read(model, texts[1][:, 2:], caches[1])
        second = dict(weights)
    for recorded, text in zip((first, second), texts, strict=True):
        with record_weights(model) as expected:
            model(text)
        assert_same(recorded, expected)
    with record_weights(model) as weights, torch.no_grad():  # begun before the block
        read(model, texts[0][:, 2:], caches[0])
    assert weights["decoder", 1].shape == (3, 2, 1, 3)
    assert torch.allclose(weights["decoder", 1], first["decoder", 1][:, :, 2:], rtol=0, atol=1e-12)


@some_models
def test_a_patch_acts_with_a_cache_as_without(config):
    """At each stage: the text so far of another run, at two places of the text."""
    model = talkative(config)
    places = torch.zeros(3, LONGEST, dtype=torch.bool)
    places[0, 1] = places[1:, 3] = True
    rng = torch.Generator().manual_seed(2)
    other = torch.rand(3, LONGEST, 8, generator=rng).double()
    changed = False
    for stage in range(config.decoder_layers + 1):
        seen = []
        for writer in (model, CachedTransformerStepper(model)):
            with (
                patch_activations(model, "decoder", stage, places, other),
                record_streams(model) as streams,
            ):
                tokens = greedy(writer, SOURCE, LONGEST)
                drawn_ones = sample(
                    writer, SOURCE, torch.Generator().manual_seed(1), max_length=LONGEST
                )
                greedy(writer, SOURCE, LONGEST)
            seen.append((tokens, drawn_ones, streams))
        assert torch.equal(seen[0][0], seen[1][0])
        assert torch.equal(seen[0][1], seen[1][1])
        assert_same(seen[1][2], seen[0][2])
        length = seen[0][2]["decoder", stage].shape[1]
        here = places[:, :length]
        assert torch.equal(streams["decoder", stage][here], other[:, :length][here])
        unpatched = greedy(model, SOURCE, LONGEST)
        changed = changed or not torch.equal(seen[0][0], unpatched)
    assert changed
    with patch_activations(model, "decoder", 1, places[:, :2], other[:, :2]):
        for writer in (model, CachedTransformerStepper(model)):
            with pytest.raises(
                ValueError, match=r"^places: expected \(batch, length\) = \(3, 3\) or"
            ):
                greedy(writer, SOURCE, LONGEST)


def test_beams_are_patched_row_by_row(talker):
    places = torch.zeros(6, LONGEST, dtype=torch.bool)
    places[:, 2] = True
    stream = torch.rand(3, LONGEST, 8, generator=torch.Generator().manual_seed(2)).double()
    stream = stream.repeat_interleave(2, 0)  # the hypotheses of a sentence have the same
    with patch_activations(talker, "decoder", 1, places, stream):
        found = [
            beam(writer, SOURCE, 2, max_length=LONGEST)
            for writer in (talker, CachedTransformerStepper(talker))
        ]
    assert torch.equal(*found)


@pytest.mark.usefixtures("types_off")
@pytest.mark.parametrize("wrap", [nn.DataParallel, partial(torch.compile, backend="eager")])
def test_a_model_in_a_wrapper_is_watched_and_cut(wrap):
    """Also if the wrapper itself is called, and was called before there were hooks."""
    model = drawn(replace(TINY, encoder_layers=1, decoder_layers=1))  # what is compiled by each
    wrapped, edges = wrap(model), one_edge("cross", 1, 0)
    assert torch.allclose(wrapped(SOURCE, TARGET), model(SOURCE, TARGET), rtol=0, atol=1e-12)
    with knock_out(model, "cross", edges), record_weights(model) as expected:
        logits = model(SOURCE, TARGET)
    with knock_out(wrapped, "cross", edges), record_weights(wrapped) as weights:
        assert torch.allclose(wrapped(SOURCE, TARGET), logits, rtol=0, atol=1e-12)
    assert_same(weights, expected)
    assert as_before(model)


def test_numbers_may_be_numpys(model):
    edges = one_edge("encoder", 1, 0)
    with knock_out(model, "encoder", edges, [1], [0]):
        expected = model(SOURCE, TARGET)
    with knock_out(model, "encoder", edges, np.array([1]), np.array([0])):
        assert torch.equal(model(SOURCE, TARGET), expected)
    with record_streams(model) as streams:
        model(OTHER, TARGET)
    stream = streams["encoder", 1]
    with patch_activations(model, "encoder", np.int64(1), one_place(1), stream):
        patched = model(SOURCE, TARGET)
    with patch_activations(model, "encoder", 1, one_place(1), stream):
        assert torch.equal(model(SOURCE, TARGET), patched)


# ------------------------------------------------------------ leaving no trace


def enter_all(stack: ExitStack, model: nn.Module) -> None:
    stream = torch.zeros(3, 4, 8, dtype=torch.float64)
    for block in (
        record_weights(model),
        record_streams(model),
        knock_out(model, "cross", one_edge("cross", 1, 0)),
        patch_activations(model, "encoder", 1, one_place(2), stream),
    ):
        stack.enter_context(block)


def test_hooks_go_when_the_block_ends(model):
    with ExitStack() as stack:
        enter_all(stack, model)
        # one for each attention, stage, cut layer and patch; and before and after each
        # layer whose attention is watched or cut, to know the text
        assert hooks_of(model) == 3 * (3 + 2 + 2) + (4 + 3) + 3 * 2 + 1
        assert not torch.allclose(model(SOURCE, TARGET), drawn(TINY)(SOURCE, TARGET))
    assert as_before(model)


def test_hooks_go_after_an_error_in_the_block(model):

    def fail():
        with ExitStack() as stack:
            enter_all(stack, model)
            model(SOURCE, TARGET)
            raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        fail()
    assert as_before(model)


@pytest.mark.usefixtures("types_off")
def test_hooks_go_after_an_error_in_the_model(model):
    """An error in the middle of a pass, with half of the layers called."""
    with pytest.raises(ValueError, match=r"^edges: "):
        with knock_out(model, "cross", one_edge("encoder", 1, 0)[..., :3]):
            model(SOURCE, TARGET)
    assert as_before(model)


def test_the_rest_of_the_package_can_be_called_inside(model):
    """Greedy decoding calls the decoder with ever longer targets; the encoder's edges stay."""
    with knock_out(model, "encoder", one_edge("encoder", 1, 0)):
        tokens = greedy(model, SOURCE, max_length=5)
        assert tokens.shape[1] <= 5
    assert as_before(model)


# ------------------------------------------------------------------------ errors


@pytest.fixture(scope="module")
def plain():
    """`attention.interventions` as a reader meets it, without enforced shapes."""
    return load_without_shape_checks("interventions")


def check_message(block, message, *call):
    """Assert that the block, or the call in it, raises a ValueError with just this message."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"), block:
        call[0](*call[1:])


def test_a_model_is_wanted(plain):
    wrong = nn.Linear(2, 2)
    edges = one_edge("encoder", 0, 0)
    message = "model: expected a Transformer, a LanguageModel or a TextEncoder, got 'Linear'"
    for block in (
        plain.record_weights(wrong),
        plain.record_streams(wrong),
        plain.knock_out(wrong, "encoder", edges),
        plain.patch_activations(wrong, "encoder", 0, one_place(0), torch.zeros(3, 4, 8)),
    ):
        check_message(block, message)
    assert set(stages(drawn(TINY))) == {"encoder", "decoder"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"where": "Encoder"}, "where: expected one of {names}, got 'Encoder'"),
        ({"layers": [3]}, "layers: expected a number from 0 to 2, got 3"),
        ({"layers": [-1]}, "layers: expected a number from 0 to 2, got -1"),
        ({"heads": [0, 2]}, "heads: expected a number from 0 to 1, got 2"),
        ({"heads": [True]}, "heads: expected a number from 0 to 1, got True"),
        ({"heads": [0.0]}, "heads: expected a number from 0 to 1, got 0.0"),
        ({"edges": [[1]]}, "edges: expected {edges}, got 'list'"),
        (
            {"edges": torch.ones(4, 4)},
            "edges: expected {edges}, got 'torch.float32 of shape (4, 4)'",
        ),
        (
            {"edges": torch.ones(4, dtype=torch.bool)},
            "edges: expected {edges}, got 'torch.bool of shape (4,)'",
        ),
        (
            {"edges": torch.ones(1, 1, 4, 4, dtype=torch.bool)},
            "edges: expected {edges}, got 'torch.bool of shape (1, 1, 4, 4)'",
        ),
    ],
)
def test_what_is_forbidden_must_exist(plain, model, changed, message):
    arguments = {"where": "encoder", "edges": one_edge("encoder", 0, 0)} | changed
    message = message.format(
        names="('encoder', 'decoder', 'cross')",
        edges="a boolean tensor of shape (batch, queries, keys) or (queries, keys)",
    )
    check_message(plain.knock_out(model, **arguments), message)
    assert hooks_of(model) == 0


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("encoder", "(3, 4, 4)"),
        ("cross", "(3, 3, 4), or with more queries"),
        ("decoder", "(3, 3, 3), or with more queries and keys"),
    ],
)
@pytest.mark.parametrize("wrong", [(5, 2), (2, 1, 1), (3, 2, 3)])
def test_edges_must_fit_the_sentences(plain, model, where, expected, wrong):
    check_message(
        plain.knock_out(model, where, torch.zeros(wrong, dtype=torch.bool)),
        f"edges: expected a shape that broadcasts to (batch, queries, keys) = {expected}, "
        f"got {wrong}",
        model,
        SOURCE,
        TARGET,
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"where": "cross"}, "where: expected one of ('encoder', 'decoder'), got 'cross'"),
        ({"stage": 4}, "stage: expected a number from 0 to 3, got 4"),
        ({"stage": -1}, "stage: expected a number from 0 to 3, got -1"),
        ({"stage": True}, "stage: expected a number from 0 to 3, got True"),
        (
            {"places": torch.ones(3, 4)},
            "places: expected a boolean tensor of shape (batch, length), "
            "got 'torch.float32 of shape (3, 4)'",
        ),
        (
            {"stream": None},
            "stream: expected a floating-point tensor of shape (batch, length, d_model), "
            "got 'NoneType'",
        ),
        (
            {"places": torch.ones(3, 5, dtype=torch.bool)},
            "places: expected (batch, length) = (3, 4), got (3, 5)",
        ),
        (
            {"places": torch.ones(4, dtype=torch.bool)},
            "places: expected (batch, length) = (3, 4), got (4,)",
        ),
        (
            {"stream": torch.zeros(3, 4, 7)},
            "stream: expected (batch, length, d_model) = (3, 4, 8), got (3, 4, 7)",
        ),
        (
            {"stream": torch.zeros(1, 4, 8)},
            "stream: expected (batch, length, d_model) = (3, 4, 8), got (1, 4, 8)",
        ),
    ],
)
def test_a_patch_must_fit(plain, model, changed, message):
    arguments = {
        "where": "encoder",
        "stage": 1,
        "places": one_place(1),
        "stream": torch.zeros(3, 4, 8).double(),
    } | changed
    check_message(plain.patch_activations(model, **arguments), message, model, SOURCE, TARGET)
    assert as_before(model)
