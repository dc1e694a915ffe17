import pytest

from dropoutlab.studies.errors import StudyError
from dropoutlab.studies.places import results_root


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for mark in ("pyproject.toml", "_config.yml"):
        (tmp_path / mark).write_text("")
    (tmp_path / "chapters" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "chapters")
    return tmp_path


def test_results_lie_in_the_root_of_the_repository(repository):
    assert results_root() == repository / "results"
    assert results_root(repository / "chapters" / "deep") == repository / "results"
    assert results_root(repository) == repository / "results"


def test_another_project_inside_is_not_taken_for_it(repository):
    (repository / "chapters" / "pyproject.toml").write_text("")
    assert results_root() == repository / "results"


def test_outside_the_repository_one_has_to_say_where(repository):
    (repository / "_config.yml").unlink()
    with pytest.raises(
        StudyError, match=r"no pyproject\.toml and _config\.yml in .*chapters or above; .*--results DIR"
    ):
        results_root()
