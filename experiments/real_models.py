"""Load real weights into the blocks of the book, and look.

An experiment of the chapter *BERT, GPT, Llama*. Three models that others have trained, whose
files ``make models`` fetches: MiniLM (a BERT), SmolLM2-135M (a Llama) and one of Marian's
small translators from English to Portuguese (an encoder-decoder). It writes

    real_models.csv     one row for each model, measure and place; the value is a number or a
                        text, a mean over so many (`count`)

    .venv/bin/python experiments/real_models.py             everything, some two minutes
    .venv/bin/python experiments/real_models.py smollm2     one model, in the same file

The measures, by name (layers and heads are counted from 0):

    setting         of the model's config
    parameters      numbers that were trained, and the names of their three largest kinds
    tokens          of "She went to the market.", and of a few words, by blanks
    market          weight from a token (query, by number) to another (key) in that sentence, mean
                    over all layers and heads; in Marian the cross-attention of each head, from
                    the step that writes a token
    goes to         how many heads look hardest at a token, from *went*, or where *went* sees
                    nothing but itself and one more, from *market*
    sink            weight on the first token, mean over texts, heads and all queries but the
                    first three, by layer; "even" is what equal weights would give; also the
                    weight on the second token, the token itself, the one before, the last one
    heads           of how many, how many give the first token more than half
    first           the same weight if the texts begin with another token
    value           length of the value vector of the first token over the median of the
                    others, by layer, mean over texts and heads
    stream          the same of the residual stream, before each layer
    added           weight times length of the value: the first token's share of the sum
    cut             loss of the tokens behind the eighth, in nats ("nothing"), and by how much it
                    rises in each text if the queries that predict them may not look at a position;
                    "all": if no query may look at the first
    moved           weight on the second token before and after that last cut
    says            what is written after a question
    pairs           loss of the texts with rotary pairs of the right kind, the wrong one, or none
    writes          what is written with these, after a beginning
    translation     of a sentence
    cache           milliseconds for each token written, with a cache and without it

Computed in float32 on one thread, and not random; times are of this machine.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import torch

import common
from attention import kv_cache
from attention.pretrained import bert, byte_pairs, gguf, llama, translator, wordpiece
from attention.pretrained.files import path_of
from attention.pretrained.marian_model import SHIFT
from attention.tokens import END
from attention.transformer import parameters_of
from shared.first_token import (
    FROM,
    Rows,
    all_heads,
    cut_each,
    look_at_first,
    look_at_lengths,
    look_from,
    loss,
    recorded,
)
from shared.plain_texts import MARKET, QUESTIONS, SENTENCES, TEXTS

OUTPUT = Path(__file__).with_suffix(".csv")
MODELS = ("minilm", "smollm2", "marian")
WORDS = ("unbelievable", "tokenizers", "café", "1234567", "flibbertigibbet")
WRITTEN = 40  # tokens of an answer
FIRST = {
    "as it is": None,
    "a comma": ",",
    "another word": "Blue",
    "end of text": "<|endoftext|>",
    "start of a message": "<|im_start|>",
}
PAIRS = {
    "neighbours": {},
    "halves": {"position_pairs": "halves"},
    "no positions": {"position": "none"},
}
DRAWN = 20  # tokens, by lot, that stand first one after the other
BEGINNINGS = ("The bakery on our street", "In the morning", "A bicycle is")


# ------------------------------------------------------------------------------- the models


@cache
def smollm2() -> tuple[torch.nn.Module, byte_pairs.BytePairs]:
    """Read the Llama and what cuts its texts, once."""
    metadata = gguf.read_metadata(path_of("smollm2", "model.gguf"))
    return llama.smollm2(), byte_pairs.BytePairs.from_metadata(metadata)


@cache
def minilm() -> tuple[torch.nn.Module, wordpiece.WordPiece]:
    """Read the BERT and what cuts its texts, once."""
    return bert.minilm(), wordpiece.WordPiece.from_file(path_of("minilm", "vocab.txt"))


@cache
def marian() -> translator.Marian:
    """Read the translator, once."""
    return translator.english_to_portuguese()


def about(rows: Rows, config: object, cut: Callable[[str], list[str]]) -> None:
    """Note a model's settings, its size, and how it cuts words."""
    for name, value in asdict(config).items():
        rows.add("setting", name, str(value))
    rows.add("parameters", "all", parameters_of(config))
    rows.add("tokens", MARKET, " ".join(cut(MARKET)))
    for word in WORDS:
        rows.add("tokens", word, " ".join(cut(word)))


# ------------------------------------------------------------------------------- the writing


def prompt(tokenizer: byte_pairs.BytePairs, question: str) -> list[int]:
    """Put a question into the form that the model was trained on."""
    return tokenizer.encode(
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
        f"Face<|im_end|>\n<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n",
        with_control=True,
    )


def answer(question: str) -> str:
    """Let SmolLM2 answer, the likeliest token at each step."""
    model, tokenizer = smollm2()
    asked = prompt(tokenizer, question)
    written = kv_cache.continue_text(model, torch.tensor([asked]), WRITTEN)[0].tolist()
    end = tokenizer.encode("<|im_end|>", with_control=True)[0]
    said = written[len(asked) :]
    return tokenizer.decode(said[: said.index(end)] if end in said else said)


