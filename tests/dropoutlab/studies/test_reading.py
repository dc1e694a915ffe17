import math

import pytest

from dropoutlab.studies.backends import Local
from dropoutlab.studies.criteria import level, ratio
from dropoutlab.studies.errors import ForeignRowsError, IncompleteError, StudyError
from dropoutlab.studies.reading import judge, load_rows
from dropoutlab.studies.runner import run_study


def test_rows_of_a_complete_study(stored):
    rows = load_rows(stored.study, stored.root)
    assert list(rows["arm"].unique()) == list(stored.study.arms)
    assert rows.groupby("arm")["seed"].apply(list).tolist() == [list(range(1000, 1010))] * 2


def test_fewer_runs_than_registered_are_no_result(toy, tmp_path):
    with pytest.raises(IncompleteError, match="toy: 0 of 20 registered runs are stored"):
        load_rows(toy.STUDY, tmp_path)
    run_study(toy.STUDY, tmp_path, backend=Local(1), seeds=8)
    with pytest.raises(
        IncompleteError,
        match=r"16 of 20 registered .* arm 'more, or less' with seed 1008 and 3 more are missing",
    ):
        load_rows(toy.STUDY, tmp_path)


def test_rows_of_another_registration_are_no_result(toy, stored):
    with pytest.raises(ForeignRowsError, match="restore the registration"):
        load_rows(toy.study(full={"seconds": 1.0}), stored.root)


def test_verdicts_have_the_unit_of_their_metric(toy, stored):
    study = toy.study(
        criteria=(
            *toy.STUDY.criteria,
            level("late", "s", metric="epochs", arm="none", expect="lower", than=100.0),
            ratio("same", "s", metric="seconds_spent", arm="none", against="more, or less", expect="lower"),
        ),
        metrics={**toy.STUDY.metrics, "seconds_spent": toy.STUDY.metrics["milliseconds"]},
    )
    rows = load_rows(stored.study, stored.root).assign(seconds_spent=1.0)
    rows["seconds_spent"] += rows["seed"] % 3 + (rows["arm"] == "none") * rows["seed"] % 2
    outcomes = judge(study, rows)
    assert {name: outcome.unit for name, outcome in outcomes.items()} == {
        "shifts": "fraction",
        "late": "epochs",
        "same": "ratio",
    }
    assert (outcomes["shifts"].verdict, outcomes["shifts"].n) == ("supported", 10)
    assert outcomes["shifts"].effect == pytest.approx(1.0)


def test_a_criterion_that_cannot_be_applied_is_named(toy, stored):
    rows = load_rows(stored.study, stored.root).assign(error=math.nan)
    with pytest.raises(
        StudyError, match="toy, criterion 'shifts': error of arm 'more, or less' is not finite"
    ):
        judge(toy.STUDY, rows)


def test_a_verdict_on_fewer_seeds_has_to_be_asked_for(toy, stored):
    rows = load_rows(stored.study, stored.root)
    few = rows[rows["seed"] < 1003]
    with pytest.raises(IncompleteError, match="6 of 20 registered runs"):
        judge(toy.STUDY, few)
    with pytest.raises(IncompleteError, match="arm 'none' with seed 1009 is missing"):
        judge(toy.STUDY, rows[(rows["arm"] != "none") | (rows["seed"] < 1009)])
    assert judge(toy.STUDY, few, provisional=True)["shifts"].n == 3
