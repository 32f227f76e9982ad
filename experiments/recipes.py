"""Train the translator to the same marks in fewer CPU seconds, one lever at a time.

An experiment of chapter 10. The model is the arm "large" of `translation.py`, on the same
sentences. The question is how many CPU seconds it has to be trained until it translates 97 %
of the sentences of 17 to 20 words word for word, and chooses 97 % of the pronouns between two
nouns correctly. It writes

    recipes.csv        one row for each run and stop: exact match and token accuracy at 17 to
                       20 words, pronouns, updates, and CPU seconds without the scoring
    recipes_speed.csv  milliseconds of an update: the same mathematics computed in several
                       ways, then each lever

    .venv/bin/python experiments/recipes.py --jobs 1    everything: some 2½ hours of
                                                        processor time, by estimate
    .venv/bin/python experiments/recipes.py speed       this arm, in the same files

The arms:

    speed            how long an update takes. All ways to compute one take turns
    present          the recipe of `translation.py`, computed as in the book
    LEVER, rate R    a trial: the present recipe with one lever changed, or with several, at
                     each of three rates, for as many CPU seconds as 2,000 updates of the
                     present recipe take when it is computed fast. Trials have a seed and
                     sentences of their own, so that nothing is chosen on the tests
    COMBINATION      several levers, at the rate that won their trials, for half of the CPU
                     seconds that the present recipe needs, on three seeds

All but "present" are computed fast: the same mathematics in fewer calls (see
`shared/levers.py`). Counted in updates, in float32 on one thread: the same command gives the
same numbers, but for the seconds, on the same kind of processor.
"""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import common
from attention import corpus
from attention.generate import greedy
from attention.kv_cache import CachedTransformerStepper
from attention.training import Recipe, decode_all, exact_matches, right_tokens
from attention.transformer import Transformer
from shared.levers import FAST, LEVERS, Lever, LeverRun, pulled
from shared.logs import read_rows
from shared.meters import AS_IT_COMES, REUSED, in_new_process
from shared.translators import QUICK_STOPS, right_pronouns, training_pairs
from shared.translators import TRANSFORMER_RECIPE as RECIPE
from shared.update_times import TIMED

OUTPUT = Path(__file__).with_suffix(".csv")
SPEED = OUTPUT.with_name("recipes_speed.csv")
SEEDS, TRIAL_SEED = (0, 1, 2), 100
LONG, TWO, THREE = "length 17-20", "pronouns, two nouns", "pronouns, three nouns"
TESTS = {LONG: 300, TWO: 1000, THREE: 1000}
QUICK_TESTS = dict.fromkeys(TESTS, 4)
RATES = (0.0015, 0.003, 0.006)
GOAL = 0.97  # of both measures, the mean of the seeds

# Of the levers that did best in their trials.
COMBINATIONS = {
    "to 0": ("to 0",),
    "to 0, rotary": ("to 0", "rotary and sines"),
    "to 0, rotary, Muon": ("to 0", "rotary and sines", "Muon"),
}
TRIED = {name: (name,) for name in LEVERS} | COMBINATIONS
TRIALS = {f"{name}, rate {rate}": (name, rate) for name in TRIED for rate in RATES}
ARMS = ("speed", *TRIALS, "present", *COMBINATIONS)

# Updates of the present recipe, computed as in the book: it needs between 8,000 and 10,000.
STOPS = (2000, 4000, 5000, 6000, 8000, 9000, 10_000)
# Updates, computed fast, that should take as long as half of those, and of a trial. A lever that
# makes an update longer has fewer. What they did take is in the log.
HALF, TRIAL = 5000, 2000
MEMORY = {"as it comes": AS_IT_COMES, "reused": REUSED}
TURNS, TURN = 7, 20  # of the arm "speed", and the updates in each turn
SPEED_PAIRS = 4000


def lever_of(arm: str) -> Lever:
    """Say which levers an arm pulls."""
    if arm == "present":
        return LEVERS["present"]
    name = TRIALS[arm][0] if arm in TRIALS else arm
    return pulled(FAST, *(LEVERS[one] for one in TRIED[name]))


