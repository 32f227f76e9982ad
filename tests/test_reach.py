"""The log of experiments/reach.py is what the script writes."""

import csv
import importlib.util
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"
TESTED = {
    "translation": ["5-8", "9-12", "13-16", "17-20"],
    "delay": ["5", "10", "20", "30", "40"],
    "short delay": ["5", "8"],
}


@pytest.fixture(scope="module")
def reach():
    spec = importlib.util.spec_from_file_location("reach", EXPERIMENTS / "reach.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def log() -> list[dict[str, str]]:
    with (EXPERIMENTS / "reach.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_log_is_complete(reach, log):
    runs = {(task, arm, str(seed)) for task, arm in reach.RUNS for seed in reach.SEEDS}
    assert {(row["task"], row["arm"], row["seed"]) for row in log} == runs
    for task, arm, seed in runs:
        rows = [row for row in log if (row["task"], row["arm"], row["seed"]) == (task, arm, seed)]
        for trained in (False, True):
            found = [
                int(row["at"])
                for row in rows
                if row["measure"] == "reach" and (row["updates"] != "0") == trained
            ]
            longest = 20 if task == "translation" else reach.LENGTHS[task][-1]
            assert found == list(range(longest + 1))
        tested = [row["at"] for row in rows if row["measure"] == "exact match"]
        assert tested == TESTED[task]
        assert {int(row["updates"]) for row in rows} <= {0, *reach.UPDATES[task]}


def test_a_run_ends_when_it_is_solved_or_at_the_last_stop(reach, log):
    for task, arm in reach.RUNS:
        for seed in reach.SEEDS:
            rows = [
                row
                for row in log
                if (row["task"], row["arm"], row["seed"]) == (task, arm, str(seed))
                and row["measure"] == "exact match"
            ]
            at_the_end = int(rows[0]["updates"]) == reach.UPDATES[task][-1]
            assert at_the_end or reach.solved(rows)


@pytest.mark.arithmetic
@pytest.mark.parametrize(
    ("task", "arm", "seed"),
    [
        ("delay", "lstm", 1),
        ("short delay", "rnn", 0),
        ("delay", "rnn, orthogonal", 2),
    ],
)
def test_untrained_reach_can_be_made_again(reach, log, task, arm, seed):
    """Not of the translators: to draw their sentences takes most of a minute.

    Nothing was trained, and gradients are float64: an old processor's arithmetic (of
    `make portable`) gives the log's four digits, all of them.
    """
    logged = [
        row
        for row in log
        if (row["task"], row["arm"], row["seed"], row["updates"]) == (task, arm, str(seed), "0")
        and row["measure"] != "parameters"
    ]
    again = list(reach.reach_of(reach.make_model(task, arm, seed), task))
    assert [row["measure"] for row in again] == [row["measure"] for row in logged]
    for new, old in zip(again, logged, strict=True):
        assert float(new["value"]) == pytest.approx(float(old["value"]), rel=1e-3)


def test_delays_ask_for_the_first_symbol_and_tests_are_not_trained_on(reach):
    pairs = reach.delays(60_000, reach.LENGTHS["delay"], seed=0)
    assert all(target == source[:1] for source, target in pairs)
    assert {len(source) for source, _ in pairs} == set(range(2, 41))
    trained = {tuple(source) for source, _ in pairs}
    for length, test in reach.held_out("delay").items():
        if int(length) >= 10:  # of 5 symbols there are too few to keep apart
            assert not trained & {tuple(source) for source, _ in test}
