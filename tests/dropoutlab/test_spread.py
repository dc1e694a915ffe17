import math

import numpy as np
import pytest
import torch

from dropoutlab.spread import moments_by_depth


def ratios(seeded, p, *, runs=20, depth=4, width=128, examples=32):
    tables = [
        moments_by_depth(
            p, depth=depth, width=width, examples=examples,
            init=seeded(3 * run), data=seeded(3 * run + 1), masks=seeded(3 * run + 2),
        )
        for run in range(runs)
    ]  # fmt: skip
    return np.stack([table.second_moment for table in tables]), np.stack([table["mean"] for table in tables])


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_the_second_moment_grows_by_one_over_q_for_each_masked_layer(seeded, p):
    second, _ = ratios(seeded, p)
    for layer in range(second.shape[1]):
        found, expected = second[:, layer], (1 / (1 - p)) ** layer
        # Runs are independent: their mean lies within 4 standard errors but once in 16,000 times. The ratio
        # of two means is biased by about its relative variance, which is added.
        relative = found.std(ddof=1) / found.mean()
        tolerance = 4 * found.std(ddof=1) / math.sqrt(len(found)) + expected * relative**2
        assert abs(found.mean() - expected) <= tolerance + 1e-12


def test_before_the_first_mask_nothing_differs(seeded):
    second, mean = ratios(seeded, 0.5, runs=2)
    assert (second[:, 0] == 1).all()
    assert (mean[:, 0] == 1).all()


def test_rectified_units_lose_their_mean_too(seeded):
    _, mean = ratios(seeded, 0.5)
    assert (mean[:, 1:] > 1).all()
    assert (np.diff(mean.mean(axis=0)) > 0).all()


def test_without_dropout_both_modes_agree(seeded):
    table = moments_by_depth(
        0.0, depth=3, width=16, examples=4, init=seeded(1), data=seeded(2), masks=seeded(3)
    )
    assert torch.tensor(table.to_numpy())[:, 1:].eq(1).all()


@pytest.mark.parametrize(
    ("changes", "message"), [({"p": 1.0}, "p must be below 1, got 1.0"), ({"depth": 0}, "depth 0")]
)
def test_impossible_sizes_are_refused(seeded, changes, message):
    given = {"p": 0.5, "depth": 1, "width": 4, "examples": 2} | changes
    with pytest.raises(ValueError, match=message):
        moments_by_depth(**given, init=seeded(1), data=seeded(2), masks=seeded(3))
