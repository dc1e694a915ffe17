import json
from dataclasses import replace

import pytest
import torch

from dropoutlab.data import DataError
from dropoutlab.studies import runner
from dropoutlab.studies.backends import Local
from dropoutlab.studies.digest import lab_digests, protocol_digest
from dropoutlab.studies.environment import Revision
from dropoutlab.studies.errors import ForeignRowsError, JobError, StudyError
from dropoutlab.studies.manifest import read_manifest
from dropoutlab.studies.runner import run_study
from dropoutlab.studies.store import read_rows, stored_runs
from dropoutlab.studies.work import work


def test_a_study_is_run_to_the_end(toy, tmp_path):
    summary = run_study(toy.STUDY, tmp_path, backend=Local(1))
    assert (summary.new, summary.stored, summary.registered, summary.complete) == (20, 20, 20, True)
    rows = read_rows(toy.STUDY, tmp_path / "toy")
    assert stored_runs(rows) == {(arm, seed) for arm in toy.STUDY.arms for seed in range(1000, 1010)}
    assert sorted(path.name for path in (tmp_path / "toy").iterdir()) == ["manifest.json", "runs.csv"]


def test_the_manifest_says_what_the_rows_rest_on(toy, stored):
    manifest = read_manifest(stored.folder)
    assert (manifest.study, manifest.profile, manifest.digest) == ("toy", "full", protocol_digest(toy.STUDY))
    assert manifest.environment["torch"] == torch.__version__
    assert manifest.environment["threads"] == 1
    assert manifest.started <= manifest.finished
    assert manifest.wall_seconds > 0
    assert set(manifest.data) == {"digits"}
    assert manifest.lab == lab_digests(toy.STUDY)
    assert "dropoutlab.seeds" in manifest.lab
    assert (manifest.revision, manifest.committed) == (None, None)  # it lies outside any checkout


def test_nothing_is_left_to_do(toy, stored, monkeypatch):
    before = (stored.folder / "manifest.json").read_text()
    monkeypatch.setattr(runner, "compute", None)
    # Whether the sources are committed matters to new rows only.
    monkeypatch.setattr(runner, "revision", lambda _: Revision("ab12", ("toy_study.py",)))
    summary = run_study(toy.STUDY, stored.root)
    assert (summary.new, summary.complete) == (0, True)
    assert (stored.folder / "manifest.json").read_text() == before


def test_a_kill_just_before_the_study_is_declared_finished(toy, stored):
    manifest = read_manifest(stored.folder)
    manifest.finished = None
    manifest.write(stored.folder)
    assert run_study(toy.STUDY, stored.root, backend=Local(1)).new == 0
    assert read_manifest(stored.folder).finished >= manifest.started


def test_the_first_seeds_of_a_study_then_all(toy, tmp_path, essence):
    summary = run_study(toy.STUDY, tmp_path, backend=Local(1), seeds=4)
    assert (summary.new, summary.complete) == (8, False)
    assert set(read_rows(toy.STUDY, tmp_path / "toy")["seed"]) == {1000, 1001, 1002, 1003}
    first = read_manifest(tmp_path / "toy")
    assert first.finished is None
    assert run_study(toy.STUDY, tmp_path, backend=Local(1), seeds=2).new == 0
    assert read_manifest(tmp_path / "toy") == first
    part = essence(tmp_path / "toy" / "runs.csv")
    seen = []
    summary = run_study(toy.STUDY, tmp_path, backend=Local(1), on_progress=seen.append)
    assert (summary.new, summary.complete) == (12, True)
    assert (seen[0].done, seen[0].total) == (8, 20)
    assert set(part) < set(essence(tmp_path / "toy" / "runs.csv"))
    last = read_manifest(tmp_path / "toy")
    assert (last.started, last.finished is not None) == (first.started, True)
    assert last.wall_seconds > first.wall_seconds


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        (0, "seeds must lie in 1 to 10, the number registered, got 0"),
        (11, "seeds must lie in 1 to 10, the number registered, got 11; more seeds are another registration"),
        (3, "seeds are run in groups of 2; 3 would cut one, take one of 2, 4, 6, 8, 10"),
    ],
)
def test_seeds_that_were_not_registered_are_refused(toy, tmp_path, seeds, message):
    with pytest.raises(StudyError, match=message):
        run_study(toy.STUDY, tmp_path, backend=Local(1), seeds=seeds)
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_was_stored_in_part_is_completed(toy, stored, essence):
    path = stored.folder / "runs.csv"
    expected = essence(path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("none,1003")))
    assert run_study(toy.STUDY, stored.root, backend=Local(1)).new == 1
    assert essence(path) == expected


