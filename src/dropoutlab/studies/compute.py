"""Have the jobs of a study computed by a backend, and report how far it is."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing

from dropoutlab.studies.backends import Backend, Cluster, Local
from dropoutlab.studies.environment import check_device
from dropoutlab.studies.errors import JobError, StudyError
from dropoutlab.studies.forecast import Forecast, OnProgress, Progress
from dropoutlab.studies.protocol import Job, ProfileName, Row, Study
from dropoutlab.studies.work import Done, tasks_for

_SHOWN = 5  # failures that are listed one by one


def backend_for(
    study: Study, *, jobs: int | None = None, device: str = "cpu", scheduler: str | None = None
) -> Backend:
    """Choose where a study runs.

    Args:
        study: the study; one that times something runs here, one job after the other.
        jobs: processes on this machine; by default one for each core, or a single one for a GPU.
        device: ``"cpu"`` or ``"cuda"``.
        scheduler: address of a Dask scheduler, instead of this machine.

    Returns:
        The backend.

    Raises:
        StudyError: the device, the scheduler or the number of jobs cannot be used.
    """
    if scheduler is None:
        check_device(device)
        return Local(1 if study.alone or (device == "cuda" and jobs is None) else jobs)
    if study.alone:
        raise StudyError(
            f"{study.name} times something and needs a machine for itself; leave out --scheduler"
        )
    return Cluster(scheduler)


def compute(
    study: Study,
    jobs: Sequence[Job],
    backend: Backend,
    *,
    profile: ProfileName = "full",
    before: int = 0,
    known: Iterable[Row] = (),
    on_done: Callable[[Done], None] | None = None,
    on_progress: OnProgress | None = None,
) -> list[Done]:
    """Run jobs, whichever is done first.

    Args:
        study: the study.
        jobs: what is to be run.
        backend: where.
        profile: the profile that the jobs were made from.
        before: runs that were done before, for the report.
        known: rows with ``seconds``, from which the time left is estimated at first.
        on_done: called with every job that succeeded, as soon as it is done.
        on_progress: called at the beginning and whenever a job is done.

    Returns:
        What came of the jobs, in the order in which they were done.

    Raises:
        JobError: jobs failed; ``on_done`` was called with all others.
        StudyError: the backend broke down.
    """
    forecast = Forecast(study)
    forecast.learn(known)
    todo = {job.runs: job for job in jobs}
    total = before + sum(len(runs) for runs in todo)
    succeeded: list[Done] = []
    failed: list[Done] = []

    def report() -> None:
        if on_progress:
            done = before + sum(len(result.rows) for result in succeeded)
            left = forecast.seconds_left(todo.values(), backend.workers())
            on_progress(Progress(study.name, done, total, left))

    report()
    with closing(backend.run(tasks_for(study, jobs, profile))) as results:
        for done in results:
            del todo[done.task.job.runs]
            if done.problem:
                failed.append(done)
            else:
                succeeded.append(done)
                forecast.learn(done.rows)
                if on_done:
                    on_done(done)
            report()
    if failed:
        raise _failure(failed)
    return succeeded


def _failure(failed: Sequence[Done]) -> JobError:
    lines = [f"{done.task.label}: {done.problem}" for done in failed[:_SHOWN]]
    if len(failed) > _SHOWN:
        lines.append(f"and {len(failed) - _SHOWN} more")
    jobs = "1 job" if len(failed) == 1 else f"{len(failed)} jobs"
    return JobError(
        f"{jobs} failed; running again tries what is missing.\n  "
        + "\n  ".join(lines)
        + f"\n{failed[0].trace.rstrip()}"
    )
