"""Cut a word into the pieces of a vocabulary, as BERT's tokenizer does (family: Exercises)."""

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.family._cut_word_mistakes import MISTAKES
from attention.checks.family._cut_word_steps import UNKNOWN, cutting


def _is_unknown(parts) -> bool:
    return parts[0].tolist() == [UNKNOWN]


def _holds_what_is_not_there(inputs, expected, got):
    return any(piece not in (*inputs["vocabulary"], UNKNOWN) for piece in got[0])


def _is_another_word(inputs, expected, got):
    if UNKNOWN in got[0]:
        return None
    return "".join(piece.removeprefix("##") for piece in got[0]) != inputs["word"]


CUT_WORD = Exercise(
    name="cut_word",
    signature="f(word, vocabulary)",
    outputs=("pieces",),
    reference=cutting(),
    stages=(
        (
            example(word="cat", vocabulary=("dog", "cat")),
            example(word="cats", vocabulary=("cat", "##s")),
            example(word="at", vocabulary=("a", "at", "##t")),
            example(word="ab", vocabulary=("a", "##c", "b")),
            example(word="undone", vocabulary=("un", "##do", "##one", "##ne")),
            example(word="abcde", vocabulary=("ab", "abc", "##d", "##e", "##cde")),
            example(word="papa", vocabulary=("pa", "##p", "##pa", "##a", "p")),
            example(word="abcd", vocabulary=("a", "abc", "##d", "##bcd", "##bc", "bc")),
        ),
        (
            example(word="abc", vocabulary=("a", "ab", "##bc")),
            example(word="sab", vocabulary=("##s", "##a", "##b", "##ab")),
            example(word="axb", vocabulary=("a", "##b", "##a", "[UNK]")),
            example(word="abcx", vocabulary=("a", "##b", "##c", "ab", "##bc")),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "not-in-the-vocabulary",
            "Among your pieces is one that is not in the vocabulary. Each has to stand there as it "
            "is written, with its mark.",
            _holds_what_is_not_there,
        ),
        Symptom(
            "another-word",
            "Put together again, your pieces are another word. Each begins where the one before "
            "it has ended, and the last ends with the word.",
            _is_another_word,
        ),
        Symptom(
            "unknown-too-often",
            "You give a word up that can be cut, going from its beginning and taking the longest "
            "piece each time.",
            lambda inputs, expected, got: _is_unknown(got) and not _is_unknown(expected),
        ),
        Symptom(
            "unknown-missing",
            'There is a place in the word where no piece fits. Then the whole word is ["[UNK]"].',
            lambda inputs, expected, got: _is_unknown(expected),
        ),
    ),
    text=True,
)


def cut_word(answer: object) -> Verdict:
    """Check the cutting of one word into WordPieces.

    ``answer(word, vocabulary)`` takes a string of at least one letter and a tuple of
    strings. A piece that continues a word stands in the vocabulary with ``##``
    before it. It returns a list of strings: the longest piece that the word begins with,
    then the longest that continues it from there, and so on. If at some place there is
    none, the whole word is ``["[UNK]"]``.
    """
    return CUT_WORD.check(answer)
