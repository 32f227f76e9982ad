"""French: words in order, each with its links to the English (alignment: Alignment error rate).

Three steps. The rules give the order (``chat noir``, ``ne a pas vu``). Each word takes
the form that its noun asks for (``noire``, ``sont tombées``). Last, neighbours meet:
``n'a``, ``l'oiseau``, ``cet oiseau``, ``du roi``. An elided word is a token of its own
and keeps its apostrophe: ``l'``, ``n'``, ``qu'``.
"""

from dataclasses import dataclass

from attention.corpus.lexicon import (
    ASPIRATED,
    DETERMINERS,
    PREPOSITIONS,
    Adjective,
    Noun,
    Verb,
)
from attention.corpus.trees import Leaf, Node, head

ELIDED = {"le": "l'", "la": "l'", "de": "d'", "que": "qu'", "ne": "n'", "se": "s'", "ce": "cet"}
CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}
_BE = {False: ("est", "était"), True: ("sont", "étaient")}
_HAVE = {False: ("a", "avait"), True: ("ont", "avaient")}


@dataclass(slots=True)
class Word:
    """A French token, and the English tokens that it translates surely and possibly."""

    text: str
    sure: tuple[int, ...]
    possible: tuple[int, ...] = ()


def begins_with_vowel(word: str) -> bool:
    """Say whether French elides before a word: before a vowel, and a mute h."""
    return word[0] in "aeiouyàâéèêîôûœ" or (word[0] == "h" and word not in ASPIRATED)


def french(tree: Node) -> list[Word]:
    """Translate a tree, which must be bound and spelled."""
    words: list[Word] = []
    _order(tree, words)
    return _meet(words)


def _order(node: Node, words: list[Word]) -> None:
    """Append a node's words in the order of its rule's French side."""
    for slot in node.rule.french:
        sure = tuple(node.children[item].index for item in slot.sure)
        possible = tuple(node.children[item].index for item in slot.possible)
        if slot.word == "Def":
            noun = next(head(child) for child in node.children[1:] if isinstance(child, Node))
            words.append(Word(_article("the", noun), sure, possible))
        elif slot.child < 0:
            words.append(Word(slot.word, sure, possible))
        elif isinstance(child := node.children[slot.child], Node):
            _order(child, words)
        else:
            _append(child, slot.part, possible, node, words)


def _append(
    leaf: Leaf, part: str, possible: tuple[int, ...], parent: Node, words: list[Word]
) -> None:
    """Append the French of one English word, in its form."""
    forms = _forms(leaf, part, parent)
    sure = (leaf.index,)
    if part == "finite" and possible and leaf.word.auxiliary:
        # In "did not see", the a of "n'a pas vu" stands as well for did as for see.
        sure, possible = (), (leaf.index, *possible)
    words.extend(Word(form, sure, possible) for form in forms)


def _forms(leaf: Leaf, part: str, parent: Node) -> tuple[str, ...]:
    noun = leaf.controller
    match leaf.word:
        case Noun():
            return (leaf.word.french[leaf.plural],)
        case Adjective():
            return _adjective(leaf.word, noun, beside=leaf.symbol != "A")
        case Verb() if part == "participle":
            # It agrees with the subject after être, with a preceding object after avoir.
            agrees = leaf.preceding if leaf.word.auxiliary == "avoir" else noun
            return (_agree(leaf.word.french, agrees),) if leaf.word.auxiliary else ()
        case Verb():
            return _finite(leaf.word, noun.plural)
    match leaf.symbol:
        case "Det":
            bar = parent.children[1]
            adjective = isinstance(bar, Node) and bar.rule.english[0] == "A1"
            if (leaf.word == "some" and adjective) or (leaf.word == "a" and leaf.negated):
                return ("de",)  # de petits chats; n'a pas vu de chat
            return tuple(_article(leaf.word, noun).split())
        case "Prep":
            return PREPOSITIONS[leaf.word]
        case "Be":
            adjective = parent.child("Pred")
            had = adjective and adjective.child("A").word.idiom == "avoir"
            return ((_HAVE if had else _BE)[noun.plural][1],)
        case "Who":
            return ("qui",)
        case _:
            return (_pronoun(noun),)


def _agree(forms: tuple[str, ...], noun: Leaf | None) -> str:
    return forms[2 * noun.plural + noun.word.feminine] if noun else forms[0]


def _adjective(word: Adjective, noun: Leaf, beside: bool) -> tuple[str, ...]:
    word = word.beside(noun.word)
    form = _agree(word.french, noun)
    if beside and word.vowel and form == word.french[0] and not noun.plural:
        form = word.vowel if begins_with_vowel(noun.word.french[0]) else form
    return ("en", form) if word.idiom == "en" else (form,)


def _finite(verb: Verb, plural: bool) -> tuple[str, ...]:
    match verb.auxiliary:
        case "avoir":
            return (_HAVE[plural][0],)
        case "être":
            return (_BE[plural][0],)
        case "se":
            return ("se", _BE[plural][0])
        case _:
            return (verb.french[plural],)


def _article(name: str, noun: Leaf) -> str:
    singular, plural = DETERMINERS[name]
    return plural if noun.plural else singular[noun.word.feminine]


def _pronoun(noun: Leaf) -> str:
    return ("elle" if noun.word.feminine else "il") + "s" * noun.plural


def _meet(words: list[Word]) -> list[Word]:
    """Elide and contract: the last step of a French sentence."""
    line: list[Word] = []
    for number, word in enumerate(words):
        follower = words[number + 1].text if number + 1 < len(words) else "."
        if word.text in ELIDED and begins_with_vowel(follower):
            word.text = ELIDED[word.text]
        if line and (line[-1].text, word.text) in CONTRACTED:
            word.text = CONTRACTED[line[-1].text, word.text]
            before = line.pop()
            # One word for two: possibly linked to either, surely to neither.
            word.possible = (*before.sure, *before.possible, *word.sure, *word.possible)
            word.sure = ()
        line.append(word)
    return line
