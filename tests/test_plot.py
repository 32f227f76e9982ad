"""The shared figures draw what they are given."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from attention import plot

WEIGHTS = np.array([[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]])


@pytest.fixture
def ax():
    plot.use_book_style()
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


def test_matrix_writes_every_number(ax):
    plot.matrix(WEIGHTS, ["a", "b", "c"], ["x", "y"], ax, limits=(0.0, 1.0))
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert written == {(j, i): f"{number:.2f}" for (i, j), number in np.ndenumerate(WEIGHTS)}
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_stand_out_from_their_cells(ax, theme):
    """Contrast of at least 4.5 to 1 in each cell, from faint to strong (WCAG 2, level AA)."""
    numbers = np.linspace(0, 1, 41)[None]
    plot.matrix(numbers, ["w"], [""] * 41, ax, limits=(0.0, 1.0))
    cells = ax.images[0].cmap(ax.images[0].norm(numbers[0]))
    for cell, text in zip(cells, ax.texts, strict=True):
        written = seen((*matplotlib.colors.to_rgb(text.get_color()), 1), theme)
        (halo,) = text.get_path_effects()
        around = seen((*matplotlib.colors.to_rgb(halo._gc["foreground"]), 1), theme)
        cover = halo._gc["alpha"]
        behind = cover * around + (1 - cover) * seen(cell, theme)
        assert contrast(behind, written) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_larger_a_weight_the_more_it_stands_out(theme):
    ground = seen((1, 1, 1, 0), theme)
    found = [contrast(seen(plot.WEIGHTS(weight), theme), ground) for weight in range(256)]
    assert found == sorted(found)
    assert found[0] > 1.03  # a weight of 0 is a cell that one still sees
    assert found[-1] > 7


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "colour", [plot.BLUE, plot.VERMILION, plot.GREEN, plot.PURPLE, plot.BLACK, "#555555", "#444444"]
)
def test_colours_serve_light_and_dark(colour, theme):
    """At least 2.8 to 1, as on white paper; lines have a second sign beside their colour."""
    line = seen((*matplotlib.colors.to_rgb(colour), 1), theme)
    assert contrast(line, seen((1, 1, 1, 0), theme)) >= 2.8


def test_the_style_draws_with_the_map_of_weights():
    plot.use_book_style()
    assert plt.get_cmap().name == "weights"
    assert plot.WEIGHTS(np.nan)[3] == 0  # blank


# The grounds of the site (book.css).
GROUNDS = {"light": "#fffefb", "dark": "#16181c"}
TURN_HUES = np.array(  # hue-rotate(180deg), as CSS defines it
    [[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]]
)
INVERT, BRIGHTEN = 0.93, 1.1


def seen(colour, theme) -> np.ndarray:
    """Return a colour with its cover, as the site shows it on its ground."""
    rgb, cover = np.array(colour[:3]), colour[3]
    if theme == "dark":
        rgb = INVERT + (1 - 2 * INVERT) * rgb
        rgb = np.clip(TURN_HUES @ rgb, 0, 1)
        rgb = np.clip(BRIGHTEN * rgb, 0, 1)
    return cover * rgb + (1 - cover) * np.array(matplotlib.colors.to_rgb(GROUNDS[theme]))


def test_the_style_sheet_turns_colours_as_is_computed_here():
    css = (Path(__file__).parents[1] / "_static/book.css").read_text(encoding="utf-8")
    assert f"invert({INVERT}) hue-rotate(180deg) brightness({BRIGHTEN})" in css
    for ground in GROUNDS.values():
        assert f"--pst-color-background: {ground};" in css


def contrast(one, other) -> float:
    lighter, darker = sorted([luminance(one), luminance(other)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour) -> float:
    rgb = np.array(matplotlib.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_matrix_of_equal_numbers(ax):
    plot.matrix(np.full((2, 2), 0.5), ["a", "b"], ["x", "y"], ax)
    assert len(ax.texts) == 4


def test_links_are_as_wide_as_the_weights(ax):
    plot.links(WEIGHTS, ["a", "b", "c"], ["x", "y"], ax)
    widths = np.array([line.get_linewidth() for line in ax.lines]).reshape(WEIGHTS.shape)
    np.testing.assert_allclose(widths / widths.max(), WEIGHTS)


def test_nan_leaves_a_blank(ax):
    plot.matrix(np.array([[0.5, np.nan]]), ["a"], ["x", "y"], ax)
    assert [text.get_text() for text in ax.texts] == ["0.50"]


@pytest.mark.parametrize("draw", [plot.matrix, plot.links])
def test_wrong_labels_are_refused(ax, draw):
    with pytest.raises(ValueError, match=r"expected 3 labels, got 2"):
        draw(WEIGHTS, ["a", "b"], ["x", "y"], ax)
    with pytest.raises(ValueError, match=r"expected 2 labels, got 1"):
        draw(WEIGHTS, ["a", "b", "c"], ["x"], ax)


def test_a_circuit_draws_each_edge_as_wide_as_its_loss(ax):
    right = {("cat", 0): 0.25, ("was", 0): 1.0, ("cat", 1): 0.98, ("was", 1): 0.5}
    plot.circuit(["cat", "it", "was"], "it", right, 1.0, ax)
    arrows = [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None)]
    widths = [arrow.get_linewidth() for arrow in arrows]
    assert np.argsort(widths)[::-1].tolist() == [0, 3, 2, 1]
    red = matplotlib.colors.to_rgba(plot.VERMILION)
    assert [arrow.get_edgecolor() == red for arrow in arrows] == [True, False, False, True]
    written = [text.get_text() for text in ax.texts]
    assert [word for word in written if word in ("cat", "it", "was")] == ["cat", "it", "was"]
    assert [number for number in written if "." in number] == ["0.25", "1.00", "0.98", "0.50"]


def test_a_circuit_of_words_that_are_not_there_is_refused(ax):
    with pytest.raises(ValueError, match="reader: expected one of"):
        plot.circuit(["cat", "was"], "it", {("cat", 0): 1.0}, 1.0, ax)
    with pytest.raises(ValueError, match="right: expected edges from one of"):
        plot.circuit(["cat", "it"], "it", {("dog", 0): 1.0}, 1.0, ax)
