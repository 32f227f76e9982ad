"""What `attention.transformer` says to a wrong call: which argument, what came, what was expected.

Only the copy without enforced shapes is tested here, since that is what a reader calls.
"""

import re
from dataclasses import asdict

import numpy as np
import pytest
import torch

import attention.transformer
from attention import training


@pytest.fixture
def transformer(types_not_checked):
    """`attention.transformer` as a reader meets it."""
    return attention.transformer


def check_message(call, message):
    """Assert that `call` raises a ValueError with just this message."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def config_with(transformer, **changed):
    sizes = {"source_vocab_size": 9, "target_vocab_size": 10, "d_model": 8, "heads": 2, "d_ff": 4}
    return transformer.TransformerConfig(**(sizes | changed))


def call_with(transformer, config=None, **changed):
    """Call a model with some arguments replaced by something wrong."""
    model = transformer.new_transformer(config or config_with(transformer), 0)
    arguments = {
        "source": torch.tensor([[3, 8, 2], [4, 2, 0]]),
        "target": torch.tensor([[9, 2], [2, 0]]),
    }
    return model(**(arguments | changed))


def test_the_call_that_the_errors_start_from_is_right(transformer):
    assert call_with(transformer).shape == (2, 2, 10)


# ------------------------------------------------------------------- making


@pytest.mark.parametrize(
    "name", ["d_model", "heads", "d_ff", "encoder_layers", "decoder_layers", "max_length"]
)
@pytest.mark.parametrize("number", [0, -1, 2.0, "2", None, True])
def test_sizes_must_be_positive_integers(transformer, name, number):
    check_message(
        lambda: config_with(transformer, **{name: number}),
        f"{name}: expected a positive integer, got {number!r}",
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"source_vocab_size": 3}, "source_vocab_size: expected an integer above 3, got 3"),
        ({"source_vocab_size": 9.0}, "source_vocab_size: expected an integer above 3, got 9.0"),
        ({"target_vocab_size": 0}, "target_vocab_size: expected an integer above 3, got 0"),
        (
            {"source_vocab_size": None, "target_vocab_size": None},
            "source_vocab_size and target_vocab_size: expected at least one of them, got None",
        ),
        ({"heads": 3}, "heads: expected a divisor of d_model = 8, got 3"),
        ({"dropout": 1.0}, "dropout: expected a number from 0 to below 1, got 1.0"),
        ({"dropout": 1.5}, "dropout: expected a number from 0 to below 1, got 1.5"),
        ({"dropout": -0.1}, "dropout: expected a number from 0 to below 1, got -0.1"),
        ({"norm": "Pre"}, "norm: expected one of ('pre', 'post'), got 'Pre'"),
        (
            {"position": "rope"},
            "position: expected one of ('sinusoidal', 'learned', 'rotary', 'alibi', 'none'), "
            "got 'rope'",
        ),
        (
            {"activation": "tanh"},
            "activation: expected one of ('relu', 'gelu', 'swiglu'), got 'tanh'",
        ),
        ({"norm_kind": "batch"}, "norm_kind: expected one of ('layer', 'rms'), got 'batch'"),
        ({"norm_kind": ["rms"]}, "norm_kind: expected one of ('layer', 'rms'), got ['rms']"),
        (
            {"position_pairs": "half"},
            "position_pairs: expected one of ('adjacent', 'halves'), got 'half'",
        ),
        ({"norm_eps": 0}, "norm_eps: expected a positive number, got 0"),
        ({"position_base": -1.0}, "position_base: expected a positive number, got -1.0"),
        ({"bias": 1}, "bias: expected True or False, got 1"),
        ({"qk_norm": "rms"}, "qk_norm: expected True or False, got 'rms'"),
        ({"scale_embeddings": 8.0}, "scale_embeddings: expected True or False, got 8.0"),
        ({"embedding_norm": None}, "embedding_norm: expected True or False, got None"),
        ({"logits_bias": 0}, "logits_bias: expected True or False, got 0"),
        ({"tie_logits": "yes"}, "tie_logits: expected True or False, got 'yes'"),
        ({"token_types": -1}, "token_types: expected 0 or more, got -1"),
        ({"token_types": True}, "token_types: expected 0 or more, got True"),
        (
            {"token_types": 2},
            "token_types: expected 0 in a model that writes: only an encoder alone has types of "
            "tokens, got 2",
        ),
        (
            {"position": "rotary", "heads": 8},
            "heads: expected an even d_model / heads for rotary positions, got 8",
        ),
        (
            {"tie_source": True},
            "source_vocab_size: expected target_vocab_size = 10, to be shared, got 9",
        ),
        (
            {"tie_source": True, "source_vocab_size": None},
            "source_vocab_size: expected target_vocab_size = 10, to be shared, got None",
        ),
    ],
)
def test_settings_must_fit(transformer, changed, message):
    check_message(lambda: config_with(transformer, **changed), message)


def test_settings_that_fit_are_welcome(transformer):
    config_with(transformer, source_vocab_size=4, target_vocab_size=4, tie_source=True)
    config_with(transformer, source_vocab_size=None, heads=8)
    config_with(transformer, position="rotary", heads=4, dropout=0.99)


def test_a_source_is_there_or_not(transformer):
    config = config_with(transformer)
    check_message(
        lambda: transformer.LanguageModel(config),
        "source_vocab_size: expected None for a language model, got 9",
    )
    check_message(
        lambda: transformer.TextEncoder(config),
        "target_vocab_size: expected None for an encoder alone, got 10",
    )
    config = config_with(transformer, source_vocab_size=None)
    for model in (transformer.Transformer, transformer.TextEncoder):
        check_message(
            lambda model=model: model(config),
            "source_vocab_size: expected a number of symbols, got None",
        )
    config = config_with(transformer, target_vocab_size=None)
    check_message(
        lambda: transformer.Transformer(config),
        "target_vocab_size: expected a number of symbols, got None",
    )


# ------------------------------------------------------------------ calling


@pytest.mark.parametrize("name", ["source", "target"])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([[3, 2]], "a torch.int64 tensor of shape (batch, length), got [[3, 2]]"),
        (
            torch.ones(2, 3),
            "a torch.int64 tensor of shape (batch, length), got 'torch.float32 of shape (2, 3)'",
        ),
        (
            torch.ones(2, 0, dtype=torch.long),
            "at least one sequence and one position, got 'torch.int64 of shape (2, 0)'",
        ),
        (torch.tensor([[0, 3], [4, 2]]), "a token at the start of each row, got 'PADDING there'"),
        (
            torch.tensor([[3, 0, 2], [4, 4, 2]]),
            "PADDING only after the last token of a row, got 'PADDING between'",
        ),
    ],
)
def test_tokens_must_be_a_padded_rectangle(transformer, name, wrong, message):
    check_message(lambda: call_with(transformer, **{name: wrong}), f"{name}: expected {message}")


@pytest.mark.parametrize(("name", "last"), [("source", 8), ("target", 9)])
@pytest.mark.parametrize("token", [-1, 10, 99])
def test_tokens_must_be_in_the_vocabulary(transformer, name, last, token):
    wrong = torch.tensor([[3, token, 2], [4, 2, 0]])
    found = (min(token, 0), max(token, 4))
    check_message(
        lambda: call_with(transformer, **{name: wrong}),
        f"{name}: expected tokens from 0 to {last}, got {found}",
    )


def test_the_target_has_no_start(transformer):
    check_message(
        lambda: call_with(transformer, target=torch.tensor([[1, 4, 2], [1, 2, 0]])),
        "target: expected no START: the model adds it, got 'START'",
    )


def test_a_language_model_wants_numbers_of_its_vocabulary(transformer):
    model = transformer.new_transformer(config_with(transformer, source_vocab_size=None), 0)
    check_message(
        lambda: model(torch.tensor([[3, 10]])), "tokens: expected tokens from 0 to 9, got (3, 10)"
    )
    check_message(
        lambda: model([3]),
        "tokens: expected a torch.int64 tensor of shape (batch, length), got [3]",
    )
    assert model(torch.tensor([[0, 1, 0, 2, 9]])).shape == (1, 5, 10)


def test_learned_positions_end(transformer):
    config = config_with(transformer, position="learned", max_length=2)
    check_message(
        lambda: call_with(transformer, config),
        "length: expected at most 2 positions, for which there are rows, got 3",
    )
    assert call_with(transformer, config, source=torch.tensor([[3, 2], [2, 0]])).shape == (2, 2, 10)


# -------------------------------------------------------------------- files


def test_a_file_must_hold_a_transformer(transformer, tmp_path):
    path = tmp_path / "model.safetensors"
    check_message(
        lambda: transformer.load(path),
        f"path: expected an existing .safetensors file, got {str(path)!r}",
    )
    model = transformer.new_transformer(config_with(transformer), 0)
    for kind in ("translator", "recurrent"):
        training.save_weights(path, model, {"kind": kind})
        check_message(
            lambda: transformer.load(path),
            f"{path}: expected the weights of a transformer, got {kind!r}",
        )
    config = asdict(config_with(transformer, d_ff=7))
    training.save_weights(path, model, {"kind": "transformer", "config": config})
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: expected torch.float32 of "):
        transformer.load(path)


def test_numbers_may_be_numpys_and_become_pythons_own(transformer, tmp_path):
    numbers = {"d_model": 8, "heads": 2, "d_ff": 3, "encoder_layers": 1, "decoder_layers": 1}
    numbers |= {"source_vocab_size": 9, "target_vocab_size": 10, "max_length": 7}
    numbers |= {"key_value_heads": 1}
    given = {name: np.int64(number) for name, number in numbers.items()}
    config = transformer.TransformerConfig(**given, dropout=np.float32(0.5))
    assert config == transformer.TransformerConfig(**numbers, dropout=0.5)
    assert {type(value) for value in asdict(config).values()} == {int, float, str, bool}
    model = transformer.new_transformer(config, 0)
    transformer.save(tmp_path / "a", model)
    assert transformer.load(tmp_path / "a").config == config
    transformer.save(tmp_path / "b", torch.nn.DataParallel(model))  # also from a wrapper
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# ------------------------------------------------------------------ an encoder alone


def reader_with(transformer, **changed):
    config = config_with(transformer, target_vocab_size=None, max_length=5, **changed)
    return transformer.new_transformer(config, 0)


@pytest.mark.parametrize(
    ("types", "message"),
    [
        (torch.full((2, 3), 2), "expected tokens from 0 to 1, got (2, 2)"),
        (torch.ones(2, 2).long(), "expected a type for each of the tokens, (2, 3), got (2, 2)"),
        (
            torch.ones(2, 3),
            "expected a torch.int64 tensor of shape (batch, length), "
            "got 'torch.float32 of shape (2, 3)'",
        ),
    ],
)
def test_types_must_fit_the_tokens(transformer, types, message):
    model = reader_with(transformer, token_types=2)
    tokens = torch.tensor([[3, 8, 2], [4, 2, 0]])
    assert model(tokens, torch.ones_like(tokens)).shape == (2, 3, 8)
    check_message(lambda: model(tokens, types), f"types: {message}")


def test_there_must_be_types_to_have_one(transformer):
    tokens = torch.tensor([[3, 8, 2]])
    check_message(
        lambda: reader_with(transformer)(tokens, torch.zeros_like(tokens)),
        "types: expected None: the config has no token_types, got 'types'",
    )


def test_what_an_encoder_reads_is_a_padded_rectangle(transformer):
    model = reader_with(transformer, position="learned")
    check_message(
        lambda: model(torch.tensor([[0, 3]])),
        "tokens: expected a token at the start of each row, got 'PADDING there'",
    )
    check_message(
        lambda: model(torch.tensor([[3, 9]])), "tokens: expected tokens from 0 to 8, got (3, 9)"
    )
    check_message(
        lambda: model(torch.tensor([[3, 4, 5, 6, 7, 8]])),
        "length: expected at most 5 positions, for which there are rows, got 6",
    )
