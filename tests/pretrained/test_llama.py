"""Llama in the book's blocks: a plain formula's numbers, small and with SmolLM2's weights."""

import re

import numpy as np
import pytest
import torch
from tests.conftest import load_without_shape_checks
from tests.pretrained import plain_models
from tests.pretrained.small_models import LLAMA, llama_tensors
from tests.pretrained.texts import needs

from attention.interventions import record_weights
from attention.kv_cache import continue_text, read
from attention.pretrained import files, gguf, llama
from attention.pretrained.byte_pairs import BytePairs
from attention.transformer import LanguageModel, parameters_of

TEXT = "She went to the market and bought 12 eggs."


def both(model, tokens):
    """Return the logits and the attention weights of one text."""
    with torch.no_grad(), record_weights(model) as weights:
        logits = model(torch.tensor([tokens]))[0].numpy()
    layers = range(model.config.decoder_layers)
    return logits, np.stack([weights["decoder", number][0].numpy() for number in layers])


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    ("dtype", "most"),
    [(torch.float64, 1e-12), pytest.param(torch.float32, 1e-5, marks=pytest.mark.arithmetic)],
)
def test_a_small_llama_is_the_plain_formula(dtype, most, tied):
    tensors, tokens = llama_tensors(tied=tied), [3, 17, 5, 0, 1, 2]
    model = llama.llama_of(tensors, LLAMA).to(dtype)
    assert isinstance(model, LanguageModel)
    shared = model.to_logits.weight is model.embedding.tokens.weight
    assert shared == tied == model.config.tie_logits
    logits, maps = both(model, tokens)
    their_logits, their_maps = plain_models.llama(tensors, LLAMA, tokens)
    assert np.abs(logits - their_logits).max() <= most * max(1, np.abs(their_logits).max())
    assert np.abs(maps - their_maps).max() <= most


def test_a_small_llama_writes_the_same_with_a_cache():
    model = llama.llama_of(llama_tensors(), LLAMA).double()
    prompt = torch.tensor([[3, 17, 5], [4, 4, 8]])
    text = continue_text(model, prompt, 20)
    assert torch.equal(text, continue_text(model, prompt, 20, cached=False))
    with torch.no_grad():
        _, cache = read(model, text[:, :9])
        logits, _ = read(model, text[:, 9:], cache)
        assert (logits - model(text)[:, 9:]).abs().max() <= 1e-12
    assert cache[0].key.shape == (2, 2, 9, 4)  # two heads are kept, for six


def check_message(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def test_what_is_no_such_llama_is_refused():
    plain, tensors = load_without_shape_checks("pretrained/llama"), llama_tensors()
    for changed, message in (
        (
            {"general.architecture": "gemma3"},
            "tensors: expected a model of the architecture 'llama', got 'gemma3'",
        ),
        (
            {"llama.rope.dimension_count": 2},
            "tensors: expected heads that rotate all 4 columns, got 2",
        ),
        (
            {"llama.attention.head_count_kv": 4},
            "key_value_heads: expected a divisor of heads = 6, got 4",
        ),
        (
            {"llama.feed_forward_length": 21},
            "tensors: expected torch.float32 of shape (21, 24) for the model's "
            "decoder.layers.0.feed_forward.W_1.weight, got torch.float32 of shape (20, 24)",
        ),
    ):
        check_message(lambda changed=changed: plain.llama_of(tensors, LLAMA | changed), message)
    del tensors["blk.1.ffn_up.weight"]
    check_message(
        lambda: plain.llama_of(tensors, LLAMA, "a.gguf"),
        "a.gguf: expected a tensor blk.1.ffn_up.weight, got none of that name",
    )
    short = {name: value for name, value in LLAMA.items() if name != "llama.block_count"}
    check_message(
        lambda: plain.llama_of(tensors, short),
        "tensors: expected a setting llama.block_count, got 'none of that name'",
    )


@needs("smollm2")
@pytest.mark.arithmetic
def test_smollm2_is_the_plain_formula_and_writes_the_same_with_a_cache():
    path = files.path_of("smollm2", "model.gguf")
    tensors, metadata = gguf.read(path)
    tokenizer = BytePairs.from_metadata(metadata)
    model = llama.llama_of(tensors, metadata)
    assert parameters_of(model.config) == 134_515_008
    tokens = tokenizer.encode(TEXT)
    logits, maps = both(model, tokens)
    their_logits, their_maps = plain_models.llama(tensors, metadata, tokens)
    assert np.abs(their_logits).max() > 20
    assert np.abs(logits - their_logits).max() <= 1e-5 * np.abs(their_logits).max()
    assert np.abs(maps - their_maps).max() <= 1e-5
    prompt = torch.tensor([tokenizer.encode("The capital of France is")])
    text = continue_text(model, prompt, 6)
    assert torch.equal(text, continue_text(model, prompt, 6, cached=False))
    assert tokenizer.decode(text[0].tolist()).startswith("The capital of France is Paris.")
