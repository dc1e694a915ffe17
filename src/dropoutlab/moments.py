"""Exact means and variances of dropout's output, and the variance shift between training and evaluation.

Everything follows from the first two moments of one mask factor: for inverted dropout m/q has mean 1 and
second moment 1/q, for classic dropout m has mean q and second moment q. Gaussian noise shares the first pair.
"""

from typing import Any, Generic, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from dropoutlab.masks import check_probability

Kind = Literal["inverted", "classic", "gaussian"]

Value = TypeVar("Value", float, Tensor, NDArray[np.float64])


class Moments(NamedTuple, Generic[Value]):
    """Mean and variance of a random quantity, element by element."""

    mean: Value
    variance: Value

    @property
    def second_moment(self) -> Value:
        """Expectation of the square, variance + mean²."""
        return self.variance + self.mean * self.mean


def factor_moments(p: float, kind: Kind = "inverted") -> Moments[float]:
    r"""Give the moments of the factor that multiplies one element in training.

    Inverted and Gaussian: mean 1, variance p/q. Classic: mean q, variance pq. At p = 1 inverted dropout
    keeps nothing, so mean and variance are 0.

    Args:
        p: drop probability in ``[0, 1]``; ``"gaussian"`` refuses 1.
        kind: ``"inverted"``, ``"classic"`` or ``"gaussian"``.

    Returns:
        The factor's moments.

    Raises:
        ValueError: ``p`` is no probability, or ``kind`` is unknown.

    Example:
        >>> factor_moments(0.2)
        Moments(mean=1.0, variance=0.25)

    Source: Srivastava et al. (2014), sections 4 and 10.
    """
    p = check_probability(p)
    q = 1 - p
    if kind == "classic":
        return Moments(q, p * q)
    if kind not in ("inverted", "gaussian"):
        raise ValueError(f"kind must be 'inverted', 'classic' or 'gaussian', got {kind!r}")
    if q == 0:
        if kind == "gaussian":
            raise ValueError(
                f"Gaussian dropout needs p < 1, got {p}: its variance p/(1 - p) is infinite there"
            )
        return Moments(0.0, 0.0)
    return Moments(1.0, p / q)


def output_moments(
    x: Value, p: float, *, variance: Value | float = 0.0, kind: Kind = "inverted"
) -> Moments[Value]:
    r"""Give the moments of one masked element in training.

    For an input of mean c and variance v, and a factor of mean a and variance s:

    .. math:: \mathbb E[y] = a c, \qquad \operatorname{Var}[y] = a^2 v + s\,(v + c^2)

    so inverted dropout of a fixed x has mean x and variance x² p/q.

    Args:
        x: the input, or its mean c where it is random; a float, or a tensor or array of any shape.
        p: drop probability in ``[0, 1]``.
        variance: variance v of the input; 0 for a fixed one.
        kind: ``"inverted"``, ``"classic"`` or ``"gaussian"``.

    Returns:
        Moments of the output, element by element, in ``x``'s shape.

    Raises:
        ValueError: ``p`` is no probability, or ``kind`` is unknown.

    Example:
        >>> moments = output_moments(3.0, 0.2)
        >>> moments.mean, moments.variance, moments.second_moment
        (3.0, 2.25, 11.25)

    Source: Baldi and Sadowski (2013), NeurIPS, for the fixed input; Li et al. (2019), arXiv:1801.05134,
    for the random one.
    """
    factor = factor_moments(p, kind)
    spread = factor.mean**2 * variance + factor.variance * (variance + x * x)
    return Moments(factor.mean * x, spread)


def variance_shift(mean: Value, variance: Value, p: float) -> Value:
    r"""Give the variance in evaluation divided by the variance in training of one element.

    .. math:: \frac{v}{v/q + c^2 p/q}

    It is q for a centred input and smaller for any other. It is the same for inverted, classic and Gaussian
    dropout, because a constant scale cancels.

    Args:
        mean: mean c of the input.
        variance: variance v of the input.
        p: drop probability in ``[0, 1)``.

    Returns:
        Ratio in ``[0, 1]``, element by element.

    Raises:
        ValueError: ``p`` is no probability or is 1, or mean and variance are both zero somewhere.

    Example:
        >>> variance_shift(0.0, 2.0, 0.2), variance_shift(1.0, 1.0, 0.5)
        (0.8, 0.3333333333333333)

    Source: Li et al. (2019), arXiv:1801.05134.
    """
    training = output_moments(mean, p, variance=variance)
    _require_spread(training.variance)
    return variance / training.variance


