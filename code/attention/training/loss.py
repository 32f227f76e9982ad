"""The loss of a translator: cross-entropy without padding (translation: From near: one step)."""

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attention._arguments import share
from attention.report import require
from attention.tokens import PADDING
from attention.training.batches import Batch
from attention.training.recipe import Recipe


def token_loss(
    logits: Float[Tensor, "batch length symbols"],
    target: Int[Tensor, "batch length"],
    label_smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """Average the cross-entropy over all tokens that are not padding, in nats.

    Parameters
    ----------
    logits : (batch, length, symbols)
    target : (batch, length)
    label_smoothing : float
        The share ε of probability that the target gives away to all symbols
        alike, the right one included (Szegedy et al. 2016, section 7). With
        ε > 0 even a perfect model has a loss above 0.

    Raises
    ------
    ValueError
        If ``label_smoothing`` is not a number from 0 to below 1, or the target is
        nothing but padding.
    """
    smoothing = share("label_smoothing", label_smoothing)
    target = target.flatten()  # (batch * length,)
    require(bool((target != PADDING).any()), "target", "at least one token", "padding only")
    return F.cross_entropy(
        logits.flatten(0, 1), target, ignore_index=PADDING, label_smoothing=smoothing
    )


def translation_loss(model: nn.Module, batch: Batch, recipe: Recipe) -> Float[Tensor, ""]:
    """Compute ``token_loss`` with the target's true beginnings given."""
    return token_loss(model(batch.source, batch.target), batch.target, recipe.label_smoothing)
