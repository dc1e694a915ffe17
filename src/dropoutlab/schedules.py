"""Dropout whose p changes during training: schedules, and a training loop that follows them."""

import math
from collections.abc import Callable

import torch
from torch import Generator, nn
from torch.nn.functional import cross_entropy

from dropoutlab.data import Split
from dropoutlab.layers import Dropout
from dropoutlab.masks import check_probability
from dropoutlab.optimisers import optimiser
from dropoutlab.replicas import Single
from dropoutlab.training import Recipe

Schedule = Callable[[float], float]


def constant(p: float) -> Schedule:
    """Return the schedule that leaves p as it is from the first step to the last.

    Args:
        p: drop probability in ``[0, 1]``.

    Raises:
        ValueError: ``p`` is no probability.

    Example:
        >>> constant(0.3)(0.9)
        0.3
    """
    p = check_probability(p)
    return lambda _progress: p


def early(p: float, until: float) -> Schedule:
    r"""Return the schedule of early dropout: p falls linearly to zero, and stays there.

    .. math:: p(t) = p\,\max(0,\, 1 - t / \text{until}), \qquad 0 \le t < 1

    Args:
        p: drop probability at the beginning, in ``[0, 1]``.
        until: fraction of the training after which it is zero, in (0, 1].

    Raises:
        ValueError: ``p`` is no probability, or ``until`` is not in (0, 1].

    Example:
        >>> schedule = early(0.2, until=0.5)
        >>> schedule(0.0), schedule(0.25), schedule(0.75)
        (0.2, 0.1, 0.0)

    Source: Liu et al. (2023), arXiv:2303.01500 (the linear schedule).
    """
    p = check_probability(p)
    if not 0 < until <= 1:
        raise ValueError(f"early dropout must end within the training, in (0, 1], got {until}")
    return lambda progress: p * max(0.0, 1 - progress / until)


def fit_scheduled(
    model: nn.Module,
    train: Split,
    recipe: Recipe,
    schedule: Schedule,
    *,
    order: Generator,
    before_step: Callable[[int, int], None] | None = None,
) -> None:
    """Minimise the mean cross-entropy while the p of all `Dropout` layers follows a schedule.

    Every epoch visits each example once, in a fresh random order. The model is changed in place and left
    in evaluation mode, with the p of its last step.

    Args:
        model: network mapping ``(B, D)`` to logits ``(B, C)``.
        train: training examples.
        recipe: epochs, batch size and optimiser; ``evaluate_every`` is not used.
        schedule: maps the fraction of steps already done, from 0 up to but not including 1, to p.
        order: source of the example order. Masks come from the dropout layers' own generators.
        before_step: called with ``(steps done, steps in all)`` before each step, when p has been set and the
            model is in training mode. It may look, and draw from generators of its own.

    Raises:
        ValueError: there is no example, or the schedule returns no probability.
        FloatingPointError: the loss or a weight became infinite or NaN.

    Example:
        >>> from dropoutlab.models import mlp
        >>> g = torch.Generator().manual_seed(1)
        >>> x = torch.rand(40, 4, generator=g, dtype=torch.float64)
        >>> net = mlp((4, 8, 2), p=0.3, init=g, masks=g)
        >>> fit_scheduled(net, Split(x, (x[:, 0] > 0.5).long()), Recipe(2), early(0.3, 0.5), order=g)
        >>> net[2].p
        0.0
    """
    if len(train) == 0:
        raise ValueError("need at least one example to train on, got none")
    network = Single(model)
    rule = optimiser(network.weights, network.biases, [recipe])
    drops = [module for module in model.modules() if isinstance(module, Dropout)]
    steps, done = recipe.epochs * math.ceil(len(train) / recipe.batch_size), 0
    for epoch in range(1, recipe.epochs + 1):
        for index in torch.randperm(len(train), generator=order).split(recipe.batch_size):
            for drop in drops:
                drop.p = schedule(done / steps)
            model.train()
            if before_step is not None:
                before_step(done, steps)
            loss = cross_entropy(model(train.x[index]), train.y[index])
            rule.zero_grad(set_to_none=True)
            loss.backward()
            rule.step()
            done += 1
        if not (math.isfinite(loss.item()) and all(w.isfinite().all() for w in model.parameters())):
            raise FloatingPointError(
                f"training diverged: loss or weights are infinite or NaN after epoch {epoch}; "
                f"lower lr={recipe.lr}, and make sure that all examples are finite"
            )
    model.eval()
