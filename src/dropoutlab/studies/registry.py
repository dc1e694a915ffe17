"""Which studies there are: found by file name, imported only when one of them is wanted."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeGuard

from dropoutlab.studies.errors import StudyError

if TYPE_CHECKING:
    from dropoutlab.studies.protocol import Study

PACKAGE = "dropoutlab.studies.registered"


@dataclass(frozen=True)
class Entry:
    """One registered study, as far as it is known without importing it.

    Attributes:
        name: name of the study.
        title: its title.
        module: module that declares it.
    """

    name: str
    title: str
    module: str


def entries() -> tuple[Entry, ...]:
    """List the registered studies; a file is imported only if its names and titles are not written out.

    Returns:
        One entry for each study, in alphabetical order of the names.

    Raises:
        StudyError: two files declare the same name.
    """
    found: dict[str, Entry] = {}
    for path in sorted(_folder().glob("*.py")):
        if path.stem.startswith("_"):
            continue
        module = f"{PACKAGE}.{path.stem}"
        written = _written(path, path.stat().st_mtime_ns)
        for name, title in written or [(study.name, study.title) for study in studies_in(module)]:
            if name in found:
                raise StudyError(
                    f"two files declare the study {name!r}: {found[name].module} and {module}; rename one"
                )
            found[name] = Entry(name, title, module)
    return tuple(found[name] for name in sorted(found))


def names() -> tuple[str, ...]:
    """Return the names of the registered studies, in alphabetical order."""
    return tuple(entry.name for entry in entries())


def find(name: str) -> Study:
    """Import one study.

    Args:
        name: a registered name, or ``module:ATTRIBUTE`` for a study that lives elsewhere, e.g. a draft.

    Returns:
        The study.

    Raises:
        StudyError: there is no such study, or its module cannot be imported.
    """
    module, colon, attribute = name.partition(":")
    if colon:
        study = getattr(_load(module), attribute, None)
        if not _is_study(study):
            raise StudyError(f"{module} has no study {attribute!r}; name it as module:ATTRIBUTE")
        return _of(module, study)
    known = {entry.name: entry.module for entry in entries()}
    if name not in known:
        raise StudyError(f"unknown study {name!r}; the names are {', '.join(known) or '(none yet)'}")
    return locate(known[name], name)


def locate(module: str, name: str) -> Study:
    """Return the study of this name from a module: how a worker process finds what it is to run.

    Raises:
        StudyError: the module cannot be imported, or declares no such study.
    """
    for study in (*_exposed(module), *vars(_load(module)).values()):
        if _is_study(study) and study.name == name:
            return _of(module, study)
    raise StudyError(f"{module} declares no study {name!r}; put it into STUDY or STUDIES")


def studies_in(module: str) -> tuple[Study, ...]:
    """Return the studies that a module exposes as ``STUDY`` or ``STUDIES``.

    Raises:
        StudyError: the module cannot be imported, or exposes none.
    """
    found = tuple(_of(module, study) for study in _exposed(module))
    if not found:
        raise StudyError(f"{module} exposes no study; call it STUDY, or put several into STUDIES")
    return found


def _exposed(module: str) -> Iterator[Study]:
    loaded = _load(module)
    if _is_study(study := getattr(loaded, "STUDY", None)):
        yield study
    yield from getattr(loaded, "STUDIES", ())


def _is_study(value: object) -> TypeGuard[Study]:
    # Imported here because it brings torch along, which a list of names should not wait for.
    from dropoutlab.studies.protocol import Study

    return isinstance(value, Study)


def _of(module: str, study: Study) -> Study:
    """Say where a study is found, if a function of another module put it together."""
    return study if study.module == module else replace(study, module=module)


def _load(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # something that the study itself imports is missing
        raise StudyError(
            f"there is no module {module!r} on Python's path ({len(sys.path)} folders)"
        ) from error


def _folder() -> Path:
    return Path(__file__).parent / "registered"


@cache
def _written(path: Path, _modified: int) -> tuple[tuple[str, str], ...]:
    """Read names and titles out of ``Study(name="...", title="...")`` calls; none if one is computed."""
    written = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Study":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            name, title = (getattr(given.get(field), "value", None) for field in ("name", "title"))
            if not (isinstance(name, str) and isinstance(title, str)):
                return ()
            written.append((name, title))
    return tuple(written)
