"""The exercises of chapter 5, What may be seen.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked.

A mask is boolean, and ``True`` means *may attend*.
"""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

Array = np.ndarray


# --------------------------------------------------------- masks in general


def _query_and_key(length: int) -> tuple[Array, Array]:
    """Give the positions of the queries, (length, 1), and of the keys, (length,)."""
    return np.arange(length)[:, None], np.arange(length)


def _is_additive(inputs, expected, got):
    if got[0].dtype == bool:
        return False
    if expected[0].all() and not got[0].any():  # nothing hidden, so nothing to add
        return None
    # NaN is what 0 times infinity leaves of such a mask.
    return not (got[0] >= 0).all()


NUMBERS_FOR_BOOLEANS = (
    Symptom(
        "additive-mask",
        "Your mask holds numbers to add to the scores, such as 0 and minus infinity. Here a mask "
        "says who may attend: True or False.",
        _is_additive,
    ),
    Symptom(
        "numbers-for-booleans",
        "Your mask holds numbers. As an index or under ~, 0 and 1 do something else than False "
        "and True, and added to scores they hide nothing: compare, so that it holds booleans.",
        lambda inputs, expected, got: got[0].dtype != bool,
    ),
)
SEES_THE_FUTURE = Symptom(
    "sees-the-future",
    "Some position may attend to a later one: above the diagonal there is a True.",
    lambda inputs, expected, got: np.triu(got[0], 1).any(),
)


def _lets_in_too_much(inputs, expected, got):
    return (got[0] > expected[0]).any()


def _hides_too_much(inputs, expected, got):
    return (got[0] < expected[0]).any()


INVERTED = (
    "Your mask is the exact opposite: True where attending is forbidden. Some libraries want it "
    "that way; in this book True means that the query may attend."
)

# -------------------------------------------------------------- causal_mask


def _causal(allowed: Callable) -> Callable:
    """Make a mask from a rule for the position of the query and that of the key."""
    return lambda length: np.broadcast_to(allowed(*_query_and_key(length)), (length, length))


CAUSAL_MASK = Exercise(
    name="causal_mask",
    signature="f(length)",
    outputs=("mask",),
    reference=by_hand.causal_mask,
    stages=(tuple(example(length=length) for length in (1, 2, 3, 4)),),
    misconceptions=(
        misconception(
            "transposed",
            "Your mask is transposed: each position sees itself and what comes after it. The "
            "rows are the queries, the columns the keys.",
            _causal(lambda query, key: key >= query),
        ),
        misconception(
            "inverted",
            INVERTED,
            _causal(lambda query, key: key > query),
        ),
        misconception(
            "excludes-itself",
            "No position may attend to itself, and the first may attend to nothing at all. The "
            "diagonal belongs to what may be seen: the next token is predicted, not this one.",
            _causal(lambda query, key: key < query),
        ),
        misconception(
            "one-step-into-the-future",
            "Each position also sees the one after it. That one token is just what it has to "
            "predict.",
            _causal(lambda query, key: key <= query + 1),
        ),
        misconception(
            "everything-allowed",
            "Your mask is True everywhere, so it hides nothing.",
            _causal(lambda query, key: True),
        ),
        misconception(
            "nothing-allowed",
            "Your mask is False everywhere: nobody may attend to anything.",
            _causal(lambda query, key: False),
        ),
        misconception(
            "only-itself",
            "Each position sees itself alone. What came before it may be seen too.",
            _causal(lambda query, key: key == query),
        ),
        misconception(
            "only-the-previous",
            "Each position sees only the one right before it. It may see itself and everything "
            "before it.",
            _causal(lambda query, key: key == query - 1),
        ),
        misconception(
            "itself-and-the-previous",
            "Each position sees itself and one before it. It may see everything before it.",
            _causal(lambda query, key: (key <= query) & (key >= query - 1)),
        ),
        misconception(
            "mirrored",
            "The triangle stands in the wrong corner: your mask is mirrored. The diagonal runs "
            "from the top left to the bottom right, and what lies below it is True.",
            lambda length: np.fliplr(by_hand.causal_mask(length)),
            lambda length: np.flipud(by_hand.causal_mask(length)),
        ),
        misconception(
            "first-column-only",
            "Every position sees only the first one. A row is one query: its entries are True up "
            "to its own position.",
            _causal(lambda query, key: key == 0),
        ),
    ),
    symptoms=(
        *NUMBERS_FOR_BOOLEANS,
        SEES_THE_FUTURE,
        Symptom(
            "hides-the-past",
            "Nobody sees the future, but not all of the past may be seen: on or below the "
            "diagonal there is a False.",
            _hides_too_much,
        ),
    ),
    boolean=True,
)


