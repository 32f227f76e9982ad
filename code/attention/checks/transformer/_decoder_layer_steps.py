"""Orders of the three sublayers, for `decoder_layer` (transformer: Exercises)."""

from collections.abc import Callable


def right_layer(x, memory, self_attention, cross_attention, feed_forward):
    x = x + self_attention(x)
    x = x + cross_attention(x, memory)
    return x + feed_forward(x)


def without(*lonely: str) -> Callable:
    """Make a decoder layer in which the residual is missing around some sublayers."""

    def layer(x, memory, self_attention, cross_attention, feed_forward):
        x = x * ("self" not in lonely) + self_attention(x)
        x = x * ("cross" not in lonely) + cross_attention(x, memory)
        return x * ("feed" not in lonely) + feed_forward(x)

    return layer


def silent(*inputs):
    """Say nothing: the part of a sublayer that is left out."""
    return 0.0


def in_order(*order: str) -> Callable:
    """Make a decoder layer whose sublayers come in another order."""

    def layer(x, memory, self_attention, cross_attention, feed_forward):
        says = {
            "self": self_attention,
            "cross": lambda x: cross_attention(x, memory),
            "feed": feed_forward,
        }
        for name in order:
            x = x + says[name](x)
        return x

    return layer


def reading_old_x(x, memory, self_attention, cross_attention, feed_forward):
    after = x + self_attention(x)
    after = after + cross_attention(x, memory)
    return after + feed_forward(after)


def feeding_before_cross(x, memory, self_attention, cross_attention, feed_forward):
    x = x + self_attention(x)
    return x + cross_attention(x, memory) + feed_forward(x)


def reads_outputs(x, memory, self_attention, cross_attention, feed_forward, *, cross, feed):
    """Let cross-attention, or the feed-forward layer, read the last output alone."""
    update = self_attention(x)
    x = x + update
    update = cross_attention(update if cross else x, memory)
    x = x + update
    return x + feed_forward(update if feed else x)


def adding_to_the_first(x, memory, self_attention, cross_attention, feed_forward):
    read = x + self_attention(x)
    read = x + cross_attention(read, memory)
    return x + feed_forward(read)
