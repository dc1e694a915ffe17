"""The script of the cards schedules as the reference does, and reads what people write."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from fsrs import Card, Rating, Scheduler, State

from tests.coursebook import scripts

HALF_A_YEAR = 180 * 86_400


def in_node(code, data, zone="UTC"):
    return scripts.in_node("cards", code, data, zone)


# The schedule

SCHEDULE = """
return data.map((history) => history.map((_, last) => {
  const memory = c.replay(history.slice(0, last + 1));
  return [memory.due, memory.learning, memory.stability, memory.difficulty];
}));
"""


def random_histories(rng, number):
    """Reviews of cards over years: within minutes, within the same day, days and months apart."""
    histories = []
    for _ in range(number):
        moment = 1_700_000_000 + int(rng.integers(HALF_A_YEAR))
        history = []
        for _ in range(int(rng.integers(1, 13))):
            history.append([moment, int(rng.choice([1, 2, 3, 4], p=[0.2, 0.2, 0.45, 0.15]))])
            longest = int(rng.choice([1_200, 40_000, 6 * 86_400, 300 * 86_400], p=[0.2, 0.2, 0.35, 0.25]))
            moment += 1 + int(rng.integers(longest))
        histories.append(history)
    return histories


def by_the_reference(history, zone):
    """The same with py-fsrs. It counts spans of 24 hours, we count dates, so it is told dates."""
    step = timedelta(minutes=10)
    scheduler = Scheduler(
        desired_retention=0.9, learning_steps=(step,), relearning_steps=(step,), enable_fuzzing=False
    )
    card = Card(card_id=1)
    for seconds, grade in history:
        local = datetime.fromtimestamp(seconds, zone)
        date = datetime(local.year, local.month, local.day, tzinfo=UTC)
        card, _ = scheduler.review_card(card, Rating(grade), date)
        learning = card.state != State.Review
        if learning:
            due = seconds + (card.due - date).total_seconds()
        else:
            day = card.due.date()
            due = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
        yield 1000 * due, learning, card.stability, card.difficulty


@pytest.mark.parametrize(
    ("zone", "number"), [("UTC", 1000), ("Europe/London", 200), ("Pacific/Auckland", 200)]
)
def test_dates_are_those_of_the_reference_implementation(zone, number):
    histories = random_histories(np.random.default_rng(20_261_121), number)
    ours = in_node(SCHEDULE, histories, zone)
    compared = 0
    for history, steps in zip(histories, ours, strict=True):
        reference = by_the_reference(history, ZoneInfo(zone))
        for (due, learning, *memory), (their_due, their_learning, *their_memory) in zip(
            steps, reference, strict=True
        ):
            assert (due, learning) == (their_due, their_learning), history
            # ts-fsrs rounds to eight decimals at each step. That is 1e-8 of a stability of 1, and a dozen
            # steps multiply the error no more than they multiply the stability.
            np.testing.assert_allclose(memory, their_memory, rtol=1e-5, atol=1e-6)
            compared += 1
    assert compared > 5 * number


def test_histories_meet_every_case_of_the_schedule():
    """The comparison above would be worth little if all its reviews were alike."""
    steps = [
        step
        for history in random_histories(np.random.default_rng(20_261_121), 1000)
        for step in pairwise(history)
    ]
    same_day = sum(a[0] // 86_400 == b[0] // 86_400 for a, b in steps)
    assert same_day > 500
    assert len(steps) - same_day > 500
    assert {b[1] for _, b in steps} == {1, 2, 3, 4}


def test_intervals_grow_with_the_grade_and_a_failure_comes_back_at_once():
    now = 1_800_000_000_000
    again, hard, good, easy = in_node("return c.preview([], data);", now)
    assert again - now == 10 * 60_000
    assert again < hard < good < easy


def test_due_is_a_matter_of_the_readers_date():
    # Answered at 23:30 in Auckland and graded good: due at midnight at the beginning of a day, not at 23:30.
    zone = ZoneInfo("Pacific/Auckland")
    answered = int(datetime(2026, 11, 21, 23, 30, tzinfo=zone).timestamp())
    code = "const m = c.replay(data.history); return [m.due, data.times.map((t) => c.isDue(m, t * 1000))];"
    evening = datetime(2026, 11, 22, 23, 59, tzinfo=zone).timestamp()
    morning = datetime(2026, 11, 23, 0, 1, tzinfo=zone).timestamp()
    data = {"history": [[answered, 3]], "times": [evening, morning]}
    due, states = in_node(code, data, "Pacific/Auckland")
    assert datetime.fromtimestamp(due / 1000, zone) == datetime(2026, 11, 23, tzinfo=zone)
    assert states == [False, True]


def test_a_failed_card_is_due_today_until_midnight():
    answered = int(datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp())
    code = """const memory = c.replay([[data, 1]]);
    return [0, 10, 100].map((minutes) => c.isDue(memory, data * 1000 + minutes * 60000));"""
    assert in_node(code, answered) == [True, True, True]
    late = int(datetime(2026, 11, 21, 23, 55, tzinfo=UTC).timestamp())
    assert in_node(code, late) == [False, True, True]  # ten minutes later is another day


def test_the_estimate_of_recall_falls_from_one_to_the_wanted_nine_in_ten():
    code = """const memory = c.replay([[data, 4]]);
    const after = (days) => (data + 86400 * Math.round(days)) * 1000;
    return [0, 1, 2].map((times) => c.recall(memory, after(times * memory.stability)));"""
    start, wanted, later = in_node(code, 1_800_000_000)
    assert start == 1
    assert abs(wanted - 0.9) < 0.01  # whole days only: easy begins with a stability of 8.3 days
    assert later < wanted


# Answers


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.267", [0.267]),
        (" −1.5 ", [-1.5]),
        ("0,267", [267.0, 0.267]),
        ("1,250", [1250.0, 1.25]),
        ("26.7 %", [0.267]),
        ("1/4", [0.25]),
        ("5e-3", [0.005]),
        (".5", [0.5]),
        ("2 000", [2000.0]),
        ("1/0", []),
        ("", []),
        ("a lot", []),
        ("0.2 or 0.3", []),
        ("1.2.3", []),
    ],
)
def test_numbers_are_read_as_people_write_them(text, values):
    assert in_node("return c.readNumber(data);", text) == pytest.approx(values)


def test_a_number_is_right_up_to_its_tolerance():
    cases = [[0.287, 0.267, 0.02], [0.2871, 0.267, 0.02], [0.1 + 0.2, 0.3, 0], [0.3001, 0.3, 0]]
    assert in_node("return data.map((each) => c.isClose(...each));", cases) == [True, False, True, False]


def test_a_common_mistake_is_recognised():
    key = {"answer": 0.267, "tolerance": 0.001, "wrong": [1.0, 0.3]}
    code = "return data.values.map((value) => c.findMistake([value], data.key));"
    assert in_node(code, {"key": key, "values": [1, 0.3, 0.302, 0.5]}) == [0, 1, -1, -1]


@pytest.mark.parametrize(
    ("text", "fits"),
    [("q", True), (" Q ", True), ("$q$", True), ("1-p", True), ("1 − p.", True), ("p", False), ("", False)],
)
def test_blanks_do_not_mind_case_space_or_dollar_signs(text, fits):
    assert in_node("return c.fits(data, ['q', '1 - p']);", text) is fits


# Stored reviews

GOOD = {"course": "dropout-measured", "format": 1, "reviews": {"b": [[20, 3], [10, 1]], "a": [[5, 4]]}}


def test_what_is_stored_is_read_and_written_in_one_order():
    code = "return c.serialise(c.parse(data));"
    expected = {
        "course": "dropout-measured",
        "format": 1,
        "reviews": {"a": [[5, 4]], "b": [[10, 1], [20, 3]]},
    }
    assert json.dumps(
        in_node("return JSON.parse(c.serialise(c.parse(data)));", json.dumps(GOOD))
    ) == json.dumps(expected)
    assert in_node(code, json.dumps(GOOD)) == in_node(code, json.dumps(expected))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("not json", "it is not JSON"),
        ([], "it is not from this course"),
        (GOOD | {"course": "another"}, "it is not from this course"),
        (GOOD | {"format": 2}, "it was written by another version"),
        (GOOD | {"reviews": []}, "it holds no reviews"),
        (GOOD | {"reviews": {"a": [[5, 5]]}}, 'the reviews of "a" are damaged'),
        (GOOD | {"reviews": {"a": [[5, 0]]}}, "damaged"),
        (GOOD | {"reviews": {"a": [[5.5, 3]]}}, "damaged"),
        (GOOD | {"reviews": {"a": [[-1, 3]]}}, "damaged"),
        (GOOD | {"reviews": {"a": [["5", 3]]}}, "damaged"),
        (GOOD | {"reviews": {"a": [[5, 3, 1]]}}, "damaged"),
        (GOOD | {"reviews": {"a": None}}, "damaged"),
        (GOOD | {"reviews": {"a": [[1e300, 3]]}}, "damaged"),
    ],
)
def test_foreign_data_are_refused_with_a_reason(change, reason):
    text = change if isinstance(change, str) else json.dumps(change)
    code = "try { c.parse(data); return null; } catch (error) { return error.message; }"
    assert reason in in_node(code, text)


def test_a_name_that_means_something_to_javascript_is_only_a_name():
    text = '{"course":"dropout-measured","format":1,"reviews":{"__proto__":[[5,4]],"constructor":[[6,1]]}}'
    names = in_node("return [...c.parse(data).keys()];", text)
    assert names == ["__proto__", "constructor"]


def test_two_histories_are_united_and_nothing_is_counted_twice():
    other = GOOD | {"reviews": {"b": [[10, 1], [15, 2]], "c": [[1, 1]]}}
    code = "return JSON.parse(c.serialise(c.merge(c.parse(data[0]), c.parse(data[1])))).reviews;"
    united = {"a": [[5, 4]], "b": [[10, 1], [15, 2], [20, 3]], "c": [[1, 1]]}
    assert in_node(code, [json.dumps(GOOD), json.dumps(other)]) == united
    assert in_node(code, [json.dumps(other), json.dumps(GOOD)]) == united
