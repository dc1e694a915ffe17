"""Several masks for each example at once: the penalty of dropout stays, its noise becomes smaller."""

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dropoutlab.layers import Dropout


class MaskCopies(nn.Module):
    r"""Show a network every training example under k masks, and keep all k outputs.

    With the mean loss over the copies, a step follows

    .. math:: \frac1k \sum_{j=1}^k \nabla \ell\bigl(f(x; m_j), y\bigr)

    whose expectation does not depend on k, while the part of its variance that the masks cause falls as 1/k.
    So the objective, with dropout's explicit penalty, is the same for every k. What changes is the noise of
    the steps: the implicit effect.

    What comes before the first `Dropout` does not depend on the mask and is computed once.

    Args:
        net: the network; its parameters are shared, not copied.
        copies: number k of masks per example, at least 1.

    Raises:
        ValueError: ``copies`` is below 1.

    Example:
        >>> import torch
        >>> from dropoutlab.models import mlp
        >>> g = torch.Generator().manual_seed(1)
        >>> net = MaskCopies(mlp((4, 8, 3), p=0.3, init=g, masks=g), copies=5)
        >>> tuple(net(torch.ones(2, 4).double()).shape), tuple(net.eval()(torch.ones(2, 4).double()).shape)
        ((2, 5, 3), (2, 1, 3))

    Source: DROPOUT_k of Wei, Kakade and Ma (2020), arXiv:2002.12915.
    """

    def __init__(self, net: nn.Sequential, copies: int) -> None:
        super().__init__()
        if copies < 1:
            raise ValueError(f"need at least 1 mask for each example, got {copies}")
        self.net = net
        self.copies = copies
        layers = list(net)
        self._first = next((i for i, layer in enumerate(layers) if isinstance(layer, Dropout)), len(layers))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, D)`` to ``(B, k, C)`` in training, and to ``(B, 1, C)`` in evaluation."""
        k = self.copies if self.training else 1
        common = self.net[: self._first](x)
        outputs: Tensor = self.net[self._first :](common.repeat_interleave(k, dim=0))
        return outputs.view(len(x), k, -1)


def copies_loss(outputs: Tensor, y: Tensor) -> Tensor:
    """Average the cross-entropy over examples and copies.

    Args:
        outputs: logits ``(B, k, C)``.
        y: classes ``(B,)``.

    Returns:
        Scalar.

    Example:
        >>> import torch
        >>> round(copies_loss(torch.zeros(2, 3, 4), torch.tensor([0, 3])).item(), 4)
        1.3863
    """
    loss: Tensor = cross_entropy(outputs.flatten(0, 1), y.repeat_interleave(outputs.shape[1]))
    return loss
