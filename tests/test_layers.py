"""`attention.layers` against torch and `by_hand`, and what must hold whatever the numbers are."""

import math
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from attention import by_hand
from attention.heads import merge_heads, split_heads
from attention.layers import MultiHeadAttention
from attention.positions import (
    LearnedPositions,
    alibi_bias,
    alibi_slopes,
    position_angles,
    rotate,
    sinusoidal_positions,
)

# Random cases per comparison with torch; the mutation tester asks for fewer.
CASES = int(os.environ.get("ATTENTION_TEST_CASES", "200"))
many_cases = settings(max_examples=CASES)
some_cases = settings(max_examples=max(CASES // 4, 10))

sizes = st.integers(1, 4)
lengths = st.integers(1, 6)
generators = st.integers(0, 2**32 - 1).map(lambda seed: torch.Generator().manual_seed(seed))
both_paths = pytest.mark.parametrize("return_weights", [False, True])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def uniform(rng, *shape, dtype=torch.float64):
    """Draw numbers within ±3."""
    return (torch.rand(*shape, generator=rng, dtype=torch.float64) * 6 - 3).to(dtype)


def new_layer(rng, d_model, heads, dtype=torch.float64, **options):
    """Make a layer whose parameters, biases included, come from `rng`."""
    layer = MultiHeadAttention(d_model, heads, **options).to(dtype)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -(d_model**-0.5), d_model**-0.5, generator=rng)
    return layer


def output_of(layer, *arguments, return_weights=False, **options):
    """Run the fused path or, with `return_weights`, the explicit one; return the output."""
    result = layer(*arguments, **options, return_weights=return_weights)
    return result[0] if return_weights else result


def causal(queries, keys):
    return torch.ones(queries, keys, dtype=torch.bool).tril()


def padding(rng, batch, keys):
    """Draw a padding mask; some sequences may be empty."""
    real = torch.randint(keys + 1, (*batch, 1, 1), generator=rng)
    return torch.arange(keys) < real


def masks(rng, kind, batch, queries, keys, heads=1):
    """Draw a mask of the kind that fits queries and keys, or None."""
    match kind:
        case "none":
            return None
        case "causal":
            return causal(queries, keys)
        case "padding":
            return padding(rng, batch, keys)
        case "causal and padding":
            return causal(queries, keys) & padding(rng, batch, keys)
        case "random":
            # Few keys allowed: rows without any are frequent.
            return torch.rand(*batch, queries, keys, generator=rng) < 0.4
        case "random, not by the first batch axis":
            return torch.rand(*batch[1:], queries, keys, generator=rng) < 0.6
        case "by key":
            return torch.rand(keys, generator=rng) < 0.6
        case "by query":
            return torch.rand(queries, 1, generator=rng) < 0.6
        case "nothing":
            return torch.tensor(False)
        case "each head":
            return torch.rand(*batch, heads, queries, keys, generator=rng) < 0.4
        case "each head, shared by the batch":
            return torch.rand(*(1 for _ in batch), heads, 1, keys, generator=rng) < 0.5


KINDS = ["none", "causal", "padding", "causal and padding", "random"]
KINDS += ["random, not by the first batch axis", "by key", "by query", "nothing"]
KINDS_FOR_HEADS = [*KINDS, "each head", "each head, shared by the batch"]


one_batch_axis = st.integers(1, 3).map(lambda batch: (batch,))
either = st.booleans()
any_batch_axes = st.sampled_from([(), (1,), (3,), (2, 3)])


@st.composite
def cases(draw, batch_axes=any_batch_axes, bias=either, kinds=KINDS_FOR_HEADS):
    """Draw (rng, layer, x, memory or None, mask or None) in float64."""
    rng, batch = draw(generators), draw(batch_axes)
    heads, d_k, queries, keys = draw(sizes), draw(sizes), draw(lengths), draw(lengths)
    layer = new_layer(rng, heads * d_k, heads, bias=draw(bias))
    x = uniform(rng, *batch, queries, heads * d_k)
    memory = None if draw(st.booleans()) else uniform(rng, *batch, keys, heads * d_k)
    keys = queries if memory is None else keys
    mask = masks(rng, draw(st.sampled_from(kinds)), batch, queries, keys, heads)
    if mask is not None and mask.ndim == 2 and batch[-1:] == mask.shape[:1]:
        mask = mask[None]  # or it would be refused, since it could be (batch, keys)
    return rng, layer, x, memory, mask


def for_each_head(mask, layer, x, memory):
    """Stretch a mask to (*batch, heads, queries, keys)."""
    shape = (*x.shape[:-2], layer.heads, x.shape[-2], memory.shape[-2])
    if mask is None:
        return torch.ones(shape, dtype=torch.bool)
    return (mask.unsqueeze(-3) if 2 < mask.ndim <= x.ndim else mask).expand(shape)


def largest_error(ours, theirs):
    assert ours.shape == theirs.shape
    return (ours - theirs).abs().max().item() if ours.numel() else 0


def largest_errors(ours, theirs):
    return max(largest_error(a, b) for a, b in zip(ours, theirs, strict=True))


# ------------------------------------------------------------- against torch


def torch_twin(layer):
    """Make torch's module with the same parameters."""
    bias = layer.W_O.bias is not None
    d_model = layer.W_O.in_features
    twin = nn.MultiheadAttention(d_model, layer.heads, bias=bias, batch_first=True).double()
    projections = [layer.W_Q, layer.W_K, layer.W_V]
    with torch.no_grad():
        twin.in_proj_weight.copy_(torch.cat([p.weight for p in projections]))
        twin.out_proj.weight.copy_(layer.W_O.weight)
        if bias:
            twin.in_proj_bias.copy_(torch.cat([p.bias for p in projections]))
            twin.out_proj.bias.copy_(layer.W_O.bias)
    return twin


def torch_output_and_weights(twin, x, memory, mask):
    """Run torch's module with our mask; rows without any key get what our rule says.

    torch gives such rows NaN, in the gradients too. So there they may attend to
    everything, and the result is replaced.
    """
    memory = x if memory is None else memory
    shape = (len(x), x.shape[1], memory.shape[1])
    mask = torch.ones(shape, dtype=torch.bool) if mask is None else mask.expand(shape)
    sees_a_key = mask.any(-1, keepdim=True)  # (batch, queries, 1)
    # There True means "may not attend", one mask for each sequence and head.
    forbidden = ~(mask | ~sees_a_key).repeat_interleave(twin.num_heads, 0)
    output, weights = twin(
        x, memory, memory, attn_mask=forbidden, need_weights=True, average_attn_weights=False
    )
    bias = torch.zeros(()).double() if twin.out_proj.bias is None else twin.out_proj.bias
    return torch.where(sees_a_key, output, bias), torch.where(sees_a_key[:, None], weights, 0)


def torch_gradients(loss, twin, inputs):
    """Return the gradients of torch's module in the order of our inputs and parameters."""
    weights, biases = [twin.in_proj_weight, twin.out_proj.weight], []
    if twin.out_proj.bias is not None:
        biases = [twin.in_proj_bias, twin.out_proj.bias]
    by_input = torch.autograd.grad(loss, inputs, retain_graph=True)
    joined, W_O = torch.autograd.grad(loss, weights, retain_graph=True)
    by_weight = [*joined.chunk(3), W_O]
    if not biases:
        return [*by_input, *by_weight]
    joined, b_O = torch.autograd.grad(loss, biases, retain_graph=True)
    by_bias = [*joined.chunk(3), b_O]
    pairs = zip(by_weight, by_bias, strict=True)
    return [*by_input, *(gradient for pair in pairs for gradient in pair)]


@many_cases
@given(cases(one_batch_axis, kinds=KINDS))
def test_equals_torchs_module_in_value_and_gradient(case):
    rng, layer, x, memory, mask = case
    inputs = [tensor.requires_grad_() for tensor in (x, memory) if tensor is not None]
    twin = torch_twin(layer)
    their_output, their_weights = torch_output_and_weights(twin, x, memory, mask)
    fused = layer(x, memory, mask)
    output, weights = layer(x, memory, mask, return_weights=True)
    assert largest_error(fused, their_output) <= 1e-10
    assert largest_error(output, their_output) <= 1e-10
    assert largest_error(weights, their_weights) <= 1e-10

    # The loss counts each number that comes out with a random factor.
    by_output, by_weight = uniform(rng, *output.shape), uniform(rng, *weights.shape)
    for loss, their_loss in [
        ((fused * by_output).sum(), (their_output * by_output).sum()),
        (
            (output * by_output).sum() + (weights * by_weight).sum(),
            (their_output * by_output).sum() + (their_weights * by_weight).sum(),
        ),
    ]:
        ours = torch.autograd.grad(loss, [*inputs, *layer.parameters()])
        theirs = torch_gradients(their_loss, twin, inputs)
        for gradient, expected in zip(ours, theirs, strict=True):
            assert largest_error(gradient, expected) <= 1e-10


@some_cases
@given(cases())
def test_each_head_is_torchs_scaled_dot_product_attention(case):
    rng, layer, x, memory, mask = case
    source = x if memory is None else memory
    keys, d_k = source.shape[-2], x.shape[-1] // layer.heads
    allowed = for_each_head(mask, layer, x, source)
    inputs = [tensor.requires_grad_() for tensor in (x, memory) if tensor is not None]
    fused = layer(x, memory, mask)
    output, weights = layer(x, memory, mask, return_weights=True)

    expected = torch.zeros(x.shape).double()
    if layer.W_O.bias is not None:
        expected = expected + layer.W_O.bias
    for h in range(layer.heads):
        block = slice(h * d_k, (h + 1) * d_k)  # of the outputs of W_Q, W_K and W_V
        query, key, value = layer.W_Q(x), layer.W_K(source), layer.W_V(source)
        query, key, value = query[..., block], key[..., block], value[..., block]
        sees_a_key = allowed[..., h, :, :].any(-1, keepdim=True)
        mask_or_all = allowed[..., h, :, :] | ~sees_a_key
        head = F.scaled_dot_product_attention(query, key, value, mask_or_all)
        # With the unit vectors as values, the output is the weights themselves.
        units = torch.eye(keys).double()
        head_weights = F.scaled_dot_product_attention(query, key, units, mask_or_all)
        assert largest_error(weights[..., h, :, :], head_weights * sees_a_key) <= 1e-12
        expected = expected + (head * sees_a_key) @ layer.W_O.weight[:, block].T
    assert largest_error(fused, expected) <= 1e-12
    assert largest_error(output, expected) <= 1e-12

    factors = uniform(rng, *output.shape)
    tensors = [*inputs, *layer.parameters()]
    theirs = torch.autograd.grad((expected * factors).sum(), tensors)
    for ours in (fused, output):
        gradients = torch.autograd.grad((ours * factors).sum(), tensors)
        for gradient, wanted in zip(gradients, theirs, strict=True):
            assert largest_error(gradient, wanted) <= 1e-10


@many_cases
@given(cases(bias=st.just(False), kinds=KINDS))
def test_equals_by_hand(case):
    _, layer, x, memory, mask = case
    projections = [layer.W_Q, layer.W_K, layer.W_V, layer.W_O]
    # Linear keeps its matrix transposed: (outputs, inputs).
    matrices = [projection.weight.detach().numpy().T for projection in projections]
    expected, expected_weights = by_hand.multi_head_attention(
        x.numpy(),
        (x if memory is None else memory).numpy(),
        *matrices,
        layer.heads,
        None if mask is None else mask.numpy(),
    )
    with torch.no_grad():
        fused = layer(x, memory, mask)
        output, weights = layer(x, memory, mask, return_weights=True)
    assert largest_error(fused, torch.from_numpy(expected)) <= 1e-12
    assert largest_error(output, torch.from_numpy(expected)) <= 1e-12
    assert largest_error(weights, torch.from_numpy(expected_weights)) <= 1e-12


# ------------------------------------------------------------------ its rules


@many_cases
@given(cases())
def test_with_and_without_weights_the_output_is_the_same(case):
    _, layer, x, memory, mask = case
    with torch.no_grad():
        fused, (output, weights) = layer(x, memory, mask), layer(x, memory, mask, True)
        assert largest_error(fused, output) <= 1e-12
        layer, x, memory = layer.float(), x.float(), None if memory is None else memory.float()
        fused, (output, weights) = layer(x, memory, mask), layer(x, memory, mask, True)
    assert fused.dtype == output.dtype == weights.dtype == torch.float32
    assert largest_error(fused, output) <= 3e-6  # the outputs are as large as 10


@many_cases
@given(cases())
def test_the_order_of_the_heads_does_not_matter(case):
    rng, layer, x, memory, mask = case
    order = torch.randperm(layer.heads, generator=rng)
    permuted = MultiHeadAttention(
        x.shape[-1], layer.heads, bias=layer.W_O.bias is not None
    ).double()
    permuted.load_state_dict(layer.state_dict())
    with torch.no_grad():
        for projection in (permuted.W_Q, permuted.W_K, permuted.W_V):
            for parameter in projection.parameters():  # blocks of rows, one for each head
                parameter.copy_(parameter.unflatten(0, (layer.heads, -1))[order].flatten(0, 1))
        columns = permuted.W_O.weight.unflatten(1, (layer.heads, -1))
        permuted.W_O.weight.copy_(columns[:, order].flatten(1, 2))
        permuted_mask = mask
        if mask is not None and mask.ndim > x.ndim:  # with an axis for the heads
            permuted_mask = mask[..., order, :, :]
        output, weights = layer(x, memory, mask, return_weights=True)
        permuted_output, permuted_weights = permuted(x, memory, permuted_mask, True)
        assert largest_error(permuted_output, output) <= 1e-12
        assert largest_error(permuted(x, memory, permuted_mask), output) <= 1e-12
    assert largest_error(permuted_weights, weights[..., order, :, :]) <= 1e-12


@many_cases
@given(cases())
def test_rows_of_weights_sum_to_one_or_zero(case):
    _, layer, x, memory, mask = case
    _, weights = layer(x, memory, mask, return_weights=True)
    allowed = for_each_head(mask, layer, x, x if memory is None else memory)
    assert (weights >= 0).all()
    assert not weights[~allowed].any()
    assert largest_error(weights.sum(-1), allowed.any(-1).double()) <= 1e-14


@pytest.mark.arithmetic
@both_paths
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_a_row_that_may_attend_to_nothing(dtype, return_weights):
    layer = new_layer(generator(), 6, 3, dtype)
    x, memory = (uniform(generator(n), 2, 4, 6, dtype=dtype).requires_grad_() for n in (1, 2))
    mask = torch.ones(2, 4, 4, dtype=torch.bool)
    mask[0, 1] = False
    mask[1] = False
    empty = ~mask.any(-1)  # (batch, queries)
    # The anomaly mode refuses a NaN anywhere on the way back, not only at its end.
    with torch.autograd.set_detect_anomaly(True):
        output = layer(x, memory, mask, return_weights)
        if return_weights:
            output, weights = output
            assert not weights.transpose(1, 2)[empty].any()
            assert weights.transpose(1, 2)[~empty].all()
        assert torch.equal(output[empty], layer.W_O.bias.expand(5, 6))
        assert not torch.isclose(output[~empty], layer.W_O.bias, atol=1e-3, rtol=0).all(-1).any()
        output.square().sum().backward()
    for tensor in (x, memory, *layer.parameters()):
        assert tensor.grad.isfinite().all()
    # What asks in vain, and what is asked by nobody, learns nothing.
    assert not x.grad[empty].any()
    assert not memory.grad[1].any()
    assert x.grad[0, 0].any()
    assert memory.grad[0].all()


@both_paths
def test_a_row_may_be_empty_in_one_head_only(return_weights):
    layer = new_layer(generator(), 4, 2, bias=False)
    x = uniform(generator(1), 1, 3, 4)
    mask = torch.ones(1, 2, 3, 3, dtype=torch.bool)
    mask[0, 0] = False
    with torch.no_grad():
        output = output_of(layer, x, mask=mask, return_weights=return_weights)
        layer.W_O.weight[:, :2] = 0  # what head 0 would have said
        expected = layer(x)
    assert largest_error(output, expected) <= 1e-15


@pytest.mark.arithmetic
@both_paths
def test_a_long_stretch_of_masked_keys_does_no_harm(return_weights):
    # Fused attention takes the keys block by block: here whole blocks are masked.
    layer = new_layer(generator(), 8, 2, torch.float32)
    x = uniform(generator(1), 1, 1200, 8, dtype=torch.float32).requires_grad_()
    mask = torch.zeros(1200, 1200, dtype=torch.bool)
    mask[:, 1000:] = True
    mask[5] = False
    output = output_of(layer, x, mask=mask, return_weights=return_weights)
    output.sum().backward()
    assert x.grad.isfinite().all()
    with torch.no_grad():
        expected = layer(x, x[:, 1000:])
        expected[:, 5] = layer.W_O.bias
    assert largest_error(output, expected) <= 1e-5


@both_paths
def test_a_dominating_score_behind_the_mask_has_no_weight(return_weights):
    # The allowed score is -1e12 and the masked one +1e12: to put -1e9 in its place
    # would give all the weight to what is masked.
    layer = MultiHeadAttention(1, 1, bias=False)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(1)
        x = torch.tensor([[1e6], [-1e6]])
        mask = torch.tensor([[False, True], [True, False]])
        output = output_of(layer, x, mask=mask, return_weights=return_weights)
    assert torch.equal(output, x.flip(0))


@both_paths
@given(rng=generators, length=st.integers(2, 8), data=st.data())
@some_cases
def test_the_future_does_not_change_the_past(rng, length, data, return_weights):
    layer = new_layer(rng, 6, 2)
    x = uniform(rng, 2, length, 6)
    now = data.draw(st.integers(1, length - 1))
    changed = x.clone()
    changed[:, now:] += 100 * uniform(rng, 2, length - now, 6)
    mask = torch.from_numpy(by_hand.causal_mask(length))[None]
    with torch.no_grad():
        before = output_of(layer, x, mask=mask, return_weights=return_weights)
        after = output_of(layer, changed, mask=mask, return_weights=return_weights)
    assert largest_error(before[:, :now], after[:, :now]) <= 1e-14
    assert largest_error(before[:, now:], after[:, now:]) >= 1e-3


@both_paths
@given(cross=st.booleans(), rng=generators)
@some_cases
def test_padding_does_not_change_the_real_tokens(cross, rng, return_weights):
    layer = new_layer(rng, 6, 3)
    x = uniform(rng, 3, 5, 6)
    mask = torch.arange(5) < torch.tensor([2, 5, 1])[:, None, None]  # (batch, 1, keys)
    real = mask[:, 0, :, None]  # (batch, length, 1)
    changed = torch.where(real, x, 1e3 * uniform(rng, 3, 5, 6))
    with torch.no_grad():
        options = {"mask": mask, "return_weights": return_weights}
        if cross:
            before, after = (output_of(layer, x, memory, **options) for memory in (x, changed))
            assert largest_error(before, after) <= 1e-14
        else:
            before, after = (output_of(layer, tokens, **options) for tokens in (x, changed))
            assert largest_error(before * real, after * real) <= 1e-14
        # A sequence alone, cut to its length, gives the same.
        alone = output_of(layer, x[:1, :2], return_weights=return_weights)
    assert largest_error(before[:1, :2], alone) <= 1e-14


# ------------------------------------------------------------- short numbers


@both_paths
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@given(rng=generators, cross=st.booleans(), kind=st.sampled_from(KINDS))
@some_cases
def test_half_precision_is_finite_and_near(dtype, rng, cross, kind, return_weights):
    layer = new_layer(rng, 12, 3)
    x = uniform(rng, 2, 5, 12)
    memory = uniform(rng, 2, 7, 12) if cross else None
    mask = masks(rng, kind, (2,), 5, 7 if cross else 5)
    with torch.no_grad():
        expected, expected_weights = layer(x, memory, mask, return_weights=True)
        layer, x, memory = layer.to(dtype), x.to(dtype), memory.to(dtype) if cross else None
        output = layer(x, memory, mask, return_weights)
    if return_weights:
        output, weights = output
        assert weights.dtype == dtype
        assert largest_error(weights.double(), expected_weights) <= 16 * torch.finfo(dtype).eps
    assert output.dtype == dtype
    assert output.isfinite().all()
    assert largest_error(output.double(), expected) <= 32 * torch.finfo(dtype).eps


@both_paths
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("mask", [None, causal(4, 4)])
def test_scores_beyond_float16_are_finite(dtype, mask, return_weights):
    # Each score is ±8 * 300**2 = ±720000 before scaling; the largest float16 is 65504.
    layer = MultiHeadAttention(8, 1, bias=False).to(dtype)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.eye(8))
        signs = torch.tensor([1, -1, -1, 1]).view(1, 4, 1)
        x = (300 * signs * torch.ones(1, 4, 8)).to(dtype)
        output = output_of(layer, x, mask=mask, return_weights=return_weights)
    assert torch.equal(output, x)  # each attends to its own kind


