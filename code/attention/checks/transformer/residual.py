"""Put a sublayer on the residual stream, pre-norm or post-norm (transformer: Exercises)."""

from collections.abc import Callable

from attention.checks._exercise import Exercise, Verdict, example, misconception
from attention.checks.transformer._shared import SQUARE, SUM_SO_FAR, Part


def _by_placement(before: Callable, after: Callable) -> Callable:
    """Choose what to do by ``pre``; both get the stream, the sublayer and the norm."""

    def place(x, sublayer, norm, pre):
        return (before if pre else after)(x, sublayer, norm)

    return place


def _pre(x, sublayer, norm):
    return x + sublayer(norm(x))


def _post(x, sublayer, norm):
    return norm(x + sublayer(x))


def _plain_sum(x, sublayer, norm):
    return x + sublayer(x)


def _norm_of_what_is_said(x, sublayer, norm):
    return x + norm(sublayer(x))


def _normalised_twice(x, sublayer, norm):
    return norm(x + sublayer(norm(x)))


THREE_MINUS = Part("x -> 3 - x", lambda x: 3 - x)

SHARES = Part("each row divided by its sum", lambda x: x / x.sum(-1, keepdims=True))

CENTRED = Part("each row minus its mean", lambda x: x - x.mean(-1, keepdims=True))


def _with_sublayer(change: Callable) -> Callable:
    """Make a residual connection around a changed sublayer."""
    right = _by_placement(_pre, _post)
    return lambda x, sublayer, norm, pre: right(x, change(sublayer), norm, pre)


