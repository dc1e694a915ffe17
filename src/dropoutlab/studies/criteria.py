"""How the rows of a study become a verdict: every function here returns a `Criterion`.

All of them compare means over seeds, or variances, by whole 95 % intervals. ``expect`` says what the claim
predicts; the opposite finding is *contradicted*, and an interval that holds the boundary is *inconclusive*.

Common to all: ``id`` names the criterion within its study, ``statement`` says what is true if it is
supported, ``metric`` is a column of the rows and ``arm`` one of the study's arms. Margins and bounds are in
the unit of the metric: 0.005 for half a percentage point. One that makes no sense raises `ValueError`.
"""

from collections.abc import Sequence
from typing import Literal

from dropoutlab.studies.compound import contrast, every, interaction, trend
from dropoutlab.studies.decide import Outcome
from dropoutlab.studies.measure import Criterion, linear, quotient, variances
from dropoutlab.studies.regions import Direction, around_zero, half_line, one_side, quotient_region, within

__all__ = [
    "Criterion",
    "Outcome",
    "best",
    "columns",
    "columns_equivalence",
    "columns_ratio",
    "contrast",
    "difference",
    "equivalence",
    "every",
    "interaction",
    "level",
    "ratio",
    "spread",
    "trend",
]


def difference(
    id: str,
    statement: str,
    *,
    metric: str,
    arm: str,
    against: str,
    expect: Direction,
    beyond: float = 0.0,
) -> Criterion:
    """Judge whether one arm's mean lies below (or above) another's, paired by seed.

    Args:
        id: name of the criterion.
        statement: what is true if it is supported.
        metric: column to compare.
        arm: the arm the statement is about.
        against: the arm it is compared with.
        expect: ``"lower"`` or ``"higher"``: the sign of ``arm - against`` that the statement predicts.
        beyond: smallest difference that counts, from 0 up, in the unit of the metric.

    Example:
        >>> import pandas as pd
        >>> rows = pd.DataFrame(
        ...     [("none", 1000, 5.0), ("none", 1001, 5.2), ("p", 1000, 4.1), ("p", 1001, 4.2)],
        ...     columns=["arm", "seed", "error"],
        ... )
        >>> claim = difference(
        ...     "helps", "p lowers the error", metric="error", arm="p", against="none", expect="lower"
        ... )
        >>> claim.rule
        'whole 95 % t-interval of error(p) − error(none), paired by seed, below 0'
        >>> claim.judge(rows).verdict
        'supported'
    """
    weights = {(arm, metric): 1.0, (against, metric): -1.0}
    return linear(id, statement, weights, half_line(expect, beyond), f"{metric}({arm}) − {metric}({against})")


def equivalence(id: str, statement: str, *, metric: str, arm: str, against: str, margin: float) -> Criterion:
    """Judge whether two arms differ by less than a margin that matters, paired by seed.

    The whole 95 % interval must lie within ±margin: two one-sided tests at 2.5 % each. The claim is
    *contradicted* if the whole interval lies beyond one of the margins.

    Args:
        id: name of the criterion.
        statement: what is true if it is supported, e.g. "B does as well as A to within half a point".
        metric: column to compare.
        arm: one arm.
        against: the other.
        margin: smallest difference that matters, positive.

    Source: Schuirmann (1987), J. Pharmacokinet. Biopharm. 15, 657-680.
    """
    weights = {(arm, metric): 1.0, (against, metric): -1.0}
    return linear(id, statement, weights, around_zero(margin), f"{metric}({arm}) − {metric}({against})")


def ratio(
    id: str,
    statement: str,
    *,
    metric: str,
    arm: str,
    against: str,
    expect: Literal["lower", "higher", "within"],
    bound: float = 1.0,
    low: float | None = None,
    high: float | None = None,
) -> Criterion:
    """Judge the quotient of two arms, as the mean of its logarithm over seeds; all values must be positive.

    Args:
        id: name of the criterion.
        statement: what is true if it is supported.
        metric: column to compare.
        arm: numerator.
        against: denominator.
        expect: ``"lower"`` or ``"higher"`` than ``bound``, or ``"within"`` ``low`` and ``high``.
        bound: positive; 1 asks only for the direction.
        low: lower end for ``"within"``.
        high: upper end for ``"within"``.
    """
    text = f"{metric}({arm}) / {metric}({against})"
    region = quotient_region(expect, bound, low, high)
    return quotient(id, statement, (arm, metric), (against, metric), text, region)


