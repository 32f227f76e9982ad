"""What functions ask of their arguments: numbers, lists and models (the package's own).

A number may be Python's, NumPy's or torch's, alone or in an array without axes; a truth
value is no number. A model may be inside a wrapper. NumPy need not be there for it, nor
torch: the browser has no torch.

Signatures say ``int`` and ``float`` all the same: that is what most readers have.
"""

import sys
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from attention.report import require


def as_integer(
    name: str,
    number: object,
    expected: str = "an integer",
    fits: Callable[[int], bool] = lambda number: True,
) -> int:
    """Take an integer, whoever made it, as Python's own.

    Parameters
    ----------
    name : str
        What the error should call it.
    number : int
        Or NumPy's, or torch's, also in an array or tensor without axes.
    expected : str
        What the error should ask for.
    fits : callable
        Says whether the integer is in range.

    Raises
    ------
    ValueError
        If it is no integer, or out of range. ``True`` is no integer, and neither is 2.0.
    """
    plain = _without_array(number)
    whole = isinstance(plain, Integral) and not isinstance(plain, bool)
    require(whole and fits(int(plain)), name, expected, number)
    return int(plain)


def as_real(
    name: str,
    number: object,
    expected: str = "a finite number",
    fits: Callable[[float], bool] = lambda number: True,
) -> float:
    """Take a real number, whoever made it, as Python's own.

    Parameters are those of ``as_integer``; an integer will do.

    Raises
    ------
    ValueError
        If it is no finite number, or out of range. ``True`` is no number.
    """
    plain = _without_array(number)
    real = isinstance(plain, Real) and not isinstance(plain, bool)
    finite = real and abs(plain) <= sys.float_info.max  # and so no NaN
    require(finite and fits(float(plain)), name, expected, number)
    return float(plain)


def positive_integer(name: str, number: object, expected: str = "a positive integer") -> int:
    """Take an integer above 0: see ``as_integer``."""
    return as_integer(name, number, expected, lambda number: number > 0)


def nonnegative_integer(name: str, number: object, expected: str = "0 or more") -> int:
    """Take an integer, 0 or above: see ``as_integer``."""
    return as_integer(name, number, expected, lambda number: number >= 0)


def positive_number(name: str, number: object, expected: str = "a positive number") -> float:
    """Take a real number above 0: see ``as_real``."""
    return as_real(name, number, expected, lambda number: number > 0)


def nonnegative_number(name: str, number: object, expected: str = "a number, 0 or more") -> float:
    """Take a real number, 0 or above: see ``as_real``."""
    return as_real(name, number, expected, lambda number: number >= 0)


def share(name: str, number: object) -> float:
    """Take a share of a whole that leaves something over: see ``as_real``."""
    return as_real(name, number, "a number from 0 to below 1", lambda number: 0 <= number < 1)


def _without_array(number: Any) -> Any:
    """Take a number out of an array, a NumPy scalar or a tensor without axes."""
    alone = getattr(number, "ndim", None) == 0 and hasattr(number, "item")
    return number.item() if alone else number


def check_no_text(name: str, sequences: object, expected: str) -> None:
    """Refuse a single text where a list of texts or of sequences belongs.

    A string is a sequence of strings to Python, and so it would pass as a list of
    sentences with one character each.

    Raises
    ------
    ValueError
        If it is a string or bytes.
    """
    require(not isinstance(sequences, str | bytes), name, expected, sequences)


def unwrapped(model: Any) -> Any:
    """Take a model out of what ``torch.compile`` or a parallel wrapper put around it.

    A wrapper is a module with one child, called ``_orig_mod`` (``torch.compile``) or
    ``module`` (``DataParallel``, ``DistributedDataParallel``, ``AveragedModel``). It has
    the model's numbers under other names, and not always its methods. What is no wrapper
    is returned as it is.
    """
    while hasattr(model, "named_children"):
        children = dict(model.named_children())
        if children.keys() not in ({"_orig_mod"}, {"module"}):
            break
        (model,) = children.values()
    return model
