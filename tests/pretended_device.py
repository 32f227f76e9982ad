"""A second device that every machine has: torch believes in it, and the numbers are on the CPU.

While ``pretended_device()`` lasts, tensors can be made on ``DEVICE``, moved there and computed
with, and whatever mixes them with the CPU's fails as it would on a GPU. So a test finds a tensor
that was made without ``device=`` where there is no GPU. And there are numbers to compare with
the CPU's, which torch's fake tensors do not have: decoding has to know who has ended.

Three things are allowed, as on a GPU: a single number of the CPU may meet any tensor, places on
the CPU may index a tensor that is elsewhere, and numbers may be copied from here to there.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

CPU = torch.device("cpu")
# It has no numbers of its own, so none of them can be there by mistake.
DEVICE = torch.device("meta")

_aten = torch.ops.aten
_INDEXING = {_aten.index.Tensor, _aten.index_put.default, _aten.index_put_.default}
_COPYING = {_aten.copy_.default, _aten._to_copy.default}


class Elsewhere(Tensor):
    """A tensor that says it is on ``DEVICE``; its numbers are in ``numbers``."""

    @staticmethod
    def __new__(cls, numbers: Tensor):
        return Tensor._make_wrapper_subclass(
            cls, numbers.shape, numbers.stride(), dtype=numbers.dtype, device=DEVICE
        )

    def __init__(self, numbers: Tensor):
        self.numbers = numbers

    def __repr__(self) -> str:
        return f"Elsewhere({self.numbers})"

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = tree_leaves((args, kwargs))
        _refuse_mixture(function, given)
        wanted = kwargs.get("device")
        if wanted is not None:
            kwargs = kwargs | {"device": CPU}
        results = function(*tree_map(_numbers, args), **tree_map(_numbers, kwargs))
        if wanted is not None and torch.device(wanted) != DEVICE:
            return results
        if torch.Tag.inplace_view in function.tags:  # its shape is to change too
            with no_dispatch():
                function(*args, **kwargs)
        # What was changed in place is still the tensor it was.
        wrapped = {id(x.numbers): x for x in given if isinstance(x, cls)}

        def back(result: object) -> object:
            if not isinstance(result, Tensor):
                return result
            return wrapped[id(result)] if id(result) in wrapped else cls(result)

        return tree_map(back, results)


def _numbers(x: object) -> object:
    return x.numbers if isinstance(x, Elsewhere) else x


def _refuse_mixture(function: object, given: list[object]) -> None:
    if any(isinstance(x, torch.Generator) for x in given):
        raise RuntimeError("Expected a generator on the tensors' device but found one on the CPU")
    tensors = [x for x in given if isinstance(x, Tensor)]
    if function in _COPYING or (function in _INDEXING and isinstance(tensors[0], Elsewhere)):
        return
    here = [x for x in tensors if not isinstance(x, Elsewhere) and x.ndim > 0]
    if here:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but {function} met two devices"
        )


class _Moving(TorchFunctionMode):
    """Do what is asked for ``DEVICE``: make tensors there, and move tensors there and back."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is Tensor.tolist:
            return function(_numbers(args[0]))
        if function is Tensor.__setitem__ and isinstance(args[0], Elsewhere):
            tensor, places, value = args
            if not isinstance(value, Tensor):  # torch would make it on the true meta device
                value = Elsewhere(torch.tensor(value, dtype=tensor.dtype))
            return function(tensor, places, value)
        there = [x for x in (*args, *kwargs.values()) if _is_device(x)]
        if not there or function in (torch.device, torch._C._nn._parse_to):  # no tensor comes of it
            return function(*args, **kwargs)
        if kwargs.get("generator") is not None:
            raise RuntimeError("Expected a generator on that device but found one on the CPU")

        def here(x: object) -> object:
            return CPU if _is_device(x) else _numbers(x)

        with torch._C.DisableTorchFunction():
            result = function(*map(here, args), **{name: here(x) for name, x in kwargs.items()})
        already = function is Tensor.to and isinstance(args[0], Elsewhere)
        if already and result is args[0].numbers:
            return args[0]
        return Elsewhere(result.detach())


class _Making(TorchDispatchMode):
    """Make what torch itself makes on ``DEVICE`` on the way, such as the 0 of a ``where``."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        elsewhere = any(isinstance(x, Elsewhere) for x in tree_leaves((args, kwargs)))
        if elsewhere or not _is_device(kwargs.get("device")):
            return function(*args, **kwargs)
        return Elsewhere(function(*args, **kwargs | {"device": CPU}))


def _is_device(x: object) -> bool:
    return isinstance(x, torch.device | str) and str(x) == DEVICE.type


@contextmanager
def pretended_device() -> Iterator[torch.device]:
    """Let there be a second device."""
    with _Moving(), _Making():
        yield DEVICE
