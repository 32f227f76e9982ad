"""How far back a gradient gets (bottleneck: Another problem: gradients that vanish)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attention.report import require


def gradient_reach(
    cell: nn.RNN | nn.GRU | nn.LSTM, x: Float[Tensor, "batch length d_input"]
) -> Float[Tensor, "batch length"]:
    """Measure how much the last state still depends on the input k steps back.

    The measure is the norm of the Jacobian d state_T / d x_{T-k} (Pascanu et al. 2013,
    equation 5, times what the input does to its own state). It is chosen over the
    gradient of a loss for two reasons: it needs no read-out and no task, so untrained
    and trained cells, and cells of different kinds, are measured alike; and a loss
    that has been learnt has a small gradient everywhere, which would look like
    vanishing.

    Parameters
    ----------
    cell : nn.RNN, nn.GRU or nn.LSTM
        One layer, one direction, ``batch_first=True``.
    x : (batch, length, d_input)
        Sequences without padding. Of an LSTM, the state is what it puts out (h), and
        not its inner cell (c).

    Returns
    -------
    reach : (batch, length)
        Column k: the norm, over all entries of the Jacobian, for the input k steps
        back; column 0 is the last input.

    Raises
    ------
    ValueError
        If the cell has several layers or directions or is not ``batch_first``.
    """
    plain = cell.num_layers == 1 and not cell.bidirectional and cell.batch_first
    require(plain, "cell", "one layer, one direction, batch_first=True", cell)
    x = x.detach().requires_grad_()
    last = cell(x)[0][:, -1]  # (batch, d_state)
    squares = x.new_zeros(x.shape[:2])  # (batch, length)
    for component in last.sum(0):  # sequences do not mix: each gets its own gradient
        (gradient,) = torch.autograd.grad(component, x, retain_graph=True)
        squares += gradient.square().sum(-1)
    return squares.sqrt().flip(1)
