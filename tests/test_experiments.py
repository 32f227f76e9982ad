"""The committed logs are what the committed scripts write."""

import csv
import importlib.util
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, EXPERIMENTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def scaling_log() -> list[dict[str, str]]:
    with (EXPERIMENTS / "scaling.csv").open() as file:
        return list(csv.DictReader(file))


def test_scaling_log_is_complete(scaling_log):
    scaling = load("scaling")
    expected = {
        (str(d_k), arm, str(rate), str(seed))
        for d_k in scaling.WIDTHS
        for arm in scaling.arms(d_k)
        for rate in scaling.LEARNING_RATES
        for seed in scaling.SEEDS
    }
    found = [(r["d_k"], r["arm"], r["learning_rate"], r["seed"]) for r in scaling_log]
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    "job", [(16, "scaled", 0.01, 0), (64, "unscaled, small W_Q", 0.004, 5)], ids=str
)
def test_scaling_log_can_be_made_again(scaling_log, job):
    """Two of the 720 runs, made again: the same to the log's last digits but one."""
    d_k, arm, rate, seed = job
    (logged,) = [
        r
        for r in scaling_log
        if (r["d_k"], r["arm"], r["learning_rate"], r["seed"])
        == (str(d_k), arm, str(rate), str(seed))
    ]
    again = load("scaling").run(job)
    assert str(again["steps_to_half"] or "") == logged["steps_to_half"]
    for name in again:
        if name.endswith(("_before", "_after")):
            assert float(again[name]) == pytest.approx(float(logged[name]), rel=1e-4), name


def test_main_arms_of_the_bottleneck_have_equal_parameters():
    bottleneck = load("bottleneck")
    counts = {
        arm: bottleneck.parameters_of(bottleneck.ARMS[arm][0])
        for arm in ("fixed", "additive", "dot")
    }
    assert max(counts.values()) <= 1.01 * min(counts.values())
    assert bottleneck.ARMS["fixed"][0].score is None
