"""Random changes to training images, drawn afresh for every example and every step."""

import torch
from torch import Generator, Tensor

from dropoutlab.masks import keep_mask


def random_shift(x: Tensor, image_shape: tuple[int, int], *, pixels: int, generator: Generator) -> Tensor:
    """Move every image by its own whole number of pixels, filling the uncovered border with 0.

    Horizontal and vertical shifts are independent and uniform on ``{-pixels, ..., pixels}``.

    Args:
        x: flattened images ``(N, H * W)``.
        image_shape: ``(H, W)``.
        pixels: largest shift, in pixels; 0 returns ``x`` itself.
        generator: source of the shifts.

    Returns:
        Shifted images ``(N, H * W)``, same dtype.

    Raises:
        ValueError: ``pixels`` is negative or not smaller than the shorter side, or ``x`` does not hold such
            images.

    Example:
        >>> image = torch.arange(9.0).reshape(1, 9)
        >>> random_shift(image, (3, 3), pixels=1, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([1, 9])

    Source: the translations of Simard, Steinkraus and Platt (2003), section 2.
    """
    height, width = image_shape
    _check(x, image_shape)
    if not 0 <= pixels < min(height, width):
        raise ValueError(
            f"shift of {height}x{width} images must lie in [0, {min(height, width) - 1}] pixels, got {pixels}"
        )
    if pixels == 0:
        return x
    n = len(x)
    padded = torch.nn.functional.pad(x.reshape(n, height, width), (pixels,) * 4)  # (N, H + 2s, W + 2s)
    top = torch.randint(0, 2 * pixels + 1, (n,), generator=generator)
    left = torch.randint(0, 2 * pixels + 1, (n,), generator=generator)
    rows = (top[:, None] + torch.arange(height))[:, :, None]  # (N, H, 1)
    columns = (left[:, None] + torch.arange(width))[:, None, :]  # (N, 1, W)
    shifted = padded[torch.arange(n)[:, None, None], rows, columns]
    return shifted.reshape(n, height * width)


def random_flip(x: Tensor, image_shape: tuple[int, int], *, generator: Generator) -> Tensor:
    """Mirror every image left to right with probability 1/2, each by its own coin.

    That preserves what a shirt is, but not what a written 2 is: whether an augmentation keeps the label
    depends on the data, and nothing here can tell.

    Args:
        x: flattened images ``(N, H * W)``.
        image_shape: ``(H, W)``.
        generator: source of the coins.

    Returns:
        Images ``(N, H * W)``, same dtype.

    Raises:
        ValueError: ``x`` does not hold such images.

    Example:
        >>> image = torch.tensor([[1.0, 2.0, 3.0, 4.0]]).expand(3, -1)
        >>> random_flip(image, (2, 2), generator=torch.Generator().manual_seed(0))
        tensor([[2., 1., 4., 3.],
                [1., 2., 3., 4.],
                [1., 2., 3., 4.]])

    Source: the horizontal reflections of Krizhevsky, Sutskever and Hinton (2012), section 4.1.
    """
    _check(x, image_shape)
    n = len(x)
    images = x.reshape(n, *image_shape)
    kept = keep_mask((n, 1, 1), 0.5, generator=generator)
    return torch.where(kept, images, images.flip(2)).reshape(x.shape)


def _check(x: Tensor, image_shape: tuple[int, int]) -> None:
    height, width = image_shape
    if x.dim() != 2 or x.shape[1] != height * width:
        raise ValueError(f"expected images flattened to (N, {height * width}), got {tuple(x.shape)}")
