"""Checkers for the exercises: they say what went wrong, not only that it did.

Write a function, hand it over, read the verdict::

    from attention import checks

    checks.softmax_rows(my_softmax)

A checker calls the function on small examples. It never raises and never
changes anything of yours. The verdict prints as a short message; it also has
``passed`` (True or False) and ``diagnosis`` (one word for what is wrong).

The docstring of each checker says what its exercise asks for. How a diagnosis
is found is told in ``_exercise.py``; the common mistakes are listed in
``chapter03.py`` and its neighbours, one for each chapter.
"""

from attention.checks import (
    chapter01,
    chapter02,
    chapter03,
    chapter04,
    chapter05,
    chapter06,
    chapter07,
    chapter08,
    chapter09,
    chapter10,
)
from attention.checks._exercise import Exercise, Misconception, Symptom, Verdict
from attention.checks.chapter01 import (
    decoder_inputs,
    exact_match,
    last_states,
    read_sentence,
    steps_to_fade,
)
from attention.checks.chapter02 import (
    additive_scores,
    alignment_error_rate,
    look_back,
    projected_scores,
    strongest_sources,
)
from attention.checks.chapter03 import (
    attention,
    contextual_vector,
    cross_attention,
    kernel_regression,
    scores,
    softmax_rows,
)
from attention.checks.chapter04 import (
    entropy,
    jacobian,
    scale_for,
    score_variance,
    temperature_for,
)
from attention.checks.chapter05 import (
    causal_mask,
    combined_mask,
    masked_softmax,
    shift_targets,
    window_mask,
)
from attention.checks.chapter06 import (
    merge_heads,
    multi_head,
    parameters,
    split_heads,
    sum_over_heads,
)
from attention.checks.chapter07 import (
    alibi_bias,
    rotate,
    shift_matrix,
    sinusoidal_positions,
    values_from_averages,
)
from attention.checks.chapter08 import (
    decoder_layer,
    embed,
    feed_forward,
    layer_norm,
    layer_parameters,
    residual,
)
from attention.checks.chapter09 import (
    beam_step,
    flip_rate,
    learning_rate,
    smoothed_targets,
    top_p,
)
from attention.checks.chapter10 import (
    cache_numbers,
    cached_step,
    length_of_equal_work,
    merge_outputs,
    read_key,
)

# By the name of the checker, in the order of the book.
EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for chapter in (
        chapter01,
        chapter02,
        chapter03,
        chapter04,
        chapter05,
        chapter06,
        chapter07,
        chapter08,
        chapter09,
        chapter10,
    )
    for exercise in chapter.EXERCISES
}

__all__ = [
    "EXERCISES",
    "Exercise",
    "Misconception",
    "Symptom",
    "Verdict",
    "additive_scores",
    "alibi_bias",
    "alignment_error_rate",
    "attention",
    "beam_step",
    "cache_numbers",
    "cached_step",
    "causal_mask",
    "combined_mask",
    "contextual_vector",
    "cross_attention",
    "decoder_inputs",
    "decoder_layer",
    "embed",
    "entropy",
    "exact_match",
    "feed_forward",
    "flip_rate",
    "jacobian",
    "kernel_regression",
    "last_states",
    "layer_norm",
    "layer_parameters",
    "learning_rate",
    "length_of_equal_work",
    "look_back",
    "masked_softmax",
    "merge_heads",
    "merge_outputs",
    "multi_head",
    "parameters",
    "projected_scores",
    "read_key",
    "read_sentence",
    "residual",
    "rotate",
    "scale_for",
    "score_variance",
    "scores",
    "shift_matrix",
    "shift_targets",
    "sinusoidal_positions",
    "smoothed_targets",
    "softmax_rows",
    "split_heads",
    "steps_to_fade",
    "strongest_sources",
    "sum_over_heads",
    "temperature_for",
    "top_p",
    "values_from_averages",
    "window_mask",
]
