"""The exercises of chapter 7, which is about positions.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked.
"""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

Array = np.ndarray


def _differ(got: Array, expected: Array | int) -> bool:
    """Tell whether numbers differ; NaN, which has a diagnosis of its own, does not count."""
    return bool((np.abs(got - expected) > 1e-4).any())


def _lengths(rows: Array) -> Array:
    return np.linalg.norm(rows, axis=1)


# ----------------------------------------------------- sinusoidal_positions


def _hand(column: Array) -> Array:
    """Say which hand each column shows: two columns share one."""
    return column // 2


def _sinusoids(
    exponent: Callable = lambda column, d_model: -2 * _hand(column) / d_model,
    is_sine: Callable = lambda column, d_model: column % 2 == 0,
    first: int = 0,
    unit: Callable = lambda angle: angle,
) -> Callable:
    """Make a function like the right one, with some of its parts exchanged."""

    def positions(length, d_model):
        column = np.arange(d_model)  # (d_model,)
        speed = 10_000.0 ** exponent(column, d_model)
        angle = unit(np.arange(first, first + length)[:, None] * speed)  # (length, d_model)
        return np.where(is_sine(column, d_model), np.sin(angle), np.cos(angle))

    return positions


def _sines_then_cosines(length: int, d_model: int) -> Array:
    angles = by_hand.position_angles(length, d_model)  # (length, pairs)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)[:, :d_model]


