"""The synergy of a pair of units."""

from collections.abc import Callable

from dropoutlab.grading.checks import coadaptation
from dropoutlab.grading.exercise import Exercise


def pair_synergy(
    loss: Callable[[tuple[int, ...]], float], i: int, j: int
) -> float:
    """Return by how much losing units i and j together costs more than the
    sum of losing each.

    ``loss(removed)`` is the loss of the network without the units of the
    tuple ``removed``; ``loss(())`` is that of the intact one. With Δ the
    rise above it, the result is Δ(i, j) − Δ(i) − Δ(j).
    """
    return loss((i, j)) - loss((i,)) - loss((j,)) + loss(())


EXERCISE = Exercise(
    name="pair_synergy",
    chapter="02-coadaptation",
    title="Do two units stand in for one another?",
    difficulty=2,
    minutes=10,
    todo="compare the rise of the loss for the pair with the sum of the two single rises",
    task=(
        "Lose unit i, lose unit j, lose both. If each does its own work, the rises of the loss add up. "
        "Return by how much the pair costs more than that sum. Positive means that one can stand in for "
        "the other; negative, that one is of use only together with the other."
    ),
    hints=(
        "There are four networks: intact, without i, without j, without both.",
        "A rise is a loss minus the loss of the intact network. Write down three rises.",
        "In Δ(i, j) − Δ(i) − Δ(j) the intact loss appears −1 + 1 + 1 times.",
    ),
    why=(
        "This is the interaction of a two-by-two experiment. The intact loss enters with a plus: it is "
        "taken off once and given back twice."
    ),
    solution=pair_synergy,
    aspects=(coadaptation.synergies,),
)
