"""Downloading one file from the first mirror that delivers it intact."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import pooch

from dropoutlab.data.errors import CacheError, CorruptDataError, MissingDataError
from dropoutlab.data.registry import DataFile
from dropoutlab.data.verify import read_verified

# Called with the name of the file, the bytes received so far, and the bytes expected.
Progress = Callable[[str, int, int], None]

CONNECT_AND_READ_SECONDS = (10, 30)
_CHUNK = 1 << 16


def download(
    file: DataFile, folder: Path, *, found: str = "no local copy", progress: Progress | None = None
) -> bytes:
    """Download a file, check it, and only then give it its name.

    The bytes go to a temporary file of their own, which is verified and then renamed, in one step that other
    processes see either not at all or completely. Several processes may therefore download at once.

    Args:
        file: what to download, its size and digest, and its mirrors.
        folder: where to store it, named like the dataset; created when missing.
        found: what the search for a local copy came to, for the error.
        progress: called as bytes arrive.

    Returns:
        The verified contents.

    Raises:
        CacheError: the folder cannot be written.
        MissingDataError: every mirror failed; the error says how each one did.
    """
    target = folder / file.name
    # The name is unique, so no process writes into the temporary file of another.
    part = folder / f".{file.name}.{uuid.uuid4().hex}.part"
    failures = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for url in file.urls:
            try:
                with part.open("wb") as stream:
                    _stream(url, _Sink(stream, file, progress))
                contents = read_verified(part, file)
            except _MirrorError as failure:
                failures.append(f"{urlsplit(url).netloc} {failure}")
            except CorruptDataError as error:
                failures.append(f"{urlsplit(url).netloc} delivered a file that {error.problem}")
            else:
                part.replace(target)
                return contents
    except OSError as error:
        problem = f"{found}, and a download cannot be stored there ({error.strerror or error})"
        raise CacheError(target, problem, file.remedy(folder)) from error
    finally:
        # Whatever went wrong above is the error to report, not that its temporary file stays behind.
        with contextlib.suppress(OSError):
            part.unlink()
    problem = f"{found}, and no mirror delivered it ({'; '.join(failures)})"
    raise MissingDataError(target, problem, file.remedy(folder))


class _MirrorError(Exception):
    """What one mirror did instead of delivering, as the rest of a sentence about it."""


class _Sink:
    """Takes the bytes of one download, no more than one beyond the expected number."""

    def __init__(self, stream: BinaryIO, file: DataFile, progress: Progress | None) -> None:
        self.stream = stream
        self.file = file
        self.progress = progress
        self.received = 0
        self.disk_error: OSError | None = None

    def write(self, chunk: bytes) -> None:
        self.received += len(chunk)
        if self.received > self.file.size:
            raise _MirrorError(f"sent more than the {self.file.size:,} bytes expected")
        try:
            self.stream.write(chunk)
        except OSError as error:
            self.disk_error = error
            raise
        if self.progress is not None:
            self.progress(self.file.name, self.received, self.file.size)

    def flush(self) -> None:
        """Nothing to do per chunk: closing the stream flushes it."""


def _stream(url: str, sink: _Sink) -> None:
    # "identity" keeps anyone from inflating a .gz file on its way, which would change its digest.
    downloader = pooch.HTTPDownloader(
        chunk_size=_CHUNK, timeout=CONNECT_AND_READ_SECONDS, headers={"Accept-Encoding": "identity"}
    )
    try:
        downloader(url, sink, None)
    except OSError as error:  # every exception of requests is an OSError, and so is a full disk
        if error is sink.disk_error:
            raise
        raise _MirrorError(_in_words(error, sink)) from error


def _in_words(error: OSError, sink: _Sink) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"answered {response.status_code} {response.reason}"
    kind = type(error).__name__
    if sink.received or kind == "ChunkedEncodingError":  # which is requests' word for a body cut short
        return f"broke off before all {sink.file.size:,} bytes had arrived"
    return f"could not be reached ({kind})"
