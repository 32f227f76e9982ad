"""What a query remembers of the keys it has met, and how to merge (cost: One key at a time).

This is the online softmax of Milakov & Gimelshein (2018), with the values that
Rabe & Staats (2021) add.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from attention._arrays import (
    Array,
    _check_float_dtype,
    _check_same,
    _check_scores_and_value,
    _positive_integer,
    _wide,
)

Output = Float[Array, "*#batch queries d_v"]
LogTotals = Float[Array, "*#batch queries"]


@dataclass(frozen=True)
class Summary:
    """What each query has to remember of the keys it has met.

    Attributes
    ----------
    largest : (..., queries)
        The largest score. ``-inf`` if there was no key it may attend to.
    total : (..., queries)
        The sum of exp(score - largest).
    weighted : (..., queries, d_v)
        The sum of exp(score - largest) * value.
    """

    largest: Float[Array, "*#batch queries"]
    total: Float[Array, "*#batch queries"]
    weighted: Float[Array, "*#batch queries d_v"]

    @property
    def output(self) -> Output:
        """Give the output of attention to these keys: zero if it may attend to none."""
        total = np.where(self.total == 0, 1, self.total)  # (..., queries)
        return self.weighted / total[..., None]  # (..., queries, d_v)

    @property
    def log_total(self) -> LogTotals:
        """Give the log of the sum of exp(score): ``-inf`` if it may attend to none."""
        with np.errstate(divide="ignore"):  # log(0) is -inf, as it should be
            return self.largest + np.log(self.total)


def empty_summary(
    queries: int,
    d_v: int,
    dtype: type | np.dtype = np.float64,
) -> Summary:
    """Summarise no keys at all: merged with another summary, it changes nothing.

    Parameters
    ----------
    queries : int
    d_v : int
        Width of a value.
    dtype : a floating-point dtype

    Returns
    -------
    summary : Summary
        Without axes in front: it broadcasts to the one it is merged with.

    Raises
    ------
    ValueError
        If ``queries`` or ``d_v`` is not a positive integer, or ``dtype`` is not
        one of floating-point numbers.
    """
    queries = _positive_integer("queries", queries)
    d_v = _positive_integer("d_v", d_v)
    _check_float_dtype(dtype)
    return Summary(
        largest=np.full(queries, -np.inf, dtype),
        total=np.zeros(queries, dtype),
        weighted=np.zeros((queries, d_v), dtype),
    )


def summarise(
    scores: Float[Array, "*#batch queries keys"],
    value: Float[Array, "*#batch keys d_v"],
) -> Summary:
    """Summarise one block of keys.

    Parameters
    ----------
    scores : (..., queries, keys)
        ``-inf`` where a query may not attend to a key.
    value : (..., keys, d_v)

    Returns
    -------
    summary : Summary

    Raises
    ------
    ValueError
        If an array is not floating-point, ``scores`` holds NaN or ``+inf``,
        ``value`` is not finite, there is no key, or the numbers of keys differ.
    """
    _check_scores_and_value(scores, value)
    scores, value = _wide(scores, value)
    largest = scores.max(-1)  # (..., queries)
    exponentials = np.exp(scores - _finite(largest)[..., None])
    return Summary(largest, exponentials.sum(-1), exponentials @ value)


def merge(a: Summary, b: Summary) -> Summary:
    """Make the summary of all keys out of the summaries of two parts of them.

    The order does not matter, nor does it in a chain of merges: the operation is
    commutative and, but for rounding, associative (Milakov & Gimelshein 2018,
    section 3.1, where there are no values yet).

    Parameters
    ----------
    a, b : Summary
        Of the same queries.

    Returns
    -------
    merged : Summary

    Raises
    ------
    ValueError
        If the summaries differ in the number of queries or in ``d_v``.
    """
    _check_same_queries(a, b)
    largest = np.maximum(a.largest, b.largest)  # (..., queries)
    # exp(s - old) * exp(old - new) = exp(s - new): what was summed relative
    # to one largest score becomes a sum relative to another.
    rescale_a = np.exp(a.largest - _finite(largest))  # (..., queries)
    rescale_b = np.exp(b.largest - _finite(largest))  # (..., queries)
    return Summary(
        largest,
        a.total * rescale_a + b.total * rescale_b,
        a.weighted * rescale_a[..., None] + b.weighted * rescale_b[..., None],
    )


def _finite(numbers: Array) -> Array:
    """Put 0 in the place of -inf, where no key was met: -inf - (-inf) is NaN."""
    return np.where(np.isneginf(numbers), 0, numbers)


def _check_same_queries(a: Summary, b: Summary) -> None:
    _check_same("b", b.largest.shape[-1], "the number of queries of a", a.largest.shape[-1])
    _check_same("b", b.weighted.shape[-1], "d_v of a", a.weighted.shape[-1])
