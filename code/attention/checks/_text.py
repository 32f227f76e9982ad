"""Turn a list of strings into an array, or say why not (used by checks)."""

import numpy as np

from attention.checks._reading import LARGEST_ANSWER, is_blank, name_of_type
from attention.checks._response import NOT_STARTED, Response, UnusableError

Array = np.ndarray


def read_text(returned: object) -> Response:
    """Turn the strings that a function returned into a response, or raise an `UnusableError`."""
    if is_blank(returned):
        raise UnusableError("not-started", NOT_STARTED)
    if isinstance(returned, Array):
        returned = returned.tolist()
    if isinstance(returned, str):
        raise UnusableError(
            "one-string",
            "Your function returns one string. It should return a list of strings, "
            "also if there is only one in it.",
        )
    if not isinstance(returned, list | tuple):
        raise UnusableError(
            "wrong-type",
            f"Your function returns something of type {name_of_type(returned)}. "
            "It should return a list of strings.",
        )
    return Response((_as_array(list(returned)),))


def _as_array(strings: list) -> Array:
    others = [thing for thing in strings if not isinstance(thing, str)]
    if others and all(isinstance(thing, int | float | np.number) for thing in others):
        raise UnusableError(
            "numbers-for-text",
            "Your function returns a list with numbers in it. The strings themselves are asked "
            "for, not their places or lengths.",
        )
    if others:
        raise UnusableError(
            "not-text",
            "Your function returns a list that holds more than strings: there is something of "
            f"type {name_of_type(others[0])} in it.",
        )
    if len(strings) + sum(map(len, strings)) > LARGEST_ANSWER:
        raise UnusableError(
            "too-long", f"Your function returns {len(strings)} strings: far too much text."
        )
    # Objects, so that one long string does not make room for as many letters in all.
    return np.array([str.__str__(string) for string in strings], dtype=object)
