"""Find the length at which attention takes half of the work (cost: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception


def _equal_work(
    projections: int = 4,
    feed_forward: int = 2,
    attention: int = 2,
) -> Callable:
    """Find the length with these many products in each place; right are 4, 2 and 2."""
    return lambda d_model, d_ff: (projections * d_model + feed_forward * d_ff) / attention


LENGTH_OF_EQUAL_WORK = Exercise(
    name="length_of_equal_work",
    signature="f(d_model, d_ff)",
    outputs=("length",),
    reference=_equal_work(),
    stages=(
        (
            example(d_model=2, d_ff=8),
            example(d_model=3, d_ff=5),
            example(d_model=64, d_ff=64),
            example(d_model=512, d_ff=2048),
        ),
    ),
    misconceptions=(
        misconception(
            "no-output-projection",
            "You count W_Q, W_K and W_V. There is a fourth projection, W_O, as large as the "
            "others.",
            _equal_work(projections=3),
        ),
        misconception(
            "projections-missing",
            "You count too few of the projections. Each position is multiplied with four matrices: "
            "W_Q, W_K, W_V and W_O.",
            _equal_work(projections=1),
            _equal_work(projections=2),
        ),
        misconception(
            "no-projections",
            "You compare with the feed-forward layer alone. The four projections belong to the "
            "same side.",
            _equal_work(projections=0),
        ),
        misconception(
            "no-feed-forward",
            "You compare with the projections alone. The feed-forward layer belongs to the same "
            "side, and it has two matrices.",
            _equal_work(feed_forward=0),
        ),
        misconception(
            "feed-forward-counted-once",
            "You count one matrix of the feed-forward layer. It has two: one widens, the other "
            "narrows.",
            _equal_work(feed_forward=1),
        ),
        misconception(
            "scores-only",
            "Your length is twice too long: you count the scores, but not the averages. When the "
            "weights are there, they are multiplied with the values, which takes as much again.",
            _equal_work(attention=1),
        ),
        misconception(
            "not-together",
            "You compare with one of the other two, the larger or the smaller. The question is "
            "about both together.",
            lambda d_model, d_ff: max(2 * d_model, d_ff),
            lambda d_model, d_ff: min(2 * d_model, d_ff),
        ),
        misconception(
            "d_ff-ignored",
            "You take d_ff to be 4 d_model. It often is, but here it is given, and may be another "
            "number.",
            lambda d_model, d_ff: 6 * d_model,
        ),
        misconception(
            "width-not-cancelled",
            "There is one d_model too many in your length. All three counts have it as a factor, "
            "that of the scores and averages too: divide by all of what stands beside n.",
            lambda d_model, d_ff: d_model * _equal_work()(d_model, d_ff),
            lambda d_model, d_ff: 2 * d_model * _equal_work()(d_model, d_ff),
            lambda d_model, d_ff: 2 * d_model**2 + d_ff,
        ),
        misconception(
            "root",
            "You take a root. The projections and the feed-forward layer work on n positions too: "
            "one n cancels, and of the square a single n is left.",
            lambda d_model, d_ff: np.sqrt(_equal_work()(d_model, d_ff)),
            lambda d_model, d_ff: np.sqrt(d_model * _equal_work()(d_model, d_ff)),
        ),
        misconception(
            "upside-down",
            "Your fraction is upside down. Set the counts equal: n alone on one side leaves the "
            "widths above the line.",
            lambda d_model, d_ff: 1 / _equal_work()(d_model, d_ff),
        ),
        misconception(
            "halved",
            "Your length is half of what it should be. Scores and averages have the factor 2, "
            "and so have the four projections and the two matrices: it cancels once.",
            lambda d_model, d_ff: _equal_work()(d_model, d_ff) / 2,
            lambda d_model, d_ff: _equal_work()(d_model, d_ff) // 2,
        ),
        misconception(
            "feed-forward-counted-twice",
            "You count the feed-forward layer twice. It has two matrices of d_model times d_ff.",
            _equal_work(feed_forward=4),
        ),
    ),
    symptoms=(
        Symptom(
            "too-long",
            "Your length is too long. Write down the three counts for this example and put your "
            "length in for n.",
            lambda inputs, expected, got: bool(expected[0] < got[0] < np.inf),
        ),
        Symptom(
            "too-short",
            "Your length is too short. Write down the three counts for this example and put your "
            "length in for n.",
            lambda inputs, expected, got: bool(-np.inf < got[0] < expected[0]),
        ),
    ),
)


def length_of_equal_work(answer: object) -> Verdict:
    """Check the length from which on attention is half of the work.

    ``answer(d_model, d_ff)`` takes the widths of an encoder layer. On n positions
    its four projections take 4 n d_model² multiplications, its feed-forward layer
    2 n d_model d_ff, its scores and averages 2 n² d_model. It returns the n at
    which the last are as many as the other two together.
    """
    return LENGTH_OF_EQUAL_WORK.check(answer)
