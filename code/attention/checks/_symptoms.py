"""Search wrong numbers for a property that tells at least where to look (used by checks)."""

import numpy as np

from attention.checks._comparison import close
from attention.checks._definition import Definition, Symptom
from attention.checks._response import WRONG_NUMBER, Inputs, Response, wrong_number

Array = np.ndarray
Parts = tuple[Array, ...]


def _is_not_finite(inputs: Inputs, expected: Parts, got: Parts) -> bool:
    return any(not np.isfinite(array).all() for array in got)


def _is_roughly_right(inputs: Inputs, expected: Parts, got: Parts) -> bool:
    return all(close(a, b, 0.02) for a, b in zip(got, expected, strict=True))


TOO_FEW_DIGITS = Symptom(
    "too-few-digits",
    "Right as far as it goes, but numbers of 16 bits (float16, bfloat16) keep only two or three "
    "digits, and here five are compared. Calculate in float32 or float64.",
    _is_roughly_right,
)
SYMPTOMS_OF_ANY = (
    Symptom(
        "not-finite",
        "Your answer holds NaN or infinity: somewhere a number grew too large, "
        "or zero was divided by zero.",
        _is_not_finite,
    ),
    Symptom(
        "approximate",
        "Close, but not the same number. Is something rounded, estimated from a sample or "
        "calculated with few digits, or a small constant added?",
        _is_roughly_right,
    ),
)


def find_symptom(
    exercise: Definition, responses: list[Response], wrong: list[int]
) -> tuple[str, str, int]:
    """Find a property that tells at least where to look."""
    wrong = [i for i in wrong if responses[i].usable]
    # Where lists of strings are asked for, that they differ in length is no fault apart.
    for i in () if exercise.text else wrong:
        misfit = _misfit(exercise, exercise.expected[i].parts, responses[i])
        if misfit:
            return *misfit, i
    symptoms = exercise.symptoms if exercise.text else (*exercise.symptoms, *SYMPTOMS_OF_ANY)
    if all(responses[i].narrow for i in wrong):
        symptoms = (TOO_FEW_DIGITS, *symptoms)
    for symptom in symptoms:
        shown = [
            symptom.shows(exercise.examples[i], exercise.expected[i].parts, responses[i].parts)
            for i in wrong
        ]
        telling = [i for i, shows in zip(wrong, shown, strict=True) if shows is not None]
        if telling and all(shows is None or shows for shows in shown):
            return symptom.slug, symptom.message, telling[0]
    what = "These are other strings" if exercise.text else "The shape is right, the numbers are not"
    return "differs", f"{what}. Work through the example below by hand.", wrong[0]


def _misfit(exercise: Definition, expected: Parts, response: Response) -> tuple[str, str] | None:
    """Compare the number of outputs and their shapes."""
    got = response.parts
    if response.things and got[0].shape != expected[0].shape:
        return WRONG_NUMBER, wrong_number(response.things, 1)
    if len(got) != len(expected):
        return (
            WRONG_NUMBER,
            f"Your function returns one thing. It should return {len(expected)}: "
            f"{' and '.join(exercise.outputs)}, in this order.",
        )
    for name, right, array in zip(exercise.outputs, expected, got, strict=True):
        if right.shape == array.shape:
            continue
        if array.ndim == 2 and close(array.T, right, exercise.tolerance):
            return (
                "transposed",
                f"The numbers in your {name} are right, but rows and columns are swapped.",
            )
        return (
            "wrong-shape",
            f"The shape of your {name} is {_shape(array)}. Expected here: {_shape(right)}.",
        )
    return None


def _shape(array: Array) -> str:
    return str(array.shape) if array.ndim else "that of a single number"
