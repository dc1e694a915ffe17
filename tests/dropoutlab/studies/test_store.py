import math
import os
import subprocess
import sys

import pytest

from dropoutlab.studies import store
from dropoutlab.studies.backends import Local
from dropoutlab.studies.digest import protocol_digest
from dropoutlab.studies.errors import ForeignRowsError, StudyError
from dropoutlab.studies.manifest import Manifest
from dropoutlab.studies.protocol import Metric
from dropoutlab.studies.runner import run_study
from dropoutlab.studies.store import Writer, check_manifest, columns, read_rows, records, stored_runs

AWKWARD = [0.1 + 0.2, 1e-320, -0.0, 1 / 3, 1.7976931348623157e308, 123456789.123456789, math.pi * 1e-9]


def row(arm, seed, error=0.5, epochs=3):
    return {"arm": arm, "seed": seed, "error": error, "epochs": epochs, "milliseconds": 1.5, "seconds": 0.25}


@pytest.mark.parametrize("value", AWKWARD)
def test_numbers_come_back_with_every_bit(toy, tmp_path, value):
    with Writer(toy.STUDY, tmp_path) as writer:
        writer.append([row("none", 1000, error=value)])
    read = read_rows(toy.STUDY, tmp_path)["error"][0]
    assert (read, math.copysign(1, read)) == (value, math.copysign(1, value))


def test_optional_values_come_back_as_nan(toy, tmp_path):
    study = toy.study(metrics={**toy.STUDY.metrics, "error": Metric("", "1", optional=True)})
    with Writer(study, tmp_path) as writer:
        writer.append([row("none", 1000, error=math.nan)])
    assert math.isnan(read_rows(study, tmp_path)["error"][0])


def test_rows_are_read_in_order_of_arms_and_seeds(toy, tmp_path):
    runs = [("more, or less", 1001), ("none", 1003), ("more, or less", 1000), ("none", 1002)]
    with Writer(toy.STUDY, tmp_path) as writer:
        for run in runs:
            writer.append([row(*run)])
    rows = read_rows(toy.STUDY, tmp_path)
    assert list(zip(rows["arm"], rows["seed"], strict=True)) == [
        ("none", 1002),
        ("none", 1003),
        ("more, or less", 1000),
        ("more, or less", 1001),
    ]
    assert (
        list(rows.columns)
        == columns(toy.STUDY)
        == ["arm", "seed", "error", "epochs", "milliseconds", "seconds"]
    )
    assert rows.dtypes["seed"] == "int64"
    assert {str(rows.dtypes[name]) for name in columns(toy.STUDY)[2:]} == {"float64"}
    assert stored_runs(rows) == set(runs)
    assert records(rows)[0] == row("none", 1002)


def test_nothing_stored_is_an_empty_table(toy, tmp_path):
    rows = read_rows(toy.STUDY, tmp_path / "nowhere")
    assert rows.empty
    assert list(rows.columns) == columns(toy.STUDY)
    assert stored_runs(rows) == set()


def test_whatever_byte_a_kill_fell_on_whole_rows_stay_and_no_other(toy, tmp_path):
    with Writer(toy.STUDY, tmp_path) as writer:
        writer.append([row("none", 1000, 0.1), row("none", 1001, 0.2)])
        writer.append([row("more, or less", 1000, 0.3)])
    whole = (tmp_path / "runs.csv").read_bytes()
    for cut in range(len(whole) + 1):
        (tmp_path / "runs.csv").write_bytes(whole[:cut])
        kept = max(whole[:cut].count(b"\n") - 1, 0)
        assert len(read_rows(toy.STUDY, tmp_path)) == kept  # a reader changes nothing
        assert (tmp_path / "runs.csv").read_bytes() == whole[:cut]
        with Writer(toy.STUDY, tmp_path) as writer:
            assert len(writer.repair()) == kept
            writer.append([row("more, or less", 1009)])
        rows = read_rows(toy.STUDY, tmp_path)
        assert stored_runs(rows) == stored_runs(rows[rows["seed"] != 1009]) | {("more, or less", 1009)}
        assert len(rows) == kept + 1


def test_a_kill_at_any_byte_is_made_good_by_running_again(toy, stored, essence):
    path = stored.folder / "runs.csv"
    whole, expected = path.read_bytes(), essence(path)
    for cut in range(0, len(whole), 97):
        path.write_bytes(whole[:cut])
        summary = run_study(toy.STUDY, stored.root, backend=Local(1))
        assert essence(path) == expected
        assert (summary.stored, summary.registered) == (20, 20)
        assert summary.new == 20 - max(whole[:cut].count(b"\n") - 1, 0)


