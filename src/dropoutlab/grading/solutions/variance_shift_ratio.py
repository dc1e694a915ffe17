"""The variance shift of one unit."""

from dropoutlab.grading.checks import batchnorm
from dropoutlab.grading.exercise import Exercise


def variance_shift_ratio(p: float, mean: float, variance: float) -> float:
    """Return the variance in evaluation over that in training, of a unit
    after inverted dropout.

    Before dropout the unit has this mean and variance over the examples. In
    training its value is x/q with probability q = 1 − p and 0 otherwise; in
    evaluation it is x.
    """
    q = 1 - p
    training = (variance + mean**2) / q - mean**2
    return variance / training


EXERCISE = Exercise(
    name="variance_shift_ratio",
    chapter="06-batchnorm",
    title="By how much does the variance shift?",
    difficulty=2,
    minutes=10,
    todo="work out the variance of x·m/q and divide the variance of x by it",
    task=(
        "A batch normalisation after dropout learns the variance of training and meets that of evaluation. "
        "Return the ratio of the two, evaluation over training, for a unit with a given mean and variance "
        "after inverted dropout with probability `p`."
    ),
    hints=(
        "The mean is the same in both. So compare the second moments first.",
        "In training $E[(xm/q)^2] = q \\cdot E[x^2]/q^2$. What is $E[x^2]$ in terms of mean and variance?",
        "The variance of training is $(\\sigma^2 + \\mu^2)/q - \\mu^2$.",
    ),
    why=(
        "The ratio is $q\\sigma^2/(\\sigma^2 + p\\mu^2)$: q for a unit of mean zero, and less for any other. "
        "Activations of rectifiers have a positive mean, so for them the shift is larger than q suggests."
    ),
    solution=variance_shift_ratio,
    aspects=(batchnorm.ratio,),
    either=True,
)
