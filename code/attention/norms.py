"""The norms of a transformer, in torch (transformer: The layer norm).

Each works on one position at a time and does not depend on the others.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from attention._layer_arguments import check_width, checked_norm

Rows = Float[Tensor, "*batch d_model"]  # a vector for each position


def layer_norm(
    x: Float[Tensor, "*batch d_model"],
    gain: Float[Tensor, " d_model"],
    bias: Float[Tensor, " d_model"],
    eps: float,
) -> Float[Tensor, "*batch d_model"]:
    """Give rows mean 0 and variance 1, then columns gain and bias (transformer: The layer norm).

    Ba et al. (2016), section 3. The variance is divided by the width and not by one
    less, and ``eps`` is added to it before the root is taken: it matters where a row's
    numbers are nearly all the same.
    """
    centred = x - x.mean(-1, keepdim=True)  # (..., d_model)
    variance = centred.square().mean(-1, keepdim=True)  # (..., 1)
    return gain * centred / torch.sqrt(variance + eps) + bias


class LayerNorm(nn.Module):
    """Hold the gain and the bias of a ``layer_norm``, equal to ``nn.LayerNorm``.

    Parameters
    ----------
    d_model : int
    eps : float
        Above 0.
    bias : bool
        Whether there is a bias beside the gain.

    Raises
    ------
    ValueError
        If ``d_model`` is not a positive integer, or ``eps`` not a positive number.
    """

    def __init__(self, d_model: int, eps: float | int = 1e-5, bias: bool = True):
        super().__init__()
        d_model, eps = checked_norm(d_model, eps)
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model)) if bias else None

    def forward(self, x: Rows) -> Rows:
        """Normalise each position by itself: no other has a say in it.

        It is ``layer_norm(x, self.gain, self.bias, self.eps)``, in one pass over ``x``.

        Raises
        ------
        ValueError
            If ``x`` is not a floating-point tensor of width ``d_model``.
        """
        check_width(x, len(self.gain))
        return F.layer_norm(x, self.gain.shape, self.gain, self.bias, self.eps)


class RMSNorm(nn.Module):
    """Divide rows by their root mean square, then columns get a gain: equal to ``nn.RMSNorm``.

    Zhang & Sennrich (2019), equation 4: gain · x / √(mean(x²) + eps). Of ``layer_norm`` it
    leaves out two things, the mean that is taken away and the bias.

    Parameters
    ----------
    d_model : int
    eps : float
        Above 0; added to the mean square before the root is taken.

    Raises
    ------
    ValueError
        If ``d_model`` is not a positive integer, or ``eps`` not a positive number.
    """

    def __init__(self, d_model: int, eps: float | int = 1e-5):
        super().__init__()
        d_model, eps = checked_norm(d_model, eps)
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Rows) -> Rows:
        """Give each position the length √d_model, before the gain.

        Raises
        ------
        ValueError
            If ``x`` is not a floating-point tensor of width ``d_model``.
        """
        check_width(x, len(self.gain))
        return F.rms_norm(x, self.gain.shape, self.gain, self.eps)
