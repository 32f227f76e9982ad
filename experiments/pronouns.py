"""Test a famous sentence: that *it* looks back at *cat*, and that this is how a model knows.

The experiment of chapters 10 and 13. In "the cat sat on the mat because it was tired", *it* is the
cat, and in French *il*, since *chat* is masculine. Say *comfortable*, and it is the mat.
The translators that `translation.py` trained are shown such sentences, of noun pairs that
were held out, each together with its *mirror*: the same sentence with another adjective,
so that another noun of the other gender is meant. So nothing but the adjective tells which
noun is meant, and whoever does not read it is right once in each two. It writes

    pronouns.csv        one row for each model, measure, place and split

    .venv/bin/python experiments/pronouns.py            all models, some three minutes
    .venv/bin/python experiments/pronouns.py small      those of one arm, in the same file

The models are all that `translation.py` leaves in `_build/translation/`, but for the arm
"final": this is the committed one, from `weights/`, so that its rows can be made again
anywhere.

Each row is a mean (`value`) over so many sentences (`count`), of one split or of both, or of
those with one pronoun. An edge is written "stack query>key" and a head "layer.head", counted
from 0. The measures:

    accuracy        how often *il* or *elle*, whichever is right, is the likelier one, given
                    the true French words before it; "first meant" and "later meant" are the
                    sentences whose pronoun means the first of the nouns, or another one
    both right      the share of mirrored pairs with both pronouns right
    weight          attention along an edge, by head, in both splits. "feminine meant" is the
                    feminine one of the two nouns where it is the antecedent, and "feminine
                    not" where it is the rival; in the decoder, with its article
    follows         the share of mirrored pairs in which a head looks harder at the antecedent
                    than at the rival on both sides: when the other noun is meant, it looks
                    at the other noun. "encoder" is what *it* looks at, "decoder" what the
                    step that writes the pronoun looks at
    rises           how often a noun gets more of the chosen head's attention where it is
                    meant than where it is not
    chosen          the encoder's and the decoder's head that looks harder at the antecedent
                    by most, on sentences of the validation split; the value is by how much
    cut             accuracy when the attention may not use some edges, in any layer or head;
                    "chosen head": in the chosen one of the encoder alone
    cut logits      how far the difference of the logits, right minus wrong, falls then
    patch           how often the pronoun changes when the encoder's residual stream at one
                    place after one stage (0 the embedding, n the n-th layer) is that of
                    another sentence: "adjective" is the mirror, "noun" the sentence with a
                    noun of the other gender as antecedent, its French unchanged. Of the
                    sentences that the model has right, and their mirrors too
    patch logits    the share of the logits' change in the other sentence that is seen then
    edge            the same if only one word of the encoder sees the other adjective or noun,
                    or every word but *it* does; "edge logits" too
    conflict        how often the pronoun changes its gender when the noun of the other gender
                    is only in the English, only in the French before the pronoun, or in both

Computed in float32 on one thread, and not random.
"""

from functools import cache
from pathlib import Path

import torch

import common
from attention.training import evaluating
from attention.transformer import Transformer, load
from shared.pronoun_attention import measure_attention
from shared.pronoun_batches import Rows, batches, make_batch, right_over_wrong
from shared.pronoun_cuts import measure_cuts
from shared.pronoun_models import kept_models
from shared.pronoun_patches import measure_conflict, measure_patches
from shared.pronoun_sentences import (
    HELD_OUT,
    MIRRORED,
    Mirrored,
    Sentence,
    held_out_sentences,
    validation_sentences,
)
from shared.translators import KEPT, TRANSFORMERS

OUTPUT = Path(__file__).with_suffix(".csv")
CHOOSING = 200  # sentences of the validation split
BASELINE = ("baseline", "")
MODELS = [(arm, seed) for arm, seeds in TRANSFORMERS.items() for seed in seeds]


@cache
def held_out(count: int) -> dict[str, list[Mirrored]]:
    """Draw sentences of each held-out split."""
    return {name: held_out_sentences(split, count) for name, split in HELD_OUT.items()}


@cache
def validation(count: int) -> list[Sentence]:
    """Draw the sentences on which heads are chosen."""
    return validation_sentences(count)


def baselines(data: dict[str, list[Mirrored]]) -> list[dict[str, str]]:
    """Measure rules that need no model."""
    rows = Rows("baseline", "", [])
    for split, pairs in data.items():
        sides = [side for both in pairs for side in (both.sentence, both.mirror)]
        pronouns = [side.pair.pronouns[0] for side in sides]
        for name, place in (("nearest noun", -1), ("first noun", 0)):
            said = [p.feminine[place] for p in pronouns]
            right = [s == side.elle for s, side in zip(said, sides, strict=True)]
            rows.add("accuracy", name, split, right)
        rows.add("accuracy", "always il", split, [not side.elle for side in sides])
    return rows.rows


def measure_accuracy(model: Transformer, data: dict[str, list[Mirrored]], rows: Rows) -> None:
    """Measure how often the pronoun is right."""
    for split, pairs in data.items():
        sides, right = [], []
        for group in batches(pairs, of=lambda both: both.sentence):
            for side in ("sentence", "mirror"):
                some = [getattr(both, side) for both in group]
                right.append(right_over_wrong(model, make_batch(some)) > 0)
                sides += some
        right_of_both = [one & other for one, other in zip(right[::2], right[1::2], strict=True)]
        right = torch.cat(right)
        first = torch.tensor([side.first_meant for side in sides])
        rows.add("accuracy", "all", split, right)
        rows.add("accuracy", "first meant", split, right[first])
        rows.add("accuracy", "later meant", split, right[~first])
        rows.add("both right", "all", split, torch.cat(right_of_both))


def measure(
    name: str, path: Path, data: dict[str, list[Mirrored]], validation: list[Sentence]
) -> list[dict]:
    """Measure everything of one model; its name is "arm-seed"."""
    arm, _, seed = name.rpartition("-")
    model = load(path)
    rows = Rows(arm, seed, [])
    with evaluating(model):
        measure_accuracy(model, data, rows)
        chosen = measure_attention(model, data, validation, rows)
        measure_cuts(model, data, chosen, rows)
        for donor in ("adjective", "noun"):
            measure_patches(model, data, donor, rows)
        measure_conflict(model, data, rows)
    return rows.rows


@common.threads(1)
def measure_model(arm: str, seed: int | str, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Measure everything of the model of a run, or what needs none."""
    mirrored, choosing = (4, 8) if asked.quick else (MIRRORED, CHOOSING)
    if (arm, seed) == BASELINE:
        return baselines(held_out(mirrored))
    path = kept_models(KEPT, [(arm, seed)])[f"{arm}-{seed}"]
    return measure(f"{arm}-{seed}", path, held_out(mirrored), validation(choosing))


def main(argv: list[str] | None = None) -> None:
    """Measure the models that were asked for, and file the rows as they come."""
    arms, seeds = ("baseline", *TRANSFORMERS), TRANSFORMERS["small"]
    asked = common.arguments(__file__, __doc__, arms, seeds, argv)
    models = [run for run in MODELS if run[0] in asked.arms and run[1] in asked.seeds]
    if asked.quick:
        models = [run for run in models if run == ("final", 0)]
    kept_models(KEPT, models)  # before it takes time
    jobs = [BASELINE] * ("baseline" in asked.arms) + models
    common.run(measure_model, jobs, asked, [OUTPUT], ("model", "seed"), [BASELINE, *MODELS])


if __name__ == "__main__":
    main()
