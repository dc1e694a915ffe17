"""What a training curve says in one number."""

from typing import Literal

from dropoutlab.training import History

_ROUNDING = 1e-12  # a level such as 0.03 + 0.001 need not be the float64 next to 0.031


def first_epoch(history: History, split: str, at_most: float, by: Literal["loss", "error"] = "error") -> int:
    """Tell how long a curve took to come down to a level.

    Args:
        history: curves of a run that was evaluated at least once.
        split: name of an evaluated split.
        at_most: the level.
        by: which curve.

    Returns:
        The first evaluated epoch at which the curve was at the level or below; one more than the last epoch
        if it never was.

    Raises:
        KeyError: no such split was evaluated, or ``by`` is neither of the two words.

    Example:
        >>> history = History([2, 4, 6], error={"test": [0.3, 0.1, 0.2]})
        >>> first_epoch(history, "test", 0.2), first_epoch(history, "test", 0.05)
        (4, 7)
    """
    curve = {"loss": history.loss, "error": history.error}[by][split]
    reached = (
        epoch for epoch, value in zip(history.epochs, curve, strict=True) if value <= at_most + _ROUNDING
    )
    return next(reached, history.epochs[-1] + 1)
