"""Go from token numbers to the residual stream (transformer: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import Exercise, Verdict, example, misconception


def _embedding(scale: Callable) -> Callable:
    """Make an embedding with another factor on the rows of the table."""

    def embed(tokens, table, positions):
        return table[tokens] * scale(tokens, table) + positions

    return embed


def _right_factor(tokens, table):
    return np.sqrt(table.shape[1])


_embed = _embedding(_right_factor)

EMBED = Exercise(
    name="embed",
    signature="f(tokens, table, positions)",
    outputs=("x",),
    reference=_embed,
    stages=(
        (
            example(
                tokens=np.array([1]),
                table=[[1, 0, 0, 0], [2, 3, 1, 5], [3, -1, 0, 2]],
                positions=[[0, 1, 0, 1]],
            ),
            example(
                tokens=np.array([2, 0]),
                table=[[1, 0, 2, -1], [2, 3, 1, 5], [3, -1, 0, 2]],
                positions=[[0, 1, 0, 1], [10, 20, 30, 40]],
            ),
            example(
                tokens=np.array([1, 0, 1]),
                table=[[1, 0, 2, -1], [2, 3, 1, 5]],
                positions=[[0, 1, 0, 1], [10, 20, 30, 40], [7, 8, 9, 6]],
            ),
            example(
                tokens=np.array([2, 2, 0, 1, 4]),
                table=[[1, 0], [2, 3], [3, -1], [0, 5], [4, 4]],
                positions=[[0, 1], [10, 20], [30, 40], [-5, 2], [6, 6]],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "no-factor",
            "The rows of the table are not multiplied by anything. They start small; times the "
            "square root of d_model they are of the size of the positions.",
            _embedding(lambda tokens, table: 1),
        ),
        misconception(
            "factor-on-the-sum",
            "You multiply the sum. The factor belongs to the rows of the table alone: the "
            "positions are of the right size already.",
            lambda tokens, table, positions: (
                (table[tokens] + positions) * _right_factor(tokens, table)
            ),
        ),
        misconception(
            "factor-on-the-positions",
            "You multiply the positions. The factor belongs to the rows of the table.",
            lambda tokens, table, positions: (
                table[tokens] + positions * _right_factor(tokens, table)
            ),
        ),
        misconception(
            "divided",
            "You divide by the square root of d_model, as one does with scores. Here it makes "
            "larger what starts small: multiply.",
            _embedding(lambda tokens, table: 1 / np.sqrt(table.shape[1])),
        ),
        misconception(
            "factor-d_model",
            "You multiply by d_model. The factor is its square root.",
            _embedding(lambda tokens, table: table.shape[1]),
        ),
        misconception(
            "factor-of-another-size",
            "The factor is the root of the wrong number: not of the length of the text, and not "
            "of the number of symbols. d_model is the width of the table, table.shape[1].",
            _embedding(lambda tokens, table: np.sqrt(len(tokens))),
            _embedding(lambda tokens, table: np.sqrt(len(table))),
        ),
        misconception(
            "positions-forgotten",
            "The positions have no effect on your result. Without them a text is a bag of words.",
            lambda tokens, table, positions: _embed(tokens, table, 0),
            lambda tokens, table, positions: table[tokens],
        ),
        misconception(
            "tokens-forgotten",
            "The tokens have no effect on your result. Each one's number says which row of the "
            "table is its vector.",
            lambda tokens, table, positions: positions,
            lambda tokens, table, positions: _embed(np.arange(len(tokens)), table, positions),
        ),
        misconception(
            "positions-by-token",
            "You take the row of positions by the number of the token. The position of a token "
            "is its place in the text: the first token gets the first row.",
            lambda tokens, table, positions: _embed(tokens, table, positions[tokens]),
        ),
        misconception(
            "first-position-for-all",
            "Every token gets the first row of the positions. Each has its own.",
            lambda tokens, table, positions: _embed(tokens, table, positions[0]),
        ),
        misconception(
            "multiplied",
            "You multiply tokens and positions with each other. They are added.",
            lambda tokens, table, positions: _embed(tokens, table, 0) * positions,
            lambda tokens, table, positions: table[tokens] * positions,
        ),
        misconception(
            "concatenated",
            "You put tokens and positions side by side, and the rows are twice as wide. They are "
            "added.",
            lambda tokens, table, positions: np.hstack([_embed(tokens, table, 0), positions]),
            lambda tokens, table, positions: np.hstack([table[tokens], positions]),
        ),
        misconception(
            "token-before-or-after",
            "You take the row before, or after, that of the token. Rows are counted from 0, as "
            "the tokens are.",
            lambda tokens, table, positions: _embed(tokens - 1, table, positions),
            lambda tokens, table, positions: _embed((tokens + 1) % len(table), table, positions),
        ),
        misconception(
            "positions-shifted",
            "The positions are right but for their order. Row p belongs to the token at place p.",
            lambda tokens, table, positions: _embed(tokens, table, np.roll(positions, 1, axis=0)),
            lambda tokens, table, positions: _embed(tokens, table, np.roll(positions, -1, axis=0)),
            lambda tokens, table, positions: _embed(tokens, table, positions[::-1]),
        ),
        misconception(
            "positions-subtracted",
            "You subtract the positions. They are added.",
            lambda tokens, table, positions: _embed(tokens, table, -positions),
        ),
        misconception(
            "fourth-root",
            "The factor is the fourth root of d_model. It is the square root.",
            lambda tokens, table, positions: table[tokens] * table.shape[1] ** 0.25 + positions,
        ),
        misconception(
            "tokens-added-up",
            "You add up the rows of all tokens. Each token has a row of its own.",
            lambda tokens, table, positions: (
                table[tokens].sum(0) * np.sqrt(table.shape[1]) + positions
            ),
        ),
        misconception(
            "factor-cut",
            "Your factor is a whole number. The square root of d_model rarely is one: leave "
            "what stands after the decimal point.",
            _embedding(lambda tokens, table: int(np.sqrt(table.shape[1]))),
        ),
    ),
)


def embed(answer: object) -> Verdict:
    """Check the way from token numbers to the residual stream.

    ``answer(tokens, table, positions)`` takes ``tokens`` (length) as integers,
    ``table`` (symbols, d_model) with a row for each symbol, and ``positions``
    (length, d_model) with a row for each place in the text. It returns
    (length, d_model): the rows of the tokens times the square root of
    d_model, plus the positions.
    """
    return EMBED.check(answer)
