"""How do time and memory grow with the length? A layer part by part, and a step of writing.

An experiment of chapter 11. One sequence of n vectors of width 256 goes through

    weights kept        self-attention of 8 heads that makes all n × n weights of each head
    fused               the same by F.scaled_dot_product_attention, which never has them all
    heads kept          of the first, what the heads do: scores, softmax, average
    heads fused         the same of the second
    projections         what stands around the heads: W_Q, W_K, W_V and W_O
    feed-forward        a feed-forward layer, of width 1024 inside
    encoder layer       fused, feed-forward, two norms, two sums
    GRU                 a recurrent layer of the same width, for comparison

forward without gradients, and forward and backward (the GRU forward only). Besides, a
language model of four such layers says what may follow a text of n tokens

    step without cache  and reads the text for it
    step with cache     and reads the last token; keys and values of the others are there

It writes cost.csv, one row for each part, direction and length n:

    multiplications     by formula; additions go along with them
    turns               the parts take turns at each length; one more turn warms up
    milliseconds        the median of the turns, in processor time, on one thread
    lowest, highest     of the turns
    peak_bytes          how much the resident memory of a process grows at the most while
                        it makes one such call, in a process for each row

    .venv/bin/python experiments/cost.py           six minutes on two idle cores, with
                                                   8 GB of free memory; on Linux only
    .venv/bin/python experiments/cost.py --quick   a small try: the short lengths, two
                                                   turns

In the end it prints the exponents b of n^b that the columns follow, and the share of the
heads in an encoder layer. The times differ between machines, and at one length by what
else the machine does; the memory hardly does.
"""

import ctypes
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import common
from attention.heads import merge_heads, split_heads
from attention.kv_cache import read
from attention.report import require
from attention.transformer import EncoderLayer, LanguageModel, TransformerConfig, new_transformer
from shared.logs import read_rows

OUTPUT = Path(__file__).with_suffix(".csv")
CONFIG = TransformerConfig(None, 100, d_model=256, heads=8, d_ff=1024, decoder_layers=4)
FORWARD, BOTH = "forward", "forward and backward"
Case = tuple[str, str]  # a part and a direction
Part = Callable[[Tensor], Tensor]  # from (1, length, d_model) to the same shape
Call = Callable[[], object]

# What is measured, and at which lengths.
LAYER: list[Case] = [
    ("weights kept", FORWARD),
    ("weights kept", BOTH),
    ("fused", FORWARD),
    ("fused", BOTH),
    ("heads kept", FORWARD),
    ("heads kept", BOTH),
    ("heads fused", FORWARD),
    ("heads fused", BOTH),
    ("projections", FORWARD),
    ("projections", BOTH),
    ("feed-forward", FORWARD),
    ("feed-forward", BOTH),
    ("encoder layer", FORWARD),
    ("encoder layer", BOTH),
    ("GRU", FORWARD),
]
WRITING: list[Case] = [("step without cache", FORWARD), ("step with cache", FORWARD)]
LENGTHS = {
    "layer": (128, 256, 512, 1024, 2048, 4096, 8192),
    "writing": (16, 64, 256, 1024),
}
QUICK = {"layer": (128, 256, 512), "writing": (16, 64)}
CASES = {"layer": LAYER, "writing": WRITING}
LONG = 4096  # from here on fewer turns
FROM = 1024  # exponents are also fitted from here on, where the fixed costs count less


# ------------------------------------------------------------------------ what is measured


def new_parts() -> dict[str, Part]:
    """Make the parts of a layer. Those of the encoder layer share its parameters."""
    torch.manual_seed(0)
    layer = EncoderLayer(CONFIG)
    attention = layer.self_attention
    W_Q, W_K, W_V, W_O = attention.W_Q, attention.W_K, attention.W_V, attention.W_O
    gru = nn.GRU(CONFIG.d_model, CONFIG.d_model, batch_first=True)
    return {
        "weights kept": lambda x: attention(x, return_weights=True)[0],
        "fused": attention,
        "heads kept": heads_kept,
        "heads fused": heads_fused,
        "projections": lambda x: W_O(W_Q(x) + W_K(x) + W_V(x)),
        "feed-forward": layer.feed_forward,
        "encoder layer": layer,
        "GRU": lambda x: gru(x)[0],
    }


def heads_kept(x: Tensor) -> Tensor:
    """Let x attend to itself in each head, without projections: softmax(QKᵀ / √d_k) V."""
    query = key = value = split_heads(x, CONFIG.heads)  # (1, heads, length, d_k)
    scores = query @ key.mT / math.sqrt(query.shape[-1])  # (1, heads, length, length)
    return merge_heads(scores.softmax(-1) @ value)


def heads_fused(x: Tensor) -> Tensor:
    """Compute what ``heads_kept`` does, block by block."""
    query = key = value = split_heads(x, CONFIG.heads)  # (1, heads, length, d_k)
    return merge_heads(F.scaled_dot_product_attention(query, key, value))


