"""One step of a recurrent network: a GRU cell, spelled out (bottleneck: Two networks)."""

import torch
from jaxtyping import Float
from torch import Tensor


def gru_step(
    x: Float[Tensor, "*batch d_input"],
    state: Float[Tensor, "*batch d_state"],
    W_x: Float[Tensor, "3*d_state d_input"],
    W_state: Float[Tensor, "3*d_state d_state"],
    b_x: Float[Tensor, " 3*d_state"],
    b_state: Float[Tensor, " 3*d_state"],
) -> Float[Tensor, "*batch d_state"]:
    """Read one input and return the new state: a GRU cell, spelled out.

    ``gru_step(x, state, *cell.parameters())`` equals ``cell(x, state)`` for an
    ``nn.GRUCell``, in value and gradient, and a loop over it equals an ``nn.GRU``.
    ``Translator`` uses ``nn.GRU``, which does the same in less time.

    The cell is that of Cho et al. (2014, section 2.3) but for a habit of today's
    libraries: the reset gate acts after the matrix product and not before it. Bahdanau
    et al. (2015, appendix A.1.1) swap the roles of ``update`` and ``1 - update``.

    Parameters
    ----------
    x : (..., d_input)
    state : (..., d_state)
    W_x : (3 d_state, d_input)
        Three matrices below each other: for the reset gate, the update gate and
        the proposal. ``W_state`` and the biases likewise.
    W_state : (3 d_state, d_state)
    b_x, b_state : (3 d_state,)

    Returns
    -------
    state : (..., d_state)
    """
    reset_x, update_x, proposal_x = (x @ W_x.T + b_x).chunk(3, dim=-1)  # (..., d_state) each
    reset_s, update_s, proposal_s = (state @ W_state.T + b_state).chunk(3, dim=-1)
    reset = torch.sigmoid(reset_x + reset_s)  # 0: propose as if there were no past
    update = torch.sigmoid(update_x + update_s)  # 1: leave the state alone
    proposal = torch.tanh(proposal_x + reset * proposal_s)
    return update * state + (1 - update) * proposal
