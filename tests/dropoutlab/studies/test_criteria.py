import math

import numpy as np
import pandas as pd
import pytest

from dropoutlab.stats import mean_interval
from dropoutlab.studies.criteria import (
    best,
    columns,
    columns_equivalence,
    columns_ratio,
    contrast,
    difference,
    equivalence,
    every,
    interaction,
    level,
    ratio,
    spread,
    trend,
)
from dropoutlab.studies.measure import paired

SEEDS = range(1000, 1006)


def table(**arms):
    """``table(a=[...], b={"x": [...], "y": [...]})``: rows of arms, with the metric x if none is named."""
    frames = []
    for arm, values in arms.items():
        metrics = values if isinstance(values, dict) else {"x": values}
        length = len(next(iter(metrics.values())))
        frames.append(pd.DataFrame({"arm": arm, "seed": SEEDS[:length], **metrics}))
    return pd.concat(frames, ignore_index=True).sample(frac=1, random_state=1)


A, B = [3.0, 4.0, 6.0, 5.0], [1.0, 2.0, 3.0, 3.5]
ROWS = table(a=A, b=B, c=[2.0, 2.5, 2.0, 2.5], d=[2.0, 2.0, 2.5, 2.5])


def interval(values):
    estimate = mean_interval(values)
    return pytest.approx((estimate.mean, estimate.low, estimate.high), rel=1e-12)


def shown(outcome):
    return outcome.effect, outcome.low, outcome.high


@pytest.mark.parametrize(
    ("expect", "beyond", "verdict"),
    [
        ("higher", 0.0, "supported"),
        ("lower", 0.0, "contradicted"),
        ("higher", 1.0, "supported"),
        ("higher", 1.5, "inconclusive"),
        ("higher", 3.5, "contradicted"),
        ("lower", 3.0, "contradicted"),
    ],
)
def test_difference(expect, beyond, verdict):
    # Differences 2, 2, 3, 1.5: mean 2.125, SD 0.629; with t(0.975; 3) = 3.182 the interval is 1.12 to 3.13.
    claim = difference("id", "s", metric="x", arm="a", against="b", expect=expect, beyond=beyond)
    outcome = claim.judge(ROWS)
    assert shown(outcome) == interval([2.0, 2.0, 3.0, 1.5])
    assert (outcome.n, outcome.unit, outcome.metric) == (4, "", "x")
    assert outcome.verdict == verdict
    assert (outcome.p_value < 0.05) == (verdict != "inconclusive")


def test_what_a_criterion_says_of_itself():
    claim = difference("id", "It helps", metric="x", arm="a", against="b", expect="lower", beyond=0.01)
    assert (claim.id, claim.statement, claim.arms, claim.metrics) == ("id", "It helps", ("a", "b"), ("x",))
    assert claim.rule == "whole 95 % t-interval of x(a) − x(b), paired by seed, below −0.01"
    rules = [
        equivalence("i", "s", metric="x", arm="a", against="b", margin=0.5),
        ratio("i", "s", metric="x", arm="a", against="b", expect="within", low=1.5, high=3),
        level("i", "s", metric="x", arm="a", expect="higher", than=1),
        interaction("i", "s", metric="x", first=("a", "b"), second=("c", "d"), expect="lower"),
        contrast("i", "s", metric="x", weights={"a": 1, "b": -0.5, "c": -0.5}, expect="lower"),
        trend("i", "s", metric="x", x={"a": 0.0, "b": 0.5}, expect="higher"),
        columns("i", "s", arm="a", metric="x", against="y", expect="lower"),
        columns_equivalence("i", "s", arm="a", metric="x", against="y", margin=1),
        columns_ratio("i", "s", arm="a", metric="x", against="y", expect="lower", bound=0.85),
        spread("i", "s", metric="x", arm="a", against="b", expect="lower"),
    ]
    assert [claim.rule for claim in rules] == [
        "whole 95 % t-interval of x(a) − x(b), paired by seed, between −0.5 and 0.5",
        "whole 95 % t-interval of the geometric mean of x(a) / x(b), paired by seed, between 1.5 and 3",
        "whole 95 % t-interval of x(a) above 1",
        "whole 95 % t-interval of (x(a) − x(b)) − (x(c) − x(d)), paired by seed, below 0",
        "whole 95 % t-interval of + 1·x(a) − 0.5·x(b) − 0.5·x(c), paired by seed, below 0",
        "whole 95 % t-interval of the slope of x over a = 0, b = 0.5, paired by seed, above 0",
        "whole 95 % t-interval of x(a) − y(a), paired by seed, below 0",
        "whole 95 % t-interval of x(a) − y(a), paired by seed, between −1 and 1",
        "whole 95 % t-interval of the geometric mean of x(a) / y(a), paired by seed, below 0.85",
        "whole 95 % interval (Pitman and Morgan) of Var x(a) / Var x(b), paired by seed, below 1",
    ]
    assert (rules[6].arms, rules[6].metrics) == (("a",), ("x", "y"))


