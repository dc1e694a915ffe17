import pytest

from dropoutlab.studies.forecast import Forecast


def rows(arm, *seconds):
    return [{"arm": arm, "seed": 1000 + index, "seconds": value} for index, value in enumerate(seconds)]


@pytest.fixture
def study(toy):
    return toy.study(minutes=10, seeds=10, group=2)  # 20 runs, in 10 jobs of 2


def test_before_anything_has_run_the_registered_minutes_are_all_there_is(study):
    forecast = Forecast(study)
    assert forecast.seconds_left(study.jobs(), workers=2) == pytest.approx(600)
    assert forecast.seconds_left(study.jobs(), workers=1) == pytest.approx(1200)
    assert forecast.seconds_left(study.jobs()[:5], workers=2) == pytest.approx(300)


def test_arms_cost_what_they_have_cost(study):
    forecast = Forecast(study)
    forecast.learn(rows("none", 1.0, 3.0))
    # 20 runs of 2 s on average, since nothing else is known.
    assert forecast.seconds_left(study.jobs(), workers=2) == pytest.approx(20)
    forecast.learn(rows("more, or less", 5.0))
    assert forecast.seconds_left(study.jobs(), workers=2) == pytest.approx((10 * 2 + 10 * 5) / 2)


def test_one_waits_for_the_longest_job(study):
    forecast = Forecast(study)
    forecast.learn(rows("none", 1.0) + rows("more, or less", 10.0))
    assert forecast.seconds_left(study.jobs()[:2], workers=8) == pytest.approx(20)
    assert forecast.seconds_left([], workers=8) == 0
