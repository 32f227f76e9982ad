"""The two-look-up task, its model and the log of its experiment."""

import csv
import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from attention import by_hand
from attention.tasks.two_lookups import (
    LookupBatch,
    LookupConfig,
    LookupModel,
    answer_loss,
    lookup_batch,
    probe,
    score_ranks,
    train,
)

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"
SMALL = {"symbols": 12, "pairs": 5, "d_model": 24}
HEADS = (1, 2, 4, 8)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().numpy()


# ---------------------------------------------------------------- the task


@pytest.mark.parametrize("asked", [1, 2, 3])
def test_the_answer_stands_beside_the_question(asked: int):
    config = LookupConfig(heads=1, asked=asked, **SMALL)
    sequences = lookup_batch(config, 200, generator())
    for keys, values, question, answer in zip(
        sequences.keys.tolist(),
        sequences.values.tolist(),
        sequences.question.tolist(),
        sequences.answer.tolist(),
        strict=True,
    ):
        assert len(set(keys)) == len(set(values)) == config.pairs
        assert len(set(question)) == len(question) == asked
        assert [values[keys.index(symbol)] for symbol in question] == answer


def test_every_pair_can_be_asked_in_every_place():
    sequences = lookup_batch(LookupConfig(heads=1, **SMALL), 300, generator())
    for place in range(2):
        asked = sequences.keys == sequences.question[:, [place]]
        assert asked.any(dim=0).all()
    first, second = sequences.question.T
    assert (first < second).any()
    assert (first > second).any()


# --------------------------------------------------------------- the model


@pytest.mark.parametrize("hidden", [0, 7])
@pytest.mark.parametrize("asked", [1, 2])
def test_heads_cost_no_parameters(asked: int, hidden: int):
    models = [
        LookupModel(LookupConfig(heads, asked, hidden, **SMALL), generator()) for heads in HEADS
    ]
    counts = {sum(parameter.numel() for parameter in model.parameters()) for model in models}
    embeddings = (2 + asked) * 12 * 24 + 24
    readout = 24 * hidden + (hidden or 24) * asked * 12
    assert counts == {embeddings + 4 * 24 * 24 + readout}
    for model in models[1:]:  # and all start from the same numbers
        for ours, first in zip(model.parameters(), models[0].parameters(), strict=True):
            assert torch.equal(ours, first)


@pytest.mark.parametrize("heads", HEADS)
def test_the_model_is_by_hand_multi_head_attention(heads: int):
    model = LookupModel(LookupConfig(heads, **SMALL), generator())
    sequences = lookup_batch(model.config, 6, generator(1))
    keys, values = numpy(model.key_embedding), numpy(model.value_embedding)
    first, second = numpy(model.asked_embedding)
    question = sequences.question.numpy()
    asked = first[question[:, 0]] + second[question[:, 1]] + numpy(model.question_mark)
    pairs = keys[sequences.keys.numpy()] + values[sequences.values.numpy()]
    projections = (numpy(W) for W in (model.W_Q, model.W_K, model.W_V, model.W_O))

    output, weights = by_hand.multi_head_attention(asked[:, None], pairs, *projections, heads)
    logits = output[:, 0] @ numpy(model.readout)  # (batch, 2 * symbols)

    ours, our_weights = model.attend(sequences)
    np.testing.assert_allclose(numpy(ours), output, atol=1e-12, rtol=0)
    np.testing.assert_allclose(numpy(our_weights), weights, atol=1e-12, rtol=0)
    np.testing.assert_allclose(
        numpy(model(sequences)), np.stack([logits[:, :12], logits[:, 12:]], axis=1), atol=1e-12
    )


def test_hidden_layer_of_the_read_out():
    model = LookupModel(LookupConfig(2, hidden=7, **SMALL), generator())
    sequences = lookup_batch(model.config, 6, generator(1))
    output, _ = model.attend(sequences)
    hidden = np.maximum(numpy(output)[:, 0] @ numpy(model.W_hidden), 0)
    logits = (hidden @ numpy(model.readout)).reshape(6, 2, 12)
    np.testing.assert_allclose(numpy(model(sequences)), logits, atol=1e-12)


