"""Do two renderings of a figure show the same?"""

import base64
import io

import numpy as np
from PIL import Image

from attention import drawings

# Two renderings of one figure may differ by a rounding of the line's edge. So
# both are averaged over blocks of 4 x 4 pixels before they are compared, and
# a block counts as different when it is off by more than 24 of 255 levels.
BLOCK = 4
LEVELS = 24
ALLOWED_SHARE = 0.0005


# The forms in which a figure is kept, wide and narrow.
FORMS = ("image/png", drawings.NARROW)


def images(outputs: list[dict]) -> list[np.ndarray]:
    """Decode the PNG images among a cell's outputs to (height, width, 3) arrays, on white."""
    encoded = [o["data"][form] for o in outputs for form in FORMS if form in o.get("data", {})]
    pictures = [Image.open(io.BytesIO(base64.b64decode(data))) for data in encoded]
    return [np.asarray(on_white(picture), dtype=float) for picture in pictures]


def on_white(picture: Image.Image) -> Image.Image:
    """Put a picture without a ground on a white one."""
    whole = picture.convert("RGBA")
    ground = Image.new("RGBA", whole.size, "white")
    ground.alpha_composite(whole)
    return ground.convert("RGB")


def blocks(picture: np.ndarray) -> np.ndarray:
    """Average a picture over blocks, dropping what is left at the edges."""
    height, width = (size // BLOCK * BLOCK for size in picture.shape[:2])
    cut = picture[:height, :width]
    return cut.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3).mean((1, 3))


def difference(stored: np.ndarray, new: np.ndarray) -> str | None:
    """Say how two pictures differ, or return None if they show the same."""
    if stored.shape != new.shape:
        return f"the stored image is {stored.shape[:2]} pixels, the new one {new.shape[:2]}"
    share = (np.abs(blocks(stored) - blocks(new)).max(-1) > LEVELS).mean()
    if share > ALLOWED_SHARE:
        return f"{share:.2%} of the image differs (allowed: {ALLOWED_SHARE:.2%})"
    return None
