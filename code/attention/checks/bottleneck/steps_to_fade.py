"""Count the steps after which a gradient has faded (bottleneck: Exercises)."""

import math

from attention.checks._exercise import Exercise, Verdict, example, misconception


def _steps(factor: float, threshold: float) -> float:
    """Return how many steps it takes to be at the threshold, not rounded."""
    # Rounded far behind the comma, so that a power that is the threshold counts as that.
    return round(math.log(threshold) / math.log(factor), 9)


STEPS_TO_FADE = Exercise(
    name="steps_to_fade",
    signature="f(factor, threshold)",
    outputs=("steps",),
    reference=lambda factor, threshold: math.floor(_steps(factor, threshold)) + 1,
    stages=(
        (
            example(factor=0.5, threshold=0.3),
            example(factor=0.5, threshold=0.1),
            example(factor=0.9, threshold=0.01),
            example(factor=0.99, threshold=0.02),
        ),
        (example(factor=0.5, threshold=0.25), example(factor=0.25, threshold=0.0625)),
    ),
    misconceptions=(
        misconception(
            "not-below",
            "Right but for one case: when a power of the factor is the threshold itself, it is "
            "not below it yet.",
            lambda factor, threshold: math.ceil(_steps(factor, threshold)),
        ),
        misconception(
            "one-too-few",
            "One step too few: after so many steps the product is not yet below the threshold.",
            lambda factor, threshold: math.floor(_steps(factor, threshold)),
        ),
        misconception(
            "one-too-many",
            "One step too many: the product was below the threshold before.",
            lambda factor, threshold: math.floor(_steps(factor, threshold)) + 2,
        ),
        misconception(
            "not-rounded",
            "The logarithms are right. But a number of steps is whole: which whole number is the "
            "first that is enough?",
            _steps,
        ),
        misconception(
            "rounded",
            "You round to the nearest whole number. If that is down, the product is not below "
            "the threshold yet.",
            lambda factor, threshold: round(_steps(factor, threshold)),
        ),
        misconception(
            "fades-in-a-straight-line",
            "You subtract the same amount at each step. A factor is multiplied: each step takes "
            "its share of what is left.",
            lambda factor, threshold: math.ceil((1 - threshold) / (1 - factor)),
            lambda factor, threshold: math.floor((1 - threshold) / (1 - factor)),
            lambda factor, threshold: (1 - threshold) / (1 - factor),
        ),
        misconception(
            "logarithms-swapped",
            "The quotient of the logarithms is upside down. The smaller the threshold, the more "
            "steps it takes.",
            lambda factor, threshold: 1 / _steps(factor, threshold),
            lambda factor, threshold: math.ceil(1 / _steps(factor, threshold)),
        ),
        misconception(
            "divided",
            "You divide the threshold by the factor. It is the power of the factor that has to "
            "fall below the threshold.",
            lambda factor, threshold: threshold / factor,
            lambda factor, threshold: threshold // factor,
        ),
        misconception(
            "factor-ignored",
            "You count how often the gradient can be halved. The factor need not be a half: use"
            " the one that is handed over.",
            lambda factor, threshold: math.ceil(-math.log2(threshold)),
            lambda factor, threshold: math.floor(-math.log2(threshold)) + 1,
        ),
        misconception(
            "threshold-ignored",
            "The threshold has no effect on your result. The lower it is, the more steps it takes.",
            lambda factor, threshold: math.ceil(1 / (1 - factor)),
            lambda factor, threshold: 1 / (1 - factor),
        ),
        misconception(
            "gradient-returned",
            "You return what is left of the gradient. The number of steps is asked for.",
            lambda factor, threshold: factor ** (math.floor(_steps(factor, threshold)) + 1),
        ),
        misconception(
            "negative-steps",
            "Your number of steps is negative. Both logarithms are negative, so their quotient "
            "is not.",
            lambda factor, threshold: -_steps(factor, threshold),
            lambda factor, threshold: -math.floor(_steps(factor, threshold)) - 1,
            lambda factor, threshold: math.ceil(-_steps(factor, threshold)),
        ),
        misconception(
            "logarithms-subtracted",
            "You subtract the logarithms. A power is wanted, so divide that of the threshold by"
            " that of the factor.",
            lambda factor, threshold: math.ceil(math.log(threshold) - math.log(factor)),
            lambda factor, threshold: math.log(threshold) - math.log(factor),
        ),
    ),
)


def steps_to_fade(answer: object) -> Verdict:
    """Check after how many steps a gradient has faded.

    ``answer(factor, threshold)`` takes two numbers between 0 and 1. Each step back
    multiplies a gradient of 1 by ``factor``. It returns a whole number: after how many
    steps it is first below ``threshold``.
    """
    return STEPS_TO_FADE.check(answer)
