import shutil
import subprocess

import pytest
import torch

from dropoutlab.data.registry import REGISTRY
from dropoutlab.studies import environment as module
from dropoutlab.studies.environment import (
    Revision,
    check_device,
    data_digests,
    differing,
    environment,
    revision,
    threads,
)
from dropoutlab.studies.errors import StudyError


def test_the_environment_names_versions_platform_device_and_threads():
    with threads(1):
        found = environment("cpu")
    assert found["torch"] == torch.__version__
    assert (found["device"], found["threads"]) == ("cpu", 1)
    assert {"python", "numpy", "scipy", "scikit-learn", "dropout-measured", "platform", "instructions"} < set(
        found
    )


def test_a_gpu_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    assert environment("cuda")["device"] == "Some GPU"


def test_threads_are_given_back():
    before = torch.get_num_threads()

    def fail():
        with threads(before + 1):
            raise RuntimeError(torch.get_num_threads())

    with pytest.raises(RuntimeError, match=str(before + 1)):
        fail()
    assert torch.get_num_threads() == before
    with threads(None):
        assert torch.get_num_threads() == before


def test_differences_are_named_with_both_values():
    assert differing({"a": 1, "b": "x"}, {"a": 1, "b": "x"}) == []
    assert differing({"a": 1, "b": "x"}, {"a": 2, "c": 3}) == ["a 1 / 2", "b x / ?", "c ? / 3"]


def test_devices(monkeypatch):
    check_device("cpu")
    with pytest.raises(StudyError, match='device must be "cpu" or "cuda", got \'tpu\''):
        check_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(StudyError, match="finds no GPU; use --device cpu"):
        check_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    check_device("cuda")


def test_every_file_of_a_dataset_is_named_with_its_digest():
    found = data_digests(["digits", "mnist"])
    assert len(found["digits"]) == 1
    assert found["mnist"] == {file.name: file.sha256 for file in REGISTRY["mnist"].files}


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def checkout(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    (tmp_path / "study.py").write_text("x = 1")
    (tmp_path / "other.py").write_text("x = 1")
    (tmp_path / ".gitignore").write_text("hidden.py")
    return tmp_path, git


@needs_git
def test_a_file_is_committed_or_not(checkout):
    folder, git = checkout
    files = [folder / "study.py"]
    assert revision(files) == Revision(None, ("study.py",))  # no commit yet
    git("add", "--all")
    assert revision(files).changed == ("study.py",)
    git("commit", "--quiet", "--message", "first")
    commit = git("rev-parse", "HEAD")
    assert revision(files) == Revision(commit)
    (folder / "other.py").write_text("x = 2")
    assert revision(files) == Revision(commit)
    (folder / "study.py").write_text("x = 2")
    assert revision([*files, folder / "other.py"]) == Revision(commit, ("other.py", "study.py"))
    (folder / "hidden.py").write_text("")
    assert revision([folder / "hidden.py"]).changed == ("hidden.py",)


@needs_git
def test_outside_a_checkout_there_is_no_revision(tmp_path):
    assert revision([tmp_path / "study.py"]) == Revision(None)


def test_without_git_there_is_no_revision(tmp_path, monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(module.subprocess, "run", missing)
    assert revision([tmp_path / "study.py"]) == Revision(None)
