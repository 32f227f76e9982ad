"""Positions in `attention.by_hand`: number by number, against torch, and the error messages."""

import math
import os
import re
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attention import by_hand
from attention import positions as schemes

# Random cases per test; the mutation tester asks for fewer.
CASES = int(os.environ.get("ATTENTION_TEST_CASES", "500"))
some_cases = settings(max_examples=max(CASES // 5, 10))

sizes = st.integers(1, 7)
places = st.integers(0, 50)
bases = st.sampled_from([10_000, 100, 2.5, 1, 0.5])
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)

NOT_A_POSITIVE_INTEGER = [0, -1, 2.0, True, "2", None]
FLOATS = [np.float16, np.float32, np.float64]


def uniform(rng, shape, dtype=np.float64):
    """Draw numbers within ±3 that nobody may write to."""
    array = rng.uniform(-3, 3, shape).astype(dtype)
    array.flags.writeable = False
    return array


def largest_error(ours, theirs):
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).max(initial=0)


def check_message(call, message):
    """Assert that `call` raises a ValueError with just this message."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


# -------------------------------------------------------------------- angles


@some_cases
@given(length=sizes, width=st.integers(1, 12), base=bases)
def test_angles_one_by_one(length, width, base):
    angles = by_hand.position_angles(length, width, base)
    assert angles.shape == (length, math.ceil(width / 2))
    assert angles.dtype == np.float64
    for p in range(length):
        for i in range(math.ceil(width / 2)):
            assert angles[p, i] == pytest.approx(p / base ** (2 * i / width), rel=1e-14, abs=0)
    assert largest_error(angles, schemes.position_angles(length, width, base=base).numpy()) <= 1e-12


def test_angles_of_the_first_hand_are_the_positions():
    assert by_hand.position_angles(4, 6)[:, 0].tolist() == [0, 1, 2, 3]
    assert by_hand.position_angles(100_001, 1).tolist()[-1] == [100_000]


def test_base_is_ten_thousand_unless_told():
    angles = by_hand.position_angles(3, 4)
    assert np.allclose(angles, [[0, 0], [1, 0.01], [2, 0.02]], rtol=1e-15, atol=0)


def test_an_odd_width_has_a_hand_more_than_pairs():
    assert np.allclose(by_hand.position_angles(2, 3, 8), [[0, 0], [1, 1 / 4]], rtol=1e-15)
    assert by_hand.position_angles(5, 1).shape == (5, 1)
    assert by_hand.position_angles(5, 2).shape == (5, 1)


@pytest.mark.parametrize("base", [100, 100.0, np.float32(100), np.int64(100)])
def test_base_may_be_any_real_number_type(plain_by_hand, base):
    angles = plain_by_hand.position_angles(np.int64(2), np.int64(4), base)
    assert angles.dtype == np.float64
    assert np.allclose(angles, [[0, 0], [1, 0.1]], rtol=1e-15)


@pytest.mark.parametrize("base", [0, 0.0, -1, -0.5, np.nan, np.inf, -np.inf, None, "2", [2], 1j])
def test_base_must_be_a_positive_number(plain_by_hand, base):
    check_message(
        lambda: plain_by_hand.position_angles(2, 4, base),
        f"base: expected a positive number, got {base!r}",
    )


# ----------------------------------------------------------------- sinusoids


@some_cases
@given(length=st.integers(1, 20), d_model=st.integers(1, 12))
def test_sinusoids_one_by_one(length, d_model):
    """Vaswani et al. (2017), section 3.5, as it is written there."""
    positions = by_hand.sinusoidal_positions(length, d_model)
    assert positions.shape == (length, d_model)
    assert positions.dtype == np.float64
    for pos in range(length):
        for column in range(d_model):
            i, odd = divmod(column, 2)
            wave = math.cos if odd else math.sin
            expected = wave(pos / 10000 ** (2 * i / d_model))
            assert positions[pos, column] == pytest.approx(expected, abs=1e-13)
    assert largest_error(positions, schemes.sinusoidal_positions(length, d_model).numpy()) <= 1e-13


def test_the_first_position_is_zeros_and_ones():
    assert by_hand.sinusoidal_positions(1, 5).tolist() == [[0, 1, 0, 1, 0]]
    assert by_hand.sinusoidal_positions(1, 1).tolist() == [[0]]


def test_the_second_position():
    expected = [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)]
    assert by_hand.sinusoidal_positions(2, 4)[1].tolist() == pytest.approx(expected, rel=1e-14)


@some_cases
@given(pairs=sizes, here=places, shift=places)
def test_two_sinusoids_are_as_alike_as_they_are_near(pairs, here, shift):
    rows = by_hand.sinusoidal_positions(here + shift + 1, 2 * pairs)
    cosines = np.cos(by_hand.position_angles(shift + 1, 2 * pairs)[shift])
    assert rows[here] @ rows[here + shift] == pytest.approx(cosines.sum(), abs=1e-11)


# ------------------------------------------------------------------ rotation


@some_cases
@given(
    rng=generators,
    batch=st.sampled_from([(), (2,), (2, 3), (0,)]),
    length=sizes,
    pairs=sizes,
    base=bases,
)
def test_rotate_one_by_one(rng, batch, length, pairs, base):
    """Each pair by a matrix of two by two: Su et al. (2021), equation 13."""
    x = uniform(rng, (*batch, length, 2 * pairs))
    angles = by_hand.position_angles(length, 2 * pairs, base)
    turned = by_hand.rotate(x, angles)
    expected = np.empty_like(x)
    for place in np.ndindex(*batch, length):
        for i in range(pairs):
            a, b = x[*place, 2 * i], x[*place, 2 * i + 1]
            angle = place[-1] / base ** (2 * i / (2 * pairs))
            expected[*place, 2 * i] = a * math.cos(angle) - b * math.sin(angle)
            expected[*place, 2 * i + 1] = a * math.sin(angle) + b * math.cos(angle)
    assert turned.dtype == np.float64
    assert largest_error(turned, expected) <= 1e-13
    theirs = schemes.rotate(torch.from_numpy(x.copy()), torch.from_numpy(angles)).numpy()
    assert largest_error(turned, theirs) <= 1e-13


@some_cases
@given(rng=generators, pairs=sizes, m=places, n=places, shift=places)
def test_a_rotated_score_depends_on_the_difference_alone(rng, pairs, m, n, shift):
    query, key = uniform(rng, (1, 2 * pairs)), uniform(rng, (1, 2 * pairs))
    angles = by_hand.position_angles(101, 2 * pairs)

    def score(m, n):
        turned_query = by_hand.rotate(query, angles[m : m + 1])
        return (turned_query @ by_hand.rotate(key, angles[n : n + 1]).T).item()

    assert score(m + shift, n + shift) == pytest.approx(score(m, n), abs=1e-10)
    assert score(m, m) == pytest.approx((query @ key.T).item(), abs=1e-10)


def test_a_rotated_score_does_depend_on_the_difference():
    row, angles = np.ones((1, 4)), by_hand.position_angles(3, 4)
    scores = [(by_hand.rotate(row, angles[n : n + 1]) @ row.T).item() for n in range(3)]
    assert scores[0] > scores[1] + 0.5 > scores[2] + 1


@some_cases
@given(rng=generators, length=sizes, pairs=sizes)
def test_a_rotated_row_keeps_its_length(rng, length, pairs):
    x, angles = uniform(rng, (length, 2 * pairs)), uniform(rng, (length, pairs))
    turned = by_hand.rotate(x, angles)
    assert largest_error(np.linalg.norm(turned, axis=-1), np.linalg.norm(x, axis=-1)) <= 1e-13
    # To turn back is to turn by the opposite angles.
    assert largest_error(by_hand.rotate(turned, -angles), x) <= 1e-13


def test_a_quarter_turn_and_none_at_all():
    x = np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]])
    turned = by_hand.rotate(x, np.array([[np.pi / 2, 0], [0, -np.pi / 2]]))
    assert np.allclose(turned, [[-2, 1, 3, 4], [1, 2, 4, -3]], rtol=0, atol=1e-15)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("angle_dtype", FLOATS)
def test_rotate_keeps_the_dtype_of_x(dtype, angle_dtype):
    x = uniform(np.random.default_rng(0), (2, 5, 6), dtype)
    angles = by_hand.position_angles(5, 6)
    turned = by_hand.rotate(x, angles.astype(angle_dtype))
    assert turned.dtype == dtype
    wide = by_hand.rotate(x.astype(np.float64), angles)
    coarser = max(np.finfo(dtype).eps, np.finfo(angle_dtype).eps)
    assert largest_error(turned, wide) <= 16 * coarser


def test_rotate_computes_with_the_digits_of_the_angles():
    # An angle of 5000.3 in float32 is off by 0.0002.
    x, angles = np.array([[1, 0]], np.float32), np.array([[5000.3]])
    expected = np.array([[math.cos(5000.3), math.sin(5000.3)]], np.float32)
    assert largest_error(by_hand.rotate(x, angles), expected) <= 1e-7


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (4, 4), (4, 6), (1, 3), (4,), (1, 4, 3), (3,)])
def test_angles_must_fit_x(plain_by_hand, shape):
    x, angles = np.ones((2, 4, 6)), np.ones(shape)
    axes = "angles: expected at least two axes, got shape"
    fits = (
        "angles: expected the shape (length, d_k / 2) for x of shape (2, 4, 6) and an even d_k, got"
    )
    message = fits if angles.ndim > 1 else axes
    check_message(lambda: plain_by_hand.rotate(x, angles), f"{message} {shape}")


@pytest.mark.parametrize(("d_k", "pairs"), [(3, 1), (3, 2), (1, 1), (5, 2)])
def test_an_odd_width_cannot_be_rotated(plain_by_hand, d_k, pairs):
    check_message(
        lambda: plain_by_hand.rotate(np.ones((4, d_k)), np.ones((4, pairs))),
        "angles: expected the shape (length, d_k / 2) for x of shape "
        f"(4, {d_k}) and an even d_k, got (4, {pairs})",
    )


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        ([[1.0, 2.0]], "expected a floating-point NumPy array, got list"),
        (np.ones((1, 2), int), "expected a floating-point NumPy array, got int64 of shape (1, 2)"),
        (np.ones(2), "expected at least two axes, got shape (2,)"),
        (np.ones((1, 0)), "expected a last axis of at least 1, got shape (1, 0)"),
        (np.full((1, 2), np.nan), "expected finite numbers, got NaN or infinity"),
    ],
)
def test_rotate_wants_floating_point_matrices(plain_by_hand, array, problem):
    check_message(lambda: plain_by_hand.rotate(array, np.ones((1, 1))), f"x: {problem}")
    check_message(lambda: plain_by_hand.rotate(np.ones((1, 4)), array), f"angles: {problem}")


# --------------------------------------------------------------------- ALiBi


def slopes_of_the_authors(heads):
    """Restate the rule of the authors' code (ofirpress/attention_with_linear_biases)."""
    if math.log2(heads).is_integer():
        start = 2 ** (-(2 ** -(math.log2(heads) - 3)))
        return [start * start**i for i in range(heads)]
    below = 2 ** math.floor(math.log2(heads))
    return slopes_of_the_authors(below) + slopes_of_the_authors(2 * below)[0::2][: heads - below]


