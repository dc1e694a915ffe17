"""Trained networks opened at their last hidden layer, and what the measures of co-adaptation read there."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
import torch
from torch import Tensor, nn

from dropoutlab.coadaptation import correlation, effective_rank, probe_accuracy, sparsity, weight_noise
from dropoutlab.comparison import CLASSES, Arm, OnReplicas, Task, splits
from dropoutlab.data import Split
from dropoutlab.models import mlp
from dropoutlab.seeds import streams
from dropoutlab.training import Recipe, fit_many


@dataclass(frozen=True)
class HiddenLayer:
    """A trained network seen from its last hidden layer.

    Attributes:
        arm: name of the arm.
        seed: seed of the replica.
        net: the network, in evaluation mode.
        train: its training examples.
        test: test examples.
        seen: activations on the training examples ``(N, n)``.
        hidden: activations on the test examples ``(M, n)``.
    """

    arm: str
    seed: int
    net: nn.Sequential
    train: Split
    test: Split
    seen: Tensor
    hidden: Tensor

    @property
    def head(self) -> nn.Linear:
        """The layer above, mapping activations to logits."""
        head = self.net[-1]
        assert isinstance(head, nn.Linear)
        return head

    @property
    def features(self) -> nn.Linear:
        """The first layer, whose weights ``(n, D)`` are features of the image."""
        features = next(layer for layer in self.net if isinstance(layer, nn.Linear))
        return features


def train_layers(
    arms: Sequence[Arm],
    task: Task,
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    hidden: Sequence[int] = (128,),
    on_epoch: OnReplicas | None = None,
) -> list[HiddenLayer]:
    """Train every arm on every seed, paired as in `dropoutlab.comparison.curves`, and keep the networks.

    Args:
        arms: the ways to train; only their drop probability is used.
        task: how examples are drawn.
        recipe: shared training recipe.
        seeds: one replica for each.
        hidden: widths of the hidden layers.
        on_epoch: called with ``(arm, epoch, epochs)``.

    Returns:
        The networks, arm by arm, in order of the seeds.

    Raises:
        ValueError: an arm asks for more than dropout; else as `fit_many` and `splits`.

    Example:
        >>> [layer] = train_layers([Arm("none")], Task(50), Recipe(1), [1000], hidden=(7,))
        >>> layer.arm, tuple(layer.hidden.shape)
        ('none', (697, 7))
    """
    layers = []
    for arm in arms:
        if arm.weight_decay or arm.shift:
            raise ValueError(f"arms may differ in p only here, got {arm}")
        replicas = [streams(seed) for seed in seeds]
        data = [splits(task, s) for s in replicas]
        widths = (data[0]["train"].x.shape[1], *hidden, CLASSES)
        nets = [mlp(widths, p=arm.p, init=s.init, masks=s.masks) for s in replicas]
        fit_many(
            nets,
            [parts["train"] for parts in data],
            recipe,
            orders=[s.order for s in replicas],
            on_epoch=partial(on_epoch, arm.name) if on_epoch else None,
        )
        with torch.no_grad():
            for seed, net, parts in zip(seeds, nets, data, strict=True):
                seen, found = net[:-1](parts["train"].x), net[:-1](parts["test"].x)
                layers.append(HiddenLayer(arm.name, seed, net, parts["train"], parts["test"], seen, found))
    return layers


@torch.no_grad()
def read(layers: Sequence[HiddenLayer]) -> pd.DataFrame:
    """Read every measure that looks at activations or weights, without breaking anything.

    Args:
        layers: trained networks.

    Returns:
        One row for each network: arm, seed, ``error`` (test, a fraction), ``correlation``,
        ``effective_rank``, ``sparsity`` (Hoyer, of the activations), ``zeros`` (fraction), ``probe``
        (mean accuracy of one unit), ``locality`` (Hoyer, of the first layer's weights) and ``sharpness``
        (rise of the training cross-entropy under weight noise of half the norm).
    """
    rows = []
    for layer in layers:
        probe = probe_accuracy(layer.seen, layer.train.y, layer.hidden, layer.test.y)
        noise = streams(layer.seed).augment
        rows.append(
            {
                "arm": layer.arm,
                "seed": layer.seed,
                "error": error_rate(layer.head(layer.hidden), layer.test.y),
                "correlation": correlation(layer.hidden),
                "effective_rank": effective_rank(layer.hidden),
                "sparsity": sparsity(layer.hidden),
                "zeros": (layer.hidden == 0).double().mean().item(),
                "probe": probe.mean().item(),
                "locality": sparsity(layer.features.weight),
                "sharpness": weight_noise(
                    layer.net, layer.train.x, layer.train.y, scale=0.5, generator=noise, draws=5
                ),
            }
        )
    return pd.DataFrame(rows)


def error_rate(logits: Tensor, y: Tensor) -> float:
    """Return the fraction of examples whose largest logit is not that of their class.

    Args:
        logits: ``(N, C)``.
        y: classes ``(N,)``.

    Example:
        >>> error_rate(torch.tensor([[2.0, 1.0], [0.0, 1.0]]), torch.tensor([0, 0]))
        0.5
    """
    return float((logits.argmax(dim=1) != y).double().mean())
