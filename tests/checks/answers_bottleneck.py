"""Answers to the exercises of the chapter `bottleneck`, right and wrong."""

import math

import numpy as np
from answers import right, wrong

# ------------------------------------------------------------- read_sentence


def step(word, state, W_x, W_state, b):
    return [
        math.tanh(
            sum(word[i] * W_x[i, j] for i in range(len(word)))
            + sum(state[i] * W_state[i, j] for i in range(len(state)))
            + b[j]
        )
        for j in range(len(b))
    ]


def states(x, W_x, W_state, b, first=0.0):
    every = [[first] * len(b)]
    for word in x:
        every.append(step(word, every[-1], W_x, W_state, b))
    return every


@right("read_sentence")
def reading_with_lists(x, W_x, W_state, b):
    return states(x, W_x, W_state, b)[-1]


@right("read_sentence")
def reading_with_one_matrix(x, W_x, W_state, b):
    matrix = np.concatenate([W_x, W_state, b[None]])
    state = np.zeros(len(b))
    for word in x:
        state = np.tanh(np.concatenate([word, state, [1.0]]) @ matrix)
    return state


@right("read_sentence")
def reading_by_recursion(x, W_x, W_state, b):
    if len(x) == 0:
        return 0 * b
    before = reading_by_recursion(x[:-1], W_x, W_state, b)
    return np.tanh(x[-1] @ W_x + before @ W_state + b)


@wrong("read_sentence", "all-states")
def _(x, W_x, W_state, b):
    return states(x, W_x, W_state, b)[1:]


@wrong("read_sentence", "past-forgotten")
def _(x, W_x, W_state, b):
    for word in x:
        state = step(word, [0.0] * len(b), W_x, W_state, b)
    return state


@wrong("read_sentence", "read-backwards")
def _(x, W_x, W_state, b):
    state = np.zeros_like(b)
    for i in range(len(x) - 1, -1, -1):
        state = np.tanh(x[i] @ W_x + state @ W_state + b)
    return state


@wrong("read_sentence", "last-word-missing")
def _(x, W_x, W_state, b):
    state = np.zeros_like(b)
    for i in range(len(x) - 1):
        state = np.tanh(x[i] @ W_x + state @ W_state + b)
    return state


@wrong("read_sentence", "tanh-missing")
def _(x, W_x, W_state, b):
    state = np.zeros_like(b)
    for word in x:
        state = word @ W_x + state @ W_state + b
    return state


@wrong("read_sentence", "tanh-at-the-end")
def _(x, W_x, W_state, b):
    state = np.zeros_like(b)
    for word in x:
        state = word @ W_x + state @ W_state + b
    return np.tanh(state)


@wrong("read_sentence", "sigmoid")
def _(x, W_x, W_state, b):
    state = np.zeros_like(b)
    for word in x:
        state = 1 / (1 + np.exp(-(word @ W_x + state @ W_state + b)))
    return state


@wrong("read_sentence", "bias-forgotten")
def _(x, W_x, W_state, b):
    return states(x, W_x, W_state, [0.0] * len(b))[-1]


@wrong("read_sentence", "starts-from-ones")
def _(x, W_x, W_state, b):
    return states(x, W_x, W_state, b, first=1.0)[-1]


@wrong("read_sentence", "states-averaged")
def _(x, W_x, W_state, b):
    return np.mean(states(x, W_x, W_state, b)[1:], axis=0)


@wrong("read_sentence", "words-summed")
def _(x, W_x, W_state, b):
    return step(sum(x), [0.0] * len(b), W_x, W_state, b)


@wrong("read_sentence", "W_state-transposed")
def _(x, W_x, W_state, b):
    state = np.zeros_like(b)
    for word in x:
        state = np.tanh(word @ W_x + W_state @ state + b)
    return state


# ------------------------------------------------------------ decoder_inputs


@right("decoder_inputs")
def inputs_with_lists(target, start):
    return [[start, *row[:-1]] for row in target.tolist()]


@right("decoder_inputs")
def inputs_by_rolling(target, start):
    inputs = np.roll(target, 1, axis=1)
    inputs[:, 0] = start
    return inputs


@wrong("decoder_inputs", "not-shifted")
def _(target, start):
    return target.copy()


@wrong("decoder_inputs", "shifted-the-wrong-way")
def _(target, start):
    return [[*row[1:], start] for row in target.tolist()]


@wrong("decoder_inputs", "shifted-the-wrong-way")
def shifted_the_wrong_way_with_padding(target, start):
    return [[*row[1:], 0] for row in target.tolist()]


