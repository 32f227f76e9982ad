"""Predict which key's score a training step raises most (learning: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import Exercise, Verdict, example, misconception


def _rises(weights, value, upstream):
    """Give how fast each score rises: its weight, times how much more its value helps."""
    return weights * -((value - weights @ value) @ upstream)


def _helps(weights, value, upstream):
    """Give how much a little of each value would lower the loss."""
    return -(value @ upstream)


def _largest(measure: Callable) -> Callable:
    """Make an answer: the key for which a measure is largest."""
    return lambda weights, value, upstream: measure(weights, value, upstream).argmax()


FASTEST_RISING_KEY = Exercise(
    name="fastest_rising_key",
    signature="f(weights, value, upstream)",
    outputs=("key",),
    reference=_largest(_rises),
    stages=(
        (
            example(weights=[0.3, 0.6, 0.1], value=[[4], [0], [-3]], upstream=[1]),
            example(weights=[0.2, 0.1, 0.4, 0.3], value=[[2], [1], [4], [5]], upstream=[-2]),
            example(
                weights=[0.8, 0.1, 0.1],
                value=[[-1, 3], [-3, 2], [0, 0]],
                upstream=[-2, 0],
            ),
            example(
                weights=[0.2, 0.1, 0.3, 0.4],
                value=[[3, -1], [-1, 1], [2, -1], [-3, -3]],
                upstream=[2, -2],
            ),
            example(
                weights=[0.3, 0.5, 0.1, 0.1],
                value=[[-1, 4], [2, 2], [2, 4], [-1, 5]],
                upstream=[0, -2],
            ),
            example(
                weights=[0.1, 0.2, 0.1, 0.2, 0.4],
                value=[[-2, 5], [-3, 0], [-1, 1], [5, 3], [3, -3]],
                upstream=[-1, 0],
            ),
            example(
                weights=[0.4, 0.2, 0.1, 0.1, 0.2],
                value=[[0, 3], [-3, -2], [-3, 3], [2, 3], [-2, 1]],
                upstream=[1, 1],
            ),
            example(
                weights=[0.1, 0.2, 0.4, 0.1, 0.2],
                value=[[1, 1, 5], [3, 1, -3], [4, -2, -2], [1, 4, 2], [-3, 4, 2]],
                upstream=[2, 1, -2],
            ),
        ),
        (example(weights=[0, 0.7, 0.3], value=[[-9], [1], [2]], upstream=[1]),),
    ),
    misconceptions=(
        misconception(
            "weight-ignored",
            "You take the key whose value helps most. How fast its score rises depends on the "
            "weight it already has, too: one without weight learns nothing.",
            _largest(_helps),
        ),
        misconception(
            "average-ignored",
            "You multiply the weight by how much the value helps. What counts is how much more it "
            "helps than the present output: take the average of the values away first.",
            _largest(lambda w, v, g: w * _helps(w, v, g)),
        ),
        misconception(
            "largest-weight",
            "You take the key with the largest weight. Its value may be the one that does harm.",
            _largest(lambda w, v, g: w),
        ),
        misconception(
            "falls-fastest",
            "This is the key whose score falls fastest. A step goes against the gradient: a score "
            "rises where its gradient is negative.",
            _largest(lambda w, v, g: -_rises(w, v, g)),
        ),
        misconception(
            "moves-fastest",
            "You take the score that moves most, up or down. Only those that rise are asked for.",
            _largest(lambda w, v, g: np.abs(_rises(w, v, g))),
        ),
        misconception(
            "does-most-harm",
            "You take the key whose value does most harm. The upstream gradient says which way "
            "the loss grows, and a step goes the other way.",
            _largest(lambda w, v, g: -_helps(w, v, g)),
        ),
        misconception(
            "plain-mean",
            "You compare each value with the plain mean of the values. The output that is there "
            "now is their average with the weights.",
            _largest(lambda w, v, g: w * -((v - v.mean(0)) @ g)),
        ),
        misconception(
            "weighted-harm",
            "Two mistakes: the average of the values is not taken away, and the sign is turned "
            "round. The upstream gradient says which way the loss grows.",
            _largest(lambda w, v, g: -w * _helps(w, v, g)),
        ),
        misconception(
            "counted-from-1",
            "Your number is one too high: keys are counted from 0.",
            lambda w, v, g: _rises(w, v, g).argmax() + 1,
        ),
        misconception(
            "rises-returned",
            "You return one number for each key. Which of them is the largest? Its place is asked "
            "for.",
            _rises,
            _helps,
        ),
        misconception(
            "gradients-returned",
            "You return the gradient at each score. A step goes against it: which score does it "
            "raise most? The place of that one is asked for.",
            lambda w, v, g: -_rises(w, v, g),
            lambda w, v, g: -_helps(w, v, g),
        ),
        misconception(
            "rate-returned",
            "You return how fast that score rises. Which one it is is asked for: its place, as "
            "argmin and argmax give it.",
            lambda w, v, g: _rises(w, v, g).max(),
            lambda w, v, g: -_rises(w, v, g).max(),
        ),
        misconception(
            "order-returned",
            "You return the places of all keys, in order. That of the key whose score rises "
            "fastest is asked for.",
            lambda w, v, g: np.argsort(-_rises(w, v, g)),
            lambda w, v, g: np.argsort(_rises(w, v, g)),
        ),
        misconception(
            "nearest-to-the-output",
            "You take the key whose value is nearest to the output. Its value helps neither more "
            "nor less than the present average does.",
            _largest(lambda w, v, g: -np.linalg.norm(v - w @ v, axis=-1)),
        ),
    ),
)


def fastest_rising_key(answer: object) -> Verdict:
    """Check the prediction of which score rises fastest.

    ``answer(weights, value, upstream)`` takes the ``weights`` of one query (keys,),
    the values (keys, d_v), and ``upstream`` (d_v,), the gradient of the loss with
    respect to the output ``weights @ value``. It returns the number of the key,
    counted from 0, whose score a small step of gradient descent raises most.
    """
    return FASTEST_RISING_KEY.check(answer)
