"""The text of a figure for a phone: small, but not too small, and none upon another (all chapters).

`attention.phone` puts the panels where they fit, and then asks for this.
"""

from collections.abc import Mapping
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

WIDTH = 3.5  # inches: as wide as a phone's column, at 100 pixels of the page an inch
SMALLEST = 6.6  # points: a little above 9 of these pixels
SCRIPT = 0.7  # the size of an exponent or an index, as a share of its line
TEXT_SCALE = 0.82  # of the text of a wide figure
GAP = 2  # pixels between two labels


def fit_texts(fig: Figure, scales: Mapping[Axes, float]) -> None:
    """Make all text smaller, and give each its room.

    Legends get fewer columns; labels that would run into each other are turned, and long titles
    broken. Nothing is left out.

    Parameters
    ----------
    fig : matplotlib figure, `WIDTH` wide
        Is changed.
    scales : scale of the text by axes
        For axes that are not named, `TEXT_SCALE`.
    """
    for text in texts_of(fig):
        scale = scales.get(text.axes, TEXT_SCALE)
        text.set_fontsize(max(least(text), scale * text.get_fontsize()))
    for ax in fig.axes:
        scale_tick_labels(ax)
    for legend in legends_of(fig):
        fit_legend(fig, legend)
    fit_labels(fig)


def smallest_text(fig: Figure) -> float:
    """Return the size of the smallest text that is drawn, in points; infinity if there is none."""
    sizes = [
        text.get_fontsize() * (SCRIPT if has_script(text) else 1)
        for text in fig.findobj(Text)
        if is_drawn(text)
    ]
    return min(sizes, default=float("inf"))


# ------------------------------------------------------------------- which text


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


def fit_labels(fig: Figure) -> None:
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
