"""Models of different kinds with as many parameters: the feed-forward layers make up for it."""

from dataclasses import replace

from attention.transformer import TransformerConfig, parameters_of


def with_parameters(config: TransformerConfig, wanted: int, step: int = 4) -> TransformerConfig:
    """Choose ``d_ff`` so that the parameters are as near as can be to so many.

    Parameters
    ----------
    config : TransformerConfig
    wanted : int
    step : int
        ``d_ff`` is a multiple of it.
    """
    one, two = (parameters_of(replace(config, d_ff=times * step)) for times in (1, 2))
    times = 1 + round((wanted - one) / (two - one))  # they grow in a straight line
    return replace(config, d_ff=times * step)
