import numpy as np
import pytest
from scipy import stats as scipy_stats

from dropoutlab.stats import paired_difference
from dropoutlab.studies.decide import decide, decide_spread
from dropoutlab.studies.regions import Region


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_a_paired_comparison_is_that_of_scipy(rng):
    a, b = rng.normal(1, 1, 12), rng.normal(0, 1, 12)
    expected = scipy_stats.ttest_rel(a, b)
    _, estimate, p = decide(a - b, Region(high=0))
    assert p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (estimate.low, estimate.high) == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-9)
    assert estimate == paired_difference(a, b)


def test_equivalence_is_two_one_sided_tests(rng):
    x = rng.normal(0.1, 0.5, 15)
    expected = max(
        scipy_stats.ttest_1samp(x, -1, alternative="greater").pvalue,
        scipy_stats.ttest_1samp(x, 1, alternative="less").pvalue,
    )
    assert decide(x, Region(-1, 1))[2] == pytest.approx(expected, rel=1e-9)


def test_the_ratio_of_variances_of_pairs_is_the_test_of_pitman_and_morgan(rng):
    # The variances are equal exactly if sum and difference are uncorrelated.
    shared = rng.normal(0, 1, 20)
    a, b = shared + rng.normal(0, 2, 20), shared + rng.normal(0, 1, 20)
    _, (ratio, low, high), p = decide_spread(a, b, Region(low=1))
    assert ratio == pytest.approx(np.var(a, ddof=1) / np.var(b, ddof=1), rel=1e-12)
    assert p == pytest.approx(scipy_stats.pearsonr(a + b, a - b).pvalue, rel=1e-9)
    for end in (low, high):  # an interval holds what its test does not refuse at 5 %
        scaled = a / np.sqrt(end)
        assert scipy_stats.pearsonr(scaled + b, scaled - b).pvalue == pytest.approx(0.05, rel=1e-6)
        assert decide_spread(a, b, Region(low=end))[2] == pytest.approx(0.05, rel=1e-6)


def test_the_ratio_turns_round_with_its_arms(rng):
    a, b = rng.normal(0, 3, 30), rng.normal(0, 1, 30)
    verdict, (ratio, low, high), p = decide_spread(a, b, Region(low=1))
    assert verdict == "supported"
    other = decide_spread(b, a, Region(low=1))
    assert other[0] == "contradicted"
    assert other[1] == pytest.approx((1 / ratio, 1 / high, 1 / low), rel=1e-9)
    assert other[2] == pytest.approx(p, rel=1e-9)
    assert decide_spread(b, a, Region(high=1))[0] == "supported"


def test_arms_that_are_multiples_of_each_other_have_an_exact_ratio():
    a = np.array([1.0, 2.0, 4.0, 8.0])
    verdict, (ratio, low, high), p = decide_spread(2 * a, a, Region(low=1))
    assert (verdict, p) == ("supported", pytest.approx(0.0, abs=1e-6))
    assert (ratio, low, high) == pytest.approx((4, 4, 4), rel=1e-5)


@pytest.mark.parametrize(
    ("a", "b"),
    [([1.0, 2.0], [1.0, 3.0]), ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]), ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])],
)
def test_a_ratio_of_variances_needs_pairs_and_spread(a, b):
    with pytest.raises(ValueError, match=f"three pairs or more and spread in both arms, got n = {len(a)}"):
        decide_spread(np.array(a), np.array(b), Region(low=1))
