"""Label-preserving changes to training images, drawn afresh for every example and every step."""

import torch
from torch import Generator, Tensor


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
    if x.dim() != 2 or x.shape[1] != height * width:
        raise ValueError(f"expected images flattened to (N, {height * width}), got {tuple(x.shape)}")
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
