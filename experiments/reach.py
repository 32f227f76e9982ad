"""How far back does a gradient get? Recurrent encoders before and after training.

Experiment B of chapter 1: is it that what limits translation? It measures
`attention.recurrent.gradient_reach`, the norm of d (last state) / d (input k steps back),
and how well two tasks are solved. It writes

    reach.csv       one number a row: task, arm, seed, updates, measure, at, value

    .venv/bin/python experiments/reach.py               all runs, 15 CPU minutes
    .venv/bin/python experiments/reach.py rnn gru       these arms, in the same file

The tasks:

    translation     sentences of `attention.corpus`, as in bottleneck.py, for 1,500
                    updates: much to remember
    delay           write down the first of 2 to 40 random symbols: one of eight, three
                    bits, so that any vector is wide enough. Until it is solved, or for
                    4,000 updates
    short delay     the same with 2 to 8 symbols: to see that the task itself is learnt

The arms: one fixed vector from a plain RNN ("rnn"), GRU or LSTM that reads forwards; the
RNN with an orthogonal matrix to start from ("rnn, orthogonal"); and the RNN with additive
attention in place of the fixed vector ("rnn, attention").

Measures, and what "at" says of them:

    reach               k; the geometric mean over sequences of one length, their END
                        included
    spectral radius     nothing; of a plain RNN's recurrent matrix
    exact match, token accuracy
                        the length of the source, in tokens
    parameters          nothing

Runs are counted in updates and computed in float32 on one thread, the reach in float64:
the same command gives the same numbers on the same kind of processor.
"""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import torch

import common
from attention import corpus
from attention.generate import greedy
from attention.recurrent import RecurrentConfig, Translator, gradient_reach, new_translator
from attention.training import (
    END,
    BatchesByLength,
    Pair,
    Recipe,
    TrainingRun,
    decode_all,
    exact_matches,
    pad,
    right_tokens,
)

OUTPUT = Path(__file__).with_suffix(".csv")
SEEDS = (0, 1, 2)
BATCH = 64
RECIPE = Recipe(learning_rate=4e-3, schedule="inverse root", warm_up=200, clip=1.0)
UPDATES = {"translation": (1500,), "delay": range(250, 4001, 250)}
UPDATES["short delay"] = UPDATES["delay"]
SOLVED = 0.99  # exact match at every length: then a delay has been learnt, and training ends

SYMBOLS = 8
LENGTHS = {"delay": range(2, 41), "short delay": range(2, 9)}
BUCKETS = ("length 5-8", "length 9-12", "length 13-16", "length 17-20")

TRANSLATOR = RecurrentConfig(
    source_vocab_size=len(corpus.english_vocabulary()),
    target_vocab_size=len(corpus.french_vocabulary()),
    reading="forwards",
    d_encoder=128,
    d_context=128,
)
REMEMBERER = RecurrentConfig(
    source_vocab_size=END + 1 + SYMBOLS,
    target_vocab_size=END + 1 + SYMBOLS,
    reading="forwards",
    d_embedding=16,
    d_encoder=32,
    d_decoder=16,
    d_context=16,
    d_score=16,
)
ARMS = {
    "rnn": {"cell": "rnn"},
    "gru": {"cell": "gru"},
    "lstm": {"cell": "lstm"},
    "rnn, attention": {"cell": "rnn", "score": "additive"},
    "rnn, orthogonal": {"cell": "rnn"},
}
RUNS = [
    *(("delay", arm) for arm in ARMS),
    ("short delay", "rnn"),
    *(("translation", arm) for arm in ARMS if arm != "rnn, orthogonal"),
]


def make_model(task: str, arm: str, seed: int) -> Translator:
    """Make the untrained model of a run."""
    bare = TRANSLATOR if task == "translation" else REMEMBERER
    model = new_translator(replace(bare, **ARMS[arm]), seed)
    if arm == "rnn, orthogonal":
        generator = torch.Generator().manual_seed(seed)
        torch.nn.init.orthogonal_(model.readers["forwards"].weight_hh_l0, generator=generator)
    return model


# ------------------------------------------------------------------------ the data


@cache
def sentences(split: str, count: int) -> list[Pair]:
    """Draw the pairs of a split of the corpus, as token numbers."""
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    pairs = corpus.draw_split(split, count)
    return [(english.encode(pair.english), french.encode(pair.french)) for pair in pairs]


@cache
def delays(count: int, lengths: range, seed: int) -> list[Pair]:
    """Draw sequences of symbols; the target is the first symbol of each."""
    rng = random.Random(seed)
    symbols = range(END + 1, END + 1 + SYMBOLS)
    sources = [rng.choices(symbols, k=rng.choice(lengths)) for _ in range(count)]
    return [(source, source[:1]) for source in sources]


