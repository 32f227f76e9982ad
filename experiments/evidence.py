"""Climb the ladder of evidence with translators whose sentences have a known answer.

The experiment of chapter 13. `pronouns.py` asked twelve translators and more what they do with
*it*; this one asks what each kind of evidence is worth: of each head, whether it follows the
meaning and whether it is needed; of each cut, what random cuts of equal weight do; of *it*,
with how few words it can do; and of three methods of attribution, whether they name the words
that the grammar knows to be the cause. It writes

    evidence.csv        one row for each model, measure, place and split

    .venv/bin/python experiments/evidence.py            all models, five minutes
    .venv/bin/python experiments/evidence.py final      the committed one alone

Each row is a mean (`value`) over so many (`count`) of the 500 sentences in 250 mirrored pairs
with two nouns, those of `pronouns.py`. Heads are "stack layer.head", counted from 0. The
measures:

    knock-out       how often the pronoun is right when *it* may not attend to some words, in
                    any layer or head of the encoder. "random n": words that are no noun,
                    adjective or *it*, drawn until they have as much weight as the noun that
                    is meant, if there are enough; "keep ...": all but these; "keep it, random
                    n": *it* and as many others as "keep it, nouns, adjective" has
    weight cut      the weight of these edges, summed over layers and heads
    follows         the share of pairs in which a head looks harder at the noun meant on both
                    sides, by halves of the pairs (each second one)
    looks           the head's weight from *it* to the noun meant; in the decoder, from the step
                    that writes the pronoun to the French noun with its article
    head cut        how often the pronoun is right when this head may not attend from there to
                    either noun
    cause           how often a method names the cause, of the sentences with the right pronoun
                    and of all words but *it*: the one it ranks first is the noun meant or the
                    adjective ("first"), the first two are both ("first two"), the adjective
                    is among them, the noun meant is above its rival. "random word" and
                    "nearest noun" are rules that ask no model

It needs the weights that `translation.py` leaves in `_build/translation/`, but for the arm
"final", which is the committed model. Computed in float32 on one thread; what is drawn is drawn
by the sentence.
"""

from functools import cache
from pathlib import Path

import common
from attention.training import evaluating
from attention.transformer import load
from shared.pronoun_batches import Rows
from shared.pronoun_causes import measure_causes
from shared.pronoun_evidence import measure_heads, measure_knock_outs
from shared.pronoun_models import kept_models
from shared.pronoun_sentences import HELD_OUT, MIRRORED, Mirrored, held_out_sentences
from shared.translators import KEPT

OUTPUT = Path(__file__).with_suffix(".csv")
ARMS = {"final": range(1), "small": (0, 2, 6), "four layers": range(3)}
MODELS = [(arm, seed) for arm, seeds in ARMS.items() for seed in seeds]


@cache
def mirrored(count: int) -> list[Mirrored]:
    """Draw mirrored pairs with two nouns; the first of these are the first of more."""
    return held_out_sentences(HELD_OUT["two"], count)


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Measure everything of one model."""
    pairs = mirrored(4 if asked.quick else MIRRORED)
    model = load(kept_models(KEPT, [(arm, seed)])[f"{arm}-{seed}"])
    rows = Rows(arm, str(seed), [])
    with evaluating(model):
        measure_knock_outs(model, pairs, rows)
        measure_heads(model, pairs, rows)
        measure_causes(model, pairs, rows)
    return rows.rows


def main(argv: list[str] | None = None) -> None:
    """Measure the models that were asked for, and file the rows as they come."""
    seeds = sorted({seed for seeds in ARMS.values() for seed in seeds})
    asked = common.arguments(__file__, __doc__, ARMS, seeds, argv)
    jobs = [run for run in MODELS if run[0] in asked.arms and run[1] in asked.seeds]
    if asked.quick:
        jobs = [("final", 0)]
    kept_models(KEPT, jobs)  # before it takes time
    common.run(measure, jobs, asked, [OUTPUT], ("model", "seed"), MODELS)


if __name__ == "__main__":
    main()
