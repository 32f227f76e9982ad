"""Call the reader's function safely, and turn what it returns into arrays.

Everything that touches an object made by the reader happens in this module.
Whatever the function does, ``ask`` returns a ``Response``: the other modules
see plain arrays of floats (or of booleans, where a mask is asked for), or a slug
and a message that say why there are none.
"""

import inspect
import linecache
import re
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from attention.checks import _limit

Array = np.ndarray
Inputs = Mapping[str, object]

# No answer in the book is nearly as large; copying more could fill the memory.
LARGEST_ANSWER = 100_000
LONGEST_ERROR = 200
LONGEST_SOURCE_LINE = 60

WRONG_NUMBER = "wrong-number-of-outputs"
MASKED_ARRAY = (
    "Your function returns a masked array. Its masked entries are shown as --, but each still "
    "has a number beneath, and other code may calculate with it. Say which number you mean, for "
    "example with .filled(0)."
)


@dataclass(frozen=True)
class Response:
    """What a function did with one example: ``parts``, or ``slug`` and ``message``.

    ``things`` counts what a tuple held that was read as one array, such as the
    rows of a matrix; ``narrow`` says that the numbers have 16 bits only.
    """

    parts: tuple[Array, ...] = ()
    slug: str = ""
    message: str = ""
    changed: Mapping[str, Array] | None = None
    things: int = 0
    narrow: bool = False

    @property
    def usable(self) -> bool:
        """Tell whether there are arrays to compare."""
        return not self.slug

    @property
    def stops_the_check(self) -> bool:
        """Tell whether the function was broken off, so that no more calls should follow."""
        return self.slug in ("interrupted", "too-slow")


class UnusableError(Exception):
    """What the function returned cannot be compared with anything."""

    def __init__(self, slug: str, message: str) -> None:
        super().__init__(message)
        self.slug = slug


def ask(function: Callable, inputs: Inputs, outputs: int, boolean: bool = False) -> Response:
    """Call ``function`` on copies of ``inputs`` and collect what it returns.

    Parameters
    ----------
    function : callable
        The reader's function, or any other that answers the exercise.
    inputs : mapping
        Passed by position, in this order; the names are for the messages.
    outputs : int
        How many things the exercise asks for.
    boolean : bool
        Keep booleans apart from numbers. Otherwise ``True`` counts as 1.

    Returns
    -------
    response : Response
        Never an exception, whatever ``function`` does.
    """
    given = {name: _copy(thing) for name, thing in inputs.items()}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            response = _response(_limit.call(function, tuple(given.values())), outputs, boolean)
        except UnusableError as unusable:
            return Response(slug=unusable.slug, message=str(unusable))
        # Also SystemExit and KeyboardInterrupt: an answer never ends the notebook.
        except BaseException as error:
            return _response_to(error)
    changed = {name: given[name] for name in inputs if _differ(inputs[name], given[name])}
    return replace(response, changed=changed)


def does_not_accept(function: Callable, inputs: Inputs) -> bool:
    """Tell whether ``function`` cannot be called with these inputs, by its signature."""
    try:
        signature = inspect.signature(function)
    except Exception:  # many functions written in C do not tell theirs
        return False
    try:
        signature.bind(*inputs.values())
    except TypeError:
        return True
    return False


def name_of_type(thing: object) -> str:
    """Name the type of ``thing``, with no address and no module."""
    return _tidy(type(thing).__name__)


# ------------------------------------------------------------------- inputs


def _copy(thing: object) -> object:
    return thing.copy() if isinstance(thing, Array) else thing


def _differ(before: object, after: object) -> bool:
    # Numbers and None cannot be changed in place: arrays alone can.
    return isinstance(before, Array) and not np.array_equal(before, after)


# ------------------------------------------------------ from answer to array


def _response(returned: object, outputs: int, boolean: bool) -> Response:
    parts = _as_parts(returned, outputs)
    if not boolean:
        parts = tuple(part.astype(float) for part in parts)
    things = len(returned) if outputs == 1 and _is_several(returned, outputs) else 0
    return Response(parts, things=things, narrow=_is_narrow(returned))


