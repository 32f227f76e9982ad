"""Answers to the exercises of the chapter `position`, right and wrong."""

import math

import numpy as np
from answers import right, wrong

# ----------------------------------------------------- sinusoidal_positions


def wave_table(length, d_model, speed_of, sine_in=(0,), start=0):
    """Fill a table with loops; ``sine_in`` are the columns, counted in pairs, with a sine."""
    table = []
    for p in range(start, start + length):
        row = []
        for column in range(d_model):
            angle = p * speed_of(column // 2)
            row.append(math.sin(angle) if column % 2 in sine_in else math.cos(angle))
        table.append(row)
    return table


@right("sinusoidal_positions")
def with_loops(length, d_model):
    return wave_table(length, d_model, lambda i: 10_000 ** (-2 * i / d_model))


@right("sinusoidal_positions")
def with_two_assignments(length, d_model):
    table = np.zeros((length, d_model))
    sines = np.arange(0, d_model, 2)
    angle = np.outer(np.arange(length), np.exp(-sines / d_model * np.log(10_000)))
    table[:, 0::2] = np.sin(angle)
    table[:, 1::2] = np.cos(angle)[:, : d_model // 2]
    return table


@right("sinusoidal_positions")
def cosine_as_a_sine_that_is_ahead(length, d_model):
    column = np.arange(d_model)
    angle = np.arange(length)[:, None] / 10_000 ** ((column - column % 2) / d_model)
    return np.sin(angle + np.pi / 2 * (column % 2))


@wrong("sinusoidal_positions", "sines-then-cosines")
def _(length, d_model):
    sines = (d_model + 1) // 2
    angle = np.outer(np.arange(length), 10_000 ** (-2 * np.arange(sines) / d_model))
    return np.hstack([np.sin(angle), np.cos(angle[:, : d_model - sines])])


@wrong("sinusoidal_positions", "cosine-first")
def _(length, d_model):
    return wave_table(length, d_model, lambda i: 10_000 ** (-2 * i / d_model), sine_in=(1,))


@wrong("sinusoidal_positions", "counts-from-1")
def _(length, d_model):
    return wave_table(length, d_model, lambda i: 10_000 ** (-2 * i / d_model), start=1)


@wrong("sinusoidal_positions", "a-hand-for-each-column")
def _(length, d_model):
    table = np.outer(np.arange(length), 10_000 ** (-np.arange(d_model) / d_model))
    table[:, 0::2] = np.sin(table[:, 0::2])
    table[:, 1::2] = np.cos(table[:, 1::2])
    return table


@wrong("sinusoidal_positions", "a-hand-for-each-column")
def column_taken_for_the_hand(length, d_model):
    table = np.outer(np.arange(length), 10_000 ** (-2 * np.arange(d_model) / d_model))
    return [[(math.sin, math.cos)[c % 2](angle) for c, angle in enumerate(row)] for row in table]


@wrong("sinusoidal_positions", "factor-2-missing")
def _(length, d_model):
    return wave_table(length, d_model, lambda i: 10_000 ** (-i / d_model))


@wrong("sinusoidal_positions", "speed-multiplied")
def _(length, d_model):
    return wave_table(length, d_model, lambda i: 10_000 ** (2 * i / d_model))


@wrong("sinusoidal_positions", "down-to-the-base")
def _(length, d_model):
    speeds = np.geomspace(1, 1e-4, (d_model + 1) // 2)
    return wave_table(length, d_model, lambda i: speeds[i])


@wrong("sinusoidal_positions", "sines-only")
def _(length, d_model):
    return wave_table(length, d_model, lambda i: 10_000 ** (-2 * i / d_model), sine_in=(0, 1))


@wrong("sinusoidal_positions", "degrees")
def _(length, d_model):
    return wave_table(length, d_model, lambda i: 2 * math.pi / 360 * 10_000 ** (-2 * i / d_model))


@wrong("sinusoidal_positions", "degrees")
def to_degrees(length, d_model):
    return wave_table(length, d_model, lambda i: 180 / math.pi * 10_000 ** (-2 * i / d_model))


@wrong("sinusoidal_positions", "odd-width-changes-the-speeds")
def _(length, d_model):
    wider = 2 * math.ceil(d_model / 2)
    return [row[:d_model] for row in with_loops(length, wider)]


@wrong("sinusoidal_positions", "odd-width-changes-the-speeds")
def speeds_of_a_narrower_table(length, d_model):
    pairs = d_model // 2
    return wave_table(length, d_model, lambda i: 10_000 ** (-i / pairs) if pairs else 1)


@wrong("sinusoidal_positions", "lone-column-is-a-cosine")
def _(length, d_model):
    table = np.array(with_loops(length, d_model))
    if d_model % 2:
        angle = np.arange(length) * 10_000 ** (-(d_model - 1) / d_model)
        table[:, -1] = np.cos(angle)
    return table


@wrong("sinusoidal_positions", "first-row")
def _(length, d_model):
    return np.outer(np.arange(length), 10_000 ** (-np.arange(d_model) / d_model)) + 0.5


@wrong("sinusoidal_positions", "wrong-shape")
def a_column_too_many(length, d_model):
    return with_loops(length, 2 * math.ceil(d_model / 2))


@wrong("sinusoidal_positions", "transposed")
def _(length, d_model):
    return np.array(with_loops(length, d_model)).T


# ------------------------------------------------------------- shift_matrix


@right("shift_matrix")
def written_out(angle):
    return [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]


@right("shift_matrix")
def from_two_hands(angle):
    """What becomes of [1, 0], a hand at 90 degrees, and of [0, 1], a hand at 0."""
    return [[np.sin(at + angle), np.cos(at + angle)] for at in (np.pi / 2, 0)]


@right("shift_matrix")
def solved_for(angle):
    old, new = np.array([0.3, 1.7]), np.array([0.3, 1.7]) + angle
    return np.linalg.solve(
        np.stack([np.sin(old), np.cos(old)], axis=1), np.stack([np.sin(new), np.cos(new)], axis=1)
    )


@wrong("shift_matrix", "turned-back")
def _(angle):
    return np.transpose(written_out(angle))


@wrong("shift_matrix", "turned-back")
def minus_the_angle(angle):
    return written_out(-angle)


@wrong("shift_matrix", "no-minus")
def _(angle):
    c, s = math.cos(angle), math.sin(angle)
    return [[c, s], [s, c]]


@wrong("shift_matrix", "reflection")
def _(angle):
    return np.array(written_out(angle)) @ np.diag([1, -1])


@wrong("shift_matrix", "reflection")
def mirrored_the_other_way(angle):
    c, s = math.cos(angle), math.sin(angle)
    return [[-c, s], [s, c]]


@wrong("shift_matrix", "columns-swapped")
def _(angle):
    return np.array(written_out(angle))[:, ::-1]


@wrong("shift_matrix", "rows-swapped")
def _(angle):
    return written_out(angle)[::-1]


@wrong("shift_matrix", "sine-for-cosine")
def _(angle):
    return [[np.sin(angle), -np.cos(angle)], [np.cos(angle), np.sin(angle)]]


@wrong("shift_matrix", "degrees")
def _(angle):
    return written_out(angle * math.pi / 180)


@wrong("shift_matrix", "degrees")
def into_degrees(angle):
    return written_out(angle / math.pi * 180)


@wrong("shift_matrix", "diagonal-only")
def _(angle):
    return np.diag([math.cos(angle)] * 2)


@wrong("shift_matrix", "diagonal-only")
def sine_and_cosine_on_the_diagonal(angle):
    return np.diag([math.sin(angle), math.cos(angle)])


@wrong("shift_matrix", "changes-lengths")
def small_angle(angle):
    return [[1, -angle], [angle, 1]]


@wrong("shift_matrix", "wrong-shape")
def the_row_of_the_angle(angle):
    return [math.sin(angle), math.cos(angle)]


# ------------------------------------------------------------------- rotate


def turn_pairs(x, angles, turn):
    """Turn pair after pair with ``turn(a, b, angle)``."""
    rows = []
    for row, row_of_angles in zip(x, angles, strict=True):
        turned = []
        for i, angle in enumerate(row_of_angles):
            turned.extend(turn(row[2 * i], row[2 * i + 1], angle))
        rows.append(turned)
    return rows


def turn_one(a, b, angle):
    return a * math.cos(angle) - b * math.sin(angle), a * math.sin(angle) + b * math.cos(angle)


@right("rotate")
def rotate_with_loops(x, angles):
    return turn_pairs(x, angles, turn_one)


@right("rotate")
def rotate_with_complex_numbers(x, angles):
    points = (x[:, 0::2] + 1j * x[:, 1::2]) * np.exp(1j * angles)
    return np.stack([points.real, points.imag], axis=2).reshape(x.shape)


@right("rotate")
def rotate_with_repeated_angles(x, angles):
    partner = x.reshape(len(x), -1, 2)[..., ::-1].reshape(x.shape) * np.tile(
        [-1, 1], x.shape[1] // 2
    )
    every = np.repeat(angles, 2, axis=1)
    return x * np.cos(every) + partner * np.sin(every)


@right("rotate")
def rotate_a_matrix_for_each_position(x, angles):
    rows = []
    for row, hands in zip(x, angles, strict=True):
        matrix = np.zeros((x.shape[1], x.shape[1]))
        for i, angle in enumerate(hands):
            c, s = np.cos(angle), np.sin(angle)
            matrix[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[c, s], [-s, c]]
        rows.append(row @ matrix)
    return np.array(rows)


@wrong("rotate", "halves-paired")
def _(x, angles):
    cos, sin = np.tile(np.cos(angles), 2), np.tile(np.sin(angles), 2)
    half = x.shape[1] // 2
    return x * cos + np.hstack([-x[:, half:], x[:, :half]]) * sin


@wrong("rotate", "halves-paired")
def halves_dealt_out(x, angles):
    half = x.shape[1] // 2
    points = (x[:, :half] + 1j * x[:, half:]) * np.exp(1j * angles)
    return np.stack([points.real, points.imag], axis=2).reshape(x.shape)


@wrong("rotate", "not-interleaved")
def _(x, angles):
    points = (x[:, 0::2] + 1j * x[:, 1::2]) * np.exp(1j * angles)
    return np.hstack([points.real, points.imag])


@wrong("rotate", "turned-back")
def _(x, angles):
    return turn_pairs(x, -angles, turn_one)


@wrong("rotate", "turned-back")
def minus_in_the_other_place(x, angles):
    return turn_pairs(
        x,
        angles,
        lambda a, b, t: (
            a * math.cos(t) + b * math.sin(t),
            b * math.cos(t) - a * math.sin(t),
        ),
    )


@wrong("rotate", "first-number-overwritten")
def _(x, angles):
    turned = x.copy()
    turned[:, 0::2] = turned[:, 0::2] * np.cos(angles) - turned[:, 1::2] * np.sin(angles)
    turned[:, 1::2] = turned[:, 0::2] * np.sin(angles) + turned[:, 1::2] * np.cos(angles)
    return turned


@wrong("rotate", "no-minus")
def _(x, angles):
    return turn_pairs(
        x,
        angles,
        lambda a, b, t: (
            a * math.cos(t) + b * math.sin(t),
            a * math.sin(t) + b * math.cos(t),
        ),
    )


@wrong("rotate", "one-position-for-all")
def _(x, angles):
    return turn_pairs(x, [angles[0]] * len(x), turn_one)


@wrong("rotate", "one-position-for-all")
def the_last_position_for_all(x, angles):
    return turn_pairs(x, [angles[-1]] * len(x), turn_one)


@wrong("rotate", "one-hand-for-all")
def _(x, angles):
    return turn_pairs(x, [[row[0]] * len(row) for row in angles], turn_one)


@wrong("rotate", "one-hand-for-all")
def the_slowest_hand_for_all(x, angles):
    return turn_pairs(x, [[row[-1]] * len(row) for row in angles], turn_one)


@wrong("rotate", "degrees")
def _(x, angles):
    return turn_pairs(x, angles * math.pi / 180, turn_one)


@wrong("rotate", "degrees")
def into_degrees_first(x, angles):
    return turn_pairs(x, angles * 180 / math.pi, turn_one)


@wrong("rotate", "shrunk-not-turned")
def _(x, angles):
    return turn_pairs(x, angles, lambda a, b, t: (a * math.cos(t), b * math.cos(t)))


@wrong("rotate", "shrunk-not-turned")
def a_factor_for_each(x, angles):
    return turn_pairs(x, angles, lambda a, b, t: (a * math.cos(t), b * math.sin(t)))


@wrong("rotate", "angles-added")
def _(x, angles):
    return turn_pairs(x, angles, lambda a, b, t: (a + t, b + t))


@wrong("rotate", "angles-added")
def waves_added(x, angles):
    return turn_pairs(x, angles, lambda a, b, t: (a + math.sin(t), b + math.cos(t)))


@wrong("rotate", "changes-lengths")
def turned_and_doubled(x, angles):
    return 2 * np.array(turn_pairs(x, angles, turn_one))


# --------------------------------------------------------------- alibi_bias


def of_each_pair(length, cost):
    return [[cost(i, j) for j in range(length)] for i in range(length)]


@right("alibi_bias")
def bias_with_loops(slope, length):
    return of_each_pair(length, lambda i, j: -slope * abs(i - j))


@right("alibi_bias")
def bias_of_diagonals(slope, length):
    return sum(-slope * d * (np.eye(length, k=d) + np.eye(length, k=-d)) for d in range(length))


@right("alibi_bias")
def bias_as_a_minimum(slope, length):
    steps = np.subtract.outer(np.arange(length), np.arange(length))
    return np.minimum(steps, -steps) * slope


@wrong("alibi_bias", "reward")
def _(slope, length):
    return of_each_pair(length, lambda i, j: slope * abs(j - i))


@wrong("alibi_bias", "signed-distance")
def _(slope, length):
    return of_each_pair(length, lambda i, j: slope * (j - i))


@wrong("alibi_bias", "signed-distance")
def signed_the_other_way(slope, length):
    return of_each_pair(length, lambda i, j: slope * (i - j))


@wrong("alibi_bias", "one-side-only")
def _(slope, length):
    return np.tril(bias_with_loops(slope, length))


@wrong("alibi_bias", "one-side-only")
def the_other_side_only(slope, length):
    return np.triu(bias_with_loops(slope, length))


@wrong("alibi_bias", "mask-included")
def _(slope, length):
    return of_each_pair(length, lambda i, j: -slope * (i - j) if j <= i else -math.inf)


@wrong("alibi_bias", "mask-included")
def with_a_large_number(slope, length):
    return of_each_pair(length, lambda i, j: -slope * (i - j) if j <= i else -1e9)


@wrong("alibi_bias", "position-for-distance")
def _(slope, length):
    return np.tile(slope * np.arange(length), (length, 1))


@wrong("alibi_bias", "position-for-distance")
def the_position_as_a_price(slope, length):
    return np.tile(-slope * np.arange(length), (length, 1))


@wrong("alibi_bias", "position-for-distance")
def the_position_of_the_query(slope, length):
    return np.tile(-slope * np.arange(length), (length, 1)).T


@wrong("alibi_bias", "no-slope")
def _(slope, length):
    return of_each_pair(length, lambda i, j: -abs(i - j))


@wrong("alibi_bias", "divided-by-slope")
def _(slope, length):
    return of_each_pair(length, lambda i, j: -abs(i - j) / slope)


@wrong("alibi_bias", "power")
def _(slope, length):
    return of_each_pair(length, lambda i, j: slope ** abs(i - j))


@wrong("alibi_bias", "power")
def minus_a_power(slope, length):
    return of_each_pair(length, lambda i, j: -math.pow(slope, abs(i - j)))


@wrong("alibi_bias", "squared")
def _(slope, length):
    return of_each_pair(length, lambda i, j: -slope * (i - j) * (i - j))


@wrong("alibi_bias", "itself-pays")
def _(slope, length):
    return of_each_pair(length, lambda i, j: -slope * (1 + abs(i - j)))


@wrong("alibi_bias", "weights-not-bias")
def _(slope, length):
    return of_each_pair(length, lambda i, j: math.exp(-slope * abs(i - j)))


@wrong("alibi_bias", "weights-not-bias")
def through_a_softmax(slope, length):
    e = np.exp(bias_with_loops(slope, length))
    return e / e.sum(axis=1, keepdims=True)


@wrong("alibi_bias", "own-position")
def _(slope, length):
    return of_each_pair(length, lambda i, j: -slope * (i + j + 1))


@wrong("alibi_bias", "wrong-shape")
def one_row_alone(slope, length):
    return [-slope * distance for distance in range(length)]


# ----------------------------------------------------- values_from_averages


@right("values_from_averages")
def with_a_running_total(average):
    total, values = 0, []
    for p, row in enumerate(average):
        values.append((p + 1) * row - total)
        total = total + values[-1]
    return values


@right("values_from_averages")
def solved_with_the_weights(average):
    length = len(average)
    weights = np.tri(length) / np.arange(1, length + 1)[:, None]
    return np.linalg.solve(weights, average)


@right("values_from_averages")
def with_diff(average):
    sums = average * np.arange(1, len(average) + 1).reshape(-1, 1)
    return np.diff(sums, axis=0, prepend=0)


def with_factors(average, now, before):
    """Return ``now(p)`` times row p less ``before(p)`` times the row above it."""
    return [
        now(p) * average[p] - (before(p) * average[p - 1] if p else 0) for p in range(len(average))
    ]


@wrong("values_from_averages", "differences-of-averages")
def _(average):
    return np.diff(average, axis=0, prepend=0)


@wrong("values_from_averages", "sums")
def _(average):
    return [(p + 1) * row for p, row in enumerate(average)]


@wrong("values_from_averages", "counts-from-0")
def _(average):
    return with_factors(average, lambda p: p, lambda p: p - 1)


@wrong("values_from_averages", "previous-average-not-multiplied")
def _(average):
    return with_factors(average, lambda p: p + 1, lambda p: 1)


@wrong("values_from_averages", "one-count-for-both")
def _(average):
    return with_factors(average, lambda p: p + 1, lambda p: p + 1)


@wrong("values_from_averages", "length-for-all")
def _(average):
    return with_factors(average, lambda p: len(average), lambda p: len(average))


@wrong("values_from_averages", "length-for-all")
def only_multiplied(average):
    return average * average.shape[0]


@wrong("values_from_averages", "averages-of-two")
def _(average):
    return with_factors(average, lambda p: 2 if p else 1, lambda p: 1)


@wrong("values_from_averages", "averages-returned")
def _(average):
    return average


@wrong("values_from_averages", "averaged-again")
def _(average):
    return [average[: p + 1].mean(axis=0) for p in range(len(average))]


@wrong("values_from_averages", "averaged-again")
def added_up(average):
    return [average[: p + 1].sum(axis=0) for p in range(len(average))]


@wrong("values_from_averages", "first-row")
def read_from_the_end(average):
    return with_diff(average[::-1])[::-1]


@wrong("values_from_averages", "begins-late")
def a_row_too_few(average):
    return np.diff(average * np.arange(1, len(average) + 1)[:, None], axis=0)
