import json
from datetime import datetime

import pytest

from dropoutlab.studies.errors import StudyError
from dropoutlab.studies.manifest import Manifest, now, read_manifest


@pytest.fixture
def manifest():
    return Manifest(
        "toy", "ab12", "full", now(), {"torch": "2.13.0", "threads": 1}, data={"digits": {"a": "b"}}
    )


def test_a_manifest_is_read_as_it_was_written(manifest, tmp_path):
    assert read_manifest(tmp_path) is None
    manifest.write(tmp_path)
    assert read_manifest(tmp_path) == manifest
    manifest.finished = now()
    manifest.write(tmp_path)
    assert read_manifest(tmp_path) == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_what_a_newer_version_added_is_passed_over(manifest, tmp_path):
    manifest.write(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "weather": "fine"}))
    assert read_manifest(tmp_path) == manifest


@pytest.mark.parametrize("content", ["", "{", "[]", '{"study": "toy"}', "\x00"])
def test_what_is_no_manifest_is_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(StudyError, match=r"manifest\.json: is no manifest .*restore it, or move"):
        read_manifest(tmp_path)


def test_times_are_in_utc():
    assert datetime.fromisoformat(now()).utcoffset().total_seconds() == 0
