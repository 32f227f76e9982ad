"""Train the recall model with and without the scale; write experiments/scaling.csv.

The experiment of chapter 4. One row for each run: the width d_k, the arm, the
learning rate, the seed, how many steps it took to a loss of 0.5 nats (empty: not
within 600), and what `attention.recall.probe` measures before and after.

    .venv/bin/python experiments/scaling.py        all 720 runs, about half an hour

Everything is counted in steps and computed in float64 on one thread, so the
same command gives the same file.
"""

import csv
import itertools
import math
import multiprocessing
import time
from pathlib import Path

import torch
from common import one_thread

from attention.recall import RecallConfig, RecallModel, probe, steps_to, train

OUTPUT = Path(__file__).with_suffix(".csv")
WIDTHS = (16, 64, 256)
LEARNING_RATES = (0.0003, 0.001, 0.002, 0.004, 0.01, 0.03)
SEEDS = range(8)
# Components of variance 1, as the derivation assumes; and of variance 1/3, as
# torch.nn.Linear starts out.
DEFAULT_STD = 1 / math.sqrt(3)


def arms(d_k: int) -> dict[str, RecallConfig]:
    """Return the models that are compared at one width."""
    scale = 1 / math.sqrt(d_k)
    return {
        "scaled": RecallConfig(d_k, scale),
        "unscaled": RecallConfig(d_k, 1.0),
        "unscaled, small W_Q": RecallConfig(d_k, 1.0, query_factor=scale),
        "scaled, default init": RecallConfig(d_k, scale, init_std=DEFAULT_STD),
        "unscaled, default init": RecallConfig(d_k, 1.0, init_std=DEFAULT_STD),
    }


# A saturated softmax makes denormal numbers, which are slow, not different.
@one_thread(flush_denormals=True)
def run(job: tuple[int, str, float, int]) -> dict[str, object]:
    """Train one model and measure it before and after."""
    d_k, arm, learning_rate, seed = job
    config = arms(d_k)[arm]
    start = probe(RecallModel(config, torch.Generator().manual_seed(seed)))
    model, losses = train(config, learning_rate, seed)
    end = probe(model)
    return {
        "d_k": d_k,
        "arm": arm,
        "learning_rate": learning_rate,
        "seed": seed,
        "steps_to_half": steps_to(losses),
        **{f"{name}_before": f"{value:.6g}" for name, value in start.items()},
        **{f"{name}_after": f"{value:.6g}" for name, value in end.items()},
    }


def main() -> None:
    """Run every combination on all cores and write the table."""
    started = time.monotonic()
    jobs = list(itertools.product(WIDTHS, arms(1), LEARNING_RATES, SEEDS))
    with multiprocessing.Pool() as pool:
        rows = []
        for row in pool.imap(run, jobs):
            rows.append(row)
            if len(rows) % 40 == 0:
                minutes = (time.monotonic() - started) / 60
                print(f"{len(rows)} of {len(jobs)} runs, {minutes:.0f} minutes", flush=True)
    with OUTPUT.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"wrote {OUTPUT.name}: {len(rows)} runs")


if __name__ == "__main__":
    main()
