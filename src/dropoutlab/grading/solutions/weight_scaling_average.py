"""Weight scaling: one pass in the place of all thinned networks."""

import numpy as np

from dropoutlab.grading.checks import ensemble
from dropoutlab.grading.exercise import Exercise


def weight_scaling_average(
    hidden: np.ndarray, weight: np.ndarray, bias: np.ndarray, p: float
) -> np.ndarray:
    """Return class probabilities of one pass in which each weight is
    multiplied by q = 1 − p, shape (N, C).

    The network was trained with original dropout, so survivors were not
    scaled in training. ``hidden`` has shape (N, n), ``weight`` (C, n) and
    ``bias`` (C,); logits are h·(qW)ᵀ + b.
    """
    logits = hidden @ ((1 - p) * weight).T + bias
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: np.ndarray = exponentials / exponentials.sum(
        axis=1, keepdims=True
    )
    return probabilities


EXERCISE = Exercise(
    name="weight_scaling_average",
    chapter="03-ensemble",
    title="One pass in the place of all",
    difficulty=1,
    minutes=10,
    todo="multiply the weights by q, run once, return softmax over the classes",
    task=(
        "The network was trained with *original* dropout: survivors were not scaled. Predict with the "
        "weight scaling rule of the 2014 paper, that is in a single pass whose weights are multiplied by "
        "$q$. Return probabilities."
    ),
    hints=(
        "What is the expected value of the logits over all masks? Which number in them was never masked?",
        "Multiply `weight` by `1 - p`, not `bias`. The logits have shape (N, C).",
        "Softmax over the last axis; subtract each row's maximum first so that the exponentials stay finite.",
    ),
    why=(
        "The bias is not scaled: no mask ever touched it. For a single dropped layer this one pass equals "
        "the normalised *geometric* mean over all masks exactly. Of the arithmetic mean it is an "
        "approximation."
    ),
    solution=weight_scaling_average,
    aspects=(ensemble.weight_scaling,),
    either=True,
)
