"""Common mistakes in `decoder_layer`, with their messages (transformer: Exercises)."""

from attention.checks._exercise import misconception
from attention.checks.transformer._decoder_layer_steps import (
    adding_to_the_first,
    feeding_before_cross,
    in_order,
    reading_old_x,
    reads_outputs,
    right_layer,
    silent,
    without,
)

MISTAKES = (
    misconception(
        "cross-attention-first",
        "Cross-attention comes before self-attention in yours. First a position looks at what "
        "has been written, then at the source.",
        in_order("cross", "self", "feed"),
    ),
    misconception(
        "feed-forward-too-early",
        "The feed-forward layer comes too early. It is the last of the three.",
        in_order("feed", "self", "cross"),
        in_order("self", "feed", "cross"),
        in_order("feed", "cross", "self"),
        in_order("cross", "feed", "self"),
    ),
    misconception(
        "memory-as-queries",
        "You hand memory to cross_attention first. What comes first asks the questions, and "
        "that is the stream: cross_attention(x, memory).",
        lambda x, memory, s, c, f: right_layer(x, memory, s, lambda x, m: c(m, x), f),
    ),
    misconception(
        "memory-ignored",
        "memory has no effect on your result: cross-attention looks at the stream itself. "
        "Hand it memory as its second argument.",
        lambda x, memory, s, c, f: right_layer(x, memory, s, lambda x, m: c(x, x), f),
    ),
    misconception(
        "cross-attention-reads-the-old-x",
        "Cross-attention reads x as it was at the beginning. It should read the stream after "
        "self-attention has added to it.",
        reading_old_x,
    ),
    misconception(
        "feed-forward-reads-too-early",
        "The feed-forward layer reads the stream before cross-attention has added to it. It "
        "should read it afterwards.",
        feeding_before_cross,
    ),
    misconception(
        "in-parallel",
        "All three sublayers read the same x. They come one after the other: each reads what "
        "the ones before it have added.",
        lambda x, memory, s, c, f: x + s(x) + c(x, memory) + f(x),
    ),
    misconception(
        "added-to-the-first-x",
        "Each sublayer reads the right stream, but you add what it says to the x of the "
        "beginning. So what the others said gets lost: add to the stream as it is by then.",
        adding_to_the_first,
        lambda x, memory, s, c, f: x + f(x + s(x) + c(x + s(x), memory)),
    ),
    misconception(
        "no-residual-around-self-attention",
        "What self-attention says takes the place of x. Add it to x.",
        without("self"),
    ),
    misconception(
        "no-residual-around-cross-attention",
        "What cross-attention says takes the place of the stream. Add it to the stream.",
        without("cross"),
    ),
    misconception(
        "no-residual-around-feed-forward",
        "What the feed-forward layer says takes the place of the stream. Add it to the stream.",
        without("feed"),
    ),
    misconception(
        "no-residual",
        "What a sublayer says takes the place of the stream, at more than one of them. Each "
        "adds to the stream.",
        without("self", "cross", "feed"),
        without("self", "cross"),
        without("cross", "feed"),
        without("self", "feed"),
    ),
    misconception(
        "self-attention-forgotten",
        "self_attention has no effect on your result. It is the first of three sublayers.",
        lambda x, memory, s, c, f: right_layer(x, memory, silent, c, f),
    ),
    misconception(
        "cross-attention-forgotten",
        "cross_attention has no effect on your result: this is an encoder's layer, and it "
        "cannot see the source. It is the second of three sublayers.",
        lambda x, memory, s, c, f: right_layer(x, memory, s, silent, f),
    ),
    misconception(
        "feed-forward-forgotten",
        "feed_forward has no effect on your result. It is the last of three sublayers.",
        lambda x, memory, s, c, f: right_layer(x, memory, s, c, silent),
    ),
    misconception(
        "self-attention-of-memory",
        "self_attention reads memory. It reads the stream: the target's own positions.",
        lambda x, memory, s, c, f: right_layer(x, memory, lambda _: s(memory), c, f),
    ),
    misconception(
        "cross-attention-in-place-of-self-attention",
        "The first sublayer is cross_attention once more. It should be self_attention.",
        lambda x, memory, s, c, f: right_layer(x, memory, lambda x: c(x, x), c, f),
        lambda x, memory, s, c, f: right_layer(x, memory, lambda x: c(x, memory), c, f),
    ),
    misconception(
        "feed-forward-twice",
        "The feed-forward layer comes twice. Once, at the end, is enough.",
        in_order("self", "cross", "feed", "feed"),
        in_order("self", "feed", "cross", "feed"),
    ),
    misconception(
        "self-attention-twice",
        "self_attention comes twice. It is the first of three sublayers.",
        in_order("self", "self", "cross", "feed"),
        in_order("self", "cross", "self", "feed"),
    ),
    misconception(
        "cross-attention-twice",
        "cross_attention comes twice. It is the second of three sublayers.",
        in_order("self", "cross", "cross", "feed"),
    ),
    misconception(
        "memory-changed",
        "memory goes through a sublayer before cross_attention sees it. It comes from the "
        "encoder, and is used as it is.",
        lambda x, memory, s, c, f: right_layer(x, memory, s, lambda x, m: c(x, s(m)), f),
        lambda x, memory, s, c, f: right_layer(x, memory, s, lambda x, m: c(x, m + s(m)), f),
    ),
    misconception(
        "x-added-again",
        "The x of the beginning is added once more. It is in the stream already.",
        lambda x, memory, s, c, f: x + right_layer(x, memory, s, c, f),
    ),
    misconception(
        "one-residual-around-all",
        "There is one residual connection around all three sublayers. Each has its own.",
        lambda x, memory, s, c, f: x + f(c(s(x), memory)),
    ),
    misconception(
        "reads-the-last-output-alone",
        "A sublayer reads what the one before it said, without the stream. It reads the sum.",
        lambda x, memory, s, c, f: reads_outputs(x, memory, s, c, f, cross=True, feed=False),
        lambda x, memory, s, c, f: reads_outputs(x, memory, s, c, f, cross=False, feed=True),
        lambda x, memory, s, c, f: reads_outputs(x, memory, s, c, f, cross=True, feed=True),
    ),
    misconception(
        "memory-asks-itself",
        "You hand memory to cross_attention twice. The stream asks, and memory answers: "
        "cross_attention(x, memory).",
        lambda x, memory, s, c, f: right_layer(x, memory, s, lambda x, m: c(m, m), f),
        lambda x, memory, s, c, f: right_layer(x, memory, s, lambda x, m: c(m, m)[: len(x)], f),
    ),
)
