"""Fixed vectors of five widths, and attention, on sentences that are never repeated.

An experiment of chapter 1. Bahdanau et al. conjectured that one vector of fixed length is a
bottleneck. If it is one because the vector is too small, then narrower ones end lower; if
what passes through it is only learned more slowly, then all of them end together. So nothing
but the width of the vector differs here. All models have the same encoder, whose last state
of 192 numbers is projected to the vector, and the same decoder, and they are trained on a
stream: no sentence comes twice, so nothing can be known by heart and there is no overfitting
to be held back. It writes

    stream.csv           one row for each run, number of updates and test: exact match and
                         token accuracy
    stream_log.csv       the mean loss by length of every 100 updates, of sentences that the
                         model had not met; target tokens and CPU seconds
    stream_coverage.csv  how much of the tests' neighbourhood a stream has drawn

    .venv/bin/python experiments/stream.py --jobs 1    everything: some three hours of
                                                       processor time, by estimate

The estimate is for one core on which an update of `translation.py` takes 40 ms. There one of
the 288,000 updates (72,000 in trials) takes 25, 25, 26, 30 and 36 ms by width, and 43 ms with
attention. More jobs at a time take more processor time, as each process draws the streams.

The arms:

    width 24, width 48, width 96, width 192, width 384
                    a fixed vector of this width, at the best rate and dropout of its trials
    additive        Bahdanau's attention, likewise; its contexts have 192 numbers
    ARM: TRIAL      rate and dropout are chosen for each arm by the same search, on a seed
                    and a stream of its own, by token accuracy on the validation sentences
    coverage        of the streams, by counting: nothing is trained

The parameters differ: each number of the vector's width adds 769 to 227,340, which are the
columns that make it (193) and read it (576). "width 192" has 16,448 more than "additive",
which has queries and keys instead of a projection. "width 384" is wider than the state that
it is made from. So it holds nothing that 192 numbers do not, and where it gains over "width
192" the gain is not one of room.

The rate falls with the inverse root of the updates and not to 0, so that a curve that is flat
at the end is flat because the model has stopped improving; ``slopes`` says by how much it
still rose in the last third. Runs are counted in updates, in float32 on one thread: the same
command gives the same numbers, but for the seconds, on the same kind of processor.
"""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import common
from attention.recurrent import RecurrentConfig, new_translator, parameters_of
from attention.training import Recipe, TrainingRun
from shared.logs import read_rows
from shared.streams import BATCHES, Stream, coverage, log_rows, stream
from shared.translators import ADDITIVE, BATCH, QUICK_STOPS, RECIPE, SEEDS, tested

OUTPUT = Path(__file__).with_suffix(".csv")
LOG = OUTPUT.with_name("stream_log.csv")
COVERAGE = OUTPUT.with_name("stream_coverage.csv")
TRIAL_SEED = 100

WIDTHS = (24, 48, 96, 192, 384)
MODELS = {f"width {width}": replace(ADDITIVE, score=None, d_context=width) for width in WIDTHS}
MODELS |= {"additive": ADDITIVE}

STOPS = (500, 1000, 2000, 3000, 4000, 6000, 8000, 9000, 10_000, 11_000, 12_000)
TRIAL_STOPS = (2000,)
TESTS = {f"length {words}": 500 for words in ("5-8", "9-12", "13-16", "17-20")}
TRIAL_TESTS = {"validation": 1000}
QUICK_BATCH, QUICK_TEST = 4, 4  # sentences


class Trial(NamedTuple):
    """A setting that is tried."""

    rate: float
    dropout: float

    def __str__(self):
        return f"rate {self.rate}, dropout {self.dropout}"


TRIALS = tuple(Trial(rate, dropout) for rate in (0.002, 0.004, 0.008) for dropout in (0.0, 0.1))
TRIAL_ARMS = {f"{model}: {trial}": (model, trial) for model in MODELS for trial in TRIALS}
ARMS = ("coverage", *TRIAL_ARMS, *MODELS)


def config_of(model: str, dropout: float) -> RecurrentConfig:
    """Make the config of an arm."""
    return replace(MODELS[model], dropout=dropout)


def recipe_of(rate: float, seed: int) -> Recipe:
    """Make the recipe of a run: the bottleneck's, but for the rate."""
    return replace(RECIPE, learning_rate=rate, seed=seed)


def stops_of(tried: bool, quick: bool) -> tuple[int, ...]:
    """Say after how many updates a run is tested."""
    return QUICK_STOPS if quick else TRIAL_STOPS if tried else STOPS


