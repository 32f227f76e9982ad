"""The task of an induction head, its training by hand, and the log of its experiment."""

import csv
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import load_without_shape_checks

from attention import gradients
from attention.by_hand import causal_mask
from attention.tasks import induction
from attention.tasks.induction import Induction, draw_texts, new_model, probe, rate_at, train_model

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"
SMALL = {"d_model": 8, "d_k": 4, "symbols": 10, "length": 12, "block": 3, "batch": 4}
plain = load_without_shape_checks("tasks/induction")


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# ------------------------------------------------------------------- the task


@pytest.mark.parametrize("settings", [Induction(), Induction(**SMALL)], ids=["large", "small"])
def test_one_block_stands_twice_and_nothing_else_does(settings):
    texts = draw_texts(settings, 300, generator())
    block = settings.block
    for tokens, first, second in zip(
        texts.tokens.tolist(), texts.first.tolist(), texts.second.tolist(), strict=True
    ):
        assert 0 <= first <= second - block <= settings.length - 2 * block
        assert tokens[first : first + block] == tokens[second : second + block]
        rest = tokens[:second] + tokens[second + block :]
        assert len(rest) == len(set(rest)) == settings.length - block
        assert set(rest) <= set(range(settings.symbols))


def test_what_is_wanted_stands_after_the_first_of_its_kind():
    settings = Induction()
    texts = draw_texts(settings, 100, generator())
    assert (texts.wanted.sum(1) == settings.block - 1).all()
    assert np.array_equal(texts.targets[:, :-1], texts.tokens[:, 1:])
    assert not texts.targets[:, -1].any()
    for text, position in np.argwhere(texts.wanted):
        tokens = texts.tokens[text].tolist()
        earlier = tokens.index(tokens[position])
        assert earlier < position
        assert tokens[earlier + 1] == texts.targets[text, position]
        assert texts.second[text] <= position < texts.second[text] + settings.block - 1


def test_no_distance_gives_the_block_away():
    """The gap is drawn: whoever counts back the commonest distance is seldom right."""
    texts = draw_texts(Induction(), 2000, generator())
    distances = np.bincount(texts.second - texts.first)
    assert (distances[6:19] > 0).all()
    assert distances.max() < 0.2 * 2000
    for symbol in range(24):
        assert (texts.tokens == symbol).any()
    assert set(texts.first) == set(range(13))
    assert set(texts.second) == set(range(6, 19))


def test_texts_repeat_themselves_from_the_seed():
    one, same, other = (draw_texts(Induction(), 5, generator(seed)) for seed in (0, 0, 1))
    assert np.array_equal(one.tokens, same.tokens)
    assert not np.array_equal(one.tokens, other.tokens)


def test_the_example_is_the_same_for_all_seeds():
    tokens = Induction(seed=5).example_tokens()
    assert tokens == Induction(seed=6).example_tokens()
    assert len(tokens) == 24
    assert len(set(tokens)) == 18  # six letters stand twice
    assert "".join(tokens).isalpha()


