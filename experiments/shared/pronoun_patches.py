"""What the pronoun does when words, or the encoder's stream, are those of another sentence."""

from contextlib import ExitStack

import torch
from torch import Tensor

from attention.interventions import patch_activations, record_streams
from attention.transformer import Transformer
from shared.pronoun_batches import Batch, Rows, batches, make_batch, right_over_wrong
from shared.pronoun_sentences import Mirrored

PATCHED = {
    "adjective": ("adjective", "it", "antecedent", "rival", "other"),
    "noun": ("antecedent", "it", "other"),
}
# Who sees the donor's word: first the claim's reader, last the control. (*was* was meant as one,
# and turned out to be a road of its own in some models.)
READERS = {
    "adjective": ("it", "was", "antecedent", "rival"),
    "noun": ("it", "was", "adjective", "rival"),
}
DIFFERENT = {"adjective": "adjective", "noun": "antecedent"}  # where a donor's English differs


def places_of(batch: Batch, group: str) -> Tensor:
    """Mark the places of a group in English: (batch, source_length), boolean."""
    places = torch.zeros_like(batch.source, dtype=torch.bool)
    for row, one in zip(places, batch.sentences, strict=True):
        row[one.english[group]] = True
    return places


def patched(
    model: Transformer, batch: Batch, patches: dict[int, tuple[Tensor, Tensor]]
) -> tuple[Tensor, dict]:
    """Run with the encoder's stream replaced: by stage, the places and the stream.

    Returns
    -------
    difference : (batch,)
        The logit of the right pronoun minus that of the wrong one.
    streams : dict
        All streams of this run.
    """
    with ExitStack() as stack:
        for stage, (places, stream) in patches.items():
            stack.enter_context(patch_activations(model, "encoder", stage, places, stream))
        streams = stack.enter_context(record_streams(model))
        return right_over_wrong(model, batch), streams


def seen_by(model: Transformer, batch: Batch, donor: dict, key: str, reader: str) -> Tensor:
    """Run with one edge of the encoder changed: only the reader sees the donor's word.

    Stage by stage: what would the reader become if the key were the donor's? That becomes
    the reader, with the key as it was.
    """
    at_key, at_reader = places_of(batch, key), places_of(batch, reader)
    changed: dict[int, tuple[Tensor, Tensor]] = {}
    for stage in range(model.config.encoder_layers):
        both = dict(changed)
        places, stream = at_key, donor["encoder", stage]
        if stage in changed:
            places = at_key | at_reader
            stream = torch.where(at_reader[:, :, None], changed[stage][1], stream)
        both[stage] = places, stream
        _, streams = patched(model, batch, both)
        changed[stage + 1] = at_reader, streams["encoder", stage + 1]
    return patched(model, batch, changed)[0]


def measure_patches(
    model: Transformer, data: dict[str, list[Mirrored]], donor: str, rows: Rows
) -> None:
    """Put the encoder's stream of a sentence's variant into the sentence, here and there."""
    stages = range(model.config.encoder_layers + 1)
    key = DIFFERENT[donor]
    own_pronoun, other_pronoun = [], []
    found: dict[tuple[str, str], list[Tensor]] = {}
    for pairs in data.values():
        pairs = [both for both in pairs if donor == "adjective" or both.other_noun]
        for group in batches(pairs, of=lambda both: both.sentence):
            own = [both.sentence for both in group]
            others = [b.mirror.pair if donor == "adjective" else b.other_noun for b in group]
            batch, other = make_batch(own), make_batch(own, english=others)
            base, own_streams = patched(model, batch, {})
            whole, streams = patched(model, other, {})
            own_pronoun.append(base)
            other_pronoun.append(whole)
            results = {("patch", f"{donor}: everywhere"): whole}
            for place in PATCHED[donor]:
                # The embeddings of the other places are the same in both sentences.
                for stage in stages if place == key else stages[1:]:
                    patch = {stage: (places_of(batch, place), streams["encoder", stage])}
                    name = "patch", f"{donor}: {place} {stage}"
                    results[name] = patched(model, batch, patch)[0]
            for reader in READERS[donor]:
                name = "edge", f"{donor}: {reader}>{key}"
                results[name] = seen_by(model, batch, streams, key, reader)
            # Every word sees the donor's but *it*, which stays what it was.
            at_it = places_of(batch, "it")
            kept = {stage: (at_it, own_streams["encoder", stage]) for stage in stages}
            results["edge", f"{donor}: all but it>{key}"] = patched(model, other, kept)[0]
            for name, result in results.items():
                found.setdefault(name, []).append(result)
    base, whole = torch.cat(own_pronoun), torch.cat(other_pronoun)
    # Another adjective changes the pronoun; another English noun need not, as the French
    # that has been written still has the old one.
    counted = (base > 0) & (whole < 0) if donor == "adjective" else base > 0
    for (measure, where), parts in found.items():
        now = torch.cat(parts)
        rows.add(measure, where, "both", now[counted] < 0)
        share = (base - now)[counted].mean() / (base - whole)[counted].mean()
        rows.note(f"{measure} logits", where, "both", share.item(), int(counted.sum()))


def measure_conflict(model: Transformer, data: dict[str, list[Mirrored]], rows: Rows) -> None:
    """Let English and French name nouns of different genders in the antecedent's place."""
    for split, pairs in data.items():
        pairs = [both for both in pairs if both.other_noun]
        found: dict[str, list[Tensor]] = {"English": [], "French": [], "both": []}
        for group in batches(pairs, of=lambda both: both.sentence):
            own, others = [both.sentence for both in group], [both.other_noun for both in group]
            right = right_over_wrong(model, make_batch(own)) > 0
            changed = {
                "English": make_batch(own, english=others),
                "French": make_batch(own, french=others),
                "both": make_batch(own, english=others, french=others),
            }
            for name, batch in changed.items():
                found[name].append((right_over_wrong(model, batch) < 0)[right])
        for name, parts in found.items():
            rows.add("conflict", name, split, torch.cat(parts))
