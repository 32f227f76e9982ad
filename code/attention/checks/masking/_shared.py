"""Symptoms and messages of all exercises that ask for a mask (masking: Exercises)."""

import numpy as np

from attention.checks._exercise import Symptom

Array = np.ndarray


def query_and_key(length: int) -> tuple[Array, Array]:
    """Give the positions of the queries, (length, 1), and of the keys, (length,)."""
    return np.arange(length)[:, None], np.arange(length)


def _is_additive(inputs, expected, got):
    if got[0].dtype == bool:
        return False
    if expected[0].all() and not got[0].any():  # nothing hidden, so nothing to add
        return None
    # NaN is what 0 times infinity leaves of such a mask.
    return not (got[0] >= 0).all()


NUMBERS_FOR_BOOLEANS = (
    Symptom(
        "additive-mask",
        "Your mask holds numbers to add to the scores, such as 0 and minus infinity. Here a mask "
        "says who may attend: True or False.",
        _is_additive,
    ),
    Symptom(
        "numbers-for-booleans",
        "Your mask holds numbers. As an index or under ~, 0 and 1 do something else than False "
        "and True, and added to scores they hide nothing: compare, so that it holds booleans.",
        lambda inputs, expected, got: got[0].dtype != bool,
    ),
)

SEES_THE_FUTURE = Symptom(
    "sees-the-future",
    "Some position may attend to a later one: above the diagonal there is a True.",
    lambda inputs, expected, got: np.triu(got[0], 1).any(),
)


def lets_in_too_much(inputs, expected, got):
    return (got[0] > expected[0]).any()


def hides_too_much(inputs, expected, got):
    return (got[0] < expected[0]).any()


INVERTED = (
    "Your mask is the exact opposite: True where attending is forbidden. Some libraries want it "
    "that way; in this book True means that the query may attend."
)
