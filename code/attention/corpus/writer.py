"""Put words into a shape, so that the sentence makes sense (bottleneck: The sentences).

From left to right: a verb first, then a subject that can do it and an object that it
can be done to. A pronoun comes with something to say that is true of one of the nouns
before it and of no other: what it means is decided by sense, and not by position.
"""

from collections.abc import Sequence

from attention.corpus.choices import PART, Fits, MisfitError, any_noun, fitting_adjectives, pick
from attention.corpus.lexicon import PREPOSITIONS, Adjective, Noun, Tags, Verb, grounds
from attention.corpus.trees import Leaf, Node
from attention.corpus.word_writer import WordWriter

_PRONOUNS = "it it it it it it it it they they they he she".split()

_ANYTHING: Tags = frozenset({"animate", "food", "thing", "place", "part"})
_ANIMATE: Tags = frozenset({"animate"})
_HUMAN: Tags = frozenset({"human"})
_TOOL: Tags = frozenset({"tool"})
_BUILDING: Tags = frozenset({"building"})
_ATTRIBUTES = {"human": "clothing", "tailed": "tail", "eared": "ears", "building": "part"}


def _can_be_owned(noun: Noun) -> bool:
    return not noun.tags & {"human", "public"}


def _attributes(noun: Noun) -> Tags:
    """Collect the tags of what a noun can be *with*: a hat, a long tail, a red roof."""
    return frozenset(part for owner, part in _ATTRIBUTES.items() if owner in noun.tags)


