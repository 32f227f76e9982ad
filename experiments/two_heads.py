"""Train the two-look-up model with one head and with more; write experiments/two_heads.csv.

The experiment of chapter 7. One row for each run: the task, the number of heads,
the learning rate, the seed, what the run was for, and what
`attention.tasks.two_lookups.probe` and `score_ranks` measure after training.

    .venv/bin/python experiments/two_heads.py      all runs, about twenty minutes on one core

Each task and number of heads gets its own learning rate: the one with the lowest
loss on the tuning seeds. A task with 5000 steps takes over the rate of the
shorter one. The runs to report have other seeds and are measured on other sequences.
experiments/two_heads_examples.json has the attention rows of the first such run of
each kind, on the first of those sequences; nobody chose it. For one head with a linear
read-out it also says how much the weights depend on the values: how much of a row moves,
on average over all sequences, if the two values asked for change places.

Everything is counted in steps and computed in float64 on one thread, so the
same command gives the same files.
"""

import json
from pathlib import Path

import torch

import common
from attention.tasks.two_lookups import (
    LookupBatch,
    LookupConfig,
    LookupModel,
    lookup_batch,
    probe,
    score_ranks,
    train,
)
from shared.logs import read_rows, write

OUTPUT = Path(__file__).with_suffix(".csv")
EXAMPLES = OUTPUT.with_name("two_heads_examples.json")
LEARNING_RATES = (0.002, 0.004, 0.008)
TUNING_SEEDS = (100, 101)
REPORT_SEEDS = range(5)
TUNING_SEQUENCES, REPORT_SEQUENCES = 20_000, 10_000  # seeds of the sequences to measure on
REPORT_COUNT = 2000  # sequences

# For each task: the numbers of heads, the training steps, the configuration.
# Two controls, alone and together: the hidden layer for "a linear read-out is to
# blame", and the long training for "one head only needs more time".
HIDDEN = "two look-ups, hidden layer"
LONG = "two look-ups, 5000 steps"
HIDDEN_LONG = "two look-ups, hidden layer, 5000 steps"
TASKS = {
    "two look-ups": ((1, 2, 4, 8, 16, 32, 64), 1000, {"asked": 2}),
    "one look-up": ((1, 2, 4), 600, {"asked": 1}),
    HIDDEN: ((1, 2), 1500, {"asked": 2, "hidden": 256}),
    LONG: ((1,), 5000, {"asked": 2}),
    HIDDEN_LONG: ((1,), 5000, {"asked": 2, "hidden": 256}),
}
TUNED_AS = {LONG: "two look-ups", HIDDEN_LONG: HIDDEN}  # takes over the learning rate

ONE_HEAD = ("two look-ups", 1)  # with a linear read-out: what the chapter's proof is about

Job = tuple[str, int, float, int]


def steps_of(task: str, quick: bool = False) -> int:
    """Say how long to train."""
    return 4 if quick else TASKS[task][1]


def trained(job: Job, quick: bool) -> LookupModel:
    """Train the model of one run."""
    task, heads, learning_rate, seed = job
    config = LookupConfig(heads, **TASKS[task][2])
    model, _ = train(config, learning_rate, seed, steps_of(task, quick))
    return model


# A saturated softmax makes denormal numbers, which are slow, not different.
@common.threads(1, flush_denormals=True)
def measure(
    task: str, heads: int, learning_rate: float, seed: int, asked: common.Asked = common.PLAIN
) -> list[dict[str, object]]:
    """Train one model and measure it; return its row."""
    model = trained((task, heads, learning_rate, seed), asked.quick)
    tuning = seed in TUNING_SEEDS
    measured = probe(model, TUNING_SEQUENCES if tuning else REPORT_SEQUENCES, REPORT_COUNT)
    ranks = score_ranks(model)
    row = {
        "task": task,
        "heads": heads,
        "learning_rate": learning_rate,
        "seed": seed,
        "purpose": "tuning" if tuning else "report",
        "steps": steps_of(task, asked.quick),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "d_k": model.config.d_model // heads,
        "smallest_rank": ranks.min().item(),
        "largest_rank": ranks.max().item(),
        **{name: f"{value:.6g}" for name, value in measured.items()},
    }
    return [row]


def learning_rates(task: str, heads: int) -> tuple[float, ...]:
    """Return the rates to try: one more where the first or last was best, and not yet 100%."""
    if (task, heads) == (HIDDEN, 1):
        return (0.001, *LEARNING_RATES)
    return LEARNING_RATES if heads < 32 else (*LEARNING_RATES, 0.016)


def tuning_jobs() -> list[Job]:
    """List the runs that choose the learning rates."""
    return [
        (task, heads, rate, seed)
        for task, (all_heads, _, _) in TASKS.items()
        if task not in TUNED_AS
        for heads in all_heads
        for rate in learning_rates(task, heads)
        for seed in TUNING_SEEDS
    ]


