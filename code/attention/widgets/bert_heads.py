"""All heads of a BERT, in any sentence (family: All 72 heads, and your own sentence)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from attention._arguments import as_integer, check_no_text
from attention.pretrained.catalogue import Model
from attention.report import require
from attention.widgets._base import Explorable

LONGEST = 40  # pieces of a sentence; more would not be read on a screen
STORED = 1000  # a weight is stored in thousandths
FEWEST = 3  # pieces: a word between the first and the last
TOLERANCE = 1e-4  # weights come from float32 models
# Where a piece may look, as seen from it, and the words of the table.
PLACES = {"first": "on [CLS]", "before": "before", "itself": "itself", "after": "after"}
PLACES["last"] = "on [SEP]"

Weights = Float[np.ndarray, "layers heads n n"]


class BertHeads(Explorable):
    """All heads of a BERT as small maps, one of them large; a reader types a sentence.

    The sentences that the notebook gives are there at once. For one of the reader's own the
    page fetches the model's weights, and runs ``numpy_bert`` on them. Where the site was built
    without the weights, the page says so, and shows the notebook's sentences.

    Parameters
    ----------
    sentences : sequence of (pieces, weights)
        The pieces of each, ``[CLS]`` and ``[SEP]`` among them, and the weights (layers, heads,
        queries, keys), as ``NumpyBert.look`` returns them.
    model : Model
        Of ``attention.pretrained.catalogue``: what it is called, its licence and its source.
    file : dict
        Of its weights in eight bits: ``bytes`` and ``sha256``.
    difference : float
        How far an attention weight was at most from that of the full weights, in these
        sentences.
    head : (int, int)
        The layer and the head that is large at first, counted from 0.
    word : str, optional
        The piece of the first sentence that is chosen at first.

    Raises
    ------
    ValueError
        If the weights are no weights or not of the pieces, or the head is none of them.
    """

    element = "bert-heads"

    def __init__(
        self,
        sentences: Sequence[tuple[Sequence[str], Weights]],
        model: Model,
        file: dict[str, object],
        difference: float,
        head: tuple[int, int] = (0, 0),
        word: str | None = None,
    ):
        require(len(sentences) > 0, "sentences", "at least one", len(sentences))
        for number, (pieces, weights) in enumerate(sentences):
            _check_sentence(f"sentences[{number}]", pieces, weights, sentences[0][1])
        self.sentences = [(list(pieces), weights) for pieces, weights in sentences]
        require({"bytes", "sha256"} <= {*file}, "file", "its bytes and its sha256", file)
        self.model, self.file, self.difference = model, file, float(difference)
        layers, heads = sentences[0][1].shape[:2]
        expected = f"a layer below {layers} and a head below {heads}"
        require(len(head) == 2, "head", expected, head)
        self.head = tuple(
            as_integer("head", number, expected, lambda n, most=most: 0 <= n < most)
            for number, most in zip(head, (layers, heads), strict=True)
        )
        first = self.sentences[0][0]
        require(word is None or word in first, "word", f"one of {first}", word)
        self.word = word

    def data(self) -> dict[str, object]:
        """Return what the page needs before and besides the model."""
        layers, heads = self.sentences[0][1].shape[:2]
        return {
            "layers": layers,
            "heads": heads,
            "sentences": [
                # Text packs better than nested lists.
                {"pieces": pieces, "weights": " ".join(map(str, _thousandths(weights)))}
                for pieces, weights in self.sentences
            ],
            "file": self.file,
            "model": [self.model.title, self.model.licence, self.model.source.split("//")[1]],
            "difference": self.difference,
            "longest": LONGEST,
            "head": list(self.head),
            "word": self.word,
        }

    def table(self) -> tuple[str, list[str], list[list[str]]]:
        """Return where the heads of each layer look on average, in the first sentence."""
        pieces, weights = self.sentences[0]
        caption = (
            f"Where the heads of each layer look on average, in “{as_text(pieces)}”: "
            "share of the weight"
        )
        shares = {place: share.mean(1) for place, share in shares_of(weights).items()}
        rows = [
            [str(layer), *(f"{shares[place][layer]:.2f}" for place in PLACES)]
            for layer in range(len(weights))
        ]
        return caption, ["layer", *PLACES.values()], rows


def shares_of(weights: Weights) -> dict[str, Float[np.ndarray, "layers heads"]]:
    """Tell how much of their weight the pieces of a sentence give to certain places.

    Means over all pieces but the first and the last, which are marks of the tokenizer. The
    first piece can be the one before, too; so the shares need not sum to 1.

    Parameters
    ----------
    weights : (layers, heads, queries, keys)

    Returns
    -------
    shares : dict of (layers, heads)
        On the ``first`` piece, on the one ``before``, ``itself``, the one ``after`` and the
        ``last``.
    """
    query = np.arange(1, weights.shape[-1] - 1)  # (n - 2,)
    keys = {
        "first": 0 * query,
        "before": query - 1,
        "itself": query,
        "after": query + 1,
        "last": 0 * query + weights.shape[-1] - 1,
    }
    return {place: weights[:, :, query, key].mean(-1) for place, key in keys.items()}


def as_text(pieces: Sequence[str]) -> str:
    """Put pieces together, without the marks at both ends."""
    text = " ".join(pieces[1:-1]).replace(" ##", "")
    for sign in ".,;:!?":
        text = text.replace(f" {sign}", sign)
    return text


def _thousandths(weights: Weights) -> list[int]:
    return np.rint(STORED * weights.astype(float)).astype(int).ravel().tolist()


def _check_sentence(
    name: str, pieces: Sequence[str], weights: np.ndarray, first: np.ndarray
) -> None:
    check_no_text(f"{name}[0]", pieces, "pieces, not a text")
    count = len(pieces)
    require(FEWEST <= count <= LONGEST, f"{name}[0]", f"{FEWEST} to {LONGEST} pieces", count)
    floating = isinstance(weights, np.ndarray) and np.issubdtype(weights.dtype, np.floating)
    got = getattr(weights, "dtype", type(weights).__name__)
    require(floating, f"{name}[1]", "a floating-point NumPy array", str(got))
    require(first.ndim == 4, f"{name}[1]", "(layers, heads, queries, keys)", weights.shape)
    shape = (*first.shape[:2], count, count)
    require(weights.shape == shape, f"{name}[1]", f"the shape {shape}", weights.shape)
    sums = weights.sum(-1, dtype=float)  # (layers, heads, queries)
    good = bool((weights >= 0).all() and (np.abs(sums - 1) <= count / STORED).all())
    require(good, f"{name}[1]", "rows of weights that sum to 1", "others")
