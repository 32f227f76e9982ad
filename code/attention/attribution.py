"""Which input caused this output? Three answers (evidence: Which word caused this output).

- ``rollout`` follows the attention weights from the last layer down to the words
  (Abnar and Zuidema 2020). It knows no output: the answer is the same for all of them.
- ``gradient_times_input`` asks how fast the output would change, and by how much the word
  differs from zero (Shrikumar et al. 2016).
- ``leave_one_out`` runs the model without the word (Li et al. 2016).

None of them changes the model.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from attention.report import require


def rollout(
    layers: Sequence[Float[Tensor, "batch heads length length"]],
) -> Float[Tensor, "batch length length"]:
    """Multiply the attention of a stack's layers, each mixed half and half with the residual.

    Parameters
    ----------
    layers : sequence of (batch, heads, length, length)
        Weights of self-attention, from the first layer to the last. The heads are averaged.

    Returns
    -------
    shares : (batch, length, length)
        For each position after the last layer (row), the share of each input. A row sums
        to 1.

    Raises
    ------
    ValueError
        If there are no layers.
    """
    require(len(layers) > 0, "layers", "one or more", len(layers))
    shares = torch.eye(layers[0].shape[-1], dtype=layers[0].dtype, device=layers[0].device)
    for weights in layers:
        shares = _mixed(weights) @ shares  # (batch, length, length)
    return shares


def rollout_to_source(
    encoder: Sequence[Float[Tensor, "batch heads source source"]],
    decoder: Sequence[Float[Tensor, "batch heads length length"]],
    cross: Sequence[Float[Tensor, "batch heads length source"]],
) -> tuple[Float[Tensor, "batch length source"], Float[Tensor, "batch length length"]]:
    """Roll out an encoder-decoder: from each of its outputs to both of its texts.

    A decoder layer has two steps: self-attention, then cross-attention to the source, which
    is here what the encoder's own rollout says. Each is mixed half and half with the residual.

    Returns
    -------
    of_source, of_text : (batch, length, source) and (batch, length, length)
        For each output (row), the shares of the words of the source, and of the text that
        the decoder has read. The two rows together sum to 1.

    Raises
    ------
    ValueError
        If the decoder has not as many layers of cross-attention as of self-attention.
    """
    require(len(cross) == len(decoder), "cross", f"{len(decoder)} layers", len(cross))
    memory = rollout(encoder)  # (batch, source, source)
    of_text = torch.eye(decoder[0].shape[-1], dtype=decoder[0].dtype, device=decoder[0].device)
    of_source = torch.zeros_like(cross[0][:, 0])
    for own, across in zip(decoder, cross, strict=True):
        of_source, of_text = _mixed(own) @ of_source, _mixed(own) @ of_text
        of_source = 0.5 * of_source + 0.5 * across.mean(1) @ memory
        of_text = 0.5 * of_text
    return of_source, of_text


def _mixed(weights: Float[Tensor, "batch heads length length"]) -> Float[Tensor, "..."]:
    mean = weights.mean(1)  # over the heads: (batch, length, length)
    return 0.5 * mean + 0.5 * torch.eye(mean.shape[-1], dtype=mean.dtype, device=mean.device)


def gradient_times_input(
    embedding: nn.Embedding, score: Callable[[], Float[Tensor, " batch"]]
) -> Float[Tensor, "batch length"]:
    """Multiply each word's vector by the gradient of a score with respect to it.

    Parameters
    ----------
    embedding : nn.Embedding
        Where the model looks its words up; it is used once in a run.
    score : callable
        Runs the model, with gradients, and returns one number for each text. The number of
        a text must not depend on the other texts.

    Returns
    -------
    products : (batch, length)
        The sum over the vector's numbers. To first order, what the score would lose if the
        vector shrank to zero.

    Raises
    ------
    ValueError
        If ``score`` does not look words up exactly once.
    """
    vectors: list[Tensor] = []

    def keep(module: nn.Module, arguments: tuple, output: Tensor) -> Tensor:
        output = output.detach().requires_grad_()
        vectors.append(output)
        return output

    handle = embedding.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            total = score().sum()
    finally:
        handle.remove()
    require(len(vectors) == 1, "score", "a function that looks words up once", len(vectors))
    (gradient,) = torch.autograd.grad(total, vectors)  # (batch, length, d_model)
    return (gradient * vectors[0]).sum(-1).detach()


def leave_one_out(
    tokens: Int[Tensor, " length"], score: Callable[[Tensor], Float[Tensor, " length"]]
) -> Float[Tensor, " length"]:
    """Say how far a score falls when a word is left out, for each word of one text.

    Parameters
    ----------
    tokens : (length,)
        At least two.
    score : callable
        From texts (batch, length) to their scores (batch,).

    Returns
    -------
    falls : (length,)
        Above 0: the word had raised the score.

    Raises
    ------
    ValueError
        If there are fewer than two tokens.
    """
    length = len(tokens)
    require(length > 1, "tokens", "two or more", length)
    kept = ~torch.eye(length, dtype=torch.bool, device=tokens.device)
    without = tokens.expand(length, length)[kept].reshape(length, length - 1)
    return score(tokens[None]) - score(without)
