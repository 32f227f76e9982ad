"""When does an induction head appear, and does one layer ever do without? Measured by seed.

Models of attention layers alone read texts in which a block of symbols stands twice, and
continue the second one (`attention.tasks.induction`). Two layers learn it, suddenly. The
controls have one layer: at the same rates, with four times the steps, and with at least as
many parameters as the two. All are trained by the backward pass written by hand in NumPy,
in float64. It writes

    induction.csv      arm, rate, seed, step, parameters, loss (nats), accuracy, previous,
                       induction: each every 10 steps, on the same 200 texts, fresh to all

``previous`` is the first layer's mean weight on the position before, ``induction`` the last
layer's on the symbol that came after in the first block.

    .venv/bin/python experiments/induction.py      4 minutes
"""

from dataclasses import replace
from itertools import product
from pathlib import Path

import common
from attention.tasks.induction import Induction, probe, train_model

OUTPUT = Path(__file__).with_suffix(".csv")
SEEDS = range(5)
EVERY = 10  # steps between two rows
RATE, RATES = 0.02, (0.01, 0.02, 0.05)
TWO, ONE = Induction(layers=2), Induction(layers=1)
# Each arm is trained at these rates.
ARMS: dict[str, tuple[Induction, tuple[float, ...]]] = {
    "two layers": (TWO, RATES),
    "one layer": (ONE, RATES),
    "one layer, four times the steps": (replace(ONE, steps=4 * TWO.steps), (RATE,)),
    "one layer, as many parameters": (replace(ONE, d_model=44, d_k=44), (RATE,)),
}


def jobs_of(arms: tuple[str, ...], seeds: tuple[int, ...]) -> list[tuple[str, float, int]]:
    """List the runs of some arms."""
    return [job for arm in arms for job in product([arm], ARMS[arm][1], seeds)]


def settings_of(arm: str, rate: float, seed: int) -> Induction:
    """Give the settings of a run."""
    return replace(ARMS[arm][0], rate=rate, seed=seed)


def measure(
    arm: str, rate: float, seed: int, asked: common.Asked = common.PLAIN, steps: int | None = None
) -> list[dict[str, object]]:
    """Train one model; return a row for every 10 steps, of the first ``steps`` if given."""
    settings = settings_of(arm, rate, seed)
    if asked.quick:
        steps = 2 * EVERY
    rows = []
    for model, frame in train_model(settings, EVERY):
        parameters = sum(array.size for array in model.parameters.values())
        measured = probe(model, settings)
        row = {"arm": arm, "rate": rate, "seed": seed, "step": frame.step, "parameters": parameters}
        rows.append(row | {name: f"{number:.6g}" for name, number in measured.items()})
        if frame.step == steps:
            break
    return rows


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    jobs = jobs_of(asked.arms, asked.seeds)
    if asked.quick:
        jobs = jobs[:1]
    order = jobs_of(tuple(ARMS), tuple(SEEDS))
    common.run(measure, jobs, asked, [OUTPUT], ("arm", "rate", "seed"), order)


if __name__ == "__main__":
    main()
