"""From one number per seed to a verdict: where its interval lies, and how surprising that would be."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from dropoutlab.stats import Estimate, Verdict, mean_interval
from dropoutlab.studies.regions import Region, t_tail

LEVEL = 0.95

Sample = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What a study's rows say about one criterion.

    Attributes:
        verdict: *supported*, *contradicted* or *inconclusive*.
        effect: the estimate, in ``unit``.
        low: lower end of its 95 % interval.
        high: upper end of it.
        n: number of seeds it rests on.
        unit: unit of the metric; ``"ratio"`` for quotients, which have none.
        p_value: how surprising the data would be if the verdict that they lean to were wrong. Two-sided for
            claims with a direction; for claims of equivalence the larger of the two one-sided p-values, or,
            if the estimate is beyond a margin, twice the one-sided p-value of that margin. A small value
            decides, for or against the claim, so that Holm's correction can be applied to a family.
        bootstrap: BCa bootstrap interval, a check on the assumption of normality. It decides nothing, and is
            ``None`` where it is not defined, e.g. for runs that hardly differ.
        metric: name of the metric that ``unit`` belongs to.
    """

    verdict: Verdict
    effect: float
    low: float
    high: float
    n: int
    unit: str
    p_value: float | None
    bootstrap: tuple[float, float] | None = None
    metric: str = ""


def decide(sample: Sample, region: Region) -> tuple[Verdict, Estimate, float]:
    """Judge the mean of one number per seed by its 95 % t-interval.

    Args:
        sample: one value for each seed, ``(n,)``, n ≥ 2.
        region: where the mean lies if the claim is true.

    Returns:
        The verdict, the estimate with its interval, and the p-value.

    Raises:
        ValueError: fewer than two values, or a value that is not finite.

    Example:
        >>> verdict, estimate, p = decide(np.array([-1.2, -0.9, -1.1]), Region(high=0))
        >>> verdict, round(p, 4)
        ('supported', 0.0068)
    """
    estimate = mean_interval(sample, LEVEL)
    p = region.p_value(estimate.mean, estimate.se, estimate.n - 1)
    return region.verdict(estimate.low, estimate.high), estimate, p


def decide_spread(a: Sample, b: Sample, region: Region) -> tuple[Verdict, tuple[float, float, float], float]:
    r"""Judge :math:`\operatorname{Var} a / \operatorname{Var} b` of two arms that share their seeds.

    An F-interval needs independent samples, and arms with common seeds are not. For normal pairs with
    correlation r the ends are :math:`F (K \mp \sqrt{K^2 - 1})` with
    :math:`K = 1 + 2 (1 - r^2)\, t^2_{n-2} / (n - 2)`, whatever the correlation.

    Args:
        a: first arm, ``(n,)``, n ≥ 3.
        b: second arm, ``(n,)``, same seeds in the same order.
        region: where the ratio lies if the claim is true; a half-line with a positive end.

    Returns:
        The verdict, the ratio with the ends of its 95 % interval, and the two-sided p-value.

    Raises:
        ValueError: fewer than three pairs, or an arm without spread.

    Example:
        >>> a, b = np.array([1.0, 3.0, 5.0, 9.0]), np.array([1.0, 1.5, 2.5, 2.0])
        >>> verdict, (ratio, low, high), p = decide_spread(a, b, Region(low=1))
        >>> verdict, round(ratio, 1), low < 28 < high
        ('supported', 28.0, True)

    Source: Pitman (1939) and Morgan (1939), Biometrika 31, 9-12 and 13-19.
    """
    n = len(a)
    if n < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        raise ValueError(
            f"a ratio of variances needs three pairs or more and spread in both arms, got n = {n}"
        )
    ratio = float(a.var(ddof=1) / b.var(ddof=1))
    unshared = max(1 - float(np.corrcoef(a, b)[0, 1]) ** 2, 0.0)
    k = 1 + 2 * unshared * float(stats.t.ppf((1 + LEVEL) / 2, n - 2)) ** 2 / (n - 2)
    reach = k + math.sqrt(k**2 - 1)
    low, high = ratio / reach, ratio * reach
    scaled = ratio / (region.high if math.isinf(region.low) else region.low)
    p = 2 * t_tail(abs(scaled - 1), 2 * math.sqrt(scaled * unshared / (n - 2)), n - 2)
    return region.verdict(low, high), (ratio, low, high), p
