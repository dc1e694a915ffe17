"""The two scalings of dropout and the usual ways to get them wrong: what each does to a trained network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd
import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from dropoutlab.comparison import CLASSES, Task, splits
from dropoutlab.data import Split
from dropoutlab.functional import classic_dropout
from dropoutlab.layers import Dropout
from dropoutlab.masks import check_probability
from dropoutlab.models import linear
from dropoutlab.replicas import stackable
from dropoutlab.seeds import streams
from dropoutlab.training import Recipe, fit_many

OnRun = Callable[[str, int, int], None]

_PASSES = 10  # with fresh masks, over which the outputs of training are averaged


@dataclass(frozen=True)
class Convention:
    """How a dropout layer scales: one factor for the survivors in training, one for everybody in evaluation.

    The two agree in expectation when ``q * training == evaluation``.

    Attributes:
        name: shown in tables and figures.
        training: factor on the survivors in training.
        evaluation: factor on all units in evaluation.
    """

    name: str
    training: float
    evaluation: float


def conventions(p: float) -> list[Convention]:
    """Return the two right conventions and three frequent mistakes for drop probability p.

    Args:
        p: drop probability in (0, 1).

    Returns:
        *inverted* and *original* (right); *forgotten* (never scaled), *doubled* (inverted, and scaled by q
        in evaluation as well), *swapped* (survivors divided by p instead of q).

    Raises:
        ValueError: p is not strictly between 0 and 1.

    Example:
        >>> {c.name: (c.training, c.evaluation) for c in conventions(0.5)}["swapped"]
        (2.0, 1.0)
    """
    p = check_probability(p)
    if p in (0.0, 1.0):
        raise ValueError(f"the conventions differ for p strictly between 0 and 1 only, got {p}")
    q = 1 - p
    return [
        Convention("inverted", 1 / q, 1.0),
        Convention("original", 1.0, q),
        Convention("forgotten", 1.0, 1.0),
        Convention("doubled", 1 / q, q),
        Convention("swapped", 1 / p, 1.0),
    ]


class ScaledDropout(nn.Module):
    """Dropout under any `Convention`: what `Dropout` and `ClassicDropout` are two cases of.

    Args:
        p: drop probability in [0, 1].
        convention: the two factors.
        generator: source of the masks; ``None`` uses torch's default generator.

    Example:
        >>> layer = ScaledDropout(0.3, conventions(0.3)[1])
        >>> layer.eval()(torch.ones(2))
        tensor([0.7000, 0.7000])
    """

    def __init__(self, p: float, convention: Convention, *, generator: Generator | None = None) -> None:
        super().__init__()
        self.p = check_probability(p)
        self.convention = convention
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Mask and scale in training, scale in evaluation."""
        factor = self.convention.training if self.training else self.convention.evaluation
        if self.training:
            x = classic_dropout(x, self.p, training=True, generator=self.generator)
        return x if factor == 1 else x * factor


def network(
    widths: Sequence[int],
    drop: Callable[[], nn.Module],
    *,
    init: Generator,
    dtype: torch.dtype = torch.float64,
) -> nn.Sequential:
    """Build an MLP of ReLU layers with a dropout layer of any kind after each hidden one.

    Args:
        widths: units per layer, input first.
        drop: makes one dropout layer.
        init: source of the initial weights.
        dtype: floating-point type.

    Returns:
        Linear, ReLU, dropout, repeated, and a last Linear.
    """
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths[:-1]):
        layers += [linear(n_in, n_out, generator=init, dtype=dtype), nn.ReLU(), drop()]
    return nn.Sequential(*layers, linear(widths[-2], widths[-1], generator=init, dtype=dtype))