@both_paths
def test_works_under_autocast(return_weights):
    layer = new_layer(generator(), 6, 2, torch.float32)
    x = uniform(generator(1), 2, 4, 6, dtype=torch.float32)
    mask = causal(4, 4) & torch.tensor([[False], [True], [True], [True]])
    with torch.no_grad():
        expected = layer(x, mask=mask)
        with torch.autocast("cpu", torch.bfloat16):
            output = output_of(layer, x, mask=mask, return_weights=return_weights)
    assert output.dtype == torch.bfloat16
    assert largest_error(output.float(), expected) <= 0.05


# ------------------------------------------------------------------ dropout


@both_paths
def test_dropout_drops_weights_in_training_only(return_weights):
    torch.manual_seed(0)
    layer = MultiHeadAttention(4, 2, bias=False, dropout=0.25).double()
    with torch.no_grad():
        for projection in (layer.W_V, layer.W_O):
            projection.weight.copy_(torch.eye(4))
    x = torch.ones(5000, 1, 4).double()  # one key, so each weight is 1
    with torch.no_grad():
        output = output_of(layer, x, return_weights=return_weights)
        # A weight stays as 1 / (1 - 0.25), or goes, for a head's two columns at once.
        dropped = output == 0
        assert torch.equal(dropped[..., 0], dropped[..., 1])
        assert torch.equal(dropped[..., 2], dropped[..., 3])
        assert not torch.equal(dropped[..., 0], dropped[..., 2])
        assert torch.allclose(output[~dropped], torch.tensor(4 / 3).double())
        assert 0.23 < dropped.double().mean() < 0.27  # 0.25 ± 0.004
        layer.eval()
        assert torch.equal(output_of(layer, x, return_weights=return_weights), x)


