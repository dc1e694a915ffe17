"""What every criterion is made of: one number per seed out of the rows, and the region it must lie in."""

import hashlib
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from dropoutlab.stats import bootstrap_interval
from dropoutlab.studies.decide import LEVEL, Outcome, Sample, decide, decide_spread
from dropoutlab.studies.regions import Region

Generator = np.random.Generator
Measure = Callable[[pd.DataFrame, Generator | None], Outcome]
Term = tuple[str, str]  # an arm and a metric: one number for each seed


@dataclass(frozen=True)
class Criterion:
    """A rule, fixed before the run, that turns rows into a verdict.

    Attributes:
        id: kebab-case, unique within the study.
        statement: what is true if the verdict is *supported*.
        rule: how it is decided, in words; generated from the numbers that decide.
        arms: arms whose rows it reads.
        metrics: columns it reads.
        measure: applies the rule to rows; the generator is for the bootstrap check, ``None`` leaves it out.
    """

    id: str
    statement: str
    rule: str
    arms: tuple[str, ...]
    metrics: tuple[str, ...]
    measure: Measure

    def judge(self, rows: pd.DataFrame, study: str = "") -> Outcome:
        """Apply the rule.

        Args:
            rows: columns ``arm``, ``seed`` and the metrics; one row for each arm and seed.
            study: name of the study; with ``id`` it seeds the bootstrap, so that its interval never changes.

        Returns:
            The outcome; its unit is empty where the metric's own is meant (`dropoutlab.studies.reading.judge`
            fills it in).

        Raises:
            ValueError: rows are missing, doubled or not paired, or a value is not finite.
        """
        seed = hashlib.sha256(f"{study}:{self.id}".encode()).digest()
        return self.measure(rows, np.random.default_rng(int.from_bytes(seed[:8], "big")))


def linear(id: str, statement: str, weights: Mapping[Term, float], region: Region, text: str) -> Criterion:
    """Judge the mean over seeds of a weighted sum of arms and metrics."""

    def measure(rows: pd.DataFrame, generator: Generator | None) -> Outcome:
        values = paired(rows, list(weights))
        sample = np.tensordot(np.array(list(weights.values())), np.stack(values), axes=1)
        verdict, estimate, p = decide(sample, region)
        return Outcome(
            verdict=verdict,
            effect=estimate.mean,
            low=estimate.low,
            high=estimate.high,
            n=estimate.n,
            unit="",
            p_value=p,
            bootstrap=_bootstrap(sample, generator),
            metric=next(iter(weights))[1],
        )

    by_seed = ", paired by seed," if len(weights) > 1 else ""
    rule = f"whole 95 % t-interval of {text}{by_seed} {region.text()}"
    return _over(id, statement, rule, list(weights), measure)


def quotient(id: str, statement: str, above: Term, below: Term, text: str, region: Region) -> Criterion:
    """Judge the mean over seeds of the logarithm of a quotient; effect and interval are quotients again."""
    ends = Region(*(math.log(end) if end > 0 else -math.inf for end in (region.low, region.high)))

    def measure(rows: pd.DataFrame, generator: Generator | None) -> Outcome:
        a, b = paired(rows, [above, below])
        for (arm, metric), values in ((above, a), (below, b)):
            if (values <= 0).any():
                raise ValueError(
                    f"a quotient needs positive values, got {metric} = {values.min()} in {arm!r}"
                )
        sample = np.log(a / b)
        verdict, estimate, p = decide(sample, ends)
        check = _bootstrap(sample, generator)
        return Outcome(
            verdict=verdict,
            effect=math.exp(estimate.mean),
            low=math.exp(estimate.low),
            high=math.exp(estimate.high),
            n=estimate.n,
            unit="ratio",
            p_value=p,
            bootstrap=None if check is None else (math.exp(check[0]), math.exp(check[1])),
            metric=above[1],
        )

    rule = f"whole 95 % t-interval of the geometric mean of {text}, paired by seed, {region.text()}"
    return _over(id, statement, rule, [above, below], measure)


