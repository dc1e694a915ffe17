"""Chapter 6: the variance shift, statistics estimated again, and dropout before batch normalisation."""

# A mistake takes all arguments and is one because it ignores some of them.
# ruff: noqa: ARG005

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dropoutlab.grading.checks.networks import build
from dropoutlab.grading.checks.values import recognise, shown
from dropoutlab.grading.failure import Failed
from dropoutlab.grading.learner import Learner


def ratio(learner: Learner) -> None:
    """The ratio for several rates, means and variances; the mean's sign plays no part."""
    recognise(
        learner,
        [(0.5, 0.0, 1.0), (0.2, 1.0, 2.0), (0.7, -3.0, 0.5), (0.3, 0.4, 4.0), (0.0, 1.0, 1.0)],
        {
            "ratio-inverted": [lambda p, mean, variance: 1 / _ratio(p, mean, variance)],
            "mean-forgotten": [lambda p, mean, variance: 1 - p, lambda p, mean, variance: 1 / (1 - p)],
            "keep-drop-swapped": [lambda p, mean, variance: _ratio(1 - p, mean, variance)],
            "sd-not-variance": [lambda p, mean, variance: _ratio(p, mean, variance) ** 0.5],
            # The variance in training of survivors that were not divided by q.
            "no-scaling": [lambda p, mean, variance: variance / ((1 - p) * (variance + p * mean**2))],
        },
    )


def _ratio(p: float, mean: float, variance: float) -> float:
    return (1 - p) * variance / (variance + p * mean**2)


def _network(p: float) -> nn.Sequential:
    generator = torch.Generator().manual_seed(1000)
    net = nn.Sequential(nn.Linear(6, 8), nn.Dropout(p), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 1, generator=generator)
        norm = net[2]
        assert isinstance(norm, nn.BatchNorm1d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.normal_(5, 1, generator=generator)
        norm.running_var.uniform_(8, 20, generator=generator)
    return net


def statistics(learner: Learner) -> None:
    """The statistics become those of the data with dropout off; weights stay and the net is in evaluation.

    Everybody sees the same data, so right solutions differ only in how they pool the batches: the mean of the
    variances of four batches of 400 misses that of all 1600 by the variance of the batches' means, some 1/400
    of it. 2 % are allowed. Dropout with p = 0.6 makes the variance at least 1/0.4 times as large.
    """
    x = torch.randn(1600, 6, generator=torch.Generator().manual_seed(1001)) + 1
    batches = list(x.split(400))
    net = _network(0.6).train()
    before = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}
    old = _running(net)
    result = build(learner, net, batches)
    first = net[0]
    assert isinstance(first, nn.Linear)
    with torch.no_grad():
        values = torch.nn.functional.linear(x, before["0.weight"], before["0.bias"])
    wanted = (values.mean(0), values.var(0))
    found = _running(result)
    kept = dict(result.named_parameters())
    if any(name not in kept or not torch.equal(before[name], kept[name]) for name in before):
        raise Failed("weights-changed", "A weight of the network is not what it was.")
    _compare_statistics(found, wanted, old)
    modes = {name or "the network": module.training for name, module in result.named_modules()}
    if any(modes.values()):
        names = ", ".join(name for name, training in modes.items() if training)
        raise Failed("left-in-training", f"Still in training mode: {names}.")


def _running(net: nn.Module) -> tuple[Tensor, Tensor]:
    norms = [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm1d)]
    if len(norms) != 1 or norms[0].running_mean is None or norms[0].running_var is None:
        raise Failed("wrong-value", "The network has lost its batch normalisation or its running statistics.")
    return norms[0].running_mean.clone(), norms[0].running_var.clone()


