"""Checkers for the exercises: they say what went wrong, not only that it did (all chapters).

Write a function, hand it over, read the verdict::

    from attention import checks

    checks.softmax_rows(my_softmax)

A checker calls the function on small examples. It never raises and never
changes anything of yours. The verdict prints as a short message; it also has
``passed`` (True or False) and ``diagnosis`` (one word for what is wrong).

The docstring of each checker says what its exercise asks for. It stands in a
file of its own, in the folder of its chapter: ``scaling/entropy.py``. How a
diagnosis is found is told in ``_diagnosis.py``. The common mistakes stand with
the exercise; those that several exercises share stand in ``_mistakes``.
"""

from attention.checks._book import EXERCISES
from attention.checks._exercise import Exercise, Misconception, Pitfall, Symptom, Verdict
from attention.checks.alignment import (
    additive_scores,
    alignment_error_rate,
    look_back,
    projected_scores,
    strongest_sources,
)
from attention.checks.bottleneck import (
    decoder_inputs,
    exact_match,
    last_states,
    read_sentence,
    steps_to_fade,
)
from attention.checks.cost import (
    cache_numbers,
    cached_step,
    length_of_equal_work,
    merge_outputs,
    read_key,
)
from attention.checks.evidence import (
    best_by_luck,
    equal_weight,
    flip_rate,
    keep_only,
    rollout,
)
from attention.checks.family import (
    cut_word,
    may_attend,
    rms_norm,
    swiglu,
    to_adjacent,
)
from attention.checks.learning import (
    adam_step,
    attention_gradient,
    central_differences,
    fastest_rising_key,
    softmax_gradient,
)
from attention.checks.masking import (
    causal_mask,
    combined_mask,
    masked_softmax,
    shift_targets,
    window_mask,
)
from attention.checks.multi_head import (
    merge_heads,
    multi_head,  # from here on the checker, no longer the folder
    parameters,
    split_heads,
    sum_over_heads,
)
from attention.checks.position import (
    alibi_bias,
    rotate,
    shift_matrix,
    sinusoidal_positions,
    values_from_averages,
)
from attention.checks.queries_keys_values import (
    attention,
    contextual_vector,
    cross_attention,
    kernel_regression,
    scores,
    softmax_rows,
)
from attention.checks.scaling import (
    entropy,
    jacobian,
    scale_for,
    score_variance,
    temperature_for,
)
from attention.checks.transformer import (
    decoder_layer,
    embed,
    feed_forward,
    layer_norm,
    layer_parameters,
    residual,
)
from attention.checks.translation import (
    beam_step,
    learning_rate,
    smoothed_targets,
    top_p,
)

__all__ = [
    "EXERCISES",
    "Exercise",
    "Misconception",
    "Pitfall",
    "Symptom",
    "Verdict",
    "adam_step",
    "additive_scores",
    "alibi_bias",
    "alignment_error_rate",
    "attention",
    "attention_gradient",
    "beam_step",
    "best_by_luck",
    "cache_numbers",
    "cached_step",
    "causal_mask",
    "central_differences",
    "combined_mask",
    "contextual_vector",
    "cross_attention",
    "cut_word",
    "decoder_inputs",
    "decoder_layer",
    "embed",
    "entropy",
    "equal_weight",
    "exact_match",
    "fastest_rising_key",
    "feed_forward",
    "flip_rate",
    "jacobian",
    "keep_only",
    "kernel_regression",
    "last_states",
    "layer_norm",
    "layer_parameters",
    "learning_rate",
    "length_of_equal_work",
    "look_back",
    "masked_softmax",
    "may_attend",
    "merge_heads",
    "merge_outputs",
    "multi_head",
    "parameters",
    "projected_scores",
    "read_key",
    "read_sentence",
    "residual",
    "rms_norm",
    "rollout",
    "rotate",
    "scale_for",
    "score_variance",
    "scores",
    "shift_matrix",
    "shift_targets",
    "sinusoidal_positions",
    "smoothed_targets",
    "softmax_gradient",
    "softmax_rows",
    "split_heads",
    "steps_to_fade",
    "strongest_sources",
    "sum_over_heads",
    "swiglu",
    "temperature_for",
    "to_adjacent",
    "top_p",
    "values_from_averages",
    "window_mask",
]
