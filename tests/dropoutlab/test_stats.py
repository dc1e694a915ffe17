import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from dropoutlab.stats import (
    Estimate,
    bootstrap_interval,
    equivalent,
    holm,
    mean_interval,
    paired_difference,
    proportion_interval,
    variance_ratio,
    verdict,
)

LEVELS = [0.5, 0.9, 0.95, 0.999]
BAD_LEVELS = [0, 1, -0.1, 95, math.nan]


@pytest.fixture
def rng():
    return np.random.default_rng(2014)


def binomial_tolerance(probability, n):
    return 5 * math.sqrt(probability * (1 - probability) / n)  # 5 sigma of a proportion among n


def interval(low, high):
    return Estimate((low + high) / 2, low, high, 1.0, 10, 0.95)


# --- means


def test_interval_of_a_mean_by_hand():
    # n = 4, mean 5, deviations -3, -1, 1, 3: s² = 20/3; t(0.975, 3) = 3.182446 from a printed table.
    estimate = mean_interval([2.0, 4.0, 6.0, 8.0])
    half = 3.182446 * math.sqrt(20 / 3) / 2
    assert (estimate.mean, estimate.n, estimate.level) == (5, 4, 0.95)
    assert estimate.sd == pytest.approx(math.sqrt(20 / 3), rel=1e-12)
    assert estimate.se == pytest.approx(math.sqrt(20 / 3) / 2, rel=1e-12)
    assert (estimate.low, estimate.high) == pytest.approx((5 - half, 5 + half), rel=1e-6)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n", [2, 7, 100])
def test_interval_of_a_mean_is_that_of_scipy(level, n, rng):
    x = rng.normal(3, 2, n)
    expected = scipy_stats.ttest_1samp(x, 0).confidence_interval(level)
    estimate = mean_interval(x, level)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), rel=1e-10)
    assert estimate.mean == pytest.approx(x.mean(), rel=1e-12)
    assert estimate.sd == pytest.approx(x.std(ddof=1), rel=1e-12)
    assert (estimate.level, estimate.n) == (level, n)


@pytest.mark.parametrize(("n", "level"), [(3, 0.95), (20, 0.95), (5, 0.8)])
def test_intervals_of_a_mean_cover_it_as_often_as_they_say(n, level, rng):
    runs, mean = 2000, 0.7
    covered = 0
    for x in rng.normal(mean, 3, (runs, n)):
        estimate = mean_interval(x, level)
        covered += estimate.low <= mean <= estimate.high
    assert abs(covered / runs - level) <= binomial_tolerance(level, runs)


def test_values_without_spread_have_an_interval_without_length():
    estimate = mean_interval([0.25, 0.25, 0.25])
    assert (estimate.mean, estimate.low, estimate.high, estimate.sd) == (0.25, 0.25, 0.25, 0)


# --- paired differences


def test_paired_difference_is_that_of_scipy(rng):
    a, b = rng.normal(0, 1, (2, 12))
    expected = scipy_stats.ttest_rel(a, b).confidence_interval(0.9)
    estimate = paired_difference(a, b, 0.9)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), rel=1e-10)
    assert estimate.mean == pytest.approx(a.mean() - b.mean(), rel=1e-10)


def test_what_pairs_have_in_common_cancels(rng):
    common = rng.normal(0, 100, 10)
    a, b = common + 1 + rng.normal(0, 0.1, 10), common
    estimate = paired_difference(a, b, level=1 - 1e-6)
    # The SD of the differences is 0.1; with 9 degrees of freedom chance triples it once in 10^13.
    assert estimate.sd < 0.3
    assert estimate.low < 1 < estimate.high
    swapped = paired_difference(b, a, level=1 - 1e-6)
    assert (swapped.mean, swapped.low, swapped.high) == (-estimate.mean, -estimate.high, -estimate.low)


def test_paired_intervals_cover_the_difference_as_often_as_they_say(rng):
    runs, n, difference = 2000, 6, -0.4
    covered = 0
    for _ in range(runs):
        common = rng.normal(0, 5, n)
        estimate = paired_difference(common + difference + rng.normal(0, 1, n), common + rng.normal(0, 2, n))
        covered += estimate.low <= difference <= estimate.high
    assert abs(covered / runs - 0.95) <= binomial_tolerance(0.95, runs)


