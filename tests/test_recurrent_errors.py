"""What `attention.recurrent` says to a wrong call: which argument, what came, what was expected.

Only the copy without enforced shapes is tested here, since that is what a reader calls.
"""

import re
from dataclasses import asdict

import pytest
import torch
from tests.conftest import load_without_shape_checks
from torch import nn

from attention import training


@pytest.fixture(scope="module")
def recurrent():
    """`attention.recurrent` as a reader meets it."""
    return load_without_shape_checks("recurrent")


def check_message(call, message):
    """Assert that `call` raises a ValueError with just this message."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def config_with(recurrent, **changed):
    return recurrent.RecurrentConfig(
        **({"source_vocab_size": 9, "target_vocab_size": 10} | changed)
    )


def call_with(recurrent, score="additive", return_weights=False, **changed):
    """Call a model with some arguments replaced by something wrong."""
    model = recurrent.new_translator(config_with(recurrent, score=score), 0)
    arguments = {
        "source": torch.tensor([[3, 8, 2], [4, 2, 0]]),
        "target": torch.tensor([[9, 2], [2, 0]]),
    }
    return model(**(arguments | changed), return_weights=return_weights)


def test_the_call_that_the_errors_start_from_is_right(recurrent):
    assert call_with(recurrent).shape == (2, 2, 10)


# ------------------------------------------------------------------- making


@pytest.mark.parametrize("name", ["d_embedding", "d_encoder", "d_decoder", "d_context", "d_score"])
@pytest.mark.parametrize("number", [0, -1, 2.0, "2", None, True])
def test_widths_must_be_positive_integers(recurrent, name, number):
    check_message(
        lambda: config_with(recurrent, **{name: number}),
        f"{name}: expected a positive integer, got {number!r}",
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"source_vocab_size": 3}, "source_vocab_size: expected above 3, got 3"),
        ({"target_vocab_size": 0}, "target_vocab_size: expected above 3, got 0"),
        ({"score": "cosine"}, "score: expected one of (None, 'additive', 'dot'), got 'cosine'"),
        (
            {"reading": "sideways"},
            "reading: expected one of ('forwards', 'backwards', 'both'), got 'sideways'",
        ),
        ({"cell": "GRU"}, "cell: expected one of ('gru', 'lstm', 'rnn'), got 'GRU'"),
        ({"dropout": 1.0}, "dropout: expected a number from 0 to below 1, got 1.0"),
        ({"dropout": -0.1}, "dropout: expected a number from 0 to below 1, got -0.1"),
    ],
)
def test_settings_must_be_among_those_there_are(recurrent, changed, message):
    check_message(lambda: config_with(recurrent, **changed), message)


# ------------------------------------------------------------------ calling


@pytest.mark.parametrize("name", ["source", "target"])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            [[3, 2]],
            "a torch.int64 tensor of shape (batch, length), got [[3, 2]]",
        ),
        (
            torch.ones(2, 3),
            "a torch.int64 tensor of shape (batch, length), got 'torch.float32 of shape (2, 3)'",
        ),
        (
            torch.ones(3, dtype=torch.long),
            "a torch.int64 tensor of shape (batch, length), got 'torch.int64 of shape (3,)'",
        ),
        (
            torch.ones(2, 0, dtype=torch.long),
            "at least one sequence and one position, got 'torch.int64 of shape (2, 0)'",
        ),
        (
            torch.ones(0, 2, dtype=torch.long),
            "at least one sequence and one position, got 'torch.int64 of shape (0, 2)'",
        ),
        (
            torch.tensor([[3, 2], [0, 0]]),
            "a token at the start of each row, got 'PADDING there'",
        ),
        (
            torch.tensor([[0, 3, 2], [4, 4, 2]]),
            "a token at the start of each row, got 'PADDING there'",
        ),
        (
            torch.tensor([[3, 0, 2], [4, 4, 2]]),
            "PADDING only after the last token of a row, got 'PADDING between'",
        ),
    ],
)
def test_tokens_must_be_a_padded_rectangle(recurrent, name, wrong, message):
    check_message(lambda: call_with(recurrent, **{name: wrong}), f"{name}: expected {message}")


@pytest.mark.parametrize(("name", "last"), [("source", 8), ("target", 9)])
@pytest.mark.parametrize("token", [-1, 10, 99])
def test_tokens_must_be_in_the_vocabulary(recurrent, name, last, token):
    wrong = torch.tensor([[3, token, 2], [4, 2, 0]])
    found = (min(token, 0), max(token, 4))
    check_message(
        lambda: call_with(recurrent, **{name: wrong}),
        f"{name}: expected tokens from 0 to {last}, got {found}",
    )


def test_the_target_has_no_start(recurrent):
    check_message(
        lambda: call_with(recurrent, target=torch.tensor([[1, 4, 2], [1, 2, 0]])),
        "target: expected no START: the model adds it, got 'START'",
    )


def test_there_are_no_weights_without_a_score(recurrent):
    message = "return_weights: expected False for a model without a score, got True"
    check_message(lambda: call_with(recurrent, None, return_weights=True), message)


# --------------------------------------------------------------- everything else


def test_width_for_asks_for_a_width_that_there_is(recurrent):
    fixed, looking_back = config_with(recurrent), config_with(recurrent, score="dot")
    fields = ("d_embedding", "d_encoder", "d_decoder", "d_context", "d_score")
    check_message(
        lambda: recurrent.width_for(10**5, fixed, "dropout"),
        f"field: expected one of {fields}, got 'dropout'",
    )
    for config, field in ((fixed, "d_score"), (looking_back, "d_context")):
        check_message(
            lambda config=config, field=field: recurrent.width_for(10**5, config, field),
            f"field: expected a width that this model has, got {field!r}",
        )
    smallest = recurrent.parameters_of(config_with(recurrent, d_decoder=1))
    check_message(
        lambda: recurrent.width_for(100, fixed),
        f"parameters: expected at least {smallest}, got 100",
    )


@pytest.mark.parametrize(
    "cell",
    [
        nn.GRU(3, 4),
        nn.GRU(3, 4, batch_first=True, bidirectional=True),
        nn.LSTM(3, 4, num_layers=2, batch_first=True),
    ],
)
def test_reach_is_for_one_layer_and_one_direction(recurrent, cell):
    check_message(
        lambda: recurrent.gradient_reach(cell, torch.zeros(1, 2, 3)),
        f"cell: expected one layer, one direction, batch_first=True, got {cell!r}",
    )


def test_a_file_must_hold_a_translator(recurrent, tmp_path):
    path = tmp_path / "model.safetensors"
    check_message(
        lambda: recurrent.load(path),
        f"path: expected an existing .safetensors file, got {str(path)!r}",
    )
    model = recurrent.new_translator(config_with(recurrent), 0)
    training.save_weights(path, model, {"kind": "transformer"})
    check_message(
        lambda: recurrent.load(path),
        f"{path}: expected the weights of a translator, got 'transformer'",
    )
    config = asdict(config_with(recurrent, d_decoder=7))
    training.save_weights(path, model, {"kind": "translator", "config": config})
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: expected torch.float32 of "):
        recurrent.load(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: not a complete "):
        recurrent.load(path)
