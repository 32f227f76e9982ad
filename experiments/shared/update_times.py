"""How long an update of training takes, computed in several ways that take turns.

It is timed in a process of its own, which `shared/meters.py` starts with one thread.
"""

from shared.levers import FAST, FUSED, LEVERS, READY, LeverRun, pulled
from shared.translators import TRANSFORMER_RECIPE, numbers

WAYS = {
    "present": LEVERS["present"],
    "batches padded beforehand": READY,
    "and fused Adam": pulled(READY, FUSED),
    "and packed projections: fast": FAST,
} | {
    f"fast, {name}": pulled(FAST, lever)
    for name, lever in LEVERS.items()
    if name not in ("present", "to 0")  # these take as long as others
}
TIMED = [
    *((name, "as it comes") for name in WAYS),
    ("present", "reused"),
    ("and packed projections: fast", "reused"),
]


def milliseconds(
    names: list[str], turns: int, updates: int, pairs: int
) -> dict[str, tuple[list[float], int]]:
    """Let ways take turns; return the milliseconds of an update in each turn, and the tokens."""
    drawn = numbers("train", pairs)
    runs = {name: LeverRun(WAYS[name], drawn, TRANSFORMER_RECIPE, seed=0) for name in names}
    times: dict[str, list[float]] = {name: [] for name in names}
    for run in runs.values():
        run.advance(updates)  # to warm up
    for _ in range(turns):
        for name, run in runs.items():
            before = run.log[-1].cpu_seconds
            run.advance(updates)
            times[name].append(1000 * (run.log[-1].cpu_seconds - before) / updates)
    return {name: (times[name], runs[name].log[-1].tokens) for name in names}
