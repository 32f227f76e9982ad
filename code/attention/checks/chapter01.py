"""The exercises of chapter 1, One vector for a whole sentence.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked.
"""

import math
from collections.abc import Callable

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

Array = np.ndarray
END = 2  # PADDING, START and END are 0, 1 and 2, as in `attention.corpus`

# ------------------------------------------------------------- read_sentence


def _states(
    x: Array,
    W_x: Array,
    W_state: Array,
    bias: Array,
    bend: Callable = np.tanh,
    first: float | Array = 0.0,
) -> Array:
    """Return the state after each word: (length, d_state)."""
    state = np.full(len(bias), first)
    states = []
    for word in x:
        state = bend(word @ W_x + state @ W_state + bias)
        states.append(state)
    return np.array(states).reshape(-1, len(bias))


def _stepping(step: Callable) -> Callable:
    """Make a reader of sentences whose step is another one."""

    def read(x: Array, W_x: Array, W_state: Array, bias: Array) -> Array:
        state = np.zeros(len(bias))
        for word in x:
            state = step(word, state, W_x, W_state, bias)
        return state

    return read


def _relu(numbers: Array) -> Array:
    return np.maximum(numbers, 0)


def _straight(numbers: Array) -> Array:
    return numbers


def _sigmoid(numbers: Array) -> Array:
    return 1 / (1 + np.exp(-numbers))


_RNN = np.random.default_rng(101)


def _sentence(length: int, d_input: int, d_state: int) -> dict:
    """Make an example; its numbers have one decimal, so that they print well."""
    return example(
        x=_RNN.normal(size=(length, d_input)).round(1).tolist(),
        W_x=_RNN.normal(size=(d_input, d_state)).round(1).tolist(),
        W_state=_RNN.normal(size=(d_state, d_state)).round(1).tolist(),
        bias=_RNN.normal(size=d_state).round(1).tolist(),
    )