def causal_mask(answer: object) -> Verdict:
    """Check the mask that hides the future.

    ``answer(length)`` takes the number of positions and returns a boolean
    array (length, length): ``True`` where the query of this row may attend to
    the key of this column, that is to itself and to what came before.
    """
    return CAUSAL_MASK.check(answer)


# ------------------------------------------------------------ combined_mask


def _combined(allowed: Callable) -> Callable:
    """Make masks from a rule for query, key, real tokens and number of positions."""

    def mask(lengths, length):
        query, key = _query_and_key(length)  # (length, 1), (length,)
        real = lengths[:, None, None]  # (batch, 1, 1)
        return np.broadcast_to(allowed(query, key, real, length), (len(lengths), length, length))

    return mask


def _causal_for_length(choose: Callable) -> Callable:
    """Make one mask for the whole batch, from one of its lengths."""

    def mask(lengths, length):
        query, key = _query_and_key(length)
        return (key <= query) & (key < choose(lengths))

    return mask


COMBINED_MASK = Exercise(
    name="combined_mask",
    signature="f(lengths, length)",
    outputs=("mask",),
    reference=lambda lengths, length: (
        by_hand.causal_mask(length) & by_hand.padding_mask(lengths, length)
    ),
    stages=(
        (
            example(lengths=np.array([1]), length=2),
            example(lengths=np.array([2]), length=2),
            example(lengths=np.array([2]), length=3),
            example(lengths=np.array([2, 1]), length=2),
            example(lengths=np.array([1, 3]), length=3),
            example(lengths=np.array([1, 2]), length=4),
            example(lengths=np.array([3, 1, 2]), length=3),
        ),
        (example(lengths=np.array([0, 2]), length=2),),
    ),
    misconceptions=(
        misconception(
            "or",
            "You join the two masks with or: a key may be seen if either mask allows it. Both "
            "must allow it.",
            _combined(lambda query, key, real, length: (key <= query) | (key < real)),
        ),
        misconception(
            "padding-on-the-query-side",
            "You empty the rows of the padded queries. Padding is hidden as a key, in its column; "
            "a padded query keeps its row, and what it returns is not used. An empty row "
            "has nothing to average.",
            _combined(lambda query, key, real, length: (key <= query) & (query < real)),
            _combined(lambda query, key, real, length: query < real),
        ),
        misconception(
            "only-causal",
            "The lengths have no effect: your mask hides the future, and padding may be seen.",
            _combined(lambda query, key, real, length: key <= query),
        ),
        misconception(
            "only-padding",
            "Your mask hides padding, but a query may still attend to what comes after it.",
            _combined(lambda query, key, real, length: key < real),
        ),
        misconception(
            "inverted",
            INVERTED,
            _combined(lambda query, key, real, length: (key > query) | (key >= real)),
        ),
        misconception(
            "causal-inverted",
            "The causal part is turned round: a query sees what comes after it and not what came "
            "before. The padding part is right.",
            _combined(lambda query, key, real, length: (key > query) & (key < real)),
            _combined(lambda query, key, real, length: (key >= query) & (key < real)),
        ),
        misconception(
            "padding-inverted",
            "The padding part is turned round: the padded keys may be seen, the real ones not. "
            "The causal part is right.",
            _combined(lambda query, key, real, length: (key <= query) & (key >= real)),
        ),
        misconception(
            "padding-at-the-left",
            "You hide keys at the beginning of the sequence. Here padding comes after the real "
            "tokens.",
            _combined(lambda query, key, real, length: (key <= query) & (key >= length - real)),
        ),
        misconception(
            "one-padded-key-let-in",
            "The first padded key may still be seen. Counting starts at 0: the last real token "
            "stands at the length minus 1.",
            _combined(lambda query, key, real, length: (key <= query) & (key <= real)),
        ),
        misconception(
            "last-token-hidden",
            "The last real token of each sequence is hidden as well. Counting starts at 0: it "
            "stands at the length minus 1.",
            _combined(lambda query, key, real, length: (key <= query) & (key < real - 1)),
        ),
        misconception(
            "excludes-itself",
            "No position may attend to itself. The diagonal belongs to what may be seen, as far "
            "as the tokens are real.",
            _combined(lambda query, key, real, length: (key < query) & (key < real)),
        ),
        misconception(
            "one-length-for-all",
            "You use one length, the longest or the shortest, for the whole batch. Each sequence "
            "has a mask of its own.",
            _combined(lambda query, key, real, length: (key <= query) & (key < real.max())),
            _combined(lambda query, key, real, length: (key <= query) & (key < real.min())),
        ),
        misconception(
            "batch-axis-missing",
            "You return one mask for the whole batch. Each sequence has a length, and so a mask, "
            "of its own: the first axis is the batch.",
            _causal_for_length(np.max),
            _causal_for_length(np.min),
        ),
        misconception(
            "axis-for-the-heads",
            "Your mask has one axis too many: an axis of size 1 stands where the heads would be. "
            "Here there are three axes: batch, queries and keys.",
            lambda lengths, length: (
                by_hand.causal_mask(length) & by_hand.padding_mask(lengths, length)
            )[:, None],
        ),
        misconception(
            "full-sequence-emptied",
            "A sequence without padding is hidden entirely. A slice that starts at -0 starts at "
            "the beginning: it takes everything where nothing was meant.",
            _combined(
                lambda query, key, real, length: (key <= query) & (key < real) & (real < length)
            ),
        ),
    ),
    symptoms=(
        *NUMBERS_FOR_BOOLEANS,
        SEES_THE_FUTURE,
        Symptom(
            "looks-at-padding",
            "The future is hidden, but some padded key may be seen: in its column there is a True.",
            _lets_in_too_much,
        ),
        Symptom(
            "hides-real-keys",
            "Nothing forbidden may be seen, but some real key is hidden from a query that comes "
            "after it.",
            _hides_too_much,
        ),
    ),
    boolean=True,
)


