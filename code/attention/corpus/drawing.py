"""Sentences for training, and others that it has never seen (bottleneck: The sentences).

Every sentence has one *home*, or none, and the home follows from the sentence alone:
from its length, from the held-out combinations that it has, and from a hash of its
English. So no sentence can stand in two splits, however many are drawn of each and
whatever the seed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from attention._arguments import as_integer, check_no_text
from attention.corpus import held_out
from attention.corpus.choices import MisfitError, pick
from attention.corpus.pairs import Pair, make_pair
from attention.corpus.parser import candidates
from attention.corpus.shapes import shape
from attention.corpus.trees import NOUN_SYMBOLS, Leaf, Node, bind, leaves, spell
from attention.corpus.writer import Writer
from attention.report import require

IN_DISTRIBUTION = range(5, 21)  # English tokens
LONGER = range(21, 41)
LENGTHS = range(4, 41)  # what can be drawn at all

# The lengths of each split's sentences; each length is drawn equally often.
SPLITS: dict[str, range] = {
    "train": IN_DISTRIBUTION,
    "validation": IN_DISTRIBUTION,
    "test": IN_DISTRIBUTION,
    "length 5-8": range(5, 9),
    "length 9-12": range(9, 13),
    "length 13-16": range(13, 17),
    "length 17-20": range(17, 21),
    "longer 21-40": LONGER,
    "unseen combinations": IN_DISTRIBUTION,
    "pronouns, two nouns": range(9, 21),
    "pronouns, three nouns": range(12, 21),
}
_REGIONS = {"train": 0.7, "validation": 0.8, "test": 0.9}  # and to 1 the next ones
_BUCKETS = ("length 5-8", "length 9-12", "length 13-16", "length 17-20")
_RIVALS = {"pronouns, two nouns": 2, "pronouns, three nouns": 3}  # candidates of the pronoun
DEFAULT_SIZES = {name: 1000 for name in SPLITS} | {"train": 60_000}


def home(pair: Pair) -> str | None:
    """Return the name of the one split that a pair may stand in, or None.

    A sentence with a held-out combination of noun and adjective belongs to "unseen
    combinations". One with a pronoun two of whose candidates are a held-out pair
    belongs to "pronouns, two nouns" or "pronouns, three nouns", if the pronoun is the
    only one, an *it*, with so many candidates, and the antecedent and a rival of the
    other French gender are a held-out pair. Both at once, or such a sentence of more
    than 20 tokens, has no home. All others go by their lengths, and by a hash.
    """
    length = len(pair.english)
    unseen = any(held_out.combination(*words) for words in pair.combinations)
    apart = any(held_out.pair(*nouns) for nouns in pair.noun_pairs)
    if length in LONGER:
        return None if unseen or apart else "longer 21-40"
    if length not in IN_DISTRIBUTION or (unseen and apart):
        return None
    if unseen:
        return "unseen combinations"
    if apart:
        return _pronoun_home(pair)
    return _region(pair.english)


def _region(english: tuple[str, ...]) -> str:
    """Say where a sentence goes that has nothing held out, and at most 20 tokens."""
    share = held_out.fraction("sentence", *english)
    for name, end in _REGIONS.items():
        if share < end:
            return name
    return next(name for name in _BUCKETS if len(english) in SPLITS[name])


def _pronoun_home(pair: Pair) -> str | None:
    first, *others = pair.pronouns
    if others or first.word != "it":
        return None
    meant = first.candidates.index(first.antecedent)
    decisive = any(
        held_out.pair(first.nouns[meant], rival)
        for rival, feminine in zip(first.nouns, first.feminine, strict=True)
        if feminine != first.feminine[meant]
    )
    name = next((name for name, n in _RIVALS.items() if n == len(first.candidates)), None)
    return name if decisive else None


# ------------------------------------------------------------------------ drawing

_WORDINGS = 50  # how often a shape is filled with words before another one is drawn
_PATIENCE = 20_000  # wordings in vain, after which there are no more sentences to find


def generate(
    count: int, lengths: Sequence[int] = IN_DISTRIBUTION, seed: int | str = 0
) -> list[Pair]:
    """Draw any number of pairs, from no split in particular; one may come twice.

    Parameters
    ----------
    count : int
    lengths : sequence of int
        English tokens, 4 to 40; each is drawn equally often.
    seed : int or str
        The same seed gives the same pairs on every machine. A larger count gives the
        same ones and more.

    Raises
    ------
    ValueError
        If a length is not between 4 and 40, the count is negative, or the seed is
        neither an integer nor a string.
    """
    count = _checked_count(count)
    require(len(lengths) > 0, "lengths", "at least one", list(lengths))
    lengths = _checked_lengths(lengths, LENGTHS, "numbers from 4 to 40")
    rng = Random(f"generate {_checked_seed(seed)}")
    return [next(_wordings(pick(lengths, rng), rng, unseen=True)) for _ in range(count)]


def _checked_count(count: object) -> int:
    return as_integer("count", count, "a number from 0 on", lambda count: count >= 0)


def _checked_lengths(lengths: Sequence[int], known: Sequence[int], wanted: str) -> list[int]:
    check_no_text("lengths", lengths, wanted)
    return [as_integer("lengths", length, wanted, known.__contains__) for length in lengths]


def _checked_seed(seed: object) -> int | str:
    """Take a seed as it is written: 0, NumPy's 0 and "0" are one seed, and 0.0 is none."""
    return seed if isinstance(seed, str) else as_integer("seed", seed, "an integer or a string")


