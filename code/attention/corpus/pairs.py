"""Sentence pairs: what the grammar hands to the experiments (bottleneck: The sentences)."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from attention._arguments import check_no_text
from attention.corpus.french import french
from attention.corpus.lexicon import ADJECTIVES, CONTRASTS, Adjective
from attention.corpus.parser import candidates, parse, pronouns, tokenize
from attention.corpus.trees import Node, brackets, leaves

Link = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pronoun:
    """A pronoun and what it stands for; all numbers count tokens from 0.

    Attributes
    ----------
    word, translation : str
        ``it`` or ``they``, ``he``, ``she``; ``il``, ``elle``, ``ils``, ``elles``.
    index, target : int
        Its place in English and in French.
    antecedent : int
        The place of the noun that it stands for, in English.
    candidates : tuple of int
        The places of all nouns before it that it could stand for, were it not for
        what is said of it: the antecedent and its rivals, in English.
    nouns : tuple of str
        The names of the candidates (their singular).
    feminine : tuple of bool
        The French genders of the candidates.
    """

    word: str
    translation: str
    index: int
    target: int
    antecedent: int
    candidates: tuple[int, ...]
    nouns: tuple[str, ...]
    feminine: tuple[bool, ...]

    @property
    def noun_pairs(self) -> frozenset[tuple[str, str]]:
        """All pairs of candidates, without order: each in the order of the alphabet."""
        return frozenset(combinations(sorted(self.nouns), 2))

    @property
    def decides(self) -> bool:
        """Say whether the French pronoun depends on which candidate is meant."""
        return len(set(self.feminine)) == 2


@dataclass(frozen=True, slots=True)
class Pair:
    """An English sentence and its French translation.

    Attributes
    ----------
    english, french : tuple of str
        Tokens, in small letters, without punctuation. ``'s`` is a token, and so is an
        elided word with its apostrophe: ``l'``, ``n'``, ``qu'``.
    sure : frozenset of (int, int)
        The alignment: links (English token, French token). A French token has at most
        one sure link.
    possible : frozenset of (int, int)
        The sure links and those that could be drawn as well: of a word that stands
        for two (*du* for *of the*), of *did*, of *for* in *looked for*. Each token of
        either side has a possible link.
    parse : str
        The derivation in brackets, which enclose a category and what it is made of.
    pronouns : tuple of Pronoun
    combinations : frozenset of (str, str)
        The adjectives with the nouns that they are said of, by their names.
    """

    english: tuple[str, ...]
    french: tuple[str, ...]
    sure: frozenset[Link]
    possible: frozenset[Link]
    parse: str
    pronouns: tuple[Pronoun, ...]
    combinations: frozenset[tuple[str, str]]

    @property
    def noun_pairs(self) -> frozenset[tuple[str, str]]:
        """The pairs of candidates of all pronouns."""
        return frozenset().union(*(pronoun.noun_pairs for pronoun in self.pronouns))

    def __str__(self) -> str:
        return f"{as_text(self.english)} / {as_text(self.french)}"


def make_pair(tree: Node) -> Pair:
    """Make a pair of a derivation that is bound and spelled."""
    line = leaves(tree)
    words = french(tree)
    sure = [(source, target) for target, word in enumerate(words) for source in word.sure]
    possible = [(source, target) for target, word in enumerate(words) for source in word.possible]
    first = dict(reversed(sure))
    pronouns = []
    for leaf in line:
        if leaf.symbol == "Pron":
            rivals = candidates(tree, leaf)
            pronouns.append(
                Pronoun(
                    leaf.token,
                    words[first[leaf.index]].text,
                    leaf.index,
                    first[leaf.index],
                    leaf.controller.index,
                    tuple(noun.index for noun in rivals),
                    tuple(noun.word.name for noun in rivals),
                    tuple(noun.word.feminine for noun in rivals),
                )
            )
    return Pair(
        tuple(leaf.token for leaf in line),
        tuple(word.text for word in words),
        frozenset(sure),
        frozenset(sure + possible),
        brackets(tree),
        tuple(pronouns),
        frozenset(
            (leaf.word.name, leaf.controller.word.name)
            for leaf in line
            if isinstance(leaf.word, Adjective)
        ),
    )


def translate(sentence: str | Iterable[str]) -> Pair:
    """Translate an English sentence of the grammar.

    Parameters
    ----------
    sentence : str or tokens
        Text is cut by ``tokenize``.

    Raises
    ------
    ValueError
        If it is not a sentence of the grammar; the message says what is wrong.

    Examples
    --------
    >>> print(translate("The cat slept because it was tired."))
    the cat slept because it was tired / le chat a dormi parce qu'il était fatigué
    """
    tokens = tokenize(sentence) if isinstance(sentence, str) else tuple(sentence)
    return make_pair(parse(tokens))


def contrasts(pair: Pair) -> list[Pair]:
    """Change one adjective so that a pronoun means another noun.

    For each pronoun that something was said of ("it was tired"), each of its rivals, and
    each adjective that can be said of this rival and of no other candidate: the same
    sentence with that adjective. Nothing else differs in English.

    Returns
    -------
    pairs : list of Pair
        In any split; see ``home``.
    """
    tree = parse(pair.english)
    found = []
    for leaf, predicate in pronouns(tree):
        said = predicate.child("Pred")
        for adjective in ADJECTIVES.values() if said else ():
            able = [noun for noun in candidates(tree, leaf) if adjective.suits(noun.word)]
            can_stand = adjective.gradable if said.child("very") else adjective.predicate
            if not can_stand or len(able) != 1 or able[0] is leaf.controller:
                continue
            noun = able[0].word.name
            if any((other, noun) in pair.combinations for other in CONTRASTS[adjective.name]):
                continue  # it is said already, or the contrary
            place = said.child("A").index
            found.append(
                translate((*pair.english[:place], adjective.name, *pair.english[place + 1 :]))
            )
    return found


def as_text(tokens: Iterable[str]) -> str:
    """Write tokens as text: no space after ``l'`` and before ``'s``.

    Raises
    ------
    ValueError
        If they are a text already.
    """
    check_no_text("tokens", tokens, "words, not a text")
    return " ".join(tokens).replace("' ", "'").replace(" 's", "'s")
