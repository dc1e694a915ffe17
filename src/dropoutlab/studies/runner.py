"""Run a study: find what is missing, have it computed, and store the rows of each job as it is done."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dropoutlab.data import fetch
from dropoutlab.studies.backends import Backend, Local
from dropoutlab.studies.compute import backend_for, compute
from dropoutlab.studies.digest import lab_digests, protocol_digest, source_files
from dropoutlab.studies.environment import (
    Environment,
    Revision,
    data_digests,
    differing,
    environment,
    revision,
    threads,
)
from dropoutlab.studies.errors import ForeignRowsError, StudyError
from dropoutlab.studies.forecast import OnProgress
from dropoutlab.studies.manifest import Manifest, now
from dropoutlab.studies.protocol import STAND_IN, Job, ProfileName, Study
from dropoutlab.studies.store import Writer, check_manifest, read_rows, records, stored_runs
from dropoutlab.studies.work import Done


@dataclass(frozen=True)
class Summary:
    """What running a study came to.

    Attributes:
        new: runs that were added.
        stored: runs that are stored now.
        registered: runs of the whole study.
        seconds: wall time of this session.
    """

    new: int
    stored: int
    registered: int
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether every registered run is stored."""
        return self.stored == self.registered


def run_study(
    study: Study,
    root: Path,
    *,
    backend: Backend | None = None,
    profile: ProfileName = "full",
    seeds: int | None = None,
    device: str = "cpu",
    uncommitted: bool = False,
    on_progress: OnProgress | None = None,
) -> Summary:
    """Compute the runs of a study that are not stored yet.

    Rows are written by this process alone, as jobs are done: whenever it is killed, what was finished is
    stored, and running again goes on from there.

    Args:
        study: the study.
        root: folder of all results; the rows go to ``<root>/<name>/``.
        backend: where the jobs run; by default as `backend_for` chooses.
        profile: ``"full"``, or ``"smoke"`` for a tiny rehearsal.
        seeds: run only the first so many seeds, in whole groups.
        device: ``"cpu"`` or ``"cuda"``.
        uncommitted: run the full profile of a study that is not committed; the manifest says so.
        on_progress: called at the beginning and whenever a job is done.

    Returns:
        How many runs were added, and how many there are.

    Raises:
        JobError: jobs failed; the rows of all others are stored.
        ForeignRowsError: stored rows belong to another registration or environment.
        StudyError: the study cannot be run as asked.
        DataError: its data are missing.
    """
    begun = time.monotonic()
    folder = root / study.name
    jobs = _selected(study, profile, seeds, device)
    digest = protocol_digest(study, profile)
    manifest = check_manifest(study, folder, digest, profile)
    rows = read_rows(study, folder)
    if not _missing(jobs, rows):
        if manifest and not manifest.finished and len(rows) == _registered(study, profile):
            # A kill fell between the last row and the note that it was the last.
            with Writer(study, folder):
                _finish(manifest, folder)
        return Summary(0, len(rows), _registered(study, profile), time.monotonic() - begun)
    origin = _origin(study, profile, uncommitted)
    backend = backend or backend_for(study, device=device)
    here = _local_environment(study, backend, device)
    if profile == "full" or study.smoke.get("data") != STAND_IN:
        for name in study.datasets:
            fetch(name)  # here and once, or every worker would download it
    with Writer(study, folder) as writer:
        record = _Record(study, writer, profile, digest, origin, begun)
        if here and record.manifest:
            record.check(here)
        before, todo = len(record.rows), _missing(jobs, record.rows)
        compute(
            study,
            todo,
            backend,
            profile=profile,
            before=sum(len(job.runs) for job in jobs) - sum(len(job.runs) for job in todo),
            known=records(record.rows),
            on_done=record.add,
            on_progress=on_progress,
        )
        stored = len(record.rows)
        if record.manifest and stored == _registered(study, profile):
            _finish(record.manifest, folder)
        return Summary(stored - before, stored, _registered(study, profile), time.monotonic() - begun)


