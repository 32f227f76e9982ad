"""The table of the cost is what its script writes, and its meters are right."""

import csv
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
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
COLUMNS = ("multiplications", "milliseconds", "lowest", "highest", "peak_bytes")
LAYER_AND_STEPS = [*cost.LAYER, *cost.WRITING]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (EXPERIMENTS / "cost.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def table(rows) -> dict[tuple[str, str, int], dict[str, float]]:
    return {
        (row["part"], row["direction"], int(row["length"])): {c: float(row[c]) for c in COLUMNS}
        for row in rows
    }


# ------------------------------------------------------------------------------ the table


def test_the_table_is_complete(rows):
    assert [(row["part"], row["direction"], int(row["length"])) for row in rows] == [
        (*case, length)
        for kind, cases in cost.CASES.items()
        for length in cost.LENGTHS[kind]
        for case in cases
    ]
    assert len({tuple(row.values())[:3] for row in rows}) == len(rows)


def test_numbers_of_the_table(rows):
    for row in rows:
        length = int(row["length"])
        counted = cost.multiplications(row["part"], row["direction"], length)
        assert int(row["multiplications"]) == counted
        lowest, median, highest = (float(row[c]) for c in ("lowest", "milliseconds", "highest"))
        assert 0 < lowest <= median <= highest
        assert int(row["peak_bytes"]) > 0
        assert int(row["turns"]) == cost.turns_at(length)


def growth(table, part: str, direction: str, column: str, at_least: int = 0) -> float:
    lengths = cost.LENGTHS["layer"]
    values = [table[part, direction, length][column] for length in lengths]
    return cost.exponent(lengths, values, at_least)


@pytest.mark.parametrize("direction", [cost.FORWARD, cost.BOTH])
@pytest.mark.parametrize(
    ("kept", "fused"), [("weights kept", "fused"), ("heads kept", "heads fused")]
)
def test_memory_in_the_table_is_quadratic_with_weights_kept_and_linear_if_fused(
    table, direction, kept, fused
):
    assert 1.9 < growth(table, kept, direction, "peak_bytes", cost.FROM) < 2.05
    # Buffers of a fixed size are among it: a quarter of the whole at n = 1024.
    assert 0.65 < growth(table, fused, direction, "peak_bytes", cost.FROM) < 1.1
    assert 1.6 < growth(table, kept, direction, "peak_bytes") < 2.1
    assert 0.65 < growth(table, fused, direction, "peak_bytes") < 1.2


@pytest.mark.parametrize(("direction", "arrays"), [(cost.FORWARD, 2), (cost.BOTH, 3)])
def test_memory_in_the_table_is_that_of_the_known_arrays(table, direction, arrays):
    """Forward the scores and the weights; backward the weights and two gradients."""
    for length in (2048, 4096, 8192):
        one = 4 * cost.CONFIG.heads * length**2
        for part in ("heads kept", "weights kept"):
            peak = table[part, direction, length]["peak_bytes"]
            small = 40 * 4 * length * cost.CONFIG.d_model  # some arrays of one row per position
            assert arrays * one <= peak <= 1.02 * arrays * one + small


def test_times_of_the_table_where_the_ratio_is_huge(table):
    for direction in (cost.FORWARD, cost.BOTH):
        for part in ("weights kept", "fused", "heads kept", "heads fused"):
            shortest, longest = (
                table[part, direction, length]["milliseconds"] for length in (128, 8192)
            )
            assert longest > 64 * shortest  # more than in proportion to the length
        heads = table["heads kept", direction, 8192]["milliseconds"]
        assert heads > 5 * table["projections", direction, 8192]["milliseconds"]
    again, cached = (table[*case, 1024]["milliseconds"] for case in cost.WRITING)
    assert again > 3 * cached


# --------------------------------------------------------------------------------- memory


@pytest.fixture(scope="module")
def meter() -> str:
    """What a new process needs to know to use the meter."""
    return f"import sys; sys.path.insert(0, {str(EXPERIMENTS)!r}); import cost, torch\n"


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
    print(cost.peak_growth(call))
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
    direction, length = cost.FORWARD, 1024
    found = cost.memory_of("heads kept", direction, length)
    one = 4 * cost.CONFIG.heads * length**2  # 34 MB
    assert found == pytest.approx(2 * one, rel=0.15)


@MEASURES_MEMORY
@pytest.mark.parametrize("case", [("weights kept", cost.BOTH), ("feed-forward", cost.FORWARD)])
def test_memory_of_a_row_measured_again(table, case):
    """Not to the byte: what a library keeps for later depends on the machine."""
    length = cost.QUICK["layer"][-1]
    again = cost.memory_of(*case, length)
    assert again == pytest.approx(table[*case, length]["peak_bytes"], rel=0.3)


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
@pytest.mark.parametrize("case", LAYER_AND_STEPS, ids=" ".join)
def test_multiplications_as_torch_counts_them(case, length):
    call = cost.new_calls([case], length)[case]
    assert counted(call) == cost.multiplications(*case, length)


@pytest.mark.parametrize("length", [1, 512, 1536, 4096])
def test_share_of_the_heads_by_multiplications(length):
    """n / (n + 2 d + d_ff) of a layer forward: half of it at n = 1536."""
    values = {part: cost.multiplications(part, cost.FORWARD, length) for part, _ in cost.LAYER}
    d, d_ff = cost.CONFIG.d_model, cost.CONFIG.d_ff
    for heads in ("heads kept", "heads fused"):
        found = cost.share_of_heads(heads, values)
        assert found == pytest.approx(length / (length + 2 * d + d_ff))


def test_share_of_the_heads_by_time():
    times = {"encoder layer": 10.0, "heads fused": 2.0, "heads kept": 12.0}
    assert cost.share_of_heads("heads fused", times) == pytest.approx(0.2)
    assert cost.share_of_heads("heads kept", times) == pytest.approx(0.6)


# ------------------------------------------------------------------------------- the parts


def test_parts_compute_what_they_are_called_by():
    parts = cost.new_parts()
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1, 40, cost.CONFIG.d_model, generator=generator)
    with torch.no_grad():
        out = {name: part(x) for name, part in parts.items()}
        torch.testing.assert_close(out["weights kept"], out["fused"])
        torch.testing.assert_close(out["heads kept"], out["heads fused"])
        # with projections that change nothing, self-attention is its heads
        attention = parts["fused"]
        for name in ("W_Q", "W_K", "W_V", "W_O"):
            torch.nn.init.eye_(getattr(attention, name).weight)
            torch.nn.init.zeros_(getattr(attention, name).bias)
        torch.testing.assert_close(parts["fused"](x), out["heads fused"])
        torch.testing.assert_close(parts["projections"](x), 3 * x)
    assert parts["encoder layer"].self_attention is attention
    assert parts["encoder layer"].feed_forward is parts["feed-forward"]
    assert all(found.shape == x.shape for found in out.values())
    assert list(parts) == list(dict.fromkeys(part for part, _ in cost.LAYER))