def _as_parts(returned: object, outputs: int) -> tuple[Array, ...]:
    """Turn what a function returned into one array, or into one for each output."""
    if _is_blank(returned):
        raise UnusableError(
            "not-started",
            "Not started yet: your function returns nothing. "
            "If you have written it, look for a missing return.",
        )
    if _is_several(returned, outputs):
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


def _is_blank(returned: object) -> bool:
    if isinstance(returned, tuple) and returned:
        return all(_is_blank(thing) for thing in returned)
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


def wrong_number(count: int, outputs: int) -> str:
    """Say that a tuple holds more or fewer things than were asked for."""
    if count == 1:
        return "Your function returns a tuple with one thing in it. Is there a stray comma?"
    expected = "1 thing" if outputs == 1 else f"{outputs} things"
    return f"Your function returns {count} things. It should return {expected}."


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


def _not_numbers(kind: str) -> UnusableError:
    return UnusableError(
        "not-numbers",
        f"Your function returns something of type {kind} that holds more than numbers, "
        "such as text or None.",
    )


# ------------------------------------------------------------------- errors


def _response_to(error: BaseException) -> Response:
    """Say in words which error the function raised, and on which of its lines."""
    if isinstance(error, NotImplementedError):
        message = "Not started yet: your function says that it is not implemented."
        return Response(slug="not-started", message=message)
    if isinstance(error, KeyboardInterrupt):
        message = "You stopped your function. Does it have a loop that never ends?"
        return Response(slug="interrupted", message=message)
    place = _readers_line(error)
    if isinstance(error, _limit.OutOfTimeError):
        seconds = f"{_limit.SECONDS:g} second" + "s" * (_limit.SECONDS != 1)
        message = (
            f"Your function had not finished after {seconds}{place}. Does a loop in it never end?"
        )
        return Response(slug="too-slow", message=message)
    if isinstance(error, RecursionError):
        # Python's own words depend on where exactly the limit was met.
        what = "RecursionError: it calls itself without end"
    elif isinstance(error, SystemExit):
        what = "SystemExit: exit() would end the whole program"
    else:
        what = _tidy(f"{type(error).__name__}: {_text_of(error)}").rstrip(".: ")
    return Response(slug="raises", message=f"Your function stops with {what}{place}.")


def _readers_line(error: BaseException) -> str:
    """Give the line of the reader's code that was running, as `` (line 3: ...)``."""
    frames = list(traceback.walk_tb(error.__traceback__))
    if isinstance(error, _limit.OutOfTimeError):
        frames.pop()  # the one that raised it
    ours = [frame.f_globals.get("__name__") in (__name__, _limit.__name__) for frame, _ in frames]
    frames = frames[len(ours) - ours[::-1].index(True) :]
    if not frames:
        return ""
    module = frames[0][0].f_globals.get("__name__")
    own = [(frame, line) for frame, line in frames if frame.f_globals.get("__name__") == module]
    # An endless recursion is cut off at any of its lines: name the first one.
    frame, line = own[0] if isinstance(error, RecursionError) else own[-1]
    source = linecache.getline(frame.f_code.co_filename, line, frame.f_globals).strip()
    if len(source) > LONGEST_SOURCE_LINE:
        source = source[: LONGEST_SOURCE_LINE - 3] + "..."
    return f" (line {line}: {source})" if source else f" (line {line})"


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an exception class of the reader's own may fail even here
        return ""


def _tidy(text: str) -> str:
    """Put a text on one line, short, with no memory address and no folder."""
    text = re.sub(r" at 0x[0-9A-Fa-f]+", "", " ".join(text.split()))
    text = re.sub(r"""(?<![^\s'"(<])(?:[A-Za-z]:)?[/\\](?:[^\s/\\'"]+[/\\])+""", "", text)
    text = "".join(letter for letter in text if letter.isprintable())
    return text if len(text) <= LONGEST_ERROR else text[: LONGEST_ERROR - 3] + "..."
