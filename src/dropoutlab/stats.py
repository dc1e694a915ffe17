"""Estimates with intervals, paired comparisons and verdicts; the arithmetic is SciPy's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Verdict = Literal["supported", "contradicted", "inconclusive"]


@dataclass(frozen=True)
class Estimate:
    """A mean over independent replicas and its confidence interval.

    Attributes:
        mean: the estimate.
        low: lower end of the interval.
        high: upper end of the interval.
        sd: standard deviation over replicas (ddof = 1): the spread of *one* run, not of the mean.
        n: number of replicas.
        level: confidence level of the interval, e.g. 0.95.
    """

    mean: float
    low: float
    high: float
    sd: float
    n: int
    level: float

    @property
    def se(self) -> float:
        """Standard error of the mean, ``sd / sqrt(n)``."""
        return self.sd / math.sqrt(self.n)

    def __format__(self, spec: str) -> str:
        """Format as ``mean [low, high]``, with a typographic minus.

        A ``%`` spec multiplies by 100 without writing the sign: the reader of a change in an error rate needs
        to be told that the unit is percentage points, and the text around the number says so.
        """
        scale, spec = (100, spec[:-1] + "f") if spec.endswith("%") else (1, spec)
        mean, low, high = (f"{scale * value:{spec}}" for value in (self.mean, self.low, self.high))
        return f"{mean} [{low}, {high}]".replace("-", "−")


def mean_interval(values: ArrayLike, level: float = 0.95) -> Estimate:
    r"""Estimate a mean with Student's t-interval :math:`\bar x \pm t_{n-1}\, s/\sqrt n`.

    Args:
        values: one number per independent replica, ``(n,)``, n ≥ 2.
        level: confidence level in (0, 1).

    Returns:
        The mean, its interval, the SD over replicas and n.

    Raises:
        ValueError: fewer than two values, a value that is not finite, or a level outside (0, 1).

    Example:
        >>> f"{mean_interval([1.0, 2.0, 3.0]):.2f}"
        '2.00 [−0.48, 4.48]'

    Source: Student (1908), "The probable error of a mean", Biometrika 6.
    """
    x = _sample(values)
    _check_level(level)
    mean, sd, n = float(x.mean()), float(x.std(ddof=1)), len(x)
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * sd / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half, sd, n, level)


def paired_difference(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Estimate:
    r"""Estimate the mean of :math:`a_i - b_i` over replicas that share their seed.

    Pairing removes what both arms have in common (a hard draw of the data hits both), so the interval
    is usually much shorter than that of two unrelated samples.

    Args:
        a: metric of the first arm, ``(n,)``.
        b: metric of the second arm, ``(n,)``, same seeds in the same order.
        level: confidence level in (0, 1).

    Returns:
        The t-interval of the mean difference.

    Raises:
        ValueError: the arms differ in length; else as `mean_interval`.

    Example:
        >>> f"{paired_difference([3.0, 4.0, 6.0], [1.0, 2.0, 3.0]):.2f}"
        '2.33 [0.90, 3.77]'
    """
    x, y = _sample(a), _sample(b)
    if len(x) != len(y):
        raise ValueError(f"paired arms need one value per shared seed, got {len(x)} and {len(y)} values")
    return mean_interval(x - y, level)


def bootstrap_interval(values: ArrayLike, rng: np.random.Generator, level: float = 0.95) -> Estimate:
    """Estimate a mean with the bias-corrected and accelerated bootstrap, as a check on the t-interval.

    Args:
        values: one number per independent replica, ``(n,)``, n ≥ 2.
        rng: source of the 10,000 resamples.
        level: confidence level in (0, 1).

    Returns:
        The mean and its bootstrap interval; a sample without spread has an interval of length 0.

    Raises:
        ValueError: as `mean_interval`.

    Example:
        >>> estimate = bootstrap_interval([1.0, 2.0, 3.0, 5.0], np.random.default_rng(1))
        >>> estimate.low < 2.75 < estimate.high
        True

    Source: Efron (1987), "Better bootstrap confidence intervals", JASA 82.
    """
    x = _sample(values)
    _check_level(level)
    mean, sd = float(x.mean()), float(x.std(ddof=1))
    if np.ptp(x) == 0:  # the acceleration constant would be 0/0; rounding can leave sd a little above 0
        return Estimate(mean, mean, mean, sd, len(x), level)
    interval = stats.bootstrap(
        (x,), np.mean, n_resamples=10_000, confidence_level=level, method="BCa", rng=rng
    ).confidence_interval
    return Estimate(mean, float(interval.low), float(interval.high), sd, len(x), level)


def proportion_interval(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval for a proportion.

    Args:
        successes: number of successes, in ``[0, n]``.
        n: number of independent trials, at least 1.
        level: confidence level in (0, 1).

    Returns:
        Lower and upper end.

    Raises:
        ValueError: counts that are impossible, or a level outside (0, 1).

    Example:
        >>> low, high = proportion_interval(3, 10)
        >>> round(low, 3), round(high, 3)
        (0.108, 0.603)

    Source: Wilson (1927), JASA 22, 209-212.
    """
    _check_level(level)
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"successes must lie in [0, n] with n at least 1, got {successes} of {n}")
    interval = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)