@wrong("decoder_inputs", "too-long")
def _(target, start):
    return [[start, *row] for row in target.tolist()]


@wrong("decoder_inputs", "wraps-around")
def _(target, start):
    return [[row[-1], *row[:-1]] for row in target.tolist()]


@wrong("decoder_inputs", "start-over-the-first-word")
def _(target, start):
    inputs = target.copy()
    inputs[:, 0] = start
    return inputs


@wrong("decoder_inputs", "first-word-twice")
def _(target, start):
    inputs = target.copy()
    inputs[:, 1:] = target[:, :-1]
    return inputs


@wrong("decoder_inputs", "sentences-mixed")
def _(target, start):
    flat = [start, *target.flatten().tolist()]
    width = target.shape[1]
    return [flat[i * width : (i + 1) * width] for i in range(len(target))]


@wrong("decoder_inputs", "sentences-mixed")
def rolled_as_one_line(target, start):
    flat = target.flatten().tolist()
    return np.reshape([flat[-1], *flat[:-1]], target.shape)


@wrong("decoder_inputs", "shifted-down")
def _(target, start):
    return [[start] * target.shape[1], *target.tolist()[:-1]]


@wrong("decoder_inputs", "end-removed")
def _(target, start):
    return [[start, *(0 if word == 2 else word for word in row[:-1])] for row in target.tolist()]


@wrong("decoder_inputs", "no-start")
def _(target, start):
    return [[9 - i, *row[:-1]] for i, row in enumerate(target.tolist())]


# --------------------------------------------------------------- last_states


@right("last_states")
def last_states_with_a_loop(states, lengths):
    return [sentence[n - 1] for sentence, n in zip(states, lengths, strict=True)]


@right("last_states")
def last_states_with_take_along_axis(states, lengths):
    places = (lengths - 1)[:, None, None]
    return np.take_along_axis(states, places, axis=1).squeeze(1)


@right("last_states")
def last_states_by_cutting(states, lengths):
    return np.stack([states[i, :n][-1] for i, n in enumerate(lengths)])


@wrong("last_states", "last-column")
def _(states, lengths):
    return [sentence[-1] for sentence in states]


@wrong("last_states", "one-too-far")
def _(states, lengths):
    return [
        sentence[n] if n < len(sentence) else sentence[-1]
        for sentence, n in zip(states, lengths, strict=True)
    ]


@wrong("last_states", "one-too-far")
def one_too_far_without_a_guard(states, lengths):
    return [states[i][lengths[i]] for i in range(len(lengths))]


@wrong("last_states", "one-too-early")
def _(states, lengths):
    return [states[i][lengths[i] - 2] for i in range(len(lengths))]


@wrong("last_states", "one-too-early")
def one_too_early_but_not_before_the_first(states, lengths):
    return [states[i][max(lengths[i] - 2, 0)] for i in range(len(lengths))]


@wrong("last_states", "first-state")
def _(states, lengths):
    return [sentence[0] for sentence in states]


@wrong("last_states", "padding-zeroed")
def _(states, lengths):
    states = states.copy()
    for i, n in enumerate(lengths):
        states[i, n:] = 0
    return states[:, -1]


@wrong("last_states", "averaged")
def _(states, lengths):
    return [states[i, :n].mean(0) for i, n in enumerate(lengths)]


@wrong("last_states", "summed")
def _(states, lengths):
    return [sum(states[i, :n]) for i, n in enumerate(lengths)]


@wrong("last_states", "each-with-each")
def _(states, lengths):
    return [[sentence[n - 1] for n in lengths] for sentence in states]


@wrong("last_states", "shortest-for-all")
def _(states, lengths):
    return [sentence[min(lengths) - 1] for sentence in states]


@wrong("last_states", "longest-for-all")
def _(states, lengths):
    return [sentence[max(lengths) - 1] for sentence in states]


# --------------------------------------------------------------- exact_match


def up_to_end(row):
    words = list(row)
    return words[: words.index(2) + 1] if 2 in words else words


@right("exact_match")
def matches_of_cut_lists(outputs, targets):
    hits = [up_to_end(o) == up_to_end(t) for o, t in zip(outputs, targets, strict=True)]
    return sum(hits) / len(hits)


@right("exact_match")
def matches_word_by_word(outputs, targets):
    hits = 0
    for output, target in zip(outputs, targets, strict=True):
        for came, wanted in zip(output, target, strict=True):
            if came != wanted:
                break
            if wanted == 2:
                hits += 1
                break
    return hits / len(targets)


