"""Answers to the exercises of the chapter `learning`, right and wrong."""

import math

import numpy as np
from answers import right, wrong

# ------------------------------------------------------- fastest_rising_key


def gains(weights, value, upstream):
    """Return how fast each score rises, one key at a time."""
    output = [
        sum(w * v[c] for w, v in zip(weights, value, strict=True)) for c in range(len(value[0]))
    ]
    return [
        -w * sum((v[c] - output[c]) * upstream[c] for c in range(len(output)))
        for w, v in zip(weights, value, strict=True)
    ]


def place_of_largest(numbers):
    return max(range(len(numbers)), key=lambda place: numbers[place])


def usefulness(value, upstream):
    return [-sum(a * b for a, b in zip(row, upstream, strict=True)) for row in value]


@right("fastest_rising_key")
def key_with_loops(weights, value, upstream):
    return place_of_largest(gains(weights, value, upstream))


@right("fastest_rising_key")
def key_from_the_loss_of_a_line(weights, value, upstream):
    slope = np.array([w * (value[j] - weights @ value) @ upstream for j, w in enumerate(weights)])
    return int(np.argsort(slope)[0])


@right("fastest_rising_key")
def key_by_trying(weights, value, upstream):
    def loss(j, step):
        raised = np.array([w * (np.exp(step) if i == j else 1) for i, w in enumerate(weights)])
        return raised / raised.sum() @ value @ upstream

    return np.argmin([loss(j, 1e-4) - loss(j, -1e-4) for j in range(len(weights))])


@wrong("fastest_rising_key", "weight-ignored")
def _(weights, value, upstream):
    return place_of_largest(usefulness(value, upstream))


@wrong("fastest_rising_key", "average-ignored")
def _(weights, value, upstream):
    helps = usefulness(value, upstream)
    return place_of_largest([w * h for w, h in zip(weights, helps, strict=True)])


@wrong("fastest_rising_key", "largest-weight")
def _(weights, value, upstream):
    return place_of_largest(list(weights))


@wrong("fastest_rising_key", "falls-fastest")
def _(weights, value, upstream):
    return place_of_largest([-gain for gain in gains(weights, value, upstream)])


@wrong("fastest_rising_key", "moves-fastest")
def _(weights, value, upstream):
    return place_of_largest([math.fabs(gain) for gain in gains(weights, value, upstream)])


@wrong("fastest_rising_key", "does-most-harm")
def _(weights, value, upstream):
    return place_of_largest([-help for help in usefulness(value, upstream)])


@wrong("fastest_rising_key", "plain-mean")
def _(weights, value, upstream):
    mean = np.mean(value, axis=0)
    return place_of_largest(
        [-w * np.dot(v - mean, upstream) for w, v in zip(weights, value, strict=True)]
    )


@wrong("fastest_rising_key", "weighted-harm")
def _(weights, value, upstream):
    helps = usefulness(value, upstream)
    return place_of_largest([-w * h for w, h in zip(weights, helps, strict=True)])


@wrong("fastest_rising_key", "counted-from-1")
def _(weights, value, upstream):
    return 1 + key_with_loops(weights, value, upstream)


@wrong("fastest_rising_key", "rises-returned")
def _(weights, value, upstream):
    return gains(weights, value, upstream)


@wrong("fastest_rising_key", "nearest-to-the-output")
def _(weights, value, upstream):
    far = [math.dist(row, weights @ value) for row in value]
    return far.index(min(far))


# --------------------------------------------------------- softmax_gradient


def row_by_row(function):
    """Make a gradient from what is done with one row."""
    return lambda weights, upstream: [
        function(list(w), list(u)) for w, u in zip(weights, upstream, strict=True)
    ]


def averaged(w, u):
    return sum(a * b for a, b in zip(w, u, strict=True))


@right("softmax_gradient")
def softmax_gradient_with_loops(weights, upstream):
    return row_by_row(lambda w, u: [a * (b - averaged(w, u)) for a, b in zip(w, u, strict=True)])(
        weights, upstream
    )


@right("softmax_gradient")
def softmax_gradient_by_jacobians(weights, upstream):
    return np.stack(
        [u @ (np.diag(w) - np.outer(w, w)) for w, u in zip(weights, upstream, strict=True)]
    )


