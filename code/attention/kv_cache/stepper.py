"""An encoder–decoder that writes with a cache (cost: Writing: keep keys and values)."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from attention._arguments import unwrapped
from attention.generate import Logits, Source, State, Token
from attention.kv_cache.caches import Cache, check_kind, forks, new_cache
from attention.report import require
from attention.tokens import check_numbers
from attention.transformer import Transformer


@dataclass(frozen=True)
class SourceRows:
    """What a step needs of the source: it is made once and never changes.

    Attributes
    ----------
    mask : (rows, 1, source_length)
        ``True`` for tokens.
    each_layer : tuple of KeysAndValues
        Those of each layer's cross-attention.
    sentence : (rows,)
        Which sentence each row is about.
    """

    mask: Bool[Tensor, "rows 1 source_length"]
    each_layer: Cache
    sentence: Int[Tensor, " rows"]

    def __getitem__(self, rows: Int[Tensor, " picked"]) -> "SourceRows":
        """Take some rows, in this order.

        If they are about the same sentences as before, there is nothing to do. So it is
        at every step of a beam but the first: rows of one sentence change places.
        """
        sentence = self.sentence[rows]
        if torch.equal(sentence, self.sentence):
            return self
        return SourceRows(self.mask[rows], tuple(kept[rows] for kept in self.each_layer), sentence)


@dataclass(frozen=True)
class CachedTransformerStepper:
    """Write with a transformer: it keeps keys and values, and reads each token once.

    It writes what ``generate.TransformerStepper`` writes, and everything in
    ``attention.generate`` takes it in the place of a model. The state is what is needed
    of the source, then the keys and values of what has been written, layer by layer. A
    beam can drop, repeat and reorder their rows.

    Parameters
    ----------
    model : Transformer
        Also in a wrapper, such as ``torch.compile`` makes; it is taken out.

    Raises
    ------
    ValueError
        If it is no ``Transformer``.

    Examples
    --------
    >>> greedy(CachedTransformerStepper(model), source)
    """

    model: Transformer

    def __post_init__(self):
        model = unwrapped(self.model)
        check_kind(model, Transformer)
        object.__setattr__(self, "model", model)

    def start(self, source: Source) -> State:
        """Read the source; make its keys and values, once for all steps."""
        memory, mask = self.model.encode(source)
        cross = [layer.cross_attention for layer in self.model.decoder.layers]
        each_layer = tuple(attention.keys_and_values(memory) for attention in cross)
        sentence = torch.arange(len(source), device=source.device)
        return SourceRows(mask, each_layer, sentence), *new_cache(self.model, len(source))

    def step(self, state: State, token: Token) -> tuple[Logits, State]:
        """Read one token, and nothing else; what came before it is kept.

        Raises
        ------
        ValueError
            If ``token`` is not one token number for each row of the state, or there are
            more positions than have been learned.
        """
        source, *cache = state
        _check_token(token, len(source.sentence), self.model.config.target_vocab_size)
        cache = forks(cache)
        # (batch, 1, symbols)
        logits = self.model.decode(token[:, None], source.each_layer, source.mask, cache=cache)
        return logits[:, 0], (source, *cache)


def _check_token(token: object, rows: int, symbols: int) -> None:
    good = isinstance(token, Tensor) and token.dtype == torch.long and token.ndim == 1
    came = f"{token.dtype} of shape {tuple(token.shape)}" if isinstance(token, Tensor) else token
    require(good and len(token) == rows, "token", f"a torch.int64 tensor of shape ({rows},)", came)
    check_numbers("token", token[:, None], symbols)
