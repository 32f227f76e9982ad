"""Climb from the transformer of 2017 to Llama, one block at a time; say what each step is worth.

An experiment of the chapter *BERT, GPT, Llama*. The model is a small decoder-only one. It reads
and writes the grammar's sentences of 5 to 12 words as one text, "english = french", and predicts
each of its tokens. Each rung keeps the changes of those below:

    2017               norms after the sums, LayerNorm, ReLU, sinusoids, biases, and keys and
                       values for each of 4 heads
    pre-norm           norms before the sublayers, and one after the last
    RMSNorm            in the place of LayerNorm
    SwiGLU             a feed-forward layer with a gate, of two thirds of the width
    rotary             positions in the scores, and none on the stream
    grouped queries    2 heads of keys and values for 4 of queries
    no biases          now every block is Llama's
    QK-norm            queries and keys normalised, as in some models after Llama

The order is ours, and a step might be worth more or less on another rung. So the reverse is
measured, too: Llama with one block of 2017 put back.

    Llama but post-norm, Llama but LayerNorm, Llama but ReLU, Llama but sinusoids,
    Llama but ungrouped queries        (Llama but biases is the rung before it)

All have as many parameters, within 0.6 %: the feed-forward layers are made wider or narrower,
by multiples of 4. Of Llama's settings only the scale of the embeddings is left as in 2017. Adam,
its warm-up, and the data are the same for all. The rate is chosen by an equal search: each
arm has a trial at each of three rates, for a third of the updates, on a seed of its own. The rate
with the lowest loss of the French tokens of the split "validation" wins. Then come three seeds,
measured on the split "test", and on pronouns. Of one seed all arms see the same batches. The
rate falls with 1 / √step and has no end, so runs can be compared at every stop.

It writes ladder.csv, a row for each run and stop:

    english_loss, french_loss   held-out, in nats for each token. Nobody can foresee all of the
                                English; the French follows from it
    exact_match                 share of sentences of which it writes the French word for word
    pronouns                    share of sentences in which *il* and *elle* are told apart, with
                                two nouns to choose from (guessing: a half)
    cpu_seconds                 of the training, without the scoring, on a machine that may have
                                had other work as well

and ladder_speed.csv, the milliseconds of an update of each arm. All arms take turns, so the arms
can be compared at equal seconds, too (``at_equal_seconds``).

    .venv/bin/python experiments/ladder.py             everything: some two hours of processor time
    .venv/bin/python experiments/ladder.py "2017, rate 0.003" 2017     these arms
    .venv/bin/python experiments/ladder.py speed       the milliseconds alone

Counted in updates, in float32 on one thread: the same command gives the same numbers, but for
the seconds, on the same kind of processor.
"""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import common
from attention.training import Recipe, TrainingRun
from attention.transformer import LanguageModel, TransformerConfig, new_transformer, parameters_of
from shared import one_text
from shared.equal_parameters import with_parameters
from shared.rate_search import Search
from shared.ready_batches import ReadyBatches

OUTPUT = Path(__file__).with_suffix(".csv")
SPEED = OUTPUT.with_name("ladder_speed.csv")
FIRST, LLAMA = "2017", "no biases"
STEPS = {
    "pre-norm": {"norm": "pre"},
    "RMSNorm": {"norm_kind": "rms"},
    "SwiGLU": {"activation": "swiglu"},
    "rotary": {"position": "rotary"},
    "grouped queries": {"key_value_heads": 2},
    LLAMA: {"bias": False},
    "QK-norm": {"qk_norm": True},
}
BACK = {
    "Llama but post-norm": {"norm": "post"},
    "Llama but LayerNorm": {"norm_kind": "layer"},
    "Llama but ReLU": {"activation": "relu"},
    "Llama but sinusoids": {"position": "sinusoidal"},
    "Llama but ungrouped queries": {"key_value_heads": 4},
}
RUNGS = (FIRST, *STEPS)
SEARCH = Search((*RUNGS, *BACK), rates=(0.001, 0.003, 0.009), by="french_loss")
OF_2017 = TransformerConfig(
    source_vocab_size=None,
    target_vocab_size=one_text.SYMBOLS,
    d_model=64,
    heads=4,
    d_ff=256,
    decoder_layers=3,
    norm="post",
)
RECIPE = {"schedule": "inverse root", "warm_up": 200, "clip": 1.0}
STOPS = (500, 1000, 2000, 3000)
TRIAL_STOPS = (1000,)
BATCH, PAIRS = 32, 30_000
TURNS, TURN = 9, 20  # of the arm "speed", and the updates in each turn
LOSS, EXACT, PRONOUNS = 500, 300, 500  # how many sentences each of these is measured on
MEASURES = ("english_loss", "french_loss", "exact_match", "pronouns")


@cache
def config_of(name: str) -> TransformerConfig:
    """Make the config of a rung, or of Llama with a block put back."""
    last = LLAMA if name in BACK else name
    settings: dict[str, object] = {}
    for rung in RUNGS[: RUNGS.index(last) + 1]:
        settings |= STEPS.get(rung, {})
    settings |= BACK.get(name, {})
    return with_parameters(replace(OF_2017, **settings), parameters_of(OF_2017))


