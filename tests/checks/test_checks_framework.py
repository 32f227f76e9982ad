"""How the checkers treat bad answers, whatever the exercise."""

import dataclasses
import fractions
import json
import math
import re
import signal
import subprocess
import sys
import textwrap
import time
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from answers import FEWEST

from attention import by_hand, checks
from attention.checks import EXERCISES, _limit, _mistakes
from attention.checks._comparison import close
from attention.checks._definition import example
from attention.checks._printing import table

# A checker is quiet, whatever the answer does.
# A catalogue of mistakes is made of thousands of small functions; their shapes are the exercise.
pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("types_not_checked"),
]

CHECKERS = [getattr(checks, name) for name in EXERCISES]
TEXTS = [name for name, exercise in EXERCISES.items() if exercise.text]
NUMBERS = [name for name in EXERCISES if name not in TEXTS]
# Which edges are cut is boolean, too, but nobody adds it to scores.
EDGES = ("equal_weight", "keep_only")
MASKS = [name for name, exercise in EXERCISES.items() if exercise.boolean and name not in EDGES]
# Exercises whose inputs are real numbers: some of them must not fit into 16 bits.
NOT_EXACT_IN_16_BITS = [
    "softmax_rows",
    "scores",
    "attention",
    "cross_attention",
    "contextual_vector",
    "kernel_regression",
    "score_variance",
    "scale_for",
    "entropy",
    "jacobian",
    "masked_softmax",
    "split_heads",
    "merge_heads",
    "multi_head",
    "sum_over_heads",
    "rms_norm",
    "swiglu",
    "to_adjacent",
]
BAD_OBJECTS = [3, 2.5, "softmax", [1, 2], {"a": 1}, np.eye(2), object(), True]


def right_weights(scores):
    return by_hand.softmax(scores)


def raise_(error):
    raise error


def flat(verdict):
    return verdict.message.replace("\n", " ")


def assert_well_formed(verdict):
    assert isinstance(verdict, checks.Verdict)
    assert isinstance(verdict.passed, bool)
    assert verdict.passed == (verdict.diagnosis == "passed")
    assert repr(verdict) == str(verdict) == verdict.message
    assert verdict.message.startswith("✓ " if verdict.passed else "✗ ")
    for line in verdict.message.splitlines():
        assert len(line) <= 79, line
        assert line == line.rstrip()
    assert " at 0x" not in verdict.message
    assert "/" not in verdict.message.replace("0/0", "").replace("1/T", "")


# ----------------------------------------------------------- the passed verdict


def test_a_right_answer_passes_and_says_so():
    verdict = checks.softmax_rows(right_weights)
    assert verdict.passed is True
    assert verdict.diagnosis == "passed"
    assert repr(verdict) == "✓ softmax_rows: right on all 8 examples."


@pytest.mark.parametrize("name", EXERCISES)
def test_a_right_answer_may_return_nested_lists(name):
    def as_lists(*arguments):
        result = EXERCISES[name].reference(*arguments)
        if isinstance(result, tuple):
            return tuple(part.tolist() for part in result)
        return np.asarray(result).tolist()

    assert EXERCISES[name].check(as_lists).passed


@pytest.mark.parametrize("name", NUMBERS)
def test_a_right_answer_in_float32_passes(name):
    def narrow(thing):
        wide = isinstance(thing, np.ndarray) and thing.dtype == np.float64
        return thing.astype(np.float32) if wide else thing

    def narrowed(result):
        # A mask stays a mask, and an index an index: floats in their place are a mistake.
        exercise = EXERCISES[name]
        dtype = bool if exercise.boolean else np.int32 if exercise.indices else np.float32
        return np.asarray(result, dtype=dtype)

    def in_float32(*arguments):
        result = EXERCISES[name].reference(*map(narrow, arguments))
        if isinstance(result, tuple):
            return tuple(narrowed(part) for part in result)
        return narrowed(result)

    assert EXERCISES[name].check(in_float32).passed


def test_two_outputs_may_come_as_a_list():
    def answer(query, key, value, mask=None):
        return list(by_hand.scaled_dot_product_attention(query, key, value, mask))

    assert checks.attention(answer).passed


def test_any_callable_will_do():
    class Softmax:
        def __call__(self, scores):
            return by_hand.softmax(scores)

    assert checks.softmax_rows(Softmax()).passed
    assert checks.scores(np.inner).passed  # written in C, with no Python signature
    assert checks.softmax_rows(lambda scores, axis=-1: by_hand.softmax(scores, axis)).passed


# ------------------------------------------------------------ not started yet


def stub_pass(*arguments):
    pass


def stub_ellipsis(*arguments):
    return ...


def stub_not_implemented(*arguments):
    raise NotImplementedError


def stub_two(*arguments):
    output = weights = None
    return output, weights


@pytest.mark.parametrize("check", CHECKERS)
@pytest.mark.parametrize(
    "stub", [stub_pass, stub_ellipsis, stub_not_implemented, stub_two, None, ...]
)
def test_an_unfinished_answer_is_not_an_error(check, stub):
    verdict = check(stub)
    assert_well_formed(verdict)
    assert verdict.diagnosis == "not-started"
    assert "Not started yet" in verdict.message


def test_a_missing_return_in_one_branch_is_not_a_stub():
    def answer(scores):
        if len(scores) == 1:
            return by_hand.softmax(scores)
        return None

    verdict = checks.softmax_rows(answer)
    assert verdict.diagnosis == "returns-nothing"
    assert "[[1, 3], [0, 2.5]]" in verdict.message


# --------------------------------------------------------------- no function


@pytest.mark.parametrize("check", CHECKERS)
@pytest.mark.parametrize("thing", BAD_OBJECTS, ids=lambda thing: type(thing).__name__)
def test_what_is_not_a_function_is_named(check, thing):
    verdict = check(thing)
    assert_well_formed(verdict)
    assert verdict.diagnosis == "not-callable"
    assert type(thing).__name__ in verdict.message


@pytest.mark.parametrize("check", CHECKERS)
@pytest.mark.parametrize("answer", [lambda: 1, lambda *, x: x, lambda a, b, c, d, e, f, g: a])
def test_a_wrong_signature_is_named(check, answer):
    verdict = check(answer)
    assert_well_formed(verdict)
    assert verdict.diagnosis == "wrong-signature"
    assert "f(" in verdict.message


