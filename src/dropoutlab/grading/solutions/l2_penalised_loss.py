"""A loss with an L2 penalty."""

# To leave the biases alone is part of the exercise.
# ruff: noqa: ARG001

from collections.abc import Sequence

import numpy as np

from dropoutlab.grading.checks import overfitting
from dropoutlab.grading.exercise import Exercise


def l2_penalised_loss(
    loss: float,
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    strength: float,
) -> float:
    """Return loss + strength/2 · Σw², the sum running over all elements of
    all weights and no bias.
    """
    return loss + strength / 2 * sum(float((w**2).sum()) for w in weights)


EXERCISE = Exercise(
    name="l2_penalised_loss",
    chapter="01-overfitting",
    title="A price on large weights",
    difficulty=1,
    minutes=5,
    todo="add half the strength times the sum of all squared weights; leave the biases out",
    task=(
        "Add an L2 penalty to a loss: $L + \\frac{\\lambda}{2} \\sum w^2$. The sum runs over every element "
        "of every weight matrix. Biases are not penalised."
    ),
    hints=(
        "Take one layer first: the penalty is one number, whatever the shape of the matrix.",
        "Square each element, sum, add up the layers. Which arguments are not needed?",
        "`sum((w**2).sum() for w in weights)` times `strength / 2`.",
    ),
    why=(
        "The gradient of the penalty is $\\lambda w$: every step shrinks a weight by the same fraction. A "
        "bias moves the output by the same amount for every input and so cannot fit single examples; it is "
        "left alone."
    ),
    solution=l2_penalised_loss,
    aspects=(overfitting.penalty,),
    either=True,
)
