"""Inverted dropout in NumPy."""

import numpy as np

from dropoutlab.grading.checks import scaling
from dropoutlab.grading.exercise import Exercise


def inverted_dropout(
    x: np.ndarray, p: float, training: bool, rng: np.random.Generator
) -> np.ndarray:
    """Zero each element of ``x`` with probability ``p`` and divide the
    others by q = 1 − p.

    Each element has a coin of its own, drawn from ``rng``. In evaluation
    (``training`` is False) the result equals ``x``. It has the shape and
    the dtype of ``x``, and ``x`` itself is not changed. 0 ≤ p < 1.
    """
    if not training:
        return x
    keep = rng.random(x.shape) >= p
    return x * keep / (1 - p)


EXERCISE = Exercise(
    name="inverted_dropout",
    chapter="04-scaling",
    title="Inverted dropout in NumPy",
    difficulty=1,
    minutes=15,
    todo="draw a mask, drop, scale the survivors; change nothing in evaluation",
    task=(
        "Write inverted dropout. In training every element of `x` becomes 0 with probability $p$ and is "
        "divided by $q = 1 - p$ otherwise; each element has a coin of its own, thrown with `rng`. In "
        "evaluation the result equals `x`. Keep the shape and the dtype of `x`, and leave `x` itself as it "
        "is."
    ),
    hints=(
        "There are three steps: draw a mask of the shape of `x`, multiply, scale. One of them is not "
        "needed in evaluation. Which?",
        "`rng.random(x.shape)` gives uniform numbers in $[0, 1)$. What fraction of them is at least $p$?",
        "`keep = rng.random(x.shape) >= p`, and the survivors are divided by `1 - p`. Return `x` before all "
        "this if `training` is false.",
    ),
    why=(
        "A boolean mask keeps the dtype: `x * keep` has that of `x`. The mask of `rng.binomial(1, q, "
        "x.shape)` would be int64, and a float32 input would come back as float64.\n\nThe expected value "
        "of one output is $q \\cdot x/q + p \\cdot 0 = x$. So evaluation has nothing to correct."
    ),
    solution=inverted_dropout,
    aspects=(scaling.inverted_training, scaling.inverted_evaluation),
    details=(scaling.other_arrays,),
)
