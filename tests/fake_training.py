"""A training run that nobody has to wait for: frames as `attention.gradients` gives them."""

from collections.abc import Iterator

import numpy as np

from attention.gradients import Frame


def train(
    tokens: int, frames: int = 40, maps: tuple[str, ...] = ("layer 0", "layer 1"), seed: int = 0
) -> Iterator[Frame]:
    """Yield frames of a run whose last map looks ever more at the token before, causally."""
    rng = np.random.default_rng(seed)
    noise = {name: rng.normal(size=(tokens, tokens)) for name in maps}
    causal = np.tri(tokens, dtype=bool)
    for i in range(frames):
        done = i / max(frames - 1, 1)
        learned = 8 * np.clip(4 * done - 1.5, 0, 1) * np.eye(tokens, k=-1)
        scores = {name: noise[name] + learned * (name == maps[-1]) for name in maps}
        exponentials = {name: np.exp(score) * causal for name, score in scores.items()}
        weights = {name: e / e.sum(-1, keepdims=True) for name, e in exponentials.items()}
        rise = float(1 / (1 + np.exp(-14 * (done - 0.5))))
        yield Frame(5 * i, 2.7 - 2.4 * rise, 0.06 + 0.8 * rise, 0.93, weights)
