"""Compare five ways to tell positions apart when the text grows longer.

The experiment of chapter 8. A causal model of two layers reads random symbols, and
has a question to answer at every one of them. It is trained on texts of 32 symbols and
tested on new ones of 512. As it is causal, its answer at position p is what a text of
length p would get, so the positions after the 32nd are the test of longer texts. There
are two questions, since there are two uses of position:

    distance   which symbol stood here 3 places ago? Where it stood is all there is to
               know; what it is says nothing.
    recency    each symbol is a key with a value (8 keys, 8 values). Which value had
               this key when it came last? The key says which ones to look at, and
               position which of them is the latest. A longer text has more of them,
               but the right one is no further away.

In a long text the answer lies no further back than in a short one (for recency, more
than 32 places back about once in 70 times), so what is new to the model there is the
numbers of the positions, the distances between them, and how many keys there are. To tell
these apart, each trained model with rotary positions is tested four times, with the same
weights, and each with ALiBi on recency in the first two of these ways:

    all                    each query sees all keys up to its own place, as in training
    last 32                a window: the 32 nearest keys, so no distance is new
    16 near, 16 anywhere   as many keys as in the window, half of them drawn from all others
    all, at most 31 back   all keys, and each further back than 31 is scored as if it stood
                           there, so no distance is new

It writes positions.csv: one row for each question, scheme, seed, choice of keys and stretch
of positions, with the accuracy there (guessing: one in 16 for distance, one in 8 for recency).

    .venv/bin/python experiments/positions.py           30 runs, a quarter of an hour

Learned positions have rows up to 512, of which training touches 32. Counted in steps,
in float32 on one thread: the same command gives the same file on the same kind of
processor.
"""

import math
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

import common
from attention.heads import split_heads
from attention.positions import rotate
from attention.training import PADDING, Recipe, TrainingRun, evaluating
from attention.transformer import (
    POSITIONS,
    LanguageModel,
    TransformerConfig,
    new_transformer,
)
from shared.symbols import FIRST, KEYS, SYMBOLS, VALUES, Texts, ask, loss

OUTPUT = Path(__file__).with_suffix(".csv")
QUESTIONS = ("distance", "recency")
SEEDS = (0, 1, 2)
TRAINED, TESTED = 32, 512
STRETCHES = ((1, 16), (17, 32), (33, 48), (49, 64), (65, 128), (129, 256), (257, 512))
STEPS, BATCH, TESTS = 1200, 32, 64
ALL, WINDOW, SCATTERED = "all", "last 32", "16 near, 16 anywhere"
CAPPED = "all, at most 31 back"
KEYS_SEEN = {  # all others see all keys
    ("distance", "rotary"): (ALL, WINDOW, SCATTERED, CAPPED),
    ("recency", "rotary"): (ALL, WINDOW, SCATTERED, CAPPED),
    # on distance it is behind on trained lengths already, where a window changes nothing
    ("recency", "alibi"): (ALL, WINDOW),
}


@common.threads(1)
def measure(
    question: str, scheme: str, seed: int, asked: common.Asked = common.PLAIN
) -> list[dict[str, object]]:
    """Train one model; return its rows of the table."""
    steps = 4 if asked.quick else STEPS
    config = TransformerConfig(
        source_vocab_size=None,
        target_vocab_size=FIRST + (SYMBOLS if question == "distance" else KEYS * VALUES),
        d_model=64,
        heads=4,
        d_ff=128,
        decoder_layers=2,
        position=scheme,
        tie_logits=False,
        max_length=TESTED,
    )
    recipe = Recipe(learning_rate=3e-3, schedule="linear", warm_up=50, steps=STEPS)
    texts = Texts(question, seed, BATCH, TRAINED, STEPS)
    training = TrainingRun(new_transformer(config, seed), texts, recipe, loss)

    def at_the_end() -> list[dict[str, object]]:
        return [
            {"question": question, "scheme": scheme, "seed": seed, "keys": keys}
            | {"first": first, "last": last, "accuracy": f"{accuracy:.4f}"}
            for keys in KEYS_SEEN.get((question, scheme), (ALL,))
            for first, last, accuracy in tested(training.model, question, keys)
        ]

    (rows,) = common.stops(training, [steps], at_the_end, asked.keep(question, scheme, seed))
    return rows


