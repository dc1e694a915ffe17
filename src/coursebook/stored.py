"""The stored notebook in normal form, so that two executions of the same code give the same file."""

import contextlib
import copy
import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from coursebook.pairs import Pair

RECORD = "coursebook"

# What a kernel reports, less the patch version of Python: that would change the file on every machine.
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}

_PACKAGES = re.compile(r"[^\s\"'\x1b]*[/\\](?:site|dist)-packages[/\\]")


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that can be executed, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def describe(number: int, cell: NotebookNode) -> str:
    """Name a cell by its number, counted from 1 over all cells, and by its first line."""
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    if len(first) > 50:
        first = first[:47] + "..."
    return f"cell {number} ({first})" if first else f"cell {number}"


def combine(
    source: NotebookNode, outputs_of: NotebookNode, digest: Mapping[str, str], root: Path
) -> NotebookNode:
    """Put the outputs of one notebook under the text of another, in normal form.

    Everything but outputs, execution counts and the digest comes from ``source``; cell ids follow from the
    cells' text; times, versions and machine paths are left out.

    Args:
        source: the notebook as its author wrote it.
        outputs_of: a notebook with the same number of code cells.
        digest: what the outputs were computed from; empty where they never were.
        root: the repository's root folder, removed from the paths in tracebacks.
    """
    result = copy.deepcopy(source)
    result.nbformat, result.nbformat_minor = 4, 5
    result.metadata["jupytext"] = {"formats": source.metadata["jupytext"]["formats"]}
    result.metadata["language_info"] = copy.deepcopy(LANGUAGE)
    result.metadata.pop(RECORD, None)
    if digest:
        result.metadata[RECORD] = {"digest": dict(digest)}
    for cell, executed in zip(code_cells(result), code_cells(outputs_of), strict=True):
        cell.execution_count = executed.execution_count
        cell.outputs = [_without_paths(output, root) for output in copy.deepcopy(executed.outputs)]
    for cell, name in zip(result.cells, _cell_ids(result), strict=True):
        cell.id = name
    return result


def recorded_digest(notebook: NotebookNode) -> dict[str, str]:
    """The digest that the last execution recorded; empty where there was none."""
    digest = notebook.metadata.get(RECORD, {}).get("digest", {})
    return {str(part): str(value) for part, value in digest.items()}


def dumps(notebook: NotebookNode) -> str:
    """The exact text of a notebook's file."""
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]  # nbformat is half typed
    return text.rstrip("\n") + "\n"


def store(pair: Pair, notebook: NotebookNode) -> bool:
    """Write the notebook in one step, or not at all; say whether the file changed.

    The text goes to a temporary file beside the target, which then takes its place: a process killed at any
    moment leaves either the old notebook or the new one.
    """
    target, text = pair.notebook, dumps(notebook)
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if target.read_text(encoding="utf-8") == text:
            return False
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".partial")
    partial = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(target.stat().st_mode if target.exists() else 0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return True


def _cell_ids(notebook: NotebookNode) -> list[str]:
    """Ids that follow from the cells' text: an edit changes the id of the edited cell and no other."""
    seen: Counter[str] = Counter()
    names = []
    for cell in notebook.cells:
        text = f"{cell.cell_type}\0{cell.source}"
        name = hashlib.sha256(text.encode()).hexdigest()[:12]
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def _without_paths(output: NotebookNode, root: Path) -> NotebookNode:
    """Shorten the file names in a traceback to what they are on every machine."""
    if output.output_type == "error":
        prefixes = [f"{root.resolve()}{os.sep}"]
        with contextlib.suppress(ValueError, RuntimeError):  # IPython abbreviates the home folder
            prefixes.append(f"~{os.sep}{root.resolve().relative_to(Path.home())}{os.sep}")
        output["traceback"] = [_shorten(line, prefixes) for line in output["traceback"]]
    return output


def _shorten(line: Any, prefixes: list[str]) -> str:
    text = _PACKAGES.sub("", str(line))
    for prefix in prefixes:
        text = text.replace(prefix, "")
    return text
