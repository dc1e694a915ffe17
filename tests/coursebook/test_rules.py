"""Rules are shown shorter than they were registered, and say the same."""

import pytest

from coursebook.rules import averaged, shown
from dropoutlab.studies.registry import find, names

RULES = [
    pytest.param(criterion, id=f"{name}-{criterion.id}")
    for name in names()
    for criterion in find(name).criteria
]


@pytest.mark.parametrize("criterion", RULES)
def test_a_shown_rule_names_the_same_readings_and_bounds(criterion):
    text = shown(criterion.rule)
    readings = [f"{metric}({arm})" for metric in criterion.metrics for arm in criterion.arms]
    for reading in readings:
        assert (reading in criterion.rule) == (reading in text)
    parts = criterion.rule.split("; and ")
    for part in parts:
        assert part.rsplit(" ", 1)[1] in text  # the bound
    assert text.count("\n") in (0, len(parts))
    assert len(text) <= len(f"Rule: {criterion.rule}.")


def test_parts_of_different_kinds_stay_in_one_sentence():
    rule = "whole 95 % t-interval of x below 1; and the upper end of its 90 % interval below 2"
    assert shown(rule) == f"Rule: {rule}."


@pytest.mark.parametrize(
    "combination",
    [
        "+ 0.5·e(a) + 0.25·e(b)",
        "+ 0.3·e(a) + 0.3·e(b)",
        "the mean of e(a) − 0.5·e(b)",
        "½·(e(a) − e(b)) − e(c)",
    ],
)
def test_weights_that_do_not_average_are_shown(combination):
    assert averaged(combination) == combination.removeprefix("+ ")