def test_the_order_of_the_question_reaches_the_model():
    model = LookupModel(LookupConfig(1, **SMALL), generator())
    sequences = lookup_batch(model.config, 6, generator(1))
    turned = LookupBatch(
        sequences.keys, sequences.values, sequences.question.flip(1), sequences.answer.flip(1)
    )
    difference = (model(sequences) - model(turned)).abs().amax(dim=(1, 2))
    assert (difference > 1e-3).all()


def test_a_fresh_model_knows_nothing():
    model = LookupModel(LookupConfig(2), generator())
    loss = answer_loss(model, lookup_batch(model.config, 500, generator(1)))
    assert loss.item() == pytest.approx(math.log(64), abs=0.2)


# ---------------------------------------------------- training and measuring


def test_training_repeats_itself_from_the_seed():
    config = LookupConfig(2, **SMALL)
    model, losses = train(config, learning_rate=0.01, seed=3, steps=10)
    twin, again = train(config, learning_rate=0.01, seed=3, steps=10)
    _, other = train(config, learning_rate=0.01, seed=4, steps=10)
    assert losses == again
    assert losses != other
    assert torch.equal(model.W_Q, twin.W_Q)


@pytest.fixture(scope="module")
def trained() -> dict[int, LookupModel]:
    """Models with one head and with two, from the same start and the same sequences."""
    configs = [LookupConfig(heads, symbols=12, pairs=5, d_model=32) for heads in (1, 2)]
    return {c.heads: train(c, learning_rate=0.01, seed=0, steps=150)[0] for c in configs}


@pytest.mark.arithmetic
def test_two_heads_learn_what_one_head_cannot(trained):
    assert probe(trained[2])["in_order"] > 0.9
    assert probe(trained[1])["in_order"] < 0.5


class Oracle(LookupModel):
    """Attend and answer as told, to see what `probe` counts."""

    def __init__(self, config: LookupConfig, weights: torch.Tensor, logits: torch.Tensor):
        super().__init__(config, generator())
        self.told_weights, self.told_logits = weights, logits

    def attend(self, batch: LookupBatch):
        return torch.zeros(len(batch.keys), 1, 24, dtype=torch.float64), self.told_weights

    def answer(self, output: torch.Tensor) -> torch.Tensor:
        return self.told_logits


def test_probe_counts_what_it_says():
    config = LookupConfig(2, **SMALL)
    sequences = lookup_batch(config, 4, generator(7))
    one_hot = torch.nn.functional.one_hot(sequences.answer, 12).double()  # (4, 2, symbols)
    logits = one_hot.clone() * 9
    logits[1] = logits[1].flip(0)  # the right set in the wrong order
    logits[2, 1] = logits[2, 0]  # the first answer twice
    logits[2] = logits[2] + one_hot[2].sum(0)  # and the second one is the runner-up
    logits[3] = 9 * (1 - one_hot[3].sum(0))  # anything but the answers
    asked = sequences.keys[:, None] == sequences.question[:, :, None]  # (4, 2, pairs)
    weights = 0.75 * asked.flip(1)[:, :, None] + 0.05  # head 0 looks at the second
    measured = probe(Oracle(config, weights.double(), logits), seed=7, batch=4)
    assert measured["in_order"] == measured["in_order_noisy"] == pytest.approx(1 / 4)
    assert measured["as_a_set"] == pytest.approx(3 / 4)
    assert measured["right_1"] == pytest.approx(2 / 4)
    assert measured["right_2"] == pytest.approx(1 / 4)
    assert measured["weight_1"] == pytest.approx(0.8)
    assert measured["weight_2"] == pytest.approx(0.8)
    chosen = logits.log_softmax(-1)[one_hot.bool()]
    assert measured["loss"] == pytest.approx(-chosen.mean().item())


@pytest.mark.arithmetic
def test_noise_makes_answers_worse(trained):
    silent, noisy = (probe(trained[2], noise=noise) for noise in (0.0, 2.0))
    assert silent["in_order_noisy"] == silent["in_order"] == noisy["in_order"]
    assert noisy["in_order_noisy"] < noisy["in_order"] - 0.1


