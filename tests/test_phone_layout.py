"""A figure drawn for a phone: as wide as its column, legible, and nothing left out."""

import io
from base64 import b64decode
from itertools import combinations

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from attention import drawings, phone, phone_text, plot

PIXELS = 100 / 72  # of the page for a point
LEAST = 9  # pixels: the smallest text on a phone
COLUMN = 358  # pixels: the text's column on a page of 390


@pytest.fixture(autouse=True)
def style():
    plot.use_book_style()
    yield
    plt.close("all")


def three_panels():
    fig, axes = plt.subplots(1, 3, figsize=(7.4, 2.7), sharey=True)
    for ax, title in zip(axes, ("small", "middling", "large"), strict=True):
        ax.plot([1, 2, 3], label="a line")
        ax.set(title=title, xlabel="step")
    axes[0].set_ylabel("loss")
    axes[2].legend()
    return fig


def long_legend():
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2))
    for ax in axes:
        for name in ("scaled", "unscaled, slow weights", "unscaled, small weights", "unscaled"):
            ax.plot([1, 2], label=name)
    fig.legend(*axes[0].get_legend_handles_labels(), ncols=4, loc="outside upper center")
    return fig


def many_categories():
    fig, ax = plt.subplots(figsize=(7.2, 3.4))
    names = [
        "nothing cut",
        "the noun\nmeant",
        "the other\nnoun",
        "the\nadjective",
        "a word\nnear by",
    ]
    ax.plot(range(10), "o")
    ax.set_xticks(range(10), 2 * names)
    return fig


def grid_of_pictures():
    fig, axes = plt.subplots(2, 4, figsize=(7.2, 4.0), sharex=True, sharey=True)
    for i, row in enumerate(axes):
        for ax in row:
            ax.imshow(np.eye(4))
            ax.set(xticks=[], yticks=[])
        row[0].set_ylabel(f"head {i}")
    for ax, title in zip(axes[0], "ABCD", strict=True):
        ax.set_title(title)
    return fig


def drawing():
    fig, ax = plt.subplots(figsize=(6.2, 4.9))
    for x in range(5):
        ax.add_patch(plt.Rectangle((x, 0), 0.84, 0.6))
        ax.text(x + 0.42, 0.3, "GRU →", ha="center", va="center", size=10)
    ax.set(xlim=(0, 6), ylim=(-1, 5))
    ax.set_axis_off()
    return fig


def logarithmic():
    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    ax.plot([1, 10, 1000])
    ax.set(yscale="log", title="$d_k$ = 16")
    return fig


def long_title():
    fig, axes = plt.subplots(1, 2, figsize=(7.4, 3))
    axes[0].set_title("a title that says in many words what is to be seen below it on the left")
    axes[1].set_title("short")
    return fig


def bar_beside():
    fig, ax = plt.subplots(figsize=(6.6, 3.7))
    fig.colorbar(ax.imshow(np.eye(10), aspect="auto"), label="weight")
    ax.set_xticks(range(10), "abcdefghij")
    return fig


FIGURES = [
    *(three_panels, long_legend, many_categories, grid_of_pictures),
    *(drawing, logarithmic, long_title, bar_beside),
]


@pytest.fixture(params=FIGURES, ids=lambda make: make.__name__)
def both(request):
    """Return a figure as it was made, and one that was laid out for a phone."""
    wide, narrow = request.param(), request.param()
    phone.lay_out(narrow)
    narrow.draw_without_rendering()
    return wide, narrow


def words(fig):
    """Return the words of a figure, each panel's labels of ticks and of sides left out."""
    texts = [fig.legends, *([ax.title, ax._left_title, *ax.texts] for ax in fig.axes)]
    flat = [text for group in texts for one in group for text in one.findobj(plt.Text)]
    return {" ".join(text.get_text().split()) for text in flat} - {""}


def test_it_is_as_wide_as_the_column(both):
    _, narrow = both
    width, _ = drawings.size_of(drawings.drawn(narrow))
    assert 0.6 * COLUMN < width <= COLUMN


def test_no_text_is_too_small(both):
    _, narrow = both
    assert phone_text.smallest_text(narrow) * PIXELS >= LEAST


def test_no_word_is_lost(both):
    wide, narrow = both
    assert words(wide) <= words(narrow)


def test_nothing_runs_into_something_else(both):
    """Neither panels, nor titles, nor labels of ticks beside each other."""
    _, narrow = both
    panels = [ax.get_tightbbox() for ax in phone.panels_of(narrow)]
    assert not any(
        a.shrunk(0.97, 0.97).overlaps(b.shrunk(0.97, 0.97)) for a, b in combinations(panels, 2)
    )
    for ax in narrow.axes:
        labels = [label for label in ax.get_xticklabels() if phone_text.is_drawn(label)]
        boxes = [label.get_window_extent() for label in labels if label.get_rotation() % 90 == 0]
        assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
        assert ax.get_legend() is None or (
            ax.get_legend().get_window_extent().width <= ax.get_tightbbox().width + 1
        )


