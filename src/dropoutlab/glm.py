r"""Dropout of the features of a logistic regression: its exact penalty, and its quadratic approximation.

With :math:`A(z) = \log(1 + e^z)` the loss of one example is :math:`A(z) - y z`. The labels multiply a linear
term, whose mean dropout leaves alone; so the penalty is what dropout adds to the mean of A.
"""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from dropoutlab.masks import check_probability
from dropoutlab.thinned import enumerate_masks, mask_probabilities


def exact_penalty(x: Tensor, beta: Tensor, p: float, intercept: float | Tensor = 0.0) -> Tensor:
    r"""Give what dropout adds to the mean loss, exactly: an average over all :math:`2^d` masks.

    .. math:: R(\beta) = \frac1N \sum_n \Bigl( \mathbb E_m\, A\bigl((x_n \odot m/q)^\top \beta + b\bigr)
        - A\bigl(x_n^\top \beta + b\bigr) \Bigr)

    Args:
        x: features ``(N, d)``, d of at most 20.
        beta: coefficients ``(d,)``.
        p: drop probability in ``[0, 1)`` of each feature.
        intercept: b, never dropped.

    Returns:
        Scalar; never negative, because A is convex.

    Raises:
        ValueError: shapes do not fit, d exceeds 20, or ``p`` is not in ``[0, 1)``.

    Example:
        >>> round(exact_penalty(torch.ones(1, 1).double(), torch.ones(1).double(), 0.5).item(), 4)
        0.0968

    Source: Wager, Wang and Liang (2013), arXiv:1307.1493, section 2.
    """
    _check(x, beta, p)
    masks = enumerate_masks(len(beta))
    z = (x * beta) @ (masks.to(x.dtype) / (1 - p)).T + intercept  # (N, 2^d)
    law = mask_probabilities(masks, p).to(x.dtype)
    return (softplus(z) @ law - softplus(x @ beta + intercept)).mean()


def quadratic_penalty(x: Tensor, beta: Tensor, p: float, intercept: float | Tensor = 0.0) -> Tensor:
    r"""Approximate the penalty by its second-order expansion: L2 weighted by the Fisher information.

    .. math:: R(\beta) \approx \frac12 \frac pq \sum_j \beta_j^2\,
        \frac1N \sum_n \pi_n (1 - \pi_n)\, x_{nj}^2, \qquad \pi_n = \sigma(x_n^\top \beta + b)

    Args:
        x: features ``(N, d)``.
        beta: coefficients ``(d,)``.
        p: drop probability in ``[0, 1)`` of each feature.
        intercept: b, never dropped.

    Returns:
        Scalar.

    Raises:
        ValueError: shapes do not fit, or ``p`` is not in ``[0, 1)``.

    Example:
        >>> round(quadratic_penalty(torch.ones(1, 1).double(), torch.ones(1).double(), 0.5).item(), 4)
        0.0983

    Source: Wager, Wang and Liang (2013), arXiv:1307.1493, section 2.
    """
    _check(x, beta, p)
    pi = (x @ beta + intercept).sigmoid()
    information = (pi * (1 - pi)) @ x.square() / len(x)  # (d,)
    return 0.5 * p / (1 - p) * (beta.square() * information).sum()


def fit_logistic(x: Tensor, y: Tensor, p: float) -> tuple[Tensor, Tensor]:
    """Minimise the expected loss of a logistic regression with dropout of its features, exactly.

    Args:
        x: features ``(N, d)`` in float64, d of at most 20.
        y: labels 0 and 1, ``(N,)``.
        p: drop probability in (0, 1) of each feature; without dropout separable classes have no minimum.

    Returns:
        Coefficients ``(d,)`` and intercept (scalar).

    Raises:
        ValueError: shapes do not fit, labels are not 0 and 1, or ``p`` is not in (0, 1).

    Example:
        >>> x = torch.tensor([[0.0], [1.0], [1.0], [2.0]], dtype=torch.float64)
        >>> beta, intercept = fit_logistic(x, torch.tensor([0, 0, 1, 1]), p=0.3)
        >>> bool(beta > 0), bool(intercept < 0)
        (True, True)
    """
    if not 0 < p < 1:
        raise ValueError(f"drop probability must lie in (0, 1) here, got {p}")
    if y.shape != x.shape[:1] or not bool(((y == 0) | (y == 1)).all()):
        raise ValueError(f"need one label 0 or 1 for each of the {len(x)} examples")
    beta = x.new_zeros(x.shape[1]).requires_grad_()
    intercept = x.new_zeros(()).requires_grad_()
    rule = torch.optim.LBFGS(
        [beta, intercept], max_iter=500, tolerance_grad=1e-9, tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> Tensor:
        rule.zero_grad()
        z = x @ beta + intercept
        loss = (softplus(z) - y * z).mean() + exact_penalty(x, beta, p, intercept)
        loss.backward()
        return loss

    rule.step(closure)
    return beta.detach(), intercept.detach()


def _check(x: Tensor, beta: Tensor, p: float) -> None:
    if x.dim() != 2 or len(x) == 0 or beta.shape != x.shape[1:]:
        raise ValueError(
            f"need features (N, d) and coefficients (d,), got {tuple(x.shape)} and {tuple(beta.shape)}"
        )
    if check_probability(p) == 1:
        raise ValueError("the penalty needs p < 1, got 1: nothing is left to divide by q")
