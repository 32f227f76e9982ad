"""What a translator learns whose scores never see the encoder.

A control for chapter 2. The model is the one with attention of `bottleneck.py`, and so
are its sentences, its recipe and its tests; only the scores differ. They are made from
the decoder's state alone, one for each place of the source, whatever word stands there.
It writes

    blind_scores.csv    one row for each run, number of updates and test: exact match,
                        token accuracy, and the error rate of its alignment

    .venv/bin/python experiments/blind_scores.py    eight minutes on one core

Compare the exact matches with those of the arms "additive" and "fixed" in
`bottleneck.csv`, at the same updates and seeds. The first seed of "additive" is trained
here as well, for the error rate of its alignment after as many updates.
"""

from functools import cache
from pathlib import Path

import torch
from torch import nn

import common
from attention import corpus
from attention.recurrent import LookBack, Translator, new_translator
from attention.training import (
    BatchesByLength,
    TrainingRun,
    alignment_error_rate,
    evaluating,
    make_batch,
    strongest_links,
)
from shared.translators import (
    ADDITIVE,
    BATCH,
    QUICK_STOPS,
    QUICK_TESTS,
    RECIPE,
    SEEDS,
    TESTS,
    tested,
    training_pairs,
)

OUTPUT = Path(__file__).with_suffix(".csv")
UPDATES = (1000, 2000)
PLACES = max(corpus.LENGTHS) + 1  # of a source, its END counted


class BlindLookBack(LookBack):
    """Looks that choose a place and cannot know what stands there."""

    def __init__(self, d_state: int, d_annotation: int, d_score: int):
        super().__init__(d_state, d_annotation, d_score, "dot")
        self.to_places = nn.Linear(d_score, PLACES)

    def forward(self, state, keys, annotations, mask):
        """Return context and weights; ``keys`` is there and not used: that is the bug."""
        scores = self.to_places(self.W_Q(state))[:, : mask.shape[1]]  # (batch, source_length)
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1)  # (batch, source_length)
        return (weights[:, None] @ annotations).squeeze(1), weights


def blind_translator(seed: int) -> Translator:
    """Make an untrained model with the attention of ``bottleneck.py``, and blind it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Translator(ADDITIVE)
        d_annotation = 2 * ADDITIVE.d_encoder
        model.look_back = BlindLookBack(ADDITIVE.d_decoder, d_annotation, ADDITIVE.d_score)
        return model


@cache
def held_out(count: int) -> list[corpus.Pair]:
    """Draw the sentences that alignments are judged on."""
    return corpus.draw_split("test", count)


def error_rate(model: Translator, pairs: list[corpus.Pair]) -> float:
    """Compute the error rate of a model's strongest links, French given."""
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    links = []
    for pair in pairs:
        batch = make_batch([(english.encode(pair.english), french.encode(pair.french))])
        with evaluating(model):
            _, weights = model(batch.source, batch.target, return_weights=True)
        links.append(strongest_links(weights[0], len(pair.english), len(pair.french)))
    return alignment_error_rate(
        links, [pair.sure for pair in pairs], [pair.possible for pair in pairs]
    )


RUNS = [*(("blind", seed) for seed in SEEDS), ("additive", SEEDS[0])]


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Train one model; return its rows."""
    tests, updates, count = TESTS, UPDATES, 300
    if asked.quick:
        tests, updates, count = QUICK_TESTS, QUICK_STOPS, 4
    pairs = training_pairs("quick" if asked.quick else "additive")
    model = blind_translator(seed) if arm == "blind" else new_translator(ADDITIVE, seed)
    run = TrainingRun(model, BatchesByLength(pairs, BATCH, seed), RECIPE)
    parameters = sum(parameter.numel() for parameter in model.parameters())

    def at_stop() -> list[dict]:
        rate = f"{error_rate(model, held_out(count)):.4f}"
        seen = {"arm": arm, "seed": seed, "updates": run.step, "alignment_error_rate": rate}
        return [row | seen | {"parameters": parameters} for row in tested(model, tests)]

    found = common.stops(run, updates, at_stop, asked.keep(arm, seed))
    return [row for rows in found for row in rows]


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ("blind", "additive"), SEEDS, argv)
    jobs = [run for run in RUNS if run[0] in asked.arms and run[1] in asked.seeds]
    common.run(measure, jobs, asked, [OUTPUT], ("arm", "seed"), RUNS)


if __name__ == "__main__":
    main()
