"""The feed-forward layers of a transformer, in torch (transformer: The feed-forward layer).

They work on each position alone: the same matrices serve all, and nothing passes between them.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from attention._layer_arguments import check_choice, check_width, checked_widths

Rows = Float[Tensor, "*batch d_model"]  # a vector for each position

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}


class FeedForward(nn.Module):
    """Transform each position alone: widen, bend, narrow (transformer: The feed-forward layer).

    Vaswani et al. (2017), section 3.3, equation 2: max(0, x W_1 + b_1) W_2 + b_2. The
    same matrices serve all positions, and nothing passes between them.

    Parameters
    ----------
    d_model : int
        Width of what comes in and goes out.
    d_ff : int
        Width in between; the paper's is 4 ``d_model``.
    activation : "relu" or "gelu"
        The paper's, or that of BERT and GPT (Hendrycks & Gimpel 2016).
    dropout : float
        Probability that a number in between is dropped in training, from 0 to below 1.
    bias : bool
        Whether the two matrices have a bias each.

    Raises
    ------
    ValueError
        If a width is not a positive integer, the activation is unknown, or
        ``dropout`` is out of range.
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        activation: str = "relu",
        dropout: float | int = 0,
        bias: bool = True,
    ):
        super().__init__()
        d_model, d_ff, dropout = checked_widths(d_model, d_ff, dropout)
        check_choice("activation", activation, ACTIVATIONS)
        self.W_1 = nn.Linear(d_model, d_ff, bias)
        self.W_2 = nn.Linear(d_ff, d_model, bias)
        self.activation = ACTIVATIONS[activation]
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Rows) -> Rows:
        """Return what is to be added at each position.

        Raises
        ------
        ValueError
            If ``x`` is not a floating-point tensor of width ``d_model``.
        """
        check_width(x, self.W_1.in_features)
        hidden = self.activation(self.W_1(x))  # (..., d_ff)
        return self.W_2(self.dropout(hidden))  # (..., d_model)


class SwiGLU(FeedForward):
    """A feed-forward layer with a gate: what is in between is multiplied by a third matrix's.

    Shazeer (2020), equation 6: (Swish(x W_1) * x W_3) W_2, where Swish(z) = z · sigmoid(z),
    also called SiLU. The names of the matrices are Llama's (Touvron et al. 2023). It has
    three matrices instead of two; with two thirds of the ``d_ff`` it has as many
    parameters.

    Parameters
    ----------
    d_model, d_ff, dropout
        As in ``FeedForward``.
    bias : bool
        Whether the three matrices have a bias each; the paper's have none.

    Raises
    ------
    ValueError
        If a width is not a positive integer, or ``dropout`` is out of range.
    """

    def __init__(self, d_model: int, d_ff: int, dropout: float | int = 0, bias: bool = False):
        super().__init__(d_model, d_ff, dropout=dropout, bias=bias)
        self.W_3 = nn.Linear(d_model, d_ff, bias)
        self.activation = F.silu

    def forward(self, x: Rows) -> Rows:
        """Return what is to be added at each position.

        Raises
        ------
        ValueError
            If ``x`` is not a floating-point tensor of width ``d_model``.
        """
        check_width(x, self.W_1.in_features)
        hidden = self.activation(self.W_1(x)) * self.W_3(x)  # (..., d_ff)
        return self.W_2(self.dropout(hidden))  # (..., d_model)
