"""The common mistakes of attention and its softmax, for every exercise (used by checks).

An exercise writes its answer in terms of the steps of `Attention`::

    def build(attend):
        return lambda x, W_Q, W_K, W_V: attend(x @ W_Q, x @ W_K, x @ W_V)[0]

    reference = build(Attention())
    shared = of_attention(build)

A mistake is another function in place of one step. So a mistake known to one
exercise is known to all. Where only a softmax stands in an exercise, ``build``
takes that, and `of_softmax` makes the mistakes.

Not every mistake shows in every exercise: without a mask nothing tells that it
would have been inverted. That does no harm.
"""

from collections.abc import Callable

from attention.checks._definition import Misconception
from attention.checks._mistakes.average import OF_AVERAGE
from attention.checks._mistakes.mask import OF_MASK
from attention.checks._mistakes.scale import OF_SCALE
from attention.checks._mistakes.scores import OF_SCORES
from attention.checks._mistakes.softmax_axes import OF_AXES
from attention.checks._mistakes.softmax_form import OF_FORM
from attention.checks._mistakes.softmax_stability import OF_STABILITY
from attention.checks._mistakes.steps import Attention

OF_SOFTMAX = (*OF_AXES, *OF_FORM, *OF_STABILITY)

# If two explain all that an answer does, the first is named.
MISTAKES = (*OF_SCALE, *OF_MASK, *OF_SOFTMAX, *OF_SCORES, *OF_AVERAGE)


def of_attention(build: Callable[[Attention], Callable]) -> tuple[Misconception, ...]:
    """Make all mistakes of attention, for ``build(attend)``, which gives an answer."""
    return tuple(
        Misconception(
            mistake.slug,
            mistake.message,
            tuple(build(Attention(**steps)) for steps in mistake.steps),
        )
        for mistake in MISTAKES
    )


def of_softmax(build: Callable[[Callable], Callable]) -> tuple[Misconception, ...]:
    """Make all mistakes of a softmax, for ``build(softmax)``, which gives an answer."""
    return tuple(
        Misconception(
            mistake.slug,
            mistake.message,
            tuple(build(steps["softmax"]) for steps in mistake.steps),
        )
        for mistake in OF_SOFTMAX
    )


def for_one_query(mistakes: tuple[Misconception, ...]) -> tuple[Misconception, ...]:
    """Leave out what can only go wrong among several queries.

    With one query such a mistake may give the numbers of quite another one.
    """
    return tuple(mistake for mistake in mistakes if mistake.slug not in AMONG_QUERIES)


AMONG_QUERIES = (
    "softmax-over-queries",
    "softmax-over-everything",
    "axis-lost-in-the-sum",
    "one-maximum-for-all-rows",
    "maximum-of-the-columns",
    "scale-number-of-queries",
    "weights-transposed",
)
