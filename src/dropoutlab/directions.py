"""Where gradients point: how far those of batches disagree, with one another and with that of all data."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from dropoutlab.data import Split


def batch_gradients(
    net: nn.Module, train: Split, *, batches: int, batch_size: int, generator: Generator
) -> Tensor:
    """Compute the gradients of randomly drawn batches, in the mode that the network is in.

    Args:
        net: network mapping ``(B, D)`` to logits; neither its weights nor their gradients change.
        train: examples to draw from.
        batches: number M of batches, at least 1.
        batch_size: examples in each, drawn without replacement.
        generator: source of the examples. Masks come from the dropout layers' own generators.

    Returns:
        Gradients of the mean cross-entropy, ``(M, P)`` for P parameters.

    Raises:
        ValueError: there is no batch, or a batch asks for more examples than there are.

    Example:
        >>> from dropoutlab.models import mlp
        >>> g = torch.Generator().manual_seed(1)
        >>> net = mlp((4, 3, 2), init=g)
        >>> data = Split(torch.rand(9, 4, generator=g).double(), torch.arange(9) % 2)
        >>> batch_gradients(net, data, batches=5, batch_size=2, generator=g).shape
        torch.Size([5, 23])
    """
    if batches < 1 or not 1 <= batch_size <= len(train):
        raise ValueError(
            f"need at least 1 batch of 1 to {len(train)} examples, got {batches} of {batch_size}"
        )
    rows = []
    for _ in range(batches):
        index = torch.randperm(len(train), generator=generator)[:batch_size]
        rows.append(_gradient(net, train.take(index)))
    return torch.stack(rows)


def full_gradient(net: nn.Module, train: Split) -> Tensor:
    """Compute the gradient ``(P,)`` of the mean cross-entropy of all examples, without dropout.

    Example:
        >>> from dropoutlab.models import mlp
        >>> g = torch.Generator().manual_seed(1)
        >>> net = mlp((4, 3, 2), p=0.2, init=g, masks=g)
        >>> full_gradient(net, Split(torch.rand(9, 4, generator=g).double(), torch.arange(9) % 2)).shape
        torch.Size([23])
    """
    with _evaluation(net):
        return _gradient(net, train)


def direction_variance(gradients: Tensor) -> float:
    r"""Average how far gradients point away from one another.

    .. math:: \frac{2}{M(M-1)} \sum_{i<j} \tfrac12 \bigl(1 - \cos(g_i, g_j)\bigr)

    Args:
        gradients: ``(M, P)``, M of at least 2.

    Returns:
        A number in [0, 1]: 0 if all point the same way, 1/2 if they are at right angles.

    Raises:
        ValueError: there are fewer than two gradients, or one of them is zero.

    Example:
        >>> direction_variance(torch.eye(3))
        0.5

    Source: the gradient direction variance of Liu et al. (2023), arXiv:2303.01500, section 3.
    """
    unit = _unit(gradients)
    m = len(unit)
    if m < 2:
        raise ValueError(f"need at least two gradients to compare, got {m}")
    # The sum over all pairs of cosines is the squared length of the sum of the unit vectors.
    cosines = (unit.sum(dim=0).square().sum() - m) / (m * (m - 1))
    return (0.5 * (1 - cosines)).item()


def direction_error(gradients: Tensor, target: Tensor) -> float:
    r"""Average how far gradients point away from the one that they estimate.

    .. math:: \frac1M \sum_i \tfrac12 \bigl(1 - \cos(g_i, g)\bigr)

    Args:
        gradients: ``(M, P)``.
        target: g, ``(P,)``.

    Returns:
        A number in [0, 1]: 0 if all point its way, 1/2 if they are at right angles to it.

    Raises:
        ValueError: a gradient or the target is zero.

    Example:
        >>> direction_error(torch.tensor([[2.0, 0.0], [0.0, -3.0]]), torch.tensor([1.0, 0.0]))
        0.25

    Source: the gradient direction error of Liu et al. (2023), arXiv:2303.01500, section 3.
    """
    cosines = _unit(gradients) @ _unit(target.unsqueeze(0))[0]
    return (0.5 * (1 - cosines)).mean().item()


def _gradient(net: nn.Module, examples: Split) -> Tensor:
    loss = cross_entropy(net(examples.x), examples.y)
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(net.parameters()))])


def _unit(gradients: Tensor) -> Tensor:
    if not bool(gradients.any(dim=1).all()):
        raise ValueError("a gradient of zero points nowhere; take more examples per batch")
    return normalize(gradients.double(), dim=1)


@contextmanager
def _evaluation(net: nn.Module) -> Iterator[None]:
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