@pytest.mark.parametrize("heads", range(1, 41))
def test_slopes_one_by_one(heads):
    slopes = by_hand.alibi_slopes(heads)
    assert slopes.shape == (heads,)
    assert slopes.dtype == np.float64
    assert slopes.tolist() == pytest.approx(slopes_of_the_authors(heads), rel=1e-12, abs=0)
    assert largest_error(slopes, schemes.alibi_slopes(heads).numpy()) <= 1e-15


def test_slopes_of_the_paper():
    # Press et al. (2022), section 3.
    assert by_hand.alibi_slopes(8).tolist() == [2.0**-n for n in range(1, 9)]
    assert by_hand.alibi_slopes(1).tolist() == [2.0**-8]
    assert by_hand.alibi_slopes(3).tolist() == [2.0**-4, 2.0**-8, 2.0**-2]


def test_heads_may_be_a_numpy_integer(plain_by_hand):
    assert plain_by_hand.alibi_slopes(np.int64(2)).tolist() == [2.0**-4, 2.0**-8]


@some_cases
@given(heads=st.integers(1, 12), length=st.integers(1, 9))
def test_bias_one_by_one(heads, length):
    bias = by_hand.alibi_bias(heads, length)
    assert bias.shape == (heads, length, length)
    assert bias.dtype == np.float64
    for h, slope in enumerate(slopes_of_the_authors(heads)):
        for query in range(length):
            for key in range(length):
                expected = -slope * abs(query - key)
                assert bias[h, query, key] == pytest.approx(expected, rel=1e-12, abs=0)
    assert largest_error(bias, schemes.alibi_bias(heads, length, length).numpy()) <= 1e-13


