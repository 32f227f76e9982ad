"""BERT in the book's blocks: a plain formula's numbers, small and with the weights of MiniLM."""

import re

import numpy as np
import pytest
import torch
from tests.conftest import load_without_shape_checks
from tests.pretrained import plain_models
from tests.pretrained.small_models import BERT, bert_tensors
from tests.pretrained.texts import needs

from attention.interventions import record_streams, record_weights
from attention.pretrained import bert, files, safetensors
from attention.pretrained.wordpiece import WordPiece
from attention.transformer import TextEncoder, load, parameters_of, save

SENTENCES = ["She went to the market.", "The cat sat on the mat because it was tired."]


def both(model, tokens):
    """Return the hidden states and the attention weights of one text."""
    with torch.no_grad(), record_weights(model) as weights, record_streams(model) as streams:
        model(torch.tensor([tokens]))
    layers = range(model.config.encoder_layers)
    states = [streams["encoder", number][0].numpy() for number in range(len(layers) + 1)]
    return states, [weights["encoder", number][0].numpy() for number in layers]


def apart(ours, theirs):
    assert len(ours) == len(theirs)
    return max(np.abs(one - other).max() for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(
    ("dtype", "most"),
    [(torch.float64, 1e-12), pytest.param(torch.float32, 1e-5, marks=pytest.mark.arithmetic)],
)
def test_a_small_bert_is_the_plain_formula(dtype, most):
    tensors, tokens = bert_tensors(), [3, 17, 5, 9, 4]
    model = bert.bert_of(tensors, BERT).to(dtype)
    assert isinstance(model, TextEncoder)
    assert not model.training
    states, maps = both(model, tokens)
    their_states, their_maps = plain_models.bert(tensors, tokens, 2, 3, BERT.norm_eps)
    assert apart(states, their_states) <= most
    assert apart(maps, their_maps) <= most


def test_what_was_read_can_be_saved_and_trained(tmp_path):
    model, tokens = bert.bert_of(bert_tensors(), BERT), torch.tensor([[3, 17, 5]])
    save(tmp_path / "bert.safetensors", model)
    again = load(tmp_path / "bert.safetensors")
    assert torch.equal(again.eval()(tokens), model(tokens))
    model(tokens).square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_tensors_stay_as_they_are():
    tensors = bert_tensors()
    before = {name: tensor.copy() for name, tensor in tensors.items()}
    read_only = {name: tensor.copy() for name, tensor in tensors.items()}
    for tensor in read_only.values():
        tensor.flags.writeable = False
    model = bert.bert_of(read_only, BERT)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert all(np.array_equal(read_only[name], before[name]) for name in before)


def check_message(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def test_wrong_tensors_are_named():
    plain = load_without_shape_checks("pretrained/bert")
    tensors = bert_tensors()
    name = "encoder.layer.1.output.dense.bias"
    check_message(
        lambda: plain.bert_of({key: tensors[key] for key in tensors.keys() - {name}}, BERT),
        f"tensors: expected a tensor {name}, got none of that name",
    )
    check_message(
        lambda: plain.bert_of(tensors | {name: np.ones(3, np.float32)}, BERT, "a.safetensors"),
        "a.safetensors: expected torch.float32 of shape (12,) for the model's "
        "encoder.layers.1.feed_forward.W_2.bias, got torch.float32 of shape (3,)",
    )
    check_message(
        lambda: plain.bert_of(tensors | {name: np.ones(12)}, BERT),
        "tensors: expected torch.float32 of shape (12,) for the model's "
        "encoder.layers.1.feed_forward.W_2.bias, got torch.float64 of shape (12,)",
    )


def test_the_settings_of_minilm():
    assert parameters_of(bert.MINILM) == 22_565_376  # 22.7 million with the pooler


@needs("minilm")
@pytest.mark.arithmetic
def test_minilm_is_the_plain_formula():
    tensors, _ = safetensors.read(files.path_of("minilm", "model.safetensors"))
    tokenizer = WordPiece.from_file(files.path_of("minilm", "vocab.txt"))
    model = bert.minilm()
    for text in SENTENCES:
        tokens = tokenizer.encode_sentence(text)
        states, maps = both(model, tokens)
        their_states, their_maps = plain_models.bert(tensors, tokens, 6, 12, 1e-12)
        assert apart(states, their_states) <= 1e-5
        assert apart(maps, their_maps) <= 1e-5
    states, maps = both(model.double(), tokens)
    assert apart(states, their_states) <= 1e-12
    assert apart(maps, their_maps) <= 1e-12


@needs("minilm")
@pytest.mark.arithmetic
def test_minilm_does_not_notice_padding():
    tokenizer = WordPiece.from_file(files.path_of("minilm", "vocab.txt"))
    short, long = (torch.tensor([tokenizer.encode_sentence(text)]) for text in SENTENCES)
    model, batch = bert.minilm(), torch.zeros(2, long.shape[1], dtype=torch.long)
    batch[0, : short.shape[1]], batch[1] = short[0], long[0]
    with torch.no_grad():
        together = model(batch)
        assert (together[0, : short.shape[1]] - model(short)[0]).abs().max() <= 1e-5
        assert (together[1] - model(long)[0]).abs().max() <= 1e-5
