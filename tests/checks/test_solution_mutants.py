"""No small change of a solution passes, unless it is listed as just as right."""

import pytest
import solution_mutants
from solution_mutants import Mutant, equivalents, mutants, solutions

from attention.checks import EXERCISES, _limit

SOLUTIONS = solutions()
EQUIVALENT = [(entry["exercise"], change) for entry in equivalents() for change in entry["mutants"]]


def listed(exercise):
    return {change for name, change in EQUIVALENT if name == exercise}


def test_every_exercise_has_a_solution_in_its_chapter():
    assert set(SOLUTIONS) == set(EXERCISES)


@pytest.mark.parametrize("exercise", SOLUTIONS)
def test_each_mutant_is_rejected_or_listed_as_equivalent(exercise, monkeypatch):
    survivors = set()
    for mutant in mutants(exercise, SOLUTIONS[exercise]):
        with monkeypatch.context() as patch:
            if mutant.change not in listed(exercise):  # a slow machine must not reject those
                patch.setattr(_limit, "SECONDS", solution_mutants.SECONDS)
            if not mutant.is_rejected():
                survivors.add(mutant.change)
    accepted = sorted(survivors - listed(exercise))
    gone = sorted(listed(exercise) - survivors)
    assert not accepted, f"{exercise}: the checker accepts {accepted}"
    assert not gone, f"{exercise}: listed as equivalent, but rejected or no mutant: {gone}"


def test_each_equivalent_mutant_is_listed_once_with_a_reason():
    assert len(EQUIVALENT) == len(set(EQUIVALENT))
    assert all(entry["reason"].endswith(".") for entry in equivalents())
    assert {exercise for exercise, _ in EQUIVALENT} <= set(SOLUTIONS)


# ------------------------------------------------------------------ the changes


def changes(*lines):
    source = "def f(x, y):\n" + "".join(f"    {line}\n" for line in lines)
    return {mutant.change for mutant in mutants("scores", source.rstrip())}


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("return x + 3", ["return x + 4", "return x + 2", "return x + 0", "return x + -3"]),
        ("return x - y", ["return x + y", "return y - x", "return x", "return y", "return x - x"]),
        ("return x / y", ["return x * y", "return x // y", "return y / x"]),
        ("return x @ y.T", ["return x @ y", "return x * y.T", "return y.T @ x"]),
        ("return x**2", ["return x * 2", "return x ** 3", "return 2 ** x"]),
        ("return x < y", ["return x <= y", "return x > y", "return x >= y", "return x == y"]),
        ("return x & ~y", ["return x | ~y", "return x & y"]),
        ("return x.max(axis=-1)", ["return x.max(axis=0)", "return x.max()"]),
        ("return x.max()", ["return x.mean()", "return x.min()", "return x.sum()", "return x"]),
        ("return x.sum(0, keepdims=True)", ["return x.sum(1, keepdims=True)", "return x.sum(0)"]),
        ("return np.exp(x)", ["return np.expm1(x)", "return x"]),
        ("return np.where(x, y, 1)", ["return np.where(y, x, 1)", "return np.where(x, 1, y)"]),
        ("return x[1:]", ["return x[1 + 1:]", "return x[1 - 1:]", "return x[:]", "return x"]),
        ("return (x, y)", ["return (y, x)"]),
        ("return x if y else 2", ["return x if not y else 2", "return x if True else 2"]),
    ],
)  # fmt: skip
def test_a_line_is_changed_in_many_places(line, some):
    missing = set(some) - changes(line)
    assert not missing, (missing, changes(line))


def test_statements_are_left_out_and_conditions_negated():
    made = changes("while x > y:", "    x -= 1", "return x")
    assert {"without while x > y:", "without x -= 1", "while not x > y:", "while False:"} <= made


def test_a_loop_that_never_ends_is_rejected(monkeypatch):
    monkeypatch.setattr(_limit, "SECONDS", solution_mutants.SECONDS)
    mutant = Mutant("steps_to_fade", "endless", "def f(factor, threshold):\n    while True: pass")
    assert mutant.is_rejected()


def test_a_solution_is_not_rejected():
    assert not Mutant("scores", "none", SOLUTIONS["scores"]).is_rejected()
