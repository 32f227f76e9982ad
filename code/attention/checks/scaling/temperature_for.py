"""Search for the temperature that gives a wanted entropy (scaling: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.scaling._temperature_for_mistakes import (
    ENTROPY_TOLERANCE,
    MISTAKES,
    entropy_at,
    temperature,
)


def _has_the_entropy(inputs, parts):
    found = parts[0]
    if found.shape or not 0 < found < np.inf:
        return False
    reached = entropy_at(inputs["scores"], found)
    return abs(reached - inputs["target_entropy"]) < ENTROPY_TOLERANCE


def _entropy_reached(inputs, parts):
    found = parts[0]
    usable = not found.shape and 0 < found < np.inf
    reached = entropy_at(inputs["scores"], found) if usable else "not defined"
    return "entropy at yours", reached


def _is_an_end(found):
    """Tell whether a temperature is a round number, such as one begins a search with."""
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = found / 10 ** np.floor(np.log10(found))
        return bool(min(abs(digits - np.round(digits)), abs(np.log(found) % 1)) < 1e-3)


def _is_the_near_end(inputs, expected, got):
    """Tell whether the search has gone towards the answer, but not far enough."""
    found, wanted = np.log(got[0]), np.log(expected[0])
    return _is_an_end(got[0]) and found * wanted > 0 and abs(found) < abs(wanted)


def _is_the_far_end(inputs, expected, got):
    """Tell whether the search has gone away from the answer, or far beyond it."""
    return (
        _is_an_end(got[0])
        and not _is_the_near_end(inputs, expected, got)
        and abs(np.log(got[0] / expected[0])) > np.log(30)
    )


def _right_to_base_ten(inputs, expected, got):
    wanted = inputs["target_entropy"] * np.log(10)
    if wanted > np.log(len(inputs["scores"])):  # so much there is not: the search runs away
        return None if got[0] > 100 * expected[0] else False
    return abs(entropy_at(inputs["scores"], got[0]) - wanted) < 10 * ENTROPY_TOLERANCE


TEMPERATURE_FOR = Exercise(
    name="temperature_for",
    signature="f(scores, target_entropy)",
    outputs=("temperature",),
    reference=temperature,
    stages=(
        (
            example(scores=[1, 0], target_entropy=0.6),
            example(scores=[3, 1, 0], target_entropy=0.5),
            example(scores=[0.5, 0.2, 0.1], target_entropy=0.9),
            example(scores=[4, 2, 1, -1], target_entropy=0.5),
        ),
        (
            example(scores=[10000, 9000, 0], target_entropy=0.5),
            example(scores=[0.1, 0.05, 0], target_entropy=0.02),
        ),
    ),
    misconceptions=MISTAKES,
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
            "wrong-half-kept",
            "Your temperature is a round number far from the answer. A search that keeps the half "
            "in which the answer is not ends there, at one end of its interval. The entropy grows "
            "with the temperature.",
            _is_the_far_end,
        ),
        Symptom(
            "interval-too-small",
            "Your search stops at the end of its interval. The answer lies outside: begin with a "
            "larger one. Temperatures span many sizes.",
            _is_the_near_end,
        ),
        Symptom(
            "search-too-short",
            "Close: the entropy at your temperature misses the target by more than "
            f"{ENTROPY_TOLERANCE} nats. Let the search go on for longer, in smaller steps.",
            lambda inputs, expected, got: (
                abs(entropy_at(inputs["scores"], got[0]) - inputs["target_entropy"]) < 0.1
            ),
        ),
        Symptom(
            "base-ten",
            "At your temperature the entropy is right to base 10. The target is in nats: use the "
            "natural logarithm.",
            _right_to_base_ten,
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
