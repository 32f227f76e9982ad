"""An English–French grammar, nothing left to guess (bottleneck: The sentences).

One derivation, two sentences: each rule says how its parts are ordered in English and
in French. So every pair comes with its word alignment, its parse, and with the noun
that each pronoun stands for. What a pronoun means is decided by what is said of it
(a cat can be tired and a mat cannot), and the French pronoun by the gender of that
noun.

Where to find what: ``lexicon`` has the words, and what goes with what; ``rules`` has
the rules of both languages; ``french`` says how French words agree and meet;
``shapes`` draws sentences of a given length, and ``writer`` puts words into them, one
by one with ``word_writer`` and ``choices``; ``parser`` reads sentences; ``drawing`` says
which of them are for training.

The text is in small letters, without punctuation. The past is the only tense: the
simple past in English; in French passé composé for what happened, and imparfait for
what was going on (*était*, *aimait*, *regardait*).

Examples
--------
>>> from attention import corpus
>>> pair = corpus.translate("The cat sat on the mat because it was tired.")
>>> corpus.as_text(pair.french)
"le chat s'est assis sur le tapis parce qu'il était fatigué"
>>> train = corpus.draw_split("train", 1000, seed=0)
"""

from attention.corpus import held_out
from attention.corpus.drawing import (
    DEFAULT_SIZES,
    IN_DISTRIBUTION,
    LENGTHS,
    LONGER,
    SPLITS,
    draw_split,
    generate,
    home,
    splits,
)
from attention.corpus.pairs import Pair, Pronoun, as_text, contrasts, translate
from attention.corpus.parser import tokenize
from attention.corpus.vocabulary import (
    END,
    PADDING,
    START,
    Vocabulary,
    english_vocabulary,
    french_vocabulary,
)

__all__ = [
    "DEFAULT_SIZES",
    "END",
    "IN_DISTRIBUTION",
    "LENGTHS",
    "LONGER",
    "PADDING",
    "SPLITS",
    "START",
    "Pair",
    "Pronoun",
    "Vocabulary",
    "as_text",
    "contrasts",
    "draw_split",
    "english_vocabulary",
    "french_vocabulary",
    "generate",
    "held_out",
    "home",
    "splits",
    "tokenize",
    "translate",
]
