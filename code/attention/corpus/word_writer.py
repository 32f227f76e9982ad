"""Put single words into a shape: a noun, a verb (bottleneck: The sentences)."""

from collections.abc import Sequence
from random import Random

from attention.corpus.choices import PART, Fits, any_noun, fitting_adjectives, fitting_nouns, pick
from attention.corpus.lexicon import CONTRASTS, VERBS, Adjective, Noun, Tags, Verb
from attention.corpus.trees import Leaf, Node

# The determiners of a noun phrase by its role, each as often as it is to be drawn:
# singular, plural.
_DETERMINERS = {
    "plain": ("the the the a a this".split(), "the the the some some these two many".split()),
    "negated": ("the the this a".split(), "the the these any".split()),
    "definite": ("the the the this".split(), "the the these".split()),
    "place": ("the the the the a this".split(), "the the the these two".split()),
}
_PLURAL = 0.4  # how often a noun that has a plural stands in it


class WordWriter:
    """Puts single words into a shape, and remembers which.

    Parameters
    ----------
    rng : random.Random
    unseen : bool
        Whether noun and adjective may be a combination that is held out.
    """

    def __init__(self, rng: Random, unseen: bool = False):
        self.rng, self.unseen = rng, unseen
        self.mentioned: list[Leaf] = []  # the nouns, from left to right; none comes twice
        self.said: dict[Leaf, list[Adjective]] = {}  # of each noun
        self.done: set[Verb] = set()  # no verb comes twice
        self.recent = 0  # where the nouns of the last clauses begin in ``mentioned``

    def bar(self, node: Node, tags: Tags, fits: Fits = any_noun, singular: bool = False) -> Leaf:
        """Fill in a noun and the adjectives beside it; return the noun."""
        places = {"A1": "before", "A2": "after"}
        wanted = tuple(places[item] for item in node.rule.english[:-1])
        noun = self.noun(node.children[-1], tags, wanted, fits, singular)
        for leaf, place in zip(node.children, wanted, strict=False):
            self.adjective(leaf, noun, fitting_adjectives(noun.word, place, self.unseen))
        return noun

    def noun(
        self,
        leaf: Leaf,
        tags: Tags,
        places: tuple[str, ...] = (),
        fits: Fits = any_noun,
        singular: bool = False,
    ) -> Leaf:
        """Fill in a noun that was not mentioned before."""
        numbers = (False,) if singular else (False, True)
        mentioned = {other.word for other in self.mentioned}
        nouns = fitting_nouns(leaf.symbol, tags, numbers, places, self.unseen)
        leaf.word = pick([noun for noun in nouns if noun not in mentioned and fits(noun)], self.rng)
        numbers = tuple(number for number in numbers if number in leaf.word.numbers)
        leaf.plural = numbers[self.rng.random() < _PLURAL] if len(numbers) == 2 else numbers[0]
        self.mentioned.append(leaf)
        self.said[leaf] = []
        return leaf

    def determiner(self, leaf: Leaf, noun: Leaf, role: str) -> None:
        """Fill in a determiner."""
        leaf.word = pick(_DETERMINERS[role][noun.plural], self.rng)

    def adjective(self, leaf: Leaf, noun: Leaf, options: Sequence[Adjective]) -> None:
        """Fill in an adjective that does not repeat or deny what was said of the noun."""
        taken = {word for said in self.said[noun] for word in CONTRASTS[said.name]}
        leaf.word = pick([one for one in options if one.name not in taken], self.rng)
        self.said[noun].append(leaf.word)

    def verb(self, node: Node, subject: Noun | None = None, what: Noun | None = None) -> Verb:
        """Fill in the verb of a verb phrase, for a subject or an object if these are known."""
        group = next(child for child in node.children if child.symbol[0] == "G")
        leaf = next(child for child in group.children if child.symbol[0] == "V")
        tool, place = node.child("Inst"), node.child("Where")
        part = node.child("NPof") if node.symbol == "VP" else None
        leaf.word = pick(
            [
                verb
                for verb in VERBS.values()
                if verb.frame == leaf.symbol[1]
                and verb not in self.done
                and (subject is None or verb.subjects & subject.tags)
                and (what is None or verb.objects & what.tags)
                and (verb.tools or not tool)
                and (verb.where or not place)
                and (verb.objects & PART or not part)
                and (verb.auxiliary or not group.child("never"))  # no "n'aimait jamais"
                for _ in range(verb.relative if what else 1)
            ],
            self.rng,
        )
        self.done.add(leaf.word)
        return leaf.word

    def candidates(self, word: str) -> list[Leaf]:
        """List the nouns so far that a pronoun could stand for.

        *He* and *she* must have one only: every person can be tired.
        """
        candidates = [noun for noun in self.mentioned if noun.pronoun == word]
        return candidates if word in ("it", "they") or len(candidates) == 1 else []
