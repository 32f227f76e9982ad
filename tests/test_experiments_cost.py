"""The table of the cost is what its script writes, and its meters are right."""

import csv
import importlib
import json
import statistics
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"
MEASURES_MEMORY = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="memory is read as Linux gives it"
)


def script() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXPERIMENTS)
        return importlib.import_module("cost")


cost = script()
parts = cost.parts
meters = importlib.import_module("shared.meters")
COLUMNS = ("multiplications", "milliseconds", "lowest", "highest", "page_faults")
EVERY_CASE = [case for arm, cases in cost.CASES.items() for case in cases if "as it" not in arm]
IN_TORCH = [case for case in EVERY_CASE if case not in parts.NUMPY]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return read(EXPERIMENTS / "cost.csv")


@pytest.fixture(scope="module")
def table(rows) -> dict[tuple[str, str, str, int], dict[str, float]]:
    return {
        (row["arm"], row["part"], row["direction"], int(row["length"])): {
            column: float(row[column]) for column in COLUMNS
        }
        for row in rows
    }


@pytest.fixture(scope="module")
def peaks() -> dict[tuple[str, str, int], int]:
    return {
        (row["part"], row["direction"], int(row["length"])): int(row["peak_bytes"])
        for row in read(EXPERIMENTS / "cost_memory.csv")
    }


# ------------------------------------------------------------------------------ the tables


def test_the_tables_are_complete(rows, peaks):
    assert [(row["arm"], row["part"], row["direction"], int(row["length"])) for row in rows] == [
        (arm, *case, length)
        for arm, cases in cost.CASES.items()
        for length in cost.LENGTHS[arm]
        for case in cases
    ]
    of_memory = [(*case, n) for n in cost.MEMORY_LENGTHS for case in cost.MEMORY_CASES]
    assert list(peaks) == of_memory
    for name in ("cost", "cost_memory"):
        heads = json.loads((EXPERIMENTS / f"{name}.head.json").read_text(encoding="utf-8"))
        assert all(head["processor"] != "not recorded" for head in heads)


def test_numbers_of_the_table(rows):
    for row in rows:
        length = int(row["length"])
        counted = parts.multiplications(row["part"], row["direction"], length)
        assert int(row["multiplications"]) == counted
        lowest, median, highest = (float(row[c]) for c in ("lowest", "milliseconds", "highest"))
        assert 0 < lowest <= median <= highest
        assert int(row["turns"]) == cost.turns_at(length)


def test_memory_is_reused_where_the_table_says_so(table):
    """Next to no page comes from the kernel; as it comes, all scores and weights do."""
    for (arm, part, direction, length), row in table.items():
        if arm != "layer as it comes":
            assert row["page_faults"] < 10
        elif part == "heads kept" and length >= 2048:
            one = 4 * parts.CONFIG.heads * length**2 / 4096  # pages of an array n x n
            assert row["page_faults"] > (1.9 if direction == parts.FORWARD else 2.9) * one


@pytest.mark.parametrize("direction", [parts.FORWARD, parts.BOTH])
def test_fused_memory_is_a_line_and_kept_memory_a_parabola(peaks, direction):
    lengths = cost.MEMORY_LENGTHS
    fused = [peaks["heads fused", direction, n] for n in lengths]
    slope, constant = statistics.linear_regression(lengths, fused)
    output = 4 * parts.CONFIG.d_model  # bytes a position
    assert output * (0.9 if direction == parts.FORWARD else 3) < slope < 6 * output
    assert 0 < constant < 3e6
    for n, found in zip(lengths[2:], fused[2:], strict=True):
        assert found == pytest.approx(slope * n + constant, rel=0.25)
    assert all(b / a < 2.8 for a, b in pairwise(fused))  # of a parabola: 4
    kept = [peaks["heads kept", direction, n] for n in lengths]
    assert all(3.5 < b / a < 4.5 for a, b in pairwise(kept[-4:]))


