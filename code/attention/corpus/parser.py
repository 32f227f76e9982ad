"""Read an English sentence back into its derivation, by the same rules (bottleneck: The sentences).

A memo of what each category can be from each token on: at most one derivation
survives for a sentence of the grammar (tested). Pronouns are then resolved by the
lexicon: *it* is the one noun before it of which the rest can be said.
"""

import re
from difflib import get_close_matches
from functools import cache

from attention._arguments import check_no_text
from attention.corpus.lexicon import (
    ADJECTIVES,
    DETERMINERS,
    NOUNS,
    PREPOSITIONS,
    VERBS,
    Adjective,
    Noun,
    Verb,
    noun_categories,
)
from attention.corpus.rules import is_word, rules
from attention.corpus.trees import Leaf, Node, bind, leaves, spell
from attention.report import require

_SHORT_FORMS = {"didn't": "did not", "wasn't": "was not", "weren't": "were not"}


def tokenize(text: str) -> tuple[str, ...]:
    """Cut English text into the grammar's tokens.

    Small letters, no punctuation; ``'s`` is a token of its own, and "didn't" is two.

    Examples
    --------
    >>> tokenize("The girl's dog slept.")
    ('the', 'girl', "'s", 'dog', 'slept')

    Raises
    ------
    ValueError
        If it is no text.
    """
    require(isinstance(text, str), "text", "a string", text)
    text = text.lower().replace("’", "'")
    for short, long in _SHORT_FORMS.items():
        text = text.replace(short, long)
    return tuple(re.sub(r"[.,;:!?]", " ", text.replace("'s", " 's")).split())


@cache
def word_table() -> dict[str, dict[str, list[tuple[Noun | Adjective | Verb | str, bool]]]]:
    """List, by category and token, the words that a token can be, and if it is plural."""
    table: dict[str, dict[str, list]] = {}

    def add(category: str, token: str, word: object, plural: bool = False) -> None:
        table.setdefault(category, {}).setdefault(token, []).append((word, plural))

    for noun in NOUNS.values():
        for category in noun_categories(noun):
            for plural in noun.numbers:
                add(category, noun.english[plural], noun, plural)
    for adjective in ADJECTIVES.values():
        if adjective.place:
            add({"before": "A1", "after": "A2"}[adjective.place], adjective.name, adjective)
        if adjective.predicate:
            add("A", adjective.name, adjective)
    for verb in VERBS.values():
        add(f"V{verb.frame}", verb.past, verb)
        add(f"V{verb.frame}0", verb.name, verb)
    for name in DETERMINERS:
        add("Det", name, name)
    add("Det", "an", "a")
    for name in PREPOSITIONS:
        add("Prep", name, name)
    for category, tokens in {"Be": "was were", "Who": "who that", "Pron": "it they he she"}.items():
        for token in tokens.split():
            add(category, token, token)
    for options in rules().values():
        for rule in options:
            for item in filter(is_word, rule.english):
                table.setdefault(item, {})[item] = [(item, False)]
    del table["Prep"]["front"]  # a rule has "in front of"
    return table


class _Reader:
    """The memo for one sentence."""

    def __init__(self, tokens: tuple[str, ...]):
        self.tokens = tokens
        self.memo: dict[tuple[str, int], list[tuple[Node | Leaf, int]]] = {}
        self.furthest = 0  # how many tokens could be understood

    def read(self, item: str, start: int) -> list[tuple[Node | Leaf, int]]:
        """Return all that ``item`` can be from token ``start`` on, and where each ends."""
        key = item, start
        if key not in self.memo:
            if item in rules():
                self.memo[key] = [
                    (Node(rule, children), end)
                    for rule in rules()[item]
                    for children, end in self._row(rule.english, start)
                ]
            else:
                token = self.tokens[start] if start < len(self.tokens) else ""
                words = word_table()[item].get(token, [])
                self.memo[key] = [(Leaf(item, *word), start + 1) for word in words]
                self.furthest = max(self.furthest, start + bool(words))
        return self.memo[key]

    def _row(self, items: tuple[str, ...], start: int) -> list[tuple[list, int]]:
        if not items:
            return [([], start)]
        return [
            ([child, *others], end)
            for child, middle in self.read(items[0], start)
            for others, end in self._row(items[1:], middle)
        ]


