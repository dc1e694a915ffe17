"""Real downloads over http from this machine; the internet is out of reach of these tests."""

import errno
import gzip
import hashlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dropoutlab.data import CacheError, DataError, MissingDataError, fetch
from dropoutlab.data.download import download
from dropoutlab.data.registry import DataFile


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def leftovers(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_downloads_every_file_into_the_layout(tiny, server, cache):
    tiny.serve(server)
    copies = fetch("tiny", cache)
    assert [copy.path for copy in copies] == [cache / "tiny" / name for name in tiny.contents]
    assert {copy.path.name: copy.contents for copy in copies} == tiny.contents
    assert {path.name: path.read_bytes() for path in (cache / "tiny").iterdir()} == tiny.contents


def test_downloads_once(tiny, server, cache):
    tiny.serve(server)
    fetch("tiny", cache)
    asked = len(server.requests)
    fetch("tiny", cache)
    assert asked == len(server.requests) == 4


def test_default_cache_is_the_users(tiny, server, tmp_path):
    tiny.serve(server)
    assert fetch("tiny")[0].path == tmp_path / "user-cache" / "dropoutlab" / "tiny" / tiny.first.name


def test_prints_nothing_and_logs_nothing(tiny, server, cache, capfd, caplog):
    tiny.serve(server)
    with caplog.at_level("WARNING"):
        fetch("tiny", cache)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_reports_progress_in_bytes_when_asked(tiny, server, cache):
    tiny.serve(server)
    seen = []
    fetch("tiny", cache, progress=lambda *report: seen.append(report))
    assert [report for report in seen if report[1] == report[2]] == [
        (name, len(body), len(body)) for name, body in tiny.contents.items()
    ]


def test_asks_for_the_bytes_as_they_are(tiny, server, cache):
    # A server that compresses on the way would have its answer inflated, and the .gz inside along with it.
    tiny.serve(server)
    fetch("tiny", cache)
    assert {headers["Accept-Encoding"] for _, headers in server.requests} == {"identity"}


def test_mirrors_are_tried_in_order_until_one_delivers(tiny, server, cache):
    bad, good, unused = (f"{server.address}/{mirror}/" for mirror in ("gone", "good", "unused"))
    tiny.mirrored(bad, good, unused)
    tiny.serve(server)
    fetch("tiny", cache)
    expected = [f"/{mirror}/{name}" for name in tiny.contents for mirror in ("gone", "good")]
    assert server.paths == expected
    assert leftovers(cache) == sorted(tiny.contents)


def wrong_answers(body):
    """What a mirror may do, and the words for it."""
    size = f"{len(body):,}"
    half = len(body) // 2
    other = bytes(len(body))
    return {
        "gone": ({"body": b"no such file", "code": 404}, "answered 404 Not Found"),
        "broken": ({"body": b"", "code": 500}, "answered 500 Internal Server Error"),
        "cut": (
            {"body": body[:half], "announced": len(body)},
            f"broke off before all {size} bytes",
        ),
        "cut at once": (
            {"body": b"", "announced": len(body)},
            f"broke off before all {size} bytes",
        ),
        "cut, length not announced": (
            {"body": body[:half], "announced": -1},
            f"delivered a file that is truncated: it holds {half} of {size} bytes",
        ),
        "short": (
            {"body": body[:-1]},
            f"delivered a file that is truncated: it holds {len(body) - 1} of {size}",
        ),
        "long": ({"body": body + b"!"}, f"sent more than the {size} bytes expected"),
        "wrong bytes": (
            {"body": other},
            f"delivered a file that is corrupted: it has sha256 {hashlib.sha256(other).hexdigest()}",
        ),
    }


@pytest.mark.parametrize("what", wrong_answers(b"bytes"))
def test_what_is_not_the_file_never_becomes_the_cached_file(tiny, server, cache, what):
    file = tiny.first
    body = tiny.contents[file.name]
    answer, words = wrong_answers(body)[what]
    server.serve(f"/good/{file.name}", **answer)
    with pytest.raises(MissingDataError) as caught:
        fetch("tiny", cache)
    error = caught.value
    assert error.file == str(cache / "tiny" / file.name)
    host = re.escape(server.address.removeprefix("http://"))
    assert re.fullmatch(rf"no local copy, and no mirror delivered it \({host} {words}.*\)", error.problem)
    assert error.remedy == file.remedy(cache / "tiny")
    assert "\n" not in str(error)
    assert leftovers(cache) == []


@pytest.mark.parametrize("what", wrong_answers(b"bytes"))
def test_the_next_mirror_makes_good_what_one_does(tiny, server, cache, what):
    file = tiny.first
    body = tiny.contents[file.name]
    server.serve(f"/bad/{file.name}", **wrong_answers(body)[what][0])
    server.serve(f"/good/{file.name}", body)
    file = replace(file, mirrors=(f"{server.address}/bad/", f"{server.address}/good/"))
    assert download(file, cache / "tiny") == body
    assert (cache / "tiny" / file.name).read_bytes() == body
    assert leftovers(cache) == [file.name]


def test_a_connection_cut_after_many_bytes(server, cache):
    body = bytes(range(256)) * 1000
    file = DataFile("large", hashlib.sha256(body).hexdigest(), len(body), (f"{server.address}/",))
    server.serve("/large", body[:200_000], announced=len(body))
    received = []
    with pytest.raises(MissingDataError, match="broke off before all 256,000 bytes had arrived"):
        download(file, cache, progress=lambda *report: received.append(report[1]))
    assert received[-1] > 100_000
    assert leftovers(cache) == []


def test_an_endless_answer_is_cut_off(tiny, server, cache):
    file = tiny.first
    ended = threading.Event()

    def answer(request):
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(bytes(65_536))
        except OSError:
            ended.set()

    server.answers[f"/good/{file.name}"] = answer
    with pytest.raises(MissingDataError, match="sent more than"):
        fetch("tiny", cache)
    assert ended.wait(timeout=30)
    assert leftovers(cache) == []


def test_without_a_network_every_mirror_is_named(cache):
    with pytest.raises(MissingDataError) as caught:
        fetch("mnist", cache)
    message = str(caught.value)
    for part in (
        "train-images-idx3-ubyte.gz: no local copy, and no mirror delivered it",
        "ossci-datasets.s3.amazonaws.com could not be reached (ConnectionError)",
        "storage.googleapis.com could not be reached (ConnectionError)",
        "Put train-images-idx3-ubyte.gz (9,912,422 bytes, sha256 440fcabf73cc54",
        f"into {cache / 'mnist'}, or set DROPOUTLAB_DATA to a folder that holds mnist/train-images",
    ):
        assert part in message
    assert leftovers(cache) == []


def test_a_port_nobody_listens_on(tiny, cache):
    file = replace(tiny.first, mirrors=("http://127.0.0.1:9/",))
    with pytest.raises(MissingDataError, match=r"127\.0\.0\.1:9 could not be reached \(ConnectionError\)"):
        download(file, cache / "tiny")


def test_cache_path_that_is_a_file(tiny, server, cache):
    tiny.serve(server)
    cache.write_text("not a folder")
    with pytest.raises(CacheError) as caught:
        fetch("tiny", cache)
    assert caught.value.file == str(cache / "tiny" / tiny.first.name)
    assert "no local copy, and a download cannot be stored there (Not a directory)" in caught.value.problem
    assert caught.value.remedy == tiny.first.remedy(cache / "tiny")
    assert server.requests == []
    assert cache.read_text() == "not a folder"


@pytest.mark.parametrize("step", ["mkdir", "open"])
def test_read_only_cache_is_reported_before_anything_is_downloaded(tiny, server, cache, monkeypatch, step):
    tiny.serve(server)
    inner = getattr(Path, step)

    def refuse(path, *args, **kwargs):
        if step == "mkdir" or args == ("wb",):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return inner(path, *args, **kwargs)

    monkeypatch.setattr(Path, step, refuse)
    with pytest.raises(
        CacheError, match=r"a download cannot be stored there \(Read-only file system\)\. Put train"
    ):
        fetch("tiny", cache)
    assert server.requests == []


def test_read_only_cache_that_has_the_files_is_all_one_needs(tiny, server, cache, monkeypatch):
    tiny.put(cache)

    def refuse(path, *args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    for step in ("mkdir", "replace", "unlink"):
        monkeypatch.setattr(Path, step, refuse)
    assert len(fetch("tiny", cache)) == 4
    assert server.requests == []


class FullDisk:
    """A stream to a disk that has room for nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None

    def write(self, chunk):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_full_disk_is_not_blamed_on_the_mirror(tiny, server, cache, monkeypatch):
    tiny.serve(server)
    opening = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, mode="r": FullDisk() if mode == "wb" else opening(path, mode)
    )
    with pytest.raises(CacheError, match=r"cannot be stored there \(No space left on device\)"):
        fetch("tiny", cache)
    assert leftovers(cache) == []


def test_failure_of_the_last_step_leaves_nothing_behind(tiny, server, cache, monkeypatch):
    tiny.serve(server)

    def refuse(path, target):
        raise PermissionError(errno.EACCES, "Permission denied", str(target))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(CacheError, match="Permission denied"):
        fetch("tiny", cache)
    assert leftovers(cache) == []


def test_interruption_leaves_nothing_behind(tiny, server, cache):
    tiny.serve(server)

    def interrupt(name, received, expected):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("tiny", cache, progress=interrupt)
    assert leftovers(cache) == []


def test_corrupted_cached_file_is_replaced(tiny, server, cache):
    tiny.serve(server)
    folder = tiny.put(cache)
    (folder / tiny.first.name).write_bytes(b"half")
    assert fetch("tiny", cache)[0].contents == tiny.contents[tiny.first.name]
    assert (folder / tiny.first.name).read_bytes() == tiny.contents[tiny.first.name]
    assert server.paths == [f"/good/{tiny.first.name}"]


def test_corrupted_cached_file_without_a_mirror_is_named_and_kept(tiny, server, cache):
    folder = tiny.put(cache)
    (folder / tiny.first.name).write_bytes(b"half")
    with pytest.raises(MissingDataError) as caught:
        fetch("tiny", cache)
    size = len(tiny.contents[tiny.first.name])
    assert f"the copy in the cache is truncated: it holds 4 of {size} bytes, and no mirror" in str(
        caught.value
    )
    assert (folder / tiny.first.name).read_bytes() == b"half"


def test_gzipped_text_in_the_cache_is_enough(poem, server, cache):
    folder = cache / "poem"
    folder.mkdir(parents=True)
    (folder / "input.txt.gz").write_bytes(gzip.compress(poem.contents["input.txt"]))
    (copy,) = fetch("poem", cache)
    assert copy.path == folder / "input.txt.gz"
    assert copy.contents == poem.contents["input.txt"]
    assert server.requests == []


def test_threads_that_load_at_once_all_succeed(tiny, server, cache):
    tiny.serve(server)
    workers = 8
    together = threading.Barrier(workers)

    def run(_):
        together.wait()
        return [copy.contents for copy in fetch("tiny", cache)]

    with ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(run, range(workers)))
    assert results == [list(tiny.contents.values())] * workers
    assert leftovers(cache) == sorted(tiny.contents)


def test_every_failure_is_a_data_error():
    assert issubclass(MissingDataError, DataError)
    assert issubclass(CacheError, DataError)
