"""What `attention.by_hand` says to a wrong call: which argument, what came, what was expected.

Only the copy without enforced shapes is tested here, since that is what a reader calls.
"""

import re

import numpy as np
import pytest


def ones(*shape, dtype=np.float64):
    return np.ones(shape, dtype)


def with_entry(array, entry):
    """Return a copy whose last number is `entry`."""
    array = array.copy()
    array.flat[-1] = entry
    return array


def check_message(call, message):
    """Assert that `call` raises a ValueError with just this message."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


# ------------------------------------------------------------------- softmax


@pytest.mark.parametrize(
    ("scores", "came"),
    [
        (np.ones(3, int), "int64 of shape (3,)"),
        (np.ones((2, 3), bool), "bool of shape (2, 3)"),
        (np.ones(3, complex), "complex128 of shape (3,)"),
        ([0.5, 0.5], "list"),
        (0.5, "float"),
        (None, "NoneType"),
    ],
)
def test_softmax_wants_a_float_array(plain_by_hand, scores, came):
    check_message(
        lambda: plain_by_hand.softmax(scores),
        f"scores: expected a floating-point NumPy array, got {came}",
    )


@pytest.mark.parametrize("axis", [2, -3, 0.5, None])
def test_softmax_wants_an_axis_that_exists(plain_by_hand, axis):
    check_message(
        lambda: plain_by_hand.softmax(ones(2, 3), axis),
        f"axis: expected an axis of scores, of shape (2, 3), got {axis}",
    )


def test_softmax_of_a_single_number_has_no_axis(plain_by_hand):
    check_message(
        lambda: plain_by_hand.softmax(np.array(1.0)),
        "axis: expected an axis of scores, of shape (), got -1",
    )


def test_softmax_wants_entries_along_its_axis(plain_by_hand):
    check_message(
        lambda: plain_by_hand.softmax(ones(2, 0)),
        "scores: expected at least one entry along axis -1, got shape (2, 0)",
    )
    check_message(
        lambda: plain_by_hand.softmax(ones(0, 2), axis=0),
        "scores: expected at least one entry along axis 0, got shape (0, 2)",
    )
    assert plain_by_hand.softmax(ones(0, 2)).shape == (0, 2)  # no rows is not an error


@pytest.mark.parametrize("entry", [np.nan, np.inf])
def test_softmax_wants_neither_nan_nor_plus_infinity(plain_by_hand, entry):
    check_message(
        lambda: plain_by_hand.softmax(with_entry(ones(2, 3), entry)),
        "scores: expected finite numbers or -inf, got NaN or +inf",
    )


# ----------------------------------------------------------------- attention

NAMES = ["query", "key", "value"]


def attend_with(by_hand, name, array):
    """Call attention with one argument replaced by something wrong."""
    arguments = {"query": ones(2, 4), "key": ones(3, 4), "value": ones(3, 5), name: array}
    return by_hand.scaled_dot_product_attention(**arguments)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("array", "came"),
    [
        (ones(3, 4).astype(int), "int64 of shape (3, 4)"),
        (ones(3, 4).astype(bool), "bool of shape (3, 4)"),
        (ones(3, 4).tolist(), "list"),
        (None, "NoneType"),
    ],
)
def test_attention_wants_float_arrays(plain_by_hand, name, array, came):
    check_message(
        lambda: attend_with(plain_by_hand, name, array),
        f"{name}: expected a floating-point NumPy array, got {came}",
    )


@pytest.mark.parametrize("name", NAMES)
def test_attention_wants_rows_and_columns(plain_by_hand, name):
    check_message(
        lambda: attend_with(plain_by_hand, name, ones(4)),
        f"{name}: expected at least two axes, got shape (4,)",
    )
    check_message(
        lambda: attend_with(plain_by_hand, name, np.array(1.0)),
        f"{name}: expected at least two axes, got shape ()",
    )


@pytest.mark.parametrize("name", NAMES)
def test_attention_wants_vectors_with_entries(plain_by_hand, name):
    check_message(
        lambda: attend_with(plain_by_hand, name, ones(3, 0)),
        f"{name}: expected a last axis of at least 1, got shape (3, 0)",
    )
    check_message(
        lambda: attend_with(plain_by_hand, name, ones(2, 3, 0)),
        f"{name}: expected a last axis of at least 1, got shape (2, 3, 0)",
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("entry", [np.nan, np.inf, -np.inf])
def test_attention_wants_finite_numbers(plain_by_hand, name, entry):
    check_message(
        lambda: attend_with(plain_by_hand, name, with_entry(ones(3, 4), entry)),
        f"{name}: expected finite numbers, got NaN or infinity",
    )


@pytest.mark.parametrize("d_k", [3, 5])
def test_query_and_key_must_have_the_same_d_k(plain_by_hand, d_k):
    check_message(
        lambda: attend_with(plain_by_hand, "key", ones(3, d_k)),
        f"key: expected its size to equal d_k, the last axis of query = 4, got {d_k}",
    )


@pytest.mark.parametrize("length", [1, 2, 4])
def test_each_key_must_have_a_value(plain_by_hand, length):
    check_message(
        lambda: attend_with(plain_by_hand, "value", ones(length, 5)),
        f"value: expected its size to equal the number of keys = 3, got {length}",
    )


@pytest.mark.parametrize("shape", [(0, 4), (2, 0, 4)])
def test_attention_wants_a_key(plain_by_hand, shape):
    empty = ones(*shape)
    check_message(
        lambda: plain_by_hand.scaled_dot_product_attention(ones(2, 4), empty, empty),
        f"key: expected at least one key, got shape {shape}",
    )


@pytest.mark.parametrize("leading", [(), (2,)])
def test_no_query_is_not_an_error(plain_by_hand, leading):
    output, weights = attend_with(plain_by_hand, "query", ones(*leading, 0, 4))
    assert output.shape == (*leading, 0, 5)
    assert weights.shape == (*leading, 0, 3)


def test_large_sizes_that_agree_are_not_an_error(plain_by_hand):
    # From 257 on, Python makes a new object of each integer: equal is not identical.
    output, _ = plain_by_hand.scaled_dot_product_attention(
        ones(2, 300), ones(400, 300), ones(400, 500)
    )
    assert np.allclose(output, np.ones((2, 500)))


@pytest.mark.parametrize(
    "leading",
    [[(2,), (3,), (2,)], [(2,), (2,), (3,)], [(2,), (1,), (3,)], [(2, 1), (2, 3), (3, 3)]],
)
def test_leading_axes_must_broadcast(plain_by_hand, leading):
    shapes = [(*axes, *last) for axes, last in zip(leading, [(2, 4), (3, 4), (3, 5)], strict=True)]
    check_message(
        lambda: plain_by_hand.scaled_dot_product_attention(*(ones(*shape) for shape in shapes)),
        "query, key, value: expected leading axes that broadcast, "
        f"got shapes {shapes[0]}, {shapes[1]} and {shapes[2]}",
    )


@pytest.mark.parametrize(
    ("mask", "came"),
    [
        (np.ones((2, 3), int), "int64 of shape (2, 3)"),
        (np.ones((2, 3)), "float64 of shape (2, 3)"),
        (np.where(np.eye(2, 3) > 0, 0, -np.inf), "float64 of shape (2, 3)"),
        (np.full((2, 3), "yes"), "<U3 of shape (2, 3)"),
        ([[True] * 3] * 2, "list"),
        (True, "bool"),
    ],
)
def test_a_mask_must_be_boolean(plain_by_hand, mask, came):
    check_message(
        lambda: attend_with(plain_by_hand, "mask", mask),
        f"mask: expected a boolean array (True = may attend), got {came}",
    )


@pytest.mark.parametrize(
    "shape",
    [
        (3, 2),  # transposed
        (2,),  # one entry a query
        (2, 4),
        (1, 2, 3),  # would give the scores one axis more
        (5, 2, 3),  # would give five times as many scores
    ],
)
def test_a_mask_must_broadcast_to_the_scores(plain_by_hand, shape):
    check_message(
        lambda: attend_with(plain_by_hand, "mask", np.ones(shape, bool)),
        f"mask: expected a shape that broadcasts to (..., queries, keys) = (2, 3), got {shape}",
    )


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (1, 3), (2, 3)])
def test_a_mask_that_broadcasts_is_welcome(plain_by_hand, shape):
    _, weights = attend_with(plain_by_hand, "mask", np.ones(shape, bool))
    assert np.allclose(weights, 1 / 3)


@pytest.mark.parametrize("key_axes", [(), (1,), (4,)])
def test_the_scores_that_a_mask_must_fit_have_all_leading_axes(plain_by_hand, key_axes):
    query, key, value = ones(4, 2, 3), ones(*key_axes, 5, 3), ones(5, 3)
    check_message(
        lambda: plain_by_hand.scaled_dot_product_attention(
            query, key, value, np.ones((3, 2, 5), bool)
        ),
        "mask: expected a shape that broadcasts to (..., queries, keys) = (4, 2, 5), got (3, 2, 5)",
    )


@pytest.mark.parametrize(
    "scale",
    [np.nan, np.inf, -np.inf, np.float32("nan"), "0.5", True, 1j, np.complex128(1), [1.0]],
)
def test_scale_must_be_a_finite_number(plain_by_hand, scale):
    check_message(
        lambda: attend_with(plain_by_hand, "scale", scale),
        f"scale: expected a finite number, got {scale!r}",
    )


@pytest.mark.filterwarnings("error:overflow:RuntimeWarning")
@pytest.mark.parametrize(("dtype", "large"), [(np.float32, 1e20), (np.float64, 1e160)])
def test_scores_that_overflow_are_refused(plain_by_hand, dtype, large):
    rows = np.full((2, 4), large, dtype)
    check_message(
        lambda: plain_by_hand.scaled_dot_product_attention(rows, rows, rows),
        "query, key: their scaled dot products overflow "
        f"{np.dtype(dtype)}; expected smaller entries",
    )


# -------------------------------------------------------------------- masks

NOT_A_POSITIVE_INTEGER = [0, -1, 2.0, "3", None, True, np.float64(2)]


@pytest.mark.parametrize("length", NOT_A_POSITIVE_INTEGER)
def test_causal_mask_wants_a_positive_integer(plain_by_hand, length):
    check_message(
        lambda: plain_by_hand.causal_mask(length),
        f"length: expected a positive integer, got {length!r}",
    )


@pytest.mark.parametrize("max_length", [n for n in NOT_A_POSITIVE_INTEGER if n is not None])
def test_padding_mask_wants_a_positive_max_length(plain_by_hand, max_length):
    check_message(
        lambda: plain_by_hand.padding_mask(np.array([0]), max_length),
        f"max_length: expected a positive integer, got {max_length!r}",
    )


@pytest.mark.parametrize("lengths", [np.array([0, 0]), np.zeros(0, int)])
def test_padding_mask_without_any_token_has_no_width_of_its_own(plain_by_hand, lengths):
    check_message(
        lambda: plain_by_hand.padding_mask(lengths),
        "max_length: expected a positive integer, got 0",
    )


@pytest.mark.parametrize(
    ("lengths", "came"),
    [
        (np.array([2.0, 3.0]), "float64 of shape (2,)"),
        (np.array([True, False]), "bool of shape (2,)"),
        ([2, 3], "list"),
        (2, "int"),
    ],
)
def test_padding_mask_wants_integers(plain_by_hand, lengths, came):
    check_message(
        lambda: plain_by_hand.padding_mask(lengths),
        f"lengths: expected an integer array, got {came}",
    )


@pytest.mark.parametrize("lengths", [[2, 5], [-1, 2], [-1, 5]])
def test_padding_mask_wants_lengths_that_fit(plain_by_hand, lengths):
    check_message(
        lambda: plain_by_hand.padding_mask(np.array(lengths), 4),
        f"lengths: expected integers from 0 to max_length = 4, got {lengths}",
    )


# -------------------------------------------------------------------- heads


@pytest.mark.parametrize("heads", [4, 5, 12])
def test_heads_must_divide_the_width(plain_by_hand, heads):
    check_message(
        lambda: plain_by_hand.split_heads(ones(3, 6), heads),
        f"heads: expected a divisor of the width 6, got {heads}",
    )


@pytest.mark.parametrize("heads", NOT_A_POSITIVE_INTEGER)
def test_heads_must_be_a_positive_integer(plain_by_hand, heads):
    check_message(
        lambda: plain_by_hand.split_heads(ones(3, 6), heads),
        f"heads: expected a positive integer, got {heads!r}",
    )


def test_split_heads_wants_a_float_matrix(plain_by_hand):
    check_message(
        lambda: plain_by_hand.split_heads(ones(6), 2),
        "x: expected at least two axes, got shape (6,)",
    )
    check_message(
        lambda: plain_by_hand.split_heads(np.ones((3, 6), int), 2),
        "x: expected a floating-point NumPy array, got int64 of shape (3, 6)",
    )


def test_merge_heads_wants_three_axes(plain_by_hand):
    check_message(
        lambda: plain_by_hand.merge_heads(ones(3, 6)),
        "x: expected (..., heads, length, head_width), got shape (3, 6)",
    )
    check_message(
        lambda: plain_by_hand.merge_heads([[[1.0]]]),
        "x: expected a floating-point NumPy array, got list",
    )


MATRICES = {
    "x": ones(2, 3, 8),
    "memory": ones(2, 5, 6),
    "W_Q": ones(8, 4),
    "W_K": ones(6, 4),
    "W_V": ones(6, 10),
    "W_O": ones(10, 7),
}


def many_heads_with(by_hand, **changed):
    """Call multi-head attention with some arguments replaced by something wrong."""
    return by_hand.multi_head_attention(**(MATRICES | {"heads": 2} | changed))


def test_multi_head_attention_accepts_what_the_errors_start_from(plain_by_hand):
    output, weights = many_heads_with(plain_by_hand)
    assert output.shape == (2, 3, 7)
    assert weights.shape == (2, 2, 3, 5)


@pytest.mark.parametrize("name", MATRICES)
def test_multi_head_attention_wants_finite_float_matrices(plain_by_hand, name):
    array = MATRICES[name]
    check_message(
        lambda: many_heads_with(plain_by_hand, **{name: array.astype(int)}),
        f"{name}: expected a floating-point NumPy array, got int64 of shape {array.shape}",
    )
    check_message(
        lambda: many_heads_with(plain_by_hand, **{name: ones(4)}),
        f"{name}: expected at least two axes, got shape (4,)",
    )
    check_message(
        lambda: many_heads_with(plain_by_hand, **{name: with_entry(array, np.nan)}),
        f"{name}: expected finite numbers, got NaN or infinity",
    )


@pytest.mark.parametrize("name", ["W_Q", "W_K", "W_V", "W_O"])
def test_projections_have_two_axes(plain_by_hand, name):
    stacked = MATRICES[name][None]
    check_message(
        lambda: many_heads_with(plain_by_hand, **{name: stacked}),
        f"{name}: expected two axes, got shape {stacked.shape}",
    )


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("W_Q", (7, 4), "the last axis of x = 8, got 7"),
        ("W_Q", (9, 4), "the last axis of x = 8, got 9"),
        ("W_K", (5, 4), "the last axis of memory = 6, got 5"),
        ("W_K", (8, 4), "the last axis of memory = 6, got 8"),
        ("W_K", (6, 2), "the columns of W_Q = 4, got 2"),
        ("W_K", (6, 6), "the columns of W_Q = 4, got 6"),
        ("W_V", (5, 10), "the last axis of memory = 6, got 5"),
        ("W_V", (8, 10), "the last axis of memory = 6, got 8"),
        ("W_O", (9, 7), "the columns of W_V = 10, got 9"),
        ("W_O", (11, 7), "the columns of W_V = 10, got 11"),
    ],
)
def test_projections_must_fit(plain_by_hand, name, shape, expected):
    check_message(
        lambda: many_heads_with(plain_by_hand, **{name: ones(*shape)}),
        f"{name}: expected its size to equal {expected}",
    )


@pytest.mark.parametrize(("heads", "width"), [(3, 4), (4, 10)])
def test_heads_must_divide_each_projection(plain_by_hand, heads, width):
    check_message(
        lambda: many_heads_with(plain_by_hand, heads=heads),
        f"heads: expected a divisor of the width {width}, got {heads}",
    )


@pytest.mark.parametrize("shape", [(5, 3), (3, 3, 5), (2, 2, 3, 5), (3,)])
def test_the_mask_of_many_heads_must_fit(plain_by_hand, shape):
    check_message(
        lambda: many_heads_with(plain_by_hand, mask=np.ones(shape, bool)),
        f"mask: expected a shape that broadcasts to (..., queries, keys) = (2, 3, 5), got {shape}",
    )
    check_message(
        lambda: many_heads_with(plain_by_hand, mask=np.ones((3, 5), int)),
        "mask: expected a boolean array (True = may attend), got int64 of shape (3, 5)",
    )


# ------------------------------------------------------- entropy and jacobian


@pytest.mark.parametrize("name", ["entropy", "softmax_jacobian"])
def test_weights_must_be_weights(plain_by_hand, name):
    function = getattr(plain_by_hand, name)
    check_message(
        lambda: function([0.5, 0.5]),
        "weights: expected a floating-point NumPy array, got list",
    )
    check_message(
        lambda: function(np.array([0, 1])),
        "weights: expected a floating-point NumPy array, got int64 of shape (2,)",
    )
    check_message(
        lambda: function(np.array(1.0)),
        "weights: expected at least one axis, got a single number",
    )
    for entry in (-1e-9, np.nan, np.inf, -np.inf):
        check_message(
            lambda entry=entry: function(np.array([[1.0, entry]])),
            "weights: expected finite numbers >= 0, got a negative number, NaN or inf",
        )
