"""How the noise of dropout travels through residual blocks, depending on where in them it is."""

import math
from typing import Literal, get_args

import torch
from torch import Generator

from dropoutlab.functional import dropout
from dropoutlab.masks import check_probability

Where = Literal["branch", "shortcut", "sum"]


def noise_by_depth(
    p: float,
    where: Where,
    *,
    depth: int,
    width: int,
    examples: int,
    init: Generator,
    data: Generator,
    masks: Generator,
) -> list[float]:
    r"""Send random inputs through untrained residual blocks and compare training with evaluation.

    A block is :math:`x + f(x)` with :math:`f(x) = W\,\text{relu}(x / \text{rms}(x))` and normal weights of
    variance 2/width, so that every branch adds about 1 to the second moment, however deep the network is.
    Dropout is on the branch, on the shortcut, or on their sum. The noise of a mask on a branch is in
    proportion to that branch. A mask on the shortcut multiplies the second moment of all that has been
    computed so far by 1/q.

    Args:
        p: drop probability of every block, in [0, 1).
        where: what is dropped.
        depth: number of blocks.
        width: units.
        examples: number of inputs, standard normal.
        init: source of the weights.
        data: source of the inputs.
        masks: source of the masks.

    Returns:
        After each block, :math:`\sum (x_\text{train} - x_\text{eval})^2 / \sum x_\text{eval}^2`.

    Raises:
        ValueError: p is no probability or is 1, a size is below 1, or ``where`` is unknown.

    Example:
        >>> g = [torch.Generator().manual_seed(k) for k in range(3)]
        >>> sizes = {"depth": 2, "width": 16, "examples": 4}
        >>> noise_by_depth(0.0, "sum", **sizes, init=g[0], data=g[1], masks=g[2])
        [0.0, 0.0]

    Source: the law of the second moment is that of `dropoutlab.spread`.
    """
    if check_probability(p) == 1:
        raise ValueError(f"p must be below 1, got {p}: with p = 1 nothing is left of what is dropped")
    if where not in get_args(Where):
        raise ValueError(f"where must be one of {', '.join(map(repr, get_args(Where)))}, got {where!r}")
    if min(depth, width, examples) < 1:
        raise ValueError(f"sizes must be at least 1, got depth {depth}, width {width}, examples {examples}")

    def drop(x: torch.Tensor) -> torch.Tensor:
        return dropout(x, p, training=True, generator=masks)

    training = evaluation = torch.randn(examples, width, generator=data, dtype=torch.float64)
    noise = []
    for _ in range(depth):
        weight = torch.randn(width, width, generator=init, dtype=torch.float64) * math.sqrt(2 / width)
        branch = _branch(training, weight)
        if where == "branch":
            training = training + drop(branch)
        elif where == "shortcut":
            training = drop(training) + branch
        else:
            training = drop(training + branch)
        evaluation = evaluation + _branch(evaluation, weight)
        noise.append(((training - evaluation).square().sum() / evaluation.square().sum()).item())
    return noise


def _branch(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    # An input whose every unit was dropped has no scale; 1e-12 leaves it at zero.
    rms = x.square().mean(dim=1, keepdim=True).clamp(min=1e-12).sqrt()
    return (x / rms).relu() @ weight
