"""Original dropout, scaled in evaluation."""

import numpy as np

from dropoutlab.grading.checks import scaling
from dropoutlab.grading.exercise import Exercise


def classic_dropout(
    x: np.ndarray, p: float, training: bool, rng: np.random.Generator
) -> np.ndarray:
    """Zero each element of ``x`` with probability ``p`` in training;
    multiply all by q = 1 − p in evaluation.

    Survivors of training keep their value. Each element has a coin of its
    own, drawn from ``rng``. The result has the shape and the dtype of
    ``x``, and ``x`` itself is not changed. 0 ≤ p < 1.
    """
    if not training:
        return x * (1 - p)
    return x * (rng.random(x.shape) >= p)


EXERCISE = Exercise(
    name="classic_dropout",
    chapter="04-scaling",
    title="Dropout as it was published",
    difficulty=1,
    minutes=10,
    todo="drop without scaling in training, multiply by q in evaluation",
    task=(
        "Write dropout as the papers of 2012 and 2014 describe it. In training survivors keep their value. "
        "In evaluation everything is multiplied by $q = 1 - p$. Mind that the papers write $p$ for the "
        "probability of *keeping*; here, as everywhere in this book, $p$ drops."
    ),
    hints=(
        "What is the expected value of one output in training? Evaluation should give exactly that.",
        "The factor of evaluation is the probability of surviving, `1 - p`, and not p.",
        "Two branches: `x * mask` in training, `x * (1 - p)` in evaluation; no division anywhere.",
    ),
    why=(
        "In training an output is $x$ with probability $q$ and 0 otherwise, so its mean is $qx$: the "
        "output of evaluation. Compared with inverted dropout both phases are smaller by the factor $q$."
    ),
    solution=classic_dropout,
    aspects=(scaling.classic_training, scaling.classic_evaluation),
    details=(scaling.other_arrays,),
)
