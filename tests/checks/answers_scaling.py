"""Answers to the exercises of the chapter `scaling`, right and wrong."""

import math

import numpy as np
from answers import right, wrong

# ----------------------------------------------------------- score_variance


@right("score_variance")
def variance_added_up(d_k, sigma_q, sigma_k):
    total = 0.0
    for _ in range(d_k):
        total += (sigma_q * sigma_k) ** 2
    return total


@right("score_variance")
def variance_from_its_root(d_k, sigma_q, sigma_k):
    return np.array(math.sqrt(d_k) * sigma_q * sigma_k) ** 2


@wrong("score_variance", "sigmas-not-squared")
def _(d_k, sigma_q, sigma_k):
    return sum(sigma_q * sigma_k for _ in range(d_k))


@wrong("score_variance", "one-sigma-squared")
def _(d_k, sigma_q, sigma_k):
    return d_k * sigma_q * sigma_q * sigma_k


@wrong("score_variance", "one-sigma-squared")
def only_the_key_squared(d_k, sigma_q, sigma_k):
    return d_k * sigma_q * sigma_k * sigma_k


@wrong("score_variance", "standard-deviation")
def _(d_k, sigma_q, sigma_k):
    return math.sqrt(variance_added_up(d_k, sigma_q, sigma_k))


@wrong("score_variance", "one-component")
def _(d_k, sigma_q, sigma_k):
    return math.pow(sigma_q * sigma_k, 2)


@wrong("score_variance", "d_k-squared")
def _(d_k, sigma_q, sigma_k):
    return (d_k * sigma_q * sigma_k) ** 2


@wrong("score_variance", "root-of-d_k")
def _(d_k, sigma_q, sigma_k):
    return d_k**0.5 * (sigma_q * sigma_k) ** 2


@wrong("score_variance", "variances-added")
def _(d_k, sigma_q, sigma_k):
    return sum(sigma_q**2 + sigma_k**2 for _ in range(d_k))


@wrong("score_variance", "sigmas-ignored")
def _(d_k, sigma_q, sigma_k):
    return float(d_k)


@wrong("score_variance", "one-sigma-only")
def _(d_k, sigma_q, sigma_k):
    return d_k * sigma_q * sigma_q


@wrong("score_variance", "divided-by-d_k")
def _(d_k, sigma_q, sigma_k):
    return (sigma_q * sigma_k) ** 2 / d_k


@wrong("score_variance", "sum-of-sigmas")
def _(d_k, sigma_q, sigma_k):
    return sum((sigma_q + sigma_k) ** 2 for _ in range(d_k))


@wrong("score_variance", "one-component-too-few")
def _(d_k, sigma_q, sigma_k):
    return sum((sigma_q * sigma_k) ** 2 for _ in range(1, d_k))


@wrong("score_variance", "constant-factor")
def _(d_k, sigma_q, sigma_k):
    return 2 * variance_added_up(d_k, sigma_q, sigma_k)


@wrong("scale_for", "root-of-d_k")
def _(d_k, sigma_q, sigma_k):
    return math.sqrt(d_k)


@wrong("scale_for", "variances-added")
def _(d_k, sigma_q, sigma_k):
    return 1 / math.sqrt(d_k * sigma_q**2 + d_k * sigma_k**2)


@wrong("scale_for", "negative")
def _(d_k, sigma_q, sigma_k):
    return -1 / math.sqrt(variance_added_up(d_k, sigma_q, sigma_k))


@wrong("scale_for", "root-of-the-sigmas")
def _(d_k, sigma_q, sigma_k):
    return math.pow(d_k * sigma_q * sigma_k, -0.5)


# ------------------------------------------------------------------ entropy


def row_entropy(row, log=math.log):
    return -sum(w * log(w) for w in row if w > 0)


def each_row(weights, function):
    """Apply a function to each row, whatever the axes in front."""
    if weights.ndim == 1:
        return function(weights)
    return [each_row(inner, function) for inner in weights]


