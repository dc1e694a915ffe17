"""Early stopping with patience."""

from collections.abc import Sequence

from dropoutlab.grading.checks import overfitting
from dropoutlab.grading.exercise import Exercise


def early_stopping_epoch(losses: Sequence[float], patience: int) -> int:
    """Return the epoch, counted from 0, whose weights early stopping keeps.

    ``losses[i]`` is the validation loss after epoch i. Training stops as
    soon as ``patience`` epochs in a row have brought no loss strictly below
    the best one so far, or when the losses end. The weights of the best
    epoch up to then are kept.
    """
    best = 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        elif epoch - best >= patience:
            break
    return best


EXERCISE = Exercise(
    name="early_stopping_epoch",
    chapter="01-overfitting",
    title="When to stop, and what to keep",
    difficulty=1,
    minutes=15,
    todo="follow the losses, stop when patience runs out, return the best epoch so far",
    task=(
        "Given the validation losses of a whole run, say which epoch's weights early stopping with "
        "`patience` would have kept. Training stops as soon as `patience` epochs in a row have not "
        "improved on the best loss; an equal loss is no improvement. What happens after the stop is never "
        "seen."
    ),
    hints=(
        "Play it through by hand: losses 1.0, 0.5, 0.6, 0.7, 0.1 with patience 2. Which epochs are trained?",
        "Two things are remembered while the epochs pass: the best epoch, and how long ago it was.",
        "Loop over the epochs. If the loss is strictly below the best, this epoch is the best; else, if "
        "`epoch - best >= patience`, leave the loop.",
    ),
    why=(
        "The number of epochs without improvement is `epoch - best`, so no counter is needed. Patience is a "
        "hyper-parameter: too small, and a bump in the curve ends the training."
    ),
    solution=early_stopping_epoch,
    aspects=(overfitting.stopping,),
    either=True,
)
