"""Monte Carlo dropout."""

from collections.abc import Callable

import numpy as np

from dropoutlab.grading.checks import ensemble
from dropoutlab.grading.exercise import Exercise


def monte_carlo_average(
    predict: Callable[[np.ndarray], np.ndarray], x: np.ndarray, samples: int
) -> np.ndarray:
    """Return the mean of ``samples`` random predictions, shape (N, C).

    ``predict(x)`` runs the network once with a new mask and returns class
    probabilities (N, C). It is called exactly ``samples`` times.
    """
    total = predict(x)
    for _ in range(samples - 1):
        total = total + predict(x)
    return total / samples


EXERCISE = Exercise(
    name="monte_carlo_average",
    chapter="03-ensemble",
    title="Ask again and again",
    difficulty=1,
    minutes=5,
    todo="call predict samples times and return the mean of the probabilities",
    task=(
        "Leave dropout on and ask the network several times: every pass is another thinned network. Return "
        "the mean of the probabilities. `predict(x)` makes one pass with a new mask and returns "
        "probabilities."
    ),
    hints=(
        "Each pass must be a new call of `predict`. How often is it called?",
        "Sum the results of `samples` calls and divide by `samples`. What do the rows of the result sum to?",
        "`np.mean([predict(x) for _ in range(samples)], axis=0)`.",
    ),
    why=(
        "`[predict(x)] * samples` would be one pass, counted many times. The error of the mean shrinks "
        "like one over the root of the number of samples; the probabilities of the passes themselves do "
        "not improve."
    ),
    solution=monte_carlo_average,
    aspects=(ensemble.monte_carlo,),
    either=True,
)
