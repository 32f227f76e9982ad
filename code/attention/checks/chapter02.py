"""The exercises of chapter 2, Looking back: Bahdanau attention.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked.
"""

import numpy as np

from attention.by_hand import softmax
from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

# ---------------------------------------------------------- additive_scores


def _additive(query, key, v):
    return np.tanh(query[..., None, :] + key) @ v


SOFTMAX_TOO_EARLY = (
    "You return weights: your rows sum to 1. The softmax comes after the scores; here the "
    "scores themselves are asked for."
)


def _bending(bend):
    """Make an additive score that bends with another function."""
    return lambda query, key, v: bend(query[..., None, :] + key) @ v


def _sigmoid(numbers):
    return 1 / (1 + np.exp(-numbers))


def _relu(numbers):
    return np.maximum(numbers, 0)


# By slug: what is said, and score functions that make the mistake. `look_back` knows them too.
MISTAKEN_SCORES = {
    "another-bend": (
        "You bend the sum of query and key with another function. Here it is tanh.",
        _bending(_sigmoid),
        _bending(_relu),
        _bending(np.sin),
        _bending(np.arctan),
    ),
    "averaged": (
        "You take the mean over the components. The score is their sum, weighted with v.",
        lambda query, key, v: _additive(query, key, v) / len(v),
    ),
    "tanh-on-one": (
        "Only the query, or only the key, goes through the tanh. Their sum does.",
        lambda query, key, v: (np.tanh(query)[..., None, :] + key) @ v,
        lambda query, key, v: (query[..., None, :] + np.tanh(key)) @ v,
    ),
    "tanh-twice": (
        "You take the tanh twice: of each component, which is right, and of the finished score.",
        lambda query, key, v: np.tanh(_additive(query, key, v)),
    ),
    "query-ignored": (
        "The query has no effect on your scores. Add it to each key before the tanh.",
        lambda query, key, v: _additive(0 * query, key, v),
    ),
    "key-ignored": (
        "The keys have no effect on your scores. Add each to the query before the tanh.",
        lambda query, key, v: _additive(query, 0 * key, v),
    ),
    "dot-product-weighted": (
        "You multiply query and key component by component, and weigh the products with v. The "
        "additive score adds query and key, and takes the tanh.",
        lambda query, key, v: (query * v) @ key.T,
    ),
}


def _misconceptions_of_scores(build, *already):
    """Make the mistakes of an additive score, for ``build(score)``, which gives an answer."""
    return tuple(
        misconception(slug, message, *map(build, scores))
        for slug, (message, *scores) in MISTAKEN_SCORES.items()
        if slug not in already
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
        *_misconceptions_of_scores(lambda score: score),
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


def _with_softmax(softmax):
    """Make a function whose softmax of scores (queries, keys) is another one."""
    return _with_weights(lambda query, key, v: softmax(_additive(query, key, v)[None])[0])


def _swapped(state, annotations, W_Q, W_K, v):
    context, weights = _look_back(state, annotations, W_Q, W_K, v)
    return weights, context


def _gathering(gather):
    """Make a mistaken function that weighs rightly and gathers in another way."""

    def mistaken(state, annotations, W_Q, W_K, v):
        _, weights = _look_back(state, annotations, W_Q, W_K, v)
        return gather(weights, annotations), weights

    return mistaken


def _scores_beside_the_context(state, annotations, W_Q, W_K, v):
    context, _ = _look_back(state, annotations, W_Q, W_K, v)
    return context, _additive(state @ W_Q, annotations @ W_K, v)


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
            _with_weights(lambda query, key, v: softmax(key @ query / np.sqrt(len(query)))),
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
        misconception(
            "query-ignored",
            "The query makes no difference to your weights. It has to go into the tanh, together "
            "with each key.",
            _with_weights(lambda query, key, v: softmax(np.tanh(key) @ v)),
        ),
        # Weights that ignore the keys are uniform; without the tanh the query adds the same to all.
        *_misconceptions_of_scores(
            lambda score: _with_weights(lambda *given: softmax(score(*given))),
            "query-ignored",
            "key-ignored",
            "tanh-on-one",
        ),
        misconception(
            "scaled",
            "You divide the scores by the root of their width. That belongs to the dot product;"
            " the additive score has no scale.",
            _with_weights(
                lambda query, key, v: softmax(_additive(query, key, v) / np.sqrt(len(v)))
            ),
        ),
        misconception(
            "v-left-out",
            "You add up the components as they are. Each counts as much as v says.",
            _with_weights(lambda query, key, v: softmax(np.tanh(query + key).sum(-1))),
        ),
        misconception(
            "tanh-last",
            "You take the tanh of the finished score. It belongs to each component of query "
            "plus key, before v adds the components up.",
            _with_weights(lambda query, key, v: softmax(np.tanh((query + key) @ v))),
        ),
        misconception(
            "multiplied",
            "You multiply query and key. The additive score adds them.",
            _with_weights(lambda query, key, v: softmax(np.tanh(query * key) @ v)),
        ),
        misconception(
            "subtracted",
            "You subtract one of query and key from the other. The score adds them.",
            _with_weights(lambda query, key, v: softmax(np.tanh(query - key) @ v)),
            _with_weights(lambda query, key, v: softmax(np.tanh(key - query) @ v)),
        ),
        misconception(
            "annotations-added-up",
            "Your weights are right, but you add the annotations up without them. Each counts "
            "as much as its weight.",
            _gathering(lambda weights, annotations: annotations.sum(0)),
        ),
        misconception(
            "annotations-averaged",
            "Your weights are right, but the context is the plain mean of the annotations. Each"
            " counts as much as its weight.",
            _gathering(lambda weights, annotations: annotations.mean(0)),
        ),
        misconception(
            "best-annotation",
            "Your weights are right, but the context is the annotation with the largest weight "
            "alone. Every word has a share.",
            _gathering(lambda weights, annotations: annotations[weights.argmax()]),
        ),
        misconception(
            "scores-returned",
            "The context is right. Beside it you return the scores: the weights are asked for.",
            _scores_beside_the_context,
        ),
    ),
    shared=_mistakes.for_one_query(_mistakes.of_softmax(_with_softmax)),
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


