"""One picture of a run of training, as a page shows it (learning: She went to the market)."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Frame:
    """How far training has come, and what the model looks at.

    Attributes
    ----------
    step : int
        Updates so far.
    loss : float
        In nats.
    accuracy : float
        Share of right answers where the model could not have learned them by heart.
    best : float
        The best accuracy that is possible.
    maps : dict of (queries, keys) arrays
        Attention weights on one fixed example, by name.
    """

    step: int
    loss: float
    accuracy: float
    best: float
    maps: dict[str, np.ndarray]