@pytest.mark.parametrize("answer", [lambda query, key, value: 1, lambda query, key, value, mask: 1])
def test_the_mask_must_be_an_argument_with_a_default(answer):
    verdict = checks.attention(answer)
    assert verdict.diagnosis == "wrong-signature"
    assert "mask=None" in verdict.message


# -------------------------------------------------------------- errors inside


class EvilError(Exception):
    def __str__(self):
        raise ValueError("not even this")


ERRORS = {
    "ValueError": ValueError("bad\nvalue\t" + "x" * 1000),
    "KeyError": KeyError("mask"),
    "ZeroDivisionError": ZeroDivisionError(),
    "MemoryError": MemoryError("Unable to allocate 7.28 TiB"),
    "SystemExit": SystemExit(3),
    "EvilError": EvilError(),
    "GeneratorExit": GeneratorExit(),
    "StopIteration": StopIteration(),
    "BaseExceptionGroup": BaseExceptionGroup("several", [KeyboardInterrupt(), ValueError()]),
}


@pytest.mark.parametrize("check", CHECKERS)
@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_inside_is_reported_and_not_raised(check, kind):
    verdict = check(lambda *arguments: raise_(ERRORS[kind]))
    assert_well_formed(verdict)
    assert verdict.diagnosis == "raises"
    assert kind in flat(verdict)
    assert "expected" in verdict.message


def test_the_readers_own_line_is_shown_not_that_of_numpy():
    def answer(scores):
        wide = np.zeros((3, 5))
        return wide @ np.linalg.inv(scores[0])

    verdict = checks.softmax_rows(answer)
    line = answer.__code__.co_firstlineno + 2
    assert verdict.diagnosis == "raises"
    assert "LinAlgError" in flat(verdict)
    assert f"(line {line}: return wide @ np.linalg.inv(scores[0]))" in flat(verdict)


@pytest.mark.parametrize(
    ("meaning", "answer"),
    [
        (
            "write `is not None`",
            lambda scores: scores if scores else 0,
        ),
        (
            "write `is not None`",
            lambda scores: np.exp(min(scores, 2 * scores)),
        ),
        (
            "Here they have 2 and 4.",
            lambda scores: scores[:, :2] @ np.ones((4, 1)),
        ),
        (
            "choose between",
            lambda scores: by_hand.softmax(scores + np.inf * (scores < -99)),
        ),
        (
            "np.log,",
            lambda scores: [math.log(row) for row in scores],
        ),
        (
            "x[:, None]",
            lambda scores: np.concatenate([[0], scores]),
        ),
        (
            "the result of a function without return",
            lambda scores: print(end="").sum(),
        ),
    ],
)
def test_an_error_that_beginners_meet_is_explained(meaning, answer):
    verdict = checks.softmax_rows(answer)
    assert_well_formed(verdict)
    assert verdict.diagnosis == "raises"
    assert flat(verdict).count(meaning) == 1


def test_a_pitfall_is_named_where_an_answer_stops_in_just_those_examples():
    odd = checks.Pitfall("odd", "The width may be odd.", lambda inputs: len(inputs["x"]) % 2)
    exercise = exercise_of(lambda x: 2 * x, ("y",), [1, 2], [1, 2, 3], [4, 5, 6], pitfalls=(odd,))

    def pairs_alone(x):
        return 2 * x.reshape(-1, 2).ravel()

    verdict = exercise.check(pairs_alone)
    assert_well_formed(verdict)
    assert verdict.diagnosis == "odd"
    assert "The width may be odd. Your function stops with ValueError" in flat(verdict)
    assert "[1, 2, 3]" in verdict.message
    assert exercise.check(lambda x: pairs_alone(x) + (x[0] == 4)).diagnosis == "odd"
    stops_elsewhere = exercise.check(lambda x: 2 * x if x[0] == 1 else pairs_alone(x))
    assert stops_elsewhere.diagnosis == "raises"


def test_a_function_without_source_still_gets_its_line_number():
    namespace = {"__name__": "__main__"}
    exec("def f(scores):\n    x = 1\n    return x.rows\n", namespace)
    verdict = checks.softmax_rows(namespace["f"])
    assert verdict.diagnosis == "raises"
    assert "(line 3)" in verdict.message
    assert "<string>" not in verdict.message


def test_messages_lose_addresses_and_folders():
    def answer(scores):
        raise OSError(f"{object()!r} not in '/home/someone/notes/data.csv' or C:\\stuff\\x.txt")

    verdict = checks.softmax_rows(answer)
    message = verdict.message.split("(line")[0].replace("\n", " ")
    assert "<object object>" in message
    assert "'data.csv' or x.txt" in message
    for private in ("0x", "home", "someone", "stuff"):
        assert private not in message


def test_endless_recursion_is_reported():
    def answer(scores):
        return answer(scores)

    verdict = checks.softmax_rows(answer)
    assert_well_formed(verdict)
    assert verdict.diagnosis == "raises"
    assert "calls itself without end" in flat(verdict)
    assert repr(checks.softmax_rows(answer)) == repr(verdict)


def test_an_endless_recursion_is_told_by_its_first_line():
    def answer(scores):
        return helper(scores)

    def helper(scores):
        return helper(scores)

    line = answer.__code__.co_firstlineno + 1
    assert f"(line {line}: return helper(scores))" in flat(checks.softmax_rows(answer))


def test_an_error_in_a_helper_is_told_by_the_line_of_the_helper():
    def helper(scores):
        return scores.rows

    def answer(scores):
        return helper(scores)

    line = helper.__code__.co_firstlineno + 1
    assert f"(line {line}: return scores.rows)" in flat(checks.softmax_rows(answer))


def test_an_interrupt_stops_the_check_at_once():
    calls = []

    def answer(scores):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return by_hand.softmax(scores)

    verdict = checks.softmax_rows(answer)
    assert_well_formed(verdict)
    assert verdict.diagnosis == "interrupted"
    assert len(calls) < 2 * len(EXERCISES["softmax_rows"].examples)


def test_an_interrupt_of_our_own_code_leaves_nothing_half_done():
    calls = []

    def reference(x):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return x

    exercise = checks.Exercise(
        name="same",
        signature="f(x)",
        outputs=("x",),
        reference=reference,
        stages=((example(x=[1]), example(x=[2])),),
        misconceptions=(),
    )
    with pytest.raises(KeyboardInterrupt):
        exercise.check(lambda x: x)
    assert exercise.check(lambda x: x).passed
    assert exercise.check(lambda x: -x).diagnosis == "differs"


