"""What all tests share."""

import importlib
import importlib.util
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


def load_without_shape_checks(module: str) -> ModuleType:
    """Load a second copy of a module of the package, its shape types not enforced.

    While testing, `attention.*` is imported with its jaxtyping shapes checked
    by beartype, which would answer a wrong call before the module's own error
    message does. The copy has another name, so the import hook leaves it alone;
    the copy of a folder of modules is imported while the hook is not there.
    """
    path = ROOT / "code" / "attention" / f"{module}.py"
    if not path.exists():
        return _import_without_hook(f"attention.{module.replace('/', '.')}")
    spec = importlib.util.spec_from_file_location(f"unchecked_{module}", path)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


def _import_without_hook(name: str) -> ModuleType:
    """Import a package and its parts once more; all else still gets the first copy."""
    importlib.import_module(name)  # what it needs of other modules is there now, and checked
    parent, _, last = name.rpartition(".")
    with pytest.MonkeyPatch.context() as patch:
        finders = [f for f in sys.meta_path if not type(f).__module__.startswith("jaxtyping")]
        patch.setattr(sys, "meta_path", finders)
        patch.setattr(sys.modules[parent], last, None)
        for part in [part for part in sys.modules if f"{part}.".startswith(f"{name}.")]:
            patch.delitem(sys.modules, part)
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
