"""Fixed vector and attention on real sentences: what Debian's programs say.

One panel for chapters 1 and 2. Fixed vector and Bahdanau's attention, with as many
parameters and updates, learn to translate what Debian's programs say, 5 to 20 English words,
into French, in pieces of words. They are tested on messages that are near to none of
training: see `shared/messages.py`. It writes

    real_text.csv           one row for each run, number of updates and length of the test:
                            chrF, token accuracy and exact match
    real_text_packages.csv  which packages the messages came from, with their SHA-256

    .venv/bin/python experiments/real_text.py    1½ hours; downloads 100 MB from Debian

The arms:

    fixed, additive         after the best of their trials, on three seeds
    fixed: TRIAL, additive: TRIAL
                            rate and dropout are chosen for each of the two by the same
                            search, on another seed, by token accuracy on the validation
                            messages
    copy                    a base rate: the English message as if it were its translation
    nearest                 another: the French of the training message that shares the
                            largest part of its words with the message

Runs on Debian and its kin alone. The messages themselves are not kept in the book.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import sentencepiece
from sacrebleu.metrics import CHRF

import common
from attention.generate import greedy
from attention.recurrent import RecurrentConfig, new_translator, parameters_of, width_for
from attention.tokens import END, PADDING, START
from attention.training import (
    BatchesByLength,
    Pair,
    Recipe,
    TrainingRun,
    decode_all,
    right_tokens,
)
from shared import messages
from shared.logs import file_rows, read_rows
from shared.messages import LENGTHS, Message

OUTPUT = Path(__file__).with_suffix(".csv")
PACKAGES = OUTPUT.with_name("real_text_packages.csv")
SEEDS, TRIAL_SEED = (0, 1, 2), 100
QUICK_PACKAGES = ("dpkg",)
PIECES = 4000
QUICK_HELD_OUT = 1
HELD_OUT = 250  # of each length, and as many to choose by
BATCH = 64
STOPS, TRIAL_STOPS = (500, 1000, 2000, 4000), (1000,)
MODELS, BASE_RATES = ("fixed", "additive"), ("copy", "nearest")


class Trial(NamedTuple):
    """A setting that is tried."""

    rate: float
    dropout: float

    def __str__(self):
        return f"rate {self.rate}, dropout {self.dropout}"


TRIALS = tuple(Trial(rate, dropout) for rate in (0.002, 0.004) for dropout in (0.1, 0.3))
TRIAL_ARMS = {f"{model}: {trial}": (model, trial) for model in MODELS for trial in TRIALS}
ARMS = (*TRIAL_ARMS, *MODELS, *BASE_RATES)


@dataclass(frozen=True)
class Data:
    """The messages, and what cuts them into pieces."""

    split: messages.Split
    pieces: sentencepiece.SentencePieceProcessor

    def pairs(self, some: Sequence[Message]) -> list[Pair]:
        """Write messages as numbers of pieces."""
        sides = zip(*some, strict=True)
        return list(zip(*(self.pieces.encode(list(side)) for side in sides), strict=True))


@cache
def load(quick: bool) -> Data:
    """Read the messages, and learn from those of training which pieces they are made of."""
    packages = QUICK_PACKAGES if quick else messages.PACKAGES
    files = messages.fetch(packages)
    found = messages.all_messages([messages.FOLDER / name for name in files])
    split = messages.split(found, QUICK_HELD_OUT if quick else HELD_OUT)
    folder = messages.FOLDER / ("quick" if quick else "all")
    folder.mkdir(exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text for message in split.train for text in message]),
        model_prefix=str(folder / "pieces"),
        model_type="bpe",
        vocab_size=300 if quick else PIECES,
        character_coverage=1.0,
        hard_vocab_limit=False,
        pad_id=PADDING,
        bos_id=START,
        eos_id=END,
        unk_id=END + 1,
        minloglevel=2,
    )
    model = folder / "pieces.model"
    return Data(split, sentencepiece.SentencePieceProcessor(model_file=str(model)))


def configs(pieces: int) -> dict[str, RecurrentConfig]:
    """Make the two models, with as many parameters."""
    additive = RecurrentConfig(
        source_vocab_size=pieces,
        target_vocab_size=pieces,
        score="additive",
        d_embedding=96,
        d_encoder=128,
        d_decoder=192,
        d_score=96,
    )
    bare = replace(additive, score=None, d_context=2 * additive.d_encoder)
    width = width_for(parameters_of(additive), bare)
    return {"fixed": replace(bare, d_decoder=width), "additive": additive}


def scores(some: Sequence[Message], outputs: Sequence[str]) -> dict[str, str]:
    """Compare what was written with the translations."""
    wanted = [message.french for message in some]
    exact = sum(a == b for a, b in zip(outputs, wanted, strict=True)) / len(some)
    chrf = CHRF().corpus_score(list(outputs), [wanted]).score
    return {"chrf": f"{chrf:.2f}", "exact_match": f"{exact:.4f}"}


def by_length(some: Sequence[Message]) -> dict[str, list[Message]]:
    """Part messages by the number of English words."""
    return {
        f"{shortest}-{longest}": [m for m in some if shortest <= m.length <= longest]
        for shortest, longest in LENGTHS
    }


def tested(model, data: Data, some: Sequence[Message]) -> list[dict]:
    """Let a model translate messages; return a row for each length."""
    rows = []
    for length, inside in by_length(some).items():
        pairs = data.pairs(inside)
        written = decode_all(partial(greedy, model), [source for source, _ in pairs])
        texts = data.pieces.decode([[t for t in one if t > END] for one in written])
        right, tokens = right_tokens(model, pairs)
        accuracy = f"{(right.sum() / tokens.sum()).item():.4f}"
        rows.append({"length": length, **scores(inside, texts), "token_accuracy": accuracy})
    return rows


@common.threads(1)
def base_rate(arm: str, asked: common.Asked) -> list[dict]:
    """Score what translates without having learned anything."""
    data = load(asked.quick)
    nearest = messages.Nearest([message.english for message in data.split.train])
    rows = []
    for length, inside in by_length(data.split.test).items():
        outputs = [message.english for message in inside]
        if arm == "nearest":
            found = [int(nearest.similarities(text).argmax()) for text in outputs]
            outputs = [data.split.train[number].french for number in found]
        rows.append({"length": length, **scores(inside, outputs)})
    return [{"arm": arm, "seed": "", "updates": 0, **row} for row in rows]


def best_trial(model: str, rows: Sequence[dict]) -> Trial:
    """Choose the trial with the highest token accuracy, the mean over all lengths."""
    means = {}
    for arm, (of, trial) in TRIAL_ARMS.items():
        found = [float(row["token_accuracy"]) for row in rows if row["arm"] == arm]
        if of == model and found:
            means[trial] = sum(found) / len(found)
    if not means:
        raise SystemExit(f"no trial of {model} in the log: run its trials first")
    return max(means, key=means.__getitem__)


@common.threads(1)
def train(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Train one model; return its rows."""
    data = load(asked.quick)
    model, trial = TRIAL_ARMS.get(arm) or (arm, best_trial(arm, read_rows(asked.path(OUTPUT))))
    tried = arm in TRIAL_ARMS
    some = data.split.validation if tried else data.split.test
    config = replace(configs(data.pieces.vocab_size())[model], dropout=trial.dropout)
    recipe = Recipe(trial.rate, schedule="inverse root", warm_up=200, clip=1.0, seed=seed)
    batches = BatchesByLength(data.pairs(data.split.train), BATCH, seed)
    run = TrainingRun(new_translator(config, seed), batches, recipe)
    stops = (2,) if asked.quick else TRIAL_STOPS if tried else STOPS
    found = common.stops(run, stops, lambda: tested(run.model, data, some), asked.keep(arm, seed))
    about = {
        "arm": arm,
        "seed": seed,
        "rate": trial.rate,
        "dropout": trial.dropout,
        "parameters": parameters_of(config),
        "training_messages": len(data.split.train),
    }
    return [
        about | {"updates": stop} | row | {"cpu_seconds": f"{run.log[stop - 1].cpu_seconds:.0f}"}
        for stop, at_stop in zip(stops, found, strict=True)
        for row in at_stop
    ]


