"""Is the one vector the bottleneck? Translators with it and without it, and controls.

The experiment of chapters 1 and 2. All models but "more data" learn the same sentences of
`attention.corpus`, 5 to 20 English words, and are tested on new ones of the same
lengths and, apart from that, on longer ones. It writes

    bottleneck.csv          one row for each run, number of updates and test: exact
                            match and token accuracy
    bottleneck_log.csv      loss, target tokens and CPU seconds of each run, every 100
                            updates
    ../weights/translator-fixed.safetensors, translator-additive.safetensors
                            seed 0 of the two main arms

    .venv/bin/python experiments/bottleneck.py              everything, an hour and a half
    .venv/bin/python experiments/bottleneck.py fixed dot    these arms, in the same files

The arms:

    fixed       one vector for the sentence; trained longest, so that it can be seen
                whether it stops improving
    additive    Bahdanau's attention, with as many parameters in all
    dot         the same with dot-product scores
    more data   the fixed vector, trained on eight times as many sentences; seed 0 only
    width 48, width 96, width 384
                the fixed vector narrower and wider (192 is "fixed"), and the encoder
                before it with it; the decoder stays, so the parameters differ
    reversed    the fixed vector, from an encoder that reads backwards (Sutskever's
                trick), and its control
    forwards    the same, reading forwards

Runs are counted in updates. The rate rises for 200 updates and falls with the inverse
root of their number, so a run can be read off at any update: at equal updates, at equal
CPU seconds, or where it stops improving. Computed in float32 on one thread: the same
command gives the same numbers, but for the seconds, on the same kind of processor.
"""

import argparse
import csv
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import torch

from attention import corpus
from attention.generate import greedy
from attention.recurrent import RecurrentConfig, new_translator, parameters_of, width_for
from attention.recurrent import save as save_translator
from attention.training import (
    BatchesByLength,
    Recipe,
    TrainingRun,
    decode_all,
    exact_matches,
    right_tokens,
)

OUTPUT = Path(__file__).with_suffix(".csv")
LOG = OUTPUT.with_name("bottleneck_log.csv")
WEIGHTS = OUTPUT.parent.parent / "weights"
SEEDS = (0, 1, 2)
BATCH = 64
SHORT = (500, 1000, 2000, 3000)  # for the controls
MIDDLE = (*SHORT, 4000)
LONG = (*MIDDLE, 6000, 8000, 10000, 12000, 16000)
LONGEST = (*LONG, 20000, 24000)
TESTS = {name: 300 for name in corpus.SPLITS if name.startswith("length")} | {
    "validation": 400,
    "longer 21-40": 400,
    "unseen combinations": 300,
}
RECIPE = Recipe(learning_rate=4e-3, schedule="inverse root", warm_up=200, clip=1.0)

ADDITIVE = RecurrentConfig(
    source_symbols=len(corpus.english_vocabulary()),
    target_symbols=len(corpus.french_vocabulary()),
    score="additive",
    d_embedding=64,
    d_encoder=96,
    d_decoder=128,
    d_score=64,
)
WIDTH = 2 * ADDITIVE.d_encoder  # of the fixed vector: that of the context in "additive"


def fixed(d_context: int, reading: str = "both") -> RecurrentConfig:
    """Make the fixed vector's model, with a vector and an encoder of this width."""
    directions = 2 if reading == "both" else 1
    bare = replace(ADDITIVE, score=None, d_context=WIDTH)
    d_decoder = width_for(parameters_of(ADDITIVE), bare)  # at WIDTH as many parameters in all
    return replace(
        bare,
        reading=reading,
        d_context=d_context,
        d_encoder=d_context // directions,
        d_decoder=d_decoder,
    )


ARMS = {
    "additive": (ADDITIVE, LONG),
    "fixed": (fixed(WIDTH), LONGEST),
    "dot": (replace(ADDITIVE, score="dot"), MIDDLE),
    "more data": (fixed(WIDTH), LONGEST),
    "width 48": (fixed(48), SHORT),
    "width 96": (fixed(96), SHORT),
    "width 384": (fixed(384), SHORT),
    "reversed": (fixed(WIDTH, "backwards"), SHORT),
    "forwards": (fixed(WIDTH, "forwards"), SHORT),
}


