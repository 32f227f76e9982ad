"""Common mistakes in `rotate`, with their messages (position: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import misconception

Array = np.ndarray


def rotating(
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


def halves(x: Array) -> tuple[Array, Array]:
    return tuple(np.split(x, 2, axis=1))


def side_by_side(one: Array, two: Array) -> Array:
    return np.concatenate([one, two], axis=1)


MISTAKES = (
    misconception(
        "halves-paired",
        "You pair a column of the first half with one of the second. Here neighbours are "
        "paired: columns 0 and 1, 2 and 3 and so on. (Both exist. Weights trained with one do "
        "not fit the other.)",
        rotating(pairs=halves, join=side_by_side),
        rotating(pairs=halves),
    ),
    misconception(
        "not-interleaved",
        "The pairs are turned correctly, but you return all the first numbers and then all "
        "the second ones. Put each number back into its own column.",
        rotating(join=side_by_side),
    ),
    misconception(
        "turned-back",
        "You turn the other way. A pair (1, 0) turned by a small angle has a positive second "
        "number.",
        rotating(change_angles=np.negative),
    ),
    misconception(
        "first-number-overwritten",
        "The second number of a pair is made from the first one after its turn. Compute both "
        "from the old pair, and write afterwards.",
        rotating(second=lambda a, b, cos, sin: (a * cos - b * sin) * sin + b * cos),
    ),
    misconception(
        "no-minus",
        "A minus is missing: the first number of a pair becomes a cos minus b sin.",
        rotating(first=lambda a, b, cos, sin: a * cos + b * sin),
    ),
    misconception(
        "one-position-for-all",
        "All your rows are turned by the angles of one position. Each position has a row of "
        "angles of its own.",
        rotating(change_angles=lambda angles: angles[:1]),
        rotating(change_angles=lambda angles: angles[-1:]),
    ),
    misconception(
        "one-hand-for-all",
        "All your pairs are turned by the angle of one pair. Each pair has a column of angles "
        "of its own.",
        rotating(change_angles=lambda angles: angles[:, :1]),
        rotating(change_angles=lambda angles: angles[:, -1:]),
    ),
    misconception(
        "degrees",
        "You convert the angles to or from degrees. They are in radians already.",
        rotating(change_angles=np.radians),
        rotating(change_angles=np.degrees),
    ),
    misconception(
        "shrunk-not-turned",
        "You multiply each number by a cosine or sine of its own. In a turn the two numbers of "
        "a pair mix.",
        lambda x, angles: x * np.repeat(np.cos(angles), 2, axis=1),
        lambda x, angles: x * np.stack([np.cos(angles), np.sin(angles)], axis=-1).reshape(x.shape),
    ),
    misconception(
        "angles-added",
        "You add something to each row. A turn adds nothing: it leaves the length of a row as "
        "it is.",
        lambda x, angles: x + np.repeat(angles, 2, axis=1),
        lambda x, angles: x + np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(x.shape),
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
            + side_by_side(-halves(x)[1], halves(x)[0]) * np.repeat(np.sin(angles), 2, axis=1)
        ),
    ),
    misconception(
        "angles-in-two-blocks",
        "Neighbours are paired, but they do not get the same angle: you repeat the angles as "
        "a block. Repeat each one: np.repeat(angles, 2, axis=1).",
        lambda x, angles: (
            x * np.tile(np.cos(angles), 2)
            + np.stack([-x[:, 1::2], x[:, 0::2]], -1).reshape(x.shape) * np.tile(np.sin(angles), 2)
        ),
    ),
    misconception(
        "second-number-left",
        "The second number of each pair stays as it was. It turns, too: it becomes a sin "
        "plus b cos.",
        rotating(second=lambda a, b, cos, sin: b),
    ),
    misconception(
        "first-number-left",
        "The first number of each pair stays as it was. It turns, too: it becomes a cos "
        "minus b sin.",
        rotating(first=lambda a, b, cos, sin: a),
    ),
    misconception(
        "angles-in-reverse-order",
        "The angles come in reverse order. The first pair turns by the first angle.",
        rotating(change_angles=lambda angles: angles[:, ::-1]),
    ),
)