@pytest.mark.parametrize(
    ("margin", "verdict"), [(4.0, "supported"), (2.0, "inconclusive"), (1.0, "contradicted")]
)
def test_equivalence(margin, verdict):
    outcome = equivalence("id", "s", metric="x", arm="a", against="b", margin=margin).judge(ROWS)
    assert outcome.verdict == verdict
    assert shown(outcome) == interval([2.0, 2.0, 3.0, 1.5])


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        ({"expect": "higher"}, "supported"),
        ({"expect": "lower"}, "contradicted"),
        ({"expect": "higher", "bound": 1.5}, "inconclusive"),
        ({"expect": "lower", "bound": 4.0}, "supported"),
        ({"expect": "within", "low": 1.0, "high": 4.0}, "supported"),
        ({"expect": "within", "low": 1.8, "high": 4.0}, "inconclusive"),
        ({"expect": "within", "low": 0.5, "high": 1.0}, "contradicted"),
    ],
)
def test_ratio(how, verdict):
    outcome = ratio("id", "s", metric="x", arm="a", against="b", **how).judge(ROWS)
    logs = mean_interval([math.log(a / b) for a, b in zip(A, B, strict=True)])
    assert shown(outcome) == pytest.approx([math.exp(v) for v in (logs.mean, logs.low, logs.high)], rel=1e-12)
    assert outcome.verdict == verdict
    assert outcome.unit == "ratio"
    low, high = outcome.bootstrap
    assert 1 < low < outcome.effect < high


def test_a_ratio_needs_positive_values():
    rows = table(a=[1.0, 2.0], b=[0.0, 1.0])
    with pytest.raises(ValueError, match=r"a quotient needs positive values, got x = 0\.0 in 'b'"):
        ratio("id", "s", metric="x", arm="a", against="b", expect="lower").judge(rows)
    with pytest.raises(ValueError, match=r"got x = 0\.0 in 'b'"):
        ratio("id", "s", metric="x", arm="b", against="a", expect="lower").judge(rows)


def test_level():
    outcome = level("id", "s", metric="x", arm="a", expect="higher", than=1.0).judge(ROWS)
    assert shown(outcome) == interval(A)
    assert outcome.verdict == "supported"
    within = level("id", "s", metric="x", arm="a", expect="within", low=5.0, high=6.0)
    assert within.rule == "whole 95 % t-interval of x(a) between 5 and 6"
    assert within.judge(ROWS).verdict == "inconclusive"


def test_interaction():
    claim = interaction("id", "s", metric="x", first=("a", "b"), second=("c", "d"), expect="higher")
    outcome = claim.judge(ROWS)
    assert shown(outcome) == interval([2.0, 1.5, 3.5, 1.5])
    assert outcome.verdict == "supported"
    # An arm may stand on both sides: (a − b) − (b − d) = a − 2b + d.
    twice = interaction("id", "s", metric="x", first=("a", "b"), second=("b", "d"), expect="higher")
    assert twice.judge(ROWS).effect == pytest.approx(
        np.mean(np.array(A) - 2 * np.array(B) + [2, 2, 2.5, 2.5])
    )