def seeds_of(arm: str) -> tuple[int, ...]:
    """Say with which seeds an arm is run; drawing for "more data" alone takes minutes."""
    return SEEDS[:1] if arm == "more data" else SEEDS


@cache
def numbers(split: str, count: int, seed: int = 0) -> list[tuple[list[int], list[int]]]:
    """Draw the pairs of a split, as token numbers."""
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    pairs = corpus.draw_split(split, count, seed)
    return [(english.encode(pair.english), french.encode(pair.french)) for pair in pairs]


@cache
def training_pairs(arm: str) -> list[tuple[list[int], list[int]]]:
    """Draw what an arm is trained on.

    All lengths are equally frequent, but there are not enough different sentences of
    five words for one large draw. Between draws short sentences come again.
    """
    draws = 8 if arm == "more data" else 1
    return [pair for seed in range(draws) for pair in numbers("train", 60_000, seed)]


def measure(arm: str, seed: int) -> tuple[list[dict], list[dict]]:
    """Train one model; return its rows of the two files."""
    torch.set_num_threads(1)
    config, stops = ARMS[arm]
    data = BatchesByLength(training_pairs(arm), BATCH, seed)
    run = TrainingRun(new_translator(config, seed), data, RECIPE)
    rows = []
    for stop in stops:
        run.advance(stop - run.step)
        rows += [row | {"arm": arm, "seed": seed, "updates": stop} for row in tested(run.model)]
    for row in rows:
        row["parameters"] = parameters_of(config)
    log = [
        {
            "arm": arm,
            "seed": seed,
            "updates": entry.step,
            "loss": f"{entry.loss:.4f}",
            "tokens": entry.tokens,
            "cpu_seconds": f"{entry.cpu_seconds:.1f}",
        }
        for entry in run.log
        if entry.step % 100 == 0
    ]
    if seed == 0 and arm in ("fixed", "additive"):
        save_translator(WEIGHTS / f"translator-{arm}.safetensors", run.model)
    return rows, log


def tested(model: torch.nn.Module) -> Iterator[dict]:
    """Measure a model on every test."""
    for split, count in TESTS.items():
        pairs = numbers(split, count)
        sources, targets = zip(*pairs, strict=True)
        outputs = decode_all(partial(greedy, model), sources)
        right, tokens = right_tokens(model, pairs)
        yield {
            "test": split,
            "exact_match": f"{sum(exact_matches(outputs, targets)) / count:.4f}",
            "token_accuracy": f"{(right.sum() / tokens.sum()).item():.4f}",
        }


def write(path: Path, rows: list[dict], done: set[tuple[str, str]], order: list[str]) -> None:
    """Put new rows into a file, in place of the old ones of the same runs, arms in order."""
    old = list(csv.DictReader(path.open())) if path.exists() else []
    kept = [row for row in old if (row["arm"], row["seed"]) not in done]
    every = sorted(
        kept + [{key: str(value) for key, value in row.items()} for row in rows],
        key=lambda row: (order.index(row["arm"]), row["seed"], int(row["updates"])),
    )
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(every)


def main() -> None:
    """Run what was asked for, and file the rows as they come."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arms", nargs="*", choices=[[], *ARMS], help="default: all")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        runs = {
            pool.submit(measure, arm, seed): (arm, str(seed))
            for seed in arguments.seeds
            for arm in arguments.arms or ARMS
            if seed in seeds_of(arm)
        }
        for done in as_completed(runs):
            rows, log = done.result()
            write(OUTPUT, rows, {runs[done]}, list(ARMS))
            write(LOG, log, {runs[done]}, list(ARMS))
            print(*runs[done], "is done", flush=True)


if __name__ == "__main__":
    main()
