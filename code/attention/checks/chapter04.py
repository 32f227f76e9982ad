"""The exercises of chapter 4, Why divide by √d_k.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked.
"""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

# ----------------------------------------------------------- score_variance

SCORE_VARIANCE = Exercise(
    name="score_variance",
    signature="f(d_k, sigma_q, sigma_k)",
    outputs=("variance",),
    reference=lambda d_k, sigma_q, sigma_k: d_k * sigma_q**2 * sigma_k**2,
    stages=(
        (
            example(d_k=1, sigma_q=1.0, sigma_k=1.0),
            example(d_k=4, sigma_q=1.0, sigma_k=1.0),
            example(d_k=4, sigma_q=2.0, sigma_k=3.0),
            example(d_k=64, sigma_q=0.7, sigma_k=1.3),
        ),
    ),
    misconceptions=(
        misconception(
            "sigmas-not-squared",
            "You multiply the standard deviations. Variances have a simple rule for products and "
            "sums of independent numbers, standard deviations have not: start from variances.",
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q * sigma_k,
        ),
        misconception(
            "one-sigma-squared",
            "Only one of the two standard deviations is squared.",
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q**2 * sigma_k,
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q * sigma_k**2,
        ),
        misconception(
            "standard-deviation",
            "This is the standard deviation of the dot product. Its variance is asked for.",
            lambda d_k, sigma_q, sigma_k: np.sqrt(d_k) * sigma_q * sigma_k,
        ),
        misconception(
            "one-component",
            "This is the variance of one product q_j k_j. A dot product adds up d_k of them.",
            lambda d_k, sigma_q, sigma_k: sigma_q**2 * sigma_k**2,
        ),
        misconception(
            "d_k-squared",
            "You have d_k squared. That would be the variance of one product times d_k; a sum "
            "of d_k independent products varies less, because they partly cancel.",
            lambda d_k, sigma_q, sigma_k: d_k**2 * sigma_q**2 * sigma_k**2,
        ),
        misconception(
            "root-of-d_k",
            "The variance of a sum of independent terms grows as fast as their number. The "
            "square root belongs to the standard deviation.",
            lambda d_k, sigma_q, sigma_k: np.sqrt(d_k) * sigma_q**2 * sigma_k**2,
        ),
        misconception(
            "variances-added",
            "You add the variances of query and key. That is right for a sum q_j + k_j; in a "
            "dot product they are multiplied with each other.",
            lambda d_k, sigma_q, sigma_k: d_k * (sigma_q**2 + sigma_k**2),
        ),
        misconception(
            "sigmas-ignored",
            "You return d_k whatever the standard deviations are. That holds when both are 1.",
            lambda d_k, sigma_q, sigma_k: d_k,
        ),
        misconception(
            "one-sigma-only",
            "Only one of the two standard deviations enters your result.",
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q**2,
            lambda d_k, sigma_q, sigma_k: d_k * sigma_k**2,
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q**4,
        ),
        misconception(
            "divided-by-d_k",
            "You divide by d_k, as for a mean. A dot product is a sum: with each component its "
            "variance grows.",
            lambda d_k, sigma_q, sigma_k: sigma_q**2 * sigma_k**2 / d_k,
        ),
        misconception(
            "sum-of-sigmas",
            "You add the standard deviations of query and key. The components are multiplied, "
            "and so are their variances.",
            lambda d_k, sigma_q, sigma_k: d_k * (sigma_q + sigma_k) ** 2,
            lambda d_k, sigma_q, sigma_k: sigma_q**2 + sigma_k**2,
        ),
        misconception(
            "one-component-too-few",
            "You count d_k - 1 components, as one does for the variance of a sample. This is no "
            "sample: all d_k products vary.",
            lambda d_k, sigma_q, sigma_k: (d_k - 1) * sigma_q**2 * sigma_k**2,
        ),
        misconception(
            "constant-factor",
            "Your result is the right one times a fixed number.",
            lambda d_k, sigma_q, sigma_k: 2 * d_k * sigma_q**2 * sigma_k**2,
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q**2 * sigma_k**2 / 2,
        ),
    ),
)


