"""The recall task and its model, against by_hand and against a count by hand."""

import math

import numpy as np
import pytest
import torch

from attention import by_hand
from attention.tasks.recall import (
    RecallConfig,
    RecallModel,
    probe,
    recall_batch,
    steps_to,
    train,
)

CONFIG = RecallConfig(d_k=16, scale=0.25)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_answer_stands_beside_the_question():
    sequences = recall_batch(CONFIG, 200, generator())
    for keys, values, question, answer in zip(
        sequences.keys, sequences.values, sequences.question, sequences.answer, strict=True
    ):
        assert len(set(keys.tolist())) == CONFIG.pairs
        places = (keys == question).nonzero()
        assert len(places) == 1
        assert values[places[0, 0]] == answer


def test_scores_and_answer_are_by_hand_attention():
    model = RecallModel(CONFIG, generator())
    sequences = recall_batch(CONFIG, 5, generator(1))
    with torch.no_grad():
        query, key = model.query_and_key(sequences)
        tokens = model.key_embedding[sequences.keys] + model.value_embedding[sequences.values]
        logits = model(sequences)
    output, _ = by_hand.scaled_dot_product_attention(
        query.numpy(), key.numpy(), (tokens @ model.W_V).detach().numpy(), scale=0.25
    )
    expected = output[:, 0] @ model.readout.detach().numpy()
    np.testing.assert_allclose(logits.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("init_std", [1.0, 0.5])
def test_components_start_with_the_wanted_standard_deviation(init_std: float):
    config = RecallConfig(d_k=256, scale=1.0, init_std=init_std)
    query, key = RecallModel(config, generator()).query_and_key(
        recall_batch(config, 2000, generator(1))
    )
    assert query.std().item() == pytest.approx(init_std, rel=0.15)
    assert key.std().item() == pytest.approx(init_std, rel=0.05)


def test_small_query_weights_are_the_scale_before_training():
    scaled = RecallModel(RecallConfig(64, 1 / 8), generator())
    small = RecallModel(RecallConfig(64, 1.0, query_factor=1 / 8), generator())
    sequences = recall_batch(scaled.config, 10, generator(1))
    torch.testing.assert_close(scaled(sequences), small(sequences), atol=1e-12, rtol=0)


@pytest.mark.arithmetic
def test_training_repeats_itself_and_learns():
    _, losses = train(CONFIG, learning_rate=0.004, seed=3, steps=200)
    _, again = train(CONFIG, learning_rate=0.004, seed=3, steps=200)
    assert losses == again
    assert losses[0] == pytest.approx(math.log(CONFIG.symbols), abs=0.7)
    assert np.mean(losses[-20:]) < 0.2


@pytest.mark.arithmetic
def test_a_small_slow_W_Q_is_the_scale_in_every_step():
    """Adam's steps do not depend on the size of a gradient, but for its small constant.

    Over 60 steps the losses were seen to differ by at most 1.4e-5.
    """
    scaled = RecallConfig(64, 1 / 8)
    small = RecallConfig(64, 1.0, query_factor=1 / 8)
    _, losses = train(scaled, 0.01, seed=0, steps=60)
    _, slow = train(small, 0.01, seed=0, steps=60, rate_factors={"W_Q": 1 / 8})
    _, fast = train(small, 0.01, seed=0, steps=60)
    assert slow == pytest.approx(losses, abs=1e-3)
    assert max(abs(a - b) for a, b in zip(fast, losses, strict=True)) > 0.1


@pytest.mark.arithmetic
def test_rate_factors_reach_the_parameters_they_name():
    start = RecallModel(CONFIG, generator())
    one, _ = train(CONFIG, 0.01, seed=0, steps=1, batch=8)
    other, _ = train(CONFIG, 0.01, seed=0, steps=1, batch=8, rate_factors={"W_K": 0.5})
    for name, parameter in start.named_parameters():
        moved, moved_other = (m.get_parameter(name) - parameter for m in (one, other))
        factor = 0.5 if name == "W_K" else 1.0
        torch.testing.assert_close(moved_other, factor * moved, atol=1e-12, rtol=0)


def test_probe_agrees_with_by_hand():
    model = RecallModel(CONFIG, generator())
    measured = probe(model, seed=5, batch=50)
    sequences = recall_batch(CONFIG, 50, generator(5))
    with torch.no_grad():
        scores = model.scores(sequences)[:, 0].numpy()
        logits = model(sequences)
    weights = by_hand.softmax(scores)
    jacobian = np.linalg.norm(by_hand.softmax_jacobian(weights), axis=(1, 2))
    assert measured["entropy"] == pytest.approx(by_hand.entropy(weights).mean(), abs=1e-12)
    assert measured["jacobian"] == pytest.approx(jacobian.mean(), abs=1e-12)
    assert measured["largest"] == pytest.approx(weights.max(-1).mean(), abs=1e-12)
    assert measured["score_std"] == pytest.approx(scores.std(ddof=1), abs=1e-12)
    right = (logits.argmax(-1) == sequences.answer).double().mean().item()
    assert measured["accuracy"] == pytest.approx(right)


def test_probe_gradient_at_W_Q_against_differences():
    model = RecallModel(CONFIG, generator())
    gradient = probe(model, seed=5, batch=50)["grad_W_Q"]
    sequences = recall_batch(CONFIG, 50, generator(5))
    direction = torch.randn(model.W_Q.shape, generator=generator(9), dtype=torch.float64)
    loss = torch.nn.functional.cross_entropy(model(sequences), sequences.answer)
    (exact,) = torch.autograd.grad(loss, model.W_Q)
    assert exact.norm().item() == pytest.approx(gradient, rel=1e-9)
    with torch.no_grad():
        losses = []
        for sign in (1, -1):
            model.W_Q += sign * 1e-5 * direction
            losses.append(
                torch.nn.functional.cross_entropy(model(sequences), sequences.answer).item()
            )
            model.W_Q -= sign * 1e-5 * direction
    slope = (losses[0] - losses[1]) / 2e-5
    assert slope == pytest.approx((exact * direction).sum().item(), rel=1e-5)


def test_steps_to_counts_from_one():
    assert steps_to([1.0, 0.0, 0.0], threshold=0.5, window=2) == 3
    assert steps_to([0.0, 0.0], threshold=0.5, window=2) == 2
    assert steps_to([1.0] * 10, threshold=0.5, window=2) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"d_k": 0, "scale": 1.0}, r"d_k: expected an integer, at least 1, got 0"),
        ({"d_k": 4, "scale": 1.0, "pairs": 65}, r"pairs: expected at most 64, got 65"),
    ],
)
def test_bad_configuration_is_refused(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        RecallConfig(**arguments)


def test_bad_training_arguments_are_refused():
    with pytest.raises(ValueError, match=r"learning_rate: expected a positive number, got 0(.0)?"):
        train(CONFIG, learning_rate=0.0, seed=0)
    with pytest.raises(ValueError, match=r"steps: expected a positive number, got 0(.0)?"):
        train(CONFIG, learning_rate=0.1, seed=0, steps=0)
    with pytest.raises(ValueError, match=r"rate_factors: expected names out of .*, got 'W_X'"):
        train(CONFIG, learning_rate=0.1, seed=0, rate_factors={"W_X": 1.0})
    with pytest.raises(ValueError, match=r"rate_factors\['W_Q'\]: expected a positive number"):
        train(CONFIG, learning_rate=0.1, seed=0, rate_factors={"W_Q": 0.0})