READ_SENTENCE = Exercise(
    name="read_sentence",
    signature="f(x, W_x, W_state, bias)",
    outputs=("state",),
    reference=lambda x, W_x, W_state, bias: _states(x, W_x, W_state, bias)[-1],
    stages=((_sentence(1, 2, 2), _sentence(2, 2, 2), _sentence(3, 3, 2), _sentence(6, 2, 4)),),
    misconceptions=(
        misconception(
            "all-states",
            "You return the state after every word. Only the last one leaves the encoder: one "
            "vector, however long the sentence is.",
            _states,
        ),
        misconception(
            "past-forgotten",
            "Your state depends on the last word alone. Each step has to read a word and the "
            "state that the step before it left.",
            lambda x, W_x, W_state, bias: np.tanh(x[-1] @ W_x + bias),
        ),
        misconception(
            "read-backwards",
            "You read the sentence from its end. That is a way to do it, and the chapter tries "
            "it; here the first word comes first.",
            lambda x, W_x, W_state, bias: _states(x[::-1], W_x, W_state, bias)[-1],
        ),
        misconception(
            "last-word-missing",
            "The last word is not read: your loop stops one step too early.",
            lambda x, W_x, W_state, bias: np.vstack(
                [0 * bias, _states(x[:-1], W_x, W_state, bias)]
            )[-1],
        ),
        misconception(
            "tanh-missing",
            "There is no tanh. Without it all steps together are one matrix, and the numbers of "
            "a long sentence can grow without limit.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state, bias, _straight)[-1],
        ),
        misconception(
            "tanh-at-the-end",
            "The tanh comes once, after the last word. It belongs to every step.",
            lambda x, W_x, W_state, bias: np.tanh(_states(x, W_x, W_state, bias, _straight)[-1]),
        ),
        misconception(
            "sigmoid",
            "You bend the numbers with a sigmoid, which is never negative. Here it is tanh.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state, bias, _sigmoid)[-1],
        ),
        misconception(
            "bias-forgotten",
            "The bias is missing. It is added at every step.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state, 0 * bias)[-1],
        ),
        misconception(
            "starts-from-ones",
            "Your first state is made of ones. Before the first word nothing has been read: "
            "start from zeros.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state, bias, first=1.0)[-1],
        ),
        misconception(
            "states-averaged",
            "You average the states of all steps. The last state is asked for.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state, bias).mean(0),
        ),
        misconception(
            "words-summed",
            "You add the words up before you read them, so their order is lost. Read one word "
            "at each step.",
            lambda x, W_x, W_state, bias: np.tanh(x.sum(0) @ W_x + bias),
        ),
        misconception(
            "W_state-transposed",
            "W_state is transposed: the state is a row and stands on the left of its matrix, as "
            "in state @ W_state.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state.T, bias)[-1],
        ),
        misconception(
            "bias-outside-the-tanh",
            "The bias is added after the tanh. It belongs inside: the tanh bends the whole sum.",
            _stepping(
                lambda word, state, W_x, W_state, bias: np.tanh(word @ W_x + state @ W_state) + bias
            ),
        ),
        misconception(
            "word-outside-the-tanh",
            "The word is added after the tanh. It belongs inside: the tanh bends the whole sum.",
            _stepping(
                lambda word, state, W_x, W_state, bias: np.tanh(state @ W_state + bias) + word @ W_x
            ),
        ),
        misconception(
            "old-state-added",
            "You add the old state to the tanh, as a residual connection would. Here the tanh "
            "itself is the new state.",
            _stepping(
                lambda word, state, W_x, W_state, bias: (
                    state + np.tanh(word @ W_x + state @ W_state + bias)
                )
            ),
        ),
        misconception(
            "W_state-forgotten",
            "W_state has no effect on your result. The old state is multiplied by it.",
            _stepping(lambda word, state, W_x, W_state, bias: np.tanh(word @ W_x + state + bias)),
        ),
        misconception(
            "relu",
            "You bend the numbers with a relu. Here it is tanh.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state, bias, _relu)[-1],
        ),
        misconception(
            "starts-from-the-bias",
            "Your first state is the bias. Before the first word nothing has been read: start "
            "from zeros.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state, bias, first=bias)[-1],
        ),
        misconception(
            "first-word-missing",
            "The first word is not read: your loop begins one step too late.",
            lambda x, W_x, W_state, bias: np.vstack([0 * bias, _states(x[1:], W_x, W_state, bias)])[
                -1
            ],
            lambda x, W_x, W_state, bias: _states(x[1:] if len(x) > 1 else x, W_x, W_state, bias)[
                -1
            ],
        ),
        misconception(
            "first-state",
            "You return the state after the first word. The state after the last one is asked for.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state, bias)[0],
        ),
        misconception(
            "states-summed",
            "You add up the states of all steps. The last state is asked for.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state, bias).sum(0),
        ),
        misconception(
            "largest-of-all-states",
            "You take the largest number of all steps in each column. The last state is asked for.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state, bias).max(0),
        ),
        misconception(
            "bias-twice",
            "The bias is added twice at each step. Once is enough.",
            lambda x, W_x, W_state, bias: _states(x, W_x, W_state, 2 * bias)[-1],
        ),
        misconception(
            "multiplied",
            "You multiply what the word says with what the state says. The two are added.",
            _stepping(
                lambda word, state, W_x, W_state, bias: np.tanh(
                    (word @ W_x) * (state @ W_state) + bias
                )
            ),
        ),
        misconception(
            "last-word-twice",
            "The last word is read twice: your loop takes one step too many.",
            lambda x, W_x, W_state, bias: _states(np.vstack([x, x[-1:]]), W_x, W_state, bias)[-1],
        ),
    ),
)


def read_sentence(answer: object) -> Verdict:
    """Check the encoder with the simplest cell there is.

    ``answer(x, W_x, W_state, bias)`` takes the embeddings ``x`` (length, d_input) of a
    sentence, ``W_x`` (d_input, d_state), ``W_state`` (d_state, d_state) and ``bias``
    (d_state,). It starts from a state of zeros, makes it
    ``tanh(word @ W_x + state @ W_state + bias)`` for each word in turn, and returns the
    last state (d_state,).
    """
    return READ_SENTENCE.check(answer)


