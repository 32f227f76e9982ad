"""Rollout, gradient times input and leaving out say what plain formulas say."""

import pytest
import torch
from tests.pretended_device import pretended_device
from torch import nn

from attention.attribution import (
    gradient_times_input,
    leave_one_out,
    rollout,
    rollout_to_source,
)
from attention.interventions import record_weights
from attention.training import evaluating
from attention.transformer import TransformerConfig, new_transformer

CONFIG = TransformerConfig(9, 10, 8, heads=2, d_ff=6, encoder_layers=3, decoder_layers=2)
SOURCE = torch.tensor([[3, 8, 5, 2], [4, 6, 7, 3]])
TARGET = torch.tensor([[4, 9, 5], [7, 3, 4]])


def random_weights(*shape: int, seed: int = 0) -> torch.Tensor:
    numbers = torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return numbers / numbers.sum(-1, keepdim=True)


@pytest.fixture(scope="module")
def model() -> nn.Module:
    return new_transformer(CONFIG, 0).double().eval()


@pytest.fixture(scope="module")
def stacks(model) -> dict[str, list[torch.Tensor]]:
    with evaluating(model), record_weights(model) as weights:
        model(SOURCE, TARGET)
    return {
        where: [weights[place] for place in weights if place[0] == where]
        for where in ("encoder", "decoder", "cross")
    }


# --------------------------------------------------------------------------- rollout


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_rows_of_a_rollout_sum_to_1(layers):
    shares = rollout([random_weights(2, 3, 5, 5, seed=seed) for seed in range(layers)])
    assert shares.shape == (2, 5, 5)
    assert (shares >= 0).all()
    torch.testing.assert_close(shares.sum(-1), torch.ones(2, 5, dtype=torch.float64))


def test_a_rollout_is_the_sum_over_all_paths():
    """Of two layers: over the word in the middle, each step by the residual or by a weight."""
    one, two = (random_weights(1, 2, 4, 4, seed=seed) for seed in (1, 2))
    shares = rollout([one, two])[0]
    mixed = [(layer[0].mean(0) + torch.eye(4)) / 2 for layer in (one, two)]
    for row in range(4):
        for word in range(4):
            paths = sum(mixed[1][row, middle] * mixed[0][middle, word] for middle in range(4))
            assert shares[row, word] == pytest.approx(paths.item(), abs=1e-12)


def test_where_each_word_looks_at_itself_nothing_moves():
    itself = torch.eye(4).expand(1, 2, 4, 4)
    assert torch.equal(rollout([itself, itself])[0], torch.eye(4))


def test_in_a_decoder_nothing_rolls_out_to_what_comes_later(stacks):
    assert rollout(stacks["decoder"]).triu(1).abs().max() == 0


def test_rows_over_both_texts_sum_to_1(stacks):
    of_source, of_text = rollout_to_source(stacks["encoder"], stacks["decoder"], stacks["cross"])
    assert of_source.shape == (2, 3, 4)
    assert of_text.shape == (2, 3, 3)
    total = of_source.sum(-1) + of_text.sum(-1)
    torch.testing.assert_close(total, torch.ones_like(total))


def test_a_rollout_of_two_stacks_is_that_of_one_graph(stacks):
    """Source and text as the positions of one stack; each decoder layer is two of its layers."""
    encoder, decoder, cross = (
        [layer.mean(1) for layer in stacks[where]] for where in ("encoder", "decoder", "cross")
    )
    eye = torch.eye(7, dtype=torch.float64).expand(2, 7, 7)
    shares = eye
    for layer in encoder:
        step = eye.clone()
        step[:, :4, :4] = (layer + torch.eye(4)) / 2
        shares = step @ shares
    for own, across in zip(decoder, cross, strict=True):
        step = eye.clone()
        step[:, 4:, 4:] = (own + torch.eye(3)) / 2
        shares = step @ shares
        step = eye.clone()
        step[:, 4:, 4:] = torch.eye(3) / 2
        step[:, 4:, :4] = across / 2
        shares = step @ shares
    of_source, of_text = rollout_to_source(stacks["encoder"], stacks["decoder"], stacks["cross"])
    torch.testing.assert_close(torch.cat([of_source, of_text], -1), shares[:, 4:])


def test_rollouts_without_layers_are_refused(stacks):
    with pytest.raises(ValueError, match="layers: expected one or more, got 0"):
        rollout([])
    with pytest.raises(ValueError, match="cross: expected 2 layers, got 1"):
        rollout_to_source(stacks["encoder"], stacks["decoder"], stacks["cross"][:1])


