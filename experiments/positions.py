"""Compare five ways to tell positions apart when the text grows longer.

The experiment of chapter 7. A causal model of two layers reads random symbols, and
has a question to answer at every one of them. It is trained on texts of 32 symbols and
tested on new ones of 512. As it is causal, its answer at position p is what a text of
length p would get, so the positions after the 32nd are the test of longer texts. There
are two questions, since there are two uses of position:

    distance   which symbol stood here 3 places ago? Where it stood is all there is to
               know; what it is says nothing.
    recency    each symbol is a key with a value (8 keys, 8 values). Which value had
               this key when it came last? The key says which ones to look at, and
               position which of them is the latest. A longer text has more of them,
               but the right one is no further away.

In a long text the answer lies no further back than in a short one (for recency, more
than 32 places back about once in 70 times), so what is new to the model there is the
numbers of the positions, and how many of them there are. It writes positions.csv: one row for
each question, scheme, seed and stretch of positions, with the accuracy there (guessing:
one in 16 for distance, one in 8 for recency).

    .venv/bin/python experiments/positions.py           30 runs, a quarter of an hour
    .venv/bin/python experiments/positions.py --trial   10 short runs, writes nothing

Learned positions have rows up to 512, of which training touches 32. Counted in steps,
in float32 on one thread: the same command gives the same file on the same kind of
processor.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from torch import Tensor, nn

from attention.training import END, PADDING, Batch, Recipe, TrainingRun, evaluating, token_loss
from attention.transformer import POSITIONS, TransformerConfig, new_transformer

OUTPUT = Path(__file__).with_suffix(".csv")
QUESTIONS = ("distance", "recency")
SEEDS = (0, 1, 2)
FIRST = END + 1  # the number of the first symbol
SYMBOLS, BACK = 16, 3  # of the question "distance"
KEYS, VALUES = 8, 8  # of the question "recency"
TRAINED, TESTED = 32, 512
STRETCHES = ((1, 16), (17, 32), (33, 48), (49, 64), (65, 128), (129, 256), (257, 512))
STEPS, BATCH, TESTS = 1200, 32, 64


def ask(question: str, batch: int, length: int, generator: torch.Generator) -> Batch:
    """Draw texts; the target at each position is the answer there, or PADDING for none."""
    if question == "distance":
        symbols = torch.randint(SYMBOLS, (batch, length), generator=generator)
        before = symbols.roll(BACK, 1)  # (batch, length): what stood BACK places ago
        known = (torch.arange(length) >= BACK).expand(batch, length)
    else:
        key = torch.randint(KEYS, (batch, length), generator=generator)
        value = torch.randint(VALUES, (batch, length), generator=generator)
        symbols = key * VALUES + value
        earlier = (key[:, :, None] == key[:, None, :]).tril(-1)  # (batch, length, length)
        place = torch.arange(length) + 1
        last = (earlier * place).amax(-1)  # (batch, length): where the key was, from 1; 0 if new
        before = value.gather(1, (last - 1).clamp(min=0))
        known = last > 0
    return Batch(symbols + FIRST, torch.where(known, before + FIRST, PADDING))


class Texts(Sequence[Batch]):
    """Fresh texts for every step of training."""

    def __init__(self, question: str, seed: int):
        self.question, self.seed = question, seed

    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, step: int) -> Batch:
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * (step + 1))
        return ask(self.question, BATCH, TRAINED, generator)


def loss(model: nn.Module, batch: Batch, _: Recipe) -> Tensor:
    """Average the cross-entropy over all questions that have an answer."""
    return token_loss(model(batch.source), batch.target)


def run(job: tuple[str, str, int, int]) -> list[dict[str, object]]:
    """Train one model; return its rows of the table."""
    question, scheme, seed, steps = job
    torch.set_num_threads(1)
    symbols = FIRST + (SYMBOLS if question == "distance" else KEYS * VALUES)
    config = TransformerConfig(
        source_symbols=None,
        target_symbols=symbols,
        d_model=64,
        heads=4,
        d_ff=128,
        decoder_layers=2,
        position=scheme,
        tie_logits=False,
        max_length=TESTED,
    )
    recipe = Recipe(learning_rate=3e-3, schedule="linear", warm_up=50, steps=steps)
    training = TrainingRun(new_transformer(config, seed), Texts(question, seed), recipe, loss)
    training.advance(steps)
    return [
        {"question": question, "scheme": scheme, "seed": seed, "first": first, "last": last}
        | {"accuracy": f"{accuracy:.4f}"}
        for first, last, accuracy in tested(training.model, question)
    ]


def tested(model: nn.Module, question: str) -> Iterator[tuple[int, int, float]]:
    """Measure the accuracy in each stretch of positions, the first position being 1."""
    with evaluating(model):
        batch = ask(question, TESTS, TESTED, torch.Generator().manual_seed(99))
        answers = torch.cat([model(texts).argmax(-1) for texts in batch.source.split(16)])
    right, asked = answers == batch.target, batch.target != PADDING  # (TESTS, TESTED)
    for first, last in STRETCHES:
        inside = slice(first - 1, last)
        yield first, last, (right[:, inside].sum() / asked[:, inside].sum()).item()


def main() -> None:
    """Run everything and write the table, or a part of it and print that."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trial", action="store_true", help="one seed, a third of the steps")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    arguments = parser.parse_args()
    seeds, steps = (SEEDS[:1], STEPS // 3) if arguments.trial else (SEEDS, STEPS)
    jobs = [(q, scheme, seed, steps) for q in QUESTIONS for scheme in POSITIONS for seed in seeds]
    rows = []
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for job, done in zip(jobs, pool.map(run, jobs), strict=True):
            print(*job, *(row["accuracy"] for row in done), flush=True)
            rows += done
    if not arguments.trial:
        with OUTPUT.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
