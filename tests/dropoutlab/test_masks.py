import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dropoutlab.coins import toss
from dropoutlab.ensemble import enumerate_masks, mask_probabilities
from dropoutlab.masks import (
    channel_mask,
    check_probability,
    connection_mask,
    gaussian_noise,
    keep_mask,
    path_mask,
)

RATES = [0.1, 0.3, 0.7, 0.9]

# Two-sided bound of the chi-square tests below: each side is passed by chance once in a million draws.
RARE = 1e-6


def assert_plausible_chi_square(statistic, freedom):
    assert stats.chi2.ppf(RARE, freedom) <= statistic <= stats.chi2.isf(RARE, freedom)


# --- what counts as a probability


@pytest.mark.parametrize("p", [0, 1, 0.0, 0.3, 1.0, np.float32(0.25)])
def test_probabilities_come_back_as_floats(p):
    assert check_probability(p) == p
    assert type(check_probability(p)) is float


@pytest.mark.parametrize("p", [-0.1, 1.3, 50, math.nan, math.inf, -math.inf])
def test_anything_else_is_refused_by_name(p):
    with pytest.raises(ValueError, match=rf"drop probability must lie in \[0, 1\], got {p}$"):
        check_probability(p)


@pytest.mark.parametrize(
    "draw",
    [
        lambda p: keep_mask((2,), p),
        lambda p: channel_mask((1, 2, 3), p),
        lambda p: path_mask((2,), p),
        lambda p: connection_mask((2, 3), (4, 3), p),
        lambda p: gaussian_noise((2,), p),
    ],
)
@pytest.mark.parametrize("p", [-0.1, 1.3, math.nan])
def test_every_mask_checks_its_probability(draw, p):
    with pytest.raises(ValueError, match="drop probability must lie in"):
        draw(p)


# --- the law of one coin


@pytest.mark.parametrize("p", [1e-4, *RATES, 1 - 1e-4])
def test_fraction_kept_matches_q(p, seeded):
    n = 1_000_000
    kept = keep_mask((n,), p, generator=seeded(7)).float().mean().item()
    tolerance = 5 * math.sqrt(p * (1 - p) / n)  # 5 sigma of a binomial proportion
    assert abs(kept - (1 - p)) <= tolerance


@pytest.mark.parametrize("p", RATES)
def test_a_mask_is_a_row_of_coins_in_another_shape(p, seeded):
    generator, twin = seeded(2014), seeded(2014)
    coins = toss(5 * 7 * 3, p, generator=twin, device=None)
    assert keep_mask((5, 7, 3), p, generator=generator).flatten().tolist() == coins.tolist()
    assert torch.equal(generator.get_state(), twin.get_state())
    assert keep_mask((), p, generator=seeded(1)).shape == ()


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certainty_advances_no_generator(p, seeded):
    generator = seeded(1)
    before = generator.get_state()
    mask = keep_mask((3, 4), p, generator=generator)
    assert mask.dtype == torch.bool
    assert (mask == (p == 0)).all()
    assert torch.equal(generator.get_state(), before)


