"""Test a famous sentence: that *it* looks back at *cat*, and that this is how a model knows.

The experiment of chapter 9. In "the cat sat on the mat because it was tired", *it* is the
cat, and in French *il*, since *chat* is masculine. Say *comfortable*, and it is the mat.
The translators that `translation.py` trained are shown such sentences, of noun pairs that
were held out, each together with its *mirror*: the same sentence with another adjective,
so that another noun of the other gender is meant. So nothing but the adjective tells which
noun is meant, and whoever does not read it is right once in each two. It writes

    pronouns.csv        one row for each model, measure, place and split

    .venv/bin/python experiments/pronouns.py            all models, some three minutes
    .venv/bin/python experiments/pronouns.py --trial FILE
                                                        one model; prints its rows

The models are all that `translation.py` leaves in `_build/translation/`, but for the arm
"final": this is the committed one, from `weights/`, so that its rows can be made again
anywhere.

Each row is a mean (`value`) over so many sentences (`count`), of one split or of both, or of
those with one pronoun. An edge is written "stack query>key" and a head "layer.head", counted
from 0. The measures:

    accuracy        how often *il* or *elle*, whichever is right, is the likelier one, given
                    the true French words before it; "first meant" and "later meant" are the
                    sentences whose pronoun means the first of the nouns, or another one
    both right      the share of mirrored pairs with both pronouns right
    weight          attention along an edge, by head, in both splits. "feminine meant" is the
                    feminine one of the two nouns where it is the antecedent, and "feminine
                    not" where it is the rival; in the decoder, with its article
    follows         the share of mirrored pairs in which a head looks harder at the antecedent
                    than at the rival on both sides: when the other noun is meant, it looks
                    at the other noun. "encoder" is what *it* looks at, "decoder" what the
                    step that writes the pronoun looks at
    rises           how often a noun gets more of the chosen head's attention where it is
                    meant than where it is not
    chosen          the encoder's and the decoder's head that looks harder at the antecedent
                    by most, on sentences of the validation split; the value is by how much
    cut             accuracy when the attention may not use some edges, in any layer or head;
                    "chosen head": in the chosen one of the encoder alone
    cut logits      how far the difference of the logits, right minus wrong, falls then
    patch           how often the pronoun changes when the encoder's residual stream at one
                    place after one stage (0 the embedding, n the n-th layer) is that of
                    another sentence: "adjective" is the mirror, "noun" the sentence with a
                    noun of the other gender as antecedent, its French unchanged. Of the
                    sentences that the model has right, and their mirrors too
    patch logits    the share of the logits' change in the other sentence that is seen then
    edge            the same if only one word of the encoder sees the other adjective or noun,
                    or every word but *it* does; "edge logits" too
    conflict        how often the pronoun changes its gender when the noun of the other gender
                    is only in the English, only in the French before the pronoun, or in both

Computed in float32 on one thread, and not random.
"""

import argparse
import csv
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
import translation
from torch import Tensor

from attention import corpus
from attention.corpus.lexicon import NOUNS
from attention.corpus.parser import parse
from attention.corpus.parser import pronouns as pronouns_of
from attention.corpus.trees import NOUN_SYMBOLS, Leaf, leaves
from attention.interventions import (
    forbidding,
    patching,
    recording_streams,
    recording_weights,
)
from attention.training import evaluating, pad
from attention.transformer import Transformer, load

OUTPUT = Path(__file__).with_suffix(".csv")
COMMITTED = translation.WEIGHTS / "translator-transformer.safetensors"
HELD_OUT = {"two": "pronouns, two nouns", "three": "pronouns, three nouns"}
MIRRORED = 250  # pairs of sentences of each held-out split
CHOOSING = 200  # sentences of the validation split
BATCH = 125
ENGLISH, FRENCH = corpus.english_vocabulary(), corpus.french_vocabulary()
IL, ELLE = FRENCH.encode(["il", "elle"])
Groups = dict[str, list[int]]  # places in a sentence, by what stands there

