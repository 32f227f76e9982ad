"""Train small language models with and without what is said to make a sink unnecessary.

An experiment of the chapter *BERT, GPT, Llama*. Real models lay much of their attention on the
first token of a text. Here a small Llama reads the texts "english = french" of `ladder.py`.
The arms differ in what stands before the text, and in the attention:

    bare               the text begins with its first word
    start              one token, always the same, stands before it
    four registers     four tokens stand before it, always the same ones (Xiao et al. 2024
                       keep four; Darcet et al. 2024 call such tokens registers)
    zero in the sum    "bare", and each softmax has one more score, which is always 0 and has no
                       value: a head can look at nothing (Miller 2023)
    learned sink       the same, and the score is learned, one for each head (OpenAI 2025)
    gate               "bare", and what the heads bring is multiplied by a gate, made of the
                       row that asks (Qiu et al. 2025)

All arms have the same loss: of each token behind the first word. They have the same batches,
updates and rate, chosen beforehand for none of them, and as many parameters, within 1 %.
It writes sinks.csv, a row for each arm, seed and measure:

    loss              of held-out texts, in nats a token
    first word        weight on the text's first word; mean over layers, heads and the
                      queries from the text's fourth token on
    before            weight on all that stands before the text
    nothing           weight that a row lacks to 1
    even              weight of the first word if all keys had the same
    largest           the largest mean weight on the first word, or before it, of any head
    stream            the length of the stream at the first position, divided by the median of
                      the others; the largest of all layers
    without first     rise of the loss of tokens from the text's tenth on, if their queries may
                      not attend to the first word, or to anything before it
    without third     the same, if they may not attend to the third word: a control

    .venv/bin/python experiments/sinks.py          half an hour of processor time

Counted in updates, in float32 on one thread: the same command gives the same numbers on the
same kind of processor.
"""

import statistics
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import common
from attention import interventions
from attention.tokens import PADDING, START
from attention.training import Recipe, TrainingRun, evaluating, make_batch
from attention.transformer import LanguageModel, TransformerConfig, new_transformer, parameters_of
from shared import one_text
from shared.equal_parameters import with_parameters
from shared.ready_batches import ReadyBatches
from shared.sink_remedies import remedied

OUTPUT = Path(__file__).with_suffix(".csv")
REGISTERS = 4  # the last symbols of the vocabulary
SYMBOLS = one_text.SYMBOLS + REGISTERS
BEFORE = {
    "start": (START,),
    "four registers": tuple(range(one_text.SYMBOLS, SYMBOLS)),
}
ARMS = ("bare", "start", "four registers", "zero in the sum", "learned sink", "gate")
SEEDS = (0, 1, 2)
CONFIG = TransformerConfig(
    source_vocab_size=None,
    target_vocab_size=SYMBOLS,
    d_model=64,
    heads=4,
    d_ff=196,
    decoder_layers=3,
    norm_kind="rms",
    activation="swiglu",
    position="rotary",
    key_value_heads=2,
    bias=False,
)
RECIPE = Recipe(0.003, schedule="inverse root", warm_up=200, clip=1.0)
UPDATES, BATCH, PAIRS = 2000, 32, 30_000
TEXTS = 300
FROM, LATE, CONTROL = 3, 9, 2  # positions in the text


def remedy_of(arm: str) -> str:
    """Say which remedy an arm's attention has."""
    return "none" if arm == "bare" or arm in BEFORE else arm


@cache
def config_of(arm: str) -> TransformerConfig:
    """Make an arm's config: the feed-forward layers make up for the gate's matrices."""
    gate = CONFIG.decoder_layers * CONFIG.d_model**2 if arm == "gate" else 0
    return with_parameters(CONFIG, parameters_of(CONFIG) - gate)


def new_model(arm: str, seed: int) -> LanguageModel:
    """Make an arm's model."""
    return remedied(new_transformer(config_of(arm), seed), remedy_of(arm), seed)


def read(arm: str, text: Tensor) -> Tensor:
    """Say what a model reads: what stands before the texts, and the texts but for the last."""
    before = torch.tensor(BEFORE.get(arm, ()), dtype=text.dtype).expand(len(text), -1)
    return torch.cat([before, text[:, :-1]], 1)


def losses(model: nn.Module, arm: str, text: Tensor) -> Tensor:
    """Compute the loss of each token behind the first word; 0 at padding."""
    logits = model(read(arm, text))[:, len(BEFORE.get(arm, ())) :]
    return F.cross_entropy(logits.mT, text[:, 1:], ignore_index=PADDING, reduction="none")


def mean_loss(model: nn.Module, arm: str, text: Tensor, start: int = 1) -> Tensor:
    """Average the loss of the texts' tokens from a position on."""
    real = text[:, start:] != PADDING
    return losses(model, arm, text)[:, start - 1 :].sum() / real.sum()


