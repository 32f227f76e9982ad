"""What `attention.tiled` says to a wrong call: which argument, what came, what was expected.

Only the copy without enforced shapes is tested here, since that is what a reader calls.
"""

import re

import numpy as np
import pytest
from tests.conftest import load_without_shape_checks


@pytest.fixture(scope="module")
def tiled():
    """`attention.tiled` as a reader meets it."""
    return load_without_shape_checks("tiled")


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


ARRAYS = {"query": ones(2, 3, 4), "key": ones(2, 5, 4), "value": ones(2, 5, 6)}
GIVEN_BACK = {
    "output": ones(2, 3, 6),
    "log_totals": ones(2, 3),
    "output_gradient": ones(2, 3, 6),
}


def forward(tiled, **changed):
    """Call `tiled_attention` with some arguments replaced by something wrong."""
    return tiled.tiled_attention(**(ARRAYS | changed))


def backward(tiled, **changed):
    """Call `tiled_attention_gradient` with some arguments replaced by something wrong."""
    return tiled.tiled_attention_gradient(**(ARRAYS | GIVEN_BACK | changed))


both = pytest.mark.parametrize("call", [forward, backward])


def test_the_calls_that_the_errors_start_from_are_right(tiled):
    assert forward(tiled).shape == (2, 3, 6)
    assert [gradient.shape for gradient in backward(tiled)] == [(2, 3, 4), (2, 5, 4), (2, 5, 6)]


# -------------------------------------------------------- query, key, value


@both
@pytest.mark.parametrize("name", ARRAYS)
def test_queries_keys_and_values_must_be_finite_float_matrices(tiled, call, name):
    array = ARRAYS[name]
    for wrong, message in [
        (array.astype(int), f"a floating-point NumPy array, got int64 of shape {array.shape}"),
        (array.tolist(), "a floating-point NumPy array, got list"),
        (None, "a floating-point NumPy array, got NoneType"),
        (ones(4), "at least two axes, got shape (4,)"),
        (with_entry(array, np.nan), "finite numbers, got NaN or infinity"),
        (with_entry(array, -np.inf), "finite numbers, got NaN or infinity"),
    ]:
        check_message(
            lambda wrong=wrong: call(tiled, **{name: wrong}), f"{name}: expected {message}"
        )


@both
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"key": ones(2, 5, 3)},
            "key: expected its size to equal d_k, the last axis of query = 4, got 3",
        ),
        (
            {"value": ones(2, 4, 6)},
            "value: expected its size to equal the number of keys = 5, got 4",
        ),
        (
            {"key": ones(2, 0, 4), "value": ones(2, 0, 6)},
            "key: expected at least one key, got shape (2, 0, 4)",
        ),
        (
            {"value": ones(3, 5, 6)},
            "query, key, value: expected leading axes that broadcast, "
            "got shapes (2, 3, 4), (2, 5, 4) and (3, 5, 6)",
        ),
    ],
)
def test_shapes_must_fit(tiled, call, changed, message):
    check_message(lambda: call(tiled, **changed), message)


@both
@pytest.mark.parametrize("block", [0, -1, 2.0, "2", None, True])
def test_block_must_be_a_positive_integer(tiled, call, block):
    check_message(
        lambda: call(tiled, block=block), f"block: expected a positive integer, got {block!r}"
    )


@both
@pytest.mark.parametrize("scale", [np.nan, np.inf, "1", True])
def test_scale_must_be_a_finite_number(tiled, call, scale):
    check_message(
        lambda: call(tiled, scale=scale), f"scale: expected a finite number, got {scale!r}"
    )


@pytest.mark.filterwarnings("error")
@both
def test_scores_that_overflow_are_refused(tiled, call):
    large = ARRAYS["query"] * 1e160
    message = "their scaled dot products overflow float64; expected smaller entries"
    check_message(
        lambda: call(tiled, query=large, key=ARRAYS["key"] * 1e160), f"query, key: {message}"
    )


