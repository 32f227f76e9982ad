"""What `attention.layers` says to a wrong call: which argument, what came, what was expected.

Only the copy without enforced shapes is tested here, since that is what a reader calls.
"""

import re

import numpy as np
import pytest
import torch

NOT_A_POSITIVE_INTEGER = [0, -1, 2.0, "2", None, True]


def check_message(call, message):
    """Assert that `call` raises a ValueError with just this message."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def call_with(layers, **changed):
    """Call a layer, d_model 6 and 2 heads, with some arguments replaced by something wrong."""
    arguments = {"x": torch.ones(2, 3, 6), "memory": torch.ones(2, 5, 6)}
    return layers.MultiHeadAttention(6, 2)(**(arguments | changed))


def test_the_call_that_the_errors_start_from_is_right(plain_layers):
    assert call_with(plain_layers).shape == (2, 3, 6)


# ------------------------------------------------------------------- making


@pytest.mark.parametrize("number", NOT_A_POSITIVE_INTEGER)
def test_sizes_must_be_positive_integers(plain_layers, number):
    check_message(
        lambda: plain_layers.MultiHeadAttention(number, 2),
        f"d_model: expected a positive integer, got {number!r}",
    )
    check_message(
        lambda: plain_layers.MultiHeadAttention(6, number),
        f"heads: expected a positive integer, got {number!r}",
    )


@pytest.mark.parametrize("heads", [4, 5, 12])
def test_heads_must_divide_d_model(plain_layers, heads):
    check_message(
        lambda: plain_layers.MultiHeadAttention(6, heads),
        f"heads: expected a divisor of d_model = 6, got {heads}",
    )


@pytest.mark.parametrize("heads", [1, 2, 3, 6])
def test_heads_that_divide_d_model_are_welcome(plain_layers, heads):
    assert plain_layers.MultiHeadAttention(6, heads)(torch.ones(2, 3, 6)).shape == (2, 3, 6)


@pytest.mark.parametrize("dropout", [-0.1, 1, 1.0, 10, float("nan"), "0.1", None])
def test_dropout_must_be_a_probability_below_one(plain_layers, dropout):
    check_message(
        lambda: plain_layers.MultiHeadAttention(6, 2, dropout=dropout),
        f"dropout: expected a number from 0 to below 1, got {dropout!r}",
    )


@pytest.mark.parametrize("dropout", [0, 0.0, 0.5, 0.99])
def test_a_probability_below_one_is_welcome(plain_layers, dropout):
    assert plain_layers.MultiHeadAttention(6, 2, dropout=dropout).dropout == dropout


# ------------------------------------------------------------------ calling


@pytest.mark.parametrize("name", ["x", "memory"])
@pytest.mark.parametrize(
    ("wrong", "came"),
    [
        (torch.ones(2, 3, 6, dtype=torch.int64), "torch.int64 of shape (2, 3, 6)"),
        (torch.ones(2, 3, 6, dtype=torch.bool), "torch.bool of shape (2, 3, 6)"),
        (torch.ones(2, 3, 6, dtype=torch.complex64), "torch.complex64 of shape (2, 3, 6)"),
        (torch.ones(2, 3, 6).numpy(), "ndarray"),
        ([[1.0] * 6], "list"),
    ],
)
def test_rows_must_be_floating_point_tensors(plain_layers, name, wrong, came):
    check_message(
        lambda: call_with(plain_layers, **{name: wrong}),
        f"{name}: expected a floating-point tensor, got {came}",
    )


def test_x_is_needed(plain_layers):
    check_message(
        lambda: call_with(plain_layers, x=None), "x: expected a floating-point tensor, got NoneType"
    )


@pytest.mark.parametrize("name", ["x", "memory"])
def test_rows_need_two_axes(plain_layers, name):
    for shape in [(6,), ()]:
        check_message(
            lambda shape=shape: call_with(plain_layers, **{name: torch.ones(shape)}),
            f"{name}: expected at least two axes, got shape {shape}",
        )


def test_a_wide_layer_is_welcome(plain_layers):
    # From 257 on, Python makes a new object of each integer: equal is not identical.
    assert plain_layers.MultiHeadAttention(300, 2)(torch.ones(2, 3, 300)).shape == (2, 3, 300)


@pytest.mark.parametrize("name", ["x", "memory"])
@pytest.mark.parametrize("width", [1, 5, 7])
def test_rows_must_be_as_wide_as_d_model(plain_layers, name, width):
    check_message(
        lambda: call_with(plain_layers, **{name: torch.ones(2, 3, width)}),
        f"{name}: expected a last axis of d_model = 6, got shape (2, 3, {width})",
    )


@pytest.mark.parametrize("batch", [(), (1,), (3,), (2, 2)])
def test_memory_must_have_the_batch_axes_of_x(plain_layers, batch):
    check_message(
        lambda: call_with(plain_layers, memory=torch.ones(*batch, 5, 6)),
        f"memory: expected the batch axes of x, (2,), got {batch}",
    )


def test_there_must_be_a_key(plain_layers):
    check_message(
        lambda: call_with(plain_layers, memory=torch.ones(2, 0, 6)),
        "memory: expected at least one key, got shape (2, 0, 6)",
    )
    check_message(
        lambda: call_with(plain_layers, x=torch.ones(2, 0, 6), memory=None),
        "x: expected at least one key, got shape (2, 0, 6)",
    )
    assert call_with(plain_layers, memory=torch.ones(2, 1, 6)).shape == (2, 3, 6)


# --------------------------------------------------------------------- mask


@pytest.mark.parametrize(
    ("mask", "came"),
    [
        (torch.ones(3, 5), "torch.float32 of shape (3, 5)"),
        (torch.ones(3, 5, dtype=torch.int64), "torch.int64 of shape (3, 5)"),
        (torch.zeros(3, 5).where(torch.eye(3, 5) > 0, -torch.inf), "torch.float32 of shape (3, 5)"),
        (torch.ones(3, 5, dtype=torch.bool).numpy(), "ndarray"),
        ([[True] * 5] * 3, "list"),
        (True, "bool"),
    ],
)
def test_a_mask_must_be_boolean(plain_layers, mask, came):
    check_message(
        lambda: call_with(plain_layers, mask=mask),
        f"mask: expected a boolean tensor (True = may attend), got {came}",
    )


def test_a_mask_in_the_place_of_memory_is_noticed(plain_layers):
    x, mask = torch.ones(2, 3, 6), torch.ones(3, 3, dtype=torch.bool)
    check_message(
        lambda: plain_layers.MultiHeadAttention(6, 2)(x, mask),
        "memory: expected a floating-point tensor, got torch.bool of shape (3, 3)",
    )


@pytest.mark.parametrize(
    "shape",
    [
        (5, 3),  # transposed
        (3,),  # one entry a query
        (3, 4),
        (3, 3, 5),  # another batch
        (4, 3, 5),  # four masks, neither sequences nor heads
        (2, 5),  # (batch, keys): a padding mask without the axis for the queries
        (2, 3, 3, 5),  # three heads
        (3, 2, 3, 5),
        (1, 1, 1, 3, 5),  # one axis too many
    ],
)
def test_a_mask_must_broadcast_to_the_scores(plain_layers, shape):
    check_message(
        lambda: call_with(plain_layers, mask=torch.ones(shape, dtype=torch.bool)),
        "mask: expected a shape that broadcasts to (..., queries, keys) = (2, 3, 5) "
        f"or (..., heads, queries, keys) = (2, 2, 3, 5), got {shape}",
    )


def test_the_axes_of_a_mask_are_counted_from_those_of_x(plain_layers):
    # Without a batch, a third axis is for the heads; it need not be 1.
    layer, x = plain_layers.MultiHeadAttention(6, 2), torch.ones(3, 6)
    assert layer(x, mask=torch.ones(2, 3, 3, dtype=torch.bool)).shape == (3, 6)
    check_message(
        lambda: layer(x, mask=torch.ones(4, 3, 3, dtype=torch.bool)),
        "mask: expected a shape that broadcasts to (..., queries, keys) = (3, 3) "
        "or (..., heads, queries, keys) = (2, 3, 3), got (4, 3, 3)",
    )


@pytest.mark.parametrize(
    "shape",
    [
        *[(), (1,), (5,), (3, 1), (1, 5), (3, 5)],
        *[(2, 1, 5), (1, 3, 5), (2, 3, 5)],
        *[(1, 2, 3, 5), (2, 1, 1, 5), (2, 2, 3, 5)],
    ],
)
@pytest.mark.parametrize("return_weights", [False, True])
def test_a_mask_that_broadcasts_is_welcome(plain_layers, shape, return_weights):
    result = call_with(
        plain_layers, mask=torch.ones(shape, dtype=torch.bool), return_weights=return_weights
    )
    if return_weights:
        assert torch.allclose(result[1], torch.full((2, 2, 3, 5), 0.2))
    else:
        assert result.shape == (2, 3, 6)


def test_a_mask_that_can_be_read_in_two_ways_is_refused(plain_layers):
    """As many sentences as words: is it (queries, keys) or (batch, keys)?"""
    layer, mask = plain_layers.MultiHeadAttention(6, 2), torch.ones(3, 3, dtype=torch.bool).tril()
    memory, wide = torch.ones(3, 5, 6), torch.ones(3, 5, dtype=torch.bool)
    ways = "which could be (queries, keys) or (batch, keys): write mask[None] or mask[:, None]"
    for x in (torch.ones(3, 3, 6), torch.ones(2, 3, 3, 6)):
        check_message(
            lambda x=x: layer(x, mask=mask),
            f"mask: expected a shape with one meaning, got (3, 3), {ways}",
        )
        layer(x, mask=mask[None])
        layer(x, mask=mask[:, None])
        layer(x, mask=mask[:1])
        layer(x, mask=torch.ones(3, 1, dtype=torch.bool))  # for each query, whatever the key
    x = torch.ones(3, 3, 6)
    check_message(
        lambda: layer(x, memory, wide),
        f"mask: expected a shape with one meaning, got (3, 5), {ways}",
    )
    # Where the numbers tell, (queries, keys) is welcome, and (batch, keys) does not fit.
    for shape in ((3, 6), (2, 3, 6), (1, 3, 6)):
        assert layer(torch.ones(shape), mask=mask).shape == shape
    assert layer(torch.ones(1, 1, 6), mask=mask[:1, :1]).shape == (1, 1, 6)


# ------------------------------------------------------------ keys and values


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kept": (3, 2, 4, 3)}, "kept: expected keys of shape (2, 2, 4, 3) for this x, "),
        ({"kept": (2, 3, 4, 3)}, "kept: expected keys of shape (2, 2, 4, 3) for this x, "),
        ({"kept": (2, 2, 4, 5)}, "kept: expected keys of shape (2, 2, 4, 3) for this x, "),
        ({"memory": (1, 2, 4, 3)}, "memory: expected keys of shape (2, 2, 4, 3) for this x, "),
    ],
)
def test_what_is_kept_must_be_of_this_layer_and_batch(plain_layers, given, message):
    (name, shape), x = *given.items(), torch.ones(2, 3, 6)
    kept = plain_layers.KeysAndValues(torch.ones(shape), torch.ones(shape))
    layer = plain_layers.MultiHeadAttention(6, 2)
    check_message(lambda: layer(x, **{name: kept}), f"{message}got {shape}")
    keys, values = torch.ones(2, 2, 4, 3), torch.ones(2, 2, 3, 3)
    check_message(
        lambda: layer(x, **{name: plain_layers.KeysAndValues(keys, values)}),
        f"{name}: expected values of shape (2, 2, 4, 3) for this x, got (2, 2, 3, 3)",
    )
    assert kept.length == 4  # nothing was appended


def test_nothing_is_appended_in_cross_attention(plain_layers):
    layer, x = plain_layers.MultiHeadAttention(6, 2), torch.ones(2, 3, 6)
    kept = layer.keys_and_values(x)
    for memory in (torch.ones(2, 3, 6), kept):
        check_message(
            lambda memory=memory: layer(x, memory, kept=kept),
            "kept: expected None in cross-attention, got 'keys and values'",
        )
    check_message(
        lambda: layer(x, kept.first(0)),
        "memory: expected at least one key, got shape (2, 2, 0, 3)",
    )


# ----------------------------------------------------------- numbers of NumPy


def test_numbers_may_be_numpys(plain_layers):
    two, half = np.int64(2), np.float32(0.5)
    layer = plain_layers.MultiHeadAttention(np.int32(8), two, dropout=half)
    assert (layer.heads, layer.dropout) == (2, 0.5)
    assert plain_layers.FeedForward(two, np.int8(3), dropout=half)(torch.ones(2)).shape == (2,)
    assert plain_layers.LayerNorm(two, np.float64(1e-3))(torch.ones(1, 2)).shape == (1, 2)
    assert plain_layers.LearnedPositions(np.int64(5), two)(two, np.int64(3)).shape == (2, 2)
    for made, expected in (
        (plain_layers.position_angles(two, two, two, half), (2, 2, 2, 0.5)),
        (plain_layers.position_angles(two, two, two, np.int64(10)), (2, 2, 2, 10)),
    ):
        assert torch.equal(made, plain_layers.position_angles(*expected))
    assert torch.equal(
        plain_layers.sinusoidal_positions(two, two, two), plain_layers.sinusoidal_positions(2, 2, 2)
    )
    assert torch.equal(plain_layers.alibi_slopes(two), plain_layers.alibi_slopes(2))
    assert torch.equal(
        plain_layers.alibi_bias(two, two, np.int64(3)), plain_layers.alibi_bias(2, 2, 3)
    )
    assert plain_layers.split_heads(torch.ones(3, 8), two).shape == (2, 3, 4)


# -------------------------------------------------------- splitting and merging


@pytest.mark.parametrize("heads", NOT_A_POSITIVE_INTEGER)
def test_split_heads_wants_a_positive_integer(plain_layers, heads):
    check_message(
        lambda: plain_layers.split_heads(torch.ones(3, 6), heads),
        f"heads: expected a positive integer, got {heads!r}",
    )


@pytest.mark.parametrize("heads", [4, 5, 12])
def test_split_heads_wants_a_divisor(plain_layers, heads):
    check_message(
        lambda: plain_layers.split_heads(torch.ones(3, 6), heads),
        f"heads: expected a divisor of the last axis of x = 6, got {heads}",
    )


def test_split_heads_wants_float_rows(plain_layers):
    check_message(
        lambda: plain_layers.split_heads(torch.ones(6), 2),
        "x: expected at least two axes, got shape (6,)",
    )
    check_message(
        lambda: plain_layers.split_heads(torch.ones(3, 6, dtype=torch.int32), 2),
        "x: expected a floating-point tensor, got torch.int32 of shape (3, 6)",
    )


def test_merge_heads_wants_three_axes(plain_layers):
    check_message(
        lambda: plain_layers.merge_heads(torch.ones(3, 6)),
        "x: expected (..., heads, length, head_width), got shape (3, 6)",
    )
    check_message(
        lambda: plain_layers.merge_heads([[[1.0]]]),
        "x: expected a floating-point tensor, got list",
    )
    assert plain_layers.merge_heads(torch.ones(2, 3, 4)).shape == (3, 8)


# ------------------------------------------------- norm, feed-forward, positions


@pytest.mark.parametrize("number", NOT_A_POSITIVE_INTEGER)
def test_other_sizes_must_be_positive_integers_too(plain_layers, number):
    layers = plain_layers
    for name, call in [
        ("d_model", lambda: layers.LayerNorm(number)),
        ("d_model", lambda: layers.RMSNorm(number)),
        ("d_ff", lambda: layers.SwiGLU(4, number)),
        ("d_model", lambda: layers.FeedForward(number, 4)),
        ("d_ff", lambda: layers.FeedForward(4, number)),
        ("length", lambda: plain_layers.position_angles(number, 4)),
        ("width", lambda: plain_layers.position_angles(4, number)),
        ("length", lambda: plain_layers.sinusoidal_positions(number, 4)),
        ("d_model", lambda: plain_layers.sinusoidal_positions(4, number)),
        ("max_length", lambda: plain_layers.LearnedPositions(number, 4)),
        ("d_model", lambda: plain_layers.LearnedPositions(4, number)),
        ("length", lambda: plain_layers.LearnedPositions(4, 4)(number)),
        ("heads", lambda: plain_layers.alibi_slopes(number)),
        ("heads", lambda: plain_layers.alibi_bias(number, 2, 2)),
        ("queries", lambda: plain_layers.alibi_bias(2, number, 2)),
        ("keys", lambda: plain_layers.alibi_bias(2, 1, number)),
    ]:
        check_message(call, f"{name}: expected a positive integer, got {number!r}")


@pytest.mark.parametrize("offset", [-1, 1.0, None, True])
def test_offsets_are_integers_from_0_on(plain_layers, offset):
    for call in (
        lambda: plain_layers.position_angles(2, 4, offset),
        lambda: plain_layers.sinusoidal_positions(2, 4, offset),
        lambda: plain_layers.LearnedPositions(4, 4)(2, offset),
    ):
        check_message(call, f"offset: expected an integer from 0 on, got {offset!r}")


@pytest.mark.parametrize("name", ["LayerNorm", "RMSNorm"])
@pytest.mark.parametrize("eps", [0, -1e-5, "1e-5", None])
def test_eps_must_be_positive(plain_layers, name, eps):
    norm = getattr(plain_layers, name)
    check_message(lambda: norm(4, eps), f"eps: expected a positive number, got {eps!r}")
    assert norm(4, 1).eps == 1


def test_settings_of_a_feed_forward_layer(plain_layers):
    check_message(
        lambda: plain_layers.FeedForward(4, 4, "tanh"),
        "activation: expected one of ('relu', 'gelu'), got 'tanh'",
    )
    check_message(
        lambda: plain_layers.FeedForward(4, 4, "swiglu"),
        "activation: expected one of ('relu', 'gelu'), got 'swiglu'",
    )
    for layer in (plain_layers.FeedForward, plain_layers.SwiGLU):
        check_message(
            lambda layer=layer: layer(4, 4, dropout=1),
            "dropout: expected a number from 0 to below 1, got 1",
        )


def test_pairs_must_be_known(plain_layers):
    message = "pairs: expected one of ('adjacent', 'halves'), got 'halved'"
    for call in (
        lambda: plain_layers.MultiHeadAttention(4, 2, pairs="halved"),
        lambda: plain_layers.rotate(torch.ones(2, 4), torch.ones(2, 2), "halved"),
        lambda: plain_layers.sinusoidal_positions(2, 4, pairs="halved"),
    ):
        check_message(call, message)


@pytest.mark.parametrize("name", ["LayerNorm", "RMSNorm", "FeedForward", "SwiGLU"])
def test_rows_must_be_as_wide_as_the_layer(plain_layers, name):
    layer = getattr(plain_layers, name)(*[6] if "Norm" in name else [6, 2])
    for shape in [(2, 3), (6, 1), ()]:
        check_message(
            lambda shape=shape: layer(torch.ones(shape)),
            f"x: expected a last axis of d_model = 6, got {shape}",
        )
    check_message(
        lambda: layer(torch.ones(2, 6, dtype=torch.int64)),
        "x: expected a floating-point tensor, got 'torch.int64 of shape (2, 6)'",
    )
    check_message(lambda: layer([1.0]), "x: expected a floating-point tensor, got 'list'")
    assert layer(torch.ones(6)).shape == (6,)


def test_the_base_must_be_positive(plain_layers):
    check_message(
        lambda: plain_layers.position_angles(2, 4, base=0),
        "base: expected a positive number, got 0",
    )


def test_there_are_no_learned_positions_beyond_the_last(plain_layers):
    layer = plain_layers.LearnedPositions(8, 4)
    message = "length: expected at most 8 positions, for which there are rows, got "
    check_message(lambda: layer(9), f"{message}9")
    check_message(lambda: layer(3, 6), f"{message}9")
    assert layer(2, 6).shape == (2, 4)


def test_there_are_no_more_queries_than_keys(plain_layers):
    check_message(
        lambda: plain_layers.alibi_bias(2, 4, 3), "queries: expected at most keys = 3, got 4"
    )


@pytest.mark.parametrize("shape", [(3, 6), (2, 3), (3,), (1, 3, 3), (6, 3)])
def test_angles_must_fit_the_rows(plain_layers, shape):
    check_message(
        lambda: plain_layers.rotate(torch.ones(2, 3, 6), torch.ones(shape)),
        f"angles: expected (length, d_k / 2) for x of shape (2, 3, 6), got {shape}",
    )
    check_message(
        lambda: plain_layers.MultiHeadAttention(12, 2)(torch.ones(3, 12), angles=torch.ones(shape)),
        f"angles: expected (length, d_k / 2) for length = 3 and d_k = 6, got {shape}",
    )


def test_an_odd_head_cannot_be_rotated(plain_layers):
    angles = torch.ones(4, 1)
    check_message(
        lambda: plain_layers.rotate(torch.ones(4, 3), angles),
        "angles: expected (length, d_k / 2) for x of shape (4, 3), got (4, 1)",
    )
    check_message(
        lambda: plain_layers.MultiHeadAttention(6, 2)(torch.ones(4, 6), angles=angles),
        "angles: expected (length, d_k / 2) for length = 4 and d_k = 3, got (4, 1)",
    )
    check_message(
        lambda: plain_layers.rotate(torch.ones(4), angles),
        "x: expected at least two axes, got shape (4,)",
    )


def test_angles_are_for_self_attention(plain_layers):
    layer, x = plain_layers.MultiHeadAttention(8, 2), torch.ones(3, 8)
    check_message(
        lambda: layer(x, torch.ones(3, 8), angles=torch.ones(3, 2)),
        "angles: expected None in cross-attention, got 'angles'",
    )
    assert layer(x, x, angles=torch.ones(3, 2)).shape == (3, 8)


@pytest.mark.parametrize("shape", [(5, 3), (3, 3, 5), (2, 2, 5), (3, 2, 3, 5), (1, 2, 2, 3, 5)])
def test_a_score_bias_must_broadcast_to_the_scores(plain_layers, shape):
    check_message(
        lambda: call_with(plain_layers, score_bias=torch.ones(shape)),
        "score_bias: expected a shape that broadcasts to (..., heads, queries, keys) = "
        f"(2, 2, 3, 5), got {shape}",
    )


@pytest.mark.parametrize("shape", [(), (5,), (3, 5), (2, 1, 1), (2, 1, 3, 5)])
@pytest.mark.parametrize("return_weights", [False, True])
def test_a_score_bias_that_broadcasts_is_welcome(plain_layers, shape, return_weights):
    for mask in (None, torch.ones(3, 5, dtype=torch.bool)):
        result = call_with(
            plain_layers,
            score_bias=torch.ones(shape),
            mask=mask,
            return_weights=return_weights,
        )
        assert (result[0] if return_weights else result).shape == (2, 3, 6)


def test_a_score_bias_must_be_floating_point(plain_layers):
    check_message(
        lambda: call_with(plain_layers, score_bias=torch.ones(3, 5, dtype=torch.bool)),
        "score_bias: expected a floating-point tensor, got 'torch.bool of shape (3, 5)'",
    )
    check_message(
        lambda: call_with(plain_layers, score_bias=1.0),
        "score_bias: expected a floating-point tensor, got 'float'",
    )