def derivations(tokens: tuple[str, ...]) -> list[Node]:
    """Return all derivations of a sentence, before pronouns are resolved.

    Raises
    ------
    ValueError
        If a word is unknown, there is no derivation, or the tokens are a text.
    """
    check_no_text("tokens", tokens, "words, not a text")
    known = sorted({token for category in word_table().values() for token in category})
    for token in tokens:
        if token not in known:
            like = get_close_matches(token, known)
            hint = f" (it knows: {', '.join(like)})" if like else ""
            raise ValueError(f"sentence: the grammar has no word {token!r}{hint}")
    reader = _Reader(tokens)
    found = [tree for tree, end in reader.read("S", 0) if end == len(tokens)]
    understood = " ".join(tokens[: reader.furthest])
    wanted = f'a sentence of the grammar (understood: "{understood}")'
    require(bool(found), "sentence", wanted, " ".join(tokens))
    return found


def parse(tokens: tuple[str, ...]) -> Node:
    """Return the derivation of an English sentence, bound and spelled.

    Raises
    ------
    ValueError
        If the sentence is not one of the grammar: an unknown word, no derivation, a
        wrong form ("a cats"), or a pronoun that could be no noun before it, or
        several.
    """
    tree = derivations(tokens)[0]
    _resolve(tree)
    bind(tree)
    _check(tree, tokens)
    return tree


def candidates(tree: Node, pronoun: Leaf) -> list[Leaf]:
    """List the nouns before a pronoun that have its number (and, of people, gender)."""
    before = []
    for leaf in leaves(tree):
        if leaf is pronoun:
            break
        if isinstance(leaf.word, Noun):
            before.append(leaf)
    name = pronoun.word or pronoun.controller.pronoun
    return [noun for noun in before if noun.pronoun == name]


def _resolve(tree: Node) -> None:
    """Find the antecedent of each pronoun, by what is said of it."""
    for pronoun, predicate in pronouns(tree):
        if predicate.symbol == "State":
            adjective = predicate.child("Pred").child("A").word
            what, fits = f"be {adjective.name}", adjective.fits
        else:
            verb = next(leaf.word for leaf in leaves(predicate) if isinstance(leaf.word, Verb))
            what, fits = verb.name, verb.subjects
        able = [noun for noun in candidates(tree, pronoun) if noun.word.tags & fits]
        names = [noun.word.english[noun.plural] for noun in able]
        wanted = f'one noun before "{pronoun.word}" that can {what}'
        require(len(able) == 1, "pronoun", wanted, names)
        pronoun.controller = able[0]


def pronouns(node: Node) -> list[tuple[Leaf, Node]]:
    """List the pronouns, from left to right, each with what is said of it."""
    if node.rule.english[0] == "Pron":
        return [(node.children[0], node.children[1])]
    return [
        found for child in node.children if isinstance(child, Node) for found in pronouns(child)
    ]


def _check(tree: Node, tokens: tuple[str, ...]) -> None:
    """Refuse wrong forms: spell the tree anew and compare, and look at the determiners."""
    for right, token in zip(spell(tree), tokens, strict=True):
        require(right == token, "sentence", f'"{right}"', token)
    for leaf in leaves(tree):
        if leaf.symbol == "Det":
            plural = leaf.controller.plural
            singular_forms, plural_form = DETERMINERS[leaf.word]
            number = ("singular", "plural")[plural]
            exists = bool(plural_form if plural else singular_forms[0])
            noun = leaf.controller.token
            require(exists, "sentence", f"a {number} determiner before {noun}", leaf.token)
            if leaf.word in ("any", "some"):
                right = "any" if leaf.negated else "some"
                require(leaf.word == right, "sentence", f'"{right} {noun}"', leaf.token)
        if isinstance(leaf.word, Verb) and leaf.preceding:
            wanted = "another verb after that"
            require(leaf.word.relative > 0, "sentence", wanted, leaf.token)
