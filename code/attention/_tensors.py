"""What functions of torch ask of tensors: how an error calls one (the package's own)."""

from torch import Tensor


def describe(thing: object) -> str:
    """Describe for an error what came: a tensor's type and shape, or else the thing itself."""
    if isinstance(thing, Tensor):
        return f"{thing.dtype} of shape {tuple(thing.shape)}"
    return type(thing).__name__


def broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Say whether a tensor of this shape can be stretched to the target, axis by axis."""
    pairs = zip(shape[::-1], target[::-1], strict=False)
    return len(shape) <= len(target) and all(size in (1, wanted) for size, wanted in pairs)
