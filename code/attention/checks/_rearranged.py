"""Right numbers in the wrong place: another order, shape or axis (used by checks)."""

from itertools import permutations

import numpy as np

from attention.checks._comparison import close
from attention.checks._definition import Definition
from attention.checks._response import Response

Array = np.ndarray


def in_another_order(
    exercise: Definition, responses: list[Response], wrong: list[int]
) -> tuple[str, str] | None:
    """Say so if each wrong answer holds what was asked for in one and the same other order."""
    places = range(len(exercise.outputs))
    for order in permutations(places):
        if order != tuple(places) and all(_agrees(exercise, i, responses[i], order) for i in wrong):
            *first, last = exercise.outputs
            asked = f"{', '.join(first)} and {last}"
            return "outputs-in-another-order", (
                f"The results are right, but in another order. Return {asked}, in this order."
            )
    return None


def placed_elsewhere(
    name: str, right: Array, array: Array, tolerance: float
) -> tuple[str, str] | None:
    """Say in what an array of another shape still holds the right numbers, if it does."""
    if array.ndim == 2 and close(array.T, right, tolerance):
        return (
            "transposed",
            f"The numbers in your {name} are right, but rows and columns are swapped.",
        )
    shapes = f"The shape of your {name} is {shape(array)}. Expected here: {shape(right)}."
    if array.size == right.size and close(array.ravel(), right.ravel(), tolerance):
        return "another-shape", f"The numbers are right, but they stand in another shape. {shapes}"
    if array.ndim == right.ndim == 3 and any(
        close(array.transpose(order), right, tolerance) for order in permutations(range(3))
    ):
        return "axes-in-another-order", (
            f"The numbers are right, but the axes stand in another order. {shapes}"
        )
    return _cut_off(name, right, array, tolerance)


def shape(array: Array) -> str:
    """Write the shape of an array, or that of a number, in words."""
    return str(array.shape) if array.ndim else "that of a single number"


def _agrees(exercise: Definition, i: int, response: Response, order: tuple[int, ...]) -> bool:
    expected = exercise.expected[i].parts
    return len(response.parts) == len(order) and all(
        close(response.parts[place], right, exercise.tolerance)
        for place, right in zip(order, expected, strict=True)
    )


def _cut_off(name: str, right: Array, array: Array, tolerance: float) -> tuple[str, str] | None:
    """Find out whether one of two arrays is the beginning, or the end, of the other."""
    if array.ndim != right.ndim or not array.size:
        return None
    shapes = f"Its shape is {shape(array)}. Expected here: {shape(right)}."
    beginning = tuple(slice(0, min(sizes)) for sizes in zip(array.shape, right.shape, strict=True))
    end = tuple(slice(-part.stop, None) for part in beginning)
    for slug, message, ours, theirs in (
        ("goes-on", "begins as it should, and goes on for too long", right, array[beginning]),
        ("begins-early", "ends as it should, and has too much in front", right, array[end]),
        ("ends-early", "begins as it should, and its end is missing", right[beginning], array),
        ("begins-late", "ends as it should, and its beginning is missing", right[end], array),
    ):
        if close(theirs, ours, tolerance):
            return slug, f"What you return as {name} {message}. {shapes}"
    return None
