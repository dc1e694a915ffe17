"""What pooling leaves of the noise of dropout: one coin for each pixel against one for each map."""

from typing import Literal

import torch
from torch import Generator, Tensor

from dropoutlab.functional import dropout, spatial_dropout


def effective_pixels(maps: Tensor) -> Tensor:
    r"""Count over how many pixels a map is spread: 1 for a single bright one, HW for a constant map.

    .. math:: n_\text{eff} = \frac{\bigl(\sum_{hw} x_{hw}\bigr)^2}{\sum_{hw} x_{hw}^2}

    It is also how many times the variance after global average pooling is larger with one coin for the map
    than with one for each pixel, at any p: see `dropoutlab.moments.pooled_variance`. By the inequality of
    Cauchy and Schwarz it is at most HW.

    Args:
        maps: feature maps ``(*, H, W)``, none of them zero everywhere.

    Returns:
        Numbers in ``[0, HW]`` of shape ``(*,)``; at least 1 where no pixel is negative.

    Raises:
        ValueError: a map is zero everywhere: neither kind of coin does anything to it.

    Example:
        >>> corner = torch.zeros(8, 8)
        >>> corner[:2, :2] = 1
        >>> effective_pixels(torch.stack([torch.ones(8, 8), corner]))
        tensor([64.,  4.])

    Source: the participation ratio of physics, applied to `dropoutlab.moments.pooled_variance`.
    """
    flat = maps.flatten(start_dim=-2)
    squares = flat.square().sum(dim=-1)
    if bool((squares == 0).any()):
        raise ValueError("a map that is zero everywhere has no effective number of pixels; leave it out")
    return flat.sum(dim=-1).square() / squares


def pooled_draws(
    maps: Tensor, p: float, samples: int, *, per: Literal["element", "channel"], generator: Generator
) -> Tensor:
    """Draw masks for the maps of one image, pool each map, and return what comes out.

    Args:
        maps: feature maps ``(C, H, W)``.
        p: drop probability.
        samples: number of masks S.
        per: what one coin decides about.
        generator: source of the masks.

    Returns:
        Pooled values ``(S, C)`` in training.

    Raises:
        ValueError: ``per`` is unknown, or ``p`` is no probability.

    Example:
        >>> g = torch.Generator().manual_seed(1)
        >>> pooled_draws(torch.ones(2, 8, 8), 0.5, 5, per="channel", generator=g).unique()
        tensor([0., 2.])
    """
    if per not in ("element", "channel"):
        raise ValueError(f"per must be 'element' or 'channel', got {per!r}")
    apply = dropout if per == "element" else spatial_dropout
    many = maps.expand(samples, *maps.shape)
    return apply(many, p, training=True, generator=generator).mean(dim=(-2, -1))


def explained(target: Tensor, given: Tensor) -> float:
    r"""Say how much of a quantity can be told from others by a linear rule: the coefficient R².

    .. math:: R^2 = 1 - \frac{\min_{a, b} \sum_n (t_n - a - b^\top g_n)^2}{\sum_n (t_n - \bar t)^2}

    Args:
        target: ``(N,)``.
        given: ``(N, k)`` with k well below N; R² of a rule with many coefficients flatters it.

    Returns:
        Number in ``[0, 1]``, up to rounding.

    Raises:
        ValueError: the target does not vary, or there are not more examples than coefficients.

    Example:
        >>> x = torch.arange(10.0, dtype=torch.float64)
        >>> round(explained(3 * x + 1, x[:, None]), 6)
        1.0
    """
    n, k = given.shape
    if n <= k + 1:
        raise ValueError(f"need more examples than the {k + 1} coefficients, got {n}")
    spread = (target - target.mean()).square().sum()
    if spread == 0:
        raise ValueError("the target is constant, so there is nothing to explain")
    design = torch.cat([given, given.new_ones(n, 1)], dim=1)
    # Rectified neighbours can be zero together; the pseudo-inverse copes with such columns.
    residual = target - design @ (torch.linalg.pinv(design) @ target)
    return float(1 - residual.square().sum() / spread)
