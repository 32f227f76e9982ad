"""A figure drawn for a phone: panels below each other, no text too small (all chapters).

`attention.plot.use_book_style` has every figure of a notebook drawn twice. The wide drawing is
the one that JupyterLab shows; the site shows the second one where the page is narrow.
"""

from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.legend import Legend
from matplotlib.text import Text

WIDTH = 3.5  # inches: as wide as a phone's column, at 100 pixels of the page an inch
MARGIN = 0.05  # inches around what is drawn
SMALLEST = 6.6  # points: a little above 9 of these pixels
SCRIPT = 0.7  # the size of an exponent or an index, as a share of its line
TEXT_SCALE = 0.82  # of the text of a wide figure
LEAST_SQUARE = 1.5  # inches: a square, such as a mask, can still be read
# A panel as narrow as this, as a share of its neighbour, stays beside it.
COMPANION = 0.45
TALLEST_PLOT, TALLEST_PICTURE = 2.1, 2.6  # inches, of panels that stand below each other
GAP = 2  # pixels between two labels


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
    for text in texts_of(fig):
        scale = scales.get(text.axes, TEXT_SCALE)
        text.set_fontsize(max(least(text), scale * text.get_fontsize()))
    for ax in fig.axes:
        scale_tick_labels(ax)
    for legend in legends_of(fig):
        fit_legend(fig, legend)
    fit_text(fig)
    fit_width(fig)


def smallest_text(fig: Figure) -> float:
    """Return the size of the smallest text that is drawn, in points; infinity if there is none."""
    sizes = [
        text.get_fontsize() * (SCRIPT if has_script(text) else 1)
        for text in fig.findobj(Text)
        if is_drawn(text)
    ]
    return min(sizes, default=float("inf"))


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


# -------------------------------------------------------------------- the text


def is_drawn(text: Text) -> bool:
    """Tell whether a text is to be seen."""
    return text.get_visible() and bool(text.get_text().strip())


def has_script(text: Text) -> bool:
    """Tell whether a text has an exponent or an index, which is drawn smaller."""
    written = text.get_text()
    return "$" in written and bool(set("_^") & set(written))


def least(text: Text) -> float:
    """Return the size below which a part of a text could not be read on a phone, in points."""
    return SMALLEST / SCRIPT if has_script(text) else SMALLEST


def texts_of(fig: Figure) -> list[Text]:
    """List the figure's texts but the labels of ticks, which are made anew when drawn."""
    ticks = {label for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)
             for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
             for label in (tick.label1, tick.label2)}  # fmt: skip
    return [text for text in fig.findobj(Text) if text not in ticks]


def scale_tick_labels(ax: Axes) -> None:
    """Make the labels along the sides as small as the other text."""
    for name, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
        labels = [label for label in axis.get_ticklabels(which="both") if is_drawn(label)]
        if labels:
            size = TEXT_SCALE * labels[0].get_fontsize()
            size = max(size, *map(least, labels))
            ax.tick_params(axis=name, which="both", labelsize=size)


def legends_of(fig: Figure) -> list[Legend]:
    """List all legends, those of the panels and those beside them."""
    return [*fig.legends, *(legend for ax in fig.axes if (legend := ax.get_legend()))]


def fit_legend(fig: Figure, legend: Legend) -> None:
    """Give a legend fewer columns until it is no wider than the figure, or its own panel.

    A wider one would take room from the panel.
    """
    while legend._ncols > 1:
        fig.draw_without_rendering()
        box = fig.bbox if legend.axes is None else legend.axes.get_window_extent()
        if legend.get_window_extent().width <= 0.97 * box.width:
            break
        legend.set_ncols(legend._ncols - 1)
        build_anew(legend)


def build_anew(legend: Legend) -> None:
    """Put a legend's entries into as many columns as it has been told; Matplotlib does not."""
    title, size = legend.get_title(), legend.get_texts()[0].get_fontsize()
    labels = [text.get_text() for text in legend.get_texts()]
    legend._init_legend_box(legend.legend_handles, labels)
    legend.set_title(title.get_text())
    legend._set_loc(legend._loc)
    for text in legend.get_texts():
        text.set_fontsize(size)


def fit_text(fig: Figure) -> None:
    """Turn labels of ticks that run into each other, and break long titles."""
    fig.draw_without_rendering()
    for ax in fig.axes:
        if ax.axison:
            turn_labels(fig, ax)
    # What is turned takes room of the panel, so lengths are asked for again.
    fig.draw_without_rendering()
    for ax in fig.axes:
        box = ax.get_window_extent()
        right = WIDTH * fig.dpi
        for title in (ax.title, ax._left_title, ax._right_title):
            break_lines(fig, title, right - box.x0)
        break_lines(fig, ax.xaxis.label, right - 4)
        break_lines(fig, ax.yaxis.label, max(box.height, 0.9 * fig.bbox.height / len(fig.axes)))


def turn_labels(fig: Figure, ax: Axes) -> None:
    """Turn the labels along the lower side, if they touch; then thin out those of numbers."""
    for rotation in (None, 45, 90):
        if rotation is not None:
            ax.tick_params(axis="x", rotation=rotation)
            for label in ax.get_xticklabels():
                label.set(ha="right" if rotation == 45 else "center", rotation_mode="anchor"
                          if rotation == 45 else "default")  # fmt: skip
            fig.draw_without_rendering()
        labels = [label for label in ax.get_xticklabels() if is_drawn(label)]
        if not any(touch(a, b) for a, b in pairwise(labels)):
            return


def touch(first: Text, second: Text) -> bool:
    """Tell whether two neighbouring labels run into each other, turned or not."""
    one, other = first.get_window_extent(), second.get_window_extent()
    if first.get_rotation() % 90:
        line = first.get_fontsize() * first.figure.dpi / 72
        return bool(abs(other.x1 - one.x1) < 0.8 * line)
    return bool(one.x1 + GAP > other.x0)


def break_lines(fig: Figure, text: Text, room: float) -> None:
    """Break a text into lines that are no longer than the room, in pixels."""
    words = text.get_text().split(" ")
    extent = text.get_window_extent()
    vertical = text.get_rotation() == 90
    length = extent.height if vertical else extent.width
    if length <= room or len(words) == 1:
        return
    for number in range(2, len(words) + 1):
        lines = balanced(words, number)
        text.set_text("\n".join(lines))
        extent = text.get_window_extent()
        if (extent.height if vertical else extent.width) <= room:
            return


def balanced(words: list[str], number: int) -> list[str]:
    """Put words into so many lines, about equally long."""
    length = len(" ".join(words)) / number
    lines = [words[0]]
    for word in words[1:]:
        ahead = len(" ".join(lines)) + len(word) / 2
        if len(lines) < number and ahead > length * len(lines):
            lines.append(word)
        else:
            lines[-1] += " " + word
    return lines


def fit_width(fig: Figure) -> None:
    """Make what is drawn, and not the canvas, as wide as a phone's column."""
    for _ in range(2):
        fig.draw_without_rendering()
        width, height = fig.get_size_inches()
        surplus = fig.get_tightbbox().width + 2 * MARGIN - WIDTH
        # What keeps its shape may be narrower, and does not grow with the canvas.
        fig.set_size_inches(min(width - surplus, WIDTH), height)
