"""Cuts, random controls and what may be kept, for the rungs of the ladder of evidence."""

from collections.abc import Callable, Iterable, Iterator
from random import Random

import torch
from torch import Tensor

from attention.interventions import attentions, knock_out, record_weights
from attention.transformer import Transformer
from shared.pronoun_attention import looks
from shared.pronoun_batches import Batch, Rows, batches, make_batch, right_over_wrong
from shared.pronoun_sentences import Mirrored, Sentence

Words = Callable[[Sentence], Iterable[int]]  # places in the English of a sentence
RANDOM_CUTS = 20
RANDOM_KEPT = 5


def nouns(one: Sentence) -> list[int]:
    """List the two nouns that differ between a sentence and its mirror."""
    return one.english["antecedent"] + one.english["rival"]


def named(*groups: str) -> Words:
    """Make a function that lists the words of some groups."""
    return lambda one: [place for group in groups for place in one.english[group]]


def others(one: Sentence) -> list[int]:
    """List all words but *it*, every candidate and the adjective; END is one of them."""
    taken = {*one.english["it"], *one.english["adjective"], *one.pair.pronouns[0].candidates}
    return [place for place in range(len(one.pair.english) + 1) if place not in taken]


def all_but(kept: Words) -> Words:
    """Make a function that lists all words but some."""
    return lambda one: {*range(len(one.pair.english) + 1)} - {*kept(one)}


def kept_with_it(one: Sentence) -> list[int]:
    """List what the circuit keeps: *it*, all candidates, and the adjective."""
    return named("it", "adjective")(one) + list(one.pair.pronouns[0].candidates)


def edges_from_it(batch: Batch, words: Words) -> Tensor:
    """Mark the edges from *it* to some words: (batch, length, length), boolean."""
    length = batch.source.shape[1]
    edges = torch.zeros(len(batch), length, length, dtype=torch.bool)
    for row, one in zip(edges, batch.sentences, strict=True):
        row[one.english["it"][0], list(words(one))] = True
    return edges


def weights_of_it(model: Transformer, batch: Batch) -> Tensor:
    """Return the weight that *it* gives to each word, summed over layers and heads."""
    with record_weights(model) as weights:
        model(batch.source, batch.target)
    at = torch.tensor([one.english["it"][0] for one in batch.sentences])
    layers = [rows for (where, _), rows in weights.items() if where == "encoder"]
    return sum(rows.sum(1)[torch.arange(len(batch)), at] for rows in layers)  # (batch, length)


def equal_weight(weight: Tensor, one: Sentence, draw: int) -> list[int]:
    """Draw words that matter not, until they have the weight of the noun that is meant."""
    goal = weight[one.english["antecedent"]].sum()
    drawn, total = [], torch.tensor(0.0)
    order = others(one)
    Random(f"{draw} {' '.join(one.pair.english)}").shuffle(order)
    while order and total < goal:
        drawn.append(order.pop())
        total = total + weight[drawn[-1]]
    return drawn


def measure_knock_outs(model: Transformer, pairs: list[Mirrored], rows: Rows) -> None:
    """Cut edges from *it* in all layers and heads; then let it keep only some."""
    groups = list(in_batches(pairs))
    weights = [weights_of_it(model, batch) for batch in groups]
    cuts: dict[str, Words] = {
        "nothing": lambda one: [],
        "noun meant": named("antecedent"),
        "other noun": named("rival"),
        "both nouns": nouns,
        "adjective": named("adjective"),
    }
    keeps: dict[str, Words] = {
        "it, nouns, adjective": kept_with_it,
        "it, nouns": lambda one: {*kept_with_it(one)} - {*one.english["adjective"]},
        "it, adjective": named("it", "adjective"),
        "it": named("it"),
    }
    for draw in range(RANDOM_KEPT):
        keeps[f"it, random {draw}"] = as_many_others(draw)
    for name, kept in keeps.items():
        cuts[f"keep {name}"] = all_but(kept)
    for name, words in cuts.items():
        edges = [edges_from_it(batch, words) for batch in groups]
        note_cut(model, groups, weights, edges, name, rows)
    for draw in range(RANDOM_CUTS):
        edges = []
        for batch, weight in zip(groups, weights, strict=True):
            drawn = {
                id(one): equal_weight(row, one, draw)
                for one, row in zip(batch.sentences, weight, strict=True)
            }
            edges.append(edges_from_it(batch, lambda one, drawn=drawn: drawn[id(one)]))
        note_cut(model, groups, weights, edges, f"random {draw}", rows)


def as_many_others(draw: int) -> Words:
    """Make a function that lists *it* and, at random, as many others as the circuit keeps."""

    def words(one: Sentence) -> list[int]:
        order = others(one)
        Random(f"{draw} {' '.join(one.pair.english)}").shuffle(order)
        return named("it")(one) + order[: len(kept_with_it(one)) - 1]

    return words


def note_cut(
    model: Transformer,
    groups: list[Batch],
    weights: list[Tensor],
    edges: list[Tensor],
    name: str,
    rows: Rows,
) -> None:
    """Note what is right with some edges of the encoder cut, and what weight they had."""
    right, weight = [], []
    for batch, cut, of_it in zip(groups, edges, weights, strict=True):
        with knock_out(model, "encoder", cut):
            right.append(right_over_wrong(model, batch) > 0)
        weight.append((of_it * cut.any(1)).sum(-1))
    rows.add("knock-out", name, "two", torch.cat(right))
    rows.add("weight cut", name, "two", torch.cat(weight))


def measure_heads(model: Transformer, pairs: list[Mirrored], rows: Rows) -> None:
    """Say of each head how often it follows the meaning, and what is lost without its edges.

    A head follows in a pair if it looks harder at the noun that is meant on both sides. Its
    edges are those from *it* to the two nouns; in the decoder, those from the step that
    writes the pronoun to the two French nouns with their articles.
    """
    sentences, mirrors = [both.sentence for both in pairs], [both.mirror for both in pairs]
    here, there = looks(model, sentences), looks(model, mirrors)
    places = {"encoder": ("it", "antecedent", "rival"), "decoder": ("step", "noun", "rival's noun")}
    groups = list(in_batches(pairs))
    # `looks` orders by length, in a way that keeps the order among equals.
    ordered = [one for some in batches(sentences) for one in some]
    first = {id(one) for one in sentences[::2]}
    half = torch.tensor([id(one) in first for one in ordered])
    for where, (query, meant, rival) in places.items():
        follows = torch.ones(len(pairs), here[where, query, meant].shape[1], dtype=torch.bool)
        for side in (here, there):
            follows &= side[where, query, meant] > side[where, query, rival]
        looked = torch.cat([side[where, query, meant] for side in (here, there)])
        for number in range(follows.shape[1]):
            layer, head = divmod(number, attentions(model)[where][0].heads)
            name = f"{where} {layer}.{head}"
            rows.add("follows", name, "first half", follows[half, number])
            rows.add("follows", name, "second half", follows[~half, number])
            rows.add("looks", name, "two", looked[:, number])
            right = []
            for batch in groups:
                edges = batch.edges(where, query, meant) | batch.edges(where, query, rival)
                with knock_out(model, where, edges, layers=[layer], heads=[head]):
                    right.append(right_over_wrong(model, batch) > 0)
            rows.add("head cut", name, "two", torch.cat(right))


def in_batches(pairs: list[Mirrored]) -> Iterator[Batch]:
    """Make batches of both sides of mirrored pairs."""
    sides = [side for both in pairs for side in (both.sentence, both.mirror)]
    for group in batches(sides):
        yield make_batch(group)
