"""The book's figures: one style, and the few plots that chapters share (all chapters).

Figures have no ground of their own. The site turns their lightness round where the page is dark.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from attention import drawings
from attention.report import require

STYLE = Path(__file__).with_name("book.mplstyle")

# Okabe and Ito's colours by name, for when a colour has to mean something.
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, ORANGE, BLACK = "#56B4E9", "#E69F00", "#000000"
# A second sign beside the colour, for readers who do not see it.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


# The one colour map for weights: the larger a weight, the more it stands out from the page. It
# is the site's blue with more and more cover, so that it needs no ground. A weight of 0 is still
# a cell that one sees; what has no number is blank. Explorable figures have the same (base.js).
INK, FAINTEST = "#00449E", 0.06
WEIGHTS = ListedColormap(
    [(*to_rgb(INK), cover) for cover in np.linspace(FAINTEST, 1, 256)], name="weights"
)
# From here on a number is written in white: in the middle between the places where white and
# black can be read equally well on a light page and on a dark one. A halo helps in between.
DARK = 0.62
HALO = 0.4


def use_book_style() -> None:
    """Give the figures of this session the book's look, and draw each for desk and phone.

    In a notebook every figure is drawn twice, as `attention.drawings.forms` says.
    """
    if WEIGHTS.name not in matplotlib.colormaps:
        matplotlib.colormaps.register(WEIGHTS)
    plt.style.use(STYLE)
    try:
        from IPython import get_ipython
    except ImportError:  # outside a notebook a figure is drawn by who shows it
        return
    if shell := get_ipython():
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats()  # none: the kernel's own picture would take the place of ours
        shell.display_formatter.mimebundle_formatter.for_type(Figure, drawings.forms)


def matrix(
    numbers: Float[np.ndarray, "rows columns"],
    rows: Sequence[str],
    columns: Sequence[str],
    ax: Axes,
    title: str = "",
    limits: tuple[float, float] | None = None,
    decimals: int = 2,
) -> None:
    """Draw a matrix as a heat map with its numbers written in the cells.

    Parameters
    ----------
    numbers : (rows, columns)
        NaN leaves a cell blank.
    rows, columns : sequences of str
        The labels: for attention weights, queries and keys.
    ax : matplotlib axes
    title : str
    limits : (low, high), optional
        What the ends of the colour scale stand for. Default: the extremes.
    decimals : int
        How many decimals to write.

    Raises
    ------
    ValueError
        If the labels are not as many as the rows and columns.
    """
    require(len(rows) == len(numbers), "rows", f"{len(numbers)} labels", len(rows))
    require(len(columns) == numbers.shape[1], "columns", f"{numbers.shape[1]} labels", len(columns))
    low, high = limits or (np.nanmin(numbers), np.nanmax(numbers))
    norm = Normalize(low, high if high > low else low + 1)
    ax.imshow(numbers, norm=norm, cmap=WEIGHTS, aspect="auto")
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set_title(title)
    for (i, j), number in np.ndenumerate(numbers):
        if np.isnan(number):
            continue
        colour, other = ("white", "black") if norm(number) > DARK else ("black", "white")
        text = ax.text(j, i, f"{number:.{decimals}f}", ha="center", va="center", color=colour)
        halo = withStroke(linewidth=2, foreground=other, alpha=HALO)
        text.set(size=9, path_effects=[halo])


def links(
    weights: Float[np.ndarray, "queries keys"],
    queries: Sequence[str],
    keys: Sequence[str],
    ax: Axes,
    title: str = "",
) -> None:
    """Draw attention as lines from each query to the keys, as wide as the weight.

    Parameters
    ----------
    weights : (queries, keys)
        From 0 to 1.
    queries, keys : sequences of str
        The tokens: queries on the left, keys on the right.
    ax : matplotlib axes
    title : str

    Raises
    ------
    ValueError
        If the labels are not as many as the rows and columns.
    """
    require(len(queries) == len(weights), "queries", f"{len(weights)} labels", len(queries))
    require(len(keys) == weights.shape[1], "keys", f"{weights.shape[1]} labels", len(keys))
    for (i, j), weight in np.ndenumerate(weights):
        ax.plot([0, 1], [-i, -j], color=BLUE, lw=9 * weight, alpha=0.75, solid_capstyle="butt")
    for i, token in enumerate(queries):
        ax.text(-0.05, -i, token, ha="right", va="center")
    for j, token in enumerate(keys):
        ax.text(1.05, -j, token, ha="left", va="center")
    ax.set(xlim=(-0.6, 1.6), title=title)
    ax.set_axis_off()


def circuit(
    words: Sequence[str],
    reader: str,
    right: Mapping[tuple[str, int], float],
    whole: float,
    ax: Axes,
    title: str = "",
) -> None:
    """Draw which words a word reads in which layer, as wide as what is lost without the edge.

    Parameters
    ----------
    words : sequence of str
        As they stand in the sentence, from left to right.
    reader : str
        The word that reads; one of ``words``.
    right : dict
        For each edge, as (word read, layer), the share that stays right when it is cut.
    whole : float
        The share that is right with nothing cut.
    ax : matplotlib axes
    title : str

    Raises
    ------
    ValueError
        If the reader, or a word that is read, is not among the words.
    """
    require(reader in words, "reader", f"one of {tuple(words)}", reader)
    layers = 1 + max(layer for _, layer in right)
    places = {word: place for place, word in enumerate(words)}
    for word, place in places.items():
        top = layers if word == reader else layers - 1
        ax.plot([place, place], [0, top], color="#BBBBBB", lw=6, solid_capstyle="round", zorder=0)
        ax.text(place, -0.16, word, ha="center", va="top")
    for (word, layer), share in right.items():
        require(word in places, "right", f"edges from one of {tuple(words)}", word)
        lost = max(whole - share, 0.0)
        needed = lost > 0.05
        colour = VERMILION if needed else "#777777"
        style = {"arrowstyle": "-|>", "color": colour, "lw": 0.9 + 7 * lost, "mutation_scale": 14}
        start, end = (places[word], layer), (places[reader], layer + 1)
        line = "-" if needed else (0, (4, 3))
        ax.annotate("", end, start, arrowprops=style | {"linestyle": line, "shrinkB": 5})
        # Near the tail, where no two arrows are close together.
        x, y = (0.7 * a + 0.3 * b for a, b in zip(start, end, strict=True))
        box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"}
        ax.text(x, y, f"{share:.2f}", ha="center", va="center", size=9, color=colour, bbox=box)
    names = ["embeddings", *(f"after layer {layer}" for layer in range(layers))]
    ax.set_yticks(range(layers + 1), names)
    ax.tick_params(length=0, labelbottom=False)
    ax.set(xlim=(-0.5, len(words) - 0.5), ylim=(-0.5, layers + 0.25), title=title)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
