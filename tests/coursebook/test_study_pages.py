from dataclasses import replace

import pandas as pd
import pytest

from coursebook.study_pages import PICTURES, page, registration, shown_metrics
from dropoutlab.studies.protocol import Metric
from dropoutlab.studies.reading import judge
from tests.book.evidence_sample import MANIFEST, ROWS, STUDY


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("book")


@pytest.fixture(scope="module")
def text(root):
    return page(STUDY, ROWS, judge(STUDY, ROWS), MANIFEST, root)


def test_a_page_asks_explains_judges_shows_and_says_how_to_repeat(text):
    for heading in (
        "## Question\n\nDoes it help?",
        "## Protocol",
        "## Verdicts",
        "## All runs",
        "## Repeat it",
    ):
        assert heading in text
    assert "A network is *trained*." in text


def test_each_criterion_has_its_verdict_numbers_and_rule(text):
    assert "{verdict}`supported` −1.07 [" in text
    assert "n\xa0=\xa03" in text
    assert "Rule: whole 95 % t-interval of error(dropout) − error(none), paired by seed, below 0." in text
    assert "Dropout lowers the error\n: {verdict}" in text


def test_the_picture_is_written_with_a_description(text, root):
    (picture,) = (root / PICTURES).iterdir()
    assert picture.name in text
    assert ":alt: One point per run. Mean test error: none 6.20 %" in text
    assert "6 of them, 3 seeds in each arm" in text


def test_the_table_has_every_metric_and_a_dash_where_too_few_runs_have_it(text):
    head, *_ = [line for line in text.splitlines() if line.startswith("| Arm |")]
    assert "| `error`, % |" in head
    [none] = [line for line in text.splitlines() if line.startswith("| none |")]
    assert none.startswith("| none | 6.20 [")
    assert none.endswith("| – |")
    assert "- `error`: test error\n" in text


def test_many_readings_of_few_arms_stand_below_one_another(root):
    extra = {f"extra_{i}": Metric("more", "1", optional=True) for i in range(6)}
    wide = replace(STUDY, metrics={**STUDY.metrics, **extra})
    rows = ROWS.assign(**dict.fromkeys(extra, 3.0))
    text = page(wide, rows, judge(STUDY, ROWS), MANIFEST, root)
    assert "| Reading | none | dropout |" in text
    assert "| `error`, % | 6.20 [" in text
    assert "| `extra_5` | 3.00 [3.00,\xa03.00] | 3.00 [3.00,\xa03.00] |" in text


def test_the_stored_files_and_the_commands_are_named(text):
    assert "{download}`runs.csv </results/toy/runs.csv>`" in text
    assert "dropoutlab study verify toy --sample 3" in text
    assert "that took 10 minutes" in text
    assert "torch 2.13.0 and Python 3.11.7 on 2026-01-02" in text


def test_pictures_show_what_the_criteria_use():
    assert list(shown_metrics(STUDY)) == ["error", "loss"]


def test_a_bar_in_the_name_of_an_arm_does_not_end_its_cell(root):
    barred = replace(STUDY, arms={"a|b": {}, **STUDY.arms})
    rows = pd.concat([ROWS, ROWS[ROWS.arm == "none"].assign(arm="a|b")])
    assert "| a\\|b | 6.20 [" in page(barred, rows, judge(STUDY, ROWS), MANIFEST, root)


def test_a_study_that_is_not_run_shows_its_registration_and_no_number():
    text = registration(STUDY)
    for part in (
        "Does it help?",
        "A network is *trained*.",
        "Nothing is concluded",
        "dropoutlab study run toy",
    ):
        assert part in text
    assert text.count("{verdict}`not measured`") == len(STUDY.criteria)
    assert "points" not in text