def level(
    id: str,
    statement: str,
    *,
    metric: str,
    arm: str,
    expect: Literal["lower", "higher", "within"],
    than: float | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Criterion:
    """Judge one arm's mean against a constant, or two constants with ``expect="within"``.

    Args:
        id: name of the criterion.
        statement: what is true if it is supported.
        metric: column to judge; a number that a study computes from several arms can be a metric, too.
        arm: the arm.
        expect: ``"lower"`` or ``"higher"`` than ``than``, or ``"within"`` ``low`` and ``high``.
        than: the constant.
        low: lower end for ``"within"``.
        high: upper end for ``"within"``.
    """
    region = within(low, high) if expect == "within" else one_side(expect, than)
    return linear(id, statement, {(arm, metric): 1.0}, region, f"{metric}({arm})")


def columns(
    id: str,
    statement: str,
    *,
    arm: str,
    metric: str,
    against: str,
    expect: Direction,
    beyond: float = 0.0,
) -> Criterion:
    """Judge the difference of two metrics of one arm, e.g. of two ways to read the same network.

    Args:
        id: name of the criterion.
        statement: what is true if it is supported.
        arm: the arm.
        metric: column that the statement is about.
        against: column that it is compared with, in the same unit.
        expect: sign of ``metric - against``.
        beyond: smallest difference that counts, from 0 up.
    """
    weights = {(arm, metric): 1.0, (arm, against): -1.0}
    return linear(id, statement, weights, half_line(expect, beyond), f"{metric}({arm}) − {against}({arm})")


def columns_equivalence(
    id: str, statement: str, *, arm: str, metric: str, against: str, margin: float
) -> Criterion:
    """Judge whether two metrics of one arm differ by less than a margin that matters; see `equivalence`."""
    weights = {(arm, metric): 1.0, (arm, against): -1.0}
    return linear(id, statement, weights, around_zero(margin), f"{metric}({arm}) − {against}({arm})")


def columns_ratio(
    id: str,
    statement: str,
    *,
    arm: str,
    metric: str,
    against: str,
    expect: Literal["lower", "higher", "within"],
    bound: float = 1.0,
    low: float | None = None,
    high: float | None = None,
) -> Criterion:
    """Judge the quotient of two metrics of one arm; see `ratio`."""
    text = f"{metric}({arm}) / {against}({arm})"
    region = quotient_region(expect, bound, low, high)
    return quotient(id, statement, (arm, metric), (arm, against), text, region)


def spread(
    id: str,
    statement: str,
    *,
    metric: str,
    arm: str,
    against: str,
    expect: Direction,
    bound: float = 1.0,
) -> Criterion:
    """Judge the ratio of two arms' variances over seeds; see `dropoutlab.studies.decide.decide_spread`.

    It leans on normality far more than a comparison of means does, and needs far more seeds: with 10 of them
    and unrelated arms the interval reaches from a quarter of the ratio to four times the ratio.

    Args:
        id: name of the criterion.
        statement: what is true if it is supported.
        metric: column whose spread is compared.
        arm: numerator.
        against: denominator.
        expect: whether Var(arm) / Var(against) is ``"lower"`` or ``"higher"`` than ``bound``.
        bound: positive; 1 asks only which of the two varies more.
    """
    text = f"Var {metric}({arm}) / Var {metric}({against})"
    region = quotient_region(expect, bound)
    return variances(id, statement, (arm, metric), (against, metric), text, region)


def best(
    id: str,
    statement: str,
    *,
    metric: str,
    arm: str,
    among: Sequence[str],
    expect: Direction,
    beyond: float = 0.0,
) -> Criterion:
    """Judge whether one arm is lower (or higher) than each of the others: `every` over their differences."""
    others = [other for other in among if other != arm]
    if not others:
        raise ValueError(f"best needs another arm than {arm!r} to compare with, got {list(among)}")
    parts = [
        difference(id, statement, metric=metric, arm=arm, against=other, expect=expect, beyond=beyond)
        for other in others
    ]
    return parts[0] if len(parts) == 1 else every(id, statement, *parts)
