"""How often the rules err: every rate is compared with the one that the rule states, over many studies."""

import math

import numpy as np
import pytest

from dropoutlab.stats import holm
from dropoutlab.studies import measure
from dropoutlab.studies.criteria import difference, equivalence, every, interaction, level, ratio, spread

STUDIES = 2000
SEEDS = 10

# What a seed brings to all arms varies three times as much as what is left of each run.
SHARED, NOISE = 3.0, 1.0


def tolerance(probability, n=STUDIES):
    return 5 * math.sqrt(probability * (1 - probability) / n)  # 5 sigma of a proportion among n studies


@pytest.fixture
def rng():
    return np.random.default_rng(2014)


@pytest.fixture(autouse=True)
def arrays_for_rows(monkeypatch):
    """Let a study be a dictionary of arrays: thousands of tables would take a minute to build and to read."""
    monkeypatch.setattr(measure, "paired", lambda study, terms: [study[arm] for arm, _ in terms])


def simulate(rng, **means):
    """Draw the values of many studies: arms share what a seed brings, and each run has its own noise."""
    shared = rng.normal(0, SHARED, (STUDIES, SEEDS))
    drawn = {arm: mean + shared + rng.normal(0, NOISE, shared.shape) for arm, mean in means.items()}
    return [{arm: values[study] for arm, values in drawn.items()} for study in range(STUDIES)]


def positive(studies):
    return [{arm: np.exp(values / 10) for arm, values in study.items()} for study in studies]


def outcomes(criterion, studies):
    return [criterion.measure(study, None) for study in studies]


def rate(found, verdict):
    return sum(outcome.verdict == verdict for outcome in found) / len(found)


def covered(found, truth):
    return sum(outcome.low <= truth <= outcome.high for outcome in found) / len(found)


AGAINST = {"metric": "x", "arm": "a", "against": "b"}


def test_without_a_difference_each_direction_is_claimed_in_two_and_a_half_percent(rng):
    found = outcomes(difference("i", "s", **AGAINST, expect="lower"), simulate(rng, a=0.0, b=0.0))
    assert abs(covered(found, 0.0) - 0.95) <= tolerance(0.95)
    for verdict in ("supported", "contradicted"):
        assert abs(rate(found, verdict) - 0.025) <= tolerance(0.025)
    p_values = np.array([outcome.p_value for outcome in found])
    for alpha in (0.05, 0.5):  # p-values of a true null are uniform
        assert abs((p_values < alpha).mean() - alpha) <= tolerance(alpha)


def test_at_the_smallest_difference_that_counts_it_is_claimed_no_more_often(rng):
    claim = difference("i", "s", **AGAINST, expect="lower", beyond=0.5)
    found = outcomes(claim, simulate(rng, a=-0.5, b=0.0))
    assert abs(covered(found, -0.5) - 0.95) <= tolerance(0.95)
    assert abs(rate(found, "supported") - 0.025) <= tolerance(0.025)


def test_pairing_is_used(rng):
    # Differences have SD sqrt 2 whatever the seeds bring: unpaired intervals would be three times as long.
    found = outcomes(difference("i", "s", **AGAINST, expect="lower"), simulate(rng, a=-2.0, b=0.0))
    assert rate(found, "supported") > 0.95
    assert rate(found, "contradicted") == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_as_large_as_the_margin_is_called_equivalent_in_two_and_a_half_percent(rng, sign):
    # The other margin is 6 / sqrt(2 / 10) = 13 standard errors away: it plays no part.
    found = outcomes(equivalence("i", "s", **AGAINST, margin=3.0), simulate(rng, a=3.0 * sign, b=0.0))
    for verdict in ("supported", "contradicted"):
        assert abs(rate(found, verdict) - 0.025) <= tolerance(0.025)


def test_no_difference_is_called_equivalent_almost_always(rng):
    found = outcomes(equivalence("i", "s", **AGAINST, margin=3.0), simulate(rng, a=0.0, b=0.0))
    assert rate(found, "supported") > 0.99