def combined_mask(answer: object) -> Verdict:
    """Check the causal mask joined with the padding mask.

    ``answer(lengths, length)`` takes ``lengths`` (batch,), the number of real
    tokens of each sequence (padding comes after them), and the number of
    positions. It returns a boolean array (batch, length, length): ``True``
    where a query may attend to a key that is real and not in its future.
    Padded queries keep their rows.
    """
    return COMBINED_MASK.check(answer)


# ----------------------------------------------------------- masked_softmax


def _weighing(attend: Callable) -> Callable:
    """Make an answer from a way to attend."""
    return lambda scores, mask: attend.weigh(scores, mask)


def _guarded_softmax(scores: Array) -> Array:
    exponentials = np.exp(scores)
    return exponentials / np.maximum(exponentials.sum(-1, keepdims=True), 1e-30)


def _empty(mask: Array) -> Array:
    return ~mask.any(-1)


def _weighs_masked_keys(inputs, expected, got):
    mask = inputs["mask"]
    masked = np.where(mask, 0, got[0])[~_empty(mask)]  # NaN compares as False
    return (np.abs(masked) > 1e-6).any()


def _sums_are_wrong(inputs, expected, got):
    sums = got[0].sum(-1)[~_empty(inputs["mask"])]
    return (np.abs(sums - 1) > 1e-4).any()


def _empty_row_is_not_zero(inputs, expected, got):
    return np.any(got[0][_empty(inputs["mask"])] != 0)