@pytest.mark.parametrize("fused", [True, False])
def test_weights_are_made_only_where_they_are_kept(fused):
    """By what torch allocates: an n × n array for each head, or none that large."""
    parts, length = cost.new_parts(), 256
    x = torch.randn(1, length, cost.CONFIG.d_model)
    with torch.no_grad(), torch.profiler.profile(profile_memory=True) as profile:
        parts["fused" if fused else "weights kept"](x)
    largest = max(event.cpu_memory_usage for event in profile.events())
    one = 4 * cost.CONFIG.heads * length**2
    assert largest < one / 2 if fused else largest >= one


@pytest.mark.parametrize("length", [2, 20])
def test_steps_with_and_without_cache_say_the_same(length):
    calls = cost.new_calls(cost.WRITING, length)
    without, cached = (calls[case]() for case in cost.WRITING)
    assert without.shape == cached.shape == (1, cost.CONFIG.target_vocab_size)
    torch.testing.assert_close(without, cached)


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

    cost.new_call(Double.apply, cost.FORWARD, 3)()
    assert seen == ["forward"]
    cost.new_call(Double.apply, cost.BOTH, 3)()
    assert seen[1:] == ["forward with gradients", "backward"]
    assert [d for part, d in cost.LAYER if part == "GRU"] == [cost.FORWARD]