def test_arms_of_different_length_are_no_pairs():
    with pytest.raises(ValueError, match="one value per shared seed, got 3 and 2 values"):
        paired_difference([1, 2, 3], [1, 2])


# --- bootstrap


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_bootstrap_and_t_interval_agree_on_a_large_symmetric_sample(level, rng):
    half = rng.normal(0, 2, 200)
    x = 1 + np.concatenate([half, -half])
    t, bootstrap = mean_interval(x, level), bootstrap_interval(x, rng, level)
    # The end of the interval is a quantile of 10,000 resampled means, with SD √(a(1 - a)/10^4)/φ(z) standard
    # errors, a = (1 - level)/2: 5 sigma. Beyond that t and normal quantiles differ by 0.007 for n = 400, the
    # two SDs (ddof) by 0.003; the sample has no skewness to correct for.
    a = (1 - level) / 2
    z = scipy_stats.norm.ppf(a)
    tolerance = (5 * math.sqrt(a * (1 - a) / 10_000) / scipy_stats.norm.pdf(z) + 0.01) * t.se
    assert (bootstrap.low, bootstrap.high) == pytest.approx((t.low, t.high), abs=tolerance)
    assert (bootstrap.mean, bootstrap.sd, bootstrap.n, bootstrap.level) == (t.mean, t.sd, t.n, t.level)


def test_bootstrap_follows_the_skewness_of_the_sample(rng):
    x = scipy_stats.expon.ppf((np.arange(40) + 0.5) / 40)
    estimate = bootstrap_interval(x, rng)
    # To first order the halves are z ± γ(2z² + 1)/(6√n) standard errors: their ratio is 1.5 for γ = 1.8, and
    # 5 sigma of the resampling (0.13 standard errors at either end) leave it above 1.3.
    assert estimate.high - estimate.mean > 1.3 * (estimate.mean - estimate.low)


def test_bootstrap_is_decided_by_its_generator(rng):
    x = rng.normal(0, 1, 15)
    first, second, other = (bootstrap_interval(x, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == second
    assert (first.low, first.high) != (other.low, other.high)


@pytest.mark.parametrize("value", [0.0, 0.25, 0.1, 1e-300])
def test_bootstrap_of_values_without_spread_has_no_length(value, rng):
    # Seven times 0.1 has a standard deviation of 1e-17 in floating point.
    estimate = bootstrap_interval([value] * 7, rng)
    assert estimate.low == estimate.mean == estimate.high == pytest.approx(value)


# --- proportions


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 20), (3, 10), (50, 100), (999, 1000)])
@pytest.mark.parametrize("level", LEVELS)
def test_interval_of_a_proportion_is_wilsons_formula(successes, n, level):
    z, share = scipy_stats.norm.isf((1 - level) / 2), successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert proportion_interval(successes, n, level) == pytest.approx(
        (centre - half, centre + half), abs=1e-12
    )


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 10), (11, 10), (0, -1), (math.nan, 10)])
def test_impossible_counts_are_refused(successes, n):
    with pytest.raises(ValueError, match=rf"in \[0, n\] with n at least 1, got {successes} of {n}"):
        proportion_interval(successes, n)


# --- verdicts


@pytest.mark.parametrize(
    ("low", "high", "positive", "negative"),
    [
        (0.1, 0.2, "supported", "contradicted"),
        (-0.2, -0.1, "contradicted", "supported"),
        (-0.1, 0.2, "inconclusive", "inconclusive"),
        (0.0, 0.2, "inconclusive", "inconclusive"),
        (-0.2, 0.0, "inconclusive", "inconclusive"),
        (0.0, 0.0, "inconclusive", "inconclusive"),
        (5e-324, 0.2, "supported", "contradicted"),
    ],
)
def test_a_sign_is_judged_by_the_whole_interval(low, high, positive, negative):
    assert verdict(interval(low, high), "positive") == positive
    assert verdict(interval(low, high), "negative") == negative


