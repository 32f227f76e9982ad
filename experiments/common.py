"""What the experiments share."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread(flush_denormals: bool = False) -> Iterator[None]:
    """Compute on one thread while the ``with`` block or the decorated function lasts.

    Afterwards torch is set as before: who imports an experiment and calls it, a test or
    a notebook, goes on as if it had not.

    Parameters
    ----------
    flush_denormals : bool
        Take numbers too small for full precision (*denormal* ones) as zero. A processor
        is up to a hundred times slower with them, and they change no result of ours.
    """
    threads = torch.get_num_threads()
    flushed = sys.float_info.min / 2 == 0  # torch says how to set it, and not how it is set
    torch.set_num_threads(1)
    torch.set_flush_denormal(flush_denormals or flushed)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)
        torch.set_num_threads(threads)