def test_writing_that_is_cut_short_goes_on(toy, tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(store.os, "write", lambda file, content: real(file, content[:7]))
    with Writer(toy.STUDY, tmp_path) as writer:
        writer.append([row("none", 1000), row("none", 1001)])
    assert len(read_rows(toy.STUDY, tmp_path)) == 2


def test_a_full_disk_is_told(toy, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "write", full)
    with (
        Writer(toy.STUDY, tmp_path) as writer,
        pytest.raises(StudyError, match=r"cannot be written \(No space left"),
    ):
        writer.append([row("none", 1000)])


HEADER = "arm,seed,error,epochs,milliseconds,seconds\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("arm,seed,loss\n", "the columns are arm, seed, loss, expected arm, seed, error"),
        (HEADER + "none,1000,0.5,3,1\n", "line 2: is no row"),
        (HEADER + "none,1000,0.5,3,1,0.2,9\n", "line 2: is no row .7 values"),
        (HEADER + "none,1000,0.5,3,1,0.2\nnone,x,0.5,3,1,0.2\n", "line 3: is no row .invalid literal"),
        (HEADER + "none,1000,half,3,1,0.2\n", "line 2: is no row .could not convert"),
        (HEADER + "\n", "line 2: is no row"),
        (HEADER + "some,1000,0.5,3,1,0.2\n", "line 2: no arm 'some' with seed 1000 is registered"),
        (HEADER + "none,1010,0.5,3,1,0.2\n", "line 2: no arm 'none' with seed 1010 is registered"),
        (HEADER + "none,1000,0.5,3,1,0.2\n" * 2, "line 3: arm 'none' with seed 1000 is there twice"),
    ],
)
def test_what_are_no_rows_of_the_study_is_refused(toy, tmp_path, content, message):
    (tmp_path / "runs.csv").write_text(content)
    with pytest.raises(StudyError, match=rf"runs\.csv.*{message}.*move .* away"):
        read_rows(toy.STUDY, tmp_path)


def manifest(toy, **changes):
    fields = {
        "study": "toy",
        "digest": protocol_digest(toy.STUDY),
        "profile": "full",
        "started": "",
        "environment": {},
    }
    return Manifest(**{**fields, **changes})


def test_rows_need_the_manifest_of_this_registration(toy, tmp_path):
    digest = protocol_digest(toy.STUDY)
    assert check_manifest(toy.STUDY, tmp_path, digest) is None
    (tmp_path / "runs.csv").write_text(HEADER)
    with pytest.raises(ForeignRowsError, match="has no manifest beside it"):
        check_manifest(toy.STUDY, tmp_path, digest)
    manifest(toy).write(tmp_path)
    assert check_manifest(toy.STUDY, tmp_path, digest) == manifest(toy)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"study": "other"}, "rows of the full profile of 'other', expected the full profile of 'toy'"),
        ({"profile": "smoke"}, "rows of the smoke profile of 'toy', expected the full profile of 'toy'"),
        ({"digest": "0123456789abcdef"}, "registration 0123456789ab, and toy_study now registers"),
    ],
)
def test_foreign_rows_are_refused_with_what_to_do(toy, tmp_path, changes, message):
    manifest(toy, **changes).write(tmp_path)
    digest = protocol_digest(toy.STUDY)
    with pytest.raises(ForeignRowsError, match=message) as refusal:
        check_manifest(toy.STUDY, tmp_path, digest)
    assert str(tmp_path / "runs.csv") in str(refusal.value)
    assert "move" in str(refusal.value)
    if "digest" in changes:
        assert digest[:12] in str(refusal.value)
        assert "restore the registration" in str(refusal.value)


def test_only_one_may_write(toy, tmp_path):
    with (
        Writer(toy.STUDY, tmp_path),
        pytest.raises(StudyError, match="another process is running this study; wait for it, or stop it"),
        Writer(toy.STUDY, tmp_path),
    ):
        pass
    with Writer(toy.STUDY, tmp_path):  # the lock went with its holder
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_process_ends_with_it(toy, toy_folder, tmp_path):
    code = (
        "import sys; from pathlib import Path; from dropoutlab.studies.store import Writer; "
        f"import toy_study; writer = Writer(toy_study.STUDY, Path({str(tmp_path)!r})); writer.__enter__(); "
        "sys.stdout.write('locked'); sys.stdout.flush(); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], cwd=toy_folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout.read(6) == b"locked"
        with pytest.raises(StudyError, match="another process"), Writer(toy.STUDY, tmp_path):
            pass
        holder.kill()
        holder.wait()
    with Writer(toy.STUDY, tmp_path):
        pass


def test_a_system_without_locks_is_told(toy, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(StudyError, match="on Linux and macOS only"), Writer(toy.STUDY, tmp_path):
        pass


def test_a_folder_that_cannot_be_is_told(toy, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="cannot be written"), Writer(toy.STUDY, tmp_path / "file" / "toy"):
        pass