def measure(arm: str, seed: int | str, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Do one job."""
    return base_rate(arm, asked) if arm in BASE_RATES else train(arm, seed, asked)


def seeds_of(arm: str, asked: common.Asked) -> tuple:
    """Say with which seeds an arm is run."""
    if arm in BASE_RATES:
        return ("",)
    return (TRIAL_SEED,) if arm in TRIAL_ARMS else asked.seeds


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    load(asked.quick)  # once, before there are several processes
    files = messages.fetch(QUICK_PACKAGES if asked.quick else messages.PACKAGES)
    rows = [{"file": name, "sha256": digest} for name, digest in sorted(files.items())]
    asked.path(PACKAGES).unlink(missing_ok=True)
    file_rows(asked.path(PACKAGES), rows, ("file",), [(name,) for name in sorted(files)])
    order = [(arm, seed) for arm in ARMS for seed in seeds_of(arm, common.Asked(seeds=SEEDS))]
    # The trials first, whose best the others take.
    for tried in (True, False):
        arms = [arm for arm in asked.arms if (arm in TRIAL_ARMS) == tried]
        # Seed by seed, so that the arms can be compared early.
        jobs = [(arm, seed) for arm in arms for seed in seeds_of(arm, asked)]
        jobs.sort(key=lambda job: str(job[1]))
        common.run(measure, jobs, asked, [OUTPUT], ("arm", "seed"), order)


if __name__ == "__main__":
    main()
