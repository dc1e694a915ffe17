"""Time several ways of doing something fairly: interleaved, so that a busy moment hits all of them alike."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

Way = Callable[[], object]
# A timing is this long at least: long beside the clock's resolution, short beside another program's turn.
_LEAST_SECONDS = 0.005
# Medians settle long before. On a busy machine, where rounds take a hundred times as long, three must do.
_ENOUGH_SECONDS, _ENOUGH_ROUNDS = 12.0, 3


def medians(
    ways: Mapping[str, Way],
    repeats: int,
    inner: int | None = None,
    *,
    before: Mapping[str, Way] | None = None,
    warm: bool = True,
    on_round: Callable[[int, int], None] | None = None,
) -> dict[str, float]:
    """Return the median seconds of each way over interleaved repeats.

    Args:
        ways: name → what to time.
        repeats: rounds; in each of them every way runs once, in another order. There are fewer where they
            take longer than twelve seconds.
        inner: calls timed together; ``None`` takes as many as last five milliseconds, for each way.
        before: name → what to do before each timing of that way, untimed.
        warm: whether every way runs once untimed, as the first call allocates and fills caches.
        on_round: called with ``(rounds done, rounds)``.
    """
    names, prepare = list(ways), dict(before or {})
    calls = dict.fromkeys(names, inner or 1)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for name in names if warm else ():
        prepare.get(name, _nothing)()
        ways[name]()
        if inner is None:
            prepare.get(name, _nothing)()
            once = _seconds(ways[name], 1)
            calls[name] = max(1, math.ceil(_LEAST_SECONDS / max(once, 1e-9)))
    begun = time.perf_counter()
    for done in range(repeats):
        if done >= _ENOUGH_ROUNDS and time.perf_counter() - begun > _ENOUGH_SECONDS:
            break
        first = done % len(names)
        order = names[first:] + names[:first]
        gc.collect()  # else what one way left behind is collected at the cost of another
        for name in order if done % 2 == 0 else reversed(order):  # no way always follows the same other one
            prepare.get(name, _nothing)()
            seconds[name].append(_seconds(ways[name], calls[name]) / calls[name])
        if on_round is not None:
            on_round(done + 1, repeats)
    return {name: statistics.median(values) for name, values in seconds.items()}


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Fit ``seconds = c * sizes ** a`` by least squares of the logarithms, and return a."""
    x, y = [math.log(size) for size in sizes], [math.log(each) for each in seconds]
    return statistics.linear_regression(x, y).slope


@dataclass(frozen=True)
class Bench:
    """How thoroughly to measure, and who is told of the progress."""

    quick: bool = False
    listener: Callable[[str, int, int], None] = lambda _what, _done, _rounds: None

    def medians(
        self,
        what: str,
        ways: Mapping[str, Way],
        repeats: int,
        *,
        before: Mapping[str, Way] | None = None,
        warm: bool = True,
    ) -> dict[str, float]:
        """Time as `medians` does; a quick run only shows that everything works."""
        report = partial(self.listener, what)
        if self.quick:
            return medians(ways, 1, 1, before=before, warm=False, on_round=report)
        return medians(ways, repeats, before=before, warm=warm, on_round=report)


def _seconds(way: Way, calls: int) -> float:
    gc.disable()
    try:
        if calls > 1:
            way()  # the collection has emptied the caches, and waiting threads have gone to sleep
        start = time.perf_counter()
        for _ in range(calls):
            way()
        return time.perf_counter() - start
    finally:
        gc.enable()


def _nothing() -> None:
    pass