def tested(model: LanguageModel, asked: common.Asked, trial: bool) -> dict[str, str]:
    """Measure a model; after a trial nothing but the losses, on sentences of its own."""
    losses, exact, pronouns = (4, 4, 4) if asked.quick else (LOSS, EXACT, PRONOUNS)
    some = one_text.pairs("validation" if trial else "test", losses)
    found = one_text.held_out_losses(model, some)
    if not trial:
        with_two = one_text.sentences("pronouns, two nouns", pronouns, one_text.TWO_NOUNS)
        found["exact_match"] = statistics.mean(one_text.exact_translations(model, some[:exact]))
        found["pronouns"] = statistics.mean(one_text.right_pronouns(model, with_two))
    return {name: f"{value:.4f}" for name, value in found.items()}


def new_run(arm: str, seed: int, quick: bool, rate: float) -> TrainingRun:
    """Begin to train an arm."""
    pairs = one_text.with_texts(one_text.pairs("train", 300 if quick else PAIRS))
    batches, model = ReadyBatches(pairs, BATCH, seed), new_transformer(config_of(arm), seed)
    return TrainingRun(model, batches, Recipe(rate, **RECIPE), one_text.next_token_loss)


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Train one model; return its rows."""
    trial, name = arm in SEARCH.trials, SEARCH.name_of(arm)
    rate = SEARCH.chosen(arm, asked, OUTPUT)
    stops = (2, 4) if asked.quick else TRIAL_STOPS if trial else STOPS
    config, run = config_of(name), new_run(name, seed, asked.quick, rate)

    def at_stop() -> dict[str, str]:
        return tested(run.model, asked, trial)

    found = common.stops(run, stops, at_stop, asked.keep(arm, seed))
    about = {"arm": arm, "seed": seed, "rate": rate, "d_ff": config.d_ff}
    about |= {"parameters": parameters_of(config)}
    return [
        about
        | {"updates": stop, "cpu_seconds": f"{run.log[stop - 1].cpu_seconds:.1f}"}
        | {"loss": f"{statistics.mean(e.loss for e in run.log[max(stop - 100, 0) : stop]):.4f}"}
        | at_stop
        for stop, at_stop in zip(stops, found, strict=True)
    ]


@common.threads(1)
def speed(_: str, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Time an update of each arm; all arms take turns."""
    turns, updates = (1, 1) if asked.quick else (TURNS, TURN)
    runs = {arm: new_run(arm, 0, asked.quick, SEARCH.rates[0]) for arm in SEARCH.names}
    times: dict[str, list[float]] = {arm: [] for arm in runs}
    for run in runs.values():
        run.advance(updates)  # to warm up
    for _turn in range(turns):
        for arm, run in runs.items():
            before = run.log[-1].cpu_seconds
            run.advance(updates)
            times[arm].append(1000 * (run.log[-1].cpu_seconds - before) / updates)
    return [
        {"arm": arm, "milliseconds": f"{statistics.median(found):.2f}"}
        | {"lowest": f"{min(found):.2f}", "highest": f"{max(found):.2f}", "turns": turns}
        for arm, found in times.items()
    ]


# ------------------------------------------------------------------------ reading the log

Rows = Iterable[Mapping[str, str]]


def runs_of(rows: Rows) -> dict[str, list[list[Mapping[str, str]]]]:
    """Sort rows by arm and seed, each a list of its stops; the trials are left out."""
    found: dict[str, dict[str, list[Mapping[str, str]]]] = {name: {} for name in SEARCH.names}
    for row in rows:
        if row["arm"] in found:
            found[row["arm"]].setdefault(row["seed"], []).append(row)
    return {
        name: [sorted(run, key=lambda row: int(row["updates"])) for run in runs.values()]
        for name, runs in found.items()
        if runs
    }


def at_equal_updates(rows: Rows, measure: str) -> dict[str, list[float]]:
    """Give a measure of each arm after the last update, a number for each seed."""
    return {name: [float(run[-1][measure]) for run in runs] for name, runs in runs_of(rows).items()}


def updates_in_equal_seconds(speeds: Rows) -> dict[str, int]:
    """Say how many updates each arm gets done while the fastest does all of its own."""
    times = {row["arm"]: float(row["milliseconds"]) for row in speeds}
    return {arm: int(STOPS[-1] * min(times.values()) / time) for arm, time in times.items()}


def at_equal_seconds(rows: Rows, speeds: Rows, measure: str) -> dict[str, list[float]]:
    """Give a measure of each arm after ``updates_in_equal_seconds``, a number for each seed.

    Between two stops it is read off a straight line.
    """
    updates = updates_in_equal_seconds(speeds)
    return {
        name: [_between(run, updates[name], measure) for run in runs]
        for name, runs in runs_of(rows).items()
    }


def _between(run: list[Mapping[str, str]], updates: int, measure: str) -> float:
    points = [(int(row["updates"]), float(row[measure])) for row in run]
    for (left, low), (right, high) in pairwise(points):
        if left <= updates <= right:
            return low + (high - low) * (updates - left) / (right - left)
    expected = f"a number from {points[0][0]} to {points[-1][0]}"
    raise ValueError(f"updates: expected {expected}, got {updates}")


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    arms = ("speed", *SEARCH.arms)
    asked = common.arguments(__file__, __doc__, arms, SEARCH.seeds, argv, timing_threads=1)
    if "speed" in asked.arms:
        order = [(name,) for name in SEARCH.names]
        common.run(speed, [("speed",)], asked, [SPEED], ("arm",), order)
    SEARCH.run(measure, replace(asked, arms=[a for a in asked.arms if a != "speed"]), OUTPUT)


if __name__ == "__main__":
    main()
