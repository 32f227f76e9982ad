"""How an answer is judged, and how a wrong one gets its diagnosis.

An exercise has examples, in stages: the everyday ones first, the edge cases
last. An answer that fails is looked at in the first stage it fails in. There

1. its numbers are compared with those of *mistaken* functions, one for each
   common misconception: if they agree, that misconception is named;
2. if none agrees (two mistakes at once, say), the numbers are searched for a
   *symptom* that all wrong ones show: rows that do not sum to 1, a transposed
   shape, NaN;
3. if there is none, the verdict says that the numbers differ.

In each case the verdict shows the smallest example that fails.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from attention.checks import _printing
from attention.checks._calling import (
    WRONG_NUMBER,
    Inputs,
    Response,
    ask,
    does_not_accept,
    name_of_type,
    wrong_number,
)
from attention.report import printable

Array = np.ndarray
Parts = tuple[Array, ...]

# Errors are measured against the largest entry, so that float32 passes. The
# second number is absolute: it lets log(w + 1e-9) pass where the answer is 0.
RELATIVE, ABSOLUTE = 1e-5, 1e-6


@dataclass(frozen=True, repr=False)
class Verdict:
    """The result of a check. A notebook prints it as its message."""

    passed: bool
    diagnosis: str
    message: str

    def __repr__(self) -> str:
        return self.message

    def __str__(self) -> str:
        return printable(self.message)


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


@dataclass(frozen=True, eq=False, repr=False)
class Exercise:
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
    """

    name: str
    signature: str
    outputs: tuple[str, ...]
    reference: Callable
    stages: tuple[tuple[Inputs, ...], ...]
    misconceptions: tuple[Misconception, ...]
    symptoms: tuple[Symptom, ...] = ()
    shared: tuple[Misconception, ...] = ()
    accepts: Callable[[Inputs, Parts], bool] | None = None
    tolerance: float = RELATIVE
    remark: Callable[[Inputs, Parts], tuple[str, object]] | None = None
    boolean: bool = False

    def __repr__(self) -> str:
        return f"Exercise({self.name!r}, {self.signature!r})"

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

    def check(self, answer: object) -> Verdict:
        """Judge the reader's function; never raises."""
        finding = self._look_before_calling(answer)
        if finding:
            return self._rejected(*finding)
        # Everything twice: the same question must get the same answer.
        rounds = []
        for _ in range(2):
            rounds.append(self._ask_all(answer))
            last = rounds[-1][-1]
            if last.stops_the_check:
                return self._rejected(last.slug, last.message)
        responses, again = ([self._unpacked(i, r) for i, r in enumerate(all_)] for all_ in rounds)
        if responses[0].slug == "not-started":
            return self._rejected("not-started", responses[0].message)
        with np.errstate(all="ignore"):  # the answer may hold any number
            return self._judge(responses, again)

    def is_right(self, position: int, response: Response) -> bool:
        """Tell whether a response is a right answer to the example at a position."""
        if self.accepts is None:
            return self.agree(response, self.expected[position])
        return response.usable and bool(self.accepts(self.examples[position], response.parts))

    def agree(self, one: Response, other: Response) -> bool:
        """Tell whether two functions returned the same numbers."""
        return (
            one.usable
            and other.usable
            and len(one.parts) == len(other.parts)
            and all(
                close(a, b, self.tolerance) for a, b in zip(one.parts, other.parts, strict=True)
            )
        )

    # ------------------------------------------------------- calling answers

    def _ask_all(self, function: Callable) -> list[Response]:
        responses = []
        for example in self.examples:
            responses.append(ask(function, example, len(self.outputs), self.boolean))
            if responses[-1].stops_the_check:
                break
        return responses

    def _unpacked(self, position: int, response: Response) -> Response:
        """Read one array as several, if that is what was asked for, like ``a, b = array``."""
        shapes = [part.shape for part in self.expected[position].parts]
        if len(shapes) > 1 and len(response.parts) == 1:
            array = response.parts[0]
            if array.ndim and [row.shape for row in array] == shapes:
                return replace(response, parts=tuple(array))
        return response

    def _ask_ours(self, function: Callable) -> list[Response]:
        responses = self._ask_all(function)
        if responses[-1].stops_the_check:  # half a list must not be kept
            raise KeyboardInterrupt
        return responses

    def _look_before_calling(self, answer: object) -> tuple[str, str] | None:
        if answer is None or answer is Ellipsis:
            return "not-started", "Not started yet: there is no function here."
        if not callable(answer):
            return "not-callable", (
                f"This is not a function but something of type {name_of_type(answer)}. "
                "Hand over the function itself: its name, with no brackets after it."
            )
        if any(does_not_accept(answer, example) for example in self.examples):
            return "wrong-signature", (
                f"Your function cannot be called as {self.signature}. Look at its arguments: "
                "how many there are, in which order, and which have a default."
            )
        return None

    def _changes_inputs(self, responses: list[Response]) -> tuple[str, str, str] | None:
        for example, response in zip(self.examples, responses, strict=True):
            for name, after in (response.changed or {}).items():
                message = (
                    f"Your function changes the array {name} that it is given. Whoever calls it "
                    "still needs that array. Work on a copy, or make a new array."
                )
                rows = [(f"{name} before", example[name]), (f"{name} after", after)]
                return "changes-its-inputs", message, _printing.table(rows)
        return None

    def _varies(
        self, responses: list[Response], again: list[Response]
    ) -> tuple[str, str, str] | None:
        for example, first, second in zip(self.examples, responses, again, strict=True):
            if self.agree(first, second) or first.slug == second.slug != "":
                continue
            message = (
                "Your function gives two different answers to the same question. It draws "
                "random numbers, or keeps something from one call to the next."
            )
            rows = list(example.items())
            if len(first.parts) == len(second.parts):
                rows += [
                    row
                    for a, b in zip(first.parts, second.parts, strict=True)
                    if not close(a, b, self.tolerance)
                    for row in (("first answer", a), ("second answer", b))
                ]
            return "not-deterministic", message, _printing.table(rows)
        return None

    # ------------------------------------------------------------ diagnosing
    # Examples go by their position, in `examples`, `expected` and `responses` alike.

    def _judge(self, responses: list[Response], again: list[Response]) -> Verdict:
        misconduct = self._changes_inputs(responses) or self._varies(responses, again)
        if misconduct:
            return self._rejected(*misconduct)
        end = 0
        for stage in self.stages:
            end += len(stage)
            wrong = [i for i in range(end) if not self.is_right(i, responses[i])]
            if wrong:
                slug, message, position = (
                    self._misconception(responses, wrong, end)
                    or self._unusable(responses, wrong)
                    or self._symptom(responses, wrong)
                )
                return self._rejected(slug, message, self._shown(position, responses[position]))
        return Verdict(
            passed=True,
            diagnosis="passed",
            message=f"✓ {self.name}: right on all {len(self.examples)} examples.",
        )

    def _misconception(
        self, responses: list[Response], wrong: list[int], end: int
    ) -> tuple[str, str, int] | None:
        """Find the misconception whose numbers are the reader's numbers."""
        if not any(np.isfinite(part).any() for got in responses for part in got.parts):
            return None  # NaN and nothing else comes from more than one mistake
        best, most = None, 0
        for misconception, made in self.mistakes:
            if not self._explains(made[:end], responses[:end]):
                continue
            # Two may explain this stage: take the one that explains more of the later ones.
            agreeing = sum(map(self.agree, made, responses))
            if agreeing > most:
                best, most = misconception, agreeing
        if best is None:
            return None
        return best.slug, best.message, next(i for i in wrong if responses[i].usable)

    def _explains(self, made: list[Response], got: list[Response]) -> bool:
        """Tell whether a mistake gives the reader's numbers wherever both give any."""
        explains = False
        for i, (ours, theirs) in enumerate(zip(made, got, strict=True)):
            if not (ours.usable and theirs.usable):
                continue
            if not self.agree(ours, theirs):
                return False
            explains = explains or not self.is_right(i, ours)
        return explains

    def _unusable(self, responses: list[Response], wrong: list[int]) -> tuple[str, str, int] | None:
        """Report an exception, or an answer that is no array, if that is the first thing wrong."""
        first = responses[wrong[0]]
        if first.usable:
            return None
        if first.slug == "not-started":
            return (
                "returns-nothing",
                "Your function returns nothing for this example, though it does for others. "
                "Is a return missing in one of its branches?",
                wrong[0],
            )
        return first.slug, first.message, wrong[0]

    def _symptom(self, responses: list[Response], wrong: list[int]) -> tuple[str, str, int]:
        """Find a property that tells at least where to look."""
        wrong = [i for i in wrong if responses[i].usable]
        for i in wrong:
            misfit = self._misfit(self.expected[i].parts, responses[i])
            if misfit:
                return *misfit, i
        symptoms = (*self.symptoms, *SYMPTOMS_OF_ANY)
        if all(responses[i].narrow for i in wrong):
            symptoms = (TOO_FEW_DIGITS, *symptoms)
        for symptom in symptoms:
            shown = [
                symptom.shows(self.examples[i], self.expected[i].parts, responses[i].parts)
                for i in wrong
            ]
            telling = [i for i, shows in zip(wrong, shown, strict=True) if shows is not None]
            if telling and all(shows is None or shows for shows in shown):
                return symptom.slug, symptom.message, telling[0]
        return (
            "differs",
            "The shape is right, the numbers are not. Work through the example below by hand.",
            wrong[0],
        )

    def _misfit(self, expected: Parts, response: Response) -> tuple[str, str] | None:
        """Compare the number of outputs and their shapes."""
        got = response.parts
        if response.things and got[0].shape != expected[0].shape:
            return WRONG_NUMBER, wrong_number(response.things, 1)
        if len(got) != len(expected):
            return (
                WRONG_NUMBER,
                f"Your function returns one thing. It should return {len(expected)}: "
                f"{' and '.join(self.outputs)}, in this order.",
            )
        for name, right, array in zip(self.outputs, expected, got, strict=True):
            if right.shape == array.shape:
                continue
            if array.ndim == 2 and close(array.T, right, self.tolerance):
                return (
                    "transposed",
                    f"The numbers in your {name} are right, but rows and columns are swapped.",
                )
            return (
                "wrong-shape",
                f"The shape of your {name} is {_shape(array)}. Expected here: {_shape(right)}.",
            )
        return None

    # ------------------------------------------------------------- reporting

    def _rejected(self, slug: str, message: str, example: str = "") -> Verdict:
        text = _printing.paragraph(f"✗ {self.name}: {message}")
        if example:
            text += "\n\nThe smallest example that shows it:\n" + example
        return Verdict(passed=False, diagnosis=slug, message=text)

    def _shown(self, position: int, response: Response) -> str:
        """Write an example's inputs, what was expected and what came."""
        example, expected = self.examples[position], self.expected[position].parts
        rows = list(example.items())
        comparable = len(expected) == len(response.parts)
        for part, (name, right) in enumerate(zip(self.outputs, expected, strict=True)):
            if not comparable:
                rows.append((f"expected {name}", right))
            elif self.accepts or not close(response.parts[part], right, self.tolerance):
                rows += [(f"expected {name}", right), (f"your {name}", response.parts[part])]
        if response.parts and not comparable:
            rows.append(("your answer", response.parts[0]))
        if comparable and self.remark is not None:
            rows.append(self.remark(example, response.parts))
        return _printing.table(rows)