@pytest.mark.parametrize("heads", [1, 2, 4, 24])
def test_rank_of_the_scores_is_at_most_d_k(heads: int):
    """A fresh model has full rank: d_k, or the number of symbols if that is less."""
    model = LookupModel(LookupConfig(heads, **SMALL), generator())
    ranks = score_ranks(model)
    assert ranks.shape == (2, heads)
    assert (ranks == min(24 // heads, 12)).all()


def test_rank_sees_a_head_that_lost_a_dimension():
    model = LookupModel(LookupConfig(4, **SMALL), generator())
    with torch.no_grad():
        model.W_Q[:, 7] = model.W_Q[:, 6]  # two of the columns of head 1
    assert score_ranks(model).tolist() == [[6, 5, 6, 6], [6, 5, 6, 6]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"heads": 0}, r"heads: expected an integer, at least 1, got 0"),
        ({"heads": 3}, r"heads: expected a divisor of d_model = 64, got 3"),
        ({"heads": 1, "asked": 17}, r"asked: expected at most 16, got 17"),
        ({"heads": 1, "asked": 0}, r"asked: expected an integer, at least 1, got 0"),
        ({"heads": 1, "hidden": -1}, r"hidden: expected an integer, at least 0, got -1"),
        ({"heads": 1, "pairs": 65}, r"pairs: expected at most 64, got 65"),
    ],
)
def test_bad_configuration_is_refused(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        LookupConfig(**arguments)


@pytest.mark.parametrize("name", ["learning_rate", "steps", "batch"])
def test_bad_training_arguments_are_refused(name: str):
    arguments = {"learning_rate": 0.1, "steps": 1, "batch": 1, name: 0}
    arguments["learning_rate"] = float(arguments["learning_rate"])
    with pytest.raises(ValueError, match=rf"{name}: expected a positive number, got 0(.0)?"):
        train(LookupConfig(1, **SMALL), seed=0, **arguments)


# ----------------------------------------------------------- the committed log


@pytest.fixture(scope="module")
def experiment():
    spec = importlib.util.spec_from_file_location("two_heads", EXPERIMENTS / "two_heads.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def log() -> list[dict[str, str]]:
    with (EXPERIMENTS / "two_heads.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def job_of(row: dict[str, str]) -> tuple[str, int, float, int]:
    return row["task"], int(row["heads"]), float(row["learning_rate"]), int(row["seed"])


def test_log_is_complete_and_reports_the_tuned_rates(experiment, log):
    tuning = [row for row in log if row["purpose"] == "tuning"]
    assert [job_of(row) for row in tuning] == experiment.tuning_jobs()
    report = [row for row in log if row["purpose"] == "report"]
    assert [job_of(row) for row in report] == experiment.report_jobs(tuning)
    assert len(tuning) + len(report) == len(log)
    assert not set(experiment.TUNING_SEEDS) & set(experiment.REPORT_SEEDS)


def test_log_compares_equal_parameters(experiment, log):
    for task in experiment.TASKS:
        assert len({row["parameters"] for row in log if row["task"] == task}) == 1
    for row in log:
        assert int(row["largest_rank"]) <= int(row["d_k"]) == 64 // int(row["heads"])


@pytest.mark.arithmetic
@pytest.mark.parametrize(
    "kind",
    [("two look-ups", 2), pytest.param(("one look-up", 1), marks=pytest.mark.slow)],
    ids=str,
)
def test_log_can_be_made_again(experiment, log, kind):
    """Two of the runs, made again: the same to the log's last digits but one."""
    (logged,) = [
        row for row in log if (row["task"], int(row["heads"])) == kind and row["seed"] == "3"
    ]
    (again,) = experiment.measure(*job_of(logged))
    for name, value in again.items():
        if name in ("task", "purpose"):
            assert value == logged[name]
        else:
            assert float(value) == pytest.approx(float(logged[name]), rel=1e-4, abs=1e-9), name


def test_rates_are_taken_over_and_tuned_when_they_are_not_known(experiment, log):
    """A longer arm alone needs no tuning that the log has, and all of it if there is no log."""
    long = (experiment.HIDDEN_LONG,)
    assert experiment.to_tune(long, log) == []
    anew = experiment.to_tune(long, [])
    assert anew == [job for job in experiment.tuning_jobs() if job[0] == experiment.HIDDEN]
    assert experiment.to_tune((experiment.HIDDEN,), log) == anew
    assert experiment.to_tune(tuple(experiment.TASKS), log) == experiment.tuning_jobs()


def test_the_log_says_what_the_chapter_says(log):
    """By seed: one head with a linear read-out, with a hidden layer, and longer; two heads."""

    def right(task: str, heads: int, quantity: str = "in_order") -> list[float]:
        return [
            float(row[quantity])
            for row in log
            if (row["task"], row["heads"], row["purpose"]) == (task, str(heads), "report")
        ]

    hidden = "two look-ups, hidden layer"
    assert max(right("two look-ups", 1) + right("two look-ups, 5000 steps", 1)) < 0.15
    assert min(right("two look-ups", 2) + right(hidden, 2)) > 0.99
    early, late = right(hidden, 1), right(f"{hidden}, 5000 steps", 1)
    assert max(early) < min(late)
    assert max(late) < min(right(hidden, 2))
    assert max(right(f"{hidden}, 5000 steps", 1, "in_order_noisy")) < min(
        right(hidden, 2, "in_order_noisy")
    )


def test_no_linear_read_out_of_one_average_answers_both(experiment):
    """The proof's six conditions, weighted so that they add up to nothing.

    A condition says that a row is positive when multiplied by the read-out. If positive
    multiples of some rows add up to zero, no read-out meets them all.
    """
    one_hot = np.eye(3)

    def condition(weights: tuple[float, float], values: tuple[int, int], say: int, not_say: int):
        attended = weights[0] * one_hot[values[0]] + weights[1] * one_hot[values[1]]
        return np.outer(attended, one_hot[say] - one_hot[not_say]).ravel()

    a, b, c = range(3)
    for first in np.linspace(0.05, 0.95, 19):
        smaller, larger = sorted((first, 1 - first))
        # the answer to the look-up with the smaller weight, which stands first here
        weights = (smaller, larger)
        alone = condition(weights, (a, b), a, c) + condition(weights, (c, b), c, a)
        beside = condition(weights, (a, c), a, c) + condition(weights, (c, a), c, a)
        np.testing.assert_allclose(
            (larger - smaller) * alone + smaller * beside, 0, atol=1e-12, rtol=0
        )


def test_swapped_values_change_nothing_else(experiment):
    sequences = lookup_batch(LookupConfig(1, **SMALL), 50, generator())
    swapped = experiment.values_swapped(sequences)
    assert torch.equal(swapped.keys, sequences.keys)
    assert torch.equal(swapped.question, sequences.question)
    assert torch.equal(swapped.answer, sequences.answer.flip(1))
    for keys, values, question, answer in zip(
        *map(torch.Tensor.tolist, vars(swapped).values()), strict=True
    ):
        assert [values[keys.index(symbol)] for symbol in question] == answer
    assert ((swapped.values != sequences.values).sum(-1) == 2).all()


def test_examples_belong_to_the_log(experiment, log):
    examples = json.loads((EXPERIMENTS / "two_heads_examples.json").read_text(encoding="utf-8"))
    tuning = [row for row in log if row["purpose"] == "tuning"]
    kinds = [(each["task"], each["heads"]) for each in examples]
    assert kinds == [(task, heads) for task, heads, _, _ in experiment.example_jobs(tuning)]
    for each in examples:
        places = [each["keys"].index(symbol) for symbol in each["question"]]
        assert [each["values"][place] for place in places] == each["answer"]
        weights = np.array(each["weights"])
        assert weights.shape == (each["heads"], len(each["keys"]))
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-4)
        of_the_proof = (each["task"], each["heads"]) == experiment.ONE_HEAD
        assert ("moved_by_values" in each) == of_the_proof
        assert 0 <= each.get("moved_by_values", 0) <= 1