def stops_of(arm: str) -> tuple[int, ...]:
    """Say after how many updates an arm is tested."""
    if arm == "present":
        return STOPS
    fast = TRIAL if arm in TRIALS else HALF
    last = 100 * round(fast / lever_of(arm).cost / 100)
    # A rate that falls to 0 makes a model good at its end only.
    return (last,) if arm in TRIALS else (last // 2, last)


def recipe_of(arm: str, rate: float, stops: tuple[int, ...]) -> Recipe:
    """Make the recipe of an arm."""
    recipe = replace(RECIPE, learning_rate=rate)
    given = lever_of(arm).recipe
    if given.get("schedule") == "linear":  # it has to know its end
        warm_up = min(RECIPE.warm_up, stops[-1] - 1)
        given = given | {"steps": stops[-1], "warm_up": warm_up}
    return replace(recipe, **given)


# ------------------------------------------------------------------------ what is measured


@cache
def sentences(test: str, count: int, trial: bool) -> list[corpus.Pair]:
    """Draw the sentences of a test; for a trial others, none of which is among them."""
    if not trial:
        return corpus.draw_split(test, count)
    tests = {pair.english for pair in corpus.draw_split(test, count)}
    return corpus.draw_split(
        test, count, seed=TRIAL_SEED, keep=lambda pair: pair.english not in tests
    )


def tested(model: Transformer, tests: Mapping[str, int], trial: bool) -> dict[str, str]:
    """Measure a model on the long sentences and on the pronouns."""
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    some = sentences(LONG, tests[LONG], trial)
    pairs = [(english.encode(pair.english), french.encode(pair.french)) for pair in some]
    sources, targets = zip(*pairs, strict=True)
    # It writes what it would write without a cache, but sooner.
    outputs = decode_all(partial(greedy, CachedTransformerStepper(model)), sources)
    right, tokens = right_tokens(model, pairs)
    found = {
        "exact_match": statistics.mean(exact_matches(outputs, targets)),
        "token_accuracy": (right.sum() / tokens.sum()).item(),
    }
    for name, test in (("two_nouns", TWO), ("three_nouns", THREE)):
        found[name] = statistics.mean(right_pronouns(model, sentences(test, tests[test], trial)))
    return {name: f"{value:.4f}" for name, value in found.items()}


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Train one model; return its rows."""
    trial = arm in TRIALS
    rate = TRIALS[arm][1] if trial else rate_of(arm, read_rows(asked.path(OUTPUT)), asked.quick)
    stops = QUICK_STOPS if asked.quick else stops_of(arm)
    pairs = training_pairs("quick" if asked.quick else "additive")
    run = LeverRun(lever_of(arm), pairs, recipe_of(arm, rate, stops), seed)

    def at_stop() -> dict[str, str]:
        return tested(run.tested_model(), QUICK_TESTS if asked.quick else TESTS, trial)

    found = common.stops(run, stops, at_stop, asked.keep(arm, seed))
    about = {"arm": arm, "seed": seed, "rate": rate, "parameters": count(run)}
    return [
        about
        | {"updates": stop, "cpu_seconds": f"{run.log[stop - 1].cpu_seconds:.1f}"}
        | {"loss": f"{statistics.mean(e.loss for e in run.log[max(stop - 100, 0) : stop]):.4f}"}
        | at_stop
        for stop, at_stop in zip(stops, found, strict=True)
    ]


def count(run: LeverRun) -> int:
    """Count the numbers that a run adjusts, each shared matrix once."""
    return sum(parameter.numel() for parameter in run.model.parameters())


def score(row: Mapping[str, str]) -> float:
    """Say how good a model is: the mean of the two measures that are to reach the goal."""
    return (float(row["exact_match"]) + float(row["two_nouns"])) / 2


def rate_of(arm: str, rows: Iterable[Mapping[str, str]], quick: bool = False) -> float:
    """Choose the rate whose trial is the best."""
    if arm == "present" or quick:
        return RECIPE.learning_rate
    found = {
        TRIALS[row["arm"]][1]: score(row)
        for row in rows
        if row["arm"] in TRIALS and TRIALS[row["arm"]][0] == arm
    }
    if len(found) < len(RATES):
        raise SystemExit(f"the log lacks trials of {arm}: run them first")
    return max(found, key=found.__getitem__)


def seconds_to_goal(arm: str, rows: Iterable[Mapping[str, str]]) -> float | None:
    """Give the CPU seconds after which an arm has reached the goal in both measures.

    It is the first stop at which the means of the seeds have; the seconds are a mean, too.
    None: at no stop.
    """
    by_stop: dict[int, list[Mapping[str, str]]] = {}
    for row in rows:
        if row["arm"] == arm:
            by_stop.setdefault(int(row["updates"]), []).append(row)
    for _, found in sorted(by_stop.items()):
        means = {
            name: statistics.mean(float(row[name]) for row in found)
            for name in ("exact_match", "two_nouns", "cpu_seconds")
        }
        if min(means["exact_match"], means["two_nouns"]) >= GOAL:
            return means["cpu_seconds"]
    return None


# -------------------------------------------------------------------------- how fast it is


def speed(_: str, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Time all ways to compute an update; return a row for each.

    Two are timed again where the C library keeps the memory that is given back to it.
    """
    sizes = (1, 1, 300) if asked.quick else (TURNS, TURN, SPEED_PAIRS)
    rows = []
    for memory, environment in MEMORY.items():
        names = [name for name, where in TIMED if where == memory]
        found = in_new_process(
            "shared.update_times", "milliseconds", names, *sizes, environment=environment
        )
        rows += [
            {
                "way": name,
                "memory": memory,
                "milliseconds": f"{statistics.median(times):.2f}",
                "lowest": f"{min(times):.2f}",
                "highest": f"{max(times):.2f}",
                "target_tokens": tokens,
            }
            for name, (times, tokens) in found.items()
        ]
    return rows


def seeds_of(arm: str, asked: common.Asked) -> tuple[int, ...]:
    """Say with which seeds an arm is run."""
    return (TRIAL_SEED,) if arm in TRIALS else asked.seeds


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    if "speed" in asked.arms:
        alone = replace(asked, jobs=1)
        common.run(speed, [("speed",)], alone, [SPEED], ("way", "memory"), TIMED)
    every = [arm for arm in ARMS if arm != "speed"]
    order = [(arm, seed) for arm in every for seed in seeds_of(arm, common.Asked(seeds=SEEDS))]
    # The trials first, whose best rates the others take.
    for trial in (True, False):
        arms = [arm for arm in asked.arms if arm != "speed" and (arm in TRIALS) == trial]
        jobs = [(arm, seed) for arm in arms for seed in seeds_of(arm, asked)]
        common.run(measure, jobs, asked, [OUTPUT], ("arm", "seed"), order)


if __name__ == "__main__":
    main()
