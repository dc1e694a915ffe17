"""Where a quantity must lie for a claim to be true, and how an estimate relates to that."""

import math
from dataclasses import dataclass
from typing import Literal

from scipy import stats

from dropoutlab.stats import Verdict

Direction = Literal["lower", "higher"]


@dataclass(frozen=True)
class Region:
    """The open interval in which a quantity lies if the claim is true; one end may be infinite.

    Example:
        >>> margin = Region(-1, 1)
        >>> margin.verdict(-0.5, 0.9), margin.verdict(0.9, 1.1), margin.verdict(1.1, 2)
        ('supported', 'inconclusive', 'contradicted')
    """

    low: float = -math.inf
    high: float = math.inf

    def verdict(self, low: float, high: float) -> Verdict:
        """Judge by an interval: all of it within, all of it outside and on one side, or neither.

        An interval that only touches an end is *inconclusive*.
        """
        if self.low < low and high < self.high:
            return "supported"
        return "contradicted" if low > self.high or high < self.low else "inconclusive"

    def p_value(self, value: float, se: float, df: int) -> float:
        """Return the p-value that belongs to `verdict` for a t-distributed estimate (see `Outcome`)."""
        inside = min(value - self.low, self.high - value)  # distance to the nearer end, negative beyond it
        one_sided = t_tail(abs(inside), se, df)
        equivalence = math.isfinite(self.low) and math.isfinite(self.high)
        return one_sided if equivalence and inside >= 0 else 2 * one_sided

    def text(self) -> str:
        """Say where the interval must lie, e.g. ``"below 0"``."""
        if math.isinf(self.low):
            return f"below {number(self.high)}"
        if math.isinf(self.high):
            return f"above {number(self.low)}"
        return f"between {number(self.low)} and {number(self.high)}"


def number(value: float) -> str:
    """Write a number as short as it can be read back, with a typographic minus.

    Example:
        >>> number(-0.015), number(1.0)
        ('−0.015', '1')
    """
    exact = float(value)
    return (str(int(exact)) if exact.is_integer() else repr(exact)).replace("-", "−")


def t_tail(distance: float, se: float, df: int) -> float:
    """Return P(T > distance / se) for Student's T; runs that agree exactly have no error at all.

    Example:
        >>> round(t_tail(2.262157, 1.0, 9), 4), t_tail(0.1, 0.0, 9), t_tail(0.0, 0.0, 9)
        (0.025, 0.0, 0.5)
    """
    if se == 0:
        return 0.5 if distance == 0 else 0.0
    return float(stats.t.sf(distance / se, df))


def half_line(expect: Direction, beyond: float) -> Region:
    """Return the differences beyond a smallest one that counts, on the side that is expected.

    Raises:
        ValueError: ``beyond`` is negative or not finite, or ``expect`` is no direction.

    Example:
        >>> half_line("lower", 0.5).text()
        'below −0.5'
    """
    if not 0 <= beyond < math.inf:
        raise ValueError(f"beyond must be non-negative and finite, got {beyond}")
    return one_side(expect, 0.0 - beyond if side(expect) == "lower" else beyond)


def one_side(expect: str, than: float | None) -> Region:
    """Return everything lower, or everything higher, than a constant.

    Raises:
        ValueError: the constant is missing or not finite, or ``expect`` is no direction.
    """
    if than is None or not math.isfinite(than):
        raise ValueError(f'"{side(expect)}" needs a finite number to compare with, got {than}')
    return Region(high=than) if side(expect) == "lower" else Region(low=than)


def around_zero(margin: float) -> Region:
    """Return the differences too small to matter.

    Raises:
        ValueError: the margin is not positive and finite.
    """
    if not 0 < margin < math.inf:
        raise ValueError(f"margin must be positive and finite, got {margin}")
    return Region(-margin, margin)


def within(low: float | None, high: float | None) -> Region:
    """Return what lies between two ends.

    Raises:
        ValueError: an end is missing, infinite, or not in order.
    """
    if low is None or high is None or not -math.inf < low < high < math.inf:
        raise ValueError(f'"within" needs low < high, both finite, got low={low}, high={high}')
    return Region(low, high)


def quotient_region(expect: str, bound: float, low: float | None = None, high: float | None = None) -> Region:
    """Return a region for a quotient: one side of ``bound``, or ``"within"`` two positive ends.

    Raises:
        ValueError: an end is missing, not positive, or not in order.
    """
    if expect == "within":
        region = within(low, high)
        if region.low <= 0:
            raise ValueError(f"a quotient is positive: low must be above 0, got {low}")
        return region
    if not 0 < bound < math.inf:
        raise ValueError(f"bound must be positive and finite, got {bound}")
    return one_side(expect, bound)


def side(expect: str) -> str:
    """Check that ``expect`` is a direction, and return it.

    Raises:
        ValueError: it is neither ``"lower"`` nor ``"higher"``.
    """
    if expect not in ("lower", "higher"):
        raise ValueError(f'expect must be "lower" or "higher", got {expect!r}')
    return expect
