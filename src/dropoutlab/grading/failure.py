"""How a check stops: with a finding, or at the time limit."""

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from dropoutlab.grading.report import Finding, quoted

_HERE = str(Path(__file__).parent)


class Failed(Exception):  # noqa: N818  (it carries a finding, and is no error of the program)
    """A check has found something; the rest of its aspect would say the same again."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.finding = Finding(code, message)


class TimeLimit(BaseException):
    """The time is up. No ``Exception``, so that a learner's ``except Exception`` does not catch it."""


def explain(error: BaseException, function: Callable[..., object], call: str) -> Failed:
    """Turn what a learner's code raised into a finding that names the exception and the line.

    Args:
        error: what was raised.
        function: the learner's function.
        call: how it was called, e.g. ``f(x, p=0.2)``.

    Returns:
        The exception to raise in its place.
    """
    place = _place(error.__traceback__, function)
    if isinstance(error, TimeLimit):
        return Failed("timed-out", f"{call} was still running at the time limit{place}.")
    if isinstance(error, NotImplementedError):
        return Failed("not-implemented", f"{call} raised NotImplementedError{_said(error)}{place}.")
    if isinstance(error, SystemExit):
        return Failed("ended-the-process", f"{call} tried to end Python{place}.")
    return Failed("raised", f"{call} raised {type(error).__name__}{_said(error)}{place}.")


def _said(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # an exception's own __str__ is the learner's code as well
        text = ""
    return f": {quoted(text)}" if text.strip() else ""


def _place(trace: TracebackType | None, function: Callable[..., object]) -> str:
    """Say in which line of the learner's code it happened: the innermost one that is theirs."""
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    # The lookup of lines must not fail, whatever a learner did to files or to linecache.
    try:
        frames = traceback.extract_tb(trace)
        own = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
        own = own or [frame for frame in frames if not frame.filename.startswith(_HERE + os.sep)]
    except Exception:
        return ""
    if not own:
        return ""
    line = f": {quoted(own[-1].line)}" if own[-1].line else ""
    return f", in line {own[-1].lineno}{line}"
