"""Common mistakes in `swiglu`, with their messages (family: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.family import _swiglu_steps as steps
from attention.checks.family._swiglu_steps import gate_after_down, gating

RIGHT = gating()

MISTAKES = (
    misconception(
        "sigmoid-only",
        "Your gate is the sigmoid alone. That is GLU, where this began; silu multiplies the "
        "sigmoid of a number by the number itself.",
        gating(steps.sigmoid),
    ),
    misconception(
        "branches-swapped",
        "You bend what W_up makes. It is what W_gate makes that goes through silu; the other "
        "is left as it is.",
        gating(steps.identity, bend_up=steps.silu),
    ),
    misconception(
        "both-bent",
        "Both products go through silu. Only that with W_gate does.",
        gating(bend_up=steps.silu),
    ),
    misconception(
        "relu",
        "You bend with the relu. That is ReGLU; here it is silu, z times the sigmoid of z.",
        gating(steps.relu),
    ),
    misconception(
        "gelu",
        "You bend with GELU, in one of its two forms. That is GEGLU; here it is silu, z times "
        "the sigmoid of z.",
        gating(steps.gelu),
        gating(steps.gelu_by_tanh),
        gating(lambda z: z * steps.sigmoid(1.702 * z)),
    ),
    misconception(
        "no-bend",
        "Neither product is bent. What W_gate makes goes through silu before it multiplies.",
        gating(steps.identity),
    ),
    misconception(
        "added",
        "You add the two branches. A gate multiplies: it lets each number through more or less.",
        gating(join=np.add),
    ),
    misconception(
        "up-forgotten",
        "W_up has no effect on your result. What it makes is what the gate multiplies.",
        gating(join=lambda gate, up: gate),
    ),
    misconception(
        "gate-forgotten",
        "W_gate has no effect on your result. Without it this is a feed-forward layer of the "
        "old kind.",
        gating(join=lambda gate, up: steps.silu(up)),
        gating(join=lambda gate, up: up),
        gating(join=lambda gate, up: steps.relu(up)),
    ),
    misconception(
        "bent-after-the-product",
        "You multiply first and bend the product. Bend what W_gate makes, then multiply.",
        gating(steps.identity, lambda gate, up: steps.silu(gate * up)),
    ),
    misconception(
        "bent-at-the-end",
        "silu comes after W_down. It belongs to the gate, before the product.",
        gating(steps.identity, at_the_end=steps.silu),
        gating(at_the_end=steps.silu),
    ),
    misconception(
        "bent-at-the-start",
        "You bend x before W_gate. silu comes after the matrix.",
        lambda x, W_gate, W_up, W_down: (steps.silu(x) @ W_gate) * (x @ W_up) @ W_down,
        lambda x, W_gate, W_up, W_down: RIGHT(steps.silu(x), W_gate, W_up, W_down),
    ),
    misconception(
        "gate-after-down",
        "You multiply by the gate after W_down. The two branches meet where both are d_ff "
        "wide, and W_down comes last. After it the shapes fit only by chance.",
        gate_after_down(),
    ),
    misconception(
        "sigmoid-turned-round",
        "Your sigmoid falls where it should rise: a minus is missing, or one too many. A large "
        "number goes through silu almost as it is, one far below 0 becomes almost 0.",
        gating(lambda z: z * steps.sigmoid(-z)),
    ),
    misconception(
        "tanh",
        "You took the tanh for the sigmoid. The sigmoid, 1 divided by 1 + exp(-z), goes from "
        "0 to 1.",
        gating(lambda z: z * np.tanh(z)),
        gating(np.tanh),
    ),
    misconception(
        "softplus",
        "You bend with log(1 + exp(z)). silu is z times the sigmoid of z.",
        gating(lambda z: np.logaddexp(0, z)),
    ),
    misconception(
        "softmax",
        "You take a softmax of what W_gate makes. Each gate opens by itself: they share "
        "nothing out.",
        gating(steps.softmax),
        gating(lambda z: z * steps.softmax(z)),
    ),
    misconception(
        "residual-added",
        "You add x to the result. That is the residual connection's work; here the layer "
        "alone is asked for.",
        lambda x, W_gate, W_up, W_down: RIGHT(x, W_gate, W_up, W_down) + x,
    ),
    misconception(
        "transposed",
        "You transpose a matrix. Files of weights often keep them so; here W_gate and W_up "
        "have d_model rows, W_down has d_ff rows, and x stands on the left of them.",
        lambda x, W_gate, W_up, W_down: RIGHT(x, W_gate.T, W_up.T, W_down.T),
        lambda x, W_gate, W_up, W_down: RIGHT(x, W_gate.T, W_up.T, W_down),
        lambda x, W_gate, W_up, W_down: RIGHT(x, W_gate, W_up, W_down.T),
    ),
    misconception(
        "gate-and-up-swapped",
        "You take W_up for the gate, and its sigmoid alone. Look at the order of the matrices.",
        gating(steps.identity, bend_up=steps.sigmoid),
    ),
    misconception(
        "overflows",
        "Right, until a number in the gate is large: exp(z) is then infinite. Write the "
        "sigmoid as 1 divided by 1 + exp(-z): where exp(-z) is infinite, it is 0.",
        gating(steps.overflowing_silu),
    ),
)
