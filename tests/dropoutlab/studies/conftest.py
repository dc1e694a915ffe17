from types import SimpleNamespace

import pytest

from dropoutlab.studies.backends import Local
from dropoutlab.studies.runner import run_study


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setenv("TOY_SECONDS", "0")


@pytest.fixture
def stored(toy, tmp_path):
    """The toy study, run to the end in this process."""
    run_study(toy.STUDY, tmp_path, backend=Local(1))
    return SimpleNamespace(study=toy.STUDY, root=tmp_path, folder=tmp_path / "toy")


@pytest.fixture(scope="session")
def essence():
    """``essence(path)``: the lines of a file of rows as a sorted list, without what a clock decides."""

    def read(path):
        header, *lines = path.read_text().splitlines()
        assert header == "arm,seed,error,epochs,milliseconds,seconds"
        return sorted(line.rsplit(",", 2)[0] for line in lines)

    return read