def test_scores_in_a_skipped_block_are_not_looked_at(tiled):
    query = with_entry(np.zeros((2, 1)), 1e200)
    key = with_entry(np.zeros((3, 1)), 1e200)
    output = tiled.tiled_attention(query, key, ones(3, 1), "causal", block=1)
    assert output.tolist() == [[1], [1]]


# ------------------------------------------------------------------- masks


@both
@pytest.mark.parametrize(
    ("mask", "came"),
    [("Causal", "'Causal'"), (1, "int"), ([[True]], "list"), (True, "bool")],
)
def test_a_mask_must_be_of_a_known_kind(tiled, call, mask, came):
    check_message(
        lambda: call(tiled, mask=mask),
        'mask: expected None, "causal", a function of rows and columns, '
        f"or a boolean array, got {came}",
    )


@both
def test_an_array_as_mask_must_be_boolean(tiled, call):
    check_message(
        lambda: call(tiled, mask=np.ones((3, 5), int)),
        "mask: expected a boolean array (True = may attend), got int64 of shape (3, 5)",
    )


@both
@pytest.mark.parametrize("shape", [(5, 3), (3, 3, 5), (1, 2, 3, 5), (3,)])
def test_an_array_as_mask_must_broadcast_to_the_scores(tiled, call, shape):
    check_message(
        lambda: call(tiled, mask=np.ones(shape, bool)),
        f"mask: expected a shape that broadcasts to (..., queries, keys) = (2, 3, 5), got {shape}",
    )


@both
@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (None, "NoneType"),
        (True, "bool"),
        (np.ones((2, 2)), "float64 of shape (2, 2)"),
        (np.ones((2, 3), bool), "bool of shape (2, 3)"),
        (np.ones((3, 2, 2), bool), "bool of shape (3, 2, 2)"),
        (np.ones((1, 2, 2, 2), bool), "bool of shape (1, 2, 2, 2)"),
    ],
)
def test_a_function_as_mask_must_return_booleans_that_fit(tiled, call, answer, came):
    check_message(
        lambda: call(tiled, mask=lambda rows, columns: answer, block=2),
        "mask: expected a function that returns a boolean array (True = may attend) "
        f"which broadcasts to (..., rows, columns) = (2, 2, 2), got {came}",
    )


# ---------------------------------------------------------- what is given back


@pytest.mark.parametrize("name", GIVEN_BACK)
def test_what_the_gradient_is_given_must_have_its_shape(tiled, name):
    array = GIVEN_BACK[name]
    for wrong in (array[:1], array[..., :-1], array[0]):
        check_message(
            lambda wrong=wrong: backward(tiled, **{name: wrong}),
            f"{name}: expected the shape {array.shape}, got {wrong.shape}",
        )
    check_message(
        lambda: backward(tiled, **{name: array.tolist()}),
        f"{name}: expected a floating-point NumPy array, got list",
    )


@pytest.mark.parametrize("name", ["output", "output_gradient"])
@pytest.mark.parametrize("entry", [np.nan, np.inf, -np.inf])
def test_output_and_its_gradient_must_be_finite(tiled, name, entry):
    check_message(
        lambda: backward(tiled, **{name: with_entry(GIVEN_BACK[name], entry)}),
        f"{name}: expected finite numbers, got NaN or infinity",
    )


@pytest.mark.parametrize("entry", [np.nan, np.inf])
def test_log_totals_may_be_minus_infinity_alone(tiled, entry):
    check_message(
        lambda: backward(tiled, log_totals=with_entry(GIVEN_BACK["log_totals"], entry)),
        "log_totals: expected finite numbers or -inf, got NaN or +inf",
    )


