"""Look at the heads of trained language models and remove them, with controls.

The experiment of chapter 7, on the causal character model of chapter 6. It writes

    heads_of_a_model.csv           one row for each head: where it looks
                                   (`attention.tasks.character_model.head_measures`), in a
                                   trained model, in an untrained one, and in the trained
                                   model with random projections for the queries and keys
                                   of its block (as large as the trained ones); for
                                   trained heads also how much the loss rises without it,
                                   on both halves of the held-out text
    heads_of_a_model_pruning.csv   the loss on the second half against the number of
                                   heads removed: in the order of the rise on the first
                                   half, and in random orders
    ../weights/character-model.safetensors     the trained model of seed 0

    .venv/bin/python experiments/heads_of_a_model.py        5 models, about four minutes

Losses are in nats for each character. Everything is counted in steps and computed
in float32 on one thread: the same command gives the same file on the same kind of
processor and the same version of Python, and nearly so on others.
"""

import copy
from pathlib import Path

import torch

import common
from attention.tasks.character_model import (
    CharacterModel,
    Head,
    attention_weights,
    head_measures,
    held_out_loss,
    held_out_windows,
    new_model,
    train,
    without_heads,
)
from attention.training import save_weights

OUTPUT = Path(__file__).with_suffix(".csv")
PRUNING = OUTPUT.with_name("heads_of_a_model_pruning.csv")
WEIGHTS = common.WEIGHTS / "character-model.safetensors"
SEEDS = range(5)
STEPS = 800
RANDOM_ORDERS = 10


def heads_of(model: CharacterModel) -> list[Head]:
    """Name every head of a model."""
    return [
        (number, head)
        for number, block in enumerate(model.blocks)
        for head in range(block.attention.heads)
    ]


def halves() -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """Return the first and the second half of the held-out windows, with their targets."""
    inputs, targets = held_out_windows()
    middle = len(inputs) // 2
    return (inputs[:middle], targets[:middle]), (inputs[middle:], targets[middle:])


def with_random_queries_and_keys(model: CharacterModel, number: int, seed: int) -> CharacterModel:
    """Copy a model, with random W_Q and W_K of the trained size in one block."""
    control = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    attention = control.blocks[number].attention
    for layer in (attention.W_Q, attention.W_K):
        for parameter in (layer.weight, layer.bias):
            draw = torch.randn(parameter.shape, generator=generator)
            size = parameter.data.square().mean().sqrt()  # root mean square
            parameter.data = draw * size
    return control


def measure(model: CharacterModel, blocks: list[int] | None = None) -> dict[Head, dict[str, float]]:
    """Measure where each head of some blocks looks, on the second half."""
    _, (inputs, _) = halves()
    measures = head_measures(attention_weights(model, inputs), inputs)  # each (blocks, heads)
    return {
        (number, head): {name: values[number, head].item() for name, values in measures.items()}
        for number, head in heads_of(model)
        if blocks is None or number in blocks
    }


def loss_without(model: CharacterModel, removed: list[Head], half: int) -> float:
    """Compute the held-out loss of a model with some heads removed."""
    with without_heads(model, removed):
        return held_out_loss(model, *halves()[half])


def head_rows(model: CharacterModel, seed: int) -> list[dict[str, object]]:
    """Measure the heads of one trained model and of its controls."""
    controls = {
        head: measured
        for number in range(len(model.blocks))
        for head, measured in measure(
            with_random_queries_and_keys(model, number, seed), [number]
        ).items()
    }
    found = {
        "trained": measure(model),
        "untrained": measure(new_model(seed)),
        "random queries and keys": controls,
    }
    intact = [loss_without(model, [], half) for half in (0, 1)]
    rows = []
    for kind, heads in found.items():
        for head, measured in heads.items():
            row = {"seed": seed, "model": kind, "block": head[0], "head": head[1]}
            row |= {name: f"{value:.6g}" for name, value in measured.items()}
            for half, name in enumerate(("first", "second")):
                rise = loss_without(model, [head], half) - intact[half] if kind == "trained" else ""
                row[f"rise_{name}_half"] = rise and f"{rise:.6g}"
            rows.append(row)
    return rows


def pruning_rows(
    model: CharacterModel, seed: int, importance: dict[Head, float], orders: int = RANDOM_ORDERS
) -> list[dict[str, object]]:
    """Remove one head after the other, the least important first or in random order."""
    heads = heads_of(model)
    generator = torch.Generator().manual_seed(seed)
    found = {"least important first": sorted(heads, key=importance.__getitem__)}
    for number in range(orders):
        order = torch.randperm(len(heads), generator=generator).tolist()
        found[f"random {number}"] = [heads[place] for place in order]
    return [
        {
            "seed": seed,
            "order": name,
            "removed": count,
            "loss": f"{loss_without(model, order[:count], half=1):.6g}",
        }
        for name, order in found.items()
        for count in range(len(heads) + 1)
    ]


@common.threads(1)
def rows_of(seed: int, asked: common.Asked = common.PLAIN) -> tuple[list[dict], list[dict]]:
    """Train, measure and prune the model of a seed; return its rows of the two files."""
    model, _ = train(seed, steps=20 if asked.quick else STEPS)
    if seed == 0:
        save_weights(asked.path(WEIGHTS), model, {"kind": "character model"})
    rows = head_rows(model, seed)
    importance = {
        (row["block"], row["head"]): float(row["rise_first_half"])
        for row in rows
        if row["model"] == "trained"
    }
    return rows, pruning_rows(model, seed, importance, 1 if asked.quick else RANDOM_ORDERS)


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, (), SEEDS, argv)
    jobs, order = ([(seed,) for seed in seeds] for seeds in (asked.seeds, SEEDS))
    common.run(rows_of, jobs, asked, [OUTPUT, PRUNING], ("seed",), order, tables=list)


if __name__ == "__main__":
    main()
