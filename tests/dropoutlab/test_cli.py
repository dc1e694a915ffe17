import gzip
import hashlib
import importlib.util
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pooch
import pytest
from typer.testing import CliRunner

from dropoutlab import cli
from dropoutlab.data.registry import REGISTRY, DataFile, Dataset

BODY = b"Blow, winds, and crack your cheeks!" * 40_000


class Mirror:
    """Stands in for the web: a downloader that has one file, or nothing."""

    body: bytes | None = BODY

    def __init__(self, **kwargs):
        pass

    def __call__(self, url, output_file, pooch):
        if self.body is None:
            raise ConnectionError("no network")
        for start in range(0, len(self.body), 65_536):
            output_file.write(self.body[start : start + 65_536])


@pytest.fixture(autouse=True)
def storm(monkeypatch, tmp_path):
    """One small dataset beside the bundled one, an empty user cache, and no way out."""
    file = DataFile("input.txt", hashlib.sha256(BODY).hexdigest(), len(BODY), ("https://mirror.example/",))
    for name in ("mnist", "fashion_mnist", "shakespeare"):
        monkeypatch.delitem(REGISTRY, name)
    monkeypatch.setitem(REGISTRY, "storm", Dataset("storm", "text", "CC0", "made by the tests", (file,)))
    monkeypatch.delenv("DROPOUTLAB_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "user-cache" / project)
    monkeypatch.setattr(Mirror, "body", BODY)
    monkeypatch.setattr(pooch, "HTTPDownloader", Mirror)
    return file


def run(*arguments):
    return CliRunner().invoke(cli.app, list(arguments))


def test_version():
    result = run("--version")
    assert result.exit_code == 0
    assert re.fullmatch(r"dropoutlab \d+\.\d+\.\d+\S*\n", result.stdout)


def test_help_lists_the_commands():
    assert "data" in run("--help").stdout
    listed = run("data", "--help").stdout
    assert "fetch" in listed
    assert "status" in listed


@pytest.mark.parametrize("arguments", [(), ("all",), ("digits", "storm"), ("storm", "all")])
def test_fetch_everything(tmp_path, arguments):
    result = run("data", "fetch", *arguments, "--cache", str(tmp_path))
    assert result.exit_code == 0, result.output
    path = tmp_path / "storm" / "input.txt"
    assert result.stdout == f"digits: comes with scikit-learn\nstorm: {path}\n"
    assert path.read_bytes() == BODY
    assert "input.txt" in result.stderr
    assert "1.4/1.4 MB" in result.stderr


def test_fetch_one_into_the_users_cache(tmp_path):
    result = run("data", "fetch", "storm")
    assert result.exit_code == 0
    assert result.stdout == f"storm: {tmp_path / 'user-cache' / 'dropoutlab' / 'storm' / 'input.txt'}\n"


def test_fetch_again_downloads_nothing_and_shows_no_progress(tmp_path, monkeypatch):
    run("data", "fetch", "storm")
    monkeypatch.setattr(Mirror, "body", None)
    result = run("data", "fetch", "storm")
    assert result.exit_code == 0
    assert result.stderr == ""


@pytest.mark.parametrize("body", [None, BODY[:100_000]], ids=["no network", "half a file"])
def test_failed_fetch_is_one_line_and_no_traceback(storm, tmp_path, monkeypatch, body):
    monkeypatch.setattr(Mirror, "body", body)
    result = run("data", "fetch", "--cache", str(tmp_path))
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == "digits: comes with scikit-learn\n"
    errors = [line for line in result.stderr.splitlines() if line.startswith("dropoutlab: ")]
    path = tmp_path / "storm" / "input.txt"
    assert len(errors) == 1
    assert errors[0].startswith(
        f"dropoutlab: {path}: no local copy, and no mirror delivered it (mirror.example "
    )
    assert errors[0].endswith(storm.remedy(path.parent))
    assert "Traceback" not in result.output
    if body is None:
        assert result.stderr.count("\n") == 1
    assert not path.exists()


def test_fetch_of_an_unknown_name_downloads_nothing(tmp_path):
    result = run("data", "fetch", "storm", "weather", "--cache", str(tmp_path))
    assert result.exit_code == 2
    assert result.stderr == "dropoutlab: unknown dataset 'weather'; the names are digits, storm\n"
    assert list(tmp_path.iterdir()) == []


def row(output, name):
    return next(line.split() for line in output.splitlines() if line.startswith(name))


def test_status_of_missing_files_is_no_failure(tmp_path):
    result = run("data", "status", "--cache", str(tmp_path))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].split() == ["name", "file", "found", "in", "sha256", "licence"]
    assert row(result.stdout, "digits") == ["digits", "scikit-learn", "on", "load", "CC", "BY", "4.0"]
    assert row(result.stdout, "storm") == ["storm", "input.txt", "missing", "CC0"]
    assert result.stdout.endswith(f"cache: {tmp_path}\n")
    assert list(tmp_path.iterdir()) == []


def test_status_says_where_each_file_is(tmp_path, monkeypatch):
    run("data", "fetch", "storm")
    assert row(run("data", "status").stdout, "storm") == ["storm", "input.txt", "cache", "verified", "CC0"]
    (tmp_path / "storm").mkdir()
    (tmp_path / "storm" / "input.txt.gz").write_bytes(gzip.compress(BODY))
    monkeypatch.setenv("DROPOUTLAB_DATA", str(tmp_path))
    result = run("data", "status")
    assert row(result.stdout, "storm") == ["storm", "input.txt", "$DROPOUTLAB_DATA", "verified", "CC0"]
    assert f"$DROPOUTLAB_DATA: {tmp_path}\n" in result.stdout


def test_status_fails_for_a_file_that_cannot_be_used(storm, tmp_path, monkeypatch):
    monkeypatch.setenv("DROPOUTLAB_DATA", str(tmp_path))
    path = tmp_path / "storm" / "input.txt"
    path.parent.mkdir()
    path.write_bytes(b"half")
    result = run("data", "status")
    assert result.exit_code == 1
    assert row(result.stdout, "storm") == ["storm", "input.txt", "$DROPOUTLAB_DATA", "unusable", "CC0"]
    assert result.stderr == (
        f"dropoutlab: {path}: is truncated: it holds 4 of {len(BODY):,} bytes. {storm.remedy(path.parent)}\n"
    )


def test_status_of_the_longest_names_fits_a_terminal_of_80_columns(storm, tmp_path, monkeypatch):
    longest = replace(storm, name="train-images-idx3-ubyte.gz")
    dataset = Dataset("fashion_mnist", "text", "public domain", "made by the tests", (longest,))
    monkeypatch.setitem(REGISTRY, dataset.name, dataset)
    monkeypatch.setenv("DROPOUTLAB_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / dataset.name).mkdir()
    (tmp_path / dataset.name / longest.name).write_bytes(BODY)
    assert row(run("data", "status").stdout, dataset.name) == [
        "fashion_mnist",
        "train-images-idx3-ubyte.gz",
        "$DROPOUTLAB_DATA",
        "verified",
        "public",
        "domain",
    ]


def test_the_command_line_itself_imports_nothing_heavy():
    """The module is read from its file, so that only its own imports count."""
    code = (
        "import importlib.util, sys; "
        "spec = importlib.util.spec_from_file_location('cli', sys.argv[1]); "
        "spec.loader.exec_module(importlib.util.module_from_spec(spec)); "
        "sys.stdout.write(str({'torch', 'numpy', 'sklearn', 'pooch'} & set(sys.modules)))"
    )
    source = importlib.util.find_spec("dropoutlab.cli").origin
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(source))], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()"
