"""Muon in float32, all matrices of one shape at once, and Adam for the rest."""

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Adam):
    """Momentum whose matrices are made orthogonal (Jordan et al. 2024); Adam for what is none.

    ``torch.optim.Muon`` takes matrices one by one, and in bfloat16, which a CPU without
    such arithmetic emulates.

    Parameters
    ----------
    matrices : sequence of Parameter
        The hidden matrices: no embeddings.
    others : sequence of Parameter
        For Adam.
    rate : float
    betas : pair of float
        Of Adam.
    share : float
        Muon's rate, as a share of Adam's.
    momentum : float
    steps : int
        Of Newton's and Schulz's iteration.
    """

    def __init__(
        self,
        matrices: Sequence[nn.Parameter],
        others: Sequence[nn.Parameter],
        rate: float,
        betas: tuple[float, float],
        share: float = 1.0,
        momentum: float = 0.95,
        steps: int = 5,
    ):
        super().__init__([{"params": others}, {"params": matrices}], rate, betas, fused=True)
        self.share, self.momentum, self.steps = share, momentum, steps

    @torch.no_grad()
    def step(self) -> None:
        """Move the matrices; then let Adam move the rest."""
        matrices = self.param_groups[1]
        shapes = defaultdict(list)
        for parameter in matrices["params"]:
            shapes[parameter.shape].append(parameter)
        for (rows, columns), some in shapes.items():
            gradients = [parameter.grad for parameter in some]
            for parameter in some:
                if not self.state[parameter]:
                    # Adam, which never uses this step, looks for it in a state that is loaded.
                    state = {"step": torch.tensor(0.0), "momentum": torch.zeros_like(parameter)}
                    self.state[parameter].update(state)
            momenta = [self.state[parameter]["momentum"] for parameter in some]
            torch._foreach_lerp_(momenta, gradients, 1 - self.momentum)
            ahead = torch._foreach_lerp(gradients, momenta, self.momentum)  # Nesterov's
            directions = orthogonal(torch.stack(ahead), self.steps)
            # As long as Adam's steps usually are (Liu et al. 2025, section 2.2).
            size = 0.2 * max(rows, columns) ** 0.5 * self.share * matrices["lr"]
            torch._foreach_add_(some, list(directions.unbind()), alpha=-size)
        for parameter in matrices["params"]:
            parameter.grad = None  # so that Adam leaves it alone
        super().step()


def orthogonal(matrices: Tensor, steps: int) -> Tensor:
    """Bring all singular values near 1.

    Parameters
    ----------
    matrices : (count, rows, columns)
    steps : int

    Returns
    -------
    directions : (count, rows, columns)
    """
    a, b, c = COEFFICIENTS
    wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if wide else matrices.mT
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if wide else x.mT