def test_weights_are_returned_before_dropout():
    torch.manual_seed(0)
    layer = new_layer(generator(), 4, 2, dropout=0.5)
    x = uniform(generator(1), 2, 5, 4)
    with torch.no_grad():
        output, weights = layer(x, return_weights=True)
        expected_output, expected_weights = layer.eval()(x, return_weights=True)
    assert torch.equal(weights, expected_weights)
    assert not torch.allclose(output, expected_output)


def test_there_is_no_dropout_unless_asked_for():
    layer = new_layer(generator(), 4, 2)
    assert layer.dropout == 0
    assert layer.training
    x = uniform(generator(1), 2, 5, 4)
    assert torch.equal(layer(x), layer.eval()(x))


# ---------------------------------------------------------- what it is made of


def test_its_parameters_have_the_names_of_the_notation():
    matrices = {f"{name}.weight": (6, 6) for name in ("W_Q", "W_K", "W_V", "W_O")}
    biases = {f"{name}.bias": (6,) for name in ("W_Q", "W_K", "W_V", "W_O")}

    def shapes(layer):
        return {name: tuple(parameter.shape) for name, parameter in layer.named_parameters()}

    assert shapes(MultiHeadAttention(6, 2)) == matrices | biases
    assert shapes(MultiHeadAttention(6, 2, bias=False)) == matrices
    assert shapes(MultiHeadAttention(6, 1)) == shapes(MultiHeadAttention(6, 6))