# ------------------------------------------------------------ decoder_inputs


def _starts(target: Array, start: int) -> Array:
    return np.full((len(target), 1), start)


def _shifted_through(target: Array, start: int) -> Array:
    """Shift the whole rectangle as if it were one line."""
    return np.concatenate([[start], target.ravel()[:-1]]).reshape(target.shape)


def _another_start(inputs, expected, got) -> bool:
    first = got[0][:, 0]
    return bool((np.isfinite(first) & (first != inputs["start"])).any())  # NaN says something else


DECODER_INPUTS = Exercise(
    name="decoder_inputs",
    signature="f(target, start)",
    outputs=("inputs",),
    reference=lambda target, start: np.hstack([_starts(target, start), target[:, :-1]]),
    stages=(
        (
            example(target=np.array([[7, 5, 2]]), start=1),
            example(target=np.array([[7, 5, 2], [8, 2, 0]]), start=1),
            example(target=np.array([[8, 6, 2, 0], [4, 7, 9, 2]]), start=3),
            example(target=np.array([[4, 9, 6, 2], [3, 2, 0, 0], [5, 5, 2, 0]]), start=1),
        ),
    ),
    misconceptions=(
        misconception(
            "not-shifted",
            "The decoder reads the very word that it is to write at that step. It would learn to "
            "copy, and have nothing to copy from when it translates.",
            lambda target, start: target,
        ),
        misconception(
            "shifted-the-wrong-way",
            "The decoder reads the word after the one that it is to write. It should read the "
            "word before.",
            lambda target, start: np.hstack([target[:, 1:], _starts(target, start)]),
            lambda target, start: np.hstack([target[:, 1:], _starts(target, 0)]),
        ),
        misconception(
            "too-long",
            "START stands in front, but the last column is still there, so there is one input "
            "more than there are targets. Nothing is written after the last column: drop it.",
            lambda target, start: np.hstack([_starts(target, start), target]),
        ),
        misconception(
            "wraps-around",
            "What ends a row has come round to its front. The first thing that is read is START, "
            "in every row.",
            lambda target, start: np.roll(target, 1, axis=1),
        ),
        misconception(
            "start-over-the-first-word",
            "START replaces the first word, and the others stay where they were. They have to "
            "move one place to the right.",
            lambda target, start: np.hstack([_starts(target, start), target[:, 1:]]),
        ),
        misconception(
            "first-word-twice",
            "The rows are shifted, but in front of each stands its own first word in place of "
            "START. The decoder would be told what it is to write first.",
            lambda target, start: np.hstack([target[:, :1], target[:, :-1]]),
        ),
        misconception(
            "sentences-mixed",
            "You shift the whole batch as if it were one line, so the end of one sentence becomes "
            "the beginning of the next. Each row is shifted by itself.",
            _shifted_through,
            lambda target, start: np.roll(target, 1),
        ),
        misconception(
            "shifted-down",
            "You shift along the wrong axis: each sentence has moved down by one row. The words "
            "run along the rows.",
            lambda target, start: np.vstack([np.full_like(target[:1], start), target[:-1]]),
        ),
        misconception(
            "end-removed",
            "You take END away. The decoder never gets to read what follows it, so there is no "
            "harm in leaving it.",
            lambda target, start: np.hstack(
                [_starts(target, start), np.where(target == END, 0, target)[:, :-1]]
            ),
        ),
        misconception(
            "shifted-twice",
            "You shift by two places. Each word moves one place to the right.",
            lambda target, start: np.hstack([_starts(target, start)] * 2 + [target])[
                :, : target.shape[1]
            ],
            lambda target, start: np.hstack([_starts(target, start), _starts(target, 0), target])[
                :, : target.shape[1]
            ],
            lambda target, start: np.hstack([_starts(target, 0), _starts(target, start), target])[
                :, : target.shape[1]
            ],
        ),
        misconception(
            "start-ignored",
            "The first column has a number of your own. The number of START is handed over: use"
            " that.",
            lambda target, start: np.hstack([_starts(target, 1), target[:, :-1]]),
            lambda target, start: np.hstack([_starts(target, 0), target[:, :-1]]),
        ),
        misconception(
            "start-everywhere",
            "Every place holds START. It comes first only; after it stand the words before.",
            lambda target, start: np.full_like(target, start),
        ),
    ),
    symptoms=(
        Symptom(
            "no-start",
            "Every row of inputs should begin with START. Some row of yours does not.",
            _another_start,
        ),
    ),
)


