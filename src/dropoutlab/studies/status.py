"""What is stored of each study, and whether it still belongs to the study as it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dropoutlab.studies.digest import lab_digests, protocol_digest
from dropoutlab.studies.errors import ForeignRowsError, StudyError
from dropoutlab.studies.protocol import Study
from dropoutlab.studies.store import check_manifest, read_rows

State = Literal["complete", "partial", "stale", "missing", "damaged"]


@dataclass(frozen=True)
class Status:
    """The state of one study's results.

    Attributes:
        study: name of the study.
        state: ``"complete"``, ``"partial"``, ``"stale"`` (rows of another registration), ``"missing"`` or
            ``"damaged"`` (rows that cannot be read).
        stored: runs that are stored and count.
        registered: runs of the whole study.
        lab_changed: modules of the lab whose code is not what it was when the run began.
        finished: when the last run was stored, UTC; empty while runs are missing.
        problem: why the rows are stale or damaged, and what to do about it.
    """

    study: str
    state: State
    stored: int
    registered: int
    lab_changed: tuple[str, ...] = ()
    finished: str = ""
    problem: str = ""


def examine(study: Study, root: Path) -> Status:
    """Look at the stored results of a study; nothing is changed, and nothing raises.

    Args:
        study: the study.
        root: folder of all results.

    Returns:
        Their state.
    """
    folder = root / study.name
    registered = len(study.arms) * study.seeds
    try:
        manifest = check_manifest(study, folder, protocol_digest(study))
        stored = len(read_rows(study, folder))
    except ForeignRowsError as error:
        return Status(study.name, "stale", 0, registered, problem=str(error))
    except StudyError as error:
        return Status(study.name, "damaged", 0, registered, problem=str(error))
    if manifest is None:
        return Status(study.name, "missing", 0, registered)
    lab = lab_digests(study)
    changed = tuple(name for name in {**lab, **manifest.lab} if lab.get(name) != manifest.lab.get(name))
    state: State = "complete" if stored == registered else "partial"
    return Status(study.name, state, stored, registered, changed, manifest.finished or "")
