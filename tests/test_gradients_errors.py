"""What `attention.gradients` says to a wrong call: which argument, what came, what was expected."""

import re
from types import ModuleType

import numpy as np
import pytest
from tests.conftest import load_without_shape_checks


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    """`attention.gradients` as a reader meets it, without enforced shapes."""
    return load_without_shape_checks("gradients", "by_hand")


def ones(*shape, dtype=np.float64):
    return np.ones(shape, dtype)


def with_entry(array, entry):
    array = array.copy()
    array.flat[-1] = entry
    return array


def check_message(call, message):
    """Assert that `call` raises a ValueError with just this message."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


# What each function is called with when all is well, by argument.
ARRAYS = {"x": ones(2, 3, 4), "W_Q": ones(4, 6), "W_K": ones(4, 6), "W_V": ones(4, 2)}
CALLS = {
    "softmax_gradient": {"weights": ones(2, 3) / 3, "upstream": ones(2, 3)},
    "attention_gradient": {
        "query": ones(2, 3, 4),
        "key": ones(5, 4),
        "value": ones(5, 6),
        "upstream": ones(2, 3, 6),
    },
    "linear_gradient": {"x": ones(2, 3), "weight": ones(3, 4), "upstream": ones(2, 4)},
    "self_attention_gradient": ARRAYS | {"upstream": ones(2, 3, 2)},
    "multi_head_attention_gradient": {
        "x": ones(2, 3, 4),
        "memory": ones(2, 5, 7),
        "W_Q": ones(4, 6),
        "W_K": ones(7, 6),
        "W_V": ones(7, 8),
        "W_O": ones(8, 9),
        "heads": 2,
        "upstream": ones(2, 3, 9),
    },
}
UPSTREAM = {
    "softmax_gradient": (2, 3),
    "attention_gradient": (2, 3, 6),
    "linear_gradient": (2, 4),
    "self_attention_gradient": (2, 3, 2),
    "multi_head_attention_gradient": (2, 3, 9),
}


def call(plain, name, **changed):
    return lambda: getattr(plain, name)(**CALLS[name] | changed)


@pytest.mark.parametrize("name", CALLS)
def test_the_calls_are_right_as_they_are(plain, name):
    call(plain, name)()


@pytest.mark.parametrize("name", CALLS)
def test_upstream_is_floating_point_finite_and_of_the_right_shape(plain, name):
    shape = UPSTREAM[name]
    check_message(
        call(plain, name, upstream=np.ones(shape, int)),
        f"upstream: expected a floating-point NumPy array, got int64 of shape {shape}",
    )
    check_message(
        call(plain, name, upstream=[1.0]),
        "upstream: expected a floating-point NumPy array, got list",
    )
    for wrong in (shape[1:], (1, *shape), (*shape[:-1], shape[-1] + 1)):
        check_message(
            call(plain, name, upstream=ones(*wrong)),
            f"upstream: expected the shape {shape}, got {wrong}",
        )
    for entry in (np.nan, np.inf, -np.inf):
        check_message(
            call(plain, name, upstream=with_entry(ones(*shape), entry)),
            "upstream: expected finite numbers, got NaN or infinity",
        )


def test_weights_are_weights(plain):
    check_message(
        call(plain, "softmax_gradient", weights=with_entry(ones(2, 3), -1)),
        "weights: expected finite numbers >= 0, got a negative number, NaN or inf",
    )
    check_message(
        call(plain, "softmax_gradient", weights=np.array(1.0)),
        "weights: expected at least one axis, got a single number",
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"key": ones(5, 3)},
            "key: expected its size to equal d_k, the last axis of query = 4, got 3",
        ),
        ({"value": ones(4, 6)}, "value: expected its size to equal the number of keys = 5, got 4"),
        ({"query": ones(2, 3, 4) * np.nan}, "query: expected finite numbers, got NaN or infinity"),
        (
            {"mask": ones(3, 5)},
            "mask: expected a boolean array (True = may attend), got float64 of shape (3, 5)",
        ),
        ({"scale": np.inf}, "scale: expected a finite number, got inf"),
        ({"scale": "1"}, "scale: expected a finite number, got '1'"),
    ],
)
def test_attention_gradient_checks_as_attention_does(plain, changed, message):
    check_message(call(plain, "attention_gradient", **changed), message)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": 1.0}, "x: expected a floating-point NumPy array, got float"),
        ({"x": np.array(1.0)}, "x: expected at least one axis, got a single number"),
        ({"weight": ones(3)}, "weight: expected at least two axes, got shape (3,)"),
        ({"weight": ones(2, 3, 4)}, "weight: expected two axes, got shape (2, 3, 4)"),
        (
            {"weight": ones(2, 4)},
            "weight: expected its size to equal the last axis of x = 3, got 2",
        ),
        ({"weight": ones(3, 4) * np.inf}, "weight: expected finite numbers, got NaN or infinity"),
    ],
)
def test_linear_gradient_checks_its_matrix(plain, changed, message):
    check_message(call(plain, "linear_gradient", **changed), message)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": ones(3)}, "x: expected at least two axes, got shape (3,)"),
        ({"W_Q": ones(3, 6)}, "W_Q: expected its size to equal the last axis of x = 4, got 3"),
        ({"W_V": ones(3, 6)}, "W_V: expected its size to equal the last axis of x = 4, got 3"),
        ({"W_K": ones(4, 5)}, "W_K: expected its size to equal the columns of W_Q = 6, got 5"),
        ({"W_K": ones(4, 6, 1)}, "W_K: expected two axes, got shape (4, 6, 1)"),
    ],
)
def test_self_attention_gradient_checks_its_matrices(plain, changed, message):
    check_message(call(plain, "self_attention_gradient", **changed), message)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"heads": 4}, "heads: expected a divisor of the width 6, got 4"),
        ({"heads": 0}, "heads: expected a positive integer, got 0"),
        ({"W_K": ones(4, 6)}, "W_K: expected its size to equal the last axis of memory = 7, got 4"),
        (
            {"mask": ones(4, 5) > 0},
            "mask: expected a shape that broadcasts to (..., queries, keys) = (2, 3, 5), "
            "got (4, 5)",
        ),
    ],
)
def test_multi_head_gradient_checks_as_multi_head_attention_does(plain, changed, message):
    check_message(call(plain, "multi_head_attention_gradient", **changed), message)


# ------------------------------------------------------------------- the loss

LOSSES = ("cross_entropy", "cross_entropy_gradient")


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"logits": [1.0]}, "logits: expected a floating-point NumPy array, got list"),
        ({"logits": np.array(1.0)}, "logits: expected at least one class, got shape ()"),
        ({"logits": ones(2, 0)}, "logits: expected at least one class, got shape (2, 0)"),
        ({"logits": ones(2, 3) * np.nan}, "logits: expected finite numbers, got NaN or infinity"),
        ({"targets": [0, 1]}, "targets: expected an integer NumPy array, got list"),
        (
            {"targets": ones(2)},
            "targets: expected an integer NumPy array, got float64 of shape (2,)",
        ),
        ({"targets": np.array([0])}, "targets: expected the shape (2,), got (1,)"),
        ({"targets": np.array([0, 3])}, "targets: expected integers from 0 to 2, got 0 to 3"),
        ({"targets": np.array([-1, 2])}, "targets: expected integers from 0 to 2, got -1 to 2"),
        ({"wanted": [True, True]}, "wanted: expected a boolean NumPy array, got list"),
        (
            {"wanted": np.array([1, 1])},
            "wanted: expected a boolean NumPy array, got int64 of shape (2,)",
        ),
        ({"wanted": np.array([True])}, "wanted: expected the shape (2,), got (1,)"),
        (
            {"wanted": np.array([False, False])},
            "wanted: expected at least one row that counts, got none",
        ),
    ],
)
def test_the_loss_checks_what_it_is_given(plain, name, changed, message):
    right = {"logits": ones(2, 3), "targets": np.array([0, 2]), "wanted": np.array([True, False])}
    getattr(plain, name)(**right)
    check_message(lambda: getattr(plain, name)(**right | changed), message)


# -------------------------------------------------------------- central differences


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (abs, np.ones(2, int)),
            "array: expected a floating-point NumPy array, got int64 of shape (2,)",
        ),
        ((abs, np.array(1.0), 0.0), "step: expected a positive number, got 0.0"),
        (
            (lambda x: None, ones(1)),
            "function: expected a function that returns a finite number, got None",
        ),
        (
            (lambda x: np.inf, ones(1)),
            "function: expected a function that returns a finite number, got inf",
        ),
    ],
)
def test_central_differences_want_one_finite_number(plain, arguments, message):
    check_message(lambda: plain.central_differences(*arguments), message)


# -------------------------------------------------------------------------- Adam


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate": 0}, "rate: expected a positive number, got 0"),
        ({"epsilon": 0}, "epsilon: expected a positive number, got 0"),
        ({"betas": 0.9}, "betas: expected two numbers, got 0.9"),
        ({"betas": (0.9,)}, "betas: expected two numbers, got (0.9,)"),
        ({"betas": (1, 0.9)}, "betas: expected a number from 0 to below 1, got 1"),
        ({"betas": (0.9, -0.1)}, "betas: expected a number from 0 to below 1, got -0.1"),
    ],
)
def test_adam_wants_sensible_numbers(plain, arguments, message):
    check_message(lambda: plain.Adam(**arguments), message)


def test_adam_wants_gradients_that_belong_to_the_parameters(plain):
    adam = plain.Adam()
    right = {"p": ones(2), "q": ones(3)}
    changes = {"p": ones(2), "q": ones(3)}
    check_message(
        lambda: adam.update([ones(2)], changes),
        "parameters: expected a dict of arrays, got list",
    )
    check_message(
        lambda: adam.update(right, ones(2)),
        "gradients: expected a dict of arrays, got float64 of shape (2,)",
    )
    check_message(
        lambda: adam.update(right, {"p": ones(2)}),
        "parameters: expected the names ['p'], got ['p', 'q']",
    )
    check_message(
        lambda: adam.update(right, changes | {"q": ones(2)}),
        "gradients['q']: expected the shape (3,), got (2,)",
    )
    check_message(
        lambda: adam.update(right | {"p": [1.0, 1.0]}, changes),
        "parameters['p']: expected a floating-point NumPy array, got list",
    )
    check_message(
        lambda: adam.update(right, changes | {"p": np.ones(2, int)}),
        "gradients['p']: expected a floating-point NumPy array, got int64 of shape (2,)",
    )
    check_message(
        lambda: adam.update(right, changes | {"p": with_entry(ones(2), np.nan)}),
        "gradients['p']: expected finite numbers, got NaN or infinity",
    )
    assert adam.updates == 0  # nothing was changed by what was refused
    assert right["p"].tolist() == [1, 1]
    adam.update(right, changes)
    check_message(
        lambda: adam.update({"p": ones(2)}, {"p": ones(2)}),
        "parameters: expected the names ['p', 'q'], got ['p']",
    )
    larger = {"p": ones(4), "q": ones(3)}
    check_message(
        lambda: adam.update(larger, larger),
        "parameters['p']: expected the shape (2,), got (4,)",
    )


# ------------------------------------------------------------------------- the model


@pytest.mark.parametrize("name", ["vocab_size", "length", "d_model", "d_k", "layers"])
def test_a_model_wants_positive_sizes(plain, name):
    sizes = {"vocab_size": 5, "length": 4, "d_model": 3, "d_k": 2, "layers": 1}
    generator = np.random.default_rng(0)
    for wrong in (0, -1, 2.0):
        check_message(
            lambda wrong=wrong: plain.AttentionOnly(**sizes | {name: wrong}, generator=generator),
            f"{name}: expected a positive integer, got {wrong}",
        )
    plain.AttentionOnly(**sizes | {name: np.int64(1)}, generator=generator)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([[0]], "tokens: expected integers of shape (batch, length), got list"),
        (
            ones(1, 2),
            "tokens: expected integers of shape (batch, length), got float64 of shape (1, 2)",
        ),
        (
            np.array([0, 1]),
            "tokens: expected integers of shape (batch, length), got int64 of shape (2,)",
        ),
        (np.zeros((1, 5), int), "tokens: expected 1 to 4 positions, got 5"),
        (np.zeros((1, 0), int), "tokens: expected 1 to 4 positions, got 0"),
        (np.array([[0, 5]]), "tokens: expected integers from 0 to 4, got 0 to 5"),
        (np.array([[-1, 4]]), "tokens: expected integers from 0 to 4, got -1 to 4"),
    ],
)
def test_a_model_wants_tokens_of_its_vocabulary(plain, tokens, message):
    model = plain.AttentionOnly(5, 4, 3, 2, 1, np.random.default_rng(0))
    model.forward(np.array([[0, 1, 2, 4]]))
    check_message(lambda: model.forward(tokens), message)
