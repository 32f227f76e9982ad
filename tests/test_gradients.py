"""`attention.gradients` against torch's autograd and against central differences."""

import os
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from torch.nn import functional as F

from attention import by_hand, gradients

# Random cases per comparison with torch; the mutation tester asks for fewer.
CASES = int(os.environ.get("ATTENTION_TEST_CASES", "500"))
many_cases = settings(max_examples=max(CASES * 3 // 5, 10))
some_cases = settings(max_examples=max(CASES // 10, 10))

sizes = st.integers(1, 6)
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)
MASKS = ["none", "causal", "padding", "random", "flat", "empty"]


def uniform(rng, shape, dtype=np.float64):
    """Draw numbers within ±2 that nobody may write to."""
    array = rng.uniform(-2, 2, shape).astype(dtype)
    array.flags.writeable = False
    return array


def mask_for(kind, rng, leading, queries, keys):
    match kind:
        case "none":
            return None
        case "causal":
            return np.tri(queries, keys, dtype=bool)
        case "padding":
            return by_hand.padding_mask(rng.integers(0, keys + 1, leading), keys)
        case "random":  # few keys allowed: rows without any are frequent
            return rng.random((*leading, queries, keys)) < 0.4
        case "flat":
            return rng.random(keys) < 0.6
        case "empty":
            return np.zeros((queries, 1), bool)


@st.composite
def attention_cases(draw, dtype=np.float64):
    """Draw (query, key, value, upstream, mask, scale); leading axes broadcast."""
    rng = draw(generators)
    shapes = draw(mutually_broadcastable_shapes(num_shapes=3, max_dims=2, max_side=3))
    query_axes, key_axes, value_axes = shapes.input_shapes
    queries, keys, d_k, d_v = (draw(sizes) for _ in range(4))
    query = uniform(rng, (*query_axes, queries, d_k), dtype)
    key = uniform(rng, (*key_axes, keys, d_k), dtype)
    value = uniform(rng, (*value_axes, keys, d_v), dtype)
    upstream = uniform(rng, (*shapes.result_shape, queries, d_v), dtype)
    leading = np.broadcast_shapes(query_axes, key_axes)
    mask = mask_for(draw(st.sampled_from(MASKS)), rng, leading, queries, keys)
    scale = draw(st.none() | st.sampled_from([1, 0.5, -0.3, 0.0]))
    return query, key, value, upstream, mask, scale


@st.composite
def multi_head_cases(draw):
    """Draw (x, memory, four matrices, heads, upstream, mask); memory may be x itself."""
    rng = draw(generators)
    leading = draw(st.lists(st.integers(1, 3), max_size=2).map(tuple))
    heads, d_k, d_v, queries, keys = (draw(st.integers(1, 3)) for _ in range(5))
    d_model, d_memory, d_out = (draw(sizes) for _ in range(3))
    x = uniform(rng, (*leading, queries, d_model))
    memory = x if draw(st.booleans()) else uniform(rng, (*leading, keys, d_memory))
    W_Q = uniform(rng, (d_model, heads * d_k))
    W_K = uniform(rng, (memory.shape[-1], heads * d_k))
    W_V = uniform(rng, (memory.shape[-1], heads * d_v))
    W_O = uniform(rng, (heads * d_v, d_out))
    upstream = uniform(rng, (*leading, queries, d_out))
    mask = mask_for(draw(st.sampled_from(MASKS)), rng, leading, queries, memory.shape[-2])
    return x, memory, W_Q, W_K, W_V, W_O, heads, upstream, mask


@st.composite
def loss_cases(draw):
    """Draw (logits, targets, wanted); at least one row counts."""
    rng = draw(generators)
    shape = draw(st.lists(st.integers(1, 4), max_size=2).map(tuple))
    classes = draw(sizes)
    logits = uniform(rng, (*shape, classes)) * draw(st.sampled_from([1, 20, 400]))
    targets = rng.integers(0, classes, shape)
    wanted = np.asarray(rng.random(shape) < 0.5)
    wanted.flat[rng.integers(wanted.size)] = True
    return logits, np.asarray(targets), draw(st.sampled_from([None, wanted]))


def leaves(*arrays):
    return [torch.tensor(array, requires_grad=True) for array in arrays]


def torch_attention(query, key, value, mask, scale):
    """Attend in torch; rows without any key give zero, and no gradient."""
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    scores = query @ key.mT * scale
    allowed = torch.ones(scores.shape, dtype=torch.bool)
    if mask is not None:
        allowed = torch.tensor(np.broadcast_to(mask, scores.shape).copy())
    sees_a_key = allowed.any(-1, keepdim=True)
    weights = scores.masked_fill(~(allowed | ~sees_a_key), -torch.inf).softmax(-1)
    return (weights @ value).where(sees_a_key, 0.0)


def check_equal(ours, theirs, tolerance=1e-12):
    """Compare gradients with those of leaves, on the scale of the largest number."""
    for gradient, leaf in zip(ours, theirs, strict=True):
        expected = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        assert gradient.shape == tuple(leaf.shape)
        assert gradient.dtype == np.float64
        size = max(1, expected.abs().max().item())
        assert np.abs(gradient - expected.numpy()).max(initial=0) <= tolerance * size


def read_only_copies(arrays):
    return [array.copy() if isinstance(array, np.ndarray) else array for array in arrays]


# ------------------------------------------------------------ against torch's autograd


@pytest.mark.arithmetic
@many_cases
@given(generators, st.lists(sizes, min_size=1, max_size=3).map(tuple), st.sampled_from([1, 30]))
def test_the_softmax_gradient_equals_torchs(rng, shape, spread):
    scores, upstream = uniform(rng, shape) * spread, uniform(rng, shape)
    [leaf] = leaves(scores)
    leaf.softmax(-1).backward(torch.tensor(upstream))
    weights = by_hand.softmax(scores)
    ours = gradients.softmax_gradient(weights, upstream)
    check_equal([ours], [leaf])
    jacobian = by_hand.softmax_jacobian(weights)  # (..., keys, keys)
    through = (jacobian @ upstream[..., None])[..., 0]
    assert np.abs(ours - through).max() <= 1e-12
    assert np.abs(ours.sum(-1)).max() <= 1e-12


@pytest.mark.arithmetic
@many_cases
@given(attention_cases())
def test_the_attention_gradient_equals_torchs(case):
    query, key, value, upstream, mask, scale = case
    before = read_only_copies(case)
    ours = gradients.attention_gradient(*case)
    theirs = leaves(query, key, value)
    torch_attention(*theirs, mask, scale).backward(torch.tensor(upstream))
    check_equal(ours, theirs)
    for array, copy in zip(case, before, strict=True):
        assert np.array_equal(array, copy)


@pytest.mark.arithmetic
@many_cases
@given(multi_head_cases())
def test_the_multi_head_gradient_equals_torchs(case):
    *arrays, heads, upstream, mask = case
    theirs = leaves(*arrays)
    x, memory, W_Q, W_K, W_V, W_O = theirs
    query, key, value = (
        projected.unflatten(-1, (heads, -1)).transpose(-2, -3)
        for projected in (x @ W_Q, memory @ W_K, memory @ W_V)
    )
    if mask is not None and mask.ndim > 2:
        mask = mask[..., None, :, :]
    output = torch_attention(query, key, value, mask, None).transpose(-2, -3).flatten(-2) @ W_O
    output.backward(torch.tensor(upstream))
    check_equal(gradients.multi_head_attention_gradient(*case), theirs)


@pytest.mark.arithmetic
@many_cases
@given(
    generators,
    st.lists(st.integers(1, 3), max_size=2).map(tuple),
    st.tuples(sizes, sizes, sizes, sizes),
    st.sampled_from(MASKS),
    st.sampled_from([None, 1, -0.3]),
)
def test_the_self_attention_gradient_equals_torchs(rng, leading, widths, kind, scale):
    length, d_model, d_k, d_v = widths
    arrays = [
        uniform(rng, shape)
        for shape in [(*leading, length, d_model), (d_model, d_k), (d_model, d_k), (d_model, d_v)]
    ]
    upstream = uniform(rng, (*leading, length, d_v))
    mask = mask_for(kind, rng, leading, length, length)
    theirs = leaves(*arrays)
    x, W_Q, W_K, W_V = theirs
    torch_attention(x @ W_Q, x @ W_K, x @ W_V, mask, scale).backward(torch.tensor(upstream))
    ours = gradients.self_attention_gradient(*arrays, upstream, mask, scale)
    check_equal(ours, theirs)


@pytest.mark.arithmetic
@many_cases
@given(generators, st.lists(sizes, min_size=1, max_size=3).map(tuple), sizes)
def test_the_linear_gradient_equals_torchs(rng, shape, d_out):
    x, weight = uniform(rng, shape), uniform(rng, (shape[-1], d_out))
    upstream = uniform(rng, (*shape[:-1], d_out))
    theirs = leaves(x, weight)
    (theirs[0] @ theirs[1]).backward(torch.tensor(upstream))
    check_equal(gradients.linear_gradient(x, weight, upstream), theirs)


@pytest.mark.arithmetic
@many_cases
@given(loss_cases())
def test_the_cross_entropy_and_its_gradient_equal_torchs(case):
    logits, targets, wanted = case
    [leaf] = leaves(logits)
    rows = torch.tensor(np.ones(targets.shape, bool) if wanted is None else wanted)
    loss = F.cross_entropy(leaf[rows], torch.tensor(targets)[rows])
    loss.backward()
    ours = gradients.cross_entropy(logits, targets, wanted)
    assert type(ours) is float
    assert abs(ours - loss.item()) <= 1e-12 * max(1, abs(loss.item()))
    check_equal([gradients.cross_entropy_gradient(logits, targets, wanted)], [leaf])


# ------------------------------------------------------- against central differences


@some_cases
@given(attention_cases())
def test_the_attention_gradient_equals_central_differences(case):
    query, key, value, upstream, mask, scale = case
    arrays = [query, key, value]
    ours = gradients.attention_gradient(*case)
    for number, gradient in enumerate(ours):

        def loss(moved, number=number):
            inputs = [*arrays[:number], moved, *arrays[number + 1 :]]
            output, _ = by_hand.scaled_dot_product_attention(*inputs, mask, scale)
            return float((output * upstream).sum())

        tried = gradients.central_differences(loss, arrays[number])
        assert np.abs(gradient - tried).max() <= 1e-6


@some_cases
@given(multi_head_cases())
def test_the_multi_head_gradient_equals_central_differences(case):
    *arrays, heads, upstream, mask = case
    ours = gradients.multi_head_attention_gradient(*case)
    for number, gradient in enumerate(ours):

        def loss(moved, number=number):
            inputs = [*arrays[:number], moved, *arrays[number + 1 :]]
            output, _ = by_hand.multi_head_attention(*inputs, heads, mask)
            return float((output * upstream).sum())

        size = max(1, np.abs(gradient).max())
        tried = gradients.central_differences(loss, arrays[number])
        assert np.abs(gradient - tried).max() <= 1e-5 * size


@some_cases
@given(generators, st.integers(1, 6))
def test_the_cross_entropy_gradient_equals_central_differences(rng, rows):
    logits, targets = uniform(rng, (rows, 4)), rng.integers(0, 4, rows)
    ours = gradients.cross_entropy_gradient(logits, targets)
    tried = gradients.central_differences(
        lambda moved: gradients.cross_entropy(moved, targets), logits
    )
    assert np.abs(ours - tried).max() <= 1e-8


def test_central_differences_of_what_is_known():
    array = np.array([[1.0, -2.0], [0.5, 3.0]])
    array.flags.writeable = False
    seen = []

    def cubes(moved):
        seen.append(moved - array)
        return float((moved**3).sum())

    tried = gradients.central_differences(cubes, array, step=1e-3)
    # (x + h)^3 - (x - h)^3 = 2 h (3 x^2 + h^2)
    np.testing.assert_allclose(tried, 3 * array**2 + 1e-6, atol=1e-9)
    steps = [change[change != 0] for change in seen]
    assert len(seen) == 8
    np.testing.assert_allclose(np.concatenate(steps), [1e-3, -1e-3] * 4)
    assert gradients.central_differences(cubes, array.astype(np.float32)).dtype == np.float64
    np.testing.assert_allclose(gradients.central_differences(np.sin, np.array(0.5)), np.cos(0.5))
    default = gradients.central_differences(lambda x: float(x**3), np.array(100.0))
    assert abs(default - 3e4) > 1e-12  # 1e-6 is no smaller than it says
    seen.clear()
    gradients.central_differences(cubes, np.zeros((2, 2)))
    np.testing.assert_allclose(abs(seen[0] + array).max(), 1e-6)


# --------------------------------------------------------------- what it says


def test_a_key_gains_what_its_value_helps_above_the_average():
    """One query, three keys: the sentence of the chapter, in numbers worked out by hand."""
    weights = np.array([0.5, 0.25, 0.25])
    helps = np.array([2.0, 4.0, 0.0])  # average: 2
    assert gradients.softmax_gradient(weights, helps).tolist() == [0, 0.5, -0.5]


def test_a_key_with_hardly_any_weight_learns_nothing():
    query, value = np.array([[1.0]]), np.array([[0.0], [1.0]])
    key = np.array([[30.0], [0.0]])  # the second key is right, and has a weight of 1e-13
    d_query, d_key, d_value = gradients.attention_gradient(query, key, value, np.array([[1.0]]))
    for gradient in (d_query, d_key, d_value[1]):
        assert 0 < np.abs(gradient).max() < 1e-11


def test_equal_keys_with_equal_values_get_equal_gradients():
    rng = np.random.default_rng(0)
    query, key, value = (uniform(rng, (4, 3)) for _ in range(3))
    key, value = key[[0, 1, 1, 2]], value[[0, 1, 1, 2]]
    _, d_key, d_value = gradients.attention_gradient(query, key, value, uniform(rng, (4, 3)))
    np.testing.assert_allclose(d_key[1], d_key[2], atol=1e-15)
    np.testing.assert_allclose(d_value[1], d_value[2], atol=1e-15)


@pytest.mark.filterwarnings("error")
def test_a_query_without_keys_gives_zero():
    rng = np.random.default_rng(1)
    query, key, value = (uniform(rng, (2, 5, 3)) for _ in range(3))
    mask = np.ones((5, 5), bool)
    mask[1] = False
    mask[:, 2] = False  # and a key that nobody sees
    ours = gradients.attention_gradient(query, key, value, uniform(rng, (2, 5, 3)), mask)
    d_query, d_key, d_value = ours
    assert not d_query[:, 1].any()
    assert not d_key[:, 2].any()
    assert not d_value[:, 2].any()
    assert all(np.isfinite(gradient).all() and gradient.any() for gradient in ours)


def test_the_weight_gradient_is_a_sum_of_outer_products():
    rng = np.random.default_rng(2)
    x, weight, upstream = uniform(rng, (2, 3, 4)), uniform(rng, (4, 5)), uniform(rng, (2, 3, 5))
    _, d_weight = gradients.linear_gradient(x, weight, upstream)
    products = [np.outer(x[row], upstream[row]) for row in np.ndindex(2, 3)]
    np.testing.assert_allclose(d_weight, sum(products), atol=1e-14)


def test_the_gradient_of_the_loss_is_the_probabilities_less_one():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]))
    ours = gradients.cross_entropy_gradient(logits, np.array([1, 1]))
    np.testing.assert_allclose(2 * ours, [[0.5, -0.75, 0.25], [0.1, -0.2, 0.1]], atol=1e-15)
    only = gradients.cross_entropy_gradient(logits, np.array([1, 1]), np.array([True, False]))
    np.testing.assert_allclose(only, [[0.5, -0.75, 0.25], [0, 0, 0]], atol=1e-15)


