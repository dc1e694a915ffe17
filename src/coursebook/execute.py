"""Execute stale notebooks, several at a time, each in a kernel of its own."""

import asyncio
import atexit
import os
import re
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from coursebook.errors import BookError
from coursebook.pairs import Pair
from coursebook.status import Status
from coursebook.stored import combine, describe, store

CELL_TIMEOUT = 180  # seconds; chapters promise to finish in seconds

# Floating-point sums depend on how many threads share them. Every kernel that computes or verifies stored
# outputs gets this environment (`coursebook execute` here, `coursebook verify` in verify.py), so that both
# round alike and two notebooks at a time do not fight over the cores.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class CellError(BookError):
    """A cell that failed: names the notebook and the cell, and carries its source and its traceback."""

    def __init__(self, pair: Pair, cell: str, source: str, reason: str) -> None:
        self.place = f"{pair.name}.md, {cell}"
        self.source = source
        self.reason = _ANSI.sub("", reason).strip()
        super().__init__(f"{self.place}: {self.reason}")


class Listener(Protocol):
    """Told about progress, from the thread that runs the notebooks."""

    def started(self, pair: Pair, cells: int) -> None:
        """A kernel is about to start for a notebook with this many cells."""

    def reached(self, pair: Pair, number: int) -> None:
        """Cell ``number``, counted from 1, is about to run."""

    def finished(self, pair: Pair, seconds: float, *, failed: bool) -> None:
        """The notebook is done, and stored unless it failed."""


@dataclass
class Outcome:
    """What a run of several notebooks came to: those stored, the failures, and those never begun."""

    stored: list[Pair] = field(default_factory=list)
    failures: list[BookError] = field(default_factory=list)
    skipped: list[Pair] = field(default_factory=list)


def execute(statuses: Sequence[Status], listener: Listener, jobs: int = 2) -> Outcome:
    """Execute notebooks and store each with its outputs as soon as it is done.

    After a failure no further notebook is begun; those already running finish and are stored. A failing
    notebook, an interrupt or a killed process leaves the stored file as it was.

    Args:
        statuses: the notebooks to execute, fresh or not.
        listener: told about progress.
        jobs: how many notebooks run at the same time, at least 1.
    """
    run = _Run(deque(statuses), listener)
    # In a thread of its own, because nbclient takes over the signals of a main thread: an interrupt would
    # then stop one kernel and leave the others running.
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(asyncio.run, run.drain(max(1, jobs)))
        try:
            future.result()
        except KeyboardInterrupt:
            run.cancel()
            raise
    return run.outcome


class _Run:
    """A queue of notebooks shared by a few workers on one event loop."""

    def __init__(self, queue: deque[Status], listener: Listener) -> None:
        self.queue = queue
        self.listener = listener
        self.outcome = Outcome()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    async def drain(self, workers: int) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    def cancel(self) -> None:
        """Stop from another thread; every kernel is shut down on the way out."""
        self.queue.clear()
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    async def _work(self) -> None:
        while self.queue:
            status = self.queue.popleft()
            begun, failed = time.monotonic(), True
            self.listener.started(status.pair, len(status.source.cells))
            try:
                await self._execute(status)
                self.outcome.stored.append(status.pair)
                failed = False
            except BookError as error:
                self.outcome.failures.append(error)
                self.outcome.skipped += [waiting.pair for waiting in self.queue]
                self.queue.clear()
            finally:
                self.listener.finished(status.pair, time.monotonic() - begun, failed=failed)

    async def _execute(self, status: Status) -> None:
        pair = status.pair
        notebook = combine(status.source, status.source, {}, pair.root)
        reached: int | None = None

        def on_cell(cell: Any, cell_index: int) -> None:  # noqa: ARG001  (nbclient passes both by name)
            nonlocal reached
            reached = cell_index
            self.listener.reached(pair, cell_index + 1)

        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            resources={"metadata": {"path": str(pair.source.parent)}},
            on_cell_execute=on_cell,
            record_timing=False,
            coalesce_streams=True,
            shutdown_kernel="immediate",
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
        try:
            await client.async_execute(env={**os.environ, **KERNEL_ENVIRONMENT})
        except (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError) as error:
            if reached is None:
                raise BookError(f"{pair.name}.md: no kernel could be started ({error})") from error
            cell = notebook.cells[reached]
            raise CellError(pair, describe(reached + 1, cell), cell.source, _reason(error, cell)) from error
        finally:
            # Where a kernel never started, nbclient leaves a callback behind that fails at exit.
            atexit.unregister(client._cleanup_kernel)
        store(pair, combine(status.source, notebook, status.digest, pair.root))


def _reason(error: Exception, cell: Any) -> str:
    """What went wrong in a cell, as its reader would have seen it."""
    if isinstance(error, CellTimeoutError):
        return f"still running after {CELL_TIMEOUT} s: make it quicker, or move the computation to a study"
    if isinstance(error, DeadKernelError):
        return "the kernel died, most often for want of memory: run the cell by hand in make lab"
    tracebacks = ["\n".join(output.traceback) for output in cell.outputs if output.output_type == "error"]
    return tracebacks[-1] if tracebacks else str(error)