def _compare_statistics(
    found: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor], old: tuple[Tensor, Tensor]
) -> None:
    spread = wanted[1].sqrt()
    mean_right = bool(((found[0] - wanted[0]).abs() < 0.02 * spread).all())
    ratio_found = found[1] / wanted[1]
    if mean_right and bool(((ratio_found - 1).abs() < 0.02).all()):
        return
    seen = f"The running variance is {float(ratio_found.mean()):.2f} times that of the data, on average."
    if torch.equal(found[0], old[0]) and torch.equal(found[1], old[1]):
        raise Failed("statistics-unchanged", seen)
    # What is left of the old mean shows for every channel as the same fraction of the way.
    left = (found[0] - wanted[0]) / (old[0] - wanted[0])
    if bool((left > 0.05).all()) and float(left.std()) < 0.1:
        raise Failed("momentum-left", f"{float(left.mean()):.0%} of the old mean are still there. {seen}")
    if bool((ratio_found > 1.5).all()):
        raise Failed("dropout-active", seen)
    raise Failed("wrong-value", seen)


def positions(learner: Learner) -> None:
    """The dropout layers that disturb a batch normalisation, near and far, of several classes."""
    chain: list[list[Callable[[], nn.Module]]] = [
        [_linear, nn.ReLU, _drop, _linear, _norm, nn.ReLU, _drop, _linear],
        [_drop, _norm, nn.ReLU, _norm],
        [_linear, _norm, nn.ReLU, _drop, _linear],
        [_conv, _drop_maps, _norm_maps, nn.ReLU, _drop_maps, _conv, _norm_maps, nn.Flatten, _drop, _linear],
        [_linear, nn.ReLU, _linear],
        [_linear, _drop, nn.ReLU, _drop, _linear, _norm],
    ]
    wrong: dict[str, Callable[[nn.Sequential], list[int]]] = {
        "order-reversed": _after,
        "only-adjacent": _adjacent,
        "names-the-other-layer": _norms_after,
        "only-one-class": _plain_only,
    }
    nets = [nn.Sequential(*(make() for make in makes)) for makes in chain]
    given = [_indices(learner(net)) for net in nets]
    right = [learner.reference(net) for net in nets]
    if given == right:
        return
    first = next(k for k, pair in enumerate(zip(given, right, strict=True)) if pair[0] != pair[1])
    layers = ", ".join(type(layer).__name__ for layer in nets[first])
    seen = f"For {layers} it gave {given[first]}, and {right[first]} is right."
    for code, mistake in wrong.items():
        if given == [mistake(net) for net in nets]:
            raise Failed(code, seen)
    raise Failed("wrong-value", seen)


def _indices(result: Any) -> list[int]:
    if isinstance(result, np.ndarray | Tensor):
        result = result.tolist()
    if not isinstance(result, list | tuple | set | frozenset) or not all(
        isinstance(item, int | np.integer) for item in result
    ):
        raise Failed("wrong-type", f"It returned {shown(result)}; a list of positions was expected.")
    return sorted(int(item) for item in result)


_DROPS = (nn.Dropout, nn.Dropout2d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def _places(net: nn.Sequential, kinds: Sequence[type[nn.Module]]) -> list[int]:
    return [k for k, layer in enumerate(net) if isinstance(layer, tuple(kinds))]


def _after(net: nn.Sequential) -> list[int]:
    norms = _places(net, _NORMS)
    return [k for k in _places(net, _DROPS) if any(norm < k for norm in norms)]


def _adjacent(net: nn.Sequential) -> list[int]:
    return [k for k in _places(net, _DROPS) if k + 1 in _places(net, _NORMS)]


def _norms_after(net: nn.Sequential) -> list[int]:
    drops = _places(net, _DROPS)
    return [k for k in _places(net, _NORMS) if any(drop < k for drop in drops)]


def _plain_only(net: nn.Sequential) -> list[int]:
    norms = _places(net, (nn.BatchNorm1d,))
    return [k for k in _places(net, (nn.Dropout,)) if any(norm > k for norm in norms)]


def _linear() -> nn.Module:
    return nn.Linear(4, 4)


def _conv() -> nn.Module:
    return nn.Conv2d(2, 2, 3)


def _drop() -> nn.Module:
    return nn.Dropout(0.3)


def _drop_maps() -> nn.Module:
    return nn.Dropout2d(0.3)


def _norm() -> nn.Module:
    return nn.BatchNorm1d(4)


def _norm_maps() -> nn.Module:
    return nn.BatchNorm2d(2)