@right("entropy")
def entropy_with_loops(weights):
    return each_row(weights, row_entropy)


@right("entropy")
def entropy_with_masked_logs(weights):
    logs = np.zeros_like(weights)
    np.log(weights, out=logs, where=weights > 0)
    return -np.einsum("...k,...k->...", weights, logs)


@right("entropy")
def entropy_with_a_tiny_number(weights):
    return -np.sum(weights * np.log(weights + 1e-9), axis=-1)


@wrong("entropy", "bits")
def _(weights):
    return each_row(weights, lambda row: row_entropy(row, math.log2))


@wrong("entropy", "base-ten")
def _(weights):
    return each_row(weights, lambda row: row_entropy(row, math.log10))


@wrong("entropy", "wrong-sign")
def _(weights):
    return each_row(weights, lambda row: sum(w * math.log(w) for w in row if w))


@wrong("entropy", "everything-summed")
def _(weights):
    return row_entropy(weights.ravel())


@wrong("entropy", "rows-averaged")
def _(weights):
    return np.mean(entropy_with_loops(weights))


@wrong("entropy", "first-axis")
def _(weights):
    return np.sum(-weights * np.log(weights), axis=0)


@wrong("entropy", "not-summed")
def _(weights):
    return -weights * np.log(weights)


@wrong("entropy", "mean-over-keys")
def _(weights):
    return np.mean(-weights * np.log(weights), axis=-1)


@wrong("entropy", "perplexity")
def _(weights):
    return each_row(weights, lambda row: math.exp(row_entropy(row)))


@wrong("entropy", "divided-by-largest")
def _(weights):
    return each_row(weights, lambda row: row_entropy(row) / math.log(len(row)))


@wrong("entropy", "logs-not-weighted")
def _(weights):
    return -np.sum(np.log(weights), axis=-1)


@wrong("entropy", "gini")
def _(weights):
    return each_row(weights, lambda row: sum(w * (1 - w) for w in row))


@wrong("entropy", "epsilon")
def _(weights):
    return -np.sum(weights * np.log(weights + 0.001), axis=-1)


@wrong("entropy", "epsilon")
def another_epsilon(weights):
    clipped = np.clip(weights, 1e-4, 1)
    return -np.sum(clipped * np.log(clipped), axis=-1)


@wrong("entropy", "nan-at-zero")
def _(weights):
    return np.sum(-weights * np.log(weights), axis=-1)


@wrong("entropy", "nan-at-zero")
def infinite_at_zero(weights):
    surprise = np.where(weights == 0, np.inf, -weights * np.log(weights))
    return surprise.sum(axis=-1)


@wrong("entropy", "one-added-in-the-logarithm")
def _(weights):
    return each_row(weights, lambda row: -sum(w * math.log(1 + w) for w in row))


@wrong("entropy", "sum-inside-the-logarithm")
def _(weights):
    return each_row(weights, lambda row: -math.log(sum(w * w for w in row)))


@wrong("entropy", "largest-weight-only")
def _(weights):
    return each_row(weights, lambda row: -math.log(max(row)))


@wrong("entropy", "difference-from-even-weights")
def _(weights):
    return each_row(weights, lambda row: math.log(len(row)) - row_entropy(row))


@wrong("entropy", "softmax-first")
def _(weights):
    def softmax_entropy(row):
        total = sum(math.exp(w) for w in row)
        return row_entropy([math.exp(w) / total for w in row])

    return each_row(weights, softmax_entropy)


@wrong("entropy", "each-key-or-not")
def _(weights):
    return each_row(weights, lambda row: row_entropy(row) + row_entropy([1 - w for w in row]))


# ----------------------------------------------------------------- jacobian


@wrong("jacobian", "outer-product")
def _(weights):
    return [[p * q for q in weights] for p in weights]


@wrong("jacobian", "log-softmax")
def _(weights):
    return filled(weights, lambda p: 1 - p, lambda p, q: -q)


@wrong("jacobian", "one-weight-squared")
def _(weights):
    return filled(weights, lambda p: p - p * p, lambda p, q: -p * p)


