"""Small models with drawn weights under the names of BERT's, Llama's and Marian's files."""

from dataclasses import replace

import numpy as np

from attention.pretrained.bert import MINILM
from attention.pretrained.marian_model import SETTINGS

BERT = replace(
    MINILM, source_vocab_size=20, d_model=12, heads=3, d_ff=10, encoder_layers=2, max_length=8
)
LLAMA = {
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.embedding_length": 24,
    "llama.feed_forward_length": 20,
    "llama.attention.head_count": 6,
    "llama.attention.head_count_kv": 2,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "llama.rope.freq_base": 1e5,
    "llama.rope.dimension_count": 4,
}
MARIAN = SETTINGS | {
    "transformer-heads": "2",
    "transformer-dim-ffn": "12",
    "enc-depth": "2",
    "dec-depth": "2",
}


class Drawing:
    """Draw tensors by name, all different, in float32."""

    def __init__(self, seed: int = 0):
        self.rng = np.random.default_rng(seed)
        self.tensors: dict[str, np.ndarray] = {}

    def draw(self, name: str, *shape: int) -> None:
        self.tensors[name] = self.rng.uniform(-0.7, 0.7, shape).astype(np.float32)


def bert_tensors(config=BERT):
    drawn, d = Drawing(), config.d_model
    for name, rows in (
        ("word", config.source_vocab_size),
        ("position", config.max_length),
        ("token_type", config.token_types),
    ):
        drawn.draw(f"embeddings.{name}_embeddings.weight", rows, d)
    norms, sizes = ["embeddings.LayerNorm"], {}
    for number in range(config.encoder_layers):
        here = f"encoder.layer.{number}"
        sizes |= {f"{here}.attention.self.{part}": (d, d) for part in ("query", "key", "value")}
        sizes[f"{here}.attention.output.dense"] = (d, d)
        sizes[f"{here}.intermediate.dense"] = (config.d_ff, d)
        sizes[f"{here}.output.dense"] = (d, config.d_ff)
        norms += [f"{here}.attention.output.LayerNorm", f"{here}.output.LayerNorm"]
    for name, (rows, columns) in sizes.items():
        drawn.draw(f"{name}.weight", rows, columns)
        drawn.draw(f"{name}.bias", rows)
    for name in norms:
        drawn.draw(f"{name}.weight", d)
        drawn.draw(f"{name}.bias", d)
    drawn.draw("pooler.dense.weight", d, d)  # which is not used
    return drawn.tensors


def llama_tensors(metadata=LLAMA, symbols=20, tied=True):
    drawn, d = Drawing(), metadata["llama.embedding_length"]
    d_ff = metadata["llama.feed_forward_length"]
    d_k = d // metadata["llama.attention.head_count"]
    shared = d_k * metadata["llama.attention.head_count_kv"]
    drawn.draw("token_embd.weight", symbols, d)
    drawn.draw("output_norm.weight", d)
    if not tied:
        drawn.draw("output.weight", symbols, d)
    for number in range(metadata["llama.block_count"]):
        here = f"blk.{number}"
        drawn.draw(f"{here}.attn_norm.weight", d)
        drawn.draw(f"{here}.ffn_norm.weight", d)
        for name, rows, columns in (
            *(("attn_q", d, d), ("attn_k", shared, d), ("attn_v", shared, d)),
            *(("attn_output", d, d), ("ffn_gate", d_ff, d), ("ffn_up", d_ff, d)),
            ("ffn_down", d, d_ff),
        ):
            drawn.draw(f"{here}.{name}.weight", rows, columns)
    return drawn.tensors


def marian_tensors(settings=MARIAN, symbols=20, d=8):
    drawn, d_ff = Drawing(), int(settings["transformer-dim-ffn"])
    drawn.draw("Wemb", symbols, d)
    drawn.draw("decoder_ff_logit_out_b", 1, symbols)
    attentions, norms, stacks = [], [], []
    for number in range(1, int(settings["enc-depth"]) + 1):
        attentions.append(f"encoder_l{number}_self")
        stacks.append(f"encoder_l{number}")
    for number in range(1, int(settings["dec-depth"]) + 1):
        attentions.append(f"decoder_l{number}_context")
        stacks.append(f"decoder_l{number}")
        drawn.draw(f"decoder_l{number}_rnn_W", d, d)
        drawn.draw(f"decoder_l{number}_rnn_Wf", d, d)
        drawn.draw(f"decoder_l{number}_rnn_bf", 1, d)
        norms.append(f"decoder_l{number}_rnn_ffn")
    for here in attentions:
        for part in "qkvo":
            drawn.draw(f"{here}_W{part}", d, d)
            drawn.draw(f"{here}_b{part}", 1, d)
        norms.append(f"{here}_Wo")
    for here in stacks:
        for name, shape in (
            *(("W1", (d, d_ff)), ("b1", (1, d_ff)), ("W2", (d_ff, d)), ("b2", (1, d))),
        ):
            drawn.draw(f"{here}_ffn_{name}", *shape)
        norms.append(f"{here}_ffn_ffn")
    for here in norms:
        drawn.draw(f"{here}_ln_scale", 1, d)
        drawn.draw(f"{here}_ln_bias", 1, d)
    return drawn.tensors
