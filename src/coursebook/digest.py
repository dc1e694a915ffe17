"""What a notebook's outputs depend on, as digests: its code, the lab, stored results and pinned versions."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbformat import NotebookNode

from coursebook.lab_files import LAB, reached_files, read_results

# Tags that change what a cell computes; all others (hide-input, remove-cell, ...) only change its looks.
EXECUTION_TAGS = frozenset({"raises-exception", "skip-execution", "nbval-skip"})


def code_digest(notebook: NotebookNode) -> str:
    """Digest the code cells in their order, with the tags that change what they do.

    Prose, captions, alternative texts and the looks of a cell are left out: editing them runs nothing.
    """
    cells = [
        [cell.source, sorted(EXECUTION_TAGS.intersection(cell.metadata.get("tags", [])))]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    return _hexdigest([json.dumps(cells).encode()])


def surroundings(root: Path, notebook: NotebookNode) -> dict[str, str]:
    """Digest everything outside a notebook that its outputs depend on.

    Args:
        root: the repository's root folder, with ``src/dropoutlab``, ``results`` and ``constraints.txt``;
            whichever is missing counts as empty.
        notebook: the notebook; of the lab only what it can reach counts, and of the results only the
            studies it names.

    Returns:
        One digest each for ``lab``, ``results`` and ``constraints``, so that a stale notebook can say why.
    """
    files = reached_files(notebook, root)
    return {
        "lab": _files_digest(files, root / LAB),
        "results": _hexdigest(
            f"{folder.name} {_tree_digest(folder)}".encode() for folder in read_results(notebook, files, root)
        ),
        "constraints": _tree_digest(root / "constraints.txt"),
    }


def evidence_digest(root: Path) -> str:
    """Digest everything that verdicts and their pages depend on: all code, results and pinned versions.

    Args:
        root: the repository's root folder, as for `surroundings`.
    """
    places = (root / "src", root / "results", root / "constraints.txt")
    return _hexdigest(_tree_digest(place).encode() for place in places)


def full_digest(notebook: NotebookNode, around: Mapping[str, str]) -> dict[str, str]:
    """The digest to record with outputs computed from ``notebook`` within ``around``."""
    return {"code": code_digest(notebook), **around}


def changed_parts(recorded: Mapping[str, str], current: Mapping[str, str]) -> list[str]:
    """Name the parts that changed since ``recorded``.

    Example:
        >>> changed_parts({"code": "a", "lab": "x"}, {"code": "a", "lab": "b"})
        ['lab']
    """
    return [part for part, value in current.items() if recorded.get(part) != value]


def _tree_digest(path: Path) -> str:
    """Digest a file, or every file below a folder together with its name."""
    if path.is_file():
        return _files_digest([path], path.parent)
    return _files_digest((file for file in path.rglob("*") if _counts(file, path)), path)


def _files_digest(files: Iterable[Path], folder: Path) -> str:
    """Digest files together with their names below a folder."""
    parts: list[bytes] = []
    for file in sorted(files, key=Path.as_posix):
        # Line endings differ between checkouts of the same commit; nothing computed here depends on them.
        content = file.read_bytes().replace(b"\r\n", b"\n")
        parts += [file.relative_to(folder).as_posix().encode(), content]
    return _hexdigest(parts)


def _counts(file: Path, folder: Path) -> bool:
    """Whether a file is part of the project, and not a cache or an editor's backup."""
    names = file.relative_to(folder).parts
    hidden = any(name.startswith(".") or name == "__pycache__" for name in names)
    return file.is_file() and not hidden and file.suffix != ".pyc" and not file.name.endswith("~")


def _hexdigest(parts: Iterable[bytes]) -> str:
    """Digest of several byte strings; each is preceded by its length, so that none can flow into the next."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:".encode())
        digest.update(part)
    return digest.hexdigest()[:16]
