"""Adam: what is done with the gradients, in a few lines (learning: She went to the market)."""

import numpy as np

from attention._arguments import positive_number, share
from attention._arrays import Array
from attention.gradients._arguments import check_updates
from attention.report import require


class Adam:
    """Change parameters against their gradients, each number at its own pace.

    Kingma and Ba (2015), algorithm 1. The step of a number is its gradient's recent
    mean, divided by the root of the recent mean of its square: about ``rate`` as long
    as the gradient keeps its sign, whatever its size.

    Parameters
    ----------
    rate : float
        The learning rate. May be set anew between updates.
    betas : two floats
        How much of the two means is kept at each update.
    epsilon : float
        Keeps the divisor above zero.

    Raises
    ------
    ValueError
        If ``rate`` or ``epsilon`` is not positive, or ``betas`` are not two numbers from
        0 to below 1.
    """

    def __init__(
        self,
        rate: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ):
        self.rate = positive_number("rate", rate)
        require(isinstance(betas, tuple | list) and len(betas) == 2, "betas", "two numbers", betas)
        self.betas = share("betas", betas[0]), share("betas", betas[1])
        self.epsilon = positive_number("epsilon", epsilon)
        self.updates = 0
        self._means: dict[str, Array] = {}
        self._squares: dict[str, Array] = {}

    def update(self, parameters: dict[str, Array], gradients: dict[str, Array]) -> None:
        """Change the parameters in place.

        Parameters
        ----------
        parameters : dict of arrays
        gradients : dict of arrays
            One for each parameter, under the same name and of the same shape.

        Raises
        ------
        ValueError
            If names or shapes differ from those of the parameters, or from those of the
            update before, or a gradient is not floating-point and finite.
        """
        check_updates(parameters, gradients, self._means)
        self.updates += 1
        first, second = self.betas
        for name, gradient in gradients.items():
            mean = self._means.setdefault(name, np.zeros_like(gradient))
            square = self._squares.setdefault(name, np.zeros_like(gradient))
            # In two steps: gradient - mean would cost a small gradient its digits.
            mean *= first
            mean += (1 - first) * gradient
            square *= second
            square += (1 - second) * gradient**2
            # Both began at zero: this takes away what that start still weighs.
            mean_now = mean / (1 - first**self.updates)
            square_now = square / (1 - second**self.updates)
            root = np.sqrt(square_now) + self.epsilon
            parameters[name] -= self.rate * mean_now / root
