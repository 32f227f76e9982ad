"""How a wrong answer gets its diagnosis (used by checks).

An exercise has examples, in stages: the everyday ones first, the edge cases
last. An answer that fails is looked at in the first stage it fails in. There

1. its numbers are compared with those of *mistaken* functions, one for each
   common misconception: if they agree, that misconception is named;
2. if none agrees (two mistakes at once, say), the numbers are searched for a
   *symptom* that all wrong ones show: rows that do not sum to 1, a transposed
   shape, NaN;
3. if there is none, the verdict says that the numbers differ.

An answer that stops with an error may meet a *pitfall*: it stops in just those
examples that have something which it does not expect.

In each case the verdict shows the smallest example that fails.
"""

from attention.checks._comparison import says_anything
from attention.checks._definition import Definition
from attention.checks._response import Response
from attention.checks._symptoms import find_symptom

Finding = tuple[str, str, int]  # slug, message, and the position of the example to show


def diagnose(exercise: Definition, responses: list[Response]) -> Finding | None:
    """Name what is wrong in the first stage that an answer fails in.

    Examples go by their position, in ``examples``, ``expected`` and ``responses`` alike.
    """
    end = 0
    for stage in exercise.stages:
        end += len(stage)
        wrong = [i for i in range(end) if not exercise.is_right(i, responses[i])]
        if wrong:
            return (
                _misconception(exercise, responses, wrong, end)
                or _unusable(exercise, responses, wrong, end)
                or find_symptom(exercise, responses, wrong)
            )
    return None


def _misconception(
    exercise: Definition, responses: list[Response], wrong: list[int], end: int
) -> Finding | None:
    """Find the misconception whose numbers are the reader's numbers."""
    if not any(says_anything(part) for got in responses for part in got.parts):
        return None  # NaN and nothing else comes from more than one mistake
    best, most = None, 0
    for misconception, made in exercise.mistakes:
        if not _explains(exercise, made[:end], responses[:end]):
            continue
        # Two may explain this stage: take the one that explains more of the later ones.
        agreeing = sum(map(exercise.agree, made, responses))
        if agreeing > most:
            best, most = misconception, agreeing
    if best is None:
        return None
    return best.slug, best.message, next(i for i in wrong if responses[i].usable)


def _explains(exercise: Definition, made: list[Response], got: list[Response]) -> bool:
    """Tell whether a mistake gives the reader's numbers wherever both give any."""
    explains = False
    for i, (ours, theirs) in enumerate(zip(made, got, strict=True)):
        if not (ours.usable and theirs.usable):
            continue
        if not exercise.agree(ours, theirs):
            return False
        explains = explains or not exercise.is_right(i, ours)
    return explains


def _unusable(
    exercise: Definition, responses: list[Response], wrong: list[int], end: int
) -> Finding | None:
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
    stops = [response.slug == "raises" for response in responses[:end]]
    for pitfall in exercise.pitfalls:
        if stops == [bool(pitfall.has(inputs)) for inputs in exercise.examples[:end]]:
            return pitfall.slug, f"{pitfall.message} {first.message}", wrong[0]
    return first.slug, first.message, wrong[0]
