"""Keys and values, kept for the positions to come (cost: Writing: keep keys and values).

``KeysAndValues`` is what a key–value cache is made of, one for each attention.
"""

import copy
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor


class KeysAndValues:
    """The keys and values of positions that an attention has read, to be used again.

    Parameters
    ----------
    key : (batch, heads, keys, d_k)
        Rotated already, if positions are rotary.
    value : (batch, heads, keys, d_v)

    Attributes
    ----------
    key, value
        Of all positions that are kept.
    notes : dict
        Tensors with the same rows in front, which go wherever the rows go. Whoever
        watches a model leaves here what belongs to the positions that are kept.
    """

    def __init__(
        self,
        key: Float[Tensor, "*batch heads keys d_k"],
        value: Float[Tensor, "*batch heads keys d_v"],
    ):
        self.key, self.value = key, value
        self.notes: dict[object, Tensor] = {}
        self._shelf: _Shelf | None = None

    def __iter__(self) -> Iterator[Tensor]:
        """Give the keys, then the values."""
        return iter((self.key, self.value))

    @property
    def length(self) -> int:
        """How many positions are kept."""
        return self.key.shape[-2]

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Put those of the next positions behind, and return the keys and values of all."""
        if torch.is_grad_enabled():  # gradients need the old tensors as they were
            self.key = torch.cat([self.key, key], dim=-2)
            self.value = torch.cat([self.value, value], dim=-2)
            self._shelf = None
            return self.key, self.value
        end = self.length + key.shape[-2]
        if self._shelf is None or not self._shelf.has_room(self.length, end):
            self._shelf = _Shelf(self, end + ROOM)
        self.key, self.value = self._shelf.put(self.length, key, value)
        return self.key, self.value

    def fork(self) -> "KeysAndValues":
        """Share what is kept; what is appended to the fork, the original does not see."""
        fork = copy.copy(self)
        fork.notes = dict(self.notes)
        return fork

    def first(self, length: int) -> "KeysAndValues":
        """Fork, and keep the first positions only."""
        fork = self.fork()
        fork.key, fork.value = (tensor[..., :length, :] for tensor in self)
        return fork

    def __getitem__(self, rows: Int[Tensor, " picked"]) -> "KeysAndValues":
        """Take some rows of the batch, in this order, as ``generate.pick`` does."""
        picked = KeysAndValues(self.key[rows], self.value[rows])
        picked.notes = {name: note[rows] for name, note in self.notes.items()}
        return picked


# Positions for which memory is set aside when a cache is moved. One step in so many
# copies what is kept, which is little beside attention: that reads it all in every step.
ROOM = 64


class _Shelf:
    """Memory for more positions than are kept yet.

    Forks share it, and each sees its own first positions. Only what lies behind all of
    them is ever written to: a fork that would write where another has written is moved
    to a shelf of its own.
    """

    def __init__(self, kept: KeysAndValues, room: int):
        self.key, self.value = (_with_room(tensor, room) for tensor in kept)
        self.filled = kept.length

    def has_room(self, start: int, end: int) -> bool:
        # What was made in inference mode may not be written to outside.
        same_mode = self.key.is_inference() == torch.is_inference_mode_enabled()
        return self.filled == start and end <= self.key.shape[-2] and same_mode

    def put(self, start: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        self.filled = start + key.shape[-2]
        self.key[..., start : self.filled, :] = key
        self.value[..., start : self.filled, :] = value
        return self.key[..., : self.filled, :], self.value[..., : self.filled, :]


def _with_room(tensor: Tensor, length: int) -> Tensor:
    """Copy to memory that has room for so many positions."""
    roomy = tensor.new_empty(*tensor.shape[:-2], length, tensor.shape[-1])
    roomy[..., : tensor.shape[-2], :] = tensor
    return roomy
