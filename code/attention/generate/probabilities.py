"""From logits to log-probabilities of what may be written (translation: Habits of training).

``PADDING`` and ``START`` are never written: what probability a model leaves them is
given to the other tokens, in proportion. Log-probabilities are natural logarithms, in
float64 whatever the model's numbers are, so that adding many of them loses nothing (but
Apple's GPUs have no float64: there they are float32).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from attention.report import require
from attention.tokens import PADDING, START

LogP = Float[Tensor, "batch symbols"]


def finest(device: torch.device) -> torch.dtype:
    """Give the type of number that probabilities are computed with on a device."""
    return torch.float32 if device.type == "mps" else torch.float64


def log_probabilities(
    logits: Float[Tensor, "*batch symbols"],
) -> Float[Tensor, "*batch symbols"]:
    """Turn logits into log-probabilities of what may be written.

    Raises
    ------
    ValueError
        If there is a NaN or an infinity among the logits, so that they have no softmax.
    """
    never = torch.tensor([PADDING, START], device=logits.device)
    logits = logits.to(finest(logits.device))  # (..., symbols)
    logits = logits.index_fill(-1, never, -torch.inf)
    log_p = logits.log_softmax(-1)  # (..., symbols)
    require(not log_p.isnan().any(), "logits", "numbers with a softmax", "some without")
    return log_p
