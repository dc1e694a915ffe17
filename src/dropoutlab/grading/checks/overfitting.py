"""Chapter 1: paired intervals, early stopping, the L2 penalty."""

# A mistake takes all arguments and is one because it ignores some of them.
# ruff: noqa: ARG005

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import stats

from dropoutlab.grading.checks.values import Case, Values, recognise
from dropoutlab.grading.learner import Learner


def interval(learner: Learner) -> None:
    """The paired interval of samples of several sizes, among them two runs only."""
    rng = np.random.default_rng(1000)
    cases: list[Case] = []
    for n in (5, 10, 3, 2):
        common = rng.normal(5, 1, n)  # what both arms of a seed share
        cases.append((common + rng.normal(1, 0.3, n), common + rng.normal(0, 0.4, n)))
    recognise(
        learner,
        cases,
        {
            "sign-reversed": [lambda a, b: _interval(b - a)],
            "normal-not-t": [lambda a, b: _interval(a - b, quantile=1.959963984540054), _rounded_normal],
            "one-sided": [lambda a, b: _interval(a - b, level=0.95)],
            "population-sd": [lambda a, b: _interval(a - b, ddof=0)],
            "sd-not-se": [
                lambda a, b: _interval(a - b, root=1.0),
                lambda a, b: _interval(a - b, quantile=1.0, root=1.0),
            ],
            "unpaired": [_welch, _student],
        },
    )


def _interval(
    d: Values,
    *,
    level: float = 0.975,
    ddof: int = 1,
    quantile: float | None = None,
    root: float | None = None,
) -> tuple[float, float, float]:
    n = len(d)
    t = stats.t(n - 1).ppf(level) if quantile is None else quantile
    half = t * d.std(ddof=ddof) / (math.sqrt(n) if root is None else root)
    return d.mean(), d.mean() - half, d.mean() + half


def _rounded_normal(a: Values, b: Values) -> tuple[float, float, float]:
    return _interval(a - b, quantile=1.96)


def _welch(a: Values, b: Values) -> tuple[float, float, float]:
    low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    return a.mean() - b.mean(), low, high


def _student(a: Values, b: Values) -> tuple[float, float, float]:
    low, high = stats.ttest_ind(a, b).confidence_interval(0.95)
    return a.mean() - b.mean(), low, high


def stopping(learner: Learner) -> None:
    """The chosen epoch on curves that tell every known mistake from the rule."""
    curves: list[tuple[list[float], int]] = [
        ([1.0, 0.8, 0.7, 0.75, 0.72, 0.71, 0.5, 0.4], 3),  # the best of all comes after the stop
        ([1.0, 0.9, 0.95, 0.85, 0.9, 0.8, 0.85, 0.86, 0.87, 0.1], 3),  # improvements in between
        ([0.9, 0.8, 0.7, 0.6], 2),  # never stops
        ([0.5, 0.6, 0.4, 0.7], 1),  # stops at once
        ([0.5, 0.6, 0.4, 0.7, 0.8, 0.3], 2),
        ([1.0, 0.5, 0.5, 0.5, 0.4], 2),  # a plateau is no improvement
        ([1.0, 0.5, 0.6, 0.5, 0.5, 0.4], 4),
        ([1.0, 0.5, 0.6, 0.7, 0.4, 0.5, 0.6, 0.7, 0.1], 2),  # one epoch more or less changes the choice
        ([1.0, 0.9, 0.95, 0.8, 0.85, 0.7, 0.6], 2),  # two bad epochs, but not in a row
        ([3.0], 1),
    ]
    recognise(
        learner,
        curves,
        {
            "looks-ahead": [lambda losses, patience: int(np.argmin(losses))],
            "maximises": [lambda losses, patience: int(np.argmax(losses)), _stop_maximum],
            "stop-epoch-not-best": [lambda losses, patience: _stop(losses, patience, what="stop")],
            "patience-off-by-one": [
                lambda losses, patience: _stop(losses, patience + 1),
                lambda losses, patience: _stop(losses, patience - 1),
            ],
            "patience-not-reset": [lambda losses, patience: _stop(losses, patience, reset=False)],
            "ties-take-last": [lambda losses, patience: _stop(losses, patience, ties=True)],
        },
    )


def _stop(
    losses: Sequence[float], patience: int, *, what: str = "best", reset: bool = True, ties: bool = False
) -> int:
    best, waited = 0, 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[best] or (ties and losses[epoch] == losses[best]):
            best, waited = epoch, 0 if reset else waited
        else:
            waited += 1
            if waited >= patience:
                return epoch if what == "stop" else best
    return len(losses) - 1 if what == "stop" else best


def _stop_maximum(losses: Sequence[float], patience: int) -> int:
    return _stop([-loss for loss in losses], patience)


def penalty(learner: Learner) -> None:
    """The penalised loss of networks with several layers, none of whose biases is zero."""
    rng = np.random.default_rng(1000)
    cases: list[Case] = []
    for sizes, strength in (((4, 3), 0.1), ((5, 4, 2), 0.7), ((6, 3, 3, 2), 0.01)):
        weights = [rng.normal(0, 1, (b, a)) for a, b in pairwise(sizes)]
        biases = [rng.normal(0, 1, b) for b in sizes[1:]]
        cases.append((1.5, weights, biases, strength))

    def squares(arrays: Sequence[Any]) -> float:
        return sum(float((array**2).sum()) for array in arrays)

    recognise(
        learner,
        cases,
        {
            "half-missing": [lambda loss, w, b, s: loss + s * squares(w)],
            "penalises-biases": [
                lambda loss, w, b, s: loss + s / 2 * squares([*w, *b]),
                lambda loss, w, b, s: loss + s * squares([*w, *b]),
            ],
            "absolute-not-square": [
                lambda loss, w, b, s: loss + s * sum(np.abs(array).sum() for array in w),
                lambda loss, w, b, s: loss + s / 2 * sum(np.abs(array).sum() for array in w),
            ],
            "norm-not-squared": [
                lambda loss, w, b, s: loss + s / 2 * sum(math.sqrt(squares([array])) for array in w),
                lambda loss, w, b, s: loss + s * sum(math.sqrt(squares([array])) for array in w),
                lambda loss, w, b, s: loss + s / 2 * math.sqrt(squares(w)),
            ],
            "mean-not-sum": [
                lambda loss, w, b, s: loss + s / 2 * sum((array**2).mean() for array in w),
                lambda loss, w, b, s: loss + s / 2 * squares(w) / sum(array.size for array in w),
            ],
            "sign-reversed": [lambda loss, w, b, s: loss - s / 2 * squares(w)],
            "strength-ignored": [lambda loss, w, b, s: loss + squares(w) / 2, lambda loss, w, b, s: loss],
        },
    )
