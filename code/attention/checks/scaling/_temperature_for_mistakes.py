"""Temperatures, and common mistakes in looking for them (scaling: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import misconception

ENTROPY_TOLERANCE = 1e-3


def entropy_at(scores, temperature):
    # Subtract the maximum before dividing: a tiny temperature must not overflow.
    with np.errstate(over="ignore"):
        return by_hand.entropy(by_hand.softmax((scores - scores.max()) / temperature))


def solve(rising: Callable[[float], float], target: float) -> float:
    """Find the temperature at which a rising function reaches a target, by bisection."""
    low, high = 1e-6, 1e6
    for _ in range(50):
        middle = np.sqrt(low * high)
        if rising(middle) < target:
            low = middle
        else:
            high = middle
    return middle


def temperature(scores, target_entropy):
    return solve(lambda temperature: entropy_at(scores, temperature), target_entropy)


def temperature_for_largest(scores, largest):
    """Find the temperature at which the largest weight is ``largest``."""
    return solve(lambda temperature: -by_hand.softmax(scores / temperature).max(), -largest)


MISTAKES = (
    misconception(
        "inverse-temperature",
        "This is 1/T: you multiply the scores by it. Here the scores are divided by T.",
        lambda scores, target_entropy: 1 / temperature(scores, target_entropy),
    ),
    misconception(
        "bits",
        "At your temperature the entropy is right in bits. The target is in nats: use the "
        "natural logarithm.",
        lambda scores, target_entropy: temperature(scores, target_entropy * np.log(2)),
    ),
    misconception(
        "negative",
        "Your temperature is negative. That turns the order of the scores round: the worst "
        "key would get the largest weight.",
        lambda scores, target_entropy: -temperature(scores, target_entropy),
    ),
    misconception(
        "scores-returned",
        "You return the scores divided by the temperature. The temperature itself is asked "
        "for: one number.",
        lambda scores, target_entropy: scores / temperature(scores, target_entropy),
        lambda scores, target_entropy: scores,
    ),
    misconception(
        "weights-returned",
        "You return the weights. The temperature that makes them is asked for: one number.",
        lambda scores, target_entropy: by_hand.softmax(
            scores / temperature(scores, target_entropy)
        ),
        lambda scores, target_entropy: by_hand.softmax(scores),
    ),
    misconception(
        "entropy-returned",
        "You return an entropy. The temperature that leads to it is asked for.",
        lambda scores, target_entropy: target_entropy,
        lambda scores, target_entropy: entropy_at(scores, 1.0),
    ),
    misconception(
        "largest-weight",
        "Your temperature gives the largest weight the value exp(-target). That is right "
        "where all weights are equal; in general the entropy depends on all of them.",
        lambda scores, target_entropy: temperature_for_largest(scores, np.exp(-target_entropy)),
    ),
    misconception(
        "target-as-largest-weight",
        "Your temperature makes the largest weight equal to the target. The target is the "
        "entropy of all the weights.",
        lambda scores, target_entropy: temperature_for_largest(scores, target_entropy),
    ),
    misconception(
        "temperature-one",
        "You return 1 whatever the target is. At temperature 1 the weights have the entropy "
        "that they happen to have.",
        lambda scores, target_entropy: 1.0,
    ),
    misconception(
        "squared",
        "You return the square of the temperature.",
        lambda scores, target_entropy: temperature(scores, target_entropy) ** 2,
    ),
    misconception(
        "logarithm-returned",
        "You return the logarithm of the temperature. Take its exponential.",
        lambda scores, target_entropy: np.log(temperature(scores, target_entropy)),
    ),
)
