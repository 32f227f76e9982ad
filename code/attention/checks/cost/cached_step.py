"""Take one step of causal self-attention with a key–value cache (cost: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Pitfall, Symptom, Verdict, close, example
from attention.checks.cost._cached_step_mistakes import MISTAKES
from attention.checks.cost._cached_step_steps import behind, stepping


def _attending(attend: Callable) -> Callable:
    """Make a step whose attention is another one."""

    def step(x, W_Q, W_K, W_V, keys, values):
        keys, values = behind(keys, x @ W_K), behind(values, x @ W_V)
        output, _ = attend((x @ W_Q)[None], keys, values, d_model=len(x))
        return output[0], keys, values

    return step


def _has_other_rows_before(inputs, expected, got):
    pairs = (("keys", got[1]), ("values", got[2]))
    return any(
        np.isfinite(grown).all() and not close(grown[:-1], inputs[name]) for name, grown in pairs
    )


def _is_no_average(inputs, expected, got):
    output, values = got[0], expected[2]
    return bool(((output < values.min(0) - 1e-6) | (output > values.max(0) + 1e-6)).any())


CACHED_STEP = Exercise(
    name="cached_step",
    signature="f(x, W_Q, W_K, W_V, keys, values)",
    outputs=("output", "keys", "values"),
    reference=stepping(),
    stages=(
        (
            example(
                x=[1, 2],
                W_Q=[[1, 0], [0, 0.5]],
                W_K=[[0.5, 1], [0, -0.5]],
                W_V=[[1], [2]],
                keys=[[1, 0.5]],
                values=[[3]],
            ),
            example(
                x=[1, -1],
                W_Q=[[1, 0.5], [0, 1]],
                W_K=[[0.5, -1], [1, 0.5]],
                W_V=[[1, 2], [-1, 1]],
                keys=[[1, 0.5], [-0.5, 1]],
                values=[[3, 1], [0, 4]],
            ),
            example(
                x=[1, 0.5, -1],
                W_Q=[[1, 0], [0, 2], [0.5, 1]],
                W_K=[[0.5, 1], [2, 0], [-1, 0.5]],
                W_V=[[1, 0], [2, -2], [0, 3]],
                keys=[[1, 0.5], [-0.5, 1], [0, -1]],
                values=[[3, 1], [0, 4], [-1, 2]],
            ),
        ),
        (
            example(
                x=[1, 2],
                W_Q=[[1, 0], [0, 0.5]],
                W_K=[[0.5, 1], [0, -0.5]],
                W_V=[[1], [2]],
                keys=np.zeros((0, 2)),
                values=np.zeros((0, 1)),
            ),
        ),
    ),
    misconceptions=MISTAKES,
    pitfalls=(
        Pitfall(
            "empty-cache",
            "At the first position there is nothing in the cache: keys and values have no rows.",
            lambda inputs: len(inputs["keys"]) == 0,
        ),
    ),
    shared=_mistakes.for_one_query(_mistakes.of_attention(_attending)),
    symptoms=(
        Symptom(
            "earlier-rows-changed",
            "The rows of the earlier positions are no longer what they were. Under a causal mask "
            "they never change: take them as they are, and put one row behind them.",
            _has_other_rows_before,
        ),
        Symptom(
            "no-average",
            "Your output is larger, or smaller, than all the values. Weights from a softmax make "
            "an average, which lies between them.",
            _is_no_average,
        ),
    ),
)


def cached_step(answer: object) -> Verdict:
    """Check one step of causal self-attention with a key–value cache, for one head.

    ``answer(x, W_Q, W_K, W_V, keys, values)`` takes the vector of a new position,
    (d_model,), three matrices (d_model, d_k), (d_model, d_k) and (d_model, d_v), and
    the keys (t, d_k) and values (t, d_v) of the t positions before it; at the
    start t is 0. It returns the new position's output (d_v,), with scores scaled by
    1 / sqrt(d_k), and keys and values with one row more.
    """
    return CACHED_STEP.check(answer)
