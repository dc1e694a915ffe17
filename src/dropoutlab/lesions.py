"""Lesions: what a trained network loses when hidden units are taken away, one, two or many at a time."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

Head = Callable[[Tensor], Tensor]
Fill = Literal["zero", "mean"]
Measure = Literal["loss", "error"]


@torch.no_grad()
def lesion(
    head: Head,
    hidden: Tensor,
    y: Tensor,
    units: Sequence[int] | Tensor,
    *,
    fill: Fill = "mean",
    rescale: bool = False,
    measure: Measure = "loss",
) -> float:
    r"""Measure by how much the loss rises when units are taken away from a trained network.

    .. math:: L(h_{-U}) - L(h)

    where L is the mean cross-entropy or the error. An overconfident network can gain in cross-entropy by
    losing units, because its logits shrink; its error cannot gain in that way.

    With ``fill="zero"`` and ``rescale=True`` the survivors are multiplied by n/(n − k), which is what
    training with dropout looked like. A network that was trained for this very lesion and survives it shows
    that training worked, no more. ``fill="mean"`` sets a unit to its mean over the examples instead: what is
    lost is its information, not its level.

    Args:
        head: the rest of the network, mapping ``(N, n)`` to logits ``(N, C)``.
        hidden: activations ``(N, n)``.
        y: classes ``(N,)``.
        units: indices of the k units to take away, all different.
        fill: what stands in for them, ``"mean"`` or ``"zero"``.
        rescale: multiply the survivors by n/(n − k).
        measure: ``"loss"`` for the mean cross-entropy in nats, ``"error"`` for the fraction of wrong answers.

    Returns:
        Rise of the loss; negative where the network does better without.

    Raises:
        ValueError: ``hidden`` is not ``(N, n)``, a unit is named twice or does not exist, ``fill`` or
            ``measure`` is unknown, or nobody survives to be rescaled.

    Example:
        >>> hidden, y = torch.tensor([[1.0, 1.0], [-1.0, 1.0]]), torch.tensor([0, 1])
        >>> head = lambda h: torch.stack([h[:, 0], -h[:, 0]], dim=1)
        >>> round(lesion(head, hidden, y, [0]), 3), lesion(head, hidden, y, [1])
        (0.566, 0.0)

    Source: Morcos et al. (2018), arXiv:1803.06959 (ablation of single units and of many).
    """
    if measure not in ("loss", "error"):
        raise ValueError(f"measure must be 'loss' or 'error', got {measure!r}")
    read = _loss if measure == "loss" else _error
    return read(head(_without(hidden, units, fill, rescale)), y) - read(head(hidden), y)


@torch.no_grad()
def unit_lesions(head: Head, hidden: Tensor, y: Tensor, *, fill: Fill = "mean") -> Tensor:
    """Measure `lesion` for each unit on its own.

    Args:
        head: the rest of the network, mapping ``(N, n)`` to logits.
        hidden: activations ``(N, n)``.
        y: classes ``(N,)``.
        fill: as in `lesion`.

    Returns:
        Rise of the loss for each unit, ``(n,)`` in float64.

    Raises:
        ValueError: as in `lesion`.

    Example:
        >>> hidden, y = torch.tensor([[1.0, 1.0], [-1.0, 1.0]]), torch.tensor([0, 1])
        >>> unit_lesions(lambda h: torch.stack([h[:, 0], -h[:, 0]], dim=1), hidden, y).shape
        torch.Size([2])
    """
    before = _loss(head(hidden), y)
    rises = [_loss(head(_without(hidden, [i], fill, False)), y) - before for i in range(hidden.shape[1])]
    return torch.tensor(rises, dtype=torch.float64)


@torch.no_grad()
def pair_lesions(head: Head, hidden: Tensor, y: Tensor, pairs: Tensor, *, fill: Fill = "mean") -> Tensor:
    """Measure `lesion` for pairs of units, both gone at once.

    Args:
        head: the rest of the network, mapping ``(N, n)`` to logits.
        hidden: activations ``(N, n)``.
        y: classes ``(N,)``.
        pairs: indices of the units, ``(P, 2)``, e.g. ``torch.combinations(torch.arange(n))`` for all.
        fill: as in `lesion`.

    Returns:
        Rise of the loss for each pair, ``(P,)`` in float64.

    Raises:
        ValueError: ``pairs`` is not ``(P, 2)``; else as in `lesion`.

    Example:
        >>> hidden, y = torch.tensor([[1.0, 1.0], [-1.0, 1.0]]), torch.tensor([0, 1])
        >>> pair_lesions(lambda h: h, hidden, y, torch.tensor([[0, 1]])).shape
        torch.Size([1])
    """
    if pairs.dim() != 2 or pairs.shape[1] != 2:
        raise ValueError(f"pairs must be (P, 2), got {tuple(pairs.shape)}")
    before = _loss(head(hidden), y)
    rises = [_loss(head(_without(hidden, pair, fill, False)), y) - before for pair in pairs]
    return torch.tensor(rises, dtype=torch.float64)


def synergy(head: Head, hidden: Tensor, y: Tensor, pairs: Tensor, *, fill: Fill = "mean") -> Tensor:
    r"""Tell by how much losing two units is worse than the sum of losing each.

    .. math:: \Delta_{ij} - (\Delta_i + \Delta_j)

    Positive where two units stand in for one another: one can go, not both. Negative where each is of use
    only together with the other, so that losing the second costs nothing more: the co-adaptation of the 2012
    paper. Zero where each does its own work.

    Args:
        head: the rest of the network, mapping ``(N, n)`` to logits.
        hidden: activations ``(N, n)``.
        y: classes ``(N,)``.
        pairs: indices of the units, ``(P, 2)``.
        fill: as in `lesion`.

    Returns:
        One value in nats for each pair, ``(P,)`` in float64.

    Raises:
        ValueError: as in `pair_lesions`.

    Example:
        >>> copies = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
        >>> head = lambda h: torch.stack([h.sum(1), -h.sum(1)], dim=1)
        >>> bool(synergy(head, copies, torch.tensor([0, 1]), torch.tensor([[0, 1]])) > 0)
        True

    Source: Hinton et al. (2012), arXiv:1207.0580, for the notion; the formula is the interaction of a
    two-by-two experiment.
    """
    both = pair_lesions(head, hidden, y, pairs, fill=fill)
    return both - unit_lesions(head, hidden, y, fill=fill)[pairs].sum(dim=1)


def _without(hidden: Tensor, units: Sequence[int] | Tensor, fill: Fill, rescale: bool) -> Tensor:
    index = torch.as_tensor(units, dtype=torch.int64)
    if hidden.dim() != 2:
        raise ValueError(f"need activations (N, n), got {tuple(hidden.shape)}")
    n = hidden.shape[1]
    if len(index) and not 0 <= int(index.min()) <= int(index.max()) < n:
        raise ValueError(f"units must lie in 0 to {n - 1}, got {index.tolist()}")
    if len(index.unique()) < len(index):
        raise ValueError(f"each unit can be taken away only once, got {index.tolist()}")
    if fill not in ("zero", "mean"):
        raise ValueError(f"fill must be 'zero' or 'mean', got {fill!r}")
    changed = hidden.clone()
    if rescale:
        if len(index) == n:
            raise ValueError(f"nobody is left to be rescaled; take away fewer than {n} units")
        changed *= n / (n - len(index))
    changed[:, index] = hidden[:, index].mean(dim=0) if fill == "mean" else 0.0
    return changed


def _loss(logits: Tensor, y: Tensor) -> float:
    return cross_entropy(logits.double(), y).item()


def _error(logits: Tensor, y: Tensor) -> float:
    return (logits.argmax(dim=1) != y).double().mean().item()
