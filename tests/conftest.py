"""What all tests share."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import hypothesis
import jaxtyping
import pytest

ROOT = Path(__file__).resolve().parent.parent

# The same cases on every run, so that a red test is red for everyone.
hypothesis.settings.register_profile("book", deadline=None, derandomize=True)
hypothesis.settings.load_profile("book")


def load_without_shape_checks(module: str, *with_it: str) -> ModuleType:
    """Load a second copy of a module or package of ours, its shape types not enforced.

    While testing, `attention.*` is imported with its jaxtyping shapes checked by
    beartype, which would answer a wrong call before the module's own error message
    does. The copy is imported without that hook, a package with all its modules, and
    so are the modules `with_it`; what it imports of the rest of `attention` is what
    everybody has.
    """
    copied = tuple(f"attention.{each.replace('/', '.')}" for each in (module, *with_it))
    name = copied[0]
    importlib.import_module(name)  # what it needs is now there, with the hook
    ours = [each for each in sys.modules if f"{each}.".startswith(tuple(f"{c}." for c in copied))]
    hookless = [f for f in sys.meta_path if type(f).__module__ != "jaxtyping._import_hook"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "meta_path", hookless)
        # The import below puts the copy into its place; this takes it out again.
        for each in copied:
            parent, _, last = each.rpartition(".")
            patch.setattr(sys.modules[parent], last, sys.modules[each])
        for each in ours:
            patch.delitem(sys.modules, each)
        return importlib.import_module(name)


@pytest.fixture(scope="session")
def plain_by_hand() -> ModuleType:
    """`attention.by_hand` as a reader meets it, without enforced shapes."""
    return load_without_shape_checks("by_hand")


@pytest.fixture
def plain_layers(types_not_checked) -> SimpleNamespace:
    """The layers and positions as a reader meets them, without enforced shapes."""
    from attention import layers, positions

    return SimpleNamespace(**vars(positions) | vars(layers))


@pytest.fixture(scope="module")
def types_not_checked() -> Iterator[None]:
    """Draw in bulk ten times as fast: the shapes in the signatures are not enforced meanwhile."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
