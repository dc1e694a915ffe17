"""Progress is readable in a log and alive on a terminal."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from coursebook.pairs import Pair
from coursebook.progress import BuildProgress, ExecutionProgress

LINES = [
    "loading",
    "reading sources... [ 50%] a",
    "reading sources... [100%] b",
    "writing output... [ 50%] [a]",
]


def shown(terminal, lines):
    out = StringIO()
    with BuildProgress(Console(file=out, force_terminal=terminal, width=80)) as progress:
        for line in lines:
            progress.line(line)
    return out.getvalue()


def test_a_log_gets_one_line_per_phase():
    assert shown(False, LINES).split("\n") == ["reading sources...", "writing output...", ""]


def test_a_terminal_gets_the_current_step():
    assert "building" in shown(True, [])
    assert "reading sources...\n" not in shown(True, LINES)


def test_each_notebook_ends_with_its_time():
    out = StringIO()
    pairs = [Pair(Path("book"), f"chapters/0{n}-a") for n in (1, 2)]
    with ExecutionProgress(Console(file=out, force_terminal=False, width=80)) as progress:
        for pair in pairs:
            progress.started(pair, 3)
            progress.reached(pair, 2)
        progress.finished(pairs[1], 1.26, failed=False)
        progress.finished(pairs[0], 0.5, failed=True)
    lines = [line for line in out.getvalue().split("\n") if line.strip()]
    assert lines == ["executed chapters/02-a in 1.3 s", "failed chapters/01-a in 0.5 s"]