@wrong("exact_match", "after-end-compared")
def _(outputs, targets):
    hits = [list(o) == list(t) for o, t in zip(outputs, targets, strict=True)]
    return sum(hits) / len(hits)


@wrong("exact_match", "end-forgotten")
def _(outputs, targets):
    hits = []
    for output, target in zip(outputs, targets, strict=True):
        words = len(up_to_end(target)) - 1
        hits.append(list(output[:words]) == list(target[:words]))
    return np.mean(hits)


@wrong("exact_match", "padding-counted")
def _(outputs, targets):
    return np.count_nonzero(outputs == targets) / targets.size


@wrong("exact_match", "token-accuracy")
def _(outputs, targets):
    right = [
        came == wanted
        for output, target in zip(outputs, targets, strict=True)
        for came, wanted in zip(output, up_to_end(target), strict=False)
    ]
    return sum(right) / len(right)


@wrong("exact_match", "mean-of-sentences")
def _(outputs, targets):
    shares = []
    for output, target in zip(outputs, targets, strict=True):
        wanted = up_to_end(target)
        shares.append(np.mean([a == b for a, b in zip(output, wanted, strict=False)]))
    return sum(shares) / len(shares)


@wrong("exact_match", "counted")
def _(outputs, targets):
    return sum(up_to_end(o) == up_to_end(t) for o, t in zip(outputs, targets, strict=True))


@wrong("exact_match", "for-each-sentence")
def _(outputs, targets):
    return [up_to_end(o) == up_to_end(t) for o, t in zip(outputs, targets, strict=True)]


@wrong("exact_match", "share-of-wrong")
def _(outputs, targets):
    return 1 - matches_of_cut_lists(outputs, targets)


@wrong("exact_match", "order-ignored")
def _(outputs, targets):
    hits = [
        sorted(up_to_end(o)) == sorted(up_to_end(t)) for o, t in zip(outputs, targets, strict=True)
    ]
    return sum(hits) / len(hits)


@wrong("exact_match", "all-or-nothing")
def _(outputs, targets):
    return all(up_to_end(o) == up_to_end(t) for o, t in zip(outputs, targets, strict=True))


# ------------------------------------------------------------- steps_to_fade


@right("steps_to_fade")
def steps_by_multiplying(factor, threshold):
    gradient, steps = 1.0, 0
    while gradient >= threshold:
        gradient, steps = gradient * factor, steps + 1
    return steps


@right("steps_to_fade")
def steps_by_searching(factor, threshold):
    return next(k for k in range(10_000) if factor**k < threshold)


@right("steps_to_fade")
def steps_by_array(factor, threshold):
    return int((factor ** np.arange(10_000) >= threshold).sum())


@wrong("steps_to_fade", "not-below")
def _(factor, threshold):
    return next(k for k in range(10_000) if factor**k <= threshold)


@wrong("steps_to_fade", "one-too-few")
def _(factor, threshold):
    return steps_by_multiplying(factor, threshold) - 1


@wrong("steps_to_fade", "one-too-many")
def _(factor, threshold):
    return steps_by_multiplying(factor, threshold) + 1


@wrong("steps_to_fade", "not-rounded")
def _(factor, threshold):
    return math.log2(threshold) / math.log2(factor)


@wrong("steps_to_fade", "rounded")
def _(factor, threshold):
    return int(math.log(threshold, factor) + 0.5)


@wrong("steps_to_fade", "fades-in-a-straight-line")
def _(factor, threshold):
    steps, gradient = 0, 1.0
    while gradient > threshold + 1e-9:
        gradient, steps = gradient - (1 - factor), steps + 1
    return steps


@wrong("steps_to_fade", "fades-in-a-straight-line")
def in_a_straight_line_rounded_down(factor, threshold):
    return int((1 - threshold) / (1 - factor))


@wrong("steps_to_fade", "fades-in-a-straight-line")
def in_a_straight_line_not_rounded(factor, threshold):
    return (1 - threshold) / (1 - factor)


@wrong("steps_to_fade", "logarithms-swapped")
def _(factor, threshold):
    return math.log10(factor) / math.log10(threshold)


@wrong("steps_to_fade", "logarithms-swapped")
def logarithms_swapped_and_rounded_up(factor, threshold):
    return math.ceil(math.log(factor) / math.log(threshold))


@wrong("steps_to_fade", "divided")
def _(factor, threshold):
    return threshold / factor