def test_an_unknown_sign_is_refused():
    with pytest.raises(ValueError, match='"positive" or "negative", got \'up\''):
        verdict(interval(0, 1), "up")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.9, 0.9, "supported"),
        (0.2, 0.3, "supported"),
        (-1.0, 0.5, "inconclusive"),
        (-0.5, 1.0, "inconclusive"),
        (-1.5, 1.5, "inconclusive"),
        (0.9, 1.1, "inconclusive"),
        (-1.1, -0.9, "inconclusive"),
        (1.0, 2.0, "contradicted"),
        (-2.0, -1.0, "contradicted"),
        (3.0, 4.0, "contradicted"),
        (-4.0, -3.0, "contradicted"),
    ],
)
def test_equivalence_needs_the_whole_interval_within_the_margin(low, high, expected):
    assert equivalent(interval(low, high), margin=1.0) == expected


@pytest.mark.parametrize("margin", [0, -0.1, math.nan, math.inf])
def test_margins_must_be_positive_and_finite(margin):
    with pytest.raises(ValueError, match=f"margin must be positive and finite, got {margin}"):
        equivalent(interval(0, 1), margin)


@pytest.mark.parametrize("sign", [1, -1])
def test_equivalence_errs_at_the_margin_as_often_as_its_level_says(sign, rng):
    # The true difference is the margin itself, 20 standard errors away from the other margin: the 90 %
    # interval then lies within in 5 % of the runs, and wholly outside in another 5 %.
    runs, n, margin = 3000, 10, 1.0
    found = [
        equivalent(mean_interval(x, level=0.9), margin)
        for x in rng.normal(sign * margin, margin / 10 * math.sqrt(n), (runs, n))
    ]
    for outcome in ("supported", "contradicted"):
        assert abs(found.count(outcome) / runs - 0.05) <= binomial_tolerance(0.05, runs)


def test_equivalence_of_a_large_difference_is_never_claimed(rng):
    # Half a margin too far is 5 standard errors; for 10 values the noncentral t gives the chances.
    wrong, power = scipy_stats.nct(9, 5).cdf(-1.833), scipy_stats.nct(9, 5).sf(1.833)
    assert wrong < 1e-9
    found = [
        equivalent(mean_interval(x, level=0.9), 1.0) for x in rng.normal(1.5, 0.1 * math.sqrt(10), (300, 10))
    ]
    assert "supported" not in found
    assert found.count("contradicted") / 300 >= power - binomial_tolerance(power, 300)


# --- variances


def test_variance_ratio_by_hand():
    # Variances 4 and 1; F(0.975; 2, 2) = 39 exactly.
    assert variance_ratio([1.0, 3.0, 5.0], [7.0, 8.0, 9.0]) == pytest.approx((4, 4 / 39, 4 * 39), rel=1e-10)


def test_variance_ratio_of_swapped_samples_is_the_inverse(rng):
    a, b = rng.normal(0, 1, 5), rng.normal(0, 3, 12)
    ratio, low, high = variance_ratio(a, b, 0.9)
    assert variance_ratio(b, a, 0.9) == pytest.approx((1 / ratio, 1 / high, 1 / low), rel=1e-10)
    assert variance_ratio(3 * a + 7, b, 0.9) == pytest.approx((9 * ratio, 9 * low, 9 * high), rel=1e-10)


def test_intervals_of_a_variance_ratio_cover_it_as_often_as_they_say(rng):
    runs, ratio = 2000, 4.0
    covered = 0
    for a, b in zip(rng.normal(5, 2, (runs, 4)), rng.normal(-3, 1, (runs, 9)), strict=True):
        _, low, high = variance_ratio(a, b)
        covered += low <= ratio <= high
    assert abs(covered / runs - 0.95) <= binomial_tolerance(0.95, runs)


def test_a_sample_without_spread_cannot_divide():
    with pytest.raises(ValueError, match=r"no spread: all 3 values are 0\.1"):
        variance_ratio([1, 2, 3], [0.1, 0.1, 0.1])
    assert variance_ratio([0.25, 0.25], [1, 2, 3]) == (0, 0, 0)


# --- many tests at once

P_VALUES = st.lists(st.floats(0, 1), max_size=6)


@given(P_VALUES)
def test_holm_is_closed_testing_with_bonferroni(p_values):
    # A hypothesis falls when every family that holds it is refused: largest Bonferroni p among them.
    m = len(p_values)
    families = [f for size in range(1, m + 1) for f in itertools.combinations(range(m), size)]
    expected = [
        max(min(1, len(f) * min(p_values[j] for j in f)) for f in families if i in f) for i in range(m)
    ]
    assert holm(p_values) == pytest.approx(expected, rel=1e-12)


