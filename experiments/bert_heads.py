"""Look through all 72 heads of MiniLM, with its own weights and with those of the page.

An experiment of the chapter *BERT, GPT, Llama*. It writes

    bert_heads.csv        one row for each measure and place; the value is a number or a text,
                          over so many (`count`)
    bert_heads_maps.json  the weights of all heads in the sentences that the chapter shows

    .venv/bin/python experiments/bert_heads.py       some seconds; needs `make models`

The measures, by name. "shown" are the sentences of the chapter, "texts" six texts of 60 to 80
tokens; a difference is one of attention weights, between 0 and 1.

    file             of the small weights: its bytes, its SHA-256, how many numbers it holds
    largest          difference to torch with MiniLM's own weights, among all edges of all heads:
                     of NumPy with the same weights ("32 bits"), with those of the page
                     ("8 bits"), and with weights rounded to four bits in the same way
    mean             of the same differences
    same key         share of the queries, in all heads, whose largest weight is on the same key

Computed in float32 on one thread, and not random. The file is the same on any processor.
"""

import json
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

import common
from attention.pretrained import bert, small_minilm, small_weights
from attention.pretrained.numpy_bert import NumpyBert
from shared.first_token import Rows, all_heads, recorded
from shared.logs import write
from shared.plain_texts import CAT, MARKET, TEXTS

OUTPUT = Path(__file__).with_suffix(".csv")
MAPS = OUTPUT.with_name("bert_heads_maps.json")
SHOWN = (MARKET, CAT, "The girl bought the cake because she was hungry.")
STORED = 1000  # a weight is stored in thousandths
FOUR_BITS = 7  # the largest whole number of four bits


@cache
def models() -> dict[str, NumpyBert]:
    """Make MiniLM in NumPy, from weights in 32, 8 and 4 bits."""
    tensors, pieces = small_minilm.tensors_and_pieces()
    four = small_weights.made_small(tensors, most=FOUR_BITS)
    return {
        "32 bits": NumpyBert(tensors, pieces, small_minilm.HEADS),
        "8 bits": NumpyBert(small_weights.made_small(tensors), pieces, small_minilm.HEADS),
        "4 bits": NumpyBert(four, pieces, small_minilm.HEADS),
    }


def by_torch(model: torch.nn.Module, tokens: list[int]) -> np.ndarray:
    """Return the weights (layers, heads, queries, keys) in the blocks of the book."""
    return all_heads(recorded(model, torch.tensor([tokens])), "encoder").numpy()


def measure_file(rows: Rows) -> None:
    """Write the file of the page, and note what it is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.safetensors"
        small_minilm.write_small_minilm(path)
        content = path.read_bytes()
        small, _ = small_weights.read(path)
    rows.add("file", "bytes", len(content))
    rows.add("file", "sha256", sha256(content).hexdigest())
    counts = (one.numbers.size if hasattr(one, "numbers") else one.size for one in small.values())
    rows.add("file", "numbers", sum(counts))


def measure_differences(rows: Rows, name: str, texts: tuple[str, ...]) -> None:
    """Compare the weights of attention, by the bits of the model's own weights."""
    full = bert.minilm()
    for bits, model in models().items():
        tokens = [model.tokenizer.encode_sentence(text) for text in texts]
        pairs = [(model.encode(one)[1], by_torch(full, one)) for one in tokens]
        apart = np.concatenate([np.abs(ours - theirs).ravel() for ours, theirs in pairs])
        same = np.concatenate(
            [(ours.argmax(-1) == theirs.argmax(-1)).ravel() for ours, theirs in pairs]
        )
        rows.add("largest", f"{bits}, {name}", float(apart.max()), apart.size)
        rows.add("mean", f"{bits}, {name}", float(apart.mean(dtype=float)), apart.size)
        rows.add("same key", f"{bits}, {name}", float(same.mean()), same.size)


def maps_of(texts: tuple[str, ...]) -> list[dict]:
    """Return the pieces of each text and the weights of all heads, in thousandths."""
    full, tokenizer = bert.minilm(), models()["32 bits"].tokenizer
    found = []
    for text in texts:
        tokens = tokenizer.encode_sentence(text)
        weights = np.rint(STORED * by_torch(full, tokens).astype(float)).astype(int)
        pieces = [tokenizer.pieces[token] for token in tokens]
        found.append({"text": text, "pieces": pieces, "weights": weights.tolist()})
    return found


@common.threads(1)
def measure(model: str, asked: common.Asked = common.PLAIN) -> dict:
    """Measure everything."""
    rows = Rows(model)
    measure_file(rows)
    measure_differences(rows, "shown", SHOWN)
    measure_differences(rows, "texts", TEXTS[:1] if asked.quick else TEXTS)
    return {"rows": list(rows), "maps": maps_of(SHOWN)}


def main(argv: list[str] | None = None) -> None:
    """Measure, and write the log and the maps."""
    asked = common.arguments(__file__, __doc__, (), argv=argv)
    job = (small_minilm.MODEL,)
    found = common.run(
        measure, [job], asked, [OUTPUT], ("model",), tables=lambda one: [one["rows"]]
    )
    sentences = [json.dumps(one, separators=(",", ":")) for one in found[job]["maps"]]
    write(asked.path(MAPS), "[\n" + ",\n".join(sentences) + "\n]\n")


if __name__ == "__main__":
    main()
