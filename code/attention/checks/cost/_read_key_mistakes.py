"""Common mistakes in `read_key`, with their messages (cost: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.cost import _read_key_steps as steps

MISTAKES = (
    misconception(
        "not-rescaled",
        "When a larger score comes, you leave the old sums as they are. They are relative to "
        "the old largest score, and the new key is added relative to the new one: bring both "
        "sums over first.",
        steps.reading(total_by=steps.keep, weighted_by=steps.keep),
    ),
    misconception(
        "total-not-rescaled",
        "You rescale the weighted sum and not the total. Both were summed relative to the old "
        "largest score.",
        steps.reading(total_by=steps.keep),
    ),
    misconception(
        "weighted-not-rescaled",
        "You rescale the total and not the weighted sum. Both were summed relative to the old "
        "largest score.",
        steps.reading(weighted_by=steps.keep),
    ),
    misconception(
        "rescaled-the-wrong-way",
        "When a larger score comes, your old sums grow. Beside a larger score the old keys "
        "count for less: look at the sign in the exponential.",
        steps.reading(
            total_by=lambda old, new: np.exp(new - old),
            weighted_by=lambda old, new: np.exp(new - old),
        ),
    ),
    misconception(
        "relative-to-the-old-largest",
        "You add the new key relative to the old largest score, but return the new one. What "
        "is returned has to be relative to what is returned with it.",
        steps.adding(steps.beyond_the_old),
        steps.adding(steps.beyond_the_old, total_by=steps.keep, weighted_by=steps.keep),
    ),
    misconception(
        "largest-stays",
        "The new score is larger, and your largest is still the old one. The sums fit to it, "
        "but a much larger score would overflow.",
        steps.reading(larger=lambda old, score: old),
    ),
    misconception(
        "last-score-for-largest",
        "As largest you return the last score, though the one before was larger. The sums fit "
        "to it, but after a very small score they would overflow.",
        steps.reading(larger=lambda old, score: score),
    ),
    misconception(
        "smaller-for-largest",
        "As largest you return the smaller one of the two.",
        steps.reading(larger=np.minimum),
    ),
    misconception(
        "new-key-not-weighted",
        "A key whose score is not the largest counts for less than 1, in the total and in the "
        "weighted sum alike. In one of them, or in both, yours counts 1.",
        steps.adding(steps.one),
        steps.reading(total_adds=steps.one),
        steps.reading(weighted_adds=steps.one),
    ),
    misconception(
        "smaller-scores-ignored",
        "A key whose score is not the largest leaves no trace. It is averaged too, and counts "
        "for less than 1.",
        steps.only_larger_scores,
    ),
    misconception(
        "plain-exponentials",
        "You add the exponential of the score itself. The old sums are relative to the largest "
        "score: what is added to them must be, too.",
        steps.adding(steps.plain),
        steps.adding(steps.plain, total_by=steps.keep, weighted_by=steps.keep),
    ),
    misconception(
        "divided-at-each-step",
        "You return an average in place of the weighted sum. Divide by the total once, when "
        "all keys are read: the next key has to be added to a sum.",
        steps.average_of_sums,
        steps.average_of_averages,
    ),
    misconception(
        "overflows",
        "Right, until the scores are far from 0: the exponential of such a score itself is "
        "infinite, or 0, and NaN is what is left. Take exponentials of differences alone, "
        "which are never positive.",
        steps.there_and_back,
    ),
    misconception(
        "nan-while-nothing-is-seen",
        "You subtract infinity from infinity: no key has been seen yet, and the first may not "
        "be attended to. What should such a key change?",
        steps.reading(),
    ),
    misconception(
        "first-key-always-counts",
        "You take in the first key whatever its score is. A score of -inf says that the key "
        "may not be attended to, be it the first or not.",
        steps.first_key_counts,
    ),
    misconception(
        "factors-swapped",
        "The two exponentials have changed places: the old sums are multiplied by that of "
        "the new score.",
        steps.with_factors(lambda old, new: (new, old)),
    ),
    misconception(
        "only-the-new-key",
        "Your sums hold the new key alone. What was summed before has to stay in them, rescaled.",
        steps.with_factors(lambda old, new: (0.0 * old, new)),
        steps.reading(total_by=lambda old, new: 0.0),
        steps.reading(weighted_by=lambda old, new: 0.0),
    ),
    misconception(
        "larger-one-for-the-sum",
        "As total you keep the larger one of the old total and the new exponential. They "
        "are added.",
        steps.larger_total,
    ),
    misconception(
        "keys-counted",
        "Your total counts keys. It adds up exponentials.",
        steps.reading(total_by=steps.keep, total_adds=steps.one),
    ),
    misconception(
        "log-total-returned",
        "You return the logarithm of the total. The total itself is asked for.",
        lambda *given: (lambda m, t, w: (m, np.log(t), w))(*steps.right_read_key(*given)),
    ),
    misconception(
        "base-two",
        "You took powers of 2. Here they are powers of e.",
        steps.with_factors(lambda old, new: (old ** np.log(2), new ** np.log(2))),
    ),
    misconception(
        "subtracted",
        "You subtract the new exponential. Both sums grow by what the key brings.",
        steps.with_factors(lambda old, new: (old, -new)),
        steps.reading(total_adds=lambda score, old, new: -np.exp(score - new)),
        steps.reading(weighted_adds=lambda score, old, new: -np.exp(score - new)),
    ),
    misconception(
        "rescaled-twice",
        "The old sums are rescaled twice. Once brings them over.",
        steps.with_factors(lambda old, new: (old * old, new)),
        steps.reading(total_by=lambda old, new: np.exp(2 * (old - new))),
        steps.reading(weighted_by=lambda old, new: np.exp(2 * (old - new))),
    ),
    misconception(
        "new-key-rescaled-too",
        "You rescale after adding the new key. Only the old sums are rescaled: the new key "
        "is relative to the new largest score already.",
        steps.with_factors(lambda old, new: (old, new * old)),
    ),
    misconception(
        "score-as-weight",
        "You add the score times the value. What counts is its exponential, relative to the"
        " largest score.",
        steps.reading(weighted_adds=lambda score, old, new: score),
        steps.reading(weighted_adds=lambda score, old, new: score - new),
    ),
)
