"""Derivations: trees whose leaves are the English sentence (bottleneck: The sentences)."""

from dataclasses import dataclass, field

from attention.corpus.lexicon import Adjective, Noun, Verb
from attention.corpus.rules import Rule, is_word

NOUN_SYMBOLS = frozenset({"N", "Attr", "Tool", "Part"})


@dataclass(slots=True, eq=False)
class Leaf:
    """One English token.

    Attributes
    ----------
    symbol : str
        Its category; of a word that stands in the rule itself, the word.
    word : Noun, Adjective, Verb or str
    plural : bool
        The number of a noun.
    token : str
        The word as it is written.
    index : int
        Its place in the sentence.
    controller : Leaf or None
        The noun whose gender and number it takes; of a pronoun, its antecedent.
    preceding : Leaf or None
        Of a verb in "that the cat saw": the noun before *that*, with which a French
        participle agrees.
    negated : bool
        Of a determiner: whether its noun is the object of "did not" or "never".
    """

    symbol: str
    word: Noun | Adjective | Verb | str = ""
    plural: bool = False
    token: str = ""
    index: int = -1
    controller: "Leaf | None" = None
    preceding: "Leaf | None" = None
    negated: bool = False

    @property
    def pronoun(self) -> str:
        """The English pronoun for this noun."""
        if self.plural:
            return "they"
        if "human" in self.word.tags:
            return "she" if self.word.feminine else "he"
        return "it"


@dataclass(slots=True, eq=False)
class Node:
    """A rule and, for each item of its English side, what fills it."""

    rule: Rule
    children: list["Node | Leaf"] = field(default_factory=list)

    @property
    def symbol(self) -> str:
        """The category on the left of the rule."""
        return self.rule.symbol

    def child(self, item: str) -> "Node | Leaf | None":
        """Return the child for an item of the English side, or None."""
        items = self.rule.english
        return self.children[items.index(item)] if item in items else None


def leaves(tree: Node) -> list[Leaf]:
    """List the leaves from left to right."""
    found: list[Leaf] = []
    for child in tree.children:
        if isinstance(child, Leaf):
            found.append(child)
        else:
            found += leaves(child)
    return found


def brackets(tree: Node | Leaf) -> str:
    """Write a tree as nested brackets: ``(NP0 (Det the) (Bar(N) (N cat)))``."""
    if isinstance(tree, Leaf):
        return tree.token if is_word(tree.symbol) else f"({tree.symbol} {tree.token})"
    return f"({tree.symbol} {' '.join(map(brackets, tree.children))})"


def head(phrase: Node) -> Leaf:
    """Return the noun that a noun phrase is about."""
    while isinstance(phrase, Node):
        # The dog of "the girl 's dog" comes last, as the dog of "the black dog" does; the
        # dog of "the dog that slept" and of "the dog with the long tail" comes first.
        if phrase.symbol in ("NP", "NP1") and phrase.rule.english[0] == "NP0":
            phrase = phrase.child("Bar(N)") or phrase.children[0]
        else:
            phrase = phrase.child("Part") or phrase.children[-1]
    return phrase


def determiner(phrase: Node) -> Leaf | None:
    """Return the determiner of a noun phrase's head, or None (in "the girl 's dog")."""
    while phrase.child("Det") is None:
        if phrase.child("'s"):
            return None
        phrase = phrase.children[0]
    return phrase.child("Det")


def bind(tree: Node, controller: Leaf | None = None, preceding: Leaf | None = None) -> None:
    """Tell each leaf which noun it agrees with, and each determiner if it is negated.

    Parameters
    ----------
    tree : Node
        Its nouns are chosen, and its pronouns have their antecedents.
    controller : Leaf, optional
        The noun that the tree is said of: the subject of a verb phrase.
    preceding : Leaf, optional
        See ``Leaf``.
    """
    first = tree.children[0]
    match tree.symbol:
        case "NP0" | "NP1" | "NPof" | "Inst":
            controller = head(tree)
        case "C" | "E" if tree.rule.english[0] in ("NP", "NPof"):
            controller = head(first)
        case "Q" | "P" if tree.rule.english[0] == "Pron":
            controller = first.controller
        case "NP":
            controller = head(first)
        case "Rel" if tree.rule.english[0] == "that":
            controller, preceding = head(tree.child("NP0")), controller
        case "VP" | "VP0" if tree.rule.english[0] in ("Gt", "Gp", "Gd"):
            if {"not", "never"} & set(first.rule.english) and (
                leaf := determiner(tree.children[1])
            ):
                leaf.negated = True
    for child in tree.children:
        if isinstance(child, Node):
            own = child.symbol.startswith("Bar(")  # an adjective agrees with the noun beside it
            bind(child, head(child) if own else controller, preceding)
        else:
            child.controller, child.preceding = controller, preceding


def spell(tree: Node) -> tuple[str, ...]:
    """Write the English sentence, and number the tokens; the tree must be bound."""
    after = " "  # the token that follows
    line = leaves(tree)
    for index in range(len(line) - 1, -1, -1):
        leaf = line[index]
        leaf.token = after = _spell(leaf, after)
        leaf.index = index
    return tuple(leaf.token for leaf in line)


def _spell(leaf: Leaf, after: str) -> str:
    match leaf.word:
        case Noun():
            return leaf.word.english[leaf.plural]
        case Adjective():
            return leaf.word.name
        case Verb():
            return leaf.word.name if leaf.symbol.endswith("0") else leaf.word.past
    match leaf.symbol:
        case "Be":
            return "were" if leaf.controller.plural else "was"
        case "Who":
            return "who" if "human" in leaf.controller.word.tags else "that"
        case "Pron":
            return leaf.controller.pronoun
        case "Det" if leaf.word == "a" and after[0] in "aeiou":
            return "an"
    return leaf.word
