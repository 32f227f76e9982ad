"""What an exercise consists of: examples, right answer, mistakes (used by checks)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from attention.checks import _comparison
from attention.checks._calling import ask
from attention.checks._comparison import RELATIVE
from attention.checks._response import Inputs, Response

Array = np.ndarray
Parts = tuple[Array, ...]


@dataclass(frozen=True)
class Misconception:
    """A common mistake: its slug, what to tell the reader, and functions that make it.

    ``mistaken`` holds one function, or several that make the same mistake in
    slightly different ways.
    """

    slug: str
    message: str
    mistaken: tuple[Callable, ...]


@dataclass(frozen=True)
class Symptom:
    """A property of a wrong answer that hints at what is wrong.

    ``shows(inputs, expected, got)`` is called with arrays of equal shapes. It may
    return None where an example says nothing about the symptom. The symptom is
    reported if all wrong answers that say anything show it.
    """

    slug: str
    message: str
    shows: Callable[[Inputs, Parts, Parts], bool | None]


@dataclass(frozen=True)
class Pitfall:
    """What some examples have and an answer does not expect: it stops there, and nowhere else."""

    slug: str
    message: str
    has: Callable[[Inputs], bool]


@dataclass(frozen=True, eq=False, repr=False)
class Definition:
    """One exercise: what is asked, on which examples, and what commonly goes wrong.

    Parameters
    ----------
    name : str
        As in ``attention.checks.<name>``.
    signature : str
        How the answer is called, for the messages.
    outputs : tuple of str
        The names of what the answer returns.
    reference : callable
        The right answer.
    stages : tuple of tuples of examples
        Everyday examples first, edge cases last; in each the smallest first.
    misconceptions : tuple of Misconception
        Those of this exercise alone. They are looked at first.
    symptoms : tuple of Symptom
    shared : tuple of Misconception
        Those of an attention or a softmax inside the exercise, made by
        `_mistakes`. It does no harm if one changes nothing here, or the same
        as another.
    pitfalls : tuple of Pitfall
    accepts : callable, optional
        ``accepts(inputs, parts)`` decides whether an answer is right, where
        comparing with the reference would be too narrow.
    tolerance : float
        Largest error, relative to the largest entry.
    remark : callable, optional
        ``remark(inputs, parts)`` gives a label and a value to show below a
        failing example.
    boolean : bool
        The outputs are ``True`` and ``False``, and 1 and 0 will not do.
    text : bool
        The one output is a list of strings.
    indices : bool
        The outputs are integers that are used as indices, and floats will not do.
    """

    name: str
    signature: str
    outputs: tuple[str, ...]
    reference: Callable
    stages: tuple[tuple[Inputs, ...], ...]
    misconceptions: tuple[Misconception, ...]
    symptoms: tuple[Symptom, ...] = ()
    shared: tuple[Misconception, ...] = ()
    pitfalls: tuple[Pitfall, ...] = ()
    accepts: Callable[[Inputs, Parts], bool] | None = None
    tolerance: float = RELATIVE
    remark: Callable[[Inputs, Parts], tuple[str, object]] | None = None
    boolean: bool = False
    text: bool = False
    indices: bool = False

    @cached_property
    def examples(self) -> tuple[Inputs, ...]:
        """All examples, stage after stage."""
        return tuple(example for stage in self.stages for example in stage)

    @cached_property
    def expected(self) -> list[Response]:
        """The right answer to each example."""
        return self._ask_ours(self.reference)

    @cached_property
    def mistakes(self) -> list[tuple[Misconception, list[Response]]]:
        """What each mistaken function answers to the examples."""
        own = {misconception.slug: misconception for misconception in self.misconceptions}
        return [
            (own.get(misconception.slug, misconception), self._ask_ours(mistaken))
            for misconception in (*self.misconceptions, *self.shared)
            for mistaken in misconception.mistaken
        ]

    def is_right(self, position: int, response: Response) -> bool:
        """Tell whether a response is a right answer to the example at a position."""
        if self.indices and response.floats:
            return False
        if self.accepts is None:
            return self.agree(response, self.expected[position])
        return response.usable and bool(self.accepts(self.examples[position], response.parts))

    def agree(self, one: Response, other: Response) -> bool:
        """Tell whether two functions returned the same numbers."""
        return _comparison.agree(one, other, self.tolerance)

    def ask(self, function: Callable, inputs: Inputs) -> Response:
        """Call a function on one example."""
        return ask(function, inputs, len(self.outputs), self.boolean, self.text)

    def ask_all(self, function: Callable) -> list[Response]:
        """Call a function on all examples, unless it has to be broken off."""
        responses = []
        for example in self.examples:
            responses.append(self.ask(function, example))
            if responses[-1].stops_the_check:
                break
        return responses

    def unpacked(self, position: int, response: Response) -> Response:
        """Read one array as several, if that is what was asked for, like ``a, b = array``."""
        shapes = [part.shape for part in self.expected[position].parts]
        if len(shapes) > 1 and len(response.parts) == 1:
            array = response.parts[0]
            if array.ndim and [row.shape for row in array] == shapes:
                return replace(response, parts=tuple(array))
        return response

    def _ask_ours(self, function: Callable) -> list[Response]:
        responses = self.ask_all(function)
        if responses[-1].stops_the_check:  # half a list must not be kept
            raise KeyboardInterrupt
        return responses


def example(**inputs: object) -> Inputs:
    """Make an example from numbers, strings, tuples, arrays and nested lists.

    A list becomes an array of floats (or of booleans); an array keeps its dtype. Neither can
    be changed.
    """
    return {name: _read_only(thing) for name, thing in inputs.items()}


def misconception(slug: str, message: str, *mistaken: Callable) -> Misconception:
    """Describe a common mistake by one or more functions that make it."""
    return Misconception(slug, message, mistaken)


def _read_only(thing: object) -> object:
    if not isinstance(thing, list | Array):
        return thing
    array = np.array(thing)
    if isinstance(thing, list) and array.dtype != bool:
        array = array.astype(float)
    array.flags.writeable = False
    return array