def times(rows: Rows, turns: int = 3, count: int = 24) -> None:
    """Time writing with a cache and without one, in turns, behind a text."""
    model, tokenizer = smollm2()
    text = torch.tensor([tokenizer.encode(TEXTS[0])])
    found: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(turns):
        for cached, all_times in found.items():
            started = time.process_time()
            kv_cache.continue_text(model, text, count, cached=cached)
            all_times.append(1000 * (time.process_time() - started) / count)
    rows.add("cache", "with", statistics.median(found[True]), turns)
    rows.add("cache", "without", statistics.median(found[False]), turns)


# ------------------------------------------------------------------------------- each model


def measure_minilm(texts: tuple[str, ...]) -> Rows:
    """Measure everything of the BERT."""
    model, tokenizer = minilm()
    rows = Rows("minilm")
    about(rows, model.config, tokenizer.cut)
    market = tokenizer.encode_sentence(MARKET)
    pieces = [tokenizer.pieces[token] for token in market]
    weights = all_heads(recorded(model, torch.tensor([market])), "encoder")
    look_from(rows, weights, pieces.index("went"), pieces)
    shown = [tokenizer.encode_sentence(text) for text in texts]
    look_at_first(rows, model, "encoder", shown)
    look_at_lengths(rows, model, "encoder", model.encoder.layers, shown)
    return rows


def measure_smollm2(texts: tuple[str, ...]) -> Rows:
    """Measure everything of the Llama."""
    model, tokenizer = smollm2()
    rows = Rows("smollm2")
    about(rows, model.config, tokenizer.cut)
    market, pieces = tokenizer.encode(MARKET), tokenizer.cut(MARKET)
    weights = all_heads(recorded(model, torch.tensor([market])), "decoder")
    look_from(rows, weights, pieces.index("Ġmarket"), pieces)
    shown = [tokenizer.encode(text) for text in texts]
    look_at_first(rows, model, "decoder", shown)
    look_at_lengths(rows, model, "decoder", model.decoder.layers, shown)
    for name, first in FIRST.items():
        begun = shown
        if first is not None:
            token = tokenizer.encode(first, with_control=True)[:1]
            begun = [token + text[1:] for text in shown]
        shares = [
            all_heads(recorded(model, torch.tensor([text])), "decoder")[:, :, FROM:, 0].mean()
            for text in begun
        ]
        rows.add("first", name, torch.stack(shares).mean().item(), len(texts))
    draw = torch.Generator().manual_seed(0)
    for number, token in enumerate(
        torch.randint(17, len(tokenizer.pieces), (DRAWN,), generator=draw).tolist()
    ):
        begun = [token, *shown[number % len(shown)][1:]]
        weights = all_heads(recorded(model, torch.tensor([begun])), "decoder")
        rows.add("first", f"drawn {number}", weights[:, :, FROM:, 0].mean().item())
    cut_each(rows, model, shown)
    for question in QUESTIONS:
        rows.add("says", question, answer(question))
    times(rows)
    for name, setting in PAIRS.items():
        one = type(model)(replace(model.config, **setting))
        one.load_state_dict(model.state_dict())
        rows.add("pairs", name, statistics.mean(loss(one, text) for text in shown), len(texts))
        for beginning in BEGINNINGS:
            begun = torch.tensor([tokenizer.encode(beginning)])
            written = kv_cache.continue_text(one, begun, WRITTEN // 2)[0].tolist()
            rows.add("writes", f"{name}: {beginning}", tokenizer.decode(written))
    return rows


def measure_marian(sentences: tuple[str, ...]) -> Rows:
    """Measure everything of the translator."""
    translates = marian()
    rows = Rows("marian")
    pieces = translates.tokenizer.pieces

    def cut(text: str) -> list[str]:
        return [pieces[number] for number in translates.tokenizer.encode(text)]

    about(rows, translates.model.config, cut)
    for sentence, translation in zip(sentences, translates.translate(sentences), strict=True):
        rows.add("translation", sentence, translation)
    source = [*translates.encode(MARKET), END]
    target = [*translates.encode(translates.translate([MARKET])[0]), END]
    weights = all_heads(
        recorded(translates.model, torch.tensor([source]), torch.tensor([target])), "cross"
    )
    for step, written in enumerate(target):
        for layer, heads in enumerate(weights):
            for head, each in enumerate(heads[:, step].tolist()):
                for key, weight in enumerate(each):
                    rows.add("market", f"{layer}.{head} {step} {key}", weight)
        rows.add("tokens", f"target {step}", pieces[max(written - SHIFT, 0)])
    return rows


@common.threads(1)
def measure(model: str, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Measure everything of one model."""
    some = 1 if asked.quick else None
    if model == "marian":
        return list(measure_marian(SENTENCES[:some]))
    return list({"minilm": measure_minilm, "smollm2": measure_smollm2}[model](TEXTS[:some]))


def main(argv: list[str] | None = None) -> None:
    """Measure the models that were asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, MODELS, argv=argv)
    jobs = [(model,) for model in asked.arms]
    common.run(measure, jobs, asked, [OUTPUT], ("model",), [(model,) for model in MODELS])


if __name__ == "__main__":
    main()
