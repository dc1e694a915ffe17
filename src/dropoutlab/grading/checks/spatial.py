"""Spatial dropout: one coin for each map, which is one channel of one example."""

from typing import Any

import numpy as np

from dropoutlab.grading.checks import masks
from dropoutlab.grading.checks.masks import RATES, SHAPE, SMALL, Masked
from dropoutlab.grading.checks.values import as_array
from dropoutlab.grading.failure import Failed
from dropoutlab.grading.learner import Learner

_EXACT = 1e-9


def _inputs(shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(1000)
    values: np.ndarray = rng.uniform(1, 2, shape) * rng.choice([-1.0, 1.0], shape)
    return values


def maps(p: float, x: np.ndarray, y: np.ndarray, close: float = _EXACT) -> Masked:
    """Read the mask of whole maps ``(N, C, H, W)``; ``x`` must hold no zero.

    Raises:
        Failed: pixels of one map have coins of their own.
    """
    ratio = y / x
    kept = ratio != 0
    alone = (kept.all(axis=(2, 3)) | ~kept.any(axis=(2, 3))).mean()
    if alone < 1:
        seen = f"With p = {p}, {1 - alone:.0%} of the maps lost some of their pixels and kept others."
        raise Failed("mask-per-element", seen)
    low, high = ratio.min(axis=(2, 3)), ratio.max(axis=(2, 3))
    if not np.allclose(low, high, rtol=close, atol=0):
        raise Failed("wrong-scale", f"With p = {p} pixels of one map were multiplied by different factors.")
    return Masked(p, kept[:, :, 0, 0], high)


def _call(learner: Learner, p: float, training: bool, rng: Any, units: tuple[int, int] = SHAPE) -> Masked:
    x = _inputs((*units, 2, 3))
    return maps(p, x, as_array(learner(x, p, training, rng), x))


def check_maps(calls: list[Masked]) -> None:
    """Find maps that share a coin.

    Raises:
        Failed: they do.
    """
    try:
        masks.check_structure(calls)
    except Failed as failed:
        if failed.finding.code == "mask-shared-across-units":
            raise Failed("mask-shared-across-channels", str(failed)) from None
        raise


def training(learner: Learner) -> None:
    """Whole maps are 0 or x/q, by independent coins from the generator."""
    calls = [_call(learner, p, True, np.random.default_rng(k)) for k, p in enumerate(RATES)]
    check_maps(calls)
    masks.check_fraction(calls)
    masks.check_scale(calls, lambda p: 1 / (1 - p), masks.INVERTED, _EXACT)
    masks.check_randomness(lambda p, rng: _call(learner, p, True, rng, SMALL), np.random.default_rng)


def evaluation(learner: Learner) -> None:
    """Evaluation returns the input."""
    calls = [_call(learner, p, False, np.random.default_rng(5)) for p in RATES]
    masks.check_evaluation(calls, lambda _: 1.0, masks.INVERTED_EVALUATION, _EXACT)


def other_arrays(learner: Learner) -> None:
    """Shape and dtype are those of the input, also for float32 and for maps of one pixel."""
    for shape, dtype in (((3, 4, 5, 5), np.float32), ((3, 4, 1, 1), np.float64)):
        x = _inputs(shape).astype(dtype)
        for phase in (True, False):
            as_array(learner(x, 0.3, phase, np.random.default_rng(6)), x)
