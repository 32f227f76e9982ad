"""Find the positions that let a translator go beyond the lengths it was trained on.

For chapter 9. The transformer of the arm "small" of `translation.py`, same sizes, sentences,
batches and number of updates, once with each way to say where a word stands (chapter 7).
All are trained on sentences of 5 to 20 English words. It writes

    longer.csv      one row for each run and test: exact match, token accuracy given the
                    true words before, and how many outputs never end

    .venv/bin/python experiments/longer.py          all fifteen runs, 35 minutes

"sinusoidal" is what the translators of the chapter have, and the control. Of the learned
positions those beyond the training stay as they were drawn. Computed in float32 on one
thread: the same command gives the same numbers on the same kind of processor.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import bottleneck
import torch
import translation

from attention import corpus
from attention.generate import greedy
from attention.training import (
    END,
    BatchesByLength,
    TrainingRun,
    decode_all,
    exact_matches,
    right_tokens,
)
from attention.transformer import POSITIONS, new_transformer

OUTPUT = Path(__file__).with_suffix(".csv")
SEEDS = (0, 1, 2)
UPDATES = translation.ARMS["small"][2][-1]
COUNT = 300
LENGTHS = {"17-20": range(17, 21), "21-24": range(21, 25), "25-30": range(25, 31)} | {
    "31-40": range(31, 41)
}


@cache
def sentences(lengths: str) -> list[tuple[list[int], list[int]]]:
    """Draw test sentences of these lengths, as token numbers."""
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    split = "length 17-20" if lengths == "17-20" else "longer 21-40"
    pairs = corpus.draw_split(split, COUNT, lengths=LENGTHS[lengths])
    return [(english.encode(pair.english), french.encode(pair.french)) for pair in pairs]


def measure(position: str, seed: int) -> list[dict]:
    """Train one model; return its rows."""
    torch.set_num_threads(1)
    config = replace(translation.config_of("small"), position=position)
    data = BatchesByLength(bottleneck.training_pairs("additive"), bottleneck.BATCH, seed)
    run = TrainingRun(new_transformer(config, seed), data, translation.RECIPE)
    run.advance(UPDATES)
    rows = []
    for lengths in LENGTHS:
        pairs = sentences(lengths)
        sources, targets = zip(*pairs, strict=True)
        outputs = decode_all(partial(greedy, run.model), sources)
        right, tokens = right_tokens(run.model, pairs)
        rows.append(
            {
                "arm": position,
                "seed": seed,
                "updates": UPDATES,
                "test": lengths,
                "exact_match": f"{sum(exact_matches(outputs, targets)) / COUNT:.4f}",
                "token_accuracy": f"{(right.sum() / tokens.sum()).item():.4f}",
                "never_ends": f"{sum(END not in output for output in outputs) / COUNT:.4f}",
            }
        )
    return rows


def main() -> None:
    """Run what was asked for, and file the rows as they come."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("positions", nargs="*", choices=[[], *POSITIONS], help="default: all")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        runs = {
            pool.submit(measure, position, seed): (position, str(seed))
            for seed in SEEDS
            for position in arguments.positions or POSITIONS
        }
        for done in as_completed(runs):
            bottleneck.write(OUTPUT, done.result(), {runs[done]}, list(POSITIONS))
            print(*runs[done], [row["exact_match"] for row in done.result()], flush=True)


if __name__ == "__main__":
    main()
