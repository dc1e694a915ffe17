"""Chapter 2: the lesion curve, the effective rank, the synergy of a pair."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dropoutlab.grading.checks.values import Case, Values, recognise
from dropoutlab.grading.learner import Learner

Head = Callable[[Values], Values]


def lesions(learner: Learner) -> None:
    """Error after each lesion, on a layer where the mean of a unit is far from zero."""
    cases: list[Case] = []
    for seed, n in ((1000, 6), (1001, 5)):
        rng = np.random.default_rng(seed)
        hidden = rng.normal(0, 1, (80, n)) + rng.uniform(1, 3, n)
        weight = rng.normal(0, 1, (3, n))
        # An offset for each class: at the end, with every unit at its mean, logits must not tie.
        offset = np.array([0.3, 0.0, -0.2]) - weight @ hidden.mean(0)

        def head(h: Values, weight: Values = weight, offset: Values = offset) -> Values:
            return h @ weight.T + offset

        noisy = head(hidden) + rng.normal(0, 0.5, (80, 3))
        cases.append((head, hidden, noisy.argmax(1), rng.permutation(n).tolist()))
    recognise(
        learner,
        cases,
        {
            "order-ignored": [lambda head, h, y, order: _curve(head, h, y, sorted(order))],
            "zero-not-mean": [lambda head, h, y, order: _curve(head, h, y, order, fill=0.0)],
            "not-cumulative": [
                lambda head, h, y, order: _curve(head, h, y, order, cumulative=False),
                lambda head, h, y, order: _curve(head, h, y, order, cumulative=False)[1:],
            ],
            "accuracy-not-error": [lambda head, h, y, order: 1 - _curve(head, h, y, order)],
            "start-missing": [
                lambda head, h, y, order: _curve(head, h, y, order)[1:],
                lambda head, h, y, order: _curve(head, h, y, order)[:-1],
            ],
        },
    )


def _curve(
    head: Head,
    hidden: Values,
    y: Values,
    order: list[int],
    *,
    fill: float | None = None,
    cumulative: bool = True,
) -> Values:
    changed, errors = hidden.copy(), [np.mean(head(hidden).argmax(1) != y)]
    for unit in order:
        if not cumulative:
            changed = hidden.copy()
        changed[:, unit] = hidden[:, unit].mean() if fill is None else fill
        errors.append(np.mean(head(changed).argmax(1) != y))
    return np.array(errors)


def rank(learner: Learner) -> None:
    """The effective rank of layers whose common level is far from zero."""
    cases: list[Case] = []
    for seed, (n, d) in ((1000, (40, 6)), (1001, (30, 3)), (1002, (8, 12))):
        rng = np.random.default_rng(seed)
        cases.append((rng.normal(0, 1, (n, d)) * rng.uniform(0.1, 3, d) + rng.uniform(1, 4, d),))
    recognise(
        learner,
        cases,
        {
            "not-centred": [
                lambda h: math.exp(_entropy(_spectrum(h))),
                lambda h: math.exp(_entropy(_spectrum(h - h.mean()))),
                lambda h: math.exp(_entropy(_spectrum(h - h.mean(1, keepdims=True)))),
            ],
            "squares-the-values": [lambda h: math.exp(_entropy(_spectrum(h - h.mean(0)) ** 2))],
            "entropy-not-exponentiated": [
                lambda h: _entropy(_spectrum(h - h.mean(0))),
                lambda h: _entropy(_spectrum(h - h.mean(0))) / math.log(2),
            ],
            "wrong-log-base": [
                lambda h: math.exp(_entropy(_spectrum(h - h.mean(0))) / math.log(2)),
                lambda h: 2 ** _entropy(_spectrum(h - h.mean(0))),
            ],
            "counts-directions": [
                lambda h: np.linalg.matrix_rank(h - h.mean(0)),
                np.linalg.matrix_rank,
            ],
            "sign-reversed": [lambda h: math.exp(-_entropy(_spectrum(h - h.mean(0))))],
        },
        close={"rtol": 1e-6, "atol": 1e-6},
    )


def one_direction(learner: Learner) -> None:
    """Where all activations lie on a line the rank is 1, and shares of zero must not spoil it."""
    line = np.outer([1.0, 2.0, 4.0, 8.0], [1.0, 0.0, -2.0])
    recognise(learner, [(line,)], {}, close={"rtol": 0, "atol": 1e-6})


def _spectrum(matrix: Values) -> Values:
    return np.asarray(np.linalg.svd(matrix, compute_uv=False), dtype=np.float64)


def _entropy(values: Values) -> float:
    share = values / values.sum()
    share = share[share > 0]
    return float(-(share * np.log(share)).sum())


def synergies(learner: Learner) -> None:
    """The interaction of pairs in three invented networks whose intact loss is not zero."""
    cases: list[Case] = []
    for losses in ((0.3, 0.5, 0.9, 1.6), (0.2, 0.7, 0.4, 0.75), (1.1, 1.0, 1.4, 1.3)):

        def loss(removed: Any, losses: tuple[float, ...] = losses) -> float:
            units = set(removed)
            return losses[(3 in units) + 2 * (5 in units)]

        cases.append((loss, 3, 5))
    recognise(
        learner,
        cases,
        {
            "baseline-forgotten": [
                lambda f, i, j: f((i, j)) - f((i,)) - f((j,)),
                lambda f, i, j: f((i, j)) - f(()) - f((i,)) - f((j,)),
            ],
            "sign-reversed": [lambda f, i, j: f((i,)) + f((j,)) - f(()) - f((i, j))],
            "maximum-not-sum": [
                lambda f, i, j: f((i, j)) - max(f((i,)), f((j,))),
                lambda f, i, j: f((i, j)) - f(()) - max(f((i,)), f((j,))),
            ],
            "half-the-sum": [lambda f, i, j: f((i, j)) - (f((i,)) + f((j,))) / 2],
        },
    )