# ------------------------------------------------------------------ the sentences


@dataclass(frozen=True)
class Sentence:
    """A sentence with one *it* that something was said of, and where all is in it.

    Attributes
    ----------
    pair : Pair
    english : dict
        Places in English: "it", "was", "adjective", "antecedent", "rival", "other" (a word
        near the antecedent that is no noun, article or adjective), and some with more
        than one place: "rest" is all from *because* on, "before" all before it.
    french : dict
        Where the decoder *reads* French words: one later than they stand, as START comes
        first. "noun" is the antecedent with its article, "agreeing" all words that
        show its gender; the same with "rival's"; "before" is all.
    steps : dict
        The decoder's rows: "step" writes the pronoun, "steps" are all from *because* on.
    """

    pair: corpus.Pair
    english: Groups
    french: Groups
    steps: Groups

    @property
    def elle(self) -> bool:
        """Say whether the pronoun is feminine."""
        return self.pair.pronouns[0].translation == "elle"

    @property
    def first_meant(self) -> bool:
        """Say whether the first of the candidates is meant."""
        pronoun = self.pair.pronouns[0]
        return pronoun.antecedent == pronoun.candidates[0]


def adjective_of(pair: corpus.Pair) -> int | None:
    """Return the place of the adjective that is said of the only pronoun, or None."""
    ((_, predicate),) = pronouns_of(parse(pair.english))
    return predicate.child("Pred").child("A").index if predicate.symbol == "State" else None


def mirror(pair: corpus.Pair, split: str) -> corpus.Pair | None:
    """Change the adjective so that the pronoun changes too; None if that is impossible."""
    options = [
        other
        for other in corpus.contrasts(pair)
        if corpus.home(other) == split
        and other.pronouns[0].translation != pair.pronouns[0].translation
    ]
    return Random(" ".join(pair.english)).choice(options) if options else None


def with_other_noun(pair: corpus.Pair) -> corpus.Pair | None:
    """Put a noun of the other gender in the antecedent's place; None if none fits."""
    pronoun = pair.pronouns[0]
    place = pronoun.antecedent
    old = NOUNS[pronoun.nouns[pronoun.candidates.index(place)]]
    options = [noun for noun in NOUNS.values() if noun.feminine != old.feminine and noun.english[0]]
    Random(" ".join(pair.english)).shuffle(options)
    options.sort(key=lambda noun: -len(noun.tags & old.tags))  # the most similar ones first
    for noun in options:
        if noun.english[0] in pair.english:
            continue
        try:
            other = corpus.translate(
                (*pair.english[:place], noun.english[0], *pair.english[place + 1 :])
            )
        except ValueError:
            continue  # it could not do what the old one did, or be what it was
        if [(p.word, p.antecedent) for p in other.pronouns] == [("it", place)]:
            return other
    return None