def to_tune(arms: tuple[str, ...], logged: list[dict]) -> list[Job]:
    """List the tuning runs that these arms need.

    A rate that is taken over from a task that is not asked for is read from the log, if
    it is there.
    """
    known = {row["task"] for row in logged if row["purpose"] == "tuning"}
    taken_over = {TUNED_AS[task] for task in arms if task in TUNED_AS}
    needed = {task for task in arms if task not in TUNED_AS} | (taken_over - known)
    return [job for job in tuning_jobs() if job[0] in needed]


def report_jobs(tuning_rows: list[dict]) -> list[Job]:
    """List the runs to report, each with the learning rate that tuning chose."""

    def best_rate(task: str, heads: int) -> float:
        tuned_as = TUNED_AS.get(task, task)
        losses = dict.fromkeys(learning_rates(tuned_as, heads), 0.0)
        for row in tuning_rows:
            if (row["task"], int(row["heads"])) == (tuned_as, heads):
                losses[float(row["learning_rate"])] += float(row["loss"])
        return min(losses, key=losses.get)

    return [
        (task, heads, best_rate(task, heads), seed)
        for task, (all_heads, _, _) in TASKS.items()
        for heads in all_heads
        for seed in REPORT_SEEDS
    ]


def example_jobs(tuning_rows: list[dict]) -> list[Job]:
    """List the runs to show: the first seed of each task, with one head and with two."""
    jobs = report_jobs(tuning_rows)
    return [
        job for job in jobs if job[0] not in TUNED_AS and job[1] <= 2 and job[3] == REPORT_SEEDS[0]
    ]


@common.threads(1, flush_denormals=True)
def example(
    task: str, heads: int, learning_rate: float, seed: int, asked: common.Asked = common.PLAIN
) -> dict[str, object]:
    """Train one model and show what it does with the first sequence it is measured on."""
    model = trained((task, heads, learning_rate, seed), asked.quick)
    generator = torch.Generator().manual_seed(REPORT_SEQUENCES)
    sequences = lookup_batch(model.config, REPORT_COUNT, generator)
    with torch.no_grad():
        output, weights = model.attend(sequences)
        answers = model.answer(output).argmax(-1)  # (batch, asked)
    moved = {}
    if (task, heads) == ONE_HEAD:
        with torch.no_grad():
            _, with_swapped = model.attend(values_swapped(sequences))
        shares = (with_swapped - weights).abs().sum(-1) / 2  # (batch, 1, 1)
        moved["moved_by_values"] = round(shares.mean().item(), 6)
    return {
        "task": task,
        "heads": heads,
        "keys": sequences.keys[0].tolist(),
        "values": sequences.values[0].tolist(),
        "question": sequences.question[0].tolist(),
        "answer": sequences.answer[0].tolist(),
        "answer_of_the_model": answers[0].tolist(),
        "weights": weights[0, :, 0].numpy().round(6).tolist(),  # (heads, pairs)
    } | moved


def values_swapped(sequences: LookupBatch) -> LookupBatch:
    """Let the values of the first and the last key asked for change places."""
    first, last = (
        (sequences.keys == sequences.question[:, [place]]).int().argmax(-1, keepdim=True)
        for place in (0, -1)
    )
    values = sequences.values.clone()  # (batch, pairs)
    values.scatter_(1, first, sequences.values.gather(1, last))
    values.scatter_(1, last, sequences.values.gather(1, first))
    answer = sequences.answer.flip(-1)
    return LookupBatch(sequences.keys, values, sequences.question, answer)


def main(argv: list[str] | None = None) -> None:
    """Tune, run what is reported, and write the table and the examples."""
    asked = common.arguments(__file__, __doc__, TASKS, REPORT_SEEDS, argv)
    log, key = asked.path(OUTPUT), ("task", "heads", "learning_rate", "seed")
    tuning = to_tune(asked.arms, read_rows(log))
    if asked.quick:
        tuning = [job for job in tuning if job[1] == 1]
    common.run(measure, tuning, asked, [OUTPUT], key, tuning_jobs(), forget_jobs=False)

    tuning_rows = [row for row in read_rows(log) if row["purpose"] == "tuning"]
    every = report_jobs(tuning_rows)
    report = [job for job in every if job[0] in asked.arms and job[3] in asked.seeds]
    if asked.quick:
        report = [job for job in report if job[1] == 1]
    order = [*tuning_jobs(), *every]
    common.run(measure, report, asked, [OUTPUT], key, order, forget_jobs=False)

    shown = example_jobs(tuning_rows)
    found = common.run(example, [job for job in shown if job in report], asked)
    write_examples(asked.path(EXAMPLES), {job[:2]: one for job, one in found.items()}, shown)
    common.forget(measure, [*tuning, *report], asked)


def write_examples(path: Path, new: dict[tuple, dict], order: list[Job]) -> None:
    """Put examples, by task and heads, into the file in the place of the old ones."""
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    every = {(one["task"], one["heads"]): one for one in old} | new
    lines = [json.dumps(every[job[:2]]) for job in order if job[:2] in every]
    write(path, "[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
