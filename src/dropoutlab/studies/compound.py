"""Criteria over several arms, and criteria made of others; import them from `dropoutlab.studies.criteria`."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from dropoutlab.studies.decide import Outcome
from dropoutlab.studies.measure import Criterion, Generator, Term, linear, unique
from dropoutlab.studies.regions import Direction, half_line, number


def interaction(
    id: str,
    statement: str,
    *,
    metric: str,
    first: tuple[str, str],
    second: tuple[str, str],
    expect: Direction,
    beyond: float = 0.0,
) -> Criterion:
    """Judge whether an effect depends on something else: (a − b) − (c − d), computed within each seed.

    Args:
        id: name of the criterion.
        statement: what is true if it is supported.
        metric: column to compare.
        first: the arms (a, b).
        second: the arms (c, d); an arm may occur in both pairs.
        expect: sign of the difference of differences.
        beyond: smallest difference that counts, from 0 up.
    """
    weights: dict[Term, float] = {}
    for arm, sign in zip((*first, *second), (1.0, -1.0, -1.0, 1.0), strict=True):
        weights[arm, metric] = weights.get((arm, metric), 0.0) + sign
    a, b, c, d = (f"{metric}({arm})" for arm in (*first, *second))
    return linear(id, statement, weights, half_line(expect, beyond), f"({a} − {b}) − ({c} − {d})")


def contrast(
    id: str,
    statement: str,
    *,
    metric: str,
    weights: Mapping[str, float],
    expect: Direction,
    beyond: float = 0.0,
) -> Criterion:
    """Judge a weighted sum of arms, computed within each seed.

    Args:
        id: name of the criterion.
        statement: what is true if it is supported.
        metric: column to compare.
        weights: arm → weight, e.g. ``{"a": 1, "b": -0.5, "c": -0.5}`` for a against the mean of b and c.
        expect: sign of the sum.
        beyond: smallest sum that counts, from 0 up.
    """
    text = " ".join(
        f"{'+' if w >= 0 else '−'} {number(abs(w))}·{metric}({arm})" for arm, w in weights.items()
    )
    terms = {(arm, metric): float(weight) for arm, weight in weights.items()}
    return linear(id, statement, terms, half_line(expect, beyond), text)


def trend(
    id: str,
    statement: str,
    *,
    metric: str,
    x: Mapping[str, float],
    expect: Direction,
    beyond: float = 0.0,
) -> Criterion:
    """Judge the least-squares slope of a metric over arms, one slope for each seed.

    Args:
        id: name of the criterion.
        statement: what is true if it is supported.
        metric: column to compare; the effect is in its unit per unit of ``x``.
        x: arm → its place on the axis, e.g. ``{"p 0": 0.0, "p 0.5": 0.5}``.
        expect: sign of the slope.
        beyond: smallest slope that counts, from 0 up.
    """
    places = np.array(list(x.values()), dtype=float)
    if len(places) < 2 or np.ptp(places) == 0:
        raise ValueError(f"a trend needs at least two different places on its axis, got {dict(x)}")
    centred = places - places.mean()
    weights = centred / (centred**2).sum()
    terms = {(arm, metric): float(weight) for arm, weight in zip(x, weights, strict=True)}
    text = f"the slope of {metric} over " + ", ".join(f"{arm} = {number(at)}" for arm, at in x.items())
    return linear(id, statement, terms, half_line(expect, beyond), text)


def every(id: str, statement: str, *criteria: Criterion) -> Criterion:
    """Judge a claim that holds only if all its parts do.

    *Supported* if all parts are, *contradicted* if any part is. The effect shown is that of the weakest part:
    the contradicted part with the smallest p-value, else, among the least decided parts, the one with the
    largest. The p-value is the largest of the parts; for a contradiction it is the smallest among the
    contradicted parts times the number of parts (Bonferroni), since any of them might have been the one.
    """
    if len(criteria) < 2:
        raise ValueError(f"every joins at least two criteria, got {len(criteria)}")

    def measure(rows: pd.DataFrame, generator: Generator | None) -> Outcome:
        children = generator.spawn(len(criteria)) if generator else [None] * len(criteria)
        parts = [part.measure(rows, child) for part, child in zip(criteria, children, strict=True)]
        contradicted = [part for part in parts if part.verdict == "contradicted"]
        if contradicted:
            weakest = min(contradicted, key=_p_value)
            return replace(weakest, p_value=min(1.0, len(parts) * _p_value(weakest)))
        undecided = [part for part in parts if part.verdict == "inconclusive"]
        return replace(max(undecided or parts, key=_p_value), p_value=max(map(_p_value, parts)))

    return Criterion(
        id,
        statement,
        "; and ".join(part.rule for part in criteria),
        unique([arm for part in criteria for arm in part.arms]),
        unique([metric for part in criteria for metric in part.metrics]),
        measure,
    )


def _p_value(outcome: Outcome) -> float:
    assert outcome.p_value is not None  # every constructor of this module computes one
    return outcome.p_value
