"""The levers compute what they say, and the logs of the recipes are what the script writes."""

import math
import statistics
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import common
import recipes
from attention.kv_cache import CachedTransformerStepper
from attention.training import START, BatchesByLength, Recipe, translation_loss
from attention.transformer import TransformerConfig, new_transformer
from shared.levers import FAST, LEVERS, PRESENT, Lever, LeverRun, hidden_matrices, pulled
from shared.logs import read_rows
from shared.muon import orthogonal
from shared.ready_batches import BatchesByTokens, ReadyBatches
from shared.update_times import TIMED
from shared.variants import VariantAttention, change

CONFIG = TransformerConfig(30, 40, d_model=16, heads=2, d_ff=32)
Row = dict[str, str]


def pairs(count: int, seed: int = 0) -> list[tuple[list[int], list[int]]]:
    """Draw pairs of 2 to 9 tokens on each side."""
    generator = torch.Generator().manual_seed(seed)

    def draw() -> list[int]:
        length = int(torch.randint(2, 10, (), generator=generator))
        return torch.randint(3, 30, (length,), generator=generator).tolist()

    return [(draw(), draw()) for _ in range(count)]


# ------------------------------------------------------------------------------- the batches


@pytest.mark.parametrize("size", [1, 7, 64])
def test_ready_batches_are_the_batches(size):
    plain, ready = (kind(pairs(50), size, 3) for kind in (BatchesByLength, ReadyBatches))
    for step in range(2 * plain.per_epoch + 1):
        assert torch.equal(ready[step].source, plain[step].source)
        assert torch.equal(ready[step].target, plain[step].target)


@pytest.mark.parametrize("most", [40, 100, 333])
def test_batches_by_tokens(most):
    some = pairs(200)
    batches = BatchesByTokens(some, most, seed=1)
    orders = [batches.order(epoch) for epoch in range(3)]
    assert orders[0] != orders[1]
    for order in orders:
        assert len(order) == batches.per_epoch
        assert sorted(number for batch in order for number in batch) == list(range(200))
    sizes = []
    for step in range(batches.per_epoch):
        batch = batches[step]
        sizes.append(batch.source.numel() + batch.target.numel())
        assert len(batch.source) == len(orders[0][step])
    assert max(sizes) <= most
    # Not one pair more would have gone into most of them.
    assert statistics.median(sizes) > most - 20


# -------------------------------------------------------------------------------- the models


def loss_and_gradients(model: nn.Module) -> tuple[float, dict[str, torch.Tensor]]:
    loss = translation_loss(model, BatchesByLength(pairs(20), 20, 0)[0], Recipe(0.1))
    loss.backward()
    return loss.item(), {name: p.grad for name, p in model.named_parameters()}


@pytest.mark.arithmetic
@pytest.mark.parametrize(
    ("position", "plain_position", "variant"),
    [("sinusoidal", "sinusoidal", {}), ("none", "rotary", dict(rotary=True))],
    ids=["packed", "rotary"],
)
def test_a_variant_computes_what_the_book_computes(position, plain_position, variant):
    plain = new_transformer(replace(CONFIG, position=plain_position), 0).double()
    other = change(new_transformer(replace(CONFIG, position=position), 0), **variant).double()
    found, gradients = loss_and_gradients(plain)
    again, others = loss_and_gradients(other)
    assert again == pytest.approx(found, rel=1e-6)  # the rotation is in float32
    assert others.keys() == gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(others[name], gradient, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    "variant",
    [{}, dict(qk_norm=True), dict(rms_norm=True), dict(qk_norm=True, rotary=True, rms_norm=True)],
    ids=str,
)
def test_a_variant_predicts_the_same_with_a_cache(variant):
    model = change(new_transformer(CONFIG, 1), **variant).double()
    generator = torch.Generator().manual_seed(0)
    batch = BatchesByLength(pairs(20), 20, 0)[0]
    stepper, logits = CachedTransformerStepper(model), []
    with torch.no_grad():
        for parameter in model.parameters():  # gains, too, that are not 1
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
        whole = model(batch.source, batch.target)  # (batch, length, symbols)
        state = stepper.start(batch.source)
        for token in F.pad(batch.target[:, :-1], (1, 0), value=START).unbind(1):
            found, state = stepper.step(state, token)
            logits.append(found)
    torch.testing.assert_close(torch.stack(logits, 1), whole, atol=1e-5, rtol=1e-5)


def test_qk_norm_makes_scores_that_no_scale_of_the_weights_changes():
    plain = new_transformer(CONFIG, 0)
    attention = VariantAttention(plain.encoder.layers[0].self_attention, qk_norm=True).double()
    x = torch.randn(2, 5, 16, dtype=torch.float64)
    before = attention(x)
    with torch.no_grad():
        attention.W_Q.weight.mul_(7)
        attention.W_K.weight.mul_(3)
    torch.testing.assert_close(attention(x), before)
    with torch.no_grad():
        attention.gains[0].mul_(2)
    assert not torch.allclose(attention(x), before)


