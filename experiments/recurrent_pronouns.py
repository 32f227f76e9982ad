"""Do the recurrent translators learn the pronoun too? Three seeds of each, and when.

For chapter 9. The two main arms of `bottleneck.py` are trained again as there, on the same
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

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import bottleneck
import torch
from translation import PRONOUNS, right_pronouns, with_pronouns

from attention.recurrent import new_translator
from attention.training import BatchesByLength, TrainingRun

OUTPUT = Path(__file__).with_suffix(".csv")
ARMS = ("fixed", "additive")


def measure(arm: str, seed: int) -> list[dict]:
    """Train one model; return its rows."""
    torch.set_num_threads(1)
    config, _ = bottleneck.ARMS[arm]
    data = BatchesByLength(bottleneck.training_pairs(arm), bottleneck.BATCH, seed)
    run = TrainingRun(new_translator(config, seed), data, bottleneck.RECIPE)
    rows = []
    for stop in bottleneck.LONG:
        run.advance(stop - run.step)
        for split, count in PRONOUNS.items():
            right = right_pronouns(run.model, with_pronouns(split, count))
            share = f"{sum(right) / count:.4f}"
            rows.append(
                {"arm": arm, "seed": seed, "updates": stop, "test": split, "pronouns": share}
            )
        print(arm, seed, stop, *(row["pronouns"] for row in rows[-len(PRONOUNS) :]), flush=True)
    return rows


def main() -> None:
    """Run all, and file the rows as they come."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        runs = {
            pool.submit(measure, arm, seed): (arm, str(seed))
            for seed in bottleneck.SEEDS
            for arm in ARMS
        }
        for done in as_completed(runs):
            bottleneck.write(OUTPUT, done.result(), {runs[done]}, list(ARMS))
            print(*runs[done], "is done", flush=True)


if __name__ == "__main__":
    main()
