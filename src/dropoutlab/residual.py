"""Residual multilayer perceptrons whose branches are skipped at random: stochastic depth."""

from typing import Literal, get_args

import torch
from torch import Generator, Tensor, nn

from dropoutlab.layers import DropPath
from dropoutlab.masks import check_probability, keep_mask
from dropoutlab.models import linear

Skip = Literal["none", "batch", "example"]


class StochasticDepth(nn.Module):
    r"""Add a branch to its input, or, with probability p in training, do not even compute it.

    .. math:: y = x + b\, f(x) / q \text{ in training}, \qquad y = x + f(x) \text{ in evaluation}

    One coin b decides for the whole minibatch, so a dropped branch costs nothing, neither forward nor
    backward, and its weights get no gradient at all. `DropPath` throws a coin for each example, and
    must compute the branch for the others. The survivor is divided by q in training, as elsewhere here; as
    published it is multiplied by q in evaluation instead.

    Args:
        branch: computes f, from ``(N, ...)`` to the same shape.
        p: drop probability in ``[0, 1]``.
        generator: source of the coins; ``None`` uses torch's default generator.

    Raises:
        ValueError: ``p`` is NaN or outside ``[0, 1]``.

    Example:
        >>> block = StochasticDepth(nn.Linear(3, 3), p=1.0)
        >>> x = torch.ones(2, 3)
        >>> block(x) is x
        True

    Source: Huang et al. (2016), arXiv:1603.09382.
    """

    def __init__(self, branch: nn.Module, p: float = 0.5, *, generator: Generator | None = None) -> None:
        super().__init__()
        self.branch = branch
        self.p = check_probability(p)
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Apply the rule above to ``x``."""
        if self.training and not keep_mask((1,), self.p, generator=self.generator).item():
            return x
        f: Tensor = self.branch(x)
        return x + (f / (1 - self.p) if self.training else f)

    def extra_repr(self) -> str:
        """Name the settings that ``print(layer)`` shows."""
        return f"p={self.p}"


class _Residual(nn.Module):
    """Add a branch to its input."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.branch(x)
        return y


def depth_rates(blocks: int, last: float) -> list[float]:
    r"""Let the drop probability grow linearly with depth: :math:`p_l = (l / L)\, p_L`.

    Early blocks compute the features that all others use, so they are dropped least.

    Args:
        blocks: number L of blocks, at least 1.
        last: drop probability :math:`p_L` of the last one.

    Returns:
        The L probabilities, first block first.

    Raises:
        ValueError: ``blocks`` is below 1, or ``last`` is no probability.

    Example:
        >>> depth_rates(4, 0.5)
        [0.125, 0.25, 0.375, 0.5]

    Source: Huang et al. (2016), arXiv:1603.09382.
    """
    if blocks < 1:
        raise ValueError(f"need at least 1 block, got {blocks}")
    last = check_probability(last)
    return [last * depth / blocks for depth in range(1, blocks + 1)]


def residual_mlp(
    *,
    init: Generator,
    blocks: int,
    skip: Skip = "none",
    last_p: float = 0.0,
    masks: Generator | None = None,
    n_in: int = 784,
    width: int = 64,
    classes: int = 10,
    dtype: torch.dtype = torch.float32,
) -> nn.Sequential:
    """Build a deep residual perceptron of blocks ``x + Linear(ReLU(Linear(LayerNorm(x))))``.

    Args:
        init: source of the initial weights; nets that differ only in ``skip`` start from the same ones.
        blocks: number of residual blocks.
        skip: drop no branch (``"none"``), a branch for a whole minibatch (``"batch"``, `StochasticDepth`) or
            for single examples (``"example"``, `DropPath`).
        last_p: drop probability of the last block; it falls linearly towards the first, see `depth_rates`.
        masks: source of the coins; ``None`` uses torch's default generator.
        n_in: number of inputs.
        width: units of every layer.
        classes: number of classes.
        dtype: floating-point type of the parameters.

    Returns:
        Network mapping ``(N, n_in)`` to logits ``(N, classes)``.

    Raises:
        ValueError: a size is below 1, ``last_p`` is no probability, or ``skip`` is unknown.

    Example:
        >>> net = residual_mlp(blocks=2, skip="batch", last_p=0.5, init=torch.Generator().manual_seed(1))
        >>> [type(layer).__name__ for layer in net]
        ['Linear', 'StochasticDepth', 'StochasticDepth', 'LayerNorm', 'Linear']
        >>> [net[1].p, net[2].p]
        [0.25, 0.5]
    """
    if skip not in get_args(Skip):
        raise ValueError(f"skip must be one of {', '.join(map(repr, get_args(Skip)))}, got {skip!r}")

    def block(p: float) -> nn.Module:
        branch = nn.Sequential(
            nn.LayerNorm(width, dtype=dtype),
            linear(width, width, generator=init, dtype=dtype),
            nn.ReLU(),
            linear(width, width, generator=init, dtype=dtype),
        )
        if skip == "batch":
            return StochasticDepth(branch, p, generator=masks)
        return _Residual(branch.append(DropPath(p, generator=masks)) if skip == "example" else branch)

    return nn.Sequential(
        linear(n_in, width, generator=init, dtype=dtype),
        *(block(p) for p in depth_rates(blocks, last_p)),
        nn.LayerNorm(width, dtype=dtype),
        linear(width, classes, generator=init, dtype=dtype),
    )
