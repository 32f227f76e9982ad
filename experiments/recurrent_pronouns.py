"""Do the recurrent translators learn the pronoun too? Three seeds of each, and when.

For chapter 10. The two main arms of `bottleneck.py` are trained again as there, on the same
sentences in the same order, and shown the held-out sentences on which `translation.py`
tests the transformer: with one *it*, two or three nouns it could mean, of both genders. It
writes

    recurrent_pronouns.csv      one row for each run, number of updates and test: how
                                often the right pronoun is likelier than the other one,
                                given the true words before it

    .venv/bin/python experiments/recurrent_pronouns.py      all six runs, 35 minutes

Computed in float32 on one thread: the same command gives the same numbers on the same kind
of processor.
"""

from pathlib import Path

import common
from attention.recurrent import new_translator
from attention.training import BatchesByLength, TrainingRun
from shared.translators import (
    ADDITIVE,
    BATCH,
    LONG,
    PRONOUNS,
    QUICK_PRONOUNS,
    QUICK_STOPS,
    RECIPE,
    SEEDS,
    WIDTH,
    fixed,
    right_pronouns,
    training_pairs,
    with_pronouns,
)

OUTPUT = Path(__file__).with_suffix(".csv")
ARMS = {"fixed": fixed(WIDTH), "additive": ADDITIVE}


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Train one model; return its rows."""
    updates, tests = (QUICK_STOPS, QUICK_PRONOUNS) if asked.quick else (LONG, PRONOUNS)
    data = BatchesByLength(training_pairs("quick" if asked.quick else arm), BATCH, seed)
    run = TrainingRun(new_translator(ARMS[arm], seed), data, RECIPE)

    def at_stop() -> list[dict]:
        about = {"arm": arm, "seed": seed, "updates": run.step}
        rows = []
        for split, count in tests.items():
            right = right_pronouns(run.model, with_pronouns(split, count))
            rows.append(about | {"test": split, "pronouns": f"{sum(right) / count:.4f}"})
        return rows

    found = common.stops(run, updates, at_stop, asked.keep(arm, seed))
    return [row for rows in found for row in rows]


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    jobs = [(arm, seed) for seed in asked.seeds for arm in asked.arms]
    order = [(arm, seed) for arm in ARMS for seed in SEEDS]
    common.run(measure, jobs, asked, [OUTPUT], ("arm", "seed"), order)


if __name__ == "__main__":
    main()
