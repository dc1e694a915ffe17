"""Which notebooks are stale and why, and the prose of which can be brought up to date without running."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from coursebook.digest import changed_parts, code_digest, full_digest, surroundings
from coursebook.errors import BookError
from coursebook.pairs import Pair, read_notebook, read_source
from coursebook.stored import code_cells, combine, recorded_digest, store


@dataclass(frozen=True, eq=False)
class Status:
    """One pair as it stands on disk.

    Args:
        pair: where its two files lie.
        source: the notebook as its author wrote it, without outputs.
        stored: the generated notebook; ``None`` where it is missing or unreadable.
        problem: why the stored notebook is unreadable; ``None`` where it is not.
        around: digests of everything outside the notebook that its outputs depend on.
    """

    pair: Pair
    source: NotebookNode
    stored: NotebookNode | None
    problem: BookError | None
    around: Mapping[str, str]

    @property
    def digest(self) -> dict[str, str]:
        """The digest that outputs computed now would carry."""
        return full_digest(self.source, self.around)

    @property
    def same_code(self) -> bool:
        """Whether the stored notebook was generated from the code cells of the source as they are now."""
        return self.stored is not None and code_digest(self.stored) == code_digest(self.source)

    @property
    def reasons(self) -> list[str]:
        """Why the stored outputs must be computed again; empty when they are fresh."""
        if self.problem is not None:
            return ["notebook unreadable"]
        if self.stored is None or not recorded_digest(self.stored):
            return ["never executed"]
        reasons = [f"{part} changed" for part in changed_parts(recorded_digest(self.stored), self.digest)]
        if "code changed" not in reasons and not self.same_code:
            reasons.append("code of the .ipynb edited")
        if any(is_unrun(cell) for cell in code_cells(self.stored)):
            reasons.append("outputs missing")
        if any(failed_unexpectedly(cell) for cell in code_cells(self.stored)):
            reasons.append("a cell failed")
        return reasons


def is_unrun(cell: NotebookNode) -> bool:
    """Whether a code cell that execution would run carries no execution count."""
    tags = cell.metadata.get("tags", [])
    return cell.execution_count is None and bool(cell.source.strip()) and "skip-execution" not in tags


def failed_unexpectedly(cell: NotebookNode) -> bool:
    """Whether a cell's output is an error that its tags do not announce."""
    failed = any(output.output_type == "error" for output in cell.outputs)
    return failed and "raises-exception" not in cell.metadata.get("tags", [])


def examine(pairs: Iterable[Pair], root: Path) -> list[Status]:
    """Read both files of each pair and everything their outputs depend on.

    Raises:
        BookError: a source cannot be read.
    """
    statuses = []
    for pair in pairs:
        stored, problem = None, None
        try:
            stored = read_notebook(pair)
        except BookError as error:
            problem = error
        source = read_source(pair)
        statuses.append(Status(pair, source, stored, problem, surroundings(root, source)))
    return statuses


def synced(status: Status) -> NotebookNode | None:
    """The stored notebook with the prose of the source and its own outputs.

    Returns:
        ``None`` where the code cells differ: outputs are never put beside code that did not produce them.
    """
    root = status.pair.root
    if status.stored is None:
        return combine(status.source, status.source, {}, root)
    if not status.same_code:
        return None
    return combine(status.source, status.stored, recorded_digest(status.stored), root)


def sync(status: Status) -> bool:
    """Bring the prose of the stored notebook up to date; nothing runs. Say whether the file changed.

    Raises:
        BookError: the stored notebook is unreadable; only a new execution may replace it.
    """
    if status.problem is not None:
        raise status.problem
    notebook = synced(status)
    return notebook is not None and store(status.pair, notebook)
