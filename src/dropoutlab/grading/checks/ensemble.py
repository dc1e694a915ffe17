"""Chapter 3: averages over thinned networks, exact, by weight scaling, and by sampling."""

# A mistake takes all arguments and is one because it ignores some of them.
# ruff: noqa: ARG005

from collections.abc import Callable
from itertools import product

import numpy as np

from dropoutlab.grading.checks.values import Case, Values, numbers, recognise
from dropoutlab.grading.failure import Failed
from dropoutlab.grading.learner import Learner

Weighted = Callable[[Values, float], float]


def softmax(logits: Values, axis: int = -1) -> Values:
    """Return probabilities along an axis."""
    shifted = np.exp(logits - logits.max(axis=axis, keepdims=True))
    probabilities: Values = shifted / shifted.sum(axis=axis, keepdims=True)
    return probabilities


def _layers() -> list[Case]:
    cases: list[Case] = []
    for seed, (examples, units, classes), p in ((1000, (5, 4, 3), 0.2), (1001, (3, 6, 2), 0.7)):
        rng = np.random.default_rng(seed)
        hidden = rng.uniform(0.5, 2, (examples, units))
        cases.append((hidden, rng.normal(0, 1, (classes, units)), rng.normal(0, 1, classes), p))
    return cases


def _probability(mask: Values, p: float) -> float:
    return float(np.prod(np.where(mask, 1 - p, p)))


def _enumerated(
    *,
    weighted: Weighted = _probability,
    scale: Callable[[float], float] = lambda p: 1 / (1 - p),
    logits_only: bool = False,
    axis: int = -1,
    used: Callable[[Values], bool] = lambda mask: True,
    normalise: bool = False,
) -> Callable[[Values, Values, Values, float], Values]:
    """Return an exact average with something wrong in it."""

    def average(hidden: Values, weight: Values, bias: Values, p: float) -> Values:
        total, mass = np.zeros((len(hidden), len(weight))), 0.0
        for bits in product((0.0, 1.0), repeat=hidden.shape[1]):
            mask = np.array(bits)
            if used(mask):
                logits = (hidden * mask * scale(p)) @ weight.T + bias
                total += weighted(mask, p) * (logits if logits_only else softmax(logits, axis))
                mass += weighted(mask, p)
        if normalise:
            total /= mass
        return softmax(total) if logits_only else total

    return average


def exact(learner: Learner) -> None:
    """The average over all masks, for two layers and two rates."""
    recognise(
        learner,
        _layers(),
        {
            "masks-equally-likely": [_enumerated(weighted=lambda mask, p: 0.5 ** len(mask))],
            "keep-drop-swapped": [
                _enumerated(weighted=lambda mask, p: _probability(1 - mask, p)),
                _enumerated(weighted=lambda mask, p: _probability(1 - mask, p), scale=lambda p: 1 / p),
            ],
            "no-scaling": [_enumerated(scale=lambda p: 1.0)],
            "divides-by-p": [_enumerated(scale=lambda p: 1 / p)],
            "averages-logits": [_enumerated(logits_only=True)],
            "softmax-wrong-axis": [_enumerated(axis=0)],
            "mask-left-out": [
                _enumerated(used=lambda mask: bool(mask.any()), normalise=normalise)
                for normalise in (True, False)
            ]
            + [
                _enumerated(used=lambda mask: not mask.all(), normalise=normalise)
                for normalise in (True, False)
            ],
        },
    )


def weight_scaling(learner: Learner) -> None:
    """One pass with scaled weights, for two layers and two rates."""
    recognise(
        learner,
        _layers(),
        {
            "no-scaling": [lambda h, w, b, p: softmax(h @ w.T + b)],
            "keep-drop-swapped": [lambda h, w, b, p: softmax(h @ (p * w).T + b)],
            "bias-scaled": [lambda h, w, b, p: softmax((1 - p) * (h @ w.T + b))],
            "scaled-twice": [lambda h, w, b, p: softmax((1 - p) ** 2 * (h @ w.T) + b)],
            "wrong-scale": [lambda h, w, b, p: softmax(h @ w.T / (1 - p) + b)],
            "softmax-missing": [lambda h, w, b, p: (1 - p) * (h @ w.T) + b],
            "softmax-wrong-axis": [lambda h, w, b, p: softmax((1 - p) * (h @ w.T) + b, axis=0)],
        },
    )


