"""A paired 95 % t-interval."""

import math

import numpy as np
from scipy import stats

from dropoutlab.grading.checks import overfitting
from dropoutlab.grading.exercise import Exercise


def paired_interval(
    a: np.ndarray, b: np.ndarray
) -> tuple[float, float, float]:
    """Return mean, low and high of the paired 95 % t-interval of a − b.

    ``a[i]`` and ``b[i]`` come from run i of two arms with the same seed;
    both have shape (n,), n ≥ 2.
    """
    d = a - b
    n = len(d)
    half = stats.t(n - 1).ppf(0.975) * d.std(ddof=1) / math.sqrt(n)
    return d.mean(), d.mean() - half, d.mean() + half


EXERCISE = Exercise(
    name="paired_interval",
    chapter="01-overfitting",
    title="The interval of a paired difference",
    difficulty=1,
    minutes=10,
    todo="mean and 95 % t-interval of the differences a - b",
    task=(
        "Two arms were run with the same n seeds. Return the mean difference `a - b` and the ends of its "
        "95 % t-interval, as `(mean, low, high)`. Use NumPy and the quantile of SciPy only, so that you "
        "see each step."
    ),
    hints=(
        "Run i of both arms shares data and initial weights. So there are n differences, and nothing else "
        "counts.",
        "The mean of n numbers has the standard error $s/\\sqrt n$, with $s$ the *sample* standard "
        "deviation.",
        "`stats.t(n - 1).ppf(0.975) * d.std(ddof=1) / math.sqrt(n)` is the half-width.",
    ),
    why=(
        "Whatever both arms of a seed share cancels in the difference; that is what pairing buys. With "
        "five runs the factor is 2.78 and not 1.96, because the standard deviation itself is known so "
        "badly."
    ),
    solution=paired_interval,
    aspects=(overfitting.interval,),
    either=True,
)