def tests_of(tried: bool, quick: bool) -> dict[str, int]:
    """Say on how many sentences of which tests a run is tested."""
    tests = TRIAL_TESTS if tried else TESTS
    return dict.fromkeys(tests, QUICK_TEST) if quick else tests


def stream_of(seed: int, tried: bool, quick: bool) -> Stream:
    """Draw all that a run is trained on."""
    rounds = -(-stops_of(tried, quick)[-1] // BATCHES)
    return stream(seed, rounds, QUICK_BATCH if quick else BATCH)


def best_trial(model: str, rows: Iterable[Mapping[str, str]], quick: bool = False) -> Trial:
    """Choose the trial with the highest token accuracy; all must have been run."""
    if quick:
        return Trial(RECIPE.learning_rate, 0.0)
    accuracies = {
        TRIAL_ARMS[row["arm"]][1]: float(row["token_accuracy"])
        for row in rows
        if row["arm"] in TRIAL_ARMS and TRIAL_ARMS[row["arm"]][0] == model
    }
    if len(accuracies) < len(TRIALS):
        raise SystemExit(f"the log lacks trials of {model}: run them first")
    return max(accuracies, key=accuracies.__getitem__)


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> tuple[list[dict], ...]:
    """Train one model; return its rows of the two files."""
    tried = arm in TRIAL_ARMS
    if tried:
        model, trial = TRIAL_ARMS[arm]
    else:
        model, trial = arm, best_trial(arm, read_rows(asked.path(OUTPUT)), asked.quick)
    config = config_of(model, trial.dropout)
    data = stream_of(seed, tried, asked.quick)  # beforehand, so no run's seconds have it in them
    stops, tests = stops_of(tried, asked.quick), tests_of(tried, asked.quick)
    run = TrainingRun(new_translator(config, seed), data, recipe_of(trial.rate, seed))
    found = common.stops(run, stops, lambda: tested(run.model, tests), asked.keep(arm, seed))
    about = {"arm": arm, "seed": seed}
    settings = {**trial._asdict(), "parameters": parameters_of(config)}
    rows = [
        about
        | settings
        | {"updates": stop}
        | row
        | {"cpu_seconds": f"{run.log[stop - 1].cpu_seconds:.1f}"}
        for stop, at_stop in zip(stops, found, strict=True)
        for row in at_stop
    ]
    return rows, [about | row for row in log_rows(run.log, data, TESTS)]


@common.threads(1)
def cover(seed: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Count what a stream has drawn; return the rows of a seed."""
    some = stream_of(seed, False, asked.quick)
    found = coverage(some, stops_of(False, asked.quick), tests_of(False, asked.quick))
    return [{"seed": seed} | row for row in found]


def slopes(
    arm: str, test: str, rows: Iterable[Mapping[str, str]], name: str = "exact_match"
) -> list[float]:
    """Fit a line to the last third of each run; return the gains in 1,000 updates, by seed.

    Parameters
    ----------
    arm, test : str
    rows : iterable of mappings
        Of the log.
    name : str
        Of the column.
    """
    runs: dict[str, dict[int, float]] = {}
    for row in rows:
        if (row["arm"], row["test"]) == (arm, test):
            runs.setdefault(row["seed"], {})[int(row["updates"])] = float(row[name])
    found = []
    for run in runs.values():
        last = [(stop, value) for stop, value in run.items() if 3 * stop >= 2 * max(run)]
        found.append(1000 * statistics.linear_regression(*zip(*last, strict=True)).slope)
    return found


def seeds_of(arm: str, asked: common.Asked) -> tuple[int, ...]:
    """Say with which seeds an arm is run."""
    return (TRIAL_SEED,) if arm in TRIAL_ARMS else asked.seeds


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    if "coverage" in asked.arms:
        every = [(seed,) for seed in SEEDS]
        common.run(cover, [(seed,) for seed in asked.seeds], asked, [COVERAGE], ("seed",), every)
    trained = [arm for arm in ARMS if arm != "coverage"]
    order = [(arm, seed) for arm in trained for seed in seeds_of(arm, common.Asked(seeds=SEEDS))]
    # The trials first, whose best the others take.
    for tried in (True, False):
        arms = [arm for arm in asked.arms if arm != "coverage" and (arm in TRIAL_ARMS) == tried]
        # Seed by seed, so that the arms can be compared early.
        seeds = [TRIAL_SEED] if tried else asked.seeds
        jobs = [(arm, seed) for seed in seeds for arm in arms]
        common.run(measure, jobs, asked, [OUTPUT, LOG], ("arm", "seed"), order, tables=list)


if __name__ == "__main__":
    main()
