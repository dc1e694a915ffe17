"""Where weight scaling is exactly the geometric mean of all thinned networks, and where it is not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from dropoutlab.ensemble import average, enumerate_masks, mask_probabilities
from dropoutlab.seeds import streams

_INPUTS, _HIDDEN, _CLASSES = 5, 10, 4

_Function = Callable[[Tensor], Tensor]


def gaps(p: float = 0.3, seeds: Sequence[int] = range(1000, 1020)) -> pd.DataFrame:
    r"""Compare one pass with both means of all thinned networks, for several ways to drop.

    Random networks serve all cases: five inputs, ten hidden units, four classes. Every mask is enumerated:
    :math:`2^{10}` where hidden units are dropped, :math:`2^{15}` where inputs are as well.

    Args:
        p: drop probability, one of 0.1, 0.2, ..., 0.9: one case drops exactly 10·p hidden units.
        seeds: one network, with an example for it, is drawn from each.

    Returns:
        Index: what is dropped. Columns ``affine`` (whether the logits are affine in the mask and the one pass
        has their mean), ``geometric`` and ``arithmetic``: the largest distance of a class's probability in
        the one pass from that mean, averaged over the networks.

    Raises:
        ValueError: ``p`` is not such a number, or there is no seed.

    Example:
        >>> table = gaps(seeds=[1000])
        >>> bool((table.geometric[table.affine] < 1e-12).all())
        True

    Source: Baldi and Sadowski (2013), NeurIPS; Warde-Farley et al. (2014), arXiv:1312.6197.
    """
    quota = round(10 * p)
    if not 0 < quota < 10 or abs(quota - 10 * p) > 1e-9:
        raise ValueError(f"p must be one of 0.1, 0.2, ..., 0.9: a tenth is one hidden unit, got {p}")
    if not seeds:
        raise ValueError("need at least one seed to draw a network from, got none")
    tables = [_of_network(_draw(seed), p, quota) for seed in seeds]
    means = pd.concat(tables)[["geometric", "arithmetic"]].groupby(level=0).mean()
    return tables[0][["affine"]].join(means)


def _of_network(net: "_Network", p: float, quota: int) -> pd.DataFrame:
    alone = _coins(_HIDDEN, p)
    drawn, law = _coins(_INPUTS + _HIDDEN, p)
    both = drawn[:, _INPUTS:], law, drawn[:, :_INPUTS]
    found = {
        "hidden units after ReLU": _row(net, torch.relu, *alone),
        "hidden units after a sigmoid": _row(net, torch.sigmoid, *alone),
        f"exactly {quota} of the 10 hidden units": _row(net, torch.relu, *_exactly(quota, p)),
        "inputs and hidden units, nothing between": _row(net, _identity, *both),
        "inputs and hidden units, ReLU between": _row(net, torch.relu, *both, affine=False),
        "inputs and hidden units, sigmoid between": _row(net, torch.sigmoid, *both, affine=False),
        "hidden units, the bias scaled by mistake": _row(
            net, torch.relu, *alone, affine=False, bias_factor=1 - p
        ),
    }
    return pd.DataFrame.from_dict(found, orient="index", columns=["affine", "geometric", "arithmetic"])


@dataclass(frozen=True)
class _Network:
    x: Tensor  # (D,)
    first: Tensor  # (H, D)
    first_bias: Tensor  # (H,)
    second: Tensor  # (C, H)
    bias: Tensor  # (C,)

    def logits(
        self, between: _Function, hidden: Tensor | float = 1.0, inputs: Tensor | float = 1.0
    ) -> Tensor:
        """Multiply inputs ``(M, D)`` and hidden units ``(M, H)`` by factors, for M networks at once."""
        activations = between(inputs * self.x @ self.first.T + self.first_bias)
        return hidden * activations @ self.second.T + self.bias


def _row(
    net: _Network,
    between: _Function,
    hidden: Tensor,
    law: Tensor,
    inputs: Tensor | float = 1.0,
    *,
    affine: bool = True,
    bias_factor: float = 1.0,
) -> tuple[bool, float, float]:
    one_pass = net.logits(between) + (bias_factor - 1) * net.bias
    members = net.logits(between, hidden, inputs)
    geometric, arithmetic = (
        (average(members, law, kind) - one_pass.softmax(dim=0)).abs().max().item()
        for kind in ("geometric", "arithmetic")
    )
    return affine, geometric, arithmetic


def _coins(units: int, p: float) -> tuple[Tensor, Tensor]:
    """Return the factors m/q of all masks, and their probabilities."""
    masks = enumerate_masks(units)
    return masks.double() / (1 - p), mask_probabilities(masks, p)


def _exactly(quota: int, p: float) -> tuple[Tensor, Tensor]:
    """Return the same for masks that always drop ``quota`` units: dependent coins with the same means."""
    masks = enumerate_masks(_HIDDEN)
    chosen = masks[(~masks).sum(dim=1) == quota]
    return chosen.double() / (1 - p), torch.full((len(chosen),), 1 / len(chosen), dtype=torch.float64)


def _draw(seed: int) -> _Network:
    g = streams(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=g.init, dtype=torch.float64)

    x = torch.rand(_INPUTS, generator=g.data, dtype=torch.float64)
    # Biases of size 1 on purpose: with none, a mistake in scaling them could not show. Smaller second
    # weights keep the softmax from saturating, where all differences vanish.
    return _Network(
        x, normal(_HIDDEN, _INPUTS), normal(_HIDDEN), 0.5 * normal(_CLASSES, _HIDDEN), normal(_CLASSES)
    )


def _identity(values: Tensor) -> Tensor:
    return values
