"""The words of each language as numbers (bottleneck: From words to numbers).

All words that the grammar can write are listed from the lexicon, and not from
sentences, so the numbers do not depend on any draw.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache

from attention._arguments import as_integer, check_no_text
from attention.corpus import french
from attention.corpus.lexicon import ADJECTIVES, DETERMINERS, NOUNS, PREPOSITIONS, VERBS, Noun
from attention.corpus.parser import word_table
from attention.corpus.rules import rules

PADDING, START, END = 0, 1, 2  # as in attention.training
SPECIALS = ("<padding>", "<start>", "<end>")


class Vocabulary:
    """The numbers of some words: first the special ones, then the rest by the alphabet.

    Attributes
    ----------
    tokens : tuple of str
        The words, each at its number.
    """

    def __init__(self, language: str, words: Iterable[str]):
        check_no_text("words", words, "words, not a text")
        self.language = language
        self.tokens = (*SPECIALS, *sorted(set(words)))
        self._numbers = {token: number for number, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._numbers

    def __repr__(self) -> str:
        words = len(self) - len(SPECIALS)
        return f"Vocabulary({self.language}: {words} words and {len(SPECIALS)} special tokens)"

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Turn tokens into numbers; ``START`` and ``END`` are not added.

        Raises
        ------
        ValueError
            If a word is unknown, or the tokens are a text: ``tokenize`` it first.
        """
        check_no_text("tokens", tokens, "words, not a text")
        return [self._number(token) for token in tokens]

    def decode(self, numbers: Sequence[int]) -> tuple[str, ...]:
        """Turn numbers into tokens, special ones included.

        Raises
        ------
        ValueError
            If a number is not one of the vocabulary's.
        """
        check_no_text("numbers", numbers, "numbers, not a text")
        symbols = len(self)
        expected = f"0 to {symbols - 1}"
        checked = [as_integer("numbers", n, expected, lambda n: 0 <= n < symbols) for n in numbers]
        return tuple(self.tokens[number] for number in checked)

    def _number(self, token: str) -> int:
        if token not in self._numbers:
            like = get_close_matches(token, self.tokens[len(SPECIALS) :])
            hint = f" (it knows: {', '.join(like)})" if like else ""
            raise ValueError(f"tokens: the {self.language} vocabulary has no {token!r}{hint}")
        return self._numbers[token]


@cache
def english_vocabulary() -> Vocabulary:
    """Return the vocabulary of the English side."""
    return Vocabulary("English", (token for words in word_table().values() for token in words))


@cache
def french_vocabulary() -> Vocabulary:
    """Return the vocabulary of the French side."""
    words = {slot.word for options in rules().values() for rule in options for slot in rule.french}
    words -= {"", "Def"}
    words |= {"il", "elle", "ils", "elles", "qui", "en", "se"}
    words |= {"a", "ont", "est", "sont", "était", "étaient", "avait", "avaient"}
    words |= {*french.ELIDED.values(), *french.CONTRACTED.values()}
    for singular, plural in DETERMINERS.values():
        words.update(" ".join((*singular, plural)).split())
    words.update(word for preposition in PREPOSITIONS.values() for word in preposition)
    for noun in NOUNS.values():
        words.update(_french_of(noun))
    return Vocabulary("French", words)


def _french_of(noun: Noun) -> set[str]:
    """Collect the forms of a noun and of all words that agree with it."""
    words = set()
    for plural in noun.numbers:
        form = 2 * plural + noun.feminine
        words.add(noun.french[plural])
        for adjective in ADJECTIVES.values():
            if adjective.suits(noun):
                word = adjective.beside(noun)
                words.add(word.french[form])
                if word.vowel and form == 0 and french.begins_with_vowel(noun.french[0]):
                    words.add(word.vowel)
        for verb in VERBS.values():
            if not verb.auxiliary:
                words.update(verb.french)
            elif verb.auxiliary == "avoir":
                words.add(verb.french[0])
                if verb.relative and verb.objects & noun.tags:
                    words.add(verb.french[form])
            elif verb.subjects & noun.tags:
                words.add(verb.french[form])
    return words
