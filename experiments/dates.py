"""Dates to ISO form with attention and with one fixed vector; write experiments/dates.csv.

The experiment behind the dates of chapter 2. One row for each run and number of updates:

    exact_match         share of 1,000 test dates that are right in all ten characters
    medium, long, full  the same for each format: short, middling and long sources
    year, month, day    with attention: how often the largest weight lies in the right
                        place; see `looked_right`
    cpu_seconds         of training; the one column that is never twice the same

and weights/dates.safetensors, the model with attention and seed 0.

    .venv/bin/python experiments/dates.py       all six runs, about ten minutes

The two arms have as many parameters, the same batches, and the same recipe. Its learning
rate is the one of two (0.01 and 0.015) that suited the fixed vector better on validation
dates. A batch is never seen twice. Computed in float32 on one thread: the same command
gives the same file, but for the seconds, on the same kind of processor.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import common
from attention import generate, recurrent
from attention.recurrent import RecurrentConfig, Translator, new_translator, parameters_of
from attention.tasks import dates
from attention.tasks.dates import WrittenDate
from attention.training import (
    Recipe,
    TrainingRun,
    decode_all,
    evaluating,
    exact_matches,
    make_batch,
)

OUTPUT = Path(__file__).with_suffix(".csv")
WEIGHTS = common.WEIGHTS / "dates.safetensors"
SEEDS = (0, 1, 2)
BATCH = 64
UPDATES = (100, 200, 300, 400, 800, 1600)
LONGER = (*UPDATES, 3200)  # to see where the slower arm arrives
TESTED = 1000
RECIPE = Recipe(learning_rate=0.01, schedule="inverse root", warm_up=100)

ADDITIVE = RecurrentConfig(
    source_vocab_size=dates.SOURCE_SYMBOLS,
    target_vocab_size=dates.TARGET_SYMBOLS,
    score="additive",
    d_embedding=24,
    d_encoder=32,
    d_decoder=48,
    d_score=32,
)
_BARE = replace(ADDITIVE, score=None, d_context=64)  # as wide as an annotation
FIXED = replace(_BARE, d_decoder=recurrent.width_for(parameters_of(ADDITIVE), _BARE))
ARMS = {"additive": (ADDITIVE, UPDATES), "fixed": (FIXED, LONGER)}


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> list[dict[str, object]]:
    """Train one model; return its rows."""
    config, stops = ARMS[arm]
    stops, count, tests = ((2, 4), 4, 20) if asked.quick else (stops, max(LONGER), TESTED)
    pairs = dates.pairs(dates.draw("train", BATCH * count, seed))
    batches = [make_batch(pairs[i : i + BATCH]) for i in range(0, len(pairs), BATCH)]
    test = dates.draw("test", tests)
    run = TrainingRun(new_translator(config, seed), batches, RECIPE)

    def at_stop() -> dict[str, object]:
        model = run.model
        measured = right(model, test) | (looked_right(model, test) if config.score else {})
        about = {"arm": arm, "seed": seed, "updates": run.step, "parameters": parameters_of(config)}
        return {
            **about,
            **{name: f"{share:.4f}" for name, share in measured.items()},
            "cpu_seconds": f"{run.log[-1].cpu_seconds:.1f}",
        }

    rows = list(common.stops(run, stops, at_stop, asked.keep(arm, seed)))
    if arm == "additive" and seed == 0:
        recurrent.save(asked.path(WEIGHTS), run.model)
    return rows


def right(model: Translator, written: list[WrittenDate]) -> dict[str, float]:
    """Measure how many dates come out right: of all, and of each format."""
    sources, targets = zip(*dates.pairs(written), strict=True)
    outputs = decode_all(partial(generate.greedy, model, max_length=20), sources)
    hits = exact_matches(outputs, targets)
    shares = {"exact_match": sum(hits) / len(hits)}
    for format in dates.FORMATS:
        of_it = [hit for hit, one in zip(hits, written, strict=True) if one.format == format]
        shares[format] = sum(of_it) / len(of_it)
    return shares


def looked_right(model: Translator, written: list[WrittenDate]) -> dict[str, float]:
    """Measure where the largest weight of a step lies.

    Returns
    -------
    shares : dict
        "year": of the steps that write the last two digits of the year, those that
        look at this very digit. "month" and "day": of the steps that write their two
        digits, those that look somewhere within the month's name or the day's number.
    """
    batch = make_batch(dates.pairs(written))
    with evaluating(model):
        _, weights = model(batch.source, batch.target, return_weights=True)
    places = weights.argmax(-1).tolist()  # (dates, 11): 2 0 2 6 - 1 1 - 2 2 END
    hits: dict[str, list[bool]] = {"year": [], "month": [], "day": []}
    for one, place in zip(written, places, strict=True):
        hits["year"] += [place[step] == one.parts["year"][step] for step in (2, 3)]
        hits["month"] += [place[step] in one.parts["month"] for step in (5, 6)]
        hits["day"] += [place[step] in one.parts["day"] for step in (8, 9)]
    return {part: sum(found) / len(found) for part, found in hits.items()}


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    jobs = [(arm, seed) for seed in asked.seeds for arm in asked.arms]
    order = [(arm, seed) for seed in SEEDS for arm in ARMS]
    common.run(measure, jobs, asked, [OUTPUT], ("arm", "seed"), order)


if __name__ == "__main__":
    main()
