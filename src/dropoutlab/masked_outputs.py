"""What dropout on a network's output teaches it: exact losses and gradients under every mask."""

import torch
from torch import Tensor

from dropoutlab.masks import check_probability
from dropoutlab.thinned import enumerate_masks


def masked_squared_error(output: Tensor, target: float, p: float) -> Tensor:
    r"""Give the expected squared error of one output that goes through inverted dropout.

    .. math:: \mathbb E\bigl[(m f / q - t)^2\bigr] = (f - t)^2 + \frac pq f^2

    Its minimum is at :math:`f = q t`: the mask punishes outputs for their size, and shrinks them.

    Args:
        output: what the network puts out before the mask, f, of any shape.
        target: what it should be, t.
        p: drop probability in [0, 1).

    Returns:
        Expected squared errors in the shape of ``output``.

    Raises:
        ValueError: p is no probability, or is 1.

    Example:
        >>> masked_squared_error(torch.tensor([0.0, 1.0, 2.0]), 2.0, 0.5)
        tensor([4., 2., 4.])

    Source: the output's first two moments, `dropoutlab.moments.output_moments`.
    """
    if check_probability(p) == 1:
        raise ValueError(f"p must be below 1, got {p}: an output that is always dropped is never trained")
    return (output - target).square() + p / (1 - p) * output.square()


def logit_pushes(logits: Tensor, label: int, p: float) -> Tensor:
    r"""Give the gradient of the cross-entropy in the logits of one example, under every mask of them.

    .. math:: \frac{\partial L}{\partial z_k} = \frac{m_k}{q}\,(\pi_k - [k = t]), \qquad
        \pi = \text{softmax}(z \odot m / q)

    Whatever the mask, no wrong class is pushed up and the right one is not pushed down: a dropped logit gets
    no gradient, and a kept one has the sign that it has without dropout.

    Args:
        logits: ``(C,)``.
        label: the right class t.
        p: drop probability in [0, 1).

    Returns:
        Gradients ``(2^C, C)``, one row for each mask.

    Raises:
        ValueError: p is no probability, or is 1, or the label is no class.

    Example:
        >>> pushes = logit_pushes(torch.tensor([1.0, -1.0]), 0, 0.5)
        >>> bool((pushes[:, 0] <= 0).all() and (pushes[:, 1] >= 0).all())
        True
    """
    if check_probability(p) == 1:
        raise ValueError(f"p must be below 1, got {p}: logits that are always dropped are never trained")
    if not 0 <= label < len(logits):
        raise ValueError(f"the label must be one of the {len(logits)} classes, got {label}")
    factors = enumerate_masks(len(logits)).to(logits.dtype) / (1 - p)
    right = torch.zeros_like(logits)
    right[label] = 1
    return factors * ((factors * logits).softmax(dim=1) - right)