def draw_split(
    name: str,
    count: int | None = None,
    seed: int | str = 0,
    keep: Callable[[Pair], bool] = lambda pair: True,
    lengths: Sequence[int] | None = None,
) -> list[Pair]:
    """Draw different pairs whose home is one split.

    Parameters
    ----------
    name : str
        One of ``SPLITS``.
    count : int, optional
        Default: that of ``DEFAULT_SIZES``.
    seed : int or str
        As in ``generate``.
    keep : callable, optional
        Which pairs to take; the lengths stay equally frequent.
    lengths : sequence of int, optional
        Some of the split's lengths, if ``keep`` finds nothing among the others.

    Raises
    ------
    ValueError
        If there is no such split, if it has no such lengths, or not so many sentences,
        or the seed is neither an integer nor a string.

    Examples
    --------
    >>> test = draw_split("test", 500)
    >>> with_pronouns = draw_split(
    ...     "validation", 100, keep=lambda pair: len(pair.pronouns) == 1, lengths=range(9, 21)
    ... )
    """
    require(name in SPLITS, "name", f"one of {', '.join(SPLITS)}", name)
    count = _checked_count(DEFAULT_SIZES[name] if count is None else count)
    lengths = SPLITS[name] if lengths is None else lengths
    wanted = f"some of {SPLITS[name].start} to {SPLITS[name].stop - 1}"
    require(len(lengths) > 0, "lengths", wanted, list(lengths))
    lengths = _checked_lengths(lengths, SPLITS[name], wanted)
    rng = Random(f"{name} {_checked_seed(seed)}")
    found: dict[tuple[str, ...], Pair] = {}
    while len(found) < count:
        length = pick(lengths, rng)
        for tries, pair in enumerate(_wordings(length, rng, name == "unseen combinations", name)):
            if pair and pair.english not in found and home(pair) == name and keep(pair):
                found[pair.english] = pair
                break
            enough = f"no more than there are (found {len(found)}, of length {length} no new one)"
            require(tries < _PATIENCE, "count", enough, count)
    return list(found.values())


def splits(sizes: Mapping[str, int] | None = None, seed: int | str = 0) -> dict[str, list[Pair]]:
    """Draw several splits.

    Parameters
    ----------
    sizes : mapping from str to int, optional
        How many pairs of which splits. Default: ``DEFAULT_SIZES``.
    seed : int or str
        As in ``generate``.

    Raises
    ------
    ValueError
        As in ``draw_split``, or if ``sizes`` is no mapping.
    """
    sizes = DEFAULT_SIZES if sizes is None else sizes
    require(isinstance(sizes, Mapping), "sizes", "a number for each name of a split", sizes)
    return {name: draw_split(name, count, seed) for name, count in sizes.items()}


def _wordings(length: int, rng: Random, unseen: bool, split: str = "") -> Iterator[Pair | None]:
    """Draw sentences of one length without end; None for one that is not of the split.

    A shape is kept until a wording of it is taken, or many were not: so the splits
    differ as little as possible in their shapes.
    """
    writer = Writer(rng, unseen)
    while True:
        tree = shape("S", length, rng)
        line = leaves(tree)
        if not _can_be_of(split, [leaf.symbol for leaf in line]):
            continue
        for _ in range(_WORDINGS):
            try:
                writer.write(tree)
            except MisfitError:
                continue
            if split in _RIVALS and not _has_rivals(tree, line, _RIVALS[split]):
                yield None
                continue
            bind(tree)
            english = spell(tree)
            if (split in _REGIONS or split in _BUCKETS) and _region(english) != split:
                yield None
            else:
                yield make_pair(tree)


# What follows only saves time: it drops what ``home`` would refuse, before it is a pair.


def _can_be_of(split: str, symbols: list[str]) -> bool:
    """Say whether a shape, given by its leaves, can become a sentence of a split."""
    if split in _RIVALS:
        if symbols.count("Pron") != 1:
            return False
        before = symbols[: symbols.index("Pron")]
        return sum(symbol in NOUN_SYMBOLS for symbol in before) >= _RIVALS[split]
    if split == "unseen combinations":
        return bool({"A", "A1", "A2"} & set(symbols))
    return True


def _has_rivals(tree: Node, line: list[Leaf], count: int) -> bool:
    """Say whether the only pronoun has so many candidates, of both genders."""
    pronoun = next(leaf for leaf in line if leaf.symbol == "Pron")
    nouns = candidates(tree, pronoun)
    return len(nouns) == count and len({noun.word.feminine for noun in nouns}) == 2
