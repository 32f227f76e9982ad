"""Parameters of a model, and the width for so many (bottleneck: What else could it be)."""

from dataclasses import replace

import torch

from attention._arguments import as_integer
from attention.recurrent.config import WIDTHS, RecurrentConfig
from attention.recurrent.translator import Translator
from attention.report import require


def parameters_of(config: RecurrentConfig) -> int:
    """Count the numbers that training would adjust."""
    with torch.device("meta"):  # shapes without memory behind them
        return sum(parameter.numel() for parameter in Translator(config).parameters())


def width_for(parameters: int, config: RecurrentConfig, field: str = "d_decoder") -> int:
    """Find the width that brings a model nearest to a number of parameters.

    Models of different make can so be compared at equal size.

    Parameters
    ----------
    parameters : int
    config : RecurrentConfig
        Everything else about the model.
    field : str
        Which width: "d_decoder", "d_encoder", "d_context", ...

    Returns
    -------
    width : int
        For ``dataclasses.replace(config, d_decoder=width)``.

    Raises
    ------
    ValueError
        If there is no such width, it does not matter to this model, or the model
        is too large even with a width of 1.
    """
    require(field in WIDTHS, "field", f"one of {WIDTHS}", field)
    parameters = as_integer("parameters", parameters)

    def count(width: int) -> int:
        return parameters_of(replace(config, **{field: width}))

    require(count(2) > count(1), "field", "a width that this model has", field)
    require(count(1) <= parameters, "parameters", f"at least {count(1)}", parameters)
    too_wide = 2
    while count(too_wide) < parameters:
        too_wide *= 2
    widest = too_wide // 2  # count(widest) <= parameters <= count(too_wide)
    while too_wide - widest > 1:
        middle = (widest + too_wide) // 2
        widest, too_wide = (middle, too_wide) if count(middle) <= parameters else (widest, middle)
    return min(widest, too_wide, key=lambda width: abs(count(width) - parameters))