@pytest.mark.parametrize(("direction", "arrays"), [(parts.FORWARD, 2), (parts.BOTH, 3)])
def test_memory_in_the_table_is_that_of_the_known_arrays(peaks, direction, arrays):
    """Forward the scores and the weights; backward the weights and two gradients."""
    for length in (2048, 4096, 8192):
        one = 4 * parts.CONFIG.heads * length**2
        small = 40 * 4 * length * parts.CONFIG.d_model  # some arrays of one row per position
        peak = peaks["heads kept", direction, length]
        assert arrays * one <= peak <= 1.02 * arrays * one + small


def test_times_of_the_table_where_the_ratio_is_large(table):
    for direction in (parts.FORWARD, parts.BOTH):
        for part in ("heads kept", "heads fused"):
            shortest, longest = (
                table["layer", part, direction, length]["milliseconds"] for length in (128, 4096)
            )
            assert longest > 64 * shortest  # more than in proportion to the length
    for arm in ("layer", "layer as it comes"):
        kept, fused = (
            table[arm, part, parts.FORWARD, 2048]["milliseconds"]
            for part in ("heads kept", "heads fused")
        )
        assert kept > 1.2 * fused
    again, cached = (table["writing", *case, 1024]["milliseconds"] for case in parts.WRITING)
    assert again > 3 * cached
    one, *_, most = (
        table["batching", part, parts.FORWARD, 64]["milliseconds"] for part in parts.BATCHES
    )
    assert one < most < 16 * one  # 32 texts
    every, some, single = (
        table["grouped", part, parts.FORWARD, 4096]["milliseconds"] for part in parts.GROUPS
    )
    assert every > 1.2 * some
    assert every > 1.2 * single
    for length in cost.LENGTHS["tiles"]:
        at_once, tiles, window = (
            table["tiles", *case, length]["milliseconds"] for case in parts.NUMPY
        )
        assert tiles > 1.3 * at_once
        assert tiles > 2 * window


# --------------------------------------------------------------------------------- memory


@pytest.fixture(scope="module")
def meter() -> str:
    """What a new process needs to know to use the meter."""
    path = f"import sys; sys.path.insert(0, {str(EXPERIMENTS)!r})\n"
    return path + "import torch; from shared import meters\n"


def said_by(program: str) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    return [int(word) for word in done.stdout.split()]


@MEASURES_MEMORY
def test_the_meter_of_memory_on_what_is_known(meter):
    """On one array, two at a time, two one after the other, and one as large as one freed."""
    million = 1_000_000
    found = said_by(
        meter
        + f"""
small = [torch.ones(25_000) for _ in range(400)]  # 40 MB in small pieces: not given back...
last = torch.ones(25_000)
del small                                         # ...when they are freed, since this is last
def one(): return torch.ones(10 * {million})
def two(): return one() + 1
def one_then_another(): one(); one()
def in_small_pieces(): return [torch.ones(25_000) for _ in range(400)]
for call in (in_small_pieces, one, two, one_then_another, lambda: torch.empty(10 * {million})):
    print(meters.peak_growth(call))
"""
    )
    *touched, untouched = found
    expected = [40 * million, 40 * million, 80 * million, 40 * million]
    assert touched == pytest.approx(expected, rel=0.1)
    assert untouched < 4 * million  # asked for but never written to: not resident


@MEASURES_MEMORY
def test_what_the_starting_process_had_is_not_measured():
    """Its peak would hide a smaller growth, if it were that of ``getrusage``."""
    large = torch.ones(150_000_000)  # 600 MB
    del large
    direction, length = parts.FORWARD, 1024
    found, *_ = cost.measure_memory(length)
    assert (found["part"], found["direction"]) == ("heads kept", direction)
    one = 4 * parts.CONFIG.heads * length**2  # 34 MB
    assert found["peak_bytes"] == pytest.approx(2 * one, rel=0.15)


