"""Which word caused the pronoun: methods of attribution against what the grammar knows."""

from collections.abc import Callable
from functools import cache
from random import Random

import torch
from torch import Tensor

from attention import corpus
from attention.attribution import gradient_times_input, leave_one_out, rollout_to_source
from attention.corpus.parser import parse
from attention.corpus.trees import leaves
from attention.interventions import record_weights
from attention.training import pad
from attention.transformer import Transformer
from shared.pronoun_batches import ELLE, ENGLISH, IL, Batch, Rows, elle_over_il, make_batch
from shared.pronoun_sentences import Mirrored, Sentence

REPLACED = 4  # words that are put in the place of each, one after the other
Method = Callable[[Transformer, Sentence], Tensor]  # a number for each English word


def attention_weights(model: Transformer, one: Sentence) -> dict[tuple[str, int], Tensor]:
    """Record all weights of a sentence."""
    batch = make_batch([one])
    with record_weights(model) as weights:
        model(batch.source, batch.target)
    return weights


def by_cross_attention(model: Transformer, one: Sentence) -> Tensor:
    """Take the last layer's cross-attention of the step that writes the pronoun."""
    weights = attention_weights(model, one)
    last = weights["cross", model.config.decoder_layers - 1]  # (1, heads, length, source)
    return last[0, :, one.steps["step"][0]].mean(0)


def by_rollout(model: Transformer, one: Sentence) -> Tensor:
    """Roll all attention out, down to the English words."""
    weights = attention_weights(model, one)
    stacks = [
        [weights[place] for place in weights if place[0] == where]
        for where in ("encoder", "decoder", "cross")
    ]
    of_source, _ = rollout_to_source(*stacks)
    return of_source[0, one.steps["step"][0]]


def by_gradient(model: Transformer, one: Sentence) -> Tensor:
    """Multiply gradient and input, and drop the sign."""
    batch = make_batch([one])
    words = model.source_embedding.tokens
    return gradient_times_input(words, lambda: elle_over_il(model, batch))[0].abs()


def by_leaving_out(model: Transformer, one: Sentence) -> Tensor:
    """Leave each word out, and see how far the logits move."""
    tokens = source_of(one)
    return leave_one_out(tokens, lambda source: scores(model, one, source)).abs()


def by_replacing(model: Transformer, one: Sentence) -> Tensor:
    """Put other words of the same kind in each word's place; mean move of the logits."""
    tokens = source_of(one)
    draw = Random(" ".join(one.pair.english))
    texts = []
    for place, leaf in enumerate(leaves(parse(one.pair.english))):
        known = kinds().get((leaf.symbol, leaf.plural), ())
        options = [word for word in known if word != leaf.token] or ALL_WORDS
        for _ in range(REPLACED):
            other = tokens.clone()
            other[place] = ENGLISH.encode([draw.choice(options)])[0]
            texts.append(other)
    moved = scores(model, one, torch.stack(texts)) - scores(model, one, tokens[None])
    means = moved.abs().reshape(-1, REPLACED).mean(1)
    return torch.cat([means, means.new_zeros(len(tokens) - len(means))])  # END stays


METHODS: dict[str, Method] = {
    "cross-attention": by_cross_attention,
    "rollout": by_rollout,
    "gradient x input": by_gradient,
    "leave one out": by_leaving_out,
    "replace": by_replacing,
}
ALL_WORDS = [word for word in ENGLISH.tokens if word.isalpha() and word.islower()]


@cache
def kinds() -> dict[tuple[str, bool], list[str]]:
    """List words of the grammar by kind and number, as they occur in training sentences."""
    found: dict[tuple[str, bool], set[str]] = {}
    for pair in corpus.draw_split("train", 2000):
        for leaf in leaves(parse(pair.english)):
            found.setdefault((leaf.symbol, leaf.plural), set()).add(leaf.token)
    return {kind: sorted(words) for kind, words in found.items()}


def source_of(one: Sentence) -> Tensor:
    """Encode the English of a sentence, with END."""
    return pad([ENGLISH.encode(one.pair.english)])[0]


def scores(model: Transformer, one: Sentence, source: Tensor) -> Tensor:
    """Score texts as the English of a sentence: the logit of *elle* minus that of *il*."""
    target = make_batch([one]).target.expand(len(source), -1)
    logits = model(source, target)[:, one.steps["step"][0]]
    return logits[:, ELLE] - logits[:, IL]


def measure_causes(model: Transformer, pairs: list[Mirrored], rows: Rows) -> None:
    """Compare what each method says with the grammar, where the pronoun is right.

    Its two causes are the noun that is meant and the adjective.
    """
    sides = [side for both in pairs for side in (both.sentence, both.mirror)]
    right = [one for one in sides if is_right(model, one)]
    for name, method in METHODS.items():
        found = [judged(method(model, one), one) for one in right]
        for measure in found[0]:
            rows.add("cause", f"{name}: {measure}", "two", [one[measure] for one in found])
    guesses = [random_word(len(one.pair.english) - 1) for one in right]  # *it* apart
    for measure in guesses[0]:
        rows.add("cause", f"random word: {measure}", "two", [one[measure] for one in guesses])
    nearest = [nearest_noun(one) for one in right]
    for measure in nearest[0]:
        rows.add("cause", f"nearest noun: {measure}", "two", [one[measure] for one in nearest])


def is_right(model: Transformer, one: Sentence) -> bool:
    """Say whether a model finds the right pronoun the likelier one."""
    batch: Batch = make_batch([one])
    return bool((elle_over_il(model, batch)[0] > 0) == one.elle)


def judged(scored: Tensor, one: Sentence) -> dict[str, bool]:
    """Judge the numbers of a method; *it* and END have one, and are not asked about."""
    scored = scored[: len(one.pair.english)].clone()
    scored[one.english["it"]] = -torch.inf
    antecedent, adjective = one.english["antecedent"][0], one.english["adjective"][0]
    first, second = scored.topk(2).indices.tolist()
    return {
        "first": first in (antecedent, adjective),
        "first two": {first, second} == {antecedent, adjective},
        "adjective in first two": adjective in (first, second),
        "antecedent over rival": bool(scored[antecedent] > scored[one.english["rival"][0]]),
    }


def random_word(length: int) -> dict[str, float]:
    """Say how often a random order of so many words is right."""
    return {
        "first": 2 / length,
        "first two": 2 / (length * (length - 1)),
        "adjective in first two": 2 / length,
        "antecedent over rival": 0.5,
    }


def nearest_noun(one: Sentence) -> dict[str, bool]:
    """Judge the rule that the last candidate before *it* is the cause."""
    meant = one.english["antecedent"][0] > one.english["rival"][0]
    return {"first": meant, "antecedent over rival": meant}
