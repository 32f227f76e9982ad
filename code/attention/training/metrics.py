"""How good translations are: tokens, sentences, BLEU (translation: Habits of training)."""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Int
from torch import Tensor, nn

from attention._arguments import check_no_text, positive_integer
from attention.report import require
from attention.tokens import END, PADDING, Pair, Tokens, pad, unpad
from attention.training.batches import check_pairs, make_batch
from attention.training.modes import device_of, evaluating


def right_tokens(
    model: nn.Module, pairs: Sequence[Pair], size: int = 100
) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]:
    """Count the tokens of each target that the model finds, given the true ones before.

    Token accuracy is ``right.sum() / tokens.sum()``. It flatters: after a mistake
    of its own a model would have to go on from there, and here it need not.

    Parameters
    ----------
    model : nn.Module
    pairs : sequence of Pair
    size : int
        Pairs computed at a time; it does not change the result.

    Returns
    -------
    right, tokens : (pairs,)
        How many it finds, and how many there are, with ``END``; where the model is.

    Raises
    ------
    ValueError
        If there is no pair, or ``size`` is not a positive integer.
    """
    check_pairs(pairs)
    device = device_of(model)
    right = torch.zeros(len(pairs), dtype=torch.long, device=device)
    with evaluating(model):
        for numbers in _similar([source for source, _ in pairs], size):
            batch = make_batch([pairs[number] for number in numbers], device)
            found = model(batch.source, batch.target).argmax(-1)  # (batch, target_length)
            hits = (found == batch.target) & (batch.target != PADDING)
            right[numbers] = hits.sum(-1)
    return right, torch.tensor([len(target) + 1 for _, target in pairs], device=device)


def decode_all(
    decode: Callable[[Tensor], Tensor],
    sources: Sequence[Tokens],
    size: int = 100,
    device: torch.device | str | None = None,
) -> list[list[int]]:
    """Translate sentences of all lengths, those of like length together.

    Parameters
    ----------
    decode : callable
        From a padded source (batch, source_length) to tokens (batch, length):
        ``partial(generate.greedy, model)``, for example.
    sources : sequence of token sequences
    size : int
        Sentences decoded at a time.
    device : torch.device or str, optional
        Where the padded sources should be: where the model is. See ``pad``.

    Returns
    -------
    outputs : list of token lists
        In the order of the sources; each ends in ``END`` unless it was cut off.

    Raises
    ------
    ValueError
        If ``size`` is not a positive integer, or ``pad`` refuses the sources.
    """
    check_no_text("sources", sources, "a sequence of token sequences")
    outputs: list[list[int]] = [[] for _ in sources]
    for numbers in _similar(sources, size):
        rows = decode(pad([sources[number] for number in numbers], device))
        for number, output in zip(numbers, unpad(rows), strict=True):
            outputs[number] = output
    return outputs


def _similar(sources: Sequence[Tokens], size: int) -> list[list[int]]:
    """Group the numbers of the sources so that lengths in a group are alike."""
    size = positive_integer("size", size)
    order = sorted(range(len(sources)), key=lambda number: len(sources[number]))
    return [order[i : i + size] for i in range(0, len(order), size)]


def exact_matches(outputs: Sequence[Tokens], targets: Sequence[Tokens]) -> list[bool]:
    """Say which outputs are their target, token for token, and end where it ends.

    Parameters
    ----------
    outputs : sequence of token sequences
        With ``END``, as ``decode_all`` returns them; without it, it is no match.
    targets : sequence of token sequences
        Without ``END``, as in a ``Pair``.

    Raises
    ------
    ValueError
        If there are more of one than of the other, or text stands for tokens.
    """
    for name, sequences in (("outputs", outputs), ("targets", targets)):
        for tokens in (sequences, *sequences):
            check_no_text(name, tokens, "a sequence of token sequences")
    require(len(outputs) == len(targets), "outputs", f"{len(targets)} of them", len(outputs))
    return [list(output) == [*target, END] for output, target in zip(outputs, targets, strict=True)]


def means_by_length(
    lengths: Sequence[int], values: Sequence[float | int], buckets: Sequence[tuple[int, int]]
) -> list[float]:
    """Average values over the sentences whose length is in each bucket.

    Parameters
    ----------
    lengths, values : sequence
        One of each for every sentence; ``True`` counts as 1.
    buckets : sequence of (shortest, longest)
        Both ends belong to the bucket.

    Returns
    -------
    means : list of float
        NaN for a bucket without a sentence.

    Raises
    ------
    ValueError
        If the lengths are not as many as the values, or one of both is text.
    """
    for name, numbers in (("lengths", lengths), ("values", values)):
        check_no_text(name, numbers, "a number for each sentence")
    require(len(values) == len(lengths), "values", f"{len(lengths)} of them", len(values))
    means = []
    for shortest, longest in buckets:
        inside = [
            float(value)
            for length, value in zip(lengths, values, strict=True)
            if shortest <= length <= longest
        ]
        means.append(sum(inside) / len(inside) if inside else math.nan)
    return means


def bleu(outputs: Sequence[str], references: Sequence[str], tokenize: str = "13a") -> float:
    """Score translations by the runs of 1 to 4 words that they share with a reference.

    BLEU (Papineni et al. 2002), as ``sacrebleu`` computes it (Post 2018): of the
    whole set at once, with one reference for each output.

    Parameters
    ----------
    outputs, references : sequence of str
        Sentences as one would print them.
    tokenize : str
        What counts as a word; "13a" is the standard, "none" splits at blanks.

    Returns
    -------
    score : float
        From 0 to 100.

    Raises
    ------
    ValueError
        If there are no outputs, or more of one than of the other, or one of both is
        not a sequence of strings: a single string is none.
    ImportError
        If ``sacrebleu`` is not installed.
    """
    for name, sentences in (("outputs", outputs), ("references", references)):
        check_no_text(name, sentences, "a sequence of sentences")
        for sentence in sentences:
            require(isinstance(sentence, str), name, "a string in each place", sentence)
    require(len(outputs) > 0, "outputs", "at least one", len(outputs))
    require(len(outputs) == len(references), "outputs", f"{len(references)} of them", len(outputs))
    try:
        from sacrebleu.metrics import BLEU
    except ImportError as error:
        raise ImportError("BLEU needs the package sacrebleu: pip install sacrebleu") from error
    return BLEU(tokenize=tokenize).corpus_score(list(outputs), [list(references)]).score