class CopiesSeen(TorchDispatchMode):
    """Note each operation that writes the same numbers a second time."""

    COPIES = ("clone", "copy", "contiguous", "repeat", "cat", "stack")

    def __init__(self):
        super().__init__()
        self.names, self.fused = [], False

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.__name__
        self.fused |= "flash_attention" in name
        if any(copy in name for copy in self.COPIES):
            self.names.append(name)
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cross", [False, True])
def test_the_fused_path_copies_nothing(kind, cross):
    rng = generator()
    layer, x = new_layer(rng, 8, 2), uniform(rng, 3, 5, 8)
    memory = uniform(rng, 3, 7, 8) if cross else None
    mask = masks(rng, kind, (3,), 5, 7 if cross else 5)
    with CopiesSeen() as seen:
        layer(x, memory, mask)
    assert seen.fused
    assert seen.names == []


@both_paths
def test_inputs_are_not_modified(return_weights):
    rng = generator()
    layer = new_layer(rng, 6, 2)
    inputs = [uniform(rng, 2, 4, 6), uniform(rng, 2, 5, 6), masks(rng, "random", (2,), 4, 5)]
    before = [tensor.clone() for tensor in inputs]
    layer(*inputs, return_weights)
    for tensor, copy in zip(inputs, before, strict=True):
        assert torch.equal(tensor, copy)


