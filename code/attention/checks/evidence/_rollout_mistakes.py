"""Common mistakes in `rollout`, with their messages (evidence: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import misconception

Array = np.ndarray


def rolling(
    mixed: Callable = lambda mean, eye: (mean + eye) / 2,
    heads: Callable = lambda layer: layer.mean(0),
    join: Callable = lambda layer, shares: layer @ shares,
) -> Callable:
    """Make a rollout from how the residual and the heads are mixed, and layers joined."""

    def shares(weights):
        joined = np.eye(weights.shape[-1])
        for layer in weights:
            joined = join(mixed(heads(layer), np.eye(weights.shape[-1])), joined)
        return joined

    return shares


def _normalised(matrix: Array) -> Array:
    return matrix / matrix.sum(-1, keepdims=True)


MISTAKES = (
    misconception(
        "residual-forgotten",
        "You leave the residual out. Half of what a position has after a layer is what it had "
        "before: mix each layer half and half with the identity.",
        rolling(mixed=lambda mean, eye: mean),
    ),
    misconception(
        "other-way-round",
        "You multiply the layers in the other order. The last layer's rows come first: each "
        "layer is multiplied from the left.",
        rolling(join=lambda layer, shares: shares @ layer),
    ),
    misconception(
        "not-halved",
        "You add the identity, and your rows no longer sum to 1. Take half of each.",
        rolling(mixed=lambda mean, eye: mean + eye),
        rolling(mixed=lambda mean, eye: mean / 2 + eye),
    ),
    misconception(
        "heads-added",
        "You add the heads up. Average them: each of their rows sums to 1, and so must yours.",
        rolling(heads=lambda layer: layer.sum(0)),
    ),
    misconception(
        "one-head",
        "You use one head of each layer. Average all of them.",
        rolling(heads=lambda layer: layer[0]),
        rolling(heads=lambda layer: layer[-1]),
    ),
    misconception(
        "strongest-head",
        "You take the largest weight of all heads. Average them.",
        rolling(heads=lambda layer: layer.max(0)),
        rolling(heads=lambda layer: _normalised(layer.max(0))),
    ),
    misconception(
        "last-layer-alone",
        "Your result has one layer only. A word that the last layer looks at has itself looked "
        "at others: multiply all layers.",
        lambda weights: rolling()(weights[-1:]),
        lambda weights: rolling()(weights[:1]),
    ),
    misconception(
        "layers-averaged",
        "You average the layers. They follow one upon the other: multiply their matrices.",
        lambda weights: (weights.mean((0, 1)) + np.eye(weights.shape[-1])) / 2,
        lambda weights: weights.mean((0, 1)),
    ),
    misconception(
        "entry-by-entry",
        "You multiply entry by entry. A path goes through any word in the middle: that is the "
        "matrix product, @.",
        lambda weights: np.prod((weights.mean(1) + np.eye(weights.shape[-1])) / 2, axis=0),
        lambda weights: np.prod(weights.mean(1), axis=0),
    ),
    misconception(
        "residual-once",
        "You mix in the residual once, at the end. Every layer has one.",
        lambda weights: (
            (rolling(mixed=lambda mean, eye: mean)(weights) + np.eye(weights.shape[-1])) / 2
        ),
    ),
)
