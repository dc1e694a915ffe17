"""Dropout and normalisation together on digits: trained networks, their variance shifts, new statistics."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import pandas as pd
import torch
from torch import Tensor, nn

from dropoutlab.comparison import CLASSES, OnReplicas, Task, splits
from dropoutlab.data import Split
from dropoutlab.layers import Dropout, GaussianDropout
from dropoutlab.moments import linear_variance_shift, variance_shift
from dropoutlab.normalisation import Noise, Norm, Order, normalised_mlp, reestimate_statistics, shift_ratios
from dropoutlab.normalised_stack import fit_normalised
from dropoutlab.readouts import predict, scores
from dropoutlab.seeds import streams
from dropoutlab.training import Recipe

_PASSES = 5  # over the training examples: their masks then add little to what the ratios vary by


@dataclass(frozen=True)
class NormArm:
    """A network with or without normalisation and dropout, as `dropoutlab.normalisation.normalised_mlp`.

    Attributes:
        name: shown in tables and figures.
        norm: the normalisation.
        p: drop probability.
        order: where dropout stands.
        noise: its law.
    """

    name: str
    norm: Norm = "batch"
    p: float = 0.0
    order: Order = "after activation"
    noise: Noise = "bernoulli"


@dataclass(frozen=True)
class NormalisedNet:
    """A trained network with its examples.

    Attributes:
        arm: how it was made.
        seed: seed of the replica.
        net: the network, in evaluation mode.
        train: its training examples.
        test: test examples.
        batch_size: of its training.
    """

    arm: NormArm
    seed: int
    net: nn.Sequential
    train: Split
    test: Split
    batch_size: int


def train_normalised(
    arms: Sequence[NormArm],
    task: Task,
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    hidden: Sequence[int],
    on_epoch: OnReplicas | None = None,
) -> list[NormalisedNet]:
    """Train every arm on every seed; arms that share a seed share examples, initial weights and order.

    Args:
        arms: the networks.
        task: how examples are drawn.
        recipe: shared training recipe.
        seeds: one replica for each.
        hidden: widths of the hidden layers.
        on_epoch: called with ``(arm, epoch, epochs)``.

    Returns:
        The networks, arm by arm, in order of the seeds.

    Raises:
        ValueError: as `dropoutlab.comparison.splits` and `dropoutlab.normalised_stack.fit_normalised`.

    Example:
        >>> [one] = train_normalised([NormArm("BN")], Task(50), Recipe(1), [1000], hidden=(7,))
        >>> one.arm.name, len(one.net), len(one.test)
        ('BN', 4, 697)
    """
    trained = []
    for arm in arms:
        replicas = [streams(seed) for seed in seeds]
        data = [splits(task, s) for s in replicas]
        widths = (data[0]["train"].x.shape[1], *hidden, CLASSES)
        nets = [
            normalised_mlp(
                widths,
                init=s.init,
                norm=arm.norm,
                p=arm.p,
                order=arm.order,
                noise=arm.noise,
                masks=s.masks,
                dtype=torch.float64,
            )
            for s in replicas
        ]
        fit_normalised(
            nets,
            [parts["train"] for parts in data],
            recipe,
            orders=[s.order for s in replicas],
            on_epoch=partial(on_epoch, arm.name) if on_epoch else None,
        )
        trained += [
            NormalisedNet(arm, seed, net, parts["train"], parts["test"], recipe.batch_size)
            for seed, net, parts in zip(seeds, nets, data, strict=True)
        ]
    return trained


def read_normalised(nets: Sequence[NormalisedNet]) -> pd.DataFrame:
    """Read test error, variance shifts, and the test error under statistics taken again with dropout off.

    The networks are left as they were.

    Args:
        nets: trained networks.

    Returns:
        One row for each: ``arm``, ``seed``, ``p``, ``norm``, ``error`` (fraction) and ``nll`` (nats) on the
        test examples; for batch normalisation also ``error_reestimated``, ``nll_reestimated`` and ``shift_1``
        to ``shift_L``, the median over units of test-time over training variance. The statistics are those
        of the training examples.
    """
    rows = []
    for one in nets:
        found = scores(predict(one.net, one.test.x), one.test.y)
        row: dict[str, object] = {"arm": one.arm.name, "seed": one.seed, "p": one.arm.p, "norm": one.arm.norm}
        row |= {"error": found.error, "nll": found.nll}
        if one.arm.norm == "batch":
            copied = deepcopy(one.net)
            shifts = shift_ratios(copied, one.train.x, batch_size=one.batch_size, passes=_PASSES)
            reestimate_statistics(copied, one.train.x)
            again = scores(predict(copied, one.test.x), one.test.y)
            row |= {"error_reestimated": again.error, "nll_reestimated": again.nll}
            row |= {f"shift_{i}": r.nanmedian().item() for i, r in enumerate(shifts.values(), 1)}
        rows.append(row)
    return pd.DataFrame(rows)


@torch.no_grad()
def predicted_shifts(net: nn.Sequential, x: Tensor) -> dict[str, Tensor]:
    r"""Predict the variance shift before every batch normalisation from activations without any dropout.

    Directly behind dropout the rule is `dropoutlab.moments.variance_shift`, behind dropout and a linear map
    `dropoutlab.moments.linear_variance_shift`; anywhere else the prediction is 1. Only the nearest dropout is
    counted: what earlier masks do to the activations is left out.

    Args:
        net: network whose layers are called one after another, in evaluation mode.
        x: examples ``(N, D)``.

    Returns:
        Name of each batch normalisation → ratios ``(C,)``.

    Raises:
        ValueError: the network is in training mode, or a unit is constant.

    Example:
        >>> g = torch.Generator().manual_seed(1)
        >>> net = normalised_mlp((3, 4, 4, 2), p=0.5, init=g).eval()
        >>> found = predicted_shifts(net, torch.rand(9, 3, generator=g))
        >>> found["1"], bool((found["5"] < 1).all())
        (tensor([1., 1., 1., 1.]), True)

    Source: Li et al. (2019), arXiv:1801.05134.
    """
    if any(module.training for module in net.modules()):
        raise ValueError("predictions need activations without dropout: call eval() on the network first")
    layers = list(net)
    inputs = [x]
    for layer in layers:
        inputs.append(layer(inputs[-1]))
    found = {}
    for i, layer in enumerate(layers):
        if not isinstance(layer, nn.BatchNorm1d):
            continue
        before, earlier = (layers[i - k] if i >= k else None for k in (1, 2))
        if isinstance(before, Dropout | GaussianDropout):
            values = inputs[i]
            found[str(i)] = variance_shift(values.mean(0), values.var(0, correction=0), before.p)
        elif isinstance(before, nn.Linear) and isinstance(earlier, Dropout | GaussianDropout):
            values = inputs[i - 1]
            covariance = torch.cov(values.T, correction=0)
            found[str(i)] = linear_variance_shift(before.weight, values.mean(0), covariance, earlier.p)
        else:
            found[str(i)] = torch.ones_like(inputs[i][0])
    return found
