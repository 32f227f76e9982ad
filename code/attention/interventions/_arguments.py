"""What refuses edges, places and numbers that do not fit a model (the package's own)."""

from collections.abc import Iterable
from typing import SupportsIndex

from jaxtyping import Bool
from torch import Tensor

from attention._arguments import as_integer
from attention.report import require

Edges = Bool[Tensor, "*batch queries keys"]
# Axes along which the decoder's text may turn out shorter than was planned for.
_OF_TEXT = {"encoder": (), "decoder": ("queries", "keys"), "cross": ("queries",)}


def edges_of_text(edges: Edges, needed: tuple[int, int, int], where: str) -> Bool[Tensor, "..."]:
    """Check that edges broadcast to (batch, queries, keys), and leave out what is to come."""
    grows, there = _OF_TEXT[where], edges
    if "queries" in grows and edges.shape[-2] > 1:
        there = there[..., : needed[1], :]
    if "keys" in grows and edges.shape[-1] > 1:
        there = there[..., : needed[2]]
    pairs = zip(there.shape[::-1], needed[::-1], strict=False)
    fits = all(size in (1, wanted) for size, wanted in pairs)
    expected = f"a shape that broadcasts to (batch, queries, keys) = {needed}"
    expected += f", or with more {' and '.join(grows)}" if grows else ""
    require(fits, "edges", expected, tuple(edges.shape))
    return there.expand(needed)


def check_covers(
    name: str, meaning: str, tensor: Tensor, needed: tuple[int, ...], where: str
) -> None:
    """Check a shape whose second axis, the text's length, may be longer in the decoder."""
    shape = tuple(tensor.shape)
    longer = where == "decoder" and len(shape) > 1 and shape[1] > needed[1]
    covered = (shape[0], needed[1], *shape[2:]) if longer else shape
    expected = f"{meaning} = {needed}" + (" or longer" if where == "decoder" else "")
    require(covered == needed, name, expected, shape)


def number_up_to(last: int, name: str, number: object) -> int:
    expected = f"a number from 0 to {last}"
    return as_integer(name, number, expected, lambda number: 0 <= number <= last)


def some_of(name: str, numbers: Iterable[SupportsIndex] | None, count: int) -> list[int]:
    """Check the numbers of layers or heads; None stands for all of them."""
    numbers = range(count) if numbers is None else numbers
    return [number_up_to(count - 1, name, number) for number in numbers]