def sentence(pair: corpus.Pair, rival: int) -> Sentence | None:
    """Find the places of all that matters in a pair; None in the rare case without "other".

    The rival's place is given.
    """
    pronoun = pair.pronouns[0]
    tree = parse(pair.english)
    line = leaves(tree)
    ((_, predicate),) = pronouns_of(tree)
    it, antecedent = pronoun.index, pronoun.antecedent
    conjunction = it - 1
    to_french: dict[int, list[int]] = {}
    for source, target in sorted(pair.possible):
        to_french.setdefault(source, []).append(target)
    first_step = min(to_french[conjunction])  # the one that writes "parce"

    def agreeing(noun: int) -> list[int]:
        """List the French words that show a noun's gender, which is what the step may read."""
        words = [word for word in line[:conjunction] if shows_gender(word, line[noun])]
        places = {place for word in words for place in to_french[word.index]}
        return sorted(places | set(with_article(noun)))

    def with_article(noun: int) -> list[int]:
        (place,) = {target for source, target in pair.sure if source == noun}
        before = [word.index for word in line if word.symbol == "A1"]
        start = place
        while start and any(start - 1 in to_french[word] for word in before):
            start -= 1  # past an adjective that stands before its noun
        return [max(start - 1, 0), place]

    def reads(places: Iterable[int]) -> list[int]:
        """Turn places of French words into the decoder's keys."""
        return [place + 1 for place in places]

    nouns = {target for word in pronoun.candidates for target in agreeing(word)}
    others = [
        word.index
        for word in line[:conjunction]
        if word.symbol not in NOUN_SYMBOLS | {"Det", "A1", "A2", "A", "'s"}
        and not nouns & set(to_french[word.index])
    ]
    if not others:
        return None
    other = min(others, key=lambda place: (abs(place - antecedent), place))
    french = {"other": reads(to_french[other]), "before": list(range(pronoun.target))}
    for whose, noun in (("", antecedent), ("rival's ", rival)):
        french[f"{whose}noun"] = reads(with_article(noun))
        french[f"{whose}agreeing"] = reads(agreeing(noun))
    adjective = predicate.child("Pred").child("A").index
    rest = range(conjunction, len(pair.english) + 1)  # END too
    return Sentence(
        pair,
        english={
            "it": [it],
            "was": [it + 1],
            "adjective": [adjective],
            "antecedent": [antecedent],
            "rival": [rival],
            "other": [other],
            "rest": list(rest),
            "rest but adjective": [place for place in rest if place != adjective],
            "before": list(range(conjunction)),
        },
        french=french,
        steps={
            "step": [pronoun.target],
            # Later than `first_step` itself: this one reads the word before "parce".
            "steps": list(range(first_step + 1, pronoun.target + 1)),
        },
    )


def shows_gender(word: Leaf, noun: Leaf) -> bool:
    """Say whether a word's French form depends on a noun's gender, if not always visibly."""
    if word.symbol in ("Det", "A", "A1", "A2"):
        return word.controller is noun
    if word.symbol.startswith("V"):  # a participle: with avoir of an object before it
        agrees = word.preceding if word.word.auxiliary == "avoir" else word.controller
        return agrees is noun and bool(word.word.auxiliary)
    return False


@dataclass(frozen=True)
class Mirrored:
    """A sentence, its mirror, and the sentence with another noun as antecedent, if any fits."""

    sentence: Sentence
    mirror: Sentence
    other_noun: corpus.Pair | None


def held_out_sentences(split: str, count: int) -> list[Mirrored]:
    """Draw sentences of a held-out split that have a mirror there."""
    found: list[Mirrored] = []
    taken: set[tuple[str, ...]] = set()

    def take(pair: corpus.Pair) -> bool:
        other = mirror(pair, split) if adjective_of(pair) is not None else None
        if other is None or taken & {pair.english, other.english}:
            return False
        here, there = pair.pronouns[0].antecedent, other.pronouns[0].antecedent
        sides = sentence(pair, rival=there), sentence(other, rival=here)
        if None in sides:
            return False
        found.append(Mirrored(*sides, with_other_noun(pair)))
        taken.update({pair.english, other.english})
        return True

    corpus.draw_split(split, count, keep=take)
    return found


def validation_sentences(count: int) -> list[Sentence]:
    """Draw sentences on which heads are chosen; their rivals are the nearest ones to *it*."""
    found: list[Sentence] = []

    def take(pair: corpus.Pair) -> bool:
        if [(p.word, p.decides) for p in pair.pronouns] != [("it", True)]:
            return False
        if adjective_of(pair) is None:
            return False
        one = sentence(pair, rival_of(pair.pronouns[0]))
        found.extend([one] if one else [])
        return one is not None

    corpus.draw_split("validation", count, keep=take, lengths=range(9, 21))
    return found


