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
from dropoutlab.masks import check_probability
from dropoutlab.models import linear
from dropoutlab.seeds import streams
from dropoutlab.training import Recipe, fit

OnRun = Callable[[str, int, int], None]


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
        if not self.training:
            return x * self.convention.evaluation
        kept = classic_dropout(x, self.p, training=True, generator=self.generator)
        return kept * self.convention.training


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
        on_run: called with ``(seed, runs done, runs)`` after every run, e.g. to show progress.

    Returns:
        One row for each convention and seed: test ``error`` (fraction), test ``loss`` (nats), mean winning
        probability ``confidence``, and ``ratio_1 ... ratio_L``, the mean output of each dropout layer in
        evaluation divided by its mean output in training.
    """
    rows: list[dict[str, float | int | str]] = []
    for seed in seeds:
        found = {}
        # Conventions that differ in evaluation only are one and the same training.
        for training in dict.fromkeys(convention.training for convention in conventions(p)):
            same = [convention for convention in conventions(p) if convention.training == training]
            s = streams(seed)
            parts = splits(task, s)

            def drop(convention: Convention = same[0], masks: Generator = s.masks) -> nn.Module:
                return ScaledDropout(p, convention, generator=masks)

            net = network((parts["test"].x.shape[1], *hidden, CLASSES), drop, init=s.init)
            fit(net, parts["train"], recipe, order=s.order)
            trained = s.masks.get_state()
            for convention in same:
                s.masks.set_state(trained)  # each is read as if it had been trained alone
                found[convention.name] = _reading(net, convention, parts["test"])
                if on_run is not None:
                    on_run(f"seed {seed}", len(rows) + len(found), len(seeds) * len(conventions(p)))
        rows += [
            {"convention": convention.name, "seed": seed, **found[convention.name]}
            for convention in conventions(p)
        ]
    return pd.DataFrame(rows)


@torch.no_grad()
def _reading(net: nn.Sequential, convention: Convention, test: Split) -> dict[str, float]:
    """What a trained network gives in evaluation under one of the conventions that it was trained for."""
    for layer in net:
        if isinstance(layer, ScaledDropout):
            layer.convention = convention
    logits = net(test.x)
    return {
        "error": (logits.argmax(1) != test.y).double().mean().item(),
        "loss": cross_entropy(logits, test.y).item(),
        "confidence": logits.softmax(1).amax(1).mean().item(),
        **{f"ratio_{i}": r for i, r in enumerate(mean_ratios(net, test.x), start=1)},
    }


@torch.no_grad()
def mean_ratios(net: nn.Sequential, x: Tensor, passes: int = 20) -> list[float]:
    """Compare the mean output of every dropout layer in evaluation with that in training.

    Args:
        net: a network with `ScaledDropout` layers.
        x: inputs ``(N, D)``.
        passes: training passes to average over, each with fresh masks.

    Returns:
        For each dropout layer, its mean output in evaluation divided by its mean output in training.
    """
    was_training = net.training
    means: dict[bool, Tensor] = {}
    for training, repeats in ((False, 1), (True, passes)):
        net.train(training)
        means[training] = torch.stack([_layer_means(net, x) for _ in range(repeats)]).mean(0)
    net.train(was_training)
    ratios: list[float] = (means[False] / means[True]).tolist()
    return ratios


def _layer_means(net: nn.Sequential, x: Tensor) -> Tensor:
    means = []
    for layer in net:
        x = layer(x)
        if isinstance(layer, ScaledDropout):
            means.append(x.mean())
    return torch.stack(means)
