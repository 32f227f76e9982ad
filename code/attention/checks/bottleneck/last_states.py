"""Pick each sentence's last real state from a padded batch (bottleneck: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Verdict, example, misconception

Array = np.ndarray


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
        misconception(
            "row-and-place-swapped",
            "The two indices have changed places. The first axis of states is the sentence, the "
            "second the place: states[sentences, places].",
            lambda states, lengths: states[lengths - 1, np.arange(len(states))],
            lambda states, lengths: states[
                np.minimum(lengths, len(states)) - 1, np.arange(len(states)) % states.shape[1]
            ],
        ),
        misconception(
            "lengths-sorted",
            "You sort the lengths first, so that they belong to other sentences. Length i is that "
            "of sentence i.",
            lambda states, lengths: _at(states, np.sort(lengths) - 1),
            lambda states, lengths: _at(states, np.sort(lengths)[::-1] - 1),
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
