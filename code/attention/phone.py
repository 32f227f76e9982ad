"""A figure drawn for a phone: panels below each other, no text too small (all chapters).

`attention.plot.use_book_style` has every figure of a notebook drawn twice. The wide drawing is
the one that JupyterLab shows; the site shows the second one where the page is narrow.
"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from attention.phone_text import WIDTH, fit_texts

MARGIN = 0.05  # inches around what is drawn
LEAST_SQUARE = 1.5  # inches: a square, such as a mask, can still be read
# A panel as narrow as this, as a share of its neighbour, stays beside it.
COMPANION = 0.45
TALLEST_PLOT, TALLEST_PICTURE = 2.1, 2.6  # inches, of panels that stand below each other


def lay_out(fig: Figure) -> None:
    """Lay out a finished figure anew, `WIDTH` wide, as it will be drawn next.

    Panels that stood side by side stand below each other, with the labels that they had
    shared; legends get fewer columns; labels that would run into each other are turned, and
    long titles broken. Nothing is left out.

    Parameters
    ----------
    fig : matplotlib figure
        Is changed.
    """
    before = fig.get_size_inches()
    panels = panels_of(fig)
    height, scales = arrange(fig, panels, *before)
    fig.set_size_inches(WIDTH, height)
    fit_texts(fig, scales)
    fit_width(fig)


# ------------------------------------------------------------------ the panels


def panels_of(fig: Figure) -> list[Axes]:
    """List the axes of the figure's grid, row by row, without colour bars."""
    return [
        ax for ax in fig.axes if ax.get_subplotspec() is not None and not hasattr(ax, "_colorbar")
    ]


def arrange(
    fig: Figure, panels: list[Axes], width: float, height: float
) -> tuple[float, dict[Axes, float]]:
    """Put the panels into fewer columns; return the new height and each panel's text scale."""
    scale = WIDTH / width
    grid = panels[0].get_subplotspec().get_gridspec() if panels else None
    drawings = {ax: scale for ax in fig.axes if not ax.axison}
    if grid is None or grid.ncols == 1 or keeps_its_columns(grid, panels, width):
        if panels and len(drawings) == len(panels):
            return scale * height, drawings  # nothing but a drawing: it keeps its shape
        return max(scale, 0.88) * height, drawings
    share_labels(panels)
    columns = columns_that_fit(grid, panels, width)
    rows = -(-len(panels) // columns)
    panel_width, panel_height = width / grid.ncols, height / grid.nrows
    if columns > 1:
        each = panel_height * WIDTH / columns / panel_width
    else:
        has_picture = any(ax.images for ax in panels)
        each = min(panel_height, TALLEST_PICTURE if has_picture else TALLEST_PLOT)
    new = GridSpec(rows, columns, figure=fig)
    for ax, place in zip(panels, new, strict=False):
        ax.set_subplotspec(place)
    if columns == 1:
        leave_out_repeated_labels(panels)
    shrunk = WIDTH / columns / panel_width
    return rows * each, {ax: min(1, shrunk) for ax in drawings}


def keeps_its_columns(grid: GridSpec, panels: list[Axes], width: float) -> bool:
    """Tell whether the panels can stay beside each other: small ones beside a large one."""
    ratios = sorted(grid.get_width_ratios() or [1] * grid.ncols)
    return grid.nrows == 1 and grid.ncols == 2 and ratios[0] <= COMPANION * ratios[1]


def columns_that_fit(grid: GridSpec, panels: list[Axes], width: float) -> int:
    """Return how many panels stand beside each other: as many as still can be read.

    Where a row has a meaning, since there are others, it is broken into equal parts.
    """
    squares = all(ax.get_aspect() == 1 for ax in panels)
    least = LEAST_SQUARE if squares else 0.9 * width / grid.ncols
    fitting = [
        n
        for n in range(1, grid.ncols + 1)
        if WIDTH / n >= least and (grid.nrows == 1 or grid.ncols % n == 0)
    ]
    return max(fitting, default=1)


def share_labels(panels: list[Axes]) -> None:
    """Give each panel the labels that it had from the one beside or above it."""
    places = {(ax.get_subplotspec().rowspan.start, ax.get_subplotspec().colspan.start): ax
              for ax in panels}  # fmt: skip
    for (row, column), ax in places.items():
        left, top = places.get((row, 0), ax), places.get((0, column), ax)
        if left is not ax and ax.get_shared_y_axes().joined(ax, left):
            if any(label.get_visible() for label in left.get_yticklabels()):
                ax.tick_params(axis="y", labelleft=True)
            if not ax.get_ylabel():
                ax.set_ylabel(left.get_ylabel())
        if top is not ax and not ax.get_title("left"):
            ax.set_title(top.get_title("left"))


def leave_out_repeated_labels(panels: list[Axes]) -> None:
    """Of one label below all panels, leave the last, if their axes are the same."""
    same = {(ax.get_xlabel(), ax.get_xlim(), ax.get_xscale()) for ax in panels}
    if len(same) == 1:
        for ax in panels[:-1]:
            ax.set_xlabel("")


def fit_width(fig: Figure) -> None:
    """Make what is drawn, and not the canvas, as wide as a phone's column."""
    for _ in range(2):
        fig.draw_without_rendering()
        width, height = fig.get_size_inches()
        surplus = fig.get_tightbbox().width + 2 * MARGIN - WIDTH
        # What keeps its shape may be narrower, and does not grow with the canvas.
        fig.set_size_inches(min(width - surplus, WIDTH), height)
