"""`attention.by_hand` against torch, and what must hold whatever the numbers are."""

import os
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from torch.nn import functional as F

from attention import by_hand

# Random cases per comparison with torch; the mutation tester asks for fewer.
CASES = int(os.environ.get("ATTENTION_TEST_CASES", "500"))
many_cases = settings(max_examples=CASES)
some_cases = settings(max_examples=max(CASES // 5, 10))

sizes = st.integers(1, 7)
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def uniform(rng, shape, dtype=np.float64):
    """Draw numbers within ±3 that nobody may write to."""
    array = rng.uniform(-3, 3, shape).astype(dtype)
    array.flags.writeable = False
    return array


def padding(rng, leading, keys):
    """Draw a padding mask; some sequences may be empty."""
    return by_hand.padding_mask(rng.integers(0, keys + 1, leading), keys)


@st.composite
def masks(draw, rng, leading, queries, keys):
    """Draw a mask that fits scores of shape (*leading, queries, keys), or None."""
    kind = draw(st.sampled_from(["none", "causal", "padding", "both", "random", "flat", "empty"]))
    causal = np.tri(queries, keys, dtype=bool)
    match kind:
        case "none":
            return None
        case "causal":
            return causal
        case "padding":
            return padding(rng, leading, keys)
        case "both":
            return causal & padding(rng, leading, keys)
        case "random":
            # Few keys allowed: rows without any are frequent.
            return rng.random((*leading, queries, keys)) < 0.4
        case "flat":
            return rng.random(keys) < 0.6
        case "empty":
            return np.zeros((queries, 1), dtype=bool)


@st.composite
def attention_cases(draw, dtype=np.float64):
    """Draw (query, key, value, mask, scale) whose leading axes broadcast."""
    rng = draw(generators)
    shapes = draw(mutually_broadcastable_shapes(num_shapes=3, max_dims=2, max_side=3))
    query_axes, key_axes, value_axes = shapes.input_shapes
    queries, keys, d_k, d_v = (draw(sizes) for _ in range(4))
    query = uniform(rng, (*query_axes, queries, d_k), dtype)
    key = uniform(rng, (*key_axes, keys, d_k), dtype)
    value = uniform(rng, (*value_axes, keys, d_v), dtype)
    mask = draw(masks(rng, np.broadcast_shapes(query_axes, key_axes), queries, keys))
    scale = draw(st.none() | st.sampled_from([1, 0.5, -0.3, 0.0]))
    return query, key, value, mask, scale


def torch_attention(query, key, value, mask, scale):
    """Return torch's output and weights; rows without any key are set to zero."""
    q, k, v = (torch.from_numpy(array.copy()) for array in (query, key, value))
    attend = None
    if mask is not None:  # written out in full: torch's fast path wants two axes or more
        leading = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
        mask = np.broadcast_to(mask, (*leading, query.shape[-2], key.shape[-2]))
        attend = torch.from_numpy(mask.copy())
    scale = None if scale is None else float(scale)
    output = F.scaled_dot_product_attention(q, k, v, attend, scale=scale).numpy()
    # With the unit vectors as values, the output is the weights themselves.
    units = torch.eye(key.shape[-2], dtype=k.dtype)
    weights = F.scaled_dot_product_attention(q, k, units, attend, scale=scale).numpy()
    if mask is not None:
        sees_a_key = mask.any(-1, keepdims=True)
        output = np.where(sees_a_key, output, 0)
        weights = np.where(sees_a_key, weights, 0)
    return output, weights


def largest_error(ours, theirs):
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).max(initial=0)


# ------------------------------------------------------------- against torch


@many_cases
@given(attention_cases(np.float64))
def test_attention_equals_torch_in_float64(case):
    output, weights = by_hand.scaled_dot_product_attention(*case)
    torch_output, torch_weights = torch_attention(*case)
    assert output.dtype == weights.dtype == np.float64
    assert largest_error(output, torch_output) <= 1e-12
    assert largest_error(weights, torch_weights) <= 1e-12


@many_cases
@given(attention_cases(np.float32))
def test_attention_equals_torch_in_float32(case):
    output, weights = by_hand.scaled_dot_product_attention(*case)
    torch_output, torch_weights = torch_attention(*case)
    assert output.dtype == weights.dtype == np.float32
    assert largest_error(output, torch_output) <= 1e-6 * np.abs(case[2]).max()
    assert largest_error(weights, torch_weights) <= 1e-6


@st.composite
def multi_head_cases(draw):
    """Draw self- and cross-attention as torch's module can do it: d_out = d_model."""
    rng = draw(generators)
    batch, heads, d_head, queries, keys = (draw(st.integers(1, 4)) for _ in range(5))
    d_model = heads * d_head
    x = uniform(rng, (batch, queries, d_model))
    memory = x if draw(st.booleans()) else uniform(rng, (batch, keys, draw(sizes)))
    d_memory = memory.shape[-1]
    W_Q, W_O = (uniform(rng, (d_model, d_model)) / d_model for _ in range(2))
    W_K, W_V = (uniform(rng, (d_memory, d_model)) / d_memory for _ in range(2))
    mask = draw(masks(rng, (batch,), queries, memory.shape[-2]))
    return x, memory, W_Q, W_K, W_V, W_O, heads, mask


def torch_multi_head(x, memory, W_Q, W_K, W_V, W_O, heads, mask):
    """Run `torch.nn.MultiheadAttention` with our weights and our mask."""
    d_model, d_memory = x.shape[-1], memory.shape[-1]
    module = torch.nn.MultiheadAttention(
        d_model, heads, bias=False, kdim=d_memory, vdim=d_memory, batch_first=True
    ).double()
    W_Q, W_K, W_V, W_O = (torch.from_numpy(W.T.copy()) for W in (W_Q, W_K, W_V, W_O))
    with torch.no_grad():
        if d_memory == d_model:
            module.in_proj_weight.copy_(torch.cat([W_Q, W_K, W_V]))
        else:
            module.q_proj_weight.copy_(W_Q)
            module.k_proj_weight.copy_(W_K)
            module.v_proj_weight.copy_(W_V)
        module.out_proj.weight.copy_(W_O)
        forbidden = None
        if mask is not None:
            # There True means "may not attend", one mask for each sequence and head.
            full = np.broadcast_to(mask, (len(x), x.shape[-2], memory.shape[-2]))
            forbidden = torch.from_numpy(~full).repeat_interleave(heads, 0)
        x, memory = torch.from_numpy(x.copy()), torch.from_numpy(memory.copy())
        output, weights = module(x, memory, memory, attn_mask=forbidden, average_attn_weights=False)
    # Rows without any key are NaN there and zero here.
    return output.nan_to_num(0).numpy(), weights.nan_to_num(0).numpy()


@many_cases
@given(multi_head_cases())
def test_multi_head_attention_equals_torch(case):
    output, weights = by_hand.multi_head_attention(*case)
    torch_output, torch_weights = torch_multi_head(*case)
    assert largest_error(output, torch_output) <= 1e-12
    assert largest_error(weights, torch_weights) <= 1e-12


def test_multi_head_attention_takes_the_opposite_of_torchs_key_padding_mask():
    rng = np.random.default_rng(0)
    x = uniform(rng, (2, 4, 6))
    matrices = [uniform(rng, (6, 6)) for _ in range(4)]
    may_attend = by_hand.padding_mask(np.array([2, 4]), 4)
    output, _ = by_hand.multi_head_attention(x, x, *matrices, 3, may_attend)
    W_Q, W_K, W_V, W_O = (torch.from_numpy(W.T.copy()) for W in matrices)
    t = torch.from_numpy(x.copy()).transpose(0, 1)  # torch: (length, batch, d_model)
    torch_output, _ = F.multi_head_attention_forward(
        *(t, t, t, 6, 3, torch.cat([W_Q, W_K, W_V]), None, None, None, False, 0.0, W_O, None),
        key_padding_mask=torch.from_numpy(~may_attend[:, 0]),
    )
    assert largest_error(output, torch_output.transpose(0, 1).numpy()) <= 1e-12


@some_cases
@given(generators, st.sampled_from([(), (2,), (2, 3)]), st.integers(1, 4), st.data())
def test_multi_head_attention_equals_a_loop_over_heads(rng, batch, heads, data):
    queries, keys, d_model, d_memory, d_k, d_v, d_out = (data.draw(sizes) for _ in range(7))
    x, memory = uniform(rng, (*batch, queries, d_model)), uniform(rng, (*batch, keys, d_memory))
    W_Q = uniform(rng, (d_model, heads * d_k)) / d_model
    W_K = uniform(rng, (d_memory, heads * d_k)) / d_memory
    W_V = uniform(rng, (d_memory, heads * d_v)) / d_memory
    W_O = uniform(rng, (heads * d_v, d_out))
    mask = data.draw(masks(rng, batch, queries, keys))
    output, weights = by_hand.multi_head_attention(x, memory, W_Q, W_K, W_V, W_O, heads, mask)

    expected = np.zeros((*batch, queries, d_out))
    for h in range(heads):
        qk, v = slice(h * d_k, (h + 1) * d_k), slice(h * d_v, (h + 1) * d_v)
        head, head_weights = torch_attention(
            x @ W_Q[:, qk], memory @ W_K[:, qk], memory @ W_V[:, v], mask, None
        )
        expected += head @ W_O[v]
        assert largest_error(weights[..., h, :, :], head_weights) <= 1e-12
    assert largest_error(output, expected) <= 1e-11  # d_v * heads products of up to 9


# ------------------------------------------------------------------- softmax


@some_cases
@given(generators, st.lists(sizes, min_size=1, max_size=3), st.data())
def test_softmax_equals_torch_along_every_axis(rng, shape, data):
    scores = uniform(rng, shape)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    weights = by_hand.softmax(scores, axis)
    assert largest_error(weights, torch.from_numpy(scores.copy()).softmax(axis).numpy()) <= 1e-15
    assert np.allclose(weights.sum(axis), 1, rtol=0, atol=1e-15 * shape[axis])


def test_softmax_runs_along_the_last_axis_unless_told():
    scores = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(by_hand.softmax(scores), by_hand.softmax(scores, axis=1))


@some_cases
@given(generators, sizes, st.floats(-1e4, 1e4))
def test_softmax_does_not_change_when_a_constant_is_added(rng, keys, constant):
    scores = uniform(rng, (3, keys))
    shifted = by_hand.softmax(scores + constant)
    # The sum s + c itself is rounded, by at most 1e4 * 2**-53.
    assert largest_error(shifted, by_hand.softmax(scores)) <= 1e-11


def test_softmax_gives_no_weight_to_minus_infinity():
    scores = np.array([[0.0, -np.inf, 0.0], [-np.inf, -np.inf, -np.inf], [-np.inf, 5.0, -np.inf]])
    assert np.array_equal(by_hand.softmax(scores), [[0.5, 0, 0.5], [0, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_softmax_is_stable_for_scores_of_ten_thousand(dtype):
    scores = np.array(
        [[1e4, -1e4, 0], [1e4, 1e4 - 8, 1e4 - 16], [-1e4, -1e4 - 8, -1e4], [-1e4, -1e4, -np.inf]],
        dtype,
    )
    with warnings.catch_warnings(action="error"):
        weights = by_hand.softmax(scores)
    expected = torch.from_numpy(scores).double().softmax(-1).numpy()
    assert weights.dtype == dtype
    assert largest_error(weights, expected) <= np.finfo(dtype).eps


def test_softmax_of_half_precision_is_computed_in_single_precision():
    # Summed in float16, 4096 exponentials would stop growing at 2048.
    weights = by_hand.softmax(np.zeros(4096, np.float16))
    assert np.array_equal(weights, np.full(4096, 2.0**-12, np.float16))


# ---------------------------------------------------------- attention's rules


@some_cases
@given(attention_cases())
def test_weights_are_positive_and_rows_sum_to_one_or_zero(case):
    output, weights = by_hand.scaled_dot_product_attention(*case)
    mask = np.True_ if case[3] is None else case[3]
    sees_a_key = np.broadcast_to(mask, weights.shape).any(-1)
    assert (weights >= 0).all()
    assert not weights[~np.broadcast_to(mask, weights.shape)].any()
    assert np.allclose(weights.sum(-1), sees_a_key, rtol=0, atol=1e-14)
    sees_a_key = np.broadcast_to(sees_a_key, output.shape[:-1])
    assert np.array_equal(output[~sees_a_key], np.zeros_like(output[~sees_a_key]))


@some_cases
@given(attention_cases())
def test_the_order_of_the_keys_does_not_matter(case):
    query, key, value, mask, scale = case
    order = np.random.default_rng(0).permutation(key.shape[-2])
    output, weights = by_hand.scaled_dot_product_attention(query, key, value, mask, scale)
    if mask is not None and mask.shape[-1] > 1:
        mask = mask[..., order]
    permuted_output, permuted_weights = by_hand.scaled_dot_product_attention(
        query, key[..., order, :], value[..., order, :], mask, scale
    )
    assert largest_error(permuted_output, output) <= 1e-13
    assert largest_error(permuted_weights, weights[..., order]) <= 1e-13


@some_cases
@given(attention_cases(), generators)
def test_what_stands_behind_the_mask_does_not_matter(case, rng):
    query, key, value, _, scale = case
    hidden = rng.random(key.shape[-2]) < 0.5  # the same keys for all queries
    before = by_hand.scaled_dot_product_attention(query, key, value, ~hidden, scale)
    key = np.where(hidden[:, None], 1e3 * uniform(rng, key.shape), key)
    value = np.where(hidden[:, None], 1e3 * uniform(rng, value.shape), value)
    after = by_hand.scaled_dot_product_attention(query, key, value, ~hidden, scale)
    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])


@some_cases
@given(generators, st.integers(2, 8), st.data())
def test_the_future_does_not_change_the_past(rng, length, data):
    x = uniform(rng, (2, length, 4))
    now = data.draw(st.integers(1, length - 1))
    changed = x.copy()
    changed[:, now:] += 100 * rng.normal(size=(2, length - now, 4))
    mask = by_hand.causal_mask(length)
    before, _ = by_hand.scaled_dot_product_attention(x, x, x, mask)
    after, _ = by_hand.scaled_dot_product_attention(changed, changed, changed, mask)
    assert np.array_equal(before[:, :now], after[:, :now])
    assert not np.array_equal(before[:, now:], after[:, now:])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("d_k", [1, 4, 16, 64])
def test_attention_is_stable_for_scores_of_ten_thousand(dtype, d_k):
    # Whole numbers and a scale that is a power of two: every score is exact in
    # float32, so that rounding cannot hide a fault. Scores reach 1e4 * sqrt(d_k);
    # before scaling they reach 640000, ten times the largest float16.
    rng = np.random.default_rng(d_k)
    signs = rng.choice([-1, 1], (5, 1))
    query = np.broadcast_to(100 * signs, (5, d_k)).astype(dtype)
    key = np.full((6, d_k), 100, dtype)
    key[:2] *= -1
    key[3, 0] -= 1
    value = rng.integers(-3, 4, (6, 3)).astype(dtype)
    mask = rng.random((5, 6)) < 0.7
    mask[0] = False
    with warnings.catch_warnings(action="error"):
        output, weights = by_hand.scaled_dot_product_attention(query, key, value, mask)
    expected_output, expected_weights = torch_attention(
        *(array.astype(np.float64) for array in (query, key, value)), mask, None
    )
    assert output.dtype == weights.dtype == dtype
    assert largest_error(weights, expected_weights) <= np.finfo(dtype).eps
    assert largest_error(output, expected_output) <= 3 * np.finfo(dtype).eps


@pytest.mark.parametrize("mixed", [0, 1, 2])
def test_the_widest_dtype_given_is_the_dtype_returned(mixed):
    arrays = [np.ones((2, 2), np.float16) for _ in range(3)]
    arrays[mixed] = arrays[mixed].astype(np.float64)
    output, weights = by_hand.scaled_dot_product_attention(*arrays)
    assert output.dtype == weights.dtype == np.float64


def test_the_default_scale_is_one_over_the_root_of_d_k():
    query, key, value = np.full((1, 4), 1.0), np.array([[1.0] * 4, [0.0] * 4]), np.eye(2)
    # Scores 4/2 and 0: the weights are e**2 : 1.
    output, _ = by_hand.scaled_dot_product_attention(query, key, value)
    assert np.allclose(output, [[np.e**2 / (np.e**2 + 1), 1 / (np.e**2 + 1)]], rtol=1e-15)


@pytest.mark.parametrize("one", [1, 1.0, np.float32(1), np.int64(1)])
def test_scale_may_be_any_real_number_type(plain_by_hand, one):
    arrays = [uniform(np.random.default_rng(i), (3, 4)) for i in range(3)]
    output, _ = plain_by_hand.scaled_dot_product_attention(*arrays, scale=one)
    expected, _ = torch_attention(*arrays, None, 1.0)
    assert largest_error(output, expected) <= 1e-12


def test_a_mask_for_heads_and_batch_broadcasts():
    rng = np.random.default_rng(0)
    query, key, value = (uniform(rng, (2, 3, 4, 5)) for _ in range(3))
    mask = by_hand.padding_mask(np.array([1, 4]))[:, None] & by_hand.causal_mask(4)
    _, weights = by_hand.scaled_dot_product_attention(query, key, value, mask)
    assert mask.shape == (2, 1, 4, 4)
    assert np.array_equal(weights[0, :, :, 0], np.ones((3, 4)))  # the one real token
    assert np.array_equal(weights[1] > 0, np.broadcast_to(np.tri(4), (3, 4, 4)))


# -------------------------------------------------------------------- masks


def test_causal_mask_shows_the_present_and_the_past():
    assert by_hand.causal_mask(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert by_hand.causal_mask(1).tolist() == [[True]]
    assert by_hand.causal_mask(2).dtype == bool


def test_padding_mask_shows_the_real_tokens():
    mask = by_hand.padding_mask(np.array([2, 0, 3]))
    assert mask.dtype == bool
    assert mask.tolist() == [[[True, True, False]], [[False] * 3], [[True] * 3]]


def test_padding_mask_can_be_wider_than_the_longest_sequence():
    mask = by_hand.padding_mask(np.array([[1], [2]], np.uint8), max_length=3)
    assert mask.tolist() == [[[[True, False, False]]], [[[True, True, False]]]]
    assert by_hand.padding_mask(np.array([0]), max_length=1).tolist() == [[[False]]]
    assert by_hand.padding_mask(np.array(2), max_length=3).tolist() == [[True, True, False]]
    assert by_hand.padding_mask(np.zeros(0, int), max_length=3).shape == (0, 1, 3)


# -------------------------------------------------------------------- heads


@some_cases
@given(generators, st.sampled_from([(), (2,), (2, 3)]), sizes, sizes, sizes)
def test_merging_heads_undoes_splitting_them(rng, batch, length, heads, head_width):
    x = uniform(rng, (*batch, length, heads * head_width))
    split = by_hand.split_heads(x, heads)
    assert split.shape == (*batch, heads, length, head_width)
    for h in range(heads):
        columns = slice(h * head_width, (h + 1) * head_width)
        assert np.array_equal(split[..., h, :, :], x[..., columns])
    assert np.array_equal(by_hand.merge_heads(split), x)


def test_split_heads_accepts_a_numpy_integer(plain_by_hand):
    assert plain_by_hand.split_heads(np.ones((2, 6)), np.int64(3)).shape == (3, 2, 2)


# ------------------------------------------------------- entropy and jacobian


@some_cases
@given(generators, st.sampled_from([(), (2,), (2, 3)]), sizes)
def test_entropy_equals_torch(rng, rows, keys):
    weights = by_hand.softmax(uniform(rng, (*rows, keys)))
    expected = torch.distributions.Categorical(torch.from_numpy(weights)).entropy().numpy()
    assert largest_error(by_hand.entropy(weights), expected) <= 1e-12


def test_entropy_is_zero_for_certainty_and_log_n_for_indifference():
    weights = np.array([[0, 1, 0, 0], [0.25] * 4, [0.5, 0, 0, 0.5], [0, 0, 0, 0]])
    nats = by_hand.entropy(weights)
    assert np.allclose(nats, [0, np.log(4), np.log(2), 0], rtol=0, atol=1e-15)
    assert not np.signbit(nats).any()  # 0, not -0
    assert by_hand.entropy(weights.astype(np.float32)).dtype == np.float32


@some_cases
@given(generators, sizes)
def test_softmax_jacobian_equals_automatic_differentiation(rng, keys):
    scores = uniform(rng, (keys,))
    jacobian = by_hand.softmax_jacobian(by_hand.softmax(scores))
    expected = torch.autograd.functional.jacobian(
        lambda s: s.softmax(-1), torch.from_numpy(scores.copy())
    )
    assert largest_error(jacobian, expected.numpy()) <= 1e-12


def test_softmax_jacobian_treats_each_row_alone():
    weights = by_hand.softmax(uniform(np.random.default_rng(0), (2, 3, 4))).astype(np.float32)
    jacobian = by_hand.softmax_jacobian(weights)
    assert jacobian.shape == (2, 3, 4, 4)
    assert jacobian.dtype == np.float32
    for row in np.ndindex(2, 3):
        assert np.array_equal(jacobian[row], by_hand.softmax_jacobian(weights[row]))
    assert np.array_equal(jacobian, jacobian.swapaxes(-1, -2))
    assert np.allclose(jacobian.sum(-1), 0, rtol=0, atol=1e-6)


# ------------------------------------------------------------ good behaviour


def test_inputs_are_not_modified_and_nothing_warns():
    rng = np.random.default_rng(0)
    arrays = [uniform(rng, (2, 4, 6)) for _ in range(3)]
    matrices = [uniform(rng, (6, 6)) for _ in range(4)]
    mask = rng.random((2, 4, 4)) < 0.5
    mask[0, 0] = False
    lengths = np.array([2, 4])
    everything = [*arrays, *matrices, mask, lengths]
    before = [array.copy() for array in everything]
    for array in everything:
        array.flags.writeable = False

    with warnings.catch_warnings(action="error"):
        _, weights = by_hand.scaled_dot_product_attention(*arrays, mask)
        by_hand.multi_head_attention(arrays[0], arrays[1], *matrices, 3, mask)
        by_hand.padding_mask(lengths)
        by_hand.merge_heads(by_hand.split_heads(arrays[0], 2))
        by_hand.softmax(np.where(mask, 0.0, -np.inf))
        weights.flags.writeable = False
        by_hand.entropy(weights)
        by_hand.softmax_jacobian(weights)

    for array, copy in zip(everything, before, strict=True):
        assert np.array_equal(array, copy)
