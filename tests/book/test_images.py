"""The comparison of figures lets a rounding pass, and nothing that a reader would see."""

import base64
import io

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from tests.figure_comparison import difference, images

from attention import plot


def figure(height: float = 1.0, title: str = "loss", colour: str = plot.BLUE) -> np.ndarray:
    """Draw a line as the book does, and decode it as the comparison does."""
    plot.use_book_style()
    fig, ax = plt.subplots()
    x = np.linspace(0, 6, 200)
    ax.plot(x, height * np.sin(x), color=colour)
    ax.set(ylim=(-1.5, 1.5), title=title)
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=200)
    plt.close(fig)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return images([{"data": {"image/png": encoded}}])[0]


def test_same_figure_passes():
    assert difference(figure(), figure()) is None


def test_rounding_passes():
    assert difference(figure(1.0), figure(1.0 + 1e-4)) is None


def test_changed_curve_is_seen():
    assert difference(figure(1.0), figure(1.05)) is not None


def test_changed_colour_is_seen():
    assert difference(figure(), figure(colour=plot.VERMILION)) is not None


def test_changed_title_is_seen():
    assert difference(figure(title="loss"), figure(title="accuracy")) is not None


def test_other_size_is_seen():
    picture = figure()
    assert "pixels" in difference(picture, picture[:-4])
