"""Flatness: how much the loss minds a disturbance of the weights, measured in proportion to their size."""

import math
from copy import deepcopy

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy


@torch.no_grad()
def weight_noise(
    net: nn.Module, x: Tensor, y: Tensor, *, scale: float, generator: Generator, draws: int = 10
) -> float:
    r"""Measure by how much the loss rises when the weights are disturbed in proportion to their size.

    .. math:: w_i \leftarrow w_i + \text{scale} \cdot \lVert w_i \rVert\, \varepsilon_i / \sqrt{d},
        \qquad \varepsilon_i \sim \mathcal N(0, I_d)

    for the d incoming weights of each unit i. A rectified network computes the same when one layer's weights
    are doubled and the next one's halved, so noise of a fixed size would call the same function sharp or flat
    at will. Noise in proportion to each unit's own weights does not. Biases are left alone.

    Args:
        net: network mapping ``(N, D)`` to logits; used in evaluation mode, and not changed.
        x: examples ``(N, D)``.
        y: classes ``(N,)``.
        scale: size of the noise relative to each unit's weights, from 0 up.
        generator: source of the noise.
        draws: number of disturbed networks to average over, at least 1.

    Returns:
        Mean rise of the cross-entropy in nats.

    Raises:
        ValueError: ``scale`` is negative or not finite, or ``draws`` is below 1.

    Example:
        >>> from dropoutlab.models import mlp
        >>> g = torch.Generator().manual_seed(1)
        >>> net, x, y = mlp((4, 8, 2), init=g), torch.rand(6, 4, generator=g).double(), torch.arange(6) % 2
        >>> weight_noise(net, x, y, scale=0.0, generator=g)
        0.0

    Source: the filter-wise normalisation of Li et al. (2018), arXiv:1712.09913.
    """
    if not 0 <= scale < math.inf:
        raise ValueError(f"the noise must be non-negative and finite, got {scale}")
    if draws < 1:
        raise ValueError(f"need at least 1 draw, got {draws}")
    disturbed = deepcopy(net).eval()
    before = _loss(disturbed(x), y)
    weights = [weight for weight in disturbed.parameters() if weight.dim() > 1]
    originals = [weight.detach().clone() for weight in weights]
    total = 0.0
    for _ in range(draws):
        for weight, original in zip(weights, originals, strict=True):
            noise = torch.randn(original.shape, generator=generator, dtype=original.dtype)
            size = original.flatten(1).norm(dim=1) / math.sqrt(original[0].numel())
            weight.copy_(original + scale * noise * size.view(-1, *[1] * (original.dim() - 1)))
        total += _loss(disturbed(x), y) - before
    return total / draws


def _loss(logits: Tensor, y: Tensor) -> float:
    return cross_entropy(logits.double(), y).item()
