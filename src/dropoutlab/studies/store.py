"""Rows of a study on disk: one line for each finished run, appended whole, never twice."""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd

from dropoutlab.studies.errors import ForeignRowsError, StudyError
from dropoutlab.studies.manifest import Manifest, read_manifest
from dropoutlab.studies.protocol import ProfileName, Row, Study

FILE = "runs.csv"

Run = tuple[str, int]


def columns(study: Study) -> list[str]:
    """Return the columns of the file, in order."""
    return ["arm", "seed", *study.metrics, "seconds"]


def read_rows(study: Study, folder: Path) -> pd.DataFrame:
    """Read what is stored, finished or not; a line that a kill tore off is not counted.

    Args:
        study: the study whose rows they should be.
        folder: ``results/<study>``.

    Returns:
        Columns ``arm``, ``seed`` (integer), the metrics and ``seconds``, in order of arms and seeds; empty
        if nothing is stored.

    Raises:
        StudyError: the file holds something else than rows of this study.
    """
    path = folder / FILE
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        text = ""
    whole = text[: text.rfind("\n") + 1]
    lines = list(csv.reader(io.StringIO(whole, newline="")))
    if lines and lines[0] != columns(study):
        raise ForeignRowsError(
            f"{path}: the columns are {', '.join(lines[0])}, expected {', '.join(columns(study))}; "
            + _remedy(folder)
        )
    rows: dict[Run, list[float]] = {}
    for number, line in enumerate(lines[1:], start=2):
        try:
            arm, seed, values = line[0], int(line[1]), [float(value) for value in line[2:]]
            if len(line) != len(columns(study)):
                raise ValueError(f"{len(line)} values")
        except (ValueError, IndexError) as error:
            raise StudyError(f"{path}, line {number}: is no row ({error}); {_remedy(folder)}") from error
        if arm not in study.arms or seed not in study.seed_list():
            raise ForeignRowsError(
                f"{path}, line {number}: no arm {arm!r} with seed {seed} is registered; {_remedy(folder)}"
            )
        if (arm, seed) in rows:
            raise StudyError(
                f"{path}, line {number}: arm {arm!r} with seed {seed} is there twice; {_remedy(folder)}"
            )
        rows[arm, seed] = values
    place = {arm: index for index, arm in enumerate(study.arms)}
    ordered = sorted(rows, key=lambda run: (place[run[0]], run[1]))
    frame = pd.DataFrame([[*run, *rows[run]] for run in ordered], columns=columns(study))
    return frame.astype({"seed": "int64", **dict.fromkeys([*study.metrics, "seconds"], "float64")})


def stored_runs(rows: pd.DataFrame) -> set[Run]:
    """Return the (arm, seed) pairs of some rows."""
    return {(str(arm), int(seed)) for arm, seed in zip(rows["arm"], rows["seed"], strict=True)}


def records(rows: pd.DataFrame) -> list[Row]:
    """Return stored rows one by one, as a job returned them."""
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def check_manifest(study: Study, folder: Path, digest: str, profile: ProfileName = "full") -> Manifest | None:
    """Read a folder's manifest and make sure that its rows may be counted as this study's.

    Args:
        study: the study at hand.
        folder: ``results/<study>``.
        digest: protocol digest of the registration at hand.
        profile: profile at hand.

    Returns:
        The manifest; ``None`` where nothing is stored.

    Raises:
        ForeignRowsError: rows without a manifest, of another study, profile or registration.
    """
    manifest = read_manifest(folder)
    path = folder / FILE
    if manifest is None:
        if path.exists():
            raise ForeignRowsError(
                f"{path}: has no manifest beside it, so its rows are nobody's; {_remedy(folder)}"
            )
        return None
    if (manifest.study, manifest.profile) != (study.name, profile):
        raise ForeignRowsError(
            f"{path}: holds rows of the {manifest.profile} profile of {manifest.study!r}, expected the "
            f"{profile} profile of {study.name!r}; {_remedy(folder)}"
        )
    if manifest.digest != digest:
        raise ForeignRowsError(
            f"{path}: belongs to registration {manifest.digest[:12]}, and {study.module} now registers "
            f"{digest[:12]}; move {folder} away to run the study as it is now, or restore the registration"
        )
    return manifest


class Writer:
    """The only one who may write into a study's folder while it is open.

    Opening it creates the folder, locks it, and cuts off the line that a kill left torn.

    Args:
        study: the study.
        folder: ``results/<study>``.

    Raises:
        StudyError: another process is writing there, or the folder cannot be written.
    """

    def __init__(self, study: Study, folder: Path) -> None:
        self.study = study
        self.folder = folder
        self.path = folder / FILE
        self._lock = -1

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.folder)
        except OSError as error:
            raise StudyError(f"{self.folder}: cannot be written ({error.strerror or error})") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._lock)  # which gives the lock back, as the end of the process does

    def repair(self) -> pd.DataFrame:
        """Cut off a torn last line, and return the rows that are there."""
        if self.path.exists():
            content = self.path.read_bytes()
            os.truncate(self.path, content.rfind(b"\n") + 1)
        return read_rows(self.study, self.folder)

    def append(self, rows: Iterable[Row]) -> None:
        """Append rows in one write, and have the disk confirm it.

        Numbers are written so that reading gives back every bit.
        """
        lines = [[_written(row[column]) for column in columns(self.study)] for row in rows]
        if not self.path.exists() or self.path.stat().st_size == 0:
            lines.insert(0, columns(self.study))
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(lines)
        content = text.getvalue().encode()
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            while content:  # a full disk or a signal may cut a write short
                content = content[os.write(file, content) :]
            os.fsync(file)
        except OSError as error:
            raise StudyError(f"{self.path}: cannot be written ({error.strerror or error})") from error
        finally:
            os.close(file)


def _lock(folder: Path) -> int:
    try:
        import fcntl
    except ModuleNotFoundError as error:  # on Windows results can be read, but not computed
        raise StudyError(
            "studies are run on Linux and macOS only; this system cannot lock a folder"
        ) from error
    # The folder itself is locked: nothing is left behind, and the lock ends with the process that holds it.
    file = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise StudyError(
            f"{folder}: another process is running this study; wait for it, or stop it"
        ) from None
    return file


def _written(value: float | int | str) -> str:
    return repr(float(value)) if isinstance(value, float) else str(value)


def _remedy(folder: Path) -> str:
    return f"restore it from version control, or move {folder} away"
