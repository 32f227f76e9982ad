"""How do time and memory grow with the length? A layer part by part, and steps of writing.

An experiment of chapter 11. One sequence of n vectors of width 256 goes through

    heads kept          what the heads of self-attention do, without projections: scores,
                        softmax, average; 8 heads, and all n × n weights of each exist
    heads fused         the same by F.scaled_dot_product_attention, which never has them all
    projections         what stands around the heads: W_Q, W_K, W_V and W_O
    feed-forward        a feed-forward layer, of width 1024 inside
    encoder layer       fused heads, projections, feed-forward, two norms, two sums
    GRU                 a recurrent layer of the same width, for comparison

forward without gradients; the heads also forward and backward. The arms:

    layer               these parts, in memory that is reused from call to call
    layer as it comes   heads and encoder layer again, as the C library has it by itself: it
                        fetches large blocks from the kernel and gives them back in each call
    writing             a step of a language model of four such layers, after a text of n
                        tokens: without a cache, and with one
    batching            a step with a cache, for 1 to 32 texts at a time; four layers of
                        width 1024
    grouped             the same for 4 texts, whose 16 heads share 16, 4 or 1 heads of keys
                        and values
    tiles               attention of one head in NumPy, at once, in tiles, and with a window
    memory              how much memory the heads and a feed-forward layer take

It writes cost.csv, one row for each part, direction and length n, and the last arm
cost_memory.csv:

    multiplications     by formula; additions go along with them
    turns               the parts take turns at each length; one more turn warms up
    milliseconds        the median of the turns, in processor time, on one thread
    lowest, highest     of the turns
    page_faults         the median: how many pages of memory a call gets from the kernel
    peak_bytes          how much the resident memory of a process grows at the most while
                        it makes one such call, in a process for each length

    .venv/bin/python experiments/cost.py           eight minutes on two idle cores, with
                                                   8 GB of free memory; on Linux only
    .venv/bin/python experiments/cost.py --quick   a small try: the short lengths, two
                                                   turns

In the end it prints how the times grow with each doubling. They differ between machines,
and at one length by what else the machine does; the memory hardly does.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path

import common
from shared import cost_parts as parts
from shared.logs import read_rows
from shared.meters import AS_IT_COMES, REUSED, Call, in_new_process, peak_growth, time_and_faults

OUTPUT = Path(__file__).with_suffix(".csv")
MEMORY = OUTPUT.with_name("cost_memory.csv")
KEY = ("arm", "part", "direction", "length")

LENGTHS = {
    "layer": (128, 256, 512, 1024, 2048, 4096),
    "layer as it comes": (128, 256, 512, 1024, 2048),
    "writing": (16, 64, 256, 1024),
    "batching": (64,),
    "grouped": (1024, 4096),
    "tiles": (512, 1024, 2048, 4096),
}
QUICK = {
    "layer": (128, 256),
    "layer as it comes": (128, 256),
    "writing": (16, 64),
    "batching": (16,),
    "grouped": (64,),
    "tiles": (128, 256),
}
CASES = {
    "layer": parts.LAYER,
    "layer as it comes": [*parts.HEADS, ("encoder layer", parts.FORWARD)],
    "writing": parts.WRITING,
    "batching": [(part, parts.FORWARD) for part in parts.BATCHES],
    "grouped": [(part, parts.FORWARD) for part in parts.GROUPS],
    "tiles": parts.NUMPY,
}
MEMORY_CASES = [*parts.HEADS, ("feed-forward", parts.FORWARD)]
# Reused memory is never given back: of 8192 positions the heads' time would take 20 GB.
MEMORY_LENGTHS = (*LENGTHS["layer"], 8192)


# ---------------------------------------------------------------------------------- time


def turns_of(
    calls: dict[parts.Case, Call], length: int, turns: int
) -> dict[parts.Case, list[tuple[float, float]]]:
    """Let calls take turns; return milliseconds and page faults of a call in each turn."""
    repeats = max(1, 1024 // length)  # of short calls several make a turn
    found: dict[parts.Case, list[tuple[float, float]]] = {case: [] for case in calls}
    for turn in range(turns + 1):
        for case, call in calls.items():
            measured = time_and_faults(call, repeats)
            if turn > 0:  # the first turn warms up
                found[case].append(measured)
    return found


@common.threads(1)
def rows_here(arm: str, length: int, turns: int) -> list[dict]:
    """Measure the time of an arm's cases in this process; return a row for each."""
    found = turns_of(parts.new_calls(CASES[arm], length), length, turns)
    return [row(arm, *case, length, found[case]) for case in CASES[arm]]