def test_an_error_in_a_later_example_does_not_hide_an_earlier_mistake():
    def answer(query, key, value, mask=None):
        if mask is not None:
            raise ValueError("masks come later")
        return by_hand.scaled_dot_product_attention(query, key, value, scale=1.0)

    assert checks.attention(answer).diagnosis == "no-scale"


def test_an_error_is_reported_with_its_example_when_all_before_is_right():
    def answer(query, key, value, mask=None):
        if mask is not None:
            raise ValueError("masks come later")
        return by_hand.scaled_dot_product_attention(query, key, value)

    verdict = checks.attention(answer)
    assert verdict.diagnosis == "raises"
    assert "ValueError: masks come later" in verdict.message
    assert "[[True, False], [False, True]]" in verdict.message


# ------------------------------------------------------- what comes back


class Unreadable:
    """Looks like an array, and is none."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on this")


class Leaves:
    def __array__(self, dtype=None, copy=None):
        raise SystemExit


class Endless:
    """A sequence that never ends."""

    def __len__(self):
        return 10**9

    def __getitem__(self, position):
        return 1.0


async def coroutine():
    return 1


def cycle():
    loop = []
    loop.append(loop)
    return loop


RETURNED = {
    "text": ("wrong-type", lambda: "0.5 0.5"),
    "bytes": ("wrong-type", lambda: b"0.5"),
    "dict": ("wrong-type", lambda: {"weights": [1]}),
    "set": ("wrong-type", lambda: {0.5, 0.25}),
    "generator": ("wrong-type", lambda: (w for w in [0.5, 0.5])),
    "function": ("wrong-type", lambda: right_weights),
    "coroutine": ("wrong-type", coroutine),
    "object": ("wrong-type", object),
    "module": ("wrong-type", lambda: np),
    "unreadable": ("wrong-type", Unreadable),
    "endless": ("wrong-type", Endless),
    "namespace": ("wrong-type", lambda: types.SimpleNamespace(shape=(1, 2))),
    "leaves": ("raises", Leaves),
    "ragged": ("ragged", lambda: [[1.0], [1.0, 2.0]]),
    "list of unreadable": ("not-numbers", lambda: [Unreadable(), Unreadable()]),
    "list with None": ("not-numbers", lambda: [None, 1.0]),
    "list of text": ("not-numbers", lambda: ["0.5", "0.5"]),
    "cyclic list": ("not-numbers", cycle),
    "objects": ("not-numbers", lambda: np.array([object(), 1], dtype=object)),
    "array of text": ("not-numbers", lambda: np.array(["0.5"])),
    "dates": ("not-numbers", lambda: np.array(["2017-06-12"], dtype="datetime64[D]")),
    "complex": ("complex-numbers", lambda: np.ones((2, 2)) * 1j),
    "complex number": ("complex-numbers", lambda: 1j),
    "huge": ("wrong-shape", lambda: np.broadcast_to(0.0, (10**6, 10**6))),
    "no outputs": ("wrong-number-of-outputs", tuple),
    "three outputs": ("wrong-number-of-outputs", lambda: (np.eye(2), np.eye(2), np.eye(2))),
    "stray comma": ("wrong-number-of-outputs", lambda: (np.eye(2),)),
    "other shape": ("wrong-shape", lambda: np.ones((5, 1, 4))),
    "empty": ("wrong-shape", list),
    "empty array": ("wrong-shape", lambda: np.zeros((0, 3))),
}
# With one output: a matrix, a vector, a number, and one judged by plugging it in.
ONE_OUTPUT = ["softmax_rows", "kernel_regression", "score_variance", "temperature_for"]


@pytest.mark.parametrize("name", ONE_OUTPUT)
@pytest.mark.parametrize("case", RETURNED)
def test_whatever_comes_back_is_survived_and_named(name, case):
    slug, make = RETURNED[case]
    verdict = EXERCISES[name].check(lambda *arguments: make())
    assert_well_formed(verdict)
    assert verdict.diagnosis == slug


@pytest.mark.parametrize("case", RETURNED)
def test_whatever_comes_back_is_survived_where_two_outputs_are_asked_for(case):
    _, make = RETURNED[case]
    for answer in (lambda *a: make(), lambda *a: (make(), make()), lambda *a: [make(), make()]):
        verdict = checks.attention(answer)
        assert_well_formed(verdict)
        assert not verdict.passed


def test_two_things_are_too_many_where_one_is_asked_for():
    def answer(x, memory, W_Q, W_K, W_V):
        return by_hand.scaled_dot_product_attention(x @ W_Q, memory @ W_K, memory @ W_V)

    verdict = checks.cross_attention(answer)
    assert verdict.diagnosis == "wrong-number-of-outputs"
    assert "2 things" in verdict.message


def test_a_none_beside_the_right_answer_is_one_thing_too_many():
    verdict = checks.softmax_rows(lambda scores: (by_hand.softmax(scores), None))
    assert verdict.diagnosis == "wrong-number-of-outputs"
    assert "2 things" in verdict.message


@pytest.mark.parametrize(
    "number", [np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, 0, -1, True, 10**15]
)
@pytest.mark.parametrize("name", [*ONE_OUTPUT, "attention"])
def test_no_number_breaks_a_checker(name, number):
    def constant(*arguments):
        result = EXERCISES[name].reference(*arguments)
        if isinstance(result, tuple):
            return tuple(np.full(part.shape, number) for part in result)
        return np.full(np.shape(result), number)

    verdict = EXERCISES[name].check(constant)
    assert_well_formed(verdict)
    assert not verdict.passed


@pytest.mark.parametrize("name", NUMBERS)
def test_nan_alone_gets_a_diagnosis_of_its_own(name):
    def answer(*arguments):
        result = EXERCISES[name].reference(*arguments)
        if isinstance(result, tuple):
            return tuple(part * np.nan for part in result)
        return result * np.nan

    # NaN in a mask is what 0 times infinity leaves of numbers to be added; so is it in weights.
    expected = "additive-mask" if name in MASKS else "not-finite"
    expected = "zero-times-infinity" if name == "masked_softmax" else expected
    expected = "numbers-for-booleans" if name in EDGES else expected
    assert EXERCISES[name].check(answer).diagnosis == expected


def test_numbers_slightly_off_are_told_apart_by_more_digits():
    def answer(scores):
        return by_hand.softmax(scores) * [*[1] * (scores.shape[1] - 1), 1.00002]

    verdict = checks.softmax_rows(answer)
    assert not verdict.passed
    assert "expected weights  [[0.26894, 0.73106]]" in verdict.message
    assert "your weights      [[0.26894, 0.73107]]" in verdict.message


def test_errors_are_measured_against_the_largest_entry():
    right = np.array([1e-3, 1e3])
    assert close(right + 0.009, right)
    assert not close(right + 0.011, right)
    assert close(np.array([1e-7, np.nan]), np.array([0.0, np.nan]))
    assert not close(np.array([1e-5]), np.array([0.0]))
    assert not close(np.array([1.0]), np.array([[1.0]]))
    assert not close(np.array([np.inf]), np.array([-np.inf]))


def test_booleans_are_not_close_to_numbers():
    yes, no = np.array([True]), np.array([False])
    assert close(yes, yes)
    assert not close(yes, no)
    assert not close(yes, np.array([1.0]))
    assert not close(np.array([1.0]), yes)


# ------------------------------------------------------------- torch and tuples


def softmax_of_torch(scores, dtype=torch.float64, requires_grad=False):
    return torch.tensor(scores, dtype=dtype, requires_grad=requires_grad).softmax(-1)


READ = {
    "needs a gradient": lambda scores: softmax_of_torch(scores, requires_grad=True),
    "float32": lambda scores: softmax_of_torch(scores, torch.float32),
    "list of rows": lambda scores: list(softmax_of_torch(scores, requires_grad=True)),
    "tuple of rows": lambda scores: softmax_of_torch(scores, requires_grad=True).unbind(),
    "list of arrays": lambda scores: list(by_hand.softmax(scores)),
    "tuple of lists": lambda scores: tuple(by_hand.softmax(scores).tolist()),
    "tensors without axes": lambda scores: [list(row) for row in softmax_of_torch(scores)],
    "fractions": lambda scores: [
        [fractions.Fraction(weight) for weight in row] for row in by_hand.softmax(scores).tolist()
    ],
    "masked array without masked entries": lambda scores: np.ma.array(by_hand.softmax(scores)),
}


@pytest.mark.parametrize("case", READ)
def test_right_numbers_are_read_in_whatever_they_come(case):
    verdict = checks.softmax_rows(READ[case])
    assert verdict.passed, verdict


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_parts_that_torch_cuts_are_read_as_one_array(dtype):
    def answer(x, heads):
        # 3.3 is the one number that bfloat16 does not hold.
        x = torch.tensor(np.where(x == 3.3, 3, x), dtype=dtype, requires_grad=True)
        return torch.chunk(x, heads, dim=-1)

    def right(x, heads):
        return by_hand.split_heads(np.where(x == 3.3, 3.0, x), heads)

    exercise = dataclasses.replace(EXERCISES["split_heads"], reference=right)
    assert exercise.check(answer).passed


def test_two_tensors_may_come_as_a_list():
    def answer(query, key, value, mask=None):
        both = by_hand.scaled_dot_product_attention(query, key, value, mask)
        return [torch.tensor(array, requires_grad=True) for array in both]

    assert checks.attention(answer).passed


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_numbers_of_16_bits_have_too_few_digits(dtype):
    verdict = checks.softmax_rows(lambda scores: softmax_of_torch(scores, dtype))
    assert verdict.diagnosis == "too-few-digits"
    rows = checks.softmax_rows(lambda scores: list(softmax_of_torch(scores, dtype)))
    assert rows.diagnosis == "too-few-digits"


@pytest.mark.parametrize("name", NOT_EXACT_IN_16_BITS)
def test_rounding_the_inputs_to_16_bits_is_noticed(name):
    def answer(*arguments):
        return EXERCISES[name].reference(
            *(
                thing.astype(np.float16).astype(float)
                if isinstance(thing, np.ndarray) and thing.dtype == float
                else float(np.float16(thing))
                if isinstance(thing, float)
                else thing
                for thing in arguments
            )
        )

    assert not EXERCISES[name].check(answer).passed


def test_masked_entries_of_a_masked_array_have_no_number():
    def unfilled(scores, mask):
        scores = np.ma.array(scores, mask=~mask)
        exponentials = np.ma.exp(scores - scores.max(-1, keepdims=True))
        return exponentials / exponentials.sum(-1, keepdims=True)

    verdict = checks.masked_softmax(unfilled)
    assert_well_formed(verdict)
    assert verdict.diagnosis == "masked-array"
    assert ".filled(0)" in flat(verdict)
    rows = checks.masked_softmax(lambda scores, mask: list(unfilled(scores, mask)))
    assert rows.diagnosis == "masked-array"
    assert checks.masked_softmax(lambda scores, mask: unfilled(scores, mask).filled(0)).passed


# ------------------------------------------------------- booleans and numbers


def test_the_masks_of_the_book_are_boolean():
    assert MASKS == ["causal_mask", "combined_mask", "window_mask", "may_attend"]


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize(
    ("slug", "change"),
    [
        ("numbers-for-booleans", lambda mask: mask.astype(int)),
        ("numbers-for-booleans", lambda mask: mask.astype(np.float32)),
        ("numbers-for-booleans", lambda mask: (~mask).astype(np.uint8)),
        ("numbers-for-booleans", lambda mask: mask.astype(int).tolist()),
        ("additive-mask", lambda mask: np.where(mask, 0, -np.inf)),
        ("additive-mask", lambda mask: np.where(mask, 0, -1e9).astype(np.float32)),
        ("additive-mask", lambda mask: np.where(mask, -np.inf, 0)),
    ],
)
def test_numbers_in_place_of_a_mask_have_a_diagnosis_of_their_own(name, slug, change):
    verdict = EXERCISES[name].check(lambda *inputs: change(EXERCISES[name].reference(*inputs)))
    assert_well_formed(verdict)
    assert verdict.diagnosis == slug


def test_a_mask_of_ones_is_shown_beside_the_mask_expected():
    assert repr(checks.causal_mask(np.tri)) == textwrap.dedent(
        """\
        ✗ causal_mask: Your mask holds numbers. As an index or under ~, 0 and 1 do
        something else than False and True, and added to scores they hide nothing:
        compare, so that it holds booleans.

        The smallest example that shows it:
          length         1
          expected mask  [[True]]
          your mask      [[1]]"""
    )


def test_where_numbers_are_asked_for_true_counts_as_one():
    exercise = checks.Exercise(
        name="step",
        signature="f(x)",
        outputs=("y",),
        reference=lambda x: np.where(x > 0, 1.0, 0.0),
        stages=((example(x=[1, -1]),),),
        misconceptions=(),
    )
    assert exercise.check(lambda x: x > 0).passed
    assert exercise.check(lambda x: x < 0).diagnosis == "differs"


def test_zero_has_no_sign():
    assert table([("zero", np.array([-0.0, 0.0]))]) == "  zero  [0, 0]"


def test_close_but_not_equal_is_called_approximate():
    verdict = checks.score_variance(
        lambda d_k, sigma_q, sigma_k: 1.01 * d_k * (sigma_q * sigma_k) ** 2
    )
    assert verdict.diagnosis == "approximate"


def test_shape_right_numbers_wrong_is_the_last_resort():
    verdict = checks.score_variance(lambda d_k, sigma_q, sigma_k: 7.0 + d_k)
    assert verdict.diagnosis == "differs"


def test_a_symptom_is_told_only_if_all_wrong_answers_show_it():
    def close_once(scores):
        weights = by_hand.softmax(scores)
        return weights + 0.001 if len(scores) == 1 else weights[::-1]

    assert checks.softmax_rows(close_once).diagnosis not in ("approximate", "rows-do-not-sum-to-1")
    assert checks.softmax_rows(lambda scores: by_hand.softmax(scores).round(2)).diagnosis == (
        "approximate"
    )


def test_an_example_may_have_nothing_to_say_about_a_symptom():
    large = checks.Symptom(
        "large", "Too large.", lambda inputs, expected, got: None if inputs["x"][0] < 2 else True
    )
    exercise = checks.Exercise(
        name="same",
        signature="f(x)",
        outputs=("x",),
        reference=lambda x: x,
        stages=((example(x=[1]), example(x=[2])),),
        misconceptions=(),
        symptoms=(large,),
    )
    verdict = exercise.check(lambda x: x + 7)
    assert verdict.diagnosis == "large"
    assert "[9]" in verdict.message
    assert exercise.check(lambda x: x + 7 * (x < 2)).diagnosis == "differs"


# ---------------------------------------------------------------------- text


RETURNED_FOR_TEXT = {
    "one string": ("one-string", lambda: "cat"),
    "array without axes": ("one-string", lambda: np.array("cat")),
    "number": ("wrong-type", lambda: 3),
    "bytes": ("wrong-type", lambda: b"cat"),
    "set": ("wrong-type", lambda: {"cat"}),
    "dict": ("wrong-type", lambda: {"cat": 1}),
    "generator": ("wrong-type", lambda: (piece for piece in ["cat"])),
    "object": ("wrong-type", object),
    "places": ("numbers-for-text", lambda: [1, 2]),
    "array of numbers": ("numbers-for-text", lambda: np.arange(3)),
    "a piece and its place": ("numbers-for-text", lambda: ["cat", 1]),
    "lists of letters": ("not-text", lambda: [["c", "a", "t"]]),
    "pairs": ("not-text", lambda: [("cat", 1)]),
    "list with None": ("not-text", lambda: [None, "cat"]),
    "list with bytes": ("not-text", lambda: [b"cat"]),
    "cyclic list": ("not-text", cycle),
    "endless text": ("too-long", lambda: ["cat" * 100_000]),
    "endless list": ("too-long", lambda: [""] * 200_000),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("case", RETURNED_FOR_TEXT)
def test_what_is_no_list_of_strings_is_survived_and_named(name, case):
    slug, make = RETURNED_FOR_TEXT[case]
    verdict = EXERCISES[name].check(lambda *arguments: make())
    assert_well_formed(verdict)
    assert verdict.diagnosis == slug
    assert "expected" in verdict.message


def as_an_own_string(pieces):
    class Piece(str):
        def __str__(self):
            raise ValueError("never asked")

    return [Piece(piece) for piece in pieces]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    "change", [list, tuple, np.array, as_an_own_string, lambda pieces: np.array(pieces, object)]
)
def test_right_strings_are_read_in_whatever_they_come(name, change):
    verdict = EXERCISES[name].check(lambda *inputs: change(EXERCISES[name].reference(*inputs)))
    assert verdict.passed, verdict


def test_other_strings_are_called_so_and_shown_in_quotes():
    exercise = checks.Exercise(
        name="twice",
        signature="f(word)",
        outputs=("pieces",),
        reference=lambda word: [word, word],
        stages=((example(word="at"), example(word="cat")),),
        misconceptions=(),
        text=True,
    )
    assert exercise.check(lambda word: (word, word)).passed
    assert repr(exercise.check(lambda word: [word])) == textwrap.dedent(
        """\
        ✗ twice: These are other strings. Work through the example below by hand.

        The smallest example that shows it:
          word             'at'
          expected pieces  ['at', 'at']
          your pieces      ['at']"""
    )
    assert exercise.check(lambda word: [word, word.upper()]).diagnosis == "differs"
    assert exercise.check(lambda word: []).diagnosis == "differs"


def test_strings_are_close_to_themselves_alone():
    text = np.array(["a", "b"], dtype=object)
    assert close(text, text.copy())
    assert not close(text, text[::-1])
    assert not close(text, text[:1])
    assert not close(text, np.array([1.0, 2.0]))
    assert not close(np.array([1.0, 2.0]), text)


# ------------------------------------------------- right numbers in the wrong place


def three(x):
    return x, 2 * x, 3 * x


def exercise_of(reference, outputs, *examples, **more):
    return checks.Exercise(
        name="made_up",
        signature="f(x)",
        outputs=outputs,
        reference=reference,
        stages=(tuple(example(x=x) for x in examples),),
        misconceptions=(),
        **more,
    )


THREE = exercise_of(three, ("one", "two", "three"), [1, 2], [[3, 4], [5, 6]])


@pytest.mark.parametrize(
    "change",
    [
        lambda one, two, three: (one, three, two),
        lambda one, two, three: (three, one, two),
        lambda one, two, three: [three, two, one],
    ],
)
def test_results_in_another_order_are_named(change):
    verdict = THREE.check(lambda x: change(*three(x)))
    assert_well_formed(verdict)
    assert verdict.diagnosis == "outputs-in-another-order"
    assert "one, two and three, in this order" in flat(verdict)


def test_an_order_that_changes_from_example_to_example_is_none():
    def now_this_now_that(x):
        one, two, three_ = three(x)
        return (two, one, three_) if x.ndim == 1 else (one, three_, two)

    assert THREE.check(now_this_now_that).diagnosis == "differs"


MATRIX = np.arange(6.0).reshape(2, 3)
CUBE = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("slug", "change"),
    [
        ("transposed", np.transpose),
        ("another-shape", np.ravel),
        ("another-shape", lambda x: x[None]),
        ("goes-on", lambda x: np.vstack([x, x])),
        ("goes-on", lambda x: np.hstack([x, x])),
        ("begins-early", lambda x: np.vstack([x + 1, x])),
        ("ends-early", lambda x: x[:-1]),
        ("ends-early", lambda x: x[:, :-1]),
        ("begins-late", lambda x: x[1:]),
        ("wrong-shape", lambda x: x[:, ::2] + 1),
        ("wrong-shape", lambda x: x[:0]),
    ],
)
def test_right_numbers_in_another_shape_are_named(slug, change):
    exercise = exercise_of(lambda x: x, ("y",), MATRIX + 1, MATRIX + 7)
    verdict = exercise.check(change)
    assert_well_formed(verdict)
    assert verdict.diagnosis == slug


def test_axes_in_another_order_are_named():
    exercise = exercise_of(lambda x: x, ("y",), CUBE)
    assert exercise.check(lambda x: x.transpose(1, 0, 2)).diagnosis == "axes-in-another-order"
    assert exercise.check(lambda x: x.T).diagnosis == "axes-in-another-order"
    assert exercise.check(lambda x: x.transpose(1, 0, 2) + 1).diagnosis == "wrong-shape"


def test_where_the_shapes_are_wrong_in_two_ways_nothing_but_the_shape_is_told():
    exercise = exercise_of(lambda x: x, ("y",), MATRIX + 1, MATRIX + 7)
    verdict = exercise.check(lambda x: x[1:] if x[0, 0] == 1 else x.ravel())
    assert verdict.diagnosis == "wrong-shape"


def test_what_is_cut_to_whole_numbers_is_named():
    exercise = exercise_of(lambda x: x / 4, ("y",), MATRIX, -MATRIX)
    assert exercise.check(lambda x: (x / 4).astype(int)).diagnosis == "whole-numbers"
    assert exercise.check(lambda x: np.zeros(x.shape)).diagnosis == "differs"
    assert exercise.check(lambda x: np.floor(x / 4)).diagnosis == "differs"


def test_floats_in_place_of_indices_are_named():
    exercise = exercise_of(lambda x: x.astype(int), ("y",), [1, 2], [[3, 4]], indices=True)
    assert exercise.check(lambda x: [[int(n) for n in r] for r in x] if x.ndim == 2 else [1, 2])
    for change in (lambda x: x, lambda x: x.tolist(), lambda x: torch.tensor(x)):
        verdict = exercise.check(change)
        assert_well_formed(verdict)
        assert verdict.diagnosis == "floats"
        assert "dtype=int" in flat(verdict)
    assert exercise.check(lambda x: torch.tensor(x).long()).passed
    assert exercise.check(lambda x: x + 7).diagnosis == "differs"


# ------------------------------------------------------------ the time limit


def never_ends(scores):
    while True:
        pass


# Apart, because it would be formatted: one step of the machine, and no new line ever begins.
exec("def never_ends_on_one_line(scores):\n    while True: pass")


def never_reaches_its_target(scores):
    total = 0.0
    while total != 0.1:
        total = np.exp(-scores).sum()


def goes_through_too_many(scores):
    return [number for number in range(10**12)]


def calls_itself_too_often(scores):
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    return fibonacci(90)


def forgives_everything(scores):
    while True:
        try:
            scores.index(7)
        except:  # noqa: E722
            continue


def sleeps(scores):
    time.sleep(3600)


ENDLESS = [
    never_ends,
    never_ends_on_one_line,
    never_reaches_its_target,
    goes_through_too_many,
    calls_itself_too_often,
]


def in_a_thread(check, answer):
    with ThreadPoolExecutor() as pool:
        return pool.submit(check, answer).result()


@pytest.mark.parametrize("answer", [*ENDLESS, forgives_everything, sleeps])
def test_an_endless_answer_is_broken_off(answer, monkeypatch):
    monkeypatch.setattr(_limit, "SECONDS", 0.2)
    start = time.monotonic()
    verdict = checks.softmax_rows(answer)
    assert time.monotonic() - start < 5
    assert_well_formed(verdict)
    assert verdict.diagnosis == "too-slow"
    assert "had not finished after 0.2 seconds (line " in flat(verdict)


@pytest.mark.parametrize("answer", ENDLESS)
def test_an_endless_answer_is_broken_off_where_no_alarm_can_be_set(answer, monkeypatch):
    monkeypatch.setattr(_limit, "SECONDS", 0.2)
    verdict = in_a_thread(checks.softmax_rows, answer)
    assert verdict.diagnosis == "too-slow"
    assert "had not finished after 0.2 seconds (line " in flat(verdict)


def test_the_time_limit_holds_in_the_python_of_the_live_page(tmp_path):
    """There Python is newer than here, and has no alarm."""
    script = tmp_path / "limit.py"
    script.write_text(
        Path(_limit.__file__).read_text(encoding="utf-8")
        + textwrap.dedent(
            """
            def ends():
                return sum(number for number in range(1000))

            def never_ends():
                while True: pass

            def calls_itself_too_often(n=90):
                return n if n < 2 else calls_itself_too_often(n - 1) + calls_itself_too_often(n - 2)

            def forgives_everything():
                while True:
                    try: [0].index(1)
                    except: continue

            print(call(ends, ()), call(lambda: call(ends, ()), ()))
            for function in (never_ends, calls_itself_too_often, forgives_everything):
                try:
                    call(function, (), 0.2)
                except OutOfTimeError:
                    print("broken off")
            """
        ),
        encoding="utf-8",
    )
    pyodide = Path(__file__).parents[2] / "node_modules" / "pyodide" / "pyodide.mjs"
    run = f"""
        import {{ loadPyodide }} from {json.dumps(pyodide.as_uri())};
        import fs from "fs";
        (await loadPyodide()).runPython(fs.readFileSync({json.dumps(str(script))}, "utf8"));
    """
    done = subprocess.run(
        ["node", "--input-type=module", "-e", run],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.stdout.splitlines() == ["499500 499500", *["broken off"] * 3], done.stderr


def test_the_time_limit_slows_no_right_answer_down():
    def answer(scores):
        sum(number for number in range(100_000))
        return by_hand.softmax(scores)

    start = time.monotonic()
    answer(np.eye(2))
    alone = time.monotonic() - start
    start = time.monotonic()
    _limit.call(answer, (np.eye(2),))
    assert time.monotonic() - start < 3 * alone + 0.1


def test_the_time_limit_is_told_in_whole_seconds(monkeypatch):
    def out_of_time(function, arguments):
        raise _limit.OutOfTimeError

    monkeypatch.setattr(_limit, "call", out_of_time)
    assert _limit.SECONDS == 5
    assert "had not finished after 5 seconds." in checks.softmax_rows(right_weights).message
    monkeypatch.setattr(_limit, "SECONDS", 1.0)
    assert "had not finished after 1 second." in checks.softmax_rows(right_weights).message


def test_the_alarm_and_the_trace_of_others_are_kept():
    rung = []
    handler = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        assert checks.softmax_rows(right_weights).passed
        start = time.monotonic()
        while not rung and time.monotonic() < start + 5:
            time.sleep(0.01)
        assert rung
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)

    def trace(frame, event, argument):
        return None

    def check():
        before = sys.gettrace()
        sys.settrace(trace)
        verdict = checks.softmax_rows(right_weights)
        after = sys.gettrace()
        sys.settrace(before)
        return verdict.passed, after

    with ThreadPoolExecutor() as pool:
        assert pool.submit(check).result() == (True, trace)


def test_what_the_answer_raises_is_passed_on_by_both_limits():
    for limited in (_limit._with_alarm, _limit._with_trace):
        with pytest.raises(ZeroDivisionError):
            limited(lambda: 1 / 0, (), 5.0)
        assert limited(max, (1, 2), 5.0) == 2


# ----------------------------------------------------------------- behaviour


@pytest.mark.parametrize("name", EXERCISES)
def test_changed_inputs_are_noticed_and_stay_out_of_the_exercise(name):
    exercise = EXERCISES[name]
    before = [{key: np.copy(thing) for key, thing in case.items()} for case in exercise.examples]
    arrays = [key for key, thing in exercise.examples[0].items() if isinstance(thing, np.ndarray)]

    def answer(*arguments):
        result = exercise.reference(*arguments)
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                argument[...] = ~argument if argument.dtype == bool else argument + 1
        return result

    verdict = exercise.check(answer)
    assert_well_formed(verdict)
    assert verdict.diagnosis == ("changes-its-inputs" if arrays else "passed")
    if arrays:
        what = "the array" if arrays[0] == "array" else f"the array {arrays[0]}"
        assert f"changes {what} that it is given" in flat(verdict)
        assert f"{arrays[0]} before" in verdict.message
    for case, copy in zip(exercise.examples, before, strict=True):
        for key, thing in case.items():
            np.testing.assert_array_equal(thing, copy[key])


def test_a_changed_shape_is_a_changed_input():
    def answer(scores):
        weights = by_hand.softmax(scores)
        scores.shape = (-1,)
        return weights

    assert checks.softmax_rows(answer).diagnosis == "changes-its-inputs"


def test_the_examples_cannot_be_written_to():
    for exercise in EXERCISES.values():
        for case in exercise.examples:
            for thing in case.values():
                assert not isinstance(thing, np.ndarray) or not thing.flags.writeable


def test_random_answers_are_not_deterministic():
    generator = np.random.default_rng(0)

    def answer(scores):
        return by_hand.softmax(scores + generator.normal(size=scores.shape))

    verdict = checks.softmax_rows(answer)
    assert_well_formed(verdict)
    assert verdict.diagnosis == "not-deterministic"
    assert "first answer" in verdict.message
    assert "second answer" in verdict.message


def test_a_default_argument_that_remembers_is_not_deterministic():
    def answer(weights, total=[0.0]):  # noqa: B006 - the mistake under test
        total[0] = total[0] + by_hand.entropy(weights)
        return total[0]

    assert checks.entropy(answer).diagnosis == "not-deterministic"


def test_an_answer_that_fails_now_and_then_is_not_deterministic():
    calls = []

    def answer(scores):
        calls.append(1)
        if len(calls) > 10:
            raise ValueError("tired")
        return by_hand.softmax(scores)

    verdict = checks.softmax_rows(answer)
    assert verdict.diagnosis == "not-deterministic"


def test_a_reused_buffer_is_copied_before_the_next_call():
    buffer = np.zeros(100)

    def answer(scores):
        view = buffer[: scores.size].reshape(scores.shape)
        view[...] = by_hand.softmax(scores)
        return view

    assert checks.softmax_rows(answer).passed


def test_numpy_warnings_are_kept_quiet_and_settings_restored():
    before = np.geterr()

    def answer(scores):
        np.seterr(all="raise")
        return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)

    checks.softmax_rows(answer)
    assert np.geterr() == before

    def warns(scores):
        np.log(scores - scores)
        return by_hand.softmax(scores)

    assert checks.softmax_rows(warns).passed


def test_printing_is_let_through(capsys):
    def answer(scores):
        print("scores are", scores.shape)
        return by_hand.softmax(scores)

    assert checks.softmax_rows(answer).passed
    assert "scores are (1, 2)" in capsys.readouterr().out


# --------------------------------------------------------------- the message


def test_the_whole_message():
    def answer(scores):
        return scores / scores.sum(-1, keepdims=True)

    assert repr(checks.softmax_rows(answer)) == textwrap.dedent(
        """\
        ✗ softmax_rows: You divide the scores themselves by their sum. A negative score
        then gives a negative weight. Make every score positive first: softmax does it
        with the exponential.

        The smallest example that shows it:
          scores            [[0, 1]]
          expected weights  [[0.2689, 0.7311]]
          your weights      [[0, 1]]"""
    )


def test_the_reader_s_print_options_do_not_matter():
    def answer(scores):
        return scores / scores.sum(-1, keepdims=True)

    usual = repr(checks.softmax_rows(answer))
    with np.printoptions(precision=1, sign="+", floatmode="fixed"):
        assert repr(checks.softmax_rows(answer)) == usual


def test_a_large_wrong_answer_is_not_printed():
    verdict = checks.softmax_rows(lambda scores: np.ones((50, 50)))
    assert_well_formed(verdict)
    assert "shape (50, 50)" in verdict.message
    assert len(verdict.message) < 600


def test_an_answer_with_three_axes_is_broken_into_rows():
    assert table([("mask", np.array([np.tri(3, dtype=bool), np.eye(3, dtype=bool)]))]) == (
        """\
  mask  [[[True, False, False], [True, True, False], [True, True, True]],
         [[True, False, False], [False, True, False], [False, False, True]]]"""
    )
    assert table([("expected mask", np.zeros((1, 3, 3), dtype=bool))]) == (
        """\
  expected mask  [[[False, False, False],
                   [False, False, False],
                   [False, False, False]]]"""
    )


def test_a_wide_wrong_answer_is_cut():
    verdict = checks.softmax_rows(lambda scores: np.full((1, 39), 0.123456))
    assert_well_formed(verdict)
    assert verdict.message.endswith("...")


# ---------------------------------------------------------------- the package


def checkers_called_in_the_book():
    """Map each checker to the word of its chapter, in the order of the book."""
    called = {}
    for path in sorted((Path(__file__).parents[2] / "chapters").glob("*.ipynb")):
        word = path.stem.partition("-")[2].replace("-", "_")
        for cell in nbformat.read(path, as_version=4).cells:
            for name in re.findall(r"^checks\.(\w+)\(", cell.source, re.MULTILINE):
                called.setdefault(name, word)
    return called


def test_each_checker_is_a_file_of_its_name_in_the_folder_of_its_chapter():
    for name, word in checkers_called_in_the_book().items():
        assert getattr(checks, name).__module__ == f"attention.checks.{word}.{name}"


def test_exercises_are_the_public_checkers_in_the_order_of_the_book():
    assert list(EXERCISES) == list(checkers_called_in_the_book())
    for name, check in zip(EXERCISES, CHECKERS, strict=True):
        assert check.__name__ == name == EXERCISES[name].name
        assert "``answer(" in check.__doc__


def test_checks_need_numpy_alone(tmp_path):
    code = textwrap.dedent(
        """\
        import sys
        import attention.checks
        unwanted = {"torch", "matplotlib", "scipy", "multiprocessing"} & set(sys.modules)
        assert not unwanted, unwanted
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr


