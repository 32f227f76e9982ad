"""Train the transformer on the sentences of chapters 1 and 2, and compare.

The experiment of chapter 9. Same sentences, same batches in the same order, same tests as
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

Counted in updates, in float32 on one thread: the same command gives the same numbers,
but for the seconds, on the same kind of processor.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import bottleneck
import torch
from bottleneck import ADDITIVE, BATCH, TESTS, WEIGHTS, numbers, training_pairs

from attention import corpus
from attention.generate import greedy
from attention.recurrent import parameters_of as recurrent_parameters
from attention.training import (
    BatchesByLength,
    Recipe,
    TrainingRun,
    decode_all,
    evaluating,
    exact_matches,
    make_batch,
    right_tokens,
)
from attention.transformer import TransformerConfig, new_transformer, parameters_of, save

OUTPUT = Path(__file__).with_suffix(".csv")
LOG = OUTPUT.with_name("translation_log.csv")
KEPT = OUTPUT.parent.parent / "_build" / "translation"
RECIPE = Recipe(learning_rate=3e-3, schedule="inverse root", warm_up=400, clip=1.0)
FALLING = replace(RECIPE, schedule="linear", steps=24_000)
LARGE = {"d_model": 80, "heads": 4, "d_ff": 254}
SMALL = {"d_model": 64, "heads": 4, "d_ff": 128}
# Sizes, recipe, updates after which to test, seeds.
ARMS = {
    "final": (LARGE, FALLING, (FALLING.steps,), range(1)),
    "large": (LARGE, RECIPE, bottleneck.LONG, range(3)),
    "small": (SMALL, RECIPE, (1000, 2000, 4000, 6000), range(8)),
}
PRONOUNS = {"pronouns, two nouns": 1000, "pronouns, three nouns": 1000}


def config_of(arm: str) -> TransformerConfig:
    """Make the config of an arm."""
    sizes = ARMS[arm][0]
    return TransformerConfig(
        source_symbols=len(corpus.english_vocabulary()),
        target_symbols=len(corpus.french_vocabulary()),
        **sizes,
    )


@cache
def with_pronouns(split: str, count: int) -> list[corpus.Pair]:
    """Draw sentences with one *it* whose antecedent and a rival differ in gender."""
    return corpus.draw_split(split, count)


@torch.no_grad()
def right_pronouns(model: torch.nn.Module, pairs: list[corpus.Pair]) -> list[bool]:
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


def tested(model: torch.nn.Module) -> list[dict]:
    """Measure a model on every test."""
    rows = []
    for split, count in TESTS.items():
        pairs = numbers(split, count)
        sources, targets = zip(*pairs, strict=True)
        outputs = decode_all(partial(greedy, model), sources)
        right, tokens = right_tokens(model, pairs)
        rows.append(
            {
                "test": split,
                "exact_match": f"{sum(exact_matches(outputs, targets)) / count:.4f}",
                "token_accuracy": f"{(right.sum() / tokens.sum()).item():.4f}",
                "pronouns": "",
            }
        )
    for split, count in PRONOUNS.items():
        right = right_pronouns(model, with_pronouns(split, count))
        rows.append(
            {
                "test": split,
                "exact_match": "",
                "token_accuracy": "",
                "pronouns": f"{sum(right) / count:.4f}",
            }
        )
    return rows


def measure(arm: str, seed: int) -> tuple[list[dict], list[dict]]:
    """Train one model; return its rows of the two files."""
    torch.set_num_threads(1)
    _, recipe, stops, _ = ARMS[arm]
    config = config_of(arm)
    pairs = training_pairs("more data" if arm == "final" else "additive")
    data = BatchesByLength(pairs, BATCH, seed)
    run = TrainingRun(new_transformer(config, seed), data, recipe)
    rows = []
    for stop in stops:
        run.advance(stop - run.step)
        rows += [row | {"arm": arm, "seed": seed, "updates": stop} for row in tested(run.model)]
        print(arm, seed, stop, *(r["exact_match"] or r["pronouns"] for r in rows[-9:]), flush=True)
    for row in rows:
        row["parameters"] = parameters_of(config)
    log = [
        {
            "arm": arm,
            "seed": seed,
            "updates": entry.step,
            "loss": f"{entry.loss:.4f}",
            "tokens": entry.tokens,
            "cpu_seconds": f"{entry.cpu_seconds:.1f}",
        }
        for entry in run.log
        if entry.step % 100 == 0
    ]
    KEPT.mkdir(parents=True, exist_ok=True)
    save(KEPT / f"{arm}-{seed}.safetensors", run.model)
    if arm == "final":
        save(WEIGHTS / "translator-transformer.safetensors", run.model)
    return rows, log


def main() -> None:
    """Run what was asked for, and file the rows as they come."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arms", nargs="*", choices=[[], *ARMS], help="default: all")
    parser.add_argument("--seeds", type=int, nargs="*")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    arguments = parser.parse_args()
    assert parameters_of(config_of("large")) <= 1.01 * recurrent_parameters(ADDITIVE)
    torch.set_num_threads(1)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        runs = {
            pool.submit(measure, arm, seed): (arm, str(seed))
            for arm in arguments.arms or ARMS
            for seed in ARMS[arm][3]
            if arguments.seeds is None or seed in arguments.seeds
        }
        for done in as_completed(runs):
            rows, log = done.result()
            bottleneck.write(OUTPUT, rows, {runs[done]}, list(ARMS))
            bottleneck.write(LOG, log, {runs[done]}, list(ARMS))
            print(*runs[done], "is done", flush=True)


if __name__ == "__main__":
    main()
