"""Search for the temperature that gives a wanted entropy (scaling: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

ENTROPY_TOLERANCE = 1e-3


def _entropy_at(scores, temperature):
    # Subtract the maximum before dividing: a tiny temperature must not overflow.
    with np.errstate(over="ignore"):
        return by_hand.entropy(by_hand.softmax((scores - scores.max()) / temperature))


def _solve(rising: Callable[[float], float], target: float) -> float:
    """Find the temperature at which a rising function reaches a target, by bisection."""
    low, high = 1e-6, 1e6
    for _ in range(50):
        middle = np.sqrt(low * high)
        if rising(middle) < target:
            low = middle
        else:
            high = middle
    return middle


def _temperature(scores, target_entropy):
    return _solve(lambda temperature: _entropy_at(scores, temperature), target_entropy)


def _temperature_for_largest(scores, largest):
    """Find the temperature at which the largest weight is ``largest``."""
    return _solve(lambda temperature: -by_hand.softmax(scores / temperature).max(), -largest)


def _has_the_entropy(inputs, parts):
    temperature = parts[0]
    if temperature.shape or not 0 < temperature < np.inf:
        return False
    reached = _entropy_at(inputs["scores"], temperature)
    return abs(reached - inputs["target_entropy"]) < ENTROPY_TOLERANCE


def _entropy_reached(inputs, parts):
    temperature = parts[0]
    usable = not temperature.shape and 0 < temperature < np.inf
    reached = _entropy_at(inputs["scores"], temperature) if usable else "not defined"
    return "entropy at yours", reached


TEMPERATURE_FOR = Exercise(
    name="temperature_for",
    signature="f(scores, target_entropy)",
    outputs=("temperature",),
    reference=_temperature,
    stages=(
        (
            example(scores=[1, 0], target_entropy=0.6),
            example(scores=[3, 1, 0], target_entropy=0.5),
            example(scores=[0.5, 0.2, 0.1], target_entropy=0.9),
            example(scores=[4, 2, 1, -1], target_entropy=0.8),
        ),
        (
            example(scores=[1000, 900, 0], target_entropy=0.5),
            example(scores=[0.1, 0.05, 0], target_entropy=0.02),
        ),
    ),
    misconceptions=(
        misconception(
            "inverse-temperature",
            "This is 1/T: you multiply the scores by it. Here the scores are divided by T.",
            lambda scores, target_entropy: 1 / _temperature(scores, target_entropy),
        ),
        misconception(
            "bits",
            "At your temperature the entropy is right in bits. The target is in nats: use the "
            "natural logarithm.",
            lambda scores, target_entropy: _temperature(scores, target_entropy * np.log(2)),
        ),
        misconception(
            "negative",
            "Your temperature is negative. That turns the order of the scores round: the worst "
            "key would get the largest weight.",
            lambda scores, target_entropy: -_temperature(scores, target_entropy),
        ),
        misconception(
            "scores-returned",
            "You return the scores divided by the temperature. The temperature itself is asked "
            "for: one number.",
            lambda scores, target_entropy: scores / _temperature(scores, target_entropy),
            lambda scores, target_entropy: scores,
        ),
        misconception(
            "weights-returned",
            "You return the weights. The temperature that makes them is asked for: one number.",
            lambda scores, target_entropy: by_hand.softmax(
                scores / _temperature(scores, target_entropy)
            ),
            lambda scores, target_entropy: by_hand.softmax(scores),
        ),
        misconception(
            "entropy-returned",
            "You return an entropy. The temperature that leads to it is asked for.",
            lambda scores, target_entropy: target_entropy,
            lambda scores, target_entropy: _entropy_at(scores, 1.0),
        ),
        misconception(
            "largest-weight",
            "Your temperature gives the largest weight the value exp(-target). That is right "
            "where all weights are equal; in general the entropy depends on all of them.",
            lambda scores, target_entropy: _temperature_for_largest(
                scores, np.exp(-target_entropy)
            ),
        ),
        misconception(
            "target-as-largest-weight",
            "Your temperature makes the largest weight equal to the target. The target is the "
            "entropy of all the weights.",
            lambda scores, target_entropy: _temperature_for_largest(scores, target_entropy),
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
            lambda scores, target_entropy: _temperature(scores, target_entropy) ** 2,
        ),
    ),
    symptoms=(
        Symptom(
            "negative",
            "Your temperature is negative. That turns the order of the scores round: the worst "
            "key would get the largest weight.",
            lambda inputs, expected, got: bool(got[0] < 0),
        ),
        Symptom(
            "zero",
            "Your temperature is 0. Dividing by it is not possible.",
            lambda inputs, expected, got: bool(got[0] == 0),
        ),
        Symptom(
            "not-finite",
            "Your temperature is NaN or infinite. Where does your search leave the range of "
            "sensible temperatures, or the exponential the range of floats?",
            lambda inputs, expected, got: not np.isfinite(got[0]),
        ),
        Symptom(
            "search-too-short",
            "Close: the entropy at your temperature misses the target by a little more than "
            f"{ENTROPY_TOLERANCE} nats. Let the search go on for longer.",
            lambda inputs, expected, got: (
                abs(_entropy_at(inputs["scores"], got[0]) - inputs["target_entropy"]) < 0.05
            ),
        ),
        Symptom(
            "too-warm",
            "The entropy at your temperature is above the target: the weights are too even. A "
            "lower temperature makes them sharper.",
            lambda inputs, expected, got: bool(got[0] > expected[0]),
        ),
        Symptom(
            "too-cold",
            "The entropy at your temperature is below the target: the weights are too sharp. A "
            "higher temperature makes them more even.",
            lambda inputs, expected, got: bool(got[0] < expected[0]),
        ),
    ),
    accepts=_has_the_entropy,
    tolerance=1e-2,
    remark=_entropy_reached,
)


def temperature_for(answer: object) -> Verdict:
    """Check a search for the temperature that gives a wanted entropy.

    ``answer(scores, target_entropy)`` takes ``scores`` (keys,), not all equal,
    and an entropy in nats between 0 and log(keys). It returns a number T > 0
    such that ``softmax(scores / T)`` has this entropy, to within 0.001 nats.
    """
    return TEMPERATURE_FOR.check(answer)