def geometric(learner: Learner) -> None:
    """The normalised geometric mean of a few members."""
    cases: list[Case] = []
    for seed, shape in ((1000, (4, 5, 3)), (1001, (7, 2, 4))):
        rng = np.random.default_rng(seed)
        cases.append((softmax(2 * rng.normal(0, 1, shape)),))
    recognise(
        learner,
        cases,
        {
            "arithmetic-not-geometric": [lambda members: members.mean(axis=0)],
            "not-normalised": [
                lambda members: np.exp(np.log(members).mean(axis=0)),
                lambda members: members.prod(axis=0),
            ],
            "product-not-root": [lambda members: _normalised(members.prod(axis=0))],
            "softmax-twice": [lambda members: softmax(np.exp(np.log(members).mean(axis=0)))],
            "softmax-wrong-axis": [lambda members: softmax(np.log(members).mean(axis=0), axis=0)],
        },
    )


def many_members(learner: Learner) -> None:
    """The geometric mean of members so many that their product is no float any more."""
    members = softmax(2 * np.random.default_rng(1002).normal(0, 1, (3000, 2, 3)))
    right = np.asarray(learner.reference(members))
    result = numbers(learner(members))
    if result.shape != right.shape or not np.allclose(result, right, rtol=1e-6):
        seen = f"For {len(members)} members it gave {result.ravel()[0]:.3g}, and {right[0, 0]:.3g} is right."
        raise Failed("underflows", seen)


def _normalised(values: Values) -> Values:
    probabilities: Values = values / values.sum(axis=-1, keepdims=True)
    return probabilities


class _Network:
    """Random predictions whose calls are counted; each pass is drawn from a fixed generator."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.passes: list[Values] = []

    def predict(self, x: Values) -> Values:
        """Return the probabilities of one more pass."""
        rows = np.asarray(x).shape[0]
        self.passes.append(softmax(2 * self._rng.normal(0, 1, (rows, 3))))
        return self.passes[-1].copy()


def monte_carlo(learner: Learner) -> None:
    """The mean of exactly ``samples`` passes, whichever they are."""
    for samples in (7, 20, 1):
        network, x = _Network(samples), np.ones((4, 2))
        result = numbers(learner(network.predict, x, samples))
        _look_at_average(result, network.passes, samples)


def _look_at_average(result: Values, passes: list[Values], samples: int) -> None:
    if len(passes) == 0:
        raise Failed("wrong-sample-count", "`predict` was never called.")
    members = np.stack(passes)
    right = members.mean(axis=0)
    seen = f"For {samples} samples `predict` was called {len(passes)} times."
    if len(passes) == samples and result.shape == right.shape and np.allclose(result, right, rtol=1e-6):
        return
    if len(passes) != samples:
        one = len(passes) == 1 and result.shape == right.shape and np.allclose(result, right)
        raise Failed("one-pass-repeated" if one else "wrong-sample-count", seen)
    if result.shape != right.shape:
        raise Failed("wrong-shape", f"One pass has shape {right.shape}, the result {result.shape}.")
    votes = np.eye(right.shape[1])[members.argmax(axis=2)].mean(axis=0)
    geometric_mean = _normalised(np.exp(np.log(members).mean(axis=0)))
    candidates = (
        ("averages-votes", [votes]),
        ("geometric-not-arithmetic", [geometric_mean, np.exp(np.log(members).mean(axis=0))]),
        ("softmax-twice", [softmax(right), softmax(members).mean(axis=0)]),
        ("one-pass-repeated", [members[0], members[-1]]),
    )
    for code, wrong in candidates:
        if samples > 1 and any(np.allclose(result, values, rtol=1e-6) for values in wrong):
            raise Failed(
                code,
                f"The mean of one example's first class is {right[0, 0]:.4f}; it gave {result[0, 0]:.4f}.",
            )
    if samples > 1 and np.isfinite(result).all() and np.allclose(result / right, (result / right)[0, 0]):
        total = result.sum(axis=1)[0]
        raise Failed("wrong-divisor", f"The probabilities of one example sum to {total:.4g}.")
    raise Failed(
        "wrong-value",
        f"The mean of one example's first class is {right[0, 0]:.4f}; it gave {result[0, 0]:.4f}.",
    )
