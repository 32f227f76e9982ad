"""`attention.tiled` against by_hand and torch, and how much it holds in memory meanwhile."""

import os
import subprocess
import sys
import tracemalloc
from functools import reduce
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from tests.conftest import load_without_shape_checks

from attention import by_hand, tiled
from attention.tiled import Summary, empty_summary, merge, summarise

# Random cases per comparison; the mutation tester asks for fewer.
CASES = int(os.environ.get("ATTENTION_TEST_CASES", "500"))
many_cases = settings(max_examples=max(CASES * 2 // 5, 10))
some_cases = settings(max_examples=max(CASES // 10, 10))

sizes = st.integers(1, 5)
lengths = st.integers(1, 9)
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)
MASKS = ["none", "causal", "window", "band", "table", "array", "padding", "row", "empty"]


class Case(NamedTuple):
    """One call: what `tiled` is given, and the mask written out for the others."""

    query: np.ndarray
    key: np.ndarray
    value: np.ndarray
    mask: object
    written_out: np.ndarray
    block: int
    scale: float | None

    def forward(self, **changed):
        arguments = {"mask": self.mask, "block": self.block, "scale": self.scale} | changed
        return tiled.tiled_attention(self.query, self.key, self.value, **arguments)

    def backward(self, output, log_totals, output_gradient, **changed):
        arguments = {"mask": self.mask, "block": self.block, "scale": self.scale} | changed
        return tiled.tiled_attention_gradient(
            *(self.query, self.key, self.value),
            *(output, log_totals, output_gradient),
            **arguments,
        )

    def by_hand(self):
        return by_hand.scaled_dot_product_attention(
            self.query, self.key, self.value, self.written_out, self.scale
        )


def read_only(array):
    array.flags.writeable = False
    return array


def uniform(rng, shape, dtype=np.float64):
    """Draw numbers within ±3 that nobody may write to."""
    return read_only(rng.uniform(-3, 3, shape).astype(dtype))


def whole(rng, shape, dtype=np.float64):
    """Draw whole numbers within ±100: scores up to 50 000, and exact in any order of summing."""
    return read_only(rng.integers(-100, 101, shape).astype(dtype))


def mask_for(kind, rng, batch, queries, keys):
    """Return a mask for `tiled`, and the same as an array (..., queries, keys)."""
    shape = (*batch, queries, keys)
    table = rng.random(shape) < 0.3  # few keys allowed: rows without any are frequent
    match kind:
        case "none":
            return None, np.ones(shape, bool)
        case "causal":
            return "causal", np.broadcast_to(np.tri(queries, keys, dtype=bool), shape)
        case "window":
            distance = np.arange(queries)[:, None] - np.arange(keys)
            return (
                lambda rows, columns: (rows - columns >= 1) & (rows - columns <= 2),
                np.broadcast_to((distance >= 1) & (distance <= 2), shape),
            )
        case "band":
            width = int(rng.integers(1, 4))
            distance = np.arange(queries)[:, None] - np.arange(keys)
            seen = (distance >= 0) & (distance < width)
            return tiled.window(width), np.broadcast_to(seen, shape)
        case "table":
            return lambda rows, columns: table[..., rows, columns], table
        case "array":
            return table, table
        case "padding":
            padding = by_hand.padding_mask(rng.integers(0, keys + 1, batch), keys)
            return padding, np.broadcast_to(padding, shape)
        case "row":
            row = rng.random(keys) < 0.6
            return row, np.broadcast_to(row, shape)
        case "empty":
            nothing = np.zeros((queries, 1), bool)
            return nothing, np.broadcast_to(nothing, shape)


@st.composite
def cases(draw, dtype=np.float64, large=None):
    """Draw a call: leading axes that broadcast, blocks that need not divide the lengths."""
    rng = draw(generators)
    shapes = draw(mutually_broadcastable_shapes(num_shapes=3, max_dims=2, max_side=3))
    query_axes, key_axes, value_axes = shapes.input_shapes
    queries, keys = draw(lengths), draw(lengths)
    d_k, d_v = draw(sizes), draw(sizes)
    numbers, scales = uniform, st.sampled_from([None, 1, 0.5, -0.3, 0.0])
    if draw(st.booleans()) if large is None else large:
        numbers, scales = whole, st.sampled_from([1, 0.25, -1])
    query = numbers(rng, (*query_axes, queries, d_k), dtype)
    key = numbers(rng, (*key_axes, keys, d_k), dtype)
    value = uniform(rng, (*value_axes, keys, d_v), dtype)
    batch = np.broadcast_shapes(query_axes, key_axes)
    masks = mask_for(draw(st.sampled_from(MASKS)), rng, batch, queries, keys)
    return Case(query, key, value, *masks, draw(st.integers(1, 11)), draw(scales))


def torch_attention(case):
    """Return torch's output and log-totals, and the three leaves that they depend on."""
    leaves = [torch.tensor(array, requires_grad=True) for array in case[:3]]
    query, key, value = leaves
    scale = query.shape[-1] ** -0.5 if case.scale is None else case.scale
    allowed = torch.tensor(case.written_out)
    sees_a_key = allowed.any(-1, keepdim=True)
    scores = (query @ key.mT) * scale
    log_totals = scores.detach().masked_fill(~allowed, -torch.inf).logsumexp(-1)
    # Rows without any key would be NaN: there all are let in, and the output is set to zero.
    weights = scores.masked_fill(~(allowed | ~sees_a_key), -torch.inf).softmax(-1)
    return (weights @ value).where(sees_a_key, 0.0), log_totals, leaves


def largest_error(ours, theirs):
    """Return the largest difference; infinities must stand in the same places."""
    assert ours.shape == theirs.shape
    same = ours == theirs
    with np.errstate(invalid="ignore"):
        return np.where(same, 0, np.abs(ours - theirs)).max(initial=0)


# ------------------------------------------------ against by_hand and torch


@many_cases
@given(cases())
def test_the_output_equals_by_hand(case):
    output, _ = case.by_hand()
    ours = case.forward()
    assert ours.dtype == np.float64
    assert largest_error(ours, output) <= 1e-12


@some_cases
@given(cases())
def test_the_log_totals_equal_torchs_logsumexp(case):
    output, log_totals = case.forward(return_log_totals=True)
    _, expected, _ = torch_attention(case)
    expected = expected.numpy()
    size = max(1, np.abs(expected, where=np.isfinite(expected), out=np.zeros_like(expected)).max())
    assert log_totals.dtype == np.float64
    assert np.array_equal(np.isneginf(log_totals), ~case.written_out.any(-1))
    assert largest_error(log_totals, expected) <= 1e-12 * size
    assert np.array_equal(output, case.forward())


@pytest.mark.arithmetic
@many_cases
@given(cases(), generators)
def test_the_gradient_equals_torchs(case, rng):
    output, log_totals = case.forward(return_log_totals=True)
    output_gradient = uniform(rng, output.shape)
    ours = case.backward(output, log_totals, output_gradient)

    torch_output, _, leaves = torch_attention(case)
    torch_output.backward(torch.tensor(output_gradient))
    for gradient, leaf in zip(ours, leaves, strict=True):
        theirs = leaf.grad.numpy()
        assert gradient.dtype == np.float64
        assert largest_error(gradient, theirs) <= 1e-10 * max(1, np.abs(theirs).max())


@pytest.mark.arithmetic
@some_cases
@given(cases(), generators, st.integers(1, 11))
def test_the_gradient_may_use_another_block(case, rng, block):
    output, log_totals = case.forward(return_log_totals=True)
    output_gradient = uniform(rng, output.shape)
    one = case.backward(output, log_totals, output_gradient)
    other = case.backward(output, log_totals, output_gradient, block=block)
    for a, b in zip(one, other, strict=True):
        assert largest_error(a, b) <= 1e-10 * max(1, np.abs(a).max())


@pytest.mark.parametrize("sign", [1, -1])
def test_scores_of_ten_thousand_are_no_problem(sign):
    rng = np.random.default_rng(0)
    query, key = np.full((5, 1), 100.0), sign * 100 + rng.integers(-1, 2, (7, 1)) / 64
    value = uniform(rng, (7, 2))
    with np.errstate(over="ignore"):
        naive = np.exp(query @ key.T)
    assert (naive == (np.inf if sign == 1 else 0)).all()
    output, weights = by_hand.scaled_dot_product_attention(query, key, value, scale=1)
    assert 0.01 < weights.min() < weights.max() < 0.99  # no winner takes all
    assert largest_error(tiled.tiled_attention(query, key, value, block=2, scale=1), output) < 1e-12


# -------------------------------------------------- nothing to attend to


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["array", "function"])
@pytest.mark.parametrize("block", [1, 2, 3, 10])
def test_a_query_without_keys_gets_zero_and_gives_zero(kind, block):
    rng = np.random.default_rng(1)
    query, key, value = uniform(rng, (4, 2)), uniform(rng, (5, 2)), uniform(rng, (5, 3))
    allowed = np.ones((4, 5), bool)
    allowed[1] = allowed[3] = False
    allowed[:, 2] = False  # and a key that nobody sees
    mask = allowed if kind == "array" else lambda rows, columns: allowed[rows, columns]
    output, log_totals = tiled.tiled_attention(query, key, value, mask, block, None, True)
    assert not output[[1, 3]].any()
    assert np.array_equal(np.isneginf(log_totals), [False, True, False, True])
    q, k, v = tiled.tiled_attention_gradient(
        query, key, value, output, log_totals, np.ones((4, 3)), mask, block
    )
    assert not q[[1, 3]].any()
    assert not k[2].any()
    assert not v[2].any()
    assert all(np.isfinite(gradient).all() for gradient in (q, k, v))
    assert all(gradient.any() for gradient in (q, k, v))


def test_no_queries_at_all_give_an_empty_output():
    rng = np.random.default_rng(2)
    query, key, value = np.zeros((3, 0, 2)), uniform(rng, (5, 2)), uniform(rng, (5, 4))
    output, log_totals = tiled.tiled_attention(query, key, value, return_log_totals=True)
    assert output.shape == (3, 0, 4)
    assert log_totals.shape == (3, 0)
    gradients = tiled.tiled_attention_gradient(query, key, value, output, log_totals, output)
    assert [gradient.shape for gradient in gradients] == [(3, 0, 2), (5, 2), (5, 4)]
    assert not any(gradient.any() for gradient in gradients)


# --------------------------------------------------------------- dtypes


@pytest.mark.arithmetic
@some_cases
@given(cases(np.float32, large=False))
def test_float32_stays_float32(case):
    output, log_totals = case.forward(return_log_totals=True)
    assert output.dtype == log_totals.dtype == np.float32
    assert largest_error(output, case.by_hand()[0]) <= 2e-5
    gradients = case.backward(output, log_totals, np.ones_like(output))
    assert all(gradient.dtype == np.float32 for gradient in gradients)


@pytest.mark.arithmetic
@some_cases
@given(cases(np.float16, large=False), generators)
def test_float16_is_computed_in_float32(case, rng):
    output, log_totals = case.forward(return_log_totals=True)
    assert output.dtype == np.float16
    assert log_totals.dtype == np.float32
    assert largest_error(output, case.by_hand()[0]) <= 4e-3  # one step of float16 near 3
    output_gradient = uniform(rng, output.shape, np.float16)
    gradients = case.backward(output, log_totals, output_gradient)
    wide = Case(*(array.astype(np.float64) for array in case[:3]), *case[3:])
    expected = wide.backward(
        *wide.forward(return_log_totals=True), output_gradient.astype(np.float64)
    )
    for ours, theirs in zip(gradients, expected, strict=True):
        assert ours.dtype == np.float16
        assert largest_error(ours, theirs) <= 0.05 * max(1, np.abs(theirs).max())


def test_a_float16_score_may_be_too_large_for_float16():
    query = np.full((1, 4), 200, np.float16)  # scores of 160 000
    key, value = np.full((300, 4), 200, np.float16), np.ones((300, 1), np.float16)
    output, log_totals = tiled.tiled_attention(query, key, value, scale=1, return_log_totals=True)
    assert output.tolist() == [[1]]
    assert log_totals.tolist() == [pytest.approx(160_000 + np.log(300))]


def test_a_summary_is_kept_in_at_least_32_bits():
    summary = summarise(np.zeros((1, 70_000), np.float16), np.ones((70_000, 1), np.float16))
    assert summary.total.tolist() == [70_000]  # above the largest float16
    assert summary.total.dtype == summary.weighted.dtype == np.float32


def test_dtypes_that_differ_become_the_widest():
    arrays = [np.ones((2, 2), dtype) for dtype in (np.float16, np.float32, np.float64)]
    output, log_totals = tiled.tiled_attention(*arrays, return_log_totals=True)
    assert output.dtype == log_totals.dtype == np.float64
    gradients = tiled.tiled_attention_gradient(*arrays, output, log_totals, np.ones((2, 2)))
    assert [gradient.dtype for gradient in gradients] == [np.float16, np.float32, np.float64]


# -------------------------------------------------------------- summaries


@st.composite
def summaries(draw, count):
    """Draw the scores and values of some blocks of keys, for the same queries."""
    rng, queries, d_v = draw(generators), draw(sizes), draw(sizes)
    spread = draw(st.sampled_from([1, 30, 1e4]))
    blocks = []
    for _ in range(count):
        keys = draw(sizes)
        scores = rng.uniform(-spread, spread, (queries, keys))
        scores[rng.random((queries, keys)) < 0.3] = -np.inf
        blocks.append((scores, uniform(rng, (keys, d_v))))
    return blocks


def assert_same(a, b):
    """Compare what two summaries say; the sums are relative to the same largest score."""
    assert np.array_equal(a.largest, b.largest)
    assert largest_error(a.total, b.total) <= 1e-12
    assert largest_error(a.weighted, b.weighted) <= 1e-12
    assert largest_error(a.output, b.output) <= 1e-12


@some_cases
@given(summaries(1))
def test_a_summary_says_what_the_softmax_says(blocks):
    [(scores, value)] = blocks
    summary = summarise(scores, value)
    assert np.array_equal(summary.largest, scores.max(-1))
    assert largest_error(summary.output, by_hand.softmax(scores) @ value) <= 1e-12
    expected = torch.tensor(scores).logsumexp(-1).numpy()
    assert largest_error(summary.log_total, expected) <= 1e-12 * max(1, np.abs(scores[0]).min())


@some_cases
@given(summaries(2))
def test_merge_gives_the_summary_of_both_together(blocks):
    (scores_a, value_a), (scores_b, value_b) = blocks
    together = summarise(
        np.concatenate([scores_a, scores_b], -1), np.concatenate([value_a, value_b])
    )
    assert_same(merge(summarise(scores_a, value_a), summarise(scores_b, value_b)), together)


@some_cases
@given(summaries(2))
def test_merge_is_commutative_to_the_last_bit(blocks):
    a, b = (summarise(*block) for block in blocks)
    for ours, theirs in zip(vars(merge(a, b)).values(), vars(merge(b, a)).values(), strict=True):
        assert np.array_equal(ours, theirs)


@some_cases
@given(summaries(3))
def test_merge_is_associative(blocks):
    a, b, c = (summarise(*block) for block in blocks)
    assert_same(merge(merge(a, b), c), merge(a, merge(b, c)))


@some_cases
@given(summaries(6), st.permutations(range(6)))
def test_the_order_of_the_blocks_does_not_matter(blocks, order):
    parts = [summarise(*block) for block in blocks]
    assert_same(reduce(merge, parts), reduce(merge, [parts[place] for place in order]))


@pytest.mark.filterwarnings("error")
@some_cases
@given(summaries(1))
def test_the_empty_summary_changes_nothing(blocks):
    [(scores, value)] = blocks
    summary = summarise(scores, value)
    empty = empty_summary(*summary.weighted.shape)
    for merged in (merge(empty, summary), merge(summary, empty)):
        for ours, theirs in zip(vars(merged).values(), vars(summary).values(), strict=True):
            assert np.array_equal(ours, theirs)
    assert not merge(empty, empty).output.any()
    assert np.isneginf(merge(empty, empty).log_total).all()


def test_a_summary_cannot_be_written_to():
    with pytest.raises(AttributeError, match="cannot assign"):
        empty_summary(2, 3).total = np.zeros(2)


def test_the_empty_summary_has_the_dtype_that_is_asked_for():
    assert {array.dtype for array in vars(empty_summary(2, 3)).values()} == {np.dtype(float)}
    empty = empty_summary(2, 3, np.float32)
    assert {array.dtype for array in vars(empty).values()} == {np.dtype(np.float32)}
    assert empty.output.shape == (2, 3)


# ---------------------------------------- a bug that runs: nothing is rescaled


def forgetful_merge(seen, new):
    """Forget to rescale what was accumulated when a larger score arrives."""
    largest = np.maximum(seen.largest, new.largest)
    rescale = np.exp(new.largest - largest)
    return Summary(
        largest,
        seen.total + new.total * rescale,
        seen.weighted + new.weighted * rescale[..., None],
    )


KEYS = np.array([[0.0], [3.0], [1.0], [2.0]])  # the scores, for a query of 1
VALUES = np.array([[1.0], [2.0], [3.0], [4.0]])


def attend_with(merge_function, order, monkeypatch):
    """Run the whole of `tiled_attention`, one key after the other, with another merge."""
    with monkeypatch.context() as patch:
        patch.setattr(tiled.forward, "merge", merge_function)
        return tiled.tiled_attention(np.ones((1, 1)), KEYS[order], VALUES[order], block=1)


def test_the_forgetful_merge_runs_and_is_wrong(monkeypatch):
    right = attend_with(merge, range(4), monkeypatch)
    wrong = attend_with(forgetful_merge, range(4), monkeypatch)
    assert right.shape == wrong.shape
    assert VALUES.min() < wrong.item() < VALUES.max()  # still some average: it looks sane
    assert abs(wrong - right) > 0.2


def test_values_that_are_all_the_same_do_not_find_it():
    ones = np.ones((4, 1))
    parts = [summarise(KEYS[[i]].T, ones[[i]]) for i in range(4)]
    assert reduce(forgetful_merge, parts).output == pytest.approx(1)


def test_one_line_finds_it():
    def one_line_test(merge):
        a, b = summarise(KEYS[:1].T, VALUES[:1]), summarise(KEYS[1:].T, VALUES[1:])
        assert np.allclose(merge(a, b).output, merge(b, a).output)

    one_line_test(merge)
    with pytest.raises(AssertionError):
        one_line_test(forgetful_merge)


def test_the_forgetful_merge_is_right_if_the_largest_score_comes_first(monkeypatch):
    order = np.argsort(-KEYS.ravel())
    right = attend_with(merge, range(4), monkeypatch)
    assert largest_error(attend_with(forgetful_merge, order, monkeypatch), right) <= 1e-12


# -------------------------------------------------- what is computed and held


class Recorder:
    """Note the shape of each block of scores that is computed."""

    def __init__(self, function):
        self.function = function
        self.shapes = []

    def __call__(self, *arguments):
        scores = self.function(*arguments)
        self.shapes.append(scores.shape)
        return scores


@pytest.fixture
def recorder(monkeypatch):
    recorder = Recorder(tiled.block_scores)
    for way in (tiled.forward, tiled.gradient):
        monkeypatch.setattr(way, "block_scores", recorder)
    return recorder


def both_ways(length, mask, block, keys=None):
    """Go forward and back on random numbers."""
    rng = np.random.default_rng(3)
    query, key, value = (uniform(rng, (n, 2)) for n in (length, keys or length, keys or length))
    output, log_totals = tiled.tiled_attention(query, key, value, mask, block, None, True)
    tiled.tiled_attention_gradient(query, key, value, output, log_totals, output, mask, block)


@pytest.mark.parametrize(
    ("mask", "computed"),
    [
        (None, 64),
        ("causal", 36),  # 8 * 9 / 2: nearly half of 64 is skipped
        (lambda rows, columns: abs(rows - columns) < 2, 22),  # the diagonal and its neighbours
        (lambda rows, columns: (rows < 8) & (columns < 20), 10),
        (lambda rows, columns: columns < 18, 40),  # the same for all rows; 5 of 8 blocks
        (np.arange(32) < 20, 40),
        (np.zeros((32, 32), bool), 0),
    ],
    ids=["none", "causal", "window", "corner", "columns", "padding", "empty"],
)
def test_blocks_without_anything_to_attend_to_are_skipped(recorder, mask, computed):
    both_ways(32, mask, 4)
    assert recorder.shapes == [(4, 4)] * 2 * computed
    assert tiled.count_blocks(32, 32, mask, 4) == computed


def test_causal_computes_the_blocks_up_to_the_diagonal(recorder):
    for blocks in (1, 2, 5, 10):
        assert tiled.count_blocks(3 * blocks, 3 * blocks, "causal", 3) == blocks * (blocks + 1) // 2
    assert tiled.count_blocks(4096, 4096) == 64 * 64
    assert tiled.count_blocks(4096, 4096, "causal") == 64 * 65 // 2
    # Fewer queries than keys: keys that no query has come to are never looked at.
    both_ways(5, "causal", 2, keys=20)
    assert recorder.shapes == 2 * [(2, 2), (2, 2), (2, 2), (1, 2), (1, 2), (1, 2)]


def all_tiles_looked_at(queries, keys, mask, block):
    """Find the tiles to meet the long way: ask the mask about each of them."""
    for rows in tiled.blocks(queries, block):
        for columns in tiled.blocks(keys, block):
            allowed = mask(rows[:, None], columns[None, :])
            if allowed.any():
                yield rows, columns, allowed


sides = st.none() | st.integers(0, 12)


@many_cases
@given(lengths, lengths, sides, sides, st.integers(1, 11), st.integers(1, 4))
def test_a_band_meets_the_tiles_that_a_look_at_all_of_them_finds(
    queries, keys, before, after, block, times
):
    queries, keys = queries * times, keys * times
    band = tiled.Band(before, after)
    expected = list(all_tiles_looked_at(queries, keys, band, block))
    found = [
        (rows, *tile)
        for rows in tiled.blocks(queries, block)
        for tile in tiled.blocks_to_meet(rows, keys, block, band)
    ]
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert np.array_equal(one, other)
    # and as a function that says no more than yes or no
    plain = tiled.count_blocks(queries, keys, lambda rows, columns: band(rows, columns), block)
    assert plain == tiled.count_blocks(queries, keys, band, block) == len(expected)


@pytest.mark.parametrize(
    ("band", "formula"),
    [
        (tiled.window(3), lambda back: (back >= 0) & (back < 3)),
        (tiled.window(1), lambda back: back == 0),
        (tiled.causal, lambda back: back >= 0),
        (tiled.Band(None, None), lambda back: back == back),
        (tiled.Band(2, 1), lambda back: (back <= 2) & (back >= -1)),
        (tiled.Band(0, None), lambda back: back <= 0),
    ],
)
def test_bands_by_their_distances(band, formula):
    rows, columns = np.arange(9)[:, None], np.arange(11)[None, :]
    assert np.array_equal(band(rows, columns), formula(rows - columns))


def looks_at_the_mask(queries, mask, monkeypatch):
    """Count how many tiles the mask is asked about, and how many are met."""
    asked, ask = [0], tiled.Band.__call__

    def counted(band, rows, columns):
        asked[0] += 1
        return ask(band, rows, columns)

    with monkeypatch.context() as patch:
        patch.setattr(tiled.Band, "__call__", counted)
        met = tiled.count_blocks(queries, queries, mask)
    return asked[0], met


def test_the_tiles_of_a_window_are_found_in_linear_time(monkeypatch):
    """Twice the length, twice the looks; a function that only says yes or no: four times."""
    for length in (1024, 2048, 4096):
        asked, met = looks_at_the_mask(length, tiled.window(64), monkeypatch)
        assert asked == met == 2 * length // 64 - 1
        asked, met = looks_at_the_mask(length, "causal", monkeypatch)
        assert asked == met == (length // 64) * (length // 64 + 1) // 2
        near = tiled.window(64)
        asked, met = looks_at_the_mask(length, lambda r, c, near=near: near(r, c), monkeypatch)
        assert (asked, met) == ((length // 64) ** 2, 2 * length // 64 - 1)


def test_no_more_than_block_by_block_scores_are_held(recorder):
    both_ways(7, None, 3, keys=10)
    rows_and_columns = [(rows, columns) for rows in (3, 3, 1) for columns in (3, 3, 3, 1)]
    assert recorder.shapes == 2 * rows_and_columns
    recorder.shapes.clear()
    both_ways(7, None, 100)
    assert recorder.shapes == 2 * [(7, 7)]


def test_the_blocks_are_64_wide_unless_told(recorder):
    query = np.zeros((65, 1))
    output, log_totals = tiled.tiled_attention(query, query, query, return_log_totals=True)
    tiled.tiled_attention_gradient(query, query, query, output, log_totals, output)
    assert recorder.shapes == 2 * [(64, 64), (64, 1), (1, 64), (1, 1)]


def test_a_mask_is_never_asked_for_more_than_a_block():
    asked = []

    def mask(rows, columns):
        asked.append((rows.shape, columns.shape, rows.dtype.kind + columns.dtype.kind))
        return columns <= rows

    both_ways(5, mask, 4)
    shapes = [((4, 1), (1, 4)), ((4, 1), (1, 1)), ((1, 1), (1, 4)), ((1, 1), (1, 1))]
    assert asked == 2 * [(*pair, "ii") for pair in shapes]


def test_blocks_cover_each_position_once():
    assert [positions.tolist() for positions in tiled.blocks(7, 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [positions.tolist() for positions in tiled.blocks(6, 3)] == [[0, 1, 2], [3, 4, 5]]
    assert list(tiled.blocks(0, 3)) == []


@pytest.fixture(scope="module")
def plain_tiled():
    """`attention.tiled` with no shapes enforced."""
    return load_without_shape_checks("tiled")


def peak_bytes(function):
    """Return how much memory a call takes at its worst, above what was there."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


LENGTHS = [512, 1024, 2048, 4096]


def exponent(measure):
    """Fit measure(query, key, value) = c * length^exponent."""
    rng = np.random.default_rng(4)
    peaks = []
    for length in LENGTHS:
        peaks.append(measure(*(uniform(rng, (length, 16), np.float32) for _ in range(3))))
    return np.polyfit(np.log(LENGTHS), np.log(peaks), 1)[0]


@pytest.mark.parametrize(
    "mask",
    [None, "causal", lambda rows, columns: columns <= rows + 9],
    ids=["none", "causal", "function"],
)
def test_memory_grows_linearly(plain_tiled, mask):
    def forward(query, key, value):
        return peak_bytes(lambda: plain_tiled.tiled_attention(query, key, value, mask))

    assert exponent(forward) < 1.2


def test_the_memory_of_the_gradient_grows_linearly(plain_tiled):
    def backward(query, key, value):
        output, log_totals = plain_tiled.tiled_attention(query, key, value, return_log_totals=True)
        given_back = (output, log_totals, output)
        return peak_bytes(
            lambda: plain_tiled.tiled_attention_gradient(query, key, value, *given_back)
        )

    assert exponent(backward) < 1.2


def test_the_memory_of_by_hand_grows_quadratically():
    def forward(query, key, value):
        return peak_bytes(lambda: by_hand.scaled_dot_product_attention(query, key, value))

    assert exponent(forward) > 1.8


# ---------------------------------------------------------------- importing


def test_importing_it_loads_neither_torch_nor_matplotlib():
    # It runs in the browser's Python, which has neither.
    program = (
        "import attention.tiled, sys;"
        "print(sorted({'torch', 'matplotlib', 'scipy', 'attention.layers'} & set(sys.modules)))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert printed == "[]\n"
