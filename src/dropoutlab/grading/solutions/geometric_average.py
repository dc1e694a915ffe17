"""The normalised geometric mean of predictions."""

import numpy as np

from dropoutlab.grading.checks import ensemble
from dropoutlab.grading.exercise import Exercise


def geometric_average(probabilities: np.ndarray) -> np.ndarray:
    """Return the geometric mean over M members, normalised to sum to one
    over the classes.

    ``probabilities`` has shape (M, N, C), all positive; the result has
    shape (N, C). M may be so large that the product of M probabilities is
    smaller than any float.
    """
    logarithms = np.log(probabilities).mean(axis=0)
    means = np.exp(logarithms - logarithms.max(axis=-1, keepdims=True))
    normalised: np.ndarray = means / means.sum(axis=-1, keepdims=True)
    return normalised


EXERCISE = Exercise(
    name="geometric_average",
    chapter="03-ensemble",
    title="The mean that weight scaling gives",
    difficulty=2,
    minutes=10,
    todo="average logarithms over the members, exponentiate, normalise over the classes",
    task=(
        "Weight scaling approximates the *geometric* mean of the members' predictions. Compute it for "
        "given members: the M-th root of the product of M probabilities, class by class, normalised to sum "
        "to one. It must work for thousands of members."
    ),
    hints=(
        "What is 0.3 to the power 3000 on your machine? On which scale is a product a sum?",
        "The logarithm of the geometric mean is the mean of the logarithms, over the axis of the members.",
        "Average `np.log(probabilities)` over axis 0, exponentiate, and divide by the sum over the classes.",
    ),
    why=(
        "On the logarithmic scale nothing underflows. Normalising is needed because the geometric means of "
        "the classes sum to less than one unless all members agree."
    ),
    solution=geometric_average,
    aspects=(ensemble.geometric,),
    details=(ensemble.many_members,),
    either=True,
)
