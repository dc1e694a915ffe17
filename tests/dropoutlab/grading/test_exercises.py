"""Stubs and solutions come from one file and agree; what a page shows of an exercise is complete."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from dropoutlab.grading import (
    CODES,
    Finding,
    Report,
    check,
    exercise,
    exercises,
    stub,
    stubs,
    worked_solution,
)
from dropoutlab.grading.engine import examine
from dropoutlab.grading.solutions import NAMES

CHAPTERS = ["01-overfitting", "02-coadaptation", "03-ensemble", "04-scaling", "05-placement", "06-batchnorm"]
each = pytest.mark.parametrize("known", exercises(), ids=lambda known: known.name)


def executed(text, name):
    names = {}
    exec(compile(text, f"<{name}>", "exec"), names)
    return names[name]


def test_every_file_holds_one_exercise_and_is_listed():
    folder = Path(inspect.getfile(exercise)).parent / "solutions"
    assert sorted(NAMES) == sorted(path.stem for path in folder.glob("[a-z]*.py"))
    assert [known.name for known in exercises()] == list(NAMES)
    assert [known.solution.__name__ for known in exercises()] == list(NAMES)


def test_each_of_six_chapters_has_at_least_three():
    assert list(dict.fromkeys(known.chapter for known in exercises())) == CHAPTERS
    assert min(len(exercises(chapter)) for chapter in CHAPTERS) >= 3


@each
def test_the_stub_and_the_solution_agree(known):
    begun, solved = executed(stub(known.name), known.name), executed(worked_solution(known.name), known.name)
    assert inspect.signature(begun) == inspect.signature(solved) == inspect.signature(known.solution)
    assert begun.__doc__ == solved.__doc__ == known.solution.__doc__
    assert check(known.name, solved)
    report = check(known.name, begun)
    if known.broken is None:
        assert [finding.code for finding in report.findings] == ["not-implemented"]
        assert known.todo in report.findings[0].message
    else:
        assert report.findings == examine(known, known.broken) != []


@each
def test_the_reference_solution_is_right(known):
    assert examine(known, known.solution) == []


@each
def test_what_a_page_shows_is_there(known):
    assert known.difficulty in (1, 2, 3)
    assert 1 <= known.minutes <= 60
    assert len(set(known.hints)) == 3
    assert all(hint.strip() for hint in known.hints)
    assert known.task.strip()
    assert known.why.strip()
    assert known.title
    assert "\n" not in known.todo
    assert re.fullmatch(r"[^A-Z.\"][^\"]*[^.\"]", known.todo)
    assert "noqa" not in stub(known.name) + worked_solution(known.name)
    assert "dropoutlab" not in stub(known.name) + worked_solution(known.name)


def test_codes_are_words_and_say_what_to_think_about():
    for code, entry in CODES.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
        assert entry.meaning.endswith(".")
        assert entry.think[-1] in ".?"


def test_a_finding_needs_a_registered_code():
    with pytest.raises(ValueError, match=r"must be one of dropoutlab\.grading\.codes, got 'made-up'"):
        Finding("made-up", "")


def test_names_that_do_not_exist_are_refused_with_those_that_do():
    for ask in (exercise, stub, worked_solution, lambda name: check(name, len)):
        with pytest.raises(ValueError, match=r"must be one of paired_interval, .*, got 'dropuot'"):
            ask("dropuot")
    with pytest.raises(ValueError, match=r"chapter must be one of 01-overfitting, .*, got '12-evidence'"):
        exercises("12-evidence")
    with pytest.raises(ValueError, match="limit must be a positive number of seconds, got 0"):
        check("inverted_dropout", len, limit=0)


def test_the_function_itself_is_asked_for():
    report = check("inverted_dropout", 3.0)
    assert [finding.code for finding in report.findings] == ["wrong-type"]
    assert "pass the function itself" in report.findings[0].message


def test_a_report_reads_well():
    finding = Finding("no-scaling", "With p = 0.2 the factor was 1.")
    report = Report(False, [finding], "inverted_dropout")
    assert not report
    assert str(report) == repr(report)
    assert repr(report).splitlines()[0] == "inverted_dropout: not yet"
    assert "[no-scaling] The scaling is missing." in repr(report)
    assert "Seen: With p = 0.2 the factor was 1." in repr(report)
    assert report._repr_markdown_().startswith("**inverted_dropout: not yet**\n\n- **no-scaling**")
    assert Report(True, [], "x")._repr_markdown_() == "**x: passed**"


@each
def test_no_line_of_a_stub_or_a_solution_runs_off_the_page(known):
    for text in (stub(known.name), worked_solution(known.name)):
        assert max(len(line) for line in text.splitlines()) <= stubs.WIDTH


@each
def test_the_exception_of_a_stub_says_the_whole_task(known):
    [raised] = [node for node in ast.walk(ast.parse(stub(known.name))) if isinstance(node, ast.Raise)] or [
        None
    ]
    if known.broken is None:
        assert raised.exc.args[0].value == known.todo
