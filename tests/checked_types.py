"""Check the signatures of the package while testing, at a fraction of jaxtyping's time.

jaxtyping's import hook (``--jaxtyping-packages`` in pyproject.toml) decorates every function of
the package. Its own decorator checks each argument twice, binds it to its name and notes the
sizes of axes, also where a signature has no array. What stands in for it here lets beartype
check arguments and result once, and notes axes where there are some.
"""

import dataclasses
import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import get_args

import jaxtyping
from beartype.roar import BeartypeCallHintViolation

by_jaxtyping = jaxtyping.jaxtyped
axes = by_jaxtyping("context")


def jaxtyped(thing: object = None, *, typechecker: Callable) -> object:
    """Stand in for ``jaxtyping.jaxtyped``: decorate a function, or a class that has data."""
    if thing is None:
        return partial(jaxtyped, typechecker=typechecker)
    if inspect.isclass(thing):
        if dataclasses.is_dataclass(thing) and "__init__" in vars(thing):
            thing.__init__ = checked(thing.__init__, typechecker)
        return thing
    if not inspect.isfunction(thing) or inspect.isgeneratorfunction(thing):
        return by_jaxtyping(thing, typechecker=typechecker)
    return checked(thing, typechecker)


def checked(function: Callable, typechecker: Callable) -> Callable:
    """Let a function's arguments and its result be checked at each call."""
    typed: Callable | None = None  # made at the first call: most functions are never called
    arrays = any(map(has_axes, function.__annotations__.values()))

    @wraps(function)
    def wrapped(*arguments: object, **named: object) -> object:
        __tracebackhide__ = True
        nonlocal typed
        if jaxtyping.config.jaxtyping_disable:
            return function(*arguments, **named)
        if typed is None:
            typed = typechecker(function)
        try:
            if not arrays:
                return typed(*arguments, **named)
            with axes:
                return typed(*arguments, **named)
        except BeartypeCallHintViolation as error:
            raise jaxtyping.TypeCheckError(str(error)) from error

    return wrapped


def has_axes(hint: object) -> bool:
    """Say whether a type names axes, or may do so: one that is written as a text."""
    if isinstance(hint, str):
        return True
    if isinstance(hint, list | tuple):
        return any(map(has_axes, hint))
    return isinstance(hint, type(jaxtyping.AbstractArray)) or any(map(has_axes, get_args(hint)))
