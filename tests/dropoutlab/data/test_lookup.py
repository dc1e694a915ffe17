import gzip

import pytest

from dropoutlab.data import CorruptDataError, MissingDataError, UnreadableDataError, fetch, status
from dropoutlab.data.lookup import folders


@pytest.fixture
def shared(tmp_path, monkeypatch):
    folder = tmp_path / "shared"
    folder.mkdir()
    monkeypatch.setenv("DROPOUTLAB_DATA", str(folder))
    return folder


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def places(copies):
    return [copy.path.parent.parent for copy in copies]


def test_shared_folder_comes_first(tiny, server, shared, cache):
    tiny.put(shared)
    tiny.put(cache)
    assert places(fetch("tiny", cache)) == [shared] * 4
    assert server.requests == []


def test_cache_comes_second_file_by_file(tiny, server, shared, cache):
    tiny.put(shared, omit="test-images.gz")
    tiny.put(cache)
    assert places(fetch("tiny", cache)) == [shared, shared, cache, shared]
    assert server.requests == []


def test_mirrors_come_last_and_fill_the_cache_only(tiny, server, shared, cache):
    tiny.serve(server)
    tiny.put(shared, omit="test-labels.gz")
    assert places(fetch("tiny", cache)) == [shared, shared, shared, cache]
    assert server.paths == ["/good/test-labels.gz"]
    assert not (shared / "tiny" / "test-labels.gz").exists()


@pytest.mark.parametrize("value", [None, ""])
def test_shared_folder_unset_or_empty_is_skipped(tiny, cache, monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("DROPOUTLAB_DATA", value)
    tiny.put(cache)
    assert places(fetch("tiny", cache)) == [cache] * 4
    assert list(folders(cache)) == ["cache"]


def test_tilde_stands_for_the_home_folder(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DROPOUTLAB_DATA", "~/shared")
    tiny.put(tmp_path / "shared")
    assert places(fetch("tiny", "~/cache")) == [tmp_path / "shared"] * 4
    assert folders("~/cache")["cache"] == tmp_path / "cache"


@pytest.mark.parametrize("body", [b"", b"half", bytes(10_000)], ids=["empty", "half", "long"])
def test_wrong_file_in_the_shared_folder_is_an_error_and_not_skipped(tiny, server, shared, cache, body):
    tiny.serve(server)
    tiny.put(cache)
    path = tiny.put(shared) / tiny.first.name
    path.write_bytes(body)
    with pytest.raises(CorruptDataError) as caught:
        fetch("tiny", cache)
    assert caught.value.file == str(path)
    assert caught.value.remedy == tiny.first.remedy(path.parent)
    assert path.read_bytes() == body
    assert server.requests == []


def test_one_flipped_bit_is_found(tiny, shared):
    path = tiny.put(shared) / tiny.first.name
    body = bytearray(path.read_bytes())
    body[20] ^= 1
    path.write_bytes(body)
    with pytest.raises(
        CorruptDataError, match=rf"is corrupted: it has sha256 .*, expected {tiny.first.sha256}"
    ):
        fetch("tiny")


def test_file_is_checked_again_every_time(tiny, shared):
    path = tiny.put(shared) / tiny.first.name
    fetch("tiny")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptDataError, match="is truncated"):
        fetch("tiny")


@pytest.mark.parametrize("where", ["shared", "cache"])
@pytest.mark.parametrize("how", ["folder", "permission"])
def test_unreadable_file_is_an_error_wherever_it_lies(
    tiny, server, shared, cache, refuse_opening, where, how
):
    tiny.serve(server)
    folder = tiny.put({"shared": shared, "cache": cache}[where], omit=tiny.first.name)
    path = folder / tiny.first.name
    if how == "folder":
        path.mkdir()
    else:
        path.touch()
        refuse_opening(path)
    reason = {"folder": "Is a directory", "permission": "Permission denied"}[how]
    with pytest.raises(UnreadableDataError) as caught:
        fetch("tiny", cache)
    assert caught.value.file == str(path)
    assert caught.value.problem == f"cannot be read ({reason})"
    assert caught.value.remedy == tiny.first.remedy(folder)
    assert server.requests == []


@pytest.mark.parametrize("kind", ["absent", "file"])
def test_shared_folder_that_is_none_is_an_error(tiny, server, shared, cache, kind):
    tiny.put(cache)
    shared.rmdir()
    if kind == "file":
        shared.touch()
    with pytest.raises(MissingDataError) as caught:
        fetch("tiny", cache)
    reason = {"absent": "No such file or directory", "file": "Not a directory"}[kind]
    assert (
        caught.value.problem
        == f"DROPOUTLAB_DATA is set to {shared}, which is not a readable folder ({reason})"
    )
    assert tiny.first.name in caught.value.file


def test_text_is_accepted_gzipped_and_plain_comes_first(poem, shared):
    body = poem.contents["input.txt"]
    folder = shared / "poem"
    folder.mkdir()
    (folder / "input.txt.gz").write_bytes(gzip.compress(body))
    (copy,) = fetch("poem")
    assert (copy.path.name, copy.contents) == ("input.txt.gz", body)
    (folder / "input.txt").write_bytes(body)
    (copy,) = fetch("poem")
    assert (copy.path.name, copy.contents) == ("input.txt", body)


def test_digest_of_a_gzipped_text_is_that_of_the_text(poem, shared):
    folder = shared / "poem"
    folder.mkdir()
    (folder / "input.txt.gz").write_bytes(gzip.compress(poem.contents["input.txt"][::-1]))
    with pytest.raises(CorruptDataError, match=r"input\.txt\.gz: is corrupted"):
        fetch("poem")


def test_bundled_dataset_has_no_files():
    assert fetch("digits") == ()


def test_status_downloads_nothing_and_reports_every_file(tiny, poem, server, shared, cache):
    tiny.serve(server)
    tiny.put(shared, omit="train-labels.gz")
    (shared / "tiny" / "test-images.gz").write_bytes(b"half")
    poem.put(cache)
    found = {(entry.dataset, entry.file): entry for entry in status(cache)}
    states = {file: found["tiny", file].state for file in tiny.contents}
    assert states == {
        "train-images.gz": "verified",
        "train-labels.gz": "missing",
        "test-images.gz": "unusable",
        "test-labels.gz": "verified",
    }
    assert found["tiny", "train-images.gz"].path == shared / "tiny" / "train-images.gz"
    assert found["tiny", "train-labels.gz"].path is None
    assert found["tiny", "test-images.gz"].path == shared / "tiny" / "test-images.gz"
    assert "is truncated: it holds 4 of" in found["tiny", "test-images.gz"].problem
    assert found["poem", "input.txt"].path == cache / "poem" / "input.txt"
    assert found["mnist", "train-images-idx3-ubyte.gz"].state == "missing"
    assert server.requests == []
