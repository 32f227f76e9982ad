"""Train the recall model with and without the scale; write experiments/scaling.csv.

The experiment of chapter 5. One row for each run: the width d_k, the arm, the
learning rate, the seed, how many steps it took to a loss of 0.5 nats (empty: not
within 600), and what `attention.tasks.recall.probe` measures before and after.

    .venv/bin/python experiments/scaling.py       all 960 runs, about 45 minutes

Everything is counted in steps and computed in float64 on one thread, so the
same command gives the same file.
"""

import math
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import torch

import common
from attention.tasks.recall import RecallConfig, RecallModel, probe, steps_to, train

OUTPUT = Path(__file__).with_suffix(".csv")
WIDTHS = (16, 64, 256)
LEARNING_RATES = (0.0003, 0.001, 0.002, 0.004, 0.01, 0.03)
BEST = 0.01
# One arm does in every step what "scaled" does, so that the rates at which that one is at its
# best, to the threshold or in the end, are enough to see it. Another is at its best at the edge
# of the rates, so it is given one more.
OTHER_RATES = {
    "unscaled, small, slow W_Q": (0.002, 0.004, BEST),
    "unscaled, slow W_Q and W_K": (*LEARNING_RATES, 0.1),
}
SEEDS = range(8)
STEPS = 600
# Components of variance 1, as the derivation assumes; and of variance 1/3, as
# torch.nn.Linear starts out.
DEFAULT_STD = 1 / math.sqrt(3)


def arms(d_k: int) -> dict[str, tuple[RecallConfig, dict[str, float]]]:
    """Return what is compared at one width: models, and factors on single learning rates.

    The scale does two things. It makes the scores of the start small, and it makes what a
    step changes in the scores small. Two arms have one of these without the other: "small
    W_Q", and "slow W_Q and W_K". And "small, slow W_Q" is the scaled model in disguise: the
    same function after each step, since Adam's steps do not depend on the size of the
    gradient (but for rounding, and for the small constant that Adam adds).
    """
    scale = 1 / math.sqrt(d_k)
    large, small = RecallConfig(d_k, 1.0), RecallConfig(d_k, 1.0, query_factor=scale)
    return {
        "scaled": (RecallConfig(d_k, scale), {}),
        "unscaled": (large, {}),
        "unscaled, small W_Q": (small, {}),
        "unscaled, small, slow W_Q": (small, {"W_Q": scale}),
        "unscaled, slow W_Q and W_K": (large, {"W_Q": scale, "W_K": scale}),
        "scaled, default init": (RecallConfig(d_k, scale, init_std=DEFAULT_STD), {}),
        "unscaled, default init": (RecallConfig(d_k, 1.0, init_std=DEFAULT_STD), {}),
    }


# A saturated softmax makes denormal numbers, which are slow, not different.
@common.threads(1, flush_denormals=True)
def measure(
    d_k: int, arm: str, learning_rate: float, seed: int, asked: common.Asked = common.PLAIN
) -> list[dict[str, object]]:
    """Train one model and measure it before and after; return its row."""
    config, rate_factors = arms(d_k)[arm]
    start = probe(RecallModel(config, torch.Generator().manual_seed(seed)))
    steps = 4 if asked.quick else STEPS
    model, losses = train(config, learning_rate, seed, steps, rate_factors=rate_factors)
    end = probe(model)
    row = {
        "d_k": d_k,
        "arm": arm,
        "learning_rate": learning_rate,
        "seed": seed,
        "steps_to_half": steps_to(losses),
        **{f"{name}_before": f"{value:.6g}" for name, value in start.items()},
        **{f"{name}_after": f"{value:.6g}" for name, value in end.items()},
    }
    return [row]


def jobs_of(arms: Iterable[str], seeds: Iterable[int]) -> list[tuple[int, str, float, int]]:
    """List the runs of some arms, in the order of the log."""
    return [
        (d_k, arm, rate, seed)
        for d_k, arm in product(WIDTHS, arms)
        for rate, seed in product(OTHER_RATES.get(arm, LEARNING_RATES), seeds)
    ]


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, arms(1), SEEDS, argv)
    jobs, order = jobs_of(asked.arms, asked.seeds), jobs_of(arms(1), SEEDS)
    if asked.quick:
        jobs = [job for job in jobs if job[::2] == (WIDTHS[0], BEST)]
    common.run(measure, jobs, asked, [OUTPUT], ("d_k", "arm", "learning_rate", "seed"), order)


if __name__ == "__main__":
    main()
