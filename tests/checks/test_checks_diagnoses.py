"""Right answers pass, and each wrong one gets the diagnosis of its own mistake."""

import answers_alignment  # noqa: F401 - fills the collection
import answers_bottleneck  # noqa: F401
import answers_cost  # noqa: F401
import answers_evidence  # noqa: F401
import answers_evidence_luck  # noqa: F401
import answers_family  # noqa: F401
import answers_further  # noqa: F401
import answers_learning  # noqa: F401
import answers_masking  # noqa: F401
import answers_multi_head  # noqa: F401
import answers_position  # noqa: F401
import answers_queries_keys_values  # noqa: F401
import answers_scaling  # noqa: F401
import answers_second_trial  # noqa: F401
import answers_transformer  # noqa: F401
import answers_translation  # noqa: F401
import numpy as np
import pytest
from answers import FEWEST, RIGHT, STOPS, WRONG

from attention import checks
from attention.checks import EXERCISES
from attention.checks._printing import paragraph
from attention.checks._verdict import show

# A catalogue of mistakes is made of thousands of small functions; their shapes are the exercise.
pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("types_not_checked"),
]

RIGHT_CASES = [(name, answer) for name in EXERCISES for answer in RIGHT[name]]
WRONG_CASES = [(name, slug, answer) for name in EXERCISES for slug, answer in WRONG[name]]


@pytest.mark.parametrize(
    ("name", "answer"), RIGHT_CASES, ids=[f"{n}-{a.__name__}" for n, a in RIGHT_CASES]
)
def test_right_answers_pass(name, answer):
    verdict = getattr(checks, name)(answer)
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    ("name", "slug", "answer"), WRONG_CASES, ids=[f"{n}-{s}" for n, s, _ in WRONG_CASES]
)
def test_wrong_answers_get_their_own_diagnosis(name, slug, answer):
    check, exercise = getattr(checks, name), EXERCISES[name]
    verdict = check(answer)
    assert not verdict.passed
    assert verdict.diagnosis == slug, verdict
    assert verdict.message == repr(verdict)
    if (slug, answer) == WRONG[name][0]:  # a second time the same; once for each checker
        assert repr(check(answer)) == verdict.message
    assert all(len(line) <= 79 for line in verdict.message.splitlines())

    told, shown = verdict.message.split("\n\nThe smallest example that shows it:\n")
    symptoms = {symptom.slug: symptom.message for symptom in exercise.symptoms}
    known = {known.slug: known.message for known in (*exercise.shared, *exercise.misconceptions)}
    if slug in symptoms | known:
        assert told == paragraph(f"✗ {name}: {(symptoms | known)[slug]}")

    # The example shown is one that fails, for a misconception the smallest.
    responses = exercise.ask_all(answer)
    with np.errstate(all="ignore"):
        examples = [
            show(exercise, i, response)
            for i, response in enumerate(responses)
            if response.usable and not exercise.is_right(i, response)
        ]
    assert shown in (examples[:1] if slug in known.keys() - symptoms.keys() else examples)
    labels = [line.split("  ")[1] for line in shown.splitlines()]
    assert set(exercise.examples[0]) <= set(labels)
    assert any(label.startswith("expected ") for label in labels)
    assert any(label.startswith("your ") for label in labels)


STOPPING_CASES = [(name, slug, answer) for name in EXERCISES for slug, answer in STOPS[name]]


@pytest.mark.parametrize(
    ("name", "slug", "answer"), STOPPING_CASES, ids=[f"{n}-{s}" for n, s, _ in STOPPING_CASES]
)
def test_answers_that_stop_are_told_their_pitfall(name, slug, answer):
    verdict = getattr(checks, name)(answer)
    assert verdict.diagnosis == slug, verdict
    pitfall = next(pitfall for pitfall in EXERCISES[name].pitfalls if pitfall.slug == slug)
    told = " ".join(verdict.message.split("\n\n")[0].split())
    assert told.startswith(f"✗ {name}: {pitfall.message} Your function stops with ")


@pytest.mark.parametrize("name", EXERCISES)
def test_every_pitfall_is_tried(name):
    assert {pitfall.slug for pitfall in EXERCISES[name].pitfalls} == {s for s, _ in STOPS[name]}


@pytest.mark.parametrize("name", EXERCISES)
def test_every_exercise_has_two_right_answers(name):
    assert len(RIGHT[name]) >= 2


@pytest.mark.parametrize("name", EXERCISES)
def test_every_diagnosis_is_tried_by_an_independent_wrong_answer(name):
    exercise = EXERCISES[name]
    known = {known.slug for known in (*exercise.misconceptions, *exercise.symptoms)}
    tried = {slug for slug, _ in WRONG[name]}
    assert known <= tried, known - tried
    assert len(tried) >= FEWEST[name]