def outcomes(
    p: float,
    task: Task,
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    hidden: Sequence[int],
    on_run: OnRun | None = None,
) -> pd.DataFrame:
    """Train digits networks under every convention and measure what evaluation then gives.

    Args:
        p: drop probability after each hidden layer, in (0, 1).
        task: how examples are drawn.
        recipe: training recipe.
        seeds: one paired replica for each.
        hidden: widths of the hidden layers.
        on_run: called with ``(run, runs done, runs)`` after every run is read, e.g. to show progress.

    Returns:
        One row for each convention and seed: test ``error`` (fraction), test ``loss`` (nats), mean winning
        probability ``confidence``, and ``ratio_1 ... ratio_L``, the mean output of each dropout layer in
        evaluation divided by its mean output in training.
    """
    every = conventions(p)
    readings: dict[tuple[int, str], dict[str, float]] = {}
    # Conventions that differ in evaluation only are one and the same training.
    for training in dict.fromkeys(convention.training for convention in every):
        same = [convention for convention in every if convention.training == training]
        replicas = [streams(seed) for seed in seeds]
        parts = [splits(task, s) for s in replicas]
        widths = (parts[0]["test"].x.shape[1], *hidden, CLASSES)
        nets = [network(widths, _layers(p, same[0], s.masks), init=s.init) for s in replicas]
        # What is trained one by one is read one by one, so that progress is seen.
        together = len(seeds) if stackable(nets) else 1
        for first in range(0, len(seeds), together):
            some = slice(first, first + together)
            orders = [s.order for s in replicas[some]]
            fit_many(nets[some], [part["train"] for part in parts[some]], recipe, orders=orders)
            for seed, s, net, part in zip(seeds[some], replicas[some], nets[some], parts[some], strict=True):
                _convert(net, p, same[0], s.masks)
                in_training = _mean_outputs(net, part["test"].x, training=True, passes=_PASSES)
                for convention in same:
                    _convert(net, p, convention, s.masks)
                    readings[seed, convention.name] = _reading(net, part["test"], in_training)
                    if on_run is not None:
                        on_run(f"{convention.name}, seed {seed}", len(readings), len(seeds) * len(every))
    return pd.DataFrame(
        [
            {"convention": convention.name, "seed": seed, **readings[seed, convention.name]}
            for seed in seeds
            for convention in every
        ]
    )


def _layers(p: float, convention: Convention, masks: Generator) -> Callable[[], nn.Module]:
    if convention.training == 1 / (1 - p):
        # The layer that everybody uses, of which `fit_many` trains all replicas side by side.
        return lambda: Dropout(p, generator=masks)
    return lambda: ScaledDropout(p, convention, generator=masks)


def _convert(net: nn.Sequential, p: float, convention: Convention, masks: Generator) -> None:
    """Let a trained network scale by another convention of the same training."""
    for place, layer in enumerate(net):
        if isinstance(layer, (Dropout, ScaledDropout)):
            net[place] = ScaledDropout(p, convention, generator=masks).train(net.training)


@torch.no_grad()
def _reading(net: nn.Sequential, test: Split, in_training: Tensor) -> dict[str, float]:
    """What a trained network gives in evaluation, and that against its mean outputs in training."""
    logits = net(test.x)
    ratios = _mean_outputs(net, test.x, training=False, passes=1) / in_training
    return {
        "error": (logits.argmax(1) != test.y).double().mean().item(),
        "loss": cross_entropy(logits, test.y).item(),
        "confidence": logits.softmax(1).amax(1).mean().item(),
        **{f"ratio_{i}": r for i, r in enumerate(ratios.tolist(), start=1)},
    }


def mean_ratios(net: nn.Sequential, x: Tensor, passes: int = _PASSES) -> list[float]:
    """Compare the mean output of every dropout layer in evaluation with that in training.

    Args:
        net: a network with `ScaledDropout` layers.
        x: inputs ``(N, D)``.
        passes: training passes to average over, each with fresh masks.

    Returns:
        For each dropout layer, its mean output in evaluation divided by its mean output in training.
    """
    in_evaluation = _mean_outputs(net, x, training=False, passes=1)
    ratios: list[float] = (in_evaluation / _mean_outputs(net, x, training=True, passes=passes)).tolist()
    return ratios


@torch.no_grad()
def _mean_outputs(net: nn.Sequential, x: Tensor, *, training: bool, passes: int) -> Tensor:
    was_training = net.training
    net.train(training)
    means = torch.stack([_layer_means(net, x) for _ in range(passes)]).mean(0)
    net.train(was_training)
    return means


def _layer_means(net: nn.Sequential, x: Tensor) -> Tensor:
    means = []
    for layer in net:
        x = layer(x)
        if isinstance(layer, ScaledDropout):
            means.append(x.mean())
    return torch.stack(means)