def test_the_rate_rises_and_falls():
    settings = Induction(rate=0.5, steps=250)
    rates = [rate_at(settings, step) for step in range(250)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == rates[49] == rates[50] == 0.5
    assert rates[150] == pytest.approx(0.25)
    assert rates[-1] == pytest.approx(0.5 / 200)
    assert rate_at(Induction(rate=0.5, steps=10), 9) == pytest.approx(0.1)


# ------------------------------------------------------------------- training


def test_frames_tell_how_far_it_has_come():
    settings = Induction(**SMALL, steps=7)
    frames = list(induction.train(settings, every=3))
    assert [frame.step for frame in frames] == [0, 3, 6, 7]
    assert {frame.best for frame in frames} == {1.0}
    for frame in frames:
        assert frame.maps.keys() == {"layer 0", "layer 1"}
        assert frame.maps["layer 1"].shape == (12, 12)
        assert not np.triu(frame.maps["layer 0"], 1).any()
    assert len(list(induction.train(Induction(**SMALL, steps=10, layers=1)))) == 3


@pytest.mark.arithmetic
def test_a_frame_averages_the_texts_since_the_one_before():
    settings = Induction(**SMALL, steps=6)
    single, threes = (list(induction.train(settings, every)) for every in (1, 3))
    assert threes[0].loss == single[0].loss
    for number, frame in enumerate(threes[1:], start=1):
        since = single[3 * number - 2 : 3 * number + 1]
        assert frame.loss == pytest.approx(np.mean([one.loss for one in since]))
        assert frame.accuracy == pytest.approx(np.mean([one.accuracy for one in since]))
        assert np.array_equal(frame.maps["layer 1"], since[-1].maps["layer 1"])


def test_the_first_steps_are_those_of_adam_on_fresh_texts():
    """The loop written out: fifty steps in float64, the same to the last digit."""
    settings = Induction(**SMALL, steps=50)
    rng = generator()
    model, adam = new_model(settings, rng), gradients.Adam(1.0, (0.9, 0.98))
    losses = []
    for step in range(50):
        texts = draw_texts(settings, 4, rng)
        loss, _, changes = model.loss_and_gradients(
            texts.tokens, texts.targets, texts.wanted, causal_mask(12)
        )
        losses.append(loss)
        adam.rate = rate_at(settings, step)
        adam.update(model.parameters, changes)
    frames = list(induction.train(settings, every=1))
    assert [frame.loss for frame in frames[:50]] == losses


def test_settings_reach_the_model():
    model = new_model(Induction(**SMALL, layers=3, scale=False, tied=True), generator())
    assert (model.layers, model.scale, model.tied) == (3, 1, True)
    assert model.parameters["embedding"].shape == (10, 8)
    assert model.parameters["positions"].shape == (12, 8)
    assert model.parameters["W_Q 2"].shape == (8, 4)
    assert new_model(Induction(**SMALL), generator()).scale is None
    *_, frame = induction.train(Induction(**SMALL, causal=False, steps=1))
    assert np.triu(frame.maps["layer 0"], 1).any()


@pytest.mark.arithmetic
def test_two_layers_rise_and_one_does_not():
    """A smaller task, seen in four seeds: 0.9 or more, and less than 0.5."""
    settings = {"symbols": 12, "length": 12, "block": 4, "d_model": 16, "d_k": 16, "steps": 250}
    found = {}
    for layers in (1, 2):
        run = Induction(layers=layers, **settings)
        *_, (model, frame) = train_model(run, every=50)
        found[layers] = probe(model, run)
        assert frame.accuracy == pytest.approx(found[layers]["accuracy"], abs=0.1)
    assert found[2]["accuracy"] > 0.8
    assert found[1]["accuracy"] < 0.5 * found[2]["accuracy"]


def test_probe_measures_what_it_says():
    """A model that is told what to look at and what to say."""
    settings = Induction(**SMALL)
    texts = draw_texts(settings, 5, generator(7))

    class Told(gradients.AttentionOnly):
        def forward(self, tokens, mask=None):
            assert np.array_equal(tokens, texts.tokens)
            assert np.array_equal(mask, causal_mask(12))
            logits = 9.0 * np.eye(10)[texts.targets]
            logits[0] *= -1  # all wrong in one text of five
            first = np.zeros((5, 12, 12))
            first[:, np.arange(1, 12), np.arange(11)] = 0.75
            last = np.zeros((5, 12, 12))
            for text, position in np.argwhere(texts.wanted):
                earlier = texts.tokens[text].tolist().index(texts.tokens[text, position])
                last[text, position, earlier + 1] = 0.25
            return logits, [first, last], []

    model = Told(10, 12, 8, 4, 2, generator())
    measured = probe(model, settings, seed=7, batch=5)
    assert measured["accuracy"] == pytest.approx(4 / 5)
    assert measured["previous"] == pytest.approx(0.75)
    assert measured["induction"] == pytest.approx(0.25)
    logits, _, _ = model.forward(texts.tokens, causal_mask(12))
    assert measured["loss"] == gradients.cross_entropy(logits, texts.targets, texts.wanted)


# ------------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"layers": 0}, "layers: expected a positive integer, got 0"),
        ({"rate": 0}, "rate: expected a positive number, got 0"),
        ({"seed": 0.5}, "seed: expected an integer, got 0.5"),
        ({"block": 1}, "block: expected at least 2, got 1"),
        ({"symbols": 27}, "symbols: expected at most 26, got 27"),
        ({"length": 11}, "length: expected 12 to 30, got 11"),
        ({"length": 31}, "length: expected 12 to 30, got 31"),
        ({"batch": 1.0}, "batch: expected a positive integer, got 1.0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changed, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        plain.Induction(**changed)
    for length in (12, 30):
        assert draw_texts(Induction(length=length), 3, generator()).tokens.shape == (3, length)


def test_other_numbers_are_refused_too():
    model = new_model(Induction(**SMALL), generator())
    for call, message in (
        (lambda: plain.draw_texts(plain.Induction(), 0, generator()), "batch: expected a positive"),
        (lambda: next(plain.train(plain.Induction(), 0)), "every: expected a positive integer"),
        (lambda: plain.probe(model, plain.Induction(**SMALL), seed=0.5), "seed: expected an int"),
        (lambda: plain.probe(model, plain.Induction(**SMALL), batch=0), "batch: expected a pos"),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            call()


# ----------------------------------------------------------- the committed log


@pytest.fixture(scope="module")
def experiment():
    spec = importlib.util.spec_from_file_location("induction", EXPERIMENTS / "induction.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def log() -> list[dict[str, str]]:
    with (EXPERIMENTS / "induction.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def job_of(row: dict[str, str]) -> tuple[str, float, int]:
    return row["arm"], float(row["rate"]), int(row["seed"])


def test_log_is_complete(experiment, log):
    expected = [
        (*job, step)
        for job in experiment.jobs_of(tuple(experiment.ARMS), tuple(experiment.SEEDS))
        for step in range(0, experiment.settings_of(*job).steps + 1, experiment.EVERY)
    ]
    assert [(*job_of(row), int(row["step"])) for row in log] == expected


def test_the_wide_layer_has_as_many_parameters_as_the_two(log):
    counts = {row["arm"]: int(row["parameters"]) for row in log}
    assert counts["one layer"] < counts["two layers"] <= counts["one layer, as many parameters"]


def test_two_layers_rise_and_one_layer_never_does(log):
    """What the chapter says, read off the log: one layer at every seed, rate and step."""
    last = {job_of(row): float(row["accuracy"]) for row in log}
    two = {job: right for job, right in last.items() if job[:2] == ("two layers", 0.02)}
    one = [float(row["accuracy"]) for row in log if row["arm"].startswith("one layer")]
    assert min(two.values()) > 0.9
    assert max(one) < 0.5 * min(two.values())


@pytest.mark.arithmetic
@pytest.mark.parametrize("arm", ["two layers", "one layer"])
def test_the_log_begins_again(experiment, log, arm):
    """The first 30 steps, in float64 and far from solved: the same to the fourth digit."""
    logged = [row for row in log if job_of(row) == (arm, 0.02, 1)][:4]
    again = experiment.measure(arm, 0.02, 1, steps=30)
    assert [row["step"] for row in again] == [0, 10, 20, 30]
    for ours, theirs in zip(again, logged, strict=True):
        for name in ("loss", "previous", "induction"):
            assert float(ours[name]) == pytest.approx(float(theirs[name]), rel=1e-4), name
