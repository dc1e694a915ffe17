"""A lesion curve."""

from collections.abc import Callable, Sequence

import numpy as np

from dropoutlab.grading.checks import coadaptation
from dropoutlab.grading.exercise import Exercise


def lesion_curve(
    head: Callable[[np.ndarray], np.ndarray],
    hidden: np.ndarray,
    y: np.ndarray,
    order: Sequence[int],
) -> np.ndarray:
    """Return the error after 0, 1, ..., n lesions, shape (n + 1,).

    ``head`` maps activations (N, n) to logits (N, C); ``y`` holds the
    classes (N,). The k-th lesion sets unit ``order[k]`` to its mean over
    the N examples, and it stays so. The error is the fraction of wrong
    answers. ``hidden`` itself is not changed.
    """
    lesioned = hidden.copy()
    errors = [np.mean(head(lesioned).argmax(1) != y)]
    for unit in order:
        lesioned[:, unit] = hidden[:, unit].mean()
        errors.append(np.mean(head(lesioned).argmax(1) != y))
    return np.array(errors)


EXERCISE = Exercise(
    name="lesion_curve",
    chapter="02-coadaptation",
    title="Taking units away, one after the other",
    difficulty=2,
    minutes=15,
    todo="set one unit after the other to its mean and record the error each time",
    task=(
        "How gracefully does a layer fail? Remove its units one after the other in the given order, and "
        "record the fraction of wrong answers each time, beginning with the intact network. To remove a "
        "unit is to set it to its mean over the examples: what is lost is its information, not its level."
    ),
    hints=(
        "With n units the curve has n + 1 points. What is the first one?",
        "Work on a copy of `hidden` and let the lesions pile up in it.",
        "`copy[:, unit] = hidden[:, unit].mean()`, then `np.mean(head(copy).argmax(1) != y)`.",
    ),
    why=(
        "The mean is taken from the intact activations. At the end every example looks the same to the "
        "head, so the last point is the error of always giving one answer."
    ),
    solution=lesion_curve,
    aspects=(coadaptation.lesions,),
    either=True,
)
