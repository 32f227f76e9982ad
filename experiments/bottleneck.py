"""Is the one vector the bottleneck? Translators with it and without it, and controls.

The experiment of chapters 1 and 2. All models but "more data" learn the same sentences of
`attention.corpus`, 5 to 20 English words, and are tested on new ones of the same
lengths and, apart from that, on longer ones. It writes

    bottleneck.csv          one row for each run, number of updates and test: exact
                            match and token accuracy
    bottleneck_log.csv      loss, target tokens and CPU seconds of each run, every 100
                            updates
    ../weights/translator-fixed.safetensors, translator-additive.safetensors
                            seed 0 of the two main arms

    .venv/bin/python experiments/bottleneck.py              everything, an hour and a half
    .venv/bin/python experiments/bottleneck.py fixed dot    these arms, in the same files

The arms:

    fixed       one vector for the sentence; trained longest, so that it can be seen
                whether it stops improving
    additive    Bahdanau's attention, with as many parameters in all
    dot         the same with dot-product scores
    more data   the fixed vector, trained on eight times as many sentences; seed 0 only
    width 48, width 96, width 384
                the fixed vector narrower and wider (192 is "fixed"), and the encoder
                before it with it; the decoder stays, so the parameters differ
    reversed    the fixed vector, from an encoder that reads backwards (Sutskever's
                trick), and its control
    forwards    the same, reading forwards

Runs are counted in updates. The rate rises for 200 updates and falls with the inverse
root of their number, so a run can be read off at any update: at equal updates, at equal
CPU seconds, or where it stops improving. Computed in float32 on one thread: the same
command gives the same numbers, but for the seconds, on the same kind of processor.
"""

from dataclasses import replace
from pathlib import Path

import common
from attention.recurrent import new_translator, parameters_of
from attention.recurrent import save as save_translator
from attention.training import BatchesByLength, TrainingRun
from shared.translators import (
    ADDITIVE,
    BATCH,
    LONG,
    LONGEST,
    MIDDLE,
    QUICK_STOPS,
    QUICK_TESTS,
    RECIPE,
    SEEDS,
    SHORT,
    TESTS,
    WIDTH,
    fixed,
    log_rows,
    tested,
    training_pairs,
)

OUTPUT = Path(__file__).with_suffix(".csv")
LOG = OUTPUT.with_name("bottleneck_log.csv")

ARMS = {
    "additive": (ADDITIVE, LONG),
    "fixed": (fixed(WIDTH), LONGEST),
    "dot": (replace(ADDITIVE, score="dot"), MIDDLE),
    "more data": (fixed(WIDTH), LONGEST),
    "width 48": (fixed(48), SHORT),
    "width 96": (fixed(96), SHORT),
    "width 384": (fixed(384), SHORT),
    "reversed": (fixed(WIDTH, "backwards"), SHORT),
    "forwards": (fixed(WIDTH, "forwards"), SHORT),
}


def seeds_of(arm: str) -> tuple[int, ...]:
    """Say with which seeds an arm is run; drawing for "more data" alone takes minutes."""
    return SEEDS[:1] if arm == "more data" else SEEDS


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> tuple[list[dict], ...]:
    """Train one model; return its rows of the two files."""
    config, stops = ARMS[arm]
    tests, stops = (QUICK_TESTS, QUICK_STOPS) if asked.quick else (TESTS, stops)
    pairs = training_pairs("quick" if asked.quick else arm)
    run = TrainingRun(new_translator(config, seed), BatchesByLength(pairs, BATCH, seed), RECIPE)
    found = common.stops(run, stops, lambda: tested(run.model, tests), asked.keep(arm, seed))
    about = {"arm": arm, "seed": seed}
    rows = [
        row | about | {"updates": stop, "parameters": parameters_of(config)}
        for stop, at_stop in zip(stops, found, strict=True)
        for row in at_stop
    ]
    if seed == 0 and arm in ("fixed", "additive"):
        save_translator(asked.path(common.WEIGHTS / f"translator-{arm}.safetensors"), run.model)
    every = 1 if asked.quick else 100
    return rows, [about | row for row in log_rows(run.log, every)]


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    # Seed by seed, so that all arms can be compared early.
    jobs = [(arm, seed) for seed in asked.seeds for arm in asked.arms if seed in seeds_of(arm)]
    order = [(arm, seed) for arm in ARMS for seed in seeds_of(arm)]
    common.run(measure, jobs, asked, [OUTPUT, LOG], ("arm", "seed"), order, tables=list)


if __name__ == "__main__":
    main()
