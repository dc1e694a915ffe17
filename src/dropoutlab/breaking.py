"""Break trained networks in many ways: units taken away, units copied first, images damaged."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd
import torch
from torch import Generator, Tensor, nn

from dropoutlab.comparison import IMAGE_SHAPE
from dropoutlab.corruption import occlude, pixel_noise
from dropoutlab.hidden_layers import HiddenLayer, error_rate
from dropoutlab.lesions import Fill, Head, lesion, pair_lesions, unit_lesions
from dropoutlab.seeds import streams

Damage = Callable[[Tensor, float, Generator], Tensor]


def copied(head: nn.Linear, hidden: Tensor, copies: int) -> tuple[Head, Tensor]:
    r"""Repeat every hidden unit and share its outgoing weight among the copies: more units, same function.

    .. math:: \sum_i w_i h_i = \sum_i \sum_{c=1}^{C} \frac{w_i}{C}\, h_i

    Args:
        head: linear map from n units to logits.
        hidden: activations ``(N, n)``.
        copies: C, at least 1.

    Returns:
        The head of the larger network and its activations ``(N, C * n)``.

    Raises:
        ValueError: ``copies`` is below 1.

    Example:
        >>> head, hidden = nn.Linear(3, 2), torch.rand(5, 3)
        >>> larger, repeated = copied(head, hidden, 4)
        >>> tuple(repeated.shape), torch.allclose(larger(repeated), head(hidden), atol=1e-5)
        ((5, 12), True)
    """
    if copies < 1:
        raise ValueError(f"need at least 1 copy of each unit, got {copies}")
    weight = head.weight.detach().repeat(1, copies) / copies
    return partial(nn.functional.linear, weight=weight, bias=head.bias.detach()), hidden.repeat(1, copies)


@torch.no_grad()
def lesion_curves(
    layers: Sequence[HiddenLayer],
    fractions: Sequence[float],
    *,
    fill: Fill = "mean",
    rescale: bool = False,
    copies: int = 1,
    draws: int = 5,
) -> pd.DataFrame:
    """Measure the test error after random lesions, from none to almost all units.

    Replicas of one seed lose the same units in every arm.

    Args:
        layers: trained networks.
        fractions: fractions of units to take away, each in [0, 1).
        fill: what stands in for them, as in `dropoutlab.lesions.lesion`.
        rescale: whether the survivors are scaled up.
        copies: measure the network in which every unit is repeated so often; see `copied`.
        draws: random lesions to average over.

    Returns:
        Tidy table: arm, seed, lost (the fraction), error (a fraction).

    Raises:
        ValueError: a fraction is outside [0, 1), or ``draws`` is below 1.
    """
    if draws < 1 or not all(0 <= fraction < 1 for fraction in fractions):
        raise ValueError(f"need fractions in [0, 1) and at least 1 draw, got {list(fractions)} and {draws}")
    rows = []
    for layer in layers:
        generator = streams(layer.seed).augment
        head, hidden = copied(layer.head, layer.hidden, copies)
        n, intact = hidden.shape[1], error_rate(head(hidden), layer.test.y)
        for fraction in fractions:
            rises = [
                lesion(
                    head,
                    hidden,
                    layer.test.y,
                    torch.randperm(n, generator=generator)[: round(fraction * n)],
                    fill=fill,
                    rescale=rescale,
                    measure="error",
                )
                for _ in range(draws)
            ]
            row = {"arm": layer.arm, "seed": layer.seed, "lost": fraction}
            rows.append(row | {"error": intact + sum(rises) / draws})
    return pd.DataFrame(rows)


def random_pairs(layers: Sequence[HiddenLayer], pairs: int) -> pd.DataFrame:
    r"""Take random pairs of units away, and each of the two alone.

    Args:
        layers: trained networks.
        pairs: number of pairs in each network; the same ones in every arm.

    Returns:
        Tidy table in nats: arm, seed, ``first`` and ``second`` (the rise without one unit), ``both``, and
        ``synergy`` = both − first − second.
    """
    tables = []
    for layer in layers:
        generator, n = streams(layer.seed).augment, layer.hidden.shape[1]
        chosen = torch.stack([torch.randperm(n, generator=generator)[:2] for _ in range(pairs)])
        singles = unit_lesions(layer.head, layer.hidden, layer.test.y)[chosen].numpy()
        both = pair_lesions(layer.head, layer.hidden, layer.test.y, chosen).numpy()
        table = pd.DataFrame({"first": singles[:, 0], "second": singles[:, 1], "both": both})
        tables.append(table.assign(arm=layer.arm, seed=layer.seed, synergy=both - singles.sum(axis=1)))
    return pd.concat(tables, ignore_index=True)


def noisy(x: Tensor, level: float, generator: Generator) -> Tensor:
    """Add pixel noise of this standard deviation."""
    return pixel_noise(x, level, generator=generator)


def occluded(x: Tensor, level: float, generator: Generator) -> Tensor:
    """Blacken a square with sides of ``level`` pixels."""
    return occlude(x, IMAGE_SHAPE, round(level), generator=generator)


@torch.no_grad()
def damage_curves(
    layers: Sequence[HiddenLayer], damages: Mapping[str, tuple[Damage, Sequence[float]]]
) -> pd.DataFrame:
    """Measure the test error on images damaged in ways that training never showed.

    Every arm of a seed sees the very same damage.

    Args:
        layers: trained networks.
        damages: name → (what is done to the images, its levels).

    Returns:
        Tidy table: arm, seed, damage, level, error (a fraction).
    """
    rows = []
    for layer in layers:
        for name, (change, levels) in damages.items():
            generator = streams(layer.seed).augment
            for level in levels:
                x = change(layer.test.x, level, generator)
                row = {"arm": layer.arm, "seed": layer.seed, "damage": name, "level": level}
                rows.append(row | {"error": error_rate(layer.net(x), layer.test.y)})
    return pd.DataFrame(rows)
