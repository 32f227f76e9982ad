"""Count the parameters of an encoder layer (transformer: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception


def _counting(
    attention: Callable = lambda d: 4 * d * d + 4 * d,
    feed_forward: Callable = lambda d, d_ff: 2 * d * d_ff + d_ff + d,
    norms: Callable = lambda d: 4 * d,
) -> Callable:
    """Count the parameters of a layer; one of its parts may be counted wrongly."""
    return lambda d_model, d_ff: attention(d_model) + feed_forward(d_model, d_ff) + norms(d_model)


def _nothing(*sizes):
    return 0


LAYER_PARAMETERS = Exercise(
    name="layer_parameters",
    signature="f(d_model, d_ff)",
    outputs=("parameters",),
    reference=_counting(),
    stages=(
        (
            example(d_model=2, d_ff=5),
            example(d_model=6, d_ff=10),
            example(d_model=64, d_ff=256),
            example(d_model=512, d_ff=2048),
        ),
    ),
    misconceptions=(
        misconception(
            "biases-forgotten",
            "You count the matrices and the norms. Each of the six matrices has a bias too: a "
            "number for each of its columns.",
            _counting(lambda d: 4 * d * d, lambda d, d_ff: 2 * d * d_ff),
        ),
        misconception(
            "norms-or-attention-biases-forgotten",
            "Your count is 4 d_model too low. The four biases of attention have that many numbers, "
            "and so have the two norms with a gain and a bias each. Which did you leave out?",
            _counting(norms=_nothing),
        ),
        misconception(
            "one-bias-in-attention",
            "You count one bias for attention. Each of its four matrices has one.",
            _counting(attention=lambda d: 4 * d * d + d),
        ),
        misconception(
            "one-bias-forgotten",
            "Your count is d_model too low: a single bias is missing. Is it that of W_O, or the "
            "second one of the feed-forward layer?",
            _counting(feed_forward=lambda d, d_ff: 2 * d * d_ff + d_ff),
        ),
        misconception(
            "feed-forward-biases-forgotten",
            "The feed-forward layer has two biases: the first has d_ff numbers, the second "
            "d_model.",
            _counting(feed_forward=lambda d, d_ff: 2 * d * d_ff),
            _counting(feed_forward=lambda d, d_ff: 2 * d * d_ff + d),
        ),
        misconception(
            "feed-forward-bias-sizes",
            "The two biases of the feed-forward layer differ in size. Each has as many numbers as "
            "its matrix has columns: d_ff the first, d_model the second.",
            _counting(feed_forward=lambda d, d_ff: 2 * d * d_ff + 2 * d_ff),
            _counting(feed_forward=lambda d, d_ff: 2 * d * d_ff + 2 * d),
        ),
        misconception(
            "norms-half-counted",
            "Your count is right but for half of what the norms have. There are two norms, one "
            "for each sublayer, and each has a gain and a bias of d_model numbers.",
            _counting(norms=lambda d: 2 * d),
        ),
        misconception(
            "norms-with-two-numbers",
            "You count a gain and a bias of one number for each norm. They have a number for "
            "each of the d_model columns.",
            _counting(norms=lambda d: 4),
            _counting(norms=lambda d: 2),
        ),
        misconception(
            "matrices-only",
            "You count the matrices. There are biases too, one for each matrix, and two norms "
            "with a gain and a bias each.",
            _counting(lambda d: 4 * d * d, lambda d, d_ff: 2 * d * d_ff, _nothing),
        ),
        misconception(
            "output-projection-forgotten",
            "You count W_Q, W_K and W_V. Attention has a fourth matrix, W_O, that mixes the heads.",
            _counting(attention=lambda d: 3 * d * d + 3 * d),
            _counting(attention=lambda d: 3 * d * d + 4 * d),
        ),
        misconception(
            "feed-forward-counted-once",
            "The feed-forward layer has two matrices: one widens, the other narrows.",
            _counting(feed_forward=lambda d, d_ff: d * d_ff + d_ff),
            _counting(feed_forward=lambda d, d_ff: d * d_ff + d_ff + d),
            _counting(feed_forward=lambda d, d_ff: d * d_ff + d),
        ),
        misconception(
            "four-matrices-per-head",
            "You multiply what attention has by a number of heads. The heads share out the "
            "columns of its matrices: however many there are, the count is the same.",
            *(
                _counting(attention=lambda d, heads=heads: heads * (4 * d * d + 4 * d))
                for heads in (4, 8)
            ),
        ),
        misconception(
            "a-decoders-layer",
            "You count cross-attention too, as in the layer of a decoder. The question is about "
            "an encoder's layer: one attention, one feed-forward layer, and two norms.",
            _counting(attention=lambda d: 8 * d * d + 8 * d, norms=lambda d: 6 * d),
            _counting(attention=lambda d: 8 * d * d + 8 * d),
        ),
        misconception(
            "attention-forgotten",
            "Attention is missing: four matrices of d_model rows and columns, with their biases.",
            _counting(attention=_nothing),
        ),
        misconception(
            "feed-forward-forgotten",
            "The feed-forward layer is missing: two matrices, with their biases.",
            _counting(feed_forward=_nothing),
        ),
        misconception(
            "three-norms",
            "You count three norms. An encoder's layer has two: one for attention, one for the "
            "feed-forward layer.",
            _counting(norms=lambda d: 6 * d),
        ),
        misconception(
            "three-feed-forward-matrices",
            "You count three matrices in the feed-forward layer, as in some later models. Here "
            "it has two.",
            _counting(feed_forward=lambda d, d_ff: 3 * d * d_ff + 2 * d_ff + d),
            _counting(feed_forward=lambda d, d_ff: 3 * d * d_ff + d_ff + d),
        ),
        misconception(
            "d_ff-ignored",
            "You take d_ff to be 4 d_model. It often is, but here it is given, and may be "
            "another number.",
            _counting(feed_forward=lambda d, d_ff: 8 * d * d + 5 * d),
            lambda d_model, d_ff: 12 * d_model**2,
        ),
        misconception(
            "feed-forward-square",
            "You count a matrix of d_ff rows and d_ff columns. Both matrices of the feed-"
            "forward layer are between d_model and d_ff.",
            _counting(feed_forward=lambda d, d_ff: 2 * d_ff * d_ff + d_ff + d),
            _counting(feed_forward=lambda d, d_ff: d_ff * d_ff + d_ff + d),
        ),
    ),
    symptoms=(
        Symptom(
            "not-a-whole-number",
            "A number of parameters is a whole number.",
            lambda inputs, expected, got: bool(np.isfinite(got[0]) and got[0] % 1),
        ),
        Symptom(
            "too-many",
            "You count too many. Write down the shape of each matrix, bias and gain.",
            lambda inputs, expected, got: bool(expected[0] < got[0] < np.inf),
        ),
        Symptom(
            "too-few",
            "You count too few. Write down the shape of each matrix, bias and gain.",
            lambda inputs, expected, got: bool(-np.inf < got[0] < expected[0]),
        ),
    ),
)


def layer_parameters(answer: object) -> Verdict:
    """Check the number of parameters of an encoder layer.

    ``answer(d_model, d_ff)`` takes two widths and returns how many numbers
    training adjusts: in attention four matrices with biases, in the
    feed-forward layer two matrices with biases, and in two norms a gain and a
    bias each.
    """
    return LAYER_PARAMETERS.check(answer)
