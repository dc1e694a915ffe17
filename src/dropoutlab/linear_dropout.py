r"""Dropout in a linear network with one hidden layer: its objective in closed form, and what minimises it.

The network is :math:`U \,\text{diag}(m/q)\, V^\top x`. Averaged over masks, dropout adds a penalty on the
product of what goes into each hidden unit and what comes out of it.
"""

import math

import torch
from torch import Generator, Tensor

from dropoutlab.masks import check_probability


def objective(U: Tensor, V: Tensor, inputs: Tensor, cross: Tensor, total: float, p: float) -> Tensor:
    r"""Give the expected squared error of a linear network with dropout on its hidden units.

    .. math:: \mathbb E \lVert y - U\,\text{diag}(m/q)\,V^\top x \rVert^2
        = \mathbb E \lVert y - U V^\top x \rVert^2
        + \frac pq \sum_i \lVert u_i \rVert^2\, v_i^\top \mathbb E[x x^\top]\, v_i

    Args:
        U: outgoing weights ``(K, n)``, one column for each hidden unit.
        V: incoming weights ``(D, n)``.
        inputs: second moment of the inputs, E[x xᵀ], ``(D, D)``.
        cross: cross moment E[y xᵀ], ``(K, D)``.
        total: E‖y‖².
        p: drop probability in ``[0, 1)`` of every hidden unit.

    Returns:
        Scalar.

    Raises:
        ValueError: ``p`` is not in ``[0, 1)``.

    Example:
        >>> one = torch.ones(1, 1)
        >>> objective(one, one, inputs=one, cross=one, total=1.0, p=0.5).item()
        1.0

    Source: Mianjy, Arora and Vidal (2018), arXiv:1806.09777, for whitened inputs; Cavazza et al. (2018),
    arXiv:1710.05092.
    """
    if check_probability(p) == 1:
        raise ValueError("the penalty needs p < 1, got 1: p/q is infinite there")
    M = U @ V.T  # (K, D)
    error = total - 2 * (M * cross).sum() + ((M @ inputs) * M).sum()
    penalty = (U.square().sum(dim=0) * (V * (inputs @ V)).sum(dim=0)).sum()
    return error + p / (1 - p) * penalty


def products(U: Tensor, V: Tensor, inputs: Tensor) -> Tensor:
    r"""Give the root of each hidden unit's share of the penalty.

    .. math:: \lVert u_i \rVert \sqrt{v_i^\top\, \mathbb E[x x^\top]\, v_i}

    For whitened inputs it is the product of the norms of outgoing and incoming weights.

    Args:
        U: outgoing weights ``(K, n)``.
        V: incoming weights ``(D, n)``.
        inputs: second moment of the inputs ``(D, D)``.

    Returns:
        ``(n,)``.

    Example:
        >>> products(torch.tensor([[3.0, 0.0], [4.0, 1.0]]), torch.eye(2), torch.eye(2)).tolist()
        [5.0, 1.0]
    """
    incoming: Tensor = (V * (inputs @ V)).sum(dim=0).clamp_min(0).sqrt()
    return incoming * U.square().sum(dim=0).sqrt()


def variation(values: Tensor) -> float:
    """Give the coefficient of variation: the standard deviation over the mean, 0 where all are equal.

    Raises:
        ValueError: the mean is not positive.

    Example:
        >>> variation(torch.tensor([1.0, 3.0]))
        0.5
    """
    mean = values.mean().item()
    if not mean > 0:
        raise ValueError(f"the coefficient of variation needs a positive mean, got {mean}")
    return values.std(correction=0).item() / mean


def descend(
    inputs: Tensor,
    cross: Tensor,
    total: float,
    *,
    hidden: int,
    p: float,
    init: Generator,
    steps: int,
    lr: float,
    size: float = 0.3,
) -> tuple[Tensor, Tensor]:
    """Minimise `objective` by plain gradient descent from random weights.

    Args:
        inputs: second moment of the inputs ``(D, D)``.
        cross: cross moment ``(K, D)``.
        total: E‖y‖².
        hidden: number n of hidden units.
        p: drop probability in ``[0, 1)``.
        init: source of the initial weights, normal with standard deviation ``size / sqrt(hidden)``.
        steps: number of steps, at least 1.
        lr: size of the steps, positive.
        size: size of the initial weights.

    Returns:
        U ``(K, n)`` and V ``(D, n)`` after the last step.

    Raises:
        ValueError: ``steps`` or ``hidden`` is below 1, or ``p`` is not in ``[0, 1)``.
        FloatingPointError: the weights became infinite or NaN.

    Example:
        >>> eye = torch.eye(3, dtype=torch.float64)
        >>> g = torch.Generator().manual_seed(1)
        >>> U, V = descend(eye, eye, 3.0, hidden=4, p=0.0, init=g, steps=500, lr=0.1)
        >>> bool((U @ V.T - eye).abs().max() < 1e-6)
        True
    """
    if steps < 1 or hidden < 1:
        raise ValueError(f"need at least 1 step and 1 hidden unit, got {steps} and {hidden}")
    scale = size / math.sqrt(hidden)
    U = scale * torch.randn(cross.shape[0], hidden, generator=init, dtype=cross.dtype)
    V = scale * torch.randn(cross.shape[1], hidden, generator=init, dtype=cross.dtype)
    U.requires_grad_()
    V.requires_grad_()
    for _ in range(steps):
        gradients = torch.autograd.grad(objective(U, V, inputs, cross, total, p), (U, V))
        with torch.no_grad():
            for weight, gradient in zip((U, V), gradients, strict=True):
                weight -= lr * gradient
    if not bool(U.isfinite().all() and V.isfinite().all()):
        raise FloatingPointError(f"descent diverged; take smaller steps than lr={lr}")
    return U.detach(), V.detach()
