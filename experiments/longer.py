"""Find the positions that let a translator go beyond the lengths it was trained on.

For chapter 10. The transformer of the arm "small" of `translation.py`, same sizes, sentences,
batches and number of updates, once with each way to say where a word stands (chapter 8).
All are trained on sentences of 5 to 20 English words. It writes

    longer.csv      one row for each run and test: exact match, token accuracy given the
                    true words before, and how many outputs never end

    .venv/bin/python experiments/longer.py          all fifteen runs, 35 minutes

"sinusoidal" is what the translators of the chapter have, and the control. Of the learned
positions those beyond the training stay as they were drawn. Computed in float32 on one
thread: the same command gives the same numbers on the same kind of processor.
"""

from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from torch import nn

import common
from attention import corpus
from attention.generate import greedy
from attention.training import (
    END,
    BatchesByLength,
    Pair,
    TrainingRun,
    decode_all,
    exact_matches,
    right_tokens,
)
from attention.transformer import POSITIONS, new_transformer
from shared.translators import BATCH, SMALL, SMALL_STOPS, training_pairs, transformer_config
from shared.translators import TRANSFORMER_RECIPE as RECIPE

OUTPUT = Path(__file__).with_suffix(".csv")
SEEDS = (0, 1, 2)
UPDATES = SMALL_STOPS[-1]
COUNT = 300
LENGTHS = {"17-20": range(17, 21), "21-24": range(21, 25), "25-30": range(25, 31)} | {
    "31-40": range(31, 41)
}


@cache
def sentences(lengths: str, count: int = COUNT) -> list[Pair]:
    """Draw test sentences of these lengths, as token numbers."""
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    split = "length 17-20" if lengths == "17-20" else "longer 21-40"
    pairs = corpus.draw_split(split, count, lengths=LENGTHS[lengths])
    return [(english.encode(pair.english), french.encode(pair.french)) for pair in pairs]


@common.threads(1)
def measure(position: str, seed: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Train one model; return its rows."""
    updates, count = (4, 4) if asked.quick else (UPDATES, COUNT)
    config = replace(transformer_config(SMALL), position=position)
    data = BatchesByLength(training_pairs("quick" if asked.quick else "additive"), BATCH, seed)
    run = TrainingRun(new_transformer(config, seed), data, RECIPE)

    def at_the_end() -> list[dict]:
        about = {"arm": position, "seed": seed, "updates": updates}
        return [about | tested(run.model, lengths, count) for lengths in LENGTHS]

    (rows,) = common.stops(run, [updates], at_the_end, asked.keep(position, seed))
    return rows


def tested(model: nn.Module, lengths: str, count: int) -> dict[str, str]:
    """Measure a model on sentences of some lengths."""
    pairs = sentences(lengths, count)
    sources, targets = zip(*pairs, strict=True)
    outputs = decode_all(partial(greedy, model), sources)
    right, tokens = right_tokens(model, pairs)
    return {
        "test": lengths,
        "exact_match": f"{sum(exact_matches(outputs, targets)) / count:.4f}",
        "token_accuracy": f"{(right.sum() / tokens.sum()).item():.4f}",
        "never_ends": f"{sum(END not in output for output in outputs) / count:.4f}",
    }


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, POSITIONS, SEEDS, argv)
    jobs = [(position, seed) for seed in asked.seeds for position in asked.arms]
    order = [(position, seed) for position in POSITIONS for seed in SEEDS]
    common.run(measure, jobs, asked, [OUTPUT], ("arm", "seed"), order)


if __name__ == "__main__":
    main()
