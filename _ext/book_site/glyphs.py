"""A small drawing for each kind of figure that can be explored, for the gallery.

Drawn in the colours of the page: `ink` for lines, `tint` for areas, `mark` for what moves.
"""

from collections.abc import Callable, Iterator
from math import exp, sin

WIDTH, HEIGHT = 96, 64


def drawn(element: str) -> str:
    """Return the drawing of a figure's element as SVG; one that nobody drew is a frame."""
    shapes = "".join(DRAWINGS.get(element, frame)())
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg class="glyph" {size} aria-hidden="true">{shapes}</svg>'


def square(x: float, y: float, size: float, weight: float, kind: str = "tint") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{size}" height="{size}"'
    return f'<rect class="{kind}" {place} fill-opacity="{weight:.2f}"/>'


def disc(x: float, y: float, radius: float, kind: str = "tint") -> str:
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'


def line(*points: tuple[float, float], kind: str = "ink") -> str:
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def frame() -> Iterator[str]:
    yield line((8, 8), (88, 8), (88, 56), (8, 56), (8, 8))
    yield disc(48, 32, 8, "mark")


def attention_lab() -> Iterator[str]:
    yield line((12, 52), (86, 52))
    yield line((22, 60), (22, 6))
    for x, y, radius in ((32, 40, 3), (44, 26, 4), (74, 20, 10), (66, 42, 5)):
        yield disc(x, y, radius)
    yield line((22, 52), (56, 14), kind="mark")


def attention_explorer() -> Iterator[str]:
    for i in range(5):
        yield disc(14 + 17 * i, 50, 3)
    for x, width in ((14, 1.0), (31, 0.6), (82, 4.0)):
        middle = (48 + x) / 2
        yield (
            f'<path class="mark" stroke-width="{width}" d="M48 46 Q{middle:.0f} '
            f'{46 - abs(48 - x):.0f} {x} 46"/>'
        )


def gradient_lab() -> Iterator[str]:
    yield line(*((8 + 4 * i, 12 + 0.11 * (i - 10) ** 2 * 3.5) for i in range(21)))
    yield disc(20, 33, 4, "mark")
    yield line((20, 33), (36, 48), kind="mark")


def training_lab() -> Iterator[str]:
    yield line((10, 6), (10, 56), (90, 56))
    yield line(*((10 + 4 * i, 14 + 38 / (1 + exp(6 - 0.6 * i))) for i in range(20)), kind="mark")


def scaling_lab() -> Iterator[str]:
    for group, power in ((0, 0.5), (1, 2.2)):
        for i, value in enumerate((0.4, 0.75, 1.0, 0.6)):
            height = 46 * value**power
            place = f'x="{10 + 42 * group + 9 * i}" y="{56 - height:.1f}"'
            yield f'<rect class="tint" {place} width="7" height="{height:.1f}"/>'


def mask_lab() -> Iterator[str]:
    for row in range(5):
        for column in range(5):
            seen = column <= row
            yield square(22 + 11 * column, 5 + 11 * row, 10, 0.9 if seen else 0.12)


def head_splitter() -> Iterator[str]:
    for i in range(6):
        yield square(6 + 5 * (i % 6), 22, 4.5, 0.9, "tint" if i < 3 else "mark")
        yield square(6 + 5 * (i % 6), 28, 4.5, 0.5, "tint" if i < 3 else "mark")
        yield square(6 + 5 * (i % 6), 34, 4.5, 0.8, "tint" if i < 3 else "mark")
    yield line((42, 30), (56, 16))
    yield line((42, 32), (56, 46))
    for i in range(9):
        yield square(62 + 6 * (i % 3), 6 + 6 * (i // 3), 5, 0.3 + 0.07 * i)
        yield square(62 + 6 * (i % 3), 38 + 6 * (i // 3), 5, 0.9 - 0.07 * i, "mark")


def position_lab() -> Iterator[str]:
    for speed, kind in ((0.75, "ink"), (0.33, "mark"), (0.15, "ink")):
        yield line(*((8 + 2 * i, 32 - 20 * sin(speed * i)) for i in range(41)), kind=kind)


def architecture_map() -> Iterator[str]:
    for x, boxes in ((14, 3), (54, 4)):
        for i in range(boxes):
            kind = "mark" if i == 1 else "tint"
            place = f'x="{x}" y="{48 - 13 * i}" width="28" height="9" rx="2"'
            yield f'<rect class="{kind}" {place} fill-opacity="0.7"/>'
    yield line((42, 26), (54, 39))


def live_translator() -> Iterator[str]:
    weights = ((9, 1, 0, 1), (1, 2, 8, 0), (0, 8, 2, 0), (0, 1, 1, 9))
    for row, columns in enumerate(weights):
        for column, weight in enumerate(columns):
            yield square(36 + 14 * column, 6 + 13 * row, 12, 0.1 + weight / 10)
        yield line((8, 12 + 13 * row), (28, 12 + 13 * row), kind="mark" if row == 2 else "ink")


DRAWINGS: dict[str, Callable[[], Iterator[str]]] = {
    "architecture-map": architecture_map,
    "attention-explorer": attention_explorer,
    "attention-lab": attention_lab,
    "gradient-lab": gradient_lab,
    "head-splitter": head_splitter,
    "live-translator": live_translator,
    "mask-lab": mask_lab,
    "position-lab": position_lab,
    "scaling-lab": scaling_lab,
    "training-lab": training_lab,
}
