"""What is printed: that an answer passed, or what is wrong with it (used by checks)."""

from dataclasses import dataclass

from attention.checks import _printing
from attention.checks._comparison import close
from attention.checks._definition import Definition
from attention.checks._response import Response
from attention.report import printable


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


def accept(exercise: Definition) -> Verdict:
    """Say that an answer is right."""
    return Verdict(
        passed=True,
        diagnosis="passed",
        message=f"✓ {exercise.name}: right on all {len(exercise.examples)} examples.",
    )


def reject(exercise: Definition, slug: str, message: str, example: str = "") -> Verdict:
    """Say what is wrong, and show an example if there is one."""
    text = _printing.paragraph(f"✗ {exercise.name}: {message}")
    if example:
        text += "\n\nThe smallest example that shows it:\n" + example
    return Verdict(passed=False, diagnosis=slug, message=text)


def show(exercise: Definition, position: int, response: Response) -> str:
    """Write an example's inputs, what was expected and what came."""
    inputs, expected = exercise.examples[position], exercise.expected[position].parts
    rows = list(inputs.items())
    comparable = len(expected) == len(response.parts)
    for part, (name, right) in enumerate(zip(exercise.outputs, expected, strict=True)):
        if not comparable:
            rows.append((f"expected {name}", right))
        elif exercise.indices and response.floats:  # a float is written with its point
            rows += [(f"expected {name}", right), (f"your {name}", response.parts[part].tolist())]
        elif exercise.accepts or not close(response.parts[part], right, exercise.tolerance):
            rows += [(f"expected {name}", right), (f"your {name}", response.parts[part])]
    if response.parts and not comparable:
        rows.append(("your answer", response.parts[0]))
    if comparable and exercise.remark is not None:
        rows.append(exercise.remark(inputs, response.parts))
    return _printing.table(rows)
