"""The reader of Marian's files, on files that are written here as Marian writes them."""

import re
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import load_without_shape_checks
from tests.pretrained.texts import CASES, needs

from attention.pretrained import files, marian

FLOAT32, INT8, QUANTIZED = 0x404, 0x101, 0x4101
CONFIG = """dec-depth: 2
dim-vocabs:
  - 7
  - 8
input-types: []
skip: false
type: transformer
version: "v1.9.56; 94aeaa46 2021-04-28 00:28:35 +0100"
"""


def quantized(integers: np.ndarray, multiplier: float) -> bytes:
    return integers.astype(np.int8).tobytes() + struct.pack("<f", multiplier)


def written(items: list[tuple[str, int, tuple[int, ...], bytes]], version: int = 1) -> bytes:
    """Write what Marian writes: (name, type, shape, bytes) each."""
    padded = [data + bytes(-len(data) % 256) for *_, data in items]
    content = struct.pack("<QQ", version, len(items))
    for (name, type_, shape, _), data in zip(items, padded, strict=True):
        content += struct.pack("<QQQQ", len(name) + 1, type_, len(shape), len(data))
    content += b"".join(name.encode() + b"\0" for name, *_ in items)
    content += b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in items)
    gap = -(len(content) + 8) % 256
    return content + struct.pack("<Q", gap) + bytes(gap) + b"".join(padded)


def some_items(rng: np.random.Generator) -> tuple[list, dict[str, np.ndarray]]:
    """Draw what a file has, and what should be read."""
    embeddings, matrix = rng.integers(-127, 128, (7, 4)), rng.integers(-127, 128, (4, 6))
    bias = rng.normal(size=(1, 6)).astype(np.float32)
    items = [
        ("Wemb", QUANTIZED, (7, 4), quantized(embeddings, 20.0)),
        ("Wemb_QuantMultA", QUANTIZED, (1, 1), quantized(np.array([127]), 12.5)),
        ("encoder_l1_W", QUANTIZED, (4, 6), quantized(matrix.T, 50.0)),  # it lies transposed
        ("encoder_l1_b", FLOAT32, (1, 6), bias.tobytes()),
        ("special:model.yml", INT8, (len(CONFIG) + 1,), CONFIG.encode() + b"\0"),
    ]
    tensors = {
        "Wemb": embeddings.astype(np.float32) / np.float32(20),
        "Wemb_QuantMultA": np.array([[127 / 12.5]], np.float32),
        "encoder_l1_W": matrix.astype(np.float32) / np.float32(50),
        "encoder_l1_b": bias,
    }
    return items, tensors


@pytest.fixture
def small(tmp_path):
    items, tensors = some_items(np.random.default_rng(0))
    path = tmp_path / "model.bin"
    path.write_bytes(written(items))
    return path, tensors


@pytest.fixture(scope="module")
def plain():
    """The module as a reader meets it."""
    return load_without_shape_checks("pretrained.marian", "pretrained")


# --------------------------------------------------------------------------- weights


def test_tensors_and_settings(small):
    path, expected = small
    tensors, metadata = marian.read(path)
    assert tensors.keys() == expected.keys()
    for name, tensor in tensors.items():
        assert tensor.dtype == np.float32
        assert np.array_equal(tensor, expected[name]), name
    assert metadata["multipliers"] == {"Wemb": 20.0, "Wemb_QuantMultA": 12.5, "encoder_l1_W": 50.0}
    assert metadata["config"] == {
        "dec-depth": "2",
        "dim-vocabs": ["7", "8"],
        "input-types": [],
        "skip": "false",
        "type": "transformer",
        "version": "v1.9.56; 94aeaa46 2021-04-28 00:28:35 +0100",
    }


@settings(max_examples=CASES)
@given(rows=st.integers(1, 9), columns=st.integers(1, 9), seed=st.integers(0, 999))
def test_the_integers_can_be_had_back(tmp_path_factory, rows, columns, seed):
    rng = np.random.default_rng(seed)
    integers, multiplier = rng.integers(-127, 128, (rows, columns)), rng.uniform(5, 600)
    path = tmp_path_factory.getbasetemp() / "any.bin"
    item = ("decoder_W", QUANTIZED, (rows, columns), quantized(integers.T, multiplier))
    path.write_bytes(written([item]))
    tensors, metadata = marian.read(path)
    again = tensors["decoder_W"] * metadata["multipliers"]["decoder_W"]
    assert np.array_equal(np.rint(again), integers)


