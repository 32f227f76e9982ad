"""Merge two outputs, each of attention to a part of the keys (cost: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.cost._merge_outputs_mistakes import MISTAKES
from attention.checks.cost._merge_outputs_steps import merging


def _is_outside(inputs, expected, got):
    low = np.minimum(inputs["output_a"], inputs["output_b"])
    high = np.maximum(inputs["output_a"], inputs["output_b"])
    return bool(((got[0] < low - 1e-6) | (got[0] > high + 1e-6)).any())


def _is_below_a_part(inputs, expected, got):
    larger = np.maximum(inputs["log_total_a"], inputs["log_total_b"])
    return bool((got[1] < larger - 1e-6).any())


MERGE_OUTPUTS = Exercise(
    name="merge_outputs",
    signature="f(output_a, log_total_a, output_b, log_total_b)",
    outputs=("output", "log_total"),
    reference=merging(),
    stages=(
        (
            example(output_a=[[2]], log_total_a=[1], output_b=[[6]], log_total_b=[2]),
            example(output_a=[[2, 5]], log_total_a=[1.5], output_b=[[6, -3]], log_total_b=[0.5]),
            example(
                output_a=[[2, 5], [1, 0]],
                log_total_a=[1, 0.5],
                output_b=[[6, -3], [4, 2]],
                log_total_b=[2, -1.5],
            ),
            example(
                output_a=[[2, 5], [1, 0], [3, 3]],
                log_total_a=[2, -1, 0],
                output_b=[[6, -3], [4, 2], [-1, 5]],
                log_total_b=[1.5, 0.5, 1],
            ),
        ),
        (
            example(output_a=[[2]], log_total_a=[900], output_b=[[6]], log_total_b=[901]),
            example(output_a=[[2]], log_total_a=[-900], output_b=[[6]], log_total_b=[-901]),
            example(
                output_a=[[2], [1]],
                log_total_a=[900, 1],
                output_b=[[6], [4]],
                log_total_b=[901, 2],
            ),
            example(
                output_a=[[2], [1]],
                log_total_a=[900, -900],
                output_b=[[6], [4]],
                log_total_b=[-900, 900],
            ),
            example(
                output_a=[[0], [3]],
                log_total_a=[-np.inf, 1],
                output_b=[[6], [0]],
                log_total_b=[2, -np.inf],
            ),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "outside",
            "An average lies between what is averaged. Somewhere your output is larger, or "
            "smaller, than both of the outputs it is made of.",
            _is_outside,
        ),
        Symptom(
            "log-total-too-small",
            "Somewhere your log total is smaller than that of one part. More keys make a total "
            "larger.",
            _is_below_a_part,
        ),
    ),
)


def merge_outputs(answer: object) -> Verdict:
    """Check the merging of two outputs, each of attention to a part of the keys.

    ``answer(output_a, log_total_a, output_b, log_total_b)`` takes, for each of two
    parts, the output (queries, d_v) and the log of the sum of exp(score), (queries,).
    Where a query may attend to no key of one part, that log is -inf and that row of
    the output is zero; this is never so in both. It returns the output and the
    log total of all keys together.
    """
    return MERGE_OUTPUTS.check(answer)