# ------------------------------------------------------------------- dtypes


@some_cases
@given(st.data(), st.sampled_from([np.float16, np.float32]))
def test_the_attention_gradient_keeps_the_dtype(data, dtype):
    case = data.draw(attention_cases(dtype))
    query, key, value, upstream, mask, scale = case
    ours = gradients.attention_gradient(*case)
    wide = [array.astype(np.float64) for array in (query, key, value, upstream)]
    for gradient, exact in zip(ours, gradients.attention_gradient(*wide, mask, scale), strict=True):
        assert gradient.dtype == dtype
        tolerance = 1e-5 if dtype == np.float32 else 4e-3
        assert np.abs(gradient - exact).max() <= tolerance * max(1, np.abs(exact).max())


def test_float32_stays_float32_and_float16_is_summed_in_float32():
    weights = np.full((1, 4), 0.25, np.float32)
    upstream = np.arange(4, dtype=np.float32)[None]
    assert gradients.softmax_gradient(weights, upstream).dtype == np.float32
    logits = np.zeros((2, 3), np.float32)
    targets = np.array([0, 1])
    assert gradients.cross_entropy_gradient(logits, targets).dtype == np.float32
    assert gradients.cross_entropy(np.full((1, 2), -6e4, np.float16), targets[:1]) == pytest.approx(
        np.log(2), rel=1e-6
    )
    many = np.full((1, 70_000), 1e-4, np.float16)  # sums above the largest float16
    steep = np.full((1, 70_000), 3e4, np.float16)
    assert np.isfinite(gradients.softmax_gradient(many, steep)).all()
    x, weight = np.ones((2, 3), np.float32), np.ones((3, 2), np.float32)
    assert {g.dtype for g in gradients.linear_gradient(x, weight, x[:, :2])} == {np.dtype("f4")}


def test_nothing_warns():
    rng = np.random.default_rng(0)
    x, upstream = uniform(rng, (2, 3, 4)), uniform(rng, (2, 3, 4))
    square = uniform(rng, (4, 4))
    with warnings.catch_warnings(action="error"):
        gradients.multi_head_attention_gradient(x, x, *[square] * 4, 2, upstream)
        gradients.self_attention_gradient(x, *[square] * 3, upstream)
        gradients.cross_entropy(900 * x, np.zeros((2, 3), int))
        gradients.cross_entropy_gradient(900 * x, np.zeros((2, 3), int))
