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
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
Inputs = Mapping[str, object]

# No answer in the book is nearly as large; copying more could fill the memory.
LARGEST_ANSWER = 100_000
LONGEST_ERROR = 200
LONGEST_SOURCE_LINE = 60


@dataclass(frozen=True)
class Response:
    """What a function did with one example: ``parts``, or ``slug`` and ``message``."""

    parts: tuple[Array, ...] = ()
    slug: str = ""
    message: str = ""
    changed: Mapping[str, Array] | None = None

    @property
    def usable(self) -> bool:
        """Tell whether there are arrays to compare."""
        return not self.slug


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
            parts = _as_parts(function(*given.values()), outputs)
            if not boolean:
                parts = tuple(part.astype(float) for part in parts)
        except UnusableError as unusable:
            return Response(slug=unusable.slug, message=str(unusable))
        # Also SystemExit and KeyboardInterrupt: an answer never ends the notebook.
        except BaseException as error:
            return _response_to(error)
    changed = {name: given[name] for name in inputs if _differ(inputs[name], given[name])}
    return Response(parts, changed=changed)


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


def _as_parts(returned: object, outputs: int) -> tuple[Array, ...]:
    """Turn what a function returned into one array, or into one for each output."""
    if _is_blank(returned):
        raise UnusableError(
            "not-started",
            "Not started yet: your function returns nothing. "
            "If you have written it, look for a missing return.",
        )
    if _is_several(returned, outputs):
        if len(returned) != outputs or outputs == 1:
            raise _wrong_number(len(returned), outputs)
        return tuple(_as_array(thing) for thing in returned)
    return (_as_array(returned),)


def _is_blank(returned: object) -> bool:
    if isinstance(returned, tuple) and returned:
        return all(_is_blank(thing) for thing in returned)
    return returned is None or returned is Ellipsis or returned is NotImplemented


def _is_several(returned: object, outputs: int) -> bool:
    """Tell a tuple of outputs from a list, or a tuple of numbers, that is one array."""
    if isinstance(returned, tuple):
        return not returned or not all(np.isscalar(thing) for thing in returned)
    if isinstance(returned, list) and outputs > 1:
        return bool(returned) and all(isinstance(thing, Array) for thing in returned)
    return False


def _wrong_number(count: int, outputs: int) -> UnusableError:
    if count == 1:
        message = "Your function returns a tuple with one thing in it. Is there a stray comma?"
    else:
        expected = "1 thing" if outputs == 1 else f"{outputs} things"
        message = f"Your function returns {count} things. It should return {expected}."
    return UnusableError("wrong-number-of-outputs", message)


def _as_array(thing: object) -> Array:
    kind = name_of_type(thing)
    try:
        plain = _opened(thing)
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
    if isinstance(thing, int | float | complex | np.generic | Array):
        return thing
    if hasattr(type(thing), "__array__"):
        return np.asarray(thing)
    raise TypeError


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
    frames = list(traceback.walk_tb(error.__traceback__))[1:]  # the first one is `ask`
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