def test_change_reaches_every_attention_and_norm():
    model = change(new_transformer(CONFIG, 0), qk_norm=True, rotary=True, rms_norm=True)
    attentions = [m for m in model.modules() if isinstance(m, VariantAttention)]
    assert len(attentions) == 2 + 2 * 2
    assert all(attention.gains is not None for attention in attentions)
    in_self = [
        layer.self_attention for stack in (model.encoder, model.decoder) for layer in stack.layers
    ]
    assert [a for a in attentions if a.rotary] == in_self
    assert not [m for m in model.modules() if type(m).__name__ == "LayerNorm"]


# ----------------------------------------------------------------------------- the optimizer


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 40, 16), (2, 16, 40)])
def test_orthogonal_keeps_directions_and_evens_lengths(shape):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0)).double()
    left, values, right = torch.linalg.svd(matrices, full_matrices=False)
    found = left.mT @ orthogonal(matrices, 5) @ right.mT  # diagonal: its singular values
    diagonal = found.diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(torch.diag_embed(diagonal), found, atol=1e-6, rtol=0)
    large = values > 0.05 * values.amax(1, keepdim=True)
    assert (diagonal[large] > 0.6).all()
    assert (diagonal < 1.3).all()


def run_of(lever: Lever, schedule: str = "inverse root") -> LeverRun:
    recipe = Recipe(0.01, schedule=schedule, warm_up=2, steps=9)
    return LeverRun(lever, pairs(40), recipe, seed=1)


@pytest.fixture
def small(monkeypatch):
    """Make the levers' model a small one."""
    monkeypatch.setattr("shared.translators.transformer_config", lambda sizes: CONFIG)


@pytest.mark.arithmetic
@pytest.mark.usefixtures("small")
def test_fast_training_is_the_same_training():
    """All levers of speed together, for a few updates in float64."""
    losses = []
    for lever in (PRESENT, FAST):
        run = run_of(lever)
        run.model.double()
        run.advance(6)
        losses.append([entry.loss for entry in run.log])
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)


@pytest.mark.arithmetic
@pytest.mark.usefixtures("small")
def test_muon_moves_matrices_by_its_own_step():
    run = run_of(pulled(FAST, LEVERS["Muon"]))
    before = [p.detach().clone() for p in hidden_matrices(run.model)]
    run.advance(1)
    rate = run.recipe.rate(1)
    for old, new in zip(before, hidden_matrices(run.model), strict=True):
        size = 0.2 * math.sqrt(max(old.shape)) * rate
        longest = torch.linalg.matrix_norm(new.detach() - old, 2).item()
        assert 0.6 * size < longest < 1.3 * size
    biases = [p for p in run.model.parameters() if p.ndim == 1 and p.grad is not None]
    assert biases  # Adam's


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "lever",
    [pulled(FAST, LEVERS["Muon"], LEVERS["average"]), LEVERS["by tokens"]],
    ids=["Muon", "tokens"],
)
def test_an_interrupted_run_with_levers_gives_the_same(tmp_path, lever):
    whole, first, second = (run_of(lever) for _ in range(3))
    whole.advance(6)
    first.advance(3)
    first.save(tmp_path / "run.safetensors")
    second.resume(tmp_path / "run.safetensors")
    second.advance(3)
    for one, other in zip(
        whole.tested_model().parameters(), second.tested_model().parameters(), strict=True
    ):
        assert torch.equal(one, other)


@pytest.mark.arithmetic
@pytest.mark.usefixtures("small")
def test_the_average_of_the_weights():
    run = run_of(pulled(FAST, Lever(average=0.75)))
    average = None
    for _ in range(5):
        run.advance(1)
        now = [p.detach().clone() for p in run.model.parameters()]
        average = (
            now
            if average is None
            else [0.75 * old + 0.25 * new for old, new in zip(average, now, strict=True)]
        )
    for mine, expected in zip(run.tested_model().parameters(), average, strict=True):
        torch.testing.assert_close(mine, expected)


def test_levers_are_pulled_together():
    both = pulled(FAST, LEVERS["Muon"], LEVERS["QK-norm"], LEVERS["to 0"], LEVERS["by tokens"])
    assert all((both.muon, both.fused, both.ready))
    assert both.tokens
    assert both.variant == dict(qk_norm=True)
    assert both.recipe == dict(schedule="linear")
    factors = [LEVERS[name].cost for name in ("Muon", "QK-norm", "by tokens")]
    assert both.cost == pytest.approx(math.prod(factors))
    assert pulled() == PRESENT


# --------------------------------------------------------------------------------- the script