def decoder_inputs(answer: object) -> Verdict:
    """Check what the decoder reads under teacher forcing.

    ``answer(target, start)`` takes ``target`` (batch, length), integers: in each row
    the words to be written, ``END`` (2), then padding (0). It returns the inputs
    (batch, length): at each place what the decoder reads when it is to write
    ``target`` there, ``start`` coming first.
    """
    return DECODER_INPUTS.check(answer)


# --------------------------------------------------------------- last_states


def _at(states: Array, places: Array) -> Array:
    return states[np.arange(len(states)), places]


def _is_real(states: Array, lengths: Array) -> Array:
    """Return 1 for tokens and 0 for padding: (batch, length, 1)."""
    return (np.arange(states.shape[1]) < lengths[:, None])[:, :, None].astype(float)


def _number_states(batch: int, length: int, width: int) -> list:
    """Make states that tell where they come from: 231 is sentence 2, place 3, component 1.

    Every second component is negative, so that neither the largest numbers of a
    sentence nor its smallest are its last ones.
    """
    b, i, j = np.indices((batch, length, width)) + 1
    return ((-1) ** (j + 1) * (100 * b + 10 * i + j)).tolist()


LAST_STATES = Exercise(
    name="last_states",
    signature="f(states, lengths)",
    outputs=("last",),
    reference=lambda states, lengths: _at(states, lengths - 1),
    stages=(
        (
            example(states=_number_states(1, 2, 2), lengths=np.array([1])),
            example(states=_number_states(2, 3, 2), lengths=np.array([2, 3])),
            example(states=_number_states(2, 4, 2), lengths=np.array([4, 1])),
            example(states=_number_states(3, 4, 2), lengths=np.array([3, 1, 2])),
        ),
    ),
    misconceptions=(
        misconception(
            "last-column",
            "You take the last column of the batch. For a short sentence that is a state after "
            "the padding: this is the chapter's bug.",
            lambda states, lengths: states[:, -1],
        ),
        misconception(
            "one-too-far",
            "You are one place too far: the first place has the number 0, so a sentence of three "
            "tokens ends at place 2.",
            lambda states, lengths: _at(states, np.minimum(lengths, states.shape[1] - 1)),
            lambda states, lengths: _at(states, lengths % states.shape[1]),
        ),
        misconception(
            "one-too-early",
            "You are one place too early: the last token is not read.",
            lambda states, lengths: _at(states, lengths - 2),
            lambda states, lengths: _at(states, np.maximum(lengths - 2, 0)),
        ),
        misconception(
            "first-state",
            "You take the first state of each sentence. Only one token has been read by then.",
            lambda states, lengths: states[:, 0],
        ),
        misconception(
            "padding-zeroed",
            "You set the states after each sentence to zero and then take the last column. For a "
            "short sentence there is nothing left.",
            lambda states, lengths: (states * _is_real(states, lengths))[:, -1],
        ),
        misconception(
            "averaged",
            "You average the states of the real tokens. The state after the last one is asked for.",
            lambda states, lengths: (states * _is_real(states, lengths)).sum(1) / lengths[:, None],
        ),
        misconception(
            "summed",
            "You add up the states of the real tokens. The state after the last one is asked for.",
            lambda states, lengths: (states * _is_real(states, lengths)).sum(1),
        ),
        misconception(
            "each-with-each",
            "You have picked the places of all sentences from every sentence. Row and place have "
            "to be given in pairs: states[np.arange(batch), places].",
            lambda states, lengths: states[:, lengths - 1],
        ),
        misconception(
            "shortest-for-all",
            "You take the same place for all sentences: the last of the shortest.",
            lambda states, lengths: states[:, lengths.min() - 1],
        ),
        misconception(
            "longest-for-all",
            "You take the same place for all sentences: the last of the longest.",
            lambda states, lengths: states[:, lengths.max() - 1],
        ),
        misconception(
            "largest-numbers",
            "You take the largest number of each component. The state after the last token is "
            "asked for, whatever its numbers.",
            lambda states, lengths: np.where(_is_real(states, lengths) > 0, states, -np.inf).max(1),
            lambda states, lengths: states.max(1),
        ),
        misconception(
            "padding-averaged",
            "You average the states of all places, padding too. The state after the last token "
            "is asked for.",
            lambda states, lengths: states.mean(1),
        ),
        misconception(
            "padding-summed",
            "You add up the states of all places, padding too. The state after the last token "
            "is asked for.",
            lambda states, lengths: states.sum(1),
        ),
        misconception(
            "counted-from-the-end",
            "You count the length from the end of the row. Count from its beginning: padding "
            "comes last.",
            lambda states, lengths: _at(states, -lengths),
        ),
        misconception(
            "first-sentence-for-all",
            "You take all states from the first sentence. Each row has a sentence of its own.",
            lambda states, lengths: states[0, lengths - 1],
        ),
    ),
)


