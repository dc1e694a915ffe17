"""Damage to test images that training never showed: pixel noise and occlusion."""

import math

import torch
from torch import Generator, Tensor


def pixel_noise(x: Tensor, sd: float, *, generator: Generator) -> Tensor:
    r"""Add independent Gaussian noise to every pixel: :math:`x + \mathcal N(0, \text{sd}^2)`, not clipped.

    Args:
        x: images ``(N, D)``.
        sd: standard deviation in units of full brightness, from 0 up.
        generator: source of the noise.

    Returns:
        Noisy images ``(N, D)``, same dtype.

    Raises:
        ValueError: ``sd`` is negative or not finite.

    Example:
        >>> pixel_noise(torch.zeros(2, 9), 0.1, generator=torch.Generator().manual_seed(1)).shape
        torch.Size([2, 9])
    """
    if not 0 <= sd < math.inf:
        raise ValueError(f"the standard deviation must be non-negative and finite, got {sd}")
    return x + sd * torch.randn(x.shape, generator=generator, dtype=x.dtype)


def occlude(x: Tensor, image_shape: tuple[int, int], size: int, *, generator: Generator) -> Tensor:
    """Blacken one square of every image, at a place drawn for each.

    All places at which the square lies within the image are equally likely.

    Args:
        x: flattened images ``(N, H * W)``; not modified.
        image_shape: ``(H, W)``.
        size: side of the square in pixels; 0 blackens nothing.
        generator: source of the places.

    Returns:
        Occluded images ``(N, H * W)``, same dtype.

    Raises:
        ValueError: the square does not fit into the image, or ``x`` does not hold such images.

    Example:
        >>> occlude(torch.ones(1, 9), (3, 3), 2, generator=torch.Generator().manual_seed(1)).sum().item()
        5.0

    Source: the random erasing of Zhong et al. (2020), arXiv:1708.04896, used here on test images.
    """
    height, width = image_shape
    if x.dim() != 2 or x.shape[1] != height * width:
        raise ValueError(f"expected images flattened to (N, {height * width}), got {tuple(x.shape)}")
    if not 0 <= size <= min(height, width):
        raise ValueError(
            f"the square must have a side of 0 to {min(height, width)} pixels in {height}x{width} images, "
            f"got {size}"
        )
    top = torch.randint(0, height - size + 1, (len(x), 1, 1), generator=generator)
    left = torch.randint(0, width - size + 1, (len(x), 1, 1), generator=generator)
    row, column = torch.arange(height)[:, None], torch.arange(width)
    hidden = (row >= top) & (row < top + size) & (column >= left) & (column < left + size)
    return x.masked_fill(hidden.flatten(1), 0.0)