def linear_moments(
    weight: Tensor, x: Tensor, p: float, *, covariance: Tensor | None = None, kind: Kind = "inverted"
) -> Moments[Tensor]:
    r"""Give the moments of a linear map of masked inputs, ``weight @ (x * factor)``, in training.

    For inputs of mean c and covariance Σ, and independent factors of mean a and variance s:

    .. math:: \mathbb E[y] = a\,w^\top c, \qquad
        \operatorname{Var}[y] = a^2\, w^\top \Sigma w + s \sum_i w_i^2\, (\Sigma_{ii} + c_i^2)

    A row of ones gives the sum of the masked inputs; a bias would move the mean alone.

    Args:
        weight: ``(C, D)``.
        x: the inputs, or their mean c where they are random; ``(*, D)``.
        p: drop probability in ``[0, 1]`` of every input.
        covariance: covariance Σ of the inputs, ``(D, D)``; ``None`` for fixed ones.
        kind: ``"inverted"``, ``"classic"`` or ``"gaussian"``.

    Returns:
        Mean and variance of each output, ``(*, C)``.

    Raises:
        ValueError: ``p`` is no probability, or ``kind`` is unknown.

    Example:
        >>> total = linear_moments(torch.ones(1, 3), torch.tensor([1.0, 2.0, 2.0]), 0.5)
        >>> total.mean.item(), total.variance.item()
        (5.0, 9.0)

    Source: Baldi and Sadowski (2013), NeurIPS (linear networks).
    """
    factor = factor_moments(p, kind)
    squares = weight * weight
    variance = factor.variance * (x * x) @ squares.T
    if covariance is not None:
        variance = variance + factor.mean**2 * _quadratic(weight, covariance)
        variance = variance + factor.variance * squares @ covariance.diagonal()
    return Moments(factor.mean * x @ weight.T, variance)


def linear_variance_shift(weight: Tensor, mean: Tensor, covariance: Tensor, p: float) -> Tensor:
    r"""Give the variance in evaluation divided by the variance in training behind a linear map.

    .. math:: \frac{w^\top \Sigma w}{w^\top \Sigma w + (p/q) \sum_i w_i^2\, \mathbb E[x_i^2]}

    Args:
        weight: ``(C, D)``.
        mean: mean of the inputs, ``(D,)``.
        covariance: covariance Σ of the inputs, ``(D, D)``.
        p: drop probability in ``[0, 1)`` of every input.

    Returns:
        Ratio of each output, ``(C,)``.

    Raises:
        ValueError: ``p`` is no probability or is 1, or an output is constant in training.

    Example:
        >>> linear_variance_shift(torch.ones(1, 4), torch.zeros(4), torch.eye(4), 0.2)
        tensor([0.8000])

    Source: Li et al. (2019), arXiv:1801.05134.
    """
    training = linear_moments(weight, mean, p, covariance=covariance)
    _require_spread(training.variance)
    return _quadratic(weight, covariance) / training.variance


def pooled_variance(maps: Tensor, p: float, *, per: Literal["element", "channel"]) -> Tensor:
    r"""Give the variance that inverted dropout causes in a global average pool.

    .. math:: \text{element: } \frac pq\, \frac{\sum_{hw} x_{hw}^2}{(HW)^2}, \qquad
        \text{channel: } \frac pq\, \bar x^2

    For a constant map the second is HW times the first: pooling averages single coins away.

    Args:
        maps: feature maps ``(*, H, W)``.
        p: drop probability in ``[0, 1]``.
        per: what one coin decides about, ``"element"`` or ``"channel"``.

    Returns:
        Variance of each pooled value, of shape ``(*,)``.

    Raises:
        ValueError: ``p`` is no probability, or ``per`` is unknown.

    Example:
        >>> maps = torch.ones(8, 8)
        >>> [pooled_variance(maps, 0.5, per=unit).item() for unit in ("element", "channel")]
        [0.015625, 1.0]

    Source: follows from `linear_moments` with weights 1/(HW).
    """
    flat = maps.flatten(start_dim=-2)  # (*, HW)
    if per == "element":
        average = flat.new_full((1, flat.shape[-1]), 1 / flat.shape[-1])
        return linear_moments(average, flat, p).variance.squeeze(-1)
    if per == "channel":
        return output_moments(flat.mean(dim=-1), p).variance
    raise ValueError(f"per must be 'element' or 'channel', got {per!r}")


def dropped_count(n: int, p: float) -> Any:
    r"""Give the law of the number of units dropped out of n: :math:`\text{Binomial}(n, p)`.

    Args:
        n: number of units.
        p: drop probability in ``[0, 1]``.

    Returns:
        Frozen SciPy distribution with ``pmf``, ``cdf``, ``mean``, ``std``, ``interval`` and the rest.

    Raises:
        ValueError: ``p`` is no probability, or ``n`` is negative.

    Example:
        >>> round(float(dropped_count(10, 0.3).pmf(3)), 3)
        0.267

    Source: each unit has a coin of its own, Srivastava et al. (2014), section 4.
    """
    if n < 0:
        raise ValueError(f"the number of units must be at least 0, got {n}")
    return stats.binom(n, check_probability(p))


def _quadratic(weight: Tensor, covariance: Tensor) -> Tensor:
    """Return wᵀΣw for each row of the weight."""
    return torch.einsum("ci,ij,cj->c", weight, covariance, weight)


def _require_spread(variance: Any) -> None:
    if not bool((np.asarray(variance) > 0).all()):
        raise ValueError(
            "the variance shift is undefined where training has no variance: "
            "it needs p < 1 and an input that is not always zero"
        )
