import io
import time

import pytest
from rich.console import Console

from dropoutlab import cli_display
from dropoutlab.cli_display import RunProgress, comparisons, duration
from dropoutlab.studies.forecast import Progress
from dropoutlab.studies.verify import Comparison, Verification


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (61, "1 min 01 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (90_061, "25 h 01 min"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.fixture
def terminal(monkeypatch):
    """What is drawn on a terminal, and a clock that the test sets."""
    stream, clock = io.StringIO(), [100.0]
    monkeypatch.setattr(
        cli_display,
        "Console",
        lambda **_: Console(file=stream, force_terminal=True, width=120, legacy_windows=False),
    )
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return stream, clock


def test_the_bar_counts_down_between_two_estimates(terminal):
    stream, clock = terminal
    with RunProgress(refreshes=0.1) as progress:
        progress(Progress("toy", 4, 20, 130.0))
        for moment, expected in ((100.0, "about 2 min 10 s left"), (130.0, "about 1 min 40 s left")):
            clock[0] = moment
            progress._bar.refresh()
            assert expected in stream.getvalue()
        clock[0] = 500.0
        progress._bar.refresh()
        assert "any moment now" in stream.getvalue()
        progress(Progress("toy", 20, 20, 0.0))
    assert "4 of 20 runs" in stream.getvalue()
    assert "done" in stream.getvalue()


def test_without_work_no_bar_is_drawn(terminal):
    stream, _ = terminal
    with RunProgress():
        pass
    assert stream.getvalue() == ""


def test_a_row_with_a_single_metric_names_it():
    found = Verification((Comparison("none", 1000, "error", 0.1, 0.1, 0.0),), ())
    stream = io.StringIO()
    Console(file=stream, width=120).print(comparisons(found))
    assert stream.getvalue().splitlines()[1].split() == ["none", "1000", "error", "agrees"]
