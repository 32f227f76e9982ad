"""How fast do the translators train on longer and longer sentences? Steps side by side.

An experiment of chapter 10. The fixed vector, Bahdanau's attention and the transformer,
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
                                                              machine

On two threads; the times differ between machines, and the ratios less so. On a processor
with thousands of cores the ratios would be others: what takes its steps one after the
other cannot use them.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

import common
from attention.recurrent import new_translator
from attention.training import END, token_loss, update
from attention.transformer import new_transformer
from shared.translators import ADDITIVE, LARGE, WIDTH, fixed, transformer_config

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
        "fixed": new_translator(fixed(WIDTH), seed=0),
        "additive": new_translator(ADDITIVE, seed=0),
        "transformer": new_transformer(transformer_config(LARGE), seed=0),
    }


def batch_of(batch: int, length: int) -> tuple[Tensor, Tensor]:
    """Draw sources and targets of one length: (batch, length) each."""
    generator = torch.Generator().manual_seed(0)
    symbols = min(ADDITIVE.source_vocab_size, ADDITIVE.target_vocab_size)
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


def measure_at(
    compared: str, length: int, asked: common.Asked = common.PLAIN
) -> list[dict[str, object]]:
    """Measure at one length; return the rows of the table."""
    batch = SIZES[compared][length]
    # A quick try may be on a busy machine, so it takes processor time.
    steps, clock = (1, time.process_time) if asked.quick else (STEPS, time.perf_counter)
    about = {"compared": compared, "length": length, "batch": batch}
    return [about | found for found in measure(batch, length, steps, clock)]


def main(argv: list[str] | None = None) -> None:
    """Measure what was asked for, one length after the other, and file the rows."""
    asked = common.arguments(__file__, __doc__, SIZES, argv=argv, timing_threads=2)
    order = [(compared, length) for compared in SIZES for length in SIZES[compared]]
    jobs = [job for job in order if job[0] in asked.arms and not (asked.quick and job[1] > 16)]
    common.run(measure_at, jobs, asked, [OUTPUT], ("compared", "length"), order)


if __name__ == "__main__":
    main()