def filled(weights, on, off):
    n = len(weights)
    return [
        [on(weights[i]) if i == j else off(weights[i], weights[j]) for j in range(n)]
        for i in range(n)
    ]


@right("jacobian")
def jacobian_with_loops(weights):
    return filled(weights, lambda p: p * (1 - p), lambda p, q: -p * q)


@right("jacobian")
def jacobian_with_matrices(weights):
    return np.diag(weights) - np.outer(weights, weights)


@wrong("jacobian", "diagonal-only")
def _(weights):
    return np.diag(weights - weights**2)


@wrong("jacobian", "diagonal-as-vector")
def _(weights):
    return [w - w * w for w in weights]


@wrong("jacobian", "weights-on-the-diagonal")
def _(weights):
    return np.diag(weights)


@wrong("jacobian", "diagonal-term-missing")
def _(weights):
    return -np.outer(weights, weights)


@wrong("jacobian", "plus-for-minus")
def _(weights):
    return np.diag(weights) + np.outer(weights, weights)


@wrong("jacobian", "off-diagonal-positive")
def _(weights):
    return np.abs(np.diag(weights) - np.outer(weights, weights))


@wrong("jacobian", "diagonal-rule-everywhere")
def _(weights):
    return np.outer(weights, 1 - weights)


@wrong("jacobian", "identity-for-weights")
def _(weights):
    return np.eye(len(weights)) - np.outer(weights, weights)


@wrong("jacobian", "wrong-sign")
def _(weights):
    return np.outer(weights, weights) - np.diag(weights)


@wrong("jacobian", "zero-on-the-diagonal")
def _(weights):
    matrix = -np.outer(weights, weights)
    np.fill_diagonal(matrix, 0)
    return matrix


@wrong("jacobian", "rows-do-not-sum-to-0")
def transposed_difference(weights):
    return weights[:, None] * (np.eye(len(weights)) - 2 * weights)


# ---------------------------------------------------------------- scale_for


@right("scale_for")
def scale_from_the_variance(d_k, sigma_q, sigma_k):
    return variance_added_up(d_k, sigma_q, sigma_k) ** -0.5


@right("scale_for")
def scale_step_by_step(d_k, sigma_q, sigma_k):
    return np.float32(1 / sigma_q / sigma_k / math.sqrt(d_k))


@wrong("scale_for", "one-over-d_k")
def _(d_k, sigma_q, sigma_k):
    return 1 / d_k / sigma_q / sigma_k


@wrong("scale_for", "one-over-d_k")
def one_over_d_k_alone(d_k, sigma_q, sigma_k):
    return d_k**-1


@wrong("scale_for", "multiplies")
def _(d_k, sigma_q, sigma_k):
    return math.sqrt(d_k * sigma_q**2 * sigma_k**2)


@wrong("scale_for", "sigmas-ignored")
def _(d_k, sigma_q, sigma_k):
    return d_k**-0.5


@wrong("scale_for", "divides-by-the-variance")
def _(d_k, sigma_q, sigma_k):
    return 1 / variance_added_up(d_k, sigma_q, sigma_k)


@wrong("scale_for", "sigmas-squared")
def _(d_k, sigma_q, sigma_k):
    return d_k**-0.5 / (sigma_q * sigma_k) ** 2


@wrong("scale_for", "sigmas-multiplied")
def _(d_k, sigma_q, sigma_k):
    return sigma_q * sigma_k * d_k**-0.5


@wrong("scale_for", "d_k-ignored")
def _(d_k, sigma_q, sigma_k):
    return 1 / sigma_q / sigma_k


@wrong("scale_for", "one-sigma")
def _(d_k, sigma_q, sigma_k):
    return 1 / math.sqrt(d_k) / sigma_q


@wrong("scale_for", "one-sigma")
def one_sigma_of_the_key(d_k, sigma_q, sigma_k):
    return 1 / math.sqrt(d_k) / sigma_k


# ---------------------------------------------------------- temperature_for


