import os
import subprocess
import sys

import pytest

from dropoutlab.studies import backends
from dropoutlab.studies.backends import Cluster, Local, cores
from dropoutlab.studies.errors import StudyError
from dropoutlab.studies.work import Done, tasks_for


def test_one_job_at_a_time_runs_in_this_process_and_in_order(toy):
    tasks = tasks_for(toy.STUDY, toy.STUDY.jobs())
    assert [done.task for done in Local(1).run(tasks)] == tasks


def test_processes_return_what_this_process_returns(toy):
    tasks = tasks_for(toy.STUDY, toy.STUDY.jobs())

    def essence(found):
        return {
            (row["arm"], row["seed"]): (row["error"], row["epochs"], done.environment)
            for done in found
            for row in done.rows
        }

    here, there = essence(Local(1).run(tasks)), essence(Local(2).run(tasks))
    assert len(here) == 20
    assert here == there


def test_the_number_of_processes(monkeypatch):
    assert Local().workers() == cores() >= 1
    assert Local(3).workers() == 3
    with pytest.raises(StudyError, match="jobs must be at least 1, got 0"):
        Local(0)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1


def test_a_lost_process_is_told(toy, trouble):
    trouble("death")
    tasks = tasks_for(toy.STUDY, toy.STUDY.jobs())
    with pytest.raises(StudyError, match=r"a worker process was lost.*run again with fewer --jobs to resume"):
        list(Local(2).run(tasks))


@pytest.mark.parametrize("already_gone", [False, True])
def test_a_worker_ends_with_its_parent(already_gone):
    parent = "os.getppid()" if not already_gone else "os.getppid() + 1"
    code = (
        "import os, time; from dropoutlab.studies.backends import _end_with\n"
        "if not os.fork():\n"
        f"    _end_with({parent}); time.sleep(60)\n"
        f"time.sleep({0 if already_gone else 1})"
    )
    # The child has the pipe, too: reading ends when both are gone, or with TimeoutExpired.
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=40, check=True)


# --- a cluster, as far as it needs none


def test_a_cluster_needs_dask(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(backends, "import_module", missing)
    with pytest.raises(StudyError, match=r'not installed; pip install "dropout-measured\[cluster\]"'):
        Cluster("tcp://127.0.0.1:1")


class FakeFuture:
    """What became of a task. Of one that is lost, the worker died when it was done: it is computed again."""

    def __init__(self, task):
        self.task = task
        self.status = {"bad": "error", "lost": "lost"}.get(task, "finished")

    def result(self):
        assert self.status == "finished"
        return Done(self.task)

    def exception(self):
        """Wait until it is done, and say what went wrong."""
        if self.status == "error":
            return RuntimeError("killed its workers")
        self.status = "finished"
        return None


class FakeDask:
    """Stands in for distributed: a client that has done everything at once."""

    cancelled = None
    loop = "the loop"

    def Client(self, address, **_):  # noqa: N802
        if address == "nowhere":
            raise OSError("Timed out")
        return self

    def as_completed(self, futures, loop):
        assert loop == "the loop"
        return iter(reversed(futures))

    def submit(self, function, task, pure):
        assert not pure
        return FakeFuture(task)

    def nthreads(self):
        return {"a": 2, "b": 1}

    def cancel(self, futures):
        self.cancelled = [future.task for future in futures]

    def close(self):
        self.closed = True


@pytest.fixture
def dask(monkeypatch):
    fake = FakeDask()
    monkeypatch.setattr(backends, "import_module", lambda _: fake)
    return fake


def test_a_cluster_hands_back_results_and_failures(dask):
    found = list(Cluster("somewhere").run(["one", "bad"]))
    assert [(done.task, done.problem) for done in found] == [
        ("bad", "RuntimeError: killed its workers"),
        ("one", ""),
    ]
    assert Cluster("somewhere").workers() == 3
    assert dask.cancelled == []
    assert dask.closed


def test_a_result_that_was_lost_before_it_was_read_is_no_failure(dask):
    found = list(Cluster("somewhere").run(["lost", "one"]))
    assert [(done.task, done.problem) for done in found] == [("one", ""), ("lost", "")]
    assert dask.cancelled == []


def test_what_is_not_done_is_cancelled(dask):
    results = Cluster("somewhere").run(["one", "two", "three"])
    next(results)
    results.close()
    assert dask.cancelled == ["one", "two"]


def test_a_cluster_that_does_not_answer(dask):
    with pytest.raises(
        StudyError, match=r"no scheduler answers at 'nowhere' \(Timed out\); give the address"
    ):
        Cluster("nowhere").workers()


def test_a_cluster_without_workers_counts_as_one(dask, monkeypatch):
    monkeypatch.setattr(dask, "nthreads", dict, raising=False)
    assert Cluster("somewhere").workers() == 1
