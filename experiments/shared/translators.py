"""The translators' sentences, sizes, recipes and tests, for all experiments that train some."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial

from torch import nn

from attention import corpus
from attention.generate import greedy
from attention.recurrent import RecurrentConfig, parameters_of, width_for
from attention.training import (
    LogEntry,
    Pair,
    Recipe,
    decode_all,
    evaluating,
    exact_matches,
    make_batch,
    right_tokens,
)
from attention.transformer import TransformerConfig
from shared.logs import ROOT

# ----------------------------------------------------------------------- the sentences

BATCH = 64
TESTS = {name: 300 for name in corpus.SPLITS if name.startswith("length")} | {
    "validation": 400,
    "longer 21-40": 400,
    "unseen combinations": 300,
}
QUICK_TESTS = {"length 5-8": 4, "validation": 4}
QUICK_STOPS = (2, 4)


@cache
def numbers(split: str, count: int, seed: int = 0) -> list[Pair]:
    """Draw the pairs of a split, as token numbers."""
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    pairs = corpus.draw_split(split, count, seed)
    return [(english.encode(pair.english), french.encode(pair.french)) for pair in pairs]


@cache
def training_pairs(arm: str) -> list[Pair]:
    """Draw what an arm is trained on.

    All lengths are equally frequent, but there are not enough different sentences of
    five words for one large draw. Between draws short sentences come again.
    """
    if arm == "quick":
        return numbers("train", 300)
    draws = 8 if arm == "more data" else 1
    return [pair for seed in range(draws) for pair in numbers("train", 60_000, seed)]


# --------------------------------------------------------- the recurrent translators

SEEDS = (0, 1, 2)
SHORT = (500, 1000, 2000, 3000)  # updates to stop at, for the controls
MIDDLE = (*SHORT, 4000)
LONG = (*MIDDLE, 6000, 8000, 10000, 12000, 16000)
LONGEST = (*LONG, 20000, 24000)
RECIPE = Recipe(learning_rate=4e-3, schedule="inverse root", warm_up=200, clip=1.0)
ADDITIVE = RecurrentConfig(
    source_vocab_size=len(corpus.english_vocabulary()),
    target_vocab_size=len(corpus.french_vocabulary()),
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


# --------------------------------------------------------------------- the transformers

LARGE = {"d_model": 80, "heads": 4, "d_ff": 254}
SMALL = {"d_model": 64, "heads": 4, "d_ff": 128}
FOUR_LAYERS = SMALL | {"encoder_layers": 4}  # in the encoder alone
TRANSFORMERS = {  # with these seeds
    "final": range(1),
    "large": range(3),
    "small": range(8),
    "four layers": range(3),
}
KEPT = ROOT / "_build" / "translation"  # the weights of all of them
SMALL_STOPS = (1000, 2000, 4000, 6000)
TRANSFORMER_RECIPE = Recipe(learning_rate=3e-3, schedule="inverse root", warm_up=400, clip=1.0)


def transformer_config(sizes: Mapping[str, int]) -> TransformerConfig:
    """Make the config of a transformer that translates."""
    return TransformerConfig(
        source_vocab_size=len(corpus.english_vocabulary()),
        target_vocab_size=len(corpus.french_vocabulary()),
        **sizes,
    )


# ------------------------------------------------------------------ what is measured


def tested(model: nn.Module, tests: Mapping[str, int]) -> list[dict]:
    """Measure a model on tests: from their names to the numbers of their sentences."""
    rows = []
    for split, count in tests.items():
        pairs = numbers(split, count)
        sources, targets = zip(*pairs, strict=True)
        outputs = decode_all(partial(greedy, model), sources)
        right, tokens = right_tokens(model, pairs)
        rows.append(
            {
                "test": split,
                "exact_match": f"{sum(exact_matches(outputs, targets)) / count:.4f}",
                "token_accuracy": f"{(right.sum() / tokens.sum()).item():.4f}",
            }
        )
    return rows


def log_rows(log: list[LogEntry], every: int = 100) -> list[dict]:
    """Write down a run's log at every so many updates."""
    return [
        {
            "updates": entry.step,
            "loss": f"{entry.loss:.4f}",
            "tokens": entry.tokens,
            "cpu_seconds": f"{entry.cpu_seconds:.1f}",
        }
        for entry in log
        if entry.step % every == 0
    ]


PRONOUNS = {"pronouns, two nouns": 1000, "pronouns, three nouns": 1000}
QUICK_PRONOUNS = dict.fromkeys(PRONOUNS, 4)


@cache
def with_pronouns(split: str, count: int) -> list[corpus.Pair]:
    """Draw sentences with one *it* whose antecedent and a rival differ in gender."""
    return corpus.draw_split(split, count)


def right_pronouns(model: nn.Module, pairs: list[corpus.Pair]) -> list[bool]:
    """Say of each pair whether the model finds the pronoun likelier than the other gender's.

    Given the true words before it, so that other mistakes do not count.
    """
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    il, elle = french.encode(["il", "elle"])
    right = []
    with evaluating(model):
        for start in range(0, len(pairs), 100):
            some = pairs[start : start + 100]
            batch = make_batch([(english.encode(p.english), french.encode(p.french)) for p in some])
            logits = model(batch.source, batch.target)  # (batch, length, symbols)
            for row, pair in enumerate(some):
                (pronoun,) = pair.pronouns
                at = logits[row, pronoun.target]  # (symbols,)
                right.append(bool((at[elle] > at[il]) == (pronoun.translation == "elle")))
    return right