MASKED_SOFTMAX = Exercise(
    name="masked_softmax",
    signature="f(scores, mask)",
    outputs=("weights",),
    reference=_weighing(_mistakes.Attention()),
    stages=(
        (
            example(scores=[[1, 2]], mask=[[True, False]]),
            example(scores=[[0.3, 1.3, -1]], mask=[[True, True, False]]),
            example(scores=[[1, 0], [2, 3]], mask=[[True, False], [True, True]]),
            example(
                scores=[[1, 0, 2], [0, 1, -1]],
                mask=[[True, False, True], [False, True, True]],
            ),
            example(
                scores=[[1, -1, 0], [0, 2, 1], [1, 3, 2]],
                mask=[[True, False, False], [True, True, False], [True, True, True]],
            ),
        ),
        # A masked score that dominates, and one that does and is allowed.
        (
            example(scores=[[-20000, -20001, 10000]], mask=[[True, True, False]]),
            # Each row has a largest score of its own.
            example(scores=[[0, 1], [900, 901]], mask=[[True, True], [True, True]]),
            example(scores=[[-1000, 1000, -1000, 0]], mask=[[True, True, True, False]]),
        ),
        # A query with nothing to attend to.
        (
            example(scores=[[1, 2], [3, 5]], mask=[[False, False], [True, True]]),
            example(
                scores=[[1, 0, 2], [0, 1, -1]],
                mask=[[True, True, False], [False, False, False]],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "overflow",
            "The mask is right, but a large score gives NaN: its exponential is larger than any "
            "float. Subtract the largest score that may be seen first.",
            _weighing(_mistakes.Attention(softmax=_mistakes.unstable_softmax)),
            _weighing(_mistakes.Attention(softmax=_guarded_softmax)),
        ),
        misconception(
            "scores-returned",
            "You return the masked scores. The softmax over them is still to be taken.",
            _mistakes.minus_infinity,
        ),
    ),
    symptoms=(
        Symptom(
            "not-finite",
            "Your weights hold NaN or infinity: somewhere a number grew too large, or zero was "
            "divided by zero.",
            lambda inputs, expected, got: not np.isfinite(got[0]).all(),
        ),
        Symptom(
            "masked-keys-have-weight",
            "Some masked key has a weight. Where the mask is False the weight should be 0.",
            _weighs_masked_keys,
        ),
        Symptom(
            "rows-do-not-sum-to-1",
            "The masked keys have weight 0, but what is left of a row does not sum to 1.",
            _sums_are_wrong,
        ),
        Symptom(
            "empty-row-not-zero",
            "A query with nothing to attend to has weights that are not 0. That row should be "
            "zeros.",
            _empty_row_is_not_zero,
        ),
    ),
    shared=_mistakes.of_attention(_weighing),
)


def masked_softmax(answer: object) -> Verdict:
    """Check a softmax over the keys that the mask allows.

    ``answer(scores, mask)`` takes ``scores`` (queries, keys) and a boolean
    ``mask`` of the same shape, ``True`` where a query may attend. It returns
    the weights (queries, keys): 0 where masked, each row summing to 1, and a
    row of zeros for a query that may attend to nothing.
    """
    return MASKED_SOFTMAX.check(answer)


# -------------------------------------------------------------- window_mask


def _window(allowed: Callable) -> Callable:
    """Make a mask from a rule for query, key and window."""

    def mask(length, window):
        query, key = _query_and_key(length)
        return np.broadcast_to(allowed(query, key, window), (length, length))

    return mask


def _wrapped(length, window):
    query, key = _query_and_key(length)
    return (query - key) % length < window


WINDOW_MASK = Exercise(
    name="window_mask",
    signature="f(length, window)",
    outputs=("mask",),
    reference=_window(lambda query, key, window: (key <= query) & (query - key < window)),
    stages=(
        (
            example(length=2, window=1),
            example(length=3, window=2),
            example(length=4, window=2),
            example(length=5, window=3),
        ),
        (example(length=2, window=2), example(length=3, window=5)),
    ),
    misconceptions=(
        misconception(
            "two-sided",
            "Your window reaches to both sides, so that a position also sees what comes after it. "
            "It should reach back only.",
            _window(lambda query, key, window: abs(query - key) < window),
        ),
        misconception(
            "centred",
            "You centre the window on each position, half of it before and half after. It should "
            "reach back only.",
            _window(lambda query, key, window: abs(query - key) <= window // 2),
        ),
        misconception(
            "one-too-many",
            "Your window is one too wide: each position sees itself and as many before it as the "
            "window is wide. It counts itself, so there is room for one fewer.",
            _window(lambda query, key, window: (key <= query) & (query - key <= window)),
        ),
        misconception(
            "one-too-few",
            "Your window is one too narrow. With a window of 1 each position sees itself, with a "
            "window of 2 also the one before.",
            _window(lambda query, key, window: (key <= query) & (query - key < window - 1)),
        ),
        misconception(
            "future-not-hidden",
            "The window ends in the past where it should, but the future is not hidden: "
            "everything after a position may be seen.",
            _window(lambda query, key, window: query - key < window),
        ),
        misconception(
            "transposed",
            "Your mask is transposed: each position sees itself and what comes after it. The "
            "rows are the queries, the columns the keys.",
            _window(lambda query, key, window: (key >= query) & (key - query < window)),
        ),
        misconception(
            "excludes-itself",
            "No position may attend to itself. The window begins with the position itself.",
            _window(lambda query, key, window: (key < query) & (query - key < window)),
            _window(lambda query, key, window: (key < query) & (query - key <= window)),
        ),
        misconception(
            "blocks",
            "You cut the sequence into blocks, and nobody sees across a border. A window slides: "
            "each position has its own.",
            _window(lambda query, key, window: (key <= query) & (query // window == key // window)),
            _window(lambda query, key, window: query // window == key // window),
        ),
        misconception(
            "inverted",
            INVERTED,
            _window(lambda query, key, window: (key > query) | (query - key >= window)),
        ),
        misconception(
            "outside-the-window",
            "You keep what lies before the window and hide the window itself: the second "
            "comparison is the wrong way round.",
            _window(lambda query, key, window: (key <= query) & (query - key >= window)),
        ),
        misconception(
            "window-ignored",
            "The window has no effect: each position sees everything before it, as with the "
            "causal mask.",
            _window(lambda query, key, window: key <= query),
        ),
        misconception(
            "wraps-around",
            "The window of the first positions wraps around to the end of the sequence, which is "
            "their future. At the beginning there are fewer positions to see.",
            _wrapped,
        ),
        misconception(
            "first-positions-only",
            "Every position sees the first ones of the sequence. The window belongs to the query "
            "and moves along with it.",
            _window(lambda query, key, window: (key <= query) & (key < window)),
            _window(lambda query, key, window: key < window),
        ),
    ),
    symptoms=(
        *NUMBERS_FOR_BOOLEANS,
        SEES_THE_FUTURE,
        Symptom(
            "reaches-too-far-back",
            "The future is hidden, but some position sees further back than its window reaches.",
            _lets_in_too_much,
        ),
        Symptom(
            "hides-the-window",
            "Nothing outside the window may be seen, but something inside it is hidden too.",
            _hides_too_much,
        ),
    ),
    boolean=True,
)


def window_mask(answer: object) -> Verdict:
    """Check the mask of a sliding window.

    ``answer(length, window)`` takes the number of positions and the width of
    the window, at least 1. It returns a boolean array (length, length):
    ``True`` where a query may attend to a key, that is to itself and to the
    ``window - 1`` positions before it.
    """
    return WINDOW_MASK.check(answer)


# ------------------------------------------------------------ shift_targets


def _differ(got: Array, expected: Array) -> bool:
    return bool(np.isfinite(got).all() and (got != expected).any())


SHIFT_TARGETS = Exercise(
    name="shift_targets",
    signature="f(tokens)",
    outputs=("inputs", "targets"),
    reference=lambda tokens: (tokens[:-1], tokens[1:]),
    stages=(
        (
            example(tokens=np.array([3, 7])),
            example(tokens=np.array([3, 7, 1])),
            example(tokens=np.array([4, 9, 2, 6])),
            example(tokens=np.array([5, 50001, 5, 5, 2])),
        ),
    ),
    misconceptions=(
        misconception(
            "not-shifted",
            "Inputs and targets are the same tokens. To copy the token it sees is all a model "
            "would learn from that: the target is the next one.",
            lambda tokens: (tokens[:-1], tokens[:-1]),
            lambda tokens: (tokens[1:], tokens[1:]),
            lambda tokens: (tokens, tokens),
        ),
        misconception(
            "shifted-by-two",
            "The target is the token after the next: somewhere the shift is made twice.",
            lambda tokens: (tokens[:-2], tokens[2:]),
            lambda tokens: (tokens[:-1], np.append(tokens[2:], tokens[:1])),
            lambda tokens: (tokens[:-1], np.append(tokens[2:], 0)),
        ),
        misconception(
            "wraps-around",
            "The first token of the sequence becomes the target of the last. Nothing is known "
            "about what follows the last token: it is no input.",
            lambda tokens: (tokens, np.roll(tokens, -1)),
        ),
        misconception(
            "padded",
            "Both still have the full length, and the last target is made up. Nothing is known "
            "about what follows the last token: it is no input.",
            lambda tokens: (tokens, np.append(tokens[1:], 0)),
            lambda tokens: (tokens, np.append(tokens[1:], -1)),
            lambda tokens: (tokens, np.append(tokens[1:], -100)),
            lambda tokens: (tokens, np.append(tokens[1:], tokens[-1])),
        ),
        misconception(
            "swapped",
            "Inputs and targets are swapped: here the target of each token is the one before it.",
            lambda tokens: (tokens[1:], tokens[:-1]),
        ),
        misconception(
            "shifted-the-wrong-way",
            "The targets are shifted the wrong way: each is the token before the input, not the "
            "one after it.",
            lambda tokens: (tokens, np.roll(tokens, 1)),
            lambda tokens: (tokens[:-1], np.roll(tokens, 1)[:-1]),
            lambda tokens: (tokens[:-1], np.append(0, tokens[:-2])),
        ),
        misconception(
            "reversed",
            "The tokens come in reverse order. A shift keeps their order.",
            lambda tokens: (tokens[::-1][:-1], tokens[::-1][1:]),
            lambda tokens: (tokens[:-1][::-1], tokens[1:][::-1]),
            lambda tokens: (tokens[:-1], tokens[::-1][:-1]),
        ),
        misconception(
            "dropped-at-the-wrong-end",
            "You drop the first pair and keep the last, whose target is made up. The last token "
            "is the one with nothing after it.",
            lambda tokens: (tokens[1:], np.roll(tokens, -1)[1:]),
            lambda tokens: (tokens[1:], np.append(tokens[2:], 0)),
        ),
        misconception(
            "inputs-too-long",
            "The inputs still hold the last token. No target belongs to it.",
            lambda tokens: (tokens, tokens[1:]),
        ),
        misconception(
            "targets-too-long",
            "The targets still hold the first token. No input comes before it.",
            lambda tokens: (tokens[:-1], tokens),
        ),
    ),
    symptoms=(
        Symptom(
            "inputs-wrong",
            "The inputs should be the tokens as they are, without the last one.",
            lambda inputs, expected, got: _differ(got[0], expected[0]),
        ),
        Symptom(
            "targets-wrong",
            "The inputs are right, the targets are not: each should be the token that follows.",
            lambda inputs, expected, got: _differ(got[1], expected[1]),
        ),
    ),
)


def shift_targets(answer: object) -> Verdict:
    """Check the inputs and targets of a language model.

    ``answer(tokens)`` takes ``tokens`` (length,), integers, at least two. It
    returns the pair ``(inputs, targets)``, each (length - 1,): the target at
    each position is the token that follows the input there.
    """
    return SHIFT_TARGETS.check(answer)


EXERCISES = (CAUSAL_MASK, COMBINED_MASK, MASKED_SOFTMAX, WINDOW_MASK, SHIFT_TARGETS)
