"""Where the tasks of a study run: in this process, in processes of this machine, or on a Dask cluster."""

import os
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol

from dropoutlab.studies.errors import StudyError
from dropoutlab.studies.work import Done, Task, work


class Backend(Protocol):
    """Runs tasks and hands back what came of them, in whatever order they are done."""

    def workers(self) -> int:
        """Return how many tasks run at the same time."""

    def run(self, tasks: Sequence[Task]) -> Generator[Done]:
        """Run all tasks."""


class Local:
    """This machine: one process for each of ``jobs``, or this very process for a single one.

    Args:
        jobs: number of processes; ``None`` for the number of cores.

    Raises:
        StudyError: ``jobs`` is below 1.
    """

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = cores() if jobs is None else jobs
        if self.jobs < 1:
            raise StudyError(f"jobs must be at least 1, got {jobs}")

    def workers(self) -> int:
        """Return the number of processes."""
        return self.jobs

    def run(self, tasks: Sequence[Task]) -> Generator[Done]:
        """Run all tasks.

        Raises:
            StudyError: a process was lost, e.g. because memory ran out.
        """
        if self.jobs == 1 or len(tasks) < 2:
            yield from map(work, tasks)
            return
        import joblib
        from joblib.externals.loky.process_executor import BrokenProcessPool

        # One thread for each process: more of them would only wait for one another.
        with joblib.parallel_config("loky", n_jobs=self.jobs, inner_max_num_threads=1):
            parallel = joblib.Parallel(
                return_as="generator_unordered",
                batch_size=1,
                pre_dispatch="2*n_jobs",  # one task ahead for each process keeps all of them busy
                initializer=_end_with,
                initargs=(os.getpid(),),
            )
            with closing(parallel(joblib.delayed(work)(task) for task in tasks)) as results:
                try:
                    yield from results
                except BrokenProcessPool as error:
                    raise StudyError(
                        "a worker process was lost, perhaps because memory ran out; what was finished is "
                        "stored, run again with fewer --jobs to resume"
                    ) from error


class Cluster:
    """A Dask cluster: the scheduler hands the tasks of a lost worker to another one.

    Args:
        address: address of the scheduler, e.g. ``tcp://10.0.0.1:8786``.
        timeout: seconds to wait for it.

    Raises:
        StudyError: ``distributed`` is not installed.
    """

    def __init__(self, address: str, timeout: float = 10.0) -> None:
        try:
            # As Any: Dask has no types, and most installations have no Dask.
            self._dask: Any = import_module("distributed")
        except ModuleNotFoundError as error:
            raise StudyError(
                'a cluster needs Dask, which is not installed; pip install "dropout-measured[cluster]"'
            ) from error
        self.address = address
        self.timeout = timeout

    def workers(self) -> int:
        """Return the number of threads of all workers that are connected now."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def run(self, tasks: Sequence[Task]) -> Generator[Done]:
        """Run all tasks; one that keeps killing its workers comes back failed.

        Raises:
            StudyError: the scheduler does not answer.
        """
        client = self._client
        # Not pure: the same task must run again when verify asks for it.
        pending = {client.submit(work, task, pure=False): task for task in tasks}
        try:
            for future in self._dask.as_completed(list(pending), loop=client.loop):
                task = pending.pop(future)
                # Asked for its status, a future may say that it is lost: its worker died after it was done,
                # and it is computed again. This waits until it is.
                error = future.exception()
                if error is None:
                    yield future.result()
                else:
                    yield Done(task, problem=f"{type(error).__name__}: {error}", trace=str(error))
        finally:
            client.cancel(list(pending))
            client.close()

    @cached_property
    def _client(self) -> Any:
        try:
            return self._dask.Client(self.address, timeout=self.timeout, set_as_default=False)
        except (OSError, ValueError) as error:
            raise StudyError(
                f"no scheduler answers at {self.address!r} ({error}); give the address that it printed"
            ) from error


def _end_with(parent: int) -> None:
    """Let this process end with its parent.

    Workers of loky outlive a parent that was killed by minutes, and go on with what is queued.
    """
    if os.getppid() != parent:  # it was killed while this process started
        os._exit(1)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