def _mean_of_rows(found, sure, possible):
    fitting = (found & sure).sum(1) + (found & possible).sum(1)
    return (1 - fitting / np.maximum(found.sum(1) + sure.sum(1), 1)).mean()


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
            lambda found, sure, possible: (
                1 - ((found & sure).sum() + (found & possible).sum()) / (found | sure).sum()
            ),
            lambda found, sure, possible: 1 - (found & sure).sum() / (found | sure).sum(),
        ),
        misconception(
            "percent",
            "You return percent. The rate lies between 0 and 1.",
            lambda found, sure, possible: 100 * _rate(found, sure, possible),
        ),
        misconception(
            "or-for-and",
            "You count the cells with a link in either of the two. A found link fits if the "
            "other has it too.",
            lambda found, sure, possible: (
                1 - ((found | sure).sum() + (found | possible).sum()) / (found.sum() + sure.sum())
            ),
        ),
        misconception(
            "divided-by-found-links",
            "Below the line you count the found links alone. The sure ones belong there too.",
            lambda found, sure, possible: (
                1 - ((found & sure).sum() + (found & possible).sum()) / found.sum()
            ),
            lambda found, sure, possible: (
                1 - ((found & sure).sum() + (found & possible).sum()) / (2 * found.sum())
            ),
        ),
        misconception(
            "divided-by-sure-links",
            "Below the line you count the sure links alone. The found ones belong there too.",
            lambda found, sure, possible: (
                1 - ((found & sure).sum() + (found & possible).sum()) / sure.sum()
            ),
            lambda found, sure, possible: (
                1 - ((found & sure).sum() + (found & possible).sum()) / (2 * sure.sum())
            ),
        ),
        misconception(
            "divided-by-all-three",
            "Below the line you count the possible links as well. Count the found ones and the "
            "sure ones.",
            lambda found, sure, possible: (
                1
                - ((found & sure).sum() + (found & possible).sum())
                / (found.sum() + sure.sum() + possible.sum())
            ),
        ),
        misconception(
            "divided-by-cells",
            "You divide by the number of cells. Divide by the number of links: found plus sure.",
            lambda found, sure, possible: (
                1 - ((found & sure).sum() + (found & possible).sum()) / found.size
            ),
        ),
        misconception(
            "means-above-the-line",
            "Above the line you take means, below it sums. Count links in both.",
            lambda found, sure, possible: (
                1 - ((found & sure).mean() + (found & possible).mean()) / (found.sum() + sure.sum())
            ),
        ),
        misconception(
            "sure-links-not-counted-again",
            "Above the line a link that is found, sure and possible counts once. A sure link is"
            " possible too, so it counts in both terms.",
            lambda found, sure, possible: (
                1
                - ((found & sure).sum() + (found & possible & ~sure).sum())
                / (found.sum() + sure.sum())
            ),
        ),
        misconception(
            "second-term-missing",
            "Above the line one term is missing: the found links that are possible.",
            lambda found, sure, possible: 1 - (found & sure).sum() / (found.sum() + sure.sum()),
        ),
        misconception(
            "halved",
            "You divide the share that fits by 2. There are two terms above the line and two "
            "below, so it is at most 1 already.",
            lambda found, sure, possible: (
                1
                - ((found & sure).sum() + (found & possible).sum()) / (found.sum() + sure.sum()) / 2
            ),
        ),
        misconception(
            "brackets-missing",
            "Only the second term is divided. Put both terms above the line, in brackets.",
            lambda found, sure, possible: (
                1 - (found & sure).sum() + (found & possible).sum() / (found.sum() + sure.sum())
            ),
            lambda found, sure, possible: (
                1 - (found & sure).sum() - (found & possible).sum() / (found.sum() + sure.sum())
            ),
        ),
        misconception(
            "sure-and-possible-compared",
            "In one of the terms the found links do not occur: you compare the sure ones with "
            "the possible ones.",
            lambda found, sure, possible: (
                1 - ((found & sure).sum() + (sure & possible).sum()) / (found.sum() + sure.sum())
            ),
        ),
        misconception(
            "averaged-over-words",
            "You compute a rate for each target word and average these. Count the links of the "
            "whole sentence first.",
            _mean_of_rows,
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


def _places(weights, target_length, is_word, otherwise=-1):
    """Find the largest weights; ``is_word(place)`` may be mistaken."""
    place = weights[:target_length].argmax(-1)
    return np.where(is_word(place), place, otherwise)


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
                weights=[[0.1, 0.4, 0.5], [0.2, 0.7, 0.1], [0.1, 0, 0.9], [0.5, 0.3, 0.2]],
                source_length=2,
                target_length=3,
            ),
            # The largest weight of the second row lies beyond the column of END.
            example(
                weights=[[0.1, 0.2, 0.6, 0.1], [0.3, 0.1, 0.1, 0.5], [0.1, 0.7, 0, 0.2]],
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
        misconception(
            "zero-for-no-word",
            "Where the largest weight is on no word you return 0, which is the place of the "
            "first word. Return -1 there.",
            lambda weights, source_length, target_length: _places(
                weights, target_length, lambda place: place < source_length, 0
            ),
        ),
        misconception(
            "end-counted-as-a-word",
            "The place right after the last word passes for a word. Places count from 0: those "
            "of words are smaller than source_length.",
            lambda weights, source_length, target_length: _places(
                weights, target_length, lambda place: place <= source_length
            ),
        ),
        misconception(
            "padding-counted-as-words",
            "You return -1 for the place of END alone. The columns after it, which are padding,"
            " are no words either.",
            lambda weights, source_length, target_length: _places(
                weights, target_length, lambda place: place != source_length
            ),
        ),
        misconception(
            "padding-cut-off-first",
            "You cut the padding off before you look for the largest weight. A word that looks "
            "there is then linked to another place.",
            lambda weights, source_length, target_length: _places(
                weights[:, : source_length + 1], target_length, lambda place: place < source_length
            ),
        ),
        misconception(
            "last-word-left-out",
            "The last word of the source passes for no word. Its place is source_length - 1, "
            "since places count from 0.",
            lambda weights, source_length, target_length: _places(
                weights, target_length, lambda place: place < source_length - 1
            ),
        ),
        misconception(
            "smallest-weight",
            "You look for the smallest weight. The largest is asked for.",
            lambda weights, source_length, target_length: _places(
                -weights, target_length, lambda place: place < source_length
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


def _projected_with(attend):
    """Make scores of which one step may be another than the right one."""

    def scores(state, annotations, W_Q, W_K):
        query, key = state @ W_Q, annotations @ W_K
        sizes = {
            "queries": len(query),
            "keys": len(key),
            "d_k": key.shape[1],
            "d_v": annotations.shape[1],
            "d_model": state.shape[1],
        }
        return attend.compare(query, key, annotations) * attend.scale(sizes)

    return scores


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
            lambda state, annotations, W_Q, W_K: softmax(
                _projected(state, annotations, W_Q, W_K), axis=0
            ),
        ),
        misconception(
            "width-of-the-annotations",
            "You divide by the square root of the annotations' width. The dot product is one of"
            " queries and keys, and d_score is their width.",
            lambda state, annotations, W_Q, W_K: (
                (state @ W_Q) @ (annotations @ W_K).T / np.sqrt(annotations.shape[1])
            ),
        ),
        misconception(
            "tanh-of-the-score",
            "You take the tanh of the score. That belongs to the additive score; a dot product "
            "is left as it is.",
            lambda state, annotations, W_Q, W_K: np.tanh(_projected(state, annotations, W_Q, W_K)),
        ),
        misconception(
            "wrong-sign",
            "Your scores have the wrong sign: a key that points the same way as the query "
            "should get a high score.",
            lambda state, annotations, W_Q, W_K: -_projected(state, annotations, W_Q, W_K),
        ),
        misconception(
            "added",
            "You add query and key. In a dot product their components are multiplied, and the "
            "products added up.",
            lambda state, annotations, W_Q, W_K: (
                ((state @ W_Q)[:, None] + annotations @ W_K).sum(-1) / np.sqrt(W_Q.shape[1])
            ),
            lambda state, annotations, W_Q, W_K: ((state @ W_Q)[:, None] + annotations @ W_K).sum(
                -1
            ),
        ),
    ),
    shared=_mistakes.of_attention(_projected_with),
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
