"""The reader of safetensors of whatever origin."""

import re

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch_file
from tests.conftest import load_without_shape_checks
from tests.pretrained.texts import needs

from attention.pretrained import files, safetensors

TENSORS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.array([True, False]),
    "c": np.array(2.5, np.float16),
    "d": np.array([], np.int64),
}


@pytest.fixture(scope="module")
def plain():
    """The module as a reader meets it."""
    return load_without_shape_checks("pretrained.safetensors", "pretrained")


def test_what_was_written_is_read(tmp_path):
    save_file(TENSORS, tmp_path / "x.safetensors", {"format": "np"})
    tensors, metadata = safetensors.read(tmp_path / "x.safetensors")
    assert metadata == {"format": "np"}
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in tensors.items():
        assert (tensor.dtype, tensor.shape) == (TENSORS[name].dtype, TENSORS[name].shape)
        assert np.array_equal(tensor, TENSORS[name])
    save_file(TENSORS, tmp_path / "y.safetensors")
    assert safetensors.read(str(tmp_path / "y.safetensors"))[1] == {}


@needs("minilm")
def test_minilms_weights():
    tensors, metadata = safetensors.read(files.path_of("minilm", "model.safetensors"))
    assert metadata == {"format": "pt"}
    assert len(tensors) == 104
    assert tensors["embeddings.word_embeddings.weight"].shape == (30522, 384)
    kinds = {str(tensor.dtype) for name, tensor in tensors.items() if "position_ids" not in name}
    assert kinds == {"float32"}
    parameters = sum(tensor.size for name, tensor in tensors.items() if "position_ids" not in name)
    assert parameters == 22_713_216


def test_wrong_files_are_refused(plain, tmp_path):
    path = tmp_path / "x.safetensors"
    save_file(TENSORS, path)
    content = path.read_bytes()
    for wrong in (b"", b"GGUF", content[:5], content[:60], content[:-1], content[8:]):
        path.write_bytes(wrong)
        start = f"{path}: not a complete .safetensors file ("
        with pytest.raises(ValueError, match=f"^{re.escape(start)}"):
            plain.read(path)


def test_numbers_that_numpy_lacks_are_refused(plain, tmp_path):
    path = tmp_path / "x.safetensors"
    save_torch_file({"a": torch.ones(2, dtype=torch.bfloat16)}, path)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: not a complete"):
        plain.read(path)


@pytest.mark.parametrize("path", ["nowhere.safetensors", None, 3])
def test_no_file_is_refused(plain, path):
    with pytest.raises(ValueError, match=f"^path: expected an existing file, got {path!r}$"):
        plain.read(path)
