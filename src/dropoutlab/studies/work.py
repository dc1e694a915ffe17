"""What a worker does with one job, on this machine or on a cluster; it writes nothing."""

import math
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from numbers import Integral, Real

from dropoutlab.studies.digest import protocol_digest
from dropoutlab.studies.environment import environment, threads
from dropoutlab.studies.errors import StudyError
from dropoutlab.studies.protocol import Job, ProfileName, Row, Study
from dropoutlab.studies.registry import locate


@dataclass(frozen=True)
class Task:
    """A job, and what a process elsewhere needs in order to find the code that runs it.

    Attributes:
        module: module that declares the study.
        study: name of the study.
        digest: registration that the worker must have, too.
        profile: ``"full"`` or ``"smoke"``.
        job: the job.
        threads: threads for torch; ``None`` for as many as it chooses.
    """

    module: str
    study: str
    digest: str
    profile: ProfileName
    job: Job
    threads: int | None = 1

    @property
    def label(self) -> str:
        """Name the job for a message, e.g. ``hidden-dropout, arm 'p 0.5', seeds 1000-1009``."""
        arms = f"arm {self.job.arms[0]!r}" if len(self.job.arms) == 1 else f"all {len(self.job.arms)} arms"
        seeds = self.job.seeds
        span = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]}-{seeds[-1]}"
        return f"{self.study}, {arms}, {span}"


@dataclass(frozen=True)
class Done:
    """What came of a task.

    Attributes:
        task: the task.
        rows: its rows, complete and checked; none if it failed.
        environment: where it ran.
        problem: one line about what went wrong; empty if nothing did.
        trace: the whole traceback.
    """

    task: Task
    rows: tuple[Row, ...] = ()
    environment: dict[str, str | int] = field(default_factory=dict)
    problem: str = ""
    trace: str = ""


def tasks_for(study: Study, jobs: Iterable[Job], profile: ProfileName = "full") -> list[Task]:
    """Wrap jobs of a study for a backend; only a study that runs alone takes more than one thread."""
    digest = protocol_digest(study, profile)
    count = None if study.alone else 1
    return [Task(study.module, study.name, digest, profile, job, count) for job in jobs]


def work(task: Task) -> Done:
    """Run one task; whatever its study raises comes back as a failed `Done`, so that others can go on."""
    try:
        study = locate(task.module, task.study)
        _check_registration(study, task)
        with threads(task.threads):
            begun = time.perf_counter()
            rows = study.run(task.job)
            seconds = time.perf_counter() - begun
            where = environment(task.job.device)
        return Done(task, check_rows(study, task.job, rows, seconds), where)
    except Exception as error:
        return Done(task, problem=f"{type(error).__name__}: {error}", trace=traceback.format_exc())


def check_rows(study: Study, job: Job, rows: Sequence[Row], seconds: float) -> tuple[Row, ...]:
    """Make sure that a job returned what was registered, and nothing else.

    Args:
        study: the study.
        job: the job.
        rows: what its ``run`` returned.
        seconds: how long it took; each row gets an equal share.

    Returns:
        The rows in the order of the job, with plain Python numbers.

    Raises:
        StudyError: a row is missing, doubled or unasked for, or its columns or values are not as registered.
    """
    found = {}
    for row in rows:
        run = (row.get("arm"), row.get("seed"))
        if run not in job.runs or run in found:
            raise StudyError(
                f"run() returned a row for arm {run[0]!r}, seed {run[1]!r}: unasked for, or twice"
            )
        if set(row) != {"arm", "seed", *study.metrics}:
            odd = sorted(set(row) ^ {"arm", "seed", *study.metrics})
            raise StudyError(f"run() must return exactly the registered metrics; missing or unknown: {odd}")
        found[run] = {name: _plain(study, name, row[name]) for name in study.metrics}
    missing = [run for run in job.runs if run not in found]
    if missing:
        raise StudyError(
            f"run() returned no row for {', '.join(f'{arm!r} with seed {seed}' for arm, seed in missing)}"
        )
    share = seconds / len(job.runs)
    return tuple({"arm": arm, "seed": seed, **found[arm, seed], "seconds": share} for arm, seed in job.runs)


def _plain(study: Study, name: str, value: object) -> float | int:
    if isinstance(value, Integral):  # bool and numpy's integers, too
        return int(value)
    if not isinstance(value, Real):
        raise StudyError(f"metric {name} must be a number, got {value!r}; call .item() on a tensor")
    number = float(value)
    if math.isinf(number) or (math.isnan(number) and not study.metrics[name].optional):
        raise StudyError(f"metric {name} must be finite, got {number}; NaN is for metrics with optional=True")
    return number


def _check_registration(study: Study, task: Task) -> None:
    if (here := _digest(study, task.profile)) != task.digest:
        raise StudyError(
            f"this worker has registration {here[:12]} of {study.name}, the study was started with "
            f"{task.digest[:12]}; install the same version of the course on every machine"
        )


@cache
def _digest(study: Study, profile: ProfileName) -> str:
    return protocol_digest(study, profile)