def test_rows_of_jobs_that_succeed_are_kept(toy, tmp_path, trouble):
    trouble("more, or less")
    with pytest.raises(JobError, match="toy, arm 'more, or less', seeds 1000-1001: RuntimeError: trouble"):
        run_study(toy.STUDY, tmp_path, backend=Local(1))
    assert set(read_rows(toy.STUDY, tmp_path / "toy")["arm"]) == {"none"}
    trouble("")
    assert run_study(toy.STUDY, tmp_path, backend=Local(1)).complete


def test_rows_of_another_registration_are_not_added_to(toy, stored):
    changed = toy.study(full={"seconds": 0.3})
    with pytest.raises(ForeignRowsError, match=r"move .* away to run the study as it is now"):
        run_study(changed, stored.root, backend=Local(1))


class Elsewhere(Local):
    """Workers of another machine."""

    def run(self, tasks):
        for task in tasks:
            done = work(task)
            yield replace(done, environment={**done.environment, "torch": "9.9"})


def test_rows_of_two_environments_are_not_mixed(toy, tmp_path):
    run_study(toy.STUDY, tmp_path, backend=Local(1), seeds=2)
    path = tmp_path / "toy" / "manifest.json"
    path.write_text(path.read_text().replace(torch.__version__, "9.9"))
    with pytest.raises(ForeignRowsError, match=r"environment \(there / here\): torch 9\.9 / "):
        run_study(toy.STUDY, tmp_path, backend=Local(1))
    assert len(read_rows(toy.STUDY, tmp_path / "toy")) == 4


def test_a_worker_that_differs_is_noticed_when_its_rows_come(toy, tmp_path):
    run_study(toy.STUDY, tmp_path, backend=Local(1), seeds=2)
    with pytest.raises(ForeignRowsError, match=r"torch .* / 9\.9; and rows of two are not mixed"):
        run_study(toy.STUDY, tmp_path, backend=Elsewhere(1))
    assert len(read_rows(toy.STUDY, tmp_path / "toy")) == 4


def test_a_cluster_may_be_another_environment_than_this_machine(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "Local", str)  # so that the backend is none of this machine
    assert run_study(toy.STUDY, tmp_path, backend=Elsewhere(1)).complete
    assert read_manifest(tmp_path / "toy").environment["torch"] == "9.9"


# --- committed before it is run


@pytest.fixture
def changed_sources(monkeypatch):
    monkeypatch.setattr(runner, "revision", lambda _: Revision("ab12", ("toy_study.py",)))


def test_a_study_is_committed_before_it_is_run(toy, tmp_path, changed_sources):
    with pytest.raises(
        StudyError, match=r"not committed as it is now: toy_study\.py\. .*commit it, or use --uncomm"
    ):
        run_study(toy.STUDY, tmp_path, backend=Local(1))
    assert list(tmp_path.iterdir()) == []


def test_running_it_uncommitted_is_on_record(toy, tmp_path, changed_sources):
    run_study(toy.STUDY, tmp_path, backend=Local(1), uncommitted=True)
    manifest = read_manifest(tmp_path / "toy")
    assert (manifest.revision, manifest.committed) == ("ab12", False)


def test_running_what_is_committed_is_on_record(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "revision", lambda _: Revision("ab12"))
    run_study(toy.STUDY, tmp_path, backend=Local(1))
    manifest = read_manifest(tmp_path / "toy")
    assert (manifest.revision, manifest.committed) == ("ab12", True)


def test_a_rehearsal_needs_no_commit_and_no_data(toy, tmp_path, changed_sources, monkeypatch):
    monkeypatch.setattr(runner, "fetch", None)
    study = toy.REHEARSED
    summary = run_study(study, tmp_path, backend=Local(1), profile="smoke")
    assert (summary.new, summary.registered, summary.complete) == (4, 4, True)
    manifest = json.loads((tmp_path / "toy-rehearsed" / "manifest.json").read_text())
    assert (manifest["profile"], manifest["data"]) == ("smoke", {})
    with pytest.raises(ForeignRowsError, match="rows of the smoke profile"):
        run_study(study, tmp_path, backend=Local(1))


def test_missing_data_stop_a_study_before_anything_is_written(toy, tmp_path, monkeypatch):
    def missing(name):
        raise DataError(name, "is nowhere", "Put it there.")

    monkeypatch.setattr(runner, "fetch", missing)
    with pytest.raises(DataError, match=r"digits: is nowhere\. Put it there\."):
        run_study(toy.STUDY, tmp_path, backend=Local(1))
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_runs_alone_takes_the_threads_that_torch_chooses(toy, tmp_path):
    run_study(toy.ALONE, tmp_path)
    assert read_manifest(tmp_path / "toy-alone").environment["threads"] == torch.get_num_threads()
