"""`attention.feed_forward` by its equations, with a gate and without."""

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
    some_cases,
    uniform,
)
from torch import nn
from torch.nn import functional as F

from attention.feed_forward import FeedForward, SwiGLU


@some_cases
@given(
    rng=generators,
    batch=any_batch_axes,
    d_model=st.integers(1, 4),
    d_ff=st.integers(1, 6),
    activation=st.sampled_from(["relu", "gelu"]),
)
def test_feed_forward_by_its_equation(rng, batch, d_model, d_ff, activation):
    layer = FeedForward(d_model, d_ff, activation).double()
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -2, 2, generator=rng)
    assert layer.W_1.weight.shape == (d_ff, d_model)
    x = uniform(rng, *batch, 3, d_model)
    hidden = x @ layer.W_1.weight.T + layer.W_1.bias
    if activation == "relu":
        hidden = hidden.clamp(min=0)
    else:  # how often a standard normal number is smaller, times the number
        hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
    assert largest_error(layer(x), hidden @ layer.W_2.weight.T + layer.W_2.bias) <= 1e-10


def test_feed_forward_thinks_about_each_position_alone():
    layer, x = FeedForward(4, 7).double(), uniform(generator(), 2, 5, 4)
    assert largest_error(layer(x)[:, 3], layer(x[:, 3])) <= 1e-15


def test_feed_forward_drops_what_is_in_between():
    torch.manual_seed(0)
    layer = FeedForward(1, 4000, dropout=0.25)
    with torch.no_grad():
        for name, value in (("W_1.weight", 1), ("W_1.bias", 0), ("W_2.weight", 1), ("W_2.bias", 5)):
            layer.get_parameter(name).fill_(value)
        # How many of the 4000 are left, each of them as 4/3: 3000 ± 27 are to be expected.
        left = [(layer(torch.ones(1, 1)).item() - 5) * 0.75 for _ in range(3)]
        assert left == pytest.approx([3000] * 3, abs=140)
        assert max(left) - min(left) > 1
        assert layer.eval()(torch.ones(1, 1)).item() == pytest.approx(4005)
    assert FeedForward(1, 1).dropout.p == 0


# ------------------------------------------------------------ without biases, with a gate


def parameters(layer):
    return sum(parameter.numel() for parameter in layer.parameters())


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        (FeedForward(6, 10), 6 * 10 + 10 + 10 * 6 + 6),
        (FeedForward(6, 10, bias=False), 2 * 6 * 10),
        (SwiGLU(6, 10), 3 * 6 * 10),
        (SwiGLU(6, 10, bias=True), 3 * 6 * 10 + 10 + 10 + 6),
    ],
)
def test_parameters_are_as_counted_by_hand(layer, count):
    assert parameters(layer) == count


def test_two_thirds_of_the_width_make_a_gate_as_large():
    assert parameters(SwiGLU(12, 32)) == parameters(FeedForward(12, 48, bias=False))


@some_cases
@given(
    rng=generators,
    batch=any_batch_axes,
    d_model=st.integers(1, 4),
    d_ff=st.integers(1, 6),
    bias=st.booleans(),
)
def test_swiglu_by_its_equation(rng, batch, d_model, d_ff, bias):
    layer = SwiGLU(d_model, d_ff, bias=bias).double()
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -2, 2, generator=rng)
    x = uniform(rng, *batch, 3, d_model).requires_grad_()

    def linear(name, x):
        weight, bias = (layer.get_submodule(name).weight, layer.get_submodule(name).bias)
        return x @ weight.T + (0 if bias is None else bias)

    z = linear("W_1", x)
    expected = linear("W_2", z / (1 + (-z).exp()) * linear("W_3", x))
    assert largest_error(layer(x), expected) <= 1e-10
    for ours, by_formula in zip(
        torch.autograd.grad(layer(x).sum(), [x, *layer.parameters()]),
        torch.autograd.grad(expected.sum(), [x, *layer.parameters()]),
        strict=True,
    ):
        assert largest_error(ours, by_formula) <= 1e-9


def test_a_gate_of_zeros_closes():
    layer, x = SwiGLU(3, 5, bias=True), uniform(generator(), 2, 3, dtype=torch.float32)
    for name in ("W_1", "W_3"):
        weight = layer.get_submodule(name)
        open_again = weight.weight.detach().clone(), weight.bias.detach().clone()
        nn.init.zeros_(weight.weight)
        nn.init.zeros_(weight.bias)
        assert torch.equal(layer(x), layer.W_2.bias.expand(2, 3))
        weight.load_state_dict(dict(zip(("weight", "bias"), open_again, strict=True)))


def test_a_gated_layer_drops_what_is_in_between():
    torch.manual_seed(0)
    layer, x = SwiGLU(3, 400, dropout=0.5), uniform(generator(), 2, 3, dtype=torch.float32)
    assert not torch.allclose(layer(x), layer(x))
    hidden = F.silu(layer.W_1(x)) * layer.W_3(x)
    torch.testing.assert_close(layer.eval()(x), layer.W_2(hidden))
