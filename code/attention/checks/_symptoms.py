"""Search wrong numbers for a property that tells at least where to look (used by checks)."""

import numpy as np

from attention.checks._comparison import close
from attention.checks._definition import Definition, Symptom
from attention.checks._rearranged import in_another_order, placed_elsewhere, shape
from attention.checks._response import WRONG_NUMBER, Inputs, Response, wrong_number

Array = np.ndarray
Parts = tuple[Array, ...]


def _is_not_finite(inputs: Inputs, expected: Parts, got: Parts) -> bool:
    return any(not np.isfinite(array).all() for array in got)


def _is_roughly_right(inputs: Inputs, expected: Parts, got: Parts) -> bool:
    return all(close(a, b, 0.02) for a, b in zip(got, expected, strict=True))


def _is_cut_to_whole_numbers(inputs: Inputs, expected: Parts, got: Parts) -> bool | None:
    whole = [np.trunc(array) for array in expected]
    if not all(map(np.array_equal, got, whole)) or all(map(np.array_equal, expected, whole)):
        return False
    return any(array.any() for array in got) or None  # zeros alone may be anything


TOO_FEW_DIGITS = Symptom(
    "too-few-digits",
    "Right as far as it goes, but numbers of 16 bits (float16, bfloat16) keep only two or three "
    "digits, and here five are compared. Calculate in float32 or float64.",
    _is_roughly_right,
)
FLOATS = (
    "The numbers are right, but they are floats. They are used to look up embeddings, and an "
    "index has to be an integer. np.zeros, np.ones and np.empty make floats unless you write "
    "dtype=int."
)
CUT_TO_WHOLE_NUMBERS = Symptom(
    "whole-numbers",
    "Right up to the decimal point: what stands after it is gone. Is something rounded down, or "
    "written into an array of integers? Make an array of floats.",
    _is_cut_to_whole_numbers,
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
    if not exercise.text:
        reordered = in_another_order(exercise, responses, wrong)
        if reordered:
            return *reordered, wrong[0]
        misfits = [(_misfit(exercise, i, responses[i]), i) for i in wrong]
        misfits = [(*misfit, i) for misfit, i in misfits if misfit]
        if misfits:
            slug, message, i = misfits[0]
            if any(other != slug for other, _, _ in misfits):
                slug, message = _misfit(exercise, i, responses[i], only_shapes=True)
            return slug, message, i
    if exercise.indices and all(exercise.agree(responses[i], exercise.expected[i]) for i in wrong):
        return "floats", FLOATS, wrong[0]
    symptoms = exercise.symptoms
    if not exercise.text:
        symptoms = (CUT_TO_WHOLE_NUMBERS, *symptoms, *SYMPTOMS_OF_ANY)
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


def _misfit(
    exercise: Definition, position: int, response: Response, only_shapes: bool = False
) -> tuple[str, str] | None:
    """Compare the number of outputs and their shapes; numbers tell more, unless not asked."""
    expected, got = exercise.expected[position].parts, response.parts
    if response.things and got[0].shape != expected[0].shape:
        return WRONG_NUMBER, wrong_number(response.things, 1)
    if len(got) != len(expected):
        *first, last = exercise.outputs
        return (
            WRONG_NUMBER,
            f"Your function returns one thing. It should return {len(expected)}: "
            f"{', '.join(first)} and {last}, in this order.",
        )
    for name, right, array in zip(exercise.outputs, expected, got, strict=True):
        if right.shape != array.shape:
            elsewhere = placed_elsewhere(name, right, array, exercise.tolerance)
            return (None if only_shapes else elsewhere) or (
                "wrong-shape",
                f"The shape of your {name} is {shape(array)}. Expected here: {shape(right)}.",
            )
    return None
