"""What the tests of layers, norms and feed-forward layers draw, and how they compare."""

import os

import torch
from hypothesis import settings
from hypothesis import strategies as st

# Random cases per comparison with torch; the mutation tester asks for fewer.
CASES = int(os.environ.get("ATTENTION_TEST_CASES", "200"))
many_cases = settings(max_examples=CASES)
some_cases = settings(max_examples=max(CASES // 4, 10))
generators = st.integers(0, 2**32 - 1).map(lambda seed: torch.Generator().manual_seed(seed))
any_batch_axes = st.sampled_from([(), (1,), (3,), (2, 3)])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def uniform(rng, *shape, dtype=torch.float64):
    """Draw numbers within ±3."""
    return (torch.rand(*shape, generator=rng, dtype=torch.float64) * 6 - 3).to(dtype)


def largest_error(ours, theirs):
    assert ours.shape == theirs.shape
    return (ours - theirs).abs().max().item() if ours.numel() else 0