@both_paths
@pytest.mark.parametrize("shape", [(0, 3, 6), (2, 0, 6)])
def test_no_sequence_or_no_query_is_not_an_error(shape, return_weights):
    layer = new_layer(generator(), 6, 2)
    output = output_of(
        layer,
        torch.zeros(shape).double(),
        torch.ones(shape[0], 4, 6).double(),
        return_weights=return_weights,
    )
    assert output.shape == shape


# ----------------------------------------------------------------- the parts


@some_cases
@given(generators, any_batch_axes, lengths, sizes, sizes)
def test_merging_heads_undoes_splitting_them(rng, batch, length, heads, head_width):
    x = uniform(rng, *batch, length, heads * head_width)
    split = split_heads(x, heads)
    assert split.shape == (*batch, heads, length, head_width)
    for h in range(heads):
        columns = slice(h * head_width, (h + 1) * head_width)
        assert torch.equal(split[..., h, :, :], x[..., columns])
    assert split.data_ptr() == x.data_ptr()
    merged = merge_heads(split)
    assert torch.equal(merged, x)
    assert merged.data_ptr() == x.data_ptr()


# ------------------------------------------------------------------ positions

offsets = st.integers(0, 50)


@some_cases
@given(length=lengths, d_model=st.integers(1, 9), offset=offsets)
def test_sinusoids_one_by_one(length, d_model, offset):
    """Vaswani et al. (2017), section 3.5, as it is written there."""
    positions = sinusoidal_positions(length, d_model, offset)
    assert positions.shape == (length, d_model)
    assert positions.dtype == torch.float64
    for row in range(length):
        pos = row + offset
        for i in range(d_model // 2 + 1):
            if 2 * i < d_model:
                expected = math.sin(pos / 10000 ** (2 * i / d_model))
                assert positions[row, 2 * i].item() == pytest.approx(expected, abs=1e-12)
            if 2 * i + 1 < d_model:
                expected = math.cos(pos / 10000 ** (2 * i / d_model))
                assert positions[row, 2 * i + 1].item() == pytest.approx(expected, abs=1e-12)


def test_the_first_sinusoids():
    assert sinusoidal_positions(1, 5).tolist() == [[0, 1, 0, 1, 0]]
    second = sinusoidal_positions(2, 4)[1]
    expected = [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)]
    assert second.tolist() == pytest.approx(expected)