@wrong("softmax_gradient", "average-forgotten")
def _(weights, upstream):
    return np.multiply(upstream, weights)


@wrong("softmax_gradient", "element-by-element")
def _(weights, upstream):
    return upstream * (weights - weights**2)


@wrong("softmax_gradient", "weight-forgotten")
def _(weights, upstream):
    return row_by_row(lambda w, u: [b - averaged(w, u) for b in u])(weights, upstream)


@wrong("softmax_gradient", "plain-mean")
def _(weights, upstream):
    return row_by_row(lambda w, u: [a * (b - sum(u) / len(u)) for a, b in zip(w, u, strict=True)])(
        weights, upstream
    )


@wrong("softmax_gradient", "plain-sum")
def _(weights, upstream):
    return row_by_row(lambda w, u: [a * (b - sum(u)) for a, b in zip(w, u, strict=True)])(
        weights, upstream
    )


@wrong("softmax_gradient", "summed-over-the-queries")
def _(weights, upstream):
    return weights * upstream - weights * np.einsum("qk,qk->k", weights, upstream)


@wrong("softmax_gradient", "summed-over-everything")
def _(weights, upstream):
    return weights * upstream - weights * np.vdot(weights, upstream)


@wrong("softmax_gradient", "added")
def _(weights, upstream):
    return row_by_row(lambda w, u: [a * (b + averaged(w, u)) for a, b in zip(w, u, strict=True)])(
        weights, upstream
    )


@wrong("softmax_gradient", "wrong-sign")
def _(weights, upstream):
    return row_by_row(lambda w, u: [a * (averaged(w, u) - b) for a, b in zip(w, u, strict=True)])(
        weights, upstream
    )


@wrong("softmax_gradient", "weight-missing-on-the-average")
def _(weights, upstream):
    return row_by_row(lambda w, u: [a * b - averaged(w, u) for a, b in zip(w, u, strict=True)])(
        weights, upstream
    )


@wrong("softmax_gradient", "softmax-again")
def _(weights, upstream):
    again = np.exp(weights)
    again = again / np.sum(again, axis=1)[:, None]
    return softmax_gradient_by_jacobians(again, upstream)


@wrong("softmax_gradient", "weights-minus-upstream")
def _(weights, upstream):
    return np.subtract(weights, upstream)


@wrong("softmax_gradient", "arguments-swapped")
def _(weights, upstream):
    return softmax_gradient_by_jacobians(upstream, weights)


@wrong("softmax_gradient", "one-weight-squared")
def _(weights, upstream):
    return row_by_row(lambda w, u: [a * b - a * a * sum(u) for a, b in zip(w, u, strict=True)])(
        weights, upstream
    )


@wrong("softmax_gradient", "weightless-key-moves")
def gradient_with_a_floor(weights, upstream):
    return np.where(weights > 0, softmax_gradient_by_jacobians(weights, upstream), -1)


@wrong("softmax_gradient", "rows-do-not-sum-to-0")
def gradient_of_another_average(weights, upstream):
    return weights * (upstream - upstream.max(axis=1, keepdims=True))


# ------------------------------------------------------ central_differences


def entry_by_entry(quotient):
    """Make a gradient from a function of the place: f(moved up), f(moved down), f(there), step."""

    def differences(function, array, step):
        numbers = []
        for place in range(array.size):
            move = np.zeros(array.size)
            move[place] = step
            move = move.reshape(array.shape)
            numbers.append(
                quotient(function(array + move), function(array - move), function(array), step)
            )
        return np.reshape(numbers, array.shape)

    return differences


@right("central_differences")
def differences_with_an_identity(function, array, step):
    directions = np.eye(array.size).reshape(array.size, *array.shape) * step
    return np.reshape(
        [(function(array + d) - function(array - d)) / step / 2 for d in directions], array.shape
    )


@right("central_differences")
def differences_in_place(function, array, step):
    moved, gradient = array.copy(), np.empty_like(array)
    for place in np.ndindex(*array.shape):
        before = moved[place]
        moved[place] = before + step
        above = function(moved)
        moved[place] = before - step
        gradient[place] = above - function(moved)
        moved[place] = before
    return gradient / (step + step)


