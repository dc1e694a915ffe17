"""Compare each source with its stored notebook, and say what is wrong, where, and how to put it right."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from coursebook.pairs import Pair, find_orphans
from coursebook.status import Status, examine, failed_unexpectedly, is_unrun, synced
from coursebook.stored import describe, dumps

# A path below a home folder, or the file that IPython invents for a cell: neither exists for a reader.
_MACHINE_PATH = re.compile(r"/(?:home|Users|root)/[^\s\"'<>]+|[A-Z]:\\Users\\[^\s\"'<>]+|\S*ipykernel_\d+\S*")

_NBVAL_SKIP = re.compile(r"^\s*#\s*(NBVAL_SKIP)\s*$", re.MULTILINE)

EXECUTE = "run make execute"


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a notebook.

    Example:
        >>> print(Finding("chapters/01-a.ipynb", "cell 4 (fit())", "was never executed", "run make execute"))
        chapters/01-a.ipynb, cell 4 (fit()): was never executed; run make execute
    """

    file: str
    cell: str | None
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = self.file if self.cell is None else f"{self.file}, {self.cell}"
        return f"{place}: {self.problem}; {self.remedy}"


def check(pairs: list[Pair], root: Path) -> list[Finding]:
    """Find everything that keeps the stored notebooks from being what their sources would give.

    Args:
        pairs: the pairs to check.
        root: the repository's root folder.

    Returns:
        The findings in the order of the book; none when all is well. Nothing is executed or written.

    Raises:
        BookError: a source cannot be read.
    """
    findings = [finding for status in examine(pairs, root) for finding in check_pair(status)]
    orphans = (path.relative_to(root).as_posix() for path in find_orphans(root))
    return findings + [
        Finding(name, None, "has no source beside it", "delete it, or restore its .md") for name in orphans
    ]


def check_pair(status: Status) -> list[Finding]:
    """Find what is wrong with one pair: drift, cells that never ran, errors, stale outputs, machine paths."""
    file = f"{status.pair.name}.ipynb"
    if status.problem is not None:
        return [Finding(file, None, "is not a valid notebook", EXECUTE)]
    if status.stored is None:
        return [Finding(file, None, "does not exist: the page was never executed", EXECUTE)]
    findings = list(_drift(file, status, status.stored))
    for number, cell in enumerate(status.stored.cells, start=1):
        if cell.cell_type == "code":
            place = describe(number, cell)
            findings += [Finding(file, place, problem, remedy) for problem, remedy in _cell_problems(cell)]
    causes = [reason for reason in status.reasons if reason.endswith("changed") or reason == "never executed"]
    if causes:
        findings.append(Finding(file, None, f"outputs are stale ({', '.join(causes)})", EXECUTE))
    return findings


def _drift(file: str, status: Status, stored: NotebookNode) -> Iterator[Finding]:
    """Differences between the source and the stored notebook in type, text and metadata of the cells."""
    source, before = status.source.cells, stored.cells
    remedy = f"{EXECUTE} (only changed code runs)"
    differing = [
        (number, *cells)
        for number, cells in enumerate(zip(source, before, strict=False), start=1)
        if _face(cells[0]) != _face(cells[1])
    ]
    if len(source) != len(before):
        number, cell = differing[0][:2] if differing else (min(len(source), len(before)) + 1, None)
        place = f"cell {number}" if cell is None else describe(number, cell)
        problem = f"the source has {len(source)} cells and the notebook {len(before)}; they part here"
        yield Finding(file, place, problem, remedy)
        return
    for number, cell, old in differing:
        what = next(name for name, one, two in zip(_FACE, _face(cell), _face(old), strict=True) if one != two)
        yield Finding(file, describe(number, cell), f"{what} differs from {status.pair.name}.md", remedy)
    expected = synced(status)
    if not differing and expected is not None and _text(status.pair) != dumps(expected):
        yield Finding(file, None, "header, cell ids or volatile fields are not as generated", remedy)


_FACE = ("type", "text", "metadata")


def _face(cell: NotebookNode) -> tuple[str, str, dict[str, object]]:
    """What must agree between a source cell and a stored one."""
    return cell.cell_type, cell.source, dict(cell.metadata)


def _text(pair: Pair) -> str:
    return pair.notebook.read_text(encoding="utf-8")


def _cell_problems(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """Problems of one stored code cell, each with its remedy."""
    tags = cell.metadata.get("tags", [])
    skipping = sorted({"skip-execution", "nbval-skip"}.intersection(tags)) + _NBVAL_SKIP.findall(cell.source)
    if not cell.source.strip():
        yield "is empty", "delete it from the source"
    elif skipping:
        yield (
            f"is marked {skipping[0]} and so never verified",
            "show code that does not run as a ```python block",
        )
    elif is_unrun(cell):
        yield "was never executed", EXECUTE
    elif failed_unexpectedly(cell):
        yield (
            "carries an error",
            f"mend it and {EXECUTE}, or tag it raises-exception if the error is the lesson",
        )
    elif "raises-exception" in tags and not any(output.output_type == "error" for output in cell.outputs):
        yield "is tagged raises-exception and raised nothing", "remove the tag from the source"
    found = _MACHINE_PATH.search("\n".join(_texts(cell)))
    if found:
        yield (
            f"prints a path of this machine ({found.group()})",
            "print something that is the same everywhere",
        )


def _texts(cell: NotebookNode) -> Iterator[str]:
    """Every piece of text among a cell's outputs."""
    for output in cell.outputs:
        yield output.get("text", "")
        yield from (str(data) for kind, data in output.get("data", {}).items() if kind.startswith("text/"))