def training_pairs(task: str, quick: bool = False) -> list[Pair]:
    """Return what a task is trained on."""
    count = 300 if quick else 60_000
    return sentences("train", count) if task == "translation" else delays(count, LENGTHS[task], 0)


def held_out(task: str, quick: bool = False) -> dict[str, list[Pair]]:
    """Return the held-out pairs of a task, by the length of their sources."""
    count = 4 if quick else 300
    if task == "translation":
        return {bucket.removeprefix("length "): sentences(bucket, count) for bucket in BUCKETS}
    longest = LENGTHS[task][-1]
    lengths = [length for length in (5, 10, 20, 30, 40) if length < longest] + [longest]
    # Seed 0 drew what is trained on.
    return {str(length): delays(count, range(length, length + 1), length) for length in lengths}


# -------------------------------------------------------------------- what is measured


def reach_of(model: Translator, task: str, quick: bool = False) -> Iterator[dict]:
    """Measure how far back the encoder's last state depends on its inputs."""
    *_, (_, pairs) = held_out(task, quick).items()
    longest = max(len(source) for source, _ in pairs)
    sources = pad([source for source, _ in pairs if len(source) == longest][:75])
    reader = deepcopy(model.readers["forwards"]).double()  # float32 would end in zeros
    with torch.no_grad():
        x = model.source_embedding(sources).double()  # (batch, length, d_embedding)
    mean = gradient_reach(reader, x).log().mean(0).exp()  # (length,)
    for k, value in enumerate(mean.tolist()):
        yield {"measure": "reach", "at": k, "value": f"{value:.4g}"}
    if model.config.cell == "rnn":
        radius = torch.linalg.eigvals(reader.weight_hh_l0).abs().max().item()
        yield {"measure": "spectral radius", "at": "", "value": f"{radius:.4f}"}


def exact_match(model: Translator, pairs: list[Pair]) -> float:
    """Compute the share of sources whose output is the target."""
    sources, targets = zip(*pairs, strict=True)
    longest = 100 if len(targets[0]) > 1 else 2
    outputs = decode_all(partial(greedy, model, max_length=longest), sources)
    return sum(exact_matches(outputs, targets)) / len(pairs)


def token_accuracy(model: Translator, pairs: list[Pair]) -> float:
    """Compute the share of tokens found, the true ones before them given."""
    right, tokens = right_tokens(model, pairs)
    return (right.sum() / tokens.sum()).item()


QUALITIES: dict[str, Callable[[Translator, list[Pair]], float]] = {
    "exact match": exact_match,
    "token accuracy": token_accuracy,
}


def qualities_of(model: Translator, task: str, quick: bool = False) -> list[dict]:
    """Measure how well a task is solved, at each length."""
    names = QUALITIES if task == "translation" else ("exact match",)  # one token, one accuracy
    return [
        {"measure": name, "at": length, "value": f"{QUALITIES[name](model, pairs):.4f}"}
        for name in names
        for length, pairs in held_out(task, quick).items()
    ]


def solved(rows: list[dict]) -> bool:
    """Say whether all exact matches among the rows are nearly 1."""
    return all(float(row["value"]) >= SOLVED for row in rows if row["measure"] == "exact match")


# Gradients that vanish pass through denormal numbers, which are slow, not different.
@common.threads(1, flush_denormals=True)
def measure(task: str, arm: str, seed: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Train one model; return its rows."""
    updates = (2, 4) if asked.quick else UPDATES[task]
    model = make_model(task, arm, seed)
    data = BatchesByLength(training_pairs(task, asked.quick), BATCH, seed)
    run = TrainingRun(model, data, RECIPE)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    about = {"task": task, "arm": arm, "seed": seed}
    rows = [
        about | {"updates": 0} | row
        for row in (
            {"measure": "parameters", "at": "", "value": parameters},
            *reach_of(model, task, asked.quick),
        )
    ]
    keep = asked.keep(task, arm, seed)
    for found in common.stops(run, updates, lambda: qualities_of(model, task, asked.quick), keep):
        if task != "translation" and solved(found):
            break
    rest = (*found, *reach_of(model, task, asked.quick))
    return rows + [about | {"updates": run.step} | row for row in rest]


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    jobs = [(*run, seed) for seed in asked.seeds for run in RUNS if run[1] in asked.arms]
    order = [(*run, seed) for run in RUNS for seed in SEEDS]
    common.run(measure, jobs, asked, [OUTPUT], ("task", "arm", "seed"), order)


if __name__ == "__main__":
    main()
