"""A graded exercise on a page: all of it is there without a script, and what gives it away is closed."""

import pytest
from bs4 import BeautifulSoup

from dropoutlab.grading import exercise, stub, worked_solution


@pytest.fixture(scope="module")
def item(sample):
    return BeautifulSoup(sample.page("exercises/01-coins"), "html.parser").select_one(
        "#graded-inverted-dropout"
    )


def test_the_task_its_facts_and_the_stub_are_shown(item):
    assert item.select_one(".graded-title strong").get_text() == "Inverted dropout in NumPy"
    assert item.select_one(".graded-facts").get_text() == "★ · 15 minutes · graded"
    task = item.find_all("p", recursive=False)[2]
    assert task.select_one(".katex-mathml")
    assert task.code.get_text() == "x"
    code = item.select_one(":scope > .highlight-python").get_text()
    assert stub("inverted_dropout").strip() in code
    assert code.strip().endswith('check("inverted_dropout", inverted_dropout)')


def test_hints_and_solution_are_closed(item):
    details = item.find_all("details", recursive=False)
    assert [part.summary.get_text() for part in details] == ["Hint 1", "Hint 2", "Hint 3", "Solution"]
    assert not item.select("details[open]")
    assert not item.select("script, button, [onclick]")
    assert worked_solution("inverted_dropout").strip() in details[-1].select_one("pre").get_text()
    assert details[-1].select_one(".katex-mathml")


def test_nothing_of_the_solution_is_outside_of_it(item):
    solution = item.find_all("details", recursive=False)[-1].extract()
    assert "keep = rng.random(x.shape) >= p\n    return" in solution.get_text()
    assert "keep = rng.random(x.shape) >= p\n    return" not in item.get_text()
    assert exercise("inverted_dropout").why[:20] not in item.get_text()
