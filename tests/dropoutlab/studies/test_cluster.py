"""The toy study on a real Dask cluster of two worker processes, one of which is killed."""

import os
import signal
import warnings

import pytest
from typer.testing import CliRunner

from dropoutlab.cli import app
from dropoutlab.studies.backends import Cluster, Local
from dropoutlab.studies.errors import StudyError
from dropoutlab.studies.manifest import read_manifest
from dropoutlab.studies.runner import run_study
from dropoutlab.studies.store import read_rows

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster(toy_folder):
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("TOY_SECONDS", "0.2")
        warnings.simplefilter("ignore")  # Dask's own: loops and sockets that it leaves to the collector
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, scheduler_port=0
        ) as made:
            yield made


def test_a_killed_worker_costs_no_row(cluster, toy, tmp_path, essence):
    killed = []

    def kill_one(stand):
        if stand.done and not killed:
            with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
                killed.extend(sorted(client.run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)

    backend = Cluster(cluster.scheduler_address)
    summary = run_study(toy.STUDY, tmp_path / "cluster", backend=backend, on_progress=kill_one)
    assert len(killed) == 2
    assert (summary.new, summary.complete) == (20, True)
    run_study(toy.STUDY, tmp_path / "here", backend=Local(1))
    there, here = (tmp_path / place / "toy" / "runs.csv" for place in ("cluster", "here"))
    assert essence(there) == essence(here)
    assert read_manifest(tmp_path / "cluster" / "toy").environment["threads"] == 1


def test_from_the_command_line_with_a_job_that_raises(cluster, toy, trouble, tmp_path):
    def run(*arguments):
        given = ["study", *arguments, "--scheduler", cluster.scheduler_address, "--results", str(tmp_path)]
        return CliRunner().invoke(app, given)

    trouble("more, or less")
    result = run("run", "toy_study:STUDY", "--seeds", "2")
    trouble("")
    assert result.exit_code == 1
    assert "toy, arm 'more, or less', seeds 1000-1001: RuntimeError: trouble" in result.stderr
    assert list(read_rows(toy.STUDY, tmp_path / "toy")["arm"]) == ["none", "none"]

    assert run("run", "toy_study:STUDY", "--seeds", "2").exit_code == 0
    result = run("verify", "toy_study:STUDY", "--sample", "2")
    assert result.exit_code == 0, result.output
    assert "4 of 4 numbers agree to the last bit" in result.stdout


def test_a_scheduler_that_is_not_there():
    with pytest.raises(StudyError, match=r"no scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        Cluster("tcp://127.0.0.1:9", timeout=0.5).workers()
