import contextlib
import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropoutlab.data import CorruptDataError, MissingDataError, UnreadableDataError, read_idx

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@st.composite
def byte_arrays(draw):
    shape = tuple(draw(st.lists(st.integers(0, 7), min_size=1, max_size=4)))
    values = draw(st.binary(min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


@settings(deadline=None)
@given(array=byte_arrays(), packed=st.booleans())
def test_round_trip(idx_bytes, array, packed):
    data = idx_bytes(array)
    back = read_idx(gzip.compress(data) if packed else data, array.shape)
    assert back.dtype == np.uint8
    assert back.shape == array.shape
    assert np.array_equal(back, array)


@settings(deadline=None)
@given(array=byte_arrays(), cut=st.data())
def test_every_shortened_file_is_refused(idx_bytes, array, cut):
    data = idx_bytes(array)
    with pytest.raises(CorruptDataError, match=r"ends (early|after)"):
        read_idx(data[: cut.draw(st.integers(0, len(data) - 1))], array.shape)


@settings(deadline=None)
@given(data=st.binary(max_size=60), shape=st.lists(st.integers(0, 3), min_size=1, max_size=3))
def test_arbitrary_bytes_give_the_array_or_the_one_error(data, shape):
    with contextlib.suppress(CorruptDataError):
        assert read_idx(data, shape).shape == tuple(shape)


def test_reads_a_path_plain_or_gzipped(tmp_path, idx_bytes):
    (tmp_path / "a").write_bytes(idx_bytes(IMAGES))
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx_bytes(IMAGES)))
    for name in ("a", "a.gz"):
        assert np.array_equal(read_idx(tmp_path / name, IMAGES.shape), IMAGES)


def header(magic, *dimensions):
    return bytes.fromhex(magic) + struct.pack(f">{len(dimensions)}I", *dimensions)


BODY = IMAGES.tobytes()
WRONG = {
    "empty": (b"", "ends after 0 bytes, inside the header of 16 bytes"),
    "magic cut": (b"\0\0\x08", "ends after 3 bytes, inside the header"),
    "dimensions cut": (header("00000803", 2, 3), "ends after 12 bytes, inside the header"),
    "magic": (
        header("89504e47", 2, 3, 4) + BODY,
        "wrong magic number: found 0x89504e47, expected 0x00000803",
    ),
    "little-endian": (header("03080000", 2, 3, 4) + BODY, "wrong magic number: found 0x03080000"),
    "floats": (
        header("00000d03", 2, 3, 4) + BODY,
        "wrong data type: magic number 0x00000d03, expected 0x00000803",
    ),
    "labels for images": (header("00000801", 24) + BODY, "wrong number of dimensions: found 1, expected 3"),
    "dimensions": (
        header("00000803", 2, 4, 3) + BODY,
        r"wrong dimensions: found \(2, 4, 3\), expected \(2, 3, 4\)",
    ),
    "huge dimensions": (
        header("00000803", 2**32 - 1, 2**32 - 1, 2**32 - 1),
        r"wrong dimensions: found \(4294967295,",
    ),
    "short": (header("00000803", 2, 3, 4) + BODY[:-5], "ends early: 19 of 24 values"),
    "trailing": (
        header("00000803", 2, 3, 4) + BODY + b"\0",
        r"trailing bytes: \(2, 3, 4\) unsigned bytes and their header take 40 bytes, found more",
    ),
}


@pytest.mark.parametrize(("data", "problem"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("from_path", [False, True], ids=["bytes", "path"])
def test_malformed_data_are_refused_with_what_was_found_and_expected(
    tmp_path, data, problem, packed, from_path
):
    data = gzip.compress(data) if packed else data
    source = tmp_path / "bad-idx"
    source.write_bytes(data)
    with pytest.raises(CorruptDataError, match=problem) as caught:
        read_idx(source if from_path else data, (2, 3, 4))
    assert caught.value.file == (str(source) if from_path else "IDX data")


def test_a_decompression_bomb_is_refused_without_being_inflated(idx_bytes):
    bomb = gzip.compress(idx_bytes(IMAGES) + bytes(20_000_000))
    with pytest.raises(CorruptDataError, match="bomb: has trailing bytes"):
        read_idx(bomb, IMAGES.shape, name="bomb")


def test_damaged_gzip_is_refused(idx_bytes):
    packed = gzip.compress(idx_bytes(IMAGES))
    with pytest.raises(CorruptDataError, match="file: is truncated"):
        read_idx(packed[:-3], IMAGES.shape, name="file")


def test_missing_and_unreadable_paths(tmp_path):
    with pytest.raises(MissingDataError, match="nothing: no such file"):
        read_idx(tmp_path / "nothing", (2,))
    with pytest.raises(UnreadableDataError, match="cannot be read"):
        read_idx(tmp_path, (2,))
