"""Ask whether a deep transformer needs a warm-up, with the norm before or after the sum.

An experiment of chapter 8, after Xiong et al. (2020). A causal model learns the question
"distance" of positions.py: which of 16 symbols stood here 3 places ago? Positions are
rotary. Two layers are enough for it, so a deep model that does not learn it has a problem
with learning and not with the question. All that varies is

    norm           post (after each sum, as in 2017) or pre (before each sublayer)
    layers         12, or 2 as the control: both norms should train there
    learning rate  0.0003, 0.001, 0.003, 0.01: no norm is judged at a rate that does not
                   suit it
    warm-up        none, or 100 steps in which the rate rises in a straight line from 0

and the seed of weights and texts, 0 to 2. The rate falls to 0 in a straight line at the
last step. Gradients are not clipped, as clipping would be a second remedy for first
steps that are too long. It writes norm_placement.csv: for each run and every 50 steps the
mean loss of these steps, in nats for each symbol (guessing: ln 16 = 2.77), and the
accuracy on texts that are never trained on (guessing: one in 16).

    .venv/bin/python experiments/norm_placement.py           96 runs, a quarter of an hour
    .venv/bin/python experiments/norm_placement.py --trial   16 short runs, writes nothing

Counted in steps, in float32 on one thread: the same command gives the same file on the
same kind of processor.
"""

import argparse
import csv
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import torch
from positions import FIRST, SYMBOLS, ask, loss
from torch import nn

from attention.training import PADDING, Batch, Recipe, TrainingRun, evaluating
from attention.transformer import TransformerConfig, new_transformer

OUTPUT = Path(__file__).with_suffix(".csv")
LAYERS = (12, 2)  # the slow ones first
NORMS = ("post", "pre")
RATES = (3e-4, 1e-3, 3e-3, 1e-2)
WARM_UPS = (0, 100)
SEEDS = (0, 1, 2)
STEPS, EVERY = 600, 50
LENGTH, BATCH, TESTS = 32, 8, 64


class Texts(Sequence[Batch]):
    """Fresh texts for every step of training."""

    def __init__(self, seed: int):
        self.seed = seed

    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, step: int) -> Batch:
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * (step + 1))
        return ask("distance", BATCH, LENGTH, generator)


def run(job: tuple[int, str, float, int, int, int]) -> list[dict[str, object]]:
    """Train one model; return its rows of the table."""
    layers, norm, rate, warm_up, seed, steps = job
    torch.set_num_threads(1)
    config = TransformerConfig(
        source_symbols=None,
        target_symbols=FIRST + SYMBOLS,
        d_model=48,
        heads=4,
        d_ff=96,
        decoder_layers=layers,
        norm=norm,
        position="rotary",
        tie_logits=False,
    )
    recipe = Recipe(rate, schedule="linear", warm_up=warm_up, steps=steps, clip=None)
    training = TrainingRun(new_transformer(config, seed), Texts(seed), recipe, loss)
    rows = []
    for step in range(EVERY, steps + 1, EVERY):
        training.advance(EVERY)
        mean = sum(entry.loss for entry in training.log[-EVERY:]) / EVERY
        rows.append(
            {"norm": norm, "layers": layers, "learning_rate": rate, "warm_up": warm_up}
            | {"seed": seed, "step": step, "loss": f"{mean:.4f}"}
            | {"accuracy": f"{accuracy(training.model):.4f}"}
        )
    return rows


def accuracy(model: nn.Module) -> float:
    """Measure how many of the held-out questions are answered right; all models get the same."""
    batch = ask("distance", TESTS, LENGTH, torch.Generator().manual_seed(99))
    with evaluating(model):
        right = model(batch.source).argmax(-1) == batch.target  # (TESTS, LENGTH)
    return (right.sum() / (batch.target != PADDING).sum()).item()


def main() -> None:
    """Run everything and write the table, or a part of it and print that."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trial", action="store_true", help="one seed, two rates, half the steps")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    arguments = parser.parse_args()
    rates, seeds, steps = RATES, SEEDS, STEPS
    if arguments.trial:
        rates, seeds, steps = (3e-4, 3e-3), SEEDS[:1], STEPS // 2
    jobs = list(product(LAYERS, NORMS, rates, WARM_UPS, seeds, [steps]))
    rows = []
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for job, done in zip(jobs, pool.map(run, jobs), strict=True):
            print(*job, done[-1]["loss"], done[-1]["accuracy"], flush=True)
            rows += done
    if not arguments.trial:
        with OUTPUT.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
