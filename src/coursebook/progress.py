"""What the commands show while they work: live on a terminal, line by line in a log."""

import re
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.status import Status

from coursebook.pairs import Pair

# "reading sources... [ 50%] chapters/01-overfitting": a percentage is news to a terminal, noise in a log.
_STEP = re.compile(r"^(?P<phase>.*?\.\.\.)\s*\[\s*\d+%\]")


class ExecutionProgress:
    """A bar per running notebook, and a line with its time when it is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("cell {task.completed} of {task.total}"),
        )
        self._progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._tasks: dict[Pair, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, pair: Pair, cells: int) -> None:
        """Show a bar for a notebook."""
        self._tasks[pair] = self._progress.add_task(escape(pair.name), total=cells)

    def reached(self, pair: Pair, number: int) -> None:
        """Move the bar to a cell."""
        self._progress.update(self._tasks[pair], completed=number)

    def finished(self, pair: Pair, seconds: float, *, failed: bool) -> None:
        """Replace the bar by a line."""
        self._progress.remove_task(self._tasks.pop(pair))
        verdict = "[red]failed[/]" if failed else "[green]executed[/]"
        self._console.print(f"{verdict} {escape(pair.name)} in {seconds:.1f} s")


class BuildProgress:
    """Jupyter Book's current step; in a log, one line per phase."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Status("building", console=console)
        self._phase = ""

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def line(self, text: str) -> None:
        """Show one line of the build's output."""
        step = _STEP.match(text)
        phase = step["phase"] if step else text
        self._status.update(escape(text))
        if step and phase != self._phase and not self._console.is_terminal:
            self._console.print(escape(phase))
        self._phase = phase
