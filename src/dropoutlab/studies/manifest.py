"""The manifest beside a study's rows: what was registered, and where, when and on what it ran."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path

from dropoutlab.studies.errors import StudyError

FILE = "manifest.json"


@dataclass
class Manifest:
    """What is known about the rows of one study.

    Attributes:
        study: name of the study.
        digest: protocol digest of the registration that the rows belong to.
        profile: ``"full"`` or ``"smoke"``.
        started: when the first run began, UTC.
        finished: when the last registered run was stored; ``None`` while runs are missing.
        wall_seconds: time spent running, over all sessions.
        environment: versions, platform, device and threads, the same for all rows.
        data: dataset → file → sha256.
        revision: commit that was checked out when the run began; ``None`` outside a git checkout.
        committed: whether the study's sources were part of it; ``None`` outside a git checkout.
        lab: module → digest of its code, for every module of the lab that the study uses.
    """

    study: str
    digest: str
    profile: str
    started: str
    environment: Mapping[str, str | int]
    revision: str | None = None
    committed: bool | None = None
    finished: str | None = None
    wall_seconds: float = 0.0
    data: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    lab: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write ``manifest.json`` in one step: a reader sees the old file or the new one."""
        path = folder / FILE
        part = path.with_suffix(".partial")
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(json.dumps(asdict(self), indent=2) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)


def read_manifest(folder: Path) -> Manifest | None:
    """Read a folder's manifest; ``None`` if there is none.

    Raises:
        StudyError: the file is not a manifest.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known = {entry.name for entry in fields(Manifest)}
        return Manifest(**{name: value for name, value in content.items() if name in known})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, AttributeError) as error:
        raise StudyError(f"{path}: is no manifest ({error}); restore it, or move {folder} away") from error


def now() -> str:
    """Return the present time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