def test_what_the_script_trains():
    assert recipes.lever_of("present") == PRESENT
    for arm, (name, rate) in recipes.TRIALS.items():
        stops = recipes.stops_of(arm)
        recipe = recipes.recipe_of(arm, rate, stops)
        assert recipe.learning_rate == rate
        assert stops[-1] * recipes.lever_of(arm).cost == pytest.approx(recipes.TRIAL, abs=100)
        assert ("to 0" in recipes.TRIED[name]) == (recipe.rate(stops[-1]) == 0)
        assert recipes.lever_of(arm).fused
    assert {rate for _, rate in recipes.TRIALS.values()} == set(recipes.RATES)
    same = recipes.recipe_of("present", recipes.RECIPE.learning_rate, recipes.STOPS)
    assert same == recipes.RECIPE


def test_the_rate_is_chosen_in_the_trials():
    arm = "to 0"
    rows = [
        {"arm": f"{arm}, rate {rate}", "exact_match": exact, "two_nouns": "0.5"}
        for rate, exact in zip(recipes.RATES, ("0.5", "0.9", "0.8"), strict=True)
    ]
    assert recipes.rate_of(arm, rows) == recipes.RATES[1]
    with pytest.raises(SystemExit, match="lacks trials of to 0"):
        recipes.rate_of(arm, rows[1:])


@pytest.mark.usefixtures("types_not_checked")
def test_trials_have_sentences_of_their_own():
    for test in recipes.TESTS:
        tried, tests = (recipes.sentences(test, 100, trial) for trial in (True, False))
        assert not {p.english for p in tried} & {p.english for p in tests}
        assert len(tried) == 100


def test_seconds_to_the_goal_are_those_of_the_means():
    def row(seed: int, updates: int, exact: float, pronouns: float) -> Row:
        numbers = {"exact_match": exact, "two_nouns": pronouns, "cpu_seconds": updates / 10 + seed}
        return {"arm": "one", "seed": str(seed), "updates": str(updates)} | {
            name: str(value) for name, value in numbers.items()
        }

    rows = [
        row(0, 2000, 0.99, 0.97),  # the mean of the pronouns is below
        row(2, 2000, 0.99, 0.96),
        row(0, 1000, 0.5, 0.99),
        row(2, 1000, 0.5, 0.99),
        row(0, 3000, 0.98, 0.98),
        row(2, 3000, 0.96, 0.98),
    ]
    assert recipes.seconds_to_goal("one", rows) == 301
    assert recipes.seconds_to_goal("one", rows[:4]) is None
    assert recipes.seconds_to_goal("another", rows) is None


# ----------------------------------------------------------------------------------- the logs


def rows_of(path: Path) -> list[Row]:
    if not path.exists():
        pytest.skip(f"{path.name}: the script has yet to be run")
    return read_rows(path)


def test_log_of_the_recipes_is_complete():
    every = common.Asked(seeds=recipes.SEEDS)
    expected = [
        (arm, str(seed), str(stop))
        for arm in recipes.ARMS
        if arm != "speed"
        for seed in recipes.seeds_of(arm, every)
        for stop in recipes.stops_of(arm)
    ]
    rows = rows_of(recipes.OUTPUT)
    found = [(row["arm"], row["seed"], row["updates"]) for row in rows]
    missing = {arm for arm, *_ in expected} - {arm for arm, *_ in found}
    assert {recipes.TRIALS[arm][0] for arm in missing} == {*recipes.YET_TO_BE_TRIED}
    assert found == [row for row in expected if row[0] not in missing]


def test_log_of_the_recipes_goes_on():
    rows = rows_of(recipes.OUTPUT)
    for row in rows:
        trial = row["arm"] in recipes.TRIALS
        chosen = recipes.TRIALS[row["arm"]][1] if trial else recipes.rate_of(row["arm"], rows)
        assert float(row["rate"]) == chosen
        assert 0 <= float(row["exact_match"]) <= float(row["token_accuracy"]) <= 1
        for name, test in (("exact_match", recipes.LONG), ("two_nouns", recipes.TWO)):
            count = float(row[name]) * recipes.TESTS[test]
            assert count == pytest.approx(round(count), abs=5e-5 * recipes.TESTS[test])
    for before, after in pairwise(rows):
        if (before["arm"], before["seed"]) == (after["arm"], after["seed"]):
            assert float(before["cpu_seconds"]) < float(after["cpu_seconds"])


def test_log_of_the_speed_is_complete():
    rows = rows_of(recipes.SPEED)
    assert [(row["way"], row["memory"]) for row in rows] == TIMED
    for row in rows:
        assert float(row["lowest"]) <= float(row["milliseconds"]) <= float(row["highest"])


def test_costs_are_those_of_the_log():
    """Of an update, relative to the present recipe computed fast; by a fifth at most."""
    found = {
        row["way"]: float(row["milliseconds"])
        for row in rows_of(recipes.SPEED)
        if row["memory"] == "as it comes"
    }
    fast = found["and packed projections: fast"]
    for name, lever in LEVERS.items():
        if way := found.get(f"fast, {name}"):
            assert way / fast == pytest.approx(lever.cost, rel=0.2), name
