"""Common mistakes in `alignment_error_rate`, with their messages (alignment: Exercises)."""

from attention.checks._exercise import misconception
from attention.checks.alignment._alignment_error_rate_steps import (
    divided_by,
    mean_of_rows,
    precision_error,
    recall_error,
    right_rate,
)

MISTAKES = (
    misconception(
        "not-subtracted",
        "This is the share that fits. The rate counts what does not: subtract it from 1.",
        lambda found, sure, possible: 1 - right_rate(found, sure, possible),
    ),
    misconception(
        "sure-links-only",
        "You count a found link as right only if it is sure. One that is possible is no "
        "mistake either: the second term compares with the possible links.",
        lambda found, sure, possible: right_rate(found, sure, sure),
    ),
    misconception(
        "possible-links-only",
        "You compare with the possible links in both terms. The first term asks for the sure ones.",
        lambda found, sure, possible: 1 - 2 * (found & possible).sum() / (found.sum() + sure.sum()),
    ),
    misconception(
        "possible-links-counted",
        "Below the line you count the possible links. Nobody has to find those: count the "
        "sure ones.",
        divided_by(lambda found, sure, possible: found.sum() + possible.sum()),
    ),
    misconception(
        "recall",
        "You look at the sure links alone, and how many of them are missing. Linking "
        "everything to everything would then be perfect.",
        recall_error,
    ),
    misconception(
        "precision",
        "You look at the found links alone, and how many of them are wrong. Finding a single "
        "safe one would then be perfect.",
        precision_error,
    ),
    misconception(
        "mean-of-two-errors",
        "You average the share of sure links that are missing and the share of found links "
        "that are wrong. The rate adds the counts first, above and below the line.",
        lambda found, sure, possible: (
            (recall_error(found, sure, possible) + precision_error(found, sure, possible)) / 2
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
        divided_by(lambda found, sure, possible: 2 * (found | sure).sum()),
        divided_by(lambda found, sure, possible: (found | sure).sum()),
        lambda found, sure, possible: 1 - (found & sure).sum() / (found | sure).sum(),
    ),
    misconception(
        "percent",
        "You return percent. The rate lies between 0 and 1.",
        lambda found, sure, possible: 100 * right_rate(found, sure, possible),
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
        divided_by(lambda found, sure, possible: found.sum()),
        divided_by(lambda found, sure, possible: 2 * found.sum()),
    ),
    misconception(
        "divided-by-sure-links",
        "Below the line you count the sure links alone. The found ones belong there too.",
        divided_by(lambda found, sure, possible: sure.sum()),
        divided_by(lambda found, sure, possible: 2 * sure.sum()),
    ),
    misconception(
        "divided-by-all-three",
        "Below the line you count the possible links as well. Count the found ones and the "
        "sure ones.",
        divided_by(lambda found, sure, possible: found.sum() + sure.sum() + possible.sum()),
    ),
    misconception(
        "divided-by-cells",
        "You divide by the number of cells. Divide by the number of links: found plus sure.",
        divided_by(lambda found, sure, possible: found.size),
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
            - ((found & sure).sum() + (found & possible & ~sure).sum()) / (found.sum() + sure.sum())
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
            1 - ((found & sure).sum() + (found & possible).sum()) / (found.sum() + sure.sum()) / 2
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
        mean_of_rows,
    ),
    misconception(
        "both-absent-counted",
        "You compare with ==, so that a link that both leave out counts as found. Count those "
        "that both have, with &.",
        lambda found, sure, possible: (
            1 - ((found == sure).sum() + (found == possible).sum()) / (found.sum() + sure.sum())
        ),
    ),
)
