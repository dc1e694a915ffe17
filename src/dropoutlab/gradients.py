"""What a dropped unit's weights feel: no gradient for the example, yet often a step all the same."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dropoutlab.comparison import CLASSES, Task, splits
from dropoutlab.layers import Dropout
from dropoutlab.models import mlp
from dropoutlab.seeds import streams

MakeOptimiser = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


def silent_units(p: float, batch: int, *, seed: int, hidden: int = 64) -> tuple[int, int]:
    r"""Count the hidden units that one minibatch leaves without gradient.

    Every example has a mask of its own, so a unit is silent for the whole step with probability
    :math:`p^B` only. The hidden units are tanh: a rectified unit could be silent for another reason.

    Args:
        p: drop probability in (0, 1].
        batch: number of examples B, at least 1.
        seed: seed of the streams.
        hidden: number of hidden units.

    Returns:
        Number of units dropped for every example, and number of units whose incoming weights have a gradient
        of exactly zero. The two agree.

    Raises:
        ValueError: p is 0, or no probability.

    Example:
        >>> silent_units(0.3, 64, seed=1000)
        (0, 0)
    """
    net, drop, x, y = _setting(p, batch, seed, hidden)
    cross_entropy(net(x), y).backward()
    if drop.mask is None:
        raise ValueError(f"counting silent units needs p > 0, got {p}: no mask is drawn")
    dropped = int((~drop.mask).all(dim=0).sum())
    return dropped, int((_incoming_gradient(net) == 0).all(dim=1).sum())


def movement_of_dropped_unit(optimiser: MakeOptimiser, *, seed: int, warm_up: int = 5) -> float:
    """Measure how far one step moves the incoming weights of a unit that is dropped for the whole batch.

    A few steps with the unit kept come first, so that momentum and Adam have something to remember.

    Args:
        optimiser: makes the optimiser from the network's parameters.
        seed: seed of the streams.
        warm_up: steps taken with nobody dropped.

    Returns:
        Largest absolute change of an incoming weight of unit 0 in the step in which it is dropped; its
        gradient is exactly zero in that step.
    """
    net, drop, x, y = _setting(0.3, 32, seed, 64)
    steps = optimiser(net.parameters())
    everybody = torch.ones(32, 64, dtype=torch.bool)
    without_first = everybody.clone()
    without_first[:, 0] = False
    before = torch.empty(0)
    for mask in [everybody] * warm_up + [without_first]:
        drop.freeze(mask)
        before = _incoming_weight(net).detach().clone()
        steps.zero_grad()
        cross_entropy(net(x), y).backward()
        steps.step()
    assert not _incoming_gradient(net)[0].any()
    return (_incoming_weight(net) - before)[0].abs().max().item()


def _setting(p: float, batch: int, seed: int, hidden: int) -> tuple[nn.Sequential, Dropout, Tensor, Tensor]:
    s = streams(seed)
    train = splits(Task(batch), s)["train"]
    drop = Dropout(p, generator=s.masks)
    net = mlp((64, hidden, CLASSES), init=s.init, activation=nn.Tanh).insert(2, drop)
    return net.train(), drop, train.x, train.y


def _incoming_weight(net: nn.Sequential) -> Tensor:
    first = net[0]
    assert isinstance(first, nn.Linear)
    return first.weight


def _incoming_gradient(net: nn.Sequential) -> Tensor:
    gradient = _incoming_weight(net).grad
    assert gradient is not None
    return gradient
