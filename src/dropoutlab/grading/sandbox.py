"""Run code that may raise, hang, print, change global state or end the process, and come back.

Where that is safe, the code runs in a forked child process. A notebook's functions need no pickling there,
nothing it changes reaches the parent, and a child can always be stopped. The child uses one thread only: the
pools of OpenMP and MKL do not survive a fork, and with a single thread none of them is used.

Forking is not safe on macOS, whose system libraries forbid it, nor beside an accelerator, whose threads
autograd would miss; Windows has no fork. There the code runs in a thread of this process. At the time limit
an exception is raised inside that thread, which ends everything but a call into C that never returns; such a
thread is left behind. ``os._exit`` ends the whole process there.
"""

import builtins
import contextlib
import ctypes
import faulthandler
import gc
import io
import json
import os
import select
import signal
import struct
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from dropoutlab.grading.failure import TimeLimit

GRACE = 1.0  # seconds after the limit in which the code may still end in an orderly way
_PRINTED = 600  # characters of what was printed that are kept
_MEMORY = 4 * 2**30  # bytes that a child may take on top of what its parent has

Job = Callable[[], Any]  # returns something that JSON can write


@dataclass(frozen=True)
class Outcome:
    """What came back.

    Args:
        value: what the job returned; ``None`` unless ``ending`` is ``"returned"``.
        ending: ``"returned"``, ``"timed-out"``, or ``"died"`` if the process ended on its own.
        printed: the beginning of what was printed.
    """

    value: Any
    ending: str
    printed: str = ""


def fork_is_safe() -> bool:
    """Tell whether a forked child can compute."""
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return False
    torch = sys.modules.get("torch")
    return torch is None or not torch.accelerator.is_available()


def run(job: Job, limit: float) -> Outcome:
    """Run a job and return within the limit and a little more, whatever the job does.

    Args:
        job: takes nothing and returns something that JSON can write.
        limit: seconds.

    Returns:
        Its outcome; nothing is raised for what happens inside.

    Example:
        >>> run(lambda: 6 * 7, limit=10).value
        42
    """
    return _in_child(job, limit) if fork_is_safe() else _in_thread(job, limit)


class _Capture(io.TextIOBase):
    """Keep the beginning of what is written and forget the rest."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        room = _PRINTED - len(self.text)
        if room > 0:
            self.text += str(text)[:room] + ("…" if len(text) > room else "")
        return len(text)

    def writable(self) -> bool:
        return True


def _in_child(job: Job, limit: float) -> Outcome:
    receiving, sending = os.pipe()
    with warnings.catch_warnings():
        # From Python 3.12 on forking a process with threads warns. The child takes no lock of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(receiving)
        _be_a_child(job, limit, sending)
    os.close(sending)
    try:
        content = _receive(receiving, time.monotonic() + limit + GRACE)
    finally:
        os.close(receiving)
        _stop(child)
    if content is None:
        return Outcome(None, "timed-out")
    try:
        value, ending, printed = json.loads(content)
    except ValueError:  # nothing, or something else than the child would send
        return Outcome(None, "died")
    return Outcome(value, ending, printed)


def _be_a_child(job: Job, limit: float, sending: int) -> NoReturn:  # pragma: no cover  (in a child)
    """Do the job, send the outcome and leave without any of the parent's farewells."""
    try:
        me = os.getpid()
        os.setsid()  # a group of its own, so that what it starts can be stopped with it
        gc.disable()  # the parent's objects are not ours to finalise
        faulthandler.disable()
        _take_little_memory()
        capture = _isolate()
        signal.signal(signal.SIGALRM, _raise_time_limit)
        # Again and again: a bare `except:` may swallow the first.
        signal.setitimer(signal.ITIMER_REAL, limit, GRACE / 5)
        try:
            outcome = [job(), "returned", capture.text]
        except TimeLimit:
            outcome = [None, "timed-out", capture.text]
        signal.setitimer(signal.ITIMER_REAL, 0)
        if os.getpid() == me:  # and not a process that the job forked
            content = json.dumps(outcome).encode()
            with os.fdopen(sending, "wb") as pipe:
                pipe.write(struct.pack("!Q", len(content)) + content)
    finally:
        os._exit(0)


def _isolate() -> _Capture:  # pragma: no cover  (in a child)
    """Cut the child off from the parent's terminal and threads."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    capture = _Capture()
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115  (it lives as long as the child)
    sys.stdout = sys.stderr = capture
    builtins.input = _no_input
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    return capture


def _no_input(*_: object) -> NoReturn:  # pragma: no cover  (in a child)
    raise EOFError("there is nobody to answer while the code is checked")


def _raise_time_limit(*_: object) -> NoReturn:  # pragma: no cover  (in a child)
    raise TimeLimit


def _take_little_memory() -> None:  # pragma: no cover  (in a child)
    """Turn a list that grows for ever into a MemoryError before the machine suffers."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # an aid; not every system has it
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + _MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _receive(descriptor: int, until: float) -> bytes | None:
    """Read one message; ``None`` at the deadline, nothing if the sender died before it was complete."""
    content = bytearray()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while True:
        if len(content) >= 8 and len(content) - 8 >= struct.unpack("!Q", content[:8])[0]:
            return bytes(content[8:])
        if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
            return None
        piece = os.read(descriptor, 65536)
        if not piece:
            return b""
        content += piece


def _stop(child: int) -> None:
    for stop in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            stop(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)


def _in_thread(job: Job, limit: float) -> Outcome:
    capture = _Capture()
    outcomes: list[Outcome] = []

    def target() -> None:
        try:
            outcomes.append(Outcome(job(), "returned", capture.text))
        except TimeLimit:
            outcomes.append(Outcome(None, "timed-out", capture.text))

    thread = threading.Thread(target=target, daemon=True)
    with contextlib.redirect_stdout(capture), contextlib.redirect_stderr(capture):
        thread.start()
        thread.join(limit)
        until = time.monotonic() + GRACE
        while thread.is_alive() and time.monotonic() < until:
            # Again and again: a bare `except:` may swallow the first.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident or 0), ctypes.py_object(TimeLimit)
            )
            thread.join(GRACE / 5)
    return outcomes[0] if outcomes else Outcome(None, "timed-out", capture.text)
