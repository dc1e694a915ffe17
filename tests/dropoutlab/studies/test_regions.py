import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from dropoutlab.studies.regions import (
    Region,
    around_zero,
    half_line,
    number,
    one_side,
    quotient_region,
    within,
)

REAL = st.floats(-5, 5)


@pytest.mark.parametrize(
    ("region", "text"),
    [
        (half_line("lower", 0.0), "below 0"),
        (half_line("lower", 0.01), "below −0.01"),
        (half_line("higher", 0.01), "above 0.01"),
        (one_side("lower", -2.5), "below −2.5"),
        (one_side("higher", 3), "above 3"),
        (around_zero(0.005), "between −0.005 and 0.005"),
        (within(0.25, 1), "between 0.25 and 1"),
        (quotient_region("lower", 0.85), "below 0.85"),
        (quotient_region("within", 1.0, 1.5, 3.0), "between 1.5 and 3"),
    ],
)
def test_regions_are_told_in_words(region, text):
    assert region.text() == text


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-2, -0.1, "supported"),
        (-2, 0, "inconclusive"),
        (-1, 1, "inconclusive"),
        (0, 1, "inconclusive"),
        (0.1, 1, "contradicted"),
    ],
)
def test_a_half_line_needs_the_whole_interval(low, high, verdict):
    assert half_line("lower", 0).verdict(low, high) == verdict
    assert half_line("higher", 0).verdict(-high, -low) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.9, 0.9, "supported"),
        (-1, 0.5, "inconclusive"),
        (-0.5, 1, "inconclusive"),
        (-3, 3, "inconclusive"),
        (0.9, 1.1, "inconclusive"),
        (1, 2, "inconclusive"),
        (1.1, 2, "contradicted"),
        (-2, -1.1, "contradicted"),
    ],
)
def test_a_margin_needs_the_whole_interval(low, high, verdict):
    assert around_zero(1).verdict(low, high) == verdict


@given(REAL, st.floats(0.01, 2), st.integers(1, 30), REAL, st.floats(0.1, 3))
def test_the_p_value_decides_as_the_interval_does(value, se, df, low, width):
    # For one level alpha each: a direction at p < 0.05, a margin held at p < 0.025 (both one-sided tests of
    # the 95 % interval), a margin left at p < 0.05.
    half = scipy_stats.t.ppf(0.975, df) * se
    for region, held in (
        (Region(high=low), 0.05),
        (Region(low=low), 0.05),
        (Region(low, low + width), 0.025),
    ):
        p = region.p_value(value, se, df)
        verdict = region.verdict(value - half, value + half)
        limit = held if region.low <= value <= region.high else 0.05
        assume(abs(p - limit) > 1e-9)
        # An interval that reaches across a whole margin decides nothing, nor does its p-value.
        assert (verdict != "inconclusive") == (p < limit)


def test_p_values_by_hand():
    # t(0.975; 9) = 2.262157 from a printed table.
    assert Region(high=0).p_value(-2.262157, 1, 9) == pytest.approx(0.05, rel=1e-5)
    assert Region(high=0).p_value(2.262157, 1, 9) == pytest.approx(0.05, rel=1e-5)
    assert Region(high=-1).p_value(-1, 1, 9) == 1
    # Half a unit to the nearer margin, one and a half to the other: the larger one-sided p counts.
    assert Region(-1, 1).p_value(0.5, 0.5 / 2.262157, 9) == pytest.approx(0.025, rel=1e-5)
    assert Region(-1, 1).p_value(-1.5, 0.5 / 2.262157, 9) == pytest.approx(0.05, rel=1e-5)


@pytest.mark.parametrize(
    ("value", "p_direction", "p_margin"),
    [(0.0, 1.0, 0.0), (-0.5, 0.0, 0.0), (-1.0, 0.0, 0.5), (-2.0, 0.0, 0.0)],
)
def test_runs_that_agree_exactly_leave_no_doubt(value, p_direction, p_margin):
    assert Region(high=0).p_value(value, 0.0, 9) == p_direction
    assert Region(-1, 1).p_value(value, 0.0, 9) == p_margin


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: half_line("lower", -0.1), "beyond must be non-negative and finite, got -0.1"),
        (lambda: half_line("lower", math.inf), "beyond must be non-negative and finite, got inf"),
        (lambda: half_line("less", 0.1), 'expect must be "lower" or "higher", got \'less\''),
        (lambda: one_side("within", 1.0), "got 'within'"),
        (lambda: one_side("lower", None), '"lower" needs a finite number to compare with, got None'),
        (lambda: one_side("higher", math.nan), "needs a finite number to compare with, got nan"),
        (lambda: around_zero(0), "margin must be positive and finite, got 0"),
        (lambda: around_zero(math.inf), "margin must be positive and finite, got inf"),
        (lambda: within(1, None), "needs low < high, both finite, got low=1, high=None"),
        (lambda: within(2, 1), "needs low < high"),
        (lambda: within(0, math.inf), "needs low < high"),
        (lambda: quotient_region("lower", 0), "bound must be positive and finite, got 0"),
        (lambda: quotient_region("within", 1, -1, 2), "low must be above 0, got -1"),
    ],
)
def test_regions_that_make_no_sense_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (-3.0, "−3"), (1e-7, "1e−07"), (2, "2"), (-0.0, "0")]
)
def test_numbers_are_written_short(value, text):
    assert number(value) == text
