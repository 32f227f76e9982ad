"""Common mistakes in `flip_rate`, with their messages (evidence: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import misconception


def right_flip_rate(before, cut, control):
    right = before > 0
    return (cut[right] < 0).mean() - (control[right] < 0).mean()


def of_two(rate: Callable) -> Callable:
    """Make a difference of two rates, each from the logits before and after."""
    return lambda before, cut, control: rate(before, cut) - rate(before, control)


def flips(before, after):
    """Give the share of what was right before that is wrong after."""
    return (after[before > 0] < 0).mean()


def _difference_among_flips(before, cut, control):
    by_cut, by_control = ((after[before > 0] < 0).sum() for after in (cut, control))
    return (by_cut - by_control) / max(by_cut + by_control, 1)


MISTAKES = (
    misconception(
        "control-forgotten",
        "The control has no effect on your result. What cutting any edge does is no finding: "
        "take the control's flip rate away.",
        lambda before, cut, control: (cut[before > 0] < 0).mean(),
    ),
    misconception(
        "control-added",
        "You add the control's rate. Take it away.",
        lambda before, cut, control: (
            (cut[before > 0] < 0).mean() + (control[before > 0] < 0).mean()
        ),
    ),
    misconception(
        "wrong-sign",
        "Your result has the wrong sign. Count what becomes wrong, not what stays right, and "
        "take the control's rate away from the edge's.",
        lambda before, cut, control: right_flip_rate(before, control, cut),
    ),
    misconception(
        "divided-by-all",
        "You divide by the number of all sentences. Only those that were right before can "
        "flip: divide by their number.",
        of_two(lambda before, after: ((before > 0) & (after < 0)).mean()),
    ),
    misconception(
        "both-ways",
        "You count every change of sign. A sentence that was wrong before and becomes right "
        "is no flip: look at those that were right.",
        of_two(lambda before, after: ((before > 0) != (after > 0)).mean()),
    ),
    misconception(
        "wrong-after",
        "You count what is wrong after the cut, of all sentences. Some were wrong before, so "
        "the cut has not done it.",
        of_two(lambda before, after: (after < 0).mean()),
    ),
    misconception(
        "of-the-wrong-ones",
        "You look at the sentences that were wrong before. Positive means right: it is the "
        "logit of the right pronoun minus that of the wrong one.",
        of_two(
            lambda before, after: (after[before < 0] > 0).mean() if (before < 0).any() else np.nan
        ),
    ),
    misconception(
        "counts",
        "You return a number of sentences. Return a share of those that were right before.",
        of_two(lambda before, after: (after[before > 0] < 0).sum()),
    ),
    misconception(
        "mean-fall",
        "You measure how far the logits fall. The question is how often the pronoun changes: "
        "count signs.",
        of_two(lambda before, after: (before - after).mean()),
        of_two(lambda before, after: (before - after)[before > 0].mean()),
    ),
    misconception(
        "percent",
        "You return percent. A share lies between 0 and 1.",
        lambda before, cut, control: 100 * right_flip_rate(before, cut, control),
    ),
    misconception(
        "ratio",
        "You divide the two rates. Subtract the control's.",
        lambda before, cut, control: flips(before, cut) / flips(before, control),
        lambda before, cut, control: flips(before, cut) / max(flips(before, control), 1e-9),
    ),
    misconception(
        "sign-dropped",
        "A control that flips more than the edge gives a negative result. You drop its "
        "sign, or return 0.",
        lambda before, cut, control: abs(right_flip_rate(before, cut, control)),
        lambda before, cut, control: max(right_flip_rate(before, cut, control), 0),
    ),
    misconception(
        "control-of-all-sentences",
        "You take the control's rate over all sentences. It is over those that were right "
        "before, as the edge's is.",
        lambda before, cut, control: flips(before, cut) - (control < 0).mean(),
    ),
    misconception(
        "compared-with-before",
        "You count the sentences whose logit falls. A sentence flips when its sign changes.",
        lambda before, cut, control: (
            (cut < before)[before > 0].mean() - (control < before)[before > 0].mean()
        ),
    ),
    misconception(
        "cut-compared-with-control",
        "You compare the two cuts sentence by sentence. Count what each of them makes "
        "wrong, and subtract the shares.",
        lambda before, cut, control: (cut < control)[before > 0].mean(),
        lambda before, cut, control: ((cut < 0) & (control > 0))[before > 0].mean(),
    ),
    misconception(
        "wrong-ones-mended",
        "You look at the sentences that were wrong before. A flip makes a right one wrong.",
        lambda before, cut, control: (
            (((before < 0) & (cut > 0)).sum() - ((before < 0) & (control > 0)).sum())
            / max((before < 0).sum(), 1)
        ),
    ),
    misconception(
        "right-under-the-control",
        "You look at the sentences that are right with the control cut. Look at those that "
        "were right before.",
        lambda before, cut, control: flips(control, cut),
    ),
    misconception(
        "halved",
        "You take half of the difference.",
        lambda before, cut, control: right_flip_rate(before, cut, control) / 2,
    ),
    misconception(
        "zero-counted-as-right",
        "You count a sentence as right whose logits are equal, with a difference of exactly "
        "0. Right before means: before > 0.",
        lambda before, cut, control: (
            (cut[before >= 0] < 0).mean() - (control[before >= 0] < 0).mean()
        ),
    ),
    misconception(
        "both-shares-returned",
        "You return both shares. Their difference is asked for.",
        lambda before, cut, control: (flips(before, cut), flips(before, control)),
    ),
    misconception(
        "control-of-the-wrong-ones",
        "You take the control's share over the sentences that were wrong before. It is over "
        "those that were right, as the edge's is.",
        lambda before, cut, control: (
            flips(before, cut) - (flips(-before, control) if (before < 0).any() else 0)
        ),
        lambda before, cut, control: (
            flips(before, cut) - ((control[before <= 0] < 0).mean() if (before <= 0).any() else 0)
        ),
    ),
    misconception(
        "share-of-the-flips",
        "You divide by the number of flips, with the edge and with the control. Divide each "
        "by the number of sentences that were right before.",
        _difference_among_flips,
    ),
)
