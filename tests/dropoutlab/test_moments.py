import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dropoutlab.ensemble import enumerate_masks, mask_probabilities
from dropoutlab.functional import classic_dropout, dropout, gaussian_dropout, spatial_dropout
from dropoutlab.masks import keep_mask
from dropoutlab.moments import (
    dropped_count,
    factor_moments,
    linear_moments,
    linear_variance_shift,
    output_moments,
    pooled_variance,
    variance_shift,
)

RATES = [0.1, 0.3, 0.7, 0.9]
BINARY = [("inverted", dropout), ("classic", classic_dropout)]


def normal(*shape, seeded, seed=1):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def exact_moments(values, probabilities):
    """Mean and variance of a discrete law over the first dimension."""
    weights = probabilities.reshape(-1, *[1] * (values.dim() - 1))
    mean = (weights * values).sum(dim=0)
    return mean, (weights * (values - mean) ** 2).sum(dim=0)


# --- one element


@pytest.mark.parametrize(("kind", "function"), BINARY)
@pytest.mark.parametrize("p", [0.0, *RATES, 1.0])
def test_moments_of_a_fixed_input_match_the_enumeration_of_its_two_outputs(p, kind, function):
    x = torch.tensor([-2.0, 0.0, 1.7], dtype=torch.float64)
    outputs = torch.stack(
        [function(x, p, training=True, mask=torch.full((3,), kept)) for kept in (False, True)]
    )
    law = torch.tensor([p, 1 - p], dtype=torch.float64)
    mean, variance = exact_moments(outputs, law)
    moments = output_moments(x, p, kind=kind)
    torch.testing.assert_close(moments.mean, mean, rtol=0, atol=1e-12)
    torch.testing.assert_close(moments.variance, variance, rtol=0, atol=1e-12)
    torch.testing.assert_close(moments.second_moment, law @ outputs**2, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kind", "function"), BINARY)
@pytest.mark.parametrize("p", RATES)
def test_moments_of_a_random_input_match_the_enumeration(p, kind, function):
    # Four values with unequal probabilities stand for the input's law; eight outcomes with the mask.
    x = torch.tensor([-1.0, 0.5, 2.0, 4.0], dtype=torch.float64)
    law = torch.tensor([0.1, 0.4, 0.3, 0.2], dtype=torch.float64)
    c, v = exact_moments(x, law)
    outputs = torch.cat(
        [function(x, p, training=True, mask=torch.full((4,), kept)) for kept in (False, True)]
    )
    mean, variance = exact_moments(outputs, torch.cat([law * p, law * (1 - p)]))
    moments = output_moments(c.item(), p, variance=v.item(), kind=kind)
    assert math.isclose(moments.mean, mean.item(), abs_tol=1e-12)
    assert math.isclose(moments.variance, variance.item(), abs_tol=1e-12)
    evaluation_scale = 1 if kind == "inverted" else 1 - p
    shift = evaluation_scale**2 * v / variance
    assert math.isclose(variance_shift(c.item(), v.item(), p), shift.item(), abs_tol=1e-12)


@pytest.mark.parametrize("p", RATES)
def test_gaussian_moments_match_samples(p, seeded):
    n, c, v = 400_000, 1.3, 0.8
    x = c + math.sqrt(v) * normal(n, seeded=seeded)
    y = gaussian_dropout(x, p, training=True, generator=seeded(2))
    moments = output_moments(c, p, variance=v, kind="gaussian")
    assert abs(y.mean().item() - moments.mean) <= 5 * math.sqrt(moments.variance / n)
    # Fourth central moment of a product of independent normals, from their raw moments.
    s = p / (1 - p)
    raw_x = [1, c, c**2 + v, c**3 + 3 * c * v, c**4 + 6 * c**2 * v + 3 * v**2]
    raw_e = [1, 1, 1 + s, 1 + 3 * s, 1 + 6 * s + 3 * s**2]
    fourth = sum(math.comb(4, k) * raw_x[k] * raw_e[k] * (-c) ** (4 - k) for k in range(5))
    tolerance = 5 * math.sqrt((fourth - moments.variance**2) / n)
    assert abs(((y - c) ** 2).mean().item() - moments.variance) <= tolerance


@pytest.mark.parametrize("p", RATES)
def test_gaussian_noise_shares_the_moments_of_an_inverted_mask(p):
    assert factor_moments(p, "gaussian") == factor_moments(p, "inverted")


def test_floats_arrays_and_tensors_agree():
    x, v = [0.0, 1.5, -2.0], [1.0, 0.5, 2.0]
    one_by_one = [output_moments(a, 0.3, variance=b).variance for a, b in zip(x, v, strict=True)]
    array = output_moments(np.array(x), 0.3, variance=np.array(v))
    tensor = output_moments(torch.tensor(x), 0.3, variance=torch.tensor(v))
    assert array.variance.tolist() == one_by_one
    assert tensor.variance.tolist() == pytest.approx(one_by_one, rel=1e-6)


@given(
    mean=st.floats(-10, 10),
    variance=st.floats(0.01, 10),
    p=st.floats(0, 0.99),
)
def test_the_shift_is_q_for_centred_inputs_and_less_for_others(mean, variance, p):
    assert math.isclose(variance_shift(0.0, variance, p), 1 - p, rel_tol=1e-12)
    assert variance_shift(mean, variance, p) <= (1 - p) * (1 + 1e-12)


@pytest.mark.parametrize(("p", "c", "expected"), [(0.5, 0.0, 1 / 2), (0.5, 1.0, 1 / 3), (0.5, 3.0, 1 / 11)])
def test_the_shift_takes_known_values(p, c, expected):
    assert math.isclose(variance_shift(c, 1.0, p), expected, rel_tol=1e-12)


@pytest.mark.parametrize(("mean", "variance", "p"), [(0.0, 0.0, 0.3), (1.0, 1.0, 1.0)])
def test_the_shift_is_refused_where_it_is_undefined(mean, variance, p):
    with pytest.raises(ValueError, match="variance shift is undefined"):
        variance_shift(mean, variance, p)
    with pytest.raises(ValueError, match="variance shift is undefined"):
        linear_variance_shift(torch.ones(1, 1), torch.tensor([mean]), torch.tensor([[variance]]), p)


@pytest.mark.parametrize("p", [-0.1, 1.3, math.nan])
def test_impossible_probabilities_are_refused(p):
    for compute in (
        lambda: factor_moments(p),
        lambda: output_moments(1.0, p),
        lambda: variance_shift(1.0, 1.0, p),
        lambda: linear_moments(torch.ones(1, 2), torch.ones(2), p),
        lambda: pooled_variance(torch.ones(2, 2), p, per="channel"),
        lambda: dropped_count(3, p),
    ):
        with pytest.raises(ValueError, match=rf"must lie in \[0, 1\], got {p}"):
            compute()


def test_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="kind must be 'inverted', 'classic' or 'gaussian', got 'alpha'"):
        factor_moments(0.3, "alpha")
    with pytest.raises(ValueError, match="per must be 'element' or 'channel', got 'pixel'"):
        pooled_variance(torch.ones(2, 2), 0.3, per="pixel")
    with pytest.raises(ValueError, match=r"needs p < 1, got 1\.0"):
        factor_moments(1.0, "gaussian")


