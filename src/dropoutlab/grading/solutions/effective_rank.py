"""The effective rank of activations."""

import numpy as np

from dropoutlab.grading.checks import coadaptation
from dropoutlab.grading.exercise import Exercise


def effective_rank(hidden: np.ndarray) -> float:
    """Return exp(−Σ s·log s), s the singular values of the centred
    activations over their sum.

    ``hidden`` has shape (N, n): n units on N examples. Each unit's mean is
    subtracted first. A share of zero adds nothing.
    """
    values = np.linalg.svd(hidden - hidden.mean(axis=0), compute_uv=False)
    share = values / values.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


EXERCISE = Exercise(
    name="effective_rank",
    chapter="02-coadaptation",
    title="How many directions does a layer use?",
    difficulty=2,
    minutes=15,
    todo="centre, take singular values, turn them into shares, exponentiate their entropy",
    task=(
        "Units that always vary together use fewer directions than there are units. Count the directions, "
        "each by its share: $\\exp(-\\sum_k s_k \\log s_k)$, where $s_k$ is the k-th singular value of the "
        "centred activations divided by their sum (Roy and Vetterli, 2007)."
    ),
    hints=(
        "What should come out if k directions are equally strong? And if all activations lie on one line?",
        "`np.linalg.svd(..., compute_uv=False)` gives the singular values. Which axis is averaged for "
        "centring?",
        "Shares are the values over their sum, without squares. Drop the zeros before the logarithm.",
    ),
    why=(
        "For k equal shares the entropy is $\\log k$, and its exponential counts k. Without centring, a "
        "common level of all units would count as a direction, and usually as the strongest."
    ),
    solution=effective_rank,
    aspects=(coadaptation.rank,),
    details=(coadaptation.one_direction,),
    either=True,
)