def rival_of(pronoun: corpus.Pronoun) -> int:
    """Return the last candidate of the other gender."""
    nouns = list(zip(pronoun.candidates, pronoun.feminine, strict=True))
    gender = dict(nouns)[pronoun.antecedent]
    return [place for place, feminine in nouns if feminine != gender][-1]


# ----------------------------------------------------------------- the model's say


@dataclass(frozen=True)
class Batch:
    """Sentences, their sources, and what of their French comes before the pronoun."""

    sentences: list[Sentence]
    source: Tensor
    target: Tensor

    def __len__(self) -> int:
        return len(self.sentences)

    def edges(self, where: str, queries: str, keys: str) -> Tensor:
        """Mark the edges between two groups of places: (batch, queries, keys), boolean."""
        lengths = {"encoder": self.source, "cross": self.source, "decoder": self.target}
        length = (self.source if where == "encoder" else self.target).shape[1]
        edges = torch.zeros(len(self), length, lengths[where].shape[1], dtype=torch.bool)
        for row, one in zip(edges, self.sentences, strict=True):
            rows = (one.english if where == "encoder" else one.steps)[queries]
            columns = (one.french if where == "decoder" else one.english)[keys]
            for query in rows:
                row[query, [key for key in columns if where != "decoder" or key <= query]] = True
        return edges


def make_batch(
    sentences: list[Sentence],
    english: list[corpus.Pair] | None = None,
    french: list[corpus.Pair] | None = None,
) -> Batch:
    """Make a batch; English or French can be taken from other pairs."""
    own = [one.pair for one in sentences]
    sources = [ENGLISH.encode(pair.english) for pair in english or own]
    # END stands at the pronoun's place: no step reads it.
    targets = [FRENCH.encode(pair.french[: pair.pronouns[0].target]) for pair in french or own]
    return Batch(sentences, pad(sources), pad(targets))


def batches(items: list, of: Callable = lambda item: item) -> Iterator[list]:
    """Cut a list into groups of sentences of like length."""
    ordered = sorted(items, key=lambda item: len(of(item).pair.english))
    for start in range(0, len(ordered), BATCH):
        yield ordered[start : start + BATCH]


def elle_over_il(model: Transformer, batch: Batch) -> Tensor:
    """Return the logit of *elle* minus that of *il*, at the step that writes the pronoun."""
    last = (batch.target != 0).sum(-1) - 1  # (batch,): END is at the pronoun's place
    logits = model(batch.source, batch.target)[torch.arange(len(batch)), last]
    return logits[:, ELLE] - logits[:, IL]  # (batch,)


def right_over_wrong(model: Transformer, batch: Batch) -> Tensor:
    """Return the logit of the right pronoun minus that of the wrong one."""
    return elle_over_il(model, batch) * signs(batch.sentences)


def signs(sentences: list[Sentence]) -> Tensor:
    """Return 1 where the pronoun is *elle*, and -1 where it is *il*."""
    return torch.tensor([1.0 if one.elle else -1.0 for one in sentences])


# ------------------------------------------------------------------------- the rows


@dataclass
class Rows:
    """The rows of one model."""

    model: str
    seed: str
    rows: list[dict[str, str]]

    def add(self, measure: str, where: str, split: str, values: Tensor | list) -> None:
        """Note the mean of some values."""
        values = torch.as_tensor(values, dtype=torch.float64)
        if not len(values):
            return
        self.note(measure, where, split, values.mean().item(), len(values))

    def note(self, measure: str, where: str, split: str, value: float, count: int) -> None:
        """Note a value."""
        self.rows.append(
            {
                "model": self.model,
                "seed": self.seed,
                "measure": measure,
                "where": where,
                "split": split,
                "value": f"{round(value, 3) + 0.0:g}",  # never "-0"
                "count": str(count),
            }
        )


