"""The exercises of chapter 2, Looking back: Bahdanau attention.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked.
"""

import numpy as np

from attention.by_hand import softmax
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

# ---------------------------------------------------------- additive_scores


def _additive(query, key, v):
    return np.tanh(query[..., None, :] + key) @ v


SOFTMAX_TOO_EARLY = (
    "You return weights: your rows sum to 1. The softmax comes after the scores; here the "
    "scores themselves are asked for."
)

ADDITIVE_SCORES = Exercise(
    name="additive_scores",
    signature="f(query, key, v)",
    outputs=("scores",),
    reference=_additive,
    stages=(
        (
            example(query=[[1, 0]], key=[[0.5, -1]], v=[1, 2]),
            example(query=[[0, -2]], key=[[1, 0.5], [-1, 1]], v=[2, 1]),
            example(query=[[1, 0], [0.5, -1]], key=[[0.5, -1], [1, 1]], v=[1, -2]),
            example(
                query=[[0.5, 0, -1], [-2, 1, 0.5]],
                key=[[1, -1, 0], [-0.5, 1, 1], [0, 0.5, -1], [1, 1, 0.5]],
                v=[1, 2, -0.5],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "no-tanh",
            "The tanh is missing. Without it the query adds the same number to the scores of all "
            "keys, and the softmax does not see it: the weights would be the same for every query.",
            lambda query, key, v: (query[:, None] + key) @ v,
        ),
        misconception(
            "tanh-last",
            "You take the tanh of the finished score. It belongs to each component of query plus "
            "key, before v adds the components up.",
            lambda query, key, v: np.tanh((query[:, None] + key) @ v),
        ),
        misconception(
            "tanh-separately",
            "You take the tanh of the query and of the key and then add. The sum goes into the "
            "tanh: that is where a query can hide what a key has.",
            lambda query, key, v: (np.tanh(query)[:, None] + np.tanh(key)) @ v,
        ),
        misconception(
            "multiplied",
            "You multiply query and key. The additive score adds them.",
            lambda query, key, v: np.tanh(query[:, None] * key) @ v,
        ),
        misconception(
            "dot-product",
            "This is the dot product of query and key. It is asked for in a later exercise; here "
            "it is v · tanh(query + key).",
            lambda query, key, v: query @ key.T,
        ),
        misconception(
            "v-left-out",
            "You add up the components as they are. Each counts as much as v says.",
            lambda query, key, v: np.tanh(query[:, None] + key).sum(-1),
        ),
        misconception(
            "subtracted",
            "You subtract the key from the query. The score adds them.",
            lambda query, key, v: np.tanh(query[:, None] - key) @ v,
        ),
        misconception(
            "scaled",
            "You divide by the square root of the width. That belongs to the dot product; the "
            "additive score has no scale.",
            lambda query, key, v: _additive(query, key, v) / np.sqrt(len(v)),
        ),
        misconception(
            "softmax-too-early",
            SOFTMAX_TOO_EARLY,
            lambda query, key, v: softmax(_additive(query, key, v)),
        ),
        misconception(
            "not-all-pairs",
            "You add query 0 to key 0, query 1 to key 1 and so on. Every query meets every key: "
            "the queries need an axis of length 1 for the keys to stretch along.",
            lambda query, key, v: np.tanh(query + key) @ v,
        ),
    ),
)


def additive_scores(answer: object) -> Verdict:
    """Check the additive score of each key for each query.

    ``answer(query, key, v)`` takes ``query`` (queries, d_score), ``key``
    (keys, d_score) and ``v`` (d_score,). It returns scores (queries, keys):
    v · tanh(query + key) for each pair.
    """
    return ADDITIVE_SCORES.check(answer)


# ---------------------------------------------------------------- look_back


def _look_back(state, annotations, W_Q, W_K, v):
    weights = softmax(_additive(state @ W_Q, annotations @ W_K, v))
    return weights @ annotations, weights


def _with_weights(make):
    """Make a mistaken function of one that makes mistaken weights."""

    def mistaken(state, annotations, W_Q, W_K, v):
        weights = make(state @ W_Q, annotations @ W_K, v)
        return weights @ annotations, weights

    return mistaken


def _swapped(state, annotations, W_Q, W_K, v):
    context, weights = _look_back(state, annotations, W_Q, W_K, v)
    return weights, context


def _keys_averaged(state, annotations, W_Q, W_K, v):
    _, weights = _look_back(state, annotations, W_Q, W_K, v)
    return weights @ (annotations @ W_K), weights


def _mean_of_weighted(state, annotations, W_Q, W_K, v):
    context, weights = _look_back(state, annotations, W_Q, W_K, v)
    return context / len(weights), weights


def _nothing_projected(state, annotations, W_Q, W_K, v):
    weights = softmax(_additive(state, annotations, v))
    return weights @ annotations, weights


def _best_alone(query, key, v):
    scores = _additive(query, key, v)
    return (np.arange(len(scores)) == scores.argmax()).astype(float)


LOOK_BACK = Exercise(
    name="look_back",
    signature="f(state, annotations, W_Q, W_K, v)",
    outputs=("context", "weights"),
    reference=_look_back,
    stages=(
        (
            example(
                state=[1, -1],
                annotations=[[1, 0], [0, 2]],
                W_Q=[[1, 0.5], [0, 1]],
                W_K=[[0.5, 1], [1, -1]],
                v=[1, 2],
            ),
            example(
                state=[0.5, -1],
                annotations=[[1, 0, 2], [0, 1, -1], [2, 1, 0]],
                W_Q=[[1, 0], [0.5, -1]],
                W_K=[[1, 0], [0, 1], [-0.5, 0.5]],
                v=[2, 1],
            ),
            example(
                state=[1, 0.5, -1],
                annotations=[[1, 0], [0, 1], [2, 2], [-1, 1]],
                W_Q=[[1, 0], [0, 1], [1, 1]],
                W_K=[[1, -1], [0.5, 1]],
                v=[1.5, -1],
            ),
        ),
        (
            example(state=[5], annotations=[[1, 3]], W_Q=[[1]], W_K=[[1], [2]], v=[4]),
            example(
                state=[1],
                annotations=[[1, 0], [-1, 2], [1, 1]],
                W_Q=[[0.5]],
                W_K=[[1], [0.5]],
                v=[1000],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "keys-averaged",
            "You average the keys. They say where something can be found; what is gathered are "
            "the annotations themselves.",
            _keys_averaged,
        ),
        misconception(
            "no-softmax",
            "You average with the scores themselves. They may be negative and need not sum to 1: "
            "the softmax turns them into weights first.",
            _with_weights(_additive),
        ),
        misconception(
            "best-alone",
            "You take the annotation with the largest score and leave out the others. Every word "
            "has a share, as large as its weight.",
            _with_weights(_best_alone),
        ),
        misconception(
            "dot-product",
            "Your scores are dot products. Here they are additive: v · tanh(query + key).",
            _with_weights(lambda query, key, v: softmax(key @ query)),
        ),
        misconception(
            "no-tanh",
            "The tanh is missing. Without it the state has no say: it adds the same number to "
            "each score.",
            _with_weights(lambda query, key, v: softmax((query + key) @ v)),
        ),
        misconception(
            "uniform",
            "Your weights are all the same, so this is the plain mean of the annotations. The "
            "state should decide.",
            _with_weights(lambda query, key, v: np.full(len(key), 1 / len(key))),
        ),
        misconception(
            "nothing-projected",
            "You score the state against the annotations as they are. W_Q and W_K make a query "
            "and keys of them first.",
            _nothing_projected,
        ),
        misconception(
            "swapped",
            "Both are right, in the wrong order: the context comes first.",
            _swapped,
        ),
        misconception(
            "divided-by-the-number",
            "You divide the context by the number of words. The weights sum to 1 already.",
            _mean_of_weighted,
        ),
    ),
    symptoms=(
        Symptom(
            "weights-do-not-sum-to-1",
            "Your weights should sum to 1, and they do not.",
            lambda inputs, expected, got: (
                np.isfinite(got[1]).all() and abs(got[1].sum() - 1) > 0.01
            ),
        ),
    ),
)


def look_back(answer: object) -> Verdict:
    """Check one look back at the source.

    ``answer(state, annotations, W_Q, W_K, v)`` takes the decoder's ``state``
    (d_state,), the ``annotations`` (source_length, d_annotation), ``W_Q``
    (d_state, d_score), ``W_K`` (d_annotation, d_score) and ``v`` (d_score,).
    It returns two things: the context (d_annotation,) and the weights
    (source_length,).
    """
    return LOOK_BACK.check(answer)


# ----------------------------------------------------- alignment_error_rate


def _rate(found, sure, possible):
    fitting = (found & sure).sum() + (found & possible).sum()
    return 1 - fitting / (found.sum() + sure.sum())


def _recall_error(found, sure, possible):
    return 1 - (found & sure).sum() / sure.sum()


def _precision_error(found, sure, possible):
    return 1 - (found & possible).sum() / found.sum()


ALIGNMENT_ERROR_RATE = Exercise(
    name="alignment_error_rate",
    signature="f(found, sure, possible)",
    outputs=("rate",),
    reference=_rate,
    stages=(
        (
            example(
                found=[[True, False], [True, False]],
                sure=[[True, False], [False, True]],
                possible=[[True, False], [True, True]],
            ),
            example(
                found=[[True, False, False], [False, True, True]],
                sure=[[True, False, False], [False, False, True]],
                possible=[[True, True, False], [False, False, True]],
            ),
            example(
                found=[[True, False, False], [False, True, False], [False, False, True]],
                sure=[[True, False, False], [False, False, True], [False, True, False]],
                possible=[[True, True, False], [False, False, True], [False, True, True]],
            ),
            example(
                found=[
                    [True, False, False, False],
                    [False, False, True, False],
                    [False, True, True, False],
                    [False, True, False, False],
                ],
                sure=[
                    [True, False, False, False],
                    [False, False, True, False],
                    [False, True, False, False],
                    [False, False, False, True],
                ],
                possible=[
                    [True, True, False, False],
                    [False, False, True, False],
                    [False, True, True, False],
                    [False, False, True, True],
                ],
            ),
        ),
        (
            example(
                found=[[False, False], [False, False]],
                sure=[[True, False], [False, True]],
                possible=[[True, True], [False, True]],
            ),
            example(
                found=[[True, False], [False, True]],
                sure=[[True, False], [False, True]],
                possible=[[True, True], [False, True]],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "not-subtracted",
            "This is the share that fits. The rate counts what does not: subtract it from 1.",
            lambda found, sure, possible: 1 - _rate(found, sure, possible),
        ),
        misconception(
            "sure-links-only",
            "You count a found link as right only if it is sure. One that is possible is no "
            "mistake either: the second term compares with the possible links.",
            lambda found, sure, possible: _rate(found, sure, sure),
        ),
        misconception(
            "possible-links-only",
            "You compare with the possible links in both terms. The first term asks for the sure "
            "ones.",
            lambda found, sure, possible: (
                1 - 2 * (found & possible).sum() / (found.sum() + sure.sum())
            ),
        ),
        misconception(
            "possible-links-counted",
            "Below the line you count the possible links. Nobody has to find those: count the "
            "sure ones.",
            lambda found, sure, possible: (
                1
                - ((found & sure).sum() + (found & possible).sum()) / (found.sum() + possible.sum())
            ),
        ),
        misconception(
            "recall",
            "You look at the sure links alone, and how many of them are missing. Linking "
            "everything to everything would then be perfect.",
            _recall_error,
        ),
        misconception(
            "precision",
            "You look at the found links alone, and how many of them are wrong. Finding a single "
            "safe one would then be perfect.",
            _precision_error,
        ),
        misconception(
            "mean-of-two-errors",
            "You average the share of sure links that are missing and the share of found links "
            "that are wrong. The rate adds the counts first, above and below the line.",
            lambda found, sure, possible: (
                (_recall_error(found, sure, possible) + _precision_error(found, sure, possible)) / 2
            ),
        ),
        misconception(
            "cells-compared",
            "You count the cells in which found and sure differ. Most cells are empty in both, "
            "and agreeing on those is no merit: count links.",
            lambda found, sure, possible: (found != sure).mean(),
        ),
        misconception(
            "union",
            "You divide by the number of different links. Here a link that is both found and sure "
            "counts twice below the line, as it does above.",
            lambda found, sure, possible: (
                1 - ((found & sure).sum() + (found & possible).sum()) / (2 * (found | sure).sum())
            ),
        ),
    ),
)


def alignment_error_rate(answer: object) -> Verdict:
    """Check the alignment error rate of one sentence.

    ``answer(found, sure, possible)`` takes three boolean matrices
    (target_length, source_length), ``True`` where there is a link; the sure links
    are possible ones too. It returns a number,
    1 - (|found and sure| + |found and possible|) / (|found| + |sure|).
    """
    return ALIGNMENT_ERROR_RATE.check(answer)


# -------------------------------------------------------- strongest_sources


def _strongest(weights, source_length, target_length):
    places = weights[:target_length].argmax(-1)
    return np.where(places < source_length, places, -1)


def _one_row_late(weights, source_length, target_length):
    return _strongest(weights[1:], source_length, target_length)


def _one_row_early(weights, source_length, target_length):
    return _strongest(np.concatenate([weights[:1], weights]), source_length, target_length)


STRONGEST_SOURCES = Exercise(
    name="strongest_sources",
    signature="f(weights, source_length, target_length)",
    outputs=("sources",),
    reference=_strongest,
    stages=(
        (
            example(
                weights=[[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0, 0.1, 0.9]],
                source_length=2,
                target_length=2,
            ),
            example(
                weights=[
                    [0.7, 0.1, 0.1, 0.1],
                    [0.1, 0.2, 0.6, 0.1],
                    [0.1, 0.8, 0, 0.1],
                    [0, 0.1, 0.2, 0.7],
                ],
                source_length=3,
                target_length=3,
            ),
            example(
                weights=[
                    [0.7, 0.2, 0.1, 0],
                    [0.2, 0.6, 0.2, 0],
                    [0.4, 0.5, 0.1, 0],
                    [0.1, 0, 0.9, 0],
                    [0.4, 0.3, 0.3, 0],
                ],
                source_length=2,
                target_length=3,
            ),
        ),
        (
            example(
                weights=[[0.4, 0.1, 0.5], [0.2, 0.7, 0.1], [0.1, 0, 0.9], [0.5, 0.3, 0.2]],
                source_length=2,
                target_length=3,
            ),
            # The largest weight of the second row lies beyond the column of END.
            example(
                weights=[[0.2, 0.1, 0.6, 0.1], [0.3, 0.1, 0.1, 0.5], [0.1, 0.7, 0, 0.2]],
                source_length=2,
                target_length=2,
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "one-row-late",
            "You read one row late. Row t belongs to the step that writes word t; in the next "
            "row that word is read, and the model looks for the one after it.",
            _one_row_late,
        ),
        misconception(
            "one-row-early",
            "You read one row early. Row 0 belongs to the first word: the start token is never "
            "written.",
            _one_row_early,
        ),
        misconception(
            "over-the-columns",
            "You ask which target word looks hardest at each source word. Asked is the source "
            "word that each target word looks at: the largest entry of each row.",
            lambda weights, source_length, target_length: weights.argmax(0)[:target_length],
        ),
        misconception(
            "end-taken-for-a-word",
            "A row that looks at the end of the source gets the number of that place. It is no "
            "word: -1 is asked for.",
            lambda weights, source_length, target_length: weights[:target_length].argmax(-1),
        ),
        misconception(
            "end-cut-off-first",
            "You cut the end of the source off before you look for the largest weight. A word "
            "that looks there is then linked to some other place; -1 is asked for.",
            lambda weights, source_length, target_length: weights[
                :target_length, :source_length
            ].argmax(-1),
        ),
        misconception(
            "smallest",
            "You return the place of the smallest weight.",
            lambda weights, source_length, target_length: weights[:target_length].argmin(-1),
        ),
        misconception(
            "weight-and-not-place",
            "You return the largest weight itself. Its place in the row is asked for.",
            lambda weights, source_length, target_length: weights[:target_length].max(-1),
        ),
        misconception(
            "counted-from-1",
            "Your places count from 1. Here they count from 0, as all places in Python do.",
            lambda weights, source_length, target_length: (
                _strongest(weights, source_length, target_length) + 1
            ),
        ),
        misconception(
            "all-rows",
            "You return a place for each row. The rows after the last word are those of the "
            "target's end and of padding: leave them out.",
            lambda weights, source_length, target_length: _strongest(
                weights, source_length, len(weights)
            ),
        ),
    ),
)


def strongest_sources(answer: object) -> Verdict:
    """Check which source word each target word looks at.

    ``answer(weights, source_length, target_length)`` takes ``weights`` (rows,
    columns) and the numbers of words of both sentences; row t is of the step
    that writes word t, and rows and columns after the last word belong to the
    end and to padding. It returns, for each target word, the place of its
    largest weight (counted from 0), and -1 where that is no word.
    """
    return STRONGEST_SOURCES.check(answer)


# --------------------------------------------------------- projected_scores


def _projected(state, annotations, W_Q, W_K):
    query, key = state @ W_Q, annotations @ W_K
    return query @ key.T / np.sqrt(key.shape[-1])


PROJECTED_SCORES = Exercise(
    name="projected_scores",
    signature="f(state, annotations, W_Q, W_K)",
    outputs=("scores",),
    reference=_projected,
    stages=(
        (
            example(
                state=[[1, 2], [0.5, -1]],
                annotations=[[1, 0], [2, 1]],
                W_Q=[[1, 0], [1, 2]],
                W_K=[[0.5, 1], [-1, 1]],
            ),
            example(
                state=[[1, -1]],
                annotations=[[1, 0, 2], [0, 1, 1]],
                W_Q=[[1, 2, 0, 1], [0, 1, -1, 1]],
                W_K=[[1, 0, 1, 0], [0, 1, 0.5, -1], [1, 1, 0, 0.5]],
            ),
            example(
                state=[[1, 0, 2], [0.5, 1, -1]],
                annotations=[[1, 0.5], [0, 2], [-1, 1], [2, 1]],
                W_Q=[[1, 0, 1, 0.5], [0, 1, -1, 2], [0.5, 0, 1, 0]],
                W_K=[[1, 2, 0, 1], [-1, 0, 0.5, 1]],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "not-scaled",
            "The division by the square root of d_score is missing.",
            lambda state, annotations, W_Q, W_K: (state @ W_Q) @ (annotations @ W_K).T,
        ),
        misconception(
            "divided-by-the-width",
            "You divide by d_score itself. Its square root is asked for.",
            lambda state, annotations, W_Q, W_K: (
                _projected(state, annotations, W_Q, W_K) / np.sqrt(W_Q.shape[1])
            ),
        ),
        misconception(
            "multiplied-by-the-scale",
            "You multiply by the square root of d_score. It divides.",
            lambda state, annotations, W_Q, W_K: (
                _projected(state, annotations, W_Q, W_K) * W_Q.shape[1]
            ),
        ),
        misconception(
            "width-of-the-state",
            "You divide by the square root of the state's width. The dot product is one of "
            "queries and keys, and d_score is their width.",
            lambda state, annotations, W_Q, W_K: (
                (state @ W_Q) @ (annotations @ W_K).T / np.sqrt(state.shape[1])
            ),
        ),
        misconception(
            "number-of-keys",
            "You divide by the square root of the number of keys. The scale comes from the width "
            "of queries and keys.",
            lambda state, annotations, W_Q, W_K: (
                (state @ W_Q) @ (annotations @ W_K).T / np.sqrt(len(annotations))
            ),
        ),
        misconception(
            "nothing-projected",
            "You take the dot products of states and annotations as they are. W_Q and W_K make "
            "queries and keys of them first; they need not even have one width.",
            lambda state, annotations, W_Q, W_K: state @ annotations.T / np.sqrt(W_Q.shape[1]),
        ),
        misconception(
            "projections-swapped",
            "W_Q and W_K have changed places: the states are asked, and the annotations ask.",
            lambda state, annotations, W_Q, W_K: _projected(state, annotations, W_K, W_Q),
        ),
        misconception(
            "additive",
            "This is an additive score. Here query and key are multiplied, component by "
            "component, and added up.",
            lambda state, annotations, W_Q, W_K: np.tanh(
                (state @ W_Q)[:, None] + annotations @ W_K
            ).sum(-1),
        ),
        misconception(
            "softmax-too-early",
            SOFTMAX_TOO_EARLY,
            lambda state, annotations, W_Q, W_K: softmax(_projected(state, annotations, W_Q, W_K)),
        ),
    ),
)


def projected_scores(answer: object) -> Verdict:
    """Check the dot-product score of each annotation for each state.

    ``answer(state, annotations, W_Q, W_K)`` takes ``state`` (queries, d_state),
    ``annotations`` (keys, d_annotation), ``W_Q`` (d_state, d_score) and ``W_K``
    (d_annotation, d_score). It returns scores (queries, keys): the dot products
    of queries and keys, divided by the square root of d_score.
    """
    return PROJECTED_SCORES.check(answer)


EXERCISES = (
    ADDITIVE_SCORES,
    LOOK_BACK,
    ALIGNMENT_ERROR_RATE,
    STRONGEST_SOURCES,
    PROJECTED_SCORES,
)
