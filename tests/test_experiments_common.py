"""What the experiments share, and that they share it."""

import importlib
import sys

import pytest
import torch

import common


def denormals_are_zero() -> bool:
    return sys.float_info.min / 2 == 0


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_threads_leave_torch_as_it_was():
    assert not denormals_are_zero()

    @common.threads(1, flush_denormals=True)
    def fail() -> None:
        assert torch.get_num_threads() == 1
        assert denormals_are_zero()
        with common.threads(1):
            assert denormals_are_zero()
        assert denormals_are_zero()
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert torch.get_num_threads() == 2
    assert not denormals_are_zero()


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    ("script", "function", "job", "stopped_at"),
    [
        ("scaling", "measure", (16, "scaled", 0.01, 0), "train"),
        ("two_heads", "measure", ("one look-up", 1, 0.002, 0), "train"),
        ("two_heads", "example", ("one look-up", 1, 0.002, 0), "train"),
        ("reach", "measure", ("short delay", "rnn", 0), "TrainingRun"),
    ],
)
def test_experiments_leave_torch_as_it_was(monkeypatch, script, function, job, stopped_at):
    module = importlib.import_module(script)

    def stop(*_: object) -> None:
        assert torch.get_num_threads() == 1
        assert denormals_are_zero()
        raise KeyboardInterrupt

    monkeypatch.setattr(module, stopped_at, stop)
    with pytest.raises(KeyboardInterrupt):
        getattr(module, function)(*job)
    assert torch.get_num_threads() == 2
    assert not denormals_are_zero()