@MEASURES_MEMORY
def test_memory_of_a_length_measured_again(peaks):
    """Not to the byte: what a library keeps for later depends on the machine."""
    for row in cost.measure_memory(512):
        logged = peaks[row["part"], row["direction"], 512]
        assert row["peak_bytes"] == pytest.approx(logged, rel=0.3)


@MEASURES_MEMORY
def test_reused_memory_costs_no_page_fault():
    """Scores and weights of 34 MB each: their pages are new in each call, or never."""
    for environment, new in ((meters.AS_IT_COMES, True), (meters.REUSED, False)):
        arm = "rows_here", "layer as it comes", 1024, 3  # turns, of which the median counts
        kept, *_ = meters.in_new_process("cost", *arm, environment=environment)
        assert (kept["part"], kept["direction"]) == parts.HEADS[0]
        scores = 4 * parts.CONFIG.heads * 1024**2 / 4096  # pages
        assert kept["page_faults"] > 1.9 * scores if new else kept["page_faults"] < 10


# ------------------------------------------------------------------------ multiplications


def counted(call) -> int:
    """Let torch count. It counts additions too, as many as multiplications.

    It has no formula for the fused attention of processors: it is given the one that it
    has for that of graphics cards.
    """
    aten = torch.ops.aten
    formulas = {
        aten._scaled_dot_product_flash_attention_for_cpu: (
            lambda *shapes, **_: sdpa_flop_count(*shapes[:3])  # query, key, value
        ),
        aten._scaled_dot_product_flash_attention_for_cpu_backward: (
            lambda *shapes, **_: sdpa_backward_flop_count(*shapes[:4])  # the gradient, and they
        ),
    }
    with FlopCounterMode(display=False, custom_mapping=formulas) as counter:
        call()
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("length", [48, 128])
@pytest.mark.parametrize("case", IN_TORCH, ids=" ".join)
def test_multiplications_as_torch_counts_them(case, length):
    call = parts.new_calls([case], length)[case]
    assert counted(call) == parts.multiplications(*case, length)


# ------------------------------------------------------------------------------- the parts


def test_parts_compute_what_they_are_called_by():
    made = parts.new_parts()
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1, 40, parts.CONFIG.d_model, generator=generator)
    with torch.no_grad():
        out = {name: part(x) for name, part in made.items()}
        torch.testing.assert_close(out["heads kept"], out["heads fused"])
        # with projections that change nothing, self-attention is its heads
        attention = made["encoder layer"].self_attention
        for name in ("W_Q", "W_K", "W_V", "W_O"):
            torch.nn.init.eye_(getattr(attention, name).weight)
            torch.nn.init.zeros_(getattr(attention, name).bias)
        torch.testing.assert_close(attention(x), out["heads fused"])
        torch.testing.assert_close(made["projections"](x), 3 * x)
    assert made["encoder layer"].feed_forward is made["feed-forward"]
    assert all(found.shape == x.shape for found in out.values())
    assert list(made) == list(dict.fromkeys(part for part, _ in parts.LAYER))


@pytest.mark.parametrize("fused", [True, False])
def test_weights_are_made_only_where_they_are_kept(fused):
    """By what torch allocates: an n × n array for each head, or none that large."""
    made, length = parts.new_parts(), 256
    x = torch.randn(1, length, parts.CONFIG.d_model)
    with torch.no_grad(), torch.profiler.profile(profile_memory=True) as profile:
        made["heads fused" if fused else "heads kept"](x)
    largest = max(event.cpu_memory_usage for event in profile.events())
    one = 4 * parts.CONFIG.heads * length**2
    assert largest < one / 2 if fused else largest >= one


@pytest.mark.parametrize("length", [2, 20])
def test_steps_with_and_without_cache_say_the_same(length):
    calls = parts.new_calls(parts.WRITING, length)
    without, cached = (calls[case]() for case in parts.WRITING)
    assert without.shape == cached.shape == (1, parts.CONFIG.target_vocab_size)
    torch.testing.assert_close(without, cached)


