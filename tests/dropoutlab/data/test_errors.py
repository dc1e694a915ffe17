import pickle
from pathlib import Path

import pytest

from dropoutlab.data import CacheError, CorruptDataError, DataError, MissingDataError, UnreadableDataError

KINDS = [DataError, MissingDataError, UnreadableDataError, CorruptDataError, CacheError]


@pytest.mark.parametrize("kind", KINDS)
def test_message_names_file_problem_and_remedy_on_one_line(kind):
    error = kind(Path("folder") / "file.gz", "is empty", "Copy it again.")
    assert str(error) == f"{Path('folder/file.gz')}: is empty. Copy it again."
    assert isinstance(error, DataError)


@pytest.mark.parametrize("kind", KINDS)
def test_error_survives_the_way_back_from_another_process(kind):
    error = pickle.loads(pickle.dumps(kind("file.gz", "is empty", "Copy it again.")))
    assert type(error) is kind
    assert (error.file, error.problem, error.remedy) == ("file.gz", "is empty", "Copy it again.")
