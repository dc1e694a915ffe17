"""What ``dropoutlab study`` shows on the terminal: progress with the time left, and tables."""

import time
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from dropoutlab.studies.criteria import Outcome
from dropoutlab.studies.forecast import Progress as Stand
from dropoutlab.studies.protocol import Study
from dropoutlab.studies.status import Status
from dropoutlab.studies.verify import Verification


def duration(seconds: float) -> str:
    """Write a duration for somebody who waits for it.

    Example:
        >>> duration(8), duration(100), duration(4000)
        ('8 s', '1 min 40 s', '1 h 06 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


class _TimeLeft(ProgressColumn):
    """Counts down from the latest estimate."""

    def render(self, task: Task) -> Text:
        """Say how much longer it will take."""
        left = task.fields["until"] - time.monotonic()
        if task.finished:
            return Text("done")
        return Text(f"about {duration(left)} left" if left > 0 else "any moment now")


class RunProgress:
    """A progress bar on standard error; call it with every `Stand`.

    Args:
        refreshes: how often per second it is drawn; a study that times something wants few.
    """

    def __init__(self, refreshes: float = 4) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed} of {task.total} runs"),
            TimeElapsedColumn(),
            _TimeLeft(),
            console=Console(stderr=True),
            refresh_per_second=refreshes,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> "RunProgress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._bar.stop()

    def __call__(self, stand: Stand) -> None:
        """Show where the study stands."""
        until = time.monotonic() + stand.seconds_left
        if self._task is None:
            self._bar.start()  # not before: a complete study shows no bar
            self._task = self._bar.add_task(stand.study, total=stand.total, until=until)
        self._bar.update(self._task, completed=stand.done, until=until)


def verdicts(study: Study, outcomes: Mapping[str, Outcome]) -> Table:
    """Tabulate what each criterion came to."""
    table = _table("criterion", "verdict", "effect", "95 % interval", "n", "unit")
    for criterion in study.criteria:
        outcome = outcomes[criterion.id]
        interval = f"{outcome.low:.4g} to {outcome.high:.4g}".replace("-", "−")
        effect = f"{outcome.effect:.4g}".replace("-", "−")
        table.add_row(criterion.id, outcome.verdict, effect, interval, str(outcome.n), outcome.unit)
    return table


def comparisons(verification: Verification) -> Table:
    """Tabulate every recomputed row, and each number of it that disagrees."""
    table = _table("arm", "seed", "metric", "stored", "recomputed", "")
    runs = dict.fromkeys((item.arm, item.seed) for item in verification.comparisons)
    for arm, seed in runs:
        items = [item for item in verification.comparisons if (item.arm, item.seed) == (arm, seed)]
        wrong = [item for item in items if not item.agrees]
        if not wrong:
            metrics = f"all {len(items)}" if len(items) > 1 else items[0].metric
            table.add_row(arm, str(seed), metrics, "", "", "agrees")
        for item in wrong:
            table.add_row(arm, str(seed), item.metric, repr(item.stored), repr(item.recomputed), "DISAGREES")
    return table


def states(statuses: Iterable[Status]) -> Table:
    """Tabulate the state of several studies."""
    table = _table("study", "state", "runs", "finished", "lab changed since")
    for status in statuses:
        runs = f"{status.stored} of {status.registered}"
        changed = ", ".join(name.removeprefix("dropoutlab.") for name in status.lab_changed)
        table.add_row(status.study, status.state, runs, status.finished[:10], changed)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
