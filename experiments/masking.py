"""Train a language model with and without its mask; write experiments/masking.csv.

The experiment of the chapter on masking: the right model and three bugs that run. The arms
"all lengths" are cut to a length from 1 to 64, drawn for each batch. They tell apart what a
model lacks because it read ahead, and what it lacks because no text was ever short. One row
for each arm and seed. `held_out_loss` is what the arm's own training loop would
report: its own mask, its own targets, text it was not trained on. `honest_loss` is
the loss of the next character with nothing but the past given, on the same windows;
`honest_loss_full_context` the same with a whole window given, the one place where
training without a mask is honest too. `words_known` is measured on 1000 characters
generated after a prompt of one word; `words_known_full_context` after a prompt as
long as the context, from the held-out text. Losses are in nats for each character.

    .venv/bin/python experiments/masking.py        24 runs, a quarter of an hour

masking_samples.json holds, for each arm's first seed, 200 generated characters and
the training loss, each number a mean over 20 steps. Everything is counted in steps
and computed in float32 on one thread: the same command gives the same file on the
same kind of processor and the same version of Python, and nearly so on others.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import torch

import common
from attention.tasks.character_model import (
    changes_with_the_future,
    decode,
    generate,
    held_out_loss,
    held_out_windows,
    honest_losses,
    perplexity,
    train,
    words_known,
)
from shared.logs import write

OUTPUT = Path(__file__).with_suffix(".csv")
SAMPLES = OUTPUT.with_name("masking_samples.json")
ARMS = {
    "causal": {"causal": True, "shift": 1},
    "no mask": {"causal": False, "shift": 1},
    "shift 0": {"causal": True, "shift": 0},
    "shift 2": {"causal": True, "shift": 2},
    "causal, all lengths": {"causal": True, "shift": 1, "shortest": 1},
    "no mask, all lengths": {"causal": False, "shift": 1, "shortest": 1},
}
SEEDS = range(5)
FEWER_SEEDS = {"causal, all lengths": range(2), "no mask, all lengths": range(2)}
STEPS = 800
PROMPT = "The "
# Predicting from each prefix takes a pass for each, so every fourth held-out window.
EVERY = 4


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> tuple[dict, dict]:
    """Train one model; return its row of the table, and its text and loss curve."""
    steps, every, length = (20, 80, 100) if asked.quick else (STEPS, EVERY, 1000)
    model, losses = train(seed, **ARMS[arm], steps=steps)
    own_inputs, own_targets = held_out_windows(ARMS[arm]["shift"])
    inputs, targets = held_out_windows()
    reported = held_out_loss(model, own_inputs[::every], own_targets[::every])
    honest = honest_losses(model, inputs[::every], targets[::every])
    text, after_long = (
        generate(model, prompt, length, torch.Generator().manual_seed(seed))
        for prompt in (PROMPT, decode(inputs[0]))
    )
    numbers = {
        "held_out_loss": reported,
        "held_out_perplexity": perplexity(reported),
        "honest_loss": honest.mean().item(),
        "honest_perplexity": perplexity(honest.mean().item()),
        "honest_loss_full_context": honest[-1].item(),
        "words_known": words_known(text),
        "words_known_full_context": words_known(after_long),
        "changes_with_the_future": changes_with_the_future(model),
    }
    row = {"arm": arm, "seed": seed} | {name: f"{x:.6g}" for name, x in numbers.items()}
    curve = torch.tensor(losses).unflatten(0, (-1, 20)).mean(1).tolist()
    shown = {
        "prompt": PROMPT,
        "text": text[:200],
        "text_full_context": after_long[:200],
        "loss": [round(loss, 4) for loss in curve],
    }
    return row, shown


def jobs_of(arms: Iterable[str], seeds: Iterable[int]) -> list[tuple[str, int]]:
    """List the runs of some arms, in the order of the log."""
    return [
        (arm, seed)
        for arm in arms
        for seed in seeds
        if arm not in FEWER_SEEDS or seed in FEWER_SEEDS[arm]
    ]


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for; write the table as it comes and the samples in the end."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    jobs, order = jobs_of(asked.arms, asked.seeds), jobs_of(ARMS, SEEDS)
    names = ("arm", "seed")
    results = common.run(
        measure, jobs, asked, [OUTPUT], names, order, tables=lambda result: [[result[0]]]
    )
    samples = asked.path(SAMPLES)
    old = json.loads(samples.read_text(encoding="utf-8")) if samples.exists() else {}
    new = {arm: shown for (arm, seed), (_, shown) in results.items() if seed == SEEDS[0]}
    both = {arm: (old | new)[arm] for arm in ARMS if arm in old | new}
    write(samples, json.dumps(both, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
