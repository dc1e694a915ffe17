"""Real kernels: outputs are stored whole or not at all, in parallel, and the same each time."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque

import pytest

from coursebook import execute as executing
from coursebook.check import check
from coursebook.pairs import read_notebook
from coursebook.status import examine

pytestmark = pytest.mark.book


def test_only_stale_notebooks_run_and_a_second_run_changes_no_byte(executed):
    pair = executed.pair("chapters/01-sum")
    before = pair.notebook.read_bytes()
    other = executed.page("chapters/02-new", "6 * 7")
    first = executed.run("execute")
    assert first.exit_code == 0, first.output
    assert "to execute: chapters/02-new (never executed)" in first.output
    assert "chapters/01-sum" not in first.output
    assert read_notebook(other).cells[1].outputs[0].data["text/plain"] == "42"
    assert executed.run("execute").output == "nothing to execute: 2 notebooks fresh\n"
    again = executed.run("execute", "--all", pair.source)
    assert again.exit_code == 0
    assert "to execute: chapters/01-sum (as asked)" in again.output
    assert pair.notebook.read_bytes() == before
    assert check([pair, other], executed.root) == []


def test_an_edit_of_prose_runs_nothing(executed):
    pair = executed.pair("chapters/01-sum")
    executed.edit(pair.source, "An old sentence.", "A new sentence.")
    result = executed.run("execute")
    assert result.exit_code == 0
    assert "prose brought up to date, nothing executed: chapters/01-sum" in result.output
    assert check([pair], executed.root) == []


def test_kernels_run_in_the_notebook_folder_with_one_thread_each(book):
    pair = book.page(
        "exercises/01-a",
        "import os, sys\nfrom pathlib import Path\nprint(Path.cwd().name)",
        'print(os.environ["OMP_NUM_THREADS"], os.environ["PYTHONHASHSEED"])',
        ':tags: [raises-exception]\nraise ValueError("the lesson")',
        'for stream in (sys.stdout, sys.stderr, sys.stdout):\n    print("text", file=stream, flush=True)',
    )
    result = book.run("execute")
    assert result.exit_code == 0, result.output
    cells = read_notebook(pair).cells[1:]
    assert [cell.outputs[0].get("text") for cell in cells[:2]] == ["exercises\n", "1 0\n"]
    assert (cells[2].outputs[0].ename, cells[2].outputs[0].evalue) == ("ValueError", "the lesson")
    assert [(output.name, output.text) for output in cells[3].outputs] == [
        ("stdout", "text\ntext\n"),
        ("stderr", "text\n"),
    ]
    assert check([pair], book.root) == []


def test_two_notebooks_run_at_the_same_time(book):
    meeting = """import time
from pathlib import Path
Path("{mine}").touch()
deadline = time.monotonic() + 60
while not Path("{theirs}").exists():
    assert time.monotonic() < deadline, "nobody came"
    time.sleep(0.01)"""
    book.page("chapters/01-a", meeting.format(mine="a", theirs="b"))
    book.page("chapters/02-b", meeting.format(mine="b", theirs="a"))
    result = book.run("execute", "--jobs=2")
    assert result.exit_code == 0, result.output


def test_a_failing_cell_shows_itself_stops_the_queue_and_leaves_the_old_notebook(executed):
    pair = executed.pair("chapters/01-sum")
    before = pair.notebook.read_bytes()
    executed.edit(pair.source, "print(total)", "1 / (total - 42)")
    later = executed.page("chapters/02-later", "1")
    result = executed.run("execute", "--jobs=1")
    assert result.exit_code == 1
    for shown in (
        "failed: chapters/01-sum.md, cell 3 (1 / (total - 42))",
        "1 / (total - 42)\ntotal / 10\n",
        "ZeroDivisionError: division by zero",
        "not begun: chapters/02-later",
    ):
        assert shown in result.output
    assert "\x1b" not in result.output
    assert pair.notebook.read_bytes() == before
    assert not later.notebook.exists()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import time\ntime.sleep(60)", "still running after 1 s"),
        ("import os\nos._exit(1)", "the kernel died"),
    ],
    ids=["timeout", "death"],
)
def test_a_cell_that_hangs_or_kills_its_kernel_is_named(book, monkeypatch, code, reason):
    monkeypatch.setattr(executing, "CELL_TIMEOUT", 1)
    pair = book.page("chapters/01-a", code)
    result = book.run("execute")
    assert result.exit_code == 1
    assert "failed: chapters/01-a.md, cell 2 (import" in result.output
    assert reason in result.output
    assert not pair.notebook.exists()


def test_a_kernel_that_does_not_start_is_an_error_of_the_notebook(book, monkeypatch):
    book.page("chapters/01-a", "1")
    # A kernel with this environment ends before it answers.
    monkeypatch.setitem(executing.KERNEL_ENVIRONMENT, "PYTHONHOME", "/nowhere")
    result = book.run("execute")
    assert result.exit_code == 1
    assert "chapters/01-a.md: no kernel could be started" in result.output


# A cell that tells its process number and then never ends.
ENDLESS = """import os, time
from pathlib import Path
Path("part").write_text(str(os.getpid()))
Path("part").rename("pid")
time.sleep(100)"""


@pytest.fixture
def endless(executed):
    """A chapter that was executed once and now never ends."""
    pair = executed.pair("chapters/01-sum")
    executed.edit(pair.source, "total = 40 + 2", ENDLESS)
    return pair


def test_a_killed_process_leaves_the_old_notebook_and_no_kernel(executed, endless):
    before = endless.notebook.read_bytes()
    kernel = endless.source.with_name("pid")
    command = [sys.executable, "-c", "from coursebook.cli import app; app()"]
    with subprocess.Popen([*command, "execute", f"--root={executed.root}"]) as process:
        assert appears(kernel)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert ends(int(kernel.read_text(encoding="utf-8")))
    assert endless.notebook.read_bytes() == before
    assert list(endless.source.parent.glob(".*")) == []


@pytest.fixture
def interruptible():
    """React to an interrupt as in a terminal: a shell starts what it runs in the background deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_stops_every_kernel_and_leaves_the_old_notebooks(executed, endless):
    before = endless.notebook.read_bytes()
    second = executed.page("exercises/01-sum", ENDLESS)
    kernels = [pair.source.with_name("pid") for pair in (endless, second)]

    def interrupt_once_both_run():
        if all(appears(kernel) for kernel in kernels):
            os.kill(os.getpid(), signal.SIGINT)

    watcher = threading.Thread(target=interrupt_once_both_run)
    watcher.start()
    result = executed.run("execute", "--jobs=2")
    watcher.join()
    assert result.exit_code == 130
    assert "interrupted: what was finished is stored" in result.output
    assert all(ends(int(kernel.read_text(encoding="utf-8"))) for kernel in kernels)
    assert endless.notebook.read_bytes() == before
    assert not second.notebook.exists()


def test_an_interrupt_before_the_first_kernel_runs_nothing(executed):
    statuses = examine([executed.pair("chapters/01-sum")], executed.root)
    run = executing._Run(deque(statuses), listener=None)  # which nothing may call
    run.cancel()
    asyncio.run(run.drain(2))
    assert run.outcome == executing.Outcome()


def appears(path, seconds=60.0):
    """Wait for a file."""
    return _within(seconds, path.exists)


def ends(process, seconds=60.0):
    """Wait for a process that is not our child to be gone."""

    def gone():
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        return False

    return _within(seconds, gone)


def _within(seconds, condition):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False
