"""Train the recall model with and without the scale; write every step's loss.

The first figure of training in the chapter on scaling: one seed, one learning rate. The
chapter trains these six models again, live, but draws their losses from here, since they
do not travel: without the scale, a last digit that another processor rounds otherwise has
become a visible difference within 400 steps. It writes

    scaling_curves.csv      d_k, arm, step, loss (nats) of that step's batch

    .venv/bin/python experiments/scaling_curves.py      half a minute
"""

import csv
from pathlib import Path

from common import one_thread

from attention.recall import RecallConfig, train

OUTPUT = Path(__file__).with_suffix(".csv")
WIDTHS = (16, 64, 256)
LEARNING_RATE, SEED, STEPS = 0.002, 0, 400


def scales(d_k: int) -> dict[str, float]:
    """Return the factor on the scores of each arm."""
    return {"scaled": d_k**-0.5, "unscaled": 1.0}


@one_thread()
def losses(d_k: int, arm: str, steps: int = STEPS) -> list[float]:
    """Train one model and return the loss of each step."""
    return train(RecallConfig(d_k, scales(d_k)[arm]), LEARNING_RATE, SEED, steps)[1]


def main() -> None:
    """Train all six and write the table."""
    with OUTPUT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("d_k", "arm", "step", "loss"))
        for d_k in WIDTHS:
            for arm in scales(d_k):
                for step, loss in enumerate(losses(d_k, arm), start=1):
                    writer.writerow((d_k, arm, step, f"{loss:.6g}"))
    print(f"wrote {OUTPUT.name}")


if __name__ == "__main__":
    main()