# --------------------------------------------------------------- summaries


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.ones((2, 3), int), "expected a floating-point NumPy array, got int64 of shape (2, 3)"),
        (ones(3), "expected at least two axes, got shape (3,)"),
        (ones(2, 0), "expected at least one key, got shape (2, 0)"),
        (with_entry(ones(2, 3), np.nan), "expected finite numbers or -inf, got NaN or +inf"),
        (with_entry(ones(2, 3), np.inf), "expected finite numbers or -inf, got NaN or +inf"),
    ],
)
def test_scores_must_be_scores(tiled, scores, message):
    check_message(lambda: tiled.summarise(scores, ones(3, 4)), f"scores: {message}")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.ones((3, 4), int), "expected a floating-point NumPy array, got int64 of shape (3, 4)"),
        (ones(3), "expected at least two axes, got shape (3,)"),
        (with_entry(ones(3, 4), np.inf), "expected finite numbers, got NaN or infinity"),
        (ones(4, 4), "expected its size to equal the number of keys = 3, got 4"),
    ],
)
def test_values_must_fit_the_scores(tiled, value, message):
    check_message(lambda: tiled.summarise(ones(2, 3), value), f"value: {message}")


@pytest.mark.parametrize("name", ["queries", "d_v"])
@pytest.mark.parametrize("number", [0, -1, 2.0, True])
def test_an_empty_summary_has_sizes(tiled, name, number):
    check_message(
        lambda: tiled.empty_summary(**({"queries": 2, "d_v": 3} | {name: number})),
        f"{name}: expected a positive integer, got {number!r}",
    )


def test_an_empty_summary_holds_floats(tiled):
    check_message(
        lambda: tiled.empty_summary(2, 3, int),
        "dtype: expected a floating-point dtype, got <class 'int'>",
    )


def test_only_summaries_of_the_same_queries_are_merged(tiled):
    check_message(
        lambda: tiled.merge(tiled.empty_summary(2, 3), tiled.empty_summary(1, 3)),
        "b: expected its size to equal the number of queries of a = 2, got 1",
    )
    check_message(
        lambda: tiled.merge(tiled.empty_summary(2, 3), tiled.empty_summary(2, 1)),
        "b: expected its size to equal d_v of a = 3, got 1",
    )


# ----------------------------------------------------------- counting blocks


@pytest.mark.parametrize("name", ["queries", "keys", "block"])
@pytest.mark.parametrize("number", [0, -3, 1.5, None])
def test_blocks_are_counted_for_positive_sizes(tiled, name, number):
    sizes = {"queries": 4, "keys": 4, "block": 2} | {name: number}
    check_message(
        lambda: tiled.count_blocks(**sizes), f"{name}: expected a positive integer, got {number!r}"
    )


def test_blocks_are_counted_for_a_mask_without_axes_in_front(tiled):
    check_message(
        lambda: tiled.count_blocks(4, 4, np.ones((2, 4, 4), bool)),
        "mask: expected a shape that broadcasts to (..., queries, keys) = (4, 4), got (2, 4, 4)",
    )
    check_message(
        lambda: tiled.count_blocks(4, 4, "future"),
        'mask: expected None, "causal", a function of rows and columns, '
        "or a boolean array, got 'future'",
    )


def test_positions_are_cut_into_blocks_of_at_least_one(tiled):
    check_message(lambda: list(tiled.blocks(4, 0)), "block: expected a positive integer, got 0")


# --------------------------------------------------------- windows and bands


@pytest.mark.parametrize("wrong", [0, -1, 2.0, "3", None, True])
def test_a_window_has_a_width(tiled, wrong):
    message = f"width: expected a positive integer, got {wrong!r}"
    check_message(lambda: tiled.window(wrong), message)


@pytest.mark.parametrize("name", ["before", "after"])
@pytest.mark.parametrize("wrong", [-1, 2.0, "3", True])
def test_a_band_reaches_so_far(tiled, name, wrong):
    sides = {"before": 1, "after": 1, name: wrong}
    check_message(lambda: tiled.Band(**sides), f"{name}: expected 0 or more, got {wrong!r}")