def mask_of(keys: str, length: int = TESTED) -> Bool[Tensor, "length length"]:
    """Say which keys each query sees, all of them at its own place or before it.

    Positions up to ``TRAINED`` see all of these, whatever is chosen.
    """
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    if keys in (ALL, CAPPED):
        return causal
    near = TRAINED if keys == WINDOW else TRAINED // 2
    mask = causal & ~causal.tril(-near)  # the nearest
    if keys == SCATTERED:
        generator = torch.Generator().manual_seed(7)
        drawn = torch.rand(length, length, generator=generator).masked_fill(~causal.tril(-near), 2)
        nth = drawn.argsort(-1).argsort(-1)  # each row's earlier keys in an order by chance
        mask |= (nth < TRAINED - near) & causal.tril(-near)
    return mask


def cap_distances(
    attention: nn.Module, inputs: tuple[Tensor], named: dict[str, object]
) -> tuple[tuple[Tensor], dict[str, object]]:
    """Score each far key as if it stood at the last trained distance (a hook on rotary layers).

    With rotary positions a score depends only on the distance. So the one at the last trained
    distance is that of the key, not turned, and the query turned by this distance. What has
    to change is added to the scores of the keys that are further back.
    """
    (x,), angles = inputs, named["angles"]  # (batch, length, d_model), (length, pairs)
    query = split_heads(attention.W_Q(x), attention.heads)
    key, _ = attention.keys_and_values(x)  # (batch, heads, length, d_k) each
    scores = rotate(query, angles) @ rotate(key, angles).mT
    at_last = rotate(query, angles[TRAINED - 1].expand_as(angles)) @ key.mT
    length, d_k = query.shape[-2:]
    far = mask_of(ALL, length) & ~mask_of(WINDOW, length)
    change = (at_last - scores).masked_fill(~far, 0) / math.sqrt(d_k)
    return inputs, named | {"score_bias": change}


def answers(
    model: LanguageModel, texts: Int[Tensor, "batch length"], keys: str
) -> Int[Tensor, "batch length"]:
    """Give the model's answer at each position, with this choice of keys in all layers."""
    mask = mask_of(keys, texts.shape[1])[None]  # (1, queries, keys)
    attentions = [layer.self_attention for layer in model.decoder.layers]
    hooks = [
        attention.register_forward_pre_hook(cap_distances, with_kwargs=True)
        for attention in attentions
        if keys == CAPPED
    ]
    try:
        x = model.decoder(model.embedding(texts), mask)  # (batch, length, d_model)
    finally:
        for hook in hooks:
            hook.remove()
    return model.to_logits(x).argmax(-1)


def tested(model: LanguageModel, question: str, keys: str) -> Iterator[tuple[int, int, float]]:
    """Measure the accuracy in each stretch of positions, the first position being 1."""
    with evaluating(model):
        batch = ask(question, TESTS, TESTED, torch.Generator().manual_seed(99))
        said = torch.cat([answers(model, texts, keys) for texts in batch.source.split(16)])
    right, asked = said == batch.target, batch.target != PADDING  # (TESTS, TESTED)
    for first, last in STRETCHES:
        inside = slice(first - 1, last)
        yield first, last, (right[:, inside].sum() / asked[:, inside].sum()).item()


def main(argv: list[str] | None = None) -> None:
    """Run what was asked for, and file the rows as they come."""
    asked = common.arguments(__file__, __doc__, POSITIONS, SEEDS, argv)
    jobs, order = (
        list(product(QUESTIONS, schemes, seeds))
        for schemes, seeds in ((asked.arms, asked.seeds), (POSITIONS, SEEDS))
    )
    common.run(measure, jobs, asked, [OUTPUT], ("question", "scheme", "seed"), order)


if __name__ == "__main__":
    main()
