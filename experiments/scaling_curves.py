"""Train the recall model with and without the scale; write every step's loss.

The first figure of training in the chapter on scaling: one seed, one learning rate. The
chapter trains these six models again, live, but draws their losses from here, since they
do not travel: without the scale, a last digit that another processor rounds otherwise has
become a visible difference within 400 steps. It writes

    scaling_curves.csv      d_k, arm, step, loss (nats) of that step's batch

    .venv/bin/python experiments/scaling_curves.py      half a minute
"""

from itertools import product
from pathlib import Path

import common
from attention.tasks.recall import RecallConfig, train

OUTPUT = Path(__file__).with_suffix(".csv")
WIDTHS = (16, 64, 256)
LEARNING_RATE, STEPS = 0.002, 400
SEEDS = (0,)


def scales(d_k: int) -> dict[str, float]:
    """Return the factor on the scores of each arm."""
    return {"scaled": d_k**-0.5, "unscaled": 1.0}


@common.threads(1)
def losses(d_k: int, arm: str, seed: int = SEEDS[0], steps: int = STEPS) -> list[float]:
    """Train one model and return the loss of each step."""
    return train(RecallConfig(d_k, scales(d_k)[arm]), LEARNING_RATE, seed, steps)[1]


def measure(
    d_k: int, arm: str, seed: int, asked: common.Asked = common.PLAIN
) -> list[dict[str, object]]:
    """Train one model; return a row for each step."""
    found = losses(d_k, arm, seed, steps=4 if asked.quick else STEPS)
    return [
        {"d_k": d_k, "arm": arm, "step": step, "loss": f"{loss:.6g}"}
        for step, loss in enumerate(found, start=1)
    ]


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, scales(1), SEEDS, argv)
    jobs, order = (list(product(WIDTHS, arms, SEEDS)) for arms in (asked.arms, scales(1)))
    if asked.quick:
        jobs = jobs[:1]
    common.run(measure, jobs, asked, [OUTPUT], ("d_k", "arm"), [job[:2] for job in order])


if __name__ == "__main__":
    main()