# ------------------------------------------------------------------------------- measuring


def measured(model: LanguageModel, arm: str, text: Tensor) -> dict[str, float]:
    """Measure a model on held-out texts, (texts, length)."""
    lead = len(BEFORE.get(arm, ()))
    with (
        torch.no_grad(),
        evaluating(model),
        interventions.record_weights(model) as weights,
        interventions.record_streams(model) as streams,
    ):
        loss = mean_loss(model, arm, text).item()
    layers = torch.stack([weights["decoder", n] for n in range(CONFIG.decoder_layers)])
    # (layers, texts, heads, queries, keys), of the queries whose own token is a text's
    real = (text[:, FROM:-1] != PADDING)[None, :, None]  # (1, texts, 1, queries)
    rows = layers[..., lead + FROM :, :]
    count = real.sum() * layers.shape[0] * layers.shape[2]

    def mean(of: Tensor) -> float:  # (layers, texts, heads, queries)
        return ((of * real).sum() / count).item()

    first = rows[..., : lead + 1].sum(-1)
    by_head = (first * real).sum((1, 3)) / real.sum()  # (layers, heads)
    keys = lead + 1 + torch.arange(FROM, text.shape[1] - 1)
    stream = max(
        over_others(streams["decoder", n], text[:, :-1], lead)
        for n in range(1, CONFIG.decoder_layers + 1)
    )
    return {
        "loss": loss,
        "first word": mean(rows[..., lead]),
        "before": mean(rows[..., :lead].sum(-1)),
        "nothing": mean(1 - rows.sum(-1)),
        "even": mean((1 / keys).expand_as(first)),
        "largest": by_head.max().item(),
        "stream": stream,
        "without first": rise(model, arm, text, range(lead + 1)),
        "without third": rise(model, arm, text, (lead + CONTROL,)),
    }


def over_others(stream: Tensor, text: Tensor, lead: int) -> float:
    """Divide the length of the first position's stream by the median of the text's others."""
    lengths = stream.norm(dim=-1)  # (texts, positions)
    others = lengths[:, lead + 1 :][text[:, 1:] != PADDING]
    return (lengths[:, 0].mean() / others.median()).item()


def rise(model: LanguageModel, arm: str, text: Tensor, keys: range | tuple[int, ...]) -> float:
    """Forbid some keys to all late queries, and say by how much the loss of late tokens rises."""
    lead = len(BEFORE.get(arm, ()))
    size = lead + text.shape[1] - 1
    edges = torch.zeros(size, size, dtype=torch.bool)
    edges[lead + LATE - 1 :, list(keys)] = True
    with torch.no_grad(), evaluating(model):
        whole = mean_loss(model, arm, text, LATE)
        with interventions.knock_out(model, "decoder", edges):
            return (mean_loss(model, arm, text, LATE) - whole).item()


@common.threads(1)
def measure(arm: str, seed: int, asked: common.Asked = common.PLAIN) -> list[dict]:
    """Train one model; return its rows."""
    pairs = one_text.with_texts(one_text.pairs("train", 300 if asked.quick else PAIRS))
    model = new_model(arm, seed)

    def loss(model: nn.Module, batch, _: Recipe) -> Tensor:
        return mean_loss(model, arm, batch.target)

    run = TrainingRun(model, ReadyBatches(pairs, BATCH, seed), RECIPE, loss)
    texts = one_text.with_texts(one_text.pairs("test", 8 if asked.quick else TEXTS))
    held_out = make_batch(texts).target
    stop = 3 if asked.quick else UPDATES
    (found,) = common.stops(
        run, (stop,), lambda: measured(run.model, arm, held_out), asked.keep(arm, seed)
    )
    about = {"arm": arm, "seed": seed, "updates": stop}
    about |= {"parameters": sum(p.numel() for p in model.parameters())}
    return [about | {"measure": name, "value": f"{value:.5g}"} for name, value in found.items()]


# ------------------------------------------------------------------------- reading the log


def found_in(rows: list[dict[str, str]], name: str) -> dict[str, list[float]]:
    """Give a measure of each arm, a number for each seed."""
    return {
        arm: [float(r["value"]) for r in rows if (r["arm"], r["measure"]) == (arm, name)]
        for arm in ARMS
    }


def spread(values: list[float]) -> tuple[float, float, float]:
    """Give the mean, the lowest and the highest."""
    return statistics.mean(values), min(values), max(values)


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, ARMS, SEEDS, argv)
    order = [(arm, seed) for arm in ARMS for seed in SEEDS]
    jobs = [job for job in order if job[0] in asked.arms and job[1] in asked.seeds]
    common.run(measure, jobs, asked, [OUTPUT], ("arm", "seed"), order)


if __name__ == "__main__":
    main()