def test_panels_stand_below_each_other():
    fig = three_panels()
    phone.lay_out(fig)
    fig.draw_without_rendering()
    tops = [ax.get_window_extent().y1 for ax in fig.axes]
    assert tops == sorted(tops, reverse=True)
    assert len({round(ax.get_window_extent().x0) for ax in fig.axes}) == 1


def test_what_panels_shared_each_of_them_has():
    fig = three_panels()
    phone.lay_out(fig)
    fig.draw_without_rendering()
    assert [ax.get_ylabel() for ax in fig.axes] == ["loss"] * 3
    assert all(any(map(phone_text.is_drawn, ax.get_yticklabels())) for ax in fig.axes)
    # One label below is enough, since all have the same axis.
    assert [ax.get_xlabel() for ax in fig.axes] == ["", "", "step"]


def test_a_row_with_a_meaning_is_broken_into_equal_parts():
    fig = grid_of_pictures()
    phone.lay_out(fig)
    columns = {ax.get_subplotspec().colspan.start for ax in fig.axes}
    assert columns == {0, 1}
    assert [ax.get_title("left") for ax in fig.axes] == [*"ABCD", *"ABCD"]


def test_a_small_panel_stays_beside_a_large_one():
    fig, _ = plt.subplots(1, 2, figsize=(6.2, 3.4), width_ratios=[4, 1.3])
    phone.lay_out(fig)
    fig.draw_without_rendering()
    left, right = (ax.get_window_extent() for ax in fig.axes)
    assert right.x0 > left.x1


def test_a_drawing_keeps_its_shape():
    wide, narrow = drawing(), drawing()
    phone.lay_out(narrow)
    before, after = wide.get_size_inches(), narrow.get_size_inches()
    assert after[1] / after[0] == pytest.approx(before[1] / before[0], rel=0.05)


def test_a_wide_legend_takes_no_room_from_its_panel():
    fig, ax = plt.subplots(figsize=(6.0, 3.0))
    for name in ("p = 10, of all", "p = 30, of all", "p = 50, of all"):
        ax.plot([1, 2], label=name)
    ax.legend(ncol=3, loc="upper center")
    phone.lay_out(fig)
    fig.draw_without_rendering()
    assert ax.get_window_extent().width > 0.8 * fig.bbox.width


def test_exponents_and_indices_can_be_read():
    fig = logarithmic()
    phone.lay_out(fig)
    labels = [label for label in fig.axes[0].get_yticklabels() if phone_text.is_drawn(label)]
    assert labels
    sizes = [label.get_fontsize() for label in (*labels, fig.axes[0]._left_title)]
    assert min(sizes) * phone_text.SCRIPT * PIXELS >= LEAST


# ------------------------------------------------------------------ both pictures


def test_a_notebook_gets_a_wide_and_a_narrow_picture():
    fig = three_panels()
    before = fig.get_size_inches().tolist(), [ax.get_ylabel() for ax in fig.axes]
    data, metadata = drawings.forms(fig)
    assert set(data) == {"image/png", drawings.NARROW}
    sizes = [drawings.size_of(b64decode(picture)) for picture in data.values()]
    assert sizes[0][0] > 700
    assert sizes[1][0] <= COLUMN
    assert metadata == {"image/png": dict(zip(("width", "height"), sizes[0], strict=True))}
    # The figure is as it was, and the only one.
    assert before == (fig.get_size_inches().tolist(), [ax.get_ylabel() for ax in fig.axes])
    assert plt.get_fignums() == [fig.number]


def test_a_picture_says_how_large_its_smallest_text_is():
    fig = three_panels()
    with Image.open(io.BytesIO(drawings.small(drawings.drawn(fig)))) as picture:
        said = float(picture.text[drawings.SMALLEST_TEXT])
    assert said == pytest.approx(phone_text.smallest_text(fig) * PIXELS, abs=0.01)
    fig.axes[0].text(0, 0, "tiny", size=2)
    assert phone_text.smallest_text(fig) == 2


def test_the_ground_of_a_picture_is_that_of_the_page():
    with Image.open(io.BytesIO(drawings.small(drawings.drawn(three_panels())))) as picture:
        alpha = np.asarray(picture.convert("RGBA"))[..., 3]
    assert alpha[0, 0] == 0
    assert (alpha == 0).mean() > 0.7


def test_a_palette_changes_nothing_that_one_sees():
    drawn = drawings.drawn(three_panels())
    small = drawings.small(drawn)
    assert len(small) < 0.5 * len(drawn)
    before, after = (
        np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"), float) for png in (drawn, small)
    )
    difference = np.abs(before - after) * np.maximum(before[..., 3:], after[..., 3:]) / 255
    assert difference[..., :3].mean() < 0.2
    assert np.quantile(difference, 0.999) < 24


def test_a_picture_of_few_colours_keeps_each():
    colours = np.array([[0, 0, 0, 0], [255, 0, 0, 255], [0, 0, 255, 128]], np.uint8)
    chosen, nearest = drawings.palette(colours, np.array([90, 9, 1]))
    np.testing.assert_array_equal(chosen[nearest], [0, 1, 2])
