"""Progress inside a notebook: shown while a cell runs, gone when it is done."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape

from IPython.display import HTML, clear_output, display


class Progress:
    """One bar over several stages of known length, in turn or at once; call it with ``(stage, done, total)``.

    Args:
        title: what is being computed.
        stages: number of stages, each announced by a name of its own.
    """

    _SECONDS_BETWEEN_UPDATES = 0.2

    def __init__(self, title: str, stages: int) -> None:
        self.title = title
        self.stages = stages
        self.fraction = 0.0
        self._done: dict[str, float] = {}  # stage: the largest part of it that was reported
        self._start = self._shown = time.monotonic()
        self._handle = display(self._bar(""), display_id=True)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` steps of a stage are finished."""
        self._done[stage] = max(done / total, self._done.get(stage, 0.0))
        self.fraction = min(1.0, sum(self._done.values()) / self.stages)
        now = time.monotonic()
        if self._handle is not None and now - self._shown >= self._SECONDS_BETWEEN_UPDATES:
            self._shown = now
            self._handle.update(self._bar(stage))

    def within(self, name: str) -> Callable[[str, int, int], None]:
        """Return a callback that puts ``name`` before each stage, for stages that recur."""
        return lambda stage, done, total: self(f"{name}, {stage}", done, total)

    def _bar(self, stage: str) -> HTML:
        elapsed = time.monotonic() - self._start
        left = f", about {elapsed * (1 / self.fraction - 1):.0f} s left" if self.fraction > 0.02 else ""
        label = escape(f"{self.title}: {stage or 'starting'} ({self.fraction:.0%}{left})")
        return HTML(f'<progress value="{self.fraction:.3f}" max="1" aria-label="{label}"></progress> {label}')


@contextmanager
def progress(title: str, stages: int) -> Iterator[Progress]:
    """Show a progress bar for the duration of a block and remove it at the end.

    A cell that uses it should print nothing else: the block ends by clearing the cell's output, so that a
    stored notebook holds results only.

    Args:
        title: what is being computed, e.g. ``"Training"``.
        stages: number of stages.

    Yields:
        The bar, to be called with ``(stage, done, total)``.

    Example:
        >>> with progress("Training", stages=2) as bar:  # doctest: +ELLIPSIS
        ...     bar("baseline", 5, 10)
        ...     print(f"{bar.fraction:.2f}")
        <IPython.core.display.HTML object>
        0.25
        ...
    """
    bar = Progress(title, stages)
    try:
        yield bar
    finally:
        clear_output()
