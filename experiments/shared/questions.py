"""Ask models of three kinds the same: a word that is missing, the next word, a translation.

There are three tasks, each with some English words *given*:

    GAP      the word that stands at ``BLANK`` in a sentence
    NEXT     the word after the beginning of a sentence, and after what has been *written*
    FRENCH   the French word after what has been written, of a sentence

Each kind reads in its own way what may be known. One that fills gaps has to be told how many
words there will be, so it knows more than the others.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attention.tokens import END, PADDING, START
from attention.training import evaluating
from shared.kinds import BLANK, BOTH, GAP_FILLERS
from shared.one_text import EQUALS

GAP, NEXT, FRENCH = "gap", "next", "French"
ENDS = (END, EQUALS)
NEVER = [PADDING, START, BLANK]  # what nobody may write
AT_A_TIME = 2000  # rows

Words = Sequence[int]
LogP = Float[Tensor, "questions symbols"]
Answer = Callable[[Sequence["Question"]], LogP]


class Question(NamedTuple):
    """One thing to ask for.

    Attributes
    ----------
    task : GAP, NEXT or FRENCH
    given, written : sequence of word numbers
    length : int
        Words of the whole that is to be written, those given included in NEXT; only gap
        fillers hear of it.
    """

    task: str
    given: Words
    written: Words = ()
    length: int = 0


def missing(question: Question, written: Words | None = None) -> int:
    """Count the words that are still to be written, if the length is known."""
    done = len(question.written if written is None else written)
    return question.length - done - (len(question.given) if question.task == NEXT else 0)


class Read(NamedTuple):
    """What a model reads, and at which place of the text it answers."""

    source: list[int]  # of an encoder-decoder; else empty
    text: list[int]
    place: int


def as_read(kind: str, question: Question) -> Read:
    """Say what a kind of model reads to answer a question."""
    task, given, written, _ = question
    known = [*given, EQUALS, *written] if task == FRENCH else [*given, *written]
    if kind == BOTH:
        source = [*given, BLANK] if task == NEXT else [*given]
        return Read([*source, END], [START, *written], len(written))
    if kind in GAP_FILLERS:
        if task == GAP:
            return Read([], [*given, END], known.index(BLANK))
        return Read([], [*known, *[BLANK] * missing(question), END], len(known))
    if task == GAP:  # what stands on the right of it cannot be read
        known = known[: known.index(BLANK)]
    return Read([], [START, *known], len(known))


def rectangle(rows: Sequence[Words]) -> Tensor:
    """Write rows below each other, with padding on the right."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[PADDING] * (longest - len(row))] for row in rows])


def without_marks(logits: Tensor) -> Tensor:
    """Forbid padding, start and gap: they are no answers."""
    logits = logits.clone()
    logits[..., NEVER] = -torch.inf
    return logits


def answers(kind: str, model: nn.Module, questions: Sequence[Question]) -> LogP:
    """Give the log-probabilities of all symbols for each question."""
    found = []
    with evaluating(model):
        for start in range(0, len(questions), AT_A_TIME):
            some = [as_read(kind, each) for each in questions[start : start + AT_A_TIME]]
            sources, texts, places = zip(*some, strict=True)
            text = rectangle(texts)
            if kind == BOTH:
                logits = model.decode(text, *model.encode(rectangle(sources)))
            else:
                logits = model(text)  # (questions, length, symbols)
            asked = logits[torch.arange(len(some)), torch.tensor(places)]
            found.append(without_marks(asked).log_softmax(-1))
    return torch.cat(found)


def every_word_tried(
    model: nn.Module, question: Question, candidates: Words
) -> Float[Tensor, " candidates"]:
    """Fill a gap with a model that predicts what comes next: by the whole sentence's probability.

    Each candidate is put into the gap, and the sentence is read as often as there are
    candidates. Returned are log-probabilities, given that it is one of them.
    """
    place = list(question.given).index(BLANK)
    rows = torch.tensor([START, *question.given, END]).repeat(len(candidates), 1)
    rows[:, place + 1] = torch.tensor(candidates)
    with evaluating(model):
        log_p = model(rows[:, :-1]).log_softmax(-1)  # (candidates, length, symbols)
    scores = log_p.gather(2, rows[:, 1:, None]).squeeze(2).sum(1)
    return scores.log_softmax(0)


def write(
    answer: Answer,
    questions: Sequence[Question],
    choose: Callable[[LogP], Tensor],
    most: int,
    told_length: bool,
) -> list[list[int]]:
    """Write word after word.

    Parameters
    ----------
    answer : callable
        From questions to log-probabilities.
    questions : sequence of Question
        With nothing written.
    choose : callable
        From log-probabilities to tokens (questions,).
    most : int
        Tokens after which a text that has not ended is left as it is.
    told_length : bool
        End where the question says, and not only where the model does.

    Returns
    -------
    texts : list of token lists
        What was written, without the end.
    """
    written: list[list[int]] = [[] for _ in questions]
    unfinished = list(range(len(questions)))
    for _ in range(most):
        if told_length:
            unfinished = [n for n in unfinished if missing(questions[n], written[n])]
        if not unfinished:
            break
        asked = [questions[n]._replace(written=written[n]) for n in unfinished]
        tokens = choose(answer(asked)).tolist()
        for number, token in zip(unfinished, tokens, strict=True):
            written[number].append(token)
        unfinished = [n for n in unfinished if written[n][-1] not in ENDS]
    return [text[:-1] if text and text[-1] in ENDS else text for text in written]


def all_at_once(kind: str, model: nn.Module, questions: Sequence[Question]) -> list[list[int]]:
    """Fill all gaps of each translation in one reading, each with its likeliest word."""
    reads = [as_read(kind, each) for each in questions]
    with evaluating(model):
        logits = model(rectangle([read.text for read in reads]))
    best = without_marks(logits).argmax(-1)  # (questions, length)
    return [
        row[read.place : read.place + question.length].tolist()
        for row, read, question in zip(best, reads, questions, strict=True)
    ]
