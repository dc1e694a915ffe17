"""Thinned networks of a final linear layer: their masks, their probabilities, sums over given ones."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from dropoutlab.masks import check_probability

Kind = Literal["arithmetic", "geometric"]
Rates = float | Sequence[float] | Tensor

# All masks at once need n bytes each: 2^20 of them fit in 20 MB.
MOST_MASK_UNITS = 20


def enumerate_masks(n: int) -> Tensor:
    """List all 2ⁿ masks of n units; mask k keeps unit i where bit i of k is set.

    Args:
        n: number of units, 0 to 20.

    Returns:
        Boolean tensor ``(2^n, n)``, from the empty network to the full one.

    Raises:
        ValueError: ``n`` is negative or larger than 20.

    Example:
        >>> enumerate_masks(2).int().tolist()
        [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    if not 0 <= n <= MOST_MASK_UNITS:
        raise ValueError(
            f"can list the masks of 0 to {MOST_MASK_UNITS} units, got {n}; "
            "sample them instead with monte_carlo_average"
        )
    bits = 1 << torch.arange(n, dtype=torch.int32)
    return (torch.arange(2**n, dtype=torch.int32)[:, None] & bits) != 0


def mask_probabilities(masks: Tensor, p: Rates) -> Tensor:
    r"""Give the probability of each mask when units are dropped independently.

    .. math:: P(m) = \prod_i q_i^{m_i} p_i^{1 - m_i}

    Args:
        masks: boolean ``(M, n)``, ``True`` where kept.
        p: drop probability in ``[0, 1]``, one for all units or one for each of the n.

    Returns:
        Probabilities ``(M,)`` in float64.

    Raises:
        ValueError: ``p`` is no probability, or there is not one for each unit.

    Example:
        >>> mask_probabilities(enumerate_masks(2), p=0.25)
        tensor([0.0625, 0.1875, 0.1875, 0.5625], dtype=torch.float64)
    """
    rates = drop_rates(p, masks)
    return torch.where(masks, 1 - rates, rates).prod(dim=-1)


def drop_rates(p: Rates, per_unit: Tensor) -> Tensor:
    """Return one checked drop probability for each of the units in the last dimension of ``per_unit``."""
    n = per_unit.shape[-1]
    rates = torch.as_tensor(p, dtype=torch.float64, device=per_unit.device)
    if rates.dim() > 0 and rates.shape != (n,):
        raise ValueError(
            f"need one drop probability, or one for each of the {n} units, got {tuple(rates.shape)}"
        )
    for rate in rates.flatten().tolist():
        check_probability(rate)
    return rates.expand(n)


def float64_layer(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return a final layer and its inputs in float64, with shapes checked and a bias in any case."""
    if weight.dim() != 2 or hidden.dim() not in (1, 2) or hidden.shape[-1] != weight.shape[-1]:
        raise ValueError(
            f"need hidden (n,) or (N, n) and weight (C, n), "
            f"got {tuple(hidden.shape)} and {tuple(weight.shape)}"
        )
    if bias is None:
        bias = weight.new_zeros(len(weight))
    if bias.shape != weight.shape[:1]:
        raise ValueError(f"need a bias of shape ({len(weight)},), one per class, got {tuple(bias.shape)}")
    return hidden.double(), weight.double(), bias.double()


def weighted_sum(logits: Tensor, probabilities: Tensor, kind: Kind) -> Tensor:
    """Sum the softmaxes, or their logarithms, of networks ``(M, *, C)`` by probability: ``(*, C)``."""
    values = logits.log_softmax(dim=-1)
    return torch.einsum("m,m...->...", probabilities, values.exp() if kind == "arithmetic" else values)


def as_probabilities(total: Tensor, kind: Kind) -> Tensor:
    """Turn the sum over all networks into probabilities; a geometric mean has to be renormalised."""
    return total if kind == "arithmetic" else total.softmax(dim=-1)


def check_kind(kind: Kind) -> None:
    """Refuse a mean that is neither arithmetic nor geometric."""
    if kind not in ("arithmetic", "geometric"):
        raise ValueError(f"kind must be 'arithmetic' or 'geometric', got {kind!r}")