def baselines(data: dict[str, list[Mirrored]]) -> list[dict[str, str]]:
    """Measure rules that need no model."""
    rows = Rows("baseline", "", [])
    for split, pairs in data.items():
        sides = [side for both in pairs for side in (both.sentence, both.mirror)]
        pronouns = [side.pair.pronouns[0] for side in sides]
        for name, place in (("nearest noun", -1), ("first noun", 0)):
            said = [p.feminine[place] for p in pronouns]
            right = [s == side.elle for s, side in zip(said, sides, strict=True)]
            rows.add("accuracy", name, split, right)
        rows.add("accuracy", "always il", split, [not side.elle for side in sides])
    return rows.rows


def measure_accuracy(model: Transformer, data: dict[str, list[Mirrored]], rows: Rows) -> None:
    """Measure how often the pronoun is right."""
    for split, pairs in data.items():
        sides, right = [], []
        for group in batches(pairs, of=lambda both: both.sentence):
            for side in ("sentence", "mirror"):
                some = [getattr(both, side) for both in group]
                right.append(right_over_wrong(model, make_batch(some)) > 0)
                sides += some
        right_of_both = [one & other for one, other in zip(right[::2], right[1::2], strict=True)]
        right = torch.cat(right)
        first = torch.tensor([side.first_meant for side in sides])
        rows.add("accuracy", "all", split, right)
        rows.add("accuracy", "first meant", split, right[first])
        rows.add("accuracy", "later meant", split, right[~first])
        rows.add("both right", "all", split, torch.cat(right_of_both))


# --------------------------------------------------------------- where attention goes

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
        with recording_weights(model) as weights:
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


# --------------------------------------------------------------------------- cutting

# What is cut at once; each edge is (stack, queries, keys).
CUTS = {
    "nothing": (),
    "encoder it>antecedent": (("encoder", "it", "antecedent"),),
    "encoder it>rival": (("encoder", "it", "rival"),),
    "encoder it>other": (("encoder", "it", "other"),),
    "encoder it>adjective": (("encoder", "it", "adjective"),),
    "encoder it>was": (("encoder", "it", "was"),),
    "encoder rest>antecedent": (("encoder", "rest", "antecedent"),),
    "encoder rest>rival": (("encoder", "rest", "rival"),),
    "encoder before>rest": (("encoder", "before", "rest"),),
    "encoder rest>adjective": (("encoder", "rest but adjective", "adjective"),),
    "cross step>it": (("cross", "step", "it"),),
    "cross step>adjective": (("cross", "step", "adjective"),),
    "cross step>antecedent": (("cross", "step", "antecedent"),),
    "cross step>rival": (("cross", "step", "rival"),),
    "cross step>other": (("cross", "step", "other"),),
    "cross steps>rest": (("cross", "steps", "rest"),),
    "decoder step>noun": (("decoder", "step", "noun"),),
    "decoder step>agreeing": (("decoder", "step", "agreeing"),),
    "decoder step>rival's noun": (("decoder", "step", "rival's noun"),),
    "decoder step>rival's agreeing": (("decoder", "step", "rival's agreeing"),),
    "decoder step>other": (("decoder", "step", "other"),),
    "decoder step>before": (("decoder", "step", "before"),),
    "all roads to antecedent": (
        ("encoder", "rest", "antecedent"),
        ("cross", "steps", "antecedent"),
        ("decoder", "steps", "agreeing"),
    ),
    "all roads to rival": (
        ("encoder", "rest", "rival"),
        ("cross", "steps", "rival"),
        ("decoder", "steps", "rival's agreeing"),
    ),
}
BY_GENDER = ("nothing", "encoder it>antecedent", "encoder it>rival", "encoder it>adjective")