def test_contrast():
    claim = contrast("id", "s", metric="x", weights={"a": 1, "b": -0.5, "c": -0.5}, expect="higher")
    assert shown(claim.judge(ROWS)) == interval([1.5, 1.75, 3.5, 2.0])


def test_trend_is_the_least_squares_slope_of_each_seed():
    places = {"a": 0.0, "b": 0.3, "c": 1.0}
    outcome = trend("id", "s", metric="x", x=places, expect="lower").judge(ROWS)
    values = np.array([A, B, [2.0, 2.5, 2.0, 2.5]])
    slopes = [np.polyfit(list(places.values()), values[:, seed], 1)[0] for seed in range(4)]
    assert outcome.effect == pytest.approx(np.mean(slopes), rel=1e-9)
    assert shown(outcome) == pytest.approx(shown_interval(slopes), rel=1e-9)


def shown_interval(values):
    estimate = mean_interval(values)
    return estimate.mean, estimate.low, estimate.high


@pytest.mark.parametrize("places", [{"a": 1.0}, {"a": 1.0, "b": 1.0}])
def test_a_trend_needs_places(places):
    with pytest.raises(ValueError, match="at least two different places"):
        trend("id", "s", metric="x", x=places, expect="lower")


def test_columns_of_one_arm():
    rows = table(a={"x": A, "y": B})
    outcome = columns("id", "s", arm="a", metric="x", against="y", expect="higher").judge(rows)
    assert shown(outcome) == interval([2.0, 2.0, 3.0, 1.5])
    assert outcome.metric == "x"
    near = columns_equivalence("id", "s", arm="a", metric="x", against="y", margin=4.0)
    assert near.judge(rows).verdict == "supported"
    quotient = columns_ratio("id", "s", arm="a", metric="x", against="y", expect="higher")
    expected = ratio("id", "s", metric="x", arm="a", against="b", expect="higher").judge(ROWS)
    assert quotient.judge(rows) == expected


def test_spread():
    wide = [1.0, 9.0, -4.0, 6.0, -8.0, 2.0]
    narrow = [1.0, 1.1, 0.9, 1.2, 0.8, 1.0]
    rows = table(wide=wide, narrow=narrow)
    claim = spread("id", "s", metric="x", arm="narrow", against="wide", expect="lower")
    outcome = claim.judge(rows)
    assert outcome.verdict == "supported"
    assert outcome.effect == pytest.approx(np.var(narrow) / np.var(wide), rel=1e-9)
    assert outcome.unit == "ratio"
    assert outcome.bootstrap[0] < outcome.effect < outcome.bootstrap[1]
    doubled = spread("id", "s", metric="x", arm="wide", against="narrow", expect="higher", bound=1e6)
    assert doubled.judge(rows).verdict == "contradicted"


# --- several parts


def part(arm, against, expect):
    return difference(f"{arm}-{against}", "s", metric="x", arm=arm, against=against, expect=expect)


GOOD, WEAK, BAD, WORSE = (
    part("a", "b", "higher"),
    part("c", "d", "higher"),
    part("a", "b", "lower"),
    part("a", "c", "lower"),
)


def test_every_is_supported_if_all_parts_are():
    other = part("a", "d", "higher")
    assert {GOOD.judge(ROWS).verdict, other.judge(ROWS).verdict} == {"supported"}
    outcome = every("both", "s", GOOD, other).judge(ROWS)
    weaker = max((GOOD.judge(ROWS), other.judge(ROWS)), key=lambda result: result.p_value)
    assert outcome.verdict == "supported"
    assert outcome.p_value == weaker.p_value
    assert shown(outcome) == shown(weaker)


def test_every_is_no_stronger_than_its_weakest_part():
    assert WEAK.judge(ROWS).verdict == "inconclusive"
    for parts in ((GOOD, WEAK), (WEAK, GOOD)):
        outcome = every("both", "s", *parts).judge(ROWS)
        assert outcome.verdict == "inconclusive"
        assert shown(outcome) == shown(WEAK.judge(ROWS))
        assert outcome.p_value == WEAK.judge(ROWS).p_value


