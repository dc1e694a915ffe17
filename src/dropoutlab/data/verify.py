"""Reading a local file without trusting it: bounded in length, bounded when inflated, checked by digest."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

from dropoutlab.data.errors import CorruptDataError, UnreadableDataError
from dropoutlab.data.registry import DataFile

INTACT_COPY = "Replace it with an intact copy."

# A gzip file of incompressible bytes is longer than they are: header, trailer, five bytes per stored block.
GZIP_OVERHEAD = 65_536

_GZIP_FORMAT = 16 + zlib.MAX_WBITS


def read_at_most(path: Path, limit: int, remedy: str = INTACT_COPY) -> bytes:
    """Read a file, but never more than ``limit`` bytes of it.

    Args:
        path: the file.
        limit: most bytes to read.
        remedy: what an error should advise.

    Returns:
        The first ``limit`` bytes, or the whole file if it is shorter.

    Raises:
        FileNotFoundError: there is no such file; the caller knows where to look next.
        UnreadableDataError: the system refuses to read it (permissions, a folder in its place, a bad disk).
    """
    try:
        with path.open("rb") as stream:
            return stream.read(limit)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(str(path)) from None
    except OSError as error:
        raise UnreadableDataError(path, f"cannot be read ({error.strerror or error})", remedy) from error


def gunzip(data: bytes, limit: int, file: str | Path, remedy: str = INTACT_COPY) -> bytes:
    """Inflate one gzip stream, stopping as soon as it exceeds ``limit`` bytes.

    A few kilobytes of gzip can inflate to gigabytes. Here at most ``limit + 1`` bytes are ever produced, so
    the caller recognises an overlong stream by the length of the result.

    Args:
        data: the compressed bytes.
        limit: number of bytes that the stream should hold.
        file: what to call the data in an error.
        remedy: what an error should advise.

    Returns:
        The inflated bytes, ``limit + 1`` of them if there were more than ``limit``.

    Raises:
        CorruptDataError: the stream is damaged, ends early, or is followed by other bytes.

    Example:
        >>> import gzip
        >>> len(gunzip(gzip.compress(bytes(1_000_000)), 10, "bomb.gz"))
        11

    Source: RFC 1952.
    """
    inflater = zlib.decompressobj(wbits=_GZIP_FORMAT)
    try:
        inflated = inflater.decompress(data, limit + 1)
    except zlib.error as error:
        raise CorruptDataError(file, f"is not intact gzip ({error})", remedy) from error
    if len(inflated) > limit:
        return inflated
    if not inflater.eof:
        raise CorruptDataError(
            file, f"is truncated: it inflates to {len(inflated):,} bytes and no end", remedy
        )
    if inflater.unused_data:
        problem = f"has trailing bytes: {len(inflater.unused_data):,} after the end of its gzip stream"
        raise CorruptDataError(file, problem, remedy)
    return inflated


def read_verified(path: Path, file: DataFile) -> bytes:
    """Read a local copy of a registered file and check every byte of it.

    Args:
        path: the copy; one named ``<file.name>.gz`` is inflated first, since size and digest belong to the
            contents.
        file: the name, size and digest that it must have.

    Returns:
        The contents, of length ``file.size`` and digest ``file.sha256``.

    Raises:
        FileNotFoundError: there is no such file.
        UnreadableDataError: the system refuses to read it.
        CorruptDataError: it is too short, too long, damaged, or has another digest.
    """
    remedy = file.remedy(path.parent)
    data = read_at_most(path, file.size + GZIP_OVERHEAD, remedy)
    if path.name == f"{file.name}.gz":
        data = gunzip(data, file.size, path, remedy)
    if len(data) < file.size:
        problem = f"is truncated: it holds {len(data):,} of {file.size:,} bytes"
    elif len(data) > file.size:
        problem = f"is longer than the {file.size:,} bytes expected"
    elif (digest := hashlib.sha256(data).hexdigest()) != file.sha256:
        problem = f"is corrupted: it has sha256 {digest}, expected {file.sha256}"
    else:
        return data
    raise CorruptDataError(path, problem, remedy)
