"""Our models against those of other libraries, which `tools/reference.py` installs aside.

They are slow: the libraries are large, and so are the models. What they compare is compared
with plain formulas in the tests beside them, which `make test` runs.
"""

import subprocess

import pytest
import reference
import torch
from tests.pretrained.small_models import BERT, LLAMA, bert_tensors, llama_tensors
from tests.pretrained.texts import needs

from attention.pretrained import bert, llama, translator
from attention.transformer import TransformerConfig, new_transformer

# Installs 275 MB of another library.
pytestmark = [pytest.mark.slow, pytest.mark.arithmetic]
MOST = {"float32": 1e-5, "float64": 1e-12}


@pytest.fixture(autouse=True, scope="module")
def installed():
    """Skip, with the reason, where there is no package index."""
    try:
        reference.install(reference.TRANSFORMERS)
        reference.install(reference.ENGINE, "--no-deps")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"pip could not install what to compare with: {error}")


def check(rows):
    """Each difference, as a share of the largest number if that is above 1."""
    rows = list(rows)
    for what, dtype, difference, largest in rows:
        assert difference <= MOST[dtype] * max(1, largest), (what, dtype, difference, largest)
    return {(what, dtype) for what, dtype, *_ in rows}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_small_bert_is_theirs(dtype):
    tensors = bert_tensors()
    ours = bert.bert_of(tensors, BERT).to(dtype)
    tokens = torch.tensor([[3, 17, 5, 9], [4, 6, 0, 0]])
    assert check(reference.bert_rows(ours, reference.their_bert(tensors, BERT, dtype), tokens))


@pytest.mark.parametrize("tied", [True, False])
def test_a_small_llama_is_theirs(tied):
    ours = llama.llama_of(llama_tensors(tied=tied), LLAMA)
    tokens = torch.tensor([[3, 17, 5, 0, 1, 2, 19]])
    check(reference.llama_rows(ours, reference.their_llama(ours, torch.float32), tokens))
    theirs = reference.all_in_float64(reference.their_llama(ours, torch.float64, "sdpa"))
    check(reference.llama_rows(ours.double(), theirs, tokens))


def test_ours_in_halves_is_theirs_without_another_order():
    config = TransformerConfig(
        source_vocab_size=None,
        target_vocab_size=20,
        d_model=24,
        heads=6,
        key_value_heads=3,
        d_ff=20,
        position="rotary",
        position_pairs="halves",
        activation="swiglu",
        norm_kind="rms",
        bias=False,
        scale_embeddings=False,
    )
    ours = new_transformer(config, 0).eval()
    theirs = reference.all_in_float64(reference.their_llama(ours, torch.float64, "sdpa"))
    same = theirs.model.layers[0].self_attn.q_proj.weight.float()
    assert torch.equal(same, ours.decoder.layers[0].self_attention.W_Q.weight)
    check(reference.llama_rows(ours.double(), theirs, torch.tensor([[3, 17, 5, 0, 1]])))


@needs("minilm")
def test_minilm_is_theirs():
    kinds = ("hidden states", "attention weights")
    expected = {(kind, dtype) for kind in kinds for dtype in MOST}
    assert check(reference.minilm_rows()) == expected


@needs("smollm2")
def test_smollm2_is_theirs():
    rows = list(reference.smollm2_rows())
    written = [row for row in rows if "tokens" in row[0]]
    assert [different for _, _, different, _ in written] == [0, 0]
    assert len(check(row for row in rows if row not in written)) == 5


@needs("smollm2")
def test_smollm2_writes_what_theirs_writes():
    ours = llama.smollm2()
    theirs = reference.their_llama(ours, torch.float32, "sdpa")
    prompt = torch.tensor([reference.smollm2_tokenizer().encode(reference.PROMPT)])
    text = reference.continue_text(ours, prompt, 40)
    assert torch.equal(text, reference.their_text(theirs, prompt, 40))


@needs("marian")
def test_translations_are_the_engines():
    """All 210 are the same, and 209 with the shortlist as Marian's own program reads it."""
    sentences, rust = reference.english_sentences(), reference.engine()
    assert len(sentences) >= 180
    theirs = [rust.translate(sentence) for sentence in sentences]
    ours = translator.english_to_portuguese()
    same = [
        sum(map(str.__eq__, one.translate(sentences), theirs))
        for one in (reference.as_the_engine(ours), ours)
    ]
    # The engine rounds what goes into a matrix to eight bits, so a near tie may differ.
    assert min(same[0], same[1] + 3) >= len(sentences) - 2