wrong("central_differences", "forward")(entry_by_entry(lambda a, b, c, h: (a - c) / h))
wrong("central_differences", "backward")(entry_by_entry(lambda a, b, c, h: (c - b) / h))
wrong("central_differences", "step-counted-once")(entry_by_entry(lambda a, b, c, h: (a - b) / h))
wrong("central_differences", "forward-over-two-steps")(
    entry_by_entry(lambda a, b, c, h: (a - c) / 2 / h)
)
wrong("central_differences", "not-divided")(entry_by_entry(lambda a, b, c, h: a - b))
wrong("central_differences", "multiplied")(entry_by_entry(lambda a, b, c, h: 2 * h * (a - b)))
wrong("central_differences", "wrong-sign")(entry_by_entry(lambda a, b, c, h: (b - a) / 2 / h))
wrong("central_differences", "added")(entry_by_entry(lambda a, b, c, h: (a + b) / 2 / h))
wrong("central_differences", "second-derivative")(
    entry_by_entry(lambda a, b, c, h: (a + b - 2 * c) / h / h)
)


@wrong("central_differences", "all-moved-at-once")
def _(function, array, step):
    return (function(array + step) - function(array - step)) / (step + step)


@wrong("central_differences", "all-moved-at-once")
def one_number_filled_in(function, array, step):
    return np.full(array.shape, (function(array + step) - function(array - step)) / (2 * step))


@wrong("central_differences", "whole-row-moved")
def _(function, array, step):
    gradient = np.zeros(array.shape)
    for row in range(len(array)):
        up, down = array.copy(), array.copy()
        up[row] += step
        down[row] -= step
        gradient[row] = (function(up) - function(down)) / 2 / step
    return gradient


@wrong("central_differences", "never-moved-back")
def _(function, array, step):
    moved, numbers = array.copy(), []
    for place in np.ndindex(*array.shape):
        moved[place] += step
        above = function(moved)
        moved[place] -= step
        moved[place] -= step
        numbers.append((above - function(moved)) / 2 / step)
    return np.reshape(numbers, array.shape)


@wrong("central_differences", "others-set-to-zero")
def _(function, array, step):
    gradient = np.zeros_like(array)
    for place in np.ndindex(*array.shape):
        lonely = np.zeros_like(array)
        lonely[place] = array[place] + step
        above = function(lonely)
        lonely[place] = array[place] - step
        gradient[place] = (above - function(lonely)) / 2 / step
    return gradient


@wrong("central_differences", "step-in-proportion")
def _(function, array, step):
    gradient = np.zeros_like(array)
    for place in np.ndindex(*array.shape):
        up, down = array.copy(), array.copy()
        up[place] = (1 + step) * array[place]
        down[place] = (1 - step) * array[place]
        gradient[place] = (function(up) - function(down)) / 2 / step
    return gradient


@wrong("central_differences", "flattened")
def _(function, array, step):
    return list(differences_in_place(function, array, step).ravel())


@wrong("central_differences", "same-everywhere")
def only_the_largest(function, array, step):
    return np.full(array.shape, differences_in_place(function, array, step).max())


# ---------------------------------------------------------------- adam_step


def adam(
    m=lambda m, g: m + 0.1 * (g - m),
    s=lambda s, g: s + 0.001 * (g * g - s),
    fix=(lambda m, t: m / (1 - 0.9**t), lambda s, t: s / (1 - 0.999**t)),
    move=lambda p, g, m, s, rate: p - rate * m / (s**0.5 + 1e-8),
    out=lambda p, m, s, fixed_m, fixed_s: (p, m, s),
):
    def step_of(parameter, gradient, mean, square, step, rate):
        mean, square = m(mean, gradient), s(square, gradient)
        fixed = fix[0](mean, step), fix[1](square, step)
        with np.errstate(all="ignore"):
            return out(move(parameter, gradient, *fixed, rate), mean, square, *fixed)

    return step_of


right("adam_step")(adam())


@right("adam_step")
def adam_number_by_number(parameter, gradient, mean, square, step, rate):
    made = np.empty((3, *parameter.shape))
    for place in np.ndindex(*parameter.shape):
        m = mean[place] * 9 / 10 + gradient[place] / 10
        s = square[place] * 999 / 1000 + gradient[place] ** 2 / 1000
        # The same correction, drawn together into the rate.
        root = math.sqrt(1 - 0.999**step)
        made[0][place] = parameter[place] - rate * root / (1 - 0.9**step) * m / (
            math.sqrt(s) + root * 1e-8
        )
        made[1][place], made[2][place] = m, s
    return made


