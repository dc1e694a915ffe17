"""Dropout before or after the activation."""

from collections.abc import Callable

import numpy as np

from dropoutlab.grading.checks import order
from dropoutlab.grading.exercise import Exercise


def order_matters(
    activation: Callable[[np.ndarray], np.ndarray], p: float
) -> bool:
    """Return whether inverted dropout before the activation differs from
    dropout after it.

    ``activation`` works on each element of an array. Both orders use the
    same mask, and 0 < p < 1. The answer is for inputs in general: one input
    for which the results differ is enough for True.
    """
    q = 1 - p
    z = np.linspace(-3, 3, 61)
    keeps_zero = np.allclose(activation(np.zeros(1)), 0)
    scales = np.allclose(activation(z / q), activation(z) / q)
    return not (keeps_zero and scales)


EXERCISE = Exercise(
    name="order_matters",
    chapter="05-placement",
    title="Before or after the activation?",
    difficulty=2,
    minutes=15,
    todo="find out what dropping and scaling do to the activation, and compare the two orders",
    task=(
        "With some activations it makes no difference whether inverted dropout stands before or after "
        "them, if the mask is the same. With others it does. Write a function that finds out for any "
        "activation, by calling it."
    ),
    hints=(
        "Take one unit. There are two cases: it is dropped, or it is kept. Write down both orders for each.",
        "A dropped unit gives $f(0)$ in one order and 0 in the other. What do you get for a kept one?",
        "The orders agree if $f(0) = 0$ and $f(z/q) = f(z)/q$ for all $z$. Try values of both signs.",
    ),
    why=(
        "The second condition says that the activation scales with its input, for the one factor $1/q$. "
        "ReLU, leaky ReLU and the absolute value do. tanh keeps zero but does not scale, and the sigmoid "
        "does neither."
    ),
    solution=order_matters,
    aspects=(order.answers,),
    either=True,
)
