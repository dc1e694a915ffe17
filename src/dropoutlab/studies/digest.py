"""Digests of what was registered and of the lab it ran on, blind to comments, docstrings and layout."""

import ast
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from dropoutlab.studies.errors import StudyError
from dropoutlab.studies.protocol import ProfileName, Study

# How studies are run, stored and judged is no part of what one of them registers.
ENGINE = frozenset(
    f"dropoutlab.studies.{name}"
    for name in (
        "backends",
        "compound",
        "compute",
        "criteria",
        "decide",
        "digest",
        "environment",
        "errors",
        "forecast",
        "manifest",
        "material",
        "measure",
        "places",
        "protocol",
        "reading",
        "regions",
        "registered",
        "registry",
        "runner",
        "status",
        "store",
        "verify",
        "work",
    )
) | {"dropoutlab.studies"}

_MATERIAL = "dropoutlab.studies.material"  # the one part of the engine that decides what a job sees
_ROOT = Path(__file__).parent.parent


def protocol_digest(study: Study, profile: ProfileName = "full") -> str:
    """Digest what a study registered: rows of another digest are not its rows.

    It covers the declarations (arms, metrics, rules and ids of the criteria, profile, seeds, group, together,
    alone, datasets, question, protocol) and the code of the study's module and of every module of
    `dropoutlab.studies` that it imports, directly or not, except the engine. The arguments of ``Study(...)``
    count by their values, so title, smoke profile, minutes and tolerance can still be corrected.

    Args:
        study: the study.
        profile: smoke rows have a digest of their own.

    Returns:
        SHA-256 in hexadecimal.

    Raises:
        StudyError: the source of the study's module cannot be found.
    """
    declared = {
        "alone": study.alone,
        "arms": list(study.arms.items()),
        "criteria": sorted((criterion.id, criterion.rule) for criterion in study.criteria),
        "datasets": list(study.datasets),
        "group": study.group,
        "metrics": {
            name: [metric.meaning, metric.unit, metric.timing, metric.optional]
            for name, metric in study.metrics.items()
        },
        "name": study.name,
        "profile": [profile, dict(study.full if profile == "full" else study.smoke)],
        "protocol": study.protocol,
        "question": study.question,
        "seeds": len(study.seed_list(profile)),
        "together": study.together,
    }
    parts = [json.dumps(declared, sort_keys=True)]
    parts += [f"{module} {_code(path)}" for module, path in source_files(study).items()]
    return _hexdigest("\n".join(parts))


def source_files(study: Study) -> dict[str, Path]:
    """Return the modules whose code belongs to the registration, with their files."""

    def wanted(module: str) -> bool:
        return module.startswith("dropoutlab.studies.") and module not in ENGINE

    return dict(sorted(_closure(study, wanted).items()))


def lab_digests(study: Study) -> dict[str, str]:
    """Digest every module of the lab that a study's own modules import, directly or not.

    Returns:
        Module → first 16 digits of the SHA-256 of its code.
    """

    def wanted(module: str) -> bool:
        return module not in ENGINE or module == _MATERIAL

    own, reached = source_files(study), _closure(study, wanted)
    return {
        module: _hexdigest(_code(path))[:16] for module, path in sorted(reached.items()) if module not in own
    }


def _closure(study: Study, wanted: Callable[[str], bool]) -> dict[str, Path]:
    found = {study.module: _own_file(study)}
    queue = [study.module]
    while queue:
        module = queue.pop()
        for name in _imports(module, found[module]):
            path = _file_of(name)
            if path and name not in found and wanted(name):
                found[name] = path
                queue.append(name)
    return found


def _own_file(study: Study) -> Path:
    file = getattr(sys.modules.get(study.module), "__file__", None)
    if file is None:
        raise StudyError(
            f"{study.name}: the source of module {study.module!r} cannot be found; "
            "declare the study in a file of its own, so that what is registered can be told"
        )
    return Path(file)


def _file_of(module: str) -> Path | None:
    """Return the file of a module of the lab; ``None`` for anything else."""
    package, *rest = module.split(".")
    if package != "dropoutlab":
        return None
    base = _ROOT.joinpath(*rest)
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _imports(module: str, path: Path) -> set[str]:
    """Return the modules that a file names in its imports, and the packages they lie in."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    named: set[str] = set()
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.Import):
            named.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            named.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
    return {
        ".".join(parts[: i + 1]) for name in named for parts in [name.split(".")] for i in range(len(parts))
    }


def _parse(path: Path) -> ast.Module:
    return _parse_version(path, path.stat().st_mtime_ns)


@cache
def _parse_version(path: Path, _modified: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _code(path: Path) -> str:
    """Write a file's code in one canonical form, the same in every version of Python."""
    return "".join(_canonical(_parse(path)))


def _canonical(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        yield "["
        for item in node:
            yield from _canonical(item)
        yield "]"
    elif isinstance(node, ast.AST):
        yield f"{type(node).__name__}("
        for name, value in _fields(node):
            # Fields that newer versions added are empty where an older one can say the same.
            if value is not None and value != []:
                yield f"{name}="
                yield from _canonical(value)
        yield ")"
    else:
        yield f"{node!r},"


def _fields(node: ast.AST) -> Iterator[tuple[str, Any]]:
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(value, list) and _has_docstring(node):
            yield name, value[1:]
        elif isinstance(node, ast.Call) and _is_study(node) and name in ("args", "keywords"):
            # Everything else that Study(...) is given is in the declarations, by its value.
            yield name, [item for item in value if isinstance(item, ast.keyword) and item.arg == "run"]
        else:
            yield name, value


def _has_docstring(node: ast.AST) -> bool:
    """Tell whether a module, class or function begins with a docstring."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None


def _is_study(call: ast.Call) -> bool:
    return getattr(call.func, "id", getattr(call.func, "attr", "")) == "Study"


def _hexdigest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
