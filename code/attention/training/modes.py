"""What a model is set to while it trains or is asked (translation: From near: one step)."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import torch
from torch import nn


def device_of(model: nn.Module) -> torch.device:
    """Say where a model is: where its first number is, or on the CPU if it has none."""
    numbers = chain(model.parameters(), model.buffers())
    return next((tensor.device for tensor in numbers), torch.device("cpu"))


@contextmanager
def in_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Switch all parts of a model to one mode; each gets back its own."""
    before = [(part, part.training) for part in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for part, mode in before:
            part.training = mode


@contextmanager
def keeping_random_state(device: torch.device) -> Iterator[None]:
    """Put the state of the random numbers back, the CPU's and the device's."""
    with torch.random.fork_rng(devices=[]):
        if device.type == "cpu":
            yield
            return
        there = torch.get_device_module(device)
        which = () if device.type == "mps" else (device,)  # Apple's GPU is one, and unnumbered
        before = there.get_rng_state(*which)
        try:
            yield
        finally:
            there.set_rng_state(before, *which)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch dropout and gradients off while the ``with`` block lasts.

    After it each part of the model is as it was, in training or not.
    """
    with in_mode(model, training=False), torch.no_grad():
        yield
