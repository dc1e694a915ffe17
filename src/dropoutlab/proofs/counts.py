"""Claims about how many: units dropped, networks, gradients, masks."""

import math

import torch

from dropoutlab.ensemble import enumerate_masks, mask_probabilities
from dropoutlab.gradients import silent_units
from dropoutlab.masks import keep_mask
from dropoutlab.moments import dropped_count
from dropoutlab.seeds import streams

__all__ = [
    "a_step_trains_one_network",
    "every_network_is_trained",
    "exactly_p_percent_are_dropped",
    "no_zero_is_left_in_evaluation",
    "so_many_functions_as_masks",
    "the_sum_stays_the_same",
]

from dropoutlab.proofs.result import Proof


def exactly_p_percent_are_dropped() -> Proof:
    """Give the probability that p = 0.3 drops exactly 3 of 10 units."""
    probability = float(dropped_count(10, 0.3).pmf(3))
    return Proof(
        holds=probability == 1,
        value=probability,
        unit="fraction",
        says="The number dropped is Binomial(10, 0.3): three is its likeliest value, not a quota.",
    )


def the_sum_stays_the_same() -> Proof:
    """Give the spread of the sum of ten ones after inverted dropout with p = 0.3, over all masks."""
    masks = enumerate_masks(10)
    weights = mask_probabilities(masks, 0.3)
    sums = masks.double().sum(1) / 0.7
    mean = (weights * sums).sum().item()
    sd = math.sqrt((weights * (sums - mean) ** 2).sum().item())
    return Proof(
        holds=sd == 0,
        value=sd,
        unit="1",
        says="The mean of the sum is 10, as without dropout, but its standard deviation is √(10·0.3/0.7).",
    )


def so_many_functions_as_masks() -> Proof:
    """Count the distinct outputs of all masks of ten rectified units, three of which are active."""
    hidden = torch.tensor([0.0] * 7 + [0.9, 1.7, 2.3], dtype=torch.float64)
    outputs = (enumerate_masks(10) * hidden).sum(1)
    distinct = len(outputs.unique())
    return Proof(
        holds=distinct == 2**10,
        value=distinct,
        unit="1",
        says="All 1,024 masks of ten units, three of them active for this input, give eight outputs.",
    )


def every_network_is_trained() -> Proof:
    """Compare the masks drawn in a long training run with the masks there are."""
    drawn, units = 1e8, 512  # 1.6 million steps of 64 examples; one hidden layer
    log10_share = math.log10(drawn) - units * math.log10(2)
    return Proof(
        holds=log10_share >= 0,
        value=log10_share,
        unit="log10",
        says="100 million masks out of 2^512 are a share of about one in 10^146.",
    )


def a_step_trains_one_network() -> Proof:
    """Count the different masks in one minibatch of 64, and the units that get no gradient from it."""
    masks = len(keep_mask((64, 512), 0.5, generator=streams(1000).masks).unique(dim=0))
    _, silent = silent_units(0.5, 64, seed=1000)
    return Proof(
        holds=masks == 1 and silent > 0,
        value=masks,
        unit="1",
        says="Every example has a mask of its own: 64 thinned networks in one step, and no unit is without "
        "gradient.",
    )


def no_zero_is_left_in_evaluation() -> Proof:
    """Give the probability that none of 50 rectified units with symmetric inputs is zero in evaluation."""
    probability = float(dropped_count(50, 0.5).pmf(0))
    return Proof(
        holds=probability > 0.5,
        value=probability,
        unit="fraction",
        says="A rectified unit is zero for half of all symmetric inputs, with dropout or without: all 50 are "
        "active with probability 2^−50.",
    )
