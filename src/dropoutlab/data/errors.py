"""Errors of the data room: each names the file, what is wrong with it, and how to put it right offline."""

from __future__ import annotations

from os import PathLike, fspath


class DataError(Exception):
    """A data file cannot be used; the message says which, why, and what to do about it.

    Args:
        file: path or name of the file.
        problem: what is wrong, as a clause without a final full stop.
        remedy: what the reader can do, as one or more full sentences.

    Example:
        >>> print(DataError("digits.csv", "holds 3 of 10 bytes", "Copy it again."))
        digits.csv: holds 3 of 10 bytes. Copy it again.
    """

    def __init__(self, file: str | PathLike[str], problem: str, remedy: str) -> None:
        # All three go to the base class, so that the error survives pickling between processes.
        super().__init__(fspath(file), problem, remedy)
        self.file = fspath(file)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}. {self.remedy}"


class MissingDataError(DataError):
    """No local copy exists, and none could be downloaded."""


class UnreadableDataError(DataError):
    """The file exists and the system refuses to read it."""


class CorruptDataError(DataError):
    """The file can be read and its contents are not what they should be."""


class CacheError(DataError):
    """The file cannot be stored, because the cache folder refuses to be written."""
