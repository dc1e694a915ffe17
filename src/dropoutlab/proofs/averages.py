"""Claims about averages over thinned networks, settled by enumerating all of them."""

import torch

from dropoutlab.ensemble import (
    average,
    enumerate_masks,
    exact_average,
    mask_probabilities,
    weight_scaling_average,
)
from dropoutlab.moments import pooled_variance
from dropoutlab.proofs.result import Proof
from dropoutlab.seeds import streams

__all__ = [
    "one_layer_equals_the_geometric_mean",
    "pooling_averages_single_coins_away",
    "two_layers_equal_the_geometric_mean",
    "weight_scaling_is_the_average",
]


def _one_layer() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = streams(1000).init
    hidden = torch.randn(20, 12, generator=g, dtype=torch.float64).relu()
    weight = torch.randn(10, 12, generator=g, dtype=torch.float64)
    return hidden, weight, torch.randn(10, generator=g, dtype=torch.float64)


def one_layer_equals_the_geometric_mean() -> Proof:
    """Compare weight scaling with the renormalised geometric mean of all 2^12 networks, one dropped layer."""
    layer = _one_layer()
    scaled = weight_scaling_average(*layer, 0.3)
    gap = (exact_average(*layer, 0.3, kind="geometric") - scaled).abs().max().item()
    return Proof(
        holds=gap <= 1e-12,
        value=gap,
        unit="1",
        says="With one dropped layer before the softmax, rectified units included, the full network is the "
        "renormalised geometric mean of all thinned networks.",
    )


def weight_scaling_is_the_average() -> Proof:
    """Compare weight scaling with the arithmetic mean of the same networks."""
    layer = _one_layer()
    scaled = weight_scaling_average(*layer, 0.3)
    gap = (exact_average(*layer, 0.3, kind="arithmetic") - scaled).abs().max().item()
    return Proof(
        holds=gap <= 1e-12,
        value=gap,
        unit="1",
        says="The full network is not the mean of the thinned networks' probabilities, even where it is "
        "exactly their geometric mean.",
    )


def two_layers_equal_the_geometric_mean() -> Proof:
    """Enumerate all masks of 6 inputs and of 6 rectified units after them."""
    g = streams(1000).init
    x = torch.randn(6, generator=g, dtype=torch.float64)
    first = torch.randn(6, 6, generator=g, dtype=torch.float64)
    second = torch.randn(3, 6, generator=g, dtype=torch.float64)
    masks = enumerate_masks(12)
    hidden = (masks[:, :6] * x / 0.7 @ first.T).relu()
    logits = (masks[:, 6:] * hidden / 0.7) @ second.T
    mean = average(logits, mask_probabilities(masks, 0.3), kind="geometric")
    gap = (mean - ((first @ x).relu() @ second.T).softmax(0)).abs().max().item()
    return Proof(
        holds=gap <= 1e-12,
        value=gap,
        unit="1",
        says="With rectified units between two dropped layers the full network is only an approximation.",
    )


def pooling_averages_single_coins_away() -> Proof:
    """Compare the variance after global average pooling for element-wise and channel-wise coins."""
    maps = torch.ones(8, 8, dtype=torch.float64)
    ratio = (pooled_variance(maps, 0.2, per="channel") / pooled_variance(maps, 0.2, per="element")).item()
    return Proof(
        holds=ratio > 1,
        value=ratio,
        unit="1",
        says="For a constant 8 × 8 map, one coin for the map causes 64 times the variance after pooling that "
        "one coin for each pixel does.",
    )