def test_masks_follow_the_seed(seeded):
    first, same, other = (keep_mask((50,), 0.3, generator=seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_successive_masks_differ(seeded):
    generator = seeded(1)
    assert not torch.equal(
        keep_mask((50,), 0.3, generator=generator), keep_mask((50,), 0.3, generator=generator)
    )


def test_without_a_generator_torchs_default_one_is_used():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        first = keep_mask((50,), 0.3)
        torch.manual_seed(5)
        assert torch.equal(keep_mask((50,), 0.3), first)
        assert not torch.equal(keep_mask((50,), 0.3), first)


def test_a_generator_leaves_the_default_one_alone(seeded):
    before = torch.get_rng_state()
    keep_mask((50,), 0.3, generator=seeded(1))
    gaussian_noise((50,), 0.3, generator=seeded(1))
    assert torch.equal(torch.get_rng_state(), before)


# --- the joint law


@pytest.mark.parametrize("p", RATES)
def test_patterns_of_three_coins_have_product_probabilities(p, seeded):
    n = 100_000
    masks = keep_mask((n, 3), p, generator=seeded(3))
    codes = (masks * torch.tensor([1, 2, 4])).sum(dim=1)
    observed = torch.bincount(codes, minlength=8).double()
    expected = n * mask_probabilities(enumerate_masks(3), p)
    assert expected.min() >= 5  # where the chi-square law of the statistic holds
    assert_plausible_chi_square(((observed - expected) ** 2 / expected).sum().item(), freedom=7)


@pytest.mark.parametrize("p", RATES)
@pytest.mark.parametrize("dim", [0, 1])
def test_rows_and_columns_have_binomial_counts(p, dim, seeded):
    masks = keep_mask((400, 500), p, generator=seeded(4)).double()
    length = masks.shape[dim]
    z = (masks.sum(dim=dim) - length * (1 - p)) / math.sqrt(length * p * (1 - p))
    assert_plausible_chi_square((z**2).sum().item(), freedom=len(z))


@pytest.mark.parametrize("p", RATES)
def test_pairs_of_units_are_uncorrelated(p, seeded):
    n, units = 20_000, 20
    centred = keep_mask((n, units), p, generator=seeded(5)).double() - (1 - p)
    correlation = centred.T @ centred / (n * p * (1 - p))
    pairs = correlation[torch.triu_indices(units, units, offset=1).unbind()]
    # Under independence each entry has mean 0 and variance exactly 1/n, and entries are uncorrelated.
    assert_plausible_chi_square((n * pairs**2).sum().item(), freedom=len(pairs))


@pytest.mark.parametrize("p", RATES)
@pytest.mark.parametrize("lag", [*range(1, 17), 64, 128, 1024])
def test_the_stream_has_no_lagged_correlation(p, lag, seeded):
    n = 200_000
    centred = keep_mask((n,), p, generator=seeded(6)).double() - (1 - p)
    correlation = (centred[:-lag] * centred[lag:]).mean().item() / (p * (1 - p))
    assert abs(correlation) <= 5 / math.sqrt(n - lag)  # 5 sigma: the products are uncorrelated, variance 1


@given(
    shape=st.lists(st.integers(0, 5), max_size=4),
    p=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape_and_probability_give_a_boolean_mask(shape, p, seed, seeded):
    mask = keep_mask(shape, p, generator=seeded(seed))
    assert mask.dtype == torch.bool
    assert list(mask.shape) == shape
    # The same digits decide each coin: raising p can only drop more.
    more_dropped = keep_mask(shape, min(1.0, p + 0.25), generator=seeded(seed))
    assert (mask | ~more_dropped).all()


# --- one coin for many elements


def test_a_channel_mask_has_one_coin_per_example_and_channel(seeded):
    mask = channel_mask((6, 50, 4, 3), 0.3, generator=seeded(1))
    assert mask.shape == (6, 50, 1, 1)
    assert torch.equal(mask.flatten(), keep_mask((300,), 0.3, generator=seeded(1)))


@pytest.mark.parametrize("shape", [(), (3,), (3, 4)])
def test_a_channel_mask_needs_spatial_dimensions(shape):
    with pytest.raises(ValueError, match=r"needs an input of shape \(N, C, \*spatial\), got \("):
        channel_mask(shape, 0.3)


def test_a_path_mask_has_one_coin_per_example(seeded):
    mask = path_mask((60, 3, 2), 0.3, generator=seeded(1))
    assert mask.shape == (60, 1, 1)
    assert torch.equal(mask.flatten(), keep_mask((60,), 0.3, generator=seeded(1)))


def test_a_path_mask_needs_a_batch():
    with pytest.raises(ValueError, match="got a scalar; add a batch dimension"):
        path_mask((), 0.3)


@pytest.mark.parametrize(
    ("shape", "per_example", "expected"),
    [
        ((8, 4), True, (8, 3, 4)),
        ((8, 4), False, (3, 4)),
        ((4,), True, (3, 4)),
        ((2, 8, 4), True, (2, 8, 3, 4)),
    ],
)
def test_a_connection_mask_has_one_coin_per_weight(shape, per_example, expected, seeded):
    mask = connection_mask(shape, (3, 4), 0.3, per_example=per_example, generator=seeded(1))
    assert mask.shape == expected
    assert torch.equal(mask.flatten(), keep_mask((mask.numel(),), 0.3, generator=seeded(1)))


@pytest.mark.parametrize("shape", [(), (8, 5)])
def test_a_connection_mask_must_fit_the_weight(shape):
    with pytest.raises(ValueError, match=r"weight of shape \(3, 4\) needs an input of shape \(\*, 4\), got"):
        connection_mask(shape, (3, 4), 0.3)


# --- Gaussian noise


@pytest.mark.parametrize("p", RATES)
def test_gaussian_noise_has_mean_one_and_variance_p_over_q(p, seeded):
    n = 200_000
    noise = gaussian_noise((n,), p, generator=seeded(8), dtype=torch.float64)
    variance = p / (1 - p)
    assert abs(noise.mean().item() - 1) <= 5 * math.sqrt(variance / n)
    # The sample variance of a normal has standard deviation sigma^2 sqrt(2 / (n - 1)).
    assert abs(noise.var().item() - variance) <= 5 * variance * math.sqrt(2 / (n - 1))


def test_gaussian_noise_is_normal(seeded):
    noise = gaussian_noise((20_000,), 0.3, generator=seeded(9), dtype=torch.float64)
    fit = stats.kstest(noise.numpy(), "norm", args=(1, math.sqrt(0.3 / 0.7)))
    assert fit.pvalue > RARE


def test_gaussian_noise_of_probability_zero_advances_no_generator(seeded):
    generator = seeded(1)
    before = generator.get_state()
    assert torch.equal(gaussian_noise((2, 3), 0.0, generator=generator), torch.ones(2, 3))
    assert torch.equal(generator.get_state(), before)


def test_gaussian_noise_of_probability_one_is_refused():
    with pytest.raises(ValueError, match=r"needs p < 1, got 1\.0.*infinite"):
        gaussian_noise((2,), 1.0)


# --- devices


def test_the_mask_lives_where_it_is_asked_for(seeded):
    assert keep_mask((2,), 0.3, device="meta").device.type == "meta"
    assert keep_mask((2,), 0.3, generator=seeded(1)).device.type == "cpu"
    with torch.device("meta"):
        assert keep_mask((2,), 0.3).device.type == "meta"
        assert keep_mask((2,), 0.3, generator=seeded(1)).device.type == "cpu"


@pytest.mark.parametrize("draw", [keep_mask, gaussian_noise])
def test_a_generator_of_another_device_is_refused(draw):
    elsewhere = SimpleNamespace(device=torch.device("cuda:0"))  # stands for a generator on a GPU
    with pytest.raises(ValueError, match="generator lives on cuda:0 but the mask is needed on cpu"):
        draw((2,), 0.3, generator=elsewhere, device="cpu")
