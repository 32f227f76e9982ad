"""Common mistakes in `sinusoidal_positions`, with their messages (position: Exercises)."""

import numpy as np

from attention import by_hand
from attention.checks._exercise import misconception
from attention.checks.position._sinusoidal_positions_steps import (
    down_to_the_base,
    hand,
    multiplied_by_the_exponent,
    multiplied_by_the_exponent_but_for_the_first,
    sines_then_cosines,
    sinusoids,
)

MISTAKES = (
    misconception(
        "sines-then-cosines",
        "All your sines come first and all cosines after them. Here the two numbers of a hand "
        "stand side by side: sine, cosine, sine, cosine. (A model could learn with either. "
        "Weights trained with one do not fit the other.)",
        sines_then_cosines,
    ),
    misconception(
        "cosine-first",
        "Sines and cosines have changed places. Column 0 is a sine, so the row of position 0 "
        "is 0, 1, 0, 1 and so on.",
        sinusoids(is_sine=lambda column, d_model: column % 2 == 1),
    ),
    misconception(
        "counts-from-1",
        "Your first position is 1. Positions count from 0, and at 0 every angle is 0.",
        sinusoids(first=1),
    ),
    misconception(
        "a-hand-for-each-column",
        "Every column has an angle of its own. Two neighbours share one: the sine and the "
        "cosine of the same angle. So the exponent is made of i = 0, 0, 1, 1, 2, 2 ...",
        sinusoids(exponent=lambda column, d_model: -column / d_model),
        sinusoids(exponent=lambda column, d_model: -2 * column / d_model),
    ),
    misconception(
        "factor-2-missing",
        "The hands do not slow down fast enough. The exponent is 2i divided by d_model, and in "
        "yours the 2 is missing.",
        sinusoids(exponent=lambda column, d_model: -hand(column) / d_model),
    ),
    misconception(
        "speed-multiplied",
        "Your hands get faster from pair to pair. The angle is p divided by a power of 10 000.",
        sinusoids(exponent=lambda column, d_model: 2 * hand(column) / d_model),
    ),
    misconception(
        "down-to-the-base",
        "Your hands slow down to a ten-thousandth of the first one's speed. With 2i divided by "
        "d_model in the exponent the last one stays faster than that. (Some well-known code "
        "does it your way.)",
        sinusoids(exponent=down_to_the_base),
    ),
    misconception(
        "sines-only",
        "All your columns are sines. A sine alone does not say where a hand points: beside "
        "it stands the cosine.",
        sinusoids(is_sine=lambda column, d_model: column >= 0),
    ),
    misconception(
        "degrees",
        "You convert the angles to or from degrees. They are radians already: hand 0 moves on "
        "by 1 radian for each position.",
        sinusoids(unit=np.radians),
        sinusoids(unit=np.degrees),
    ),
    misconception(
        "odd-width-changes-the-speeds",
        "Right for an even d_model. For an odd one you make a table that is a column wider "
        "or narrower, and its hands have other speeds. Divide by d_model itself in the "
        "exponent.",
        lambda length, d_model: by_hand.sinusoidal_positions(length, d_model + d_model % 2)[
            :, :d_model
        ],
        sinusoids(
            exponent=lambda column, d_model: -2 * hand(column) / max(d_model - d_model % 2, 1)
        ),
    ),
    misconception(
        "lone-column-is-a-cosine",
        "Right for an even d_model. For an odd one the last column stands alone: it is the "
        "sine of its hand, and yours is the cosine.",
        sinusoids(
            is_sine=lambda column, d_model: (column % 2 == 0) & (column < d_model - d_model % 2)
        ),
    ),
    misconception(
        "exponent-doubled",
        "Your hands slow down too fast. The number of an even column is 2i already: it is "
        "divided by d_model, and not doubled again.",
        sinusoids(exponent=lambda column, d_model: -4 * hand(column) / d_model),
    ),
    misconception(
        "another-base",
        "The base of the power is another one. Here it is 10 000.",
        sinusoids(
            exponent=lambda column, d_model: (
                np.log(1_000.0) / np.log(10_000.0) * -2 * hand(column) / d_model
            )
        ),
        sinusoids(
            exponent=lambda column, d_model: (
                np.log(100_000.0) / np.log(10_000.0) * -2 * hand(column) / d_model
            )
        ),
        sinusoids(
            exponent=lambda column, d_model: (
                np.log(1_000_000.0) / np.log(10_000.0) * -2 * hand(column) / d_model
            )
        ),
        sinusoids(
            exponent=lambda column, d_model: (
                np.log(2.0) / np.log(10_000.0) * -2 * hand(column) / d_model
            )
        ),
    ),
    misconception(
        "full-turns",
        "You multiply the angles by 2 pi. Hand 0 moves on by 1 radian for each position.",
        sinusoids(unit=lambda angle: 2 * np.pi * angle),
    ),
    misconception(
        "one-speed",
        "All your hands have the same speed. Each pair of columns has a slower one than the"
        " pair before.",
        sinusoids(exponent=lambda column, d_model: 0.0 * column),
    ),
    misconception(
        "positions-divided-by-length",
        "You divide the positions by the length. A position is its number: 0, 1, 2 and so "
        "on, in a text of any length.",
        lambda length, d_model: sinusoids(unit=lambda angle: angle / length)(length, d_model),
    ),
    misconception(
        "cosine-of-the-next-hand",
        "Your cosines have the speed of the next pair. The two columns of a pair share one angle.",
        sinusoids(exponent=lambda column, d_model: -2 * ((column + 1) // 2) / d_model),
    ),
    misconception(
        "hands-count-from-1",
        "Your first hand has i = 1. The first two columns belong to i = 0, and turn by 1 at "
        "each position.",
        sinusoids(exponent=lambda column, d_model: -2 * (hand(column) + 1) / d_model),
    ),
    misconception(
        "product-for-power",
        "You multiply 10 000 by the exponent. It is taken to that power: 10 000 to the power of "
        "2i, divided by d_model.",
        sinusoids(exponent=multiplied_by_the_exponent),
        sinusoids(exponent=multiplied_by_the_exponent_but_for_the_first),
    ),
)
