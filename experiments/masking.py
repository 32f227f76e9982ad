"""Train a language model with and without its mask; write experiments/masking.csv.

The experiment of chapter 5: the right model and three bugs that run. One row for
each arm and seed. `held_out_loss` is what the arm's own training loop would
report: its own mask, its own targets, text it was not trained on. `honest_loss` is
the loss of the next character with nothing but the past given, on the same windows;
`honest_loss_full_context` the same with a whole window given, the one place where
training without a mask is honest too. `words_known` is measured on 1000 characters
generated after a prompt of one word; `words_known_full_context` after a prompt as
long as the context, from the held-out text. Losses are in nats for each character.

    .venv/bin/python experiments/masking.py        20 runs, about ten minutes

masking_samples.json holds, for each arm's first seed, 200 generated characters and
the training loss, each number a mean over 20 steps. Everything is counted in steps
and computed in float32 on one thread: the same command gives the same file on the
same kind of processor and the same version of Python, and nearly so on others.
"""

import csv
import json
from pathlib import Path

import torch

from attention.character_model import (
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

OUTPUT = Path(__file__).with_suffix(".csv")
SAMPLES = OUTPUT.with_name("masking_samples.json")
ARMS = {
    "causal": {"causal": True, "shift": 1},
    "no mask": {"causal": False, "shift": 1},
    "shift 0": {"causal": True, "shift": 0},
    "shift 2": {"causal": True, "shift": 2},
}
SEEDS = range(5)
STEPS = 800
PROMPT = "The "
# Predicting from each prefix takes a pass for each, so every fourth held-out window.
EVERY = 4


def run(arm: str, seed: int, steps: int = STEPS) -> tuple[dict[str, object], dict[str, object]]:
    """Train one model; return its row of the table, and its text and loss curve."""
    torch.set_num_threads(1)
    model, losses = train(seed, **ARMS[arm], steps=steps)
    own_inputs, own_targets = held_out_windows(ARMS[arm]["shift"])
    inputs, targets = held_out_windows()
    reported = held_out_loss(model, own_inputs[::EVERY], own_targets[::EVERY])
    honest = honest_losses(model, inputs[::EVERY], targets[::EVERY])
    text, after_long = (
        generate(model, prompt, 1000, torch.Generator().manual_seed(seed))
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


def main() -> None:
    """Run every combination and write the table and the samples."""
    rows, samples = [], {}
    for arm in ARMS:
        for seed in SEEDS:
            row, shown = run(arm, seed)
            rows.append(row)
            samples.setdefault(arm, shown)
            print(*row.values(), flush=True)
    with OUTPUT.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    SAMPLES.write_text(json.dumps(samples, indent=1, ensure_ascii=False) + "\n")
    print(f"wrote {OUTPUT.name} and {SAMPLES.name}: {len(rows)} runs")


if __name__ == "__main__":
    main()
