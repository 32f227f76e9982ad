"""Where the heads look that could tell an antecedent from its rival."""

import torch
from torch import Tensor

from attention.interventions import record_weights
from attention.transformer import Transformer
from shared.pronoun_batches import Rows, batches, make_batch
from shared.pronoun_sentences import Mirrored, Sentence

# Where a head could tell the antecedent from its rival: stack, query, and the two keys.
CHOICES = {
    "encoder": ("it", "antecedent", "rival"),
    "decoder": ("step", "noun", "rival's noun"),
}
OTHER_LOOKS = (
    ("encoder", "it", "adjective"),
    ("cross", "step", "it"),
)
LOOKS = (
    *((where, query, key) for where, (query, *keys) in CHOICES.items() for key in keys),
    *OTHER_LOOKS,
)


def looks(model: Transformer, sentences: list[Sentence]) -> dict[tuple, Tensor]:
    """Sum the weights along each of ``LOOKS``: (sentences, layers * heads) for each.

    Sentences are ordered by length, and a sentence and its mirror have the same.
    """
    found: dict[tuple, list[Tensor]] = {look: [] for look in LOOKS}
    for group in batches(sentences):
        batch = make_batch(group)
        with record_weights(model) as weights:
            model(batch.source, batch.target)
        for look in LOOKS:
            edges = batch.edges(*look)[:, None]  # (batch, 1, queries, keys)
            layers = [weights[place] for place in weights if place[0] == look[0]]
            sums = [(layer * edges).sum((-2, -1)) for layer in layers]  # each (batch, heads)
            found[look].append(torch.cat(sums, 1))
    return {look: torch.cat(parts) for look, parts in found.items()}


def measure_attention(
    model: Transformer,
    data: dict[str, list[Mirrored]],
    validation: list[Sentence],
    rows: Rows,
) -> int:
    """Measure where heads look, and return the encoder's chosen one."""
    names = [f"{layer}.{head}" for layer in range(10) for head in range(model.config.heads)]
    seen = looks(model, validation)
    chosen = {}
    for where, (query, meant, rival) in CHOICES.items():
        margins = seen[where, query, meant] - seen[where, query, rival]
        head = chosen[where] = int(margins.mean(0).argmax())
        rows.add("chosen", f"{where} {names[head]}", "validation", margins[:, head])

    found: dict[tuple[str, str], list[Tensor]] = {}  # by measure and edge, all splits
    for split, pairs in data.items():
        sentences, mirrors = [b.sentence for b in pairs], [b.mirror for b in pairs]
        here, there = looks(model, sentences), looks(model, mirrors)
        ordered = [one for some in (sentences, mirrors) for group in batches(some) for one in group]
        elle = torch.tensor([one.elle for one in ordered])
        for where, (query, meant, rival) in CHOICES.items():
            # Each (pairs, layers * heads); in the mirror the two nouns change their parts.
            meant_here, rival_here = here[where, query, meant], here[where, query, rival]
            meant_there, rival_there = there[where, query, meant], there[where, query, rival]
            follows = (meant_here > rival_here) & (meant_there > rival_there)
            rows.add("follows", f"{where} chosen", split, follows[:, chosen[where]])
            found.setdefault(("follows", where), []).append(follows)
            rises = torch.cat([meant_here > rival_there, meant_there > rival_here])
            rows.add("rises", f"{where} chosen", split, rises[:, chosen[where]])
            weight = torch.cat([meant_here, meant_there]), torch.cat([rival_here, rival_there])
            for name, values in {
                "feminine meant": weight[0][elle],
                "feminine not": weight[1][~elle],
                "masculine meant": weight[0][~elle],
                "masculine not": weight[1][elle],
            }.items():
                found.setdefault(("weight", f"{where} {query}>{name}"), []).append(values)
        for look in OTHER_LOOKS:
            name = "weight", "{} {}>{}".format(*look)
            found.setdefault(name, []).append(torch.cat([here[look], there[look]]))
    for (measure, edge), parts in found.items():
        for name, values in zip(names, torch.cat(parts).T, strict=False):
            rows.add(measure, f"{edge} {name}", "both", values)
    return chosen["encoder"]
