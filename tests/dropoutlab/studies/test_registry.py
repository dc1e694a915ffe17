import subprocess
import sys

import pytest

from dropoutlab.studies import registry
from dropoutlab.studies.errors import StudyError
from dropoutlab.studies.protocol import Study

WRITTEN = """
from dropoutlab.studies.protocol import Study
raise RuntimeError("imported")
STUDIES = (Study(name="b-study", title="The second"), Study(title="The first", name="a-study"))
"""
COMPUTED = """
from toy_study import study
STUDIES = [study(name=f"computed-{number}", title=f"Number {number}") for number in (1, 2)]
"""


@pytest.fixture
def files(tmp_path, monkeypatch, toy):
    """A package of registered studies that the test fills: ``files(stem, source)``."""
    package = tmp_path / "registered_for_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "PACKAGE", package.name)
    monkeypatch.setattr(registry, "_folder", lambda: package)
    yield lambda stem, source: (package / f"{stem}.py").write_text(source)
    for module in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[module]


def test_names_that_are_written_out_are_found_without_an_import(files):
    files("some", WRITTEN)
    files("_helper", "raise RuntimeError('imported')")
    assert registry.names() == ("a-study", "b-study")
    first = registry.entries()[0]
    assert (first.name, first.title, first.module) == ("a-study", "The first", "registered_for_test.some")


def test_names_that_are_computed_are_found_by_an_import(files):
    files("some", COMPUTED)
    assert [(entry.name, entry.title) for entry in registry.entries()] == [
        ("computed-1", "Number 1"),
        ("computed-2", "Number 2"),
    ]
    study = registry.find("computed-2")
    assert isinstance(study, Study)
    # It was put together by a function of another module; its own is where it is exposed.
    assert study.module == "registered_for_test.some"
    assert registry.locate(study.module, "computed-2").title == "Number 2"


def test_a_file_that_changes_is_read_again(files):
    files("some", WRITTEN)
    registry.names()
    files("some", WRITTEN.replace("b-study", "c-study-which-is-longer"))
    assert registry.names() == ("a-study", "c-study-which-is-longer")


def test_two_files_cannot_declare_one_name(files):
    files("one", WRITTEN)
    files("two", WRITTEN)
    with pytest.raises(
        StudyError, match=r"two files declare the study '.-study': .*\.one and .*\.two; rename one"
    ):
        registry.names()


def test_unknown_names(files):
    with pytest.raises(StudyError, match=r"unknown study 'x'; the names are \(none yet\)"):
        registry.find("x")
    files("some", WRITTEN)
    with pytest.raises(StudyError, match="unknown study 'x'; the names are a-study, b-study"):
        registry.find("x")


def test_a_file_without_a_study(files):
    files("empty", "STUDY = 'a study'")
    with pytest.raises(
        StudyError, match="empty exposes no study; call it STUDY, or put several into STUDIES"
    ):
        registry.names()


def test_a_study_elsewhere_is_named_by_module_and_attribute(toy):
    assert registry.find("toy_study:STUDY") is toy.STUDY
    assert registry.find("toy_study:TOGETHER").name == "toy-together"
    assert registry.locate("toy_study", "toy-together") is toy.TOGETHER
    assert [study.name for study in registry.studies_in("toy_study")] == ["toy"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("toy_study:run", "toy_study has no study 'run'; name it as module:ATTRIBUTE"),
        ("toy_study:", "toy_study has no study ''"),
        ("no_such_module:STUDY", "there is no module 'no_such_module' on Python's path"),
        ("toy_study.deeper:STUDY", r"there is no module 'toy_study\.deeper' on Python's path"),
    ],
)
def test_studies_that_are_not_elsewhere(toy, name, message):
    with pytest.raises(StudyError, match=message):
        registry.find(name)


def test_a_study_that_a_worker_cannot_find(toy):
    with pytest.raises(StudyError, match="toy_study declares no study 'other'; put it into STUDY or STUDIES"):
        registry.locate("toy_study", "other")


def test_what_a_study_lacks_is_not_taken_for_the_study(files):
    files("lacking", "import no_such_package\nSTUDY = no_such_package.study()")
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        registry.names()


def test_listing_the_registered_studies_imports_none_of_them():
    code = (
        "import sys; from dropoutlab.studies.registry import PACKAGE, entries; entries(); "
        "sys.stdout.write(str([name for name in sys.modules if name.startswith(PACKAGE + '.')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]"