# ------------------------------------------------------------------ gradient x input


def logits_of(model: nn.Module) -> torch.Tensor:
    """One number for each text: a difference of two logits at the last place."""
    logits = model(SOURCE, TARGET)[:, -1]
    return logits[:, 4] - logits[:, 7]


def test_gradient_times_input_is_what_finite_differences_say(model):
    found = gradient_times_input(model.source_embedding.tokens, lambda: logits_of(model))
    assert found.shape == SOURCE.shape
    step, embedding = 1e-5, model.source_embedding.tokens
    for text in range(2):
        for place in range(4):
            ends = []
            for factor in (1 + step, 1 - step):

                def stretch(module, arguments, output, factor=factor, text=text, place=place):
                    output = output.clone()
                    output[text, place] *= factor
                    return output

                handle = embedding.register_forward_hook(stretch)
                with torch.no_grad():
                    ends.append(logits_of(model)[text].item())
                handle.remove()
            slope = (ends[0] - ends[1]) / (2 * step)
            assert found[text, place].item() == pytest.approx(slope, abs=1e-6, rel=1e-5)


def test_of_a_linear_score_the_products_are_its_parts():
    embedding = nn.Embedding(5, 3).double()
    tokens, factor = torch.tensor([[1, 4, 1]]), torch.tensor([0.5, -1.0, 2.0]).double()
    parts = gradient_times_input(embedding, lambda: (embedding(tokens) * factor).sum((1, 2)))
    expected = (embedding.weight[tokens] * factor).sum(-1).detach()
    torch.testing.assert_close(parts, expected)


def test_gradient_times_input_leaves_the_model_as_it_was(model):
    before = logits_of(model)
    gradient_times_input(model.source_embedding.tokens, lambda: logits_of(model))
    assert torch.equal(logits_of(model), before)
    assert all(parameter.grad is None for parameter in model.parameters())
    with torch.no_grad():  # it asks for gradients itself
        gradient_times_input(model.source_embedding.tokens, lambda: logits_of(model))


def test_a_score_that_looks_words_up_twice_is_refused(model):
    def twice() -> torch.Tensor:
        return logits_of(model) + logits_of(model)

    with pytest.raises(ValueError, match="score: expected a function that looks words up once"):
        gradient_times_input(model.source_embedding.tokens, twice)


# -------------------------------------------------------------------------- leave out


def test_leaving_out_of_a_sum_gives_its_parts():
    tokens = torch.tensor([3, 5, 9])
    falls = leave_one_out(tokens, lambda texts: texts.double().sum(-1))
    assert falls.tolist() == [3, 5, 9]


def test_leaving_out_keeps_the_order_of_the_rest():
    seen = []

    def score(texts: torch.Tensor) -> torch.Tensor:
        seen.extend(texts.tolist())
        return torch.zeros(len(texts))

    leave_one_out(torch.tensor([3, 5, 9]), score)
    assert seen == [[3, 5, 9], [5, 9], [3, 9], [3, 5]]


def test_one_word_cannot_be_left_out():
    with pytest.raises(ValueError, match="tokens: expected two or more, got 1"):
        leave_one_out(torch.tensor([3]), lambda texts: texts.sum(-1))


def test_all_is_computed_where_the_weights_and_the_words_are(model):
    layers = [random_weights(1, 2, 4, 4, seed=seed) for seed in range(2)]
    cross = [random_weights(1, 2, 4, 4, seed=2)]
    tokens = torch.tensor([3, 1, 4, 1])

    def score(texts: torch.Tensor) -> torch.Tensor:
        return texts.double().sum(1)

    table = nn.Embedding(9, 4)
    wanted = (
        rollout(layers),
        *rollout_to_source(layers, layers[:1], cross),
        leave_one_out(tokens, score),
        gradient_times_input(table, lambda: table(tokens[None]).pow(2).sum((1, 2))),
    )
    with pretended_device() as device:
        layers, cross = ([each.to(device) for each in some] for some in (layers, cross))
        tokens, table = tokens.to(device), table.to(device)
        found = (
            rollout(layers),
            *rollout_to_source(layers, layers[:1], cross),
            leave_one_out(tokens, score),
            gradient_times_input(table, lambda: table(tokens[None]).pow(2).sum((1, 2))),
        )
        assert {each.device for each in found} == {tokens.device}
        for one, other in zip(wanted, found, strict=True):
            torch.testing.assert_close(one, other.to("cpu"))