def score_variance(answer: object) -> Verdict:
    """Check the variance of a dot product of random vectors.

    ``answer(d_k, sigma_q, sigma_k)`` takes the number of components and the
    standard deviations of the components of query and key, all independent
    and with mean 0. It returns a number: the variance of ``query @ key``.
    """
    return SCORE_VARIANCE.check(answer)


# ------------------------------------------------------------------ entropy


def _entropy_with_epsilon(weights):
    return -(weights * np.log(weights + 1e-3)).sum(-1)


def _plain_entropy(weights):
    return -(weights * np.log(weights)).sum(-1)


EPSILON = (
    "Your result is slightly off: the small number that you add to avoid log(0) is large "
    "enough to see. Leave the zeros out of the sum instead."
)
NAN_AT_ZERO = (
    "A weight of 0 gives NaN: log(0) is minus infinity, and 0 times that is not a number. "
    "A key without weight adds nothing to the entropy: treat it separately."
)

ENTROPY = Exercise(
    name="entropy",
    signature="f(weights)",
    outputs=("entropy",),
    reference=by_hand.entropy,
    stages=(
        (
            example(weights=[0.5, 0.5]),
            example(weights=[0.5, 0.25, 0.25]),
            example(weights=[[0.5, 0.5], [0.9, 0.1]]),
            example(weights=[[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]),
            example(weights=[[[0.5, 0.5], [0.9, 0.1]], [[0.2, 0.8], [0.6, 0.4]]]),
        ),
        (example(weights=[1, 0]), example(weights=[[0, 1, 0], [0.5, 0.5, 0]])),
    ),
    misconceptions=(
        misconception(
            "bits",
            "Your entropy is in bits. Here it is asked for in nats: use the natural logarithm.",
            lambda weights: by_hand.entropy(weights) / np.log(2),
        ),
        misconception(
            "base-ten",
            "You used the logarithm to base 10. Nats need the natural logarithm.",
            lambda weights: by_hand.entropy(weights) / np.log(10),
        ),
        misconception(
            "wrong-sign",
            "Your entropy is negative. The logarithm of a weight below 1 is negative: a minus "
            "sign makes up for it.",
            lambda weights: -by_hand.entropy(weights),
        ),
        misconception(
            "everything-summed",
            "You return one number for all rows together. Each row of weights has its own "
            "entropy: sum over the keys, the last axis.",
            lambda weights: by_hand.entropy(weights).sum(),
        ),
        misconception(
            "rows-averaged",
            "You return the average over all rows. Each row of weights has its own entropy.",
            lambda weights: by_hand.entropy(weights).mean(),
        ),
        misconception(
            "first-axis",
            "You sum over the first axis. The keys are the last one.",
            lambda weights: by_hand.entropy(np.moveaxis(weights, 0, -1)),
        ),
        misconception(
            "not-summed",
            "You return what each key contributes. The entropy of a row is their sum.",
            lambda weights: -weights * np.log(np.where(weights > 0, weights, 1)),
        ),
        misconception(
            "mean-over-keys",
            "You take the mean over the keys. The weights sum to 1 already: the sum is the "
            "average of -log(weight).",
            lambda weights: by_hand.entropy(weights) / weights.shape[-1],
        ),
        misconception(
            "perplexity",
            "You return the exponential of the entropy: the perplexity, the effective number of "
            "keys. The entropy itself is asked for.",
            lambda weights: np.exp(by_hand.entropy(weights)),
        ),
        misconception(
            "divided-by-largest",
            "You divide by the largest entropy possible, so that even weights give 1. Here the "
            "entropy in nats is asked for.",
            lambda weights: by_hand.entropy(weights) / np.log(weights.shape[-1]),
        ),
        misconception(
            "logs-not-weighted",
            "You add up the logarithms. Each counts in proportion to its weight.",
            lambda weights: -np.log(np.where(weights > 0, weights, 1)).sum(-1),
            lambda weights: -np.log(weights).sum(-1),
            lambda weights: -np.log(weights).mean(-1),
        ),
        misconception(
            "gini",
            "You return 1 minus the sum of the squares. That too measures spread, but it is not "
            "the entropy.",
            lambda weights: 1 - (weights**2).sum(-1),
        ),
        misconception("epsilon", EPSILON, _entropy_with_epsilon),
        misconception("nan-at-zero", NAN_AT_ZERO, _plain_entropy),
        misconception(
            "one-added-in-the-logarithm",
            "You take the logarithm of 1 + weight. That avoids log(0), but it is another number: "
            "leave the zeros out instead.",
            lambda weights: -(weights * np.log1p(weights)).sum(-1),
            lambda weights: (weights * np.log1p(weights)).sum(-1),
        ),
        misconception(
            "sum-inside-the-logarithm",
            "You take the logarithm of a sum of squares. The entropy sums weight times logarithm, "
            "one key at a time.",
            lambda weights: -np.log((weights**2).sum(-1)),
        ),
        misconception(
            "largest-weight-only",
            "You take the logarithm of the largest weight alone. Every key counts, in proportion "
            "to its weight.",
            lambda weights: -np.log(weights.max(-1)),
        ),
        misconception(
            "difference-from-even-weights",
            "You return how far the entropy lies below that of even weights. The entropy itself "
            "is asked for.",
            lambda weights: np.log(weights.shape[-1]) - by_hand.entropy(weights),
        ),
        misconception(
            "softmax-first",
            "You take a softmax of the weights. They are weights already, and sum to 1.",
            lambda weights: by_hand.entropy(by_hand.softmax(weights)),
        ),
        misconception(
            "each-key-or-not",
            "You add the entropy of *this key or not* for all keys. The keys are alternatives: "
            "only weight times logarithm is summed.",
            lambda weights: by_hand.entropy(np.stack([weights, 1 - weights], -1)).sum(-1),
        ),
    ),
    symptoms=(
        Symptom(
            "nan-at-zero",
            NAN_AT_ZERO,
            lambda inputs, expected, got: (
                (inputs["weights"] == 0).any() and not np.isfinite(got[0]).all()
            ),
        ),
        Symptom(
            "epsilon",
            EPSILON,
            lambda inputs, expected, got: (np.abs(got[0] - expected[0]) < 0.05).all(),
        ),
    ),
)


def entropy(answer: object) -> Verdict:
    """Check the entropy of attention weights.

    ``answer(weights)`` takes ``weights`` (..., keys), each row summing to 1,
    and returns the entropy (...) of each row in nats, with 0 log 0 = 0.
    """
    return ENTROPY.check(answer)


# ----------------------------------------------------------------- jacobian


def _diagonal_and_off(diagonal: Callable, off: Callable) -> Callable:
    """Make a matrix from what stands on the diagonal and what stands off it."""

    def matrix(weights):
        row, column = weights[:, None], weights[None, :]
        return np.where(np.eye(len(weights), dtype=bool), diagonal(row), off(row, column))

    return matrix


def _zero(row, column):
    return np.zeros_like(row * column)


JACOBIAN = Exercise(
    name="jacobian",
    signature="f(weights)",
    outputs=("jacobian",),
    reference=by_hand.softmax_jacobian,
    stages=(
        (
            example(weights=[0.75, 0.25]),
            example(weights=[0.5, 0.3, 0.2]),
            example(weights=[0.1, 0.2, 0.3, 0.4]),
        ),
        (example(weights=[1]), example(weights=[1, 0])),
    ),
    misconceptions=(
        misconception(
            "diagonal-only",
            "Only the diagonal is there. Raising one score also takes weight away from the "
            "other keys: that is what the other entries say.",
            _diagonal_and_off(lambda p: p * (1 - p), _zero),
        ),
        misconception(
            "diagonal-as-vector",
            "You return one number for each key: the diagonal. Every score acts on every "
            "weight: the Jacobian is a matrix (keys, keys).",
            lambda weights: weights * (1 - weights),
        ),
        misconception(
            "weights-on-the-diagonal",
            "The second term is missing: the weights stand on a diagonal, and nothing is "
            "subtracted. Each row should sum to 0.",
            _diagonal_and_off(lambda p: p, _zero),
        ),
        misconception(
            "diagonal-term-missing",
            "The first term is missing: all your entries are negative. Raising a score raises "
            "its own weight.",
            _diagonal_and_off(lambda p: -p * p, lambda p, q: -p * q),
        ),
        misconception(
            "plus-for-minus",
            "The two terms are added where one should be subtracted from the other. Each row "
            "should sum to 0.",
            _diagonal_and_off(lambda p: p + p * p, lambda p, q: p * q),
        ),
        misconception(
            "off-diagonal-positive",
            "The entries off the diagonal have the wrong sign. Raising one score takes weight "
            "away from the other keys.",
            _diagonal_and_off(lambda p: p * (1 - p), lambda p, q: p * q),
        ),
        misconception(
            "diagonal-rule-everywhere",
            "You use p_i (1 - p_j) everywhere. That is right on the diagonal; off it, the score "
            "of one key acts on the weight of another, and there is no 1.",
            _diagonal_and_off(lambda p: p * (1 - p), lambda p, q: p * (1 - q)),
        ),
        misconception(
            "identity-for-weights",
            "On the diagonal you start from 1. It should start from the weight of that key.",
            _diagonal_and_off(lambda p: 1 - p * p, lambda p, q: -p * q),
        ),
        misconception(
            "wrong-sign",
            "All signs are turned round. Raising a score raises its own weight.",
            _diagonal_and_off(lambda p: -p * (1 - p), lambda p, q: p * q),
        ),
        misconception(
            "zero-on-the-diagonal",
            "The diagonal is zero. Raising a score raises its own weight.",
            _diagonal_and_off(np.zeros_like, lambda p, q: -p * q),
        ),
        misconception(
            "outer-product",
            "Only the product of the weights is there, with a plus sign. It is subtracted from a "
            "diagonal that holds the weights.",
            lambda weights: np.outer(weights, weights),
        ),
        misconception(
            "log-softmax",
            "This is the Jacobian of the logarithm of the weights: the weight of the row is "
            "missing as a factor.",
            lambda weights: np.eye(len(weights)) - weights[None, :],
            lambda weights: np.eye(len(weights)) - weights[:, None],
        ),
        misconception(
            "one-weight-squared",
            "Off the diagonal you use one weight twice. Each entry is a product of two weights: "
            "that of its row and that of its column.",
            lambda weights: np.diag(weights) - weights[None, :] ** 2,
            lambda weights: np.diag(weights) - weights[:, None] ** 2,
        ),
    ),
    symptoms=(
        Symptom(
            "rows-do-not-sum-to-0",
            "Each row of the Jacobian should sum to 0, and yours do not: the weights always sum "
            "to 1, so what one gains the others lose.",
            lambda inputs, expected, got: (np.abs(got[0].sum(-1)) > 1e-4).any(),
        ),
    ),
)


def jacobian(answer: object) -> Verdict:
    """Check the Jacobian of the softmax.

    ``answer(weights)`` takes ``weights`` (keys,), what a softmax returned, and
    returns a matrix (keys, keys): entry [i, j] is the derivative of weight i
    by score j.
    """
    return JACOBIAN.check(answer)


# ---------------------------------------------------------------- scale_for

SCALE_FOR = Exercise(
    name="scale_for",
    signature="f(d_k, sigma_q, sigma_k)",
    outputs=("scale",),
    reference=lambda d_k, sigma_q, sigma_k: 1 / (np.sqrt(d_k) * sigma_q * sigma_k),
    stages=(
        (
            example(d_k=1, sigma_q=1.0, sigma_k=1.0),
            example(d_k=4, sigma_q=1.0, sigma_k=1.0),
            example(d_k=16, sigma_q=2.0, sigma_k=0.25),
            example(d_k=64, sigma_q=0.7, sigma_k=1.3),
        ),
    ),
    misconceptions=(
        misconception(
            "one-over-d_k",
            "You divide by d_k. A factor on a number acts twice on its variance, so that is too "
            "strong.",
            lambda d_k, sigma_q, sigma_k: 1 / (d_k * sigma_q * sigma_k),
            lambda d_k, sigma_q, sigma_k: 1 / d_k,
        ),
        misconception(
            "multiplies",
            "You return the standard deviation of the scores. The factor is to undo it.",
            lambda d_k, sigma_q, sigma_k: np.sqrt(d_k) * sigma_q * sigma_k,
        ),
        misconception(
            "sigmas-ignored",
            "The standard deviations have no effect on your factor. What you have is right when "
            "both are 1.",
            lambda d_k, sigma_q, sigma_k: 1 / np.sqrt(d_k),
        ),
        misconception(
            "divides-by-the-variance",
            "You divide by the variance of the scores. A factor on a number acts twice on its "
            "variance: divide by the standard deviation.",
            lambda d_k, sigma_q, sigma_k: 1 / (d_k * sigma_q**2 * sigma_k**2),
        ),
        misconception(
            "sigmas-squared",
            "The square root is missing on the standard deviations: they enter your factor "
            "squared, d_k does not.",
            lambda d_k, sigma_q, sigma_k: 1 / (np.sqrt(d_k) * sigma_q**2 * sigma_k**2),
        ),
        misconception(
            "sigmas-multiplied",
            "You divide by the root of d_k but multiply by the standard deviations. Larger "
            "components make larger scores, so they too must be undone.",
            lambda d_k, sigma_q, sigma_k: sigma_q * sigma_k / np.sqrt(d_k),
        ),
        misconception(
            "d_k-ignored",
            "d_k has no effect on your factor. A longer sum varies more.",
            lambda d_k, sigma_q, sigma_k: 1 / (sigma_q * sigma_k),
        ),
        misconception(
            "one-sigma",
            "Only one of the two standard deviations enters your factor.",
            lambda d_k, sigma_q, sigma_k: 1 / (np.sqrt(d_k) * sigma_q),
            lambda d_k, sigma_q, sigma_k: 1 / (np.sqrt(d_k) * sigma_k),
        ),
        misconception(
            "root-of-d_k",
            "You return the square root of d_k. Divide by it, and by the standard deviations.",
            lambda d_k, sigma_q, sigma_k: np.sqrt(d_k),
        ),
        misconception(
            "variances-added",
            "You add the variances of query and key. In a dot product the components are "
            "multiplied, and so are their variances.",
            lambda d_k, sigma_q, sigma_k: 1 / np.sqrt(d_k * (sigma_q**2 + sigma_k**2)),
        ),
        misconception(
            "negative",
            "Your factor is negative: it would turn the order of the scores round.",
            lambda d_k, sigma_q, sigma_k: -1 / (np.sqrt(d_k) * sigma_q * sigma_k),
        ),
        misconception(
            "root-of-the-sigmas",
            "The standard deviations stand under the square root, where their squares belong.",
            lambda d_k, sigma_q, sigma_k: 1 / np.sqrt(d_k * sigma_q * sigma_k),
        ),
    ),
)


def scale_for(answer: object) -> Verdict:
    """Check the factor that gives the scores variance 1.

    ``answer(d_k, sigma_q, sigma_k)`` takes the number of components and the
    standard deviations of the components of query and key, all independent
    and with mean 0. It returns the positive number c for which ``c * query @
    key`` has variance 1.
    """
    return SCALE_FOR.check(answer)


# ---------------------------------------------------------- temperature_for

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


EXERCISES = (SCORE_VARIANCE, SCALE_FOR, ENTROPY, JACOBIAN, TEMPERATURE_FOR)