def verdict(difference: Estimate, expected: Literal["positive", "negative"]) -> Verdict:
    """Judge the claim that a difference has a sign by where its interval lies.

    Args:
        difference: estimate of the difference with its interval.
        expected: the sign that the claim predicts.

    Returns:
        *supported* if the whole interval has the expected sign, *contradicted* if the whole interval has
        the other one, else *inconclusive*. An interval that touches 0 is inconclusive.

    Raises:
        ValueError: ``expected`` is neither of the two words.

    Example:
        >>> verdict(mean_interval([1.0, 1.2, 0.9]), "positive")
        'supported'
    """
    if expected not in ("positive", "negative"):
        raise ValueError(f'expected must be "positive" or "negative", got {expected!r}')
    low, high = difference.low, difference.high
    if expected == "negative":
        low, high = -high, -low
    if low > 0:
        return "supported"
    return "contradicted" if high < 0 else "inconclusive"


def equivalent(difference: Estimate, margin: float) -> Verdict:
    """Judge the claim that a difference is too small to matter: two one-sided tests (TOST).

    The two tests at level α are the same as asking whether the 1 − 2α interval lies within ±margin. Pass an
    estimate with ``level=0.90`` for tests at 5 %; a 95 % interval makes the tests stricter (2.5 %).

    Args:
        difference: estimate of the difference with its interval.
        margin: smallest difference that matters, positive, in the units of the estimate.

    Returns:
        *supported* if the interval lies strictly within ±margin, *contradicted* if all of it is at least as
        far from 0 as the margin and on one side, else *inconclusive*.

    Raises:
        ValueError: the margin is not positive and finite.

    Example:
        >>> equivalent(mean_interval([0.01, -0.02, 0.0, 0.01]), margin=0.1)
        'supported'

    Source: Schuirmann (1987), J. Pharmacokinet. Biopharm. 15, 657-680.
    """
    if not 0 < margin < math.inf:
        raise ValueError(f"margin must be positive and finite, got {margin}")
    if -margin < difference.low and difference.high < margin:
        return "supported"
    outside = difference.low >= margin or difference.high <= -margin
    return "contradicted" if outside else "inconclusive"


def variance_ratio(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    r"""Estimate :math:`\operatorname{Var} a / \operatorname{Var} b` of two independent normal samples.

    Args:
        a: first sample, ``(n,)``.
        b: second sample, ``(m,)``; its variance must not be 0.
        level: confidence level in (0, 1).

    Returns:
        The ratio of sample variances and the ends of the F-interval. It leans on normality far more than a
        t-interval does; with few runs read it as an order of magnitude.

    Raises:
        ValueError: as `mean_interval`, or the second sample has no spread.

    Example:
        >>> ratio, low, high = variance_ratio([1.0, 3.0, 5.0], [1.0, 2.0, 3.0])
        >>> ratio, low < 4 < high
        (4.0, True)

    Source: Snedecor and Cochran (1989), Statistical Methods, section 6.12.
    """
    x, y = _sample(a), _sample(b)
    _check_level(level)
    if np.ptp(y) == 0:  # rounding can leave the variance a little above 0
        raise ValueError(f"the second sample has no spread: all {len(y)} values are {y[0]}")
    ratio = float(x.var(ddof=1) / y.var(ddof=1))
    f = stats.f(len(x) - 1, len(y) - 1)
    return ratio, ratio / float(f.ppf((1 + level) / 2)), ratio / float(f.ppf((1 - level) / 2))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that testing the whole family errs with at most the stated probability.

    The i-th smallest of m p-values is multiplied by m − i + 1, made monotone and capped at 1.

    Args:
        p_values: raw p-values, each in [0, 1].

    Returns:
        Adjusted p-values in the given order; an empty family stays empty.

    Raises:
        ValueError: a p-value is outside [0, 1] or NaN.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]

    Source: Holm (1979), Scand. J. Statist. 6, 65-70.
    """
    p = np.asarray(p_values, dtype=float)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values must lie in [0, 1], got {list(p_values)}")
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return [float(value) for value in adjusted]


def _sample(values: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or len(x) < 2:
        raise ValueError(f"an interval needs at least two replicas in one dimension, got shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"every value must be finite, got {int((~np.isfinite(x)).sum())} that are not")
    return x


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"confidence level must lie in (0, 1), got {level}")
