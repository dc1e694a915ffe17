"""Independent, named streams of randomness for one replica of an experiment."""

import hashlib
from dataclasses import dataclass, fields

from torch import Generator


@dataclass(frozen=True)
class Streams:
    """The separate sources of randomness of one training run.

    Two arms of a comparison are *paired* when they share the seed: they then see the same examples
    (``data``), start from the same weights (``init``) and visit the examples in the same order
    (``order``), although one of them also draws masks. With a single generator the first mask
    would shift every later draw, and the pairing would be lost.

    Attributes:
        data: which examples are drawn and which labels are flipped.
        init: initial weights.
        order: order of the examples in every epoch.
        masks: dropout masks.
        augment: random shifts and other augmentation.
    """

    data: Generator
    init: Generator
    order: Generator
    masks: Generator
    augment: Generator


def streams(seed: int) -> Streams:
    """Make the streams of the replica with this seed; equal seeds give equal streams.

    Each stream's own seed is the first 63 bits of SHA-256 over the stream's name and ``seed``, so that
    stream ``data`` of seed 1000 and stream ``init`` of seed 1001 have nothing in common. torch's CPU
    generator uses the lowest 32 of them: one pair of streams in four thousand million is the same by chance.

    Args:
        seed: any non-negative integer. The course uses 1000 and up for what it publishes.

    Returns:
        One fresh CPU generator for each field of `Streams`.

    Raises:
        ValueError: ``seed`` is negative or no whole number.

    Example:
        >>> import torch
        >>> a, b = streams(1000), streams(1000)
        >>> torch.equal(torch.rand(3, generator=a.init), torch.rand(3, generator=b.init))
        True
        >>> torch.equal(torch.rand(3, generator=a.masks), torch.rand(3, generator=b.init))
        False
    """
    number = int(seed)  # the streams are named by its digits: 1000.0 and numpy's 1000 must write the same
    if number != seed or number < 0:
        raise ValueError(f"seed must be a non-negative integer, got {seed!r}")
    return Streams(**{field.name: _generator(field.name, number) for field in fields(Streams)})


def _generator(name: str, seed: int) -> Generator:
    digest = hashlib.sha256(f"{name}:{seed}".encode()).digest()
    return Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
