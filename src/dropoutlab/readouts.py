"""Ways to read predictions off a trained network with dropout, and how good they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dropoutlab.ensemble import Kind
from dropoutlab.layers import (
    ClassicDropout,
    DropConnectLinear,
    Dropout,
    DropPath,
    GaussianDropout,
    SpatialDropout,
)

_LAYERS = (Dropout, ClassicDropout, SpatialDropout, GaussianDropout, DropConnectLinear, DropPath)
_SCALED = (
    Dropout,
    ClassicDropout,
    SpatialDropout,
    DropPath,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
)
_ROWS = 2_000  # examples predicted at once: bounds memory, not results


@dataclass(frozen=True)
class Scores:
    """How good predicted probabilities are.

    Attributes:
        error: fraction of wrong arg-max predictions.
        nll: mean negative log-likelihood of the true class, in nats.
        ece: expected calibration error, see `calibration_error`.
        confidence: mean probability of the predicted class.
    """

    error: float
    nll: float
    ece: float
    confidence: float


def scores(probabilities: Tensor, y: Tensor) -> Scores:
    """Score predicted probabilities against the true classes.

    Args:
        probabilities: ``(N, C)``, each row summing to 1.
        y: true classes ``(N,)``.

    Returns:
        Error, negative log-likelihood, calibration error and confidence. A true class of probability 0
        makes the log-likelihood infinite.

    Example:
        >>> scores(torch.tensor([[0.8, 0.2], [0.6, 0.4]]), torch.tensor([0, 1])).error
        0.5
    """
    p = probabilities.double()
    confidence, predicted = p.max(dim=1)
    return Scores(
        error=(predicted != y).double().mean().item(),
        nll=-p.gather(1, y[:, None]).log().mean().item(),
        ece=calibration_error(p, y),
        confidence=confidence.mean().item(),
    )


def calibration_error(probabilities: Tensor, y: Tensor, bins: int = 15) -> float:
    r"""Measure by how much confidence and accuracy differ (expected calibration error).

    .. math:: \text{ECE} = \sum_b \frac{n_b}{N}\,\lvert \text{accuracy}_b - \text{confidence}_b \rvert

    Predictions are sorted into bins of equal width by the probability of the predicted class.

    Args:
        probabilities: ``(N, C)``.
        y: true classes ``(N,)``.
        bins: number of bins.

    Returns:
        A number in [0, 1]; 0 where every bin is as often right as it is confident.

    Raises:
        ValueError: ``bins`` is below 1.

    Example:
        >>> round(calibration_error(torch.tensor([[0.9, 0.1], [0.9, 0.1]]), torch.tensor([0, 1])), 3)
        0.4

    Source: Guo et al. (2017), arXiv:1706.04599, equation 3.
    """
    if bins < 1:
        raise ValueError(f"need at least 1 bin, got {bins}")
    confidence, predicted = probabilities.double().max(dim=1)
    surplus = (predicted == y).double() - confidence
    bin_of = (confidence * bins).ceil().long().clamp(1, bins) - 1
    return (torch.zeros(bins, dtype=torch.float64).index_add(0, bin_of, surplus).abs().sum() / len(y)).item()


def dropout_modules(net: nn.Module) -> list[nn.Module]:
    """List the network's dropout layers, ours and PyTorch's."""
    return [
        module for module in net.modules() if isinstance(module, (*_LAYERS, nn.modules.dropout._DropoutNd))
    ]


@contextmanager
def stochastic(net: nn.Module) -> Iterator[nn.Module]:
    """Put the dropout layers into training mode and everything else into evaluation mode, for a while.

    ``net.train()`` would also make batch normalisation use, and change, the statistics of the batch at hand.

    Example:
        >>> net = nn.Sequential(nn.BatchNorm1d(3), Dropout(0.5))
        >>> with stochastic(net):
        ...     net[0].training, net[1].training
        (False, True)
    """
    modes = {module: module.training for module in net.modules()}
    net.eval()
    for module in dropout_modules(net):
        module.train()
    try:
        yield net
    finally:
        for module, training in modes.items():
            module.training = training


def predict(net: nn.Module, x: Tensor) -> Tensor:
    """Return the probabilities of the full network, in evaluation mode; the mode is restored.

    Args:
        net: network mapping ``(N, D)`` to logits.
        x: examples ``(N, D)``.

    Returns:
        Probabilities ``(N, C)`` in float64, in which even a very unlikely class is above 0.
    """
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        return _forward(net, x).softmax(dim=1)
    finally:
        for module, training in modes.items():
            module.training = training


def passes(net: nn.Module, x: Tensor, samples: int) -> Iterator[Tensor]:
    """Predict with randomly thinned networks, one after the other.

    Every example gets masks of its own in every pass, from the dropout layers' generators.

    Args:
        net: network with dropout layers, mapping ``(N, D)`` to logits.
        x: examples ``(N, D)``.
        samples: number of passes, at least 1.

    Yields:
        Log-probabilities ``(N, C)`` in float64.

    Raises:
        ValueError: ``samples`` is below 1.
    """
    if samples < 1:
        raise ValueError(f"need at least 1 sample, got {samples}")
    head, tail = _before_the_masks(net)
    with stochastic(net):
        fixed = _forward(head, x, dtype=None)
    for _ in range(samples):
        with stochastic(net):
            log_probabilities = _forward(tail, fixed).log_softmax(dim=1)
        yield log_probabilities


def monte_carlo(net: nn.Module, x: Tensor, samples: int, kind: Kind = "arithmetic") -> Iterator[Tensor]:
    """Average the predictions of thinned networks, one more at a time; see `passes`.

    Args:
        net: network with dropout layers, mapping ``(N, D)`` to logits.
        x: examples ``(N, D)``.
        samples: number of passes, at least 1.
        kind: ``"arithmetic"``, or ``"geometric"`` (renormalised).

    Yields:
        After each pass k = 1, ..., ``samples``, the average ``(N, C)`` of the first k.

    Raises:
        ValueError: ``samples`` is below 1 or ``kind`` is unknown.

    Source: Srivastava et al. (2014), section 7.5.
    """
    if kind not in ("arithmetic", "geometric"):
        raise ValueError(f"kind must be 'arithmetic' or 'geometric', got {kind!r}")
    total: Tensor | None = None
    for k, log_probabilities in enumerate(passes(net, x, samples), start=1):
        term = log_probabilities.exp() if kind == "arithmetic" else log_probabilities
        total = term if total is None else total + term
        yield total / k if kind == "arithmetic" else (total / k).softmax(dim=1)


@contextmanager
def unscaled(net: nn.Module) -> Iterator[nn.Module]:
    r"""Read a network as if it had been trained and tested without any scaling, for a while.

    Dropout without scaling learns outgoing weights q times those of inverted dropout, W/q being its
    W here. So in evaluation the outputs of every dropout layer are divided by q, by which they exceed
    their mean in training.

    Args:
        net: network with dropout layers that mask their outputs and scale them by q.

    Raises:
        ValueError: a dropout layer has another kind of noise, or p = 1.

    Example:
        >>> net = nn.Sequential(Dropout(0.75))
        >>> with unscaled(net):
        ...     net.eval()(torch.ones(2))
        tensor([4., 4.])
    """

    def divide(layer: nn.Module, _: object, output: Tensor) -> Tensor:
        assert isinstance(layer, _SCALED)
        return output if layer.training else output / (1 - layer.p)

    layers = dropout_modules(net)
    for layer in layers:
        if not isinstance(layer, _SCALED) or layer.p == 1:
            raise ValueError(f"{layer} has no scaling by q > 0 to leave out; use Dropout with p < 1")
    hooks = [layer.register_forward_hook(divide) for layer in layers]
    try:
        yield net
    finally:
        for hook in hooks:
            hook.remove()


def _before_the_masks(net: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Split a sequence where its first mask is drawn: what comes before need not be computed twice."""
    if type(net) is not nn.Sequential:
        return nn.Identity(), net
    first = next((i for i, layer in enumerate(net) if dropout_modules(layer)), len(net))
    return net[:first], net[first:]


@torch.no_grad()
def _forward(net: nn.Module, x: Tensor, dtype: torch.dtype | None = torch.float64) -> Tensor:
    return torch.cat([net(rows) for rows in x.split(_ROWS)]).to(dtype or x.dtype)