RESIDUAL = Exercise(
    name="residual",
    signature="f(x, sublayer, norm, pre)",
    outputs=("stream",),
    reference=_by_placement(_pre, _post),
    stages=(
        (
            example(x=[[1, 3]], sublayer=SQUARE, norm=SHARES, pre=True),
            example(x=[[1, 3]], sublayer=SQUARE, norm=SHARES, pre=False),
            example(x=[[1, 3], [5, 0]], sublayer=SQUARE, norm=CENTRED, pre=True),
            example(x=[[1, 3], [5, 0]], sublayer=SQUARE, norm=CENTRED, pre=False),
            example(x=[[1, 3, 4], [2, 0, 6]], sublayer=SUM_SO_FAR, norm=SHARES, pre=True),
            example(x=[[1, 3, 4], [2, 0, 6]], sublayer=SUM_SO_FAR, norm=SHARES, pre=False),
            example(x=[[4, 1, 1], [2, 7, 3]], sublayer=THREE_MINUS, norm=SHARES, pre=True),
        ),
    ),
    misconceptions=(
        misconception(
            "pre-and-post-swapped",
            "You have pre-norm and post-norm the wrong way round. With pre=True the sublayer "
            "reads the normalised stream; with pre=False the sum is normalised.",
            _by_placement(_post, _pre),
        ),
        misconception(
            "always-pre",
            "You normalise before the sublayer whatever pre says. With pre=False the norm comes "
            "after the sum.",
            _by_placement(_pre, _pre),
        ),
        misconception(
            "always-post",
            "You normalise after the sum whatever pre says. With pre=True the sublayer reads the "
            "normalised stream, and the sum stays as it is.",
            _by_placement(_post, _post),
        ),
        misconception(
            "no-residual",
            "The stream itself gets lost: you return what the sublayer made of it. Its output is "
            "added to x.",
            _by_placement(lambda x, s, n: s(n(x)), lambda x, s, n: n(s(x))),
            _by_placement(lambda x, s, n: s(n(x)), _post),
            _by_placement(_pre, lambda x, s, n: n(s(x))),
        ),
        misconception(
            "normalised-stream-added",
            "With pre=True you add what the sublayer says to the normalised stream. The sublayer "
            "reads norm(x), and its output is added to x as it was: that is what keeps the way "
            "through all layers free.",
            _by_placement(lambda x, s, n: n(x) + s(n(x)), _post),
            _by_placement(lambda x, s, n: n(x) + s(n(x)), lambda x, s, n: n(n(x) + s(n(x)))),
            _by_placement(lambda x, s, n: n(x) + s(x), _post),
        ),
        misconception(
            "norm-of-the-output-alone",
            "You normalise what the sublayer says, and add it then. With pre=True it is what the "
            "sublayer reads that is normalised; with pre=False it is the sum.",
            _by_placement(_norm_of_what_is_said, _norm_of_what_is_said),
            _by_placement(_norm_of_what_is_said, _post),
            _by_placement(_pre, _norm_of_what_is_said),
        ),
        misconception(
            "norm-twice",
            "You normalise twice, before the sublayer and after the sum. It is either of the two: "
            "pre says which.",
            _by_placement(_normalised_twice, _normalised_twice),
            _by_placement(_normalised_twice, _post),
            _by_placement(_pre, _normalised_twice),
        ),
        misconception(
            "no-norm",
            "There is a case in which you do not normalise at all. With pre=True norm(x) is what "
            "the sublayer reads; with pre=False the sum is normalised.",
            _by_placement(_plain_sum, _plain_sum),
            _by_placement(_plain_sum, _post),
            _by_placement(_pre, _plain_sum),
        ),
        misconception(
            "output-not-added",
            "The sublayer has no effect on your result. What it says is added to the stream.",
            _by_placement(lambda x, s, n: n(x), lambda x, s, n: n(x)),
            _by_placement(lambda x, s, n: x + n(x), lambda x, s, n: n(x)),
            _by_placement(lambda x, s, n: x, lambda x, s, n: n(x)),
        ),
        misconception(
            "sublayer-after-the-sum",
            "You add first and hand the sum to the sublayer. The sublayer comes first: what it "
            "says is one of the two things that are added.",
            _by_placement(lambda x, s, n: s(x + n(x)), lambda x, s, n: n(s(x + x))),
            _by_placement(lambda x, s, n: s(x + n(x)), _post),
            _by_placement(lambda x, s, n: s(x + n(x)), lambda x, s, n: s(x + n(x))),
        ),
        misconception(
            "norm-before-the-sum",
            "With pre=False you normalise the stream and add what the sublayer says. The norm "
            "comes last: it normalises the sum.",
            _by_placement(_pre, lambda x, sublayer, norm: norm(x) + sublayer(x)),
        ),
        misconception(
            "subtracted",
            "You subtract what the sublayer says. It is added to the stream.",
            _with_sublayer(lambda sublayer: lambda x: -sublayer(x)),
        ),
        misconception(
            "sublayer-twice",
            "The sublayer runs twice. Once is enough.",
            _with_sublayer(lambda sublayer: lambda x: sublayer(sublayer(x))),
            _with_sublayer(lambda sublayer: lambda x: 2 * sublayer(x)),
        ),
        misconception(
            "averaged",
            "You take half of the sum. The stream and what the sublayer says are added as they "
            "are.",
            _by_placement(
                lambda x, sublayer, norm: (x + sublayer(norm(x))) / 2,
                lambda x, sublayer, norm: norm((x + sublayer(x)) / 2),
            ),
        ),
        misconception(
            "multiplied",
            "You multiply the stream by what the sublayer says. The two are added.",
            _by_placement(
                lambda x, sublayer, norm: x * sublayer(norm(x)),
                lambda x, sublayer, norm: norm(x * sublayer(x)),
            ),
        ),
        misconception(
            "norm-of-x-too",
            "With pre=False you normalise x, and then the sum once more. Normalise the sum alone.",
            _by_placement(_pre, lambda x, sublayer, norm: norm(norm(x) + sublayer(x))),
        ),
        misconception(
            "normalised-x-added",
            "With pre=True you add the normalised x as well. The stream is x plus what the "
            "sublayer says.",
            _by_placement(lambda x, sublayer, norm: x + norm(x) + sublayer(norm(x)), _post),
        ),
    ),
)


def residual(answer: object) -> Verdict:
    """Check a sublayer's place on the residual stream.

    ``answer(x, sublayer, norm, pre)`` takes the stream ``x`` (length,
    d_model), two functions that take such an array and return another, and
    True or False. It returns the stream after the sublayer: with ``pre`` the
    sublayer reads the normalised stream and its output is added to ``x``;
    without, it reads ``x`` and the sum is normalised.
    """
    return RESIDUAL.check(answer)