def test_bias_counts_distance_in_both_directions():
    assert by_hand.alibi_bias(1, 3).tolist() == [
        [[0, -1 / 256, -2 / 256], [-1 / 256, 0, -1 / 256], [-2 / 256, -1 / 256, 0]]
    ]


# ------------------------------------------------------------------- numbers


@pytest.mark.parametrize("number", NOT_A_POSITIVE_INTEGER)
@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("length", lambda module, number: module.position_angles(number, 2)),
        ("width", lambda module, number: module.position_angles(2, number)),
        ("length", lambda module, number: module.sinusoidal_positions(number, 2)),
        ("d_model", lambda module, number: module.sinusoidal_positions(2, number)),
        ("heads", lambda module, number: module.alibi_slopes(number)),
        ("heads", lambda module, number: module.alibi_bias(number, 2)),
        ("length", lambda module, number: module.alibi_bias(2, number)),
    ],
)
def test_numbers_must_be_positive_integers(plain_by_hand, argument, call, number):
    check_message(
        lambda: call(plain_by_hand, number),
        f"{argument}: expected a positive integer, got {number!r}",
    )


def test_inputs_are_not_modified_and_nothing_warns():
    rng = np.random.default_rng(0)
    x, angles = uniform(rng, (2, 4, 6)), uniform(rng, (4, 3))
    before = x.copy(), angles.copy()
    with warnings.catch_warnings(action="error"):
        by_hand.rotate(x, angles)
        by_hand.sinusoidal_positions(100, 7)
        by_hand.alibi_bias(6, 5)
    assert np.array_equal(x, before[0])
    assert np.array_equal(angles, before[1])
