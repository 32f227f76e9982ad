"""Looking back at the source: scores and a weighted average (alignment: Four steps, by hand)."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


def additive_scores(
    query: Float[Tensor, "batch d_score"],
    keys: Float[Tensor, "batch keys d_score"],
    v: Float[Tensor, " d_score"],
) -> Float[Tensor, "batch keys"]:
    """Score each key against the query by v · tanh(q + k), as Bahdanau et al. (2015) do."""
    return torch.tanh(query[:, None] + keys) @ v


def dot_scores(
    query: Float[Tensor, "batch d_score"], keys: Float[Tensor, "batch keys d_score"]
) -> Float[Tensor, "batch keys"]:
    """Score each key against the query by q · k / √d_score.

    With queries and keys projected as here, this is the "general" score of Luong et
    al. (2015, section 3.1), their W_a being the product of two narrower matrices,
    times the scale of Vaswani et al. (2017).
    """
    return (keys @ query[:, :, None]).squeeze(-1) / math.sqrt(keys.shape[-1])


class LookBack(nn.Module):
    """Turn the decoder's state into a query, and average what the source answers.

    Bahdanau et al. (2015), section 3.1 and appendix A.1.2: ``W_Q`` is their W_a,
    ``W_K`` their U_a, ``v`` their v_a. Keys are projected annotations, values the
    annotations themselves.

    Parameters
    ----------
    d_state : int
        Width of the decoder's state.
    d_annotation : int
    d_score : int
        Width of queries and keys.
    score : "additive" or "dot"
    """

    def __init__(self, d_state: int, d_annotation: int, d_score: int, score: str):
        super().__init__()
        self.W_Q = nn.Linear(d_state, d_score, bias=False)
        self.W_K = nn.Linear(d_annotation, d_score)
        if score == "additive":
            self.v = nn.Parameter(torch.empty(d_score).uniform_(-1, 1) / math.sqrt(d_score))
        self.score = score

    def forward(
        self,
        state: Float[Tensor, "batch d_state"],
        keys: Float[Tensor, "batch source_length d_score"],
        annotations: Float[Tensor, "batch source_length d_annotation"],
        mask: Bool[Tensor, "batch source_length"],
    ) -> tuple[Float[Tensor, "batch d_annotation"], Float[Tensor, "batch source_length"]]:
        """Return the context and the weights it was averaged with.

        Parameters
        ----------
        state : (batch, d_state)
        keys : (batch, source_length, d_score)
            ``W_K(annotations)``, computed once for the whole sentence.
        annotations : (batch, source_length, d_annotation)
        mask : (batch, source_length), boolean
            ``True`` for tokens, ``False`` for padding.
        """
        query = self.W_Q(state)  # (batch, d_score)
        if self.score == "additive":
            scores = additive_scores(query, keys, self.v)  # (batch, source_length)
        else:
            scores = dot_scores(query, keys)
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1)  # (batch, source_length): 0 on padding
        context = (weights[:, None] @ annotations).squeeze(1)  # (batch, d_annotation)
        return context, weights
