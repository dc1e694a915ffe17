"""Random draws from a dataset: disjoint subsets of the examples, and wrong labels."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from dropoutlab.data.datasets import Split


def draw(split: Split, *sizes: int | None, generator: Generator) -> tuple[Split, ...]:
    """Draw disjoint random subsets without replacement, every arrangement equally likely.

    The subsets are consecutive pieces of one permutation. So ``draw(split, 100, generator=g)`` is the
    beginning of ``draw(split, 500, generator=g)`` for a generator in the same state: training sets of growing
    size are nested, and differ by what was added only.

    Args:
        split: the examples to draw from, ``N`` of them.
        sizes: number of examples in each subset; at most one may be ``-1`` or None, which is all the rest.
        generator: source of randomness, advanced by one permutation of ``N``.

    Returns:
        One subset per size, in the order of ``sizes``.

    Raises:
        ValueError: no size, a negative size, more than one "rest", or more examples asked for than there are.

    Example:
        >>> whole = Split(torch.rand(10, 2), torch.arange(10))
        >>> small, rest = draw(whole, 3, -1, generator=torch.Generator().manual_seed(1))
        >>> len(small), len(rest), sorted(small.y.tolist() + rest.y.tolist()) == list(range(10))
        (3, 7, True)
    """
    asked = [-1 if size is None else size for size in sizes]
    if not asked or min(asked) < -1 or asked.count(-1) > 1:
        raise ValueError(
            f"sizes must be whole numbers from 0 up, with at most one -1 for the rest, got {sizes}"
        )
    fixed = sum(size for size in asked if size != -1)
    if fixed > len(split):
        raise ValueError(
            f"sizes must add up to at most the {len(split)} examples there are, got {sizes}, which is {fixed}"
        )
    lengths = [len(split) - fixed if size == -1 else size for size in asked]
    order = torch.randperm(len(split), generator=generator, device=generator.device)
    return tuple(split.take(indices) for indices in torch.split(order[: sum(lengths)], lengths))


def flip_labels(y: Tensor, fraction: float, classes: int, *, generator: Generator) -> tuple[Tensor, Tensor]:
    r"""Give a fixed fraction of the labels a wrong value, uniform over the other classes.

    Exactly ``round(fraction * N)`` labels change (halves go to the even number, as everywhere in Python):
    :math:`y' = (y + s) \bmod C` with :math:`s` uniform on :math:`1, \dots, C - 1`. For a generator in the
    same state a larger fraction flips the same labels to the same values, and some more.

    Args:
        y: labels, int64, shape ``(N,)``; not modified.
        fraction: fraction of labels to flip, in ``[0, 1]``.
        classes: number of classes ``C``, at least 2; labels are 0 to ``C - 1``.
        generator: source of randomness, advanced by one permutation of ``N`` and ``N`` shifts.

    Returns:
        The new labels, and a boolean mask of the flipped ones, both of shape ``(N,)`` on the device of ``y``.

    Raises:
        ValueError: ``fraction`` is NaN or outside ``[0, 1]``, ``classes`` is below 2, or ``y`` holds anything
            but labels.

    Example:
        >>> y = torch.tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
        >>> noisy, flipped = flip_labels(y, 0.3, 10, generator=torch.Generator().manual_seed(1))
        >>> flipped.sum().item(), torch.equal(noisy != y, flipped)
        (3, True)

    Source: Zhang et al. (2017), Understanding deep learning requires rethinking generalization, section 2;
    there the new label is uniform over all classes, so on average one in ``C`` corrupted labels stays right.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction of flipped labels must lie in [0, 1], got {fraction}")
    if classes < 2:
        raise ValueError(f"classes must be at least 2, so that there is a wrong label to give, got {classes}")
    if y.ndim != 1 or y.dtype != torch.int64:
        raise ValueError(f"y must be int64 of shape (N,), got {y.dtype} of shape {tuple(y.shape)}")
    if len(y) and not 0 <= int(y.min()) <= int(y.max()) < classes:
        raise ValueError(f"labels must lie in 0 to {classes - 1}, got {int(y.min())} to {int(y.max())}")
    count = round(fraction * len(y))
    order = torch.randperm(len(y), generator=generator, device=generator.device)
    shifts = torch.randint(1, classes, (len(y),), generator=generator, device=generator.device)
    flipped = torch.zeros(len(y), dtype=torch.bool, device=y.device)
    flipped[order[:count].to(y.device)] = True
    return torch.where(flipped, (y + shifts.to(y.device)) % classes, y), flipped