# --- through a linear map


@pytest.mark.parametrize(("kind", "function"), BINARY)
@pytest.mark.parametrize("p", RATES)
def test_linear_moments_match_the_enumeration_of_all_masks(p, kind, function, seeded):
    x, weight = normal(5, 8, seeded=seeded), normal(3, 8, seeded=seeded, seed=2)
    masks = enumerate_masks(8)
    outputs = torch.stack(
        [function(x, p, training=True, mask=mask.expand(5, 8)) @ weight.T for mask in masks]
    )  # (256, 5, 3)
    mean, variance = exact_moments(outputs, mask_probabilities(masks, p))
    moments = linear_moments(weight, x, p, kind=kind)
    torch.testing.assert_close(moments.mean, mean, rtol=0, atol=1e-12)
    torch.testing.assert_close(moments.variance, variance, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("kind", "function"), BINARY)
@pytest.mark.parametrize("p", RATES)
def test_linear_moments_of_correlated_random_inputs_match_the_enumeration(p, kind, function, seeded):
    # Six equally likely input vectors have any mean and covariance one likes; times 2^4 masks.
    x, weight = normal(6, 4, seeded=seeded) + 1, normal(3, 4, seeded=seeded, seed=2)
    mean, covariance = x.mean(dim=0), torch.cov(x.T, correction=0)
    masks = enumerate_masks(4)
    outputs = torch.cat(
        [function(x, p, training=True, mask=mask.expand(6, 4)) @ weight.T for mask in masks]
    )  # (16·6, 3)
    law = (mask_probabilities(masks, p) / 6).repeat_interleave(6)
    expected_mean, expected_variance = exact_moments(outputs, law)
    moments = linear_moments(weight, mean, p, covariance=covariance, kind=kind)
    torch.testing.assert_close(moments.mean, expected_mean, rtol=0, atol=1e-12)
    torch.testing.assert_close(moments.variance, expected_variance, rtol=1e-12, atol=1e-12)
    evaluation = function(x, p, training=False) @ weight.T
    shift = evaluation.var(dim=0, correction=0) / expected_variance
    torch.testing.assert_close(
        linear_variance_shift(weight, mean, covariance, p), shift, rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("p", RATES)
def test_the_sum_of_gaussian_dropout_matches_samples(p, seeded):
    n, x = 100_000, torch.tensor([0.5, -1.0, 2.0, 3.0], dtype=torch.float64)
    total = gaussian_dropout(x.expand(n, 4), p, training=True, generator=seeded(3)).sum(dim=1)
    moments = linear_moments(torch.ones(1, 4, dtype=torch.float64), x, p, kind="gaussian")
    variance = moments.variance.item()
    assert abs(total.mean().item() - moments.mean.item()) <= 5 * math.sqrt(variance / n)
    # A sum of normals is normal: its sample variance has standard deviation sigma^2 sqrt(2 / (n - 1)).
    assert abs(total.var().item() - variance) <= 5 * variance * math.sqrt(2 / (n - 1))


# --- pooling


@pytest.mark.parametrize("p", RATES)
def test_pooled_variance_matches_the_enumeration(p, seeded):
    maps = normal(1, 2, 3, 3, seeded=seeded) + 1
    pixels = enumerate_masks(9).reshape(-1, 1, 1, 3, 3).expand(-1, 1, 2, 3, 3)
    pooled = torch.stack([dropout(maps, p, training=True, mask=mask).mean(dim=(2, 3)) for mask in pixels])
    _, variance = exact_moments(pooled, mask_probabilities(enumerate_masks(9), p))
    torch.testing.assert_close(pooled_variance(maps, p, per="element"), variance, rtol=1e-12, atol=1e-12)
    channels = enumerate_masks(1).reshape(2, 1, 1, 1, 1).expand(2, 1, 2, 1, 1)
    pooled = torch.stack(
        [spatial_dropout(maps, p, training=True, mask=mask).mean(dim=(2, 3)) for mask in channels]
    )
    _, variance = exact_moments(pooled, mask_probabilities(enumerate_masks(1), p))
    torch.testing.assert_close(pooled_variance(maps, p, per="channel"), variance, rtol=1e-12, atol=1e-12)


def test_a_constant_map_loses_a_factor_hw_of_variance_to_pooling():
    maps = torch.full((2, 8, 4), 1.7, dtype=torch.float64)
    ratio = pooled_variance(maps, 0.3, per="channel") / pooled_variance(maps, 0.3, per="element")
    torch.testing.assert_close(ratio, torch.full((2,), 32.0).double(), rtol=1e-12, atol=0)


# --- how many are dropped


@pytest.mark.parametrize("p", [0.0, *RATES, 1.0])
def test_the_number_dropped_has_the_law_of_the_enumerated_masks(p):
    masks = enumerate_masks(10)
    dropped = (~masks).sum(dim=1)
    law = torch.zeros(11, dtype=torch.float64).index_add(0, dropped, mask_probabilities(masks, p))
    np.testing.assert_allclose(dropped_count(10, p).pmf(np.arange(11)), law.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("p", RATES)
def test_the_number_dropped_is_binomial_in_drawn_masks(p, seeded):
    n = 20_000
    dropped = (~keep_mask((n, 10), p, generator=seeded(4))).sum(dim=1).double()
    law = dropped_count(10, p)
    assert abs(dropped.mean().item() - law.mean()) <= 5 * law.std() / math.sqrt(n)
    # One multinomial cell per count that is expected at least five times, the others in a cell of their own.
    expected = n * law.pmf(np.arange(11))
    often = expected >= 5
    observed = np.bincount(dropped.long().numpy(), minlength=11)
    cells = [np.append(counts[often], counts[~often].sum()) for counts in (observed, expected)]
    statistic = ((cells[0] - cells[1]) ** 2 / cells[1]).sum()
    assert statistic <= stats.chi2.isf(1e-6, often.sum())


def test_a_negative_number_of_units_is_refused():
    with pytest.raises(ValueError, match="number of units must be at least 0, got -1"):
        dropped_count(-1, 0.3)
