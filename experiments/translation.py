"""Train the transformer on the sentences of chapters 1 and 2, and compare.

The experiment of chapters 10 and 13. Same sentences, same batches in the same order, same tests as
`bottleneck.py`, whose logs hold the other two translators. It writes

    translation.csv         one row for each run, number of updates and test: exact
                            match, token accuracy, and how often the pronoun is right
    translation_log.csv     loss, target tokens and CPU seconds of each run, every 100
                            updates
    ../weights/translator-transformer.safetensors
                            the arm "final"
    ../_build/translation/  the weights of all runs, for `pronouns.py`

    .venv/bin/python experiments/translation.py         everything, an hour on two cores
    .venv/bin/python experiments/translation.py final   the committed model: twenty minutes
                                                        of processor time

The arms:

    large       as many parameters in all as the two translators of `bottleneck.py`, and
                their schedule of rates, so that a run can be read off at any update
    final       the same size, for the page: eight times as many sentences, half as many
                updates again, and a rate that falls to 0 at the last of them, so that it is
                good there and nowhere before. One seed: the committed model. It is in no
                comparison
    small       narrower and trained more briefly, with more seeds: whether all that a
                model does with *it* depends on the seed
    four layers as small, with four layers in the encoder for two: in two, few heads can
                look at a noun after the adjective has been read

Counted in updates, in float32 on one thread: the same command gives the same numbers,
but for the seconds, on the same kind of processor.
"""

from dataclasses import replace
from pathlib import Path

from torch import nn

import common
from attention.recurrent import parameters_of as recurrent_parameters
from attention.training import BatchesByLength, TrainingRun
from attention.transformer import TransformerConfig, new_transformer, parameters_of, save
from shared.translators import (
    ADDITIVE,
    BATCH,
    FOUR_LAYERS,
    KEPT,
    LARGE,
    LONG,
    PRONOUNS,
    QUICK_PRONOUNS,
    QUICK_STOPS,
    QUICK_TESTS,
    SMALL,
    SMALL_STOPS,
    TESTS,
    TRANSFORMERS,
    log_rows,
    right_pronouns,
    training_pairs,
    transformer_config,
    with_pronouns,
)
from shared.translators import TRANSFORMER_RECIPE as RECIPE
from shared.translators import tested as tested_on

OUTPUT = Path(__file__).with_suffix(".csv")
LOG = OUTPUT.with_name("translation_log.csv")
FALLING = replace(RECIPE, schedule="linear", steps=24_000)
# Sizes, recipe, updates after which to test, seeds.
ARMS = {
    "final": (LARGE, FALLING, (FALLING.steps,), TRANSFORMERS["final"]),
    "large": (LARGE, RECIPE, LONG, TRANSFORMERS["large"]),
    "small": (SMALL, RECIPE, SMALL_STOPS, TRANSFORMERS["small"]),
    "four layers": (FOUR_LAYERS, RECIPE, SMALL_STOPS, TRANSFORMERS["four layers"]),
}


def config_of(arm: str) -> TransformerConfig:
    """Make the config of an arm."""
    return transformer_config(ARMS[arm][0])


def tested(model: nn.Module) -> list[dict]:
    """Measure a model on every test."""
    return measured(model, TESTS, PRONOUNS)


def measured(model: nn.Module, tests: dict[str, int], pronouns: dict[str, int]) -> list[dict]:
    """Measure a model on some tests, and on some for the pronoun alone."""
    rows = [row | {"pronouns": ""} for row in tested_on(model, tests)]
    for split, count in pronouns.items():
        share = sum(right_pronouns(model, with_pronouns(split, count))) / count
        none = {"exact_match": "", "token_accuracy": ""}
        rows.append({"test": split, **none, "pronouns": f"{share:.4f}"})
    return rows


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> tuple[list[dict], ...]:
    """Train one model; return its rows of the two files."""
    _, recipe, stops, _ = ARMS[arm]
    stops = QUICK_STOPS if asked.quick else stops
    config = config_of(arm)
    pairs = training_pairs(
        "quick" if asked.quick else "more data" if arm == "final" else "additive"
    )
    run = TrainingRun(new_transformer(config, seed), BatchesByLength(pairs, BATCH, seed), recipe)

    def at_stop() -> list[dict]:
        if asked.quick:
            return measured(run.model, QUICK_TESTS, QUICK_PRONOUNS)
        return tested(run.model)

    found = common.stops(run, stops, at_stop, asked.keep(arm, seed))
    about = {"arm": arm, "seed": seed}
    rows = [
        row | about | {"updates": stop, "parameters": parameters_of(config)}
        for stop, at_stop in zip(stops, found, strict=True)
        for row in at_stop
    ]
    kept = asked.path(KEPT / f"{arm}-{seed}.safetensors")
    kept.parent.mkdir(parents=True, exist_ok=True)
    save(kept, run.model)
    if arm == "final":
        save(asked.path(common.WEIGHTS / "translator-transformer.safetensors"), run.model)
    every = 1 if asked.quick else 100
    return rows, [about | row for row in log_rows(run.log, every)]


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    all_seeds = ARMS["small"][3]  # the most
    asked = common.arguments(__file__, __doc__, ARMS, all_seeds, argv)
    assert parameters_of(config_of("large")) <= 1.01 * recurrent_parameters(ADDITIVE)
    order = [(arm, seed) for arm in ARMS for seed in ARMS[arm][3]]
    jobs = [job for job in order if job[0] in asked.arms and job[1] in asked.seeds]
    common.run(measure, jobs, asked, [OUTPUT, LOG], ("arm", "seed"), order, tables=list)


if __name__ == "__main__":
    main()
