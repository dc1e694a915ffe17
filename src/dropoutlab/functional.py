"""Dropout and its relatives as pure functions of an input and a mask.

``training`` is a required keyword: a function that guesses it leaves dropout on in evaluation, or off in
training, without a word. ``mask`` replaces the random draw, for gradient checks and for comparisons
that must share their masks.

In training every function multiplies by its mask, as PyTorch's layers do, so a dropped infinity becomes
NaN (0 times infinity) and a dropped NaN stays NaN. Hiding a diverged unit behind a lucky mask would be worse.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from dropoutlab.masks import (
    channel_shape,
    check_probability,
    connection_shape,
    gaussian_noise,
    keep_mask,
    path_shape,
)


def dropout(
    x: Tensor, p: float, *, training: bool, generator: Generator | None = None, mask: Tensor | None = None
) -> Tensor:
    r"""Zero each element with probability p and divide the survivors by q = 1 − p (inverted dropout).

    .. math:: y = x \odot m / q, \qquad m_i \sim \text{Bernoulli}(q)

    The expectation of y is x, so evaluation has nothing to do: it returns ``x`` itself, and so does
    training with p = 0. p = 1 gives zeros whose gradient is zero, not NaN.

    Args:
        x: input of any shape, of a floating-point type.
        p: drop probability in ``[0, 1]``; the 2014 paper's ``p`` is our ``q``.
        training: whether to drop. No default.
        generator: source of randomness; ``None`` uses torch's default generator.
        mask: which elements to keep, boolean and of ``x``'s shape; ``None`` draws it.

    Returns:
        Tensor of ``x``'s shape, type and device. 1/q is rounded to that type, as PyTorch does; for float16
        and p = 0.3 the factor is 1.42871 instead of 1.42857.

    Raises:
        ValueError: ``p`` is NaN or outside ``[0, 1]``, the mask's shape is not ``x``'s, or the generator
            lives on another kind of device.
        TypeError: ``x`` is not of a floating-point type, or the mask is not boolean.

    Example:
        >>> dropout(torch.ones(4), 0.2, training=True, mask=torch.tensor([True, False, True, True]))
        tensor([1.2500, 0.0000, 1.2500, 1.2500])

    Source: Srivastava et al. (2014), section 10, last paragraph (scaling at training time).
    """
    p = check_probability(p)
    if not training or (p == 0 and mask is None):
        return x
    return x * _inverted(x, x.shape, p, generator, mask)


def classic_dropout(
    x: Tensor, p: float, *, training: bool, generator: Generator | None = None, mask: Tensor | None = None
) -> Tensor:
    r"""Zero each element with probability p in training; multiply all by q = 1 − p in evaluation.

    .. math:: y = x \odot m \text{ in training}, \qquad y = q\,x \text{ in evaluation}

    This is dropout as first published: the survivors are not scaled, so evaluation has to be.

    Args:
        x: input of any shape, of a floating-point type.
        p: drop probability in ``[0, 1]``; the 2014 paper's ``p`` is our ``q``.
        training: whether to drop (``True``) or to scale (``False``). No default.
        generator: source of randomness; ``None`` uses torch's default generator.
        mask: which elements to keep, boolean and of ``x``'s shape; ``None`` draws it.

    Returns:
        Tensor of ``x``'s shape, type and device; ``x`` itself for p = 0.

    Raises:
        ValueError: as in `dropout`.
        TypeError: as in `dropout`.

    Example:
        >>> classic_dropout(torch.ones(3), 0.2, training=True, mask=torch.tensor([True, False, True]))
        tensor([1., 0., 1.])
        >>> classic_dropout(torch.ones(3), 0.2, training=False)
        tensor([0.8000, 0.8000, 0.8000])

    Source: Srivastava et al. (2014), section 4 and figure 2.
    """
    p = check_probability(p)
    if p == 0 and (mask is None or not training):
        return x
    if training:
        return x * _kept(x, x.shape, p, generator, mask)
    _require_floating(x)
    return x * (1 - p)


def spatial_dropout(
    x: Tensor, p: float, *, training: bool, generator: Generator | None = None, mask: Tensor | None = None
) -> Tensor:
    r"""Zero whole feature maps with probability p and divide the survivors by q = 1 − p.

    .. math:: y_{nc\cdot} = x_{nc\cdot}\, m_{nc} / q, \qquad m_{nc} \sim \text{Bernoulli}(q)

    The coins of single pixels average out where a map is pooled; one coin for the map does not.

    Args:
        x: input ``(N, C, *spatial)``, e.g. ``(N, C, H, W)``, of a floating-point type.
        p: drop probability in ``[0, 1]``.
        training: whether to drop. No default.
        generator: source of randomness; ``None`` uses torch's default generator.
        mask: which maps to keep, boolean ``(N, C, 1, ..., 1)``; ``None`` draws it.

    Returns:
        Tensor of ``x``'s shape, type and device; ``x`` itself in evaluation or for p = 0.

    Raises:
        ValueError: as in `dropout`, or ``x`` has fewer than three dimensions.
        TypeError: as in `dropout`.

    Example:
        >>> y = spatial_dropout(torch.ones(1, 64, 3, 3), 0.5, training=True)
        >>> set(y.sum(dim=(2, 3)).flatten().tolist()) <= {0.0, 18.0}
        True

    Source: Tompson et al. (2015), arXiv:1411.4280.
    """
    p = check_probability(p)
    if not training or (p == 0 and mask is None):
        return x
    return x * _inverted(x, channel_shape(x.shape), p, generator, mask)


def gaussian_dropout(
    x: Tensor, p: float, *, training: bool, generator: Generator | None = None, mask: Tensor | None = None
) -> Tensor:
    r"""Multiply each element by Gaussian noise of mean 1 and variance p/q: dropout without zeros.

    .. math:: y = x \odot \varepsilon, \qquad \varepsilon_i \sim \mathcal N(1, p/q)

    Args:
        x: input of any shape, of a floating-point type.
        p: drop probability in ``[0, 1)`` of the dropout with the same mean and variance.
        training: whether to add noise. No default.
        generator: source of randomness; ``None`` uses torch's default generator.
        mask: the factors themselves, floating-point and of ``x``'s shape; ``None`` draws them.

    Returns:
        Tensor of ``x``'s shape, type and device; ``x`` itself in evaluation or for p = 0.

    Raises:
        ValueError: as in `dropout`, or ``p`` is 1.
        TypeError: ``x`` or the mask is not of a floating-point type.

    Example:
        >>> gaussian_dropout(torch.ones(2), 0.5, training=True, mask=torch.tensor([0.5, 1.5]))
        tensor([0.5000, 1.5000])

    Source: Srivastava et al. (2014), section 10.
    """
    p = check_probability(p)
    if not training or (p == 0 and mask is None):
        return x
    _require_floating(x)
    if mask is None:
        mask = gaussian_noise(x.shape, p, generator=generator, device=x.device, dtype=x.dtype)
    if not mask.is_floating_point():
        raise TypeError(f"the mask must hold floating-point factors, got {mask.dtype}; use mask.float()")
    return x * _fitted(mask, x, x.shape).to(x.dtype)


def drop_connect_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    p: float,
    *,
    training: bool,
    per_example: bool = True,
    generator: Generator | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Apply a linear map whose single connections are zeroed with probability p and scaled by 1/q.

    .. math:: y_n = (W \odot M_n / q)\, x_n + b, \qquad M_{nij} \sim \text{Bernoulli}(q)

    Evaluation uses W itself, the mean of the masked weights. The paper instead samples from a Gaussian with
    the mean and variance of the masked product, and masks its biases too; here they are left alone.

    Args:
        x: input ``(*, D)``, of a floating-point type.
        weight: ``(C, D)``.
        bias: ``(C,)`` or ``None``; never masked.
        p: drop probability in ``[0, 1]``.
        training: whether to drop. No default.
        per_example: whether every example gets a mask of its own, as published; ``False`` shares one.
        generator: source of randomness; ``None`` uses torch's default generator.
        mask: which connections to keep, boolean, ``(*, C, D)`` or, if shared, ``(C, D)``; ``None`` draws it.

    Returns:
        Tensor ``(*, C)``.

    Raises:
        ValueError: as in `dropout`, or the input does not fit the weight.
        TypeError: as in `dropout`.

    Example:
        >>> weight, mask = torch.ones(1, 2), torch.tensor([[True, False]])
        >>> drop_connect_linear(
        ...     torch.tensor([3.0, 5.0]), weight, None, 0.5, training=True, per_example=False, mask=mask
        ... )
        tensor([6.])

    Source: Wan et al. (2013), ICML.
    """
    p = check_probability(p)
    if not training or (p == 0 and mask is None):
        return F.linear(x, weight, bias)
    shape = connection_shape(x.shape, weight.shape, per_example)
    thinned = weight * _inverted(x, shape, p, generator, mask)
    if not per_example:
        return F.linear(x, thinned, bias)
    y = (thinned @ x.unsqueeze(-1)).squeeze(-1)  # (*, C, D) @ (*, D, 1) -> (*, C)
    return y if bias is None else y + bias


