"""`attention.norms` against torch, and by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.drawn import (
    any_batch_axes,
    generator,
    generators,
    largest_error,
    many_cases,
    uniform,
)
from torch import nn

from attention.norms import LayerNorm, RMSNorm, layer_norm


def largest_errors(ours, theirs):
    return max(largest_error(a, b) for a, b in zip(ours, theirs, strict=True))


@many_cases
@given(
    rng=generators,
    batch=any_batch_axes,
    d_model=st.integers(1, 9),
    eps=st.sampled_from([1e-5, 1e-3, 0.3]),
    spread=st.sampled_from([1.0, 1e-2, 0.0]),
)
def test_layer_norm_is_torchs_in_value_and_gradient(rng, batch, d_model, eps, spread):
    layer, theirs = LayerNorm(d_model, eps).double(), nn.LayerNorm(d_model, eps).double()
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -2, 2, generator=rng)
    theirs.load_state_dict({"weight": layer.gain, "bias": layer.bias})
    # With a small spread eps is most of what is under the root.
    x = (1 + spread * uniform(rng, *batch, 3, d_model)).requires_grad_()
    outputs = [layer(x), layer_norm(x, layer.gain, layer.bias, eps), theirs(x)]
    factors = uniform(rng, *x.shape)
    tensors = [[x, layer.gain, layer.bias]] * 2 + [[x, theirs.weight, theirs.bias]]
    gradients = [
        torch.autograd.grad((output * factors).sum(), by)
        for output, by in zip(outputs, tensors, strict=True)
    ]
    for ours, our_gradients in zip(outputs[:2], gradients[:2], strict=True):
        assert largest_error(ours, outputs[2]) <= 1e-10
        assert largest_errors(our_gradients, gradients[2]) <= 1e-10


def test_layer_norm_by_hand():
    # Mean 3, squared distances 4, 0 and 4: the variance is 8 / 3, not 8 / 2.
    x, gain, bias = (torch.tensor(row) for row in ([1.0, 3, 5], [1.0, 1, 2], [0.0, 7, 0]))
    root = math.sqrt(8 / 3 + 1)
    expected = torch.tensor([-2 / root, 7, 4 / root])
    assert torch.allclose(layer_norm(x, gain, bias, eps=1.0), expected)
    layer = LayerNorm(3, eps=1.0)
    layer.load_state_dict({"gain": gain, "bias": bias})
    assert torch.allclose(layer(x), expected)


def test_a_new_norm_is_torchs_new_norm():
    layer, theirs, x = LayerNorm(5), nn.LayerNorm(5), torch.rand(2, 5, generator=generator())
    assert layer.eps == theirs.eps == 1e-5
    assert torch.equal(layer(1e-3 * x), theirs(1e-3 * x))


# -------------------------------------------------------- without a bias, without a mean


def test_a_layer_norm_may_have_no_bias():
    layer, theirs = LayerNorm(5, bias=False).double(), nn.LayerNorm(5, bias=False).double()
    assert [name for name, _ in layer.named_parameters()] == ["gain"]
    x = uniform(generator(), 2, 3, 5)
    with torch.no_grad():
        for gain in (layer.gain, theirs.weight):
            gain.copy_(torch.arange(5))
    assert largest_error(layer(x), theirs(x)) <= 1e-12
    assert largest_error(layer(x), layer_norm(x, layer.gain, torch.zeros(5), 1e-5)) <= 1e-12


@many_cases
@given(
    rng=generators,
    batch=any_batch_axes,
    d_model=st.integers(1, 9),
    eps=st.sampled_from([1e-6, 1e-5, 0.3]),
    spread=st.sampled_from([1.0, 1e-3, 0.0]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_rms_norm_is_torchs_and_the_formula(rng, batch, d_model, eps, spread, dtype):
    layer, theirs = RMSNorm(d_model, eps).to(dtype), nn.RMSNorm(d_model, eps).to(dtype)
    nn.init.uniform_(layer.gain, -2, 2, generator=rng)
    theirs.load_state_dict({"weight": layer.gain})
    x = (spread * uniform(rng, *batch, 3, d_model, dtype=dtype)).requires_grad_()
    by_formula = layer.gain * x / torch.sqrt(x.square().mean(-1, keepdim=True) + eps)
    outputs = [layer(x), by_formula, theirs(x)]
    factors = uniform(rng, *x.shape, dtype=dtype)
    by = [[x, layer.gain]] * 2 + [[x, theirs.weight]]
    gradients = [
        torch.autograd.grad((output * factors).sum(), one)
        for output, one in zip(outputs, by, strict=True)
    ]
    assert torch.equal(outputs[0], outputs[2])
    assert torch.equal(gradients[0][0], gradients[2][0])
    torch.testing.assert_close(outputs[0], outputs[1])
    torch.testing.assert_close(gradients[0], gradients[1], atol=2e-3 * eps**-0.5, rtol=1e-4)


def test_rms_norm_by_hand():
    layer = RMSNorm(2, eps=2.0)
    layer.load_state_dict({"gain": torch.tensor([1.0, 10.0])})
    # The mean of 4 and 64 is 34, and 2 more are 36.
    assert layer(torch.tensor([2.0, 8.0])).tolist() == pytest.approx([2 / 6, 80 / 6])


def test_a_row_on_one_level_is_kept_by_rms_norm_and_lost_by_layer_norm():
    """Only the layer norm takes the mean away."""
    level = torch.full((1, 4), 3.0, dtype=torch.float64)
    assert largest_error(RMSNorm(4).double()(level), torch.ones(1, 4)) <= 1e-6
    assert not LayerNorm(4).double()(level).any()
    x = uniform(generator(), 2, 4)
    centred = x - x.mean(-1, keepdim=True)
    assert largest_error(RMSNorm(4).double()(centred), LayerNorm(4).double()(x)) <= 1e-12
