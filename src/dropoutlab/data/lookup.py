"""Where a data file is looked for: ``$DROPOUTLAB_DATA``, then the cache, then its mirrors."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pooch

from dropoutlab.data.download import Progress, download
from dropoutlab.data.errors import CorruptDataError, DataError, MissingDataError
from dropoutlab.data.registry import REGISTRY, VARIABLE, DataFile, Dataset, describe
from dropoutlab.data.verify import read_verified


@dataclass(frozen=True)
class LocalFile:
    """A verified file.

    Args:
        path: where it lies.
        contents: its bytes, inflated if it lay there gzipped under ``<name>.gz``.
    """

    path: Path
    contents: bytes


@dataclass(frozen=True)
class FileStatus:
    """What a search of the local folders found for one file.

    Args:
        dataset: name of the dataset.
        file: name of the file.
        state: ``"verified"``, ``"missing"``, or ``"unusable"`` for a copy that is there and cannot be used.
        path: where the copy lies, or None if there is none.
        problem: what is wrong and how to put it right; empty unless the state is ``"unusable"``.
    """

    dataset: str
    file: str
    state: Literal["verified", "missing", "unusable"]
    path: Path | None = None
    problem: str = ""


def fetch(
    name: str, cache: str | Path | None = None, *, progress: Progress | None = None
) -> tuple[LocalFile, ...]:
    """Make every file of a dataset available, downloading the ones that are nowhere on this machine.

    Each file is searched as ``<folder>/<name>/<file>``, first in the folder that ``$DROPOUTLAB_DATA`` names,
    then in the cache, then on the mirrors, which fill the cache. Its sha256 is checked every time.

    Args:
        name: name of the dataset.
        cache: folder for downloads; by default the user's cache folder for this package.
        progress: called as ``progress(file, received, expected)``, in bytes, while a download runs.

    Returns:
        The files in the order of the registry; none for a dataset bundled with scikit-learn.

    Raises:
        ValueError: no dataset has this name.
        DataError: a file is missing everywhere, unreadable, not what it should be, or cannot be stored.

    Example:
        >>> fetch("digits")
        ()
    """
    dataset = describe(name)
    return tuple(_fetch_file(dataset, file, folders(cache)["cache"], progress) for file in dataset.files)


def status(cache: str | Path | None = None) -> tuple[FileStatus, ...]:
    """Look for every registered file, without downloading anything.

    Args:
        cache: folder for downloads; by default the user's cache folder for this package.

    Returns:
        One entry per file, in the order of the registry.

    Example:
        >>> sorted({entry.dataset for entry in status()})
        ['fashion_mnist', 'mnist', 'shakespeare']
    """
    return tuple(
        _status_of(dataset, file, folders(cache)["cache"])
        for dataset in REGISTRY.values()
        for file in dataset.files
    )


def folders(cache: str | Path | None = None) -> dict[str, Path]:
    """Say which folders of this machine are searched, in this order.

    Args:
        cache: folder for downloads; by default the user's cache folder for this package.

    Returns:
        ``"$DROPOUTLAB_DATA"``, unless it is unset or empty, and ``"cache"``, with their folders.

    Example:
        >>> folders("downloads")["cache"].name
        'downloads'
    """
    named = os.environ.get(VARIABLE)
    shared = {f"${VARIABLE}": Path(named).expanduser()} if named else {}
    own = Path(pooch.os_cache("dropoutlab") if cache is None else cache).expanduser()
    return {**shared, "cache": own}


def _fetch_file(dataset: Dataset, file: DataFile, cache: Path, progress: Progress | None) -> LocalFile:
    copy = _shared_copy(dataset, file)
    if copy is not None:
        return copy
    folder = cache / dataset.name
    found = "no local copy"
    try:
        copy = _copy_in(folder, file)
    except CorruptDataError as error:
        # The cache is ours to repair; the folder that the reader named is not.
        found = f"the copy in the cache {error.problem}"
    if copy is not None:
        return copy
    contents = download(file, folder, found=found, progress=progress)
    return LocalFile(folder / file.name, contents)


def _status_of(dataset: Dataset, file: DataFile, cache: Path) -> FileStatus:
    try:
        copy = _shared_copy(dataset, file) or _copy_in(cache / dataset.name, file)
    except DataError as error:
        return FileStatus(
            dataset.name, file.name, "unusable", Path(error.file), f"{error.problem}. {error.remedy}"
        )
    if copy is None:
        return FileStatus(dataset.name, file.name, "missing")
    return FileStatus(dataset.name, file.name, "verified", copy.path)


def _shared_copy(dataset: Dataset, file: DataFile) -> LocalFile | None:
    root = folders().get(f"${VARIABLE}")
    if root is None:
        return None
    folder = root / dataset.name
    try:
        next(root.iterdir(), None)
    except OSError as error:
        problem = f"{VARIABLE} is set to {root}, which is not a readable folder ({error.strerror or error})"
        raise MissingDataError(folder / file.name, problem, file.remedy(folder)) from error
    return _copy_in(folder, file)


def _copy_in(folder: Path, file: DataFile) -> LocalFile | None:
    # A text is also accepted gzipped: its digest is that of the text itself.
    names = (file.name,) if file.name.endswith(".gz") else (file.name, f"{file.name}.gz")
    for name in names:
        try:
            return LocalFile(folder / name, read_verified(folder / name, file))
        except FileNotFoundError:
            continue
    return None
