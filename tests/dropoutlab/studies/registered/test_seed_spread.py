"""The wobble of a curve: its scatter about a trend."""

import math

import numpy as np
import pytest

from dropoutlab.studies.registered.seed_spread import wobble


def test_a_steady_curve_does_not_wobble():
    assert wobble([0.1, 0.1, 0.1]) == 0


def test_independent_noise_gives_its_standard_deviation():
    n = 20_000
    noise = np.random.default_rng(1).normal(0.05, 0.002, n)
    # The mean of n - 1 dependent squares: its relative deviation is below √(3 / n); half of it for the root.
    assert wobble(noise.tolist()) == pytest.approx(0.002, rel=5 * math.sqrt(3 / n) / 2)


def test_a_slow_trend_hardly_counts():
    falling = [0.2 - 0.0001 * epoch for epoch in range(100)]
    assert wobble(falling) == pytest.approx(0.0001 / math.sqrt(2))
    assert np.std(falling) > 20 * wobble(falling)
