"""The training of the studies on convolutional and deep networks: Adam, whose rate falls once near the end."""

from dataclasses import replace

from torch import Generator, nn

from dropoutlab.data import Split
from dropoutlab.training import Augment, OnEpoch, Recipe, fit

_LAST_PART = 4  # the last quarter of the epochs
_FACTOR = 10


def fit_annealed(
    net: nn.Module,
    train: Split,
    recipe: Recipe,
    *,
    order: Generator,
    augment: Augment | None = None,
    on_epoch: OnEpoch | None = None,
) -> nn.Module:
    """Train a network by `dropoutlab.training.fit`, the last quarter of the epochs at a tenth of the rate.

    At a constant rate the error after the last epoch swings from epoch to epoch, more than between arms. The
    optimiser starts afresh for the last quarter.

    Args:
        net: network mapping ``(B, D)`` to logits; changed in place.
        train: training examples.
        recipe: epochs, at least 2, batch size and optimiser.
        order: source of the example order.
        augment: changes each training batch.
        on_epoch: called with the epoch and the number of epochs of either part.

    Returns:
        The network, in evaluation mode.

    Raises:
        ValueError: there are fewer than 2 epochs.
    """
    if recipe.epochs < 2:
        raise ValueError(f"annealing needs at least 2 epochs, got {recipe.epochs}")
    last = -(-recipe.epochs // _LAST_PART)
    for epochs, lr in ((recipe.epochs - last, recipe.lr), (last, recipe.lr / _FACTOR)):
        part = replace(recipe, epochs=epochs, lr=lr, evaluate_every=epochs)
        fit(net, train, part, order=order, augment=augment, on_epoch=on_epoch)
    return net
