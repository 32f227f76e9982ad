"""Ask what each habit of the paper's training does here: leave it out, or put it in.

An experiment of chapter 10. The model is the arm "small" of `translation.py`, trained with
the same sentences in the same order, but for 1,000 updates only, when no model is
so good yet that nothing can be told. The arm "recipe" is that run itself. Each other arm
differs from it in what it is called by, and where that is two things, from an arm that
has one of them. With a seed all share the initial weights and, but for the last two, the
batches:

    recipe          Adam, the rate rising for 400 updates and then falling with the
                    inverse root of their number, gradients clipped at length 1
    no warm-up      the full rate from the first update on, and from the 400th on the same
    no clipping
    constant rate   after the warm-up
    linear to 0     after the warm-up, in a straight line down to the last update
    smoothing       of labels, 0.1
    dropout         0.1
    high rate       four times as high, 0.012
    high rate, no warm-up
    few sentences   2,000 sentences, each 32 times, for 60,000, each about once: what
                    dropout is for
    few, dropout    the same with dropout 0.1

It writes

    training_choices.csv      one row for each run and test: exact match, and given the
                              true beginning the accuracy, the mean log-probability of
                              the right token, the entropy and the probability of the
                              likeliest token. Then, for the sentences that a model gets
                              wrong, how it goes on after its first mistake: see
                              `after_mistakes`.
    training_choices_log.csv  every 100 updates: the mean loss, the longest gradient before
                              clipping and how many were longer than 1, and accuracy and
                              log-probability on the validation split

    .venv/bin/python experiments/training_choices.py            33 runs, 25 minutes
    .venv/bin/python experiments/training_choices.py dropout    this arm, in the same files

Counted in updates, in float32 on one thread: the same command gives the same numbers,
but for the seconds, on the same kind of processor.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from torch import nn

import common
from attention.generate import greedy
from attention.training import (
    END,
    PADDING,
    BatchesByLength,
    Pair,
    Recipe,
    Tokens,
    TrainingRun,
    decode_all,
    evaluating,
    exact_matches,
    make_batch,
)
from attention.transformer import Transformer, TransformerConfig, new_transformer
from shared import translators
from shared.translators import BATCH, SMALL, numbers, training_pairs, transformer_config
from shared.translators import TRANSFORMER_RECIPE as RECIPE

OUTPUT = Path(__file__).with_suffix(".csv")
LOG = OUTPUT.with_name("training_choices_log.csv")
SEEDS = (0, 1, 2)
UPDATES, EVERY = 1000, 100
FEW = 2000
HIGH = 4 * RECIPE.learning_rate
LONGEST = 50  # where a translation is cut off; no target is as long
TESTS = {
    name: translators.TESTS[name]
    for name in ("validation", "length 5-8", "length 17-20", "unseen combinations")
}
QUICK_TESTS = {"validation": 4, "length 5-8": 4}


class NoWarmUp(Recipe):
    """A recipe that starts at the full rate; after its warm-up's time it is the same."""

    def rate(self, step: int) -> float:
        """Give the learning rate of a step; the first step is number 1."""
        return super().rate(max(step, self.warm_up))


@dataclass(frozen=True)
class Arm:
    """What differs from the arm "small" of `translation.py`."""

    recipe: dict = field(default_factory=dict)
    model: dict = field(default_factory=dict)
    kind: type[Recipe] = Recipe
    few: bool = False


ARMS = {
    "recipe": Arm(),
    "no warm-up": Arm(kind=NoWarmUp),
    "no clipping": Arm(dict(clip=None)),
    "constant rate": Arm(dict(schedule="constant")),
    "linear to 0": Arm(dict(schedule="linear", steps=UPDATES)),
    "smoothing": Arm(dict(label_smoothing=0.1)),
    "dropout": Arm(model=dict(dropout=0.1)),
    "high rate": Arm(dict(learning_rate=HIGH)),
    "high rate, no warm-up": Arm(dict(learning_rate=HIGH), kind=NoWarmUp),
    "few sentences": Arm(few=True),
    "few, dropout": Arm(model=dict(dropout=0.1), few=True),
}


def config_of(arm: str) -> TransformerConfig:
    """Make the config of an arm."""
    return replace(transformer_config(SMALL), **ARMS[arm].model)


def recipe_of(arm: str) -> Recipe:
    """Make the recipe of an arm."""
    given = vars(RECIPE) | ARMS[arm].recipe
    return ARMS[arm].kind(**given)


def run_of(arm: str, seed: int, quick: bool = False) -> tuple[TrainingRun, list[float]]:
    """Start a run; the list will hold the length of each gradient before it is clipped.

    A run clips without telling. So this one does not, and a hook of the optimizer, called
    before each of its steps, does it in its place.
    """
    many = "quick" if quick else "additive"
    few = ARMS[arm].few and not quick
    pairs = numbers("train", FEW) if few else training_pairs(many)
    data = BatchesByLength(pairs, BATCH, seed)
    recipe = recipe_of(arm)
    unclipped = replace(recipe, clip=None)
    run = TrainingRun(new_transformer(config_of(arm), seed), data, unclipped)
    parameters, lengths = list(run.model.parameters()), []

    def clip(*_: object) -> None:
        length = nn.utils.clip_grad_norm_(parameters, recipe.clip or math.inf)
        lengths.append(length.item())

    run.optimizer.register_step_pre_hook(clip)
    return run, lengths