@given(st.lists(st.floats(0, 1), max_size=30), st.randoms(use_true_random=False))
def test_holm_keeps_order_and_bounds(p_values, random):
    adjusted = holm(p_values)
    assert all(raw <= value <= 1 for raw, value in zip(p_values, adjusted, strict=True))
    by_raw = [value for _, value in sorted(zip(p_values, adjusted, strict=True))]
    assert by_raw == sorted(by_raw)
    order = random.sample(range(len(p_values)), len(p_values))
    assert holm([p_values[i] for i in order]) == [adjusted[i] for i in order]


def test_holm_errs_once_among_all_true_hypotheses_at_most_as_often_as_stated(rng):
    runs = 4000
    wrong = sum(min(holm(p)) <= 0.05 for p in rng.uniform(0, 1, (runs, 5)))
    # For independent tests the first step alone decides: 1 - (1 - 0.05/5)^5 = 0.049.
    assert abs(wrong / runs - (1 - 0.99**5)) <= binomial_tolerance(0.049, runs)


def test_holm_of_nothing_and_of_one():
    assert holm([]) == []
    assert holm([0.2]) == [0.2]


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_holm_refuses_what_is_no_p_value(bad):
    with pytest.raises(ValueError, match=rf"p-values must lie in \[0, 1\], got \[0.5, {bad}\]"):
        holm([0.5, bad])


# --- how estimates are written


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (".2f", "−0.12 [−0.25, 0.01]"),
        (".1%", "−12.3 [−25.0, 0.6]"),
        (".0%", "−12 [−25, 1]"),
        ("+.2f", "−0.12 [−0.25, +0.01]"),
        ("", "−0.123 [−0.25, 0.00625]"),
    ],
)
def test_estimates_are_written_with_their_interval(spec, expected):
    assert format(Estimate(-0.123, -0.25, 0.00625, 0.1, 9, 0.95), spec) == expected


# --- what is no sample

BAD_SAMPLES = [
    ([], r"at least two replicas in one dimension, got shape \(0,\)"),
    ([1.0], r"at least two replicas in one dimension, got shape \(1,\)"),
    ([[1.0, 2.0], [3.0, 4.0]], r"one dimension, got shape \(2, 2\)"),
    (3.0, r"one dimension, got shape \(\)"),
    ([1.0, math.nan, math.inf], "must be finite, got 2 that are not"),
    ([1.0, -math.inf], "must be finite, got 1 that are not"),
]
ON_SAMPLES = {
    "mean": mean_interval,
    "first of a pair": lambda x, *level: paired_difference(x, [1.0, 2.0], *level),
    "second of a pair": lambda x, *level: paired_difference([1.0, 2.0], x, *level),
    "bootstrap": lambda x, *level: bootstrap_interval(x, np.random.default_rng(1), *level),
    "numerator": lambda x, *level: variance_ratio(x, [1.0, 2.0], *level),
    "denominator": lambda x, *level: variance_ratio([1.0, 2.0], x, *level),
}


@pytest.mark.parametrize(("values", "message"), BAD_SAMPLES)
@pytest.mark.parametrize("estimate", ON_SAMPLES.values(), ids=ON_SAMPLES)
def test_too_few_values_or_values_that_are_not_finite_are_refused(values, message, estimate):
    with pytest.raises(ValueError, match=message):
        estimate(values)


@pytest.mark.parametrize("level", BAD_LEVELS)
@pytest.mark.parametrize("estimate", ON_SAMPLES.values(), ids=ON_SAMPLES)
def test_levels_outside_the_open_interval_are_refused(level, estimate):
    with pytest.raises(ValueError, match=rf"confidence level must lie in \(0, 1\), got {level}"):
        estimate([1.0, 3.0], level)


@pytest.mark.parametrize("level", BAD_LEVELS)
def test_proportions_check_their_level_too(level):
    with pytest.raises(ValueError, match=rf"confidence level must lie in \(0, 1\), got {level}"):
        proportion_interval(1, 2, level)
