"""A study that is killed at any moment goes on where it was, and ends with the rows of an undisturbed run."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PATIENCE = 120  # seconds for anything here; what is waited for takes a few


@pytest.fixture
def launch(toy_folder, tmp_path):
    """``launch(jobs, seconds)`` starts the toy study in a process of its own, with jobs that take so long."""
    started = []

    def start(jobs, seconds=0.5):
        environment = {
            **os.environ,
            "PYTHONPATH": str(toy_folder),
            "OMP_NUM_THREADS": "1",
            "TOY_SECONDS": str(seconds),
        }
        command = [sys.executable, "-m", "dropoutlab.cli", "study", "run", "toy_study:STUDY"]
        output = tmp_path / f"output {len(started)}"
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [*command, "--jobs", str(jobs), "--results", str(tmp_path / "results")],
                env=environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process.output = output
        started.append(process)
        return process

    yield start
    for process in started:
        if alive(process):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def alive(process):
    """Tell whether a process is there, or one that it started."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    # Where nobody reaps orphans, as in some containers, the dead stay listed as zombies.
    listed = [_state_and_group(path) for path in Path("/proc").glob("[0-9]*/stat")]
    return not listed or any(state != "Z" and group == process.pid for state, group in listed)


def _state_and_group(path):
    try:
        state, _, group = path.read_text().rpartition(")")[2].split()[:3]
    except OSError:  # it ended meanwhile
        return "Z", 0
    return state, int(group)


def kill(process):
    """Kill a process without a warning, and wait until its workers have noticed."""
    process.kill()
    assert process.wait() == -signal.SIGKILL
    begun = time.monotonic()
    while alive(process):
        assert time.monotonic() - begun < PATIENCE, "workers live on without their parent"
        time.sleep(0.01)


def finished(process):
    """Wait for a process, and return its exit status and what it wrote."""
    status = process.wait(PATIENCE)
    return status, process.output.read_text()


def lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for_rows(process, path, more_than):
    begun = time.monotonic()
    while lines(path) <= more_than and process.poll() is None:
        assert time.monotonic() - begun < PATIENCE
        time.sleep(0.01)


@pytest.fixture(scope="module")
def undisturbed(toy, tmp_path_factory, essence):
    from dropoutlab.studies.backends import Local
    from dropoutlab.studies.runner import run_study

    root = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOY_SECONDS", "0")
        run_study(toy.STUDY, root, backend=Local(1))
    return essence(root / "toy" / "runs.csv")


def test_killed_again_and_again(launch, tmp_path, undisturbed, essence):
    path = tmp_path / "results" / "toy" / "runs.csv"
    moments = random.Random(7)
    kept = []
    for jobs in (2, 1):
        process = launch(jobs)
        wait_for_rows(process, path, more_than=lines(path))
        time.sleep(moments.uniform(0, 0.3))
        kill(process)
        rows = essence(path)
        assert len(set(rows)) == len(rows)
        assert set(kept) < set(rows) < set(undisturbed)
        kept = rows
    status, output = finished(launch(1, seconds=0))
    assert status == 0, output
    assert "20 of 20 runs stored" in output
    assert essence(path) == undisturbed


def test_killed_while_it_starts(launch, tmp_path, undisturbed, essence):
    moments = random.Random(8)
    for jobs in (1, 2):
        process = launch(jobs)
        time.sleep(moments.uniform(0.1, 1.5))
        kill(process)
    assert finished(launch(1, seconds=0))[0] == 0
    assert essence(tmp_path / "results" / "toy" / "runs.csv") == undisturbed


def test_a_second_run_is_refused_and_the_first_can_be_interrupted(launch, tmp_path, undisturbed, essence):
    path = tmp_path / "results" / "toy" / "runs.csv"
    first = launch(1)
    wait_for_rows(first, path, more_than=0)
    first.send_signal(signal.SIGSTOP)  # it keeps its lock however long the second takes to start
    try:
        status, output = finished(launch(1))
    finally:
        first.send_signal(signal.SIGCONT)
    assert status == 1
    assert "another process is running this study; wait for it, or stop it" in output
    assert "Traceback" not in output

    first.send_signal(signal.SIGINT)
    status, output = finished(first)
    assert status == 130, output
    assert "interrupted; finished runs are stored, run again to resume" in output
    assert "Traceback" not in output

    assert set(essence(path)) < set(undisturbed)
    assert finished(launch(1, seconds=0))[0] == 0
    assert essence(path) == undisturbed
