"""Inverted against original dropout: one function, two training problems."""

from typing import Any

import pandas as pd
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from dropoutlab.comparison import CLASSES, Task, splits
from dropoutlab.layers import ClassicDropout, Dropout
from dropoutlab.masks import check_probability
from dropoutlab.models import linear
from dropoutlab.seeds import streams

_BATCH = 32


def formulation_gap(
    p: float, steps: int, *, lr: float, matched: bool, seed: int, hidden: int = 64
) -> pd.DataFrame:
    r"""Train both formulations side by side on digits, with the same masks, and record how far they drift.

    With survivors divided by q the logits are :math:`W (m \odot h)/q + b`, without they are
    :math:`V (m \odot h) + b`: the same function if :math:`V = W/q`. The gradients then differ by a factor q,
    :math:`\partial L/\partial W = (\partial L/\partial V)/q`, and a step of SGD keeps :math:`V = W/q` only
    if V learns at the rate :math:`\eta/q^2`.

    Args:
        p: drop probability in [0, 1).
        steps: number of SGD steps on batches of 32.
        lr: learning rate η.
        matched: whether V learns at rate η/q² instead of η.
        seed: seed of the streams.
        hidden: number of hidden units.

    Returns:
        One row for each step: ``output``, the largest difference between the two nets' evaluation
        probabilities on 100 validation digits, and ``weights``, that between their first-layer weights.

    Raises:
        ValueError: p is no probability, or is 1.

    Source: Srivastava et al. (2014), section 10, last paragraph, states the equivalence of the functions.
    """
    if check_probability(p) == 1:
        raise ValueError(f"the formulations are compared for p < 1, got {p}: with p = 1 nothing is trained")
    q = 1 - p
    inverted = _Net(Dropout, p, seed, hidden)
    classic = _Net(ClassicDropout, p, seed, hidden)
    with torch.no_grad():
        classic.second.weight /= q
    optimisers = {inverted: inverted.sgd(lr, lr), classic: classic.sgd(lr, lr / q**2 if matched else lr)}

    s = streams(seed)
    parts = splits(Task(300), s)
    train, validation = parts["train"], parts["validation"]
    rows = []
    for step in range(1, steps + 1):
        index = torch.randperm(len(train), generator=s.order)[:_BATCH]
        for net, optimiser in optimisers.items():
            net.train()
            optimiser.zero_grad()
            cross_entropy(net(train.x[index]), train.y[index]).backward()
            optimiser.step()
            net.eval()
        with torch.no_grad():
            output = inverted(validation.x).softmax(1) - classic(validation.x).softmax(1)
            weights = inverted.first.weight - classic.first.weight
        rows.append(
            {"step": step, "output": output.abs().max().item(), "weights": weights.abs().max().item()}
        )
    return pd.DataFrame(rows)


class _Net(nn.Module):
    """One hidden layer with dropout after it; equal seeds give equal weights and equal masks."""

    def __init__(self, drop: type[Dropout] | type[ClassicDropout], p: float, seed: int, hidden: int) -> None:
        super().__init__()
        s = streams(seed)
        self.first = linear(64, hidden, generator=s.init)
        self.drop = drop(p, generator=s.masks)
        self.second = linear(hidden, CLASSES, generator=s.init)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.second(self.drop(self.first(x).relu()))
        return logits

    def sgd(self, lr: float, lr_second: float) -> torch.optim.SGD:
        """Plain SGD with a rate of its own for the second layer's weights; its bias is not scaled by q."""
        groups: list[dict[str, Any]] = [
            {"params": [*self.first.parameters(), self.second.bias]},
            {"params": [self.second.weight], "lr": lr_second},
        ]
        return torch.optim.SGD(groups, lr=lr)
