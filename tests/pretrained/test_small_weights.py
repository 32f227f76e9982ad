"""Weights in eight bits: how far they are from the others, and the file that holds them."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import load_file
from tests.conftest import load_without_shape_checks
from tests.pretrained.texts import CASES

from attention.pretrained import small_weights
from attention.pretrained.small_weights import EightBits, in_eight_bits, made_small, read, write

ABOUT = {"licence": "Apache-2.0", "vocabulary": "a\nb\né"}


@pytest.fixture
def tensors():
    rng = np.random.default_rng(0)
    return {
        "b.weight": rng.normal(size=(5, 64)).astype(np.float32),
        "a.weight": rng.normal(size=(3, 6)).astype(np.float32),
        "a.bias": rng.normal(size=7).astype(np.float32),
    }


@settings(max_examples=CASES, deadline=None)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 70)).flatmap(
        lambda shape: arrays(np.float32, shape, elements=st.floats(-60, 60, width=32))
    ),
    st.integers(1, 40),
    st.sampled_from([7, 127]),
)
def test_no_number_moves_by_more_than_half_a_scale(matrix, block, most):
    small = in_eight_bits(matrix, block, most)
    rows, columns = matrix.shape
    size = columns // small.scales.shape[1]
    assert size <= block
    assert np.abs(small.numbers.astype(int)).max() <= most
    largest = np.abs(matrix.reshape(rows, -1, size)).max(-1, keepdims=True)
    # float16 rounds a scale by 1 in 2048, or by half of the smallest number that it has.
    scale_moves = np.maximum(largest / most / 2048, 2.0**-25)
    allowed = (largest / most + scale_moves) / 2 + most * scale_moves
    apart = np.abs(small.rows() - matrix).reshape(rows, -1, size)
    assert (apart <= allowed * (1 + 1e-6)).all()


def test_a_block_has_its_own_scale():
    matrix = np.ones((1, 64), np.float32)
    matrix[0, 32:] = 1000
    matrix[0, 40] = 1
    small = in_eight_bits(matrix)
    assert small.scales.shape == (1, 2)
    np.testing.assert_allclose(small.rows()[0, :32], 1, rtol=1e-3)
    assert small.rows()[0, 40] == 0  # beside a thousand it is nothing
    assert in_eight_bits(matrix[:, :6]).scales.shape == (1, 1)  # 32 does not divide 6


def test_zeros_and_what_is_almost_zero():
    matrix = np.array([[0.0, 0.0], [1e-12, -1e-12], [1.0, -1.0]], np.float32)
    small = in_eight_bits(matrix)
    np.testing.assert_allclose(small.rows(), [[0, 0], [0, 0], [1, -1]], rtol=1e-3)


def test_some_rows_are_those_of_all():
    small = in_eight_bits(np.random.default_rng(1).normal(size=(9, 64)))
    np.testing.assert_array_equal(small.rows([3, 3, 8]), small.rows()[[3, 3, 8]])
    assert small.rows().dtype == np.float32


def test_vectors_stay_as_they_are(tensors):
    small = made_small(tensors)
    assert [type(one) for one in small.values()] == [EightBits, EightBits, np.ndarray]
    np.testing.assert_array_equal(small["a.bias"], tensors["a.bias"])


def same(one, other):
    if isinstance(one, EightBits):
        return same(one.numbers, other.numbers) and same(one.scales, other.scales)
    return one.dtype == other.dtype and np.array_equal(one, other)


def test_what_was_written_is_read_again(tmp_path, tensors):
    small, path = made_small(tensors), tmp_path / "small.safetensors"
    write(path, small, ABOUT)
    again, about = read(path)
    assert about == ABOUT
    assert again.keys() == small.keys()
    assert all(same(again[name], small[name]) for name in small)


def test_equal_weights_make_equal_bytes(tmp_path, tensors):
    write(tmp_path / "a", made_small(tensors), ABOUT)
    backwards = dict(reversed(tensors.items()))
    write(tmp_path / "b", made_small(backwards), dict(reversed(ABOUT.items())))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_library_reads_the_file(tmp_path, tensors):
    small, path = made_small(tensors), tmp_path / "small.safetensors"
    write(path, small, ABOUT)
    theirs = load_file(path)
    assert {*theirs} == {*tensors, "a.weight.scale", "b.weight.scale"}
    np.testing.assert_array_equal(theirs["b.weight"], small["b.weight"].numbers)
    np.testing.assert_array_equal(theirs["b.weight.scale"], small["b.weight"].scales)
    np.testing.assert_array_equal(theirs["a.bias"], small["a.bias"])


def test_a_file_that_is_not_whole_is_refused(tmp_path, tensors):
    path = tmp_path / "small.safetensors"
    write(path, made_small(tensors), ABOUT)
    content = path.read_bytes()
    for wrong in (b"", b"12345678", b"<!DOCTYPE html>" * 9, content[:-1], content[:200]):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match="not a complete file of small weights"):
            read(path)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e7 * 127])
def test_numbers_that_have_no_scale_are_refused(wrong):
    plain = load_without_shape_checks("pretrained/small_weights")
    message = "matrix: expected finite numbers that float16 can scale, got"
    with pytest.raises(ValueError, match=re.escape(message)):
        plain.in_eight_bits(np.array([[1.0, wrong]]))
    assert small_weights.MOST == 127
