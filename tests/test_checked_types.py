"""What stands in for jaxtyping's decorator refuses what that one refuses."""

from collections.abc import Iterator
from dataclasses import dataclass

import jaxtyping
import numpy as np
import pytest
from beartype import beartype
from jaxtyping import Float, TypeCheckError
from tests import checked_types

from attention import by_hand, corpus

Matrix = Float[np.ndarray, "rows columns"]


def functions(decorate) -> dict:
    """Functions, and a class, each with its signature enforced."""

    @decorate
    def added(x: Matrix, y: Matrix | None = None, *, times: int = 1) -> Matrix:
        return x if y is None else x + times * y

    @decorate
    def turned(x: Matrix) -> Matrix:
        return x.T  # right if it is square

    @decorate
    def stacked(rows: tuple[Matrix, ...]) -> Float[np.ndarray, "3 rows columns"]:
        return np.stack(rows)

    @decorate
    def outer(x: Matrix) -> Matrix:
        added(np.ones((9, 9)))  # its axes are other ones
        return x

    @decorate
    def long(text: str) -> int:
        return len(text) or text

    @decorate
    def letters(text: str) -> Iterator[str]:
        yield from text

    @decorate
    def following(number: "int") -> int:
        return number + 1

    @decorate
    @dataclass
    class Kept:
        x: Matrix
        y: Matrix

    return {key: value for key, value in locals().items() if key != "decorate"}


DECORATORS = {
    "ours": checked_types.jaxtyped(typechecker=beartype),
    "jaxtyping's": checked_types.by_jaxtyping(typechecker=beartype),
}
WIDE, HIGH, SQUARE = np.ones((2, 3)), np.ones((3, 2)), np.ones((2, 2))


@pytest.fixture(params=DECORATORS)
def do(request) -> dict:
    return functions(DECORATORS[request.param])


@pytest.mark.parametrize(
    ("name", "arguments", "named"),
    [
        ("added", (WIDE, WIDE), {"times": 2}),
        ("turned", (SQUARE,), {}),
        ("stacked", ((WIDE,) * 3,), {}),
        ("outer", (WIDE,), {}),
        ("long", ("a",), {}),
        ("letters", ("ab",), {}),
        ("following", (1,), {}),
        ("Kept", (WIDE, WIDE), {}),
    ],
)
def test_what_fits_is_let_through(do, name, arguments, named):
    do[name](*arguments, **named)


@pytest.mark.parametrize(
    ("name", "arguments", "named"),
    [
        ("added", (WIDE, HIGH), {}),  # two sizes of one axis
        ("added", (WIDE[0],), {}),  # too few axes
        ("added", (WIDE.astype(int),), {}),  # another type of numbers
        ("added", (WIDE.tolist(),), {}),  # no array
        ("added", (WIDE, WIDE), {"times": 0.5}),
        ("turned", (WIDE,), {}),  # the result, by the axes of the argument
        ("stacked", ((WIDE, WIDE),), {}),  # the result, by its own axes
        ("long", (1,), {}),
        ("long", ("",), {}),  # the result, where there is no array
        ("letters", (["a"],), {}),
        ("following", ("1",), {}),
        ("Kept", (WIDE, HIGH), {}),
    ],
)
def test_what_does_not_fit_is_refused(do, name, arguments, named):
    with pytest.raises(TypeCheckError):
        do[name](*arguments, **named)


@pytest.mark.parametrize("arguments", [(), (WIDE, WIDE, WIDE)])
def test_a_wrong_number_of_arguments_is_pythons_affair(do, arguments):
    with pytest.raises(TypeError, match="argument"):
        do["added"](*arguments)


def test_the_package_is_checked_by_it():
    assert jaxtyping.jaxtyped is checked_types.jaxtyped
    for call in (by_hand.softmax, corpus.translate):
        assert call.__code__.co_filename == checked_types.__file__
    with pytest.raises(TypeCheckError):
        by_hand.softmax([1.0])


# The last one: the fixture lasts as long as the module.
def test_nothing_is_checked_while_it_is_switched_off(do, types_not_checked):
    assert do["turned"](WIDE).shape == HIGH.shape
    assert do["following"](1.5) == 2.5