def measure_cuts(
    model: Transformer, data: dict[str, list[Mirrored]], chosen: int, rows: Rows
) -> None:
    """Cut edges, and see what the pronoun does."""
    layer, head = divmod(chosen, model.config.heads)
    cuts = [(name, edges, {}) for name, edges in CUTS.items()]
    one_head = {"layers": [layer], "heads": [head]}
    for edge in ("it>antecedent", "it>rival", "it>other"):
        cuts.append((f"chosen head {edge}", CUTS[f"encoder {edge}"], one_head))
    remains: dict[str, list[Tensor]] = {name: [] for name, _, _ in cuts}
    signs_of: list[Tensor] = []
    for split, pairs in data.items():
        sides = [side for both in pairs for side in (both.sentence, both.mirror)]
        groups = [make_batch(group) for group in batches(sides)]
        signs_of += [signs(batch.sentences) for batch in groups]
        found = {}
        for name, edges, only in cuts:
            parts = []
            for batch in groups:
                with ExitStack() as stack:
                    for edge in edges:
                        marked = batch.edges(*edge)
                        stack.enter_context(forbidding(model, edge[0], marked, **only))
                    parts.append(right_over_wrong(model, batch))
            found[name] = torch.cat(parts)
            rows.add("cut", name, split, found[name] > 0)
            remains[name].append(found[name])
    elle = torch.cat(signs_of) > 0
    before = torch.cat(remains["nothing"])
    for name, parts in remains.items():
        after = torch.cat(parts)
        if name != "nothing":
            rows.add("cut logits", name, "both", before - after)
        if name in BY_GENDER:
            rows.add("cut", name, "elle", after[elle] > 0)
            rows.add("cut", name, "il", after[~elle] > 0)


# -------------------------------------------------------------------------- patching

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
            stack.enter_context(patching(model, "encoder", stage, places, stream))
        streams = stack.enter_context(recording_streams(model))
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


# -------------------------------------------------------------------------- all of it


def measure(
    name: str, path: Path, data: dict[str, list[Mirrored]], validation: list[Sentence]
) -> list[dict]:
    """Measure everything of one model; its name is "arm-seed"."""
    arm, _, seed = name.rpartition("-")
    model = load(path)
    rows = Rows(arm, seed, [])
    with evaluating(model):
        measure_accuracy(model, data, rows)
        chosen = measure_attention(model, data, validation, rows)
        measure_cuts(model, data, chosen, rows)
        for donor in ("adjective", "noun"):
            measure_patches(model, data, donor, rows)
        measure_conflict(model, data, rows)
    return rows.rows


def kept_models(folder: Path) -> dict[str, Path]:
    """List the files of all models, by name; "final-0" is the committed one.

    Raises
    ------
    SystemExit
        If some are missing: which, and what makes them.
    """
    paths = {
        (arm, seed): folder / f"{arm}-{seed}.safetensors"
        for arm, (*_, seeds) in translation.ARMS.items()
        for seed in seeds
    }
    paths["final", 0] = COMMITTED
    missing = {run for run, path in paths.items() if not path.is_file()}
    commands = [
        f"    .venv/bin/python experiments/translation.py {arm} --seeds {seeds}"
        for arm in translation.ARMS
        if (seeds := " ".join(str(seed) for a, seed in sorted(missing) if a == arm))
    ]
    if missing:
        raise SystemExit("\n".join([f"{folder} lacks weights, which these make:", *commands]))
    return {f"{arm}-{seed}": path for (arm, seed), path in paths.items()}


def main() -> None:
    """Measure the models and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trial", type=Path, help="measure this .safetensors file and print")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    trial = arguments.trial
    models = {trial.stem: trial} if trial else kept_models(translation.KEPT)
    data = {name: held_out_sentences(split, MIRRORED) for name, split in HELD_OUT.items()}
    validation = validation_sentences(CHOOSING)
    rows = baselines(data)
    print(f"sentences: {time.process_time():.0f} CPU seconds", flush=True)
    for name, path in models.items():
        rows += measure(name, path, data, validation)
        print(f"{name}: {time.process_time():.0f} CPU seconds", flush=True)
    if trial:
        print(*(" | ".join(row.values()) for row in rows), sep="\n")
        return
    with OUTPUT.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
