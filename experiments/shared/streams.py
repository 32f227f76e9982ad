"""A stream of sentences that never come again, and how near it comes to those of a test."""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from attention import corpus
from attention.training import PADDING, Batch, BatchesByLength, LogEntry
from shared.translators import BATCH, numbers

# Batches of each length, in English words, in a round of the stream. There are not many
# different sentences of 5 to 7 words, so it takes fewer of these than of the others.
ROUND = {5: 1, 6: 3, 7: 5} | dict.fromkeys(range(8, 21), 7)
BATCHES = sum(ROUND.values())  # of a round: 100
Sentence = tuple[int, ...]


class Stream(Sequence[Batch]):
    """Batches of the corpus's training split in which no English sentence comes twice.

    Each round is drawn afresh, has as many sentences of each length as any other, and is
    cut and shuffled as an epoch of ``BatchesByLength`` is. So a batch has sentences of one
    length, and the loss of a batch, before its update, is that of sentences never met.

    Parameters
    ----------
    seed : int
    rounds : int
        How many are drawn, of ``BATCHES`` batches each.
    size : int
        Sentences in a batch.
    """

    def __init__(self, seed: int, rounds: int, size: int = BATCH):
        english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
        seen: set[tuple[str, ...]] = set()
        self._batches: list[Batch] = []
        for number in range(rounds):
            pairs = []
            for length, batches in ROUND.items():
                drawn = corpus.draw_split(
                    "train",
                    batches * size,
                    seed=f"stream {seed}, round {number}",
                    keep=lambda pair: pair.english not in seen,
                    lengths=(length,),
                )
                seen.update(pair.english for pair in drawn)
                pairs += [(english.encode(p.english), french.encode(p.french)) for p in drawn]
            epoch = BatchesByLength(pairs, size, seed + 1000 * number)
            # Small numbers, as a stream of some hundred thousand sentences is kept whole.
            self._batches += [
                Batch(epoch[place].source.short(), epoch[place].target.short())
                for place in range(epoch.per_epoch)
            ]

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, step: int) -> Batch:
        batch = self._batches[step]
        return Batch(batch.source.long(), batch.target.long())

    def sentences(self, start: int = 0, stop: int | None = None) -> Iterator[Sentence]:
        """Give the English sentences of some batches, as token numbers without ``END``."""
        for batch in self._batches[start:stop]:
            for row in batch.source.tolist():
                yield tuple(token for token in row if token != PADDING)[:-1]


@cache
def stream(seed: int, rounds: int, size: int) -> Stream:
    """Draw a stream, once for all arms that a process trains on it."""
    return Stream(seed, rounds, size)


def coverage(some: Stream, stops: Sequence[int], tests: Mapping[str, int]) -> list[dict]:
    """Say for each number of updates and each test how near the stream has come to it.

    Parameters
    ----------
    some : Stream
    stops : sequence of increasing numbers
    tests : mapping
        From their names to the numbers of their sentences.

    Returns
    -------
    rows : list of dict
        Columns ``updates`` and ``test``; ``sentences``: how many have been drawn of the
        test's lengths; ``repeated``: how many of these had been drawn before; ``drawn``: the
        share of the test's sentences that have been drawn; and ``one_word_away``: the share
        to which one has been drawn that differs in a single word.
    """
    test_of = {length: test for test in tests for length in corpus.SPLITS[test]}
    wanted = {test: [tuple(source) for source, _ in numbers(test, tests[test])] for test in tests}
    places: dict[tuple[int, Sentence], list[tuple[str, int]]] = {}
    for test, sources in wanted.items():
        for number, source in enumerate(sources):
            for key in _with_a_gap(source):
                places.setdefault(key, []).append((test, number))
    seen: set[Sentence] = set()
    near: set[tuple[str, int]] = set()
    counts, repeated = dict.fromkeys(tests, 0), dict.fromkeys(tests, 0)
    rows, before = [], 0
    for stop in stops:
        for sentence in some.sentences(before, stop):
            if test := test_of.get(len(sentence)):
                counts[test] += 1
                repeated[test] += sentence in seen
                seen.add(sentence)
                for key in _with_a_gap(sentence):
                    near.update(places.get(key, ()))
        before = stop
        rows += [
            {
                "updates": stop,
                "test": test,
                "sentences": counts[test],
                "repeated": repeated[test],
                "drawn": f"{sum(s in seen for s in sources) / len(sources):.4f}",
                "one_word_away": f"{sum(t == test for t, _ in near) / len(sources):.4f}",
            }
            for test, sources in wanted.items()
        ]
    return rows


def _with_a_gap(sentence: Sentence) -> Iterator[tuple[int, Sentence]]:
    """Leave out each word in turn."""
    for place in range(len(sentence)):
        yield place, sentence[:place] + sentence[place + 1 :]


def length_of(batch: Batch) -> int:
    """Say how many English words the sentences of a batch have."""
    return int((batch.source[0] != PADDING).sum()) - 1


def log_rows(log: Sequence[LogEntry], some: Stream, tests: Iterable[str]) -> list[dict]:
    """Write down a run's log, a row for each round: the mean loss by the lengths of the tests.

    Parameters
    ----------
    log : sequence of LogEntry
    some : Stream
        What the run was trained on.
    tests : names of splits
        A loss is empty if no batch of these lengths was met, as in a round that was broken off.
    """
    rows = []
    for start in range(0, len(log), BATCHES):
        entries = log[start : start + BATCHES]
        last, losses = entries[-1], {}
        found = [(length_of(some[entry.step - 1]), entry.loss) for entry in entries]
        for test in tests:
            inside = [loss for length, loss in found if length in corpus.SPLITS[test]]
            losses[f"loss, {test}"] = f"{statistics.mean(inside):.4f}" if inside else ""
        seconds = f"{last.cpu_seconds:.1f}"
        rows.append(
            {"updates": last.step} | losses | {"tokens": last.tokens, "cpu_seconds": seconds}
        )
    return rows