def new_calls(cases: Sequence[Case], length: int) -> dict[Case, Call]:
    """Make the inputs; return what is to be measured."""
    parts, model = new_parts(), new_transformer(CONFIG, seed=0)
    return {
        (part, direction): new_step(model, part, length)
        if part.startswith("step")
        else new_call(parts[part], direction, length)
        for part, direction in cases
    }


def new_call(part: Part, direction: str, length: int) -> Call:
    """Make an input for a part of a layer, and return the call."""
    x = torch.randn(1, length, CONFIG.d_model, generator=torch.Generator().manual_seed(0))

    def forward() -> Tensor:
        with torch.no_grad():
            return part(x)

    def forward_and_backward() -> None:
        output = part(x)
        output.backward(torch.ones_like(output))

    if direction == FORWARD:
        return forward
    x.requires_grad_()  # as if there were a layer before this one
    return forward_and_backward


def new_step(model: LanguageModel, part: str, length: int) -> Call:
    """Make a text, and a cache if it is asked for; return the call that says what follows."""
    generator = torch.Generator().manual_seed(0)
    text = torch.randint(CONFIG.target_vocab_size, (1, length), generator=generator)
    with torch.no_grad():
        _, cache = read(model, text[:, :-1])

    def without_cache() -> Tensor:
        with torch.no_grad():
            return model(text)[:, -1]

    def with_cache() -> Tensor:
        with torch.no_grad():
            logits, _ = read(model, text[:, -1:], cache)
            return logits[:, -1]

    return with_cache if part == "step with cache" else without_cache


def multiplications(part: str, direction: str, length: int) -> int:
    """Count the multiplications of the matrix products in a call.

    Backward there are two products for each one forward: the gradients of its two
    factors. Fused heads make their scores once more, since they kept none.
    """
    n, d, d_ff = length, CONFIG.d_model, CONFIG.d_ff
    layers, symbols = CONFIG.decoder_layers, CONFIG.target_vocab_size
    times, scores_again = (1, 0) if direction == FORWARD else (3, n * n * d)
    projections = times * 4 * n * d * d
    feed_forward = times * 2 * n * d * d_ff
    kept = times * 2 * n * n * d  # scores and average
    fused = kept + scores_again
    return {
        "weights kept": projections + kept,
        "fused": projections + fused,
        "heads kept": kept,
        "heads fused": fused,
        "projections": projections,
        "feed-forward": feed_forward,
        "encoder layer": projections + fused + feed_forward,
        # two gates and a candidate, each from the input and from the state
        "GRU": times * 6 * n * d * d,
        # a mask spares no multiplication: the scores that it hides are made too
        "step without cache": layers * (projections + kept + feed_forward) + n * d * symbols,
        "step with cache": layers * (4 * d * d + 2 * n * d + 2 * d * d_ff) + d * symbols,
    }[part]


# ---------------------------------------------------------------------------------- time


