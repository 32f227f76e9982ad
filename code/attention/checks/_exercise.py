"""An exercise that can check an answer, and what its file needs (used by checks)."""

from dataclasses import dataclass

import numpy as np

from attention.checks._comparison import close
from attention.checks._conduct import before_calling, misconduct
from attention.checks._definition import (
    Definition,
    Misconception,
    Pitfall,
    Symptom,
    example,
    misconception,
)
from attention.checks._diagnosis import diagnose
from attention.checks._response import Response
from attention.checks._verdict import Verdict, accept, reject, show

__all__ = [
    "Exercise",
    "Misconception",
    "Pitfall",
    "Symptom",
    "Verdict",
    "close",
    "example",
    "misconception",
]


@dataclass(frozen=True, eq=False, repr=False)
class Exercise(Definition):
    """One exercise that can check an answer; its parts are those of `Definition`."""

    def __repr__(self) -> str:
        return f"Exercise({self.name!r}, {self.signature!r})"

    def check(self, answer: object) -> Verdict:
        """Judge the reader's function; never raises."""
        finding = before_calling(self, answer)
        if finding:
            return reject(self, *finding)
        # Everything twice: the same question must get the same answer.
        rounds = []
        for _ in range(2):
            rounds.append(self.ask_all(answer))
            last = rounds[-1][-1]
            if last.stops_the_check:
                return reject(self, last.slug, last.message)
        responses, again = ([self.unpacked(i, r) for i, r in enumerate(all_)] for all_ in rounds)
        if responses[0].slug == "not-started":
            return reject(self, "not-started", responses[0].message)
        with np.errstate(all="ignore"):  # the answer may hold any number
            return self._judge(responses, again)

    def _judge(self, responses: list[Response], again: list[Response]) -> Verdict:
        finding = misconduct(self, responses, again)
        if finding:
            return reject(self, *finding)
        finding = diagnose(self, responses)
        if finding:
            slug, message, position = finding
            return reject(self, slug, message, show(self, position, responses[position]))
        return accept(self)