# ----------------------------------------------------------- the catalogue


def variants(exercise):
    return [
        (misconception.slug, mistaken)
        for misconception in exercise.misconceptions
        for mistaken in misconception.mistaken
    ]


@pytest.mark.parametrize("name", EXERCISES)
def test_every_exercise_has_enough_misconceptions_each_with_its_own_name(name):
    own, shared = EXERCISES[name].misconceptions, EXERCISES[name].shared
    for misconceptions in (own, shared):
        slugs = [misconception.slug for misconception in misconceptions]
        assert len(slugs) == len(set(slugs))
        assert "passed" not in slugs
        messages = [misconception.message for misconception in misconceptions]
        assert len(messages) == len(set(messages))
    assert len({misconception.slug for misconception in (*own, *shared)}) >= FEWEST[name]


@pytest.mark.parametrize("name", EXERCISES)
def test_the_reference_passes_and_every_catalogued_mistake_is_named(name):
    exercise = EXERCISES[name]
    assert exercise.check(exercise.reference).passed
    for slug, mistaken in variants(exercise):
        verdict = exercise.check(mistaken)
        assert_well_formed(verdict)
        assert verdict.diagnosis == slug


HOLD_ATTENTION = ["attention", "cross_attention", "contextual_vector", "multi_head"]