def entropy_at(scores, temperature):
    z = [(s - max(scores)) / temperature for s in scores]
    total = sum(math.exp(a) for a in z)
    return row_entropy([math.exp(a) / total for a in z])


def weights_at(scores, temperature):
    e = np.exp((scores - np.max(scores)) / temperature)
    return e / e.sum()


@right("temperature_for")
def temperature_by_halving(scores, target_entropy):
    low, high = 0.0, 1.0
    while entropy_at(scores, high) < target_entropy:
        high *= 2
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        if entropy_at(scores, middle) > target_entropy:
            high = middle
        else:
            low = middle
    return high


@right("temperature_for")
def temperature_by_grid(scores, target_entropy):
    grid = np.geomspace(1e-3, 1e3, 6001)
    entropies = [entropy_at(scores, t) for t in grid]
    return float(np.interp(target_entropy, entropies, grid))


@wrong("temperature_for", "inverse-temperature")
def _(scores, target_entropy):
    low, high = 1e-4, 1e4
    for _ in range(60):
        beta = math.sqrt(low * high)
        if entropy_at([beta * s for s in scores], 1) > target_entropy:
            low = beta
        else:
            high = beta
    return beta


@wrong("temperature_for", "bits")
def _(scores, target_entropy):
    low, high = 1e-4, 1e4
    for _ in range(60):
        t = (low + high) / 2
        bits = row_entropy(weights_at(scores, t), math.log2)
        low, high = (low, t) if bits > target_entropy else (t, high)
    return t


@wrong("temperature_for", "negative")
def _(scores, target_entropy):
    return -temperature_by_halving(scores, target_entropy)


@wrong("temperature_for", "negative")
def negative_of_another_size(scores, target_entropy):
    return -temperature_by_halving(-scores, target_entropy)


@wrong("temperature_for", "scores-returned")
def _(scores, target_entropy):
    return [s / temperature_by_halving(scores, target_entropy) for s in scores]


@wrong("temperature_for", "weights-returned")
def _(scores, target_entropy):
    return weights_at(scores, temperature_by_halving(scores, target_entropy))


@wrong("temperature_for", "entropy-returned")
def _(scores, target_entropy):
    t = temperature_by_halving(scores, target_entropy)
    return entropy_at(scores, t)


@wrong("temperature_for", "entropy-returned")
def entropy_without_a_search(scores, target_entropy):
    return row_entropy(weights_at(scores, 1))


def temperature_for_largest_weight(scores, wanted):
    low, high = 1e-3, 1e4
    for _ in range(60):
        t = math.sqrt(low * high)
        low, high = (t, high) if max(weights_at(scores, t)) > wanted else (low, t)
    return t


@wrong("temperature_for", "largest-weight")
def _(scores, target_entropy):
    return temperature_for_largest_weight(scores, math.exp(-target_entropy))


@wrong("temperature_for", "target-as-largest-weight")
def _(scores, target_entropy):
    return temperature_for_largest_weight(scores, target_entropy)


@wrong("temperature_for", "temperature-one")
def _(scores, target_entropy):
    return 1


@wrong("temperature_for", "squared")
def _(scores, target_entropy):
    return temperature_by_halving(scores, target_entropy) ** 2


@wrong("temperature_for", "zero")
def _(scores, target_entropy):
    return 0


@wrong("temperature_for", "not-finite")
def _(scores, target_entropy):
    return math.inf


@wrong("temperature_for", "search-too-short")
def _(scores, target_entropy):
    return temperature_by_halving(scores, target_entropy) * 1.02


@wrong("temperature_for", "search-too-short")
def search_only_a_little_too_short(scores, target_entropy):
    return temperature_by_halving(scores, target_entropy) * 1.008


@wrong("temperature_for", "too-warm")
def _(scores, target_entropy):
    return temperature_by_halving(scores, target_entropy) * 3


@wrong("temperature_for", "too-cold")
def _(scores, target_entropy):
    return temperature_by_halving(scores, target_entropy) / 3