def row(
    arm: str, part: str, direction: str, length: int, turns: Sequence[tuple[float, float]]
) -> dict:
    """Say in a row of the table what the turns were."""
    times, faults = zip(*turns, strict=True)
    return {
        "arm": arm,
        "part": part,
        "direction": direction,
        "length": length,
        "multiplications": parts.multiplications(part, direction, length),
        "turns": len(turns),
        "milliseconds": f"{statistics.median(times):.4g}",
        "lowest": f"{min(times):.4g}",
        "highest": f"{max(times):.4g}",
        "page_faults": round(statistics.median(faults)),
    }


def measure_at(arm: str, length: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Measure the time of an arm at one length, in a process with its kind of memory."""
    environment = AS_IT_COMES if arm == "layer as it comes" else REUSED
    turns = 2 if asked.quick else turns_at(length)
    return in_new_process("cost", "rows_here", arm, length, turns, environment=environment)


def turns_at(length: int) -> int:
    """Say how many turns are counted."""
    return 5 if length >= 4096 else 9


# -------------------------------------------------------------------------------- memory


@common.threads(1)
def memory_here(length: int) -> list[dict]:
    """Measure the memory of each case's call in this process, which should be a new one.

    The C library takes blocks of less than 32 MB from a heap of its own, and how that is cut
    up depends on the cases before: heads of up to 512 positions vary by half.
    """
    found = []
    for part, direction in MEMORY_CASES:
        case = (part, direction)
        # A small call first, for which torch loads and allocates what it needs once.
        parts.new_calls([case], min(length, 128))[case]()
        peak = peak_growth(parts.new_calls([case], length)[case])
        found.append({"part": part, "direction": direction, "length": length, "peak_bytes": peak})
    return found


def measure_memory(length: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Measure the memory of one call of each case, in a process for each length."""
    return in_new_process("cost", "memory_here", length)


# ------------------------------------------------------------------------------ the table


def print_growth(rows: list[dict[str, str]]) -> None:
    """Print by how much each time grows where the length doubles, and the multiplications."""
    print("\nof twice the length: multiplications, time, and time at the least and at the most")
    for before in rows:
        for after in rows:
            same = all(before[name] == after[name] for name in KEY[:3])
            if same and int(after["length"]) == 2 * int(before["length"]):
                lowest = float(after["lowest"]) / float(before["highest"])
                highest = float(after["highest"]) / float(before["lowest"])
                ratios = [
                    float(after[name]) / float(before[name])
                    for name in ("multiplications", "milliseconds")
                ]
                where = f"{before['arm']:18} {before['part']:18} {before['direction']:21}"
                numbers = (*ratios, lowest, highest)
                print(f"{where}{after['length']:>5}", *(f"{ratio:5.2f}" for ratio in numbers))


def main(argv: list[str] | None = None) -> None:
    """Measure what was asked for, one length after the other, and file the rows."""
    arms = [*LENGTHS, "memory"]
    asked = common.arguments(__file__, __doc__, arms, argv=argv, timing_threads=1)
    lengths = QUICK if asked.quick else LENGTHS
    jobs = [(arm, length) for arm in asked.arms if arm != "memory" for length in lengths[arm]]
    order = [(arm, *case, n) for arm in LENGTHS for n in LENGTHS[arm] for case in CASES[arm]]
    if jobs:
        common.run(measure_at, jobs, asked, [OUTPUT], KEY, order)
        print_growth(read_rows(asked.path(OUTPUT)))
    if "memory" in asked.arms:
        jobs = [(length,) for length in (QUICK["layer"] if asked.quick else MEMORY_LENGTHS)]
        order = [(*case, length) for length in MEMORY_LENGTHS for case in MEMORY_CASES]
        common.run(measure_memory, jobs, asked, [MEMORY], KEY[1:], order)


if __name__ == "__main__":
    main()