def test_every_is_contradicted_by_one_part():
    outcome = every("all", "s", GOOD, WEAK, BAD).judge(ROWS)
    assert outcome.verdict == "contradicted"
    assert shown(outcome) == shown(BAD.judge(ROWS))
    assert outcome.p_value == pytest.approx(3 * BAD.judge(ROWS).p_value)
    both = every("all", "s", BAD, WORSE).judge(ROWS)
    assert both.p_value == pytest.approx(2 * min(BAD.judge(ROWS).p_value, WORSE.judge(ROWS).p_value))


def test_every_names_all_it_reads():
    joined = every("all", "s", GOOD, part("a", "d", "lower"))
    assert joined.arms == ("a", "b", "d")
    assert joined.metrics == ("x",)
    assert joined.rule == f"{GOOD.rule}; and {part('a', 'd', 'lower').rule}"
    with pytest.raises(ValueError, match="joins at least two criteria, got 1"):
        every("one", "s", GOOD)


def test_best_is_a_difference_to_every_other_arm():
    claim = best("best", "s", metric="x", arm="a", among=["a", "b", "d"], expect="higher")
    assert claim.rule == f"{GOOD.rule}; and {part('a', 'd', 'higher').rule}"
    assert best("best", "s", metric="x", arm="a", among=["a", "b"], expect="higher").rule == GOOD.rule
    with pytest.raises(ValueError, match="needs another arm than 'a'"):
        best("best", "s", metric="x", arm="a", among=["a"], expect="higher")


# --- the bootstrap


def test_the_bootstrap_depends_on_study_and_criterion_only():
    rows = table(a=[3.1, 4.2, 6.3, 5.4, 4.6, 3.9], b=[1.0, 2.7, 3.2, 3.5, 2.2, 1.8])
    first = GOOD.judge(rows, "study").bootstrap
    assert GOOD.judge(rows.sort_values("seed", ascending=False), "study").bootstrap == first
    assert GOOD.judge(rows, "other").bootstrap != first
    assert GOOD.measure(rows, None).bootstrap is None
    low, high = first
    assert 1.5 <= low < (27.5 - 14.4) / 6 < high <= 3.1


@pytest.mark.parametrize("joined", [False, True])
def test_runs_that_hardly_differ_have_no_bootstrap_and_no_warning(joined):
    claim = every("both", "s", GOOD, part("b", "a", "lower")) if joined else GOOD
    rows = table(a=[1.0, 1.0 + 4e-16, 1.0, 1.0, 1.0], b=[0.0, 0.0, 0.0, 0.0, 0.0])
    outcome = claim.judge(rows)
    assert (outcome.verdict, outcome.bootstrap) == ("supported", None)


def test_arms_that_agree_in_every_run_have_no_bootstrap_of_their_variances_and_no_warning():
    claim = spread("id", "s", metric="x", arm="a", against="b", expect="lower")
    outcome = claim.judge(table(a=[1.0, 2.0, 4.0], b=[1.0, 2.0, 4.0]))
    assert (outcome.verdict, outcome.effect, outcome.bootstrap) == ("inconclusive", 1.0, None)


# --- rows that cannot be judged


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (table(a=A), "no rows for arm 'b'; the arms are a"),
        (table(a=A, b=B).rename(columns={"x": "y"}), "no column 'x'; the columns are arm, seed, y"),
        (table(a=A, b=B[:3]), r"arms 'a' and 'b' must share their seeds, got \[1003\] in one only"),
        (pd.concat([table(a=A, b=B), table(b=B)]), "arm 'b' needs one row for each seed, got several"),
        (table(a=A, b=[1.0, 2.0, 3.0, math.nan]), "x of arm 'b' is not finite for every seed"),
        (table(a=A, b=[1.0, 2.0, 3.0, math.inf]), "x of arm 'b' is not finite for every seed"),
        (table(a=A[:1], b=B[:1]), "at least two replicas"),
    ],
)
def test_rows_that_cannot_be_judged(rows, message):
    with pytest.raises(ValueError, match=message):
        GOOD.judge(rows)


def test_rows_are_paired_by_seed_whatever_their_order():
    values = paired(ROWS.sort_values("x"), [("a", "x"), ("b", "x")])
    assert [list(each) for each in values] == [A, B]
