"""What a shared mistake consists of, and short ways to write one down (used by checks)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """One mistake: its slug, its message, and steps that make it, in several ways."""

    slug: str
    message: str
    steps: tuple[Mapping[str, Callable], ...]


def softmax_mistake(slug: str, message: str, *softmaxes: Callable) -> Mistake:
    """Describe a mistake by another softmax, or by several."""
    return Mistake(slug, message, tuple({"softmax": softmax} for softmax in softmaxes))


def scale_mistake(slug: str, message: str, *scales: Callable) -> Mistake:
    """Describe a mistake by another factor on the scores, or by several."""
    return Mistake(slug, message, tuple({"scale": scale} for scale in scales))


def compare_mistake(slug: str, message: str, *compares: Callable) -> Mistake:
    """Describe a mistake by another comparison of queries and keys, or by several."""
    return Mistake(slug, message, tuple({"compare": compare} for compare in compares))


def average_mistake(slug: str, message: str, *averages: Callable) -> Mistake:
    """Describe a mistake by another average of the values, or by several."""
    return Mistake(slug, message, tuple({"average": average} for average in averages))


def mask_mistake(slug: str, message: str, *hides: Callable) -> Mistake:
    """Describe a mistake by another way to hide, or by several."""
    return Mistake(slug, message, tuple({"hide": hide} for hide in hides))
