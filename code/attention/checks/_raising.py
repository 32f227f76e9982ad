"""Say which error a reader's function raised, and on which line (used by checks)."""

import linecache
import re
import traceback
from collections.abc import Collection

from attention.checks import _limit
from attention.checks._printing import on_one_line
from attention.checks._response import Response

LONGEST_SOURCE_LINE = 60

# What an error of NumPy, of Python or of this package says, and what that means.
HINTS = (
    (
        r"truth value of an array",
        "An array of several numbers is neither true nor false. To ask whether there is an array "
        "at all, write `is not None`. To choose entry by entry, use np.where, np.minimum or "
        "np.maximum: Python's own min and max compare whole arrays.",
    ),
    (
        r"matmul.*\(size (\d+) is different from (\d+)",
        r"In a product of matrices the left one needs as many columns as the right one has rows. "
        r"Here they have \2 and \1.",
    ),
    (
        r"expected finite numbers or -inf, got NaN",
        "0 times infinity is NaN, and so is infinity minus infinity. If you multiply a mask by "
        "infinity, choose between the score and minus infinity with np.where instead.",
    ),
    (
        r"can be converted to Python scalars",
        "The functions of `math` take one number. NumPy has the same for whole arrays: np.log, "
        "np.exp, np.sqrt.",
    ),
    (
        r"must have same number of dimensions",
        "Give the one with fewer axes the axis that it lacks, as in x[:, None], or make it in the "
        "right shape: np.full((rows, 1), number).",
    ),
    (
        r"'NoneType' object",
        "Something there is None. It may be an argument that was left out, such as a mask (ask "
        "whether it `is None` first), or the result of a function without return.",
    ),
)


def response_to(error: BaseException, ours: Collection[str]) -> Response:
    """Say in words which error the function raised, and on which of its lines.

    ``ours`` names the modules whose lines are not the reader's.
    """
    if isinstance(error, NotImplementedError):
        message = "Not started yet: your function says that it is not implemented."
        return Response(slug="not-started", message=message)
    if isinstance(error, KeyboardInterrupt):
        message = "You stopped your function. Does it have a loop that never ends?"
        return Response(slug="interrupted", message=message)
    place = _readers_line(error, ours)
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
        what = on_one_line(f"{type(error).__name__}: {_text_of(error)}").rstrip(".: ")
    message = f"Your function stops with {what}{place}.{_hint(what)}"
    return Response(slug="raises", message=message)


def _hint(what: str) -> str:
    """Say what an error means, if it is one that beginners meet."""
    for pattern, meaning in HINTS:
        found = re.search(pattern, what)
        if found:
            return " " + found.expand(meaning)
    return ""


def _readers_line(error: BaseException, ours: Collection[str]) -> str:
    """Give the line of the reader's code that was running, as `` (line 3: ...)``."""
    frames = list(traceback.walk_tb(error.__traceback__))
    if isinstance(error, _limit.OutOfTimeError):
        frames.pop()  # the one that raised it
    is_ours = [frame.f_globals.get("__name__") in ours for frame, _ in frames]
    frames = frames[len(is_ours) - is_ours[::-1].index(True) :]
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
