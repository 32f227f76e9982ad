"""Turn what a function returned into arrays, or say why not (used by checks)."""

import numpy as np

from attention.checks._printing import on_one_line
from attention.checks._response import (
    NOT_STARTED,
    WRONG_NUMBER,
    Response,
    UnusableError,
    wrong_number,
)

Array = np.ndarray

# No answer in the book is nearly as large; copying more could fill the memory.
LARGEST_ANSWER = 100_000

MASKED_ARRAY = (
    "Your function returns a masked array. Its masked entries are shown as --, but each still "
    "has a number beneath, and other code may calculate with it. Say which number you mean, for "
    "example with .filled(0)."
)


def read(returned: object, outputs: int, boolean: bool) -> Response:
    """Turn what a function returned into a response, or raise an `UnusableError`."""
    parts = _as_parts(returned, outputs)
    if not boolean:
        parts = tuple(part.astype(float) for part in parts)
    things = len(returned) if outputs == 1 and _is_several(returned, outputs) else 0
    return Response(
        parts, things=things, narrow=_is_narrow(returned), floats=_holds_floats(returned)
    )


def name_of_type(thing: object) -> str:
    """Name the type of ``thing``, with no address and no module."""
    return on_one_line(type(thing).__name__)


def _as_parts(returned: object, outputs: int) -> tuple[Array, ...]:
    """Turn what a function returned into one array, or into one for each output."""
    if is_blank(returned):
        raise UnusableError("not-started", NOT_STARTED)
    if _is_several(returned, outputs):
        if outputs == 1 and any(thing is None for thing in returned):
            raise UnusableError(WRONG_NUMBER, wrong_number(len(returned), 1))
        if outputs == 1:
            return (_stacked(returned),)
        if len(returned) != outputs:
            raise UnusableError(WRONG_NUMBER, wrong_number(len(returned), outputs))
        return tuple(_as_array(thing) for thing in returned)
    return (_as_array(returned),)


def _stacked(things: tuple) -> Array:
    """Make one array of several, such as the parts that ``torch.chunk`` cuts a tensor into.

    Whether that array is what was asked for, or the tuple a mistake, its shape tells.
    """
    arrays = [_as_array(thing) for thing in things]
    if len({array.shape for array in arrays}) != 1:
        raise UnusableError(WRONG_NUMBER, wrong_number(len(things), 1))
    return np.stack(arrays)


def is_blank(returned: object) -> bool:
    """Tell whether a function returned nothing, or a tuple of nothing else."""
    if isinstance(returned, tuple) and returned:
        return all(is_blank(thing) for thing in returned)
    return returned is None or returned is Ellipsis or returned is NotImplemented


def _is_several(returned: object, outputs: int) -> bool:
    """Tell a tuple of outputs from a list, or a tuple of numbers, that is one array."""
    if isinstance(returned, tuple):
        return not returned or not all(np.isscalar(thing) for thing in returned)
    if isinstance(returned, list) and outputs > 1:
        if len(returned) == outputs > 2:  # two lists may be two rows of a single output
            return True
        return bool(returned) and all(hasattr(type(thing), "__array__") for thing in returned)
    return False


def _as_array(thing: object) -> Array:
    kind = name_of_type(thing)
    try:
        plain = _opened(thing)
    except UnusableError:
        raise
    except Exception:
        if isinstance(thing, list | tuple):
            raise _not_numbers(kind) from None
        raise UnusableError(
            "wrong-type",
            f"Your function returns something of type {kind}. "
            "It should return numbers: a NumPy array, a list or a number.",
        ) from None
    try:
        array = np.asarray(plain)
    except ValueError:
        raise UnusableError(
            "ragged",
            "Your function returns a list that is not a table: its rows have different lengths.",
        ) from None
    if array.dtype.kind == "c":
        raise UnusableError(
            "complex-numbers",
            "Your function returns complex numbers. It should return real numbers.",
        )
    if array.dtype.kind not in "biuf":
        raise _not_numbers(kind)
    if array.size > LARGEST_ANSWER:
        raise UnusableError(
            "wrong-shape", f"Your function returns an array of shape {array.shape}: far too large."
        )
    # A copy: the function may keep the array and write into it at the next call.
    return np.array(array, dtype=bool if array.dtype == bool else float)


def _opened(thing: object) -> object:
    """Return the numbers, arrays and lists of them in ``thing``; fail at anything else.

    NumPy itself would go on and on through an object that only looks like a list.
    """
    if isinstance(thing, list | tuple):
        return [_opened(inner) for inner in thing]
    if np.ma.is_masked(thing):
        raise UnusableError("masked-array", MASKED_ARRAY)
    if isinstance(thing, int | float | complex | np.generic | Array):
        return thing
    if hasattr(type(thing), "detach"):
        return _opened_tensor(thing)
    if hasattr(type(thing), "__array__"):
        return np.asarray(thing)
    if hasattr(type(thing), "__float__"):  # a Fraction, a Decimal
        return float(thing)
    raise TypeError


def _opened_tensor(tensor: object) -> Array:
    """Read a tensor of torch, also one that needs a gradient, lies elsewhere or is bfloat16."""
    tensor = tensor.detach().cpu()
    try:
        return np.asarray(tensor)
    except TypeError:  # NumPy has no bfloat16
        return np.asarray(tensor.float())


def _is_narrow(thing: object) -> bool:
    """Tell whether there are numbers of 16 bits among what a function returned."""
    if isinstance(thing, list | tuple):
        return any(_is_narrow(inner) for inner in thing)
    return str(getattr(thing, "dtype", "")).endswith("float16")  # or bfloat16


def _holds_floats(thing: object) -> bool:
    """Tell whether there are floats among what a function returned, be they whole or not."""
    if isinstance(thing, list | tuple):
        return any(_holds_floats(inner) for inner in thing)
    return isinstance(thing, float) or "float" in str(getattr(thing, "dtype", ""))


def _not_numbers(kind: str) -> UnusableError:
    return UnusableError(
        "not-numbers",
        f"Your function returns something of type {kind} that holds more than numbers, "
        "such as text or None.",
    )
