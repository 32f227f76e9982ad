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

import csv
from functools import cache
from pathlib import Path

import torch
from bottleneck import ADDITIVE, BATCH, RECIPE, SEEDS, numbers, tested
from torch import nn

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
def held_out() -> list[corpus.Pair]:
    """Draw the sentences that alignments are judged on."""
    return corpus.draw_split("test", 300)


def error_rate(model: Translator) -> float:
    """Compute the error rate of a model's strongest links, French given."""
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    links = []
    for pair in held_out():
        batch = make_batch([(english.encode(pair.english), french.encode(pair.french))])
        with evaluating(model):
            _, weights = model(batch.source, batch.target, return_weights=True)
        links.append(strongest_links(weights[0], len(pair.english), len(pair.french)))
    return alignment_error_rate(
        links, [pair.sure for pair in held_out()], [pair.possible for pair in held_out()]
    )


RUNS = [*(("blind", seed) for seed in SEEDS), ("additive", SEEDS[0])]


def measure(arm: str, seed: int) -> list[dict]:
    """Train one model; return its rows."""
    model = blind_translator(seed) if arm == "blind" else new_translator(ADDITIVE, seed)
    data = BatchesByLength(numbers("train", 60_000), BATCH, seed)
    run = TrainingRun(model, data, RECIPE)
    rows = []
    for stop in UPDATES:
        run.advance(stop - run.step)
        rate = f"{error_rate(run.model):.4f}"
        seen = {"arm": arm, "seed": seed, "updates": stop, "alignment_error_rate": rate}
        rows += [row | seen for row in tested(run.model)]
    parameters = sum(parameter.numel() for parameter in run.model.parameters())
    return [row | {"parameters": parameters} for row in rows]


def main() -> None:
    """Train all models, one after the other, and write the file."""
    torch.set_num_threads(1)
    rows = [row for run in RUNS for row in measure(*run)]
    with OUTPUT.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
