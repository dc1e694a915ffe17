"""Minimise any loss of a network's outputs, where `dropoutlab.training` knows cross-entropy only."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from dropoutlab.optimisers import optimiser
from dropoutlab.replicas import Single
from dropoutlab.training import Recipe

Loss = Callable[[Tensor, Tensor], Tensor]


def minimise(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    loss: Loss,
    recipe: Recipe,
    *,
    order: Generator,
    after_epoch: Callable[[int], None] | None = None,
) -> None:
    r"""Minimise the mean loss of a network on its training examples by minibatch gradient descent.

    .. math:: \min_\theta \frac1N \sum_n \ell\bigl(f_\theta(x_n), y_n\bigr)

    Every epoch visits each example once, in a fresh random order. The model is changed in place and left
    in evaluation mode. With cross-entropy it takes the steps that `dropoutlab.training.fit` takes.

    Args:
        model: network mapping ``(B, D)`` to outputs ``(B, C)``.
        x: training inputs ``(N, D)``.
        y: their targets ``(N, ...)`` of any type.
        loss: maps outputs ``(B, C)`` and targets ``(B, ...)`` to the mean loss of the batch, a scalar.
        recipe: epochs, batch size and optimiser; ``evaluate_every`` is not used.
        order: source of the example order. Masks come from the dropout layers' own generators.
        after_epoch: called with the number of the epoch, from 1, e.g. to evaluate; the model is in
            evaluation mode then.

    Raises:
        ValueError: there is no example, or not one target for each.
        FloatingPointError: the loss or a weight became infinite or NaN.

    Example:
        >>> from dropoutlab.models import linear
        >>> g = torch.Generator().manual_seed(1)
        >>> x = torch.rand(50, 1, generator=g, dtype=torch.float64)
        >>> line = linear(1, 1, generator=g)
        >>> minimise(line, x, 3 * x - 1, nn.functional.mse_loss, Recipe(200), order=g)
        >>> round(line.weight.item(), 3), round(line.bias.item(), 3)
        (3.0, -1.0)
    """
    if len(x) == 0 or len(x) != len(y):
        raise ValueError(f"need at least one example and one target for each, got {len(x)} and {len(y)}")
    network = Single(model)
    rule = optimiser(network.weights, network.biases, [recipe])
    for epoch in range(1, recipe.epochs + 1):
        for index in torch.randperm(len(x), generator=order).split(recipe.batch_size):
            outputs = network.forward(x[index].unsqueeze(0), training=True)[0]
            value = loss(outputs, y[index])
            rule.zero_grad(set_to_none=True)
            value.backward()
            rule.step()
            if recipe.max_norm is not None:
                network.bound(recipe.max_norm)
        if not (math.isfinite(value.item()) and all(w.isfinite().all() for w in model.parameters())):
            raise FloatingPointError(
                f"training diverged: loss or weights are infinite or NaN after epoch {epoch}; "
                f"lower lr={recipe.lr}, and make sure that all examples are finite"
            )
        model.eval()
        if after_epoch is not None:
            after_epoch(epoch)
