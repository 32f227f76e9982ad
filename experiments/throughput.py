"""Is our transformer as fast as torch's? Training steps of both, side by side.

The check of chapter 9. Ours and ``torch.nn.Transformer`` get the same size, the same
parameters, embeddings and logits, and the same batches, and take turns: a few training
steps (loss, gradient, Adam) of one, then of the other. Before that they must give the
same loss and the same gradient. It writes throughput.csv, one row for each shape and
dropout: target tokens per second of both, medians over 5 turns, and ours over theirs.

    .venv/bin/python experiments/throughput.py           three minutes on two idle cores
    .venv/bin/python experiments/throughput.py --quick   a small try on one thread, in
                                                         processor time, for a busy machine

Torch gets what makes it fast: ``need_weights=False`` is what its layers ask for by
themselves, the hint ``tgt_is_causal``, and as few masks as ours. On two threads; the
times differ between machines, and the ratio less so.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

import common
from attention.layers import LayerNorm, MultiHeadAttention
from attention.training import END, START, token_loss, update
from attention.transformer import Residual, Transformer, TransformerConfig, new_transformer

OUTPUT = Path(__file__).with_suffix(".csv")
SHAPES = {"short": (64, 16), "long": (8, 128)}  # batch, and length of source and target
SYMBOLS = 400
TURNS, STEPS = 5, 20


class TorchTransformer(nn.Module):
    """``nn.Transformer`` in the place of our encoder and decoder, with their parameters."""

    def __init__(self, ours: Transformer):
        super().__init__()
        config = ours.config
        self.source_embedding, self.target_embedding = ours.source_embedding, ours.target_embedding
        self.to_logits = ours.to_logits
        self.transformer = nn.Transformer(
            config.d_model,
            config.heads,
            config.encoder_layers,
            config.decoder_layers,
            config.d_ff,
            config.dropout,
            config.activation,
            batch_first=True,
            norm_first=config.norm == "pre",
        )
        for name in ("encoder", "decoder"):
            theirs, stack = getattr(self.transformer, name), getattr(ours, name)
            theirs.norm = copied_norm(stack.norm)
            for their_layer, layer in zip(theirs.layers, stack.layers, strict=True):
                copy_layer(their_layer, layer)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return logits as ours does."""
        padding = source == 0  # (batch, source_length); there True means "may not attend"
        length = target.shape[1]
        before = torch.cat([torch.full_like(target[:, :1], START), target[:, :-1]], 1)
        x = self.transformer(
            self.source_embedding(source),
            self.target_embedding(before),
            tgt_mask=torch.ones(length, length, dtype=torch.bool).triu(1),
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
            tgt_is_causal=True,
        )
        return self.to_logits(x)


@torch.no_grad()
def copy_layer(theirs: nn.Module, ours: nn.Module) -> None:
    """Copy the parameters of an encoder or decoder layer, sublayer by sublayer."""
    attentions = [m for m in ours.children() if isinstance(m, MultiHeadAttention)]
    their_attentions = [m for m in theirs.children() if isinstance(m, nn.MultiheadAttention)]
    for their, our in zip(their_attentions, attentions, strict=True):
        projections = [our.W_Q, our.W_K, our.W_V]
        their.in_proj_weight.copy_(torch.cat([p.weight for p in projections]))
        their.in_proj_bias.copy_(torch.cat([p.bias for p in projections]))
        their.out_proj.load_state_dict(our.W_O.state_dict())
    theirs.linear1.load_state_dict(ours.feed_forward.W_1.state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward.W_2.state_dict())
    norms = [m.norm for m in ours.children() if isinstance(m, Residual)]
    for number, norm in enumerate(norms, start=1):
        setattr(theirs, f"norm{number}", copied_norm(norm))


def copied_norm(ours: nn.Module) -> nn.Module | None:
    """Make torch's norm with the parameters of ours; None for none."""
    if not isinstance(ours, LayerNorm):
        return None
    theirs = nn.LayerNorm(len(ours.gain), ours.eps)
    theirs.load_state_dict({"weight": ours.gain, "bias": ours.bias})
    return theirs


def batch_of(batch: int, length: int) -> tuple[Tensor, Tensor]:
    """Draw sentences; those of the source are of all lengths from half on."""
    generator = torch.Generator().manual_seed(0)
    source, target = torch.randint(END + 1, SYMBOLS, (2, batch, length), generator=generator)
    shortened = torch.randint(length // 2, length + 1, (batch, 1), generator=generator)
    return source * (torch.arange(length) < shortened), target


def check_equal(ours: nn.Module, theirs: nn.Module, source: Tensor, target: Tensor) -> None:
    """Refuse to compare models that do not compute the same (without dropout)."""
    shared, results = ours.to_logits.weight, []
    for model in (ours, theirs):
        model.eval()
        model.zero_grad()
        loss = token_loss(model(source, target), target)
        loss.backward()
        results.append((loss.item(), shared.grad.clone()))
        model.train()
    (loss, gradient), (their_loss, their_gradient) = results
    assert abs(loss - their_loss) < 1e-4, (loss, their_loss)
    assert torch.allclose(gradient, their_gradient, atol=1e-5)


def measure(
    config: TransformerConfig, batch: int, length: int, steps: int, clock: Callable[[], float]
) -> dict:
    """Let both models take turns; return tokens per second of each and their ratio."""
    torch.manual_seed(0)
    ours = new_transformer(config, seed=0)
    models = {"ours": ours, "torch": TorchTransformer(ours)}
    source, target = batch_of(batch, length)
    check_equal(*models.values(), source, target)
    optimizers = {name: torch.optim.Adam(model.parameters()) for name, model in models.items()}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(TURNS + 1):
        for name, model in models.items():
            started = clock()
            for _ in range(steps):
                update(optimizers[name], token_loss(model(source, target), target))
            if turn > 0:  # the first turn warms up
                seconds[name].append(clock() - started)
    tokens = {
        name: batch * length * steps / statistics.median(times) for name, times in seconds.items()
    }
    return {
        "ours": round(tokens["ours"]),
        "torch": round(tokens["torch"]),
        "ratio": round(tokens["ours"] / tokens["torch"], 3),
    }


def measure_shape(
    shape: str, dropout: float, asked: common.Asked = common.PLAIN
) -> list[dict[str, object]]:
    """Measure one shape; return its row of the table."""
    batch, length = SHAPES[shape]
    config = TransformerConfig(SYMBOLS, SYMBOLS, 256, 8, 1024, 2, 2, dropout, norm="pre")
    # A quick try may be on a busy machine, so it takes processor time.
    steps, clock = (1, time.process_time) if asked.quick else (STEPS, time.perf_counter)
    about = {"shape": shape, "batch": batch, "length": length, "dropout": dropout}
    return [about | measure(config, batch, length, steps, clock)]


def main(argv: list[str] | None = None) -> None:
    """Measure what was asked for, one shape after the other, and file the rows."""
    asked = common.arguments(__file__, __doc__, SHAPES, argv=argv, timing_threads=2)
    order = [(shape, dropout) for dropout in (0.0, 0.1) for shape in SHAPES]
    jobs = [job for job in order if job[0] in asked.arms]
    common.run(measure_shape, jobs, asked, [OUTPUT], ("shape", "dropout"), order)


if __name__ == "__main__":
    main()
