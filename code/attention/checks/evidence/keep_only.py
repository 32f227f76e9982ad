"""Say which edges to cut so that a word sees only some (evidence: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.evidence._keep_only_mistakes import MISTAKES, right_keep_only


def _cuts_elsewhere(inputs, expected, got):
    rest = np.delete(got[0], inputs["query"], axis=0)
    return rest.any()


KEEP_ONLY = Exercise(
    name="keep_only",
    signature="f(length, query, kept)",
    outputs=("edges",),
    reference=right_keep_only,
    stages=(
        (
            example(length=2, query=0, kept=np.array([0])),
            example(length=2, query=1, kept=np.array([0])),
            example(length=3, query=1, kept=np.array([0, 1])),
            example(length=3, query=2, kept=np.array([0, 1])),
            example(length=4, query=1, kept=np.array([3, 0])),
            example(length=5, query=3, kept=np.array([1, 3, 4])),
            example(length=6, query=0, kept=np.array([5, 2, 0])),
        ),
        (
            example(length=3, query=2, kept=np.array([], dtype=int)),
            example(length=3, query=1, kept=np.array([0, 1, 2])),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "numbers-for-booleans",
            "Your edges are numbers. A cut is True or False.",
            lambda inputs, expected, got: got[0].dtype != bool,
        ),
        Symptom(
            "cuts-elsewhere",
            "An edge of another query is cut. Only one row has a True.",
            _cuts_elsewhere,
        ),
    ),
    boolean=True,
)


def keep_only(answer: object) -> Verdict:
    """Check which edges a keep-only test cuts.

    ``answer(length, query, kept)`` takes the number of words, the place of the word that
    reads, and ``kept`` (some,), the places that it may still attend to. It returns a boolean
    array (length, length), ``True`` for each edge that is cut: from the query (its row) to
    every word that is not kept. The word itself is no exception. All other words go on
    reading all words.
    """
    return KEEP_ONLY.check(answer)
