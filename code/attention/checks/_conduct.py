"""What an answer must be and must not do, whatever its numbers are (used by checks)."""

from attention.checks import _printing
from attention.checks._calling import does_not_accept
from attention.checks._comparison import close
from attention.checks._definition import Definition
from attention.checks._reading import name_of_type
from attention.checks._response import Response


def before_calling(exercise: Definition, answer: object) -> tuple[str, str] | None:
    """Give a slug and a message for what is no function, or cannot be called as it should."""
    if answer is None or answer is Ellipsis:
        return "not-started", "Not started yet: there is no function here."
    if not callable(answer):
        return "not-callable", (
            f"This is not a function but something of type {name_of_type(answer)}. "
            "Hand over the function itself: its name, with no brackets after it."
        )
    if any(does_not_accept(answer, example) for example in exercise.examples):
        return "wrong-signature", (
            f"Your function cannot be called as {exercise.signature}. Look at its arguments: "
            "how many there are, in which order, and which have a default."
        )
    return None


def misconduct(
    exercise: Definition, responses: list[Response], again: list[Response]
) -> tuple[str, str, str] | None:
    """Give slug, message and example of an answer that changes its inputs, or varies."""
    return _changes_inputs(exercise, responses) or _varies(exercise, responses, again)


def _changes_inputs(exercise: Definition, responses: list[Response]) -> tuple[str, str, str] | None:
    for example, response in zip(exercise.examples, responses, strict=True):
        for name, after in (response.changed or {}).items():
            what = "the array" if name == "array" else f"the array {name}"
            message = (
                f"Your function changes {what} that it is given. Whoever calls it "
                "still needs that array. Work on a copy, or make a new array."
            )
            rows = [(f"{name} before", example[name]), (f"{name} after", after)]
            return "changes-its-inputs", message, _printing.table(rows)
    return None


def _varies(
    exercise: Definition, responses: list[Response], again: list[Response]
) -> tuple[str, str, str] | None:
    for example, first, second in zip(exercise.examples, responses, again, strict=True):
        if exercise.agree(first, second) or first.slug == second.slug != "":
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
                if not close(a, b, exercise.tolerance)
                for row in (("first answer", a), ("second answer", b))
            ]
        return "not-deterministic", message, _printing.table(rows)
    return None
