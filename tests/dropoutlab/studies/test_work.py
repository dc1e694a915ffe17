import math
import pickle
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from dropoutlab.studies.protocol import Job, Metric
from dropoutlab.studies.work import check_rows, tasks_for, work


@pytest.fixture
def job(toy):
    return toy.STUDY.jobs()[0]


def row(arm="none", seed=1000, **changes):
    return {"arm": arm, "seed": seed, "error": 0.5, "epochs": 3, "milliseconds": 1.0, **changes}


BOTH = [row(seed=1001), row(seed=1000)]


def test_a_task_says_all_that_a_worker_needs(toy, job):
    tasks = tasks_for(toy.STUDY, toy.STUDY.jobs())
    assert len(tasks) == 10
    assert pickle.loads(pickle.dumps(tasks[0])) == tasks[0]
    assert (tasks[0].module, tasks[0].study, tasks[0].threads, tasks[0].job) == ("toy_study", "toy", 1, job)
    assert tasks_for(toy.study(alone=True), [job])[0].threads is None


def test_tasks_are_named_for_messages(toy):
    single = tasks_for(toy.study(group=1), toy.study(group=1).jobs())[1]
    assert single.label == "toy, arm 'more, or less', seed 1000"
    assert (
        tasks_for(toy.TOGETHER, toy.TOGETHER.jobs())[0].label == "toy-together, all 2 arms, seeds 1000-1003"
    )


def test_working_returns_checked_rows_and_where_they_were_computed(toy):
    done = work(tasks_for(toy.STUDY, toy.STUDY.jobs())[0])
    assert done.problem == ""
    assert [(each["arm"], each["seed"]) for each in done.rows] == [("none", 1000), ("none", 1001)]
    assert done.environment["threads"] == 1
    assert {each["seconds"] for each in done.rows} == {done.rows[0]["seconds"]}


def test_working_leaves_the_threads_of_this_process_alone(toy):
    before = torch.get_num_threads()
    work(tasks_for(toy.STUDY, toy.STUDY.jobs())[0])
    assert torch.get_num_threads() == before


def test_whatever_a_study_raises_comes_back(toy, trouble):
    trouble("none")
    done = work(tasks_for(toy.STUDY, toy.STUDY.jobs())[0])
    assert done.problem == "RuntimeError: trouble with none"
    assert "Traceback" in done.trace
    assert done.rows == ()


def test_a_worker_with_another_registration_does_nothing(toy):
    task = replace(tasks_for(toy.STUDY, toy.STUDY.jobs())[0], digest="0" * 64)
    done = work(task)
    assert "started with 000000000000; install the same version" in done.problem


def test_rows_get_their_share_of_the_time_and_the_order_of_the_job(toy, job):
    rows = check_rows(toy.STUDY, job, BOTH, seconds=3.0)
    assert [(each["seed"], each["seconds"]) for each in rows] == [(1000, 1.5), (1001, 1.5)]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (np.float32(0.1), float(np.float32(0.1))),
        (np.float64(0.25), 0.25),
        (np.int64(7), 7),
        (True, 1),
        (Fraction(1, 4), 0.25),
    ],
)
def test_numbers_become_plain_numbers(toy, job, value, stored):
    rows = check_rows(toy.STUDY, job, [row(error=value), row(seed=1001)], 1.0)
    assert rows[0]["error"] == stored
    assert type(rows[0]["error"]) in (int, float)


def test_nan_is_for_optional_metrics(toy, job):
    study = toy.study(metrics={**toy.STUDY.metrics, "error": Metric("", "1", optional=True)})
    assert math.isnan(check_rows(study, job, [row(error=math.nan), row(seed=1001)], 1.0)[0]["error"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row()], "returned no row for 'none' with seed 1001"),
        ([], "returned no row for 'none' with seed 1000, 'none' with seed 1001"),
        ([*BOTH, row()], "a row for arm 'none', seed 1000: unasked for, or twice"),
        ([*BOTH, row(arm="more, or less")], "a row for arm 'more, or less', seed 1000: unasked for"),
        ([*BOTH, {"error": 1.0}], "a row for arm None, seed None: unasked for"),
        ([row(loss=1.0)], r"exactly the registered metrics; missing or unknown: \['loss'\]"),
        ([{"arm": "none", "seed": 1000, "error": 1.0}], r"missing or unknown: \['epochs', 'milliseconds'\]"),
        ([row(error="low")], "metric error must be a number, got 'low'"),
        (
            [row(error=torch.tensor(0.5))],
            r"metric error must be a number, got tensor\(0\.5000\); call \.item",
        ),
        (
            [row(error=math.nan)],
            "metric error must be finite, got nan; NaN is for metrics with optional=True",
        ),
        ([row(error=-math.inf)], "metric error must be finite, got -inf"),
    ],
)
def test_rows_that_were_not_registered_are_refused(toy, job, rows, message):
    from dropoutlab.studies.errors import StudyError

    with pytest.raises(StudyError, match=message):
        check_rows(toy.STUDY, job, rows, 1.0)
    assert isinstance(job, Job)
