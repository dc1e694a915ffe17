"""Every random mask of the course, drawn from an explicit generator.

All binary masks share one law: independent coins that drop with probability p; `coins` says how exactly.
On a CPU a mask depends on the generator's seed alone: it is the same on every platform, and for every
dtype of the tensor it will meet.
"""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from dropoutlab.coins import toss


def check_probability(p: float) -> float:
    """Return ``p`` as a float if it is a probability, and refuse it otherwise.

    Args:
        p: drop probability.

    Returns:
        The same value as a ``float``.

    Raises:
        ValueError: ``p`` is NaN or outside ``[0, 1]``.

    Example:
        >>> check_probability(1)
        1.0
        >>> check_probability(1.3)
        Traceback (most recent call last):
        ValueError: drop probability must lie in [0, 1], got 1.3
    """
    if not 0 <= p <= 1:
        raise ValueError(f"drop probability must lie in [0, 1], got {p}")
    return float(p)


def keep_mask(
    shape: Sequence[int],
    p: float,
    *,
    generator: Generator | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Draw which elements survive: ``True`` with probability :math:`q = 1 - p`, independently.

    p = 0 and p = 1 leave nothing to chance and advance no generator.

    Args:
        shape: shape of the mask, e.g. ``(N, D)``; every element has a coin of its own.
        p: drop probability in ``[0, 1]``; the 2014 paper's ``p`` is our ``q``.
        generator: source of randomness; ``None`` uses torch's default generator.
        device: where the mask lives; ``None`` means the generator's device, else torch's default.

    Returns:
        Boolean tensor of ``shape`` on ``device``.

    Raises:
        ValueError: ``p`` is NaN or outside ``[0, 1]``, or the generator lives on another kind of device.

    Example:
        >>> keep_mask((2, 3), p=0.0).all().item()
        True
        >>> keep_mask((1000,), p=0.3, generator=torch.Generator().manual_seed(1)).sum().item()
        692

    Source: Srivastava et al. (2014), section 4.
    """
    p = check_probability(p)
    device = _device(generator, device)
    if p in (0.0, 1.0):
        return torch.full(tuple(shape), p == 0.0, dtype=torch.bool, device=device)
    return toss(math.prod(shape), p, generator=generator, device=device).view(tuple(shape))


def channel_mask(
    shape: Sequence[int],
    p: float,
    *,
    generator: Generator | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Draw which feature maps survive: one coin per example and channel.

    Args:
        shape: shape of the input, ``(N, C, *spatial)`` with at least one spatial dimension.
        p: drop probability in ``[0, 1]``.
        generator: source of randomness; ``None`` uses torch's default generator.
        device: as in `keep_mask`.

    Returns:
        Boolean tensor ``(N, C, 1, ..., 1)``, which broadcasts over the spatial dimensions.

    Raises:
        ValueError: ``p`` is no probability, or ``shape`` has fewer than three dimensions.

    Example:
        >>> tuple(channel_mask((8, 16, 5, 5), p=0.2).shape)
        (8, 16, 1, 1)

    Source: Tompson et al. (2015), arXiv:1411.4280.
    """
    return keep_mask(channel_shape(shape), p, generator=generator, device=device)


def path_mask(
    shape: Sequence[int],
    p: float,
    *,
    generator: Generator | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Draw for which examples a residual branch survives: one coin per example.

    Args:
        shape: shape of the branch's output, ``(N, ...)``.
        p: drop probability in ``[0, 1]``.
        generator: source of randomness; ``None`` uses torch's default generator.
        device: as in `keep_mask`.

    Returns:
        Boolean tensor ``(N, 1, ..., 1)``, which broadcasts over everything but the batch.

    Raises:
        ValueError: ``p`` is no probability, or ``shape`` is empty.

    Example:
        >>> tuple(path_mask((8, 16, 5), p=0.2).shape)
        (8, 1, 1)

    Source: Huang et al. (2016), arXiv:1603.09382.
    """
    return keep_mask(path_shape(shape), p, generator=generator, device=device)


def connection_mask(
    shape: Sequence[int],
    weight_shape: Sequence[int],
    p: float,
    *,
    per_example: bool = True,
    generator: Generator | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Draw which connections of a linear layer survive: one coin per weight.

    Args:
        shape: shape of the layer's input, ``(*, D)``.
        weight_shape: shape of its weight, ``(C, D)``.
        p: drop probability in ``[0, 1]``.
        per_example: whether every example gets coins of its own, as published. That costs ``N·C·D``
            of them; ``False`` shares ``C·D`` coins among the batch.
        generator: source of randomness; ``None`` uses torch's default generator.
        device: as in `keep_mask`.

    Returns:
        Boolean tensor ``(*, C, D)``, or ``(C, D)`` if shared.

    Raises:
        ValueError: ``p`` is no probability, or the input does not fit the weight.

    Example:
        >>> tuple(connection_mask((8, 4), (3, 4), p=0.2).shape)
        (8, 3, 4)

    Source: Wan et al. (2013), ICML.
    """
    return keep_mask(
        connection_shape(shape, weight_shape, per_example), p, generator=generator, device=device
    )


def gaussian_noise(
    shape: Sequence[int],
    p: float,
    *,
    generator: Generator | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor:
    r"""Draw multiplicative noise :math:`\mathcal N(1, p/q)`: the mean and variance of an inverted mask.

    p = 0 gives ones and advances no generator. The normal stream is the same on every platform up to the
    last digits of the logarithm and cosine behind it.

    Args:
        shape: shape of the noise, e.g. ``(N, D)``.
        p: drop probability in ``[0, 1)`` of the dropout whose spread the noise imitates.
        generator: source of randomness; ``None`` uses torch's default generator.
        device: as in `keep_mask`.
        dtype: floating-point type; ``None`` means torch's default.

    Returns:
        Tensor of ``shape``.

    Raises:
        ValueError: ``p`` is no probability, or is 1 (the variance would be infinite).

    Example:
        >>> gaussian_noise((3,), p=0.0)
        tensor([1., 1., 1.])

    Source: Srivastava et al. (2014), section 10, whose ``p`` is our ``q``.
    """
    p = check_probability(p)
    if p == 1:
        raise ValueError(f"Gaussian dropout needs p < 1, got {p}: its variance p/(1 - p) is infinite there")
    device = _device(generator, device)
    if p == 0:
        return torch.ones(tuple(shape), device=device, dtype=dtype)
    normal = torch.randn(tuple(shape), generator=generator, device=device, dtype=dtype)
    return normal.mul_((p / (1 - p)) ** 0.5).add_(1)


def channel_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Give the shape ``(N, C, 1, ..., 1)`` of the channel mask for an input of ``shape``."""
    if len(shape) < 3:
        raise ValueError(
            f"a channel mask needs an input of shape (N, C, *spatial), got {tuple(shape)}; "
            "add a batch dimension with x.unsqueeze(0), or drop single elements"
        )
    return (*shape[:2], *[1] * (len(shape) - 2))


def path_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Give the shape ``(N, 1, ..., 1)`` of the path mask for an input of ``shape``."""
    if not shape:
        raise ValueError(
            "a path mask needs an input of shape (N, ...), got a scalar; "
            "add a batch dimension with x.unsqueeze(0)"
        )
    return (shape[0], *[1] * (len(shape) - 1))


def connection_shape(
    shape: Sequence[int], weight_shape: Sequence[int], per_example: bool = True
) -> tuple[int, ...]:
    """Give the shape ``(*, C, D)``, or ``(C, D)`` if shared, of the mask for a weight ``(C, D)``."""
    if not shape or shape[-1] != weight_shape[-1]:
        raise ValueError(
            f"a weight of shape {tuple(weight_shape)} needs an input of shape (*, {weight_shape[-1]}), "
            f"got {tuple(shape)}"
        )
    return (*(shape[:-1] if per_example else ()), *weight_shape)


def _device(generator: Generator | None, device: torch.device | str | None) -> torch.device | None:
    """Find where to draw, and refuse a generator that cannot draw there."""
    if generator is None:
        return None if device is None else torch.device(device)
    if device is None:
        return generator.device
    device = torch.device(device)
    if generator.device.type != device.type:
        raise ValueError(
            f"the generator lives on {generator.device} but the mask is needed on {device}; "
            f"make one with torch.Generator(device='{device}')"
        )
    return device
