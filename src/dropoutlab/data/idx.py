"""The IDX format, in which MNIST and its relatives are published."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dropoutlab.data.errors import CorruptDataError, MissingDataError
from dropoutlab.data.verify import GZIP_OVERHEAD, INTACT_COPY, gunzip, read_at_most

UNSIGNED_BYTE = 0x08
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(source: bytes | Path, shape: Sequence[int], *, name: str | None = None) -> NDArray[np.uint8]:
    r"""Read an IDX array of unsigned bytes that must have exactly the given shape.

    An IDX file is two zero bytes, a data type code, the number of dimensions :math:`k`, then :math:`k`
    big-endian 32-bit dimensions and :math:`\prod_i d_i` values: :math:`4 + 4k + \prod_i d_i` bytes in all.
    Gzipped data are recognised, and never inflated beyond one byte more than that.

    Args:
        source: the bytes, or the path of the file; plain or gzipped.
        shape: the dimensions the array must have, e.g. ``(60000, 28, 28)``.
        name: what to call the data in an error; by default the path, or ``"IDX data"``.

    Returns:
        Read-only array of ``shape``, values 0 to 255.

    Raises:
        CorruptDataError: wrong magic number, data type or dimensions, missing or trailing bytes, bad gzip.
        MissingDataError: there is no file at the path.
        UnreadableDataError: the file cannot be read.

    Example:
        >>> read_idx(bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9]), (1, 3))
        array([[7, 8, 9]], dtype=uint8)

    Source: LeCun, Cortes and Burges (1998), The MNIST database of handwritten digits, "File formats".
    """
    shape = tuple(shape)
    header = 4 + 4 * len(shape)
    length = header + math.prod(shape)
    if isinstance(source, Path):
        name = name or str(source)
        try:
            data = read_at_most(source, length + GZIP_OVERHEAD)
        except FileNotFoundError as error:
            raise MissingDataError(source, "no such file", "Put the file there.") from error
    else:
        name = name or "IDX data"
        data = source
    if data.startswith(_GZIP_MAGIC):
        data = gunzip(data, length, name)

    problem = _header_problem(data, shape)
    if problem is None and len(data) < length:
        problem = f"ends early: {len(data) - header:,} of {length - header:,} values"
    if problem is None and len(data) > length:
        problem = (
            f"has trailing bytes: {shape} unsigned bytes and their header take {length:,} bytes, found more"
        )
    if problem is not None:
        raise CorruptDataError(name, problem, INTACT_COPY)
    return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(shape)


def _header_problem(data: bytes, shape: tuple[int, ...]) -> str | None:
    header = 4 + 4 * len(shape)
    expected = f"0x{UNSIGNED_BYTE << 8 | len(shape):08x}"
    magic = f"0x{data[:4].hex()}"
    if len(data) < 4:
        return f"ends after {len(data)} bytes, inside the header of {header} bytes"
    if data[:2] != b"\x00\x00":
        return f"has the wrong magic number: found {magic}, expected {expected}"
    if data[2] != UNSIGNED_BYTE:
        return f"has the wrong data type: magic number {magic}, expected {expected} (unsigned bytes)"
    if data[3] != len(shape):
        return f"has the wrong number of dimensions: found {data[3]}, expected {len(shape)}"
    if len(data) < header:
        return f"ends after {len(data)} bytes, inside the header of {header} bytes"
    dimensions = struct.unpack_from(f">{len(shape)}I", data, offset=4)
    if dimensions != shape:
        return f"has the wrong dimensions: found {dimensions}, expected {shape}"
    return None