def _is_not_finite(inputs: Inputs, expected: Parts, got: Parts) -> bool:
    return any(not np.isfinite(array).all() for array in got)


def _is_roughly_right(inputs: Inputs, expected: Parts, got: Parts) -> bool:
    return all(close(a, b, 0.02) for a, b in zip(got, expected, strict=True))


TOO_FEW_DIGITS = Symptom(
    "too-few-digits",
    "Right as far as it goes, but numbers of 16 bits (float16, bfloat16) keep only two or three "
    "digits, and here five are compared. Calculate in float32 or float64.",
    _is_roughly_right,
)
SYMPTOMS_OF_ANY = (
    Symptom(
        "not-finite",
        "Your answer holds NaN or infinity: somewhere a number grew too large, "
        "or zero was divided by zero.",
        _is_not_finite,
    ),
    Symptom(
        "approximate",
        "Close, but not the same number. Is something rounded, estimated from a sample or "
        "calculated with few digits, or a small constant added?",
        _is_roughly_right,
    ),
)


def example(**inputs: object) -> Inputs:
    """Make an example from numbers, arrays and nested lists; its arrays cannot be changed.

    A list becomes an array of floats (or of booleans); an array keeps its dtype.
    """
    return {name: _read_only(thing) for name, thing in inputs.items()}


def misconception(slug: str, message: str, *mistaken: Callable) -> Misconception:
    """Describe a common mistake by one or more functions that make it."""
    return Misconception(slug, message, mistaken)


def close(array: Array, other: Array, tolerance: float = RELATIVE) -> bool:
    """Tell whether two arrays have one shape and the same numbers, NaN equal to NaN.

    Booleans are not close to numbers.
    """
    if array.shape != other.shape or (array.dtype == bool) != (other.dtype == bool):
        return False
    allowed = ABSOLUTE + tolerance * np.abs(other[np.isfinite(other)]).max(initial=0)
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        near = np.abs(np.subtract(array, other, dtype=float)) <= allowed
    return bool(np.all(near | (array == other) | (np.isnan(array) & np.isnan(other))))


def _read_only(thing: object) -> object:
    if not isinstance(thing, list | Array):
        return thing
    array = np.array(thing)
    if isinstance(thing, list) and array.dtype != bool:
        array = array.astype(float)
    array.flags.writeable = False
    return array


def _shape(array: Array) -> str:
    return str(array.shape) if array.ndim else "that of a single number"
