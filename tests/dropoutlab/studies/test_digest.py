import ast
import importlib
import subprocess
import sys

import pytest

import dropoutlab.studies
from dropoutlab.studies import digest
from dropoutlab.studies.criteria import difference
from dropoutlab.studies.digest import ENGINE, lab_digests, protocol_digest, source_files
from dropoutlab.studies.errors import StudyError
from dropoutlab.studies.protocol import Metric, Study

SHIFTS = {"metric": "error", "arm": "more, or less", "against": "none", "expect": "higher"}


@pytest.mark.parametrize(
    "changes",
    [
        {"arms": {"none": {"shift": 0.5}, "more, or less": {"shift": 1.0}}},
        {"arms": {"more, or less": {"shift": 1.0}, "none": {"shift": 0.0}}},
        {"metrics": {"error": Metric("a number", "nats")}},
        {"criteria": (difference("shifts", "s", **SHIFTS, beyond=0.1),)},
        {"criteria": (difference("moves", "s", **SHIFTS),)},
        {"full": {"seconds": 0.3}},
        {"seeds": 11},
        {"group": 5},
        {"together": True},
        {"alone": True},
        {"datasets": ("mnist",)},
        {"question": "Does it shift?"},
        {"protocol": "Numbers are added."},
        {"name": "toy-two"},
    ],
)
def test_what_is_declared_is_part_of_the_registration(toy, changes):
    assert protocol_digest(toy.study(**changes)) != protocol_digest(toy.STUDY)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Another toy"},
        {"smoke": {"seconds": 0.1}},
        {"minutes": 5},
        {"tolerance": 0.1},
        {"criteria": (difference("shifts", "The typo is corrected", **SHIFTS),)},
    ],
)
def test_what_can_still_be_corrected(toy, changes):
    assert protocol_digest(toy.study(**changes)) == protocol_digest(toy.STUDY)


def test_smoke_rows_have_a_digest_of_their_own(toy):
    assert protocol_digest(toy.STUDY, "smoke") != protocol_digest(toy.STUDY)
    smaller = toy.study(smoke={"seconds": 0.0, "seeds": 2})
    assert protocol_digest(smaller, "smoke") != protocol_digest(toy.STUDY, "smoke")


@pytest.fixture
def canonical(tmp_path):
    def read(source):
        path = tmp_path / "some.py"
        path.write_text(source)
        digest._parse_version.cache_clear()
        return digest._code(path)

    return read


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 1  # why"),
        ("x = 1\ny = 2", "\n\nx   =   1\n\n\ny = (2)\n"),
        ('def f(x):\n    """Say."""\n    return x', 'def f(\n    x\n):\n    """Say more."""\n    return x'),
        ('class A:\n    """Say."""\n    x = 1', "class A:\n    x = 1"),
        ('"""Say."""\nx = "a"', "x = 'a'"),
        ("async def f():\n    'Say.'\n    pass", "async def f():\n    pass"),
        ('S = Study(title="a", run=run)', 'S = Study(title="b", minutes=3, run=run)'),
        ('S = p.Study("a", run=run)', "S = p.Study(run=run)"),
    ],
)
def test_layout_and_words_are_not_code(canonical, one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = True"),
        ("x = None", "x = ..."),
        ("x = 'a'", "x = b'a'"),
        ("f(1, 2)", "f(12)"),
        ("f([a, b], c)", "f([a], b, c)"),
        ("f(title=1)", "f(title=2)"),
        ("def f(x):\n    return x", "def f(x):\n    return -x"),
        ("def f(x, y=1):\n    return x", "def f(x, y=2):\n    return x"),
        ("x = 'a'\n'b'", "x = 'a'\n'c'"),
        ("Study(run=run)", "Study(run=other)"),
        ("if a:\n    f()\n    g()", "if a:\n    f()\ng()"),
        ("f'{x:.2f}'", "f'{x:.3f}'"),
    ],
)
def test_code_is_code(canonical, one, other):
    assert canonical(one) != canonical(other)