def as_it_is(average, step):
    return average


def right_fix(share):
    return lambda average, step: average / (1 - share**step)


wrong("adam_step", "not-corrected")(adam(fix=(as_it_is, as_it_is)))
wrong("adam_step", "square-not-corrected")(adam(fix=(right_fix(0.9), as_it_is)))
wrong("adam_step", "mean-not-corrected")(adam(fix=(as_it_is, right_fix(0.999))))
wrong("adam_step", "corrected-averages-kept")(adam(out=lambda p, m, s, a, b: (p, a, b)))
wrong("adam_step", "root-forgotten")(adam(move=lambda p, g, m, s, r: p - r * m / (s + 1e-8)))
wrong("adam_step", "tiny-number-in-the-root")(
    adam(move=lambda p, g, m, s, r: p - r * m / (s + 1e-8) ** 0.5)
)
wrong("adam_step", "tiny-number-forgotten")(adam(move=lambda p, g, m, s, r: p - r * m / np.sqrt(s)))
wrong("adam_step", "wrong-sign")(adam(move=lambda p, g, m, s, r: p + r * m / (s**0.5 + 1e-8)))
wrong("adam_step", "rate-forgotten")(adam(move=lambda p, g, m, s, r: p - m / (s**0.5 + 1e-8)))
wrong("adam_step", "not-divided")(adam(move=lambda p, g, m, s, r: p - r * m))
wrong("adam_step", "shares-swapped")(
    adam(
        lambda m, g: 0.999 * m + 0.001 * g,
        lambda s, g: 0.9 * s + 0.1 * g**2,
        (right_fix(0.999), right_fix(0.9)),
    )
)
wrong("adam_step", "one-share-for-both")(
    adam(s=lambda s, g: 0.9 * s + 0.1 * g**2, fix=(right_fix(0.9), right_fix(0.9)))
)
wrong("adam_step", "gradient-for-the-mean")(
    adam(move=lambda p, g, m, s, r: p - r * g / (s**0.5 + 1e-8))
)
wrong("adam_step", "not-squared")(adam(s=lambda s, g: 0.999 * s + 0.001 * abs(g)))
wrong("adam_step", "added-up")(adam(m=lambda m, g: 0.9 * m + g))
wrong("adam_step", "uphill")(adam(move=lambda p, g, m, s, r: p + r * np.sign(m)))


@wrong("adam_step", "change-returned")
def _(parameter, gradient, mean, square, step, rate):
    moved, mean, square = adam()(parameter, gradient, mean, square, step, rate)
    return moved - parameter, mean, square


@wrong("adam_step", "mean-squared")
def _(parameter, gradient, mean, square, step, rate):
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * mean * mean
    size = (square / (1 - 0.999**step)) ** 0.5 + 1e-8
    return parameter - rate * mean / (1 - 0.9**step) / size, mean, square


@wrong("adam_step", "averages-of-before")
def _(parameter, gradient, mean, square, step, rate):
    size = (square / (1 - 0.999**step)) ** 0.5 + 1e-8
    moved = parameter - rate * mean / (1 - 0.9**step) / size
    return moved, 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2


@wrong("adam_step", "step-counted-from-0")
def _(parameter, gradient, mean, square, step, rate):
    return adam()(parameter, gradient, mean, square, step + 1, rate)


# ------------------------------------------------------- attention_gradient


def backward(
    g=lambda w, d: w * d - w * (w * d).sum(1)[:, None],
    forth=lambda d_k: d_k**-0.5,
    back=lambda d_k: d_k**-0.5,
    out=lambda q, k, v: (q, k, v),
    d_value=lambda w, u: np.einsum("qk,qv->kv", w, u),
    hidden=lambda powers, mask: powers * mask,
):
    def gradients(query, key, value, upstream, mask):
        d_k = query.shape[1]
        scores = forth(d_k) * query @ key.T
        powers = hidden(np.exp(scores - scores.max(1)[:, None]), mask)
        weights = powers / np.maximum(powers.sum(1), 1e-300)[:, None]
        d_scores = back(d_k) * g(weights, upstream @ value.T)
        return out(
            np.einsum("qk,kd->qd", d_scores, key),
            np.einsum("qk,qd->kd", d_scores, query),
            d_value(weights, upstream),
        )

    return gradients


