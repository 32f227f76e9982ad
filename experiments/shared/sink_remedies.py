"""Attention with what is said to make a sink unnecessary: a learned sink, or a gate."""

import math

import torch
from torch import Tensor, nn

from attention.heads import merge_heads, repeat_heads, split_heads
from attention.layers import MultiHeadAttention
from attention.positions import rotate
from attention.transformer import LanguageModel

REMEDIES = ("none", "zero in the sum", "learned sink", "gate")


class RemediedAttention(MultiHeadAttention):
    """A ``MultiHeadAttention`` with one remedy. All remedies are computed in the same steps.

    Parameters
    ----------
    plain : MultiHeadAttention
        Whose parameters it takes. No biases, no dropout, no QK-norm.
    remedy : str
        "zero in the sum" (Miller 2023): the softmax has one more score, which is 0, and
        no value belongs to it. "learned sink" (OpenAI 2025): that score is a parameter of
        each head. "gate" (Qiu et al. 2025): each number that the heads bring is multiplied
        by a number from 0 to 1, made of the row that asked.
    """

    def __init__(self, plain: MultiHeadAttention, remedy: str):
        d_model = plain.W_O.in_features
        super().__init__(d_model, plain.heads, plain.key_value_heads, bias=False, pairs=plain.pairs)
        self.W_Q, self.W_K, self.W_V, self.W_O = plain.W_Q, plain.W_K, plain.W_V, plain.W_O
        sink = torch.zeros(plain.heads) if "sum" in remedy or "sink" in remedy else None
        self.sink = nn.Parameter(sink) if remedy == "learned sink" else sink
        self.gate = nn.Linear(d_model, d_model, bias=False) if remedy == "gate" else None

    def forward(
        self,
        x,
        memory=None,
        mask=None,
        return_weights=False,
        angles=None,
        score_bias=None,
        kept=None,
    ):
        """Let each row of ``x`` attend to ``x`` itself; the arguments are those of the base."""
        query = split_heads(self.W_Q(x), self.heads)  # (batch, heads, length, d_k)
        key, value = self.keys_and_values(x if memory is None else memory)
        query, key = (rotate(t, angles, self.pairs) for t in (query, key))
        key, value = (repeat_heads(t, self.heads) for t in (key, value))
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        weights = softmax(scores.masked_fill(~mask, -torch.inf), self.sink)
        output = merge_heads(weights @ value)  # (batch, length, d_model)
        if self.gate is not None:
            output = output * torch.sigmoid(self.gate(x))
        output = self.W_O(output)
        return (output, weights) if return_weights else output


def softmax(scores: Tensor, sink: Tensor | None = None) -> Tensor:
    """Take the softmax of rows; with a sink, of one more score, whose weight is left out.

    Parameters
    ----------
    scores : (batch, heads, queries, keys)
    sink : (heads,), optional

    Returns
    -------
    weights : (batch, heads, queries, keys)
        A row sums to 1, or with a sink to less.
    """
    if sink is None:
        return scores.softmax(-1)
    more = sink[:, None, None].expand(*scores.shape[:-1], 1)
    return torch.cat([scores, more], -1).softmax(-1)[..., :-1]


def remedied(model: LanguageModel, remedy: str, seed: int) -> LanguageModel:
    """Put a remedy into each layer of a model. What is new is drawn from the seed."""
    torch.manual_seed(seed)
    for layer in model.decoder.layers:
        layer.self_attention = RemediedAttention(layer.self_attention, remedy)
    return model
