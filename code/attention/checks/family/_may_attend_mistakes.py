"""Common mistakes in `may_attend`, with their messages (family: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.family._may_attend_steps import (
    attending,
    changing,
    everybody,
    open_where_empty,
    past,
    real_on_both_sides,
    real_queries,
    shifted,
)
from attention.checks.masking._shared import INVERTED

MISTAKES = (
    misconception(
        "inverted",
        INVERTED,
        changing(lambda mask, kind, tokens: ~mask),
    ),
    misconception(
        "padding-as-queries",
        "You empty the rows of padding and leave its columns. The columns are the keys: to hide "
        "padding from everybody is to empty its columns.",
        attending(real=real_queries),
    ),
    misconception(
        "padded-queries-emptied",
        "Padding is hidden, but you empty its rows too. Here a query of padding is no exception: "
        "it may attend to what any other in its place may. (What it returns is not used.)",
        attending(real=real_on_both_sides),
    ),
    misconception(
        "padding-forgotten",
        "The tokens have no effect: padding may be seen. It is no word, so nobody attends to it.",
        attending(real=lambda real, query, key: True),
    ),
    misconception(
        "padding-in-the-decoder",
        "In the decoder padding may be seen. The causal mask hides it only from what comes before "
        "it: padding at the left is seen by all.",
        attending(only="encoder"),
    ),
    misconception(
        "padding-in-the-encoder",
        "In the encoder padding may be seen. Nobody attends to it, in a model of either kind.",
        attending(only="decoder"),
    ),
    misconception(
        "padding-inverted",
        "Padding may be seen, and the real tokens not: the test for 0 is turned round.",
        attending(is_real=lambda tokens: tokens == 0),
    ),
    misconception(
        "excludes-itself",
        "No position of the decoder may attend to itself. The diagonal belongs to what may be "
        "seen: the next token is predicted, not this one.",
        attending(decoder=lambda query, key: key < query),
        attending(encoder=lambda query, key: key != query, decoder=lambda query, key: key < query),
    ),
    misconception(
        "masked-word-excludes-itself",
        "No position of the encoder may attend to itself. In a BERT the word to be guessed is "
        "hidden in the text, behind [MASK]; the mask hides no real token.",
        attending(encoder=lambda query, key: key != query),
    ),
    misconception(
        "causal-turned-round",
        "The decoder sees what comes after each position, and not what came before. The rows are "
        "the queries, the columns the keys.",
        attending(decoder=lambda query, key: key >= query),
        attending(decoder=lambda query, key: key > query),
    ),
    misconception(
        "one-step-into-the-future",
        "Each position of the decoder also sees the one after it. That one token is just what it "
        "has to predict.",
        attending(decoder=lambda query, key: key <= query + 1),
    ),
    misconception(
        "both-causal",
        "Both kinds get the causal mask. An encoder reads a finished text: each position sees what "
        "comes after it, too.",
        attending(encoder=past),
    ),
    misconception(
        "both-open",
        "In both kinds the future may be seen. A decoder is trained to predict it, so there it is "
        "hidden.",
        attending(decoder=everybody),
    ),
    misconception(
        "kinds-swapped",
        "You have swapped the kinds: it is the decoder that may not look ahead.",
        attending(encoder=past, decoder=everybody),
    ),
    misconception(
        "padding-thought-to-come-last",
        "You count the real tokens and let the first ones be seen, as many as there are. That is "
        "right if padding comes last. Padding may come first, too: ask of each token whether it is "
        "0.",
        attending(real=lambda real, query, key: key < real.sum()),
    ),
    misconception(
        "padding-thought-to-come-first",
        "You count the real tokens and let the last ones be seen, as many as there are. That is "
        "right if padding comes first. It may come last, too: ask of each token whether it is 0.",
        attending(real=lambda real, query, key: key >= len(real) - real.sum()),
    ),
    misconception(
        "positions-shifted",
        "With padding at the left your decoder counts the positions of its queries from the first "
        "real token, and those of the keys from the beginning, or the other way round. Both count "
        "in the same way: a row sees itself, and the columns before it.",
        lambda kind, tokens: shifted(kind, tokens, 1),
        lambda kind, tokens: shifted(kind, tokens, -1),
    ),
    misconception(
        "or",
        "You join the two rules with or: a key may be seen if either allows it. Both must.",
        attending(join=np.logical_or),
        attending(encoder=lambda query, key: query != query, join=np.logical_or),
    ),
    misconception(
        "padding-sees-itself",
        "You let padding attend to itself, so that no row is empty. Here nobody sees padding, not "
        "even padding; an empty row gives zeros.",
        changing(lambda mask, kind, tokens: mask | np.eye(len(tokens), dtype=bool)),
    ),
    misconception(
        "empty-rows-opened",
        "You fill rows that would be empty. Here nobody sees padding, not even padding; an empty "
        "row gives zeros.",
        changing(open_where_empty),
    ),
    misconception(
        "one-row-for-all",
        "Your mask has a single row. All queries of an encoder see the same, but each still has "
        "a row of its own: the mask is (length, length).",
        changing(lambda mask, kind, tokens: mask[0] if kind == "encoder" else mask),
        changing(lambda mask, kind, tokens: mask[:1] if kind == "encoder" else mask),
        lambda kind, tokens: tokens != 0,
    ),
    misconception(
        "token-1-taken-for-padding",
        "You hide token 1 as well. Padding is 0, and all other tokens are real.",
        attending(is_real=lambda tokens: tokens > 1),
        attending(is_real=lambda tokens: tokens != 1),
    ),
    misconception(
        "tokens-compared",
        "You compare the tokens where positions should be compared. Which word it is does not "
        "matter, only where it stands: np.arange(len(tokens)).",
        lambda kind, tokens: (
            (tokens <= tokens[:, None]) & (tokens != 0)
            if kind == "decoder"
            else attending()(kind, tokens)
        ),
    ),
)