@common.threads(1)
def measure(
    arm: str,
    seed: int,
    asked: common.Asked = common.PLAIN,
    updates: int = UPDATES,
    tests: dict = TESTS,
) -> tuple[list[dict], list[dict]]:
    """Train one model; return its rows of the two files."""
    every = EVERY
    if asked.quick:
        every, updates, tests = 2, 4, QUICK_TESTS
    run, lengths = run_of(arm, seed, asked.quick)

    def at_stop() -> dict:
        some = lengths[-every:]
        found, _ = told(run.model, numbers("validation", tests["validation"]))
        return {
            "arm": arm,
            "seed": seed,
            "updates": run.step,
            "loss": f"{sum(entry.loss for entry in run.log[-every:]) / every:.4f}",
            "longest_gradient": f"{max(some):.3f}",
            "above_1": sum(length > 1 for length in some),
            "token_accuracy": f"{found['token_accuracy']:.4f}",
            "log_probability": f"{found['log_probability']:.4f}",
            "cpu_seconds": f"{run.log[-1].cpu_seconds:.1f}",
        }

    log = list(common.stops(run, range(every, updates + 1, every), at_stop, asked.keep(arm, seed)))
    about = {"arm": arm, "seed": seed, "updates": updates}
    return [about | row for row in tested(run.model, tests)], log


def tested(model: Transformer, tests: dict[str, int]) -> list[dict]:
    """Measure a model on every test."""
    rows = []
    for test, count in tests.items():
        pairs = numbers(test, count)
        sources, targets = zip(*pairs, strict=True)
        outputs = decode_all(partial(greedy, model, max_length=LONGEST), sources)
        found, guesses = told(model, pairs)
        found = {"exact_match": sum(exact_matches(outputs, targets)) / count} | found
        after = after_mistakes(guesses, outputs, targets)
        rows.append({"test": test} | {name: f"{x:.4f}" for name, x in found.items()} | after)
    return rows


def told(model: Transformer, pairs: Sequence[Pair]) -> tuple[dict[str, float], list[list[int]]]:
    """Ask for each token, the true ones before it being given.

    Returns
    -------
    measures : dict
        Means over all tokens: whether the likeliest is the right one, the logarithm of
        the right one's probability, the entropy in nats, and the likeliest one's
        probability (the model's confidence, which should equal the accuracy).
    guesses : list of token lists
        The likeliest tokens, for each pair.
    """
    sums: dict[str, float] = {}
    guesses: list[list[int]] = [[] for _ in pairs]
    order = sorted(range(len(pairs)), key=lambda number: len(pairs[number][1]))
    with evaluating(model):
        for start in range(0, len(pairs), 100):
            some = order[start : start + 100]
            batch = make_batch([pairs[number] for number in some])
            real = batch.target != PADDING  # (batch, length)
            logs = model(batch.source, batch.target).log_softmax(-1)  # (batch, length, symbols)
            highest, likeliest = logs.max(-1)  # (batch, length)
            each = {
                "token_accuracy": likeliest == batch.target,
                "log_probability": logs.gather(-1, batch.target[..., None]).squeeze(-1),
                "entropy": -(logs.exp() * logs).sum(-1),
                "confidence": highest.exp(),
            }
            for name, values in each.items():
                sums[name] = sums.get(name, 0.0) + values[real].sum().item()
            for number, row, inside in zip(some, likeliest, real, strict=True):
                guesses[number] = row[inside].tolist()
    tokens = sum(map(len, guesses))
    return {name: total / tokens for name, total in sums.items()}, guesses


def after_mistakes(
    guesses: Sequence[Tokens], outputs: Sequence[Tokens], targets: Sequence[Tokens]
) -> dict[str, int]:
    """Count what is right after the first mistake, told and alone.

    A model that is told the true beginning and one that goes on from its own make their
    first mistake at the same place, since up to there both have read the same. After it
    one is put right, and the other has to live with what it wrote.

    Returns
    -------
    counts : dict
        - after: tokens of the targets that come after a first mistake
        - told_right: how many of them are found, the true beginning being given
        - alone_right: how many of them the model's own translation has at their place
        - alone_kept: how many it has at any place, in the right order: a word too many
          or too few shifts all that follows, and is one mistake only
    """
    counts = dict(after=0, told_right=0, alone_right=0, alone_kept=0)
    for guess, output, target in zip(guesses, outputs, targets, strict=True):
        true = [*target, END]
        wrong = [i for i, token in enumerate(true) if guess[i] != token]
        if wrong:
            rest = slice(wrong[0] + 1, None)
            counts["after"] += len(true[rest])
            counts["told_right"] += matches(guess[rest], true[rest])
            counts["alone_right"] += matches(output[rest], true[rest])
            counts["alone_kept"] += longest_common(output[rest], true[rest])
    return counts


def matches(found: Tokens, true: Tokens) -> int:
    """Count the places where two sequences agree; one may be shorter."""
    return sum(a == b for a, b in zip(found, true, strict=False))


def longest_common(found: Tokens, true: Tokens) -> int:
    """Count the tokens of the longest sequence that both contain, gaps being allowed."""
    best = [0] * (len(true) + 1)  # best[i]: with the first i of true
    for token in found:
        before = best.copy()
        for i, other in enumerate(true, start=1):
            best[i] = before[i - 1] + 1 if token == other else max(before[i], best[i - 1])
    return best[-1]


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    jobs = [(arm, seed) for seed in asked.seeds for arm in asked.arms]
    order = [(arm, seed) for arm in ARMS for seed in SEEDS]
    common.run(measure, jobs, asked, [OUTPUT, LOG], ("arm", "seed"), order, tables=list)


if __name__ == "__main__":
    main()