def _down_to_the_base(column: Array, d_model: int) -> Array:
    """Let the last hand have the speed 1 / 10 000 itself."""
    return -_hand(column) / max((d_model - 1) // 2, 1)


SINUSOIDAL_POSITIONS = Exercise(
    name="sinusoidal_positions",
    signature="f(length, d_model)",
    outputs=("positions",),
    reference=by_hand.sinusoidal_positions,
    stages=(
        (
            example(length=3, d_model=2),
            example(length=3, d_model=4),
            example(length=4, d_model=6),
            example(length=40, d_model=8),
        ),
        (
            example(length=3, d_model=1),
            example(length=3, d_model=3),
            example(length=1, d_model=5),
            example(length=4, d_model=7),
        ),
    ),
    misconceptions=(
        misconception(
            "sines-then-cosines",
            "All your sines come first and all cosines after them. Here the two numbers of a hand "
            "stand side by side: sine, cosine, sine, cosine. (A model could learn with either. "
            "Weights trained with one do not fit the other.)",
            _sines_then_cosines,
        ),
        misconception(
            "cosine-first",
            "Sines and cosines have changed places. Column 0 is a sine, so the row of position 0 "
            "is 0, 1, 0, 1 and so on.",
            _sinusoids(is_sine=lambda column, d_model: column % 2 == 1),
        ),
        misconception(
            "counts-from-1",
            "Your first position is 1. Positions count from 0, and at 0 every angle is 0.",
            _sinusoids(first=1),
        ),
        misconception(
            "a-hand-for-each-column",
            "Every column has an angle of its own. Two neighbours share one: the sine and the "
            "cosine of the same angle. So the exponent is made of i = 0, 0, 1, 1, 2, 2 ...",
            _sinusoids(exponent=lambda column, d_model: -column / d_model),
            _sinusoids(exponent=lambda column, d_model: -2 * column / d_model),
        ),
        misconception(
            "factor-2-missing",
            "The hands do not slow down fast enough. The exponent is 2i divided by d_model, and in "
            "yours the 2 is missing.",
            _sinusoids(exponent=lambda column, d_model: -_hand(column) / d_model),
        ),
        misconception(
            "speed-multiplied",
            "Your hands get faster from pair to pair. The angle is p divided by a power of 10 000.",
            _sinusoids(exponent=lambda column, d_model: 2 * _hand(column) / d_model),
        ),
        misconception(
            "down-to-the-base",
            "Your hands slow down to a ten-thousandth of the first one's speed. With 2i divided by "
            "d_model in the exponent the last one stays faster than that. (Some well-known code "
            "does it your way.)",
            _sinusoids(exponent=_down_to_the_base),
        ),
        misconception(
            "sines-only",
            "All your columns are sines. A sine alone does not say where a hand points: beside "
            "it stands the cosine.",
            _sinusoids(is_sine=lambda column, d_model: column >= 0),
        ),
        misconception(
            "degrees",
            "You convert the angles to or from degrees. They are radians already: hand 0 moves on "
            "by 1 radian for each position.",
            _sinusoids(unit=np.radians),
            _sinusoids(unit=np.degrees),
        ),
        misconception(
            "odd-width-changes-the-speeds",
            "Right for an even d_model. For an odd one you make a table that is a column wider "
            "or narrower, and its hands have other speeds. Divide by d_model itself in the "
            "exponent.",
            lambda length, d_model: by_hand.sinusoidal_positions(length, d_model + d_model % 2)[
                :, :d_model
            ],
            _sinusoids(
                exponent=lambda column, d_model: -2 * _hand(column) / max(d_model - d_model % 2, 1)
            ),
        ),
        misconception(
            "lone-column-is-a-cosine",
            "Right for an even d_model. For an odd one the last column stands alone: it is the "
            "sine of its hand, and yours is the cosine.",
            _sinusoids(
                is_sine=lambda column, d_model: (column % 2 == 0) & (column < d_model - d_model % 2)
            ),
        ),
        misconception(
            "exponent-doubled",
            "Your hands slow down too fast. The number of an even column is 2i already: it is "
            "divided by d_model, and not doubled again.",
            _sinusoids(exponent=lambda column, d_model: -4 * _hand(column) / d_model),
        ),
        misconception(
            "another-base",
            "The base of the power is another one. Here it is 10 000.",
            _sinusoids(
                exponent=lambda column, d_model: (
                    np.log(1_000.0) / np.log(10_000.0) * -2 * _hand(column) / d_model
                )
            ),
            _sinusoids(
                exponent=lambda column, d_model: (
                    np.log(100_000.0) / np.log(10_000.0) * -2 * _hand(column) / d_model
                )
            ),
            _sinusoids(
                exponent=lambda column, d_model: (
                    np.log(1_000_000.0) / np.log(10_000.0) * -2 * _hand(column) / d_model
                )
            ),
            _sinusoids(
                exponent=lambda column, d_model: (
                    np.log(2.0) / np.log(10_000.0) * -2 * _hand(column) / d_model
                )
            ),
        ),
        misconception(
            "full-turns",
            "You multiply the angles by 2 pi. Hand 0 moves on by 1 radian for each position.",
            _sinusoids(unit=lambda angle: 2 * np.pi * angle),
        ),
        misconception(
            "one-speed",
            "All your hands have the same speed. Each pair of columns has a slower one than the"
            " pair before.",
            _sinusoids(exponent=lambda column, d_model: 0.0 * column),
        ),
        misconception(
            "positions-divided-by-length",
            "You divide the positions by the length. A position is its number: 0, 1, 2 and so "
            "on, in a text of any length.",
            lambda length, d_model: _sinusoids(unit=lambda angle: angle / length)(length, d_model),
        ),
        misconception(
            "cosine-of-the-next-hand",
            "Your cosines have the speed of the next pair. The two columns of a pair share one "
            "angle.",
            _sinusoids(exponent=lambda column, d_model: -2 * ((column + 1) // 2) / d_model),
        ),
    ),
    symptoms=(
        Symptom(
            "first-row",
            "Look at your first row. At position 0 every angle is 0, so the row is 0, 1, 0, 1 and "
            "so on.",
            lambda inputs, expected, got: _differ(got[0][0], expected[0][0]),
        ),
    ),
)


def sinusoidal_positions(answer: object) -> Verdict:
    """Check the table of sines and cosines.

    ``answer(length, d_model)`` takes two numbers. It returns an array (length,
    d_model): at position p, counted from 0, columns 2i and 2i + 1 hold sine and
    cosine of the angle p / 10000^(2i / d_model). If ``d_model`` is odd, the
    last column is a sine that stands alone.
    """
    return SINUSOIDAL_POSITIONS.check(answer)


# ------------------------------------------------------------- shift_matrix


def _matrix(entries: Callable) -> Callable:
    """Make a function of an angle from its matrix in terms of cosine and sine."""
    return lambda angle: np.array(entries(np.cos(angle), np.sin(angle)))


_shift = _matrix(lambda cos, sin: [[cos, -sin], [sin, cos]])

SHIFT_MATRIX = Exercise(
    name="shift_matrix",
    signature="f(angle)",
    outputs=("matrix",),
    reference=_shift,
    stages=(
        (
            example(angle=1.0),
            example(angle=0.25),
            example(angle=3.0),
        ),
        (
            example(angle=0.0),
            example(angle=-2.0),
        ),
    ),
    misconceptions=(
        misconception(
            "turned-back",
            "Your matrix turns the other way: it takes the angle off. Is it written for columns, "
            "matrix times vector, or for [cos, sin] in place of [sin, cos]? Here a row [sin, cos] "
            "stands on the left.",
            _matrix(lambda cos, sin: [[cos, sin], [-sin, cos]]),
        ),
        misconception(
            "no-minus",
            "A minus is missing: cos(a + b) is cos a cos b minus sin a sin b.",
            _matrix(lambda cos, sin: [[cos, sin], [sin, cos]]),
        ),
        misconception(
            "reflection",
            "Your matrix mirrors, it does not turn. Its two minus signs or its columns are in "
            "the wrong place.",
            _matrix(lambda cos, sin: [[cos, sin], [sin, -cos]]),
            _matrix(lambda cos, sin: [[-cos, sin], [sin, cos]]),
        ),
        misconception(
            "columns-swapped",
            "Your columns have changed places: the first makes the new sine, the second the new "
            "cosine.",
            _matrix(lambda cos, sin: [[-sin, cos], [cos, sin]]),
        ),
        misconception(
            "rows-swapped",
            "Your rows have changed places: the first says what the old sine contributes, the "
            "second what the old cosine does.",
            _matrix(lambda cos, sin: [[sin, cos], [cos, -sin]]),
        ),
        misconception(
            "sine-for-cosine",
            "Sines and cosines have changed places in your matrix. For an angle of 0 it has to "
            "change nothing: ones on the diagonal, zeros beside it.",
            _matrix(lambda cos, sin: [[sin, -cos], [cos, sin]]),
        ),
        misconception(
            "degrees",
            "You convert the angle to or from degrees. It is in radians already.",
            lambda angle: _shift(np.radians(angle)),
            lambda angle: _shift(np.degrees(angle)),
        ),
        misconception(
            "diagonal-only",
            "The new sine depends on the old cosine, too: your matrix has zeros beside the "
            "diagonal.",
            _matrix(lambda cos, sin: [[cos, 0 * cos], [0 * cos, cos]]),
            _matrix(lambda cos, sin: [[sin, 0 * sin], [0 * sin, cos]]),
            _matrix(lambda cos, sin: np.eye(2)),
        ),
        misconception(
            "turned-twice",
            "You turn by twice the angle.",
            lambda angle: _shift(2 * angle),
        ),
        misconception(
            "half-a-turn-too-far",
            "Both cosines have a minus, so you turn by half a turn more than the angle. The two"
            " minus signs become one: before one of the sines.",
            _matrix(lambda cos, sin: [[-cos, -sin], [sin, -cos]]),
        ),
        misconception(
            "minus-at-a-cosine",
            "One of your cosines has a minus. Only one of the sines has.",
            _matrix(lambda cos, sin: [[cos, -sin], [sin, -cos]]),
            _matrix(lambda cos, sin: [[-cos, -sin], [sin, cos]]),
        ),
    ),
    symptoms=(
        Symptom(
            "changes-lengths",
            "A turn changes no length. Each row of the matrix has length 1, and one of yours has "
            "not.",
            lambda inputs, expected, got: _differ(_lengths(got[0]), _lengths(expected[0])),
        ),
    ),
)


def shift_matrix(answer: object) -> Verdict:
    """Check the matrix that moves a hand on.

    ``answer(angle)`` takes an angle in radians. It returns a 2 × 2 matrix M
    such that the row [sin(a), cos(a)] times M is [sin(a + angle), cos(a +
    angle)], whatever a is.
    """
    return SHIFT_MATRIX.check(answer)


# ------------------------------------------------------------------- rotate


def _rotating(
    pairs: Callable = lambda x: (x[:, 0::2], x[:, 1::2]),
    change_angles: Callable = lambda angles: angles,
    first: Callable = lambda a, b, cos, sin: a * cos - b * sin,
    second: Callable = lambda a, b, cos, sin: a * sin + b * cos,
    join: Callable = lambda one, two: np.stack([one, two], -1).reshape(len(one), -1),
) -> Callable:
    """Make a function like the right one, with some of its parts exchanged."""

    def rotate(x, angles):
        a, b = pairs(x)
        angles = change_angles(angles)
        how = (a, b, np.cos(angles), np.sin(angles))
        return join(first(*how), second(*how))

    return rotate


def _halves(x: Array) -> tuple[Array, Array]:
    return tuple(np.split(x, 2, axis=1))


def _side_by_side(one: Array, two: Array) -> Array:
    return np.concatenate([one, two], axis=1)


ROTATE = Exercise(
    name="rotate",
    signature="f(x, angles)",
    outputs=("rotated",),
    reference=by_hand.rotate,
    stages=(
        (
            example(x=[[1, 0]], angles=[[1]]),
            example(x=[[1, 2], [3, 5]], angles=[[0], [1]]),
            example(x=[[1, 2, 3, 5]], angles=[[1, 0.5]]),
            example(x=[[1, 0, 2, 1], [3, -1, 1, 4]], angles=[[0.5, 0.25], [1, 2]]),
            example(
                x=[[1, 0, 2, 1, -1, 3], [3, -1, 1, 4, 0, 2], [2, 2, 5, 1, 1, 0]],
                angles=[[0, 0, 0], [1, 0.25, 0.5], [2, 0.5, 1]],
            ),
        ),
        (
            example(x=[[1, 2], [3, 4]], angles=[[-1], [-2]]),
            example(x=[[1, 2, 3, 4], [5, 6, 7, 8]], angles=[[0, 0], [0, 0]]),
        ),
    ),
    misconceptions=(
        misconception(
            "halves-paired",
            "You pair a column of the first half with one of the second. Here neighbours are "
            "paired: columns 0 and 1, 2 and 3 and so on. (Both exist. Weights trained with one do "
            "not fit the other.)",
            _rotating(pairs=_halves, join=_side_by_side),
            _rotating(pairs=_halves),
        ),
        misconception(
            "not-interleaved",
            "The pairs are turned correctly, but you return all the first numbers and then all "
            "the second ones. Put each number back into its own column.",
            _rotating(join=_side_by_side),
        ),
        misconception(
            "turned-back",
            "You turn the other way. A pair (1, 0) turned by a small angle has a positive second "
            "number.",
            _rotating(change_angles=np.negative),
        ),
        misconception(
            "first-number-overwritten",
            "The second number of a pair is made from the first one after its turn. Compute both "
            "from the old pair, and write afterwards.",
            _rotating(second=lambda a, b, cos, sin: (a * cos - b * sin) * sin + b * cos),
        ),
        misconception(
            "no-minus",
            "A minus is missing: the first number of a pair becomes a cos minus b sin.",
            _rotating(first=lambda a, b, cos, sin: a * cos + b * sin),
        ),
        misconception(
            "one-position-for-all",
            "All your rows are turned by the angles of one position. Each position has a row of "
            "angles of its own.",
            _rotating(change_angles=lambda angles: angles[:1]),
            _rotating(change_angles=lambda angles: angles[-1:]),
        ),
        misconception(
            "one-hand-for-all",
            "All your pairs are turned by the angle of one pair. Each pair has a column of angles "
            "of its own.",
            _rotating(change_angles=lambda angles: angles[:, :1]),
            _rotating(change_angles=lambda angles: angles[:, -1:]),
        ),
        misconception(
            "degrees",
            "You convert the angles to or from degrees. They are in radians already.",
            _rotating(change_angles=np.radians),
            _rotating(change_angles=np.degrees),
        ),
        misconception(
            "shrunk-not-turned",
            "You multiply each number by a cosine or sine of its own. In a turn the two numbers of "
            "a pair mix.",
            lambda x, angles: x * np.repeat(np.cos(angles), 2, axis=1),
            lambda x, angles: (
                x * np.stack([np.cos(angles), np.sin(angles)], axis=-1).reshape(x.shape)
            ),
        ),
        misconception(
            "angles-added",
            "You add something to each row. A turn adds nothing: it leaves the length of a row as "
            "it is.",
            lambda x, angles: x + np.repeat(angles, 2, axis=1),
            lambda x, angles: (
                x + np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(x.shape)
            ),
        ),
        misconception(
            "turned-twice",
            "You turn by twice the angles.",
            lambda x, angles: by_hand.rotate(x, 2 * angles),
        ),
        misconception(
            "positions-multiplied-again",
            "You multiply the angles by the positions. They are the finished angles, one row "
            "for each position.",
            lambda x, angles: by_hand.rotate(x, angles * np.arange(len(x))[:, None]),
            lambda x, angles: by_hand.rotate(x, angles * np.arange(1, len(x) + 1)[:, None]),
        ),
        misconception(
            "sine-for-cosine",
            "Sines and cosines have changed places. For an angle of 0 nothing may change.",
            lambda x, angles: by_hand.rotate(x, np.pi / 2 - angles),
        ),
        misconception(
            "pair-swapped",
            "The two numbers of each pair have changed places after the turn.",
            lambda x, angles: (
                by_hand.rotate(x, angles).reshape(len(x), -1, 2)[..., ::-1].reshape(x.shape)
            ),
        ),
        misconception(
            "partners-in-the-other-half",
            "Each number is paired with one of the other half, but has the angle of a pair of "
            "neighbours. Here neighbours are paired: columns 0 and 1, 2 and 3, and so on.",
            lambda x, angles: (
                x * np.repeat(np.cos(angles), 2, axis=1)
                + _side_by_side(-_halves(x)[1], _halves(x)[0])
                * np.repeat(np.sin(angles), 2, axis=1)
            ),
        ),
        misconception(
            "angles-in-two-blocks",
            "Neighbours are paired, but they do not get the same angle: you repeat the angles as "
            "a block. Repeat each one: np.repeat(angles, 2, axis=1).",
            lambda x, angles: (
                x * np.tile(np.cos(angles), 2)
                + np.stack([-x[:, 1::2], x[:, 0::2]], -1).reshape(x.shape)
                * np.tile(np.sin(angles), 2)
            ),
        ),
    ),
    symptoms=(
        Symptom(
            "changes-lengths",
            "A turn changes no length, and one of your rows is longer or shorter than it was.",
            lambda inputs, expected, got: _differ(_lengths(got[0]), _lengths(expected[0])),
        ),
    ),
)


def rotate(answer: object) -> Verdict:
    """Check the turning of queries or keys (RoPE).

    ``answer(x, angles)`` takes ``x`` (length, d_k), with an even d_k, and
    ``angles`` (length, d_k / 2) in radians. It returns an array like ``x``, in
    which columns 2i and 2i + 1 of each row are turned by angle i of that row: a
    pair (1, 0) becomes (cos, sin).
    """
    return ROTATE.check(answer)


# --------------------------------------------------------------- alibi_bias


def _bias(of: Callable) -> Callable:
    """Make a bias from ``of(slope, query, key)``, given positions as a column and a row."""

    def bias(slope, length):
        position = np.arange(length)
        return np.broadcast_to(of(slope, position[:, None], position), (length, length)) + 0.0

    return bias


ALIBI_BIAS = Exercise(
    name="alibi_bias",
    signature="f(slope, length)",
    outputs=("bias",),
    reference=_bias(lambda slope, query, key: -slope * np.abs(query - key)),
    stages=(
        (
            example(slope=0.5, length=2),
            example(slope=0.5, length=3),
            example(slope=0.25, length=4),
            example(slope=2.0, length=3),
        ),
        (example(slope=0.5, length=1),),
    ),
    misconceptions=(
        misconception(
            "reward",
            "Your bias is positive: it rewards distance. A distant key should lose.",
            _bias(lambda slope, query, key: slope * np.abs(query - key)),
        ),
        misconception(
            "signed-distance",
            "Your bias changes its sign at the diagonal, so keys on one side of the query gain "
            "by distance. A distance is never negative.",
            _bias(lambda slope, query, key: -slope * (query - key)),
            _bias(lambda slope, query, key: slope * (query - key)),
        ),
        misconception(
            "one-side-only",
            "Keys on one side of the query pay nothing. Here the bias is the same on both sides; "
            "whether a query may look ahead is for the mask to say.",
            _bias(lambda slope, query, key: -slope * np.maximum(query - key, 0)),
            _bias(lambda slope, query, key: -slope * np.maximum(key - query, 0)),
        ),
        misconception(
            "mask-included",
            "Your bias forbids the keys after the query. That is the mask's work; the bias is "
            "finite, and the same on both sides.",
            _bias(lambda slope, query, key: np.where(key > query, -np.inf, -slope * (query - key))),
            _bias(lambda slope, query, key: np.where(key > query, -1e9, -slope * (query - key))),
        ),
        misconception(
            "position-for-distance",
            "Your bias comes from one place alone, the key's or the query's. Distance needs both. "
            "(With a causal mask the softmax would not see the difference between slope times "
            "the key's position and the right bias. Without one it would.)",
            _bias(lambda slope, query, key: slope * key),
            _bias(lambda slope, query, key: -slope * key),
            _bias(lambda slope, query, key: -slope * query),
        ),
        misconception(
            "no-slope",
            "The slope has no effect on your bias. It says how much one step of distance costs.",
            _bias(lambda slope, query, key: -np.abs(query - key)),
        ),
        misconception(
            "divided-by-slope",
            "You divide by the slope. A steeper slope should make distance cost more.",
            _bias(lambda slope, query, key: -np.abs(query - key) / slope),
        ),
        misconception(
            "power",
            "You raise the slope to the power of the distance. The bias is a product. (The "
            "exponential comes later, in the softmax.)",
            _bias(lambda slope, query, key: slope ** np.abs(query - key)),
            _bias(lambda slope, query, key: -(slope ** np.abs(query - key))),
        ),
        misconception(
            "squared",
            "Your bias grows with the square of the distance. Each step costs the same.",
            _bias(lambda slope, query, key: -slope * (query - key) ** 2),
        ),
        misconception(
            "itself-pays",
            "A key at the query's own position already pays. Its distance is 0.",
            _bias(lambda slope, query, key: -slope * (np.abs(query - key) + 1)),
        ),
        misconception(
            "weights-not-bias",
            "You return exponentials of the bias, or weights. The bias is added to the scores; "
            "the softmax comes after.",
            _bias(lambda slope, query, key: np.exp(-slope * np.abs(query - key))),
            lambda slope, length: by_hand.softmax(ALIBI_BIAS.reference(slope, length)),
        ),
        misconception(
            "neighbours-free",
            "A neighbour pays nothing. Its distance is 1, so it pays the slope once.",
            _bias(lambda slope, query, key: -slope * np.maximum(np.abs(query - key) - 1, 0)),
        ),
        misconception(
            "divided-by-length",
            "You divide by the length of the text. One step of distance costs the slope in a "
            "text of any length.",
            lambda slope, length: _bias(lambda m, q, k: -m * np.abs(q - k))(slope, length) / length,
            lambda slope, length: (
                _bias(lambda m, q, k: -m * np.abs(q - k))(slope, length) / max(length - 1, 1)
            ),
        ),
        misconception(
            "logarithm-or-root",
            "Your bias grows more slowly than the distance. Each step costs the same.",
            _bias(lambda slope, query, key: -slope * np.log1p(np.abs(query - key))),
            _bias(lambda slope, query, key: -slope * np.sqrt(np.abs(query - key))),
        ),
    ),
    symptoms=(
        Symptom(
            "own-position",
            "A key at the query's own position is at distance 0, so the diagonal of your bias has "
            "to be 0.",
            lambda inputs, expected, got: _differ(np.diagonal(got[0]), 0),
        ),
    ),
)


def alibi_bias(answer: object) -> Verdict:
    """Check the bias that makes distance cost something (ALiBi), for one head.

    ``answer(slope, length)`` takes the head's slope and the number of
    positions. It returns an array (length, length), queries in rows, keys in
    columns: minus the slope times the distance, in both directions alike.
    """
    return ALIBI_BIAS.check(answer)


# ----------------------------------------------------- values_from_averages


def _count(average: Array) -> Array:
    return np.arange(1, len(average) + 1)[:, None]  # (length, 1): how many each row averages


def _before(rows: Array) -> Array:
    """Move all rows down by one, with zeros above."""
    return np.concatenate([np.zeros_like(rows[:1]), rows[:-1]])


def _values(average: Array) -> Array:
    total = _count(average) * average
    return total - _before(total)


def _averages_of(*values: list[int]) -> Array:
    return np.cumsum(np.array(values, dtype=float), axis=0) / np.arange(1, len(values) + 1)[:, None]


VALUES_FROM_AVERAGES = Exercise(
    name="values_from_averages",
    signature="f(average)",
    outputs=("value",),
    reference=_values,
    stages=(
        (
            example(average=_averages_of([1], [3])),
            example(average=_averages_of([1], [3], [5])),
            example(average=_averages_of([6], [2], [-2], [10])),
            example(average=_averages_of([1, 0], [0, 2], [5, 1])),
            example(average=_averages_of([2, 1, 0], [0, 3, 4], [4, -1, 2], [2, 5, 6])),
        ),
        (
            example(average=_averages_of([4, 7])),
            example(average=_averages_of([0], [0], [0], [0], [1])),
        ),
    ),
    misconceptions=(
        misconception(
            "differences-of-averages",
            "You take differences of the averages. A difference gives a value back when it is "
            "one of sums: first make the sum of each row out of its average.",
            lambda average: average - _before(average),
        ),
        misconception(
            "sums",
            "You return the sums of all values so far. One step is left: what did the last value "
            "add?",
            lambda average: _count(average) * average,
        ),
        misconception(
            "counts-from-0",
            "You multiply row p by p. Position p sees itself and the p before it: its average is "
            "over p + 1 values.",
            lambda average: (
                (_count(average) - 1) * average - _before((_count(average) - 1) * average)
            ),
        ),
        misconception(
            "previous-average-not-multiplied",
            "You take the previous average off a sum. It has to become a sum, too, with its own "
            "number of values.",
            lambda average: _count(average) * average - _before(average),
        ),
        misconception(
            "one-count-for-both",
            "You multiply both averages by the same number of values. The previous row has one "
            "value fewer in its average.",
            lambda average: _count(average) * (average - _before(average)),
        ),
        misconception(
            "length-for-all",
            "You multiply every row by the length of the whole text. Row p is an average over "
            "p + 1 values, as the mask hides those that come after it.",
            lambda average: len(average) * (average - _before(average)),
            lambda average: len(average) * average,
        ),
        misconception(
            "averages-of-two",
            "You undo an average of two rows. Row p is the average of all values up to p.",
            lambda average: np.concatenate([average[:1], 2 * average[1:] - average[:-1]]),
        ),
        misconception(
            "averages-returned",
            "You return the averages themselves.",
            lambda average: average.copy(),
        ),
        misconception(
            "averaged-again",
            "You average the averages, or add them up. The other direction is asked for.",
            lambda average: np.cumsum(average, axis=0) / _count(average),
            lambda average: np.cumsum(average, axis=0),
        ),
        misconception(
            "across-the-columns",
            "You take the differences across the columns. Row by row something is added: along "
            "axis 0.",
            lambda average: np.diff(_count(average) * average, axis=1, prepend=0),
        ),
        misconception(
            "counts-swapped",
            "Each average is multiplied by the number of values of the other row. Row p is over"
            " p + 1 values, the row before over p.",
            lambda average: (
                average * (_count(average) - 1 + (_count(average) == 1))
                - _before(average) * _count(average)
            ),
        ),
        misconception(
            "averages-subtracted",
            "From a sum of values you take averages off. Take off the sum of the values before.",
            lambda average: _count(average) * average - _before(np.cumsum(average, axis=0)),
        ),
    ),
    symptoms=(
        Symptom(
            "first-row",
            "Look at your first row. The first position sees itself alone, so its average is its "
            "value.",
            lambda inputs, expected, got: _differ(got[0][0], expected[0][0]),
        ),
    ),
)


def values_from_averages(answer: object) -> Verdict:
    """Check the reading back of values from causal averages.

    ``answer(average)`` takes an array (length, d_v). Row p is the output of
    causal attention whose scores are all equal: the average of the values of
    positions 0 to p. It returns the values (length, d_v).
    """
    return VALUES_FROM_AVERAGES.check(answer)


EXERCISES = (SINUSOIDAL_POSITIONS, SHIFT_MATRIX, ROTATE, ALIBI_BIAS, VALUES_FROM_AVERAGES)
