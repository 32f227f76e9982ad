"""The reader of GGUF: equal to the package `gguf`, number for number."""

import re
import struct

import gguf as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import load_without_shape_checks
from tests.pretrained.texts import CASES, needs

from attention.pretrained import files, gguf

READABLE = ["F32", "F16", "Q4_1", "Q8_0"]
SETTINGS = {
    "small": ("uint8", 200),
    "negative": ("int8", -3),
    "sixteen": ("uint16", 60000),
    "signed_sixteen": ("int16", -30000),
    "number": ("uint32", 4_000_000_000),
    "signed": ("int32", -5),
    "large": ("uint64", 2**60),
    "signed_large": ("int64", -(2**60)),
    "base": ("float32", 1.5),
    "precise": ("float64", 0.1),
    "yes": ("bool", True),
    "name": ("string", "Größe ▁"),
    "texts": ("array", ["a", "", "日本"]),
    "numbers": ("array", [1, -2, 3]),
    "reals": ("array", [0.5, -2.0]),
}


def written(path, tensors, settings=None, alignment=None):
    """Let the package write a file of (name, array, type)."""
    writer = reference.GGUFWriter(path, "llama")
    if alignment:
        writer.add_custom_alignment(alignment)
    for name, (kind, value) in (settings or {}).items():
        getattr(writer, f"add_{kind}")(name, value)
    for name, array, type_ in tensors:
        kind = reference.GGMLQuantizationType[type_]
        writer.add_tensor(name, reference.quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def library_reads(path):
    """Read a file as the package does."""
    return {
        tensor.name: reference.dequantize(tensor.data, tensor.tensor_type).reshape(
            tensor.shape[::-1].tolist()
        )
        for tensor in reference.GGUFReader(path).tensors
    }


def some_tensors(rng):
    return [
        (f"{type_}.{axes}", rng.normal(size=(*range(2, 2 + axes), 64)).astype(np.float32), type_)
        for type_ in READABLE
        for axes in (0, 1, 2)
    ]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The bytes of a small file with all that can be read."""
    path = tmp_path_factory.mktemp("gguf") / "small.gguf"
    written(path, some_tensors(np.random.default_rng(0)), SETTINGS)
    return path


@pytest.fixture(scope="module")
def plain():
    """The module as a reader meets it."""
    return load_without_shape_checks("pretrained.gguf", "pretrained")


# ------------------------------------------------------------------- like the package


def test_tensors_like_the_packages(small):
    tensors, _ = gguf.read(small)
    expected = library_reads(small)
    assert tensors.keys() == expected.keys()
    assert len(tensors) == 12
    for name, tensor in tensors.items():
        assert tensor.dtype == np.float32
        assert tensor.shape == expected[name].shape
        assert np.array_equal(tensor, expected[name]), name
    assert tensors["F32.2"].shape == (2, 3, 64)


def test_settings_like_the_packages(small):
    _, metadata = gguf.read(small)
    assert metadata == {"general.architecture": "llama"} | {
        name: value for name, (_, value) in SETTINGS.items()
    }
    assert gguf.read_metadata(small) == metadata


@settings(max_examples=CASES)
@given(
    seed=st.integers(0, 2**32 - 1),
    type_=st.sampled_from(READABLE),
    scale=st.sampled_from([0.0, 1e-6, 1e-3, 1.0, 300.0]),
    offset=st.sampled_from([-2.0, 0.0, 5.0]),
    alignment=st.sampled_from([None, 32, 64, 256]),
)
def test_any_numbers_like_the_packages(tmp_path_factory, seed, type_, scale, offset, alignment):
    rng = np.random.default_rng(seed)
    shape = (*rng.integers(1, 4, size=rng.integers(0, 3)), 32 * rng.integers(1, 4))
    array = (offset + scale * rng.normal(size=shape)).astype(np.float32)
    tensors = [("a", array, type_), ("b", array[..., :32], "F16"), ("c", array, "F32")]
    path = tmp_path_factory.getbasetemp() / "any.gguf"
    written(path, tensors, {"name": ("string", "x" * int(rng.integers(9)))}, alignment)
    ours, expected = gguf.read(path)[0], library_reads(path)
    assert all(np.array_equal(ours[name], expected[name]) for name in expected)
    assert np.array_equal(ours["c"], array)


@needs("smollm2")
def test_smollm2_like_the_package():
    path = files.path_of("smollm2", "model.gguf")
    tensors, metadata = gguf.read(path)
    listed = reference.GGUFReader(path).tensors
    assert tensors.keys() == {tensor.name for tensor in listed}
    assert len(tensors) == 272
    assert {tensor.tensor_type.name for tensor in listed} == {"Q4_1", "Q8_0", "F32"}
    for tensor in listed:
        expected = reference.dequantize(tensor.data, tensor.tensor_type)
        assert np.array_equal(tensors[tensor.name], expected), tensor.name
    assert metadata["general.license"] == "apache-2.0"
    assert len(metadata["tokenizer.ggml.tokens"]) == 49152


# -------------------------------------------------------------------------- wrong files


def refused(plain, path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(str(path))) as error:
        plain.read(path)
    return str(error.value).replace(str(path), "FILE")


def test_a_file_that_is_cut_short_is_refused(plain, small, tmp_path):
    content = small.read_bytes()
    _, entries = plain._head(plain._opened(small))
    last = max(entry.offset for entry in entries.values())
    for length in [*range(4, 400, 7), 1000, len(content) - last - 1, len(content) - 40]:
        said = refused(plain, tmp_path / "cut.gguf", content[:length])
        assert said.startswith("FILE: the file is incomplete: expected at least "), length
        assert said.endswith(f"bytes, got {length}")


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\x03\x04", b"ggml" * 9])
def test_another_file_is_refused(plain, tmp_path, content):
    said = refused(plain, tmp_path / "other.gguf", content)
    wanted = f"expected it to begin with b'GGUF', got {content[:4]!r}"
    assert said == f"FILE: no GGUF file: {wanted}"


def test_another_version_is_refused(plain, small, tmp_path):
    content = small.read_bytes()
    for version in (0, 1, 4):
        changed = content[:4] + struct.pack("<I", version) + content[8:]
        said = refused(plain, tmp_path / "other.gguf", changed)
        assert said == f"FILE: expected GGUF of version 2 or 3, got {version}"
    path = tmp_path / "two.gguf"
    path.write_bytes(content[:4] + struct.pack("<I", 2) + content[8:])
    assert plain.read(path)[0].keys() == plain.read(small)[0].keys()


@pytest.mark.parametrize("type_", ["Q4_0", "Q5_1", "BF16"])
def test_another_way_of_storing_is_refused(plain, tmp_path, type_):
    path = written(tmp_path / "q.gguf", [("a.weight", np.ones((2, 32), np.float32), type_)])
    number = reference.GGMLQuantizationType[type_].value
    said = refused(plain, path, path.read_bytes())
    known = "this reader knows F32, F16, Q4_1, Q8_0"
    assert said == f"FILE: a.weight is stored as type {number} of ggml; {known}"
    assert plain.read_metadata(path) == {"general.architecture": "llama"}


def test_a_shape_that_is_no_number_of_blocks_is_refused(plain, tmp_path):
    path = written(tmp_path / "q.gguf", [("a.weight", np.ones(32, np.float32), "Q8_0")])
    content = path.read_bytes()
    shape = content.index(b"a.weight") + len(b"a.weight") + 4
    changed = content[:shape] + struct.pack("<Q", 33) + content[shape + 8 :]
    said = refused(plain, path, changed)
    assert said == "FILE: a.weight has shape (33,), no whole number of Q8_0's blocks of 32"


def test_a_setting_of_an_unknown_type_is_refused(plain, tmp_path):
    path = written(tmp_path / "q.gguf", [], {"x": ("uint8", 1)})
    content = path.read_bytes()
    place = content.index(b"\x01\0\0\0\0\0\0\0x\0") + 9
    changed = content[:place] + struct.pack("<I", 13) + content[place + 4 :]
    said = refused(plain, path, changed)
    assert said == "FILE: a setting is of type 13, which GGUF has not"


def test_a_text_that_is_no_utf8_is_refused(plain, tmp_path):
    path = written(tmp_path / "q.gguf", [], {"x": ("string", "abc")})
    said = refused(plain, path, path.read_bytes().replace(b"abc", b"\xff\xfec"))
    assert said.startswith("FILE: a text in it is no UTF-8 (")


@pytest.mark.parametrize("path", ["nowhere.gguf", None, 3])
def test_no_file_is_refused(plain, path):
    for read in (plain.read, plain.read_metadata):
        with pytest.raises(ValueError, match=f"^path: expected an existing file, got {path!r}$"):
            read(path)