@some_cases
@given(pairs=sizes, offset=offsets, shift=offsets)
def test_to_shift_a_sinusoid_is_to_turn_it(pairs, offset, shift):
    """The paper's reason for sinusoids: PE(pos + k) is a linear function of PE(pos)."""
    here = sinusoidal_positions(3, 2 * pairs, offset)
    there = sinusoidal_positions(3, 2 * pairs, offset + shift)
    # A hand that shows (sin, cos) moves against the usual sense.
    turned = rotate(here, -position_angles(1, 2 * pairs, shift).expand(3, pairs))
    assert largest_error(turned, there) <= 1e-12
    # So how alike two rows are depends on the distance alone.
    alike = (here[0] * sinusoidal_positions(1, 2 * pairs, offset + shift)[0]).sum().item()
    assert alike == pytest.approx(position_angles(1, 2 * pairs, shift).cos().sum().item())


def test_angles_have_a_base_and_an_offset():
    assert position_angles(3, 4).tolist() == [[0, 0], [1, 0.01], [2, 0.02]]
    expected = torch.tensor([[7, 0.7], [8, 0.8]], dtype=torch.float64)
    assert largest_error(position_angles(2, 4, offset=7, base=100), expected) <= 1e-14
    assert position_angles(2, 3).shape == (2, 2)
    assert torch.equal(position_angles(4, 6, 3), position_angles(7, 6)[3:])
    assert position_angles(1, 2, offset=100_001).item() == 100_001
    assert position_angles(1, 4, offset=100_001)[0, 1].item() == pytest.approx(1000.01, abs=1e-12)


@pytest.mark.arithmetic
def test_learned_positions_are_rows():
    torch.manual_seed(0)
    layer = LearnedPositions(600, 64)
    assert [tuple(parameter.shape) for parameter in layer.parameters()] == [(600, 64)]
    assert 0.9 < layer.weight.std().item() * 8 < 1.1  # 1 / sqrt(64)
    assert torch.equal(layer(600), layer.weight)
    assert torch.equal(layer(3), layer.weight[:3])
    assert torch.equal(layer(3, offset=5), layer.weight[5:8])
    assert torch.equal(layer(1, offset=599), layer.weight[599:])
    layer(3, offset=5).sum().backward()
    assert layer.weight.grad.sum(1).nonzero().flatten().tolist() == [5, 6, 7]


# ---------------------------------------------------------------------- RoPE


@some_cases
@given(rng=generators, batch=any_batch_axes, pairs=sizes, length=lengths, offset=offsets)
def test_to_rotate_is_to_multiply_by_a_complex_number(rng, batch, pairs, length, offset):
    x = uniform(rng, *batch, length, 2 * pairs).requires_grad_()
    angles = position_angles(length, 2 * pairs, offset)
    turned = rotate(x, angles)
    as_complex = torch.view_as_complex(x.unflatten(-1, (pairs, 2)))
    expected = torch.view_as_real(as_complex * torch.exp(1j * angles)).flatten(-2)
    assert largest_error(turned, expected) <= 1e-12
    assert largest_error(turned.norm(dim=-1), x.norm(dim=-1)) <= 1e-12
    factors = uniform(rng, *x.shape)
    (ours,) = torch.autograd.grad((turned * factors).sum(), x)
    (theirs,) = torch.autograd.grad((expected * factors).sum(), x)
    assert largest_error(ours, theirs) <= 1e-12


