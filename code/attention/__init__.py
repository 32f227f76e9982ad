"""The package of the book *Attention, Measured*: one module per idea (all chapters).

``import attention`` loads nothing but this file. A module is imported when it
is first named (``attention.by_hand``), so a reader who needs NumPy alone never
waits for torch or matplotlib, and the NumPy part also runs in a browser.

Examples
--------
>>> import attention
>>> weights = attention.by_hand.softmax(scores)
"""

from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

__all__ = [
    "attribution",
    "by_hand",
    "checks",
    "corpus",
    "drawings",
    "feed_forward",
    "generate",
    "gradients",
    "heads",
    "interventions",
    "keys_and_values",
    "kv_cache",
    "layers",
    "norms",
    "phone",
    "phone_text",
    "plot",
    "positions",
    "pretrained",
    "recurrent",
    "report",
    "tasks",
    "tiled",
    "tokens",
    "training",
    "transformer",
    "weight_files",
    "widgets",
]


def __getattr__(name: str) -> ModuleType:
    """Import a module of the package the first time it is asked for."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(
        f"module 'attention' has no attribute {name!r}; its modules are: {', '.join(__all__)}"
    )


def __dir__() -> list[str]:
    """Offer the modules that are not loaded yet to tab completion."""
    return sorted([*globals(), *__all__])