def drop_path(
    x: Tensor, p: float, *, training: bool, generator: Generator | None = None, mask: Tensor | None = None
) -> Tensor:
    r"""Zero a residual branch for whole examples with probability p and divide the survivors by q = 1 − p.

    .. math:: y_n = x_n\, m_n / q, \qquad m_n \sim \text{Bernoulli}(q)

    Use it on the branch, before it is added to the shortcut. The paper drops a branch for the whole batch and
    scales at evaluation; one coin per example, scaled in training, is today's usual form and done here.

    Args:
        x: output of the branch, ``(N, ...)``, of a floating-point type.
        p: drop probability in ``[0, 1]``.
        training: whether to drop. No default.
        generator: source of randomness; ``None`` uses torch's default generator.
        mask: for which examples to keep the branch, boolean ``(N, 1, ..., 1)``; ``None`` draws it.

    Returns:
        Tensor of ``x``'s shape, type and device; ``x`` itself in evaluation or for p = 0.

    Raises:
        ValueError: as in `dropout`, or ``x`` is a scalar.
        TypeError: as in `dropout`.

    Example:
        >>> drop_path(torch.ones(2, 2), 0.5, training=True, mask=torch.tensor([[True], [False]]))
        tensor([[2., 2.],
                [0., 0.]])

    Source: Huang et al. (2016), arXiv:1603.09382.
    """
    p = check_probability(p)
    if not training or (p == 0 and mask is None):
        return x
    return x * _inverted(x, path_shape(x.shape), p, generator, mask)