@pytest.mark.parametrize("bound", [1.0, 0.8])
def test_a_ratio_at_its_bound_is_claimed_in_two_and_a_half_percent(rng, bound):
    studies = positive(simulate(rng, a=10 * math.log(bound), b=0.0))
    found = outcomes(ratio("i", "s", **AGAINST, expect="lower", bound=bound), studies)
    assert abs(covered(found, bound) - 0.95) <= tolerance(0.95)
    for verdict in ("supported", "contradicted"):
        assert abs(rate(found, verdict) - 0.025) <= tolerance(0.025)


def test_a_ratio_at_the_end_of_its_range_is_called_within_in_two_and_a_half_percent(rng):
    claim = ratio("i", "s", **AGAINST, expect="within", low=1.5, high=3.0)
    found = outcomes(claim, positive(simulate(rng, a=10 * math.log(3), b=0.0)))
    assert abs(rate(found, "supported") - 0.025) <= tolerance(0.025)


def test_a_level_and_an_interaction_cover_the_truth(rng):
    studies = simulate(rng, a=1.0, b=0.0, c=2.0, d=0.5)
    found = outcomes(level("i", "s", metric="x", arm="a", expect="higher", than=1.0), studies)
    assert abs(covered(found, 1.0) - 0.95) <= tolerance(0.95)
    claim = interaction("i", "s", metric="x", first=("a", "b"), second=("c", "d"), expect="lower")
    assert abs(covered(outcomes(claim, studies), -0.5) - 0.95) <= tolerance(0.95)


def test_a_ratio_of_variances_covers_the_truth_although_arms_share_their_seeds(rng):
    # Total variances 9 + 1 and 9 + 1: the correlation is 0.9, and an F-interval would be far too long.
    found = outcomes(spread("i", "s", **AGAINST, expect="lower"), simulate(rng, a=0.0, b=5.0))
    assert abs(covered(found, 1.0) - 0.95) <= tolerance(0.95)
    for verdict in ("supported", "contradicted"):
        assert abs(rate(found, verdict) - 0.025) <= tolerance(0.025)
    p_values = np.array([outcome.p_value for outcome in found])
    assert abs((p_values < 0.05).mean() - 0.05) <= tolerance(0.05)


def test_every_is_claimed_no_more_often_than_its_false_part(rng):
    parts = [
        difference(f"{arm}", "s", metric="x", arm=arm, against="none", expect="lower")
        for arm in ("a", "b", "c")
    ]
    # a and b lower it beyond doubt, c does not: the whole is wrong, and c alone can save it from that.
    found = outcomes(every("i", "s", *parts), simulate(rng, none=0.0, a=-5.0, b=-5.0, c=0.0))
    assert abs(rate(found, "supported") - 0.025) <= tolerance(0.025)
    assert sum(o.p_value < 0.05 for o in found if o.verdict == "contradicted") <= len(found) * (
        0.025 / 3 + tolerance(0.025 / 3)
    )


def test_holm_keeps_a_family_of_claims_from_erring_more_often_than_stated(rng):
    """Four true nulls, dependent since all are compared with one arm, and one claim that is true."""
    claims = [
        difference("d", "s", metric="x", arm="a", against="none", expect="lower"),
        difference("e", "s", metric="x", arm="b", against="none", expect="lower"),
        equivalence("m", "s", metric="x", arm="wide", against="none", margin=3.0),
        difference("f", "s", metric="x", arm="c", against="none", expect="higher"),
    ]
    true = difference("t", "s", metric="x", arm="far", against="none", expect="lower")
    wrong = unadjusted = missed = 0
    for study in simulate(rng, none=0.0, a=0.0, b=0.0, c=0.0, wide=3.0, far=-3.0):
        found = [claim.measure(study, None) for claim in (*claims, true)]
        p_values = holm([outcome.p_value for outcome in found])
        called = [o.verdict != "inconclusive" and p <= 0.05 for o, p in zip(found, p_values, strict=True)]
        wrong += any(called[:4])
        unadjusted += any(outcome.verdict != "inconclusive" for outcome in found[:4])
        missed += not called[4]
    assert wrong / STUDIES <= 0.05 + tolerance(0.05)
    assert unadjusted / STUDIES > 0.05 + tolerance(0.05)  # without the correction it would err far more often
    assert missed / STUDIES < 0.1
