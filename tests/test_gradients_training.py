"""Adam against torch's, and the small model whose gradients are put together by hand."""

import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from attention import by_hand, gradients
from attention.gradients import Adam, AttentionOnly

CASES = int(os.environ.get("ATTENTION_TEST_CASES", "500"))
many_cases = settings(max_examples=max(CASES * 3 // 5, 10))
some_cases = settings(max_examples=max(CASES // 10, 10))

generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


# ------------------------------------------------------------------- Adam


@many_cases
@given(
    generators,
    st.lists(st.sampled_from([(), (3,), (2, 3)]), min_size=1, max_size=3),
    st.sampled_from([1e-3, 0.5]),
    st.sampled_from([(0.9, 0.999), (0.0, 0.9), (0.5, 0.0)]),
    st.sampled_from([1e-8, 0.1]),
    st.integers(1, 5),
)
def test_adam_equals_torchs(rng, shapes, rate, betas, epsilon, updates):
    ours = {f"p{number}": np.asarray(rng.normal(size=shape)) for number, shape in enumerate(shapes)}
    theirs = [torch.tensor(array, requires_grad=True) for array in ours.values()]
    adam = Adam(rate, betas, epsilon)
    torchs = torch.optim.Adam(theirs, rate, betas, epsilon)
    for update in range(updates):
        if update == 2:  # the rate may change
            adam.rate = torchs.param_groups[0]["lr"] = rate / 3
        changes = {name: np.asarray(rng.normal(size=array.shape)) for name, array in ours.items()}
        kept = {name: gradient.copy() for name, gradient in changes.items()}
        adam.update(ours, changes)
        for leaf, gradient in zip(theirs, changes.values(), strict=True):
            leaf.grad = torch.tensor(gradient)
        torchs.step()
        assert adam.updates == update + 1
        for name, gradient in changes.items():
            assert np.array_equal(gradient, kept[name])
    for array, leaf in zip(ours.values(), theirs, strict=True):
        assert np.abs(array - leaf.detach().numpy()).max() <= 1e-12


def test_a_small_gradient_after_a_large_one_keeps_its_digits():
    """With betas of 0 only the last gradient counts, and the step is as long as the rate."""
    parameters = {"p": np.zeros(1)}
    adam = Adam(0.5, (0.0, 0.0), 1e-30)
    for gradient in (1e4, 1e-3):
        before = parameters["p"].copy()
        adam.update(parameters, {"p": np.array([gradient])})
        np.testing.assert_allclose(before - parameters["p"], [0.5], rtol=1e-12)


def test_the_first_step_of_adam_is_the_rate_whatever_the_gradient():
    parameters = {"p": np.array([1.0, 1.0, 1.0])}
    array = parameters["p"]
    Adam(0.25).update(parameters, {"p": np.array([1e-3, -50.0, 0.0])})
    np.testing.assert_allclose(array, [0.75, 1.25, 1], atol=1e-5)
    assert parameters["p"] is array  # changed in place


def test_adam_has_the_defaults_of_the_paper():
    adam, theirs = Adam(), torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    (group,) = theirs.param_groups
    assert (adam.rate, adam.betas, adam.epsilon) == (group["lr"], group["betas"], group["eps"])
    assert adam.updates == 0


def test_adam_keeps_float32():
    parameters = {"p": np.ones(3, np.float32)}
    Adam(0.1).update(parameters, {"p": np.ones(3, np.float32)})
    assert parameters["p"].dtype == np.float32
    np.testing.assert_allclose(parameters["p"], 0.9, rtol=1e-6)


# --------------------------------------------------------- attention and nothing else


@st.composite
def models(draw):
    """Draw a model, a batch for it, and a mask."""
    rng = draw(generators)
    vocab_size, length, d_model, d_k = (draw(st.integers(1, 5)) for _ in range(4))
    layers, batch, shorter = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.booleans())
    scale, tied = draw(st.sampled_from([None, 1, 0.3])), draw(st.booleans())
    model = AttentionOnly(vocab_size, length, d_model, d_k, layers, rng, scale, tied)
    seen = int(rng.integers(1, length + 1)) if shorter else length
    tokens, targets = rng.integers(0, vocab_size, (2, batch, seen))
    wanted = rng.random((batch, seen)) < 0.5
    wanted[0, 0] = True
    mask = draw(st.sampled_from([None, by_hand.causal_mask(seen)]))
    return model, tokens, targets, wanted, mask


def torch_loss(model, tokens, targets, wanted, mask):
    """Compute the loss in torch; return it, the weights, and the leaves by name."""
    leaves = {name: torch.tensor(p, requires_grad=True) for name, p in model.parameters.items()}
    x = leaves["embedding"][tokens] + leaves["positions"][: tokens.shape[1]]
    maps = []
    for layer in range(model.layers):
        query = x @ leaves[f"W_Q {layer}"]
        key = x @ leaves[f"W_Q {layer}" if model.tied else f"W_K {layer}"]
        scale = query.shape[-1] ** -0.5 if model.scale is None else model.scale
        scores = query @ key.mT * scale
        if mask is not None:
            scores = scores.masked_fill(~torch.tensor(mask), -torch.inf)
        maps.append(scores.softmax(-1))
        x = x + maps[-1] @ (x @ leaves[f"W_V {layer}"])
    logits, rows = x @ leaves["readout"], torch.tensor(wanted)
    return F.cross_entropy(logits[rows], torch.tensor(targets)[rows]), logits, maps, leaves


@pytest.mark.arithmetic
@many_cases
@given(models())
def test_the_models_gradients_equal_torchs(case):
    model, tokens, _, _, mask = case
    loss, logits, maps, leaves = torch_loss(*case)
    loss.backward()
    ours, our_logits, changes = model.loss_and_gradients(*case[1:])
    assert abs(ours - loss.item()) <= 1e-12 * max(1, loss.item())
    assert list(changes) == list(model.parameters)
    for name, gradient in changes.items():
        expected = leaves[name].grad.numpy()
        assert gradient.shape == expected.shape
        size = max(1, np.abs(expected).max())
        assert np.abs(gradient - expected).max() <= 1e-12 * size, name
    assert np.abs(our_logits - logits.detach().numpy()).max() <= 1e-11
    again, our_maps, streams = model.forward(tokens, mask)
    assert np.array_equal(again, our_logits)
    for weights, theirs in zip(our_maps, maps, strict=True):
        assert np.abs(weights - theirs.detach().numpy()).max() <= 1e-12
    assert len(streams) == model.layers + 1
    np.testing.assert_allclose(streams[-1] @ model.parameters["readout"], our_logits)


@pytest.mark.parametrize("tied", [False, True])
def test_the_models_gradients_equal_central_differences(tied):
    rng = np.random.default_rng(0)
    model = AttentionOnly(4, 3, 4, 2, 2, rng, tied=tied)
    tokens, targets = rng.integers(0, 4, (2, 2, 3))
    wanted, mask = np.ones((2, 3), bool), by_hand.causal_mask(3)
    _, _, changes = model.loss_and_gradients(tokens, targets, wanted, mask)
    for name, gradient in changes.items():
        there = model.parameters[name]

        def loss(moved, name=name):
            model.parameters[name] = moved
            logits, _, _ = model.forward(tokens, mask)
            return gradients.cross_entropy(logits, targets, wanted)

        tried = gradients.central_differences(loss, there)
        model.parameters[name] = there
        assert np.abs(gradient - tried).max() <= 1e-7, name


def test_a_model_is_drawn_to_keep_numbers_of_the_same_size():
    model = AttentionOnly(300, 200, 100, 50, 2, np.random.default_rng(0))
    expected = {"embedding": (300, 100), "positions": (200, 100)}
    for layer in range(2):
        expected |= {f"W_Q {layer}": (100, 50), f"W_K {layer}": (100, 50)}
        expected |= {f"W_V {layer}": (100, 100)}
    expected |= {"readout": (100, 300)}
    assert {name: array.shape for name, array in model.parameters.items()} == expected
    assert list(model.parameters) == list(expected)
    for name, array in model.parameters.items():
        variance = 1 / 2 if name in ("embedding", "positions") else 1 / 100
        assert array.var() == pytest.approx(variance, rel=0.1), name
        assert abs(array.mean()) < 0.02
    assert not model.tied
    assert model.scale is None
    assert model.layers == 2


def test_a_tied_model_has_one_matrix_for_queries_and_keys():
    model = AttentionOnly(5, 4, 6, 3, 2, np.random.default_rng(0), tied=True)
    assert not any(name.startswith("W_K") for name in model.parameters)
    W_Q, W_K, W_V = model.projections(1)
    assert W_Q is W_K is model.parameters["W_Q 1"]
    assert W_V is model.parameters["W_V 1"]


def test_a_model_is_the_same_from_the_same_generator():
    one, same, other = (
        AttentionOnly(5, 4, 6, 3, 2, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    for name, array in one.parameters.items():
        assert np.array_equal(array, same.parameters[name])
        assert not np.array_equal(array, other.parameters[name])


@pytest.mark.arithmetic
def test_steps_against_the_gradient_lower_the_loss():
    rng = np.random.default_rng(0)
    model, adam = AttentionOnly(6, 5, 8, 4, 2, rng), Adam(0.03)
    tokens, targets = rng.integers(0, 6, (2, 4, 5))
    wanted = np.ones((4, 5), bool)
    losses = []
    for _ in range(60):
        loss, _, changes = model.loss_and_gradients(tokens, targets, wanted)
        losses.append(loss)
        adam.update(model.parameters, changes)
    assert losses[-1] < 0.2 * losses[0]
