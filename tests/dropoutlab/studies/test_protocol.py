import math
import pickle

import pytest

from dropoutlab.studies.criteria import difference, level
from dropoutlab.studies.protocol import Metric

LEVEL = {"metric": "error", "arm": "none", "expect": "higher", "than": 0.0}


def test_jobs_are_chunks_of_the_seed_list_with_seeds_first(toy):
    jobs = toy.study(seeds=5, group=2).jobs()
    assert [(job.arms, job.seeds) for job in jobs] == [
        (("none",), (1000, 1001)),
        (("more, or less",), (1000, 1001)),
        (("none",), (1002, 1003)),
        (("more, or less",), (1002, 1003)),
        (("none",), (1004,)),
        (("more, or less",), (1004,)),
    ]
    assert jobs[1].settings == {"more, or less": {"shift": 1.0}}
    assert jobs[1].runs == (("more, or less", 1000), ("more, or less", 1001))


def test_jobs_of_arms_that_belong_together(toy):
    jobs = toy.study(seeds=3, group=2, together=True).jobs("full", "cuda")
    assert [job.arms for job in jobs] == [("none", "more, or less")] * 2
    assert jobs[0].runs[:2] == (("none", 1000), ("more, or less", 1000))
    assert {job.device for job in jobs} == {"cuda"}
    assert jobs[0].profile == {"seconds": 0.2}


@pytest.mark.parametrize(("smoke", "seeds"), [({}, 3), ({"seeds": 2}, 2), ({"seeds": 99}, 10)])
def test_a_smoke_run_takes_a_few_of_the_seeds(toy, smoke, seeds):
    study = toy.study(smoke=smoke)
    assert study.seed_list("smoke") == tuple(range(1000, 1000 + seeds))
    assert {job.profile.get("seeds") for job in study.jobs("smoke")} == {smoke.get("seeds")}
    assert study.seed_list() == tuple(range(1000, 1010))


@pytest.mark.parametrize(
    ("seeds", "group", "ends"), [(4, 1, (1, 2, 3, 4)), (10, 4, (4, 8, 10)), (8, 4, (4, 8)), (3, 3, (3,))]
)
def test_where_groups_end(toy, seeds, group, ends):
    assert toy.study(seeds=seeds, group=group).group_ends() == ends


def test_jobs_can_be_sent_to_other_processes(toy):
    job = toy.STUDY.jobs()[0]
    assert pickle.loads(pickle.dumps(job)) == job


def test_the_declaring_module_is_found(toy):
    from dropoutlab.studies.protocol import Study

    declared = {name: getattr(toy.STUDY, name) for name in Study.__dataclass_fields__ if name != "module"}
    assert Study(**declared).module == __name__


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Toy study"}, "'Toy study': the name must be kebab-case"),
        ({"name": "toy-"}, "kebab-case"),
        ({"title": " "}, "title and protocol must not be empty"),
        ({"protocol": ""}, "title and protocol must not be empty"),
        ({"question": "It does."}, r'ends with "\?", got \'It does.\''),
        ({"arms": {}}, "at least one arm, one metric and one criterion"),
        ({"metrics": {}}, "at least one arm, one metric and one criterion"),
        ({"criteria": ()}, "at least one arm, one metric and one criterion"),
        ({"arms": {"none": {"f": print}, "more, or less": {}}}, "arms must hold what JSON can hold"),
        ({"full": {"sizes": (1, 2)}}, "full must hold what JSON can hold"),
        ({"smoke": {"lr": math.nan}}, "smoke must hold what JSON can hold"),
        (
            {"arms": {"none": {}, "more, or less": {}, "a\nb": {}}},
            r"one line without space around it, got 'a\\nb'",
        ),
        ({"arms": {"none": {}, "more, or less": {}, "": {}}}, "without space around it, got ''"),
        (
            {"metrics": {"error": Metric("", "1"), "seconds": Metric("", "s")}},
            "not arm, seed, seconds, got 'sec",
        ),
        (
            {"metrics": {"error": Metric("", "1"), "Loss": Metric("", "1")}},
            "lower_case and not .* got 'Loss'",
        ),
        ({"criteria": (level("a", "", **LEVEL),) * 2}, "ids must be unique, got 'a' twice"),
        ({"criteria": (level("A b", "", **LEVEL),)}, "criterion ids must be kebab-case, got 'A b'"),
        (
            {"criteria": (level("a", "", **{**LEVEL, "arm": "nobody"}),)},
            "criterion 'a' uses the arm 'nobody'; the arms are none, more, or less",
        ),
        (
            {"criteria": (level("a", "", **{**LEVEL, "metric": "loss"}),)},
            "criterion 'a' uses the metric 'loss'; the metrics are error, epochs, milliseconds",
        ),
        ({"seeds": 1, "group": 1}, "seeds must be at least 2, got 1"),
        ({"group": 0}, "group must lie in 1 to 10, the number of seeds, got 0"),
        ({"group": 11}, "group must lie in 1 to 10, the number of seeds, got 11"),
        ({"minutes": 0}, "minutes must be positive and finite, got 0"),
        ({"tolerance": -1}, "tolerance must be non-negative and finite, got -1"),
        ({"smoke": {"seeds": 1}}, r"smoke\['seeds'\] must be a whole number and at least 2, got 1"),
        ({"smoke": {"seeds": 2.5}}, "must be a whole number and at least 2, got 2.5"),
        ({"full": {"data": "stand-in"}}, "the full profile cannot run on 'stand-in' data"),
        ({"datasets": ("weather",)}, "unknown dataset 'weather'; the names are digits, mnist"),
        ({"alone": True, "metrics": {"error": Metric("", "1")}}, "alone is for studies that time something"),
    ],
)
def test_unsound_declarations_are_refused(toy, changes, message):
    with pytest.raises(ValueError, match=message):
        toy.study(**changes)


def test_everything_wrong_is_said_at_once(toy):
    claim = difference("helps", "", metric="loss", arm="a", against="none", expect="lower")
    with pytest.raises(ValueError, match=r"kebab-case.*'a'; the arms.*'loss'; the metrics.*minutes must be"):
        toy.study(name="T", criteria=(claim,), minutes=math.inf)


def test_a_study_that_times_may_run_alone(toy):
    assert toy.study(alone=True).alone
