"""What functions of all torch modules ask of tensors."""

import itertools

import numpy as np
import pytest
import torch

from attention._tensors import broadcasts, describe


def test_a_tensor_is_described_by_type_and_shape_and_anything_else_by_what_it_is():
    assert describe(torch.zeros(2, 3)) == "torch.float32 of shape (2, 3)"
    assert describe(torch.tensor(True)) == "torch.bool of shape ()"
    for thing, name in ((np.zeros(2), "ndarray"), ([1.0], "list"), (None, "NoneType")):
        assert describe(thing) == name


SHAPES = [shape for axes in range(4) for shape in itertools.product((1, 2, 3), repeat=axes)]


@pytest.mark.parametrize("target", [(), (2,), (1, 3), (3, 2), (2, 3, 2)])
def test_what_broadcasts_is_what_torch_expands(target):
    for shape in SHAPES:
        try:
            torch.zeros(shape).expand(target)
        except RuntimeError:
            assert not broadcasts(shape, target), shape
        else:
            assert broadcasts(shape, target), shape
