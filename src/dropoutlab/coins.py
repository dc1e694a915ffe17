r"""Independent biased coins, thrown quickly on a CPU and exactly as often as p says.

A coin falls on *dropped* if a uniform number :math:`U \in [0, 1)` lies below p. Its first eight binary digits
settle the question unless they equal those of p, which happens for one coin in 256. So a coin costs one
byte, eight of them are cut from every 64-bit word of the generator, and only the undecided ones get
53 further digits. From 1/512 up, p itself has no more than these 61 digits as a float64, so P(dropped) is p
exactly; below, U < p rounds p up to 61 digits, by less than :math:`2^{-61}`.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

_BYTES_PER_WORD = 8
_ALL_BITS = (-(2**63), None)  # bounds for `random_`: each of the 2^64 words is equally likely


def toss(count: int, p: float, *, generator: Generator | None, device: torch.device | None) -> Tensor:
    """Throw ``count`` coins that keep with probability q = 1 − p.

    Args:
        count: number of coins.
        p: drop probability, strictly between 0 and 1.
        generator: source of randomness; ``None`` uses torch's default generator of the device.
        device: where to throw them; ``None`` means torch's default device.

    Returns:
        Boolean tensor ``(count,)``, ``True`` where kept. On a CPU it depends on the generator's state
        alone, not on the platform. Other devices, compiled code and ``torch.vmap`` use torch's own
        Bernoulli numbers, which are another stream and know p to some 24 digits.

    Example:
        >>> toss(1000, 0.3, generator=torch.Generator().manual_seed(1), device=None).sum().item()
        692
    """
    place = device or torch.empty(0).device
    # Compiled code must go on to draw: what NumPy computes it would keep as a constant.
    if place.type != "cpu" or torch.compiler.is_compiling():
        return _bernoulli(count, p, generator, place)
    # NumPy looks at bytes ten times faster than torch does, and lends torch its memory to fill.
    words = np.empty(-(-count // _BYTES_PER_WORD), dtype=np.int64)
    try:
        torch.from_numpy(words).random_(*_ALL_BITS, generator=generator)
    except RuntimeError:  # raised before any draw, where `vmap` wants a mask for each slice
        return _bernoulli(count, p, generator, place)
    digits = words.view(np.uint8)[:count]
    threshold = int(p * 256)
    kept = digits >= threshold
    _settle(digits, threshold, p, generator, kept)
    return torch.from_numpy(kept)


def toss_rows(
    count: int,
    rates: Sequence[float],
    generators: Sequence[Generator | None],
    *,
    device: torch.device | None = None,
) -> Tensor:
    """Throw ``count`` coins for each of K independent rows.

    Row k holds what `toss` would give it alone, and advances its generator as far; a generator that serves
    several rows gives them other coins of the same law.

    Args:
        count: number of coins in a row.
        rates: K drop probabilities, each strictly between 0 and 1.
        generators: K sources of randomness; ``None`` uses torch's default generator of the device.
        device: where to throw them; ``None`` means the CPU.

    Returns:
        Boolean tensor ``(K, count)``, ``True`` where kept.

    Example:
        >>> generators = [torch.Generator().manual_seed(1) for _ in range(2)]
        >>> toss_rows(5, [0.2, 0.9], generators).int().tolist()
        [[1, 1, 1, 1, 0], [1, 0, 0, 1, 0]]
    """
    if device is not None and device.type != "cpu":
        rows = zip(rates, generators, strict=True)
        return torch.stack([toss(count, p, generator=generator, device=device) for p, generator in rows])
    words = np.empty((len(rates), -(-count // _BYTES_PER_WORD)), dtype=np.int64)
    for row, generator in zip(torch.from_numpy(words).unbind(), generators, strict=True):
        row.random_(*_ALL_BITS, generator=generator)
    digits = words.view(np.uint8)[:, :count]
    thresholds = np.array([int(p * 256) for p in rates], dtype=np.uint8)
    kept = digits >= thresholds[:, None]
    for k, (p, generator) in enumerate(zip(rates, generators, strict=True)):
        _settle(digits[k], int(thresholds[k]), p, generator, kept[k])
    return torch.from_numpy(kept)


def _settle(
    digits: NDArray[np.uint8],
    threshold: int,
    p: float,
    generator: Generator | None,
    kept: NDArray[np.bool_],
) -> None:
    """Drop those undecided coins whose further digits lie below those of p."""
    rest = p * 256 - threshold  # exact: scaling by a power of two rounds nothing
    if rest == 0:
        return
    undecided = np.flatnonzero(digits == threshold)
    if len(undecided):
        further = np.empty(len(undecided))
        torch.from_numpy(further).uniform_(generator=generator)
        kept[undecided] = further >= rest


def _bernoulli(count: int, p: float, generator: Generator | None, device: torch.device) -> Tensor:
    # Not in place: `vmap` refuses to fill one tensor with numbers that differ between its slices.
    return torch.empty(count, dtype=torch.bool, device=device).bernoulli(1 - p, generator=generator)