@some_cases
@given(rng=generators, pairs=sizes, m=offsets)
def test_rotate_by_the_papers_matrices(rng, pairs, m):
    """Su et al. (2021), equation 15: blocks of 2 by 2 on the diagonal, theta from page 5."""
    x = uniform(rng, 2 * pairs)
    matrix = torch.zeros(2 * pairs, 2 * pairs).double()
    for i in range(1, pairs + 1):
        theta = 10000 ** (-2 * (i - 1) / (2 * pairs))
        cos, sin = math.cos(m * theta), math.sin(m * theta)
        block = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
        matrix[2 * i - 2 : 2 * i, 2 * i - 2 : 2 * i] = block
    turned = rotate(x[None], position_angles(1, 2 * pairs, m))[0]
    assert largest_error(turned, matrix @ x) <= 1e-12


@some_cases
@given(rng=generators, pairs=sizes, m=offsets, n=offsets, shift=offsets)
def test_a_rotated_score_depends_on_the_distance_alone(rng, pairs, m, n, shift):
    query, key = uniform(rng, 1, 2 * pairs), uniform(rng, 1, 2 * pairs)

    def score(m, n):
        at_m, at_n = (position_angles(1, 2 * pairs, place) for place in (m, n))
        return (rotate(query, at_m) * rotate(key, at_n)).sum().item()

    assert score(m + shift, n + shift) == pytest.approx(score(m, n), abs=1e-10)
    assert score(m, m) == pytest.approx((query * key).sum().item(), abs=1e-10)
    if m >= n:
        assert score(m - n, 0) == pytest.approx(score(m, n), abs=1e-10)


def test_the_other_pairing_is_the_same_in_another_order():
    """Libraries that pair column i with i + d_k / 2, and turn these: rotate_half."""
    rng, pairs = generator(), 4
    x, angles = uniform(rng, 3, 2 * pairs), position_angles(3, 2 * pairs, 5)
    cos, sin = torch.cat([angles, angles], 1).cos(), torch.cat([angles, angles], 1).sin()
    halves = x * cos + torch.cat([-x[:, pairs:], x[:, :pairs]], 1) * sin
    order = torch.arange(2 * pairs).unflatten(0, (2, pairs)).T.flatten()  # 0 4 1 5 2 6 3 7
    assert largest_error(rotate(x[:, order], angles), halves[:, order]) <= 1e-12
    assert largest_error(rotate(x, angles), halves) > 0.1


# --------------------------------------------------------------------- ALiBi


def slopes_of_the_authors(heads):
    """Restate the rule of the authors' code (ofirpress/attention_with_linear_biases)."""
    if math.log2(heads).is_integer():
        start = 2 ** (-(2 ** -(math.log2(heads) - 3)))
        return [start * start**i for i in range(heads)]
    below = 2 ** math.floor(math.log2(heads))
    return slopes_of_the_authors(below) + slopes_of_the_authors(2 * below)[0::2][: heads - below]


def test_alibi_slopes():
    # The two examples of Press et al. (2022), section 3.
    assert alibi_slopes(8).tolist() == [
        1 / 2,
        1 / 4,
        1 / 8,
        1 / 16,
        1 / 32,
        1 / 64,
        1 / 128,
        1 / 256,
    ]
    assert alibi_slopes(16)[:3].tolist() == pytest.approx([2**-0.5, 2**-1, 2**-1.5])
    assert alibi_slopes(16)[-1].item() == 1 / 256
    for heads in range(1, 41):
        slopes = alibi_slopes(heads)
        assert slopes.tolist() == pytest.approx(slopes_of_the_authors(heads), rel=1e-12)
        assert len(set(slopes.tolist())) == heads


@some_cases
@given(heads=lengths, queries=lengths, more=st.integers(0, 5))
def test_alibi_bias_one_by_one(heads, queries, more):
    bias = alibi_bias(heads, queries, queries + more)
    assert bias.shape == (heads, queries, queries + more)
    for h, slope in enumerate(alibi_slopes(heads).tolist()):
        for i in range(queries):
            for j in range(queries + more):
                expected = -slope * abs(i + more - j)
                assert bias[h, i, j].item() == pytest.approx(expected, abs=1e-12)


# --------------------------------------------------- attention with positions


@st.composite
def cases_with_positions(draw):
    """Draw (rng, layer, x, mask, angles or None, score bias or None) in float64."""
    rng, batch = draw(generators), draw(any_batch_axes)
    heads, pairs, length = draw(sizes), draw(st.integers(1, 3)), draw(lengths)
    layer = new_layer(rng, heads * 2 * pairs, heads)
    x = uniform(rng, *batch, length, heads * 2 * pairs)
    mask = masks(rng, draw(st.sampled_from(KINDS_FOR_HEADS)), batch, length, length, heads)
    if mask is not None and mask.ndim == 2 and batch[-1:] == mask.shape[:1]:
        mask = mask[None]  # as in `cases`
    angles = position_angles(length, 2 * pairs, draw(offsets)) if draw(either) else None
    shapes = [None, (length, length), (heads, length, length), (*batch, heads, length, length)]
    shape = draw(st.sampled_from([*shapes, (heads, 1, length), (1, 1)]))
    score_bias = None if shape is None else uniform(rng, *shape)
    return rng, layer, x, mask, angles, score_bias


