"""Edges to cut in the live translator, and what becomes of a pronoun (translation: Try it)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from attention._arguments import as_integer, as_real, check_no_text
from attention.report import require

# Of a stored weight and a probability.
DIGITS = 7
# Weights and probabilities come from float32 models too.
TOLERANCE = 1e-4
WHERE = ("encoder", "cross")


class Cut(NamedTuple):
    """Edges that a reader can cut by one press: from one query to some keys.

    ``text`` is on the button, and ``note`` appears once it is pressed; what stands between
    two ``*`` is emphasized. ``query`` and ``keys`` are positions in the first example: of
    its English tokens and the ``END`` behind them, or, for the query of ``where="cross"``,
    of its French ones. ``layers`` and ``heads`` are numbers from 0, by default all; the
    arguments are those of ``interventions.knock_out``.
    """

    text: str
    note: str
    query: int
    keys: Sequence[int]
    layers: Sequence[int] | None = None
    heads: Sequence[int] | None = None
    where: str = "encoder"


@dataclass
class CutEdges:
    """An experiment for ``LiveTranslator``: cut edges, and see what becomes of a pronoun.

    Parameters
    ----------
    cuts : sequence of Cut
        To try, in this order.
    encoder : (layers, heads, source, source)
        The weights of the encoder's self-attention for the first example, ``END``
        included, as ``interventions.record_weights`` keeps them.
    odds : (sentences, pronouns), two of each
        The probabilities of the two pronouns where the pronoun stands, with nothing cut
        and the French before it given: for the first example and for its mirror.
    pronouns : (str, str), optional
        Two French words. Each of the two examples has one of them.
    mirror : int, optional
        The number of the example that mirrors the first: as many English tokens, other
        pronoun.
    """

    cuts: Sequence[Cut]
    encoder: Float[np.ndarray, "layers heads source source"]
    odds: Sequence[Sequence[float]]
    pronouns: tuple[str, str] = ("il", "elle")
    mirror: int = 1

    def check(
        self,
        config: dict[str, object],
        examples: Sequence[tuple[Sequence[str], Sequence[str]]],
        french: Sequence[str],
    ) -> None:
        """Refuse what does not fit a translator's config, examples and French vocabulary.

        Raises
        ------
        ValueError
            If the mirror is no example, or neither sentence is as long or has a pronoun;
            if weights or probabilities are none, or a cut is not within the model.
        """
        check_no_text("experiment.pronouns", self.pronouns, "words, not a text")
        good = len(set(self.pronouns)) == 2 and set(self.pronouns) <= set(french)
        require(good, "experiment.pronouns", "two words of the French vocabulary", self.pronouns)
        expected = f"the number of one of the {len(examples)} examples, not of the first"
        self.mirror = as_integer(
            "experiment.mirror", self.mirror, expected, lambda n: 0 < n < len(examples)
        )
        pair = [examples[0], examples[self.mirror]]
        lengths = [len(english) for english, _ in pair]
        require(lengths[0] == lengths[1], "experiment.mirror", "as many English tokens", lengths)
        for _, words in pair:
            good = any(word in self.pronouns for word in words)
            require(good, "experiment.mirror", f"French with one of {self.pronouns}", words)
        _check_weights(self.encoder, config, lengths[0] + 1)
        expected = "two probabilities for each of two sentences"
        sizes = [len(self.odds), *(len(each) for each in self.odds)]
        require(sizes == [2, 2, 2], "experiment.odds", expected, self.odds)
        for p in (p for each in self.odds for p in each):
            as_real("experiment.odds", p, expected, lambda p: 0 <= p <= 1 + TOLERANCE)
        require(len(self.cuts) > 0, "experiment.cuts", "at least one", self.cuts)
        for number, cut in enumerate(self.cuts):
            name = f"experiment.cuts[{number}]"
            good = isinstance(cut, Cut) and cut.where in WHERE
            require(good, name, f"a Cut with where among {WHERE}", cut)
            queries = lengths[0] if cut.where == "encoder" else len(pair[0][1])
            _numbers(f"{name}.query", [cut.query], queries + 1)
            _numbers(f"{name}.keys", cut.keys, lengths[0] + 1)
            for part, chosen, count in _heads_of(cut, config):
                _numbers(f"{name}.{part}", chosen, count)

    def data(self, config: dict[str, object]) -> dict[str, object]:
        """Return what the page needs."""
        return {
            "pronouns": list(self.pronouns),
            "mirror": self.mirror,
            "encoder": self.encoder.astype(float).round(DIGITS).tolist(),
            "odds": np.array(self.odds, float).round(DIGITS).tolist(),
            "steps": [
                {
                    "text": cut.text,
                    "note": cut.note,
                    "where": cut.where,
                    "query": int(cut.query),
                    "keys": [int(key) for key in cut.keys],
                    **{
                        part: [int(number) for number in chosen]
                        for part, chosen, _ in _heads_of(cut, config)
                    },
                }
                for cut in self.cuts
            ],
        }


def _heads_of(cut: Cut, config: dict[str, object]) -> list[tuple[str, Sequence[int], int]]:
    """List ("layers" or "heads", those that are chosen, how many there are)."""
    layers = config["encoder_layers" if cut.where == "encoder" else "decoder_layers"]
    counts = {"layers": layers, "heads": config["heads"]}
    return [
        (part, range(count) if getattr(cut, part) is None else getattr(cut, part), count)
        for part, count in counts.items()
    ]


def _numbers(name: str, numbers: Sequence[int], count: int) -> None:
    expected = f"numbers from 0 to {count - 1}, at least one and none twice"
    check_no_text(name, numbers, expected)
    plain = [as_integer(name, number, expected, lambda n: 0 <= n < count) for number in numbers]
    require(len(plain) > 0 and len(set(plain)) == len(plain), name, expected, numbers)


def _check_weights(encoder: np.ndarray, config: dict[str, object], length: int) -> None:
    name = "experiment.encoder"
    floating = isinstance(encoder, np.ndarray) and np.issubdtype(encoder.dtype, np.floating)
    require(floating, name, "a floating-point NumPy array", type(encoder).__name__)
    shape = config["encoder_layers"], config["heads"], length, length
    expected = f"(layers, heads, English tokens + 1, English tokens + 1) = {shape}"
    require(encoder.shape == shape, name, expected, encoder.shape)
    sums = encoder.sum(-1, dtype=float)  # (layers, heads, source)
    good = bool((encoder >= 0).all() and (np.abs(sums - 1) <= TOLERANCE).all())
    require(good, name, "rows of weights that sum to 1", "others")
