import json

import pytest

from dropoutlab.studies.backends import Local
from dropoutlab.studies.runner import run_study
from dropoutlab.studies.status import examine


def test_a_study_without_rows(toy, tmp_path):
    status = examine(toy.STUDY, tmp_path)
    assert (status.study, status.state, status.stored, status.registered) == ("toy", "missing", 0, 20)
    assert status.problem == ""


def test_a_complete_study(stored):
    status = examine(stored.study, stored.root)
    assert (status.state, status.stored, status.lab_changed, status.problem) == ("complete", 20, (), "")
    assert status.finished.startswith("20")


def test_a_study_that_is_not_finished(toy, tmp_path):
    run_study(toy.STUDY, tmp_path, backend=Local(1), seeds=2)
    status = examine(toy.STUDY, tmp_path)
    assert (status.state, status.stored, status.finished) == ("partial", 4, "")


def test_rows_of_another_registration(toy, stored):
    status = examine(toy.study(seeds=12), stored.root)
    assert (status.state, status.stored, status.registered) == ("stale", 0, 24)
    assert "move" in status.problem


@pytest.mark.parametrize(("file", "content"), [("runs.csv", "no rows\n"), ("manifest.json", "{}")])
def test_files_that_were_altered(stored, file, content):
    (stored.folder / file).write_text(content)
    status = examine(stored.study, stored.root)
    assert status.state in ("damaged", "stale")
    assert file in status.problem


def test_a_lab_that_changed_since(stored):
    path = stored.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["lab"]["dropoutlab.seeds"] = "0" * 16
    manifest["lab"]["dropoutlab.gone"] = "0" * 16
    del manifest["lab"]["dropoutlab.masks"]
    path.write_text(json.dumps(manifest))
    status = examine(stored.study, stored.root)
    assert status.state == "complete"
    assert sorted(status.lab_changed) == ["dropoutlab.gone", "dropoutlab.masks", "dropoutlab.seeds"]