def test_the_canonical_form_is_the_same_in_every_version_of_python(canonical):
    # Written down once: newer versions add fields to these nodes, and print them in other ways.
    source = "def f(x: int = 1, *a, **k) -> str:\n    return f'{x!r:>{k}}' 'b'\nclass A(B): pass\n"
    assert canonical(source) == (
        "Module(body=[FunctionDef(name='f',args=arguments(args=[arg(arg='x',annotation=Name(id='int',ctx=Load()))"
        "]vararg=arg(arg='a',)kwarg=arg(arg='k',)defaults=[Constant(value=1,)])body=[Return(value=JoinedStr("
        "values=[FormattedValue(value=Name(id='x',ctx=Load())conversion=114,format_spec=JoinedStr(values=[Constant("
        "value='>',)FormattedValue(value=Name(id='k',ctx=Load())conversion=-1,)]))Constant(value='b',)]))]"
        "returns=Name(id='str',ctx=Load()))ClassDef(name='A',bases=[Name(id='B',ctx=Load())]body=[Pass()])])"
    )
    assert "type_params" not in canonical("def f(): pass")
    assert ast.parse("x").type_ignores == []


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A lab of its own: ``lab({"layers.py": "..."})`` writes modules below ``dropoutlab``."""
    monkeypatch.setattr(digest, "_ROOT", tmp_path)
    digest._parse_version.cache_clear()

    def write(files):
        for name, source in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(source)
        digest._parse_version.cache_clear()

    write(
        {"__init__.py": "from dropoutlab.layers import Dropout", "layers.py": "from dropoutlab import masks"}
    )
    write(
        {
            "masks.py": "p = 0.3",
            "models.py": "import dropoutlab.masks",
            "unused.py": "",
            "data/__init__.py": "",
        }
    )
    write(
        {
            "data/loading.py": "from . import idx\nfrom .idx import read",
            "data/idx.py": "from ..seeds import s",
        }
    )
    write({"seeds.py": "", "studies/protocol.py": "import dropoutlab.unused", "studies/__init__.py": ""})
    write({"studies/shared.py": "from dropoutlab.studies import deeper", "studies/deeper.py": "x = 1"})
    write({"studies/material.py": "from dropoutlab.data import loading"})
    return write


@pytest.fixture
def declared(tmp_path, monkeypatch, toy):
    """``declared(source)``: the toy study as if a module with this source declared it."""

    def declare(source):
        path = tmp_path / "declaring.py"
        path.write_text(source)
        monkeypatch.setitem(sys.modules, "declaring", type(sys)("declaring"))
        sys.modules["declaring"].__file__ = str(path)
        digest._parse_version.cache_clear()
        return toy.study(module="declaring")

    return declare


def test_shared_modules_of_studies_are_part_of_the_registration(lab, declared):
    study = declared("from dropoutlab.studies.shared import f\nfrom dropoutlab.studies.protocol import Study")
    assert list(source_files(study)) == [
        "declaring",
        "dropoutlab.studies.deeper",
        "dropoutlab.studies.shared",
    ]
    before = protocol_digest(study)
    lab({"studies/deeper.py": "x = 1  # no change"})
    assert protocol_digest(study) == before
    lab({"studies/deeper.py": "x = 2"})
    changed = protocol_digest(study)
    assert changed != before
    lab({"masks.py": "p = 0.4", "studies/protocol.py": "y = 3"})
    assert protocol_digest(study) == changed


def test_the_lab_of_a_study_is_what_it_imports(lab, declared):
    study = declared("def run(job):\n    from dropoutlab.models import mlp")
    assert set(lab_digests(study)) == {
        "dropoutlab",
        "dropoutlab.layers",
        "dropoutlab.masks",
        "dropoutlab.models",
    }
    before = lab_digests(study)
    lab({"masks.py": "p = 0.4", "unused.py": "x = 1"})
    after = lab_digests(study)
    assert [name for name in after if after[name] != before[name]] == ["dropoutlab.masks"]


def test_relative_imports_and_the_material_are_followed(lab, declared):
    study = declared("from dropoutlab.studies.material import images\nimport numpy")
    assert {"dropoutlab.studies.material", "dropoutlab.data.idx", "dropoutlab.seeds"} <= set(
        lab_digests(study)
    )
    assert not {"dropoutlab.unused", "dropoutlab.studies.protocol", "numpy"} & set(lab_digests(study))


def test_a_study_without_a_file_cannot_be_registered(toy):
    study = toy.study(module="no_such_module")
    with pytest.raises(StudyError, match="toy: the source of module 'no_such_module' cannot be found"):
        protocol_digest(study)


def test_the_engine_is_made_of_modules_that_exist():
    root = "dropoutlab.studies"
    assert all(importlib.util.find_spec(name) for name in ENGINE)
    assert {f"{root}.protocol", f"{root}.criteria", f"{root}.material", root} <= ENGINE
    # What the engine imports of this package is the engine: its code must not count as a study's.
    for name in ENGINE:
        path = digest._file_of(name)
        named = {module for module in digest._imports(name, path) if module.startswith(f"{root}.")}
        assert {module for module in named if digest._file_of(module)} <= ENGINE, name
    assert dropoutlab.studies.__doc__


def test_the_digest_does_not_depend_on_the_process(toy, toy_folder):
    code = (
        "import sys; from dropoutlab.studies.registry import find; "
        "from dropoutlab.studies.digest import protocol_digest; "
        "sys.stdout.write(protocol_digest(find('toy_study:STUDY')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=toy_folder
    )
    assert done.stdout == protocol_digest(toy.STUDY)
    assert isinstance(toy.STUDY, Study)
