"""Call the reader's function safely (used by checks).

Everything that touches an object made by the reader happens here, in `_reading`
and in `_raising`. Whatever the function does, ``ask`` returns a ``Response``: the
other modules see plain arrays of floats (or of booleans, where a mask is asked
for, or of strings, where text is), or a slug and a message that say why there are none.
"""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from attention.checks import _limit, _reading, _text
from attention.checks._raising import response_to
from attention.checks._reading import read
from attention.checks._response import Inputs, Response, UnusableError
from attention.checks._text import read_text

Array = np.ndarray

# What stands between a check and the lines of the reader, when an error is raised.
OURS = (__name__, _limit.__name__, _reading.__name__, _text.__name__)


def ask(
    function: Callable, inputs: Inputs, outputs: int, boolean: bool = False, text: bool = False
) -> Response:
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
    text : bool
        The one output is a list of strings.

    Returns
    -------
    response : Response
        Never an exception, whatever ``function`` does.
    """
    read_it = read_text if text else partial(read, outputs=outputs, boolean=boolean)
    given = {name: _copy(thing) for name, thing in inputs.items()}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            response = read_it(_limit.call(function, tuple(given.values())))
        except UnusableError as unusable:
            return Response(slug=unusable.slug, message=str(unusable))
        # Also SystemExit and KeyboardInterrupt: an answer never ends the notebook.
        except BaseException as error:
            return response_to(error, OURS)
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


def _copy(thing: object) -> object:
    return thing.copy() if isinstance(thing, Array) else thing


def _differ(before: object, after: object) -> bool:
    # Numbers, strings, tuples and None cannot be changed in place: arrays alone can.
    return isinstance(before, Array) and not np.array_equal(before, after)
