"""A figure as the files that show it: a wide and a narrow picture, both small (all chapters).

A notebook keeps both pictures of a figure in one output. JupyterLab shows the wide one; the
site shows the narrow one where the page is narrow (`attention.phone` lays it out).
"""

import io
import pickle
from base64 import b64encode

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin

from attention import phone, phone_text

# What the narrow picture is called among the forms of an output.
NARROW = "image/vnd.attention.narrow+png"
DENSITY = 2  # pixels of the picture for one of the page
COLOURS = 256  # as many as a palette has
# Where the picture itself says how large its smallest text is, in pixels of the page.
SMALLEST_TEXT = "Smallest text"


def forms(
    fig: Figure, include: object = None, exclude: object = None
) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
    """Return a figure as JupyterLab's and the site's pictures, and what is said of them.

    Parameters
    ----------
    fig : matplotlib figure
        Stays as it is.
    include, exclude : ignored
        IPython passes them.

    Returns
    -------
    data : dict of str
        PNG files in base64: wide (``image/png``) and narrow (`NARROW`).
    metadata : dict of dict
        The size of the wide one in pixels of the page. Matplotlib adds that a figure without a
        ground needs a light one, which JupyterLab then gives it.
    """
    wide = small(drawn(fig))
    narrow = copy_of(fig)
    phone.lay_out(narrow)
    width, height = size_of(wide)
    return (
        {"image/png": b64encode(wide).decode(),
         NARROW: b64encode(small(drawn(narrow))).decode()},
        {"image/png": {"width": width, "height": height}},
    )  # fmt: skip


def copy_of(fig: Figure) -> Figure:
    """Copy a figure, without telling pyplot of the copy."""
    manager, fig.canvas.manager = fig.canvas.manager, None
    try:
        return pickle.loads(pickle.dumps(fig))
    finally:
        fig.canvas.manager = manager


def drawn(fig: Figure) -> bytes:
    """Draw a figure as PNG, as large as what is drawn, on a transparent ground."""
    file = io.BytesIO()
    smallest = phone_text.smallest_text(fig) * fig.dpi / 72
    fig.savefig(
        file,
        format="png",
        dpi=DENSITY * fig.dpi,
        bbox_inches="tight",
        pad_inches=phone.MARGIN,
        facecolor="none",
        metadata={"Software": None, SMALLEST_TEXT: f"{smallest:.2f}"},
    )
    return file.getvalue()


def size_of(png: bytes) -> tuple[int, int]:
    """Return how wide and high a picture is, in pixels of the page."""
    # A PNG says it right after its first 16 bytes.
    numbers = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    return numbers[0] // DENSITY, numbers[1] // DENSITY


def small(png: bytes) -> bytes:
    """Write a PNG with a palette: a quarter of the bytes, and no difference that one sees."""
    picture = Image.open(io.BytesIO(png))
    pixels = np.asarray(picture.convert("RGBA"))
    # Each colour as one number, which is quicker to sort than four.
    numbers, place, counts = np.unique(
        pixels.view(np.uint32), return_inverse=True, return_counts=True
    )
    colours = numbers[:, None].view(np.uint8)
    chosen, nearest = palette(colours, counts)
    indices = nearest[place].reshape(pixels.shape[:2])
    flat = Image.fromarray(indices.astype(np.uint8)).convert("P")
    flat.putpalette(colours[chosen].tobytes(), "RGBA")
    said = PngImagePlugin.PngInfo()
    for name, text in picture.text.items():
        said.add_text(name, text)
    file = io.BytesIO()
    flat.save(file, "PNG", optimize=True, pnginfo=said)
    return file.getvalue()


def palette(
    colours: UInt8[np.ndarray, "colours 4"], counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the colours to keep, the frequent and the distinct ones.

    Each next one is that whose pixels are, all together, worst served by those chosen so far.

    Returns
    -------
    chosen : (at most 256,)
        Rows of ``colours``.
    nearest : (colours,)
        For each colour the place, among those chosen, of the one that stands for it.
    """
    # As they look: without their ground, and with it.
    alpha = colours[:, 3:] / 255.0
    looks: Float[np.ndarray, "colours 4"] = np.hstack([colours[:, :3] * alpha, 255 * alpha])
    distance, nearest = np.full(len(colours), np.inf), np.zeros(len(colours), int)
    chosen, next_one = [], int(counts.argmax())
    while len(chosen) < min(COLOURS, len(colours)):
        to_next = ((looks - looks[next_one]) ** 2).sum(1)
        closer = to_next < distance
        nearest[closer], distance[closer] = len(chosen), to_next[closer]
        chosen.append(next_one)
        next_one = int((distance * np.sqrt(counts)).argmax())
    return np.array(chosen), nearest