@many_cases
@given(cases_with_positions())
def test_angles_and_a_bias_by_a_plain_formula(case):
    """In value and gradient, with and without weights: exp(scores), zeroed and divided."""
    rng, layer, x, mask, angles, score_bias = case
    tensors = [x.requires_grad_(), *layer.parameters()]
    if score_bias is not None:
        tensors.append(score_bias.requires_grad_())
    options = {"mask": mask, "angles": angles, "score_bias": score_bias}
    fused = layer(x, **options)
    output, weights = layer(x, **options, return_weights=True)

    def turned(rows):  # (..., length, d_k), as complex numbers
        rows = torch.view_as_complex(rows.unflatten(-1, (-1, 2)).contiguous())
        return rows if angles is None else rows * torch.exp(1j * angles)

    query, key, value = (
        projection(x).unflatten(-1, (layer.heads, -1)).transpose(-2, -3)
        for projection in (layer.W_Q, layer.W_K, layer.W_V)
    )
    # The real part of q times the conjugate of k is the dot product of their pairs.
    scores = torch.einsum("...qp,...kp->...qk", turned(query), turned(key).conj()).real
    scores = scores / math.sqrt(query.shape[-1])
    if score_bias is not None:
        scores = scores + score_bias
    raw = torch.exp(scores) * for_each_head(mask, layer, x, x)
    expected_weights = raw / raw.sum(-1, keepdim=True).clamp(min=1e-300)
    merged = (expected_weights @ value).transpose(-2, -3).flatten(-2)
    expected = layer.W_O(merged)
    assert largest_error(fused, expected) <= 1e-10
    assert largest_error(output, expected) <= 1e-10
    assert largest_error(weights, expected_weights) <= 1e-10
    factors = uniform(rng, *expected.shape)
    theirs = torch.autograd.grad((expected * factors).sum(), tensors)
    for ours in (fused, output):
        gradients = torch.autograd.grad((ours * factors).sum(), tensors)
        assert largest_errors(gradients, theirs) <= 1e-10


@both_paths
@given(rng=generators, offset=offsets, length=lengths)
@some_cases
def test_rotary_attention_does_not_know_where_it_is(rng, offset, length, return_weights):
    layer, x = new_layer(rng, 8, 2), uniform(rng, 2, length, 8)
    here, there = (
        output_of(layer, x, angles=position_angles(length, 4, start), return_weights=return_weights)
        for start in (0, offset)
    )
    assert largest_error(here, there) <= 1e-11


def test_with_equal_scores_alibi_is_a_softmax_of_distances():
    layer = new_layer(generator(), 4, 2)
    with torch.no_grad():
        layer.W_Q.weight.zero_()
        layer.W_Q.bias.zero_()
        _, weights = layer(
            uniform(generator(), 1, 3, 4),
            mask=causal(3, 3),
            score_bias=alibi_bias(2, 3, 3),
            return_weights=True,
        )
    slopes = [2**-4, 2**-8]
    for head, slope in enumerate(slopes):
        raw = [math.exp(-2 * slope), math.exp(-slope), 1]
        expected = [number / sum(raw) for number in raw]
        assert weights[0, head, 2].tolist() == pytest.approx(expected)
        assert weights[0, head, 0].tolist() == [1, 0, 0]


@both_paths
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_positions_take_the_type_of_the_rows(dtype, return_weights):
    layer, x = new_layer(generator(), 8, 2), uniform(generator(1), 2, 5, 8)
    options = {"angles": position_angles(5, 4), "score_bias": alibi_bias(2, 5, 5)}
    options["mask"] = causal(5, 5)
    with torch.no_grad():
        expected = layer(x, **options)
        output = layer.to(dtype)(x.to(dtype), **options, return_weights=return_weights)
        if return_weights:
            output, weights = output
            assert weights.dtype == dtype
        assert output.dtype == dtype
        assert largest_error(output.double(), expected) <= 64 * torch.finfo(dtype).eps
        with torch.autocast("cpu", torch.bfloat16):
            output = output_of(layer.float(), x.float(), **options, return_weights=return_weights)
    assert output.dtype == torch.bfloat16
    assert largest_error(output.double(), expected) <= 0.1


@pytest.mark.parametrize("mask", [None, causal(5, 5), padding(generator(), (3,), 5)])
@pytest.mark.parametrize("axes", [2, 3, 4])
def test_positions_stay_on_the_fused_path(mask, axes):
    layer, x = new_layer(generator(), 8, 2), uniform(generator(1), 3, 5, 8)
    score_bias = torch.zeros(3, 2, 5, 5).double()[(0,) * (4 - axes)]
    with CopiesSeen() as seen:
        layer(x, mask=mask, angles=position_angles(5, 4), score_bias=score_bias)
    assert seen.fused
