"""Spatial dropout in NumPy."""

import numpy as np

from dropoutlab.grading.checks import spatial
from dropoutlab.grading.exercise import Exercise


def spatial_dropout(
    x: np.ndarray, p: float, training: bool, rng: np.random.Generator
) -> np.ndarray:
    """Zero maps of ``x``, shape (N, C, H, W), with probability ``p`` and
    divide the others by q = 1 − p.

    Each map, that is one channel of one example, has a coin of its own,
    drawn from ``rng``. In evaluation the result equals ``x``. It has the
    shape and the dtype of ``x``, and ``x`` itself is not changed. 0 ≤ p <
    1.
    """
    if not training:
        return x
    keep = rng.random((*x.shape[:2], 1, 1)) >= p
    return x * keep / (1 - p)


EXERCISE = Exercise(
    name="spatial_dropout",
    chapter="05-placement",
    title="Dropping whole maps",
    difficulty=2,
    minutes=10,
    todo="one coin for each channel of each example; scale the surviving maps",
    task=(
        "Dropping single pixels of a feature map is a noise that pooling averages away; dropping the map as "
        "a whole is not. Write *spatial* dropout, which drops maps as a whole, for `x` of shape (N, C, H, W)."
    ),
    hints=(
        "How many coins does a batch of N examples with C channels need?",
        "Draw a mask with N × C elements and let broadcasting repeat it over the pixels.",
        "The mask has shape `(N, C, 1, 1)`; the rest is inverted dropout.",
    ),
    why=(
        "The shape of the mask is the whole difference: `(N, C, H, W)` drops pixels, `(N, C, 1, 1)` maps, "
        "`(1, C, 1, 1)` the same maps in every example, `(N, 1, 1, 1)` whole examples."
    ),
    solution=spatial_dropout,
    aspects=(spatial.training, spatial.evaluation),
    details=(spatial.other_arrays,),
)