@pytest.mark.parametrize("arm", ["batching", "grouped"])
def test_a_step_for_several_texts_has_a_cache_of_that_many(arm):
    for case in cost.CASES[arm]:
        batch = parts.BATCHES.get(case[0], parts.GROUPED_BATCH)
        assert parts.new_calls([case], 3)[case]().shape == (batch, 100)


@pytest.mark.parametrize("arm", ["writing", "batching", "grouped"])
def test_no_timed_step_copies_the_cache(arm, monkeypatch):
    calls = parts.new_calls(cost.CASES[arm], 3)

    def copies(*anything):
        raise AssertionError("the cache is copied")

    for call in calls.values():
        first = call()
        monkeypatch.setattr("attention.keys_and_values._Shelf", copies)
        torch.testing.assert_close(call(), first, rtol=0, atol=0)
        monkeypatch.undo()


def test_tiles_compute_what_is_computed_at_once():
    every, tiles, window = (call() for call in parts.new_calls(parts.NUMPY, 100).values())
    assert np.allclose(every[0], tiles, atol=1e-5)
    assert tiles.shape == window.shape
    assert not np.allclose(window, tiles, atol=0.01)


def test_directions(monkeypatch):
    seen = []

    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            seen.append("forward with gradients" if ctx.needs_input_grad[0] else "forward")
            return 2 * x

        @staticmethod
        def backward(ctx, gradient):
            seen.append("backward")
            return 2 * gradient

    parts.new_call(Double.apply, parts.FORWARD, 3)()
    assert seen == ["forward"]
    parts.new_call(Double.apply, parts.BOTH, 3)()
    assert seen[1:] == ["forward with gradients", "backward"]
    assert [d for part, d in parts.LAYER if part == "GRU"] == [parts.FORWARD]


# ------------------------------------------------------------------------------ time, rows


def test_the_calls_take_turns_and_the_first_is_not_counted(monkeypatch):
    """By a clock that says how many calls there have been, each as long as its name."""
    cases, clock, calls = [("a", "x"), ("bbb", "x")], [0.0], []

    def call(part: str):
        def work():
            calls.append(part)
            clock[0] += len(part) * (10 if len(calls) <= 8 else 1)  # slow in the first turn

        return work

    monkeypatch.setattr(meters.time, "process_time", lambda: clock[0])
    monkeypatch.setattr(meters, "page_faults", lambda: int(2 * clock[0]))
    given = {case: call(case[0]) for case in cases}
    found = cost.turns_of(given, 256, turns=2)
    assert calls == (["a"] * 4 + ["bbb"] * 4) * 3
    assert found == {cases[0]: [(1000.0, 2)] * 2, cases[1]: [(3000.0, 6)] * 2}
    calls.clear()
    cost.turns_of(given, 4096, turns=1)
    assert calls == ["a", "bbb"] * 2


def test_a_row():
    assert cost.row("layer", "GRU", parts.FORWARD, 64, [(3, 9), (1.23456, 2), (200, 0)]) == {
        "arm": "layer",
        "part": "GRU",
        "direction": parts.FORWARD,
        "length": 64,
        "multiplications": parts.multiplications("GRU", parts.FORWARD, 64),
        "turns": 3,
        "milliseconds": "3",
        "lowest": "1.235",
        "highest": "200",
        "page_faults": 2,
    }


def test_growth_is_printed_for_each_doubling(capsys):
    turns = {256: [(4, 0), (5, 0), (8, 0)], 512: [(16, 0), (20, 0), (24, 0)]}
    rows = [cost.row("layer", "heads kept", parts.FORWARD, n, each) for n, each in turns.items()]
    cost.print_growth([{name: str(each) for name, each in row.items()} for row in rows])
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "heads" in line)
    assert line.split()[-5:] == ["512", "4.00", "4.00", "2.00", "6.00"]
