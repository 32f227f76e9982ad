"""Sentences with one *it*, their mirrors, and where everything stands in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from attention import corpus
from attention.corpus.lexicon import NOUNS
from attention.corpus.parser import parse
from attention.corpus.parser import pronouns as pronouns_of
from attention.corpus.trees import NOUN_SYMBOLS, Leaf, leaves

Groups = dict[str, list[int]]  # places in a sentence, by what stands there
HELD_OUT = {"two": "pronouns, two nouns", "three": "pronouns, three nouns"}
MIRRORED = 250  # pairs of sentences of each held-out split


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
