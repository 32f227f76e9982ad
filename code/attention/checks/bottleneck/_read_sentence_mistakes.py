"""Common mistakes in `read_sentence`, with their messages (bottleneck: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.bottleneck._read_sentence_steps import (
    all_states,
    relu,
    sigmoid,
    stepping,
    straight,
)

MISTAKES = (
    misconception(
        "all-states",
        "You return the state after every word. Only the last one leaves the encoder: one "
        "vector, however long the sentence is.",
        all_states,
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
        lambda x, W_x, W_state, bias: all_states(x[::-1], W_x, W_state, bias)[-1],
    ),
    misconception(
        "last-word-missing",
        "The last word is not read: your loop stops one step too early.",
        lambda x, W_x, W_state, bias: np.vstack([0 * bias, all_states(x[:-1], W_x, W_state, bias)])[
            -1
        ],
    ),
    misconception(
        "tanh-missing",
        "There is no tanh. Without it all steps together are one matrix, and the numbers of "
        "a long sentence can grow without limit.",
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, bias, straight)[-1],
    ),
    misconception(
        "tanh-at-the-end",
        "The tanh comes once, after the last word. It belongs to every step.",
        lambda x, W_x, W_state, bias: np.tanh(all_states(x, W_x, W_state, bias, straight)[-1]),
    ),
    misconception(
        "sigmoid",
        "You bend the numbers with a sigmoid, which is never negative. Here it is tanh.",
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, bias, sigmoid)[-1],
    ),
    misconception(
        "bias-forgotten",
        "The bias is missing. It is added at every step.",
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, 0 * bias)[-1],
    ),
    misconception(
        "starts-from-ones",
        "Your first state is made of ones. Before the first word nothing has been read: "
        "start from zeros.",
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, bias, first=1.0)[-1],
    ),
    misconception(
        "states-averaged",
        "You average the states of all steps. The last state is asked for.",
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, bias).mean(0),
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
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state.T, bias)[-1],
    ),
    misconception(
        "bias-outside-the-tanh",
        "The bias is added after the tanh. It belongs inside: the tanh bends the whole sum.",
        stepping(
            lambda word, state, W_x, W_state, bias: np.tanh(word @ W_x + state @ W_state) + bias
        ),
    ),
    misconception(
        "word-outside-the-tanh",
        "The word is added after the tanh. It belongs inside: the tanh bends the whole sum.",
        stepping(
            lambda word, state, W_x, W_state, bias: np.tanh(state @ W_state + bias) + word @ W_x
        ),
    ),
    misconception(
        "old-state-added",
        "You add the old state to the tanh, as a residual connection would. Here the tanh "
        "itself is the new state.",
        stepping(
            lambda word, state, W_x, W_state, bias: (
                state + np.tanh(word @ W_x + state @ W_state + bias)
            )
        ),
    ),
    misconception(
        "W_state-forgotten",
        "W_state has no effect on your result. The old state is multiplied by it.",
        stepping(lambda word, state, W_x, W_state, bias: np.tanh(word @ W_x + state + bias)),
    ),
    misconception(
        "relu",
        "You bend the numbers with a relu. Here it is tanh.",
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, bias, relu)[-1],
    ),
    misconception(
        "starts-from-the-bias",
        "Your first state is the bias. Before the first word nothing has been read: start "
        "from zeros.",
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, bias, first=bias)[-1],
    ),
    misconception(
        "first-word-missing",
        "The first word is not read: your loop begins one step too late.",
        lambda x, W_x, W_state, bias: np.vstack([0 * bias, all_states(x[1:], W_x, W_state, bias)])[
            -1
        ],
        lambda x, W_x, W_state, bias: all_states(x[1:] if len(x) > 1 else x, W_x, W_state, bias)[
            -1
        ],
    ),
    misconception(
        "first-state",
        "You return the state after the first word. The state after the last one is asked for.",
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, bias)[0],
    ),
    misconception(
        "states-summed",
        "You add up the states of all steps. The last state is asked for.",
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, bias).sum(0),
    ),
    misconception(
        "largest-of-all-states",
        "You take the largest number of all steps in each column. The last state is asked for.",
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, bias).max(0),
    ),
    misconception(
        "bias-twice",
        "The bias is added twice at each step. Once is enough.",
        lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, 2 * bias)[-1],
    ),
    misconception(
        "multiplied",
        "You multiply what the word says with what the state says. The two are added.",
        stepping(
            lambda word, state, W_x, W_state, bias: np.tanh((word @ W_x) * (state @ W_state) + bias)
        ),
    ),
    misconception(
        "last-word-twice",
        "The last word is read twice: your loop takes one step too many.",
        lambda x, W_x, W_state, bias: all_states(np.vstack([x, x[-1:]]), W_x, W_state, bias)[-1],
    ),
)