@needs("marian")
def test_the_translators_weights():
    tensors, metadata = marian.read(files.path_of("marian", "model.bin"))
    assert len(tensors) == 194
    assert tensors["Wemb"].shape == (32000, 256)
    assert tensors["encoder_l6_ffn_W1"].shape == (256, 1536)
    assert metadata["config"]["transformer-heads"] == "8"
    assert metadata["config"]["dim-vocabs"] == ["32000", "32000"]
    for name, multiplier in metadata["multipliers"].items():
        integers = tensors[name] * np.float32(multiplier)
        assert np.abs(integers - np.rint(integers)).max() < 1e-4
        assert np.abs(integers).max() <= 127.001


def test_a_file_that_is_cut_short_is_refused(plain, small, tmp_path):
    content, path = small[0].read_bytes(), tmp_path / "cut.bin"
    for length in [*range(0, 600, 5), len(content) - 1]:
        path.write_bytes(content[:length])
        start = f"{path}: the file is incomplete: expected at least "
        with pytest.raises(ValueError, match=f"^{re.escape(start)}[0-9]+ bytes, got {length}$"):
            plain.read(path)


def test_other_files_are_refused(plain, tmp_path):
    path = tmp_path / "other.bin"
    items, _ = some_items(np.random.default_rng(1))
    for content, got in ((written(items, version=2), 2), (b"GGUF" + bytes(12), 1179993927)):
        path.write_bytes(content)
        message = f"{path}: no binary model of Marian's version 1: got {got}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            plain.read(path)
    path.write_bytes(written([("decoder_W", 0x4102, (1, 1), bytes(8))]))
    message = f"{path}: decoder_W is of type 0x4102; this reader knows float32 and eight bits"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        plain.read(path)
    path.write_bytes(written([("decoder_W", QUANTIZED, (400, 1), bytes(256))]))
    message = f"{path}, decoder_W: the file is incomplete: expected at least 400 bytes, got 256"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        plain.read(path)


# ------------------------------------------------------------------------- shortlists

LISTED = {0: [], 1: [], 2: [5, 9], 3: [9, 7, 20], 4: [], 5: [30]}
TOKENS = 40


def shortlist(first: int = 4) -> bytes:
    rows = [LISTED.get(token, []) for token in range(TOKENS)]
    starts = np.cumsum([0, *map(len, rows)])
    targets = [target for row in rows for target in row]
    content = struct.pack("<6Q", 0xF11A48D5013417F5, 1, first, 3, len(starts), len(targets))
    return content + starts.astype("<u8").tobytes() + np.array(targets, "<u4").tobytes()


def test_what_a_shortlist_allows(tmp_path):
    path = tmp_path / "shortlist.bin"
    path.write_bytes(shortlist())
    read = marian.read_shortlist(path)
    assert (read.first, len(read.targets)) == (4, 6)
    # The first four, those of 2 and 3, both of these, and up to a multiple of eight.
    assert read.allowed([2, 3]).tolist() == [0, 1, 2, 3, 5, 7, 9, 20]
    assert read.allowed([3]).tolist() == [0, 1, 2, 3, 4, 7, 9, 20]
    assert read.allowed([3, 33]).tolist() == [0, 1, 2, 3, 7, 9, 20, 33]
    assert read.allowed([2, 3, 5]).tolist() == [*range(14), 20, 30]
    every = read.allowed(list(range(TOKENS)))
    assert every.tolist() == list(range(TOKENS))


def test_a_shortlist_never_asks_for_more_than_there_is(tmp_path):
    path = tmp_path / "shortlist.bin"
    content = struct.pack("<6Q", 0xF11A48D5013417F5, 1, 2, 3, 6, 0) + bytes(48)
    path.write_bytes(content)
    assert marian.read_shortlist(path).allowed([4]).tolist() == [0, 1, 2, 3, 4]


@needs("marian")
def test_the_translators_shortlist():
    read = marian.read_shortlist(files.path_of("marian", "shortlist.bin"))
    assert (read.first, len(read.starts), len(read.targets)) == (50, 32001, 1054118)
    assert read.starts[-1] == len(read.targets)
    assert read.targets.max() < 32000
    assert np.all(np.diff(read.starts) >= 0)


def test_wrong_shortlists_are_refused(plain, tmp_path):
    path, content = tmp_path / "shortlist.bin", shortlist()
    for length in (0, 7, 40, 60, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="the file is incomplete: expected at least"):
            plain.read_shortlist(path)
    path.write_bytes(b"GGUF" + bytes(50))
    message = f"{path}: no binary shortlist of Marian: begins with 0x46554747"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        plain.read_shortlist(path)
    path.write_bytes(content)
    message = f"source: expected tokens from 0 to {TOKENS - 1}, got [1, {TOKENS}]"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        plain.read_shortlist(path).allowed([1, TOKENS])
    for read in (plain.read, plain.read_shortlist):
        with pytest.raises(ValueError, match=r"^path: expected an existing file, got 'nowhere'$"):
            read("nowhere")