# ------------------------------------------------------------------------------ time, rows


def test_the_parts_take_turns_and_the_first_is_not_counted(monkeypatch):
    """By a clock that says how many calls there have been, each as long as its name."""
    cases, clock, calls = [("a", "x"), ("bbb", "x")], [0.0], []

    def call(part: str):
        def work():
            calls.append(part)
            clock[0] += len(part) * (10 if len(calls) <= 8 else 1)  # slow in the first turn

        return work

    monkeypatch.setattr(cost, "new_calls", lambda cases, n: {case: call(case[0]) for case in cases})
    monkeypatch.setattr(cost.time, "process_time", lambda: clock[0])
    found = cost.times_of(cases, 256, turns=2)
    assert calls == (["a"] * 4 + ["bbb"] * 4) * 3
    assert found == {cases[0]: [1000.0] * 2, cases[1]: [3000.0] * 2}
    calls.clear()
    cost.times_of(cases, 4096, turns=1)
    assert calls == ["a", "bbb"] * 2


def test_a_row(monkeypatch):
    cases = cost.LAYER[2:4]
    times = dict(zip(cases, ([3.0, 1.0, 200.0], [7.12345, 7.0, 8.0]), strict=True))
    monkeypatch.setattr(cost, "times_of", lambda cases, length, turns: times)
    monkeypatch.setattr(cost, "memory_of", lambda part, direction, n: len(direction) + n)
    one, other = cost.measure(cases, 64, turns=3)
    assert one == {
        "part": "fused",
        "direction": cost.FORWARD,
        "length": 64,
        "multiplications": cost.multiplications("fused", cost.FORWARD, 64),
        "turns": 3,
        "milliseconds": "3",
        "lowest": "1",
        "highest": "200",
        "peak_bytes": 64 + len(cost.FORWARD),
    }
    assert other["milliseconds"] == "7.123"
    assert other["peak_bytes"] == 64 + len(cost.BOTH)


# -------------------------------------------------------------------------------- exponent


@given(
    power=st.floats(-3, 3),
    factor=st.floats(1e-3, 1e3),
    lengths=st.lists(st.integers(1, 10_000), min_size=2, max_size=8, unique=True),
)
def test_exponent_of_exact_powers(power, factor, lengths):
    values = [factor * n**power for n in lengths]
    assert cost.exponent(lengths, values) == pytest.approx(power, abs=1e-6)


@given(
    values=st.lists(st.floats(0.01, 100), min_size=3, max_size=7),
    at_least=st.sampled_from([0, 2, 4, 5]),
)
def test_exponent_is_the_least_squares_slope(values, at_least):
    lengths = [2**k for k in range(len(values))]
    used = [n >= at_least for n in lengths]
    assume(sum(used) > 1)
    logs = torch.tensor([lengths, values], dtype=torch.float64).log()[:, torch.tensor(used)]
    design = torch.stack([torch.ones_like(logs[0]), logs[0]], 1)
    slope = torch.linalg.lstsq(design, logs[1][:, None]).solution[1].item()
    assert cost.exponent(lengths, values, at_least) == pytest.approx(slope, abs=1e-9)


def test_exponent_leaves_out_what_is_shorter():
    lengths = [1, 2, 4, 8, 16]
    values = [100.0, 100.0, *(n**2 for n in lengths[2:])]
    assert cost.exponent(lengths, values, 4) == pytest.approx(2)
    assert cost.exponent(lengths, values, 3) == pytest.approx(2)
    assert cost.exponent(lengths, values, 2) < 1.9


def test_exponent_needs_two_lengths():
    with pytest.raises(ValueError, match=r"at_least: expected no more than the last .* got 8"):
        cost.exponent([2, 4, 8], [1.0, 2.0, 3.0], 8)
    with pytest.raises(ValueError, match="shorter"):
        cost.exponent([2, 4, 8], [1.0, 2.0])
