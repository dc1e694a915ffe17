"""Dropout and normalisation: networks that have both, and what dropout does to batch statistics."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Generator, Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dropoutlab.layers import Dropout, GaussianDropout
from dropoutlab.models import linear

Norm = Literal["none", "batch", "layer"]
Order = Literal["after activation", "before norm", "after last activation"]
Noise = Literal["bernoulli", "gaussian"]

_NOISES: dict[str, type[Dropout | GaussianDropout]] = {"bernoulli": Dropout, "gaussian": GaussianDropout}


def normalised_mlp(
    widths: Sequence[int],
    *,
    init: Generator,
    norm: Norm = "batch",
    p: float = 0.0,
    order: Order = "after activation",
    noise: Noise = "bernoulli",
    masks: Generator | None = None,
    dtype: torch.dtype = torch.float32,
) -> nn.Sequential:
    """Build a multilayer perceptron: Linear, normalisation, ReLU, repeated, and a last Linear, with dropout.

    The orders of dropout and normalisation are

    - ``"after activation"``: Linear, norm, ReLU, dropout. Every normalisation but the first meets its noise.
    - ``"before norm"``: Linear, dropout, norm, ReLU. Every normalisation meets it at once.
    - ``"after last activation"``: only after the last hidden layer. No normalisation meets it.

    Args:
        widths: units per layer, input first and classes last.
        init: source of the initial weights; nets that differ only in the rest start from the same ones.
        norm: ``"batch"``, ``"layer"`` or ``"none"``.
        p: drop probability; 0 leaves dropout out.
        order: one of the orders above.
        noise: zeros (``"bernoulli"``) or `GaussianDropout` of the same variance (``"gaussian"``).
        masks: source of the masks; ``None`` uses torch's default generator.
        dtype: floating-point type of the parameters.

    Returns:
        Network mapping ``(N, widths[0])`` to logits ``(N, widths[-1])``.

    Raises:
        ValueError: fewer than three widths, a rate outside [0, 1], or an unknown norm, order or noise.

    Example:
        >>> net = normalised_mlp((64, 32, 10), p=0.5, init=torch.Generator().manual_seed(1))
        >>> [type(layer).__name__ for layer in net]
        ['Linear', 'BatchNorm1d', 'ReLU', 'Dropout', 'Linear']

    Source: Ioffe and Szegedy (2015), arXiv:1502.03167, for normalisation before the activation.
    """
    if len(widths) < 3:
        raise ValueError(f"need an input, at least one hidden and an output width, got {tuple(widths)}")
    for name, value, known in (("norm", norm, Norm), ("order", order, Order), ("noise", noise, Noise)):
        if value not in get_args(known):
            raise ValueError(f"{name} must be one of {', '.join(map(repr, get_args(known)))}, got {value!r}")
    layers: list[nn.Module] = []
    last = len(widths) - 3
    for index, (n_in, n_out) in enumerate(pairwise(widths[:-1])):
        drop = _NOISES[noise](p, generator=masks)
        layers.append(linear(n_in, n_out, generator=init, dtype=dtype))
        if p > 0 and order == "before norm":
            layers.append(drop)
        if norm != "none":
            layers.append((nn.BatchNorm1d if norm == "batch" else nn.LayerNorm)(n_out, dtype=dtype))
        layers.append(nn.ReLU())
        if p > 0 and (order == "after activation" or (order == "after last activation" and index == last)):
            layers.append(drop)
    return nn.Sequential(*layers, linear(widths[-2], widths[-1], generator=init, dtype=dtype))


@torch.no_grad()
def reestimate_statistics(net: nn.Module, x: Tensor, *, batch_size: int = 500) -> nn.Module:
    r"""Replace the statistics of all batch normalisations by those of ``x`` with dropout off.

    They are collected while dropout is on, but used while it is off. A pass without dropout gives each layer
    the mean over batches of the batch's mean and variance:

    .. math:: \hat\mu = \tfrac1K \sum_k \mu_k, \qquad \hat\sigma^2 = \tfrac1K \sum_k \sigma_k^2

    If the mismatch is what hurts, the network is better afterwards. No weight changes.
    ``torch.optim.swa_utils.update_bn`` is no substitute: it leaves dropout on.

    Args:
        net: trained network; its batch normalisations are changed in place.
        x: examples the statistics are taken from, usually the training set, ``(N, ...)``.
        batch_size: largest batch; the batches differ by one example at most.

    Returns:
        The network itself. Every module is left in the mode it was in.

    Raises:
        ValueError: no batch normalisation keeps running statistics, or a batch would hold one example.

    Example:
        >>> net = nn.Sequential(Dropout(0.5), nn.BatchNorm1d(2))
        >>> x = torch.tensor([[0.0, 5.0], [2.0, 5.0]])
        >>> reestimate_statistics(net, x)[1].running_mean
        tensor([1., 5.])

    Source: Hendrycks and Gimpel (2017), arXiv:1607.02488, who report lower errors after it.
    """
    with _modes_kept(net):
        net.eval()
        norms = [layer for _, layer in _batch_norms(net)]
        momenta = [layer.momentum for layer in norms]
        for layer in norms:
            layer.reset_running_stats()
            layer.momentum = None  # torch's word for the plain average of all batches
            layer.train()
        try:
            for rows in _batches(x, batch_size):
                net(rows)
        finally:
            for layer, momentum in zip(norms, momenta, strict=True):
                layer.momentum = momentum
    return net


@torch.no_grad()
def shift_ratios(net: nn.Module, x: Tensor, *, batch_size: int = 100, passes: int = 1) -> dict[str, Tensor]:
    r"""Measure the variance shift before every batch normalisation: test-time over training variance.

    .. math:: \Delta_c = \operatorname{Var}^\text{test}(z_c) \,/\, \operatorname{Var}^\text{train}(z_c)

    The training side runs ``x`` in batches with dropout on and batch statistics, the test side with dropout
    off and running statistics; the variance of channel c is taken over examples, positions
    and passes. A ratio of 1 is no shift; one below 1 means that running variances promise more than comes.

    Args:
        net: network with batch normalisation; neither its statistics nor its modes change, only the
            generators of its dropout layers advance.
        x: examples ``(N, ...)``. Take training examples: others add a shift that is not dropout's.
        batch_size: largest batch on the training side, as in training.
        passes: how often the training side sees all examples.

    Returns:
        Name of each batch normalisation → ratios ``(C,)``, in the order of ``net.named_modules()``. NaN for a
        channel that is constant in training.

    Raises:
        ValueError: no batch normalisation keeps running statistics, a batch would hold one example, or
            ``passes`` is below 1.

    Example:
        >>> g = torch.Generator().manual_seed(1)
        >>> net = nn.Sequential(Dropout(0.5, generator=g), nn.BatchNorm1d(3))
        >>> x = torch.randn(5000, 3, generator=g)  # mean 0: dropout doubles the variance
        >>> shift_ratios(net, x)["1"].round(decimals=1)
        tensor([0.5000, 0.5000, 0.5000], dtype=torch.float64)

    Source: Li et al. (2019), arXiv:1801.05134.
    """
    if passes < 1:
        raise ValueError(f"need at least 1 pass, got {passes}")
    norms = _batch_norms(net)
    batches = _batches(x, batch_size)
    with _modes_kept(net), _statistics_kept(net):
        net.train()
        training = _input_variances(net, norms, batches * passes)
        net.eval()
        testing = _input_variances(net, norms, batches)
    return {name: testing[name] / training[name] for name, _ in norms}


class _Spread:
    """Variance of each channel over all batches it is shown, as a hook before a layer."""

    def __init__(self) -> None:
        self._count = 0
        self._mean = torch.zeros(())
        self._squares = torch.zeros(())  # sum of squared deviations from the mean so far

    def __call__(self, _layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].double().movedim(1, 0).flatten(1)  # (C, n)
        count, mean = values.shape[1], values.mean(1)
        total = self._count + count
        apart = mean - self._mean
        # Chan's update: subtracting large sums of squares would lose the digits that count.
        self._squares = self._squares + (values - mean[:, None]).square().sum(1)
        self._squares = self._squares + apart.square() * (self._count * count / total)
        self._mean = self._mean + apart * (count / total)
        self._count = total

    @property
    def variance(self) -> Tensor:
        return self._squares / self._count


def _input_variances(
    net: nn.Module, norms: Sequence[tuple[str, _BatchNorm]], batches: Sequence[Tensor]
) -> dict[str, Tensor]:
    spreads = {name: _Spread() for name, _ in norms}
    hooks = [layer.register_forward_pre_hook(spreads[name]) for name, layer in norms]
    try:
        for rows in batches:
            net(rows)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: spread.variance for name, spread in spreads.items()}


def _batch_norms(net: nn.Module) -> list[tuple[str, _BatchNorm]]:
    found = [
        (name, layer)
        for name, layer in net.named_modules()
        if isinstance(layer, _BatchNorm) and layer.running_var is not None
    ]
    if not found:
        raise ValueError("the network has no batch normalisation with running statistics")
    return found


def _batches(x: Tensor, batch_size: int) -> tuple[Tensor, ...]:
    if min(batch_size, len(x)) < 2:
        raise ValueError(f"need batches of at least 2, got batch_size={batch_size} and {len(x)} examples")
    # Equal batches: a small last one would count as much as the others. 3 examples in twos make one batch.
    pieces = min(-(-len(x) // batch_size), len(x) // 2)
    return x.tensor_split(pieces)


@contextmanager
def _modes_kept(net: nn.Module) -> Iterator[None]:
    modes = {module: module.training for module in net.modules()}
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


@contextmanager
def _statistics_kept(net: nn.Module) -> Iterator[None]:
    kept = {name: buffer.clone() for name, buffer in net.named_buffers()}
    try:
        yield
    finally:
        for name, buffer in net.named_buffers():
            buffer.copy_(kept[name])