def _require_floating(x: Tensor) -> None:
    if not x.is_floating_point():
        raise TypeError(f"dropout needs a floating-point tensor, got {x.dtype}; convert it with x.float()")


def _fitted(mask: Tensor, x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the mask on ``x``'s device, or refuse one of another shape."""
    if tuple(mask.shape) != tuple(shape):
        raise ValueError(
            f"an input of shape {tuple(x.shape)} needs a mask of shape {tuple(shape)}, "
            f"got {tuple(mask.shape)}; draw one of that shape, or thaw the layer that holds it"
        )
    return mask.to(x.device)


def _kept(
    x: Tensor, shape: Sequence[int], p: float, generator: Generator | None, mask: Tensor | None
) -> Tensor:
    """Draw the mask, or check the one given; return it as zeros and ones of ``x``'s type."""
    _require_floating(x)
    if mask is None:
        mask = keep_mask(shape, p, generator=generator, device=x.device)
    elif mask.dtype != torch.bool:
        raise TypeError(f"the mask must be boolean, True where kept, got {mask.dtype}; use mask.bool()")
    # Seen as bytes: torch converts those to floats five times faster than Booleans.
    return _fitted(mask, x, shape).view(torch.uint8).to(x.dtype)


def _inverted(
    x: Tensor, shape: Sequence[int], p: float, generator: Generator | None, mask: Tensor | None
) -> Tensor:
    """Return the factors of inverted dropout, m/q; zeros for p = 1, where m/q would be 0/0."""
    kept = _kept(x, shape, p, generator, mask)
    return kept.mul_(1 / (1 - p) if p < 1 else 0.0)