class Writer(WordWriter):
    """Puts words into shapes.

    Parameters
    ----------
    rng : random.Random
    unseen : bool
        Whether noun and adjective may be a combination that is held out.
    """

    def write(self, tree: Node) -> None:
        """Fill in all words of a shape.

        Raises
        ------
        MisfitError
            If there are none for it, given the ones drawn first.
        """
        self.mentioned, self.said, self.done, self.recent = [], {}, set(), 0
        self.clauses(tree)

    def clauses(self, node: Node) -> None:
        """Fill in a sentence, or a part of it down to the clause."""
        match node.rule.english:
            case ("NP", "VP"):
                verb = self.verb(node.children[1])
                subjects = _HUMAN if node.children[1].child("Inst") else verb.subjects
                noun = self.noun_phrase(node.children[0], subjects)
                self.verb_phrase(node.children[1], verb, noun)
            case ("NPof", "Gi"):
                noun = self.noun_phrase(node.children[0], PART)
                self.verb(node, subject=noun.word)
            case ("NP" | "NPof", "State"):
                noun = self.noun_phrase(node.children[0], _ANYTHING, "definite")
                self.state(node.children[1], noun)
            case ("NP", "Be", *_):
                noun = self.noun_phrase(node.children[0], _ANYTHING, "definite")
                self.where(node.child("Where"), noun, frozenset(PREPOSITIONS))
            case ("Pron", "State"):
                self.pronoun_and_state(node.children[0], node.children[1])
            case ("Pron", "VP"):
                self.pronoun_and_verb(node.children[0], node.children[1])
            case _:
                if node.symbol == "B":
                    self.recent = len(self.mentioned)
                for child in node.children:
                    if isinstance(child, Node):
                        self.clauses(child)

    def noun_phrase(
        self,
        node: Node,
        tags: Tags,
        role: str = "plain",
        fits: Fits = any_noun,
        singular: bool = False,
    ) -> Leaf:
        """Fill in a noun phrase; return its head.

        Parameters
        ----------
        node : Node
        tags : Tags
            The head has one of them.
        role : str
            Which determiners it can have.
        fits : callable
            What else the head must be.
        singular : bool
            Whether the head must be singular.
        """
        match node.rule.english:
            case ("NP0", "Rel"):
                # French would want a subjunctive in "did not see a cat that slept".
                role = "definite" if role == "negated" else role
                noun = self.noun_phrase(node.children[0], tags, role)
                self.relative(node.children[1], noun)
            case ("NP0", "with", "the", _):
                bare = len(node.children[3].children) == 1
                owners = _HUMAN if bare else frozenset(_ATTRIBUTES)  # no "dog with the tail"
                noun = self.noun_phrase(
                    node.children[0], tags, role, lambda noun: bool(noun.tags & owners), True
                )
                self.bar(
                    node.children[3],
                    _attributes(noun.word),
                    fits=lambda worn: not worn.tags & {"ladies"} or "lady" in noun.word.tags,
                )
            case ("NP0", "'s", _):
                self.noun_phrase(node.children[0], _HUMAN, "place", singular=True)
                noun = self.bar(node.children[2], tags, fits=_can_be_owned)
            case ("Det", "Part", *_):
                noun = self.noun(node.children[1], tags)
                node.children[0].word = "the"
                self.noun_phrase(node.children[3], _BUILDING, "place", singular=True)
            case ("Det", _):
                noun = self.bar(node.children[1], tags, fits, singular)
                self.determiner(node.children[0], noun, role)
            case _:
                noun = self.noun_phrase(node.children[0], tags, role, fits, singular)
        return noun

    def relative(self, node: Node, noun: Leaf) -> None:
        """Fill in a relative clause about a noun."""
        match node.rule.english:
            case ("Who", "VP0"):
                verb = self.verb(node.children[1], subject=noun.word)
                self.verb_phrase(node.children[1], verb, noun)
            case ("Who", "State"):
                self.state(node.children[1], noun)
            case _:  # that NP0 Gt
                verb = self.verb(node, what=noun.word)
                self.noun_phrase(node.children[1], verb.subjects)

    def verb_phrase(self, node: Node, verb: Verb, subject: Leaf) -> None:
        """Fill in what comes after the verb."""
        negative = {"not", "never"} & set(node.children[0].rule.english)
        figure = subject
        for item, child in zip(node.rule.english[1:], node.children[1:], strict=True):
            match item:
                case "NP" | "NP1" if verb.frame == "g":
                    self.noun_phrase(child, verb.objects, "place")
                case "NP0" if verb.frame == "d":
                    self.noun_phrase(child, _ANIMATE, "place")
                case "NP" | "NP0" | "NP1" | "NPof":
                    # Not "n'aimait pas de chat": odd, where nothing happened.
                    role = ("negated" if verb.auxiliary else "definite") if negative else "plain"
                    what = self.noun_phrase(child, verb.objects, role)
                    figure = what if verb.figure == "object" else subject
                case "Where":
                    self.where(child, figure, verb.where)
                case "Inst":
                    tool = self.bar(
                        child.children[1], _TOOL, lambda noun, verb=verb: noun.name in verb.tools
                    )
                    self.determiner(child.children[0], tool, "place")

    def where(self, node: Node, figure: Leaf, prepositions: frozenset[str]) -> None:
        """Fill in a place for a noun, such as "on the mat"."""
        in_front, of = node.child("front") is not None, node.child("NPof") is not None
        fitting = [
            name
            for name in PREPOSITIONS
            if name in prepositions
            and (name == "front") == in_front
            and (grounds(name, figure.word) & PART if of else grounds(name, figure.word))
        ]
        preposition = pick(fitting, self.rng)
        if leaf := node.child("Prep"):
            leaf.word = preposition
        self.noun_phrase(node.children[-1], grounds(preposition, figure.word), "place")

    def state(self, node: Node, noun: Leaf, options: Sequence[Adjective] | None = None) -> None:
        """Fill in what a noun was: tired, not very big."""
        predicate = node.child("Pred")
        if options is None:
            options = fitting_adjectives(noun.word, "predicate", self.unseen)
        if predicate.child("very"):
            options = [adjective for adjective in options if adjective.gradable]
        self.adjective(predicate.child("A"), noun, options)

    def pronoun_and_state(self, leaf: Leaf, state: Node) -> None:
        """Fill in "it was tired": of all nouns that *it* could be, one can be tired."""
        word = pick([word for word in _PRONOUNS if self.candidates(word)], self.rng)
        candidates = self.candidates(word)
        telling = {
            noun: [
                adjective
                for adjective in fitting_adjectives(noun.word, "predicate", self.unseen)
                if sum(adjective.suits(other.word) for other in candidates) == 1
            ]
            for noun in candidates
            if noun in self.mentioned[self.recent :]
        }
        leaf.controller = pick([noun for noun, words in telling.items() if words], self.rng)
        self.state(state, leaf.controller, telling[leaf.controller])

    def pronoun_and_verb(self, leaf: Leaf, phrase: Node) -> None:
        """Fill in "it slept": of all nouns that *it* could be, one can sleep."""
        verb = self.verb(phrase)
        subjects = _HUMAN if phrase.child("Inst") else verb.subjects
        doers = {}
        for word in _PRONOUNS:
            able = [noun for noun in self.candidates(word) if noun.word.tags & verb.subjects]
            if len(able) == 1 and able[0] in self.mentioned[self.recent :]:
                doers[word] = able[0]
        leaf.controller = doers[pick([word for word in _PRONOUNS if word in doers], self.rng)]
        if not leaf.controller.word.tags & subjects:
            raise MisfitError
        self.verb_phrase(phrase, verb, leaf.controller)