def last_states(answer: object) -> Verdict:
    """Check the last real state of each sentence in a padded batch.

    ``answer(states, lengths)`` takes ``states`` (batch, length, d_state) and ``lengths``
    (batch,), the number of real tokens of each sentence, at least 1; padding comes
    after them. It returns (batch, d_state): the state after each sentence's last token.
    """
    return LAST_STATES.check(answer)


# --------------------------------------------------------------- exact_match


def _counted(targets: Array, with_end: bool = True) -> Array:
    """Say which places count: (sentences, length), boolean."""
    before_end = np.cumsum(targets == END, axis=1) == 0
    return before_end | (targets == END) if with_end else before_end


def _right(outputs: Array, targets: Array, with_end: bool = True) -> Array:
    return ((outputs == targets) | ~_counted(targets, with_end)).all(1)


def _bags(outputs: Array, targets: Array) -> float:
    """Compare the words up to END without their order."""

    def bag(row: Array) -> list[int]:
        words = row.tolist()
        return sorted(words[: words.index(END)] if END in words else words)

    return float(np.mean([bag(o) == bag(t) for o, t in zip(outputs, targets, strict=True)]))


EXACT_MATCH = Exercise(
    name="exact_match",
    signature="f(outputs, targets)",
    outputs=("share",),
    reference=lambda outputs, targets: _right(outputs, targets).mean(),
    stages=(
        (
            example(
                outputs=np.array([[5, 7, 2], [5, 8, 2]]), targets=np.array([[5, 7, 2], [5, 7, 2]])
            ),
            # Cut off too early, and going on where it should have ended.
            example(
                outputs=np.array([[5, 2, 0, 0], [6, 4, 4, 2], [3, 9, 2, 0]]),
                targets=np.array([[5, 7, 2, 0], [6, 4, 2, 0], [3, 9, 2, 0]]),
            ),
            example(
                outputs=np.array([[5, 7, 2, 0], [6, 4, 9, 2], [7, 5, 2, 0], [6, 4, 9, 2]]),
                targets=np.array([[5, 7, 2, 0], [6, 4, 8, 2], [5, 7, 2, 0], [6, 4, 9, 2]]),
            ),
        ),
        (
            # After END anything may stand.
            example(
                outputs=np.array([[5, 7, 2, 6], [6, 4, 2, 2], [3, 9, 9, 2], [8, 2, 8, 2]]),
                targets=np.array([[5, 7, 2, 0], [6, 4, 2, 0], [3, 9, 2, 0], [8, 2, 0, 0]]),
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "after-end-compared",
            "You compare whole rows. What an output holds after its END was never meant: look no "
            "further than the END of the target.",
            lambda outputs, targets: (outputs == targets).all(1).mean(),
        ),
        misconception(
            "end-forgotten",
            "You compare the words and not END. An output that goes on after the last word, when "
            "it should have ended, is counted as right.",
            lambda outputs, targets: _right(outputs, targets, with_end=False).mean(),
        ),
        misconception(
            "padding-counted",
            "You return the share of right places, padding among them. Padding is always right, "
            "so short sentences look good. And a sentence counts only as a whole.",
            lambda outputs, targets: (outputs == targets).mean(),
        ),
        misconception(
            "token-accuracy",
            "This is the token accuracy, the share of right tokens. A sentence counts only if "
            "all its tokens are right.",
            lambda outputs, targets: (outputs == targets)[_counted(targets)].mean(),
        ),
        misconception(
            "mean-of-sentences",
            "You take the token accuracy of each sentence and average these. A sentence with one "
            "wrong token counts as 0.",
            lambda outputs, targets: np.mean(
                [
                    (o == t)[_counted(t[None])[0]].mean()
                    for o, t in zip(outputs, targets, strict=True)
                ]
            ),
        ),
        misconception(
            "counted",
            "You return how many sentences are right. Their share is asked for: divide by the "
            "number of sentences.",
            lambda outputs, targets: _right(outputs, targets).sum(),
        ),
        misconception(
            "for-each-sentence",
            "You return for each sentence whether it is right. Their mean is the share.",
            _right,
        ),
        misconception(
            "share-of-wrong",
            "You return the share of sentences that are wrong.",
            lambda outputs, targets: 1 - _right(outputs, targets).mean(),
        ),
        misconception(
            "order-ignored",
            "You compare the words without their order. A translation with its words mixed up "
            "is not right.",
            _bags,
        ),
        misconception(
            "all-or-nothing",
            "You ask whether all sentences are right. The share of those that are is asked for.",
            lambda outputs, targets: float(_right(outputs, targets).all()),
        ),
        misconception(
            "one-right-token-is-enough",
            "A sentence counts as right as soon as one of its tokens is. All of them have to be.",
            lambda outputs, targets: ((outputs == targets) & _counted(targets)).any(1).mean(),
        ),
        misconception(
            "down-the-columns",
            "You ask whether a place is right in all sentences. Ask whether a sentence is right"
            " at all places: along axis 1.",
            lambda outputs, targets: ((outputs == targets) | ~_counted(targets)).all(0).mean(),
        ),
        misconception(
            "percent",
            "You return percent. A share lies between 0 and 1.",
            lambda outputs, targets: 100 * _right(outputs, targets).mean(),
        ),
        misconception(
            "first-token-only",
            "You compare the first token of each sentence alone. All tokens up to END count.",
            lambda outputs, targets: (outputs[:, 0] == targets[:, 0]).mean(),
        ),
    ),
)


def exact_match(answer: object) -> Verdict:
    """Check the share of sentences that are right as a whole.

    ``answer(outputs, targets)`` takes two arrays of integers (sentences, length). In
    each row of ``targets`` stand the words, ``END`` (2), then padding (0). An output
    may hold anything after its ``END``. It returns the share of sentences whose output
    is its target, token for token, and ends where it ends.
    """
    return EXACT_MATCH.check(answer)


# ------------------------------------------------------------- steps_to_fade


def _steps(factor: float, threshold: float) -> float:
    """Return how many steps it takes to be at the threshold, not rounded."""
    # Rounded far behind the comma, so that a power that is the threshold counts as that.
    return round(math.log(threshold) / math.log(factor), 9)


STEPS_TO_FADE = Exercise(
    name="steps_to_fade",
    signature="f(factor, threshold)",
    outputs=("steps",),
    reference=lambda factor, threshold: math.floor(_steps(factor, threshold)) + 1,
    stages=(
        (
            example(factor=0.5, threshold=0.3),
            example(factor=0.5, threshold=0.1),
            example(factor=0.9, threshold=0.01),
            example(factor=0.99, threshold=0.02),
        ),
        (example(factor=0.5, threshold=0.25), example(factor=0.25, threshold=0.0625)),
    ),
    misconceptions=(
        misconception(
            "not-below",
            "Right but for one case: when a power of the factor is the threshold itself, it is "
            "not below it yet.",
            lambda factor, threshold: math.ceil(_steps(factor, threshold)),
        ),
        misconception(
            "one-too-few",
            "One step too few: after so many steps the product is not yet below the threshold.",
            lambda factor, threshold: math.floor(_steps(factor, threshold)),
        ),
        misconception(
            "one-too-many",
            "One step too many: the product was below the threshold before.",
            lambda factor, threshold: math.floor(_steps(factor, threshold)) + 2,
        ),
        misconception(
            "not-rounded",
            "The logarithms are right. But a number of steps is whole: which whole number is the "
            "first that is enough?",
            _steps,
        ),
        misconception(
            "rounded",
            "You round to the nearest whole number. If that is down, the product is not below "
            "the threshold yet.",
            lambda factor, threshold: round(_steps(factor, threshold)),
        ),
        misconception(
            "fades-in-a-straight-line",
            "You subtract the same amount at each step. A factor is multiplied: each step takes "
            "its share of what is left.",
            lambda factor, threshold: math.ceil((1 - threshold) / (1 - factor)),
            lambda factor, threshold: math.floor((1 - threshold) / (1 - factor)),
            lambda factor, threshold: (1 - threshold) / (1 - factor),
        ),
        misconception(
            "logarithms-swapped",
            "The quotient of the logarithms is upside down. The smaller the threshold, the more "
            "steps it takes.",
            lambda factor, threshold: 1 / _steps(factor, threshold),
            lambda factor, threshold: math.ceil(1 / _steps(factor, threshold)),
        ),
        misconception(
            "divided",
            "You divide the threshold by the factor. It is the power of the factor that has to "
            "fall below the threshold.",
            lambda factor, threshold: threshold / factor,
            lambda factor, threshold: threshold // factor,
        ),
        misconception(
            "factor-ignored",
            "You count how often the gradient can be halved. The factor need not be a half: use"
            " the one that is handed over.",
            lambda factor, threshold: math.ceil(-math.log2(threshold)),
            lambda factor, threshold: math.floor(-math.log2(threshold)) + 1,
        ),
        misconception(
            "threshold-ignored",
            "The threshold has no effect on your result. The lower it is, the more steps it takes.",
            lambda factor, threshold: math.ceil(1 / (1 - factor)),
            lambda factor, threshold: 1 / (1 - factor),
        ),
        misconception(
            "gradient-returned",
            "You return what is left of the gradient. The number of steps is asked for.",
            lambda factor, threshold: factor ** (math.floor(_steps(factor, threshold)) + 1),
        ),
        misconception(
            "negative-steps",
            "Your number of steps is negative. Both logarithms are negative, so their quotient "
            "is not.",
            lambda factor, threshold: -_steps(factor, threshold),
            lambda factor, threshold: -math.floor(_steps(factor, threshold)) - 1,
            lambda factor, threshold: math.ceil(-_steps(factor, threshold)),
        ),
        misconception(
            "logarithms-subtracted",
            "You subtract the logarithms. A power is wanted, so divide that of the threshold by"
            " that of the factor.",
            lambda factor, threshold: math.ceil(math.log(threshold) - math.log(factor)),
            lambda factor, threshold: math.log(threshold) - math.log(factor),
        ),
    ),
)


def steps_to_fade(answer: object) -> Verdict:
    """Check after how many steps a gradient has faded.

    ``answer(factor, threshold)`` takes two numbers between 0 and 1. Each step back
    multiplies a gradient of 1 by ``factor``. It returns a whole number: after how many
    steps it is first below ``threshold``.
    """
    return STEPS_TO_FADE.check(answer)


EXERCISES = (READ_SENTENCE, DECODER_INPUTS, LAST_STATES, EXACT_MATCH, STEPS_TO_FADE)
