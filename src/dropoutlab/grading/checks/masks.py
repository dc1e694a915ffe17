"""What a dropout function does, read from its output: who is dropped, how survivors scale, what repeats.

Tolerances. A correct mask drops each of n units with an independent coin, so the fraction dropped has the
standard deviation √(pq/n); it is allowed Z = 6 of them. The normal approximation puts the chance that a
correct solution is refused by one such comparison at 2·10⁻⁹. An exercise compares fewer than twenty times, so
a correct solution is refused at most once in 10⁷ ways of drawing its masks. A given solution is treated alike
every time, because generators are fixed.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dropoutlab.grading.failure import Failed

Z = 6.0
RATES = (0.2, 0.7)  # neither is 0.5, where most mistakes are invisible, nor is one the other's q
SHAPE = (60, 200)  # examples, units
SMALL = (20, 50)  # for what needs many calls and no precision

Floats = NDArray[Any]
Kept = NDArray[np.bool_]
Factor = Callable[[float], float]
Mistakes = Sequence[tuple[str, Factor]]

# The factors that mistakes leave on the survivors of inverted dropout, and in its evaluation.
INVERTED: Mistakes = (
    ("no-scaling", lambda _: 1.0),
    ("scaled-twice", lambda p: 1 / (1 - p) ** 2),
    ("divides-by-p", lambda p: 1 / p),
    ("multiplies-by-keep", lambda p: 1 - p),
)
INVERTED_EVALUATION: Mistakes = (
    ("scaled-at-evaluation", lambda p: 1 - p),
    ("scaled-at-evaluation", lambda p: 1 / (1 - p)),
    ("scaled-at-evaluation", lambda p: p),
)
# And those of original dropout.
CLASSIC: Mistakes = (
    ("inverted-not-classic", lambda p: 1 / (1 - p)),
    ("multiplies-by-keep", lambda p: 1 - p),
    ("divides-by-p", lambda p: 1 / p),
)
CLASSIC_EVALUATION: Mistakes = (
    ("no-scaling", lambda _: 1.0),
    ("keep-drop-swapped", lambda p: p),
    ("scaled-twice", lambda p: (1 - p) ** 2),
)


@dataclass(frozen=True)
class Masked:
    """Input and output of one call, as ``(N, D)`` with one column for each unit that has a coin of its own.

    Args:
        p: the drop probability of the call.
        kept: who survived, ``(N, D)``.
        ratio: output over input, ``(N, D)``; its zeros are the dropped.
    """

    p: float
    kept: Kept
    ratio: Floats

    @property
    def dropped(self) -> float:
        """Fraction of units that were dropped."""
        return 1.0 - float(self.kept.mean())


def masked(p: float, x: Floats, y: Floats) -> Masked:
    """Read the mask of an elementwise dropout; ``x`` must hold no zero."""
    ratio = np.asarray(y, dtype=np.float64) / np.asarray(x, dtype=np.float64)
    return Masked(p, ratio != 0, ratio)


def tolerance(p: float, n: int) -> float:
    """Return Z standard deviations of a fraction of n coins."""
    return Z * math.sqrt(p * (1 - p) / n)


def check_structure(calls: list[Masked]) -> None:
    """Find units or examples that share a coin.

    Raises:
        Failed: they do.
    """
    for call in calls:
        kept = call.kept
        if kept.all() or not kept.any():
            continue  # nobody or everybody: that is told by the fraction
        if (kept == kept[:1]).all():
            seen = f"With p = {call.p} all {len(kept)} examples lost the same units."
            raise Failed("mask-shared-across-batch", seen)
        if (kept == kept[:, :1]).all():
            seen = f"With p = {call.p} every example lost either all of its units or none."
            raise Failed("mask-shared-across-units", seen)


def check_fraction(calls: list[Masked]) -> None:
    """Compare the fractions dropped with p, and with what mistakes would give.

    Raises:
        Failed: they differ by more than chance allows.
    """
    sizes = [call.kept.size for call in calls]
    seen = _sentence(f"with p = {call.p} it dropped {call.dropped:.1%}" for call in calls)
    if all(call.kept.all() for call in calls):
        raise Failed("inactive-in-training", "No unit was zero, whatever p.")
    bounds = [tolerance(call.p, n) for call, n in zip(calls, sizes, strict=True)]
    if all(abs(call.dropped - call.p) <= bound for call, bound in zip(calls, bounds, strict=True)):
        return
    if all(abs(call.dropped - (1 - call.p)) <= bound for call, bound in zip(calls, bounds, strict=True)):
        raise Failed("keep-drop-swapped", seen)
    # The widest binomial is that of a fair coin; two of them differ by √2 as much.
    if abs(calls[0].dropped - calls[1].dropped) <= math.sqrt(2) * tolerance(0.5, min(sizes)):
        raise Failed("p-hard-coded", seen)
    raise Failed("wrong-fraction", seen)


def check_scale(calls: list[Masked], right: Factor, mistakes: Mistakes, close: float) -> None:
    """Compare the factor on the survivors with the right one, and with what mistakes would give.

    Args:
        calls: one call for each rate.
        right: the factor for a drop probability.
        mistakes: codes with the factors that deserve them.
        close: relative difference that rounding may leave.

    Raises:
        Failed: it is another.
    """
    if all(has_factor(call, right, close) for call in calls):
        return
    seen = _sentence(
        f"with p = {call.p} the survivors were multiplied by {_range(call)}, not {right(call.p):.4g}"
        for call in calls
    )
    for code, mistake in mistakes:
        if all(has_factor(call, mistake, close) for call in calls):
            raise Failed(code, seen)
    if all(_by_realised_fraction(call, close) for call in calls):
        raise Failed("scaled-by-realised-fraction", seen)
    one = calls[0].ratio[calls[0].kept][0]
    if all(has_factor(call, lambda _: float(one), close) for call in calls):
        raise Failed("p-hard-coded", seen)
    raise Failed("wrong-scale", seen)


def check_randomness(draw: Callable[[float, Any], Masked], generator: Callable[[int], Any]) -> None:
    """Find masks that come back, that ignore their generator, or that drop by quota.

    Args:
        draw: calls the solution with p and a generator.
        generator: makes a generator from a seed.

    Raises:
        Failed: they do. Two masks of thousands of independent coins are never equal by chance.
    """
    p = 0.3
    source = generator(11)
    calls = [draw(p, source) for _ in range(7)]
    if any(np.array_equal(calls[0].kept, call.kept) for call in calls[1:]):
        raise Failed("mask-repeats", "Two calls in a row with one generator dropped the same units.")
    one, again, other = (draw(p, generator(seed)) for seed in (12, 12, 13))
    if not np.array_equal(one.kept, again.kept):
        raise Failed("ignores-generator", "Two generators with the same seed gave different masks.")
    if np.array_equal(one.kept, other.kept):
        raise Failed("mask-repeats", "Generators with different seeds gave the same mask.")
    # Seven binomial counts are all equal with a probability below (1/√(2π·n·p·q))⁶, 5·10⁻¹⁰ for n = 1000.
    counts = {int(call.kept.sum()) for call in calls}
    if len(counts) == 1:
        seen = f"Seven passes with p = {p} each kept exactly {counts.pop()} of {calls[0].kept.size} units."
        raise Failed("fixed-quota", seen)


def check_evaluation(calls: list[Masked], right: Factor, mistakes: Mistakes, close: float) -> None:
    """Compare evaluation, where nobody is dropped, with what it should give.

    Raises:
        Failed: it gives something else.
    """
    for call in calls:
        if not call.kept.all():
            seen = f"With p = {call.p} and training off, {call.dropped:.1%} of the units were zero."
            raise Failed("active-in-evaluation", seen)
    if all(has_factor(call, right, close) for call in calls):
        return
    seen = _sentence(
        f"with p = {call.p} evaluation multiplied by {_range(call)}, not {right(call.p):.4g}"
        for call in calls
    )
    for code, mistake in mistakes:
        if all(has_factor(call, mistake, close) for call in calls):
            raise Failed(code, seen)
    raise Failed("evaluation-changes-input", seen)


def has_factor(call: Masked, factor: Factor, close: float) -> bool:
    """Tell whether all survivors of a call have a factor."""
    return bool(np.allclose(call.ratio[call.kept], factor(call.p), rtol=close, atol=0))


def _sentence(parts: Iterable[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _range(call: Masked) -> str:
    survivors = call.ratio[call.kept]
    low, high = f"{survivors.min():.4g}", f"{survivors.max():.4g}"
    return low if low == high else f"{low} to {high}"


def _by_realised_fraction(call: Masked, close: float) -> bool:
    """Tell whether survivors are divided by the fraction kept, of everybody, of the row or of the column."""
    for axis in (None, 0, 1):
        fraction = call.kept.mean(axis=axis, keepdims=True)
        expected = np.broadcast_to(fraction, call.kept.shape)[call.kept]
        if np.allclose(call.ratio[call.kept] * expected, 1, rtol=close, atol=0):
            return True
    return False
