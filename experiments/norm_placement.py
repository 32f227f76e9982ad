"""Ask whether a deep transformer needs a warm-up, with the norm before or after the sum.

An experiment of chapter 9, after Xiong et al. (2020). A causal model learns the question
"distance" of positions.py: which of 16 symbols stood here 3 places ago? Positions are
rotary. Two layers are enough for it, so a deep model that does not learn it has a problem
with learning and not with the question. All that varies is

    norm           post (after each sum, as in 2017) or pre (before each sublayer)
    layers         12, or 2 as the control: both norms should train there
    learning rate  0.0003, 0.001, 0.003, 0.01: no norm is judged at a rate that does not
                   suit it
    warm-up        none, or 100 steps in which the rate rises in a straight line from 0

and the seed of weights and texts, 0 to 2. The rate falls to 0 in a straight line at the
last step, the 600th. Gradients are not clipped, as clipping would be a second remedy for
first steps that are too long. Two remedies other than a warm-up are tried, on the post-norm
model of 12 layers without one:

    clipping       gradients longer than 1 are shortened to 1, at the rate 0.001
    longer         1,200 steps, at the rate 0.0003, only for seed 0, which came off worst
                   with 600. The rate falls half as fast, so what has been learned by step
                   600 says whether it had fallen too soon

It writes norm_placement.csv: for each run and every 50 steps the mean loss of these steps,
in nats for each symbol (guessing: ln 16 = 2.77), and the accuracy on texts that are never
trained on (guessing: one in 16).

    .venv/bin/python experiments/norm_placement.py           100 runs, a quarter of an hour
    .venv/bin/python experiments/norm_placement.py clipping longer     these four

Counted in steps, in float32 on one thread: the same command gives the same file on the
same kind of processor.
"""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import torch
from torch import nn

import common
from attention.training import PADDING, Recipe, TrainingRun, evaluating
from attention.transformer import TransformerConfig, new_transformer
from shared.symbols import FIRST, SYMBOLS, Texts, ask, loss

OUTPUT = Path(__file__).with_suffix(".csv")
LAYERS = (12, 2)  # the slow ones first
NORMS = ("post", "pre")
RATES = (3e-4, 1e-3, 3e-3, 1e-2)
WARM_UPS = (0, 100)
SEEDS = (0, 1, 2)
STEPS, EVERY = 600, 50
# Each at the rate where it is in question; longer, for the seed that came off worst.
REMEDIES = {"clipping": (1e-3, SEEDS), "longer": (3e-4, SEEDS[:1])}
ARMS = (*NORMS, *REMEDIES)
LENGTH, BATCH, TESTS = 32, 8, 64


@common.threads(1)
def measure(
    layers: int,
    norm: str,
    rate: float,
    warm_up: int,
    remedy: str,
    seed: int,
    asked: common.Asked = common.PLAIN,
) -> list[dict[str, object]]:
    """Train one model; return its rows of the table."""
    last = last_step(remedy)
    every, steps = (2, 4) if asked.quick else (EVERY, last)
    config = TransformerConfig(
        source_vocab_size=None,
        target_vocab_size=FIRST + SYMBOLS,
        d_model=48,
        heads=4,
        d_ff=96,
        decoder_layers=layers,
        norm=norm,
        position="rotary",
        tie_logits=False,
    )
    clip = 1.0 if remedy == "clipping" else None
    recipe = Recipe(rate, schedule="linear", warm_up=warm_up, steps=last, clip=clip)
    texts = Texts("distance", seed, BATCH, LENGTH, last)
    training = TrainingRun(new_transformer(config, seed), texts, recipe, loss)

    def at_stop() -> dict[str, object]:
        mean = sum(entry.loss for entry in training.log[-every:]) / every
        return (
            {"norm": norm, "layers": layers, "learning_rate": rate, "warm_up": warm_up}
            | {"remedy": remedy, "seed": seed, "step": training.step, "loss": f"{mean:.4f}"}
            | {"accuracy": f"{accuracy(training.model):.4f}"}
        )

    keep = asked.keep(layers, norm, rate, warm_up, remedy, seed)
    return list(common.stops(training, range(every, steps + 1, every), at_stop, keep))


def last_step(remedy: str) -> int:
    """Say how many steps a run has."""
    return 2 * STEPS if remedy == "longer" else STEPS


def accuracy(model: nn.Module) -> float:
    """Measure how many of the held-out questions are answered right; all models get the same."""
    batch = ask("distance", TESTS, LENGTH, torch.Generator().manual_seed(99))
    with evaluating(model):
        right = model(batch.source).argmax(-1) == batch.target  # (TESTS, LENGTH)
    return (right.sum() / (batch.target != PADDING).sum()).item()


def jobs_of(arms: Sequence[str], seeds: Sequence[int]) -> list[common.Job]:
    """List the runs of some arms: the norms with all pairs of the settings, and the remedies."""
    norms = [arm for arm in arms if arm in NORMS]
    remedies = [(arm, *REMEDIES[arm]) for arm in arms if arm in REMEDIES]
    return [
        *product(LAYERS, norms, RATES, WARM_UPS, ["none"], seeds),
        *(
            (12, "post", rate, 0, arm, seed)
            for arm, rate, of_arm in remedies
            for seed in seeds
            if seed in of_arm
        ),
    ]


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    jobs, order = jobs_of(asked.arms, asked.seeds), jobs_of(ARMS, SEEDS)
    if asked.quick:
        jobs = [job for job in jobs if job[2] == RATES[0]]
    key = ("layers", "norm", "learning_rate", "warm_up", "remedy", "seed")
    common.run(measure, jobs, asked, [OUTPUT], key, order)


if __name__ == "__main__":
    main()