@pytest.mark.parametrize("name", HOLD_ATTENTION)
def test_all_mistakes_of_attention_are_known_wherever_there_is_one(name):
    known = {misconception.slug for misconception in EXERCISES[name].shared}
    assert known == {mistake.slug for mistake in _mistakes.MISTAKES}


@pytest.mark.parametrize("name", [name for name in EXERCISES if EXERCISES[name].shared])
def test_every_shared_mistake_that_shows_is_named(name):
    exercise = EXERCISES[name]
    known = {known.slug for known in (*exercise.misconceptions, *exercise.shared)}
    named = set()
    for _, made in exercise.mistakes:
        with np.errstate(all="ignore"):
            verdict = exercise._judge(made, made)
        # "raises": a mistake that needs an axis or a size that is not there
        assert verdict.passed or verdict.diagnosis in {*known, "raises", "not-finite"}
        named.add(verdict.diagnosis)
    assert len(named & known) >= 10


@pytest.mark.parametrize("name", EXERCISES)
def test_no_two_mistakes_are_indistinguishable(name):
    exercise = EXERCISES[name]
    own = exercise.mistakes[: len(variants(exercise))]
    for position, (misconception, made) in enumerate(own):
        # It differs from the right answer with numbers of its own, not only by an error.
        assert any(
            response.usable and not exercise.is_right(i, response)
            for i, response in enumerate(made)
        ), misconception.slug
        for other, others in own[:position]:
            assert any(
                one.usable != two.usable or (one.usable and not exercise.agree(one, two))
                for one, two in zip(made, others, strict=True)
            ), f"{misconception.slug} and {other.slug}"


@pytest.mark.parametrize("name", EXERCISES)
def test_examples_are_small_and_the_smallest_come_first(name):
    for stage in EXERCISES[name].stages:
        sizes = [sum(np.size(thing) for thing in case.values()) for case in stage]
        assert sizes == sorted(sizes)
        # Four square matrices cannot be smaller where d_k is neither 1 nor d_model.
        assert max(sizes) <= (73 if name == "multi_head" else 60)


def test_an_exercise_prints_without_addresses():
    assert repr(EXERCISES["scores"]) == "Exercise('scores', 'f(query, key)')"


def test_an_example_keeps_numbers_and_turns_lists_into_arrays():
    made = example(scores=[[1, 2]], mask=[[True]], i=1)
    assert made["scores"].dtype == float
    assert made["mask"].dtype == bool
    assert made["i"] == 1


def test_an_example_copies_an_array_and_keeps_its_dtype():
    lengths = np.array([2, 1])
    made = example(lengths=lengths)
    lengths[0] = 7
    assert made["lengths"].dtype == lengths.dtype
    assert made["lengths"].tolist() == [2, 1]
    assert not made["lengths"].flags.writeable