def times_of(cases: Sequence[Case], length: int, turns: int) -> dict[Case, list[float]]:
    """Let the parts take turns; return the milliseconds of a call in each turn."""
    calls = new_calls(cases, length)
    repeats = max(1, 1024 // length)  # of short calls several make a turn
    found: dict[Case, list[float]] = {case: [] for case in cases}
    for turn in range(turns + 1):
        for case, call in calls.items():
            started = time.process_time()
            for _ in range(repeats):
                call()
            if turn > 0:  # the first turn warms up
                found[case].append(1000 * (time.process_time() - started) / repeats)
    return found


# -------------------------------------------------------------------------------- memory


def peak_growth(call: Call) -> int:
    """Make a call; return by how many bytes this process was larger at its largest.

    Linux says for each process how much of its memory is resident (VmRSS) and what
    the most was so far (VmHWM); writing a 5 sets the latter to the former. Python's
    ``getrusage`` would not do: it also counts the process that started this one.
    """
    # What has been freed may still belong to the process, and a call that gets it again
    # makes nothing grow. So it is given back first.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = resident_bytes("VmRSS")
    call()
    return resident_bytes("VmHWM") - before


def resident_bytes(name: str) -> int:
    """Read a number of bytes from what Linux says of this process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith(name + ":"))
    return 1024 * int(line.split()[1])  # "VmRSS:  123 kB"


@common.threads(1)
def memory_here(part: str, direction: str, length: int) -> int:
    """Measure the memory of one call in this process, which should be a new one."""
    case = (part, direction)
    # A small call first, for which torch loads and allocates what it needs once.
    new_calls([case], min(length, 128))[case]()
    return peak_growth(new_calls([case], length)[case])


def memory_of(part: str, direction: str, length: int) -> int:
    """Measure the memory of one call in a process of its own."""
    code = "import sys, cost; print(cost.memory_here(*sys.argv[1:3], int(sys.argv[3])))"
    command = [sys.executable, "-c", code, part, direction, str(length)]
    here = os.pathsep.join([str(OUTPUT.parent), os.environ.get("PYTHONPATH", "")])
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": here}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, encoding="utf-8", check=True, env=one_thread
    )
    return int(done.stdout)


# ------------------------------------------------------------------------------ the table


def measure(cases: Sequence[Case], length: int, turns: int) -> list[dict]:
    """Measure time and memory of all cases at one length; return a row for each."""
    times = times_of(cases, length, turns)
    # Two processes at a time; one where it takes gigabytes.
    with ThreadPoolExecutor(2 if length <= LONG else 1) as pool:
        peaks = list(pool.map(lambda case: memory_of(*case, length), cases))
    return [
        {
            "part": case[0],
            "direction": case[1],
            "length": length,
            "multiplications": multiplications(*case, length),
            "turns": turns,
            "milliseconds": f"{statistics.median(times[case]):.4g}",
            "lowest": f"{min(times[case]):.4g}",
            "highest": f"{max(times[case]):.4g}",
            "peak_bytes": peak,
        }
        for case, peak in zip(cases, peaks, strict=True)
    ]


def turns_at(length: int) -> int:
    """Say how many turns are counted."""
    return 3 if length >= LONG else 5


def exponent(lengths: Sequence[float], values: Sequence[float], at_least: float = 0) -> float:
    """Fit a · lengths^b to values, and return b.

    It is the slope of log value against log length, by least squares.

    Parameters
    ----------
    lengths, values : sequences of positive numbers
        As many of the one as of the other.
    at_least : float
        Shorter lengths are left out.

    Raises
    ------
    ValueError
        If fewer than two lengths are left.
    """
    pairs = zip(lengths, values, strict=True)
    logs = [(math.log(n), math.log(value)) for n, value in pairs if n >= at_least]
    require(len(logs) > 1, "at_least", "no more than the last length but one", at_least)
    return statistics.linear_regression(*zip(*logs, strict=True)).slope


def share_of_heads(heads: str, values: Mapping[str, float]) -> float:
    """Say which share of an encoder layer falls to its heads.

    Parameters
    ----------
    heads : "heads kept" or "heads fused"
    values : mapping
        From parts to milliseconds or multiplications, in one direction and at one length.
        With "heads kept", they are put in the place of the fused ones in the layer.
    """
    layer = values["encoder layer"] - values["heads fused"] + values[heads]
    return values[heads] / layer


def print_growth(rows: list[dict[str, str]]) -> None:
    """Print exponents and shares of what is in the table."""
    print("\nexponents over all lengths, and over those from", FROM, "on")
    for part, direction in LAYER + WRITING:
        of_case = [row for row in rows if (row["part"], row["direction"]) == (part, direction)]
        if len(of_case) < 2:
            continue
        lengths = [int(row["length"]) for row in of_case]
        for column in ("multiplications", "milliseconds", "peak_bytes"):
            values = [float(row[column]) for row in of_case]
            found = [f"{exponent(lengths, values):.2f}"]
            if sum(n >= FROM for n in lengths) > 1:
                found.append(f"{exponent(lengths, values, FROM):.2f}")
            print(f"{part:18}  {direction:20}  {column:15}", *found)
    print("\nshare of the heads in an encoder layer, by multiplications and by time")
    for heads in ("heads kept", "heads fused"):
        for direction in (FORWARD, BOTH):
            for length in LENGTHS["layer"]:
                at = {
                    row["part"]: row
                    for row in rows
                    if (row["direction"], row["length"]) == (direction, str(length))
                }
                if heads in at:
                    count = {part: float(row["multiplications"]) for part, row in at.items()}
                    times = {part: float(row["milliseconds"]) for part, row in at.items()}
                    shares = (share_of_heads(heads, each) for each in (count, times))
                    print(f"{heads:11}  {direction:20}  {length:4}", *(f"{s:.3f}" for s in shares))


def measure_at(kind: str, length: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Measure all cases of a kind at one length."""
    return measure(CASES[kind], length, 2 if asked.quick else turns_at(length))


def main(argv: list[str] | None = None) -> None:
    """Measure what was asked for, one length after the other, and file the rows."""
    asked = common.arguments(__file__, __doc__, LENGTHS, argv=argv, timing_threads=1)
    lengths = QUICK if asked.quick else LENGTHS
    jobs = [(kind, length) for kind in asked.arms for length in lengths[kind]]
    order = [
        (*case, length) for kind in LENGTHS for length in LENGTHS[kind] for case in CASES[kind]
    ]
    common.run(measure_at, jobs, asked, [OUTPUT], ("part", "direction", "length"), order)
    print_growth(read_rows(asked.path(OUTPUT)))


if __name__ == "__main__":
    main()