def variances(id: str, statement: str, above: Term, below: Term, text: str, region: Region) -> Criterion:
    """Judge the ratio of the variances over seeds."""

    def measure(rows: pd.DataFrame, generator: Generator | None) -> Outcome:
        a, b = paired(rows, [above, below])
        verdict, (value, low, high), p = decide_spread(a, b, region)
        return Outcome(
            verdict=verdict,
            effect=value,
            low=low,
            high=high,
            n=len(a),
            unit="ratio",
            p_value=p,
            bootstrap=_spread_bootstrap(a, b, generator),
            metric=above[1],
        )

    rule = f"whole 95 % interval (Pitman and Morgan) of {text}, paired by seed, {region.text()}"
    return _over(id, statement, rule, [above, below], measure)


def paired(rows: pd.DataFrame, terms: Sequence[Term]) -> list[Sample]:
    """Return one array for each (arm, metric), all in the order of the seeds that they share.

    Raises:
        ValueError: rows are missing, doubled or not paired, or a value is not finite.

    Example:
        >>> rows = pd.DataFrame({"arm": list("abab"), "seed": [2, 1, 1, 2], "x": [1.0, 2.0, 3.0, 4.0]})
        >>> [values.tolist() for values in paired(rows, [("a", "x"), ("b", "x")])]
        [[3.0, 1.0], [2.0, 4.0]]
    """
    series = [_by_seed(rows, arm, metric) for arm, metric in terms]
    for (arm, _), values in zip(terms, series, strict=True):
        if not values.index.equals(series[0].index):
            odd = sorted(values.index.symmetric_difference(series[0].index))
            raise ValueError(
                f"arms {terms[0][0]!r} and {arm!r} must share their seeds, got {odd} in one only"
            )
    return [np.asarray(values, dtype=np.float64) for values in series]


def unique(names: Sequence[str]) -> tuple[str, ...]:
    """Drop repetitions and keep the order."""
    return tuple(dict.fromkeys(names))


def _over(id: str, statement: str, rule: str, terms: Sequence[Term], measure: Measure) -> Criterion:
    arms, metrics = zip(*terms, strict=True)
    return Criterion(id, statement, rule, unique(arms), unique(metrics), measure)


def _by_seed(rows: pd.DataFrame, arm: str, metric: str) -> "pd.Series[float]":
    if metric not in rows.columns:
        raise ValueError(f"no column {metric!r}; the columns are {', '.join(rows.columns)}")
    values = rows.loc[rows["arm"] == arm].set_index("seed")[metric].sort_index()
    if values.empty:
        raise ValueError(f"no rows for arm {arm!r}; the arms are {', '.join(sorted(set(rows['arm'])))}")
    if values.index.has_duplicates:
        raise ValueError(f"arm {arm!r} needs one row for each seed, got several for some")
    if not np.isfinite(np.asarray(values, dtype=np.float64)).all():
        raise ValueError(f"{metric} of arm {arm!r} is not finite for every seed; a criterion cannot read it")
    return values


def _bootstrap(sample: Sample, generator: Generator | None) -> tuple[float, float] | None:
    if generator is None:
        return None
    with _defined_or_nan():
        estimate = bootstrap_interval(sample, generator, LEVEL)
    return _finite(estimate.low, estimate.high)


def _spread_bootstrap(a: Sample, b: Sample, generator: Generator | None) -> tuple[float, float] | None:
    if generator is None:
        return None
    # A resample that is one pair over and over has no variance: the floor keeps its logarithm finite.
    floor = np.finfo(np.float64).tiny

    def log_ratio(x: Sample, y: Sample, axis: int = -1) -> Sample:
        above, below = (np.log(np.maximum(values.var(axis, ddof=1), floor)) for values in (x, y))
        return np.asarray(above - below)

    with _defined_or_nan():
        interval = stats.bootstrap(
            (a, b),
            log_ratio,
            paired=True,
            n_resamples=10_000,
            confidence_level=LEVEL,
            method="BCa",
            rng=generator,
        ).confidence_interval
    return _finite(math.exp(interval.low), math.exp(interval.high))


@contextmanager
def _defined_or_nan() -> Iterator[None]:
    """Let the bootstrap give NaN in silence where a sample has hardly any spread, or hardly any values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _finite(low: float, high: float) -> tuple[float, float] | None:
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None
