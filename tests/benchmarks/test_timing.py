"""Timing is fair: ways take turns, one slow moment changes nothing, preparation is not charged."""

import pytest
import timing
from timing import Bench, medians, slope


class Clock:
    """A clock that goes only when something says how long it took."""

    def __init__(self):
        self.now = 0.0

    def taking(self, seconds, log=None, name=""):
        """Make something that takes so long; a list of seconds is used up call by call."""
        left = iter(seconds if isinstance(seconds, list) else [])

        def way():
            self.now += next(left, 0.0) if isinstance(seconds, list) else seconds
            if log is not None:
                log.append(name)

        return way


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock.now)
    return clock


def test_ways_take_turns_in_changing_order(clock):
    log = []
    ways = {name: clock.taking(1.0, log, name) for name in "abc"}
    assert medians(ways, repeats=3, inner=1) == {"a": 1.0, "b": 1.0, "c": 1.0}
    assert "".join(log) == "abc" + "abc" + "acb" + "cab"  # the first three calls fill caches


def test_one_slow_moment_does_not_change_a_median(clock):
    ways = {"a": clock.taking([1.0, 2.0, 900.0, 3.0])}
    assert medians(ways, repeats=3, inner=1, warm=True) == {"a": 3.0}
    assert medians({"b": clock.taking([1.0, 2.0, 900.0])}, repeats=3, inner=1, warm=False) == {"b": 2.0}


def test_short_calls_are_timed_together(clock):
    log = []
    found = medians({"a": clock.taking(2**-10, log)}, repeats=2)  # a power of two: the clock adds exactly
    assert found["a"] == 2**-10
    # Once to allocate and once to see how short it is; then, twice, once to fill caches and 5 ms timed.
    assert len(log) == 2 + 2 * (1 + 6)
    log.clear()
    medians({"a": clock.taking(5.0, log)}, repeats=2)
    assert len(log) == 2 + 2


def test_preparation_is_not_charged(clock):
    log = []
    before = {"a": clock.taking(100.0, log, "prepare")}
    found = medians({"a": clock.taking(1.0, log, "a"), "b": clock.taking(1.0)}, 2, 1, before=before)
    assert found == {"a": 1.0, "b": 1.0}
    assert log == ["prepare", "a"] * 3


def test_a_busy_machine_gets_fewer_rounds_but_not_fewer_than_three(clock):
    seen = []
    medians({"a": clock.taking(20.0)}, repeats=50, inner=1, on_round=lambda *done: seen.append(done))
    assert seen == [(1, 50), (2, 50), (3, 50)]


def test_an_error_in_a_way_is_not_swallowed_and_collection_goes_on(clock):
    def broken():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        medians({"a": broken}, repeats=1, warm=False)
    assert timing.gc.isenabled()


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_the_slope_of_a_power_law_is_its_exponent(exponent):
    sizes = [1, 2, 4, 64]
    assert slope(sizes, [3e-6 * size**exponent for size in sizes]) == pytest.approx(exponent)


def test_a_quick_run_calls_each_way_once_and_reports(clock):
    log, seen = [], []
    bench = Bench(quick=True, listener=lambda *news: seen.append(news))
    assert bench.medians("both", {"a": clock.taking(1.0, log, "a")}, repeats=40) == {"a": 1.0}
    assert (log, seen) == (["a"], [("both", 1, 1)])
    assert Bench().medians("both", {"a": clock.taking(1.0, log, "a")}, repeats=4) == {"a": 1.0}
    assert log == ["a"] * (1 + 2 + 4)
