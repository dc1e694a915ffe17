import pytest

from dropoutlab.studies import compute as module
from dropoutlab.studies.backends import Local
from dropoutlab.studies.compute import backend_for, compute
from dropoutlab.studies.errors import JobError, StudyError


def test_progress_is_reported_at_first_and_after_every_job(toy):
    seen = []
    jobs = toy.STUDY.jobs()[:3]
    done = compute(toy.STUDY, jobs, Local(1), before=14, on_progress=seen.append)
    assert [(stand.done, stand.total) for stand in seen] == [(14, 20), (16, 20), (18, 20), (20, 20)]
    assert seen[0].study == "toy"
    assert seen[0].seconds_left > seen[-1].seconds_left == 0
    assert [result.task.job for result in done] == list(jobs)


def test_the_time_left_is_learnt_from_stored_runs(toy):
    seen = []
    known = [{"arm": arm, "seed": 1000, "seconds": 7.0} for arm in toy.STUDY.arms]
    compute(toy.STUDY, toy.STUDY.jobs()[:4], Local(1), known=known, on_progress=seen.append)
    assert seen[0].seconds_left == pytest.approx(4 * 2 * 7)


def test_nothing_to_do(toy):
    assert compute(toy.STUDY, [], Local(2)) == []


def test_a_job_that_fails_stops_no_other(toy, trouble):
    trouble("none")
    done, seen = [], []
    with pytest.raises(JobError, match=r"5 jobs failed; running again tries what is missing\.") as failure:
        compute(toy.STUDY, toy.STUDY.jobs(), Local(1), on_done=done.append, on_progress=seen.append)
    assert "toy, arm 'none', seeds 1002-1003: RuntimeError: trouble with none" in str(failure.value)
    assert "Traceback" in str(failure.value)
    assert {result.task.job.arms for result in done} == {("more, or less",)}
    assert (seen[-1].done, seen[-1].seconds_left) == (10, 0)


def test_a_single_failure_is_one_job(toy, trouble):
    trouble("none")
    with pytest.raises(JobError, match="1 job failed"):
        compute(toy.STUDY, toy.STUDY.jobs()[:1], Local(1))


def test_many_failures_are_not_all_listed(toy, trouble):
    trouble("none more, or less")
    with pytest.raises(JobError, match="10 jobs failed") as failure:
        compute(toy.STUDY, toy.STUDY.jobs(), Local(1))
    assert str(failure.value).count("RuntimeError: trouble") == 5 + 1  # the last one is in the traceback
    assert "\n  and 5 more\nTraceback" in str(failure.value)


def test_where_a_study_runs(toy, monkeypatch):
    monkeypatch.setattr(module, "check_device", lambda _: None)
    monkeypatch.setattr(module, "Cluster", lambda address: ("cluster", address))
    assert backend_for(toy.STUDY, jobs=3).workers() == 3
    assert backend_for(toy.STUDY).workers() == Local().workers()
    assert backend_for(toy.STUDY, device="cuda").workers() == 1
    assert backend_for(toy.STUDY, device="cuda", jobs=2).workers() == 2
    assert backend_for(toy.STUDY, scheduler="tcp://a:1") == ("cluster", "tcp://a:1")


def test_a_study_that_times_has_the_machine_for_itself(toy):
    alone = toy.study(alone=True)
    assert backend_for(alone, jobs=8).workers() == 1
    with pytest.raises(StudyError, match=r"toy times something .* leave out --scheduler"):
        backend_for(alone, scheduler="tcp://a:1")


def test_a_device_that_is_not_there(toy):
    with pytest.raises(StudyError, match="device must be"):
        backend_for(toy.STUDY, device="abacus")
