import gzip
import hashlib
import zlib

import pytest

from dropoutlab.data import CorruptDataError, UnreadableDataError
from dropoutlab.data.registry import DataFile
from dropoutlab.data.verify import gunzip, read_at_most, read_verified

BODY = b"Nothing will come of nothing: speak again." * 3
FILE = DataFile("speech.txt", hashlib.sha256(BODY).hexdigest(), len(BODY), ())


def test_reads_at_most_what_was_asked_for(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(BODY)
    assert read_at_most(path, 10) == BODY[:10]
    assert read_at_most(path, 10_000) == BODY


def test_absent_file_is_left_to_the_caller(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "nothing", tmp_path / "no folder" / "nothing", tmp_path / "file" / "nothing"):
        with pytest.raises(FileNotFoundError):
            read_at_most(path, 10)


def test_folder_in_place_of_a_file_is_unreadable(tmp_path):
    (tmp_path / "speech.txt").mkdir()
    with pytest.raises(
        UnreadableDataError, match=r"speech\.txt: cannot be read \(Is a directory\)\. Put speech"
    ):
        read_verified(tmp_path / "speech.txt", FILE)


def test_refused_permission_is_unreadable(tmp_path, refuse_opening):
    path = tmp_path / "speech.txt"
    path.write_bytes(BODY)
    refuse_opening(path)
    with pytest.raises(UnreadableDataError, match=r"cannot be read \(Permission denied\)") as caught:
        read_verified(path, FILE)
    assert caught.value.file == str(path)
    assert FILE.sha256 in caught.value.remedy


def test_intact_copy_is_returned_plain_or_gzipped(tmp_path):
    (tmp_path / "speech.txt").write_bytes(BODY)
    (tmp_path / "speech.txt.gz").write_bytes(gzip.compress(BODY))
    assert read_verified(tmp_path / "speech.txt", FILE) == BODY
    assert read_verified(tmp_path / "speech.txt.gz", FILE) == BODY


WRONG = {
    "empty": (b"", f"is truncated: it holds 0 of {len(BODY)} bytes"),
    "half": (BODY[:63], f"is truncated: it holds 63 of {len(BODY)} bytes"),
    "longer": (BODY + b"!", f"is longer than the {len(BODY)} bytes expected"),
    "other": (
        BODY.replace(b"again", b"AGAIN"),
        f"is corrupted: it has sha256 [0-9a-f]{{64}}, expected {FILE.sha256}",
    ),
}


@pytest.mark.parametrize(("body", "problem"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", ["speech.txt", "speech.txt.gz"])
def test_any_other_contents_are_refused(tmp_path, name, body, problem):
    path = tmp_path / name
    path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    with pytest.raises(CorruptDataError, match=problem) as caught:
        read_verified(path, FILE)
    assert caught.value.file == str(path)
    assert caught.value.remedy == FILE.remedy(tmp_path)


def test_a_registered_gz_file_is_checked_as_it_is(tmp_path):
    packed = gzip.compress(BODY)
    file = DataFile("speech.gz", hashlib.sha256(packed).hexdigest(), len(packed), ())
    (tmp_path / "speech.gz").write_bytes(packed)
    assert read_verified(tmp_path / "speech.gz", file) == packed


@pytest.mark.parametrize("size", [0, 1, 126, 100_000])
def test_gunzip_returns_a_stream_of_exactly_the_limit(size):
    body = bytes(size)
    assert gunzip(gzip.compress(body), size, "file.gz") == body


def test_gunzip_stops_one_byte_beyond_the_limit(monkeypatch):
    produced = []
    make = zlib.decompressobj

    class Watched:
        def __init__(self, **kwargs):
            self.inner = make(**kwargs)

        def decompress(self, data, limit):
            out = self.inner.decompress(data, limit)
            produced.append(len(out))
            return out

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    bomb = gzip.compress(bytes(10_000_000))
    assert len(bomb) < 11_000
    assert len(gunzip(bomb, 1000, "bomb.gz")) == 1001
    assert produced == [1001]


PACKED = gzip.compress(BODY)
DAMAGED = {
    "not gzip": (BODY, "is not intact gzip"),
    "empty": (b"", "is truncated: it inflates to 0 bytes and no end"),
    "cut": (PACKED[:-9], "is truncated"),
    "checksum cut": (PACKED[:-8], f"is truncated: it inflates to {len(BODY)} bytes and no end"),
    "wrong checksum": (PACKED[:-8] + bytes(8), "is not intact gzip .*incorrect data check"),
    "wrong length": (PACKED[:-4] + bytes(4), "is not intact gzip .*incorrect length check"),
    "trailing bytes": (PACKED + b"\0\0\0", "has trailing bytes: 3 after the end of its gzip stream"),
    "second member": (PACKED + PACKED, f"has trailing bytes: {len(PACKED)} after"),
}


@pytest.mark.parametrize(("data", "problem"), DAMAGED.values(), ids=DAMAGED)
def test_gunzip_refuses_damage(data, problem):
    with pytest.raises(CorruptDataError, match=f"file.gz: {problem}"):
        gunzip(data, len(BODY), "file.gz")
