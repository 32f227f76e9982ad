"""How fast do the translators train on longer and longer sentences? Steps side by side.

An experiment of chapter 9. The fixed vector, Bahdanau's attention and the transformer,
of equal parameters as in `bottleneck.py` and `translation.py`, get the same batches of
random words, source and target of one length, and take turns: a few training steps
(loss, gradient, Adam) of each. Two ways to choose the batch:

    equal tokens      1,024 target tokens in each: 128 sentences of 8, or 8 of 128. A step
                      learns from as much text at every length, as in practice.
    equal sentences   16 in each, whatever their length: the control. If longer sentences
                      slow a model down only because fewer fit in a batch, it shows here.

It writes speed_by_length.csv, one row for each of these, each length and each model:
target tokens per second, the median over 5 turns; `ratio`, how many times as many as
Bahdanau's model in the same turns, the median too; and the lowest and highest ratio of
a turn.

    .venv/bin/python experiments/speed_by_length.py           five minutes on two idle cores
    .venv/bin/python experiments/speed_by_length.py --quick   a small try on one thread, in
                                                              processor time, for a busy
                                                              machine; writes nothing

On two threads; the times differ between machines, and the ratios less so. On a processor
with thousands of cores the ratios would be others: what takes its steps one after the
other cannot use them.
"""

import argparse
import csv
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import bottleneck
import torch
import translation
from torch import Tensor, nn

from attention.recurrent import new_translator
from attention.training import END, token_loss, update
from attention.transformer import new_transformer

OUTPUT = Path(__file__).with_suffix(".csv")
LENGTHS = (8, 16, 32, 64, 128)
TOKENS, SENTENCES = 1024, 16
SIZES = {
    "equal tokens": {length: TOKENS // length for length in LENGTHS},
    "equal sentences": dict.fromkeys(LENGTHS, SENTENCES),
}
TURNS, STEPS = 5, 10


def new_models() -> dict[str, nn.Module]:
    """Make the three translators."""
    return {
        "fixed": new_translator(bottleneck.fixed(bottleneck.WIDTH), seed=0),
        "additive": new_translator(bottleneck.ADDITIVE, seed=0),
        "transformer": new_transformer(translation.config_of("large"), seed=0),
    }


def batch_of(batch: int, length: int) -> tuple[Tensor, Tensor]:
    """Draw sources and targets of one length: (batch, length) each."""
    generator = torch.Generator().manual_seed(0)
    symbols = min(bottleneck.ADDITIVE.source_symbols, bottleneck.ADDITIVE.target_symbols)
    source, target = torch.randint(END + 1, symbols, (2, batch, length), generator=generator)
    return source, target


def measure(batch: int, length: int, steps: int, clock: Callable[[], float]) -> list[dict]:
    """Let the models take turns; return a row for each."""
    models, (source, target) = new_models(), batch_of(batch, length)
    optimizers = {name: torch.optim.Adam(model.parameters()) for name, model in models.items()}
    speeds: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(TURNS + 1):
        for name, model in models.items():
            started = clock()
            for _ in range(steps):
                update(optimizers[name], token_loss(model(source, target), target))
            if turn > 0:  # the first turn warms up
                speeds[name].append(target.numel() * steps / (clock() - started))
    rows = []
    for name, model in models.items():
        turns = zip(speeds[name], speeds["additive"], strict=True)
        ratios = [one / other for one, other in turns]
        rows.append(
            {
                "model": name,
                "parameters": sum(p.numel() for p in model.parameters()),
                "tokens_per_second": round(statistics.median(speeds[name])),
                "ratio": f"{statistics.median(ratios):.3f}",
                "lowest": f"{min(ratios):.3f}",
                "highest": f"{max(ratios):.3f}",
            }
        )
    return rows


def main() -> None:
    """Measure at all lengths; write the table unless it was a quick try."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="writes nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1 if arguments.quick else 2)
    steps, clock = (1, time.process_time) if arguments.quick else (STEPS, time.perf_counter)
    rows = []
    for compared, sizes in SIZES.items():
        for length, batch in sizes.items():
            row = {"compared": compared, "length": length, "batch": batch}
            rows += [row | found for found in measure(batch, length, steps, clock)]
            print(compared, length, *(row["tokens_per_second"] for row in rows[-3:]), flush=True)
    if not arguments.quick:
        with OUTPUT.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