right("attention_gradient")(backward())


@right("attention_gradient")
def attention_gradient_query_by_query(query, key, value, upstream, mask):
    d_query, d_key, d_value = (np.zeros_like(array) for array in (query, key, value))
    for i, seen in enumerate(mask):
        if not seen.any():
            continue
        scores = key[seen] @ query[i] / math.sqrt(len(query[i]))
        w = np.exp(scores - max(scores))
        w /= sum(w)
        jacobian = np.diag(w) - np.outer(w, w)
        g = jacobian @ (value[seen] @ upstream[i]) / math.sqrt(len(query[i]))
        d_query[i] = g @ key[seen]
        d_key[seen] += np.outer(g, query[i])
        d_value[seen] += np.outer(w, upstream[i])
    return d_query, d_key, d_value


wrong("attention_gradient", "average-forgotten")(backward(lambda w, d: w * d))
wrong("attention_gradient", "element-by-element")(backward(lambda w, d: d * (w - w * w)))
wrong("attention_gradient", "softmax-skipped")(backward(lambda w, d: d))
wrong("attention_gradient", "weight-forgotten")(backward(lambda w, d: d - (w * d).sum(1)[:, None]))
wrong("attention_gradient", "average-over-the-queries")(
    backward(lambda w, d: w * d - w * (w * d).sum(0)[None])
)
wrong("attention_gradient", "plain-mean")(backward(lambda w, d: w * d - w * d.mean(1)[:, None]))
wrong("attention_gradient", "scale-forgotten-on-the-way-back")(backward(back=lambda d_k: 1))
wrong("attention_gradient", "no-scale")(backward(forth=lambda d_k: 1, back=lambda d_k: 1))
wrong("attention_gradient", "scale-forgotten-on-the-way-forth")(backward(forth=lambda d_k: 1))
wrong("attention_gradient", "scale-undone")(backward(back=lambda d_k: d_k**0.5))
wrong("attention_gradient", "scale-d_k")(backward(back=lambda d_k: 1 / d_k))
wrong("attention_gradient", "plain-sum-for-values")(
    backward(d_value=lambda w, u: np.tile(u.sum(0), (w.shape[1], 1)))
)
wrong("attention_gradient", "outputs-in-another-order")(backward(out=lambda q, k, v: (v, q, k)))
wrong("attention_gradient", "wrong-sign")(backward(out=lambda q, k, v: (-q, -k, -v)))
wrong("attention_gradient", "sign-of-scores")(
    backward(lambda w, d: w * (w * d).sum(1)[:, None] - w * d)
)
wrong("attention_gradient", "values-alone")(backward(d_value=lambda w, u: (w * w).T @ u))
wrong("attention_gradient", "keys-alone")(backward(out=lambda q, k, v: (q, 3 * k, v)))
wrong("attention_gradient", "queries-alone")(backward(out=lambda q, k, v: (3 * q, k, v)))


wrong("attention_gradient", "mask-ignored")(backward(hidden=lambda powers, mask: powers))
wrong("attention_gradient", "mask-inverted")(backward(hidden=lambda powers, mask: powers * ~mask))


@wrong("attention_gradient", "zero-in-scores")
def _(query, key, value, upstream, mask):
    return attention_with_other_scores(query, key, value, upstream, mask, 0.0)


@wrong("attention_gradient", "fully-masked-not-zero")
def _(query, key, value, upstream, mask):
    return attention_with_other_scores(query, key, value, upstream, mask, -1e9)


def attention_with_other_scores(query, key, value, upstream, mask, hidden):
    scores = query @ key.T / math.sqrt(key.shape[1])
    scores[~mask] = hidden
    powers = np.exp(scores - scores.max(1, keepdims=True))
    weights = powers / powers.sum(1, keepdims=True)
    d = upstream @ value.T
    d_scores = (weights * d - weights * (weights * d).sum(1)[:, None]) / math.sqrt(key.shape[1])
    return d_scores @ key, d_scores.T @ query, weights.T @ upstream