class _Record:
    """Rows and manifest of a study while it runs."""

    def __init__(
        self, study: Study, writer: Writer, profile: ProfileName, digest: str, origin: Revision, begun: float
    ) -> None:
        self.study, self.writer, self.profile, self.begun = study, writer, profile, begun
        self.digest, self.origin = digest, origin
        self.manifest = check_manifest(study, writer.folder, digest, profile)
        self.rows = writer.repair()
        self.seconds_before = self.manifest.wall_seconds if self.manifest else 0.0

    def check(self, where: Environment) -> None:
        assert self.manifest is not None
        if odd := differing(self.manifest.environment, where):
            raise ForeignRowsError(
                f"{self.writer.path}: was begun in another environment (there / here): {', '.join(odd)}; "
                f"and rows of two are not mixed. Finish it in the first, or move {self.writer.folder} away"
            )

    def add(self, done: Done) -> None:
        if self.manifest is None:
            self.manifest = self._begin(done.environment)
            # Before the first row: rows without a manifest would be nobody's.
            self.manifest.write(self.writer.folder)
        self.check(done.environment)
        known = stored_runs(self.rows)
        # Part of the job may be there already, if a kill fell between two of its rows.
        fresh = [row for row in done.rows if (row["arm"], row["seed"]) not in known]
        self.writer.append(fresh)
        added = pd.DataFrame(fresh, columns=self.rows.columns)
        self.rows = pd.concat([self.rows, added], ignore_index=True) if len(self.rows) else added
        self.manifest.wall_seconds = round(self.seconds_before + time.monotonic() - self.begun, 3)
        self.manifest.write(self.writer.folder)

    def _begin(self, where: Environment) -> Manifest:
        return Manifest(
            study=self.study.name,
            digest=self.digest,
            profile=self.profile,
            started=now(),
            environment=where,
            revision=self.origin.commit,
            committed=None if self.origin.commit is None else not self.origin.changed,
            data=data_digests(self.study.datasets) if self.profile == "full" else {},
            lab=lab_digests(self.study),
        )


def _finish(manifest: Manifest, folder: Path) -> None:
    manifest.finished = now()
    manifest.write(folder)


def _registered(study: Study, profile: ProfileName) -> int:
    return len(study.arms) * len(study.seed_list(profile))


def _missing(jobs: Iterable[Job], rows: pd.DataFrame) -> list[Job]:
    stored = stored_runs(rows)
    return [job for job in jobs if not stored.issuperset(job.runs)]


def _selected(study: Study, profile: ProfileName, seeds: int | None, device: str) -> list[Job]:
    jobs = study.jobs(profile, device)
    registered = study.seed_list(profile)
    if seeds is None:
        return list(jobs)
    if not 1 <= seeds <= len(registered):
        raise StudyError(
            f"{study.name}: seeds must lie in 1 to {len(registered)}, the number registered, got {seeds}; "
            "more seeds are another registration"
        )
    wanted = set(registered[:seeds])
    ends = [end for end in study.group_ends() if end < len(registered)] + [len(registered)]
    if seeds not in ends:
        raise StudyError(
            f"{study.name}: seeds are run in groups of {study.group}; {seeds} would cut one, "
            f"take one of {', '.join(map(str, ends))}"
        )
    return [job for job in jobs if wanted.issuperset(job.seeds)]


def _origin(study: Study, profile: ProfileName, uncommitted: bool) -> Revision:
    files = source_files(study)
    origin = revision(files.values())
    if profile == "full" and origin.changed and not uncommitted:
        raise StudyError(
            f"{study.name}: not committed as it is now: {', '.join(origin.changed)}. A registration "
            "is committed before it is run; commit it, or use --uncommitted, which the manifest records"
        )
    return origin


def _local_environment(study: Study, backend: Backend, device: str) -> Environment | None:
    """Say what workers of this machine will report; nobody knows beforehand on a cluster."""
    if not isinstance(backend, Local):
        return None
    with threads(None if study.alone else 1):
        return environment(device)
