"""The backward pass of attention by hand, in NumPy (learning: The rule in five lines).

What ``by_hand`` computes, and here the way back: from the gradient of a loss with
respect to an output to the gradients with respect to what the output was made of. An
*upstream* gradient is the one that comes in; ``d_x`` is the gradient with respect to
``x`` and has its shape.

Where to find what: ``softmax`` has the one line that matters, ``attention`` the way back
through scaled dot-product attention, ``projections`` through the matrices around it,
``loss`` the loss at the end, ``adam`` what is done with the gradients, ``differences``
how to catch a wrong one, and ``attention_only`` a small model that is trained with them.
"""

from attention.gradients.adam import Adam
from attention.gradients.attention import attention_gradient
from attention.gradients.attention_only import AttentionOnly
from attention.gradients.differences import central_differences
from attention.gradients.frames import Frame
from attention.gradients.loss import cross_entropy, cross_entropy_gradient
from attention.gradients.projections import (
    linear_gradient,
    multi_head_attention_gradient,
    self_attention_gradient,
)
from attention.gradients.softmax import softmax_gradient

__all__ = [  # noqa: RUF022 - in the order of the chapter
    "softmax_gradient",
    "attention_gradient",
    "linear_gradient",
    "self_attention_gradient",
    "multi_head_attention_gradient",
    "cross_entropy",
    "cross_entropy_gradient",
    "central_differences",
    "Adam",
    "AttentionOnly",
    "Frame",
]
