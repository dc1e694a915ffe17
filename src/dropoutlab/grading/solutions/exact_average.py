"""The exact average over all thinned networks."""

from itertools import product

import numpy as np

from dropoutlab.grading.checks import ensemble
from dropoutlab.grading.exercise import Exercise


def exact_average(
    hidden: np.ndarray, weight: np.ndarray, bias: np.ndarray, p: float
) -> np.ndarray:
    """Return the expected class probabilities over all 2ⁿ masks, shape (N,
    C).

    ``hidden`` (N, n) enters a layer with inverted dropout at rate ``p``, so
    a mask m gives the logits (h·m/q)·Wᵀ + b with ``weight`` W (C, n) and
    ``bias`` b (C,), and has the probability q to the number of the kept
    times p to the number of the dropped. The probabilities, not the logits,
    are averaged.
    """
    q = 1 - p
    total = np.zeros((len(hidden), len(weight)))
    for bits in product((0, 1), repeat=hidden.shape[1]):
        mask = np.array(bits)
        logits = (hidden * mask / q) @ weight.T + bias
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        probability = q ** mask.sum() * p ** (1 - mask).sum()
        total += (
            probability
            * exponentials
            / exponentials.sum(axis=1, keepdims=True)
        )
    return total


EXERCISE = Exercise(
    name="exact_average",
    chapter="03-ensemble",
    title="All 2ⁿ networks",
    difficulty=2,
    minutes=20,
    todo="go through all masks, weight each network's probabilities with its mask's probability",
    task=(
        "A layer of n units with dropout stands for $2^n$ networks. For small n you can ask every one of "
        "them. Return their mean class probabilities, each network weighted with the probability of its "
        "mask. Dropout is inverted: the kept are divided by $q$."
    ),
    hints=(
        "`itertools.product((0, 1), repeat=n)` lists all masks, the empty and the full one among them.",
        "A mask with k ones has the probability $q^k p^{n-k}$. Do the probabilities of all masks sum to one?",
        "In the loop: logits of the masked hidden layer, softmax over the classes, times the probability of "
        "the mask, added to a running total.",
    ),
    why=(
        "The weights sum to one, so nothing needs to be normalised at the end. For $p = 0.5$ all masks are "
        "equally likely, which is why a mistake in the weights does not show there."
    ),
    solution=exact_average,
    aspects=(ensemble.exact,),
    either=True,
)
