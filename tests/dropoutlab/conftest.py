import importlib
import shutil
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    """A folder on Python's path, outside the checkout, that holds the module ``toy_study``."""
    folder = tmp_path_factory.mktemp("toy")
    shutil.copy(Path(__file__).parent / "studies" / "toy_study.py", folder)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    sys.modules.pop("toy_study", None)


@pytest.fixture(scope="session")
def toy(toy_folder):
    return importlib.import_module("toy_study")


@pytest.fixture
def trouble(toy_folder):
    """``trouble(text)``: jobs of the arms that the text names fail; "death" kills the process instead."""
    path = toy_folder / "trouble"
    yield path.write_text
    path.unlink(missing_ok=True)
